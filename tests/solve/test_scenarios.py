"""Damaged machines, what they have lost, and surveys of failures: plain loops, closed forms, every part one by one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solve import machines, twins
from unifiedbus_dsl import pipeline, symmetry
from unifiedbus_dsl.solve import demand, ecmp, limits, scenarios
from unifiedbus_dsl.solve.machine import Machine
from unifiedbus_dsl.solve.result import NotAdmittedError
from unifiedbus_dsl.solve.throughput import throughput
from unifiedbus_dsl.symmetry import Array

X4 = 56e9
TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 9 m; delay = 5 ns/m }
link Optic : UB { medium = optical; reach = 90 m; delay = 5 ns/m }
npu Chip { port x[3] : UB x4; port up[2] : UB x4; transit up }
switch Leaf { port down[4] : UB x4; port up[2] : UB x4 }
switch Spine(n) { port p[n] : UB x4 }
rack Cabinet {
  npu[4] : Chip
  leaf[2] : Leaf
  connect npu.x as fullmesh over Copper(1 m)
  connect npu[i].up[k] -- leaf[k].down[i] over Copper(1 m) for i, k
  port z = leaf.up
}
superpod Pod(racks = 3) {
  cabinet[racks] : Cabinet
  spine[2, 2] : Spine(n = racks)
  connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(LENGTH) for r, k, j
}
system pod : Pod
"""


def machine(length: str = "20 m", *, symmetric: bool = True) -> Machine:
    """Three racks of four chips in a full mesh under two leaves, each with two spines of its own."""
    found = pipeline.compile_text(TEXT.replace("LENGTH", length))
    assert not found.diagnostics
    return Machine(found.fabric("pod"), symmetric)


@pytest.fixture(scope="module")
def pod() -> Machine:
    return machine()


def device(m: Machine, name: str) -> int:
    return next(d for d in range(m.fabric.device_count) if m.fabric.device_name(d) == name)


def all_to_all(m: Machine) -> float:
    """What each end point that is left injects."""
    left = np.setdiff1d(np.arange(m.network.ends), m.lost_ends)
    d = demand.all_to_all(m.network, left)
    return throughput(ecmp.ecmp(m.symmetry, d), d).rate_mean_Bps


# ---- the damaged network ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_damage_against_plain_loops(pod: Machine, seed: int) -> None:
    """Cable by cable: capacity between each two vertices; and the numbers are those without symmetry."""
    rng = np.random.default_rng(seed)
    fabric = pod.fabric
    devices = rng.choice(fabric.device_count, 1)
    cables = rng.choice(fabric.cable_count, 3, replace=False)
    slow = rng.choice(fabric.cable_count, 5, replace=False)
    got = pod.damaged(devices, cables, (slow, 0.25))
    want: dict[tuple[int, int], float] = {}
    for c in range(fabric.cable_count):
        a, b = int(fabric.a_device[c]), int(fabric.b_device[c])
        if c in cables or a in devices or b in devices:
            continue
        for pair in ((a, b), (b, a)):
            want[pair] = want.get(pair, 0.0) + X4 * (0.25 if c in slow else 1.0)
    net = got.network
    assert (net.vertices, net.ends) == (pod.network.vertices, pod.network.ends)
    have: dict[tuple[int, int], float] = {}
    tail, head = np.searchsorted(net.device_start, [net.tail, net.head], side="right") - 1
    for pair, capacity in zip(zip(tail.tolist(), head.tolist(), strict=True), net.capacity_Bps.tolist(), strict=True):
        have[pair] = have.get(pair, 0.0) + capacity
    assert have == pytest.approx(want)
    left = np.setdiff1d(np.arange(net.ends), got.lost_ends)
    d = demand.all_to_all(net, left)
    matrix = np.zeros((net.ends, net.ends))
    matrix[np.ix_(left, left)] = 1 - np.eye(len(left))
    if (twins.hop_matrix(net)[np.ix_(left, left)] < 0).any():
        return
    assert ecmp.ecmp(got.symmetry, d).load_Bps == pytest.approx(twins.ecmp_loads(net, matrix))
    plain = machine(symmetric=False).damaged(devices, cables, (slow, 0.25))
    assert all_to_all(got) == pytest.approx(all_to_all(plain), rel=1e-9)
    assert float(limits.optimal(got.symmetry, d).throughput.scale) == pytest.approx(
        float(limits.optimal(plain.symmetry, d).throughput.scale), rel=1e-7
    )


def test_damage_adds_up(pod: Machine) -> None:
    one = pod.damaged([device(pod, "spine[0, 0]")]).damaged([], [5], ([7], 0.5)).damaged([], [], ([7], 0.5))
    two = pod.damaged([device(pod, "spine[0, 0]")], [5], ([7], 0.25))
    assert np.array_equal(one.network.head, two.network.head)
    assert one.network.capacity_Bps.tolist() == two.network.capacity_Bps.tolist()
    assert len(pod.network.head) > len(one.network.head)


