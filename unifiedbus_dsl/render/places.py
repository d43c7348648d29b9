"""Where the devices of an assembly stand in a detail picture: by the shape that its cables give it.

A layout is made once for each type, as every instance looks alike. Switches stand in tiers above what they serve; what
is joined along rows and columns stands in rows and columns; what is joined all to all, or in a ring, in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from math import hypot, prod
from typing import TypeAlias

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan, Rule
from unifiedbus_dsl.ir.plan.index import axes_used
from unifiedbus_dsl.render.arrangements import Style, corners
from unifiedbus_dsl.render.cube import Cube, cube_of
from unifiedbus_dsl.render.marks import Point
from unifiedbus_dsl.render.plan_summary import Bundle, PlanSummary
from unifiedbus_dsl.render.tiers import tiers

Floats: TypeAlias = "NDArray[np.float64]"

PAD = 7.0
HEAD = 15.0
_LARGEST_CIRCLE = 200
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
    bare: bool = False
    """Whether its frame is left out, as cables pass between the devices in it and its neighbours."""


@frozen(eq=False, slots=False)
class Bed:
    """A child array in its place: the room that it takes, and where its elements are. `bare` means that lines may pass
    between the devices of neighbouring elements, whose frames are not drawn; `gaps` that a circle has any."""

    child: str
    style: Style
    tier: int
    left: float
    top: float
    right: float
    bottom: float
    corners: tuple[Point, ...]
    size: tuple[float, float]
    bare: bool = False
    gaps: bool = False

    @property
    def round(self) -> bool:
        return self.style == "circle"

    @cached_property
    def centre(self) -> Point:
        """The middle of a circle."""
        xs, ys = [x for x, _ in self.corners], [y for _, y in self.corners]
        return (min(xs) + max(xs) + self.size[0]) / 2, (min(ys) + max(ys) + self.size[1]) / 2

    @cached_property
    def inner(self) -> float:
        """The radius of the circle that lies within all elements of a circle."""
        return min(self._radii) - hypot(*self.size) / 2

    @cached_property
    def outer(self) -> float:
        """The radius of the circle that lies around all elements of a circle."""
        return max(self._radii) + hypot(*self.size) / 2

    @cached_property
    def _radii(self) -> tuple[float, ...]:
        cx, cy = self.centre
        return tuple(hypot(x + self.size[0] / 2 - cx, y + self.size[1] / 2 - cy) for x, y in self.corners)

    @cached_property
    def columns(self) -> tuple[tuple[float, float], ...]:
        """From left to right each column of elements."""
        return tuple((x, x + self.size[0]) for x in sorted({round(x, 3) for x, _ in self.corners}))

    @cached_property
    def rows(self) -> tuple[tuple[float, float], ...]:
        """From top to bottom each row of elements."""
        return tuple((y, y + self.size[1]) for y in sorted({round(y, 3) for _, y in self.corners}))

    def place(self, element: int) -> tuple[int, int]:
        """Row and column of an element."""
        x, y = self.corners[element]
        return self._numbers[1][round(y, 3)], self._numbers[0][round(x, 3)]

    @cached_property
    def _numbers(self) -> tuple[Mapping[float, int], Mapping[float, int]]:
        xs, ys = ({start: i for i, (start, _) in enumerate(lines)} for lines in (self.columns, self.rows))
        return xs, ys

    def beside(self, layout: Layout, x: float) -> float:
        """Return how much room there is to the right of a device whose right edge is at `x`."""
        starts = [left for left in layout.lefts if left > x + 0.1]
        return min(starts, default=max(self.right, x + 8.0)) - x


@frozen(eq=False)
class Halo:
    """Switches on a circle and hosts around them: the middle of each device, by its number in the layout; lines to
    hosts turn outwards at the radius `elbow`."""

    centre: Point
    radius: float
    elbow: float
    side: float
    spots: Mapping[int, Point]
    switches: frozenset[int]


@frozen(eq=False, slots=False)
class Layout:
    """A type laid out. `parts` are in the order of the devices; a device has none. `beds` are its child arrays and
    `tiers` the rooms that they stand in, from top to bottom."""

    key: str
    width: float
    height: float
    parts: tuple[Part, ...] = field(default=(), repr=False)
    beds: tuple[Bed, ...] = field(default=(), repr=False)
    tiers: tuple[tuple[float, float], ...] = ()
    counts: tuple[int, ...] = field(default=(), repr=False)
    """Devices in each part."""
    halo: Halo | None = field(default=None, repr=False)
    cube: Cube | None = field(default=None, repr=False)

    @property
    def holds_parts(self) -> bool:
        return bool(self.parts)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The first device of each part."""
        return tuple(accumulate(self.counts[:-1], initial=0))

    @cached_property
    def _beds(self) -> Mapping[str, Bed]:
        return {bed.child: bed for bed in self.beds}

    def bed_of(self, part: int) -> Bed:
        return self._beds[self.parts[part].child]

    @cached_property
    def lefts(self) -> tuple[float, ...]:
        """The left edges of all devices."""
        return tuple(sorted({round(float(x) - self.side / 2, 3) for x, _ in self.centres}))

    @cached_property
    def side(self) -> float:
        """The side of a device."""
        return self.parts[0].layout.side if self.parts else self.width

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
    """Return the layout of a type. `flat` asks for one row, so that equal boards can stand below each other."""
    plan = survey.plan
    if key in plan.devices:
        return Layout(key, sizes.side, sizes.side)
    assembly, bundles = plan.assemblies[key], survey.bundles[key]
    alone = len(assembly.children) == 1
    cube = _cube(survey, assembly, sizes) if alone and not flat else None
    if cube is not None:
        return _as_cube(assembly, cube, sizes)
    rows: list[list[_Group]] = []
    width = 0.0
    for row in tiers(plan, assembly, bundles):
        groups = []
        for child in row:
            inner = [b for b in bundles if b.left == child.name == b.right]
            style, dims = _style(plan, child, inner, alone, flat)
            inside = layout(survey, child.type, sizes, flat=style == "stack")
            gap = sizes.gap_between(child.type in plan.devices)
            at = corners(style, dims, inside, gap, width / len(row))
            bow = gap if inner and style != "circle" else 0.0
            bare = style == "stack" and len(inside.tiers) == 1 and len(inside.beds) == 1
            beside = 3 * gap if style == "stack" and not bare else 0.0
            groups.append(_Group(child, inside, at, style, bow, beside, bare, len(dims) > 1))
        rows.append(groups)
        width = max(width, _row_width(groups, sizes))
    beneath = {tier for tier, row in enumerate(rows) if _meet(bundles, [group.child.name for group in row])}
    return _tiered(plan, key, rows, sizes, beneath)


