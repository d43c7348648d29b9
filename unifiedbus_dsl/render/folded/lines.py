"""Bundles of cables between arrays: a line for each two boxes that they join, and a label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from unifiedbus_dsl.ir.plan.labels import called
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.block import DEEPEST, Scope, Shelf, Way, pill, pill_size
from unifiedbus_dsl.render.folded.losses import crosses, with_losses
from unifiedbus_dsl.render.folded.routes import Channels, edge, out_of, passed, whole
from unifiedbus_dsl.render.folded.terminals import Terminal, joins, spans_of, terminals
from unifiedbus_dsl.render.marks import Box, Line, Mark, Point, Text, polyline
from unifiedbus_dsl.render.plan_summary import Bundle, child_named, ends_called
from unifiedbus_dsl.render.sheet import Area, bounds

_REACH = 150.0
"""How far from the middle of a wide box lines end."""

_SHIFTS = sorted(
    ((dx, dy) for dx in range(-100, 101, 10) for dy in range(-230, 231, 10)),
    key=lambda shift: (abs(shift[0]) + 2 * abs(shift[1]), shift[1] < 0, shift[0] < 0),
)
"""How far a label may be moved, right and down, in the order in which it is tried."""


@frozen(eq=False)
class Wire:
    """A line of a bundle: the boxes that it joins, how many cables it stands for, and how many of these are lost."""

    bundle: Bundle
    left: Terminal
    right: Terminal
    cables: int
    colour: str
    lost: int = 0


@frozen(eq=False)
class _Path:
    points: list[Point]
    label: Point
    """Where a label stands on it."""


def bundle_marks(scope: Scope, shelves: tuple[Shelf, ...], cross: Sequence[Bundle]) -> list[Mark]:
    """Return the lines of all bundles between arrays of an assembly, and their labels."""
    ends = terminals(shelves)
    by_bundle = {id(bundle): _wires(scope, shelves, bundle, ends) for bundle in cross}
    paths = _paths(shelves, [wire for wires in by_bundle.values() for wire in wires])
    numbers = _numbers(ends)
    marks: list[Mark] = []
    pills: list[Box] = []
    taken = _words(shelves)
    losing: list[Line] = []
    for bundle in cross:
        wires = by_bundle[id(bundle)]
        for wire in wires:
            line = _line(scope, wire, paths[id(wire)], numbers)
            marks.append(with_losses(line, wire.lost, wire.cables))
            losing += [line] if wire.lost else []
        if scope.level >= DEEPEST or not wires:
            continue
        spots = [paths[id(wire)].label for wire in wires]
        wish = sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots)
        lines = _bundle_lines(scope, bundle)
        label = _bundle_pill(scope, bundle, lines, *_free_spot(lines, wish, taken))
        pills += [mark for mark in label if isinstance(mark, Box)]
        taken.append(bounds(label))
        marks += label
    return [*marks, *crosses(losing, pills)]


def _words(shelves: tuple[Shelf, ...]) -> list[Area]:
    """Return where the words of arrays stand: names of devices, of gaps, captions."""
    marks = (mark for shelf in shelves for group in shelf.groups for mark in group.block.marks)
    return [bounds([mark]) for mark in marks if isinstance(mark, Text)]


def _wires(scope: Scope, shelves: tuple[Shelf, ...], bundle: Bundle, found: Sequence[Terminal]) -> list[Wire]:
    end = scope.plan.device_count[scope.assembly.key]
    meetings = joins(scope.plan, scope.assembly.key, bundle, found, end)
    if meetings is not None:
        spans = spans_of(found, end)
        return [
            Wire(
                bundle,
                found[join.left],
                found[join.right],
                join.cables,
                scope.tint(spans[join.left], spans[join.right], bundle),
                scope.lost_between(spans[join.left], spans[join.right], bundle),
            )
            for join in meetings
        ]
    boxes = {group.child.name: whole(shelves, at, group) for at, shelf in enumerate(shelves) for group in shelf.groups}
    return [Wire(bundle, boxes[bundle.left], boxes[bundle.right], bundle.cables, bundle.colour)]


def _numbers(found: Sequence[Terminal]) -> Mapping[int, int]:
    """Return the number of each box within its array."""
    seen: dict[str, int] = defaultdict(int)
    numbers: dict[int, int] = {}
    for terminal in found:
        name = terminal.cells[0].name.partition("[")[0]
        numbers[id(terminal)] = seen[name]
        seen[name] += 1
    return numbers


# ---- ways -------------------------------------------------------------------------------------------------------


def _paths(shelves: tuple[Shelf, ...], wires: Sequence[Wire]) -> Mapping[int, _Path]:
    attached = _attached(wires)
    channels = Channels()
    for _ in range(2):
        tracks: dict[int, int] = defaultdict(int)
        paths = {id(wire): _path(shelves, wire, attached, channels, tracks) for wire in wires}
        channels.settle()
    return paths


def _ways(wire: Wire) -> tuple[Way, Way]:
    """Where the line leaves the box on its left and that on its right; between neighbours on a shelf below both."""
    a, b = wire.left.shelf, wire.right.shelf
    return ("down", "up") if a < b else ("up", "down") if b < a else ("down", "down")


def _attached(wires: Sequence[Wire]) -> Mapping[tuple[int, int], float]:
    """Where on the edge of its box each end of a wire (0 and 1) is: side by side, in the order of the other ends."""
    at_box: dict[tuple[int, Way], list[tuple[float, int, int]]] = defaultdict(list)
    boxes: dict[int, Terminal] = {}
    for number, wire in enumerate(wires):
        ends = (wire.left, wire.right)
        for side, way in enumerate(_ways(wire)):
            boxes[id(ends[side])] = ends[side]
            at_box[id(ends[side]), way].append((ends[1 - side].cell.middle, number, side))
    attached: dict[tuple[int, int], float] = {}
    for (box, _), ends_here in at_box.items():
        cell = boxes[box].cell
        reach = min(cell.width * 0.36, _REACH)
        for place, (_, number, side) in enumerate(sorted(ends_here)):
            attached[id(wires[number]), side] = cell.middle + reach * (2 * (place + 0.5) / len(ends_here) - 1)
    return attached


def _path(
    shelves: tuple[Shelf, ...],
    wire: Wire,
    attached: Mapping[tuple[int, int], float],
    channels: Channels,
    tracks: dict[int, int],
) -> _Path:
    ends, ways = (wire.left, wire.right), _ways(wire)
    outs = []
    for side, (end, way) in enumerate(zip(ends, ways, strict=True)):
        x = attached[id(wire), side]
        points = out_of(end, end.trail[1:], way, x, attached[id(wire), 1 - side], channels)
        outs.append([*points, (points[-1][0], edge(shelves[end.shelf], way))])
    if ways[0] == ways[1]:
        y = shelves[wire.left.shelf].bottom + 12 + 3.0 * min(tracks[wire.left.shelf], 12)
        tracks[wire.left.shelf] += 1
        points = [*outs[0], (outs[0][-1][0], y), (outs[1][-1][0], y), *reversed(outs[1])]
        return _Path(points, ((outs[0][-1][0] + outs[1][-1][0]) / 2, y))
    upper, lower = (outs[0], outs[1]) if ways[0] == "down" else (outs[1], outs[0])
    first, last = sorted((wire.left.shelf, wire.right.shelf))
    between = passed(shelves[first + 1 : last], "down", (upper[-1][0] + lower[-1][0]) / 2, channels)
    points = [*upper, *between, *reversed(lower)]
    near = (between[0], between[-1]) if between else (upper[-1], lower[-1])
    return _Path(points, ((near[0][0] + near[1][0]) / 2, (near[0][1] + near[1][1]) / 2))


# ---- marks ------------------------------------------------------------------------------------------------------


def _line(scope: Scope, wire: Wire, path: _Path, numbers: Mapping[int, int]) -> Line:
    bundle = wire.bundle
    down = _ways(wire)[0] == "down"
    upper, lower = (wire.left, wire.right) if down else (wire.right, wire.left)
    names = (bundle.left, bundle.right) if down else (bundle.right, bundle.left)
    ends = "-".join(str(numbers.get(id(end), 0)) for end in (upper, lower))
    hidden = wire.left.cell.gap or wire.right.cell.gap
    joined = scope.named(upper.path), scope.named(lower.path)
    return Line(
        scope.id(*names, bundle.link, str(bundle.lanes), ends),
        polyline(*_without_repeats(path.points)),
        colour=wire.colour + ("88" if hidden else "dd"),
        dashed=hidden,
        tip=f"{wire.cables:,} × {bundle.link}: {joined[0]} -- {joined[1]}",
        ends=joined,
        rate=float(wire.cables * bundle.rate),
    )


def _without_repeats(points: Sequence[Point]) -> list[Point]:
    """Return the corners of a line, none of them twice, none on a straight piece."""
    corners: list[Point] = []
    for point in points:
        if corners and abs(corners[-1][0] - point[0]) + abs(corners[-1][1] - point[1]) < 0.01:
            continue
        if len(corners) > 1 and abs(corners[-1][0] - point[0]) < 0.01 and abs(corners[-2][0] - point[0]) < 0.01:
            corners.pop()
        corners.append(point)
    return corners


def _bundle_lines(scope: Scope, bundle: Bundle) -> tuple[str, ...]:
    note = scope.lost_note(bundle)
    lost = (note,) if note and scope.look.losses else ()
    if scope.level:
        return (scope.each(bundle.text.partition(" = ")[0]), *lost)
    medium = palette.medium_name(bundle.medium)
    notes = [bundle.link if bundle.link.lower() == medium.lower() else f"{bundle.link} ({medium})"]
    for name in (bundle.left, bundle.right):
        child = child_named(scope.assembly, name)
        if child.count > 1 and bundle.cables % child.count == 0:
            notes.append(f"{bundle.cables // child.count:,} per {called(child)}")
    return (bundle.text, " · ".join(notes), *lost)


def _bundle_pill(scope: Scope, bundle: Bundle, lines: Sequence[str], x: float, y: float) -> list[Mark]:
    id = scope.id("bundle", bundle.left, bundle.right, bundle.link, str(bundle.lanes))
    colour = bundle.colour if scope.look.groups is None or scope.look.loads else palette.QUIET
    return pill(id, x, y, lines, colour, tip=_bundle_tip(scope, bundle))


def _bundle_tip(scope: Scope, bundle: Bundle) -> str:
    left, right = ends_called(scope.assembly, bundle)
    return f"{left} – {right}: {bundle.text} in each direction\nover {bundle.link}, {bundle.lanes} lanes"


def _free_spot(lines: Sequence[str], wish: Point, taken: Sequence[Area]) -> Point:
    """Return the place nearest to the wish where a label covers none of the areas, rather beside it than above or
    below."""
    width, height = pill_size(lines)
    areas = np.asarray(taken, dtype=np.float64).reshape(-1, 4)
    reach = np.abs(areas.reshape(-1, 2, 2).mean(axis=1) - wish) - np.diff(areas.reshape(-1, 2, 2), axis=1)[:, 0] / 2
    near = (reach < np.abs(_SHIFTS).max(axis=0) + np.asarray((width / 2 + 6, height / 2 + 5))).all(axis=1)
    begin, upper, right, bottom = areas[near].T[:, None]
    left, top = np.asarray(_SHIFTS).T[:, :, None] + np.asarray(wish)[:, None, None] - [[[width / 2]], [[height / 2]]]
    covers = (left < right + 6) & (begin < left + width + 6) & (top < bottom + 5) & (upper < top + height + 5)
    free = np.flatnonzero(~covers.any(axis=1))
    dx, dy = _SHIFTS[free[0]] if len(free) else (0, 0)
    return wish[0] + dx, wish[1] + dy
