"""The parts of an assembly on shelves, with the bundles between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from unifiedbus_dsl.ir.plan import Child
from unifiedbus_dsl.render.folded.block import DEEPEST, WIDEST, Block, Placed, Scope, Shelf, shelves
from unifiedbus_dsl.render.folded.exits import with_exits
from unifiedbus_dsl.render.folded.group import group_block
from unifiedbus_dsl.render.folded.lines import bundle_marks
from unifiedbus_dsl.render.folded.order import leaving_of, ordered, ways_of
from unifiedbus_dsl.render.folded.terminals import terminals
from unifiedbus_dsl.render.marks import Box, Mark, moved
from unifiedbus_dsl.render.plan_summary import Bundle, outlets
from unifiedbus_dsl.render.sheet import bounds
from unifiedbus_dsl.render.tiers import tiers

Rows = Sequence[Sequence[Child]]

_BESIDE = 400.0
"""Room on the right of the outermost arrays for cables that pass them."""


def assembly_block(scope: Scope) -> Block:
    """Return the parts of an assembly on shelves, those near the NPUs below, with the bundles between them."""
    bundles = scope.survey.bundles[scope.assembly.key]
    exits = outlets(scope.plan, scope.assembly) if scope.level == 0 else ()
    rows: Rows = list(reversed(tiers(scope.plan, scope.assembly, bundles)))
    lowest = {child.name for child in rows[-1]} if len(rows) > 1 else set[str]()
    leaving = leaving_of(exits, lowest) if exits else scope.leaving
    if scope.level:
        rows = ordered(scope.assembly, rows, bundles, leaving)
    scope, blocks = _drawn(evolve(scope, leaving=leaving), rows, bundles)
    both = _both_sides(scope, rows, blocks, bundles)
    if both is not None:
        rows = both
        scope, blocks = _drawn(scope, rows, bundles)
    cross = [bundle for bundle in bundles if not bundle.inner]
    lanes, height, width = _place(scope, rows, blocks, cross)
    marks: list[Mark] = [mark for lane in lanes for group in lane.groups for mark in group.block.marks]
    marks += bundle_marks(scope, lanes, cross)
    right = max(width, bounds(marks)[2]) if marks else width
    block = Block(right, height, tuple(marks), shelves=lanes)
    return with_exits(scope, block, exits, lowest) if exits else block


def _drawn(scope: Scope, rows: Rows, bundles: Sequence[Bundle]) -> tuple[Scope, dict[str, Block]]:
    """Return the arrays by name, in a scope that knows where their cables go."""
    cross = [bundle for bundle in bundles if not bundle.inner]
    ways, across = (ways_of(scope.assembly, rows, some, scope.leaving) for some in (bundles, cross))
    within = evolve(scope, ways=ways, across=across)
    return within, {child.name: group_block(within, child) for row in rows for child in row}


def _both_sides(
    scope: Scope, rows: Rows, blocks: Mapping[str, Block], bundles: Sequence[Bundle]
) -> list[Sequence[Child]] | None:
    """Where what stands above needs more than one shelf, and only meets what stands below: the further shelves go
    below, so that no cables pass arrays that they have nothing to do with. None where that is not so."""
    if len(rows) != 2:
        return None
    first, *rest = _shelved(scope, rows[0], blocks)
    upper = {child.name for child in rows[0]}
    if not rest or any({b.left, b.right} <= upper and not b.inner for b in bundles):
        return None
    return [first, rows[1], [child for shelf in rest for child in shelf]]


def _shelved(scope: Scope, row: Sequence[Child], blocks: Mapping[str, Block]) -> list[list[Child]]:
    widths = [blocks[child.name].width for child in row]
    return shelves(row, widths, _between(scope), WIDEST[min(scope.level, DEEPEST)])


def _between(scope: Scope) -> float:
    return 28.0 if scope.level == 0 else 18.0


def _place(
    scope: Scope, rows: Rows, blocks: Mapping[str, Block], cross: Sequence[Bundle]
) -> tuple[tuple[Shelf, ...], float, float]:
    """Shelves of arrays with room between them for lines and labels."""
    between = _between(scope)
    lanes = [shelf for row in rows for shelf in _shelved(scope, row, blocks)]
    lane_of = {child.name: number for number, lane in enumerate(lanes) for child in lane}
    widths = [sum(blocks[c.name].width for c in lane) + between * (len(lane) - 1) for lane in lanes]
    passing = 4.0 * _passing(scope, lanes, lane_of, blocks, cross)
    width = max(widths, default=0.0) + (passing if scope.level else 0.0)
    made: list[Shelf] = []
    y = 0.0
    for at, lane in enumerate(lanes):
        x = (width - widths[at]) / 2
        tall = max(blocks[child.name].height for child in lane)
        groups = []
        for child in lane:
            block = blocks[child.name]
            if scope.level == 0 and len(lane) == 1:
                block, x = _stretched(block, width), 0.0
            top = y + (tall - block.height if at + 1 < len(lanes) else 0.0)
            groups.append(Placed(child, at, x, top, block.moved(x, top)))
            x += block.width + between
        made.append(Shelf(y, y + tall, width + (_BESIDE if scope.level == 0 else 0.0), tuple(groups)))
        y += tall + _beneath_room(scope, cross, lane_of, at)
        if at + 1 < len(lanes):
            y += _gutter(scope, cross, lane_of, at)
    return tuple(made), y, width


def _passing(
    scope: Scope,
    lanes: Sequence[Sequence[Child]],
    lane_of: Mapping[str, int],
    blocks: Mapping[str, Block],
    cross: Sequence[Bundle],
) -> int:
    """At most how many lines pass beside an array."""
    boxes = {name: len(terminals((Shelf(0, 0, 0, (Placed(c, 0, 0, 0, blocks[name]),)),))) for name, c in _named(lanes)}
    far = sum(max(boxes[b.left], boxes[b.right]) for b in cross if abs(lane_of[b.left] - lane_of[b.right]) > 1)
    last = len(lanes) - 1
    out = sum(
        boxes[name]
        for name, ways in scope.ways.items()
        if ("up" in _outside(scope, name) and lane_of[name] > 0)
        or ("down" in _outside(scope, name) and lane_of[name] < last)
    )
    return far + out


def _named(lanes: Sequence[Sequence[Child]]) -> list[tuple[str, Child]]:
    return [(child.name, child) for lane in lanes for child in lane]


def _outside(scope: Scope, name: str) -> set[str]:
    """Where cables of an array go that leave the assembly."""
    return {
        way for e in scope.assembly.exports if e.ref.child == name for way in scope.leaving.get(e.name, frozenset())
    }


def _stretched(block: Block, width: float) -> Block:
    """Return the framed array with a wider frame and its cells in the middle."""
    extra = (width - block.width) / 2
    marks: list[Mark] = []
    for mark in block.marks:
        if isinstance(mark, Box) and mark.role == "array":
            marks.append(evolve(mark, width=width))
        else:
            marks += moved([mark], 0.0 if mark.role in ("array-name", "array-note") else extra, 0)
    cells = tuple(cell.moved(extra, 0) for cell in block.cells)
    return evolve(block, width=width, marks=tuple(marks), cells=cells)


def _beneath_room(scope: Scope, cross: Sequence[Bundle], lane_of: Mapping[str, int], lane: int) -> float:
    count = sum(1 for b in cross if lane_of[b.left] == lane_of[b.right] == lane)
    return count * (52.0 if scope.level == 0 else 34.0)


def _gutter(scope: Scope, cross: Sequence[Bundle], lane_of: Mapping[str, int], upper: int) -> float:
    """Room between a shelf and the next."""
    count = sum(1 for b in cross if {lane_of[b.left], lane_of[b.right]} == {upper, upper + 1})
    if scope.level == 0:
        return 96.0 + 44.0 * max(1, count)
    return 34.0 + 20.0 * max(1, count) if scope.level == 1 else 26.0
