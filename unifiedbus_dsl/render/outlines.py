"""Cables up to the outline of what they end at: shapes with cut corners and round ones fill less than their box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from attrs import evolve

from unifiedbus_dsl.render.marks import Box, Line, Mark, Point, straight

_CORNER = 1 - 1 / sqrt(2)
"""Which share of a side of an octagon its corner takes."""
_UNDER = 1.0
"""Points by which a line goes on under the shape."""
_ON = 0.75
"""Points by which an end may miss the edge of its box."""


def up_to_outlines(marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks with each line that ends at the upper or lower edge of a box led on to the shape in it."""
    boxes = {mark.name: mark for mark in marks if isinstance(mark, Box) and mark.name and not mark.behind}
    return [_led_on(mark, boxes) if isinstance(mark, Line) and mark.ends else mark for mark in marks]


def _led_on(line: Line, boxes: Mapping[str, Box]) -> Line:
    points = line.points
    for name in line.ends or ():
        box = boxes.get(name)
        if box is None:
            continue
        if (inner := _inside(box, points[0])) is not None:
            points = (*straight(inner, points[0]), *points[1:])
        if (inner := _inside(box, points[-1])) is not None:
            points = (*points[:-1], *straight(points[-1], inner))
    return evolve(line, points=points)


def _inside(box: Box, at: Point) -> Point | None:
    """Return the point of the shape above or below the end of a line at an edge of its box; None where the end is
    elsewhere, or touches the shape."""
    x, y = at
    depth = _depth(box, (x - box.x) / box.width) * box.height if box.x <= x <= box.x + box.width else 0.0
    if depth < _ON:
        return None
    if abs(y - box.y) < _ON:
        return x, y + depth + _UNDER
    return (x, y - depth - _UNDER) if abs(y - box.y - box.height) < _ON else None


def _depth(box: Box, share: float) -> float:
    """Return how far below the edge of the box its shape begins, as a share of its height, at a share of its width."""
    if box.shape == "ellipse":
        return 0.5 - sqrt(share * (1 - share))
    corner = _CORNER if box.shape == "octagon" else 0.0
    return max(0.0, corner - min(share, 1 - share))
