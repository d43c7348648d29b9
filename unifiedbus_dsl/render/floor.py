"""The floor plan: what `place` puts where, to scale, and how many cables run along which row and column.

Beyond some thousands of racks, pods are drawn. A cable runs along the row of its left end to the column of its right
end, then along that: the path whose length the compiler takes. Needs the plan alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, sqrt
from math import floor as floor_

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity, format_number
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.floor_spots import Runs, Spot, cable_runs, longest_run, placed_spots
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import (
    Anchor,
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
from unifiedbus_dsl.render.plan_summary import (
    PlanSummary,
    assembly_named,
    has_end_point,
    has_npu,
    type_called,
    with_spares,
)
from unifiedbus_dsl.render.sheet import sheet, text_entry
from unifiedbus_dsl.render.svg import svg

_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Metres between two marks of an axis."""

_PAGE = 960.0
_TALLEST = 900.0


class NothingPlacedError(ValueError):
    """The assembly has no `place`."""


def floor(plan: Plan, type_key: str | None = None) -> str:
    """Return the floor plan of an assembly type of the plan (the whole system if none is named) as SVG.

    Raises:
        NothingPlacedError: nothing in it is placed.
        TooManyMarksError: more than `MOST_PLACES` things are.
        NoGraphvizError: there is nothing to draw with.
    """
    return svg(floor_picture(plan, type_key))


def floor_picture(plan: Plan, type_key: str | None = None, shared: PlanSummary | None = None) -> Picture:
    """Return the same as values."""
    key = type_key or plan.root
    survey = shared or PlanSummary(plan)
    spots = placed_spots(plan, assembly_named(plan, key))
    if not spots:
        raise NothingPlacedError(f"nothing in `{key}` is placed: `place … as grid(…)` says where its racks stand")
    runs = tuple(cable_runs(plan, key, spots))
    frame = _Frame.around(spots)
    trays = _trays(survey, frame, spots, runs)
    marks: list[Mark] = [_outline(frame), *_axes(frame), *trays.marks]
    for child in sorted({spot.child for spot in spots}):
        mine = [spot for spot in spots if spot.child == child]
        style = _label_style(frame, mine)
        marks += [mark for spot in mine for mark in _spot(plan, frame, spot, style)]
    longest = longest_run(runs)
    if longest:
        marks += _longest_run(survey, frame, spots, *longest)
    marks += _scale_bar(frame)
    legend = [*_spot_entries(plan, spots), *_legend(survey, runs)]
    if runs:
        ways = f"{_metres(trays.along)} along rows, {_metres(trays.down)} along columns"
        legend.append(text_entry("legend-path", f"cables run along their row, then along a column; in trays {ways}"))
        legend.append(text_entry("legend-wide", "wider lines are more cables"))
    legend += [
        text_entry(f"legend-said-{i}", said)
        for i, said in enumerate([*_aisles(frame, spots), *_missing(plan, key, spots)])
    ]
    head = head_of(survey, key, "floor plan")
    return sheet(
        head.title,
        head.kind,
        [*survey.look.notes, *((note, "") for note in head.notes[-1:])],
        [*_tiles(frame, spots, runs), *_power_tile(plan, key)],
        marks,
        legend,
    )


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
        rack = _least(xs, max(s.size[0] for s in spots)), _least(ys, max(s.size[1] for s in spots))
        margin = 0.5
        right = max(s.x + s.size[0] for s in spots)
        low = max(s.y + s.size[1] for s in spots)
        width, depth = right - xs[0] + 2 * margin, low - ys[0] + 2 * margin
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

    def extent(self, spot: Spot) -> tuple[float, float]:
        """Width and depth in metres of a spot as far as its neighbours leave it."""
        return min(self.rack[0], spot.size[0]), min(self.rack[1], spot.size[1])

    def middle(self, spot: Spot) -> Point:
        width, depth = self.extent(spot)
        return self.point(spot.x + width / 2, spot.y + depth / 2)


def _least(values: Sequence[float], most: float) -> float:
    """Return the smallest step between values, at most `most`."""
    return min([most, *(b - a for a, b in pairwise(values) if b - a > 1e-9)])


def _outline(frame: _Frame) -> Box:
    x, y, width, height = frame.box(frame.left, frame.top, frame.width, frame.depth)
    return Box("room", x, y, width, height, palette.LEVELS[0], palette.HAIR, shape="square", behind=True, role="room")


