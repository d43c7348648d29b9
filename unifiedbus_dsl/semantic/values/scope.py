"""Scopes: what a name stands for at a place, evaluated when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import define, field

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.semantic.names.model import Definition, Module
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree


@define(eq=False)
class Lazy:
    """A value that is computed on first use; one that needs itself is an error."""

    compute: Callable[[], EvalValue]
    span: Span
    name: str
    text: tree.Expr | None = None
    """The expression that is written for it, where there is one."""
    _value: EvalValue | None = None
    _busy: bool = False

    def get(self, sink: Sink) -> EvalValue:
        if self._value is None:
            if self._busy:
                sink.error("UB0209", f"`{self.name}` is defined by itself", self.span, "needs its own value")
                return POISON
            self._busy = True
            try:
                self._value = self.compute()
            except RecursionError:
                self._value = POISON
                self._too_long(sink)
            finally:
                self._busy = False
        return self._value

    def _too_long(self, sink: Sink) -> None:
        if not any(each.code == "UB0233" for each in sink):
            message = f"`{self.name}` hangs on a chain of values that is too long"
            sink.error("UB0233", message, self.span, "too far from a number")


@define(eq=False)
class Scope:
    """The names of one type (or of a module alone): its parameters, then its fields and lets, then the module's.

    `members` is shared between a type and the one it extends, so that an override is seen by both.
    """

    module: Module
    params: dict[str, Lazy] = field(factory=dict)
    members: dict[str, Lazy] = field(factory=dict)
    structure: dict[str, str] = field(factory=dict)
    """Names that are no values here (children, ports), with what they are."""
    lets: dict[Definition, Lazy] = field(factory=dict)
    """Values of the `let`s of modules, shared by all scopes of one compilation."""
    quiet: bool = False
    """Whether part of the text of the type could not be read: unknown names are then not reported."""

    def local(self, name: str) -> Lazy | None:
        return self.params.get(name) or self.members.get(name)

    def definition(self, path: tuple[str, ...]) -> Definition | None:
        return self.module.lookup(path)

    def is_quiet(self, name: str) -> bool:
        return self.quiet or bool({name, "*"} & self.module.damaged_words)

    def values(self) -> Iterator[str]:
        """Yield the names that stand for a value of this place: no types, protocols or links."""
        yield from self.params
        yield from self.members
        yield from self.module.of_sort(tree.Let)

    def candidates(self) -> Iterator[str]:
        """Yield every name that could be said here."""
        yield from self.values()
        yield from self.structure
        yield from (name for name, _ in self.module.reachable())