def test_symmetry_is_kept_around_a_dead_switch(pod: Machine) -> None:
    """A spine of plane 0 dies: the chips are still alike; a leaf dies: those of its rack differ from the others."""
    spine = pod.damaged([device(pod, "spine[0, 0]")])
    assert len(np.unique(spine.symmetry.end_orbit)) == 1
    leaf = pod.damaged([device(pod, "cabinet[1].leaf[0]")])
    assert len(np.unique(leaf.symmetry.end_orbit)) == 2
    assert len(np.unique(pod.damaged([device(pod, "cabinet[0].npu[0]")]).symmetry.end_orbit)) == 3


# ---- what was lost ---------------------------------------------------------------------------------------------------


def test_losses_of_a_chip_and_of_a_leaf(pod: Machine) -> None:
    gone = pod.damaged([device(pod, "cabinet[1].npu[2]"), device(pod, "cabinet[0].leaf[0]")])
    found = scenarios.losses(pod, gone)
    assert found.lost.tolist() == [6]
    assert found.cut_off.tolist() == []
    assert found.left == 11
    before = {(t.low, t.high): t.before_Bps / X4 for t in found.tiers}
    after = {(t.low, t.high): t.after_Bps / X4 for t in found.tiers}
    assert before == {(0, 0): 18, (0, 1): 24, (1, 2): 12}
    assert after == {(0, 0): 15, (0, 1): 24 - 4 - 2, (1, 2): 10}


def test_losses_that_cut_off(pod: Machine) -> None:
    """Both leaves of a rack are gone: its chips still reach each other and no one else."""
    gone = pod.damaged([device(pod, "cabinet[2].leaf[0]"), device(pod, "cabinet[2].leaf[1]")])
    found = scenarios.losses(pod, gone)
    assert found.cut_off.tolist() == [8, 9, 10, 11]
    assert (found.left, found.hops_before, found.hops_after) == (8, 4, 4)
    with pytest.raises(NotAdmittedError):
        all_to_all(gone)


def test_worst_pair_goes_further(pod: Machine) -> None:
    """Without one leaf in each of two racks, in different planes, what goes between them first takes a chip."""
    m = pod.damaged([device(pod, "cabinet[0].leaf[0]"), device(pod, "cabinet[1].leaf[1]")])
    found = scenarios.losses(pod, m)
    far = twins.hop_matrix(m.network)
    assert (found.hops_before, found.hops_after) == (4, int(far.max()))
    assert far[found.source, found.target] == far.max()


# ---- surveys ---------------------------------------------------------------------------------------------------------


def one_by_one(m: Machine, parts: scenarios.Parts) -> list[float]:
    """Every part of them, without orbits and without symmetry."""
    plain = machine(symmetric=False)
    found = []
    for i in range(parts.count):
        try:
            found.append(all_to_all(parts.failed(plain, [i])))
        except NotAdmittedError:
            found.append(float("nan"))
    return found


def racks(m: Machine) -> scenarios.Parts:
    start = np.array([device(m, f"cabinet[{r}].leaf[0]") for r in range(3)])
    return scenarios.blocks(m, "rack", start, start + 6)


@pytest.mark.parametrize("noun", ["switch", "link", "rack"])
def test_survey_against_every_part(pod: Machine, noun: str) -> None:
    parts = {"switch": scenarios.switches, "link": scenarios.links, "rack": racks}[noun](pod)
    assert parts.count == {"switch": 10, "link": 54, "rack": 3}[noun]
    want = one_by_one(pod, parts)
    found = scenarios.survey(pod, parts, all_to_all)
    assert len(found.failures) == {"switch": 2, "link": 3, "rack": 1}[noun]
    assert sum(each.copies for each in found.failures) == parts.count
    assert found.base == pytest.approx(all_to_all(pod))
    values = [each.value for each in found.failures]
    assert values == sorted(values)
    for each in found.failures:
        alike = np.flatnonzero(parts.orbit == parts.orbit[each.part])
        assert [want[i] for i in alike] == pytest.approx([each.value] * len(alike), nan_ok=True)


def test_survey_puts_first_what_has_no_value(pod: Machine) -> None:
    """One leaf is gone already; the other one of that rack would cut it off."""
    hurt = pod.damaged([device(pod, "cabinet[0].leaf[0]")])
    found = scenarios.survey(hurt, scenarios.switches(hurt), all_to_all)
    worst = found.failures[0]
    assert np.isnan(worst.value)
    assert "no path" in worst.reason
    assert not np.isnan(found.failures[1].value)
    most = scenarios.survey(pod, scenarios.switches(pod), lambda m: -all_to_all(m), more_is_better=False)
    values = [each.value for each in most.failures]
    assert values == sorted(values, reverse=True)


