"""A system before and after a scenario: one scale of loads, and what is lost is marked."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run
from tests.cli.test_render import CABINET
from tests.render.legible import readable
from tests.render.truth import astray, crossings, differences, drawing
from unifiedbus_dsl import compiler
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.loads import of_each_cable
from unifiedbus_dsl.figures.solved_views import compare, load_question, plain_view
from unifiedbus_dsl.graph.from_fabric import cable_ends
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Picture, Text
from unifiedbus_dsl.render.sheet import bounds
from unifiedbus_dsl.render.svg import svg
from unifiedbus_dsl.render.view import Layout
from unifiedbus_dsl.solver.network_context import NetworkContext

SCENARIOS = """
scenario PlaneDown of cab { fail plane[1] }
scenario Mixed of cab {
  fail board[3]
  fail board[2].npu[5]
  fail board[0].npu[0] -- plane[2]
  degrade plane[3] to 50%
}
view part of cab { hide plane }
"""


def drawn(scenario: str, layout: Layout, traffic: str | None = "a2a") -> Picture:
    done = compiler.compile_text(CABINET + SCENARIOS)
    assert done.ok, done.diagnostics
    sink = Sink()
    question = load_question(traffic, "ecmp") if traffic else None
    picture = compare(done, plain_view(done.pick("cab"), None, layout), scenario, question, sink)
    assert picture is not None, list(sink)
    return picture


def texts(picture: Picture, role: str, panel: str = "") -> list[str]:
    return [m.text for m in picture.marks if isinstance(m, Text) and m.role == role and m.id.startswith(panel)]


def cables(picture: Picture, panel: str) -> list[Line]:
    return [m for m in picture.marks if isinstance(m, Line) and m.role.startswith("cable") and m.id.startswith(panel)]


def test_three_planes_carry_what_four_did() -> None:
    """All-to-all between boards goes over the planes alone: 56/63 of 616 GB/s over four cables of 56 GB/s."""
    picture = drawn("PlaneDown", "overview")
    base = 616 * 56 / 63 / (4 * 56)
    assert any(f"busiest: {base * 100:,.0f} %" in text for text in texts(picture, "words", "base"))
    assert any(f"busiest: {base * 400 / 3:,.0f} %" in text for text in texts(picture, "words", "scenario"))
    assert f"256 × 56 GB/s · {base * 400 / 3:,.0f} % · busiest" in texts(picture, "bundle", "scenario")
    assert "64 lost" in texts(picture, "bundle-note", "scenario")
    assert "64 lost" not in texts(picture, "bundle-note", "base")
    for panel in ("scenario", "base"):
        assert texts(picture, "more", panel) == ["2 more", "7 more", "7 more"], "planes, NPUs, boards"


def test_both_have_one_scale() -> None:
    """Cables to the switches carry 244 % and then 326 %, both more than twice what they can; those of the mesh carry
    616 GB/s / 63 over 56 GB/s, 17 %, in both."""
    picture = drawn("PlaneDown", "detail")
    for panel, planes in (("base", 4), ("scenario", 3)):
        over = [mark for mark in cables(picture, panel) if mark.colour.startswith(palette.LOADS[-1])]
        assert len(over) == 64 * planes
        assert {mark.colour[:7] for mark in cables(picture, panel) if mark.role == "cable"} == {
            palette.LOADS[0],
            palette.LOADS[-1],
        }
    assert len(texts(picture, "legend")) == len({*texts(picture, "legend")}), "one legend for both"


def test_what_is_lost_is_marked() -> None:
    picture = drawn("Mixed", "detail")
    assert texts(picture, "lost", "base") == []
    assert len(texts(picture, "lost", "scenario")) == 9
    lost = [mark for mark in cables(picture, "scenario") if mark.role == "cable lost"]
    wanted = 8 * 4 + 28 + (7 + 4) + 1  # a board, a chip of another, and one cable
    assert len(lost) == wanted
    assert all(not mark.dashed and mark.colour == palette.LOST for mark in lost)
    frame = next(m for m in picture.marks if m.id == "scenario-board-3")
    assert isinstance(frame, Box)
    assert frame.stroke == palette.LOST
    assert frame.tip.endswith("(lost)")
    assert any("lost: 9 devices and 72 cables" in text for text in texts(picture, "words", "scenario"))


def test_without_traffic_it_shows_what_is_lost() -> None:
    picture = drawn("Mixed", "detail", None)
    assert len(texts(picture, "lost", "scenario")) == 9
    assert any("copper" in text for text in texts(picture, "legend"))


@pytest.mark.parametrize("layout", ["overview", "detail"])
def test_nothing_overlaps_and_all_can_be_read(layout: Layout) -> None:
    picture = drawn("Mixed", layout)
    assert picture.smallest_text() >= 8
    boxes = [bounds([mark]) for mark in picture.marks if isinstance(mark, Text)]
    left, top, right, bottom = np.array(boxes).T
    for k in range(len(boxes)):
        over = (left < right[k]) & (left[k] < right) & (top + 2 < bottom[k]) & (top[k] + 2 < bottom)
        assert over.sum() == 1, boxes[k]


def test_loads_of_degraded_cables_are_their_own() -> None:
    """A cable at half its capacity has an arc of its own beside its neighbours, and a lost one has none."""
    done = compiler.compile_text(CABINET)
    fabric = done.fabric("cab")
    copper = np.flatnonzero(fabric.a_device // 9 >= 0)
    machine = NetworkContext(fabric).damaged(lost_cables=copper[:1], degraded=(copper[1:2], 0.5))
    network = machine.network
    shares = np.arange(network.arcs) + 1.0
    each = of_each_cable(machine, shares)
    assert each[copper[0]] == 0
    assert (each[1:] > 0).all()
    a, b = cable_ends(fabric)
    for cable in (1, 2, 100, fabric.cable_count - 1):
        rows = [
            r
            for t, h in ((a, b), (b, a))
            for r in np.flatnonzero((network.tail == t[cable]) & (network.head == h[cable]))
        ]
        assert each[cable] == shares[rows].max()


@pytest.fixture
def cabinet(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "cab.ubus").write_text(CABINET + SCENARIOS)
    return run


def test_the_command(cabinet: Run, tmp_path: Path) -> None:
    outcome = cabinet("render", "cab.ubus", "--scenario", "PlaneDown", "--traffic", "a2a")
    assert (outcome.status, outcome.out) == (0, "cab.PlaneDown.svg\n"), outcome.err
    with_loads = (tmp_path / "cab.PlaneDown.svg").read_text()
    assert "scenario PlaneDown" in with_loads
    assert "busiest: " in with_loads
    assert cabinet("render", "cab.ubus", "--scenario", "PlaneDown").status == 0
    alone = (tmp_path / "cab.PlaneDown.svg").read_text()
    assert "scenario PlaneDown" in alone
    assert "busiest: " not in alone, "no traffic is named, so there are no loads"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("PlaneDwon",), "did you mean `PlaneDown`?"),
        (("PlaneDown", "--traffic", "a2b"), "did you mean `a2a`?"),
        (("PlaneDown", "--traffic", "a2a", "--floor"), "on the whole system"),
        (("PlaneDown", "--traffic", "a2a", "--view", "part"), "on the whole system"),
        (("PlaneDown", "--traffic", "a2a", "--type", "Board"), "leave `--type` out"),
        (("PlaneDown", "--html"), "page to explore"),
    ],
)
def test_wrong_usage(cabinet: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    outcome = cabinet("render", "cab.ubus", "--scenario", *arguments)
    assert outcome.status == 2
    assert words in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["cab.ubus"]


def test_a_scenario_that_sets_a_parameter_is_drawn_as_it_then_is() -> None:
    text = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m; delay = 5 ns/m }
npu Chip { port x[2] : UB x4; transit x }
rack Ring(chips = 8) { npu[chips] : Chip; connect npu.x as ring over Wire(1 m) }
system ring : Ring
scenario Small of ring { set chips = 6 }
"""
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    sink = Sink()
    picture = compare(done, plain_view(done.pick("ring"), None, "detail"), "Small", None, sink)
    assert picture is not None, list(sink)
    devices = [mark.id for mark in picture.by_role("device")]
    assert sum(id.startswith("base-") for id in devices) == 8
    assert sum(id.startswith("scenario-") for id in devices) == 6
    assert any("chips = 6" in text for text in texts(picture, "words", "scenario"))


