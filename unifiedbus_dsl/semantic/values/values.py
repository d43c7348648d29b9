"""What an expression can stand for while a type is elaborated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias, TypeGuard

from attrs import frozen

from unifiedbus_dsl.base.units import NUMBER, Quantity, dimension_name, format_number, format_quantity
from unifiedbus_dsl.ir.plan import Value
from unifiedbus_dsl.semantic.names.model import Definition


@frozen
class Poison:
    """The value of what is already in error: fits anywhere, and nothing more is said about it."""


POISON: Final = Poison()


@frozen
class Interval:
    """A quantity that is known to lie between two proved bounds, both included.

    `meet` says that the bounds differ by rounding only: the number is then taken as one, and equal to what lies
    between. `estimate` says why it is an estimate, where it is one: its bounds are no proof then, and neither are those
    of what is worked out of it.
    """

    lower: Quantity
    upper: Quantity
    meet: bool = False
    estimate: tuple[str, ...] = ()


@frozen
class TypeValue:
    """A type as a value, with the arguments given so far, by name."""

    definition: Definition
    args: tuple[tuple[str, EvalValue], ...] = ()

    @property
    def text(self) -> str:
        inner = ", ".join(f"{name} = {value_text(value)}" for name, value in self.args)
        return f"{self.definition.name}({inner})" if inner else self.definition.name


EvalValue: TypeAlias = "Value | TypeValue | Interval | Poison"


def is_number(value: EvalValue) -> TypeGuard[Quantity]:
    return isinstance(value, Quantity) and value.dimension == NUMBER


def is_whole(value: EvalValue) -> TypeGuard[Quantity]:
    return isinstance(value, Quantity) and value.is_integer


def same_sort(a: EvalValue, b: EvalValue) -> bool:
    """Return whether one value may stand for the other: same dimension, both types, both lists, …; what is in error
    fits."""
    if isinstance(a, Poison) or isinstance(b, Poison):
        return True
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return a.dimension == b.dimension
    if isinstance(a, TypeValue) and isinstance(b, TypeValue):
        return type(a.definition.node) is type(b.definition.node)
    return type(a) is type(b)


def reasons_of(values: Iterable[EvalValue]) -> tuple[str, ...]:
    """Return why some of these values are estimates, each reason once; nothing where none is."""
    return tuple(dict.fromkeys(text for value in values if isinstance(value, Interval) for text in value.estimate))


def value_text(value: EvalValue) -> str:
    """Return a value as a reader would write it."""
    match value:
        case Quantity():
            if value.dimension == NUMBER and value.value.denominator == 1:
                return str(int(value.value))
            return format_quantity(value, 6) if value.dimension != NUMBER else format_number(value.value, 6)
        case bool():
            return "true" if value else "false"
        case tuple():
            return "[" + ", ".join(value_text(item) for item in value) + "]"
        case TypeValue():
            return value.text
        case Interval():
            if value.meet:
                middle = (value.lower.value + value.upper.value) / 2
                return value_text(Quantity(middle, value.lower.dimension))
            return f"{value_text(value.lower)} to {value_text(value.upper)}"
        case Poison():
            return "?"
    return str(value)


def article(kind: str) -> str:
    """Return a kind with its article: `an npu`, `a switch`."""
    return f"{'an' if kind in ('npu', 'assembly') else 'a'} {kind}"


def describe(value: EvalValue) -> str:
    """Return what sort of thing a value is, with its article: `a rate`, `a list`, `a type`."""
    match value:
        case Quantity():
            return dimension_name(value.dimension)
        case Interval():
            return dimension_name(value.lower.dimension)
        case bool():
            return "a truth value"
        case str():
            return "a text"
        case tuple():
            return "a list"
        case TypeValue():
            return f"a {value.definition.noun}"
    return "a value in error"
