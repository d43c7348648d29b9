"""Damaged machines, what they have lost, and surveys of failures: plain loops, closed forms, every part one by one."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from tests.analysis.survey.machines import POD, compiled
from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.symmetry import Array
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.flow import max_concurrent_flow
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience import contingency
from unifiedbus_dsl.solver.resilience.outage_impact import outage_impact
from unifiedbus_dsl.solver.resilience.quantiles import quantile
from unifiedbus_dsl.solver.routing import ecmp
from unifiedbus_dsl.solver.routing.throughput import throughput_under

X4 = 56e9


def machine(*, symmetric: bool = True) -> NetworkContext:
    """Three racks of four chips in a full mesh under two leaves, each with two spines of its own."""
    return NetworkContext(compiled().fabric("pod"), symmetric)


@pytest.fixture(scope="module")
def pod() -> NetworkContext:
    return machine()


def device(m: NetworkContext, name: str) -> int:
    return next(d for d in range(m.fabric.device_count) if m.fabric.device_name(d) == name)


def all_to_all(m: NetworkContext) -> float:
    """What each end point that is left injects."""
    left = np.setdiff1d(np.arange(m.network.ends), m.lost_ends)
    d = demand.all_to_all(m.network, left)
    return throughput_under(ecmp.ecmp(m.symmetry, d), d).rate_mean_Bps


# ---- the damaged network ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_damage_against_plain_loops(pod: NetworkContext, seed: int) -> None:
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
    assert float(max_concurrent_flow.max_concurrent_flow(got.symmetry, d).throughput.scale) == pytest.approx(
        float(max_concurrent_flow.max_concurrent_flow(plain.symmetry, d).throughput.scale), rel=1e-7
    )


def test_damage_adds_up(pod: NetworkContext) -> None:
    one = pod.damaged([device(pod, "spine[0, 0]")]).damaged([], [5], ([7], 0.5)).damaged([], [], ([7], 0.5))
    two = pod.damaged([device(pod, "spine[0, 0]")], [5], ([7], 0.25))
    assert np.array_equal(one.network.head, two.network.head)
    assert one.network.capacity_Bps.tolist() == two.network.capacity_Bps.tolist()
    assert len(pod.network.head) > len(one.network.head)


def test_symmetry_is_kept_around_a_dead_switch(pod: NetworkContext) -> None:
    """A spine of plane 0 dies: the chips are still alike; a leaf dies: those of its rack differ from the others."""
    spine = pod.damaged([device(pod, "spine[0, 0]")])
    assert len(np.unique(spine.symmetry.end_orbit)) == 1
    leaf = pod.damaged([device(pod, "cabinet[1].leaf[0]")])
    assert len(np.unique(leaf.symmetry.end_orbit)) == 2
    assert len(np.unique(pod.damaged([device(pod, "cabinet[0].npu[0]")]).symmetry.end_orbit)) == 3


# ---- what was lost ---------------------------------------------------------------------------------------------------


def test_losses_of_a_chip_and_of_a_leaf(pod: NetworkContext) -> None:
    gone = pod.damaged([device(pod, "cabinet[1].npu[2]"), device(pod, "cabinet[0].leaf[0]")])
    found = outage_impact(pod, gone)
    assert found.lost.tolist() == [6]
    assert found.cut_off.tolist() == []
    assert found.left == 11
    before = {(t.low, t.high): t.before_Bps / X4 for t in found.tiers}
    after = {(t.low, t.high): t.after_Bps / X4 for t in found.tiers}
    assert before == {(0, 0): 18, (0, 1): 24, (1, 2): 12}
    assert after == {(0, 0): 15, (0, 1): 24 - 4 - 2, (1, 2): 10}


def test_losses_that_cut_off(pod: NetworkContext) -> None:
    """Both leaves of a rack are gone: its chips still reach each other and no one else."""
    gone = pod.damaged([device(pod, "cabinet[2].leaf[0]"), device(pod, "cabinet[2].leaf[1]")])
    found = outage_impact(pod, gone)
    assert found.cut_off.tolist() == [8, 9, 10, 11]
    assert (found.left, found.hops_before, found.hops_after) == (8, 4, 4)
    with pytest.raises(NotAdmittedError):
        all_to_all(gone)


def test_what_hangs_on_an_end_point_that_does_not_forward_is_not_cut_off_by_others() -> None:
    """A NIC reaches the NPU beside it and nothing else, before and after a switch has died."""
    found = compiled("""ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port up[2] : UB x4; port out : UB x4 }
