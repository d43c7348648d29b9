"""Hops, latency, paths, islands and disjoint paths: closed forms, plain-loop twins and NetworkX."""

from __future__ import annotations

from math import comb

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths import bfs, distances, path_enumeration
from unifiedbus_dsl.solver.paths.reachability import islands, reachability

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_hops_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, cables=12 + seed)
    far = twins.hop_matrix(net)
    weights = bfs.by_cable(net)
    for t in range(net.ends):
        found = bfs.endpoint_hops(net, bfs.distances(weights, net.vertices_of(t)).hops)
        assert found.tolist() == far[:, t].tolist()
    off = far[~np.eye(net.ends, dtype=bool)]
    got = distances.hop_histogram(symmetry.trivial_symmetry(net))
    assert got.unreachable == (off < 0).sum()
    assert dict(zip(got.value.tolist(), got.pairs.tolist(), strict=True)) == {
        float(h): int((off == h).sum()) for h in np.unique(off[off >= 0])
    }
    if (off >= 0).any():
        assert far[got.source, got.target] == off.max()


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_hops_against_networkx(seed: int) -> None:
    net = machines.random_network(seed)
    graph = twins.digraph(net)
    far = twins.hop_matrix(net)
    for s in range(net.ends):
        length = nx.single_source_dijkstra_path_length(graph, ("s", s), weight="hop")
        for t in range(net.ends):
            assert far[s, t] == (length.get(("t", t), -1) if s != t else 0)


def test_spread_by_rows_and_by_matrix_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    net, _ = machines.superpod(3, 2, 3, 2)
    weights = bfs.by_cable(net)
    value = np.arange(net.vertices, dtype=float)
    everyone = np.arange(net.vertices)
    monkeypatch.setattr(bfs, "GATHER_BELOW", 2.0)
    gathered = bfs.push(weights, everyone, value)
    monkeypatch.setattr(bfs, "GATHER_BELOW", 0.0)
    assert gathered == pytest.approx(bfs.push(weights, everyone, value))


