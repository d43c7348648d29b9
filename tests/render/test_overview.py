"""The overview says what the plan says, and a person can read it."""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from xml.etree import ElementTree

import pytest
from attrs import evolve

from tests.render import machines
from tests.render.reading import SVG, read_back, timed
from tests.render.twin import all_cables, cables, devices
from tests.support.asked import compiled
from unifiedbus_dsl.render import overview, overview_set
from unifiedbus_dsl.render.folding import Folding
from unifiedbus_dsl.render.marks import Box, Line, Text
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.sheet import bounds

MACHINES = machines.all_machines()
TYPES = [(name, key) for name, plan in MACHINES.items() for key in plan.assemblies]


# ---- what it says ----


@pytest.mark.parametrize("name", MACHINES)
def test_figures_are_those_of_the_plan(name: str) -> None:
    plan = MACHINES[name]
    shown = read_back(overview(plan))
    figures = {
        shown[id + "-name"].text: mark.text
        for id, mark in shown.items()
        if id.startswith("tile-") and id + "-name" in shown and mark.role == "figure"
    }
    assert figures["NPUs"] == f"{devices(plan, plan.root, 'npu'):,}"
    if "switches" in figures:
        assert figures["switches"] == f"{devices(plan, plan.root, 'switch'):,}"
    if name != "supercluster":  # too many to count one by one
        assert figures["cables"] == f"{all_cables(plan, plan.assemblies[plan.root]):,}"


@pytest.mark.parametrize(("name", "key"), TYPES)
def test_bundles_count_the_cables(name: str, key: str) -> None:
    plan = MACHINES[name]
    shown = read_back(overview(plan, key))
    wanted: dict[tuple[str, str], int] = {}
    for rule in plan.assemblies[key].rules:
        ends = sorted((rule.left.child, rule.right.child))
        if ends[0] != ends[1]:
            wanted[ends[0], ends[1]] = wanted.get((ends[0], ends[1]), 0) + len(cables(rule))
    for (left, right), number in wanted.items():
        texts = [m.text for id, m in shown.items() if id.startswith(f"bundle-{left}-{right}") and m.role == "bundle"]
        assert len(texts) == 1
        assert texts[0].startswith(f"{number:,} × 56 GB/s = " if number > 1 else "56 GB/s")


def test_a_rate_is_the_count_times_that_of_one() -> None:
    shown = read_back(overview(MACHINES["superpod"]))
    (bundle,) = [m.text for id, m in shown.items() if id.startswith("bundle-") and m.role == "bundle"]
    assert bundle == "32,768 × 56 GB/s = 1.835 PB/s"
    assert shown["tile-5"].text == "8.258 PB/s"
    assert "256 per cabinet · 1,024 per inter" in shown["bundle-cabinet-inter-Optic-4-line-1"].text


def test_all_of_a_mesh_of_eight_is_drawn() -> None:
    shown = read_back(overview(MACHINES["board"]))
    arcs = [id for id in shown if id.startswith("npu-arc")]
    assert len(arcs) == 28
    assert shown["npu-inner-0"].text == "full mesh · 28 × 56 GB/s = 1.568 TB/s · PCB"


def test_equal_parts_are_folded() -> None:
    shown = read_back(overview(MACHINES["superpod"]))
    assert {"cabinet-0", "cabinet-1", "cabinet-127"} <= set(shown)
    assert "cabinet-2" not in shown
    assert shown["cabinet-more"].text == "125 more"
    assert "128 × Cabinet" in {m.text for m in shown.values()}


def cells(size: int, keep: int, chosen: tuple[int, ...] = ()) -> tuple[int | None, ...]:
    """The sibling in each cell; None stands for those that are not shown."""
    return tuple(run.start if len(run) == 1 else None for run in Folding(size, keep, chosen).runs)


