"""Bounds of collectives: closed forms, and NetworkX's max-flow on the relaying network."""

from __future__ import annotations

import tracemalloc

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives import allgather_bound, tree_packing
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError

X4 = machines.X4


def relay_graph(net: machines.Network) -> nx.DiGraph:
    graph = twins.digraph(net)
    for e in range(net.ends):
        graph.add_edge(("t", e), ("s", e))
    for _, _, data in graph.edges(data=True):
        if "capacity_Bps" in data:
            data["capacity"] = data["capacity_Bps"]
    return graph


def gathers(graph: nx.DiGraph, v: int, others: list[int], x: float) -> bool:
    """Whether every other end point can send x to v at once."""
    g = graph.copy()
    for e in others:
        g.add_edge("S", ("s", e), capacity=x)
    return nx.maximum_flow_value(g, "S", ("t", v)) >= x * len(others) * (1 - 1e-9)


@pytest.mark.parametrize("seed", [*range(12), 26])  # of 6 and 26 not all are joined
def test_gather_rate_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, ends=5, switches=2, cables=22)
    graph = relay_graph(net)
    rate = allgather_bound.gather_rate(symmetry.trivial_symmetry(net))
    if rate.value == 0:
        assert rate.upper == 0
        assert not all(gathers(graph, v, [e for e in range(5) if e != v], 1e-6) for v in range(5))
        return
    open_net = np.isinf(net.injection_Bps).all()
    worst = [v for v in range(5) if not gathers(graph, v, [e for e in range(5) if e != v], rate.value * 1.001)]
    for v in range(5):
        assert gathers(graph, v, [e for e in range(5) if e != v], rate.value * (1 - 1e-6))
    assert worst or not open_net


@pytest.mark.parametrize(
    ("name", "sizes", "rate"),
    [
        ("torus", (6,), 2 / 5),
        ("mesh", (5,), 1.0),
        ("hypercube", (3,), 3 / 7),
        ("star", (6,), 1 / 5),
        ("mesh", (8, 8), 14 / 63),
        ("clos", (4, 6, 6), 1 / 23),
    ],
)
def test_gather_rate_is_what_the_ports_of_one_end_point_take(name: str, sizes: tuple[int, ...], rate: float) -> None:
    """Where nothing else is narrower: degree · link rate / (n - 1)."""
    net, arrays = getattr(machines, name)(*sizes)
    found = symmetry.find_symmetry(net, arrays)
    got = allgather_bound.gather_rate(found)
    assert got.kind == "exact"
    assert got.value == pytest.approx(rate * X4)
    assert allgather_bound.gather_rate(symmetry.trivial_symmetry(net)).value == pytest.approx(got.value)
    assert allgather_bound.allgather_time(found, 1e9).value == pytest.approx(1e9 / net.ends / (rate * X4))


def test_relays_count() -> None:
    """Two switches, a host on each and one on both: without relaying the two are parted, with it they are not."""
    net = machines.plain(5, 3, [([0, 1, 1, 2], [3, 3, 4, 4])], capacity=[4.0], forward=False)
    assert allgather_bound.gather_rate(symmetry.trivial_symmetry(net)).value == pytest.approx(
        2.0
    )  # 0 takes two streams over one cable


@pytest.mark.parametrize(("name", "sizes", "cables"), [("torus", (6,), 2), ("mesh", (8,), 7), ("star", (5,), 1)])
def test_allreduce_where_all_that_end_points_send_is_needed(name: str, sizes: tuple[int, ...], cables: int) -> None:
    """Ring, full mesh, switch: 2 (n - 1) / n · size over the cables of an end point, and two phases take no more."""
    net, arrays = getattr(machines, name)(*sizes)
    got = allgather_bound.allreduce_time(symmetry.find_symmetry(net, arrays), 1e9)
    n = net.ends
    assert got.value == pytest.approx(2 * (n - 1) / n * 1e9 / (cables * X4))
    assert got.kind == "exact"


def test_allreduce_over_a_narrow_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """One switch with links of 1, 1 and 1/2: at least the size over the narrowest, at most two phases over it; trees
    that send each element over it once, there and back, meet the first."""
    net = machines.plain(4, 3, [([0, 1], [3, 3]), ([2], [3])], capacity=[1.0, 0.5], forward=False)
    best = allgather_bound.allreduce_time(symmetry.trivial_symmetry(net), 1.0)
    assert (best.kind, best.value) == ("exact", pytest.approx(2.0))
    monkeypatch.setattr(tree_packing, "MAX_COLUMNS", 0)
    got = allgather_bound.allreduce_time(symmetry.trivial_symmetry(net), 1.0)
    assert got.lower == pytest.approx(2.0)
    assert got.upper == pytest.approx(2 * (2 / 3) / 0.5)


@pytest.mark.parametrize("packing", ["broadcast", "allgather", "allreduce"])
def test_trees_of_many_end_points_are_refused_before_arrays_are_made(packing: tree_packing.Packing) -> None:
    """A thousand NPUs on a switch: not even one byte for each pair of them is taken up."""
    net, _ = machines.star(1_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="columns"):
            tree_packing.pack_trees(net, net.selected(), packing, 0)
        assert tracemalloc.get_traced_memory()[1] < net.ends**2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", ["broadcast", "allgather"])