def ring_histogram(n: int) -> dict[float, int]:
    return {float(h): n * (1 if 2 * h == n else 2) for h in range(1, n // 2 + 1)}


@pytest.mark.parametrize("n", [3, 4, 7, 10])
def test_ring(n: int) -> None:
    """Ring of n: two end points at each distance below n / 2, one at n / 2; diameter floor(n / 2)."""
    net, arrays = machines.torus(n)
    got = distances.hop_histogram(symmetry.find_symmetry(net, arrays))
    assert dict(zip(got.value.tolist(), got.pairs.tolist(), strict=True)) == ring_histogram(n)
    assert got.largest == n // 2


@pytest.mark.parametrize("d", [1, 3, 5])
def test_hypercube(d: int) -> None:
    """Hypercube of dimension d: comb(d, h) end points at distance h; d disjoint paths."""
    net, arrays = machines.hypercube(d)
    found = symmetry.find_symmetry(net, arrays)
    got = distances.hop_histogram(found)
    assert got.pairs.tolist() == [2**d * comb(d, h) for h in range(1, d + 1)]
    assert distances.disjoint_paths(found).paths == d


def test_mesh_of_eight_by_eight() -> None:
    net, arrays = machines.mesh(8, 8)
    found = symmetry.find_symmetry(net, arrays)
    got = distances.hop_histogram(found)
    assert net.count.sum() // 2 == 448
    assert got.largest == 2
    assert got.mean == pytest.approx(112 / 63)
    least = distances.disjoint_paths(found)
    assert (least.paths, least.flows) == (14, 2)  # same row or column, neither
    assert distances.hop_histogram(found, [0], [7]).largest == 1


@pytest.mark.parametrize("k", [3, 4, 5])
def test_torus(k: int) -> None:
    """Torus k^3: mean hops of a ring, counted with the pair (v, v), times 3; diameter 3 floor(k / 2)."""
    net, arrays = machines.torus(k, k, k)
    got = distances.hop_histogram(symmetry.find_symmetry(net, arrays))
    along = sum(min(i, k - i) for i in range(k)) / k
    assert got.mean == pytest.approx(3 * along * k**3 / (k**3 - 1))
    assert got.largest == 3 * (k // 2)


def test_clos_and_fat_tree() -> None:
    """Two-level Clos: 2 hops under a leaf, 4 across. Fat tree of k: 2, 4 in a pod, 6 across; (k/2)^2 paths across."""
    net, arrays = machines.clos(4, 6, 3)
    got = distances.hop_histogram(symmetry.find_symmetry(net, arrays))
    assert (got.value.tolist(), got.pairs.tolist()) == ([2, 4], [24 * 5, 24 * 18])
    net, arrays = machines.fat_tree(6)
    got = distances.hop_histogram(symmetry.find_symmetry(net, arrays))
    assert (got.value.tolist(), got.pairs.tolist()) == ([2, 4, 6], [54 * 2, 54 * 6, 54 * 45])
    found = path_enumeration.shortest_paths(net, 0, 53)
    assert (found.count, found.hops, len(found.first(64)), len(found.first(4))) == (9, 6, 9, 4)


def test_superpod_hops() -> None:
    """8,192 NPUs: 14 at one hop, 49 at two; in another rack: NPU, plane, high radix, plane, NPU."""
    net, arrays = machines.superpod(128)
    got = distances.hop_histogram(symmetry.find_symmetry(net, arrays))
    assert (got.value.tolist(), got.pairs.tolist()) == ([1, 2, 4], [8192 * 14, 8192 * 49, 8192 * (8192 - 64)])


@pytest.mark.parametrize("message", [0.0, 1e-6])
@pytest.mark.parametrize("seed", SEEDS[:20])
def test_latency_of_random_networks(seed: int, message: float) -> None:
    net = machines.random_network(seed)
    worst = -1.0
    for t in range(net.ends):
        got = distances.endpoint_latencies(net, distances.latencies_to(net, net.vertices_of(t), message))
        for s in range(net.ends):
            if s == t:
                continue
            want = twins.latency(net, s, t, message)
            assert got[s] == pytest.approx(want)
            if np.isfinite(want):
                worst = max(worst, want)
                best = path_enumeration.minimum_latency_path(net, s, t, message)
                assert best.time_s == pytest.approx(want)
                assert (net.tail[best.arcs] == best.vertices[:-1]).all()
                assert (net.head[best.arcs] == best.vertices[1:]).all()
                assert net.forwards[best.vertices[1:-1]].all()
            else:
                with pytest.raises(NotAdmittedError):
                    path_enumeration.minimum_latency_path(net, s, t, message)
    got = distances.latency_histogram(symmetry.trivial_symmetry(net), message_bytes=message)
    assert got.value[-1] == pytest.approx(worst)


def test_latency_of_the_superpod() -> None:
    """Across racks: four cables of 100 ns, three switches of 250 ns; in a rack by way of an NPU 2 x 100 + 50 ns."""
    net, arrays = machines.superpod(4)
    found = symmetry.find_symmetry(net, arrays)
    got = distances.latency_histogram(found)
    assert got.value == pytest.approx([100e-9, 250e-9, 1150e-9])
    assert distances.latency_histogram(found, message_bytes=56.0).largest == pytest.approx(1151e-9)
    assert distances.latency_histogram(symmetry.trivial_symmetry(net)).pairs.tolist() == got.pairs.tolist()


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_shortest_paths_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed)
    graph = twins.digraph(net)
    for t in range(1, net.ends):
        try:
            found = path_enumeration.shortest_paths(net, 0, t)
        except NotAdmittedError:
            assert not nx.has_path(graph, ("s", 0), ("t", t))
            continue
        want = list(nx.all_shortest_paths(graph, ("s", 0), ("t", t), weight="hop"))
        plain = {tuple(v if isinstance(v, int) else v[0] for v in path[1:-1]) for path in want}
        got = found.first(10_000)
        assert {tuple(r.vertices.tolist()) for r in got} == plain
        assert found.count == sum(np.prod([net.count[a] for a in r.arcs]) for r in got)
        assert all(len(r.arcs) == found.hops for r in got)


def test_more_paths_than_a_float_can_count() -> None:
    """A chain of 40 cells of four cables each: 4^40 paths."""
    net = machines.plain(41, 41, [(np.arange(40), np.arange(1, 41)) for _ in range(4)], capacity=machines.X4)
    assert path_enumeration.shortest_paths(net, 0, 40).count == 4**40


@pytest.mark.parametrize("seed", SEEDS)
def test_disjoint_paths_and_islands_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, ends=6, cables=8 + seed // 2)
    graph = twins.digraph(net)
    far = twins.hop_matrix(net)
    flows = {}
    for s in range(net.ends):
        for t in range(net.ends):
            if s != t:
                flows[s, t] = nx.maximum_flow_value(graph, ("s", s), ("t", t), capacity="cables")
                assert distances.pair_cables(net, s, t) == flows[s, t]
                assert (flows[s, t] > 0) == (far[s, t] > 0)
    found = symmetry.trivial_symmetry(net)
    assert distances.disjoint_paths(found).paths == min(flows.values())
    assert reachability(net).connected == bool((far >= 0).all())
    joined = nx.Graph([(s, t) for (s, t), f in flows.items() if f])
    joined.add_nodes_from(range(net.ends))
    assert reachability(net).largest[0] <= max(len(c) for c in nx.connected_components(joined))
    end, island = islands(net)
    for part in np.unique(island):
        inside = end[island == part]
        assert (far[np.ix_(inside, inside)] >= 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_disjoint_paths_of_end_points_alone(seed: int) -> None:
    """Neighbours are enough where all forward: the same as of all pairs, with parallel cables and in several parts."""
    rng = np.random.default_rng(seed)
    n = 7
    cables = rng.integers(0, n, (2, 9 + seed))
    net = machines.plain(n, n, [(cables[0], cables[1])])
    graph = twins.digraph(net)
    pairs = [(s, t) for s in range(n) for t in range(n) if s != t]
    fewest = min(nx.maximum_flow_value(graph, ("s", s), ("t", t), capacity="cables") for s, t in pairs)
    got = distances.disjoint_paths(symmetry.trivial_symmetry(net))
    assert got.paths == fewest == distances.pair_cables(net, got.source, got.target)
    assert got.flows <= (len(net.tail) if fewest else len(pairs))
    assert distances.disjoint_paths(symmetry.trivial_symmetry(net), [0], [1]).flows == 1


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("mesh", (4, 3)),
        ("torus", (4, 3)),
        ("clos", (3, 2, 2)),
        ("line", (5,)),
        ("superpod", (3, 2, 2, 2)),
        ("cluster", (2, 2, 2, 2, 1, 1)),
    ],
)
def test_symmetry_and_renumbering_change_nothing(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    folded = symmetry.find_symmetry(net, arrays)
    other, _, _ = machines.renumbered(net, seed=5)
    for plain in (symmetry.trivial_symmetry(net), symmetry.trivial_symmetry(other)):
        for measure in (distances.hop_histogram, distances.latency_histogram):
            one, two = measure(folded), measure(plain)
            assert one.value == pytest.approx(two.value)
            assert one.pairs.tolist() == two.pairs.tolist()
        assert distances.disjoint_paths(folded).paths == distances.disjoint_paths(plain).paths


def test_no_path_and_no_pair_are_said() -> None:
    net = machines.plain(4, 4, [([0, 2], [1, 3])])
    got = distances.hop_histogram(symmetry.trivial_symmetry(net))
    assert got.unreachable == 8
    with pytest.raises(NotAdmittedError, match="8 ordered pairs"):
        _ = got.largest
    with pytest.raises(NotAdmittedError, match="no pair"):
        _ = distances.hop_histogram(symmetry.trivial_symmetry(net), [0], [0]).mean
    assert not reachability(net).connected
    assert reachability(net, [2, 3]).connected
    assert reachability(net).largest == (2, 2)
