"""Max-min rates and finish times: the plain twin, the certificate, closed forms, symmetry."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.flow import max_min_fair


def random_flows(seed: int) -> max_min_fair.Flows:
    rng = np.random.default_rng(seed)
    resources, flows = int(rng.integers(1, 12)), int(rng.integers(1, 25))
    capacity = rng.integers(1, 9, resources).astype(float)
    if seed % 5 == 0:
        capacity[0] = np.inf
    uses = [rng.choice(resources, int(rng.integers(1, resources + 1)), replace=False) for _ in range(flows)]
    start = np.concatenate([[0], np.cumsum([len(u) for u in uses])])
    share = rng.integers(1, 4, start[-1]).astype(float) if seed % 2 else np.ones(start[-1])
    return max_min_fair.Flows(start, np.concatenate(uses), share, capacity, np.ones(flows))


def uses_of(flows: max_min_fair.Flows) -> list[dict[int, float]]:
    rows = [range(flows.start[f], flows.start[f + 1]) for f in range(flows.flows)]
    return [{int(flows.resource[i]): float(flows.share[i]) for i in row} for row in rows]


@pytest.mark.parametrize("seed", range(60))
def test_rates_against_filling_one_at_a_time(seed: int) -> None:
    flows = random_flows(seed)
    got = max_min_fair.fair_rates(flows)
    assert got == pytest.approx(twins.max_min(flows.capacity_Bps.tolist(), uses_of(flows)))
    bounded = np.flatnonzero(np.isfinite(got))
    some = max_min_fair.choose_classes(flows, bounded)
    assert max_min_fair.is_fair(some, got[bounded])


def test_certificate_refuses_what_is_not_fair() -> None:
    flows = random_flows(1)
    rate = max_min_fair.fair_rates(flows)
    assert not max_min_fair.is_fair(flows, rate * 1.01)
    assert not max_min_fair.is_fair(flows, rate * 0.99)
    slower = rate.copy()
    slower[np.argmax(rate)] *= 0.5
    assert not max_min_fair.is_fair(flows, slower)


def test_textbook_line() -> None:
    """Three links of 1, 2 and 1; one flow over all, one on each: 1/2, and 1/2, 3/2, 1/2."""
    flows = max_min_fair.Flows(
        np.array([0, 3, 4, 5, 6]), np.array([0, 1, 2, 0, 1, 2]), np.ones(6), np.array([1.0, 2.0, 1.0]), np.ones(4)
    )
    assert max_min_fair.fair_rates(flows).tolist() == [0.5, 0.5, 1.5, 0.5]


def test_finish_times_by_hand() -> None:
    """Two flows on a link of 2: 1 each; the short one (2 bytes) ends at 2 s, the long (5) goes on at 2: 3.5 s."""
    flows = max_min_fair.Flows(np.array([0, 1, 2]), np.array([0, 0]), np.ones(2), np.array([2.0]), np.ones(2))
    got = max_min_fair.completion(flows, [2.0, 5.0])
    assert got.finish_s.tolist() == [2.0, 3.5]
    assert got.first_rate_Bps.tolist() == [1.0, 1.0]
    assert got.makespan_s == 3.5


@pytest.mark.parametrize("seed", range(12))
def test_work_is_conserved(seed: int) -> None:
    """On one shared link the last flow ends when all bytes are through, whatever the sizes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 50, 9).astype(float)
    flows = max_min_fair.Flows(np.arange(10), np.zeros(9, np.int64), np.ones(9), np.array([4.0]), np.ones(9))
    got = max_min_fair.completion(flows, sizes)
    assert got.makespan_s == pytest.approx(sizes.sum() / 4)
    assert (np.argsort(got.finish_s, kind="stable") == np.argsort(sizes, kind="stable")).all()


def test_incast_on_a_star() -> None:
    """n - 1 senders share the last link."""
    net, _ = machines.star(9)
    flows = max_min_fair.shared_flows(net, np.arange(1, 9), np.zeros(8, np.int64))
    assert max_min_fair.fair_rates(flows) == pytest.approx(np.full(8, machines.X4 / 8))


@pytest.mark.parametrize("seed", range(20))
def test_flows_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, ends=6, cables=30)
    hop = twins.hop_matrix(net)
    rng = np.random.default_rng(seed)
    pairs = [(s, t) for s in range(6) for t in range(6) if s != t and hop[s, t] > 0]
    chosen = [pairs[i] for i in rng.integers(0, len(pairs), 10)]
    source, target = np.array(chosen).T
    flows = max_min_fair.shared_flows(net, source, target)
    for f, (s, t) in enumerate(chosen):
        one = np.zeros((6, 6))
        one[s, t] = 1.0
        row = slice(flows.start[f], flows.start[f + 1])
        used = np.bincount(flows.resource[row], weights=flows.share[row], minlength=len(flows.capacity_Bps))
        assert used[: net.arcs] == pytest.approx(twins.ecmp_loads(net, one))
        assert np.flatnonzero(used[net.arcs :]).tolist() == [s, 6 + t]
    rate = max_min_fair.fair_rates(flows)
    assert max_min_fair.is_fair(flows, rate)
    assert rate == pytest.approx(twins.max_min(flows.capacity_Bps.tolist(), uses_of(flows)))


@pytest.mark.parametrize(
    ("name", "sizes", "rack"),
    [
        ("mesh", (4, 3), 3),
        ("torus", (4, 3), 3),
        ("clos", (3, 2, 2), 2),
        ("hypercube", (3,), 4),
        ("fat_tree", (4,), 2),
        ("superpod", (3, 2, 2, 2), 4),
        ("cluster", (2, 2, 2, 2, 1, 1), 4),
    ],
)
def test_equal_flows_are_solved_once(name: str, sizes: tuple[int, ...], rack: int) -> None:
    """All-to-all within racks and across racks at once: by classes, and each pair for itself."""
    net, arrays = getattr(machines, name)(*sizes)
    end = np.arange(net.ends)
    demands = [demand.Groups(end // rack), demand.Groups(end % rack)]
    folded = max_min_fair.pair_classes(symmetry.find_symmetry(net, arrays), demands)
    plain = max_min_fair.pair_classes(symmetry.trivial_symmetry(net), demands)
    assert folded.flows.flows < plain.flows.flows
    one, two = max_min_fair.fair_rates(folded.flows), max_min_fair.fair_rates(plain.flows)
    assert max_min_fair.is_fair(plain.flows, two)
    assert folded.flows.count.sum() == plain.flows.count.sum() == net.ends * (rack - 1 + net.ends // rack - 1)
    assert np.repeat(np.sort(one), folded.flows.count[np.argsort(one)].astype(int)) == pytest.approx(np.sort(two))
    for s, t, x in zip(folded.source, folded.target, one, strict=True):
        assert x in [pytest.approx(two[i]) for i in np.flatnonzero((plain.source == s) & (plain.target == t))]
