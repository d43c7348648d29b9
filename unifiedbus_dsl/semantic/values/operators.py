"""What operators and functions make of values, exact, with the checks of units and sorts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import NUMBER, Quantity, number
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.semantic.values.messages import expected_value, unit_mismatch
from unifiedbus_dsl.semantic.values.values import (
    POISON,
    EvalValue,
    Interval,
    Poison,
    TypeValue,
    describe,
    is_number,
    reasons_of,
)
from unifiedbus_dsl.syntax import tree

MAX_EXPONENT = 1024
MAX_BITS = 4096
"""Of a fraction, above and below the line together: about 1,200 digits."""
MAX_SIZE = 1000
"""Powers of two, up or down, between which every number lies: all of them have a floating-point number beside them."""


class Undecided(Exception):  # noqa: N818 - not an error: the proved bounds are too far apart
    """A condition holds at one end of an interval and fails at the other."""


def apply_unary(sink: Sink, node: tree.Unary, value: EvalValue) -> EvalValue:
    """Return the value of `-` or `not`; POISON after a diagnostic."""
    if node.op == "not":
        return not value if isinstance(value, bool) else expected_value(sink, node.operand, value, "a truth value")
    if isinstance(value, Interval):
        return Interval(_negative(value.upper), _negative(value.lower), value.meet, value.estimate)
    return _negative(value) if isinstance(value, Quantity) else expected_value(sink, node.operand, value, "a number")


def _negative(value: Quantity) -> Quantity:
    return Quantity(-value.value, value.dimension)


def apply_binary(sink: Sink, node: tree.Binary, left: EvalValue, right: EvalValue) -> EvalValue:
    """Return the value of an operator but `and` and `or`; POISON after a diagnostic."""
    if isinstance(left, Interval) or isinstance(right, Interval):
        return _between(sink, node, left, right)
    if node.op == "|":
        help = ("`or` joins conditions; a selection is an argument, as in `count(all npu | all cpu)`",)
        sink.error("UB0310", "`|` joins selections, and these are values", node.span, "no selections", help=help)
        return POISON
    for part, value in ((node.left, left), (node.right, right)):
        if not isinstance(value, Quantity):
            return expected_value(sink, part, value, "a number or a quantity")
    assert isinstance(left, Quantity)
    assert isinstance(right, Quantity)
    return limit_size(sink, node, _arithmetic(sink, node, left, right))


def limit_size(sink: Sink, node: tree.Node, value: EvalValue) -> EvalValue:
    """Return the value, where it is no number that grows beyond all measure; else POISON after a diagnostic."""
    if not isinstance(value, Quantity) or fits_limits(value.value):
        return value
    sink.error(
        "UB0111",
        f"this comes to a number beyond 2^{MAX_SIZE:,}, or to a fraction of more than {MAX_BITS:,} bits",
        node.span,
        "too large",
        help=("numbers are exact here: a value that is multiplied by itself again and again doubles its digits",),
    )
    return POISON


def fits_limits(value: Fraction) -> bool:
    """Return whether a number has few enough digits to be worked with exactly, and lies in the range of floating
    point."""
    above, below = value.numerator.bit_length(), value.denominator.bit_length()
    return above + below <= MAX_BITS and (above == 0 or abs(above - below) <= MAX_SIZE)


def _between(sink: Sink, node: tree.Binary, left: EvalValue, right: EvalValue) -> EvalValue:
    """Arithmetic on intervals, by their ends."""
    one, two = _ends(left), _ends(right)
    if one is None or two is None:
        part, other = (node.left, left) if one is None else (node.right, right)
        return expected_value(sink, part, other, "a number or a quantity")
    for part, value, (low, high) in ((node.left, left, one), (node.right, right, two)):
        # by its ends an operation is bounded only where it rises or falls all the way between them
        if isinstance(value, Interval) and (
            node.op in ("div", "mod", "^") or (node.op == "/" and part is node.right and low.value <= 0 <= high.value)
        ):
            return expected_value(sink, part, value, "a single value, not an interval")
    corners = [limit_size(sink, node, _arithmetic(sink, node, x, y)) for x in one for y in two]
    ordered = sorted((value for value in corners if isinstance(value, Quantity)), key=lambda q: q.value)
    if len(ordered) != len(corners):
        return POISON
    meet = all(value.meet for value in (left, right) if isinstance(value, Interval))
    return Interval(ordered[0], ordered[-1], meet, reasons_of((left, right)))


def _arithmetic(sink: Sink, node: tree.Binary, left: Quantity, right: Quantity) -> EvalValue:
    match node.op:
        case "+" | "-":
            if left.dimension != right.dimension:
                return unit_mismatch(
                    sink, node.left, left, node.right, right, "added" if node.op == "+" else "subtracted"
                )
            total = left.value + right.value if node.op == "+" else left.value - right.value
            return Quantity(total, left.dimension)
        case "*":
            return Quantity(left.value * right.value, units.multiply_dimensions(left.dimension, right.dimension))
        case "of":
            if left.dimension != NUMBER:
                return expected_value(sink, node.left, left, "a share such as `70%`")
            return Quantity(left.value * right.value, right.dimension)
        case "^":
            return _power(sink, node, left, right)
    if right.value == 0:
        sink.error("UB0306", "division by zero", node.right.span, "is 0")
        return POISON
    if node.op == "/":
        return Quantity(left.value / right.value, units.divide_dimensions(left.dimension, right.dimension))
    if not (left.is_integer and right.is_integer):
        part, value = (node.right, right) if left.is_integer else (node.left, left)
        return expected_value(sink, part, value, "a whole number")
    return number(left.value // right.value if node.op == "div" else left.value % right.value)


def _power(sink: Sink, node: tree.Binary, left: Quantity, right: Quantity) -> EvalValue:
    if not right.is_integer or abs(right.value) > MAX_EXPONENT:
        return expected_value(sink, node.right, right, f"a whole number up to {MAX_EXPONENT}")
    if left.value == 0 and right.value < 0:
        sink.error("UB0306", "division by zero", node.left.span, "is 0")
        return POISON
    digits = left.value.numerator.bit_length() + left.value.denominator.bit_length()
    if digits * abs(int(right.value)) > 2 * MAX_BITS:
        return expected_value(sink, node.right, right, "a smaller exponent")
    exponents = tuple(e * int(right.value) for e in left.dimension)
    return Quantity(left.value ** int(right.value), exponents)  # type: ignore[arg-type]


def compare_values(
    sink: Sink, node: tree.Compare, left: EvalValue, right: EvalValue, tolerance: EvalValue
) -> EvalValue:
    """Return whether the comparison of two values holds; POISON after a diagnostic.

    Raises:
        Undecided: it holds at one end of an interval and fails at the other.
    """
    if isinstance(left, Interval) or isinstance(right, Interval):
        return _compare_ends(sink, node, left, right, tolerance)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        if left.dimension != right.dimension:
            return unit_mismatch(sink, node.left, left, node.right, right, "compared")
        margin = _margin(sink, node, right, tolerance)
        return margin if isinstance(margin, Poison) else compare_values_of(node.op, left.value, right.value, margin)
    for text, kind in ((left, right), (right, left)):
        if isinstance(text, str) and isinstance(kind, TypeValue) and node.op in ("==", "!="):
            bare = text if kind.args else text.partition("(")[0]  # `LRS` is every `LRS(n = …)`
            return (bare == kind.text) is (node.op == "==")
    if type(left) is not type(right):
        return unit_mismatch(sink, node.left, left, node.right, right, "compared")
    if node.op not in ("==", "!="):
        return expected_value(sink, node.left, left, "a number or a quantity")
    return (left == right) is (node.op == "==")


def _compare_ends(sink: Sink, node: tree.Compare, left: EvalValue, right: EvalValue, tolerance: EvalValue) -> EvalValue:
    """Return a comparison of intervals: true or false only where it is so for every value in them."""
    one, two = _ends(left), _ends(right)
    if one is None or two is None:
        part, value = (node.left, left) if one is None else (node.right, right)
        return expected_value(sink, part, value, "a number or a quantity")
    (a, b), (c, d) = one, two
    if a.dimension != c.dimension:
        return unit_mismatch(sink, node.left, left, node.right, right, "compared")
    margins = [_margin(sink, node, end, tolerance) for end in (c, d)]
    if any(isinstance(margin, Poison) for margin in margins):
        return POISON
    results = {
        compare_values_of(node.op, x.value, y.value, margin)
        for x in (a, b)
        for y, margin in zip((c, d), margins, strict=True)
        if not isinstance(margin, Poison)
    }
    crossing = node.op in ("==", "!=") and a.value < d.value and c.value < b.value
    if all(value.meet for value in (left, right) if isinstance(value, Interval)) and (crossing or len(results) > 1):
        return node.op in ("==", "<=", ">=")
    if len(results) > 1 or (crossing and results != {node.op == "=="}):
        raise Undecided
    return results.pop()


def _margin(sink: Sink, node: tree.Compare, right: Quantity, tolerance: EvalValue) -> Fraction | Poison:
    """Return how far apart the sides may be. A share is of the right side, `within 3 ns` is absolute."""
    if node.within is None:
        return Fraction(0)
    percent = isinstance(node.within, tree.Quantity) and node.within.unit == "%"
    if is_number(tolerance) and not percent and right.dimension != NUMBER and tolerance.value >= 1:
        share = node.within.span.one_line
        message = f"a tolerance of {share} is {share} times the value"
        help = (f"did you mean `within {share}%`?",)
        sink.error("UB0303", message, node.within.span, "unit missing", help=help)
        return POISON
    if is_number(tolerance) and (percent or right.dimension != NUMBER):
        return abs(right.value) * tolerance.value
    if isinstance(tolerance, Quantity) and tolerance.dimension == right.dimension:
        return tolerance.value
    expected_value(sink, node.within, tolerance, f"a share such as `2%`, or {describe(right)}")
    return POISON


def apply(sink: Sink, node: tree.Call, name: str, items: Sequence[Quantity | Interval]) -> EvalValue:
    """Return the value of a function; of intervals by their ends."""
    intervals = [item for item in items if isinstance(item, Interval)]
    if not intervals:
        return apply_function(sink, node, name, [item for item in items if isinstance(item, Quantity)])
    if name == "log2":
        return expected_value(sink, node.args[0].value, intervals[0], "a single value, not an interval")
    ends = [(item.lower, item.upper) if isinstance(item, Interval) else (item, item) for item in items]
    ends_of_product = _ends_of_product(sink, node, ends) if name == "product" else _ends_of(sink, node, name, ends)
    if ends_of_product is None:
        return POISON
    return Interval(*ends_of_product, all(item.meet for item in intervals), reasons_of(intervals))


Ends = tuple[Quantity, Quantity]


def _ends_of(sink: Sink, node: tree.Call, name: str, ends: Sequence[Ends]) -> Ends | None:
    """Return both bounds of a function that rises with every argument, and of `abs`; None after a diagnostic."""
    low, high = (apply_function(sink, node, name, list(side)) for side in zip(*ends, strict=True))
    if not isinstance(low, Quantity) or not isinstance(high, Quantity):
        return None
    if name == "abs" and ends[0][0].value < 0 < ends[0][1].value:
        return Quantity(Fraction(0), low.dimension), max(low, high, key=lambda end: end.value)
    return (low, high) if low.value <= high.value else (high, low)


def _ends_of_product(sink: Sink, node: tree.Call, ends: Sequence[Ends]) -> Ends | None:
    """Return both bounds of a product, factor by factor; None after a diagnostic."""
    low = high = number(1)
    for pair in ends:
        ends_of_product = [apply_function(sink, node, "product", [x, y]) for x in (low, high) for y in pair]
        corners = sorted((end for end in ends_of_product if isinstance(end, Quantity)), key=lambda end: end.value)
        if len(corners) < len(ends_of_product):
            return None
        low, high = corners[0], corners[-1]
    return low, high


def apply_function(sink: Sink, node: tree.Call, name: str, items: list[Quantity]) -> EvalValue:
    first = items[0]
    if name == "product":
        product = number(1)
        for item in items:
            dimension = units.multiply_dimensions(product.dimension, item.dimension)
            product = Quantity(product.value * item.value, dimension)
            if not fits_limits(product.value):
                break
        return limit_size(sink, node, product)
    if name in ("min", "max", "sum"):
        for item, arg in zip(items[1:], [a.value for a in node.args[1:]] or [node] * len(items), strict=False):
            if item.dimension != first.dimension:
                return unit_mismatch(sink, node.args[0].value, first, arg, item, "compared")
        values = [item.value for item in items]
        if name == "sum":
            return _sum(sink, node, values, first.dimension)
        return Quantity(min(values) if name == "min" else max(values), first.dimension)
    if len(items) != 1:
        sink.error("UB0229", f"`{name}` takes one value", node.span, f"has {len(items)}")
        return POISON
    if name == "abs":
        return Quantity(abs(first.value), first.dimension)
    if first.dimension != NUMBER:
        return expected_value(sink, node.args[0].value, first, "a number")
    if name == "log2":
        if first.value <= 0 or 2 ** (first.value.numerator.bit_length() - 1) != first.value:
            return expected_value(sink, node.args[0].value, first, "a power of two")
        return number(first.value.numerator.bit_length() - 1)
    return number(math.floor(first.value) if name == "floor" else math.ceil(first.value))


def _sum(sink: Sink, node: tree.Call, values: list[Fraction], dimension: units.Dimension) -> EvalValue:
    total = Fraction(0)
    for value in values:
        total += value
        if not fits_limits(total):
            return limit_size(sink, node, Quantity(total, dimension))
    return Quantity(total, dimension)


def _ends(value: EvalValue) -> tuple[Quantity, Quantity] | None:
    """Return both bounds of an interval; of a quantity the same one twice."""
    if isinstance(value, Interval):
        return value.lower, value.upper
    return (value, value) if isinstance(value, Quantity) else None


def compare_values_of(op: str, left: Fraction, right: Fraction, margin: Fraction) -> bool:
    """`left op right`, give or take `margin`."""
    match op:
        case "==":
            return abs(left - right) <= margin
        case "!=":
            return abs(left - right) > margin
        case "<=":
            return left <= right + margin
        case ">=":
            return left >= right - margin
        case "<":
            return left < right + margin
    return left > right - margin
