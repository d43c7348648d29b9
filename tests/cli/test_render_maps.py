"""Maps: a figure of each two racks, exact and readable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run
from tests.render.legible import readable
from tests.render.reading import read_back
from tests.render.test_palette import contrast
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.figures.heat import Part, heat_map, join_parts, parts
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.heat import Heat, heat_picture
from unifiedbus_dsl.render.marks import Box, Picture, Text
from unifiedbus_dsl.render.sheet import bounds
from unifiedbus_dsl.solver.network_context import NetworkContext

ROW = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 50 m; delay = 5 ns/m }
npu Chip { port up : UB x4 }
switch Top { port down[4] : UB x4; port side[2] : UB x8 @open; latency = 200 ns }
rack Rack {
  npu[4] : Chip
  top    : Top
  connect npu[n].up -- top.down[n] over Wire(1 m) for n
  port side = top.side
}
superpod Line(racks) {
  rack[racks] : Rack
  connect rack[r].side[0] -- rack[r + 1].side[1] over Wire(2 m) for r in 0..<racks - 1
}
system short : Line(racks = 4)
system long  : Line(racks = 40)
system lone  : Rack
"""


def line(system: str, what: str) -> Picture:
    done = compiler.compile_text(ROW)
    assert done.ok, done.diagnostics
    return heat_map(NetworkContext(done.fabric(system)), "bandwidth" if what == "bandwidth" else "latency")


def texts(picture: Picture, role: str) -> list[str]:
    return [mark.text for mark in picture.marks if isinstance(mark, Text) and mark.role == role]


def value(picture: Picture, i: int, j: int) -> str:
    mark = picture.find(f"cell-{i}-{j}-value")
    assert isinstance(mark, Text)
    return mark.text


def test_racks_in_a_line() -> None:
    """One cable of eight lanes between neighbours: 112 GB/s. A step takes a switch and two metres of cable."""
    bandwidth, latency = line("short", "bandwidth"), line("short", "latency")
    assert texts(latency, "row") == [f"rack[{i}]" for i in range(4)]
    assert texts(latency, "column") == [f"[{i}]" for i in range(4)]
    assert texts(latency, "columns") == ["rack"]
    kind = latency.find("kind")
    assert isinstance(kind, Text)
    assert kind.text == "map · furthest two end points, ns"
    assert texts(bandwidth, "sentence") == ["112 GB/s between any two of the 4 racks"]
    assert not bandwidth.by_role("cell")
    for i in range(4):
        for j in range(4):
            assert value(latency, i, j) == f"{2 * 105 + 200 + abs(i - j) * (200 + 110):,}"
    assert "latency between racks" in texts(latency, "title")


def test_many_racks_are_joined_into_blocks() -> None:
    picture = line("long", "latency")
    rows = texts(picture, "row")
    assert (rows[0], rows[-1], len(rows)) == ("rack[0] … rack[2]", "rack[39]", 14)
    assert texts(picture, "column")[:3] == ["… [2]", "[0]", "… [5]"]
    assert texts(picture, "title") == ["latency between blocks of 3 racks"]
    assert any("40 racks in 14 blocks of 3, the last of 1" in text for text in texts(picture, "note"))
    assert value(picture, 0, 13) == f"{410 + 39 * 310:,}"


@pytest.mark.parametrize("what", ["bandwidth", "latency"])
def test_it_can_be_read(what: str) -> None:
    picture = line("long", what)
    assert picture.smallest_text(1000) >= 8
    boxes = np.array([bounds([mark]) for mark in picture.marks if isinstance(mark, Text)])
    left, top, right, bottom = boxes.T
    for k in range(len(boxes)):
        assert ((left < right[k]) & (left[k] < right) & (top + 2 < bottom[k]) & (top[k] + 2 < bottom)).sum() == 1
    for mark in picture.by_role("value"):
        assert isinstance(mark, Text)
        cell = picture.find(mark.id.removesuffix("-value"))
        assert isinstance(cell, Box)
        assert contrast(mark.colour, cell.fill) >= 4.5


def test_few_values_have_a_colour_each_and_many_are_in_ranges() -> None:
    few = heat_picture(Heat(["a", "b"], np.array([[np.nan, 2.0], [2.0, 1.0]]), "TB/s", ""), "t", [], [])
    assert texts(few, "legend")[:2] == ["1 TB/s", "2 TB/s"]
    many = heat_picture(Heat([*"abcd"], np.arange(16.0).reshape(4, 4), "ns", ""), "t", [], [])
    ranges = [text for text in texts(many, "legend") if text.endswith(" ns")]
    assert (len(ranges), ranges[0], ranges[-1]) == (7, "0 – 2.143 ns", "12.86 – 15 ns")
    fills = [mark.fill for mark in many.by_role("cell") if isinstance(mark, Box)]
    assert fills == sorted(fills, key=palette.STEPS.index)
    assert set(fills) == set(palette.STEPS)


def tiles(picture: Picture) -> dict[str, str]:
    marks = {mark.id: mark.text for mark in picture.marks if isinstance(mark, Text) and mark.id.startswith("tile-")}
    return {name: marks[at.removesuffix("-name")] for at, name in marks.items() if at.endswith("-name")}


