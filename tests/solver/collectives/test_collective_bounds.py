"""Bounds of collectives over groups: closed forms, the full linear program, and that no schedule beats them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives import collective_bounds, completion_time, schedules
from unifiedbus_dsl.solver.collectives.collective_bounds import collective_time_bound
from unifiedbus_dsl.solver.collectives.schedules import SCHEDULES
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError

X4 = machines.X4
SIZE = 2.0**24


def everyone(net: Network) -> np.ndarray:
    return np.zeros(net.ends, dtype=np.int64)


@pytest.mark.parametrize(
    ("name", "sizes", "ports"), [("star", (6,), 1), ("mesh", (5,), 4), ("torus", (7,), 2), ("hypercube", (3,), 3)]
)
def test_broadcast_by_the_narrowest_cut(name: str, sizes: tuple[int, ...], ports: int) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    got = collective_time_bound(symmetry.find_symmetry(net, arrays), "broadcast", everyone(net), SIZE)
    assert got.kind == "exact"
    assert got.value == pytest.approx(SIZE / ports / X4, rel=1e-7)


@pytest.mark.parametrize(("name", "sizes"), [("mesh", (5,)), ("torus", (6,)), ("clos", (3, 2, 2)), ("hypercube", (3,))])
def test_alltoall_is_the_best_throughput(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    want = SIZE / net.ends / twins.full_optimum(net, 1 - np.eye(net.ends))
    got = collective_time_bound(symmetry.find_symmetry(net, arrays), "alltoall", everyone(net), SIZE)
    assert got.kind == "exact"
    assert got.value == pytest.approx(want, rel=1e-7)


def test_end_points_relay() -> None:
    """Three in a line that forward nothing: the middle one stores and passes on; two pieces on each cable each way."""
    net = machines.plain(3, 3, [([0, 1], [1, 2])], forward=False)
    got = collective_time_bound(symmetry.trivial_symmetry(net), "alltoall", everyone(net), SIZE)
    assert got.value == pytest.approx(2 * SIZE / 3 / X4, rel=1e-7)


def test_groups_that_share_a_cable() -> None:
    """Two leaves of two hosts, one spine: pairs across want the cable up twice, and the ring takes just that."""
    net, arrays = machines.clos(2, 2, 1)
    found = symmetry.find_symmetry(net, arrays)
    across, within = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    assert collective_time_bound(found, "allgather", across, SIZE).lower == pytest.approx(SIZE / X4, rel=1e-7)
    assert collective_time_bound(found, "allgather", within, SIZE).lower == pytest.approx(SIZE / 2 / X4, rel=1e-7)
    ring = completion_time.CollectiveTimer(found, across).time("allgather", "ring", SIZE)
    assert ring.bandwidth_s == pytest.approx(SIZE / X4, rel=1e-9)


def together(net: Network, members: np.ndarray) -> float:
    """Largest x at which the first of each group receives x from each other of it: one flow a group, all arcs."""
    graph = twins.digraph(net)
    for e in range(net.ends):
        graph.add_edge(("t", e), ("s", e), hop=0, cables=10**9)
    nodes = {v: i for i, v in enumerate(graph.nodes)}
    arcs = list(graph.edges(data=True))
    n, m, groups = len(nodes), len(arcs), len(members)
    equal = np.zeros((n * groups, m * groups + 1))
    for g, row in enumerate(members):
        for k, (u, v, _) in enumerate(arcs):
            equal[g * n + nodes[u], g * m + k] -= 1
            equal[g * n + nodes[v], g * m + k] += 1
        equal[g * n + nodes["t", int(row[0])], -1] -= len(row) - 1
        for e in row[1:]:
            equal[g * n + nodes["s", int(e)], -1] += 1
    limited = [k for k, (_, _, data) in enumerate(arcs) if "capacity_Bps" in data]
    below = np.zeros((len(limited), m * groups + 1))
    for i, k in enumerate(limited):
        below[i, [g * m + k for g in range(groups)]] = 1
    cost = np.zeros(m * groups + 1)
    cost[-1] = -1
    found = linprog(
        cost, A_ub=below, b_ub=[arcs[k][2]["capacity_Bps"] for k in limited], A_eq=equal, b_eq=np.zeros(n * groups)
    )
    return float(found.x[-1])


@pytest.mark.parametrize("seed", range(14))
def test_several_groups_against_the_full_linear_program(seed: int) -> None:
    net = machines.random_network(seed, ends=6, switches=2, cables=26)
    if (twins.hop_matrix(net) < 0).any():
        pytest.skip("not joined")
    group = np.random.default_rng(seed).permutation([0, 0, 0, 1, 1, 1])
    members = schedules.members_of(group)
    alone = max(
        collective_time_bound(symmetry.trivial_symmetry(net), "allgather", np.where(group == g, 0, -1), SIZE).lower
        for g in (0, 1)
    )
    inject = min(net.injection_Bps[members].min(), net.injection_Bps[members[:, 0]].min() / 2)
    want = max(alone, SIZE / 3 / min(together(net, members), inject))
    assert collective_time_bound(symmetry.trivial_symmetry(net), "allgather", group, SIZE).lower == pytest.approx(
        want, rel=1e-6
    )


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("mesh", (4, 2)), ("torus", (4, 2)), ("clos", (4, 2, 2)), ("star", (8,)), ("superpod", (2, 2, 2, 2))],
)
@pytest.mark.parametrize("parts", [1, 2, 4])
def test_no_schedule_beats_the_bound(name: str, sizes: tuple[int, ...], parts: int) -> None:
    """Any algorithm takes at least that long; with and without symmetry the bound is the same."""
    net, arrays = getattr(machines, name)(*sizes)
    found = symmetry.find_symmetry(net, arrays)
    group = np.arange(net.ends) % parts
    asked = completion_time.CollectiveTimer(found, group, arrays=arrays)
    for collective in schedules.COLLECTIVES:
        bound = collective_time_bound(found, collective, group, SIZE)
        assert bound.lower == pytest.approx(
            collective_time_bound(symmetry.trivial_symmetry(net), collective, group, SIZE).lower, rel=1e-6
        )
        for algorithm in SCHEDULES:
            try:
                time = asked.time(collective, algorithm, SIZE)
            except NotAdmittedError:
                continue
            assert time.bandwidth_s >= bound.lower * (1 - 1e-7)


def test_injection_bounds_what_is_sent_and_received() -> None:
    """Through one switch, end point 2 of 4 limited to a tenth of its cable: all-to-all sends 3 pieces out of it."""
    net = machines.plain(5, 4, [(np.arange(4), 4)], forward=False, injection_Bps=[X4, X4, X4 / 10, X4])
    found = symmetry.trivial_symmetry(net)
    assert collective_time_bound(found, "alltoall", everyone(net), SIZE).value == pytest.approx(
        3 * SIZE / 4 / (X4 / 10)
    )
    pairs = np.array([0, 0, 1, 1])
    assert collective_time_bound(found, "allgather", pairs, SIZE).lower == pytest.approx(SIZE / 2 / (X4 / 10))
    broadcast = collective_time_bound(found, "broadcast", everyone(net), SIZE)
    assert (broadcast.kind, broadcast.lower) == ("exact", pytest.approx(SIZE / (X4 / 10)))
    last = machines.plain(5, 4, [([0, 1, 2], [4, 4, 4]), (3, 4)], [X4, X4 / 3], forward=False)
    assert collective_time_bound(
        symmetry.trivial_symmetry(last), "broadcast", everyone(last), SIZE
    ).value == pytest.approx(3 * SIZE / X4)


def test_what_is_unknown() -> None:
    net, arrays = machines.star(4)
    with pytest.raises(NotAdmittedError, match="no collective"):
        collective_time_bound(symmetry.find_symmetry(net, arrays), "allmix", everyone(net), SIZE)


@pytest.mark.parametrize("collective", schedules.COLLECTIVES)
@pytest.mark.parametrize("groups", [[0, 0, 0, 0], [0, 1, 0, 1]])
def test_groups_that_are_not_joined_are_refused(collective: str, groups: list[int]) -> None:
    """Two islands of two: each collective would have to cross from one to the other."""
    net = machines.plain(4, 4, [([0, 2], [1, 3])])
    with pytest.raises(NotAdmittedError, match="not joined"):
        collective_time_bound(symmetry.trivial_symmetry(net), collective, groups, 1.0)
    assert collective_time_bound(symmetry.trivial_symmetry(net), collective, [0, 0, 1, 1], 1.0).lower > 0


@pytest.mark.parametrize("collective", ["alltoall", "broadcast", "allgather", "reducescatter", "allreduce"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("seed", machines.random_joined(3))
def test_without_time_both_ends_still_hold(collective: str, groups: int, seed: int) -> None:
    """One linear program at the most, none solved to the end."""
    plain = symmetry.trivial_symmetry(machines.random_network(seed))
    group = np.arange(8) % groups
    whole = collective_time_bound(plain, collective, group, SIZE)
    short = collective_time_bound(plain, collective, group, SIZE, budget=1e-9)
    assert short.lower <= whole.lower * (1 + 1e-7)
    assert short.upper >= whole.upper * (1 - 1e-7)
    assert short.lower > 0
    long = collective_time_bound(plain, collective, group, SIZE, budget=1e3)
    assert (long.lower, long.upper) == pytest.approx((whole.lower, whole.upper), rel=1e-9)
    assert "time" in short.reason


@pytest.mark.parametrize(("most", "reached"), [(10**9, True), (0, False)])
def test_too_large_a_program_is_an_interval_without_a_budget(
    most: int, reached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mesh of eight: prices in place of the program; beyond what is worth it, what ports carry."""
    net, arrays = machines.mesh(4, 2)
    found = symmetry.find_symmetry(net, arrays)
    whole = collective_time_bound(found, "alltoall", everyone(net), SIZE)

    def too_large(*_: object, **__: object) -> None:
        raise TooLargeError("more than 400000 columns")

    monkeypatch.setattr(collective_bounds, "solve_concurrent_flow", too_large)
    monkeypatch.setattr(collective_bounds, "MAX_SWEPT", most)
    short = collective_time_bound(found, "alltoall", everyone(net), SIZE)
    assert 0 < short.lower <= whole.lower * (1 + 1e-9)
    assert whole.upper * (1 - 1e-9) <= short.upper
    assert np.isfinite(short.upper) == reached
    groups = collective_time_bound(found, "allgather", np.arange(net.ends) % 2, SIZE)
    assert groups.lower > 0
