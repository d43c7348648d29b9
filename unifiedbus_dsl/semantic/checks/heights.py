"""Parts of a rack must fit its height, and not be where others are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.ir.plan.elevation import (
    SIDES,
    Mounted,
    Side,
    height_of,
    mounted,
    racks_with_height,
    sides_of,
    units_text,
)
from unifiedbus_dsl.ir.plan.labels import groups_of
from unifiedbus_dsl.semantic.checks.coincidence import subscript_text


def heights(plan: Plan, sink: Sink) -> None:
    """UB0527 where a part of a rack reaches out of it, where two overlap, or where all together are too high."""
    for key in racks_with_height(plan):
        rack, room = plan.assemblies[key], height_of(plan, key)
        if room is None:
            continue
        parts = list(mounted(plan, rack))
        wrong = next(_mistakes(parts, room), None)
        if wrong is not None:
            message, part, label = wrong
            _say(sink, rack, message, _placed_at(rack, part), label)
        else:
            _total(plan, rack, room, parts, sink)


def _mistakes(parts: Sequence[Mounted], room: Fraction) -> Iterator[tuple[str, Mounted, str]]:
    """Yield what is wrong with the places of some parts, with the part and a label."""
    for part in parts:
        if part.low < 0 or part.high > room:
            where = f"from {units_text(part.low)} to {units_text(part.high)}"
            yield f"`{_name(part)}` reaches out of a rack of {units_text(room)}", part, f"it would be {where}"
    for side in SIDES:
        seen = sorted((p for p in parts if side in p.sides), key=lambda p: (p.x, p.low))
        for _, column in groupby(seen, key=lambda p: p.x):
            highest: Mounted | None = None
            for part in column:
                if highest is not None and part.low < highest.high:
                    both = f"`{_name(highest)}` and `{_name(part)}` are in one place of the rack"
                    yield both, part, f"`{_name(highest)}` ends at {units_text(highest.high)}"
                highest = part if highest is None or part.high > highest.high else highest


def _total(plan: Plan, rack: AssemblyType, room: Fraction, parts: Sequence[Mounted], sink: Sink) -> None:
    """Complain where the parts of a side, with those of no place, are higher than the rack."""
    placed = {each.child for each in rack.elevation_places}
    loose = [(c, height_of(plan, c.type)) for c in rack.children if c.name not in placed]
    for side in SIDES:
        more = sum((c.count * h for c, h in loose if h is not None and side in sides_of(plan, c.type)), Fraction(0))
        taken = _covered(parts, side) + more
        if more and taken > room:
            message = f"the parts of a rack of {units_text(room)} need {units_text(taken)} of its {side}"
            _say(sink, rack, message, rack.span, "too much for its height")
            return


def _covered(parts: Sequence[Mounted], side: Side) -> Fraction:
    """Return how much of the height of a side some parts take; those beside each other count once."""
    total, end = Fraction(0), Fraction(0)
    for part in sorted((p for p in parts if side in p.sides), key=lambda p: p.low):
        total += max(Fraction(0), part.high - max(end, part.low))
        end = max(end, part.high)
    return total


def _say(sink: Sink, rack: AssemblyType, message: str, span: Span | None, label: str) -> None:
    sink.error(
        "UB0527",
        message,
        span,
        label,
        notes=(f"in rack `{rack.key}`; what states no `face` takes both sides",),
        help=(
            "correct the `height` of the part or of the rack, or the place: `at(origin = [0 m, 10 U])` is above 10 U",
        ),
    )


def _placed_at(rack: AssemblyType, part: Mounted) -> Span | None:
    return next(each.span for each in rack.elevation_places if each.child == part.child.name)


def _name(part: Mounted) -> str:
    return part.child.text_name + subscript_text(groups_of(part.child), part.element)
