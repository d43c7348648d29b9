"""Ways of cables through a detail picture: out of the frames that hold their ends, along the gutters between rows and
columns, straight across a circle, never behind a box that is not around one of their ends.

Points are in the frame of the layout that a function is given.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable
from math import hypot
from typing import Literal, TypeAlias

from attrs import define, field, frozen

from unifiedbus_dsl.render.marks import Point, hanging, polyline, straight
from unifiedbus_dsl.render.places import Bed, Halo, Layout, Part

Way: TypeAlias = Literal["up", "down"]
Path: TypeAlias = tuple[Point, ...]
Key: TypeAlias = tuple[Hashable, ...]

_STEP = 3.0
"""Points between two lines side by side, where there is room."""


@define(eq=False)
class Slots:
    """Places of lines that run side by side. All lines are routed twice: first to learn how many meet where, then,
    after `settle`, for good."""

    _wishes: dict[Key, list[float]] = field(factory=lambda: defaultdict(list))
    _rooms: dict[Key, tuple[float, float]] = field(factory=dict)
    _given: dict[Key, list[float]] = field(factory=dict)
    _settled: bool = False

    def place(self, key: Key, low: float, high: float, wish: float) -> float:
        """Return where a line runs that has the room from `low` to `high` and wishes to be near `wish`."""
        if self._settled:
            return self._given[key].pop()
        self._wishes[key].append(wish)
        self._rooms[key] = low, high
        return (low + high) / 2

    def settle(self) -> None:
        """Give each line a place of its own, in the order of where they wish to be."""
        self._settled = True
        for key, wishes in self._wishes.items():
            low, high = self._rooms[key]
            step = min(_STEP, (high - low) / (len(wishes) + 1))
            start = (low + high - step * (len(wishes) - 1)) / 2
            order = sorted(range(len(wishes)), key=lambda i: wishes[i])
            ranks = {at: rank for rank, at in enumerate(order)}
            self._given[key] = [start + step * ranks[i] for i in reversed(range(len(wishes)))]


@frozen
class End:
    """A device (or a whole part, where `device` is None) in a layout: the number of the part that it is in, and its
    own number there."""

    part: int
    device: int | None


def end_at(layout: Layout, device: int, whole: bool = False) -> End:
    """Return the part that holds a device of the layout; `whole` means the part itself."""
    part = bisect_right(layout.starts, device) - 1
    return End(part, None if whole else device - layout.starts[part])


def way_between(layout: Layout, a: End, b: End, slots: Slots) -> Path:
    """Return the path of a cable between two devices in different parts of a layout."""
    if a.part == b.part:
        return _within_part(layout, a, b, slots)
    if layout.cube is not None:
        return layout.cube.path(a.part, b.part)
    if layout.halo is not None:
        return _in_halo(layout.halo, *(layout.starts[end.part] + (end.device or 0) for end in (a, b)))
    bed_a, bed_b = layout.bed_of(a.part), layout.bed_of(b.part)
    if bed_a is not bed_b:
        return _between_beds(layout, a, b, bed_a, bed_b, slots)
    if bed_a.round:
        return _chord(layout, a, b, bed_a, slots)
    return _in_lattice(layout, a, b, bed_a, slots)


def _within_part(layout: Layout, a: End, b: End, slots: Slots) -> Path:
    part = layout.parts[a.part]
    if a.device is None or b.device is None or a.device == b.device:
        return straight(_middle(layout, a), _middle(layout, b))
    path = way_between(part.layout, end_at(part.layout, a.device), end_at(part.layout, b.device), slots)
    return tuple((x + part.x, y + part.y) for x, y in path)


# ---- out of frames ----------------------------------------------------------------------------------------------


def _rect(layout: Layout, part: int) -> tuple[float, float, float, float]:
    at: Part = layout.parts[part]
    return at.x, at.y, at.x + at.layout.width, at.y + at.layout.height


def _middle(layout: Layout, end: End) -> Point:
    part = layout.parts[end.part]
    if end.device is None or not part.layout.parts:
        return part.x + part.layout.width / 2, part.y + part.layout.height / 2
    x, y = part.layout.centres[end.device].tolist()
    return part.x + x, part.y + y


def _out_of_part(layout: Layout, end: End, way: Way, wish: float, slots: Slots, key: Key) -> list[Point]:
    """From the edge of a device to the upper or lower edge of the part that holds it."""
    left, top, right, bottom = _rect(layout, end.part)
    part = layout.parts[end.part]
    if end.device is None or not part.layout.parts:
        inset = 0.12 * (right - left)
        x = slots.place((*key, end.part, way), left + inset, right - inset, wish)
        return [(x, top if way == "up" else bottom)]
    inner = end_at(part.layout, end.device)
    points = _out_of_layout(part.layout, inner, way, wish - part.x, slots, (*key, end.part))
    return [(x + part.x, y + part.y) for x, y in points]


def _out_of_layout(layout: Layout, end: End, way: Way, wish: float, slots: Slots, key: Key) -> list[Point]:
    points = _out_of_tier(layout, end, way, wish, slots, key)
    tier = layout.bed_of(end.part).tier
    beyond = range(tier - 1, -1, -1) if way == "up" else range(tier + 1, len(layout.tiers))
    for other in beyond:
        points += _past_tier(layout, other, way, wish, slots, key)
    return [*points, (points[-1][0], 0.0 if way == "up" else layout.height)]


def _past_tier(layout: Layout, tier: int, way: Way, wish: float, slots: Slots, key: Key) -> list[Point]:
    """Beside the arrays of a tier."""
    spans = sorted((bed.left, bed.right) for bed in layout.beds if bed.tier == tier)
    edges = [0.0, *(x for span in spans for x in span), layout.width]
    gaps = [(low + 1, high - 1) for low, high in zip(edges[::2], edges[1::2], strict=True) if high - low > 3]
    gaps = gaps or [(layout.width, layout.width + 8)]
    number = min(range(len(gaps)), key=lambda i: abs(min(max(wish, gaps[i][0]), gaps[i][1]) - wish))
    low, high = gaps[number]
    near = min(max(wish, low), high)
    low, high = max(low, near - 60), min(high, near + 60)
    x = slots.place((*key, "past", tier, number), low, high, wish)
    top, bottom = layout.tiers[tier]
    return [(x, bottom), (x, top)] if way == "up" else [(x, top), (x, bottom)]


def _out_of_tier(layout: Layout, end: End, way: Way, wish: float, slots: Slots, key: Key) -> list[Point]:
    """From the edge of a device to the upper or lower edge of its tier."""
    bed = layout.bed_of(end.part)
    if bed.round:
        return _out_of_circle(layout, end, bed, way, slots, key)
    points = _out_of_part(layout, end, way, wish, slots, key)
    row, column = bed.place(layout.parts[end.part].element)
    ahead = row > 0 if way == "up" else row < len(bed.rows) - 1
    top, bottom = layout.tiers[bed.tier]
    if ahead:
        gutter = _gutter(bed, row - 1 if way == "up" else row, points[-1][1], slots, wish, (*key, bed.child))
        x = _column_gap(bed, column, wish, slots, (*key, bed.child))
        points += [(points[-1][0], gutter), (x, gutter)]
    return [*points, (points[-1][0], top if way == "up" else bottom)]


def _gutter(bed: Bed, row: int, wish: float, slots: Slots, side: float, key: Key) -> float:
    """Return the height of a line in the gutter below a row (of the last: below the array)."""
    low = bed.rows[row][1]
    high = bed.rows[row + 1][0] if row + 1 < len(bed.rows) else max(low + 6.0, bed.bottom)
    return slots.place((*key, "row", row), low + 1, high - 1, side)


def _column_gap(bed: Bed, column: int, wish: float, slots: Slots, key: Key) -> float:
    """Return the x of a line beside a column, on the side to which it goes."""
    left, right = bed.columns[column]
    last = len(bed.columns) - 1
    after = column if (wish >= (left + right) / 2 and column < last) or column == 0 else column - 1
    low = bed.columns[after][1]
    high = bed.columns[after + 1][0] if after < last else max(bed.right, low + 6.0)
    return slots.place((*key, "column", after), low + 1, high - 1, wish)


def _out_of_circle(layout: Layout, end: End, bed: Bed, way: Way, slots: Slots, key: Key) -> list[Point]:
    """Outwards from a circle, then around it where the other half is in the way."""
    cx, cy = bed.centre
    left, top, right, bottom = _rect(layout, end.part)
    x, y = (left + right) / 2, (top + bottom) / 2
    edge = layout.tiers[bed.tier][0 if way == "up" else 1]
    if end.device is not None and layout.parts[end.part].layout.parts:
        points = _out_of_part(layout, end, "up" if y < cy else "down", x, slots, key)
    else:
        points = [(x, y)]
    away = max(hypot(points[-1][0] - cx, points[-1][1] - cy), 1e-9)
    share = max(1.0, bed.outer / away)
    points.append((cx + (points[-1][0] - cx) * share, cy + (points[-1][1] - cy) * share))
    if (y < cy) == (way == "up"):
        return [*points, (points[-1][0], edge)]
    right_side = x >= cx
    low, high = (bed.right + 2, bed.right + 12) if right_side else (bed.left - 12, bed.left - 2)
    around = slots.place((*key, bed.child, right_side), low, high, x)
    return [*points, (around, points[-1][1]), (around, edge)]


# ---- between ----------------------------------------------------------------------------------------------------


def _between_beds(layout: Layout, a: End, b: End, bed_a: Bed, bed_b: Bed, slots: Slots) -> Path:
    xa, xb = _middle(layout, a)[0], _middle(layout, b)[0]
    if bed_a.tier == bed_b.tier:
        way: Way = "down" if bed_a.tier + 1 < len(layout.tiers) or bed_a.tier == 0 else "up"
        one, other = (_out_of_tier(layout, e, way, x, slots, ()) for e, x in ((a, xb), (b, xa)))
        edge = layout.tiers[bed_a.tier][1 if way == "down" else 0]
        track = slots.place(
            ("track", bed_a.tier, way), *((edge + 3, edge + 18) if way == "down" else (edge - 18, edge - 3)), xa
        )
        return polyline(*one, (one[-1][0], track), (other[-1][0], track), *reversed(other))
    (upper, x_down), (lower, x_up) = sorted(((a, xb), (b, xa)), key=lambda each: layout.bed_of(each[0].part).tier)
    first, last = layout.bed_of(upper.part).tier, layout.bed_of(lower.part).tier
    points = _out_of_tier(layout, upper, "down", x_down, slots, ())
    for tier in range(first + 1, last):
        points += _past_tier(layout, tier, "down", (xa + xb) / 2, slots, ())
    points += reversed(_out_of_tier(layout, lower, "up", x_up, slots, ()))
    return polyline(*(points if upper is a else points[::-1]))


def _chord(layout: Layout, a: End, b: End, bed: Bed, slots: Slots) -> Path:
    """Across a circle: a curve that stays within the circle on which its ends lie."""
    (start, within_a), (stop, within_b) = (_inner_side(layout, end, bed, slots) for end in (a, b))
    cx, cy = bed.centre
    number = len(bed.corners)
    apart = abs(layout.parts[a.part].element - layout.parts[b.part].element)
    if min(apart, number - apart) == 1 and not layout.parts[a.part].layout.parts:
        return straight(_middle(layout, a), _middle(layout, b))
    pull = 0.4 * hypot(start[0] - stop[0], start[1] - stop[1]) / (2 * bed.outer)
    curve = (
        start,
        (start[0] + (cx - start[0]) * pull, start[1] + (cy - start[1]) * pull),
        (stop[0] + (cx - stop[0]) * pull, stop[1] + (cy - stop[1]) * pull),
        stop,
    )
    return (*polyline(*within_a)[:-1], *curve, *polyline(*reversed(within_b))[1:])


def _in_halo(halo: Halo, a: int, b: int) -> Path:
    """Across the circle between two switches; from a switch to its host outwards, and never behind another host."""
    if a in halo.switches and b in halo.switches:
        return _across(halo, halo.spots[a], halo.spots[b])
    switch, host = (a, b) if a in halo.switches else (b, a)
    (cx, cy), (x, y) = halo.centre, halo.spots[host]
    share = halo.elbow / hypot(x - cx, y - cy)
    corners = halo.spots[switch], (cx + (x - cx) * share, cy + (y - cy) * share), (x, y)
    return polyline(*(corners if switch is a else corners[::-1]))


def _across(halo: Halo, a: Point, b: Point) -> Path:
    """From each switch inwards, then a curve that stays within the circle inside all of them."""
    cx, cy = halo.centre
    share = (halo.radius - 0.85 * halo.side) / halo.radius
    start, stop = ((cx + (x - cx) * share, cy + (y - cy) * share) for x, y in (a, b))
    pull = 0.4 * hypot(start[0] - stop[0], start[1] - stop[1]) / (2 * halo.radius)
    bent = tuple((x + (cx - x) * pull, y + (cy - y) * pull) for x, y in (start, stop))
    return (*straight(a, start)[:-1], start, *bent, stop, *straight(stop, b)[1:])


def _inner_side(layout: Layout, end: End, bed: Bed, slots: Slots) -> tuple[Point, list[Point]]:
    """Where a chord leaves the circle that lies within all boxes, and the points from the device to there."""
    cx, cy = bed.centre
    left, top, right, bottom = _rect(layout, end.part)
    x, y = (left + right) / 2, (top + bottom) / 2
    if end.device is None or not layout.parts[end.part].layout.parts:
        away = max(hypot(x - cx, y - cy), 1e-9)
        share = bed.inner / away
        edge = cx + (x - cx) * share, cy + (y - cy) * share
        return edge, [(x, y), edge]
    points = _out_of_part(layout, end, "down" if y < cy else "up", cx, slots, ())
    away = max(hypot(points[-1][0] - cx, points[-1][1] - cy), 1e-9)
    share = min(1.0, bed.inner / away)
    edge = cx + (points[-1][0] - cx) * share, cy + (points[-1][1] - cy) * share
    return edge, [*points, edge]


def _in_lattice(layout: Layout, a: End, b: End, bed: Bed, slots: Slots) -> Path:
    """Along a row or a column beside what lies between, else along the gutters."""
    (ra, ca), (rb, cb) = (bed.place(layout.parts[end.part].element) for end in (a, b))
    alone = all(end.device is None or not layout.parts[end.part].layout.parts for end in (a, b))
    key: Key = (bed.child,)
    if ra == rb and abs(ca - cb) == 1 and alone:
        return _to_neighbour(layout, a, b, 0)
    if ca == cb and abs(ra - rb) == 1 and alone:
        return _to_neighbour(layout, a, b, 1)
    if ra == rb:
        xa, xb = _middle(layout, a)[0], _middle(layout, b)[0]
        one, other = (_out_of_part(layout, end, "down", x, slots, ()) for end, x in ((a, xb), (b, xa)))
        low = bed.rows[ra][1]
        space = (bed.rows[ra + 1][0] if ra + 1 < len(bed.rows) else bed.bottom) - low
        depth = _depth(space, abs(ca - cb), len(bed.columns))
        return (*polyline(*one)[:-1], *hanging(one[-1], other[-1], depth), *polyline(*reversed(other))[1:])
    if ca == cb and (alone or bed.bare):
        return _beside_column(layout, a, b, bed, slots)
    return _by_gutters(layout, a, b, bed, (ra, ca), (rb, cb), slots, key)


def _depth(room: float, span: int, count: int) -> float:
    """Return how far an arc leaves its row: the farther it goes, the more."""
    return max(room, 3.0) * (0.3 + 0.6 * min(1.0, (span - 1) / max(1, count - 2)))


def _to_neighbour(layout: Layout, a: End, b: End, axis: int) -> Path:
    """Straight from edge to edge."""
    first, second = (_rect(layout, end.part) for end in (a, b))
    low, high = (first, second) if first[axis] < second[axis] else (second, first)
    across = (low[1 - axis] + low[3 - axis]) / 2
    ends = (low[2 + axis], across), (high[axis], across)
    points = ends if axis == 0 else tuple((y, x) for x, y in ends)
    return straight(*(points if low is first else points[::-1]))


def _beside_column(layout: Layout, a: End, b: End, bed: Bed, slots: Slots) -> Path:
    """Between equal places in two rows: an arc on the right of their column."""
    boxes = [_device_rect(layout, end) for end in (a, b)]
    (one, other) = (boxes[0], boxes[1]) if boxes[0][1] < boxes[1][1] else (boxes[1], boxes[0])
    rows = sorted(bed.place(layout.parts[end.part].element)[0] for end in (a, b))
    if rows[1] - rows[0] == 1:
        x = (one[0] + one[2]) / 2
        return straight((x, one[3]), (x, other[1]))
    space = bed.beside(layout, one[2])
    depth = _depth(space, rows[1] - rows[0], len(bed.rows)) * 4 / 3
    ya, yb = (one[1] + one[3]) / 2, (other[1] + other[3]) / 2
    lean = (yb - ya) * 0.1
    return (one[2], ya), (one[2] + depth, ya + lean), (other[2] + depth, yb - lean), (other[2], yb)


def _device_rect(layout: Layout, end: End) -> tuple[float, float, float, float]:
    part = layout.parts[end.part]
    if end.device is None or not part.layout.parts:
        return _rect(layout, end.part)
    inner = _device_rect(part.layout, end_at(part.layout, end.device))
    return inner[0] + part.x, inner[1] + part.y, inner[2] + part.x, inner[3] + part.y


def _by_gutters(
    layout: Layout,
    a: End,
    b: End,
    bed: Bed,
    at: tuple[int, int],
    to: tuple[int, int],
    slots: Slots,
    key: Key,
) -> Path:
    """Down into the gutter below the one's row, along a column gap, to the gutter below the other's row."""
    xa, xb = _middle(layout, a)[0], _middle(layout, b)[0]
    one, other = (_out_of_part(layout, end, "down", x, slots, ()) for end, x in ((a, xb), (b, xa)))
    gutters = [
        _gutter(bed, row, points[-1][1], slots, points[-1][0], key) for points, row in ((one, at[0]), (other, to[0]))
    ]
    if at[0] == to[0]:
        return polyline(*one, (one[-1][0], gutters[0]), (other[-1][0], gutters[0]), *reversed(other))
    x = _column_gap(bed, at[1], xb, slots, key)
    corners = (one[-1][0], gutters[0]), (x, gutters[0]), (x, gutters[1]), (other[-1][0], gutters[1])
    return polyline(*one, *corners, *reversed(other))
