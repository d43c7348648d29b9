"""The bisection: closed forms, and the true cut of random networks by brute force."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic, process_time

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network, build_network
from unifiedbus_dsl.solver import rounding
from unifiedbus_dsl.solver.bisection import bisection as bisection_module
from unifiedbus_dsl.solver.bisection import (
    candidate_partitions,
    cut_graph,
    cut_sums,
    embedding_bound,
    flow_bound,
    lower_bounds,
    sdp_bound,
)
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.bisection.halving_cut import halving_cut
from unifiedbus_dsl.solver.bisection.proved_bound import ProvedBound
from unifiedbus_dsl.solver.bounds import BoundedValue, DeadlineError
from unifiedbus_dsl.solver.flow import terminals
from unifiedbus_dsl.verify.bisection import StatedBound

X4 = machines.X4


@pytest.mark.parametrize(
    ("name", "sizes", "cables"),
    [
        ("mesh", (8, 8), 128),
        ("mesh", (6,), 9),
        ("mesh", (5,), 6),
        ("torus", (8,), 2),
        ("torus", (9,), 2),
        ("torus", (4, 4), 8),
        ("torus", (4, 4, 4), 32),
        ("hypercube", (5,), 16),
        ("star", (8,), 4),
        ("star", (9,), 4),
        ("clos", (4, 6, 6), 12),
        ("clos", (4, 6, 2), 4),
        ("fat_tree", (6,), 27),
        ("superpod", (128,), 16384),
    ],
)
def test_bisection(name: str, sizes: tuple[int, ...], cables: int) -> None:
    """Mesh k x k: k * k^2 / 4; complete n: floor * ceil; ring 2; torus k^d (even): 2 k^(d-1); hypercube 2^(d-1); star
    and full Clos n / 2; Clos 3:1 a third of it; SuperPoD: all cables of half its planes."""
    net, arrays = getattr(machines, name)(*sizes)
    got = bisection(symmetry.find_symmetry(net, arrays))
    assert got.capacity.upper == pytest.approx(cables * X4)
    assert got.side.sum() == net.ends // 2
    crossing = got.vertex_side[net.tail] & ~got.vertex_side[net.head]
    assert net.capacity_Bps[crossing].sum() == pytest.approx(got.capacity.upper)
    assert got.cut.tolist() == np.flatnonzero(crossing).tolist()
    if (name, sizes) not in {("torus", (9,)), ("mesh", (5,))}:
        assert got.capacity.kind == "exact"


@pytest.mark.parametrize("seed", machines.random_joined(10, ends=5, switches=2, cables=22))
def test_bisection_of_random_networks_holds_the_true_cut(seed: int) -> None:
    net = machines.random_network(seed, ends=5, switches=2, cables=22)
    true = twins.bisection(net, list(range(5)))
    got = bisection(symmetry.trivial_symmetry(net))
    assert got.capacity.lower <= true * (1 + 1e-7)
    assert got.capacity.upper >= true * (1 - 1e-7)
    some = bisection(symmetry.trivial_symmetry(net), [0, 2, 4])
    true = twins.bisection(net, [0, 2, 4])
    assert some.capacity.lower <= true * (1 + 1e-7)
    assert some.capacity.upper >= true * (1 - 1e-7)


def test_bisection_is_not_paid_for_what_cannot_pass() -> None:
    """0 and 1 both have a cable to 2, which does not forward and is no member: only their own cable counts."""
    net = machines.plain(3, 3, [([0, 1, 0], [2, 2, 1])], forward=False)
    assert bisection(symmetry.trivial_symmetry(net), [0, 1]).capacity.upper == pytest.approx(X4)


# ---- every cut counted ----------------------------------------------------------------------------------------------


def mixed(seed: int, ends: int = 0) -> Network:
    """End points (some of which forward nothing) and switches, joined at random, not always all of them."""
    rng = np.random.default_rng(seed)
    ends, switches = ends or int(rng.integers(3, 9)), int(rng.integers(0, 4))
    n, cables = ends + switches, int(rng.integers(ends, 3 * (ends + switches)))
    rates = [10e9, 20e9, 30e9] if seed % 2 else [1e9 / 3, 0.7e9, 2e9]
    columns = [rng.integers(0, n, (2, cables)) for _ in rates]
    forward = bool(rng.integers(0, 2))
    return machines.plain(n, ends, [(a, b) for a, b in columns], rates, forward=forward)


def counted(net: Network, members: list[int]) -> float:
    """The least cut over all sides of all vertices (simple machines): nothing but sums over arcs."""
    n = net.vertices
    side = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    inside = side[:, members].sum(axis=1)
    side = side[(inside == len(members) // 2)]
    member = np.isin(np.arange(n), members)
    passes = net.forwards | member
    cut = np.zeros(len(side))
    for a in range(net.arcs):
        t, h = int(net.tail[a]), int(net.head[a])
        if passes[t] and passes[h]:
            cut += net.capacity_Bps[a] * (side[:, t] & (1 - side[:, h]))
    return float(cut.min())


def holds(net: Network, members: list[int], most: int = 400_000) -> BoundedValue:
    """The bisection, after its cut was added up and both bounds compared with the least of all cuts."""
    true = counted(net, members)
    got = bisection(symmetry.trivial_symmetry(net), members, most=most)
    assert got.capacity.lower <= true * (1 + 1e-9)
    assert got.capacity.upper >= true * (1 - 1e-9)
    assert got.side.sum() == len(members) // 2
    crossing = got.vertex_side[net.tail] & ~got.vertex_side[net.head]
    passes = net.forwards | np.isin(np.arange(net.vertices), members)
    crossing &= passes[net.tail] & passes[net.head]
    assert net.capacity_Bps[crossing].sum() == pytest.approx(got.capacity.upper)
    assert got.cut.tolist() == np.flatnonzero(crossing).tolist()
    return got.capacity


WITHOUT_EVERY_CUT = tuple(each for each in bisection_module.METHODS if each is not lower_bounds.EVERY_CUT)


@pytest.mark.parametrize("most", [400_000, 1])
@pytest.mark.parametrize("seed", range(24))
def test_small_machines_are_exact(seed: int, most: int) -> None:
    """With a linear program and without, islands among them."""
    net = mixed(seed)
    assert holds(net, list(range(net.ends - seed % 3 % (net.ends - 1))), most).kind == "exact"


@pytest.mark.parametrize("most", [400_000, 1])
@pytest.mark.parametrize("seed", range(4))
def test_ends_of_what_is_not_counted_hold_the_least_of_all_cuts(
    seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bisection_module, "METHODS", WITHOUT_EVERY_CUT)
    net = mixed(seed, 8)
    found = holds(net, list(range(net.ends)), most)
    assert found.upper <= 1.5 * found.lower


@pytest.mark.parametrize("seed", range(12))
def test_eigenvalues_and_mixed_routings_stay_below_every_cut(seed: int) -> None:
    net = mixed(seed)
    chosen = np.ones(net.ends, dtype=bool)
    graph = cut_graph.cut_graph(net, chosen)
    true = counted(net, list(range(net.ends)))
    found = sdp_bound.bisection_sdp_bound(graph)
    assert found is not None
    assert 0 <= found.bound <= true * (1 + 1e-12)
    assert embedding_bound.embedding_bound(graph)[0] <= true * (1 + 1e-12)


@pytest.mark.parametrize(("name", "sizes", "cables"), [("mesh", (6,), 9), ("hypercube", (4,), 8), ("mesh", (4, 4), 16)])
def test_eigenvalues_prove_what_has_a_closed_form(name: str, sizes: tuple[int, ...], cables: int) -> None:
    """n lambda_2 / 4: complete graph n^2 / 4, hypercube 2^(d-1), mesh k x k: k^3 / 4."""
    net, _ = getattr(machines, name)(*sizes)
    found = sdp_bound.bisection_sdp_bound(cut_graph.cut_graph(net, np.ones(net.ends, dtype=bool)))
    assert found is not None
    assert found.bound == pytest.approx(cables * X4, rel=1e-4)
    assert found.bound <= cables * X4


def pivots(matrix: list[list[Fraction]]) -> list[Fraction]:
    """Pivots of the elimination, in exact arithmetic: none below 0 where the matrix is positive semidefinite."""
    rows, found = [list(row) for row in matrix], []
    for k in range(len(rows)):
        pivot = rows[k][k]
        found.append(pivot)
        if pivot == 0:
            assert not any(rows[k][k:])
            continue
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / pivot
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return found


@pytest.mark.parametrize("seed", range(10))
def test_what_is_called_semidefinite_is_so_exactly(seed: int) -> None:
    """What the factorisation lets through, by elimination in fractions; d is far too large to begin with."""
    rng = np.random.default_rng(seed)
    n = 9
    weight = np.triu(rng.random((n, n)), 1)
    weight += weight.T
    degree = weight.sum(axis=1)
    matrix = -weight + 0.1
    lowered, proved = sdp_bound._verified_psd_shift(matrix, degree, degree * rng.random(n) * 3)
    assert proved
    exact = [[Fraction(x) for x in row] for row in matrix.tolist()]
    for i in range(n):
        exact[i][i] += Fraction(float(degree[i])) - Fraction(float(lowered[i]))
    assert all(pivot >= 0 for pivot in pivots(exact))
    spoilt, _ = lowered + 1e-3, proved
    for i in range(n):
        exact[i][i] += Fraction(float(lowered[i])) - Fraction(float(spoilt[i]))
    assert any(pivot < 0 for pivot in pivots(exact))


@pytest.mark.parametrize("seed", range(10))
def test_exchanges_keep_the_size_and_better_the_cut(seed: int) -> None:
    net = mixed(seed)
    chosen = np.ones(net.ends, dtype=bool)
    graph = cut_graph.contract_leaves(cut_graph.cut_graph(net, chosen))
    half = np.zeros(net.ends, dtype=bool)
    half[np.random.default_rng(seed).permutation(net.ends)[: net.ends // 2]] = True
    after = cut_graph.kernighan_lin(graph, half)
    assert after.sum() == half.sum()
    assert halving_cut(net, after, ~after)[0] <= halving_cut(net, half, ~half)[0] * (1 + 1e-9)


@pytest.mark.parametrize(
    ("sizes", "cables"), [((3, 3), 0), ((4, 2), 3), ((5, 4, 3, 2), 0), ((2, 2, 2), 1), ((7, 1), 12)]
)
def test_islands(sizes: tuple[int, ...], cables: int) -> None:
    """Full meshes apart: nothing is cut where some of them make a half, else one of them is."""
    start = np.cumsum([0, *sizes])
    columns = [np.triu_indices(n, 1) for n in sizes]
    pairs = [(a + s, b + s) for (a, b), s in zip(columns, start, strict=False)]
    net = machines.plain(int(start[-1]), int(start[-1]), [pair for pair in pairs if len(pair[0])])
    assert counted(net, list(range(net.ends))) == pytest.approx(cables * X4)
    got = bisection(symmetry.trivial_symmetry(net))
    assert got.capacity.upper == pytest.approx(cables * X4)
    assert got.capacity.kind == "exact" or cables
    assert got.side.sum() == net.ends // 2
    assert got.capacity.lower <= cables * X4


def test_flows_that_prove_it_pass_through_end_points() -> None:
    """Full mesh 4 x 4 whose rows end at one die of an NPU, whose columns at the other. A half holds both dies, so the
    16 cables of the mesh are cut, though no NPU passes on anything."""
    at = np.arange(16).reshape(4, 4)
    i, j = np.triu_indices(4, 1)
    net = build_network(
        device_start=np.arange(0, 33, 2),
        end=np.repeat(np.arange(16), 2),
        forwards=np.ones(32, dtype=bool),
        a=np.concatenate([2 * at[:, i].ravel(), 2 * at[i].ravel() + 1]),
        b=np.concatenate([2 * at[:, j].ravel(), 2 * at[j].ravel() + 1]),
        kind=np.zeros(48, dtype=int),
        kinds=machines.kinds([X4]),
    )
    alone = terminals.flow_symmetry(symmetry.trivial_symmetry(net))
    flows = flow_bound.bisection_flow_lp(alone, np.ones(16, dtype=bool), 400_000)
    assert flows.lower == pytest.approx(16 * X4)
    assert bisection(symmetry.trivial_symmetry(net)).capacity.kind == "exact"


@pytest.mark.parametrize("seed", range(40))
def test_the_next_sum_of_whole_cables_is_no_more_than_a_cut(seed: int) -> None:
    net = mixed(2 * seed + 1)
    true = counted(net, list(range(net.ends)))
    graph = cut_graph.cut_graph(net, np.ones(net.ends, dtype=bool))
    for part in (0.0, 0.5, 0.9, 0.999):
        found = cut_sums.in_units(graph, ProvedBound(part * true, "flows", StatedBound(part * true)))
        assert part * true <= found.value <= true * (1 + 1e-12)


def test_a_chain_of_switches_is_its_narrowest_cable() -> None:
    net = machines.plain(6, 2, [([0], [2]), ([2], [3]), ([3, 4], [4, 1]), ([3], [5])], [3e9, 1e9, 2e9, 9e9])
    graph = cut_graph.cut_graph(net, np.ones(2, dtype=bool))
    assert graph.weight.toarray().tolist() == [[0, 1e9], [1e9, 0]]


def test_mixed_routings_prove_all_of_a_clos() -> None:
    """n / 2 cables, which all-to-all alone falls short of by two."""
    net, _ = machines.clos(4, 6, 6)
    found, _ = embedding_bound.embedding_bound(cut_graph.cut_graph(net, np.ones(24, dtype=bool)))
    assert found == pytest.approx(12 * X4, rel=1e-6)


# ---- a budget of seconds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_without_time_both_ends_still_hold(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisection_module, "METHODS", WITHOUT_EVERY_CUT)
    net = mixed(seed)
    true = counted(net, list(range(net.ends)))
    short = bisection(symmetry.trivial_symmetry(net), budget=1e-9).capacity
    assert short.lower <= true * (1 + 1e-9)
    assert short.upper >= true * (1 - 1e-9)


def test_what_the_time_does_not_allow_is_an_interval() -> None:
    """A Clos network, for which flows to the switches prove what flows between end points alone do not."""
    net, arrays = machines.clos(4, 6, 6)
    found = symmetry.find_symmetry(net, arrays)
    short = bisection(found, budget=1e-9).capacity
    assert short.kind == "interval"
    assert 0 < short.lower < 12 * X4 <= short.upper
    assert "as far as the time allowed" in short.reason
    assert bisection(found, budget=1e3).capacity == bisection(found).capacity
    assert bisection(found).capacity.kind == "exact"


def test_exchanges_end_where_the_two_ways_of_a_cable_round_apart() -> None:
    """Capacities that differ in the last bit, as sums in another order do, on either side of a rounding: some exchange
    and the same one back would seem to win, again and again."""
    low, high = 1e10, 1e10 + 4096
    rounded = rounding.round_mantissa(np.array([low]), 26)
    while np.nextafter(low, np.inf) < high:
        middle = (low + high) / 2
        same = rounding.round_mantissa(np.array([middle]), 26) == rounded
        low, high = (middle, high) if same else (low, middle)
    draw = np.random.default_rng(0)
    for _ in range(20):
        some = np.triu(draw.random((10, 10)) < 0.6, 1)
        weight = csr_matrix(some * low + some.T * high)
        graph = cut_graph.CutGraph(weight, np.ones(10, dtype=np.int64), np.arange(10), np.arange(10))
        began = monotonic()
        found = cut_graph.kernighan_lin(graph, np.arange(10) < 5, began + 5)
        assert found.sum() == 5
        assert monotonic() < began + 5


def test_no_step_begins_after_the_time() -> None:
    net, _ = machines.torus(4, 4)
    graph = cut_graph.cut_graph(net, np.ones(16, dtype=bool))
    half = np.arange(16) % 2 == 0
    assert graph.cut(cut_graph.kernighan_lin(graph, half)) <= graph.cut(cut_graph.kernighan_lin(graph, half, -np.inf))
    assert 0 < embedding_bound.embedding_bound(graph, -np.inf)[0] <= 8 * X4 * (1 + 1e-9)
    early = sdp_bound.bisection_sdp_bound(graph, -np.inf)
    assert early is not None
    assert early.bound <= 8 * X4 * (1 + 1e-9)


# ---- few end points of a large machine -------------------------------------------------------------------------------


def jellyfish(switches: int, degree: int, hosts: int, seed: int) -> Network:
    """A random regular graph of switches, 20 GB/s a cable, with `hosts` end points at each, 10 GB/s."""
    links = np.array(nx.random_regular_graph(degree, switches, seed=seed).edges())
    ends = switches * hosts
    host = np.arange(ends)
    cables = [(host, ends + host // hosts), (ends + links[:, 0], ends + links[:, 1])]
    return machines.plain(ends + switches, ends, cables, [10e9, 20e9], forward=False)


@pytest.mark.parametrize("members", [[0, 1], [0, 1, 2], [0, 100, 200], [0, 1, 2, 3, 4], [5, 50, 150, 250, 299]])
@pytest.mark.parametrize("most", [400_000, 1])
def test_few_end_points_of_a_large_irregular_network(members: list[int], most: int) -> None:
    """On one switch or on several: as many cables as the smaller half has."""
    got = bisection(symmetry.trivial_symmetry(jellyfish(100, 6, 3, 1)), members, most=most).capacity
    assert got.kind == "exact"
    assert got.upper == len(members) // 2 * 10e9
    assert got.lower == pytest.approx(got.upper, rel=1e-7)


def test_mixed_routings_of_end_points_on_one_switch() -> None:
    """What stays inside one block takes nothing of the links between blocks."""
    net = jellyfish(20, 4, 2, 1)
    graph = cut_graph.cut_graph(net, np.arange(net.ends) < 2)
    assert embedding_bound.embedding_bound(graph)[0] == pytest.approx(10e9, rel=1e-7)


@pytest.mark.parametrize("budget", [1e-9, 0.3])
@pytest.mark.parametrize("name", ["ring", "path", "switches", "irregular"])
def test_little_time_is_kept_to_and_no_bound_is_worse_than_the_trivial_ones(name: str, budget: float) -> None:
    """Long thin machines of 100,000, and 2,000 switches. Processor time: others work on the same machine."""
    n = 100_000
    at = np.arange(n)
    net = {
        "ring": lambda: machines.plain(n, n, [(at, (at + 1) % n)], [X4]),
        "path": lambda: machines.plain(n, n, [(at[:-1], at[1:])], [X4]),
        "switches": lambda: machines.plain(
            2 * n, n, [(at, n + at), (n + at, n + (at + 1) % n)], [X4, X4], forward=False
        ),
        "irregular": lambda: jellyfish(2000, 8, 4, 1),
    }[name]()
    plain = symmetry.trivial_symmetry(net)
    began = process_time()
    found = bisection(plain, budget=budget).capacity
    assert process_time() - began < budget + 1.5
    narrowest, ports = float(net.kinds.capacity_Bps.min()), float(net.capacity_Bps[net.end[net.tail] >= 0].sum())
    assert narrowest <= found.lower <= found.upper * (1 + 1e-9)
    assert found.upper <= ports / 2
    if name != "irregular":
        assert found.upper <= 2 * X4
    assert found.kind == "exact" or "as far as the time allowed" in found.reason


def test_halves_of_a_long_thin_machine_stop_in_time() -> None:
    n = 30_000
    at = np.arange(n)
    graph = cut_graph.cut_graph(machines.plain(n, n, [(at, (at + 1) % n)], [X4]), np.ones(n, dtype=bool))
    far = candidate_partitions.hop_distances(graph, np.array([0]))
    assert far.tolist() == np.minimum(at, n - at).tolist()
    with pytest.raises(DeadlineError):
        candidate_partitions.hop_distances(graph, np.array([0]), -np.inf)
    assert candidate_partitions.by_distances(graph, -np.inf) == []
