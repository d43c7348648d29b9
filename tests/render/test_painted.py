"""Pictures that are written without Graphviz are those that Graphviz draws: each shape, place, colour and word."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from unifiedbus_dsl import compiler
from unifiedbus_dsl.render import engine
from unifiedbus_dsl.render.dot import dot_text
from unifiedbus_dsl.render.marks import Box, Picture, Text, polyline, straight
from unifiedbus_dsl.render.marks import Line as Curve
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.painted import painted
from unifiedbus_dsl.render.svg import polished

SPECS = sorted(compiler.spec_folders()[0].rglob("*.ubus"))
NEAR = 0.06
"""Points: Graphviz writes two decimals, and gives a node whole units."""
MARGIN = 1.0
"""Points that Graphviz moves a whole picture by at most, for the room that it leaves around its first node."""
SHAPES = ("rounded", "square", "ellipse", "octagon", "note")


def hand_made() -> Picture:
    """A picture with each shape in each way, and texts of signs that mean something in SVG or DOT."""
    marks: list[Box | Text | Curve] = []
    for number, shape in enumerate(SHAPES):
        for way in range(4):
            behind, dashed = divmod(way, 2)
            size = (40.0, 30.0) if way % 2 else (90.0, 9.0)
            marks.append(Box(f"box[{number}, {way}]", 20 + 100 * number, 20 + 50 * way, *size, shape=shape,  # type: ignore[arg-type]
                             behind=bool(behind), dashed=bool(dashed), fill="#11223344" if dashed else "#fffffe",
                             line=2.5 if behind else 1, tip='a <b> "c"\nd & e' if dashed else "",
                             href="x y#z.svg" if behind else ""))  # fmt: skip
    words = (
        "plain",
        'say "x" & <y>',
        "back\\slash \\n \\N",
        "two  blanks   three",
        "",
        "µ × ½ – …",
        "&lt;&#65;",
        "a\tb",
    )
    for number, text in enumerate(words):
        anchor = ("start", "middle", "end")[number % 3]
        marks.append(Text(f"text-{number}", 200, 240 + 18 * number, text, 9 + number, number % 2 == 1,
                          "#112233cc" if number == 2 else "#112233", anchor, tip="t & t" if number % 2 else ""))  # type: ignore[arg-type]  # fmt: skip
    marks += [
        Text("linked", 300, 300, "there", href="a b.svg", tip="where"),
        Curve("line", polyline((10, 10), (50, 60), (90, 20)), "#ff000080", 0.5, True),
        Curve("point", straight((30, 400), (30, 400)), width=3, role="rule"),
    ]
    return Picture("<title> & more", "said", 560, 420, tuple(marks))


def elements(svg: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Each element in order: its name, its attributes without places, its text. Widths have one decimal, for those that
    lie in the middle are rounded either way."""
    for element in ET.fromstring(svg).iter():
        held = {name: value for name, value in element.attrib.items() if name not in PLACES}
        if "stroke-width" in held:
            held["stroke-width"] = f"{float(held['stroke-width']) - 0.004:.1f}"
        words = (element.text or "").strip() if element.tag.endswith(("text", "title", "desc")) else ""
        yield element.tag.rpartition("}")[2], held, words


PLACES = ("x", "y", "cx", "cy", "rx", "ry", "points", "d", "transform", "viewBox", "width", "height")


def places(svg: str) -> list[tuple[str, list[tuple[float, float]], list[float]]]:
    """Of each group, the points of what is drawn in it, from the left top of all, and its radii."""
    root = ET.fromstring(svg)
    graph = next(each for each in root if each.get("id") == "graph0")
    moved = re.search(r"translate\((\S+) (\S+)\)", graph.get("transform", ""))
    dx, dy = (float(moved[1]), float(moved[2])) if moved else (0.0, 0.0)
    found = []
    for group in graph.findall("{*}g"):  # not the ground, which Graphviz lets stand out by its margin
        points, radii = [], []
        for element in group.iter():
            numbers = list(map(float, re.findall(r"-?[\d.]+", element.get("d") or element.get("points") or "")))
            points += list(zip(numbers[::2], numbers[1::2], strict=True))
            for x, y in (("x", "y"), ("cx", "cy")):
                if x in element.attrib:
                    points.append((float(element.attrib[x]), float(element.attrib[y])))
            radii += [float(element.attrib[name]) for name in ("rx", "ry") if name in element.attrib]
        found.append((group.get("id", ""), [(x + dx, y + dy) for x, y in points], radii))
    return found


def same(picture: Picture) -> None:
    graphviz = polished(engine.draw(dot_text(picture)).decode(), picture)
    ours = polished(painted(picture), picture)
    assert list(elements(ours)) == list(elements(graphviz))
    here, there = places(ours), places(graphviz)
    dx, dy = (min(p[i] for _, points, _ in there for p in points) - min(p[i] for _, points, _ in here for p in points)
              for i in (0, 1))  # fmt: skip
    assert max(abs(dx), abs(dy)) < MARGIN
    for (id, points, radii), (other, wanted, widths) in zip(here, there, strict=True):
        assert id == other
        assert radii == pytest.approx(widths, abs=NEAR), id
        ours_moved = [(x + dx, y + dy) for x, y in points]
        assert not [p for p in ours_moved if not _in(wanted, p)] + [p for p in wanted if not _in(ours_moved, p)], id


def _in(points: list[tuple[float, float]], point: tuple[float, float]) -> bool:
    return any(abs(x - point[0]) <= NEAR and abs(y - point[1]) <= NEAR for x, y in points)


def test_each_shape_line_and_text() -> None:
    same(hand_made())


QUICK = ("atlas-950-superpod", "gb200-nvl72", "tpu-8i", "slim-fly", "frontier")
EACH = [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow) for path in SPECS]


@pytest.mark.parametrize("path", EACH)
def test_overviews_of_the_specs(path: Path) -> None:
    for plan in list(compiler.compile(path).plans.values())[:1]:
        same(overview_picture(plan))