def _spot(plan: Plan, frame: _Frame, spot: Spot, style: tuple[bool, float] | None) -> list[Mark]:
    """Return a rack to scale with as much of its name as fits."""
    x, y, width, height = frame.box(spot.x, spot.y, *frame.extent(spot))
    look = _look(plan, spot.key)
    tip = f"{spot.path} : {type_called(spot.key)}\nat {format_number(spot.x)} m, {format_number(spot.y)} m"
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
    """Return whether names are cut to their subscripts, and the size of the text, so that all of an array fit; or no
    names."""
    _, _, width, height = frame.box(0, 0, *frame.extent(spots[0]))
    for short, size in ((False, 10.0), (True, 10.0)):
        if size * 1.2 <= height and all(text_width(_label(spot, short), size) <= width - 3 for spot in spots):
            return short, size
    return None


def _look(plan: Plan, key: str) -> palette.KindStyle:
    """Return a rack looks like the most telling of what it holds."""
    if key in plan.devices:
        return palette.kind_style(plan.devices[key].kind)
    return palette.KINDS["npu" if has_npu(plan, key) else "device" if has_end_point(plan, key) else "switch"]


@frozen(eq=False)
class _Trays:
    """Lines of cables, and how much cable they are along rows and along columns, in metres."""

    marks: list[Mark]
    along: float
    down: float


def _trays(survey: PlanSummary, frame: _Frame, spots: Sequence[Spot], runs: Sequence[Runs]) -> _Trays:
    """Return lines along rows and columns as wide as the number of cables that run there, a colour each medium."""
    load = {name: _tray_loads(spots, [run for run in runs if run.medium == name]) for name in survey.colours}
    max_cables = max((cables for trays in load.values() for *_, cables in trays), default=1)
    marks: list[Mark] = []
    total = [0.0, 0.0]
    for number, (name, trays) in enumerate(load.items()):
        for k, (ax, ay, bx, by, cables) in enumerate(trays):
            aside = frame.tray + 0.12 * number
            half = frame.rack[0] / 2 + 0.12 * number
            a, b = frame.point(ax + half, ay + aside), frame.point(bx + half, by + aside)
            width = 0.6 + 7.4 * sqrt(cables / max_cables)
            colour = survey.colours[name] + "99"
            metres = cables * (abs(bx - ax) + abs(by - ay))
            total[ax == bx] += metres
            tip = f"{cables:,} {palette.medium_name(name)} cables, {_metres(metres)} of cable"
            marks.append(Line(f"tray-{identifier(name)}-{k}", straight(a, b), colour, width, role="tray", tip=tip))
    return _Trays(marks, *total)


def _tray_loads(spots: Sequence[Spot], runs: Sequence[Runs]) -> list[tuple[float, float, float, float, int]]:
    """Return cables on each piece of row or column between neighbouring places: from (x, y) to (x, y), and how many."""
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
    """Return the longest cable, drawn on top and named."""
    a, b = spots[int(run.left[at])], spots[int(run.right[at])]
    half = frame.rack[0] / 2
    corners = frame.point(a.x + half, a.y + frame.tray), frame.point(b.x + half, a.y + frame.tray)
    path = polyline(frame.middle(a), *corners, frame.middle(b))
    text = f"longest: {format_number(float(run.length[at]))} m, {a.path} – {b.path}"
    line = Line("longest", path, palette.INK, 2.0, dashed=True, role="longest", tip=text)
    _, y, _, height = frame.box(frame.left, frame.top, frame.width, frame.depth)
    label = Text("longest-name", 0, y + height + 16, text, 12, True, palette.INK, "start", role="longest", tip=text)
    ends = [
        _ring(f"longest-{name}", frame.box(spot.x, spot.y, *frame.extent(spot)))
        for name, spot in (("from", a), ("to", b))
    ]
    return [line, *ends, label]


def _axes(frame: _Frame) -> list[Mark]:
    """Metres along the upper and the left edge of the room, as `place` counts them."""
    step = next((m for m in _STEPS if m * frame.scale >= 46), _STEPS[-1])
    across, down = ("y", "x") if frame.turned else ("x", "y")
    lows = {"x": frame.left, "y": frame.top}
    highs = {"x": frame.left + frame.width, "y": frame.top + frame.depth}
    marks: list[Mark] = []
    for axis in (across, down):
        for value in range(ceil(lows[axis] / step) * step, floor_(highs[axis]) + 1, step):
            x, y = frame.point(*((value, frame.top) if axis == "x" else (frame.left, value)))
            at = (x, -9.0) if axis == across else (-8.0, y)
            tick = ((x, -3.0), (x, 0.0)) if axis == across else ((-3.0, y), (0.0, y))
            id = f"axis-{axis}-{value}"
            marks.append(Line(f"{id}-tick", straight(*tick), palette.FRAME, role="axis"))
            text = f"{value} m" if value == 0 else f"{value}"
            anchor: Anchor = "middle" if axis == across else "end"
            marks.append(Text(id, *at, text, 10, False, palette.QUIET, anchor, role="axis", tip=f"{axis} = {value} m"))
    return marks


