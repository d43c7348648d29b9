"""The page to explore as hands use it: mouse, fingers and keys in a real browser, as wide as a desk and as a phone."""

# ruff: noqa: E501 - lines of JavaScript

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import unifiedbus_dsl as ub
from tests.render.browser import CHROMIUM, Browser
from tests.render.hands import SPECS, Page, box
from unifiedbus_dsl import compiler
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import html
from unifiedbus_dsl.figures.solved_views import explorer_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
AXE = next(
    (Path(folder) / "axe-core/axe.min.js" for folder in os.environ.get("NODE_PATH", "").split(":") if folder), None
)
WIDTHS = pytest.mark.parametrize("width", [1440, 390])


@WIDTHS
def test_every_part_of_a_part_opens_it(chromium: Browser, pages: Path, width: int) -> None:
    """Its box, its name, what is written below it; the folds too: nothing of the picture of a part is dead."""
    page = Page(chromium, pages / "pod.html", width)
    marks = page.run("marks.parts.map(p => [p.group.id, p.name])")
    assert len(marks) > 40
    for id, name in marks:
        page.run("show([], 0)")
        group = f"document.getElementById({json.dumps(id)})"
        page.run(f"{group}.dispatchEvent(new MouseEvent('click', {{ bubbles: true }}))")
        assert page.run("pathText(state.path) !== '' || state.label.startsWith('every ')"), (id, name)


@WIDTHS
def test_a_name_is_clicked_and_the_browser_goes_back_and_forward(chromium: Browser, pages: Path, width: int) -> None:
    page = Page(chromium, pages / "pod.html", width)
    page.click("marks.parts.find(p => p.kind === 'name' && p.name === 'cabinet[127]').group.querySelector('text')")
    assert (page.place, page.hash) == ("cabinet[127]", "#cabinet[127]")
    page.choose(
        "pictures",
        str(page.run("data.pictures.findIndex(p => p.label === 'every device' && p.type === typeAt(state.path))")),
    )
    assert page.hash == "#cabinet[127]?picture=every+device"
    for step, place, label in (("back", "cabinet[127]", "overview"), ("back", "", "overview"),
                               ("forward", "cabinet[127]", "overview"), ("forward", "cabinet[127]", "every device")):  # fmt: skip
        page.run(f"history.{step}()")
        page.rest(700)
        assert (page.place, page.run("state.label")) == (place, label)


@WIDTHS
def test_a_fold_opens(chromium: Browser, pages: Path, width: int) -> None:
    page = Page(chromium, pages / "pod.html", width)
    page.click(box("cabinet[1..126]"))
    assert page.run("marks.boxes.length") == 128
    assert page.hash == "#?picture=every+cabinet"
    assert page.run("document.querySelectorAll('#facts .list > button:not([hidden])').length") == 121
    page.run("[...document.querySelectorAll('#facts .list > button')].pop().click()")
    assert page.text("#facts .list").count("cabinet[") == 128
    page.click(box("cabinet[100]"))
    assert page.place == "cabinet[100]"


@WIDTHS
def test_keys_go_from_part_to_part(chromium: Browser, pages: Path, width: int) -> None:
    page = Page(chromium, pages / "pod.html", width)
    reached = set()
    page.run("document.getElementById('stage').focus()")
    page.press("Tab")
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft"):
        reached.add(page.run("document.activeElement.getAttribute('aria-label')"))
        page.press(key)
    assert len(reached) > 4
    through = set()
    for _ in range(page.run("marks.boxes.length")):
        page.run(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageDown', bubbles: true }))"
        )
        through.add(page.run("document.activeElement.__part.name"))
    assert through == set(page.run("marks.boxes.map(b => b.name)")), "no part is out of reach of the keys"
    page.run(f"focusPart({box('cabinet[127]')})")
    page.press("Enter")
    assert page.place == "cabinet[127]"
    page.run(f"focusPart({box('npu[0, 3]')})")
    page.press("Enter")
    assert page.place == "cabinet[127].npu[0, 3]"
    page.run("document.getElementById('stage').focus()")
    page.press("Backspace", "Backspace")
    assert page.place == ""


