"""Sums in a scenario count what is left."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.compiler import Compilation, compile_text

TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 9 m; delay = 5 ns/m; cost = 10 USD }
link Optic : UB { medium = optical; reach = 9 m; delay = 5 ns/m; cost = 100 USD }
npu Chip { memory = 64 GB; cost = 1000 USD; port up[2] : UB x4 }
switch Leaf { cost = 50 USD; port down[4] : UB x4; port up[2] : UB x4 }
switch Spine { port p[3] : UB x4 }
rack Cabinet {
  cost = 1 USD
  npu[4]  : Chip
  spare extra : Leaf
  leaf[2] : Leaf
  connect npu[i].up[k] -- leaf[k].down[i] over Wire(1 m) for i, k
  port z = leaf.up
}
superpod Pod {
  cabinet[3]  : Cabinet
  spine[2, 2] : Spine
  connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(2 m) for r, k, j
}
system pod : Pod
"""


def sums(lines: str, *conditions: str) -> list[str]:
    """The conditions that do not hold, and what else is said."""
    asked = "; ".join(f"expect {condition}" for condition in conditions)
    done = compile_text(f"{TEXT}scenario S of pod {{ {lines}; {asked} }}\n")
    assert done.ok, [d.message for d in done.diagnostics]
    report = analyze(done, "pod")
    assert len(report.expectations) + len(report.diagnostics) >= len(conditions)
    return [d.message for d in report.diagnostics]


@pytest.mark.parametrize(
    ("lines", "conditions"),
    [
        (
            "fail cabinet[0].npu[1]",
            ["count(all npu) == 11", "sum(all npu.memory) == 704 GB", "lanes(all npu) == 88", "ports(all npu.up) == 22",
             "count(all link) == 34", "lanes(all link) == 136", "count(all rack) == 3", "count(cabinet[0].npu) == 3",
             "count(cabinet[1].npu) == 4", "count(all npu in cabinet[0]) == 3", "count(all Leaf) == 6",
             "cost() == 11 * 1000 USD + 300 USD + 3 USD + 220 USD + 1200 USD", "cost(all npu) == 11000 USD",
             "bandwidth(all npu) == 22 * 56 GB/s"],
        ),
        (
            "fail cabinet[2]",
            ["count(all rack) == 2", "count(all npu) == 8", "count(all switch) == 8", "count(cabinet) == 2",
             "count(all link where medium == optical) == 8", "count(all link in cabinet[1]) == 8",
             "cost() == 8000 USD + 200 USD + 2 USD + 160 USD + 800 USD"],
        ),
        ("fail cabinet[1]", ["count(all npu) >= 66% of base", "count(all npu) < 67% of base", "cost() < base"]),
        ("fail all link where medium == optical", ["count(all link) == 24", "sum(all link.cost) == 240 USD"]),
        ("fail cabinet", ["count(all npu) == 0", "sum(all npu.memory) == 0 GB", "count(all link) == 0"]),
        ("degrade all link to 50%", ["count(all link) == 36", "count(all npu) == 12"]),
    ],
)  # fmt: skip
def test_what_fails_is_counted_no_more(lines: str, conditions: list[str]) -> None:
    assert sums(lines, *conditions) == []