def _cube(survey: PlanSummary, assembly: AssemblyType, sizes: Sizes) -> Cube | None:
    """Return the cube that the only array of an assembly is, if its cables run along three dimensions."""
    plan, child = survey.plan, assembly.children[0]
    inner = [bundle for bundle in survey.bundles[assembly.key] if bundle.inner]
    if child.type not in plan.devices or not inner:
        return None
    style, dims = _style(plan, child, inner, True, False)
    return cube_of(plan, assembly, dims, sizes.side) if style == "grid" else None


def _as_cube(assembly: AssemblyType, cube: Cube, sizes: Sizes) -> Layout:
    """Return the layout of a cube, its name above it."""
    child, side = assembly.children[0], sizes.side
    leaf = Layout(child.type, side, side)
    shifted = evolve(cube, corner=(cube.corner[0] + PAD, cube.corner[1] + PAD + sizes.head))
    spots = [shifted.spot(*shifted.at(device)) for device in range(child.count)]
    parts = tuple(Part(child.name, i, x - side / 2, y - side / 2, leaf) for i, (x, y) in enumerate(spots))
    width, height = (max(spot[k] for spot in spots) + cube.unit + PAD for k in (0, 1))
    return Layout(assembly.key, width, height, parts, counts=(1,) * child.count, cube=shifted)


def _meet(bundles: Sequence[Bundle], names: Sequence[str]) -> bool:
    """Return whether cables run between arrays of one tier."""
    return any(b.left in names and b.right in names and not b.inner for b in bundles)


@frozen(eq=False)
class _Group:
    """A child array arranged: the corner of each element in row-major order, within a box of its own."""

    child: Child
    inside: Layout
    corners: tuple[Point, ...]
    style: Style
    bow: float = 0.0
    """How far cables inside bow out of the box, to the right and below."""
    beside: float = 0.0
    """Room on the right for cables that leave rows."""
    bare: bool = False
    gaps: bool = False

    @property
    def width(self) -> float:
        return max((x for x, _ in self.corners), default=0.0) + self.inside.width + max(self.bow, self.beside)

    @property
    def height(self) -> float:
        return max((y for _, y in self.corners), default=0.0) + self.inside.height + self.bow

    def placed(self, tier: int, x: float, y: float, corners: tuple[Point, ...]) -> Bed:
        """Return the array at its place."""
        size = self.inside.width, self.inside.height
        right, bottom = x + self.width, y + self.height
        return Bed(self.child.name, self.style, tier, x, y, right, bottom, corners, size, self.bare, self.gaps)


