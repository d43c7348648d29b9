"""The designs that an `explore` block spans: what is varied, over which values, and how its lines are read.

A design has a level on each axis, and a number: the levels are the digits of a mixed radix, the last axis the lowest.
The levels of numbers and quantities ascend, those of types stand as they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import NUMBER, Dimension, Quantity, decimal_text, dimension_symbol, parse_unit
from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.names.settings import can_set, settable_names, words_for
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import EvalValue, Poison, TypeValue, describe, same_sort
from unifiedbus_dsl.syntax import tree

MAX_LISTED = 100_000
"""Levels of an axis that are written one by one, or left after `except`."""
SEED = "seed"
"""The `let` of a block that random draws take."""

Levels: TypeAlias = tuple[int, ...]
"""A design: its level on each axis."""


@frozen(eq=False)
class Steps:
    """`count` quantities from `low`, `step` apart, written in a unit."""

    low: Fraction
    step: Fraction
    count: int
    unit: str
    factor: Fraction
    dimension: Dimension

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, level: int) -> str:
        value = (self.low + level * self.step) / self.factor
        number = decimal_text(value)
        if number is not None:
            return f"{number} {self.unit}".rstrip()
        fraction = f"{value.numerator}/{value.denominator}"
        return f"{fraction} * 1 {self.unit}" if self.unit else fraction


@frozen(eq=False)
class Axis:
    """What is varied: a name as after `--set`, and the text of each value. `ordered` says that they ascend."""

    name: str
    values: Steps | tuple[str, ...]
    ordered: bool

    @property
    def count(self) -> int:
        return len(self.values)


@frozen(eq=False)
class DesignSpace:
    """All designs."""

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        return prod(axis.count for axis in self.axes)

    def levels(self, number: int) -> Levels:
        """Return the design of a number, from 0."""
        digits = []
        for axis in reversed(self.axes):
            number, digit = divmod(number, axis.count)
            digits.append(digit)
        return tuple(reversed(digits))

    def number(self, levels: Levels) -> int:
        """Return the number of a design, from 0."""
        number = 0
        for axis, level in zip(self.axes, levels, strict=True):
            number = number * axis.count + level
        return number

    def settings(self, levels: Levels) -> dict[str, str]:
        """Return what makes the design, as `--set` takes it."""
        return {axis.name: axis.values[level] for axis, level in zip(self.axes, levels, strict=True)}


@frozen(eq=False)
class Trends:
    """How a value is stated to follow each axis: 1 where it never falls as the axis ascends, -1 where it never rises, 0
    where nothing is stated."""

    ways: tuple[int, ...]

    @property
    def stated(self) -> bool:
        return any(self.ways)

    @property
    def reversed(self) -> Trends:
        """How the negative of the value follows each axis."""
        return Trends(tuple(-way for way in self.ways))


# ---- reading --------------------------------------------------------------------------------------------------------


def read_space(items: Iterable[tree.Statement], where: Span, model: Model, evaluator: Evaluator) -> DesignSpace | None:
    """Return the designs of the `vary` lines of a block; None after a diagnostic."""
    sink = evaluator.sink
    lines = [item for item in items if isinstance(item, tree.Vary)]
    if not lines:
        help = ("add a line such as `vary racks in [16, 32, 64]`",)
        sink.error("UB0720", "this block varies nothing", where, "no `vary` in it", help=help)
        return None
    axes: dict[str, Axis | None] = {}
    for line in lines:
        if line.name in axes:
            help = ("put all its values into one line",)
            sink.error("UB0720", f"`{line.name}` is varied twice", _span(line.path), "varied again here", help=help)
            axes[line.name] = None
            continue
        there = evolve(evaluator, words=words_for(model, line.path))
        axes[line.name] = _axis(line, there) if _settable(line, model, sink) else None
    whole = tuple(axis for axis in axes.values() if axis is not None)
    return DesignSpace(whole) if len(whole) == len(axes) else None


def read_trends(trends: Sequence[tree.Trend], space: DesignSpace, sink: Sink) -> Trends | None:
    """Return how a value is stated to follow the axes; None after a diagnostic."""
    names = [axis.name for axis in space.axes]
    ways = [0] * len(names)
    good = True
    for trend in trends:
        for written in trend.names:
            name = written.text
            if name not in names:
                guess = did_you_mean(name, names)
                help = f"did you mean `{guess}`?" if guess else f"varied here: {', '.join(names)}"
                message = f"`{name}` is not varied in this block"
                sink.error("UB0720", message, written.span, "no `vary` of it", help=(help,))
                good = False
            elif not space.axes[names.index(name)].ordered:
                message = f"the values of `{name}` have no order that anything could follow"
                sink.error("UB0720", message, written.span, "no numbers", help=("leave it out",))
                good = False
            elif ways[names.index(name)]:
                message = f"how it follows `{name}` is stated twice"
                sink.error("UB0720", message, written.span, "again here", help=("leave one of them out",))
                good = False
            else:
                ways[names.index(name)] = 1 if trend.increasing else -1
    return Trends(tuple(ways)) if good else None


def read_sample(items: Iterable[tree.Statement], lets: Mapping[str, EvalValue], sink: Sink) -> int | None:
    """Return how many designs are drawn, 0 where no line says so; None after a diagnostic."""
    lines = [item for item in items if isinstance(item, tree.Sample)]
    if not lines:
        return 0
    if len(lines) > 1:
        sink.error("UB0720", "`sample` stands twice", lines[1].span, "again here", help=("leave one of them out",))
        return None
    count = lines[0].count
    value = count.value if isinstance(count, tree.Number) else Fraction(0)
    if value.denominator != 1 or value < 1:
        message = "how many designs are drawn is a whole number from 1"
        sink.error("UB0720", message, count.span, "here", help=("write `sample 400`",))
        return None
    if SEED not in lets:
        message = "designs are drawn at random, and this block has no seed"
        help = ("add `let seed = 7`, so that the same ones are drawn every time",)
        sink.error("UB0703", message, lines[0].span, "which ones?", help=help)
        return None
    if read_seed(lets) is None:
        message = "a seed is a whole number from 0"
        sink.error("UB0720", message, lines[0].span, "drawn with it", help=("write `let seed = 7`",))
        return None
    return int(value)


def read_seed(lets: Mapping[str, EvalValue]) -> int | None:
    """Return the seed of a block; None where it has none, or none that can be one."""
    value = lets.get(SEED)
    whole = isinstance(value, Quantity) and value.dimension == NUMBER and value.is_integer and value.value >= 0
    return int(value.value) if whole and isinstance(value, Quantity) else None


def _span(words: Sequence[tree.Word]) -> Span:
    return words[0].span.to(words[-1].span)


def _settable(line: tree.Vary, model: Model, sink: Sink) -> bool:
    """Return whether a line varies something that `--set` can set; else say so."""
    if can_set(model, line.path):
        return True
    if {line.path[0].text, "*"} & model.main.damaged_words:
        return False
    names, before, word = settable_names(model, line.path)
    guess = did_you_mean(word.text, names)
    known = ", ".join(f"`{before}{name}`" for name in names[:8]) or "nothing"
    help = f"did you mean `{before}{guess}`?" if guess else f"what can be varied: {known}"
    message = f"`{line.name}` can't be varied: there is nothing of this name that `--set` could set"
    sink.error("UB0620", message, _span(line.path), "finds nothing", help=(help,), fix=rename(word.span, guess))
    return False


# ---- values ---------------------------------------------------------------------------------------------------------

Level: TypeAlias = tuple[EvalValue, str, Span]
"""A value, as `--set` takes it, and where it is written."""


def _wrong(message: str, span: Span, sink: Sink, *help: str) -> None:
    sink.error("UB0621", message, span, "here", help=help)


def _axis(line: tree.Vary, evaluator: Evaluator) -> Axis | None:
    """Return the axis of a line; None after a diagnostic."""
    if isinstance(line.values, tree.Range):
        steps = _steps(line.values, evaluator)
        if steps is None:
            return None
        if line.values.gap is None:
            return Axis(line.name, steps, True)
        return _listed(line.name, _without_gap(steps, line.values, evaluator), line.values.span, evaluator.sink)
    if not isinstance(line.values, tree.ListExpr | tree.Slab):
        text = line.values.span.one_line
        help = f"a range, `1..8` or `32..128 step 32`, or a list, `[{text}]`"
        _wrong("values to try are a range or a list", line.values.span, evaluator.sink, help)
        return None
    levels: list[Level] = []
    for item in line.values.items:
        more = _levels(item, evaluator)
        if more is None:
            return None
        levels += more
    return _listed(line.name, levels, line.values.span, evaluator.sink)


def _levels(item: tree.Subscript, evaluator: Evaluator) -> list[Level] | None:
    """Return the values of an item of a list; None after a diagnostic."""
    if isinstance(item, tree.Range):
        steps = _steps(item, evaluator)
        return None if steps is None else _without_gap(steps, item, evaluator)
    if isinstance(item, tree.Star):
        _wrong("`*` is no value", item.span, evaluator.sink, "write the values, or a range")
        return None
    value = evaluator.eval(item)
    if isinstance(value, Poison):
        return None
    if not isinstance(value, Quantity | TypeValue | bool | str):
        _wrong(f"{describe(value)} can't be tried", item.span, evaluator.sink, "try numbers, quantities or types")
        return None
    return [(value, item.span.one_line, item.span)]


def _listed(name: str, levels: list[Level] | None, span: Span, sink: Sink) -> Axis | None:
    """Return the axis of these values; None after a diagnostic."""
    if levels is None:
        return None
    if not levels:
        _wrong("there is no value to try", span, sink, "write some: `[16, 32, 64]`")
        return None
    first, seen = levels[0][0], list[EvalValue]()
    numbers: set[Fraction] = set()
    for value, text, place in levels:
        if not same_sort(value, first):
            message = (
                f"values to try are of one sort: `{levels[0][1]}` is {describe(first)}, `{text}` {describe(value)}"
            )
            _wrong(message, place, sink, "vary each sort in a block of its own")
            return None
        if value.value in numbers if isinstance(value, Quantity) else value in seen:
            _wrong(f"`{text}` is there twice", place, sink, "leave it out here")
            return None
        numbers.add(value.value) if isinstance(value, Quantity) else seen.append(value)
    if isinstance(first, Quantity):
        levels = sorted(levels, key=_number)
    return Axis(name, tuple(text for _, text, _ in levels), isinstance(first, Quantity))


def _number(level: Level) -> Fraction:
    assert isinstance(level[0], Quantity)
    return level[0].value


def _steps(node: tree.Range, evaluator: Evaluator) -> Steps | None:
    """Return the values of a range; None after a diagnostic."""
    sink = evaluator.sink
    if node.high is None:
        _wrong("values to try have an end", node.span, sink, "write the last one: `16..64`")
        return None
    parts = [evaluator.eval(each) for each in (node.low, node.high, *((node.step,) if node.step is not None else ()))]
    if any(isinstance(part, Poison) for part in parts):
        return None
    quantities = [part for part in parts if isinstance(part, Quantity)]
    if len(quantities) < len(parts) or len({part.dimension for part in quantities}) > 1:
        said = " and ".join(dict.fromkeys(map(describe, parts)))
        _wrong(f"a range is of numbers or quantities of one sort, not of {said}", node.span, sink)
        return None
    low, high = quantities[0], quantities[1]
    if node.step is None and low.dimension != NUMBER:
        _wrong("a range of quantities has a step", node.span, sink, f"write `{node.span.one_line} step …`")
        return None
    step = quantities[2].value if len(quantities) > 2 else Fraction(1)
    if step <= 0:
        _wrong("the step of a range is more than zero", node.span, sink)
        return None
    many = (high.value - low.value) / step
    count = int(many // 1) + 1 if node.inclusive else -int(-many // 1)
    if count < 1:
        _wrong("there is no value in this range", node.span, sink, "it ascends: the smaller end stands first")
        return None
    unit, factor = _unit(node, low)
    return Steps(low.value, step, count, unit, factor, low.dimension)


def _unit(node: tree.Range, low: Quantity) -> tuple[str, Fraction]:
    """Return the unit that the values of a range are written in: that of its first end, else the base units."""
    for part in (node.low, node.step, node.high):
        if isinstance(part, tree.Quantity):
            return (
                (f"{part.unit} bidir", parse_unit(part.unit)[0] / 2)
                if part.bidir
                else (part.unit, parse_unit(part.unit)[0])
            )
    return ("", Fraction(1)) if low.dimension == NUMBER else (dimension_symbol(low.dimension), Fraction(1))


def _without_gap(steps: Steps, node: tree.Range, evaluator: Evaluator) -> list[Level] | None:
    """Return the values of a range one by one, without those behind `except`; None after a diagnostic."""
    if steps.count > MAX_LISTED:
        _wrong(f"this range has more than {MAX_LISTED:,} values", node.span, evaluator.sink, "take a larger step")
        return None
    gap = _gap(node.gap, evaluator) if node.gap is not None else ()
    if gap is None:
        return None
    values = [(steps.low + k * steps.step, steps[k]) for k in range(steps.count)]
    return [
        (Quantity(value, steps.dimension), text, node.span)
        for value, text in values
        if not any(low.value <= value <= high and not (value == high and not closed) for low, high, closed in gap)
    ]


def _gap(node: tree.Expr | tree.Range, evaluator: Evaluator) -> list[tuple[Quantity, Fraction, bool]] | None:
    """Return what is left out, as first and last value and whether the last is left out too; None after a
    diagnostic."""
    parts = node.items if isinstance(node, tree.ListExpr | tree.Slab) else (node,)
    result = []
    for part in parts:
        if isinstance(part, tree.Star):
            _wrong("`*` is no value", part.span, evaluator.sink)
            return None
        low = evaluator.eval(part.low if isinstance(part, tree.Range) else part)
        high = evaluator.eval(part.high) if isinstance(part, tree.Range) and part.high is not None else low
        if isinstance(low, Poison) or isinstance(high, Poison):
            return None
        if not (isinstance(low, Quantity) and isinstance(high, Quantity)):
            _wrong("what is left out is a number or a range", node.span, evaluator.sink)
            return None
        result.append((low, high.value, not isinstance(part, tree.Range) or part.inclusive))
    return result
