"""Sums in a scenario count what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.pipeline import compile_text

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


@pytest.mark.parametrize("condition", ["count(all port) > 0", "free_ports(all switch) > 0", "count(cabinet.z) > 0"])
def test_what_cannot_be_told_is_refused(condition: str) -> None:
    (said,) = sums("fail cabinet[0].npu[1]", condition)
    assert "is not counted after failures" in said
