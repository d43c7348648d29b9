"""`ubusc render`: what it writes, view blocks, and what it refuses."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Run
from tests.render.reading import read_back
from unifiedbus_dsl import compiler
from unifiedbus_dsl.diagnostics import Sink, catalogue
from unifiedbus_dsl.figures.loads import percent
from unifiedbus_dsl.figures.solved_views import view_of, views
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Picture, Text
from unifiedbus_dsl.render.pictures import part_of, picture_of

CABINET = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 2 m; delay = 4.5 ns/m }
link Trace : UB { medium = pcb; reach = 2 m; delay = 4.5 ns/m }

npu Chip {
  memory = 144 GB
  port x[7]  : UB x4
  port up[4] : UB x4
  transit x
}
switch Plane { port p[64] : UB x4; latency = 250 ns }
board Board {
  npu[8] : Chip
  connect npu.x as fullmesh over Trace(0.4 m)
  port up = npu.up
}
rack Cabinet {
  board[8] : Board
  plane[4]  : Plane
  connect board[b].up[s, k] -- plane[k].p[8*b + s] over Copper(1 m) for b, s, k
}
system cab : Cabinet
traffic a2a of cab = alltoall(all npu)
traffic hot of cab = incast(all npu -> board[0].npu[0])
"""


@pytest.fixture
def cabinet(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "cab.ubus").write_text(CABINET + "view plan of cab { fold board keep 2 }\n")
    return run


def seen(items: str, text: str = CABINET) -> Picture:
    """The picture of a view of the cabinet with these items."""
    done = compiler.compile_text(text + f"view v of cab {{ {items} }}\n")
    assert done.ok, done.diagnostics
    sink = Sink()
    view = view_of(done, views(done)["v"], sink)
    assert view is not None, list(sink)
    return picture_of(view)


def texts(picture: Picture, role: str) -> list[str]:
    return [mark.text for mark in picture.marks if isinstance(mark, Text) and mark.role == role]


def refused(items: str) -> list[tuple[str, str, tuple[str, ...]]]:
    done = compiler.compile_text(CABINET + f"view v of cab {{ {items} }}\n")
    sink = Sink()
    if done.ok:  # what needs the loads, or the fabric, is said when it is drawn
        assert view_of(done, views(done)["v"], sink) is None
    return [(d.code, d.message, d.help) for d in (*done.diagnostics, *sink)]


# ---- files ------------------------------------------------------------------------------------------------------


def test_one_picture_here(cabinet: Run, tmp_path: Path) -> None:
    outcome = cabinet("render", "cab.ubus")
    assert (outcome.status, outcome.out, outcome.err) == (0, "cab.svg\n", "")
    marks = read_back((tmp_path / "cab.svg").read_text())
    assert "board[7]" in {mark.text for mark in marks.values()}
    assert not any(mark.href for mark in marks.values()), "links to pictures that are not there"


def test_a_linked_picture_of_each_type_into_a_folder(cabinet: Run, tmp_path: Path) -> None:
    assert cabinet("render", "cab.ubus", "-o", "all/").out.split() == ["all/cab.svg", "all/cab.Board.svg"]
    links = {mark.href for mark in read_back((tmp_path / "all/cab.svg").read_text()).values()} - {""}
    assert links == {"cab.Board.svg"}


