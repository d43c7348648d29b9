"""Bundles of cables between arrays, with their labels."""

from __future__ import annotations

from collections.abc import Sequence

from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.block import DEEPEST, Cell, Placed, Scope, pill, pill_size
from unifiedbus_dsl.render.marks import Box, Line, Mark, Point, polyline, straight
from unifiedbus_dsl.render.plan_summary import Bundle, cell_meetings, child_named


def _bundle_lines(scope: Scope, bundle: Bundle) -> tuple[str, ...]:
    if scope.level:
        return (bundle.text.partition(" = ")[0],)
    medium = palette.medium_name(bundle.medium)
    notes = [bundle.link if bundle.link.lower() == medium.lower() else f"{bundle.link} ({medium})"]
    for name in (bundle.left, bundle.right):
        child = child_named(scope.assembly, name)
        if child.count > 1 and bundle.cables % child.count == 0:
            notes.append(f"{bundle.cables // child.count:,} per {name}")
    return (bundle.text, " · ".join(notes))


def fan(scope: Scope, bundle: Bundle, a: Placed, b: Placed, pills: Sequence[Box]) -> list[Mark]:
    """Lines from cell to cell between neighbouring tiers, and the label on them."""
    joined = cell_meetings(bundle, a.block.folding, b.block.folding)
    upper, lower = (a, b) if a.tier > b.tier else (b, a)
    counts: dict[tuple[int, int], int] = {}
    if joined is None:
        counts[0, 0] = bundle.cables
    else:
        table = joined if upper is a else joined.T
        counts = {(int(i), int(k)): int(table[i, k]) for i, k in zip(*table.nonzero(), strict=True)}
    marks: list[Mark] = []
    for (i, k), cables in counts.items():
        up, down = upper.block.cells[i], lower.block.cells[k]
        start = attach(up, k, [other for this, other in counts if this == i], lower.block.cells)
        end = attach(down, i, [other for other, this in counts if this == k], upper.block.cells)
        id = scope.id(upper.child.name, lower.child.name, bundle.link, str(bundle.lanes), f"{i}-{k}")
        marks.append(_fan_line(scope, id, bundle, (up, start), (down, end), cables))
    low = max(cell.y + cell.height for cell in upper.block.cells)
    high = min(cell.y for cell in lower.block.cells)
    lines = _bundle_lines(scope, bundle)
    x, y = _free_spot(lines, ((upper.middle + lower.middle) / 2, (low + high) / 2), pills)
    if scope.level < DEEPEST:
        marks += _bundle_pill(scope, bundle, lines, x, y)
    return marks


def _bundle_pill(scope: Scope, bundle: Bundle, lines: Sequence[str], x: float, y: float) -> list[Mark]:
    id = scope.id("bundle", bundle.left, bundle.right, bundle.link, str(bundle.lanes))
    return pill(id, x, y, lines, bundle.colour, tip=_bundle_tip(bundle))


def _bundle_tip(bundle: Bundle) -> str:
    return f"{bundle.left} – {bundle.right}: {bundle.text} in each direction\nover {bundle.link}, {bundle.lanes} lanes"


def _fan_line(
    scope: Scope, id: str, bundle: Bundle, top: tuple[Cell, float], bottom: tuple[Cell, float], cables: int
) -> Line:
    (up, start), (down, end) = top, bottom
    hidden = up.gap or down.gap
    return Line(
        id,
        straight((start, up.y + up.height), (end, down.y)),
        colour=bundle.colour + ("88" if hidden else "dd"),
        dashed=hidden,
        tip=f"{cables:,} × {bundle.link}",
        rate=float(cables * bundle.rate),
    )


def attach(cell: Cell, towards: int, others: Sequence[int], cells: Sequence[Cell]) -> float:
    """Where on the edge of a cell the line to `towards` ends: all its lines side by side, in the order of their other
    ends."""
    order = sorted(others, key=lambda k: cells[k].middle)
    reach = min(cell.width * 0.36, 150)
    return cell.middle + reach * (2 * (order.index(towards) + 0.5) / len(order) - 1)


def _free_spot(lines: Sequence[str], wish: Point, taken: Sequence[Box]) -> Point:
    """The place nearest to the wish, straight above or below it, where a label covers no other."""
    width, height = pill_size(lines)
    x, y = wish
    for step in range(24):
        for shift in (step * 10.0, -step * 10.0):
            top, left = y + shift - height / 2, x - width / 2
            if not any(
                left < box.x + box.width + 6
                and box.x < left + width + 6
                and top < box.y + box.height + 5
                and box.y < top + height + 5
                for box in taken
            ):
                return x, y + shift
    return wish


def beneath(scope: Scope, bundle: Bundle, a: Placed, b: Placed, pills: Sequence[Box]) -> list[Mark]:
    """Between two arrays of one tier: a line that passes below both."""
    left, right = sorted((a, b), key=lambda group: group.x)
    lines = _bundle_lines(scope, bundle)
    floor = max(g.y + g.block.height for g in (left, right)) + (26 if scope.level == 0 else 12)
    x, y = _free_spot(lines, ((left.middle + right.middle) / 2, floor), pills)
    start, end = (left.middle, left.y + left.block.height), (right.middle, right.y + right.block.height)
    path = polyline(start, (start[0], y), (end[0], y), end)
    return [_trunk(scope, bundle, path), *(_bundle_pill(scope, bundle, lines, x, y) if scope.level < DEEPEST else [])]


def around(
    scope: Scope, bundle: Bundle, a: Placed, b: Placed, width: float, side: float, pills: Sequence[Box]
) -> tuple[list[Mark], float]:
    """Between tiers that are not neighbours: a line around the right side. Also gives the new right edge."""
    upper, lower = (a, b) if a.tier > b.tier else (b, a)
    lines = _bundle_lines(scope, bundle)
    room = pill_size(lines)[0]
    x = side + 20 + (room / 2 if scope.level < DEEPEST else 0)
    start = upper.x + upper.block.width, upper.y + upper.block.height / 2
    end = lower.x + lower.block.width, lower.y + lower.block.height / 2
    path = polyline(start, (x, start[1]), (x, end[1]), end)
    marks: list[Mark] = [_trunk(scope, bundle, path)]
    if scope.level < DEEPEST:
        marks += _bundle_pill(scope, bundle, lines, *_free_spot(lines, (x, (start[1] + end[1]) / 2), pills))
    return marks, x + (room / 2 if scope.level < DEEPEST else 0)


def _trunk(scope: Scope, bundle: Bundle, path: tuple[Point, ...]) -> Line:
    return Line(
        scope.id("trunk", bundle.left, bundle.right, bundle.link, str(bundle.lanes)),
        path,
        colour=bundle.colour,
        tip=_bundle_tip(bundle),
        rate=float(bundle.total),
    )
