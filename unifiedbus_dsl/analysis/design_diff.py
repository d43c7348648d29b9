"""What changed between two designs: parts and cables by type with their counts, and the key figures.

Takes the plans, so it costs what the texts cost. Hops and bisection are asked of the solver where both machines are
small enough for an answer in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isfinite
from typing import Any

from attrs import frozen

from unifiedbus_dsl.analysis.report.summary import Summary, summarize
from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity, dimension_symbol, format_quantity
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures.answers import Answer

MOST_DEVICES = 20_000
"""Devices up to which hops and bisection are worked out."""
_ROUNDING = 1e-9
"""Relative."""


@frozen
class Count:
    """How many there are of a type of part, or of a link of a width, before and after."""

    noun: str
    name: str
    before: int
    after: int


@frozen
class Figure:
    """A key figure before and after; None where a machine has none. SI base units."""

    name: str
    before: Quantity | None
    after: Quantity | None

    @property
    def unit(self) -> str:
        """`B/s`, `m`, … of either side; empty for bare numbers."""
        known = self.before or self.after
        return "" if known is None or known.dimension == units.NUMBER else dimension_symbol(known.dimension)

    @property
    def same(self) -> bool:
        if self.before is None or self.after is None:
            return self.before is self.after
        a, b = float(self.before), float(self.after)
        return self.before.dimension == self.after.dimension and abs(a - b) <= _ROUNDING * max(abs(a), abs(b))


@frozen
class Changes:
    """Counts and figures of two designs; those that are the same on both sides are here too."""

    parts: tuple[Count, ...]
    cables: tuple[Count, ...]
    figures: tuple[Figure, ...]

    def __bool__(self) -> bool:
        return any(row.before != row.after for row in (*self.parts, *self.cables)) or any(
            not figure.same for figure in self.figures
        )

    def text(self) -> str:
        """Return what changed, for people; empty where nothing did."""
        rows = [
            (f"{row.noun} {row.name}", f"{row.before:,}", f"{row.after:,}", _step(row.before, row.after))
            for row in (*self.parts, *self.cables)
            if row.before != row.after
        ]
        rows += [
            (figure.name, _shown(figure.before), _shown(figure.after), _part(figure))
            for figure in self.figures
            if not figure.same
        ]
        if not rows:
            return ""
        table = [("", "before", "after", ""), *rows]
        widths = [max(len(row[column]) for row in table) for column in range(4)]
        return "".join(
            f"{name:<{widths[0]}}  {a:>{widths[1]}}  {b:>{widths[2]}}  {step}".rstrip() + "\n"
            for name, a, b, step in table
        )

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON: everything, the unchanged too; figures in SI base units."""
        return {
            "parts": [{"kind": r.noun, "type": r.name, "before": r.before, "after": r.after} for r in self.parts],
            "cables": [{"link": r.name, "before": r.before, "after": r.after} for r in self.cables],
            "figures": [
                {"name": f.name, "unit": f.unit, "before": _number(f.before), "after": _number(f.after)}
                for f in self.figures
            ],
        }


def design_changes(
    before: Compilation,
    after: Compilation,
    old: str | None = None,
    new: str | None = None,
    *,
    solve: bool = True,
    budget: float | None = None,
) -> Changes:
    """Return the changes from one compiled design to another; `old` and `new` name their systems, by default the first.

    Without `solve`, hops and bisection are left out. `budget` is how many seconds those of one design may take. Of
    two equal designs they are worked out once.

    Raises:
        CompilationFailed: a text has errors, or no system.
        KeyError: no system of that name.
    """
    plans = before.pick(old), after.pick(new)
    one, two = (summarize(plan) for plan in plans)
    figures = [dict(_figures(summary)) for summary in (one, two)]
    if solve and all(plan.device_count[plan.root] <= MOST_DEVICES for plan in plans):
        answers = [list(_solved(before, plans[0], budget))]
        answers.append(answers[0] if plans[0] == plans[1] else list(_solved(after, plans[1], budget)))
        figures = [known | more for known, more in zip(figures, _proved(answers), strict=True)]
    return Changes(
        tuple(_counts([{(p.level, p.type): p.count + p.spares for p in s.parts} for s in (one, two)])),
        tuple(_counts([dict(_cables(summary)) for summary in (one, two)])),
        tuple(
            Figure(name, figures[0].get(name), figures[1].get(name))
            for name in dict.fromkeys([*figures[0], *figures[1]])
        ),
    )