@WIDTHS
def test_it_is_zoomed_by_buttons_keys_and_fingers(chromium: Browser, pages: Path, width: int) -> None:
    page = Page(chromium, pages / "pod.html", width)
    first = page.run("state.zoom")
    assert page.run("document.getElementById('map').hidden")
    page.click("document.getElementById('zoom-in')")
    page.click("document.getElementById('zoom-in')")
    assert page.run("state.zoom") == pytest.approx(first * 1.4**2)
    assert not page.run("document.getElementById('map').hidden"), "what is out of sight is on the small map"
    before = page.run("[state.x, state.y]")
    x, y = page.middle("document.getElementById('map')")
    page.click("document.getElementById('map')")
    assert page.run("[state.x, state.y]") != before
    middle = page.run(
        "[(stage.clientWidth / 2 - state.x) / state.zoom / marks.width, (stage.clientHeight / 2 - state.y) / state.zoom / marks.height]"
    )
    assert middle == pytest.approx([0.5, 0.5], abs=0.03), (x, y)
    page.run("document.getElementById('stage').focus()")
    page.press("0")
    assert page.run("state.zoom") == pytest.approx(first)
    x, y = page.middle("document.getElementById('stage')")
    page.touch(*([(x - 20 - 8 * k, y), (x + 20 + 8 * k, y)] for k in range(6)))
    assert page.run("state.zoom") == pytest.approx(first * 3, rel=0.01)
    page.press("0")
    x0 = page.run("state.x")
    page.touch(*([(x + 10 * k, y)] for k in range(6)))
    assert page.run("state.x") - x0 == pytest.approx(50, abs=11)
    assert page.place == "", "a finger that moves the picture chooses nothing"


ADDRESSES = [
    ("#cabinet[5].npu[3,3]", "cabinet[5].npu[3, 3]", ""),
    ("#cabinet%5B5%5D.npu%5B3%2C%203%5D", "cabinet[5].npu[3, 3]", ""),
    ("#nonsense", "", "Not here: `nonsense`."),
    ("#%E0%A4%A", "", "Not here: `%E0%A4%A`."),
    ("#cabinet[3].npu[9,9]", "cabinet[3]", "Not here: `cabinet[3].npu[9,9]`."),
    ("#?traffic=none&scenario=x", "", "Not here: traffic `none`, scenario `x`."),
    ("#cabinet[3]?zoom=0,1,2", "cabinet[3]", "Not here: zoom `0,1,2`."),
    ("#cabinet[3]?zoom=1e999,nan,2&picture=no", "cabinet[3]", "Not here: zoom `1e999,nan,2`. Not here: picture `no`."),
    ("#?path=cabinet[0]&path=cabinet[9].npu[0,0]", "", "Not here: path `cabinet[0]`."),
    ("#?hide=&&=&zoom&alternative=-1", "", "Not here: zoom ``."),
    ("#<img src=x onerror=alert(1)>", "", None),
    ("#cabinet[99999999999999999999]", "", "Not here: `cabinet[99999999999999999999]`."),
    ("#__proto__.constructor", "", "Not here: `__proto__.constructor`."),
]  # fmt: skip


@pytest.mark.parametrize(("hash", "place", "said"), ADDRESSES)
def test_an_address_that_is_not_right_shows_what_is_there(
    chromium: Browser, pages: Path, hash: str, place: str, said: str | None
) -> None:
    """Both when the page is opened by it, and when it is written while the page is there."""
    page = Page(chromium, pages / "pod.html", 1440, hash)
    for _ in range(2):
        assert page.run("problems") == []
        assert page.place == place
        if said is not None:
            assert page.text(".notice") == said
        page.run("location.hash = '#inter[1,1]'")
        page.rest()
        assert page.place == "inter[1, 1]"
        page.run(f"location.hash = {json.dumps(hash)}")
        page.rest()


