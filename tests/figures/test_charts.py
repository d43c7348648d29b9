"""Charts of whole systems: the ladder, the trace, the family, machine against machine, the difference of two."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from tests.render.legible import readable
from tests.support.asked import compiled
from tests.support.cabinet import CAB
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.difference import EXTRA, OTHERWISE, difference_picture
from unifiedbus_dsl.figures.ladder import ladder
from unifiedbus_dsl.figures.scatter import scatter
from unifiedbus_dsl.figures.trace import trace
from unifiedbus_dsl.importer.diff import compare_listings
from unifiedbus_dsl.importer.listing import Listing, listing_of
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.family import family_picture
from unifiedbus_dsl.render.marks import Box, Line, Picture, Text

MACHINES = (("huawei/ub-mesh", "pod"), ("textbook/fat-tree", "tree"), ("nvidia/gb200-nvl72", "rack"))


def texts(shown: Picture, role: str) -> list[str]:
    return [mark.text for mark in shown.by_role(role) if isinstance(mark, Text)]


# ---- the ladder ----


@pytest.mark.parametrize(("spec", "system"), MACHINES)
def test_a_ladder_says_what_the_tiers_carry(spec: str, system: str) -> None:
    done = compiled(spec)
    shown = ladder(done, done.pick(system), Sink())
    assert shown
    readable(shown)
    answer = ask(done, system, "tiers(all npu)").answers[0]
    words = texts(shown, "words")
    for band in answer.detail["bands"]:
        assert sum(f" over {band['cables']:,} cable" in each for each in words) >= 1
    assert len(words) >= len(answer.detail["bands"])


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    """288 cables of 15.12 TB/s between tiers 1 and 2, 4,096 of 215.04 TB/s between 0 and 1."""
    done = compiled("huawei/ub-mesh")
    shown = ladder(done, done.pick("pod"), Sink())
    assert shown
    width = {m.tip.partition(":")[0]: m.width for m in shown.by_role("bar") if isinstance(m, Box)}
    assert width["tier 1 – 2"] / width["tier 0 – 1"] == pytest.approx(15.12 / 215.04)
    inside, wall = (m.width for m in shown.by_role("bar") if isinstance(m, Box) and m.tip.startswith("wall of a rack"))
    assert inside / wall == pytest.approx(6)


# ---- the trace ----


def test_a_trace_names_each_port_and_adds_up() -> None:
    done = compiled("huawei/ub-mesh")
    shown = trace(done, done.pick("pod"), "rack[0,0].npu[0,0] -> rack[1,2].npu[3,4]", Sink())
    assert shown
    readable(shown)
    said = texts(shown, "time-said")
    times = [float(re.match(r"[\d.]+", each)[0]) for each in said]  # type: ignore[index]
    assert sum(times) == pytest.approx(540.65)
    assert texts(shown, "figure")[0] == "540.7 ns"
    fabric = done.fabric("pod")
    cables = set(map(str, fabric.cable_names(range(fabric.cable_count))))
    ends = [each.partition(" ")[2] for each in texts(shown, "words") if each.startswith(("from ", "to "))]
    for a, b in zip(ends[::2], ends[1::2], strict=True):
        assert {f"{a} -- {b}", f"{b} -- {a}"} & cables
    bars = [m for m in shown.by_role("time") if isinstance(m, Box)]
    assert sum(bar.width for bar in bars) == pytest.approx(300)


def test_a_trace_of_nothing_is_refused() -> None:
    done = compiled("huawei/ub-mesh")
    for pair in ("rack[0,0].npu[0,0]", "rack[0,0].npu[0,0] -> rack[9,9].npu[0,0]", "->"):
        sink = Sink()
        assert trace(done, done.pick("pod"), pair, sink) is None
        assert sink.has_errors


# ---- several machines ----


def test_a_family_has_all_systems_of_a_file() -> None:
    done = compiled("textbook/three-tier")
    shown = family_picture([done.pick(name) for name in done.systems], "Three tiers")
    readable(shown)
    assert [each for each in texts(shown, "words") if each.startswith("system ")] == [
        f"system {name}" for name in done.systems
    ]


def test_a_dot_stands_where_its_measures_are() -> None:
    done = compiled("textbook/torus")
    shown = scatter(done, "diameter(all npu)", "bisection(all npu)", Sink())
    assert shown
    readable(shown)
    dots = {m.id: m.center for m in shown.by_role("dot") if isinstance(m, Box)}
    answers = {name: ask(done, name, "diameter(all npu); bisection(all npu)").answers for name in done.systems}
    names = list(done.systems)
    for k, up in ((0, 1), (1, -1)):
        order = sorted(names, key=lambda name: answers[name][k].value)
        places = [up * dots[f"{name}-dot"][k] for name in order]
        assert places == sorted(places)
    assert not shown.by_role("bounds")


def test_bounds_are_drawn_as_lines() -> None:
    done = compiled("textbook/dragonfly")
    shown = scatter(done, "diameter(all npu)", "bisection(all npu)", Sink())
    assert shown
    (line,) = [m for m in shown.by_role("bounds") if isinstance(m, Line)]
    assert line.points[0][0] == line.points[-1][0]
    assert "interval" in line.tip


# ---- the difference ----


def changed() -> tuple[compiler.Compilation, Listing, Listing]:
    """A cabinet without one cable of two, without both of two, with two swapped, and one at half its rate."""
    done = compiler.compile_text(CAB)
    wanted = listing_of(done.fabric("cab"))
    cables = {str(cable): cable for cable in wanted.cables}
    for name in ("npu[0].up[5] -- plane[2].p[1]", "npu[5].up[0] -- plane[0].p[10]", "npu[5].up[1] -- plane[0].p[11]"):
        del cables[name]
    one, other = cables.pop("npu[2].up[5] -- plane[2].p[5]"), cables.pop("npu[7].up[7] -- plane[3].p[15]")
    swapped = evolve(one, b=other.b), evolve(other, b=one.b)
    slow = cables.pop("npu[9].up[0] -- plane[0].p[18]")
    assert slow.rate
    found = (*cables.values(), *swapped, evolve(slow, rate=slow.rate / 2))
    return done, wanted, evolve(wanted, cables=found)


def test_a_difference_is_drawn_at_its_place() -> None:
    done, wanted, found = changed()
    shown = difference_picture(done, "cab", compare_listings(wanted, found))
    readable(shown)
    lines = [m for m in shown.marks if isinstance(m, Line)]
    tips = {m.tip: m.colour[:7] for m in lines if m.role in ("added", "cable lost")}
    assert tips == {
        "1 × Wire: npu[0] -- plane[2], missing": palette.LOST,
        "2 × Wire: npu[5] -- plane[0], lost": palette.LOST,
        "1 × Wire: npu[2] -- plane[2], missing": palette.LOST,
        "1 × Wire: npu[7] -- plane[3], missing": palette.LOST,
        "1 × Wire: npu[2] -- plane[3], extra": EXTRA,
        "1 × Wire: npu[7] -- plane[2], extra": EXTRA,
        "1 × Wire: npu[9] -- plane[0], otherwise": OTHERWISE,
    }
    figures = dict(zip(texts(shown, "figure-name"), texts(shown, "figure"), strict=True))
    assert figures == {"missing cables": "3", "swapped pairs of cables": "1", "cables at another rate": "1"}
    assert {m.colour[:7] for m in lines if m.role == "cable"} == {palette.FRAME}


def test_what_is_not_in_the_wanted_machine_is_written_out() -> None:
    done, wanted, _ = changed()
    more = evolve(wanted.cables[0], a=("spare-switch", "p1"))
    found = evolve(
        wanted,
        cables=(*wanted.cables[1:], more),
        devices=(*wanted.devices, evolve(wanted.devices[-1], name="spare-switch")),
    )
    shown = difference_picture(done, "cab", compare_listings(wanted, found))
    assert any("spare-switch" in each for each in texts(shown, "note"))


def test_no_difference_is_said() -> None:
    done, wanted, _ = changed()
    shown = difference_picture(done, "cab", compare_listings(wanted, wanted))
    assert texts(shown, "note") == ["no difference"]


def test_large_machines_open_where_something_is_missing() -> None:
    done = compiled("nvidia/dgx-superpod")
    wanted = listing_of(done.fabric("b200_2su"))
    found = evolve(wanted, cables=wanted.cables[1:])
    shown = difference_picture(done, "b200_2su", compare_listings(wanted, found))
    readable(shown)
    assert shown.by_role("cross")
    assert any(each.startswith("missing cables: ") for each in texts(shown, "note"))
