"""Eigenvalues of what the network can carry, beside paths listed one by one and the least of all cuts."""

from __future__ import annotations

from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bisection import cut_graph, expander_flow_bound, sdp_bound

X4 = machines.X4


def joined(seed: int, nodes: int = 10) -> Network:
    """End points that forward, on a ring and joined at random, by cables of three rates."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(nodes, 1)
    some = rng.random(len(a)) < 0.3
    some |= (b == a + 1) | ((a == 0) & (b == nodes - 1))
    rate = rng.integers(0, 3, len(a))
    return machines.plain(
        nodes, nodes, [(a[some & (rate == k)], b[some & (rate == k)]) for k in range(3)], [1e9, 2e9, 3e9]
    )


def graph_of(net: Network) -> cut_graph.CutGraph:
    return cut_graph.cut_graph(net, np.ones(net.ends, dtype=bool))


def twisted(n: int) -> Network:
    """n x n x 2n, where a wrap of the first two dimensions moves on by n in the third (Camarero et al., 2013)."""
    i, j, k = (axis.ravel() for axis in np.indices((n, n, 2 * n)))

    def at(i: np.ndarray, j: np.ndarray, k: np.ndarray) -> np.ndarray:
        return np.ravel_multi_index((i % n, j % n, (k + n * (i // n) + n * (j // n)) % (2 * n)), (n, n, 2 * n))

    return machines.plain(
        2 * n**3, 2 * n**3, [(at(i, j, k), at(*to)) for to in ((i + 1, j, k), (i, j + 1, k), (i, j, k + 1))]
    )


@pytest.mark.parametrize("seed", range(8))
def test_loads_are_those_of_all_shortest_paths(seed: int) -> None:
    net = joined(seed)
    linked = graph_of(net).weight.toarray() > 0
    graph = nx.from_numpy_array(linked.astype(int))
    found = expander_flow_bound._sorts(linked)
    assert found
    for sort in found:
        load = np.zeros(linked.shape)
        for s, t in zip(*np.nonzero(sort.pairs), strict=True):
            paths = list(nx.all_shortest_paths(graph, s, t))
            for path in paths:
                load[path[:-1], path[1:]] += 1 / len(paths)
        assert np.allclose(load, sort.load)


@pytest.mark.parametrize("seed", range(24))
def test_no_cut_is_below(seed: int) -> None:
    graph = graph_of(joined(seed))
    least = min(graph.cut(np.isin(np.arange(10), half)) for half in combinations(range(10), 5))
    assert 0 < expander_flow_bound.expander_flow_bound(graph)[0] <= least * (1 + 1e-12)


@pytest.mark.parametrize("rate", [4e9, 0.25e9])
def test_switches_that_have_their_end_points_with_them(rate: float) -> None:
    """A ring of four switches with two end points each. Two cables of 1 GB/s part it; a half may part the end points of
    switches instead, where their own cables are less: one of each switch, or both of one and one of two."""
    ends, ring = np.arange(8), np.arange(4)
    net = machines.plain(12, 8, [(ends, 8 + ends // 2), (8 + ring, 8 + (ring + 1) % 4)], [rate, 1e9])
    graph = graph_of(net)
    least = np.inf
    for half in combinations(range(8), 4):
        for switches in product((False, True), repeat=4):
            side = np.concatenate([np.isin(ends, half), switches])
            least = min(least, graph.cut(side))
    assert 0 < expander_flow_bound.expander_flow_bound(graph)[0] <= least * (1 + 1e-12)
    if rate > 1e9:
        assert expander_flow_bound.expander_flow_bound(graph)[0] == pytest.approx(least, rel=1e-3)


def test_a_twisted_torus() -> None:
    """2 x 2 x 4: 16 cables, and what a 4 x 4 x 8 has is 64 (all cuts of the first were counted)."""
    net = twisted(2)
    sides = (np.arange(1 << 16)[:, None] >> np.arange(16) & 1).astype(bool)
    sides = sides[sides.sum(axis=1) == 8]
    cut = np.zeros(len(sides))
    for tail, head, rate in zip(net.tail, net.head, net.capacity_Bps, strict=True):
        cut += rate * (sides[:, tail] & ~sides[:, head])
    assert expander_flow_bound.expander_flow_bound(graph_of(net))[0] == pytest.approx(float(cut.min()), rel=1e-3)
    large = graph_of(twisted(4))
    assert expander_flow_bound.expander_flow_bound(large)[0] == pytest.approx(64 * X4, rel=1e-4)
    plain = sdp_bound.bisection_sdp_bound(large)
    assert plain is not None
    assert plain.bound < 58 * X4


def test_what_is_too_much_is_lowered_until_it_fits() -> None:
    graph = graph_of(joined(3))
    capacity = graph.weight.toarray()
    sorts = expander_flow_bound._sorts(capacity > 0)
    left, _ = expander_flow_bound._residual_plus_demand(capacity, sorts, np.full(len(sorts), 1e12))
    for i, j in product(range(10), repeat=2):
        assert left[i, j] >= 0
        assert left[i, j] == left[j, i]
    sent = max(left[sort.pairs].max() for sort in sorts)
    load = sum(sort.load for sort in sorts) * sent
    assert (load[capacity > 0] <= capacity[capacity > 0]).all()


def test_no_bound_for_parts_and_uneven_nodes() -> None:
    apart = machines.plain(4, 4, [([0, 2], [1, 3])])
    assert expander_flow_bound.expander_flow_bound(graph_of(apart))[0] == 0
    net, _ = machines.clos(4, 6, 6)
    assert expander_flow_bound.expander_flow_bound(graph_of(net))[0] == 0
