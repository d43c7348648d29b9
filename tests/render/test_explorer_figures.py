"""The figures of the page to explore, worked out in the browser, against the fabric and the solver."""

# ruff: noqa: E501 - lines of JavaScript

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.render.browser import CHROMIUM, Browser
from tests.render.hands import SPECS, Page
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis.api import loads
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.solved_views import explorer_page
from unifiedbus_dsl.render.explorer import explorer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]


def test_a_cable_says_ports_rate_length_latency_and_load(chromium: Browser, pages: Path) -> None:
    page = Page(chromium, pages / "rack.html", 1440)
    page.choose("traffic", "experts")
    page.run(
        "marks.lines.find(l => l.ends.includes('switch[0].chip[0]') && l.ends.includes('tray[0].npu[0, 0]')).group.dispatchEvent(new MouseEvent('click', { bubbles: true }))"
    )
    facts = page.run(
        "Object.fromEntries([...document.querySelectorAll('#facts tr')].map(r => [...r.children].map(c => c.textContent)))"
    )
    done = compiler.compile(SPECS / "nvidia/gb200-nvl72.ubus")
    fabric = done.fabric()
    names = [fabric.cable_name(c) for c in range(fabric.cable_count)]
    ends = {facts["from"], facts["to"]}
    (number,) = (c for c, name in enumerate(names) if set(name.split(" -- ")) == ends)
    kind = fabric.kind[number]
    assert facts["length"] == f"{fabric.kinds.length_m[kind]:g} m"
    assert facts["rate"].startswith("50 GB/s")
    assert facts["link"].startswith(list(fabric.plan.links)[fabric.kinds.link[kind]])
    assert facts["latency"].endswith("ns at no load")
    assert facts["load"].endswith(" %")


def test_paths_are_those_that_the_solver_counts(chromium: Browser, pages: Path) -> None:
    """All of them, each with its time; each cable with the length that the floor plan gives it."""
    page = Page(chromium, pages / "pod.html", 1440)
    done = compiler.compile(SPECS / "huawei/atlas-950-superpod.ubus")
    for a, b in (("cabinet[0].npu[0, 0]", "cabinet[5].npu[2, 3]"), ("cabinet[127].npu[7, 7]", "cabinet[3].npu[7, 7]"),
                 ("cabinet[9].npu[1, 2]", "cabinet[9].npu[5, 6]"), ("cabinet[9].npu[1, 2]", "cabinet[9].npu[1, 3]")):  # fmt: skip
        (answer,) = ask(done, None, f"paths({a} -> {b}, show = 300)").answers
        found = page.run(
            f"(f => ({{ count: f.count, hops: f.hops, times: [...Array(f.count).keys()].map(i => walkTime(f.path(i))), least: f.least, most: f.most }}))(between(parsePath('{a}'), parsePath('{b}')))"
        )
        detail: Any = answer.detail
        assert (found["count"], found["hops"]) == (answer.value, detail["hops"])
        wanted = sorted(path["time"] for path in detail["paths"] for _ in range(path["cables"]))
        assert sorted(found["times"]) == pytest.approx(wanted)
        assert (found["least"], found["most"]) == pytest.approx((wanted[0], wanted[-1]))


@pytest.mark.parametrize(
    ("spec", "system", "traffic"),
    [("textbook/dragonfly", "dragonfly", "next_group"), ("textbook/hamming-mesh", "hx2mesh", "rings")],
)
def test_each_cable_has_the_load_that_the_solver_finds(
    chromium: Browser, tmp_path: Path, spec: str, system: str, traffic: str
) -> None:
    """On traffic that loads cables of one statement unequally."""
    done = compiler.compile(SPECS / f"{spec}.ubus")
    (tmp_path / "page.html").write_text(explorer_page(done, system, Sink()), encoding="utf-8")
    page = Page(chromium, tmp_path / "page.html", 1440, f"#?traffic={traffic}")
    wanted = loads(done.fabric(system), traffic).utilisation
    assert len(set(wanted.round(6))) > 1
    found = page.run(f"[...Array({len(wanted)}).keys()].map(n => loadOf(data.loads[state.traffic][''].runs, n))")
    assert found == pytest.approx(wanted.tolist(), rel=1e-5)
    page.run("lineFacts(marks.lines[0])")
    assert f"under {traffic}, ecmp" in page.text("#facts")


@pytest.mark.parametrize(
    "spec", ["huawei/ub-mesh-racks", "textbook/torus", "textbook/dragonfly", "google/tpu-8i", "textbook/jellyfish"]
)
def test_all_paths_of_any_pair(chromium: Browser, tmp_path: Path, spec: str) -> None:
    """Transit lines, devices that forward between two sides, direct networks: count, cables and the times of all."""
    done = compiler.compile(SPECS / f"{spec}.ubus")
    fabric = done.fabric()
    (tmp_path / "page.html").write_text(explorer(done.pick()), encoding="utf-8")
    page = Page(chromium, tmp_path / "page.html", 1440)
    draw = np.random.default_rng(17)
    is_npu = np.array([device.kind == "npu" for device in fabric.plan.devices.values()])
    ends = np.flatnonzero(is_npu[fabric.device_type])
    counts = []
    for _ in range(5):
        a, b = (fabric.device_name(int(d)) for d in draw.choice(ends, 2, replace=False))
        report = ask(done, None, f"paths({a} -> {b}, show = 400)")
        found = page.run(
            f"(f => f && {{ count: f.count, hops: f.hops, times: f.count > 400 ? [] : [...Array(f.count).keys()].map(i => walkTime(f.path(i))) }})(between(parsePath('{a}'), parsePath('{b}')))"
        )
        if not report.answers or found["hops"] < 0:
            assert (bool(report.answers), found["hops"]) == (False, -1), (a, b)
            continue
        (answer,) = report.answers
        detail: Any = answer.detail
        counts.append(found["count"])
        assert (found["count"], found["hops"]) == (answer.value, detail["hops"]), (a, b)
        wanted = sorted(path["time"] for path in detail["paths"] for _ in range(path["cables"]))
        if found["times"]:
            assert sorted(found["times"]) == pytest.approx(wanted)
    assert max(counts, default=0) > 1 or spec == "textbook/dragonfly", "some pair has alternatives"