nic Card { port p : UB x4 }
switch Hub { port p[4] : UB x4; latency = 200 ns }
node Box {
  chip[4] : Chip
  card[4] : Card
  hub[2]  : Hub
  connect chip[i].up[k] -- hub[k].p[i] over Wire(1 m) for i, k
  connect chip[i].out -- card[i].p over Wire(1 m) for i
}
system box : Box
""")
    base = NetworkContext(found.fabric("box"))
    assert outage_impact(base, base.damaged([device(base, "hub[0]")])).cut_off.tolist() == []
    both = outage_impact(base, base.damaged([device(base, "hub[0]"), device(base, "hub[1]")]))
    assert len(both.cut_off) == 3  # a chip still reaches its card, and had paths to three chips
    assert both.pairs_cut == 6


def test_losses_are_those_since_the_base(pod: NetworkContext) -> None:
    """A chip and a rack are gone already: what goes next is one chip and one spine."""
    rack = [device(pod, "cabinet[2].leaf[0]"), device(pod, "cabinet[2].leaf[1]")]
    base = pod.damaged([*rack, device(pod, "cabinet[0].npu[1]")])
    found = outage_impact(base, base.damaged([device(pod, "cabinet[1].npu[2]"), device(pod, "spine[0, 0]")]))
    assert found.lost.tolist() == [6]
    assert found.cut_off.tolist() == []
    assert found.left == 10
    before = {(t.low, t.high): t.before_Bps / X4 for t in found.tiers}
    assert before[0, 0] == 15
    cut = outage_impact(base, base.damaged([device(pod, "cabinet[1].leaf[0]"), device(pod, "cabinet[1].leaf[1]")]))
    assert cut.cut_off.tolist() == [0, 2, 3]  # the rack of four reaches most, and these are three
    assert (cut.left, cut.pairs_cut) == (8, 12)
    assert outage_impact(base, base).lost.tolist() == []


def test_losses_of_some_end_points(pod: NetworkContext) -> None:
    gone = pod.damaged([device(pod, "cabinet[1].npu[2]"), device(pod, "cabinet[0].npu[0]")])
    found = outage_impact(pod, gone, [0, 1, 2, 3])
    assert (found.lost.tolist(), found.left, found.hops_after) == ([0], 3, 1)
    assert outage_impact(pod, pod.damaged([], np.arange(pod.fabric.cable_count))).hops_after == -1


def test_worst_pair_goes_further(pod: NetworkContext) -> None:
    """Without one leaf in each of two racks, in different planes, what goes between them first takes a chip."""
    m = pod.damaged([device(pod, "cabinet[0].leaf[0]"), device(pod, "cabinet[1].leaf[1]")])
    found = outage_impact(pod, m)
    far = twins.hop_matrix(m.network)
    assert (found.hops_before, found.hops_after) == (4, int(far.max()))
    assert far[found.source, found.target] == far.max()


# ---- surveys ---------------------------------------------------------------------------------------------------------


def one_by_one(parts: contingency.Components) -> list[float]:
    """Every part of them, without orbits and without symmetry."""
    plain = machine(symmetric=False)
    found = []
    for i in range(parts.count):
        try:
            found.append(all_to_all(parts.failed(plain, [i])))
        except NotAdmittedError:
            found.append(float("nan"))
    return found


def racks(m: NetworkContext) -> contingency.Components:
    start = np.array([device(m, f"cabinet[{r}].leaf[0]") for r in range(3)])
    return contingency.blocks(m, "rack", start, start + 6)


@pytest.mark.parametrize("noun", ["switch", "link", "rack"])
def test_survey_against_every_part(pod: NetworkContext, noun: str) -> None:
    parts = {"switch": contingency.switches, "link": contingency.links, "rack": racks}[noun](pod)
    assert parts.count == {"switch": 10, "link": 54, "rack": 3}[noun]
    want = one_by_one(parts)
    found = contingency.survey_single_outages(pod, parts, all_to_all)
    assert found.complete
    assert found.error is None
    assert found.noun == noun
    assert len(found.failures) == found.orbits == {"switch": 2, "link": 3, "rack": 1}[noun]
    assert sorted(each.copies for each in found.failures) == {"switch": [4, 6], "link": [12, 18, 24], "rack": [3]}[noun]
    for each in found.failures:
        alike = np.flatnonzero(parts.orbit == parts.orbit[each.part])
        assert len(alike) == each.copies
        assert [want[i] for i in alike] == pytest.approx([each.outcome.value] * len(alike))


def hop_counts(m: NetworkContext) -> tuple[int, ...]:
    return tuple(np.bincount(twins.hop_matrix(m.network).ravel() + 1).tolist())


@pytest.mark.parametrize("seed", range(6))
def test_blocks_across_walls_are_alike_only_where_their_losses_are(pod: NetworkContext, seed: int) -> None:
    """The devices cut at random into blocks of one to four, whatever assembly they are in."""
    cuts = np.cumsum(np.random.default_rng(seed).integers(1, 5, pod.fabric.device_count))
    start = np.concatenate([[0], cuts[cuts < pod.fabric.device_count]])
    parts = contingency.blocks(pod, "block", start, np.append(start[1:], pod.fabric.device_count))
    left = [hop_counts(parts.failed(pod, [i])) for i in range(parts.count)]
    for orbit in np.unique(parts.orbit):
        assert len({left[i] for i in np.flatnonzero(parts.orbit == orbit)}) == 1


def test_a_block_within_another_is_no_image_of_it(pod: NetworkContext) -> None:
    first = device(pod, "cabinet[0].leaf[0]")
    parts = contingency.blocks(pod, "block", [first, first, first + 1], [first + 2, first + 1, first + 2])
    assert parts.orbit[1] == parts.orbit[2] != parts.orbit[0]
    assert contingency.blocks(pod, "none", [], []).count == 0


def test_parts_of_another_symmetry(pod: NetworkContext) -> None:
    """An incast at one chip: the leaves of its rack differ from the others, though the machine makes no difference."""
    target = device(pod, "cabinet[0].npu[0]")
    end = int(pod.end_of_device[target])
    others = np.setdiff1d(np.arange(pod.network.ends), [end])
    incast = demand.pairs(others, end)

    def least(m: NetworkContext) -> float:
        return float(throughput_under(ecmp.ecmp(m.symmetry, incast), incast).scale)

    kept = demand.invariant_symmetries(pod.symmetry, incast)
    parts = contingency.switches(pod, kept)
    assert len(np.unique(parts.orbit)) > len(np.unique(contingency.switches(pod).orbit)) == 2
    plain = machine(symmetric=False)
    found = contingency.survey_single_outages(pod, parts, least)
    for each in found.failures:
        for i in np.flatnonzero(parts.orbit == parts.orbit[each.part]):
            assert least(parts.failed(plain, [i])) == pytest.approx(each.outcome.value)
    assert len(np.unique(contingency.links(pod, None, kept).orbit)) > 3


def test_a_failure_that_leaves_no_answer_says_why(pod: NetworkContext) -> None:
    """One leaf is gone already; the other one of that rack would cut it off."""
    hurt = pod.damaged([device(pod, "cabinet[0].leaf[0]")])
    found = contingency.survey_single_outages(hurt, contingency.switches(hurt), all_to_all)
    none = [each for each in found.failures if each.outcome.value is None]
    assert [each.copies for each in none] == [1]
    assert hurt.fabric.device_name(int(contingency.switches(hurt).start[none[0].part])) == "cabinet[0].leaf[1]"
    assert "no path" in none[0].outcome.reason
    assert all(each.outcome.reason == "" for each in found.failures if each is not none[0])


def test_a_survey_that_is_stopped_keeps_what_is_done(pod: NetworkContext) -> None:
    calls = []

    def measure(m: NetworkContext) -> float:
        calls.append(m)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return 1.0

    found = contingency.survey_single_outages(pod, contingency.switches(pod), measure)
    assert len(found.failures) == 1
    assert found.orbits == 2
    assert not found.complete
    assert found.error is None


def test_an_engine_that_fails_keeps_what_is_done(pod: NetworkContext) -> None:
    class Tired(contingency.SerialExecutor):
        def run(self, machine, measure, losses):  # type: ignore[no-untyped-def]
            yield from super().run(machine, measure, losses[:1])
            raise contingency.EngineError("tired")

    found = contingency.survey_single_outages(pod, contingency.switches(pod), all_to_all, engine=Tired())
    assert (len(found.failures), found.complete, str(found.error)) == (1, False, "tired")


def test_nothing_is_taken_by_no_loss(pod: NetworkContext) -> None:
    assert contingency.NO_OUTAGE.taken(pod) is pod
    both = contingency.Outage(np.array([0, 8]), np.array([2, 9]), np.array([50]))
    gone = both.taken(pod)
    assert np.flatnonzero(gone.lost).tolist() == [0, 1, 8]
    assert gone.health[50] == 0


def test_cables_are_alike_whichever_end_is_written_first() -> None:
    rule = "connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(20 m) for r, k, j"
    turned = "connect spine[k, j].p[r] -- cabinet[r].z[k, j] over Optic(20 m) for r, k, j"
    m = NetworkContext(compiled(POD.replace(rule, f"{rule} where r == 0; {turned} where r > 0")).fabric("pod"))
    assert sorted(np.bincount(contingency.links(m).orbit).tolist()) == [12, 18, 24]


def test_lengths_tell_parts_apart() -> None:
    """Rack 0 is nearer to the spines: for rates its cables up are like all others, for latency they are not."""
    rule = "connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(20 m) for r, k, j"
    assert rule in POD
    near = rule.replace("20 m", "5 m") + " where r == 0"
    far = rule + " where r > 0"
    m = NetworkContext(compiled(POD.replace(rule, f"{near}; {far}")).fabric("pod"))
    up = np.flatnonzero(np.isin(m.fabric.kinds.length_m[m.fabric.kind], [5, 20]))
    assert len(up) == 12
    assert len(np.unique(contingency.links(m, up).orbit)) == 1
    orbit = contingency.links(m, up, m.timed_symmetry).orbit
    assert len(np.unique(orbit)) > 1
    near_ones = m.fabric.kinds.length_m[m.fabric.kind[up]] == 5
    assert not set(orbit[near_ones]) & set(orbit[~near_ones])


# ---- random failures -------------------------------------------------------------------------------------------------


def test_draws_are_of_the_seed_alone(pod: NetworkContext) -> None:
    parts = contingency.links(pod)
    one = contingency.sample_outages(pod, parts, all_to_all, fail=3, count=6, seed=7)
    two = contingency.sample_outages(pod, parts, all_to_all, fail=3, count=4, seed=7)
    assert one.complete
    assert [d.number for d in one.draws] == list(range(6))
    assert [d.picked.tolist() for d in one.draws[:4]] == [d.picked.tolist() for d in two.draws]
    assert [d.outcome.value for d in one.draws[:4]] == [d.outcome.value for d in two.draws]
    assert one.draws[0].picked.tolist() == [6, 32, 37]
    other = contingency.sample_outages(pod, parts, all_to_all, fail=3, count=4, seed=8)
    assert [d.picked.tolist() for d in other.draws] != [d.picked.tolist() for d in two.draws]
    for draw in one.draws:
        alone = all_to_all(machine(symmetric=False).damaged([], draw.picked))
        assert alone == pytest.approx(draw.outcome.value, rel=1e-9)
    with pytest.raises(ValueError, match="55 can't fail of 54"):
        contingency.sample_outages(pod, parts, all_to_all, fail=55, count=1, seed=1)
    (everything,) = contingency.sample_outages(
        pod, parts, lambda m: float(m.health.sum()), fail=54, count=1, seed=1
    ).draws
    assert everything.outcome.value == 0


def test_each_set_of_parts_is_as_likely_as_any_other(pod: NetworkContext) -> None:
    """The 45 pairs of ten switches in 4,500 draws: chi-squared below its 99.9 % point for 44 degrees of freedom."""
    parts = contingency.switches(pod)
    drawn = [tuple(contingency.pick_components(parts, 2, 11, n).tolist()) for n in range(4500)]
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 45
    assert ((counts - 100) ** 2 / 100).sum() < 78.7


def test_draws_of_one_are_the_survey(pod: NetworkContext) -> None:
    parts = contingency.switches(pod)
    asked = []

    def measure(m: NetworkContext) -> float:
        asked.append(m)
        return all_to_all(m)

    found = contingency.sample_outages(pod, parts, measure, fail=1, count=40, seed=1)
    assert len(asked) == 2
    single = contingency.survey_single_outages(pod, parts, all_to_all)
    by_orbit = {int(parts.orbit[f.part]): f.outcome.value for f in single.failures}
    assert len({int(d.picked[0]) for d in found.draws}) > 5
    for draw in found.draws:
        assert draw.outcome.value == by_orbit[int(parts.orbit[draw.picked[0]])]


def test_the_same_draw_is_solved_once(pod: NetworkContext) -> None:
    parts = contingency.blocks(pod, "switch", [4, 5, 6], [5, 6, 7])
    asked = []

    def measure(m: NetworkContext) -> int:
        asked.append(m)
        return int(m.lost.sum())

    found = contingency.sample_outages(pod, parts, measure, fail=2, count=30, seed=1)
    assert len(asked) == len({tuple(d.picked.tolist()) for d in found.draws}) == 3
    assert [d.outcome.value for d in found.draws] == [2] * 30


# ---- quantiles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (100, 40, 61)])
def test_interval_of_the_median(n: int, low: int, high: int) -> None:
    """Ranks of the 95 % interval of the median, as tables of order statistics have them."""
    found = quantile(np.arange(n, 0, -1.0), 0.5)
    assert (found.lower, found.upper) == (low, high)
    assert found.value == n // 2


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("q", [0.05, 0.3, 0.5, 0.95])
@pytest.mark.parametrize("n", [1, 5, 17, 60])
def test_ranks_against_the_binomial_sums(n: int, q: float, confidence: float) -> None:
    """With exact sums: no rank nearer to the quantile keeps its side's probability, and the chosen one does."""
    mass = [Fraction(comb(n, k)) * Fraction(q) ** k * (1 - Fraction(q)) ** (n - k) for k in range(n + 1)]
    tail = (1 - Fraction(confidence)) / 2
    low = max((k for k in range(1, n + 1) if sum(mass[:k]) <= tail), default=0)
    high = min((k for k in range(1, n + 1) if sum(mass[k:]) <= tail), default=0)
    found = quantile(np.arange(1.0, n + 1), q, confidence)
    assert found.lower == (low or -np.inf)
    assert found.upper == (high or np.inf)
    assert found.value == next(k for k in range(1, n + 1) if k >= Fraction(q).limit_denominator(1000) * n)
    assert found.q == q


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        found = quantile(rng.random(60), 0.9)
        covered += found.lower <= 0.9 <= found.upper
    assert covered >= 0.93 * 400


def test_what_has_no_value_counts_as_it_is_given() -> None:
    found = quantile(np.array([-np.inf] * 30 + [1.0] * 30), 0.05)
    assert (found.value, found.lower) == (-np.inf, -np.inf)
    assert quantile(np.array([3.0]), 0.5).value == 3.0


@pytest.mark.parametrize(("values", "q", "confidence"), [([], 0.5, 0.9), ([1], 0, 0.9), ([1], 1, 0.9), ([1], 0.5, 1)])
def test_quantiles_of_nothing(values: list[float], q: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(np.array(values), q, confidence)


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
    assert symmetry.find_symmetry(whole, arrays).end_orbit.tolist() == [0] * n
    hurt = machines.plain(
        n + 5, n, [cables[0], (leaf[[0, 0, 1, 2, 2]], spine[[0, 1, 0, 0, 1]])], forward=False, levels=level
    )
    found = symmetry.find_symmetry(hurt, arrays, np.zeros(n + 5))
    assert found.end_orbit.tolist() == [0] * hosts + [1] * hosts + [0] * hosts
