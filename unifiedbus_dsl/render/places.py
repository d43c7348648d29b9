"""Where the devices of an assembly stand in a detail picture: by the shape that its cables give it.

A layout is made once for each type, as every instance looks alike. Switches stand in tiers above what they serve; what
is joined along rows and columns stands in rows and columns; what is joined all to all, or in a ring, in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import ceil, cos, hypot, pi, prod, sin, sqrt
from typing import Literal, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan, Rule
from unifiedbus_dsl.ir.plan.index import axes_used
from unifiedbus_dsl.render.marks import Point
from unifiedbus_dsl.render.plan_summary import Bundle, PlanSummary
from unifiedbus_dsl.render.tiers import tiers

Floats: TypeAlias = "NDArray[np.float64]"
Style: TypeAlias = Literal["row", "grid", "circle", "orbit", "stack", "clumps", "columns", "groups", "wrap"]

PAD = 7.0
HEAD = 15.0
ASPECT = 1.7
_LARGEST_CIRCLE = 96
_LARGEST_CLUMP = 16
_LONGEST_ROW = 80


@frozen(eq=False)
class Part:
    """An element of a child array in its place: its top left corner within the layout of the assembly."""

    child: str
    element: int
    x: float
    y: float
    layout: Layout


@frozen(eq=False, slots=False)
class Layout:
    """A type laid out. `parts` are in the order of the devices; a device has none. `styles` says how each child array
    is arranged."""

    key: str
    width: float
    height: float
    parts: tuple[Part, ...] = field(default=(), repr=False)
    styles: Mapping[str, Style] = field(factory=dict)

    @cached_property
    def centres(self) -> Floats:
        """The middle of each device, shape (devices, 2)."""
        if not self.parts:
            return np.array([[self.width / 2, self.height / 2]])
        return np.concatenate([np.add(part.layout.centres, (part.x, part.y)) for part in self.parts])


@frozen
class Sizes:
    """Side of a device and the gap between two, and the room for the name of an assembly, in points."""

    side: float
    gap: float
    head: float = HEAD

    @property
    def tiny(self) -> bool:
        return self.side < 10

    def gap_between(self, devices: bool) -> float:
        return self.gap if devices or self.tiny else max(self.gap, 6.0)


def sizes_for(devices: int) -> Sizes:
    """Sizes at which so many devices fill a page."""
    for most, side, gap in ((16, 46, 34), (100, 28, 24), (800, 14, 9), (3000, 9, 4)):
        if devices <= most:
            return Sizes(side, gap)
    return Sizes(6, 2.5)


def layout(survey: PlanSummary, key: str, sizes: Sizes, flat: bool = False) -> Layout:
    """The layout of a type. `flat` asks for one row, so that equal boards can stand below each other."""
    plan = survey.plan
    if key in plan.devices:
        return Layout(key, sizes.side, sizes.side)
    assembly, bundles = plan.assemblies[key], survey.bundles[key]
    alone = len(assembly.children) == 1
    rows: list[list[_Group]] = []
    room = 0.0
    for row in tiers(plan, assembly, bundles):
        groups = []
        for child in row:
            inner = [b for b in bundles if b.left == child.name == b.right]
            style, dims = _style(plan, child, inner, alone, flat)
            if style == "columns" and any(_round(survey, other.type) for other in assembly.children):
                style = "wrap"  # columns stand below the rows of switches, and there are none
            inside = layout(survey, child.type, sizes, flat=style == "stack")
            gap = sizes.gap_between(child.type in plan.devices)
            corners = _corners(style, dims, inside, gap, room / len(row))
            bow = _bow(dims, inside.width + gap) if style == "grid" else 0.0
            groups.append(_Group(child, inside, corners, style, bow))
        rows.append(groups)
        room = max(room, _row_width(groups, sizes))
    return _tiered(key, rows, sizes)


@frozen(eq=False)
class _Group:
    """A child array arranged: the corner of each element in row-major order, within a box of its own."""

    child: Child
    inside: Layout
    corners: tuple[Point, ...]
    style: Style
    bow: float = 0.0
    """How far cables inside bow out of the box, to the right and below."""

    @property
    def width(self) -> float:
        return max((x for x, _ in self.corners), default=0.0) + self.inside.width + self.bow

    @property
    def height(self) -> float:
        return max((y for _, y in self.corners), default=0.0) + self.inside.height + self.bow


def _row_width(groups: Sequence[_Group], sizes: Sizes) -> float:
    return sum(group.width for group in groups) + 3 * sizes.gap * (len(groups) - 1)


def _tiered(key: str, rows: Sequence[Sequence[_Group]], sizes: Sizes) -> Layout:
    """The tiers on top of each other, the first at the bottom, each in the middle."""
    inner = max((_row_width(row, sizes) for row in rows), default=0.0)
    tall = [max((group.height for group in row), default=0.0) for row in rows]
    gutter = max(2.2 * sizes.side, min(0.14 * inner, 330.0))
    content = sum(tall) + gutter * (len(rows) - 1)
    pad = 1.5 if sizes.tiny else PAD
    head = sizes.head if content >= 26 else pad
    parts: dict[str, list[Part]] = {}
    y = head
    for row, height in zip(reversed(rows), reversed(tall), strict=True):
        x = pad + (inner - _row_width(row, sizes)) / 2
        for group in row:
            top = y + (height - group.height) / 2
            parts[group.child.name] = [
                Part(group.child.name, element, x + dx, top + dy, group.inside)
                for element, (dx, dy) in enumerate(group.corners)
            ]
            x += group.width + 3 * sizes.gap
        y += height + gutter
    order = sorted(parts)
    styles = {group.child.name: group.style for row in rows for group in row}
    placed = tuple(part for name in order for part in parts[name])
    return Layout(key, inner + 2 * pad, content + head + pad, placed, styles)


def _corners(style: Style, dims: tuple[int, ...], inside: Layout, gap: float, room: float) -> tuple[Point, ...]:
    """Top left corners of the elements, row-major."""
    width, height = inside.width + gap, inside.height + gap
    count = prod(dims)
    if style == "row":
        width = max(width, min(3 * width, 0.8 * room / count))
        return tuple((i * width, 0.0) for i in range(count))
    if style == "stack":
        return tuple((0.0, i * height) for i in range(count))
    if style == "circle":
        return _circle(count, inside, gap)
    if style == "grid":
        return _planes(dims, width, height, gap)
    if style == "orbit":
        return _orbit(dims, inside, gap)
    if style == "groups":
        apart = dims[1] * width + gap
        return tuple((i * apart + j * width, 0.0) for i in range(dims[0]) for j in range(dims[1]))
    if style == "columns":
        return _hanging(dims, width, height, gap)
    if style == "clumps":
        return _clumps(dims, width, height, gap)
    columns = _columns(count, width, height, room)
    if columns == count and room > count * width:
        width = min(3 * width, 0.8 * room / count)
    return tuple((i % columns * width, i // columns * height) for i in range(count))


def _circle(count: int, inside: Layout, gap: float) -> tuple[Point, ...]:
    """Clockwise from the top, no two touching."""
    apart = hypot(inside.width, inside.height) + gap * 0.4
    radius = max(apart / (2 * sin(pi / count)), apart * 0.8) if count > 1 else 0.0
    angles = [2 * pi * i / count - pi / 2 for i in range(count)]
    points = [(radius * cos(angle), radius * sin(angle)) for angle in angles]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return tuple((x - left, y - top) for x, y in points)


def _orbit(dims: tuple[int, ...], inside: Layout, gap: float) -> tuple[Point, ...]:
    """A circle for the elements of each first subscript, these on a larger circle."""
    small = _circle(dims[1], inside, gap * 0.5)
    width, height = (max(point[k] for point in small) + (inside.width, inside.height)[k] for k in (0, 1))
    large = _circle(dims[0], Layout(inside.key, width, height), gap)
    return tuple((x + dx, y + dy) for x, y in large for dx, dy in small)


def _planes(dims: tuple[int, ...], width: float, height: float, gap: float) -> tuple[Point, ...]:
    """Rows and columns for the last two dimensions; planes of these side by side, each a little lower than the one
    before, so that cables between planes are seen."""
    rows, columns = dims[-2], dims[-1]
    count = prod(dims[:-2])
    across = max(1, round(sqrt(count * 2.2 * rows * height / (columns * width)))) if count > 4 else count
    step = 0.38 * height if count > 1 else 0.0
    corners = []
    for plane in range(count):
        left = plane % across * (columns * width + 2 * gap)
        top = plane // across * (rows * height + across * step + gap) + plane % across * step
        corners += [(left + c * width, top + r * height) for r in range(rows) for c in range(columns)]
    return tuple(corners)


def _hanging(dims: tuple[int, ...], width: float, height: float, gap: float) -> tuple[Point, ...]:
    """The elements of each switch below it, one below the other, as wide as `groups` of these switches."""
    rows, across, groups = dims[-1], dims[-2], prod(dims[:-2])
    apart = across * width + gap
    aside = 0.6 * gap / max(rows - 1, 1)
    return tuple(
        (g * apart + i * width + (j - (rows - 1) / 2) * aside + 0.3 * gap, j * height)
        for g in range(groups)
        for i in range(across)
        for j in range(rows)
    )


def _clumps(dims: tuple[int, ...], width: float, height: float, gap: float) -> tuple[Point, ...]:
    """The elements of each first subscript in a square, these side by side: the hosts of each switch below it."""
    across = ceil(sqrt(dims[1]))
    pitch = across * width + gap
    return tuple((i * pitch + j % across * width, j // across * height) for i in range(dims[0]) for j in range(dims[1]))


def bow_depth(pitch: float, distance: float) -> float:
    """How deep the arc of a cable along a row or a column is, `distance` away from what it joins."""
    return pitch * (0.22 + 0.07 * min(8.0, distance / pitch))


def _round(survey: PlanSummary, key: str) -> bool:
    """Whether something in a type stands in circles."""
    if key in survey.plan.devices:
        return False
    for child in survey.plan.assemblies[key].children:
        inner = [b for b in survey.bundles[key] if b.left == child.name == b.right]
        alone = len(survey.plan.assemblies[key].children) == 1
        if _style(survey.plan, child, inner, alone, False)[0] in ("circle", "orbit") or _round(survey, child.type):
            return True
    return False


def _bow(dims: tuple[int, ...], pitch: float) -> float:
    """How far the longest cables of a grid bow out, beyond the half of a device that lies there anyway."""
    longest = max(dims[-2:]) - 1
    return max(0.0, bow_depth(pitch, longest * pitch) - pitch / 4) if longest > 1 else 0.0


def _columns(count: int, width: float, height: float, room: float) -> int:
    """How many columns: as many as there is room for, or those that make a wide page; a divisor if one is near."""
    wish = room / width if room else sqrt(count * ASPECT * height / width)
    if count <= 16 and (not room or count * width <= max(room * 1.3, 16 * 80)):
        return count
    wish = max(1.0, min(count, wish))
    near = [d for d in range(1, count + 1) if count % d == 0 and 0.62 <= d / wish <= 1.15]
    return min(near, key=lambda d: (abs(d - wish), d)) if near else ceil(wish)


def _style(plan: Plan, child: Child, inner: Sequence[Bundle], alone: bool, flat: bool) -> tuple[Style, tuple[int, ...]]:
    """How a child array is arranged, and the dimensions of that."""
    if not inner:
        return ("row" if flat else _loose_style(plan, child)), child.shape or (1,)
    dims = _dimensions(child, inner)
    if flat:
        return "row", dims
    if len(dims) == 2 and child.shape == dims and dims[0] <= _LARGEST_CIRCLE and _meets_elsewhere(inner):
        return "orbit", dims
    if len(dims) > 1:
        return "grid", dims
    if child.type in plan.assemblies and _aligned(plan, child, inner):
        return "stack", dims
    if alone and child.count <= _LARGEST_CIRCLE and any(bundle.pattern != "line" for bundle in inner):
        return "circle", dims
    return ("row" if child.count <= 16 else "wrap"), dims


def _loose_style(plan: Plan, child: Child) -> Style:
    """For an array without cables inside."""
    device = plan.devices.get(child.type)
    if device is not None and device.kind != "switch" and len(child.shape) > 2 and _fits_columns(child):
        return "columns"
    if device is None or len(child.shape) != 2:
        return "wrap"
    if device.kind != "switch" and child.shape[1] <= _LARGEST_CLUMP:
        return "clumps"
    return "groups" if child.count <= _LONGEST_ROW else "wrap"


def _fits_columns(child: Child) -> bool:
    return prod(child.shape[:-1]) <= _LONGEST_ROW and child.shape[-1] <= _LARGEST_CLUMP


def _meets_elsewhere(inner: Sequence[Bundle]) -> bool:
    """Whether groups meet at different positions, as in a dragonfly: cables that change both subscripts."""
    return any(
        bool(((ends.left[0] != ends.right[0]) & (ends.left[1] != ends.right[1])).any())
        for bundle in inner
        for ends in bundle.ends or ()
    )


def _dimensions(child: Child, inner: Sequence[Bundle]) -> tuple[int, ...]:
    """The dimensions along which the cables inside an array run: those of the array, or those of a torus or a mesh that
    was laid over its only one."""
    if len(child.shape) != 1:
        return child.shape or (1,)
    found: dict[str, int] = {}
    for bundle in inner:
        for rule in bundle.rules:
            used = [name for expr in rule.left.at for name in axes_used(expr)]
            for axis in rule.axes:
                if axis.name in used and bundle.pattern in ("torus", "mesh", "hyperx"):
                    found[axis.name] = max(found.get(axis.name, 0), axis.high + 1)
    dims = tuple(found[name] for name in sorted(found))
    return dims if dims and prod(dims) == child.count else child.shape


def _aligned(plan: Plan, child: Child, inner: Sequence[Bundle]) -> bool:
    """Whether cables between elements join equal positions in them, as along the columns of a grid."""
    assembly = next(a for a in plan.assemblies.values() if child in a.children)
    size = plan.device_count[child.type]
    start = plan.numbering.child_starts[assembly.key][plan.numbering.child_number(assembly.key, child.name)]
    for bundle in inner:
        for rule in bundle.rules:
            left, right = rule_ends(plan, assembly, rule_number(assembly, rule))
            if bool((((left - start) % size) != ((right - start) % size)).any()):
                return False
    return True


def rule_number(assembly: AssemblyType, rule: Rule) -> int:
    return next(n for n, other in enumerate(assembly.rules) if other is rule)


def rule_ends(plan: Plan, assembly: AssemblyType, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The devices that each cable of a rule joins, counted within the assembly: int64, shape (cables,)."""
    at = plan.numbering.rule_points(assembly.key, number)
    rule = assembly.rules[number]
    sides = (plan.numbering.ends(assembly.key, ref, at) for ref in (rule.left, rule.right))
    left, right = (np.broadcast_to(side.base + side.offset, at.shape).ravel() for side in sides)
    return left, right
