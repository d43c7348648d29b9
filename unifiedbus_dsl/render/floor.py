"""The floor plan: what `place` puts where, to scale, and how many cables run along which row and column.

A cable runs along the row of its left end to the column of its right end, then along that: the path whose length the
compiler takes. Needs the plan alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import sqrt

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity, format_number
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.ir.plan.labels import element_text
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.detail import TooManyMarksError
from unifiedbus_dsl.render.marks import (
    Box,
    Line,
    Mark,
    Picture,
    Point,
    Text,
    identifier,
    polyline,
    straight,
    text_width,
)
from unifiedbus_dsl.render.places import rule_ends
from unifiedbus_dsl.render.plan_summary import PlanSummary, assembly_named, has_end_point, has_npu, medium, with_spares
from unifiedbus_dsl.render.sheet import sheet, text_entry
from unifiedbus_dsl.render.svg import svg

MOST_PLACES = 5_000

_RACK = 0.6, 1.2
"""Width and depth in metres of what stands on the floor, where the places do not leave less."""

_PAGE = 990.0
_TALLEST = 900.0


class NothingPlacedError(ValueError):
    """The assembly has no `place`."""


@frozen
class Spot:
    """Something placed: where its origin is, in metres, and which devices it holds."""

    path: str
    child: str
    key: str
    kind: str
    x: float
    y: float
    start: int
    devices: int
    spare: bool = False


@frozen(eq=False)
class Runs:
    """Cables of one medium between spots: `left[k]` to `right[k]` run `cables[k]` cables of `length[k]` metres."""

    medium: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    cables: NDArray[np.int64]
    length: NDArray[np.float64]


def floor(plan: Plan, type_key: str | None = None) -> str:
    """The floor plan of an assembly type of the plan (the whole system if none is named) as SVG.

    Raises:
        NothingPlacedError: nothing in it is placed.
        TooManyMarksError: more than `MOST_PLACES` things are.
        NoGraphvizError: there is nothing to draw with.
    """
    return svg(floor_picture(plan, type_key))


def floor_picture(plan: Plan, type_key: str | None = None, shared: PlanSummary | None = None) -> Picture:
    """The same as values."""
    key = type_key or plan.root
    survey = shared or PlanSummary(plan)
    spots = tuple(_spots(plan, assembly_named(plan, key), "", 0.0, 0.0, 0))
    if not spots:
        raise NothingPlacedError(f"nothing in `{key}` is placed: `place … as grid(…)` says where its racks stand")
    runs = tuple(cable_runs(plan, key, spots))
    frame = _Frame.around(spots)
    marks: list[Mark] = [_outline(frame), *_trays(survey, frame, spots, runs)]
    for child in sorted({spot.child for spot in spots}):
        mine = [spot for spot in spots if spot.child == child]
        style = _label_style(frame, mine)
        marks += [mark for spot in mine for mark in _spot(plan, frame, spot, style)]
    longest = _longest(runs)
    if longest:
        marks += _longest_run(survey, frame, spots, *longest)
    marks += _scale_bar(frame)
    legend = [*_spot_entries(plan, spots), *_legend(survey, runs)]
    if runs:
        legend.append(
            text_entry("legend-path", "cables run along their row, then along a column; wider lines are more")
        )
    return sheet(
        survey.look.title or key,
        survey.look.kind(key, "floor plan"),
        survey.look.notes,
        _tiles(frame, spots, runs),
        marks,
        legend,
    )


def _spots(
    plan: Plan, assembly: AssemblyType, path: str, x: float, y: float, start: int, spare: bool = False
) -> Iterator[Spot]:
    """What is placed in an assembly, at the deepest level that places anything."""
    places = {placement.child: placement.positions for placement in assembly.placements}
    for child in assembly.children:
        size = plan.device_count[child.type]
        for element in range(child.count):
            name = _element(child, element, path)
            at = places[child.name][element] if child.name in places else None
            if at is None and child.count > 1:
                break
            left, top = x + float(at[0] if at else 0), y + float(at[1] if at else 0)
            inner = plan.assemblies.get(child.type)
            first, idle = start + element * size, spare or child.spare
            below = list(_spots(plan, inner, name, left, top, first, idle)) if inner else []
            if below:
                yield from below
            elif at is not None:
                kind = plan.type(child.type).kind
                yield Spot(name, child.name, child.type, kind, left, top, first, size, idle)
        start += child.count * size


def _element(child: Child, element: int, path: str) -> str:
    own = child.name + element_text(child, np.unravel_index(element, child.shape) if child.shape else ())
    return f"{path}.{own}" if path else own


# ---- cables -----------------------------------------------------------------------------------------------------


def cable_runs(plan: Plan, key: str, spots: Sequence[Spot]) -> Iterator[Runs]:
    """The cables that leave a spot, rule by rule and instance by instance."""
    if len(spots) > MOST_PLACES:
        raise TooManyMarksError(f"`{key}` places {len(spots):,} things, more than the {MOST_PLACES:,} of a floor plan")
    starts = np.array([spot.start for spot in spots])
    ends = starts + np.array([spot.devices for spot in spots])
    order = np.argsort(starts)
    for name, offset in _instances(plan, key, 0, int(max(spot.devices for spot in spots))):
        assembly = plan.assemblies[name]
        for number, rule in enumerate(assembly.rules):
            lefts, rights = rule_ends(plan, assembly, number)
            length = _lengths(plan, assembly, number)
            a, b = (_spot_of(devices + offset, starts, ends, order) for devices in (lefts, rights))
            outside = (a >= 0) & (b >= 0) & (a != b) & (length >= 0)
            codes, first, cables = np.unique(
                a[outside] * len(spots) + b[outside], return_index=True, return_counts=True
            )
            if len(codes):
                metres = length[outside][first]
                yield Runs(medium(plan, rule.link), codes // len(spots), codes % len(spots), cables, metres)


def _instances(plan: Plan, key: str, start: int, least: int) -> Iterator[tuple[str, int]]:
    """Assemblies larger than a spot, with the first device of each."""
    yield key, start
    for child in plan.assemblies[key].children:
        size = plan.device_count[child.type]
        if child.type in plan.assemblies and size > least:
            for element in range(child.count):
                yield from _instances(plan, child.type, start + element * size, least)
        start += child.count * size


def _spot_of(
    devices: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The spot that holds each device, -1 where none does."""
    at = order[np.maximum(np.searchsorted(starts[order], devices, side="right") - 1, 0)]
    held = (devices >= starts[at]) & (devices < ends[at])
    return np.where(held, at, -1)