@WIDTHS
def test_the_address_is_all_that_is_seen(chromium: Browser, pages: Path, width: int) -> None:
    """What is copied as a link shows the same in another window."""
    page = Page(chromium, pages / "rack.html", width)
    page.choose("traffic", "experts")
    page.run("toggle('pcb')")
    page.run("choosePart(parsePath('tray[0].npu[0, 0]'))")
    page.run("choosePart(parsePath('tray[3].npu[1, 1]'))")
    page.run("document.querySelector('[aria-label=\"next path\"]').click()")
    page.run("zoom(2, 100, 100)")
    page.rest(700)
    shown = (
        "[pathText(state.path), state.label, state.traffic, state.scenario, state.ends, state.which, [...state.hidden]]"
    )
    view, first = page.run("view()"), page.run(shown)
    assert first == [
        "tray[3].npu[1, 1]",
        "overview",
        "experts",
        "",
        ["tray[0].npu[0, 0]", "tray[3].npu[1, 1]"],
        1,
        ["pcb"],
    ]
    other = Page(chromium, pages / "rack.html", width, page.run("location.hash"))
    assert other.run(shown) == first
    assert other.run("view()") == pytest.approx(view, abs=1e-3)


@WIDTHS
def test_what_is_linked_to_is_in_sight(chromium: Browser, pages: Path, width: int) -> None:
    for name in ("cabinet[3].npu[2, 5]", "inter[3, 7].hrs[7]", "cabinet[127].plane[3]"):
        page = Page(chromium, pages / "pod.html", width, f"#{name.replace(', ', ',')}")
        page.rest(600)
        inside = page.run(
            "(([a, s]) => a.left >= s.left && a.right <= s.right && a.top >= s.top && a.bottom <= s.bottom)"
            "([document.querySelector('#sheet .chosen'), stage].map(e => e.getBoundingClientRect()))"
        )
        assert inside, name


def test_a_traffic_without_loads_after_a_scenario_shows_the_scenario(chromium: Browser, tmp_path: Path) -> None:
    done = compiler.compile(SPECS / "textbook/dragonfly.ubus")
    (tmp_path / "page.html").write_text(explorer_page(done, "dragonfly", Sink()), encoding="utf-8")
    page = Page(chromium, tmp_path / "page.html", 1440, "#?traffic=next_group&scenario=SwitchDown")
    assert page.run("data.pictures.some(p => p.traffic === 'next_group' && p.scenario === 'SwitchDown')") is False
    assert page.run("state.label") == "before and after"
    assert page.run("marks.boxes.length") > 100
    assert page.text(".notice").startswith("There are no loads of next_group after SwitchDown")


SEARCHES = [
    ("npu[2, 5]", "cabinet[0].npu[2, 5]", 128),
    ("NPU[2,5]", "cabinet[0].npu[2, 5]", 128),
    ("net[17].npu[2, 5]", "cabinet[17].npu[2, 5]", 1),
    ("cabinet[17].npu[7", "cabinet[17].npu[7, 0]", 8),
    ("pu[7, 7]", "cabinet[0].npu[7, 7]", 128),
    ("inter[3, 7].hrs[7]", "inter[3, 7].hrs[7]", 1),
    ("ascend", "cabinet[0..127].npu[0..7, 0..7]", 1),
    ("npu[8, 0]", None, 0),
    ("npu[2, 5", "cabinet[0].npu[2, 5]", 128),
    ("[", "cabinet[0]", None),
    ("(*)\\", None, 0),
]


def test_any_part_of_a_name_is_found(chromium: Browser, pages: Path) -> None:
    page = Page(chromium, pages / "pod.html", 1440)
    for text, first, count in SEARCHES:
        page.type(text)
        found = page.run(f"search({json.dumps(text)})")
        assert page.text("#found button").split(" : ")[0] == (first or ""), text
        if count is not None:
            assert found["count"] == count, text
    page.type("npu[2, 5]")
    page.run("document.getElementById('search').focus()")
    page.press("ArrowDown", "ArrowDown", "Enter")
    assert page.place == "cabinet[1].npu[2, 5]"


