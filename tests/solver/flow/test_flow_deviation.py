"""Prices: how near the two ends of the throughput come, with no clock, and the routings on walks behind them."""

from __future__ import annotations

from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.flow import flow_deviation, max_concurrent_flow
from unifiedbus_dsl.solver.flow.logit_assignment import WalkKernel
from unifiedbus_dsl.solver.flow.quotient_lp import Optimum
from unifiedbus_dsl.solver.routing import ecmp

SIZES = {"ends": 9, "switches": 5, "cables": 60}


def random_regular(nodes: int, degree: int, seed: int) -> Network:
    edges = np.array(nx.random_regular_graph(degree, nodes, seed=seed).edges())
    cables = [(part[:, 0], part[:, 1]) for part in (edges[::2], edges[1::2])]
    return machines.plain(nodes, nodes, cables, [machines.X4, machines.X4 / 3])


def priced(net: Network, *, budget: float | None = None) -> Optimum:
    return max_concurrent_flow.max_concurrent_flow(
        symmetry.trivial_symmetry(net), demand.all_to_all(net), most=10, budget=budget
    ).optimum


@pytest.mark.parametrize("seed", machines.random_joined(12, **SIZES))
def test_ends_hold_the_optimum_and_are_near(seed: int) -> None:
    net = machines.random_network(seed, **SIZES)
    want = max_concurrent_flow.max_concurrent_flow(symmetry.trivial_symmetry(net), demand.all_to_all(net)).optimum
    found = priced(net)
    assert found.lower <= want.upper * (1 + 1e-7)
    assert found.upper >= want.lower * (1 - 1e-7)
    assert found.upper <= found.lower * 1.004


def test_ends_meet_where_nothing_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random machine of 60: within four thousandths, after few routings; shortest paths alone stay further apart."""
    net = random_regular(60, 6, 1)
    want = max_concurrent_flow.max_concurrent_flow(symmetry.trivial_symmetry(net), demand.all_to_all(net)).optimum
    monkeypatch.setattr(flow_deviation, "MAX_ITERATIONS", 0)
    monkeypatch.setattr(flow_deviation, "MOST", 150)
    found = priced(net)
    assert found.lower <= want.upper * (1 + 1e-7)
    assert found.upper >= want.lower * (1 - 1e-7)
    assert found.upper <= found.lower * 1.004
    monkeypatch.setattr(flow_deviation, "MAX_ITERATIONS", 150)
    monkeypatch.setattr(flow_deviation, "MOST", 0)
    alone = priced(net)
    assert alone.upper > alone.lower * 1.02


def test_without_a_budget_the_clock_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    net = random_regular(12, 4, 2)
    first = priced(net)
    monkeypatch.setattr(flow_deviation, "monotonic", iter(np.arange(10000) * 1e6).__next__)
    again = priced(net)
    assert (first.lower, first.upper) == (again.lower, again.upper)


# ---- walks ----------------------------------------------------------------------------------------------------------


def small() -> tuple[Network, WalkKernel, Floats]:
    net = random_regular(8, 3, 5)
    wanted = np.random.default_rng(0).integers(0, 4, (8, 8)) * (1.0 - np.eye(8))
    return net, WalkKernel(8, net.tail, net.head, np.arange(8), lambda begin, end: wanted[begin:end], 4), wanted


def test_walks_share_out_by_their_weights() -> None:
    """Every walk of at most four arcs, one by one."""
    net, walks, wanted = small()
    length = np.random.default_rng(1).random(net.arcs) * 3
    arcs: dict[tuple[int, int], int] = {(int(net.tail[a]), int(net.head[a])): a for a in range(net.arcs)}
    weights: dict[tuple[int, int], list[tuple[float, list[int]]]] = {}
    for count in range(1, 5):
        for nodes in product(range(8), repeat=count + 1):
            steps = [arcs.get(step, -1) for step in pairwise(nodes)]
            if min(steps) >= 0:
                weight = float(np.exp(-sum(length[a] for a in steps)))
                weights.setdefault((nodes[0], nodes[-1]), []).append((weight, steps))
    load, value = np.zeros(net.arcs), 0.0
    for s, t in zip(*np.nonzero(wanted), strict=True):
        total = sum(weight for weight, _ in weights[s, t])
        value -= wanted[s, t] * np.log(total)
        for weight, steps in weights[s, t]:
            np.add.at(load, steps, wanted[s, t] * weight / total)
    got, worth = walks.loads(length)
    assert got == pytest.approx(load, rel=1e-7)
    assert worth == pytest.approx(value, rel=1e-7)
    gain = np.bincount(net.head, got, 8) - np.bincount(net.tail, got, 8)
    assert gain == pytest.approx(wanted.sum(axis=0) - wanted.sum(axis=1), abs=1e-9 * wanted.sum())


def test_loads_are_the_slopes_of_the_value() -> None:
    net, walks, _ = small()
    length = np.random.default_rng(2).random(net.arcs)
    load, _ = walks.loads(length)
    for arc in range(0, net.arcs, 5):
        change = np.zeros(net.arcs)
        change[arc] = 1e-3
        slope = (walks.loads(length + change)[1] - walks.loads(length - change)[1]) / 2e-3
        assert slope == pytest.approx(load[arc], rel=1e-5)


def test_a_weight_too_small_for_a_number_is_said() -> None:
    net, walks, _ = small()
    assert walks.loads(np.full(net.arcs, 800.0))[1] == np.inf


def test_end_points_that_do_not_forward_are_not_passed() -> None:
    """Two end points with a short cable each to a third that does not forward: all goes through the switch."""
    net = machines.plain(4, 3, [([0, 1], [2, 2]), ([0, 1, 2], [3, 3, 3])], [machines.X4, machines.X4], forward=False)
    d = demand.pairs([0], [1])
    plain = symmetry.trivial_symmetry(net)
    load = ecmp.ecmp(plain, d).load_Bps
    found = flow_deviation.bound_concurrent_flow(plain, max_concurrent_flow.commodities(plain, d, np.array([0])), load)
    assert found.lower == pytest.approx(machines.X4, rel=1e-3)
    assert found.upper == pytest.approx(machines.X4, rel=1e-3)