def test_fold_keeps_first_and_last() -> None:
    assert cells(4, 4) == (0, 1, 2, 3)
    assert cells(128, 4) == (0, 1, None, 127)
    assert [len(run) for run in Folding(128, 4).runs] == [1, 1, 125, 1]
    assert cells(128, 4, (5,)) == (0, None, 5, None, 127)
    assert cells(128, 2, (5, 6)) == (None, 5, 6, None)
    assert cells(128, 4, (0,)) == cells(128, 4)
    assert cells(3, 4, (1,)) == (0, 1, 2)
    for folding in (Folding(128, 4, (5, 9)), Folding(9, 2, (8,)), Folding(9, 2, (0,))):
        assert [index for run in folding.runs for index in run] == list(range(folding.size))


def test_what_is_inside_is_on_the_tip() -> None:
    shown = read_back(overview(MACHINES["superpod"]))
    assert shown["cabinet-1"].tip.splitlines()[:3] == ["cabinet[1] : Cabinet (rack)", "64 NPUs", "4 switches"]
    assert "8 × 8 full mesh" in shown["cabinet-1"].tip


def test_a_part_named_like_a_mark_of_the_sheet_keeps_both() -> None:
    plan = MACHINES["board"]
    board = plan.assemblies["NpuBoard"]
    odd = evolve(board, children=(machines.Child("title", (), "Ascend950DT"),), rules=(), exports=())
    shown = read_back(overview(evolve(plan, assemblies={"NpuBoard": odd})))
    assert (shown["title"].text, shown["title--2"].tip.partition("\n")[0]) == ("NpuBoard", "title : Ascend950DT (npu)")


def test_switches_without_npus_stand_in_their_tiers() -> None:
    plan = MACHINES["fattree"]
    pod = plan.assemblies["Pod"]
    hosts = machines.exported("host", "edge", [4], "p", [4])
    bare = evolve(
        pod,
        children=tuple(c for c in pod.children if c.name != "host"),
        rules=tuple(r for r in pod.rules if r.left.child != "host"),
        exports=(hosts, *pod.exports),
    )
    marks = {m.id: m for m in overview_picture(evolve(plan, root="Pod", assemblies={"Pod": bare})).marks}
    heights = [marks[id].y for id in ("port-up", "agg-0", "edge-0", "port-host")]  # type: ignore[union-attr]
    assert heights == sorted(heights)
    assert len([m for m in marks.values() if m.role == "exit" and m.id.startswith("port-host-")]) == 4


def test_only_parts_that_have_the_ports_are_joined_with_them() -> None:
    plan = MACHINES["board"]
    board = plan.assemblies["NpuBoard"]
    up = machines.exported("up", "npu", [2], "up", [4])
    shown = read_back(overview(evolve(plan, assemblies={"NpuBoard": evolve(board, exports=(up,))})))
    assert {id for id, mark in shown.items() if mark.role == "exit"} == {"port-up-0", "port-up-1"}
    assert shown["port-up-line-1"].text == "8 × 56 GB/s = 448 GB/s"


def test_lines_are_as_wide_as_the_root_of_their_rate() -> None:
    picture = overview_picture(MACHINES["superpod"])
    marks = {m.tip.partition(": ")[2]: m for m in picture.marks if isinstance(m, Line)}
    thin, wide = marks["inter[0, 1] -- cabinet[1]"], marks["inter[1, *] -- cabinet[0].plane[1]"]
    assert thin.rate == pytest.approx(8 * 56e9)
    assert wide.rate == pytest.approx(64 * 56e9)
    assert (wide.width - 0.7) / (thin.width - 0.7) == pytest.approx(sqrt(64 / 8))


def test_a_line_to_what_is_folded_is_as_wide_as_what_it_stands_for() -> None:
    picture = overview_picture(MACHINES["superpod"])
    hidden = [m for m in picture.marks if isinstance(m, Line) and m.dashed and m.rate]
    assert hidden
    assert all(m.width == pytest.approx(min(6.0, 0.7 + 0.25 * sqrt((m.rate or 0) / 50e9))) for m in hidden)


