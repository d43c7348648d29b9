"""The ports that leave an assembly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from attrs import evolve

from unifiedbus_dsl.ir.plan.index import axes_used, evaluate, open_grid
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.block import WIDEST, Block, Cell, Placed, Scope, pill, pill_size, shelves
from unifiedbus_dsl.render.marks import Line, Mark, Point, moved, polyline, straight
from unifiedbus_dsl.render.plan_summary import LARGEST_GRID, Outlet

_DROP = 104.0
"""From the chips to the parts."""

_STEP = 44.0
"""From one row of chips to the next."""


def with_exits(scope: Scope, block: Block, placed: Mapping[str, Placed], exits: Sequence[Outlet], tiers: int) -> Block:
    """The block with a chip for each exported port array, joined with the parts that have these ports: those of the
    lowest tier below it (if there are others), the others above."""
    down = [outlet for outlet in exits if tiers > 1 and placed[outlet.child].tier == 0]
    above, below = (_rows(row, placed) for row in ([o for o in exits if o not in down], down))
    full = max([block.width, *(_row_width(row) for row in (*above, *below))])
    top, bottom = (_DROP + _STEP * (len(rows) - 1) if rows else 0.0 for rows in (above, below))
    shift = (full - block.width) / 2
    there = {name: group.moved(shift, top) for name, group in placed.items()}
    marks: list[Mark] = list(moved(block.marks, shift, top))
    for number, row in enumerate(above):
        marks += _chips(scope, row, there, full, _STEP * number, tiers)
    for number, row in enumerate(below):
        marks += _chips(scope, row, there, full, top + block.height + _DROP - 34 + _STEP * number, tiers)
    return evolve(block, width=full, height=top + block.height + bottom, marks=tuple(marks))


def _rows(exits: Sequence[Outlet], placed: Mapping[str, Placed]) -> list[list[Outlet]]:
    """Exits in the order of their parts, in rows that are not too wide."""
    order = sorted(exits, key=lambda outlet: (placed[outlet.child].middle, outlet.name))
    return shelves(order, [pill_size(_lines(outlet))[0] for outlet in order], 16.0, WIDEST[0])


def _lines(outlet: Outlet) -> tuple[str, str]:
    return f"port {outlet.name}", outlet.text


def _row_width(row: Sequence[Outlet]) -> float:
    return sum(pill_size(_lines(outlet))[0] for outlet in row) + 16.0 * max(0, len(row) - 1)


def _chips(
    scope: Scope, row: Sequence[Outlet], placed: Mapping[str, Placed], full: float, y: float, tiers: int
) -> list[Mark]:
    """A row of chips whose top is at `y`, as near to their parts as there is room, and their lines."""
    width = _row_width(row)
    centre = sum(placed[outlet.child].middle for outlet in row) / len(row)
    x = max(0.0, min(full - width, centre - width / 2))
    marks: list[Mark] = []
    for number, outlet in enumerate(row):
        room, tall = pill_size(_lines(outlet))
        group = placed[outlet.child]
        marks += pill(
            scope.id("port", outlet.name),
            x + room / 2,
            y + tall / 2,
            _lines(outlet),
            palette.INK,
            tip=_outlet_tip(outlet),
        )
        if y > group.y:
            marks += _straight_lines(scope, outlet, group, (x + room / 2, y), below=True)
        elif group.tier == tiers - 1:
            marks += _straight_lines(scope, outlet, group, (x + room / 2, y + tall), below=False)
        else:
            marks.append(_exit_around(scope, outlet, group, (x + room / 2, y + tall), number))
        x += room + 16
    return marks


def _straight_lines(scope: Scope, outlet: Outlet, group: Placed, chip: Point, below: bool) -> list[Line]:
    cells = [group.block.cells[i] for i in _exporting(outlet, group)]
    return [
        Line(
            scope.id("port", outlet.name, str(i)),
            straight(chip, (cell.middle + _shift(chip[0], cell), cell.y + (cell.height if below else 0.0))),
            colour=palette.QUIET + "aa",
            dashed=cell.gap,
            role="exit",
        )
        for i, cell in enumerate(cells)
    ]


def _exporting(outlet: Outlet, group: Placed) -> list[int]:
    """The cells that have ports of the outlet."""
    ref = outlet.export.ref
    if not ref.at:
        return [0]
    axes = [axis for axis in outlet.export.axes if axis.name in axes_used(ref.at[0])]
    if prod(axis.size for axis in axes) > LARGEST_GRID:
        return list(range(group.block.folding.cells))
    used = np.broadcast_to(evaluate(ref.at[0], open_grid(axes)), [axis.size for axis in axes])
    return sorted(set(group.block.folding.cell(used.ravel()).tolist()))


def _exit_around(scope: Scope, outlet: Outlet, group: Placed, chip: Point, number: int) -> Line:
    """From a tier in the middle around the left side up to the chip."""
    x = -14.0 - 8 * number
    height = group.y + group.block.height / 2
    path = polyline((group.x, height), (x, height), (x, chip[1] + 12), (chip[0], chip[1] + 12), chip)
    return Line(scope.id("port", outlet.name), path, colour=palette.QUIET + "aa", role="exit")


def _shift(chip: float, cell: Cell) -> float:
    """Lines from different chips end side by side."""
    reach = cell.width * 0.3
    return max(-reach, min(reach, (chip - cell.middle) * 0.1))


def _outlet_tip(outlet: Outlet) -> str:
    return f"{outlet.ports:,} ports of {outlet.lanes} lanes {outlet.protocol} leave here, from {outlet.child}"