@pytest.mark.parametrize(
    ("arguments", "name", "start"),
    [
        (("-o", "a.png"), "a.png", b"\x89PNG"),
        (("-o", "a.dot"), "a.dot", b"graph picture {"),
        (("--format", "dot"), "cab.dot", b"graph"),
        (("--type", "Board", "--detail"), "cab.Board.detail.svg", b"<?xml"),
        (("--view", "plan"), "cab.plan.svg", b"<?xml"),
        (("--traffic", "a2a"), "cab.svg", b"<?xml"),
        (("--html",), "cab.html", b"<!DOCTYPE html>"),
        (("-o", "page.html"), "page.html", b"<!DOCTYPE html>"),
    ],
)
def test_names_and_formats(cabinet: Run, tmp_path: Path, arguments: tuple[str, ...], name: str, start: bytes) -> None:
    outcome = cabinet("render", "cab.ubus", *arguments)
    assert (outcome.status, outcome.out) == (0, f"{name}\n"), outcome.err
    assert (tmp_path / name).read_bytes().startswith(start)
    assert sorted(os.listdir(tmp_path)) == sorted(["cab.ubus", name])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--view", "paln"), "did you mean `plan`?"),
        (("--type", "Bord"), "did you mean `Board`?"),
        (("--type", "Chip"), "`Chip` is a device"),
        (("--system", "cub"), "did you mean `cab`?"),
        (("--format", "svgg"), "did you mean `svg`?"),
        (("-o", "a.jpg"), "no format `jpg`"),
        (("--traffic", "a2b"), "did you mean `a2a`?"),
        (("--detail", "--floor"), "choose one"),
        (("--elevation", "--floor"), "`--floor` and `--elevation` are two pictures"),
        (("--elevation", "--map", "latency"), "leave `--elevation` out"),
        (("--html", "--format", "svg"), "`--html` and `--format svg` are two formats"),
        (("--format", "svg", "-o", "a.png"), "`--format svg` and `-o a.png` are two formats"),
        (("--html", "-o", "a.svg"), "`--html` and `-o a.svg` are two formats"),
        (("--routing", "optimal"), "name the traffic by `--traffic`"),
        (("--traffic", "a2a", "--routing", "optimel"), "did you mean `optimal`?"),
        (("--traffic", "a2a", "--routing", "valiant(via = rack)"), "`via` is one of end, switch, group"),
        (("--traffic", "a2a", "--routing", "valiant(via = "), "is not written as a routing is"),
        (("--traffic", "a2a", "--routing", "ecmp(), rate = 1"), "is not written as a routing is"),
        (("--map", "latency", "--plot", "hops"), "leave `--map` out"),
        (("--traffic", "a2a", "-o", "page.html"), "leave `--traffic` out"),
        (("-o", "-"), "can't go to standard output"),
        (("--plot", "hops", "-o", "-"), "can't go to standard output"),
    ],
)
def test_wrong_usage(cabinet: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    outcome = cabinet("render", "cab.ubus", *arguments)
    assert outcome.status == 2
    assert words in outcome.err
    assert os.listdir(tmp_path) == ["cab.ubus"]


def test_no_floor_plan_of_what_is_placed_nowhere(cabinet: Run) -> None:
    outcome = cabinet("render", "cab.ubus", "--floor")
    assert outcome.status == 1
    assert "`place … as grid(…)`" in outcome.err


def test_no_elevation_of_a_rack_without_a_height(cabinet: Run) -> None:
    outcome = cabinet("render", "cab.ubus", "--elevation")
    assert outcome.status == 1
    assert "state the `height` of the rack" in outcome.err


def test_too_many_marks_name_the_collapse_that_helps(run: Run, tmp_path: Path) -> None:
    page = catalogue.find("UB0801")
    assert page
    (tmp_path / "hall.ubus").write_text(page.wrong[0].text)
    for arguments in (("--detail",), ("--view", "whole")):
        outcome = run("render", "hall.ubus", *arguments)
        assert outcome.status == 1
        assert "error[UB0801]" in outcome.err
        assert "40,000 devices" in outcome.err
        assert "`collapse board` leaves 5,000 boxes" in outcome.err
        assert os.listdir(tmp_path) == ["hall.ubus"]


def test_plots(cabinet: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for plot, words in (("hops", "4,032 pairs"), ("latency", "of a small message")):
        assert cabinet("render", "cab.ubus", "--plot", plot).out == f"cab.{plot}.svg\n"
        first = (tmp_path / f"cab.{plot}.svg").read_text()
        assert words in first
        assert cabinet("render", "cab.ubus", "--plot", plot).status == 0
        assert (tmp_path / f"cab.{plot}.svg").read_text() == first
    assert cabinet("render", "cab.ubus", "--plot", "hops", "-o", "a.png").status == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "did you mean `hops`?" in cabinet("render", "cab.ubus", "--plot", "hop").err


def title_of(svg: str) -> str:
    """The title of a picture that shares a page with others."""
    return next(mark.text for id, mark in read_back(svg).items() if id.endswith("-title"))


def test_notebooks_show_the_overview() -> None:
    shown = compiler.compile_text(CABINET)._repr_svg_()
    assert shown
    assert title_of(shown) == "Cabinet"
    assert compiler.compile_text("ubus 1\nsystem a : B\n")._repr_svg_() is None
    done = compiler.compile_text(CABINET)
    assert done.plan._repr_svg_() == done.fabric()._repr_svg_() == shown
    board = part_of(done.plan, "Board")._repr_svg_()
    assert board
    assert title_of(board) == "Board"
    assert part_of(done.plan, "Chip")._repr_svg_() is None


# ---- view blocks ------------------------------------------------------------------------------------------------


def boards_of(items: str) -> list[str]:
    """Return the boards that are named, open or closed, in order."""
    picture = seen(items)
    names = [*texts(picture, "open-name"), *texts(picture, "name")]
    return sorted(name for name in names if name.startswith("board["))


def test_fold_keeps_as_many_as_it_says() -> None:
    assert boards_of("fold board keep 2") == ["board[0]", "board[7]"]
    assert boards_of("fold board keep 1") == ["board[0]"]
    assert "7 more" in texts(seen("fold board keep 1"), "more")
    assert len(boards_of("fold board keep 8")) == 8


def test_collapse_closes_parts() -> None:
    assert any(name.startswith("npu[") for name in texts(seen(""), "name"))
    assert not any(name.startswith("npu[") for name in texts(seen("collapse board"), "name"))


def test_collapse_makes_boxes_of_a_detail() -> None:
    devices = seen("layout detail; collapse board").by_role("device")
    assert len(devices) == 8 + 4
    assert len(seen("layout detail").by_role("device")) == 64 + 4
    assert sum(mark.role == "cable" for mark in seen("layout detail; collapse board").marks) == 8 * 4


@pytest.mark.parametrize(
    ("items", "devices", "cables"),
    [
        ("hide plane", 64, 8 * 28),
        ("hide all switch", 64, 8 * 28),
        ("hide link", 68, 0),
        ("hide all link where medium == copper", 68, 8 * 28),
        ("show all link where medium == copper", 68, 256),
        ("hide board -- plane", 68, 8 * 28),
        ("hide npu", 4, 0),
        ("hide plane[*]", 64, 8 * 28),
        ("show npu", 64, 8 * 28),
        ("show plane, npu", 68, 8 * 28 + 256),
        ("hide all npu where memory > 100 GB", 4, 0),
        ("show board[0]", 8, 28),
        ("show npu where memory > 100 GB", 64, 8 * 28),
        ("show plane where kind == switch", 4, 0),
        ("show plane where name == plane", 4, 0),
        ("hide link where medium == copper", 68, 8 * 28),
        ("show link where medium == copper", 68, 256),
        ("hide board -- plane where medium == pcb", 68, 8 * 28 + 256),
    ],
)
def test_filters_come_before_the_layout(items: str, devices: int, cables: int) -> None:
    picture = seen(f"layout detail; {items}")
    assert len(picture.by_role("device")) == devices
    assert len(picture.by_role("cable")) == cables


@pytest.mark.parametrize(
    ("items", "npus"), [("hide npu where memory == 144 GB", 1), ("show npu where memory > 1 GB", 64)]
)
def test_a_condition_does_not_hold_for_parts_without_the_field(items: str, npus: int) -> None:
    """As in `all npu where …`: an NPU of another type, which says nothing of its memory, is no error."""
    other = CABINET.replace("p[64] : UB", "p[65] : UB").replace(
        "switch Plane", "npu Other { port q[4] : UB x4 }\nswitch Plane"
    )
    other = other.replace(
        "  connect board[b]",
        "  other : Other\n  connect other.q[k] -- plane[k].p[64] over Copper(1 m) for k\n  connect board[b]",
    )
    boxes = [mark for mark in seen(f"layout detail; {items}", other).by_role("device") if isinstance(mark, Box)]
    assert sum(mark.fill == palette.KINDS["npu"].fill for mark in boxes) == npus


def test_figures_are_of_the_whole_machine() -> None:
    assert texts(seen("hide npu"), "figure") == texts(seen(""), "figure")
    assert "without npu" in texts(seen("hide npu"), "note")


def test_labels() -> None:
    assert any(text.startswith("256 × 56 GB/s = ") for text in texts(seen(""), "bundle"))
    assert "256 cables" in texts(seen("label link by count"), "bundle")
    assert "256 × copper" in texts(seen("label link by medium"), "bundle")
    assert "256 × 4 lanes" in texts(seen("label link by lanes"), "bundle")
    assert "144 GB" in texts(seen("layout detail; label npu by memory; hide plane; show board[0]"), "name")


def test_colours() -> None:
    colours = {mark.colour[:7] for mark in seen("color link by link").marks if isinstance(mark, Line)}
    assert set(palette.LINES[:2]) <= colours
    legend = texts(seen("color npu by memory"), "legend")
    assert "144 GB" in legend


def test_a_title_is_text(cabinet: Run, tmp_path: Path) -> None:
    title = "</title><script>alert(1)</script> & \\N"
    (tmp_path / "cab.ubus").write_text(CABINET + f'view v of cab {{ title "{title.replace(chr(92), chr(92) * 2)}" }}\n')
    assert cabinet("render", "cab.ubus", "--view", "v").status == 0
    svg = (tmp_path / "cab.v.svg").read_text()
    assert read_back(svg)["title"].text == title
    assert not [tag for tag in ElementTree.fromstring(svg).iter() if tag.tag.endswith("script")]


@pytest.mark.parametrize(
    ("items", "code", "words"),
    [
        ("layout detial", "UB0810", "did you mean `detail`?"),
        ("color link by mediun", "UB0810", "did you mean `medium`?"),
        ("label npu by memry", "UB0810", "did you mean `memory`?"),
        ("hide all npu, all switch", "UB0810", "hides everything"),
        ("hide board[0]", "UB0810", "whole arrays"),
        ("show npu where memory > 200 GB", "UB0810", "no `npu` is such"),
        ("hide npu where memory > 200 GB", "UB0810", "no `npu` is such"),
        ("color link by load", "UB0810", "`load(a2a)`, `load(hot)`"),
        ("color link by load(cold)", "UB0709", "a traffic is wanted"),
        ("fold plane keep 0", "UB0309", ""),
    ],
)
def test_what_a_view_can_not_ask_for(items: str, code: str, words: str) -> None:
    ((found, message, help),) = refused(items)
    assert found == code or not words
    assert words in " ".join([message, *help])


# ---- loads ------------------------------------------------------------------------------------------------------


def test_the_busiest_cables_stand_out() -> None:
    """All send to one NPU, as much as its neighbours can over the one cable that each has to it, 56 GB/s: its four
    cables to the switches carry what the other 56 send."""
    picture = seen("color link by load(hot); layout detail")
    assert any("1,400 %" in text for text in texts(picture, "note"))
    assert 56 * 56 / 4 / 56 == 14
    lines = [mark for mark in picture.marks if isinstance(mark, Line) and mark.role == "cable"]
    over = [mark for mark in lines if mark.colour.startswith(palette.LOADS[-1])]
    assert {mark.width for mark in over} == {2.5 * min(mark.width for mark in lines)}
    assert len(over) == 4


@pytest.mark.parametrize(
    ("share", "text"), [(0.12345, "12.3 %"), (0.5, "50 %"), (9.996, "1,000 %"), (154.0, "15,400 %")]
)
def test_loads_are_written_without_powers_of_ten(share: float, text: str) -> None:
    assert percent(share) == text


def test_loads_in_the_overview() -> None:
    labels = texts(seen("color link by load(hot)"), "bundle")
    assert "256 × 56 GB/s · 1,400 % · busiest" in labels
    named = texts(seen("color link by load(hot); label link by count"), "bundle")
    assert "256 cables" in named
    assert any("28 × 56 GB/s · 100 %" in label for label in labels)


def test_loads_of_a_part_alone_are_the_busiest_of_its_like() -> None:
    """No instance is meant: `show board[3]` and `--type Board` say the same, that of the worst board."""
    picture = seen("color link by load(hot); layout detail; show board[3]")
    drawn = [mark for mark in picture.marks if isinstance(mark, Line) and mark.role == "cable"]
    assert len(drawn) == 28
    assert len({mark.colour for mark in drawn}) == 1
    assert "a cable is coloured as the busiest of its like in the system" in texts(picture, "legend")


def test_pdf_without_graphviz_says_what_to_install(
    cabinet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UBUSC_DOT", raising=False)
    outcome = cabinet("render", "cab.ubus", "-o", "a.pdf")
    assert outcome.status == 1
    assert "apt install graphviz" in outcome.err
    assert os.listdir(tmp_path) == ["cab.ubus"]


EVIL = "</title></script><script>alert(1)</script><img src=x onerror='alert(2)'> & \\N"


def test_text_of_a_spec_stays_text_in_tips_and_attributes(run: Run, tmp_path: Path) -> None:
    """Documentation, fields and titles with markup, in the picture and in the page: what is read back is what was
    written, and nothing of it is an element."""
    text = CABINET.replace("npu Chip {", f'## {EVIL}\nnpu Chip {{\n  note = "{EVIL.replace(chr(92), chr(92) * 2)}"')
    (tmp_path / "evil.ubus").write_text(text)
    outcome = run("render", "evil.ubus", "--type", "Board")
    assert outcome.status == 0, outcome.err
    svg = (tmp_path / "cab.Board.svg").read_text()
    assert EVIL in read_back(svg)["npu-0"].tip
    tags = {tag.tag.rpartition("}")[2] for tag in ElementTree.fromstring(svg).iter()}
    assert not tags & {"script", "img"}
    names = {name for tag in ElementTree.fromstring(svg).iter() for name in tag.attrib}
    assert not [name for name in names if name.startswith("on")]
    assert run("render", "evil.ubus", "--html").status == 0
    page = (tmp_path / "cab.html").read_text()
    assert page.count("<script") == 2
    assert "<img" not in page
    data = page.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(data)["types"]["Chip"]["doc"] == EVIL


def test_a_png_is_so_many_times_as_large(cabinet: Run, tmp_path: Path) -> None:
    sizes = []
    for scale in ((), ("--scale", "2"), ("--scale", "0.5")):
        assert cabinet("render", "cab.ubus", "-o", "a.png", *scale).status == 0
        sizes.append(struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24]))
    for k in (0, 1):
        assert sizes[1][k] == pytest.approx(2 * sizes[0][k], abs=2)
        assert sizes[2][k] == pytest.approx(sizes[0][k] / 2, abs=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "a.svg", "--scale", "2"), "`--scale` is for a PNG"),
        (("-o", "a.png", "--plot", "hops", "--scale", "2"), "`--scale` is for a PNG"),
        (("-o", "a.png", "--scale", "0"), "0.1"),
        (("-o", "a.png", "--scale", "big"), "big"),
        (("-o", "a.png", "--scale", "nan"), "0.1"),
    ],
)
def test_a_scale_that_has_no_meaning_is_refused(
    cabinet: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    outcome = cabinet("render", "cab.ubus", *arguments)
    assert outcome.status == 2
    assert words in outcome.err
    assert not (tmp_path / "a.png").exists()