def test_hover_shows_what_a_part_is_joined_to(chromium: Browser, pages: Path) -> None:
    page = Page(chromium, pages / "rack.html", 1440)
    x, y = page.middle(box("switch[0].chip[1]"))
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    page.rest()
    lit = set(page.run("[...document.querySelectorAll('#sheet .lit')].map(nameOf)"))
    assert {"switch[0].chip[1]", "tray[0].npu[0, 0]", "tray[0].npu[1, *]", "tray[17]"} <= lit
    assert not {"switch[0].chip[0]", "tray[0].cpu[0]", "tray[0].nic[0, 0]"} & lit
    assert page.text("#hint").startswith("switch[0].chip[1] : NVSwitch4 · p[0] – tray[0].npu[0, 0].nvlink[1]")
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=5, y=5)
    page.rest()
    assert page.run("document.querySelectorAll('#sheet .lit').length") == 0


@WIDTHS
def test_what_is_left_out_is_out_and_comes_back(chromium: Browser, pages: Path, width: int) -> None:
    page = Page(chromium, pages / "rack.html", width)
    seen = "marks.lines.filter(l => getComputedStyle(l.group).visibility === 'visible').map(l => mediumOf(l.link))"
    assert set(page.run(seen)) == {"copper", "pcb"}
    page.run("document.querySelector('#filters [data-name=copper]').scrollIntoView()")
    page.click("document.querySelector('#filters [data-name=copper]')")
    assert set(page.run(seen)) == {"pcb"}
    page.click(
        "[...document.querySelectorAll('#sheet g.legend')].find(g => g.id === 'legend-copper').querySelector('text')"
    ) if width > 1000 else page.run("toggle('copper')")
    assert set(page.run(seen)) == {"copper", "pcb"}
    page.run("toggle('nic')")
    assert (
        page.run(
            "marks.parts.filter(p => nameOf(p.group).includes('nic') && getComputedStyle(p.group).visibility === 'visible').length"
        )
        == 0
    )
    assert "hide=nic" in page.hash


def test_no_switch_of_traffic_or_scenario_takes_long(chromium: Browser, pages: Path) -> None:
    """100 ms at most of one task of the page, in processor time: more is a freeze."""
    page = Page(chromium, pages / "rack.html", 1440)
    for what, value in (("scenario", "SwitchTrayDown"), ("traffic", "experts"), ("scenario", ""), ("traffic", "")):
        change = f"(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('change')); }})(document.getElementById('{what}'))"
        tasks = page.tasks(change, 2500)
        assert sum(tasks) > 0.01, "something was drawn"
        assert tasks[0] < 0.1, (what, value)
        assert page.run(f"state.{what}") == value


PAN = """new Promise(done => { let frame = 0; const step = () => {
  if (frame++ === 90) return done(frame);
  if (frame % 3) pan(frame % 20 < 10 ? 9 : -9, 3); else zoom(frame % 20 < 10 ? 1.05 : 1 / 1.05);
  requestAnimationFrame(step); }; requestAnimationFrame(step); })"""


