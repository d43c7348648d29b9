"""The parts of an assembly in tiers, with the bundles between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from unifiedbus_dsl.ir.plan import Child
from unifiedbus_dsl.render.folded.block import DEEPEST, WIDEST, Block, Placed, Scope, shelves
from unifiedbus_dsl.render.folded.exits import with_exits
from unifiedbus_dsl.render.folded.group import Side, group_block
from unifiedbus_dsl.render.folded.lines import around, beneath, fan
from unifiedbus_dsl.render.marks import Box, Mark, moved
from unifiedbus_dsl.render.plan_summary import Bundle, outlets
from unifiedbus_dsl.render.tiers import tiers


def assembly_block(scope: Scope) -> Block:
    """The parts of an assembly in tiers, with the bundles between them."""
    bundles = scope.survey.bundles[scope.assembly.key]
    rows = tiers(scope.plan, scope.assembly, bundles)
    blocks = _blocks(scope, rows)
    both = _both_sides(scope, rows, blocks, bundles)
    if both is not None:
        rows, blocks = both, _blocks(scope, both)
    cross = [bundle for bundle in bundles if not bundle.inner]
    tier_of = {child.name: number for number, row in enumerate(rows) for child in row}
    exits = outlets(scope.plan, scope.assembly) if scope.level == 0 else ()
    placed, height, width = _place(scope, rows, blocks, cross, tier_of)
    marks: list[Mark] = [mark for group in placed.values() for mark in group.block.marks]
    side = width
    pills: list[Box] = []
    for bundle in cross:
        a, b = placed[bundle.left], placed[bundle.right]
        distance = abs(a.tier - b.tier)
        if distance == 1:
            drawn = fan(scope, bundle, a, b, pills)
        elif distance == 0:
            drawn = beneath(scope, bundle, a, b, pills)
        else:
            drawn, side = around(scope, bundle, a, b, width, side, pills)
        marks += drawn
        pills += [mark for mark in drawn if isinstance(mark, Box)]
    block = Block(max(width, side), height, tuple(marks))
    return with_exits(scope, block, placed, exits, len(rows)) if exits else block


def _blocks(scope: Scope, rows: Sequence[Sequence[Child]]) -> dict[str, Block]:
    """The arrays of all tiers, by name."""
    return {
        child.name: group_block(scope, child, _caption_side(number, len(rows)))
        for number, row in enumerate(rows)
        for child in row
    }


def _both_sides(
    scope: Scope, rows: Sequence[Sequence[Child]], blocks: Mapping[str, Block], bundles: Sequence[Bundle]
) -> tuple[tuple[Child, ...], ...] | None:
    """Where what stands above needs more than one shelf, and only meets what stands below: the further shelves go
    below, so that no cables pass over arrays that they have nothing to do with. None where that is not so."""
    if len(rows) != 2:
        return None
    first, *rest = shelves(
        rows[1], [blocks[c.name].width for c in rows[1]], _between(scope), WIDEST[min(scope.level, DEEPEST)]
    )
    upper = {child.name for child in rows[1]}
    if not rest or any({b.left, b.right} <= upper and not b.inner for b in bundles):
        return None
    return tuple(child for shelf in rest for child in shelf), tuple(rows[0]), tuple(first)


def _between(scope: Scope) -> float:
    return 28.0 if scope.level == 0 else 18.0


def _caption_side(tier: int, tiers: int) -> Side:
    if tier == 0:
        return "below"
    return "above" if tier == tiers - 1 else "left"


def _place(
    scope: Scope,
    rows: Sequence[Sequence[Child]],
    blocks: Mapping[str, Block],
    cross: Sequence[Bundle],
    tier_of: Mapping[str, int],
) -> tuple[dict[str, Placed], float, float]:
    """Rows of arrays, the nearest to the NPUs at the bottom, with room between them for lines and labels."""
    between = _between(scope)
    lanes = [
        (number, shelf)
        for number in range(len(rows) - 1, -1, -1)
        for shelf in shelves(rows[number], [blocks[c.name].width for c in rows[number]], between, WIDEST[scope.level])
    ]
    widths = [sum(blocks[c.name].width for c in shelf) + between * (len(shelf) - 1) for _, shelf in lanes]
    width = max(widths, default=0.0)
    placed: dict[str, Placed] = {}
    y = 0.0
    for at, (number, shelf) in enumerate(lanes):
        x = (width - widths[at]) / 2
        tall = max(blocks[child.name].height for child in shelf)
        for child in shelf:
            block = blocks[child.name]
            if scope.level == 0 and len(shelf) == 1:
                block, x = _stretched(block, width), 0.0
            top = y + (tall - block.height if number else 0.0)
            placed[child.name] = Placed(child, number, x, top, block.moved(x, top))
            x += block.width + between
        y += tall
        if at + 1 < len(lanes) and lanes[at + 1][0] == number:
            y += between
        else:
            y += _beneath_room(scope, cross, tier_of, number) + (
                _gutter(scope, cross, tier_of, number) if number else 0
            )
    return placed, y, width


def _stretched(block: Block, width: float) -> Block:
    """The framed array with a wider frame and its cells in the middle."""
    extra = (width - block.width) / 2
    marks: list[Mark] = []
    for mark in block.marks:
        if isinstance(mark, Box) and mark.role == "array":
            marks.append(evolve(mark, width=width))
        else:
            marks += moved([mark], 0.0 if mark.role in ("array-name", "array-note") else extra, 0)
    cells = tuple(cell.moved(extra, 0) for cell in block.cells)
    return evolve(block, width=width, marks=tuple(marks), cells=cells)


def _beneath_room(scope: Scope, cross: Sequence[Bundle], tier_of: Mapping[str, int], tier: int) -> float:
    count = sum(1 for b in cross if tier_of[b.left] == tier_of[b.right] == tier)
    return count * (46.0 if scope.level == 0 else 20.0)


def _gutter(scope: Scope, cross: Sequence[Bundle], tier_of: Mapping[str, int], upper: int) -> float:
    count = sum(1 for b in cross if {tier_of[b.left], tier_of[b.right]} == {upper, upper - 1})
    if scope.level == 0:
        return 96.0 + 44.0 * max(1, count)
    return 34.0 + 20.0 * max(1, count) if scope.level == 1 else 26.0
