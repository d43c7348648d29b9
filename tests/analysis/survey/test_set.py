"""`set` in scenarios: the same figures as of the machine written so, and what is wrong with a line."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.analysis.run import Report, analyze
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.ir.plan.text import plan_text
from unifiedbus_dsl.vocabulary.limits import Limits

TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 9 m; delay = 5 ns/m }
npu Chip { memory = 64 GB; both = 2 * memory; port up[2] : UB x4 }
npu Large extends Chip { memory = 128 GB }
switch Leaf(ports = 4, slow = 100 ns) { latency = slow; port down[ports] : UB x4; port up[2] : UB x4 }
switch Spine(n) { latency = 250 ns; port p[n] : UB x4 }
rack Cabinet(chip = Chip, chips = 4) {
  cost = 1000 USD
  npu[chips] : chip
  leaf[2]    : Leaf(ports = chips)
  connect npu[i].up[k] -- leaf[k].down[i] over Wire(1 m) for i, k
  port z = leaf.up
}
superpod Pod(racks = 3, chip = Chip) {
  cabinet[racks] : Cabinet(chip = chip)
  spine[2, 2]    : Spine(n = racks)
  connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Wire(2 m) for r, k, j
}
system pod : Pod
traffic moe of pod = alltoall(all npu)
"""


def compiled(scenario: str, text: str = TEXT, limits: Limits | None = None) -> Compilation:
    return compile_text(f"{text}{scenario}\n", limits=limits)


def asked(scenario: str, text: str = TEXT) -> Report:
    done = compiled(scenario, text)
    assert done.ok, [d.message for d in done.diagnostics]
    report = analyze(done, "pod")
    assert not report.diagnostics, [d.message for d in report.diagnostics]
    return report


SAME = [
    ("set racks = 5", "superpod Pod(racks = 3", "superpod Pod(racks = 5"),
    ("let n = 4; set racks = n + 1", "superpod Pod(racks = 3", "superpod Pod(racks = 5"),
    ("set chip = Large", "racks = 3, chip = Chip", "racks = 3, chip = Large"),
    ("set cabinet.leaf.latency = 500 ns", "latency = slow", "latency = 500 ns"),
    ("set cabinet[*].leaf[0..1].latency = 500 ns", "latency = slow", "latency = 500 ns"),
    ("set cabinet.leaf.slow = 500 ns", "slow = 100 ns", "slow = 500 ns"),
    ("set cabinet.chips = 3", "chips = 4", "chips = 3"),
    ("set cabinet.npu.memory = 96 GB", "memory = 64 GB; both = 2 * memory", "memory = 96 GB; both = 2 * memory"),
    ("set cabinet.cost = 2 USD; set racks = 2; set racks = 5", "superpod Pod(racks = 3", "superpod Pod(racks = 5"),
]


@pytest.mark.parametrize(("lines", "old", "new"), SAME)
def test_the_machine_is_the_one_that_is_written_so(lines: str, old: str, new: str) -> None:
    """But for the names of types, which say what was changed."""
    assert old in TEXT
    done = compiled(f"scenario S of pod {{ {lines} }}")
    assert done.ok, [d.message for d in done.diagnostics]
    assert done.elaborated is not None
    got = done.elaborated.variants["S"]
    want = compile_text(TEXT.replace(old, new)).plan
    assert got.device_count[got.root] == want.device_count[want.root]
    assert [(d.kind, d.ports, d.fields) for d in got.devices.values()] == [
        (d.kind, d.ports, d.fields) for d in want.devices.values()
    ]
    assert len(got.assemblies) == len(want.assemblies)
    assert plan_text(done.plans["pod"]) == plan_text(compile_text(TEXT).plan)