def _row_width(groups: Sequence[_Group], sizes: Sizes) -> float:
    return sum(group.width for group in groups) + 3 * sizes.gap * (len(groups) - 1)


def _tiered(plan: Plan, key: str, rows: Sequence[Sequence[_Group]], sizes: Sizes, beneath: Collection[int]) -> Layout:
    """Return the tiers on top of each other, the first at the bottom, each in the middle. Below those of `beneath`
    there is room for cables inside them."""
    inner = max((_row_width(row, sizes) for row in rows), default=0.0)
    sides = 3 * sizes.gap if len(rows) > 2 else 0.0
    tall = [max((group.height for group in row), default=0.0) for row in rows]
    gutter = max(2.2 * sizes.side, min(0.14 * inner, 330.0))
    low = 3 * sizes.gap if 0 in beneath else 0.0
    content = sum(tall) + gutter * (len(rows) - 1) + low
    pad = 1.5 if sizes.tiny else PAD
    head = sizes.head if content >= 26 else pad
    parts: dict[str, list[Part]] = {}
    beds: list[Bed] = []
    lanes: list[tuple[float, float]] = []
    y = head
    for tier, (row, height) in enumerate(zip(reversed(rows), reversed(tall), strict=True)):
        x = pad + sides + (inner - _row_width(row, sizes)) / 2
        for group in row:
            top = y + (height - group.height) / 2
            corners = tuple((x + dx, top + dy) for dx, dy in group.corners)
            parts[group.child.name] = [
                Part(group.child.name, element, *corner, group.inside, group.bare)
                for element, corner in enumerate(corners)
            ]
            beds.append(group.placed(tier, x, top, corners))
            x += group.width + 3 * sizes.gap
        lanes.append((y, y + height))
        y += height + gutter
    placed = tuple(part for name in sorted(parts) for part in parts[name])
    counts = tuple(plan.device_count[part.layout.key] for part in placed)
    width = inner + 2 * (pad + sides)
    return Layout(key, width, content + head + pad, placed, tuple(beds), tuple(lanes), counts)


def _style(plan: Plan, child: Child, inner: Sequence[Bundle], alone: bool, flat: bool) -> tuple[Style, tuple[int, ...]]:
    """Return how a child array is arranged, and the dimensions of that."""
    if not inner:
        return ("row" if flat else _loose_style(plan, child)), child.shape or (1,)
    dims = _dimensions(child, inner)
    if flat:
        return "row", dims
    if len(dims) == 2 and child.shape == dims and child.count <= _LARGEST_CIRCLE and _meets_elsewhere(inner):
        return "circle", dims
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
    """Return whether groups meet at different positions, as in a dragonfly: cables that change both subscripts."""
    return any(
        bool(((ends.left[0] != ends.right[0]) & (ends.left[1] != ends.right[1])).any())
        for bundle in inner
        for ends in bundle.ends or ()
    )


def _dimensions(child: Child, inner: Sequence[Bundle]) -> tuple[int, ...]:
    """Return the dimensions along which the cables inside an array run: those of the array, or those of a torus or a
    mesh that was laid over its only one."""
    if len(child.shape) != 1:
        return child.shape or (1,)
    if {bundle.pattern for bundle in inner} == {"hypercube"}:
        return (2,) * (child.count.bit_length() - 1)
    dimensions: dict[str, int] = {}
    for bundle in inner:
        for rule in bundle.rules:
            used = [name for expr in rule.left.at for name in axes_used(expr)]
            for axis in rule.axes:
                if axis.name in used and bundle.pattern in ("torus", "mesh", "hyperx"):
                    dimensions[axis.name] = max(dimensions.get(axis.name, 0), axis.high + 1)
    dims = tuple(dimensions[name] for name in sorted(dimensions))
    return dims if dims and prod(dims) == child.count else child.shape


def _aligned(plan: Plan, child: Child, inner: Sequence[Bundle]) -> bool:
    """Return whether cables between elements join equal positions in them, as along the columns of a grid."""
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
    """Return the devices that each cable of a rule joins, counted within the assembly: int64, shape (cables,)."""
    at = plan.numbering.rule_points(assembly.key, number)
    rule = assembly.rules[number]
    sides = (plan.numbering.ends(assembly.key, ref, at) for ref in (rule.left, rule.right))
    left, right = (np.broadcast_to(side.base + side.offset, at.shape).ravel() for side in sides)
    return left, right
