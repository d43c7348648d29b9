"""A picture as the SVG that `neato -n2` writes of its DOT text, where no program can be run.

Every place is given, so nothing is laid out here: boxes that lie behind, then lines, then all else, each in a group
with its id and class as Graphviz has it. What follows the drawing (`svg.polished`, the pages) reads both alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import sqrt
from typing import TypeAlias
from urllib.parse import quote

from unifiedbus_dsl.escape import dot, xml
from unifiedbus_dsl.render.dark import PAPER, darkened
from unifiedbus_dsl.render.dot import BOLD, FONT, mark_id
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Point, Text
from unifiedbus_dsl.render.palette import Shape

Drawn: TypeAlias = tuple[str, ...]
"""Elements of SVG, a line each."""

_ROUNDING = 12.0
"""How far from its corner a rounded side ends, at most."""
_SHARE = 3.0
"""No more of a side than this part of it is rounded."""
_AFTER_BLANK = re.compile("(?<= ) ")
_OCTAGON = sqrt(2) - 1
_ABOVE_BASELINE = 0.3
"""Of the size of a text, how far its middle stands above the line that it is written on."""


def painted(picture: Picture) -> str:
    """Return the picture as SVG in the form of Graphviz."""
    dark = picture.theme == "dark"
    marks = [darkened(mark) for mark in picture.marks] if dark else list(picture.marks)
    layers = sorted(marks, key=_layer)
    width, height = f"{picture.width:.2f}", f"{picture.height:.2f}"
    ground = f"0,{height} 0,0 {width},0 {width},{height} 0,{height}"
    return "\n".join([
        f'<svg width="{width}pt" height="{height}pt" viewBox="0.00 0.00 {width} {height}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">',
        '<g id="graph0" class="graph">',
        "<title>picture</title>",
        f'<polygon fill="{PAPER if dark else "#ffffff"}" stroke="none" points="{ground}"/>',
        *(_group(mark) for mark in layers),
        "</g>",
        "</svg>",
        "",
    ])  # fmt: skip


def _layer(mark: Mark) -> int:
    """Return 0 for a box that lies behind, 1 for a line, 2 for what lies over both."""
    return 1 if isinstance(mark, Line) else 0 if isinstance(mark, Box) and mark.behind else 2


def _group(mark: Mark) -> str:
    """Return a mark in the group of its id, in a link where it leads somewhere."""
    id, kind = mark_id(mark.id), ("cluster", "edge", "node")[_layer(mark)]
    if isinstance(mark, Line):
        inside: Drawn = (_line(mark),)
    elif isinstance(mark, Text):
        inside = _text(mark)
    else:
        inside = _outline(mark)("rounded" if mark.shape == "rounded" else "square" if mark.behind else mark.shape)
    if not isinstance(mark, Line) and mark.href:
        tip = f" xlink:title={_attribute(mark.tip or (mark.text if isinstance(mark, Text) else ''))}"
        link = f'<g id="a_{id}"><a xlink:href={_attribute(quote(mark.href))}{tip if mark.tip else ""}>'
        inside = (link, *inside, "</a>", "</g>")
    head = f'<g id="{id}" class="{kind} {dot.identifier(mark.role)}">'
    return "\n".join([head, "<title></title>", *inside, "</g>"])


def _attribute(value: str) -> str:
    return xml.attribute(value).replace("\n", "&#10;")


# ---- lines and texts --------------------------------------------------------------------------------------------


def _line(mark: Line) -> str:
    first, *rest = mark.points
    opacity = f' stroke-opacity="{_opacity(mark.colour)}"' if len(mark.colour) > 7 else ""
    pen = _pen(mark.colour[:7], mark.width, mark.dashed)
    return f'<path fill="none" {pen}{opacity} d="M{_pair(first)}C{" ".join(map(_pair, rest))}"/>'


def _text(mark: Text) -> Drawn:
    if not mark.text:
        return ()
    place = f'text-anchor="{mark.anchor}" x="{_n(mark.x)}" y="{_n(mark.y + _ABOVE_BASELINE * mark.size)}"'
    font = f'font-family="{BOLD},{FONT}"' if mark.bold else f'font-family="{FONT}"'
    look = f'{font} font-size="{mark.size:.2f}" {_filled(mark.colour)}'
    words = _AFTER_BLANK.sub("\N{NO-BREAK SPACE}", xml.text(mark.text).replace("\t", " "))
    return (f'<text xml:space="preserve" {place} {look}>{words}</text>',)


# ---- boxes ------------------------------------------------------------------------------------------------------


def _outline(mark: Box) -> Callable[[Shape], Drawn]:
    """Return what draws the outline of a box in a shape."""
    look = f"{_filled(mark.fill)} {_pen(mark.stroke, mark.line, mark.dashed)}"
    bare = f'fill="none" {_pen(mark.stroke, mark.line, mark.dashed)}'

    def draw(shape: Shape) -> Drawn:
        match shape:
            case "rounded":
                return (f'<path {look} d="{_rounded(mark)}"/>',)
            case "ellipse":
                (x, y), half = mark.center, (mark.width / 2, mark.height / 2)
                return (f'<ellipse {look} cx="{_n(x)}" cy="{_n(y)}" rx="{_n(half[0])}" ry="{_n(half[1])}"/>',)
            case "octagon":
                return (f'<polygon {look} points="{_points(_octagon(mark))}"/>',)
            case "note":
                corners, *folds = _note(mark)
                lines = (f'<polyline {bare} points="{_points(fold)}"/>' for fold in folds)
                return (f'<polygon {look} points="{_points(corners)}"/>', *lines)
            case "square":
                return (f'<polygon {look} points="{_points(_corners(mark))}"/>',)

    return draw


def _corners(mark: Box) -> Sequence[Point]:
    left, top, right, bottom = mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    return (right, top), (left, top), (left, bottom), (right, bottom), (right, top)


def _octagon(mark: Box) -> Sequence[Point]:
    (x, y), a, b = mark.center, mark.width / 2, mark.height / 2
    c, d = a * _OCTAGON, b * _OCTAGON
    right, left = [(a, d), (a, -d), (c, -b)], [(-c, -b), (-a, -d), (-a, d)]
    return [(x + u, y + v) for u, v in [*right, *left, (-c, b), (c, b), (a, d)]]


def _note(mark: Box) -> Sequence[Sequence[Point]]:
    """Return a sheet with an ear at its right top, and the two folds of it."""
    left, top, right, bottom = mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    ear = _rounding(mark) / 2
    above, beside, fold = (right - ear, top), (right, top + ear), (right - ear, top + ear)
    return (above, (left, top), (left, bottom), (right, bottom), beside, above), (above, fold), (beside, fold)


def _rounding(mark: Box) -> float:
    return min(_ROUNDING, mark.width / _SHARE, mark.height / _SHARE)


def _rounded(mark: Box) -> str:
    """Return the path around a box whose corners are curves that begin half as far from the corner as they bend."""
    left, top, right, bottom = mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    r = _rounding(mark)
    h = r / 2
    return (
        f"M{_pair((left + r, bottom))}L{_pair((right - r, bottom))}"
        f"C{_path((right - h, bottom), (right, bottom - h), (right, bottom - r))}L{_pair((right, top + r))}"
        f"C{_path((right, top + h), (right - h, top), (right - r, top))}L{_pair((left + r, top))}"
        f"C{_path((left + h, top), (left, top + h), (left, top + r))}L{_pair((left, bottom - r))}"
        f"C{_path((left, bottom - h), (left + h, bottom), (left + r, bottom))}"
    )


# ---- numbers and colours ----------------------------------------------------------------------------------------


def _pen(colour: str, width: float, dashed: bool) -> str:
    wide = "" if width == 1 else f' stroke-width="{_n(width)}"'
    return f'stroke="{colour}"{wide}' + (' stroke-dasharray="5,2"' if dashed else "")


def _filled(colour: str) -> str:
    return f'fill="{colour[:7]}"' + (f' fill-opacity="{_opacity(colour)}"' if len(colour) > 7 else "")


def _opacity(colour: str) -> str:
    return f"{int(colour[7:9], 16) / 255:.6f}"


def _points(points: Sequence[Point]) -> str:
    return " ".join(map(_pair, points))


def _path(*points: Point) -> str:
    return _points(points)


def _pair(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _n(value: float) -> str:
    """Return a number in at most two decimals, as Graphviz writes one."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