@pytest.mark.parametrize("name", MACHINES)
def test_every_part_links_to_its_picture(name: str) -> None:
    plan = MACHINES[name]
    files = overview_set(plan)
    assert len(files) == len(plan.assemblies)
    links = {mark.href for text in files.values() for mark in read_back(text).values() if mark.href}
    assert links <= set(files)
    keys = {f": {key} (" for key in plan.assemblies}
    parts = [m for text in files.values() for m in read_back(text).values() if m.role == "part"]
    assert all(bool(part.href) == any(key in part.tip for key in keys) for part in parts)
    assert len(plan.assemblies) == 1 or links == set(files)


def test_each_type_has_a_file_of_its_own() -> None:
    plan = MACHINES["cab"]
    rack, board = plan.assemblies["Cabinet"], plan.assemblies["NpuBoard"]
    others = {key: evolve(board, key=key) for key in ("Board(8)", "board 8", "board-8")}
    children = [machines.Child(f"z{i}", (), key) for i, key in enumerate(others)]
    odd = evolve(rack, children=(*rack.children, *children))
    files = overview_set(evolve(plan, assemblies={"Cabinet": odd, "NpuBoard": board, **others}))
    assert len({name.lower() for name in files}) == 5


def test_pictures_of_two_systems_do_not_meet() -> None:
    plan = MACHINES["superpod"]
    lab = evolve(plan, system="lab")
    assert set(overview_set(lab)) == {
        "lab.svg",
        "lab.Cabinet.svg",
        "lab.Interconnect.svg",
        "lab.NpuBoard.svg",
    }
    assert not set(overview_set(lab)) & set(overview_set(plan))


# ---- that it can be read ----


def text_box(mark: Text) -> tuple[float, float, float, float]:
    left, top, right, bottom = bounds([mark])
    return left, top + mark.size * 0.15, right, bottom - mark.size * 0.15


@pytest.mark.parametrize(("name", "key"), TYPES)
def test_no_label_covers_another(name: str, key: str) -> None:
    picture = overview_picture(MACHINES[name], key)
    texts = [(m.id, text_box(m)) for m in picture.marks if isinstance(m, Text)]
    for (a, one), (b, other) in combinations(texts, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, f"{a} and {b} overlap"
    pills = [m for m in picture.marks if isinstance(m, Box) and m.role == "pill"]
    for pill in pills:
        box = bounds([pill])
        for id, other in texts:
            inside = id.startswith(pill.id.removesuffix("-ground"))
            apart = box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]
            assert inside or apart, f"{pill.id} covers {id}"


@pytest.mark.parametrize(("name", "key"), TYPES)
def test_text_is_large_enough_and_on_the_sheet(name: str, key: str) -> None:
    picture = overview_picture(MACHINES[name], key)
    assert picture.smallest_text(1200) >= 8
    left, top, right, bottom = bounds(picture.marks)
    assert left >= 0
    assert top >= 0
    assert right <= picture.width
    assert bottom <= picture.height


@pytest.mark.parametrize(("name", "key"), TYPES)
def test_what_is_in_a_frame_stays_inside(name: str, key: str) -> None:
    picture = overview_picture(MACHINES[name], key)
    frames = {m.id: m for m in picture.marks if isinstance(m, Box) and m.role == "array"}
    for id, frame in frames.items():
        child = id.removesuffix("-frame")
        inside = [m for m in picture.marks if m.id.startswith((f"{child}-inner-", f"{child}-0", f"{child}-more"))]
        if not inside:
            continue
        left, top, right, bottom = bounds([m for m in inside if not isinstance(m, Line)])
        assert (frame.x <= left, frame.y <= top) == (True, True)
        assert (right <= frame.x + frame.width, bottom <= frame.y + frame.height) == (True, True)


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert overview_set(machines.rack()) == overview_set(machines.rack())


