"""Messages about values of the wrong sort or unit, with the readings that the text suggests."""

from __future__ import annotations

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.values.values import (
    POISON,
    EvalValue,
    Interval,
    TypeValue,
    describe,
    is_number,
    value_text,
)
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import foreign


def expected_value(sink: Sink, node: tree.Node, value: EvalValue, wanted: str) -> EvalValue:
    what = value_text(value) if isinstance(value, Quantity | bool | tuple) else describe(value)
    of_table = isinstance(value, tuple) and isinstance(node, tree.Name)
    help = (f"one element of it is `{node.span.one_line}[i]`",) if of_table else ()
    if isinstance(value, TypeValue):
        text = node.span.one_line
        help = (f"a part has its type behind `:`, and how many there are in brackets: `{text.lower()}[8] : {text}`",)
    sink.error("UB0310", f"this place wants {wanted}, found {what}", node.span, f"is {value_text(value)}", help=help)
    return POISON


def no_condition(node: tree.Expr, value: EvalValue, sink: Sink) -> None:
    """Say that what `expect` is given is no condition."""
    sink.error(
        "UB0310",
        f"`expect` wants a condition, found {describe(value) if isinstance(value, Interval) else value_text(value)}",
        node.span,
        "no condition",
        help=(f"compare it: `{node.span.one_line} == …`",),
    )


def unit_mismatch(sink: Sink, a: tree.Node, left: EvalValue, b: tree.Node, right: EvalValue, verb: str) -> EvalValue:
    sink.error(
        "UB0309",
        f"{describe(left)} and {describe(right)} can't be {verb}",
        b.span,
        f"is {describe(right)}",
        labels=(Label(a.span, f"is {describe(left)}"),),
        help=_share_of(b, verb) or _unit_of(a, left, b, right),
    )
    return POISON


def _unit_of(a: tree.Node, left: EvalValue, b: tree.Node, right: EvalValue) -> tuple[str, ...]:
    """Return what a number is written like that meets a quantity."""
    for node, value, other in ((a, left, right), (b, right, left)):
        if isinstance(node, tree.Number) and is_number(value) and not is_number(other):
            dimension = other.lower.dimension if isinstance(other, Interval) else getattr(other, "dimension", None)
            return () if dimension is None else (f"the number has no unit: {_with_unit(node, dimension)}",)
    return ()


def _share_of(node: tree.Node, verb: str) -> tuple[str, ...]:
    """Return what a bare share is probably meant to be."""
    text = node.span.one_line
    if not text.endswith("%"):
        return ()
    share = text.lstrip("-+ ")
    if verb == "compared":
        return (f"in a scenario `{share} of base` is a part of what it was; a tolerance is `== … within {share}`",)
    return (f"a tolerance stands behind the value: `== … within {share}`",)


def unknown_unit(sink: Sink, node: tree.Quantity, part: str) -> EvalValue:
    size = part[:-3]
    if part.endswith("Bps") and f"{size}B" in units.UNITS:
        amount = node.number.text
        sink.error(
            "UB0304",
            f"`{part}` can be read in two ways, a factor of 8 apart",
            node.span,
            "bytes or bits?",
            help=(f"write `{amount} {size}B/s` for bytes a second, or `{amount} {size}b/s` for bits a second",),
        )
        return POISON
    other = foreign.OTHER_UNITS.get(part) or (_prefix_alone(node, part) if part in _PREFIXES else None)
    if other is not None:
        sink.error("UB0301", f"there is no unit `{part}`", node.span, "unknown unit", help=(other,))
        return POISON
    guess = units.SPELLINGS.get(part.lower()) or foreign.UNITS.get(part) or did_you_mean(part, units.UNITS)
    text = node.unit.replace(part, guess) if guess else None
    sink.error(
        "UB0301",
        f"there is no unit `{part}`",
        node.span,
        "unknown unit",
        help=(f"did you mean `{text}`?",) if text else (),
        fix=rename(_unit_span(node), text),
    )
    return POISON


_PREFIXES = ("k", "K", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi")


def _prefix_alone(node: tree.Quantity, part: str) -> str:
    """Return what a number with a prefix and no unit may mean."""
    amount = node.number.text
    bits = f"{part}bps" if f"{part}bps" in units.UNITS else f"{part}b/s"
    rates = f"`{amount} {bits}` for bits a second, `{amount} {part}B/s` for bytes, `{amount} {part}B` for a size"
    factor = f"{1024 if part.endswith('i') else 1000}"
    power = "KMGTP".index(part[0].upper()) + 1
    return f"write {rates}, and `{amount} * {factor}{f'^{power}' if power > 1 else ''}` for a number"


def wrong_dimension(
    sink: Sink,
    node: tree.Expr,
    value: EvalValue,
    dimension: units.Dimension,
    of: str = "",
    labels: tuple[Label, ...] = (),
) -> None:
    """Say that a quantity of `dimension` is wanted, with the readings that the written one suggests."""
    wanted, subject = units.dimension_name(dimension), f"`{of}`" if of else "this place"
    if is_number(value):
        sink.error(
            "UB0303",
            f"{subject} wants {wanted}, and the number has no unit",
            node.span,
            "unit missing",
            labels=labels,
            help=(_with_unit(node, dimension),),
        )
        return
    sink.error(
        "UB0302",
        f"{subject} wants {wanted}, found {describe(value)}",
        node.span,
        f"is {describe(value)}",
        labels=labels,
        help=_readings(node, value, dimension),
    )


_USUAL = {
    units.RATE: ("GB/s", "Gbps"),
    units.SIZE: ("GB", "GiB"),
    units.TIME: ("ns", "us"),
    units.LENGTH: ("m",),
    units.DELAY: ("ns/m",),
    units.POWER: ("W", "kW"),
    units.MONEY: ("USD",),
    units.COMPUTE: ("TFLOPS", "PFLOPS"),
}


def _unit_span(node: tree.Quantity) -> Span:
    """Return the place of the unit behind the number."""
    start = node.span.text.index(node.unit, len(node.number.text))
    return Span(node.span.source, node.span.start + start, node.span.start + start + len(node.unit))


def _with_unit(node: tree.Expr, dimension: units.Dimension) -> str:
    if not isinstance(node, tree.Number):
        unit = _USUAL.get(dimension, (units.dimension_symbol(dimension),))[0]
        return f"give the number its unit where it is written, such as `1 {unit}`"
    amount = node.text
    choices = [f"`{amount} {unit}`" for unit in _USUAL.get(dimension, (units.dimension_symbol(dimension),))]
    return "write " + " or ".join(choices)


def _readings(node: tree.Expr, value: EvalValue, dimension: units.Dimension) -> tuple[str, ...]:
    if not isinstance(node, tree.Quantity) or not isinstance(value, Quantity):
        return ()
    if value.dimension == units.SIZE and dimension == units.RATE:
        amount, unit = node.number.text, node.unit
        if unit.endswith("B"):
            return (f"`{amount} {unit}/s` for bytes a second, or `{amount} {unit[:-1]}bps` for bits a second?",)
        return (f"did you mean `{amount} {unit}/s`?",)
    if value.dimension == units.RATE and dimension == units.SIZE:
        return (f"did you mean `{node.number.text} {node.unit.removesuffix('/s')}`?",)
    usual = " or ".join(f"`{node.number.text} {unit}`" for unit in _USUAL.get(dimension, ()))
    return (f"such as {usual}",) if usual else ()
