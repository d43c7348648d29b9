"""Tiers and the bands of cables between them, counted by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.solver.paths.tiers import levels, tiers


def test_superpod() -> None:
    """A rack of 2 x 3 NPUs: the mesh is tier 0 to 0, NPUs to 2 planes, planes to high radix."""
    net, _ = machines.superpod(2, 3, 2, 2)
    got = tiers(net)
    for band in range(len(got.low)):
        arcs = np.flatnonzero(got.band == band)
        assert got.cables[band] * 2 == net.count[arcs].sum()
        assert got.capacity_Bps[band] * 2 == pytest.approx(net.capacity_Bps[arcs].sum())
        ends = np.sort(np.stack([got.tier[net.tail[arcs]], got.tier[net.head[arcs]]]), axis=0)
        assert (ends == [[got.low[band]], [got.high[band]]]).all()
    assert got.names == ["0 to 0", "0 to 1", "1 to 2"]
    assert got.cables.sum() * 2 == net.count.sum()


@pytest.mark.parametrize("seed", range(10))
def test_levels_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, cables=6 + seed)
    graph = nx.Graph(list(zip(net.tail.tolist(), net.head.tolist(), strict=True)))
    graph.add_nodes_from(range(net.vertices))
    for members in (None, [0, 3]):
        at = [v for e in (range(net.ends) if members is None else members) for v in net.vertices_of(e).tolist()]
        want = nx.multi_source_dijkstra_path_length(graph, set(at))
        assert levels(net, members).tolist() == [want.get(v, -1) for v in range(net.vertices)]


def test_what_no_end_point_reaches_is_apart() -> None:
    net = machines.plain(5, 2, [([0, 1], [2, 2]), ([3], [4])])
    got = tiers(net)
    assert got.tier.tolist() == [0, 0, 1, -1, -1]
    assert got.names == ["apart", "0 to 1"]
