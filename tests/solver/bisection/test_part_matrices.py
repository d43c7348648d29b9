"""Between parts: against maximum flows and shortest paths on the definition written out."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import find_symmetry, trivial_symmetry
from unifiedbus_dsl.solver.bisection.part_matrices import latency_matrix, max_flow_matrix


def flow(net: Network, part: np.ndarray, i: int, j: int) -> float:
    """Maximum flow from all end points of one part to all of another, which may pass through others that forward."""
    g = twins.digraph(net)
    for _, _, data in g.edges(data=True):
        data.setdefault("capacity_Bps", 1e30)
    for e in np.flatnonzero(part == i).tolist():
        g.add_edge("from", ("s", e), capacity_Bps=1e30)
    for e in np.flatnonzero(part == j).tolist():
        g.add_edge(("t", e), "to", capacity_Bps=1e30)
    return float(nx.maximum_flow_value(g, "from", "to", capacity="capacity_Bps"))


CASES = {
    "mesh": machines.mesh(4, 4),
    "torus": machines.torus(4, 6),
    "line": machines.line(9),
    "clos": machines.clos(4, 3, 2),
    "superpod": machines.superpod(3, 2, 4, 2),
}


@pytest.mark.parametrize("name", CASES)
def test_bandwidth_is_the_maximum_flow(name: str) -> None:
    net, arrays = CASES[name]
    parts = 3 if net.ends % 4 else 4
    part = np.arange(net.ends) * parts // net.ends
    found = max_flow_matrix(find_symmetry(net, arrays), part)
    assert np.isnan(np.diag(found)).all()
    for i, j in itertools.combinations(range(parts), 2):
        assert found[i, j] == found[j, i] == pytest.approx(flow(net, part, i, j), rel=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_latency_is_that_of_the_pair_furthest_apart(name: str) -> None:
    net, arrays = CASES[name]
    part = np.arange(net.ends) // 3
    found = latency_matrix(find_symmetry(net, arrays), part)
    for i in range(part.max() + 1):
        for j in range(part.max() + 1):
            pairs = [
                twins.latency(net, s, t, 0.0)
                for s in np.flatnonzero(part == i)
                for t in np.flatnonzero(part == j)
                if s != t
            ]
            assert found[i, j] == pytest.approx(max(pairs)) if pairs else np.isnan(found[i, j])


def test_symmetries_change_nothing_but_the_work() -> None:
    net, arrays = machines.torus(6, 6)
    part = np.arange(net.ends) // 6
    symmetric, plain = find_symmetry(net, arrays), trivial_symmetry(net)
    assert np.allclose(max_flow_matrix(symmetric, part), max_flow_matrix(plain, part), equal_nan=True)
    assert np.allclose(latency_matrix(symmetric, part), latency_matrix(plain, part), equal_nan=True)


def test_random_machines() -> None:
    for seed in range(4):
        net = machines.random_network(seed)
        part = np.arange(net.ends) % 3
        part[0] = -1
        found = max_flow_matrix(trivial_symmetry(net), part)
        for i, j in itertools.combinations(range(3), 2):
            assert found[i, j] == pytest.approx(flow(net, part, i, j), rel=1e-8)
