"""Loads of all-to-all across groups, pair by pair, and what they prove."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bisection import cut_graph, embedding_bound
from unifiedbus_dsl.solver.bisection.group_routing import dragonfly_all_to_all


def dragonfly(seed: int, groups: int = 4, switches: int = 6) -> Network:
    """Groups of switches that are full meshes, with two links of uneven rates between any two groups, and up to two end
    points at each switch."""
    rng = np.random.default_rng(seed)
    hosts = np.repeat(np.arange(groups * switches), rng.integers(0, 3, groups * switches))
    first = len(hosts)
    a, b = np.triu_indices(switches, 1)
    inside = (
        np.concatenate([a + g * switches for g in range(groups)]),
        np.concatenate([b + g * switches for g in range(groups)]),
    )
    g, h = np.triu_indices(groups, 1)
    links = [
        (
            first + g * switches + rng.integers(0, switches, len(g)),
            first + h * switches + rng.integers(0, switches, len(g)),
        )
        for _ in range(2)
    ]
    cables = [(np.arange(first), first + hosts), (first + inside[0], first + inside[1]), *links]
    return machines.plain(first + groups * switches, first, cables, [50e9, 25e9, 10e9, 30e9], forward=False)


def whole_of(net: Network) -> cut_graph.CutGraph:
    return cut_graph.contract_leaves(cut_graph.cut_graph(net, np.ones(net.ends, dtype=bool)))


@pytest.mark.parametrize("seed", range(6))
def test_loads_pair_by_pair(seed: int) -> None:
    graph = whole_of(dragonfly(seed))
    assert graph.nodes == 24
    weight = graph.weight.toarray()
    wanted = np.zeros_like(weight)
    group = np.arange(24) // 6
    for s, t in permutations(range(24), 2):
        flow = float(graph.members[s] * graph.members[t])
        if group[s] == group[t]:
            wanted[s, t] += flow
            continue
        between = np.where((group[:, None] == group[s]) & (group == group[t]), weight, 0.0)
        for u, v in zip(*np.nonzero(between), strict=True):
            part = flow * between[u, v] / between.sum()
            for a, b in ((s, u), (u, v), (v, t)):
                wanted[a, b] += part if a != b else 0.0
    found = dragonfly_all_to_all(graph)
    assert found is not None
    row = np.repeat(np.arange(24), np.diff(graph.weight.indptr))
    assert np.allclose(wanted[row, graph.weight.indices], found)
    assert wanted.sum() == pytest.approx(found.sum())


def test_nothing_for_other_shapes() -> None:
    for net in (machines.torus(4, 4)[0], machines.mesh(6)[0], machines.clos(4, 6, 6)[0], machines.hypercube(4)[0]):
        assert dragonfly_all_to_all(whole_of(net)) is None


def test_groups_without_a_link_have_no_such_routing() -> None:
    """Three full meshes of four switches in a row."""
    a, b = np.triu_indices(4, 1)
    ends = np.arange(12)
    inside = [np.concatenate([12 + side + 4 * g for g in range(3)]) for side in (a, b)]
    net = machines.plain(24, 12, [(ends, 12 + ends), tuple(inside), ([12, 16], [16, 20])])
    assert dragonfly_all_to_all(whole_of(net)) is None


def test_a_bisection_is_proved_by_all_links_between_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four groups of six switches, one end point each and two links of 1 and 2 GB/s between any two groups: 12 GB/s
    between halves of the groups, of which one routing by shortest paths proves much less."""
    a, b = np.triu_indices(6, 1)
    g, h = np.triu_indices(4, 1)
    ends = np.arange(24)
    inside = [np.concatenate([24 + side + 6 * each for each in range(4)]) for side in (a, b)]
    first, second = (24 + g * 6 + h, 24 + h * 6 + g), (24 + g * 6 + (h + 1) % 6, 24 + h * 6 + 5)
    net = machines.plain(
        48, 24, [(ends, 24 + ends), tuple(inside), first, second], [50e9, 25e9, 1e9, 2e9], forward=False
    )
    graph = cut_graph.cut_graph(net, np.ones(24, dtype=bool))
    monkeypatch.setattr(embedding_bound, "ROUTINGS", 1)
    assert embedding_bound.embedding_bound(graph)[0] == pytest.approx(12e9)
    monkeypatch.setattr(embedding_bound, "dragonfly_all_to_all", lambda graph: None)
    assert embedding_bound.embedding_bound(graph)[0] < 10e9