def _lengths(plan: Plan, assembly: AssemblyType, number: int) -> NDArray[np.float64]:
    """Length in metres of each cable of a rule; negative where there is none."""
    at = plan.numbering.rule_points(assembly.key, number)
    stated = assembly.rules[number].length
    if stated is not None:
        return np.full(at.size, float(stated))
    found = plan.numbering.lengths(assembly.key, number, at)
    return np.broadcast_to(found, at.shape).ravel() / 1000


def _longest(runs: Sequence[Runs]) -> tuple[Runs, int] | None:
    """The longest run: which, and its place there; the first of several."""
    best = max(runs, key=lambda run: float(run.length.max()), default=None)
    return (best, int(best.length.argmax())) if best else None


# ---- drawing ----------------------------------------------------------------------------------------------------


@frozen
class _Frame:
    """From metres to points. A room deeper than wide is turned: its y then runs to the right and its x up."""

    left: float
    top: float
    width: float
    depth: float
    rack: tuple[float, float]
    tray: float
    """How far behind the front of a row its cables run: behind the racks, where there is room."""
    turned: bool

    @classmethod
    def around(cls, spots: Sequence[Spot]) -> _Frame:
        xs, ys = sorted({s.x for s in spots}), sorted({s.y for s in spots})
        rack = _least(xs, _RACK[0]), _least(ys, _RACK[1])
        margin = 0.5
        width, depth = xs[-1] - xs[0] + rack[0] + 2 * margin, ys[-1] - ys[0] + rack[1] + 2 * margin
        aisle = _least(ys, rack[1] + 2 * margin) - rack[1]
        tray = rack[1] + min(0.3, aisle / 2) if aisle > 0.1 else rack[1] / 2
        return cls(xs[0] - margin, ys[0] - margin, width, depth, rack, tray, depth > 1.2 * width)

    @property
    def scale(self) -> float:
        """Points for a metre."""
        across, down = (self.depth, self.width) if self.turned else (self.width, self.depth)
        return min(_PAGE / across, _TALLEST / down, 80.0)

    def point(self, x: float, y: float) -> Point:
        across, down = x - self.left, y - self.top
        if self.turned:
            across, down = down, self.width - across
        return across * self.scale, down * self.scale

    def box(self, x: float, y: float, width: float, depth: float) -> tuple[float, float, float, float]:
        """x, y, width and height on paper of a rectangle on the floor."""
        (ax, ay), (bx, by) = self.point(x, y), self.point(x + width, y + depth)
        return min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by)

    def middle(self, spot: Spot) -> Point:
        return self.point(spot.x + self.rack[0] / 2, spot.y + self.rack[1] / 2)