def test_a_frame_is_short_where_8192_npus_are_drawn_one_by_one(chromium: Browser, tmp_path: Path) -> None:
    """16 ms of processor time for the longest task of all frames, with every NPU of the pod on the sheet."""
    text = (SPECS / "huawei/atlas-950-superpod.ubus").read_text(encoding="utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("scenario"))
    (tmp_path / "pod.ubus").write_text(text + "\nview each of superpod { layout detail }\n", encoding="utf-8")
    done = compiler.compile(tmp_path / "pod.ubus", search=[SPECS / "huawei"])
    assert done.ok, done.diagnostics
    (tmp_path / "pod.html").write_text(explorer_page(done, "superpod", Sink()), encoding="utf-8")
    page = Page(chromium, tmp_path / "pod.html", 1440, "#?picture=view+each")
    page.rest(4000)
    assert page.run("marks.boxes.length") > 8_192
    assert page.tasks(PAN, 300)[0] < 0.016


def test_in_a_notebook_it_is_a_frame_that_works(chromium: Browser, tmp_path: Path) -> None:
    """It has no address of its own there, and yet back goes back."""
    page = ub.explorer_page(ub.compile(SPECS / "textbook/ring.ubus"))._repr_html_()
    told = "<script>addEventListener('message', e => { window.told = e.data; });</script>"
    probe = (
        "<script>const wrong = []; addEventListener('error', e => wrong.push(e.message)); onmessage = async e => { await (async () => {}).constructor(e.data)(); await new Promise(r => setTimeout(r, 400)); "
        "parent.postMessage([pathText(state.path), wrong, address()], '*'); }</script>"
    )
    policy = r"script-src &#x27;sha256-[^;]*;"
    opened = re.sub(policy, "script-src &#x27;unsafe-inline&#x27; &#x27;unsafe-eval&#x27;;", page, count=1)
    assert opened != page
    opened = opened.replace("&lt;/body&gt;", html.text(probe) + "&lt;/body&gt;")
    (tmp_path / "cell.html").write_text(f"<!DOCTYPE html><body>{told}{opened}</body>", encoding="utf-8")
    cell = Page(chromium, tmp_path / "cell.html", 1000)
    for step, place in (("choosePart(parsePath('chip[3]'))", "chip[3]"), ("choosePart(parsePath('chip[5]'))", "chip[5]"),
                        ("history.back()", "chip[3]")):  # fmt: skip
        cell.run(f"document.querySelector('iframe').contentWindow.postMessage({json.dumps(step)}, '*')")
        cell.rest(1200)
        assert cell.run("told")[:2] == [place, []]
    assert cell.run("document.querySelectorAll('[id]').length") == 0, "nothing of it stands in the page of the notebook"


@WIDTHS
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(chromium: Browser, pages: Path, width: int, *, dark: bool) -> None:
    if AXE is None or not AXE.is_file():
        pytest.skip("there is no axe-core on NODE_PATH")
    page = Page(chromium, pages / "rack.html", width, dark=dark)
    page.run(AXE.read_text(encoding="utf-8") + "\n;0")
    for steps in ("0", "choosePart(parsePath('tray[0].npu[0, 0]')), choosePart(parsePath('tray[3].npu[1, 1]'))",
                  "show([], 'tray')", "lineFacts(marks.lines[0] ?? (show([], 0), marks.lines[0]))"):  # fmt: skip
        page.run(f"({steps}, 0)")
        page.rest()
        found = page.run(
            "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))"
        )
        assert found == [], steps
    page.type("npu")
    assert page.run("axe.run().then(r => r.violations.map(v => v.id))") == []


def test_what_is_seen_is_saved(chromium: Browser, pages: Path) -> None:
    for dark in (False, True):
        page = Page(chromium, pages / "rack.html", 1440, dark=dark)
        page.run("zoom(5, 500, 300)")
        page.rest()
        saved = page.run("seen()")
        z, x, w, whole = page.run("[state.zoom, state.x, stage.clientWidth, marks.width]")
        assert saved["width"] == pytest.approx(min(whole, (w - x) / z) - max(0, -x / z), rel=0.01)
        assert saved["width"] < whole, "less than all is seen"
        assert saved["text"].startswith("<svg")
        assert "tabindex" not in saved["text"]
        assert ("#10161d" in saved["text"]) == dark
        size = page.run(
            "new Promise((done, no) => { const i = new Image(); i.onload = () => done([i.width, i.height]); i.onerror = no; "
            "i.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(seen().text); })"
        )
        assert size == [pytest.approx(saved["width"], abs=1), pytest.approx(saved["height"], abs=1)]


def test_both_sides_of_a_scenario_answer(chromium: Browser, pages: Path) -> None:
    """A part is twice in a picture of before and after: both are reached by keys, and light together."""
    page = Page(chromium, pages / "rack.html", 1440, "#?scenario=SwitchTrayDown")
    page.rest(1200)
    both = "marks.boxes.filter(b => b.name === 'tray[0].npu[0, 0]')"
    assert page.run(f"{both}.map(b => b.group.getAttribute('role'))") == ["button", "button"]
    page.run(f"hover({both}[1].group)")
    assert page.run(f"{both}.every(b => b.group.classList.contains('lit'))")
    lost = page.run("marks.lines.filter(l => l.lost).length")
    assert lost > 100
    page.run("lineFacts(marks.lines.find(l => l.lost))")
    assert "lost in this scenario" in page.text("#facts")
