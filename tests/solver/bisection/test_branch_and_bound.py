"""Every cut tried or bounded, and halves that do not depend on numbers, against plain enumeration and closed forms."""

from __future__ import annotations

from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines
from tests.solver.bisection.test_bisection import counted, mixed
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bisection import cut_graph
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.bisection.branch_and_bound import branch_and_bound, every_half
from unifiedbus_dsl.solver.bisection.candidate_partitions import by_distances, exchange_boundary, hop_distances
from unifiedbus_dsl.solver.bisection.canonical_labels import canonical_form

RATE = 10e9


def direct(graph: nx.Graph, seed: int | None = None) -> Network:
    """A machine of end points alone, renumbered at random by a seed."""
    graph = nx.convert_node_labels_to_integers(graph)
    n = graph.number_of_nodes()
    number = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    edges = number[np.array(graph.edges())]
    return machines.plain(n, n, [(edges[:, 0], edges[:, 1])], RATE)


def whole_cut_graph(net: Network) -> cut_graph.CutGraph:
    return cut_graph.cut_graph(net, np.ones(net.ends, dtype=bool))


@pytest.mark.parametrize("seed", range(40))
def test_the_least_of_all_cuts(seed: int) -> None:
    net = mixed(seed)
    graph = whole_cut_graph(net)
    true = counted(net, list(range(net.ends)))
    first = np.arange(net.ends) < net.ends // 2
    for least in (every_half(graph), branch_and_bound(graph, first, 0.0)):
        if least is not None:
            assert least.lower_Bps == pytest.approx(true, rel=1e-9)
            assert least.half.sum() == net.ends // 2
    assert graph.weight.nnz == 0 or every_half(graph) is not None


@pytest.mark.parametrize(
    ("graph", "cables"),
    [
        (nx.hypercube_graph(5), 16),
        (nx.grid_2d_graph(6, 6, periodic=True), 12),
        (nx.grid_2d_graph(6, 6), 6),
        (nx.cycle_graph(40), 2),
        (nx.petersen_graph(), 5),
        (nx.complete_graph(24), 144),
        (nx.disjoint_union(nx.complete_graph(12), nx.complete_graph(12)), 0),
    ],
)
def test_branch_and_bound_of_textbook_graphs(graph: nx.Graph, cables: int) -> None:
    """From a poor half; without knowing that cuts are whole cables."""
    cut = whole_cut_graph(direct(graph, 1))
    least = branch_and_bound(cut, np.arange(cut.nodes) < cut.nodes // 2, 0.0)
    assert least is not None
    assert least.lower_Bps == pytest.approx(cables * RATE, rel=1e-9, abs=1.0)


def kautz(degree: int, length: int) -> nx.Graph:
    """Words of a Kautz graph without equal neighbours; two words that go to each other have one link."""
    graph = nx.Graph()
    for word in np.ndindex(*(degree + 1,) * length):
        if all(a != b for a, b in pairwise(word)):
            for last in range(degree + 1):
                if last != word[-1]:
                    graph.add_edge(word, (*word[1:], last))
    return graph


@pytest.mark.parametrize("seed", range(6))
def test_a_kautz_graph_under_any_numbering(seed: int) -> None:
    """K(2, 4), 24 nodes: the least over all C(24, 12) halves is the same under every numbering."""
    graph = nx.convert_node_labels_to_integers(kautz(2, 4))
    number = np.random.default_rng(seed).permutation(len(graph))
    edges = number[np.array([edge[:2] for edge in graph.edges])]
    net = machines.plain(len(graph), len(graph), [(edges[:, 0], edges[:, 1])], RATE)
    weight = np.zeros((24, 24))
    for a, b in edges.tolist():
        weight[a, b] += a != b
        weight[b, a] += a != b
    if seed == 0:  # 1.35 million halves, by the cuts of both parts of twelve
        low, high = (np.arange(1 << 12)[:, None] >> np.arange(12) & 1 for _ in range(2))
        inner = [
            ((side @ w) * (1 - side)).sum(axis=1) for side, w in ((low, weight[:12, :12]), (high, weight[12:, 12:]))
        ]
        across = weight[:12, 12:]
        best = np.inf
        for k in range(13):
            a, b = low[low.sum(axis=1) == k], high[high.sum(axis=1) == 12 - k]
            cut = inner[0][low.sum(axis=1) == k][:, None] + inner[1][high.sum(axis=1) == 12 - k]
            cut = cut + a @ across @ (1 - b).T + (1 - a) @ across @ b.T
            best = min(best, float(cut.min()))
        assert bisection(symmetry.trivial_symmetry(net)).capacity.upper == pytest.approx(best * RATE)
    assert bisection(symmetry.trivial_symmetry(net)).capacity.kind == "exact"
    assert bisection(symmetry.trivial_symmetry(net)).capacity.upper == pytest.approx(9 * RATE)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("graph", "cables"),
    [
        (nx.grid_graph((10, 10, 10), periodic=True), 200),
        (nx.grid_graph((12, 6, 5)), 30),
        (nx.hypercube_graph(9), 256),
        (nx.path_graph(3_000), 1),
        (nx.grid_graph((30, 30, 10), periodic=True), 600),
    ],
)
def test_sweeps_along_dimensions_of_any_numbering(graph: nx.Graph, cables: int, seed: int) -> None:
    """Torus k^d: 2 k^(d-1) at the longest side; mesh: one layer; hypercube 2^(d-1)."""
    cut = whole_cut_graph(direct(graph, seed))
    value, half = by_distances(cut)[0]
    assert value == pytest.approx(cables * RATE)
    assert half.sum() == cut.nodes // 2
    assert cut.cut(half) == pytest.approx(value)