def _least(values: Sequence[float], most: float) -> float:
    """The smallest step between values, at most `most`."""
    return min([most, *(b - a for a, b in pairwise(values) if b - a > 1e-9)])


def _outline(frame: _Frame) -> Box:
    x, y, width, height = frame.box(frame.left, frame.top, frame.width, frame.depth)
    return Box("room", x, y, width, height, palette.LEVELS[0], palette.HAIR, shape="square", behind=True, role="room")


def _spot(plan: Plan, frame: _Frame, spot: Spot, style: tuple[bool, float] | None) -> list[Mark]:
    """A rack to scale with as much of its name as fits."""
    x, y, width, height = frame.box(spot.x, spot.y, *frame.rack)
    look = _look(plan, spot.key)
    tip = f"{spot.path} : {spot.key}\nat {format_number(spot.x)} m, {format_number(spot.y)} m"
    inset = min(1.0, width * 0.05)
    box = Box(
        identifier(spot.path),
        x + inset,
        y + inset,
        width - 2 * inset,
        height - 2 * inset,
        look.fill,
        look.stroke,
        0.7,
        "square",
        role="placed",
        tip=tip,
    )
    if style is None:
        return [box]
    return [box, Text(box.id + "-name", *box.center, _label(spot, style[0]), style[1], role="name", tip=tip)]


def _label(spot: Spot, short: bool) -> str:
    own = spot.path.rpartition(".")[2]
    return own[own.find("[") :].strip("[]").replace(" ", "") if short and "[" in own else own


def _label_style(frame: _Frame, spots: Sequence[Spot]) -> tuple[bool, float] | None:
    """Whether names are cut to their subscripts, and the size of the text, so that all of an array fit; or no names."""
    _, _, width, height = frame.box(0, 0, *frame.rack)
    for short, size in ((False, 10.0), (True, 10.0)):
        if size * 1.2 <= height and all(text_width(_label(spot, short), size) <= width - 3 for spot in spots):
            return short, size
    return None


def _look(plan: Plan, key: str) -> palette.KindStyle:
    """A rack looks like the most telling of what it holds."""
    if key in plan.devices:
        return palette.kind_style(plan.devices[key].kind)
    return palette.KINDS["npu" if has_npu(plan, key) else "device" if has_end_point(plan, key) else "switch"]


def _trays(survey: PlanSummary, frame: _Frame, spots: Sequence[Spot], runs: Sequence[Runs]) -> list[Mark]:
    """Lines along rows and columns as wide as the number of cables that run there, a colour each medium."""
    load = {name: _tray_loads(spots, [run for run in runs if run.medium == name]) for name in survey.colours}
    most = max((cables for trays in load.values() for *_, cables in trays), default=1)
    marks: list[Mark] = []
    for number, (name, trays) in enumerate(load.items()):
        for k, (ax, ay, bx, by, cables) in enumerate(trays):
            aside = frame.tray + 0.12 * number
            half = frame.rack[0] / 2 + 0.12 * number
            a, b = frame.point(ax + half, ay + aside), frame.point(bx + half, by + aside)
            width = 0.6 + 7.4 * sqrt(cables / most)
            colour = survey.colours[name] + "99"
            tip = f"{cables:,} {palette.medium_name(name)} cables"
            marks.append(Line(f"tray-{identifier(name)}-{k}", straight(a, b), colour, width, role="tray", tip=tip))
    return marks


def _tray_loads(spots: Sequence[Spot], runs: Sequence[Runs]) -> list[tuple[float, float, float, float, int]]:
    """Cables on each piece of row or column between neighbouring places: from (x, y) to (x, y), and how many."""
    if not runs:
        return []
    xs, column = np.unique(np.array([spot.x for spot in spots]), return_inverse=True)
    ys, row = np.unique(np.array([spot.y for spot in spots]), return_inverse=True)
    along = np.zeros((len(ys), len(xs) + 1), np.int64)
    down = np.zeros((len(xs), len(ys) + 1), np.int64)
    for run in runs:
        a, b = run.left, run.right
        for table, line, here, there in ((along, row[a], column[a], column[b]), (down, column[b], row[a], row[b])):
            np.add.at(table, (line, np.minimum(here, there)), run.cables)
            np.subtract.at(table, (line, np.maximum(here, there)), run.cables)
    rows, columns = np.cumsum(along, axis=1)[:, :-1], np.cumsum(down, axis=1)[:, :-1]
    pieces = [
        (float(xs[k]), float(ys[r]), float(xs[k + 1]), float(ys[r]), int(rows[r, k]))
        for r, k in zip(*np.nonzero(rows), strict=True)
    ]
    return pieces + [
        (float(xs[c]), float(ys[k]), float(xs[c]), float(ys[k + 1]), int(columns[c, k]))
        for c, k in zip(*np.nonzero(columns), strict=True)
    ]