def test_the_headline_is_that_of_the_table_and_of_analyze() -> None:
    """Two hops inside a rack, and of one rack to the next: what is least stands on the diagonal."""
    picture = line("short", "latency")
    cells = [float(text.replace(",", "")) for text in texts(picture, "value")]
    assert (min(cells), max(cells)) == (410, 410 + 3 * 310)
    assert tiles(picture) == {
        "least in the table": "410 ns",
        "most in the table": "1,340 ns",
        "between the nearest two end points": "410 ns",
    }
    (found,) = ask(compiler.compile_text(ROW), "short", "latency(all npu)").answers
    assert found.value == pytest.approx(max(cells) * 1e-9)
    assert found.detail["histogram"][0][0] == pytest.approx(410e-9)


def test_blocks_stay_inside_assemblies() -> None:
    """Racks of three pods, 7, 7 and 9: 23 in twos are 4 + 4 + 5 blocks, and none has racks of two pods."""
    pods = [Part(f"pod[{p}]", "superpod", 100 * p, 100 * p + 99) for p in range(3)]
    racks = [
        Part(f"pod[{p}].rack[{r}]", "rack", 100 * p + r, 100 * p + r + 1, pods[p])
        for p, count in enumerate((7, 7, 9))
        for r in range(count)
    ]
    blocks = join_parts(racks)
    assert [len(block) for block in blocks] == [2, 2, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2, 1]
    assert all(len({part.parent for part in block}) == 1 for block in blocks)
    assert [part for block in blocks for part in block] == racks


@pytest.mark.parametrize(
    ("shape", "size", "rows"),
    [((8, 8, 8), 32, 16), ((1024,), 64, 16), ((40,), 3, 14), ((37,), 3, 13), ((6, 50), 25, 12), ((19,), 2, 10)],
)
def test_blocks_cut_no_row_short_where_as_many_do(shape: tuple[int, ...], size: int, rows: int) -> None:
    count = int(np.prod(shape))
    blocks = join_parts([Part(f"a[{i}]", "npu", i, i + 1, None, shape) for i in range(count)])
    assert (len(blocks[0]), len(blocks)) == (size, rows)
    assert sum(map(len, blocks)) == count


def test_very_many_assemblies_stand_for_their_racks() -> None:
    """Forty pods of three racks are taken pod by pod, three at a time."""
    pods = [Part(f"pod[{p}]", "superpod", 3 * p, 3 * p + 3) for p in range(40)]
    racks = [Part(f"{pod.name}.rack[{r}]", "rack", pod.start + r, pod.stop, pod) for pod in pods for r in range(3)]
    assert [len(block) for block in join_parts(racks)] == [3] * 13 + [1]
    assert join_parts(racks)[-1] == [pods[-1]]


def test_no_path_is_said() -> None:
    picture = heat_picture(Heat(["a", "b"], np.array([[1.0, np.inf], [np.inf, 1.0]]), "ns", ""), "t", [], [])
    assert texts(picture, "value") == ["1", "none", "none", "1"]


def test_parts_of_a_system_without_racks() -> None:
    done = compiler.compile_text(ROW)
    kind, found = parts(done.pick("lone"))
    assert (kind, [part.name for part in found]) == ("npu", [f"npu[{i}]" for i in range(4)])


@pytest.mark.parametrize(
    ("name", "array", "own"),
    [
        ("rack[0, 1]", "rack", ["[0, 1]"]),
        ("pod[1].rack[0] … pod[1].rack[2]", "pod[1].rack", ["[0]", "… [2]"]),
        ("pod[1].rack[0] … pod[2].rack[2]", "pod[1].rack", ["[0]", "… pod[2].rack[2]"]),
        ("host", "", ["host"]),
    ],
)
def test_columns_have_the_subscripts_below_the_array(name: str, array: str, own: list[str]) -> None:
    picture = heat_picture(Heat([name, "z"], np.array([[1.0, 2.0], [2.0, 1.0]]), "ns", ""), "t", [], [])
    columns = [mark for mark in picture.by_role("column") if isinstance(mark, Text) and mark.tip == name]
    assert [mark.tip for mark in columns] == [name] * len(own)
    assert texts(picture, "columns") == ([array] if array else [])
    assert all(
        a.text.rstrip("…").replace(" ", "") in b.replace(" ", "") for a, b in zip(columns, reversed(own), strict=True)
    )
    readable(picture)


def test_a_system_of_one_part_is_taken_by_what_is_in_that() -> None:
    """A hall that holds a pod alone, which holds racks that are no racks."""
    text = ROW.replace("rack Rack", "module Rack").replace(
        "system lone  : Rack", "module Hall { line : Line(racks = 3) }\nsystem lone : Hall"
    )
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    kind, found = parts(done.pick("lone"))
    assert (kind, [part.name for part in found]) == ("module", [f"line.rack[{i}]" for i in range(3)])
    assert [(part.start, part.stop) for part in found] == [(0, 5), (5, 10), (10, 15)]
    readable(heat_map(NetworkContext(done.fabric("lone")), "latency"))


def test_the_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "row.ubus").write_text(ROW)
    assert run("render", "row.ubus", "--map", "latency").out == "short.latency.svg\n"
    marks = read_back((tmp_path / "short.latency.svg").read_text())
    assert marks["cell-0-1-value"].tip == "rack[0] – rack[1]: 720 ns"
    assert run("render", "row.ubus", "--map", "cables").out == "short.cables.svg\n"
    marks = read_back((tmp_path / "short.cables.svg").read_text())
    assert (marks["cell-0-0-value"].text, marks["cell-0-1-value"].text) == ("4", "1")
    assert "cell-0-2-value" not in marks
    outcome = run("render", "row.ubus", "--map", "bandwith")
    assert (outcome.status, "did you mean `bandwidth`?" in outcome.err) == (2, True)
    assert run("render", "row.ubus", "--map", "latency", "--format", "html").status == 2