def _aisles(frame: _Frame, spots: Sequence[Spot]) -> list[str]:
    """Return how wide the aisles between rows are, and how many there are of each."""
    ys = sorted({spot.y for spot in spots})
    wide = Counter(round(b - a - frame.rack[1], 3) for a, b in pairwise(ys))
    texts = [f"{count} of {format_number(width)} m" for width, count in sorted(wide.items()) if width > 0.3]
    return [f"aisles between rows: {', '.join(texts[:4])}{' and others' if len(texts) > 4 else ''}"] if texts else []


def _missing(plan: Plan, key: str, spots: Sequence[Spot]) -> list[str]:
    """Return what holds devices and is placed nowhere."""
    placed = sum(spot.devices for spot in spots)
    if placed == plan.device_count[key]:
        return []
    held = {spot.path.partition(".")[0].partition("[")[0] for spot in spots}
    texts = [
        f"{c.count:,} × {c.text_name}" if c.shape else c.text_name
        for c in plan.assemblies[key].children
        if c.text_name not in held
    ]
    rest = plan.device_count[key] - placed
    return [f"not placed: {', '.join(texts) or f'{rest:,} devices inside'}"]


def _power_tile(plan: Plan, key: str) -> list[tuple[str, str]]:
    watts = _power(plan, key)
    return [(units.format_quantity(Quantity(watts, units.POWER)), "power, where stated")] if watts else []


def _power(plan: Plan, key: str) -> Fraction:
    """Return the sum of the powers that parts of a type state, its own included."""
    own = plan.type(key).fields.get("power")
    total = own.value if isinstance(own, Quantity) else Fraction(0)
    inside = plan.assemblies[key].children if key in plan.assemblies else ()
    return total + sum((c.count * _power(plan, c.type) for c in inside if not c.spare), Fraction(0))


def _ring(id: str, rack: tuple[float, float, float, float]) -> Box:
    """Return a dot on the corner of a rack, beside its name."""
    return Box(id, rack[0] - 2, rack[1] - 2, 8, 8, palette.INK, palette.PAPER, 1.0, "ellipse", role="longest")


def _scale_bar(frame: _Frame) -> list[Mark]:
    """Return how long some metres are, and which way x and y run."""
    metres = next(m for m in _STEPS if m * frame.scale >= 50 or m == _STEPS[-1])
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
    """Return what stands on the floor."""
    entries: list[list[Mark]] = []
    for (child, key), number in sorted(Counter((spot.child, spot.key) for spot in spots).items()):
        look = _look(plan, key)
        id = f"legend-{identifier(child)}-{identifier(key)}"
        box = Box(f"{id}-box", 0, -6, 18, 12, look.fill, look.stroke, 0.7, "square", role="legend")
        text = f"{child}: {number:,} × {type_called(key)}"
        entries.append([box, Text(id, 24, 0, text, 11, False, palette.QUIET, "start", role="legend")])
    return entries


def _legend(survey: PlanSummary, runs: Sequence[Runs]) -> list[list[Mark]]:
    entries: list[list[Mark]] = []
    for name, colour in survey.colours.items():
        mine = [run for run in runs if run.medium == name]
        if mine:
            cables = sum(int(run.cables.sum()) for run in mine)
            total = sum(float((run.cables * run.length).sum()) for run in mine)
            max_length = max(float(run.length.max()) for run in mine)
            longest = format_number(max_length)
            text = f"{palette.medium_name(name)}: {cables:,} cables, {_metres(total)}, longest {longest} m"
            entries.append(
                [
                    Line(f"legend-{name}-line", straight((0.0, 0.0), (22.0, 0.0)), colour, 4.0, role="legend"),
                    Text(f"legend-{name}", 28, 0, text, 11, False, palette.QUIET, "start", role="legend"),
                ]
            )
    return entries
