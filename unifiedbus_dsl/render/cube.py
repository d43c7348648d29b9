"""Three-dimensional meshes and tori as a cube seen from an edge: the first dimension goes back into the page.

Middles of devices lie on a lattice of squares, no two of a row or a column on one line with a device of another layer,
so that every cable to a neighbour is a straight line that passes none. Wraps, twisted ones too, run along the lines
half-way between.
"""

from __future__ import annotations

from itertools import product
from math import gcd

import numpy as np
from attrs import frozen

from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.render.marks import Point, polyline

FEWEST, MOST = 8, 1000
"""Devices of a cube."""
SIDE = 0.55
"""Side of a device in units of the lattice."""
_CLEAR = 0.38
"""How far a cable keeps away from the middle of a device, in units of the lattice."""


@frozen(eq=False)
class Cube:
    """`dims` layers, rows and columns; a layer lies `back` to the right of the one before it and above it, in units of
    `unit` points. `corner` is the middle of the first device."""

    dims: tuple[int, int, int]
    back: tuple[int, int]
    unit: float
    corner: Point

    def at(self, device: int) -> tuple[int, int]:
        """Return the place of a device on the lattice."""
        layer, row, column = (int(k) for k in np.unravel_index(device, self.dims))
        return column * self.dims[0] + layer * self.back[0], row * self.dims[0] - layer * self.back[1]

    def spot(self, x: float, y: float) -> Point:
        return self.corner[0] + x * self.unit, self.corner[1] + y * self.unit

    def path(self, a: int, b: int) -> tuple[Point, ...]:
        """Return the way of a cable between two devices."""
        one, other = (np.array(np.unravel_index(device, self.dims)) for device in (a, b))
        (xa, ya), (xb, yb) = self.at(a), self.at(b)
        if int(np.abs(one - other).sum()) == 1:
            return polyline(self.spot(xa, ya), self.spot(xb, yb))
        low, side = ya + 0.5, xb + 0.5
        if ya == yb:
            return polyline(*(self.spot(x, y) for x, y in ((xa, ya), (xa, low), (xb, low), (xb, yb))))
        if xa == xb:
            return polyline(*(self.spot(x, y) for x, y in ((xa, ya), (side, ya), (side, yb), (xb, yb))))
        return polyline(*(self.spot(x, y) for x, y in ((xa, ya), (xa, low), (side, low), (side, yb), (xb, yb))))


def cube_of(plan: Plan, assembly: AssemblyType, dims: tuple[int, ...], side: float) -> Cube | None:
    """Return the cube of an array of devices with these dimensions that stands alone in an assembly; None where it is
    none, or other cables leave it."""
    joined = {
        child.type
        for upper in plan.assemblies.values()
        for child in upper.children
        for rule in upper.rules
        if child.name in (rule.left.child, rule.right.child)
    }
    if len(dims) != 3 or min(dims) < 2 or not FEWEST <= int(np.prod(dims)) <= MOST or assembly.key in joined:
        return None
    shape = dims[0], dims[1], dims[2]
    back = _back(shape)
    unit = side / SIDE
    return Cube(shape, back, unit, (unit, unit * (1 + (shape[0] - 1) * back[1])))


def _back(dims: tuple[int, int, int]) -> tuple[int, int]:
    """Return how far a layer lies behind the one before it: about a third as deep as the cube is wide, and such that
    the cables between layers pass no device, as with (1, 1)."""
    layers, rows, columns = dims
    wish = max(1.0, 0.34 * columns * layers / (layers - 1)), max(1.0, 0.24 * rows * layers / (layers - 1))
    steps = range(1, 2 * layers + 2)
    nearest = sorted(product(steps, steps), key=lambda at: (abs(at[0] - wish[0]) + abs(at[1] - wish[1]), at))
    return next(at for at in nearest if _passes_none(layers, *at))


def _passes_none(layers: int, x: int, y: int) -> bool:
    """Return whether a line from a device to the one behind it keeps away from all others, in a cube without end."""
    if not gcd(x, layers) == gcd(y, layers) == gcd(x, y) == 1:
        return False
    px, py = np.meshgrid(np.arange(x + 1), np.arange(y + 1))
    beside = np.abs(px * y - py * x)  # distance from the line, across or down, times x + y
    there = (beside % layers == 0) & (beside > 0)  # 0 at both ends alone, as x and y are coprime
    return int(beside[there].min(initial=layers * (x + y))) > _CLEAR * (x + y)