def _counts(sides: list[dict[tuple[str, str], int]]) -> Iterator[Count]:
    for noun, name in dict.fromkeys([*sides[0], *sides[1]]):
        yield Count(noun, name, sides[0].get((noun, name), 0), sides[1].get((noun, name), 0))


def _cables(of: Summary) -> Iterator[tuple[tuple[str, str], int]]:
    yield from ((("cable", f"{row.link} x{row.width}"), row.cables + row.spares) for row in of.cables)


def _figures(of: Summary) -> Iterator[tuple[str, Quantity]]:
    yield "end points", _count(sum(end.count for end in of.end_points))
    yield "cables", _count(sum(row.cables for row in of.cables))
    if of.cables and all(row.length is not None for row in of.cables):
        yield (
            "length of all cables",
            Quantity(sum((row.length or Fraction(0) for row in of.cables), Fraction(0)), units.LENGTH),
        )
    if len({end.rate for end in of.end_points}) == 1:
        yield "bandwidth of an end point, each direction", Quantity(of.end_points[0].rate, units.RATE)
    total = sum((end.total_rate for end in of.end_points), Fraction(0))
    yield "bandwidth of all end points, each direction", Quantity(total, units.RATE)
    levels: dict[str, Fraction] = {}
    for tier in of.tiers:
        name = f"bandwidth of the cables at the level {tier.level}, each direction"
        levels[name] = levels.get(name, Fraction(0)) + tier.rate
    yield from ((name, Quantity(rate, units.RATE)) for name, rate in levels.items())
    for each in of.totals:
        yield f"{each.name}, all together", each.value
        if each.spares.value:
            yield f"{each.name} of spares, beside that", each.spares


def _solved(compilation: Compilation, plan: Plan, budget: float | None) -> Iterator[Answer]:
    """Yield hops and bisection, where this machine has them."""
    from unifiedbus_dsl.analysis.run import ask

    ends = f"all {end_kind(plan)}"
    report = ask(compilation, plan.system, f"diameter({ends}); mean_hops({ends}); bisection({ends})", budget=budget)
    return (answer for answer in report.answers if isfinite(answer.value))


def _proved(sides: list[list[Answer]]) -> Iterator[dict[str, Quantity]]:
    """Return answers as figures: both bounds of those that are an interval on either side."""
    between = {answer.label for side in sides for answer in side if answer.kind == "interval"}
    for side in sides:
        proved: dict[str, Quantity] = {}
        for answer in side:
            if answer.label in between:
                proved[f"{answer.label}, at least"] = Quantity(Fraction(answer.lower), answer.dimension)
                proved[f"{answer.label}, at most"] = Quantity(Fraction(answer.upper), answer.dimension)
            else:
                proved[answer.label] = Quantity(Fraction(answer.value), answer.dimension)
        yield proved


def _count(number: int) -> Quantity:
    return Quantity(Fraction(number))


def _number(value: Quantity | None) -> float | None:
    return None if value is None else float(value)


def _shown(value: Quantity | None) -> str:
    return "none" if value is None else format_quantity(value)


def _step(before: int, after: int) -> str:
    return f"{after - before:+,}"


def _part(figure: Figure) -> str:
    if figure.before is None or figure.after is None or not float(figure.before):
        return ""
    return f"{(float(figure.after) / float(figure.before) - 1) * 100:+.3g} %"
