"""What a scenario sets otherwise, by path: fields of a type, and the parameters and changes of the parts below it."""

from __future__ import annotations

from attrs import field, frozen

from unifiedbus_dsl.elaborate.values import Any, value_text
from unifiedbus_dsl.syntax import tree


@frozen
class Changes:
    """Of one type at one place. `fields` are statements as an extension of the type would have them, with their
    values, by which two changes are compared."""

    fields: tuple[tuple[tree.Field, Any], ...] = field(
        default=(), eq=lambda pairs: tuple((f.name.text, v) for f, v in pairs)
    )
    parts: tuple[tuple[str, PartChanges], ...] = ()

    def of(self, part: str) -> PartChanges:
        """What is changed in a part."""
        return dict(self.parts).get(part, PartChanges())

    def texts(self) -> list[str]:
        """`latency = 500 ns`, `plane.latency = 500 ns`: how the changed type is told from the one that is written."""
        found = [f"{statement.name.text} = {value_text(value)}" for statement, value in self.fields]
        for name, part in self.parts:
            found += [f"{name}.{parameter} = {value_text(value)}" for parameter, value in part.parameters]
            found += [f"{name}.{text}" for text in part.below.texts()]
        return found


@frozen
class PartChanges:
    """Of a part: other arguments for its type, and changes in it."""

    parameters: tuple[tuple[str, Any], ...] = ()
    below: Changes = field(factory=Changes)


UNCHANGED = Changes()