def test_a_million_npus_in_a_second() -> None:
    seconds, files = timed(lambda: overview_set(machines.supercluster(pods=128)))
    assert seconds < 1.0
    assert len(files) == 5
    shown = read_back(files["supercluster.svg"])
    assert "1,048,576" in {mark.text for mark in shown.values()}


# ---- what a spec says is text ----

NASTY = '<script>alert("1")</script> \\N & &lt;b&gt; "quoted\\'


def test_text_of_a_spec_is_never_markup() -> None:
    plan = MACHINES["board"]
    board = evolve(plan.assemblies["NpuBoard"], key=NASTY, doc=NASTY)
    svg = overview(evolve(plan, root=NASTY, system=NASTY, assemblies={NASTY: board}))
    tree = ElementTree.fromstring(svg)
    assert not [e for e in tree.iter() if "script" in e.tag]
    shown = read_back(svg)
    assert shown["note-0"].text == NASTY
    assert shown["title"].tip == NASTY
    assert tree.findtext(f"{SVG}title") == NASTY
    (name,) = overview_set(evolve(plan, root=NASTY, system=NASTY, assemblies={NASTY: board}))
    assert "/" not in name
    assert "<" not in name


def test_control_characters_and_cjk_are_drawn() -> None:
    plan = MACHINES["board"]
    board = evolve(plan.assemblies["NpuBoard"], doc="昇腾 950\x00\x1b[31m\ud800")
    shown = read_back(overview(evolve(plan, assemblies={"NpuBoard": board})))
    assert shown["note-0"].text.startswith("昇腾 950")


@pytest.mark.parametrize(
    ("spec", "system", "names"),
    [
        # cables leave hosts above, cores below, edge switches on both sides
        ("textbook/fat-tree", "tree", {"host[0, *, *]": "below", "core[0, *]": "above", "edge[0, *]": "left"}),
        ("nvidia/gb200-nvl72", "rack", {"tray[0]": "below", "switch[0]": "above", "nic[0, *]": "below"}),
    ],
)
def test_names_of_opened_boxes_stand_where_no_cables_leave(spec: str, system: str, names: dict[str, str]) -> None:
    shown = overview_picture(compiled(spec).pick(system))
    found = {}
    for mark in shown.by_role("open-name"):
        box = shown.find(mark.id.removesuffix("-name"))
        assert isinstance(mark, Text)
        assert isinstance(box, Box)
        at = (mark.y - box.y) / box.height
        found[mark.text] = "left" if at == 0.5 else "above" if at < 0.5 else "below"
    assert names.items() <= found.items()


@pytest.mark.parametrize(
    ("spec", "system"), [("textbook/bcube", "bcube"), ("nvidia/dgx", "h100"), ("textbook/hamming-mesh", "hx2mesh")]
)
def test_cables_reach_shapes_with_cut_corners_and_round_ones(spec: str, system: str) -> None:
    shown = overview_picture(compiled(spec).pick(system))
    boxes = {m.name: m for m in shown.marks if isinstance(m, Box) and m.shape in ("octagon", "ellipse")}
    lines = [line for line in shown.by_role("cable") if isinstance(line, Line) and line.ends]
    apart = []
    for line in lines:
        for box in (boxes[name] for name in line.ends or () if name in boxes):
            apart.append(min(_above(box, tip) for tip in (line.points[0], line.points[-1])))
    assert len(apart) > 10
    assert max(apart) < 1


def _above(box: Box, point: tuple[float, float]) -> float:
    """How far a point is above or below the shape in a box, by the equation of the shape; beside it, without end."""
    u, v = 2 * (point[0] - box.x) / box.width - 1, 2 * (point[1] - box.y) / box.height - 1
    if abs(u) > 1:
        return float("inf")
    tall = sqrt(1 - u**2) if box.shape == "ellipse" else min(1, sqrt(2) - abs(u))
    return (abs(v) - tall) * box.height / 2