def _longest_run(survey: PlanSummary, frame: _Frame, spots: Sequence[Spot], run: Runs, at: int) -> list[Mark]:
    """The longest cable, drawn on top and named."""
    a, b = spots[int(run.left[at])], spots[int(run.right[at])]
    half = frame.rack[0] / 2
    corners = frame.point(a.x + half, a.y + frame.tray), frame.point(b.x + half, a.y + frame.tray)
    path = polyline(frame.middle(a), *corners, frame.middle(b))
    text = f"longest: {format_number(float(run.length[at]))} m, {a.path} – {b.path}"
    line = Line("longest", path, palette.INK, 2.0, dashed=True, role="longest", tip=text)
    _, y, _, height = frame.box(frame.left, frame.top, frame.width, frame.depth)
    label = Text("longest-name", 0, y + height + 16, text, 12, True, palette.INK, "start", role="longest", tip=text)
    ends = [_ring(f"longest-{name}", frame.box(spot.x, spot.y, *frame.rack)) for name, spot in (("from", a), ("to", b))]
    return [line, *ends, label]


def _ring(id: str, rack: tuple[float, float, float, float]) -> Box:
    """A dot on the corner of a rack, beside its name."""
    return Box(id, rack[0] - 2, rack[1] - 2, 8, 8, palette.INK, palette.PAPER, 1.0, "ellipse", role="longest")


def _scale_bar(frame: _Frame) -> list[Mark]:
    """How long some metres are, and which way x and y run."""
    metres = next(m for m in (1, 2, 5, 10, 20, 50, 100, 500, 1000) if m * frame.scale >= 50 or m == 1000)
    x, y, width, height = frame.box(frame.left, frame.top, frame.width, frame.depth)
    axes = "x runs up, y to the right" if frame.turned else "x runs to the right, y down"
    text = f"{metres} m · {axes}"
    end = x + width
    start = end - metres * frame.scale
    bar = Line("scale", straight((start, y + height + 10), (end, y + height + 10)), palette.INK, 2.0, role="scale")
    return [bar, Text("scale-name", end, y + height + 24, text, 11, False, palette.QUIET, "end", role="scale")]


def _tiles(frame: _Frame, spots: Sequence[Spot], runs: Sequence[Runs]) -> list[tuple[str, str]]:
    size = f"{format_number(round(frame.width - 1, 2))} × {format_number(round(frame.depth - 1, 2))} m"
    idle = sum(spot.spare for spot in spots)
    tiles = [(size, "width × depth, racks included"), (with_spares(len(spots) - idle, idle), "placed")]
    cables = sum(int(run.cables.sum()) for run in runs)
    if cables:
        total = sum(float((run.cables * run.length).sum()) for run in runs)
        tiles += [(f"{cables:,}", "cables between racks"), (_metres(total), "of cable")]
    return tiles


def _metres(length: float) -> str:
    return units.format_quantity(Quantity(Fraction(round(length)), units.LENGTH))


def _spot_entries(plan: Plan, spots: Sequence[Spot]) -> list[list[Mark]]:
    """What stands on the floor."""
    entries: list[list[Mark]] = []
    for (child, key), number in sorted(Counter((spot.child, spot.key) for spot in spots).items()):
        look = _look(plan, key)
        id = f"legend-{identifier(child)}-{identifier(key)}"
        box = Box(f"{id}-box", 0, -6, 18, 12, look.fill, look.stroke, 0.7, "square", role="legend")
        text = f"{child}: {number:,} × {key}"
        entries.append([box, Text(id, 24, 0, text, 11, False, palette.QUIET, "start", role="legend")])
    return entries


def _legend(survey: PlanSummary, runs: Sequence[Runs]) -> list[list[Mark]]:
    entries: list[list[Mark]] = []
    for name, colour in survey.colours.items():
        mine = [run for run in runs if run.medium == name]
        if mine:
            cables = sum(int(run.cables.sum()) for run in mine)
            total = sum(float((run.cables * run.length).sum()) for run in mine)
            most = max(float(run.length.max()) for run in mine)
            text = f"{palette.medium_name(name)}: {cables:,} cables, {_metres(total)}, longest {format_number(most)} m"
            entries.append(
                [
                    Line(f"legend-{name}-line", straight((0.0, 0.0), (22.0, 0.0)), colour, 4.0, role="legend"),
                    Text(f"legend-{name}", 28, 0, text, 11, False, palette.QUIET, "start", role="legend"),
                ]
            )
    return entries
