"""Minimum cuts against NetworkX, in integers of any size, and the bisections that depend on them."""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.flow import min_cut
from unifiedbus_dsl.solver.flow.min_cut import minimum_cut

FAMILIES = ("equal", "wide", "fractions", "decades", "far apart", "full", "opposite")


def capacities(family: str, arcs: int, rng: np.random.Generator) -> np.ndarray:
    match family:
        case "equal":
            return rng.integers(1, 4, arcs) * 1e10
        case "wide":
            return rng.integers(0, 2**45, arcs)
        case "fractions":
            return rng.random(arcs) * 1e12
        case "decades":
            return 10.0 ** rng.uniform(0, 13, arcs)
        case "far apart":
            return np.where(rng.random(arcs) < 0.5, 1e16, 1.0)
        case "full":
            return np.full(arcs, 2**31 - 1)
    return np.full(arcs, 2.0**30)


@pytest.mark.parametrize("family", FAMILIES)
def test_minimum_cut_is_the_maximum_flow(family: str) -> None:
    """By augmenting paths in exact fractions (NetworkX): integers must agree to the last unit, others to rounding."""
    rng = np.random.default_rng(FAMILIES.index(family))
    for _ in range(60):
        n = int(rng.integers(2, 14))
        arcs = int(rng.integers(1, 5 * n))
        tail, head = rng.integers(0, n, (2, arcs))
        if family == "opposite":
            tail, head = np.append(tail, head), np.append(head, tail)
        capacity = capacities(family, len(tail), rng)
        side = minimum_cut(n, tail, head, capacity, 0, n - 1)
        graph = nx.DiGraph()
        graph.add_nodes_from(range(n))
        for a, b, c in zip(tail.tolist(), head.tolist(), capacity.tolist(), strict=True):
            if a != b:
                before = graph[a][b]["capacity"] if graph.has_edge(a, b) else 0
                graph.add_edge(a, b, capacity=before + Fraction(c))
        flow = nx.maximum_flow_value(graph, 0, n - 1, flow_func=nx.algorithms.flow.edmonds_karp)
        cut = sum(Fraction(c) for a, b, c in zip(tail, head, capacity.tolist(), strict=True) if side[a] and not side[b])
        assert side[0]
        assert not side[n - 1]
        assert abs(cut - flow) <= flow * (Fraction(1, 10**15) if family in ("fractions", "decades") else 0)


def test_capacities_stay_in_the_range_of_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Residuals of two opposite arcs, and a sum of both, below 2^31."""
    from scipy.sparse import csgraph

    real, seen = csgraph.maximum_flow, []

    def watched(graph: object, *arguments: object) -> object:
        seen.append(graph.data.astype(np.int64).max())  # type: ignore[attr-defined]
        return real(graph, *arguments)

    monkeypatch.setattr(csgraph, "maximum_flow", watched)
    minimum_cut(3, np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.array([3e12, 3e12, 1e12 / 3, 1e12 / 3]), 0, 2)
    assert seen
    assert 2 * max(seen) <= 2 * min_cut.MAX_CAPACITY < 2**30


def test_two_end_points_and_seven_switches() -> None:
    """Every cable 10 GB/s. The least cut between the two is three cables, which `disjoint_paths` says as well."""
    ends, switches = 2, 7
    pairs = [(0, 3), (0, 1), (1, 2), (1, 4), (1, 5), (2, 4), (5, 6)]
    up = [(0, 4), (0, 3), (0, 1), (1, 6), (1, 2), (1, 0)]
    a = np.array([s + ends for s, _ in pairs] + [e for e, _ in up])
    b = np.array([s + ends for _, s in pairs] + [s + ends for _, s in up])
    net = machines.plain(ends + switches, ends, [(a, b)], 10e9, forward=False)
    found = bisection(symmetry.trivial_symmetry(net)).capacity
    assert found.kind == "exact"
    assert found.lower == found.upper == twins.bisection(net, [0, 1]) == 30e9
