"""What a scenario sets otherwise, by path: fields of a type, and the parameters and changes of the parts below it."""

from __future__ import annotations

from attrs import field, frozen

from unifiedbus_dsl.semantic.values.values import EvalValue, value_text
from unifiedbus_dsl.syntax import tree


@frozen
class Overrides:
    """Of one type at one place. `fields` are statements as an extension of the type would have them, with their
    values, by which two changes are compared."""

    fields: tuple[tuple[tree.Field, EvalValue], ...] = field(
        default=(), eq=lambda pairs: tuple((f.name.text, v) for f, v in pairs)
    )
    parts: tuple[tuple[str, PartOverrides], ...] = ()

    def of(self, part: str) -> PartOverrides:
        """Return what is changed in a part."""
        return dict(self.parts).get(part, PartOverrides())

    def texts(self) -> list[str]:
        """`latency = 500 ns`, `plane.latency = 500 ns`: how the changed type is told from the one that is written."""
        parts = [f"{statement.name.text} = {value_text(value)}" for statement, value in self.fields]
        for name, part in self.parts:
            parts += [f"{name}.{parameter} = {value_text(value)}" for parameter, value in part.parameters]
            parts += [f"{name}.{text}" for text in part.below.texts()]
        return parts


@frozen
class PartOverrides:
    """Of a part: other arguments for its type, and changes in it."""

    parameters: tuple[tuple[str, EvalValue], ...] = ()
    below: Overrides = field(factory=Overrides)


NO_OVERRIDES = Overrides()