def test_a_survey_that_is_stopped_keeps_what_is_done(pod: Machine) -> None:
    calls = []

    def measure(m: Machine) -> float:
        calls.append(m)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return 1.0

    found = scenarios.survey(pod, scenarios.switches(pod), measure)
    assert len(found.failures) == 1
    assert not found.complete


def test_lengths_tell_parts_apart() -> None:
    """Rack 0 is nearer to the spines: for rates its cables up are like all others, for latency they are not."""
    rule = "connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(LENGTH) for r, k, j"
    assert rule in TEXT
    near = rule.replace("LENGTH", "5 m") + " where r == 0"
    far = rule.replace("LENGTH", "20 m") + " where r > 0"
    found = pipeline.compile_text(TEXT.replace(rule, f"{near}; {far}"))
    m = Machine(found.fabric("pod"))
    up = np.flatnonzero(np.isin(m.fabric.kinds.length_m[m.fabric.kind], [5, 20]))
    assert len(up) == 12
    assert len(np.unique(scenarios.links(m, up).orbit)) == 1
    orbit = scenarios.links(m, up, timed=True).orbit
    assert len(np.unique(orbit)) > 1
    near_ones = m.fabric.kinds.length_m[m.fabric.kind[up]] == 5
    assert not set(orbit[near_ones]) & set(orbit[~near_ones])


# ---- random failures -------------------------------------------------------------------------------------------------


def test_draws_are_of_the_seed_alone(pod: Machine) -> None:
    parts = scenarios.links(pod)
    one = scenarios.draws(pod, parts, all_to_all, fail=3, count=6, seed=7)
    two = scenarios.draws(pod, parts, all_to_all, fail=3, count=4, seed=7)
    assert [p.tolist() for p in one.picked[:4]] == [p.tolist() for p in two.picked]
    assert one.values[:4].tolist() == two.values.tolist()
    assert one.picked[0].tolist() == [6, 32, 37]
    other = scenarios.draws(pod, parts, all_to_all, fail=3, count=4, seed=8)
    assert [p.tolist() for p in other.picked] != [p.tolist() for p in two.picked]
    for picked, value in zip(one.picked, one.values.tolist(), strict=True):
        assert all_to_all(machine(symmetric=False).damaged([], picked)) == pytest.approx(value, rel=1e-9)
    with pytest.raises(NotAdmittedError, match="can't fail"):
        scenarios.draws(pod, parts, all_to_all, fail=55, count=1, seed=1)


def test_draws_of_one_are_the_survey(pod: Machine) -> None:
    parts = scenarios.switches(pod)
    found = scenarios.draws(pod, parts, all_to_all, fail=1, count=40, seed=1)
    single = scenarios.survey(pod, parts, all_to_all)
    by_orbit = {int(parts.orbit[f.part]): f.value for f in single.failures}
    for picked, value in zip(found.picked, found.values.tolist(), strict=True):
        assert value == pytest.approx(by_orbit[int(parts.orbit[picked[0]])])


@pytest.mark.parametrize(("n", "low", "high"), [(10, 2, 9), (20, 6, 15), (100, 40, 61)])
def test_interval_of_the_median(n: int, low: int, high: int) -> None:
    """Ranks of the 95 % interval of the median, as tables of order statistics have them."""
    found = scenarios.quantile(np.arange(1, n + 1.0), 0.5)
    assert (found.lower, found.upper) == (low, high)
    assert found.value == n // 2


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        found = scenarios.quantile(rng.random(60), 0.9)
        covered += found.lower <= 0.9 <= found.upper
    assert covered >= 0.93 * 400
    assert scenarios.quantile(rng.random(10), 0.95).upper == np.inf
    assert scenarios.quantile(rng.random(10), 0.05).lower == -np.inf


# ---- symmetry where rules cut an array -------------------------------------------------------------------------------


@pytest.mark.parametrize("hosts", [4, 6])
def test_an_array_is_cut_where_its_cables_are(hosts: int) -> None:
    """Hosts of one flat array under three leaves, with nothing said of strides: all are alike; after a leaf has lost
    its cable to one spine, those under it are alike, and all others."""
    n = 3 * hosts
    leaf, spine = n + np.arange(3), n + 3 + np.arange(2)
    arrays = [Array(0, (), (n,), 1), Array(n, (), (3,), 1), Array(n + 3, (), (2,), 1)]
    level = np.repeat([0, 1, 2], [n, 3, 2])
    cables = [(np.arange(n), leaf[np.arange(n) // hosts]), (leaf[:, None], spine)]
    whole = machines.plain(n + 5, n, cables, forward=False, levels=level)
    assert symmetry.find(whole, arrays).end_orbit.tolist() == [0] * n
    hurt = machines.plain(
        n + 5, n, [cables[0], (leaf[[0, 0, 1, 2, 2]], spine[[0, 1, 0, 0, 1]])], forward=False, levels=level
    )
    found = symmetry.find(hurt, arrays, np.zeros(n + 5))
    assert found.end_orbit.tolist() == [0] * hosts + [1] * hosts + [0] * hosts
