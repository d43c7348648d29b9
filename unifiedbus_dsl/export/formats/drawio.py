"""A diagram for draw.io (drawio.com, "mxGraphModel"): assemblies are containers, and everything can be moved by hand.

A file is a tree of cells: a vertex has the container around it as its parent and a place in it; an edge names the cells
that it joins. Labels are plain texts (`html=0`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, sqrt
from pathlib import Path

from attrs import frozen

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import xml
from unifiedbus_dsl.export.base import ExportInput, Format
from unifiedbus_dsl.export.common.boxes import Box, Drawing, drawing
from unifiedbus_dsl.export.common.boxes import Path as BoxPath
from unifiedbus_dsl.export.common.stream import write_text

WIDTH, HEIGHT, GAP, HEADING = 180, 60, 40, 30
"""Of a box without others in it; between boxes; above those in a container."""
FILLS = {"npu": "#dae8fc", "cpu": "#e1d5e7", "switch": "#d5e8d4", "nic": "#ffe6cc"}


@frozen
class Placed:
    """A box with its place in the one around it, its size, and what is in it."""

    box: Box
    x: int
    y: int
    width: int
    height: int
    inside: tuple[Placed, ...]


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _file(drawing(subject, sink, "drawio")))


def place(boxes: Sequence[Box], top: int) -> tuple[tuple[Placed, ...], int, int]:
    """Return boxes in rows of about as many as there are rows, from `top` down, and the size of what they take."""
    columns = max(1, ceil(sqrt(len(boxes))))
    placed, y, widest = [], top, 0
    for start in range(0, len(boxes), columns):
        x, tallest = GAP, 0
        for box in boxes[start : start + columns]:
            inside, width, height = place(box.boxes, HEADING + GAP // 2) if box.boxes else ((), WIDTH, HEIGHT)
            placed.append(Placed(box, x, y, width, height, inside))
            x, tallest = x + width + GAP, max(tallest, height)
        y, widest = y + tallest + GAP, max(widest, x)
    return tuple(placed), widest, y


def _file(of: Drawing) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<mxfile host="ubusc">\n'
    yield f'<diagram id="plan" name={xml.attribute(of.title)}>\n<mxGraphModel><root>\n'
    yield '<mxCell id="0"/>\n<mxCell id="1" parent="0"/>\n'
    ids: dict[BoxPath, str] = {}
    for each in place(of.boxes, GAP)[0]:
        yield from _cells(each, "1", ids)
    for number, line in enumerate(of.lines):
        style = "endArrow=none;html=0;edgeStyle=orthogonalEdgeStyle;"
        yield f'<mxCell id="e{number}" value={xml.attribute(line.label)} style="{style}" edge="1" parent="1"'
        yield f' source="{ids[line.a]}" target="{ids[line.b]}"><mxGeometry relative="1" as="geometry"/></mxCell>\n'
    yield "</root></mxGraphModel>\n</diagram>\n</mxfile>\n"


def _cells(of: Placed, parent: str, ids: dict[BoxPath, str]) -> Iterator[str]:
    own = ids[of.box.path] = f"b{len(ids)}"
    style = "rounded=1;whiteSpace=wrap;html=0;"
    if of.inside:
        style += "container=1;collapsible=0;verticalAlign=top;fillColor=none;"
    elif of.box.kind in FILLS:
        style += f"fillColor={FILLS[of.box.kind]};"
    yield f'<mxCell id="{own}" value={xml.attribute(of.box.label)} style="{style}" vertex="1" parent="{parent}">'
    yield f'<mxGeometry x="{of.x}" y="{of.y}" width="{of.width}" height="{of.height}" as="geometry"/></mxCell>\n'
    for each in of.inside:
        yield from _cells(each, own, ids)


FORMAT = Format(
    "drawio",
    "a diagram of the plan for draw.io",
    "plan",
    "drawio",
    write,
    ("single devices and cables", "lengths", "places on the floor"),
)
