"""A picture as frozen values: boxes, lines and texts at their places. Drawing it is another module's work.

Lengths are in points (1/72 inch), which a browser shows as pixels; x runs to the right, y runs down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import dist
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from unifiedbus_dsl.render.palette import Shape

PAGE = 838.0
"""Pixels of a page on which a picture must be readable: the column of a page on GitHub."""

Point: TypeAlias = tuple[float, float]
Theme: TypeAlias = Literal["auto", "light", "dark"]
"""Colours of a light page, of a dark one, or of both as the reader asks for."""
Anchor: TypeAlias = Literal["start", "middle", "end"]


@frozen
class Box:
    """A rectangle, or another shape inside it. `behind` boxes lie under all lines, the others over them."""

    id: str
    x: float
    y: float
    width: float
    height: float
    fill: str = "#ffffff"
    stroke: str = "#6b7785"
    line: float = 1.0
    shape: Shape = "rounded"
    dashed: bool = False
    behind: bool = False
    role: str = "box"
    tip: str = ""
    href: str = ""
    name: str = ""
    """What it is in the machine: `rack[0].npu[2..6]`."""

    @property
    def center(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@frozen
class Text:
    """One line of text; `y` is its middle."""

    id: str
    x: float
    y: float
    text: str
    size: float = 11.0
    bold: bool = False
    colour: str = "#1c2733"
    anchor: Anchor = "middle"
    role: str = "label"
    tip: str = ""
    href: str = ""


@frozen
class Line:
    """A Bézier curve through `points`: a start, then three points for each piece. `rate` is what it stands for, in
    byte/s in each direction, from which its width may be set for the whole picture at once."""

    id: str
    points: tuple[Point, ...]
    colour: str = "#6b7785"
    width: float = 1.0
    dashed: bool = False
    role: str = "cable"
    tip: str = ""
    rate: float | None = None
    ends: tuple[str, str] | None = None
    """The names of the boxes that it joins."""


Mark: TypeAlias = Box | Text | Line


@frozen
class Picture:
    """Marks on a sheet. `description` says in words what is to be seen, for those who hear it."""

    title: str
    description: str
    width: float
    height: float
    marks: tuple[Mark, ...] = field(repr=False)
    theme: Theme = "auto"

    def by_role(self, role: str) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.role == role)

    def find(self, id: str) -> Mark:
        """Return the mark with this id.

        Raises:
            KeyError: there is none.
        """
        for mark in self.marks:
            if mark.id == id:
                return mark
        raise KeyError(id)

    def smallest_text(self, page: float = PAGE) -> float:
        """Height in pixels of the smallest text on a page `page` pixels wide."""
        shown = min(1.0, page / self.width)
        return min((mark.size * shown for mark in self.marks if isinstance(mark, Text)), default=page)


def moved(marks: Iterable[Mark], dx: float, dy: float) -> tuple[Mark, ...]:
    """Return the same marks, shifted."""
    return tuple(_moved(mark, dx, dy) for mark in marks)


def _moved(mark: Mark, dx: float, dy: float) -> Mark:
    if isinstance(mark, Line):
        return evolve(mark, points=tuple((x + dx, y + dy) for x, y in mark.points))
    return evolve(mark, x=mark.x + dx, y=mark.y + dy)


def straight(a: Point, b: Point) -> tuple[Point, ...]:
    """Return a straight line as a Bézier curve."""
    (ax, ay), (bx, by) = a, b
    return a, (ax + (bx - ax) / 3, ay + (by - ay) / 3), (bx - (bx - ax) / 3, by - (by - ay) / 3), b


def polyline(*corners: Point) -> tuple[Point, ...]:
    """Straight pieces through the corners."""
    points: tuple[Point, ...] = corners[:1]
    for a, b in pairwise(corners):
        points += straight(a, b)[1:]
    return points


def along(points: Sequence[Point], share: float) -> Point:
    """Return the point at a share of the length of a line through the corners of a curve."""
    corners = points[::3]
    lengths = [dist(a, b) for a, b in pairwise(corners)]
    rest = share * sum(lengths)
    for (a, b), length in zip(pairwise(corners), lengths, strict=True):
        if rest <= length and length:
            return a[0] + (b[0] - a[0]) * rest / length, a[1] + (b[1] - a[1]) * rest / length
        rest -= length
    return corners[-1]


def middle(points: Sequence[Point]) -> Point:
    """Return the middle of the middle piece of a curve."""
    k = (len(points) - 1) // 3 // 2 * 3
    a, b, c, d = points[k : k + 4]
    x, y = ((p + 3 * q + 3 * r + s) / 8 for p, q, r, s in zip(a, b, c, d, strict=True))
    return x, y


def cross(
    id: str, x: float, y: float, reach: float, colour: str, height: float | None = None, width: float = 1.6
) -> tuple[Line, Line]:
    """Return a cross over a point, of what is lost: as far as `reach` to each side, up and down as far or `height`."""
    low, high = (y - reach, y + reach) if height is None else (y - height, y + height)
    strokes = (((x - reach, low), (x + reach, high)), ((x - reach, high), (x + reach, low)))
    one, other = (Line(f"{id}-{i}", straight(*ends), colour, width, role="cross") for i, ends in enumerate(strokes))
    return one, other


def hanging(a: Point, b: Point, depth: float) -> tuple[Point, ...]:
    """Return an arc from `a` to `b` whose lowest point is `depth` below them (above, if negative)."""
    (ax, ay), (bx, by) = a, b
    drop = depth * 4 / 3
    return a, (ax + (bx - ax) * 0.1, ay + drop), (bx - (bx - ax) * 0.1, by + drop), b


def identifier(text: str) -> str:
    """`cabinet[0, 1]` as an id: `cabinet-0-1`."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-") or "x"


# Widths of Helvetica (and of the fonts made to replace it) for a size of 1,000, from the font's metrics.
_WIDTHS = dict(
    zip(
        map(chr, range(32, 127)),
        (
            *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
            *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
            *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
            *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
            *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
            *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
        ),
        strict=True,
    ),
    **{"·": 278, "×": 584, "–": 556, "½": 834, "µ": 556},
)
_SLACK = 1.12
"""Fonts that stand in for Helvetica where it is missing are wider, DejaVu Sans by 15 %."""


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Room that a line of text needs, with some to spare."""
    return sum(_WIDTHS.get(letter, 1000) for letter in text) * size / 1000 * (1.12 if bold else 1.0) * _SLACK


def clipped(text: str, size: float, room: float, bold: bool = False) -> str:
    """Return the text, cut with an ellipsis where it needs more than `room`."""
    if text_width(text, size, bold) <= room:
        return text
    while text and text_width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, size: float, room: float, most: int) -> tuple[str, ...]:
    """Return the text in at most `most` lines, the last one cut where there is more."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        taken = 1
        while taken < len(words) and text_width(" ".join(words[: taken + 1]), size) <= room:
            taken += 1
        if len(lines) == most - 1:
            taken = len(words)
        lines.append(clipped(" ".join(words[:taken]), size, room))
        words = words[taken:]
    return tuple(lines)