def test_figures_against_base() -> None:
    """Cables of 430 ns, two leaves and a spine: 880 ns before. A rack at half its 4 x 56 GB/s, of which 16/19 of what
    its four chips send goes out."""
    report = asked(
        """scenario Slow of pod { set cabinet.leaf.latency = 500 ns; expect latency(all npu) >= 1.68 us
             expect latency(all npu) <= 203% of base }
           scenario Slower of pod extends Slow { set cabinet.leaf.slow = 900 ns; set spine.latency = 350 ns
             fail spine[0, 0]; expect latency(all npu) == 1.78 us; expect disjoint_paths(all npu) == base }
           scenario Grow of pod { set racks = 6; fail cabinet[5]; degrade cabinet[4].leaf to 50%
             expect count(all npu) <= 24; expect reachable(all npu) == 20
             expect throughput(moe) == 33.25 GB/s; expect throughput(moe) <= 44% of base }
           scenario Fewer of pod { set cabinet.chips = 2; expect sum(all npu.both) == 768 GB }"""
    )
    held = {(r.subject, r.text): r.holds for r in report.expectations}
    assert all(held.values()), held
    said = dict(report.scenarios)
    assert said["Slow"][0] == "set cabinet.leaf.latency = 500 ns"
    assert said["Grow"][0] == "set racks = 6: 24 end points (12 before), 40 devices (22 before), 72 cables (36 before)"
    assert said["Grow"][1:3] == (
        "between tiers 0 and 1: 2.688 TB/s (1.344 TB/s before)",  # 24 chips with two cables of 56 GB/s
        "between tiers 1 and 2: 1.344 TB/s (672 GB/s before)",  # six racks of two leaves with two cables
    )
    assert said["Grow"][3].startswith("lost: 6 devices")


@pytest.mark.parametrize(
    ("lines", "code", "says"),
    [
        ("set rack = 4", "UB0609", "did you mean `racks`?"),
        ("set nothing = 4", "UB0609", "finds nothing called `nothing`"),
        ("set cabinett.leaf.latency = 4 ns", "UB0609", "did you mean `cabinet`?"),
        ("set cabinet.leaf.latencies = 4 ns", "UB0609", "did you mean `latency`?"),
        ("set cabinet.leaf = 4", "UB0609", "finds nothing"),
        ("set cabinet.leaf.latency[0] = 4 ns", "UB0609", "finds nothing"),
        ("set cabinet.leaf.down.lanes = 4", "UB0609", "finds nothing"),
        ("set cabinet[0].leaf.latency = 4 ns", "UB0611", "all elements of `cabinet`"),
        ("set cabinet.leaf[1].latency = 4 ns", "UB0611", "all elements of `leaf`"),
        ("set cabinet[3].leaf.latency = 4 ns", "UB0401", "outside"),
        ("set cabinet[*].leaf[0..2].latency = 4 ns", "UB0401", "2 is outside"),
        ("set racks = 4 m", "UB0604", "is a number, found a length"),
        ("set racks = Chip", "UB0604", "is a number, found"),
        ("set chip = 3", "UB0604", "found a number"),
        ("set cabinet.leaf.ports = 4 GB", "UB0604", "is a number, found a size"),
        ("set cabinet.leaf.latency = 4 GB", "UB0302", "wants a time"),
        ("set cabinet.npu.memory = 4 ns", "UB0302", "wants a size"),
        ("set cabinet.leaf.latency = 4", "UB0303", ""),
        ("set racks = raks", "UB0201", "raks"),
        ("set racks = 0", "UB0410", "at least one element"),
        ("set racks = 2.5", "UB0410", "at least one element"),
        ("set cabinet.leaf.ports = 3", "UB0403", "two ranges"),
        ("set cabinet.leaf.ports = 5", "UB0403", "two ranges"),
        ("set racks = 9999999999", "UB0411", "too many"),
        ("set racks = 2; fail cabinet[2]", "UB0401", "outside the 2"),
    ],
)
def test_what_is_wrong_with_a_line(lines: str, code: str, says: str) -> None:
    done = compiled(f"scenario S of pod {{ {lines} }}")
    found = [d for d in done.diagnostics if d.severity.name == "ERROR"]
    assert found
    texts = [" ".join([d.code, d.message, *d.help, *(x.text for x in [d.primary, *d.labels] if x)]) for d in found]
    assert any(code in text and says in text for text in texts), texts
    assert not done.plans


def test_parts_that_are_only_there_after_the_change() -> None:
    done = compiled("scenario S of pod { set racks = 8; fail cabinet[7]; expect connected(all npu in cabinet[6]) }")
    assert done.ok, [d.message for d in done.diagnostics]
    assert all(r.holds for r in analyze(done, "pod").expectations)


def test_a_changed_machine_has_the_limits_of_any_other() -> None:
    done = compiled("scenario S of pod { set racks = 30 }", limits=Limits(devices=100))
    assert [d.code for d in done.diagnostics] == ["UB0411"]
    assert "`pod` would have 184 devices" in done.diagnostics[0].message
