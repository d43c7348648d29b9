"""The ports that leave an assembly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.ir.plan.labels import called
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.block import WIDEST, Block, Cell, Scope, Shelf, Way, pill, pill_size, shelves
from unifiedbus_dsl.render.folded.routes import Channels, beyond, edge, out_of, passed, whole
from unifiedbus_dsl.render.folded.terminals import Terminal, terminals
from unifiedbus_dsl.render.marks import Line, Mark, Point, polyline
from unifiedbus_dsl.render.plan_summary import LARGEST_GRID, Outlet
from unifiedbus_dsl.render.sheet import bounds

_DROP = 104.0
"""From the chips to the parts."""

_STEP = 44.0
"""From one row of chips to the next."""


def with_exits(scope: Scope, block: Block, exits: Sequence[Outlet], lowest: Collection[str]) -> Block:
    """Return the block with a chip for each exported port array, joined with the boxes that have these ports: those of
    `lowest` arrays below it, the others above."""
    middles = {group.child.name: group.middle for shelf in block.shelves for group in shelf.groups}
    down = [outlet for outlet in exits if outlet.child in lowest]
    above, below = (_rows(row, middles) for row in ([o for o in exits if o not in down], down))
    full = max([block.width, *(_row_width(row) for row in (*above, *below))])
    top, bottom = (_DROP + _STEP * (len(rows) - 1) if rows else 0.0 for rows in (above, below))
    there = block.moved((full - block.width) / 2, top)
    low = top + block.height + _DROP - 34
    rows: list[tuple[Way, Sequence[Outlet], float]] = [("up", row, _STEP * i) for i, row in enumerate(above)]
    rows += [("down", row, low + _STEP * i) for i, row in enumerate(below)]
    chips = [chip for way, row, y in rows for chip in _chips(row, there, full, y, way)]
    marks = [*there.marks, *(mark for chip in chips for mark in _drawn(scope, chip)), *_lines(scope, there, chips)]
    width = max(full, bounds(marks)[2])
    return evolve(there, width=width, height=top + block.height + bottom, marks=tuple(marks))


def _rows(exits: Sequence[Outlet], middles: Mapping[str, float]) -> list[list[Outlet]]:
    """Exits in the order of their parts, in rows that are not too wide."""
    order = sorted(exits, key=lambda outlet: (middles[outlet.child], outlet.name))
    return shelves(order, [pill_size(_texts(outlet))[0] for outlet in order], 16.0, WIDEST[0])


def _texts(outlet: Outlet) -> tuple[str, str]:
    return f"port {outlet.export.text_name}", outlet.text


def _row_width(row: Sequence[Outlet]) -> float:
    return sum(pill_size(_texts(outlet))[0] for outlet in row) + 16.0 * max(0, len(row) - 1)


@frozen(eq=False)
class _Chip:
    """The label of an exported port array, its top left corner, and where its parts are: up means below it."""

    outlet: Outlet
    x: float
    y: float
    way: Way

    @property
    def end(self) -> Point:
        """Where its lines meet it."""
        width, height = pill_size(_texts(self.outlet))
        return self.x + width / 2, self.y + (height if self.way == "up" else 0.0)


def _chips(row: Sequence[Outlet], block: Block, full: float, y: float, way: Way) -> list[_Chip]:
    """Return a row of chips whose top is at `y`, as near to their parts as there is room."""
    middles = {group.child.name: group.middle for shelf in block.shelves for group in shelf.groups}
    width = _row_width(row)
    centre = sum(middles[outlet.child] for outlet in row) / len(row)
    x = max(0.0, min(full - width, centre - width / 2))
    made = []
    for outlet in row:
        made.append(_Chip(outlet, x, y, way))
        x += pill_size(_texts(outlet))[0] + 16
    return made


def _drawn(scope: Scope, chip: _Chip) -> list[Mark]:
    width, height = pill_size(_texts(chip.outlet))
    middle = chip.x + width / 2, chip.y + height / 2
    tip = _outlet_tip(scope, chip.outlet)
    return pill(scope.id("port", chip.outlet.name), *middle, _texts(chip.outlet), palette.INK, tip=tip)


def _lines(scope: Scope, block: Block, chips: Sequence[_Chip]) -> list[Line]:
    inner = terminals(block.shelves)
    ends = [(chip, *_exporting(scope, chip.outlet, block, inner)) for chip in chips]
    channels = Channels()
    for _ in range(2):
        lines = [
            _line(scope, block.shelves, chip, terminal, number, ports, channels)
            for chip, terminals_, counts in ends
            for number, (terminal, ports) in enumerate(zip(terminals_, counts, strict=True))
        ]
        channels.settle()
    return lines


def _line(
    scope: Scope,
    shelves: tuple[Shelf, ...],
    chip: _Chip,
    terminal: Terminal,
    number: int,
    ports: int,
    channels: Channels,
) -> Line:
    x = terminal.cell.middle + _shift(chip.end[0], terminal.cell)
    points = out_of(terminal, terminal.trail[1:], chip.way, x, chip.end[0], channels)
    points.append((points[-1][0], edge(shelves[terminal.shelf], chip.way)))
    points += passed(beyond(shelves, terminal.shelf, chip.way), chip.way, chip.end[0], channels)
    return Line(
        scope.id("port", chip.outlet.name, str(number)),
        polyline(chip.end, *reversed(points)),
        colour=palette.QUIET + "aa",
        dashed=terminal.cell.gap,
        role="exit",
        tip=f"{ports:,} ports {chip.outlet.export.text_name} of {scope.named(terminal.path)}",
    )


def _exporting(
    scope: Scope, outlet: Outlet, block: Block, found: Sequence[Terminal]
) -> tuple[Sequence[Terminal], Sequence[int]]:
    """Return the boxes that have ports of the outlet, and how many each has."""
    if prod(outlet.export.shape) > LARGEST_GRID:
        at, group = next(
            (at, group)
            for at, shelf in enumerate(block.shelves)
            for group in shelf.groups
            if group.child.name == outlet.child
        )
        return [whole(block.shelves, at, group)], [outlet.ports]
    starts = np.array([terminal.first for terminal in found])
    devices = scope.plan.numbering.table(scope.assembly.key, outlet.name).device
    boxes, counts = np.unique(np.searchsorted(starts, devices, side="right") - 1, return_counts=True)
    return [found[box] for box in boxes.tolist()], counts.tolist()


def _shift(chip: float, cell: Cell) -> float:
    """Return how far from the middle of a cell a line ends, so that those of different chips end side by side."""
    reach = cell.width * 0.3
    return max(-reach, min(reach, (chip - cell.middle) * 0.1))


def _outlet_tip(scope: Scope, outlet: Outlet) -> str:
    child = called(scope.assembly.by_name[outlet.child])
    return f"{outlet.ports:,} ports of {outlet.lanes} lanes {outlet.protocol} leave here, from {child}"