def test_json_says_what_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One leaf of a rack with its six cables, of 24 and 12; then both of another, whose four chips are cut off."""
    scenarios = "scenario A of pod { fail cabinet[0].leaf[0] }\nscenario B of pod extends A { fail cabinet[1].leaf }\n"
    (tmp_path / "pod.ubus").write_text(TEXT + scenarios)
    assert main(("analyze", str(tmp_path / "pod.ubus"), "--system", "pod", "--json")) == 0
    found = json.loads(capsys.readouterr().out)["scenarios"]
    assert (found["A"]["devices"], found["A"]["cables"], found["A"]["end_points_left"]) == (1, 6, 12)
    tiers = {(t["low"], t["high"]): (t["before"] / 56e9, t["after"] / 56e9) for t in found["A"]["tiers"]}
    assert tiers == {(0, 1): (24, 20), (1, 2): (12, 10)}
    assert found["A"]["worst_pair"]["hops"] == found["A"]["worst_pair"]["before"] == 4
    assert found["B"]["end_points_cut_off"] == 4
    assert any("cabinet[1].npu[0], cabinet[1].npu[1], cabinet[1].npu[2] and 1 more" in s for s in found["B"]["said"])


def test_a_count_that_is_off_is_seen() -> None:
    (said,) = sums("fail cabinet[0].npu[1]", "count(all npu) == 12")
    assert "11 is not 12" in said


@pytest.mark.parametrize("condition", ["count(all port) > 0", "count(cabinet.z) > 0"])
def test_what_cannot_be_told_is_refused(condition: str) -> None:
    (said,) = sums("fail cabinet[0].npu[1]", condition)
    assert "is not counted after failures" in said


PLANT = """ubus 1
protocol U { lane = 80 Gbps; latency = 100 ns }
link W : U { medium = copper; reach = 9 m; afr = 0.5; cost = 10 USD; power = 1 W }
link F : U { medium = optical; reach = 90 m; afr = 0.25; cost = 90 USD; power = 12 W }
npu Chip { afr = 1; power = 100 W; cost = 50 USD; port x[2] : U x1; port up : U x1 @open; transit x, up }
switch Hub { afr = 0.125; power = 30 W; port p[8] : U x1 @open }
board Pair {
  afr = 2; cost = 5 USD
  chip[2] : Chip
  spare extra : Chip
  connect chip[0].x[0] -- chip[1].x[0] over W(1 m)
  connect chip[0].x[1] -- extra.x[0] over W(1 m)
  open extra.x[1]
  open chip[1].x[1]
  port up = chip.up
}
rack Shelf {
  afr = 10; power = 7 W
  pair[3] : Pair
  hub : Hub
  connect pair[i].up[k] -- hub.p[2*i + k] over F(2 m) for i, k
  port out = hub.p[6]
}
module Hall {
  afr = 64
  shelf[2] : Shelf
  spare reserve : Shelf
  connect shelf[0].out -- shelf[1].out over F(20 m)
}
system hall : Hall
"""
OF_ITS_OWN = {"Pair": (2, 0, 5), "Shelf": (10, 7, 0), "Hall": (64, 0, 0)}
OF_DEVICES = {"Chip": (1, 100, 50), "Hub": (0.125, 30, 0)}
OF_LINKS = {"W": (0.5, 1, 10), "F": (0.25, 12, 90)}


def left_by_hand(done: Compilation, devices: set[int], cables: set[int]) -> tuple[float, float, float, int]:
    """Failures a year, W and USD of what is left in service, name by name, and the free ports of its chips."""
    fabric = done.fabric()
    names = [str(name) for name in fabric.device_names(range(fabric.device_count))]
    types = [list(fabric.plan.devices)[t] for t in fabric.device_type.tolist()]
    spare = ["reserve" in name or "extra" in name for name in names]
    there = [d for d in range(len(names)) if d not in devices and not spare[d]]
    rows = [OF_DEVICES[types[d]] for d in there]
    around = {".".join(names[d].split(".")[:n]) for d in there for n in range(names[d].count(".") + 1)}
    rows += [OF_ITS_OWN["Hall" if not path else "Pair" if ".pair" in path else "Shelf"] for path in around]
    links = list(fabric.plan.links)
    used = set()
    for c in range(fabric.cable_count):
        ends = [(int(fabric.a_device[c]), int(fabric.a_port[c])), (int(fabric.b_device[c]), int(fabric.b_port[c]))]
        if c in cables or any(d in devices for d, _ in ends):
            continue
        used.update(ends)
        if not all("reserve" in names[d] for d, _ in ends):
            rows.append(OF_LINKS[links[fabric.kinds.link[fabric.kind[c]]]])
    chips = [d for d in there if types[d] == "Chip"]
    free = 3 * len(chips) - sum(d in chips for d, _ in used)
    return (*(sum(column) for column in zip(*rows, strict=True)), free)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= 15)) for seed in range(60)])
def test_all_sums_of_what_is_left_are_of_the_same_parts(seed: int) -> None:
    """Failure rate, power, cost and free ports after random losses of devices, assemblies and cables, all by hand."""
    draw = Random(seed)
    whole = compile_text(PLANT)
    fabric = whole.fabric()
    names = [str(name) for name in fabric.device_names(range(fabric.device_count))]
    lost = set(draw.sample(names, draw.randrange(5)))
    prefix = draw.choice(["shelf[0]", "shelf[1].pair[2]", "reserve", "none"])
    inside = {name for name in names if name.startswith(prefix)}
    ends = [name.split(" -- ") for name in fabric.cable_names(range(fabric.cable_count))]
    cut = draw.sample(range(len(ends)), draw.randrange(4))
    # what fails must be there: a device that an earlier line has taken is named by no later one
    lines = [f"fail {name}" for name in sorted(lost)]
    lines += [f"fail {prefix}"] if inside else []
    lines += [f"fail {ends[c][0]} -- {ends[c][1]}" for c in cut]
    lines += ["degrade all link where medium == optical to 50%"] if draw.random() < 0.3 else []
    asked = "mtbf(); power(); cost(); free_ports(all npu)"
    done = compile_text(f"{PLANT}scenario Z of hall {{ {'; '.join([*lines, asked])} }}\n")
    report = analyze(done, "hall")
    answers = {each.measure: each.value for each in report.answers if each.block == "scenario Z"}
    devices = {names.index(name) for name in lost | inside}
    failures, power, cost, free = left_by_hand(whole, devices, set(cut))
    assert [d.message for d in report.diagnostics if "no part" in d.message] == []
    assert answers["mtbf"] == pytest.approx(8760 * 3600 / failures)
    assert answers["power"] == pytest.approx(power)
    assert answers["cost"] == pytest.approx(cost)
    assert answers["free_ports"] == free


def test_nothing_fails_where_nothing_is_left() -> None:
    done = compile_text(f"{PLANT}scenario Z of hall {{ fail shelf; mtbf(); availability(mttr = 1 h) }}\n")
    said = [found.message for found in analyze(done, "hall").diagnostics]
    assert len(said) == 2
    assert all("nothing that is left ever fails" in each for each in said)


def test_set_changes_what_a_failure_rate_adds_up() -> None:
    """A hall whose racks fail once a year, not ten times; one of them is lost."""
    done = compile_text(f"{PLANT}scenario Z of hall {{ set shelf.afr = 1; fail shelf[0]; mtbf() }}\n")
    (found,) = (each for each in analyze(done, "hall").answers if each.block == "scenario Z")
    by_hand = 64 + 1 + 3 * 2 + 6 * 1 + 0.125 + 3 * 2 * 0.5 + 6 * 0.25
    assert found.value == pytest.approx(8760 * 3600 / by_hand)