def test_no_trees_are_solved_whose_bound_does_not_fit(
    packing: tree_packing.Packing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trees of two of 120 NPUs in a ring fit, but all 120 may relay."""
    net, _ = machines.torus(120)
    monkeypatch.setattr(tree_packing, "solve_linear_program", lambda *_, **__: pytest.fail("solved in vain"))
    with pytest.raises(TooLargeError, match="columns"):
        tree_packing.pack_trees(net, net.selected([0, 1]), packing, 0)


def test_what_can_be_injected_bounds_what_is_sent() -> None:
    net = machines.plain(3, 3, [([0, 1, 2], [1, 2, 0])], capacity=[1.0], injection_Bps=np.array([0.5, np.inf, 2.0]))
    assert allgather_bound.egress_capacity(net).tolist() == [0.5, 2.0, 2.0]


@pytest.mark.parametrize("seed", range(8))
def test_the_narrowest_cut_between_neighbours_is_the_narrowest_of_all(seed: int) -> None:
    """Where end points alone make the network, by NetworkX over all pairs; three rates, so that cuts lie inside it."""
    rng = np.random.default_rng(seed)
    ring = np.arange(9)
    rest = rng.integers(0, 9, (2, 12))
    net = machines.plain(9, 9, [(ring, np.roll(ring, -1)), (rest[0, :6], rest[1, :6]), (rest[0, 6:], rest[1, 6:])],
        capacity=[1.0, 0.3, 5.0])  # fmt: skip
    group, chosen = allgather_bound._members(symmetry.find_symmetry(net, []), None)
    pairs = allgather_bound._min_cut_pairs(group, chosen)
    assert pairs is not None
    assert len(pairs) < 9 * 8
    graph = relay_graph(net)
    flow = {(s, t): nx.maximum_flow_value(graph, ("s", s), ("t", t)) for s in range(9) for t in range(9) if s != t}
    assert min(flow[pair] for pair in pairs) == pytest.approx(min(flow.values()))
    own = min(*allgather_bound.upper_bound(net)[0], *allgather_bound.upper_bound(net)[1])
    assert min(flow.values()) <= own * (1 + 1e-9)


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5])
def test_where_few_end_points_are_alike_both_ends_hold(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = symmetry.trivial_symmetry(machines.random_network(seed, ends=5, switches=2, cables=22))
    exact = [
        allgather_bound.gather_rate(net),
        allgather_bound.allgather_time(net, 1e9),
        allgather_bound.allreduce_time(net, 1e9),
    ]
    monkeypatch.setattr(allgather_bound, "MAX_LPS", 0)
    monkeypatch.setattr(allgather_bound, "MAX_LP_ARCS", 0)
    monkeypatch.setattr(tree_packing, "MAX_COLUMNS", 0)
    quick = [
        allgather_bound.gather_rate(net),
        allgather_bound.allgather_time(net, 1e9),
        allgather_bound.allreduce_time(net, 1e9),
    ]
    for whole, few in zip(exact, quick, strict=True):
        assert 0 < few.lower <= whole.lower * (1 + 1e-7)
        assert whole.upper * (1 - 1e-7) <= few.upper < np.inf
    assert "few end points are alike" in quick[1].reason
    assert "on shortest paths" in quick[2].reason


def test_where_few_end_points_are_alike_parted_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allgather_bound, "MAX_LPS", 0)
    monkeypatch.setattr(allgather_bound, "MAX_LP_ARCS", 0)
    with pytest.raises(NotAdmittedError):
        allgather_bound.allreduce_time(symmetry.trivial_symmetry(machines.plain(4, 4, [([0, 2], [1, 3])])), 1.0)


# ---- a budget of seconds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [5, 7])
def test_without_time_both_ends_still_hold(size: int) -> None:
    """A line of end points, each its own LP: one of them is solved, and what all can do at once is known."""
    net, _ = machines.line(size)
    plain = symmetry.trivial_symmetry(net)
    for best in (allgather_bound.allgather_time, allgather_bound.allreduce_time):
        whole = best(plain, 1e9)
        short = best(plain, 1e9, budget=1e-9)
        assert short.lower <= whole.lower * (1 + 1e-7)
        assert short.upper >= whole.upper * (1 - 1e-7)
        assert np.isfinite(short.upper)
        long = best(plain, 1e9, budget=1e3)
        assert (long.lower, long.upper) == pytest.approx((whole.lower, whole.upper), rel=1e-9)
    short = allgather_bound.allgather_time(plain, 1e9, budget=1e-9)
    assert short.kind == "interval"
    assert "as far as the time allowed" in short.reason


def test_without_time_parted_end_points_are_refused() -> None:
    net = machines.plain(4, 4, [([0, 2], [1, 3])])
    with pytest.raises(NotAdmittedError, match="not joined"):
        allgather_bound.allgather_time(symmetry.trivial_symmetry(net), 1e9, budget=1e-9)
