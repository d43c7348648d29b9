"""Vertices with the same neighbours as one: the classes, and distances by bits, against plain loops and NetworkX."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.paths.twin_quotient import UNREACHABLE, TwinQuotient, arc_at, quotient_hops, twin_quotient


def everything(net: Network) -> TwinQuotient:
    return twin_quotient(net, np.ones(net.vertices, bool), np.zeros(net.vertices, bool))


def row(net: Network, v: int, inside: np.ndarray) -> tuple[object, ...]:
    arcs = [(int(h), int(net.kind[a]), int(net.count[a])) for a, h in twins.out_arcs(net, v) if inside[h]]
    return bool(net.forwards[v]), *arcs


@pytest.mark.parametrize("seed", range(20))
def test_classes_are_equal_rows(seed: int) -> None:
    net = machines.random_network(seed, ends=7, switches=8, cables=24)
    rng = np.random.default_rng(seed)
    inside, alone = rng.random(net.vertices) < 0.9, rng.random(net.vertices) < 0.2
    graph = twin_quotient(net, inside, alone)
    want: dict[object, set[int]] = {}
    for v in np.flatnonzero(inside).tolist():
        want.setdefault(("alone", v) if alone[v] else row(net, v, inside), set()).add(v)
    got = {frozenset(np.flatnonzero(graph.of == c).tolist()) for c in range(graph.classes)}
    assert got == {frozenset(members) for members in want.values()}
    assert (graph.of[~inside] == -1).all()


@pytest.mark.parametrize("seed", range(10))
def test_bundles_hold_the_arcs_of_every_member(seed: int) -> None:
    """Cable by cable: each arc of a vertex is found as often as it has cables, in the bundle to its head's class."""
    net = machines.random_network(seed, ends=3, switches=9, cables=40)
    graph = everything(net)
    for v in range(net.vertices):
        c = graph.of[v]
        found = []
        for b in range(graph.start[c], graph.start[c + 1]):
            cables = np.arange(graph.weight[b])
            arcs = arc_at(graph, np.full(len(cables), v), np.full(len(cables), b), cables)
            assert (graph.of[net.head[arcs]] == graph.to[b]).all()
            found += arcs.tolist()
        assert sorted(found) == [a for a, _ in twins.out_arcs(net, v) for _ in range(net.count[a])]


@pytest.mark.parametrize(("name", "sizes", "classes"), [("fat_tree", (6,), 6 + 18 + 3), ("clos", (5, 2, 3), 1 + 1)])
def test_few_classes_between_switches(name: str, sizes: tuple[int, ...], classes: int) -> None:
    """Without their end points, the edge switches of a pod are alike, and the cores of a group."""
    net, _ = getattr(machines, name)(*sizes)
    assert twin_quotient(net, net.forwards, np.zeros(net.vertices, bool)).classes == classes


def test_a_hash_alone_makes_nothing_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all hashes are equal, rows are still told apart."""

    class Constant:
        def integers(self, low: int, high: int, size: int, dtype: type) -> np.ndarray:
            return np.zeros(size, dtype)

    net, _ = machines.mesh(3, 3)
    monkeypatch.setattr(np.random, "default_rng", lambda seed: Constant())
    assert everything(net).classes == 9


@pytest.mark.parametrize("seed", range(6))
def test_distances_against_networkx(seed: int) -> None:
    """More goals than bits in a word; the classes of one goal are at 0, its other members at 2."""
    net = machines.random_network(seed, ends=0, switches=90, cables=130)
    graph = everything(net)
    theirs: nx.Graph = nx.Graph()
    theirs.add_nodes_from(range(net.vertices))
    theirs.add_edges_from(zip(net.tail.tolist(), net.head.tolist(), strict=True))
    far = quotient_hops(graph, graph.of, np.arange(net.vertices), net.vertices)
    for goal in range(net.vertices):
        want = nx.single_source_shortest_path_length(theirs, goal)
        for v in range(net.vertices):
            if v == goal or graph.of[v] != graph.of[goal]:
                assert far[graph.of[v], goal] == want.get(v, UNREACHABLE)
            else:
                assert far[graph.of[v], goal] == 0
                assert want.get(v, 2) == 2


@pytest.mark.parametrize("seed", range(10))
def test_distances_to_end_points_of_several_vertices(seed: int) -> None:
    """Through vertices that forward only, a goal's own at the start."""
    net = machines.random_network(seed, ends=8, cables=30)
    graph = twin_quotient(net, np.ones(net.vertices, bool), net.end >= 0)
    far = quotient_hops(graph, graph.of[net.end_order], net.end[net.end_order].astype(np.int64), net.ends)
    for t in range(net.ends):
        want = twins.hops_to(net, t)
        assert far[graph.of, t].tolist() == [want.get(v, UNREACHABLE) for v in range(net.vertices)]
