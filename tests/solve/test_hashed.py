"""Flows on one path each: real shortest paths, spread evenly, the same whatever else flows; the distances by bits."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from tests.solve import machines, twins
from unifiedbus_dsl.solve import fair, hashed
from unifiedbus_dsl.solve.result import NotAdmittedError


def path_arcs(net: machines.Network, flows: fair.Flows, f: int) -> list[int]:
    used = flows.resource[flows.start[f] : flows.start[f + 1]]
    return used[used < net.arcs].tolist()


@pytest.mark.parametrize("seed", range(25))
def test_paths_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, ends=6, cables=26)
    hop = twins.hop_matrix(net)
    pairs = np.array([(s, t) for s in range(6) for t in range(6) if s != t and hop[s, t] > 0])
    flows = hashed.hashed_flows(net, pairs[:, 0], pairs[:, 1], seed)
    for f, (s, t) in enumerate(pairs.tolist()):
        arcs = path_arcs(net, flows, f)
        assert len(arcs) == hop[s, t]
        assert net.end[net.tail[arcs[0]]] == s
        assert net.end[net.head[arcs[-1]]] == t
        assert (net.head[arcs[:-1]] == net.tail[arcs[1:]]).all()
        assert net.forwards[net.tail[arcs[1:]]].all()
        rest = flows.resource[flows.start[f] : flows.start[f + 1]][len(arcs) :]
        assert (rest - net.arcs).tolist() == [s, net.ends + t]


@pytest.mark.parametrize("k", [4, 6])
def test_paths_of_a_fat_tree(k: int) -> None:
    """The quick way (distances by bits) on end points that hang on one switch."""
    net, _ = machines.fat_tree(k)
    target = np.random.default_rng(1).permutation(net.ends)
    source = np.flatnonzero(target != np.arange(net.ends))
    flows = hashed.hashed_flows(net, source, target[source], seed=3)
    slow, owner = hashed._walk_all(net, source, target[source], 3)
    for f, s in enumerate(source.tolist()):
        arcs = path_arcs(net, flows, f)
        assert len(arcs) == (owner == f).sum()
        assert (net.head[arcs[:-1]] == net.tail[arcs[1:]]).all()
        assert (net.tail[arcs[0]], net.head[arcs[-1]]) == (s, target[s])
    assert len(slow) == sum(len(path_arcs(net, flows, f)) for f in range(flows.flows))


def test_distances_by_bits_against_networkx() -> None:
    net = machines.random_network(7, ends=9, switches=70, cables=160)
    goals = np.flatnonzero(net.forwards)
    graph = nx.Graph()
    graph.add_nodes_from(goals.tolist())
    graph.add_edges_from(
        (int(t), int(h)) for t, h in zip(net.tail, net.head, strict=True) if net.forwards[t] and net.forwards[h]
    )
    far = hashed.hops_between(net, goals)
    for g, goal in enumerate(goals.tolist()):
        want = nx.single_source_shortest_path_length(graph, goal)
        assert far[:, g].tolist() == [want.get(v, hashed.NO_WAY) for v in goals.tolist()]


def test_a_flow_keeps_its_path_whatever_else_flows() -> None:
    net, _ = machines.clos(4, 6, 5)
    many = hashed.hashed_flows(net, [0, 1, 2], [23, 22, 21], seed=9)
    fewer = hashed.hashed_flows(net, [0], [23], seed=9)
    other = [path_arcs(net, hashed.hashed_flows(net, [0], [23], seed=s), 0) for s in range(20)]
    assert path_arcs(net, many, 0) == path_arcs(net, fewer, 0)
    assert len({tuple(o) for o in other}) == 5


def test_a_flow_keeps_its_path_on_any_network() -> None:
    net, _ = machines.torus(4, 4)
    both = [hashed.hashed_flows(net, [first, 0], [1, 10], seed=4) for first in (5, 9, 13)]
    assert len({tuple(path_arcs(net, flows, 1)) for flows in both}) == 1


def test_choices_at_each_hop_are_independent() -> None:
    """All 9 paths across a fat tree of 6 are taken, not only those with equal choices."""
    net, _ = machines.fat_tree(6)
    flows = hashed.hashed_flows(net, np.zeros(400, int), np.full(400, 53), seed=2)
    assert len({tuple(path_arcs(net, flows, f)) for f in range(400)}) == 9
    slow, owner = hashed._walk_all(net, np.zeros(400, int), np.full(400, 53), 2)
    assert len({tuple(slow[owner == f].tolist()) for f in range(400)}) == 9


def test_paths_spread_evenly() -> None:
    """20,000 draws over 8 spines: each within five standard deviations of its share."""
    net, _ = machines.clos(2, 4, 8)
    flows = hashed.hashed_flows(net, np.zeros(20_000, int), np.full(20_000, 7), seed=1)
    spine = np.bincount(net.head[flows.resource[(flows.resource < net.arcs)]], minlength=net.vertices)[-8:]
    assert np.abs(spine - 2500).max() < 5 * np.sqrt(20_000 / 8 * 7 / 8)


def test_a_flow_without_a_path_is_said() -> None:
    net = machines.plain(4, 4, [([0, 2], [1, 3])])
    with pytest.raises(NotAdmittedError, match="no path"):
        hashed.hashed_flows(net, [0], [3], seed=1)
    with pytest.raises(NotAdmittedError, match="itself"):
        hashed.hashed_flows(net, [0], [0], seed=1)