def test_a_scenario_that_extends_another_has_its_lines() -> None:
    """As `ubusc analyze` has it: two chips of each board, one of them by the scenario that is extended."""
    text = CABINET + "scenario One of cab { fail board[0].npu[0] }\n"
    text += "scenario Two of cab extends One { fail board[1].npu[0] }\n"
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    picture = compare(done, plain_view(done.pick("cab"), None, "overview"), "Two", None, Sink())
    assert picture is not None
    assert any("lost: 2 devices" in text for text in texts(picture, "words", "scenario"))


POD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 50 m; delay = 5 ns/m }
link Fibre : UB { medium = optical; reach = 50 m; delay = 5 ns/m }
npu Chip { port up[4] : UB x4; port x[7] : UB x4 }
switch Plane { port p[16] : UB x4; port out[4] : UB x4 }
switch Spine { port p[32] : UB x4 }
board Board { npu[8] : Chip; connect npu.x as fullmesh over Wire(0.3 m); port up = npu.up }
rack Rack {
  board[2] : Board
  plane[4] : Plane
  connect board[b].up[n, k] -- plane[k].p[8*b + n] over Wire(1 m) for b, n, k
  port out = plane.out
}
superpod Pod {
  rack[32] : Rack
  spine[16] : Spine
  connect rack[r].out[p, o] -- spine[4*p + o].p[r] over Fibre(10 m) for r, p, o
}
system pod : Pod
"""
"""512 NPUs, of which a folded picture shows what is in the first rack, and there in the first board."""
CUTS = {
    "fail rack[17].board[1].npu[3]": {"rack-17-board-1-npu-3"},
    "fail rack[9].plane[2]": {"rack-9-plane-2"},
    "fail rack[9]": {"rack-9"},
    "fail spine[6]": {"spine-6"},
    "fail rack[2].plane[3]; fail rack[20]; fail spine[13]; fail spine[14]": {
        "rack-2-plane-3",
        "rack-20",
        "spine-13",
        "spine-14",
    },
    "fail rack[5].board[0].npu[0] -- rack[5].plane[2]": set[str](),
}


def pod(cut: str, layout: Layout = "overview") -> tuple[Picture, compiler.Compilation]:
    done = compiler.compile_text(f"{POD}scenario Cut of pod {{ {cut} }}\n")
    assert done.ok, done.diagnostics
    picture = compare(done, plain_view(done.pick("pod"), None, layout), "Cut", None, Sink())
    assert picture is not None
    return picture, done


@pytest.mark.parametrize("cut", CUTS)
def test_the_fold_opens_where_something_is_lost(cut: str) -> None:
    """What is lost stands in its place in both panels, crossed out in one; no other part is."""
    picture, _ = pod(cut)
    red = {m.id for m in picture.marks if isinstance(m, Box) and m.stroke == palette.LOST and m.role == "part"}
    outermost = {id for id in red if not any(id.startswith(f"{other}-") for other in red)}
    assert {id.removeprefix("scenario-") for id in outermost} == CUTS[cut]
    assert not any(m.id.startswith("base-") and getattr(m, "stroke", "") == palette.LOST for m in picture.marks)
    for panel in ("base", "scenario"):
        ids = {m.id.removeprefix(f"{panel}-") for m in picture.marks if isinstance(m, Box) and m.id.startswith(panel)}
        assert CUTS[cut] <= ids
    boxes = {
        panel: {
            m.id.removeprefix(panel): (m.width, m.height)
            for m in picture.marks
            if isinstance(m, Box) and m.role in ("part", "gap") and m.id.startswith(panel)
        }
        for panel in ("base", "scenario")
    }
    assert boxes["base"] == boxes["scenario"], "both panels are alike"
    readable(picture)


@pytest.mark.parametrize("layout", ["overview", pytest.param("detail", marks=pytest.mark.slow)])
@pytest.mark.parametrize("cut", CUTS)
def test_both_panels_are_true_to_the_fabric(cut: str, layout: Layout) -> None:
    """Cables that are lost are drawn where they were, red; each reaches what it names and runs behind nothing else."""
    picture, done = pod(cut, layout)
    text, fabric = svg(picture), done.fabric("pod")
    for panel in ("base-", "scenario-"):
        shown = drawing(text, panel)
        assert not shown.silent
        assert crossings(shown) == []
        assert astray(shown) == []
        assert differences(shown, fabric) == []


@pytest.mark.parametrize("cut", CUTS)
def test_red_lines_are_the_cables_that_are_lost(cut: str) -> None:
    """Counted over all lines of a folded picture. In none are those inside a rack that is closed, and of a rack that is
    opened those inside a closed board and among five NPUs that are not shown."""
    picture, _ = pod(cut)
    lines = cables(picture, "scenario")
    red = [line for line in lines if line.role == "cable lost"]
    partly = [line for line in lines if line.tip.endswith(" of these lost")]
    lost = sum(_number(line.tip) for line in red) + sum(_number(line.tip.rpartition("\n")[2]) for line in partly)
    words = next(text for text in texts(picture, "words", "scenario") if text.startswith("lost: "))
    told = next(_number(part) for part in re.split(": | and |; ", words) if " cable" in part)
    inside = {"fail rack[9]": 28 + 10} | {each: 28 * 2 + 64 for each in CUTS if "rack[20]" in each}
    assert told - lost == inside.get(cut, 0)
    crossed = {m.id.rpartition("-cross-")[0] for m in picture.by_role("cross")}
    assert crossed & {line.id for line in lines} == {line.id for line in (*red, *partly)}


def _number(text: str) -> int:
    return int(text.partition(" ")[0].replace(",", ""))


@pytest.mark.parametrize("lost", [1, 2, 3, 9, 32])
def test_many_losses_fit_on_a_page(lost: int) -> None:
    """Something in each of several racks: as many are opened or shown as there is room for, and all are counted."""
    cut = "; ".join(f"fail rack[{r}].board[1].npu[{r % 8}]; fail rack[{r}].plane[{r % 4}]" for r in range(lost))
    picture, done = pod(cut)
    readable(picture)
    shown = drawing(svg(picture), "scenario-")
    assert crossings(shown) == []
    assert differences(shown, done.fabric("pod")) == []
    assert any(text.startswith(f"lost: {2 * lost} devices") for text in texts(picture, "words", "scenario"))


def test_an_instance_that_loses_nothing_shows_no_loss() -> None:
    """A rack is opened, and another one loses a plane: only what is shown is said of it."""
    picture, _ = pod("fail rack[9].plane[2]; fail rack[30].board[1].npu[7]")
    notes = texts(picture, "bundle-note", "scenario") + texts(picture, "bundle", "scenario")
    assert "16 lost in this one" in notes, "of the plane, and not of the NPU elsewhere"
    assert sorted(note for note in notes if "lost" in note) == ["16 lost in this one", "4 lost"]
    assert "1 of 20 lost" in texts(picture, "lost", "scenario")
