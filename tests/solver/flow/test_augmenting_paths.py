"""Long thin networks: flows by paths against NetworkX, parting by hops, and closed forms on rings of thousands."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.symmetry import colour_refinement
from unifiedbus_dsl.solver.collectives import allgather_bound
from unifiedbus_dsl.solver.collectives.collective_bounds import collective_time_bound
from unifiedbus_dsl.solver.flow import quotient_lp
from unifiedbus_dsl.solver.flow.augmenting_paths import augmenting_path_flow

X4 = machines.X4


def random_arcs(seed: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(3, 9))
    pairs = rng.integers(0, nodes, (30, 2))
    tail, head = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs[:, 1] != 0)].T
    return nodes, tail, head, rng.choice([0.3, 1.0, 2.5], len(tail))


def carried(nodes: int, tail: np.ndarray, head: np.ndarray, flow: np.ndarray) -> np.ndarray:
    gain = np.zeros(nodes)
    for t, h, f in zip(tail.tolist(), head.tolist(), flow.tolist(), strict=True):
        gain[t] -= f
        gain[h] += f
    return gain


@pytest.mark.parametrize("seed", range(20))
def test_the_largest_flow_to_one_goal(seed: int) -> None:
    nodes, tail, head, room = random_arcs(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    for t, h, c in zip(tail.tolist(), head.tolist(), room.tolist(), strict=True):
        graph.add_edge(t, h, capacity=c + (graph[t][h]["capacity"] if graph.has_edge(t, h) else 0.0))
    goal = np.zeros(nodes)
    goal[nodes - 1] = 2.0
    want = nx.maximum_flow_value(graph, 0, nodes - 1) / 2
    found = augmenting_path_flow(nodes, 0, tail, head, room, goal)
    assert found is not None
    flow, rate, cut = found
    assert rate == pytest.approx(want)
    assert (flow <= room * (1 + 1e-9)).all()
    assert carried(nodes, tail, head, flow)[1:] == pytest.approx(goal[1:] * rate)
    assert room[cut].sum() == pytest.approx(2 * want)


def test_to_all_along_shortest_paths_or_not_at_all() -> None:
    """A ring of five: two each way. With one arc a tenth as wide the rest goes around, which is not tried."""
    at = np.arange(5)
    tail, head = np.concatenate([at, (at + 1) % 5]), np.concatenate([(at + 1) % 5, at])
    goal = np.array([0.0, 1, 1, 1, 1])
    found = augmenting_path_flow(5, 0, tail, head, np.ones(10), goal)
    assert found is not None
    assert found[1] == pytest.approx(0.5)
    assert carried(5, tail, head, found[0])[1:] == pytest.approx(goal[1:] * 0.5)
    assert augmenting_path_flow(5, 0, tail, head, np.where(tail == 1, 0.1, 1.0), goal) is None


@pytest.mark.parametrize("seed", range(12))
def test_parting_by_hops_finds_the_same_partition(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The coarsest equitable partition is one, however it is found."""
    rng = np.random.default_rng(seed)
    net, _ = machines.torus(30, capacity=[1.0]) if seed % 2 else machines.line(23)
    net = machines.without(net, rng.integers(0, net.vertices, seed % 3).tolist())
    colour = (np.arange(net.vertices) == int(rng.integers(0, net.vertices))).astype(np.int64)
    slow = symmetry.refine_once(net, colour, net.label)
    monkeypatch.setattr(colour_refinement, "DEEP", 1)
    quick = symmetry.refine_once(net, colour, net.label)
    both = {(a, b) for a, b in zip(slow.tolist(), quick.tolist(), strict=True)}
    assert len(both) == len({a for a, _ in both}) == len({b for _, b in both})


@pytest.mark.parametrize("n", [3000, 3001])
def test_rings_of_thousands(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """2 (n - 1) / n of the size over two cables for an all-reduce, half of it for an all-gather, 1 for a broadcast."""
    monkeypatch.setattr(quotient_lp, "_solve", None)  # no linear program is needed
    net, arrays = machines.torus(n)
    found = symmetry.find_symmetry(net, arrays)
    everyone = np.zeros(n, dtype=np.int64)
    for collective, part in (("allreduce", 2 * (n - 1) / n), ("allgather", (n - 1) / n), ("broadcast", 1.0)):
        got = collective_time_bound(found, collective, everyone, 1e9)
        assert got.kind == "exact"
        assert got.value == pytest.approx(part * 1e9 / (2 * X4), rel=1e-9)


def test_distances_of_many_arcs() -> None:
    """By Dijkstra's method where rounds would be many; lengths of 0 are lengths."""
    net, _ = machines.line(300)
    found = allgather_bound.broadcast_rate(net, 0, np.arange(300) == 299.0)
    assert (found.lower, found.upper) == (pytest.approx(X4), pytest.approx(X4))


def test_a_linear_program_that_would_take_too_long_is_not_begun() -> None:
    net, _ = machines.line(300)
    with pytest.raises(quotient_lp.TooLargeError):
        allgather_bound.broadcast_rate(net, 0, np.arange(300) == 299.0, deadline_s=0.0)


@pytest.mark.parametrize("seed", range(6))
def test_parting_by_hops_does_not_know_the_numbering(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The colours of a renumbered network are those of the network, number by number."""
    monkeypatch.setattr(colour_refinement, "DEEP", 2)
    net, _ = machines.torus(40) if seed % 2 else machines.line(31)
    after, new, _ = machines.renumbered(net, seed)
    mark = (np.arange(net.vertices) == 7).astype(np.int64)
    moved = np.zeros_like(mark)
    moved[new] = mark
    got = symmetry.refine_once(after, moved, after.label)
    assert got[new].tolist() == symmetry.refine_once(net, mark, net.label).tolist()