def test_the_cut_of_a_torus_of_any_numbering() -> None:
    """12^3 end points whose numbers say nothing: 2 * 12^2 cables."""
    net = direct(nx.grid_graph((12, 12, 12), periodic=True), 3)
    assert bisection(symmetry.trivial_symmetry(net)).capacity.upper == pytest.approx(2 * 12**2 * RATE)


@pytest.mark.parametrize("seed", range(4))
def test_hops(seed: int) -> None:
    graph = nx.gnm_random_graph(60, 80, seed=seed)
    cut = whole_cut_graph(direct(graph))
    want = nx.single_source_shortest_path_length(graph, 0)
    assert hop_distances(cut, np.array([0])).tolist() == [want.get(v, -1) for v in range(60)]


@pytest.mark.parametrize("seed", range(4))
def test_exchanges_on_a_sparse_graph(seed: int) -> None:
    """Never worse, of the same size, and far below a random half, whose cut is a half of the links."""
    graph = nx.random_regular_graph(6, 4_000, seed=seed)
    cut = whole_cut_graph(direct(graph))
    half = np.zeros(4_000, dtype=bool)
    half[np.random.default_rng(seed).permutation(4_000)[:2_000]] = True
    better = exchange_boundary(cut, half)
    assert better.sum() == 2_000
    assert cut.cut(better) < 0.8 * cut.cut(half)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "graph", [nx.random_regular_graph(4, 60, seed=5), nx.gnm_random_graph(50, 120, seed=2), nx.grid_2d_graph(5, 8)]
)
def test_a_graph_is_the_same_under_any_numbering(graph: nx.Graph, seed: int) -> None:
    plain, shuffled = (canonical_form(whole_cut_graph(direct(graph, number))) for number in (None, seed))
    assert (plain.weight != shuffled.weight).nnz == 0
    assert (plain.members == shuffled.members).all()


@pytest.mark.parametrize(("switches", "degree", "hosts"), [(24, 4, 4), (40, 5, 3)])
def test_bounds_do_not_depend_on_the_numbering(switches: int, degree: int, hosts: int) -> None:
    links = np.array(nx.random_regular_graph(degree, switches, seed=1).edges())
    ends = switches * hosts
    found = set()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        host, switch = rng.permutation(ends), ends + rng.permutation(switches)
        cables = [(host, switch[np.arange(ends) // hosts]), (switch[links[:, 0]], switch[links[:, 1]])]
        net = machines.plain(ends + switches, ends, cables, [RATE, 2 * RATE], forward=False)
        got = bisection(symmetry.trivial_symmetry(net)).capacity
        found.add((round(got.lower / 1e6), round(got.upper / 1e6)))
    assert len(found) == 1


def test_few_halves_are_all_tried() -> None:
    """Three members of a random machine: one minimum cut for each, as NetworkX finds them."""
    graph = nx.gnm_random_graph(40, 90, seed=3)
    cut = cut_graph.cut_graph(direct(graph), np.arange(40) < 3)
    nx.set_edge_attributes(graph, RATE, "capacity")
    best = np.inf
    for (alone,) in combinations(range(3), 1):
        joined = nx.Graph(graph)
        for other in set(range(3)) - {alone}:
            joined.add_edge(other, "rest", capacity=1e18)
        best = min(best, nx.minimum_cut_value(joined, alone, "rest"))
    least = every_half(cut)
    assert least is not None
    assert least.lower_Bps == pytest.approx(best)
