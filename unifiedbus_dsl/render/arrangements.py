"""Where the elements of an array stand in a detail picture: rows, grids of grids, circles, clumps below switches."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, cos, hypot, pi, prod, sin, sqrt
from typing import Literal, Protocol, TypeAlias

import numpy as np

from unifiedbus_dsl.render.marks import Point

Style: TypeAlias = Literal["row", "grid", "circle", "stack", "clumps", "columns", "groups", "wrap"]

ASPECT = 1.7


class Element(Protocol):
    """An element of an array as it is laid out itself."""

    @property
    def width(self) -> float: ...

    @property
    def height(self) -> float: ...

    @property
    def holds_parts(self) -> bool:
        """Whether it is an assembly, with parts in it."""


def corners(style: Style, dims: tuple[int, ...], element: Element, gap: float, room: float) -> tuple[Point, ...]:
    """Return the top left corners of the elements of an array, row-major, with a gap between them; `room` is the width
    of what stands beneath, 0 where there is nothing."""
    width, height = element.width + gap, element.height + gap
    count = prod(dims)
    if style == "row":
        width = max(width, min(3 * width, 0.8 * room / count))
        return tuple((i * width, 0.0) for i in range(count))
    if style == "stack":
        return tuple((0.0, i * height) for i in range(count))
    if style == "circle":
        return _circle(dims, element, gap)
    if style == "grid":
        return _grid(dims, element, gap)
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


def _circle(dims: tuple[int, ...], element: Element, gap: float) -> tuple[Point, ...]:
    """Clockwise from the top, no two touching; a gap after the elements of each first subscript, if there are more."""
    count = prod(dims)
    apart = hypot(element.width, element.height) * (1.25 if element.holds_parts else 1.0) + gap * 0.4
    between = 1.2 if len(dims) > 1 else 0.0
    each = count // dims[0] if between else count
    slots = count + between * (dims[0] if between else 0)
    radius = max(apart / (2 * sin(pi / slots)), apart * 0.8) if count > 1 else 0.0
    places = [i + between * (i // each) for i in range(count)]
    turn = (each - 1) / 2 if between else 0.0
    angles = [2 * pi * (place - turn) / slots - pi / 2 for place in places]
    points = [(radius * cos(angle), radius * sin(angle)) for angle in angles]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return tuple((x - left, y - top) for x, y in points)


def _grid(dims: tuple[int, ...], element: Element, gap: float) -> tuple[Point, ...]:
    """Rows and columns for the last two dimensions, grids of these for the two before, and so on. Where that would be
    far wider than tall, what stands side by side is broken into several rows."""
    along = dims[-1::-2], dims[-2::-2]
    across = _offsets(along[0], element.width, gap)
    down = _offsets(along[1], element.height, gap)
    total = across[-1] + element.width, down[-1] + element.height
    if len(dims) % 2 and total[0] > 2.5 * total[1]:
        return _broken(dims, element, gap, total)
    corners = []
    for at in np.ndindex(*dims):
        x, y = at[-1::-2], at[-2::-2]
        corners.append((across[_mixed(x, along[0])], down[_mixed(y, along[1])]))
    return tuple(corners)


def _mixed(digits: Sequence[int], sizes: Sequence[int]) -> int:
    """Return the number with these digits, the first the smallest."""
    number = 0
    for digit, size in zip(reversed(digits), reversed(sizes), strict=True):
        number = number * size + digit
    return number


def _offsets(sizes: Sequence[int], extent: float, gap: float) -> list[float]:
    """Where the elements of nested dimensions stand along an axis, the first the innermost: gaps grow outwards."""
    offsets, reach = [0.0], extent
    space = gap
    for size in sizes:
        offsets = [i * (reach + space) + at for i in range(size) for at in offsets]
        reach = offsets[-1] + extent
        space = 2.2 * gap
    return offsets


def _broken(dims: tuple[int, ...], element: Element, gap: float, total: tuple[float, float]) -> tuple[Point, ...]:
    """Return a grid of an odd number of dimensions with the blocks of the first subscript in several rows."""
    block = _grid(dims[1:], element, gap)
    width, height = (max(point[k] for point in block) + (element.width, element.height)[k] for k in (0, 1))
    wish = max(1, round(sqrt(dims[0] * 1.6 * height / width)))
    columns = min((d for d in range(1, dims[0] + 1) if dims[0] % d == 0), key=lambda d: (abs(d - wish), d))
    apart = 2.2 * gap
    return tuple(
        (i % columns * (width + apart) + x, i // columns * (height + apart) + y)
        for i in range(dims[0])
        for x, y in block
    )


def _hanging(dims: tuple[int, ...], width: float, height: float, gap: float) -> tuple[Point, ...]:
    """Return the elements of each switch below it, one below the other, as wide as `groups` of these switches."""
    rows, across, groups = dims[-1], dims[-2], prod(dims[:-2])
    apart = across * width + gap
    return tuple((g * apart + i * width, j * height) for g in range(groups) for i in range(across) for j in range(rows))


def _clumps(dims: tuple[int, ...], width: float, height: float, gap: float) -> tuple[Point, ...]:
    """Return the elements of each first subscript in a square, these side by side: the hosts of each switch below
    it."""
    across = ceil(sqrt(dims[1]))
    pitch = across * width + gap
    return tuple((i * pitch + j % across * width, j // across * height) for i in range(dims[0]) for j in range(dims[1]))


def _columns(count: int, width: float, height: float, room: float) -> int:
    """Return how many columns: as many as there is room for, or those that make a wide page; a divisor if one is
    near."""
    wish = room / width if room else sqrt(count * ASPECT * height / width)
    if count <= 16 and (not room or count * width <= max(room * 1.3, 16 * 80)):
        return count
    wish = max(1.0, min(count, wish))
    near = [d for d in range(1, count + 1) if count % d == 0 and 0.62 <= d / wish <= 1.15]
    return min(near, key=lambda d: (abs(d - wish), d)) if near else ceil(wish)
