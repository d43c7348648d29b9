"""The page to explore a machine in, in a real browser where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.render import machines
from unifiedbus_dsl import pipeline
from unifiedbus_dsl.analysis.pictures import explorer_page
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.render.explorer import embedded, explorer

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

EVIL = "</script><script>document.title = 'evil'</script><img src=x onerror=\"document.title='evil'\">"
RACK = f"""ubus 1

protocol UB {{ lane = 112 Gbps; latency = 100 ns }}
link Copper : UB {{ medium = copper; reach = 2 m; delay = 4.5 ns/m }}
## {EVIL}
npu Chip {{ port up[2] : UB x4 }}
switch Plane {{ port p[8] : UB x4; latency = 250 ns }}
rack Cabinet {{
  npu[8]   : Chip
  plane[2] : Plane
  connect npu[n].up[k] -- plane[k].p[n] over Copper(1 m) for n, k
}}
system cab : Cabinet
view evil of cab {{ title "{EVIL.replace('"', chr(39))}" }}
"""


def page_of(text: str) -> str:
    done = pipeline.compile_text(text)
    assert done.ok, done.diagnostics
    sink = Sink()
    page = explorer_page(done, done.systems[0], sink)
    assert not list(sink)
    return page


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def browse(page: str, folder: Path, steps: str, *arguments: str) -> Any:
    """What the browser has after these steps (JavaScript that gives a value), with the errors of the page."""
    assert CHROMIUM
    script = f"""<script>
    window.problems = []; window.onerror = message => window.problems.push(String(message));
    window.addEventListener("load", () => {{
      const press = (e, extra = {{}}) => {{ for (const kind of ["pointerdown", "pointerup", "click"])
        e.dispatchEvent(new MouseEvent(kind, {{ bubbles: true, cancelable: true, ...extra }})); }};
      const part = name => [...document.querySelectorAll("#sheet g")].find(g =>
        ["part", "device"].includes(g.getAttribute("class")) && nameOf(g) === name);
      const type = (id, text) => {{ const e = document.getElementById(id); e.value = text;
        e.dispatchEvent(new Event("input", {{ bubbles: true }})); }};
      const key = name => document.getElementById("stage").dispatchEvent(
        new KeyboardEvent("keydown", {{ key: name, bubbles: true }}));
      let value; try {{ value = (() => {{ {steps} }})(); }} catch (error) {{ window.problems.push(String(error)); }}
      const pre = document.createElement("pre"); pre.id = "outcome";
      pre.textContent = JSON.stringify({{ value, problems: window.problems, title: document.title }});
      if (!{json.dumps(bool(arguments))}) document.body.append(pre);
    }});
    </script></body>"""
    file = folder / "page.html"
    file.write_text(page.replace("</body>", script, 1), encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
        "--disable-sync --no-first-run --window-size=1200,800 --virtual-time-budget=3000"
    )
    end = arguments or ("--dump-dom",)
    command = [CHROMIUM, *flags.split(), f"--user-data-dir={folder / 'profile'}", *end, file.as_uri()]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    if arguments:
        return None
    found = re.search(r'<pre id="outcome">(.*?)</pre>', out, re.DOTALL)
    assert found, out[-500:]
    from html import unescape

    return json.loads(unescape(found[1]))


# ---- the page as text -------------------------------------------------------------------------------------------


def test_the_page_says_what_the_plan_says() -> None:
    plan = machines.superpod()
    data = data_of(explorer(plan))
    assert data["types"]["Ascend950DT"]["instances"] == 8192
    assert ["npu", "8,192"] in data["types"]["Atlas950"]["contents"]
    assert {p["type"] for p in data["pictures"] if p["label"] == "overview"} == set(plan.assemblies)


def test_a_million_npus_by_type() -> None:
    plan = machines.supercluster(128)
    assert plan.instances["Ascend950DT"] == 1_048_576
    assert len(explorer(plan).encode()) < 5_000_000


def test_nothing_from_outside() -> None:
    page = explorer(machines.board())
    shell = page.replace(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1], "")  # type: ignore[index]
    assert not re.search(r"https?://|src=|@import|url\(", shell)


def test_text_of_a_spec_ends_no_script() -> None:
    assert "<" not in embedded({"title": EVIL, "doc": "<!--"})
    assert json.loads(embedded({"title": EVIL})) == {"title": EVIL}
    page = page_of(RACK)
    assert page.count("</script>") == 2
    assert EVIL not in page


# ---- in the browser ---------------------------------------------------------------------------------------------


@needs_browser
def test_clicks_drill_down_and_backspace_goes_up(tmp_path: Path) -> None:
    steps = """
      press(part("cabinet[0]")); const first = document.getElementById("trail").textContent;
      press(part("board[0]")); const second = document.getElementById("trail").textContent;
      show([...state.path, { name: "npu", at: [3] }]); const facts = document.getElementById("facts").textContent;
      key("Backspace"); key("Backspace");
      return { first, second, facts, back: document.getElementById("trail").textContent, hash: location.hash };"""
    found = browse(explorer(machines.superpod()), tmp_path, steps)
    assert found["problems"] == []
    value = found["value"]
    assert value["first"] == "superpod› cabinet[0]"
    assert value["second"] == "superpod› cabinet[0]› board[0]"
    assert "cabinet[0].board[0].npu[3]" in value["facts"]
    assert "UB x4 · 56 GB/s" in value["facts"]
    assert value["back"] == "superpod› cabinet[0]"


@needs_browser
def test_search_by_name_and_by_path(tmp_path: Path) -> None:
    steps = """
      type("search", "npu"); const names = document.getElementById("found").textContent;
      type("search", "cabinet[17].board[5].npu[7]"); document.querySelector("#found button").click();
      const there = pathText(state.path);
      const chosen = [...document.querySelectorAll("#sheet .chosen")].map(nameOf);
      type("search", "cabinet[128]"); const none = document.getElementById("found").textContent;
      return { names, there, chosen, none };"""
    found = browse(explorer(machines.superpod()), tmp_path, steps)
    assert found["problems"] == []
    assert "cabinet[0..127].board[0..7].npu[0..7] : Ascend950DT" in found["value"]["names"]
    assert found["value"]["there"] == "cabinet[17].board[5].npu[7]"
    assert found["value"]["chosen"] == ["npu[7]"]
    assert found["value"]["none"] == "nothing is called that"


@needs_browser
def test_a_path_on_two_clicks_views_zoom_and_evil_text(tmp_path: Path) -> None:
    steps = """
      const menu = document.getElementById("pictures"); const labels = [...menu.options].map(o => o.textContent);
      menu.value = [...menu.options].find(o => o.textContent === "every device").value;
      menu.dispatchEvent(new Event("change"));
      press(part("npu[0]")); press(part("npu[5]"));
      const path = [...document.querySelectorAll("#path li")].map(e => e.textContent);
      const lit = document.querySelectorAll("#sheet .on-path").length;
      const before = state.zoom; key("+"); const zoomed = state.zoom / before;
      menu.value = [...menu.options].find(o => o.textContent === "view evil").value;
      menu.dispatchEvent(new Event("change"));
      document.getElementById("theme").click();
      return { labels, path, lit, zoomed, theme: document.documentElement.dataset.theme,
               seen: document.querySelector("#sheet").textContent.includes("<script>"),
               scripts: document.querySelectorAll("#sheet script, #sheet img, #facts img").length };"""
    found = browse(page_of(RACK), tmp_path, steps)
    assert found["problems"] == []
    assert found["title"] == "cab"
    value = found["value"]
    assert value["labels"] == ["overview", "every device", "view evil"]
    assert (value["path"][0], value["path"][-1], len(value["path"])) == ("npu[0]", "npu[5]", 3)
    assert value["lit"] == 3
    assert value["zoomed"] == 1.25
    assert value["theme"] == "dark"
    assert value["seen"]
    assert value["scripts"] == 0


@needs_browser
def test_it_shows_something(tmp_path: Path) -> None:
    png = tmp_path / "shot.png"
    browse(explorer(machines.superpod()), tmp_path, "", f"--screenshot={png}")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_size > 20_000, "an empty page is smaller"
