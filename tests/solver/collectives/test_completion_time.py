"""Collectives step by step: closed forms, a plain-loop twin, symmetry and numbering, and what each schedule moves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Array
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.collectives import completion_time, schedules, step_time
from unifiedbus_dsl.solver.collectives.schedules import SCHEDULES

X4 = machines.X4
HOP = 1e-7
"""Latency of a cable in the machines of the tests, s."""
SIZE = 2.0**24
REGULAR = [
    ("mesh", (4, 2)),
    ("torus", (4, 2)),
    ("clos", (4, 2, 2)),
    ("hypercube", (3,)),
    ("star", (8,)),
    ("superpod", (2, 2, 2, 2)),
]
RANDOM = {"ends": 6, "switches": 2, "cables": 24}


def ask(net: Network, arrays: list[Array], group: object = None) -> completion_time.CollectiveTimer:
    where = np.zeros(net.ends, dtype=np.int64) if group is None else np.asarray(group)
    return completion_time.CollectiveTimer(symmetry.find_symmetry(net, arrays), where, arrays=arrays)


# ---- closed forms: alpha the latency of a step, B the rate of a cable ------------------------------------------------


@pytest.mark.parametrize("n", [3, 8])
def test_ring_algorithms_on_a_ring(n: int) -> None:
    """All-reduce 2 (n - 1) (alpha + S / (n B)), all-gather half of it, all-to-all (n - 1) alpha + (n - 1) S / (2 B)."""
    c = ask(*machines.torus(n))
    gather = (n - 1) * (HOP + SIZE / n / X4)
    assert c.time("allgather", "ring", SIZE).time_s == pytest.approx(gather, rel=1e-12)
    assert c.time("reducescatter", "ring", SIZE).time_s == pytest.approx(gather, rel=1e-12)
    assert c.time("allreduce", "ring", SIZE).time_s == pytest.approx(2 * gather, rel=1e-12)
    whole = (n - 1) * HOP + (n - 1) / 2 * SIZE / X4
    assert c.time("alltoall", "ring", SIZE).time_s == pytest.approx(whole, rel=1e-12)


def test_direct_and_trees_through_one_switch() -> None:
    """Everything takes two cables. Direct: (n - 1) S / (n B); tree: log2 n steps of S / B; gather halves the pieces."""
    n = 8
    c = ask(*machines.star(n))
    step = 2 * HOP
    assert c.time("allgather", "direct", SIZE).time_s == pytest.approx(step + (n - 1) / n * SIZE / X4, rel=1e-12)
    assert c.time("allreduce", "direct", SIZE).time_s == pytest.approx(2 * (step + (n - 1) / n * SIZE / X4), rel=1e-12)
    assert c.time("broadcast", "direct", SIZE).time_s == pytest.approx(step + (n - 1) * SIZE / X4, rel=1e-12)
    assert c.time("broadcast", "tree", SIZE).time_s == pytest.approx(3 * (step + SIZE / X4), rel=1e-12)
    assert c.time("allreduce", "tree", SIZE).time_s == pytest.approx(6 * (step + SIZE / X4), rel=1e-12)
    gather = 3 * step + (4 + 2 + 1) / 8 * SIZE / X4
    assert c.time("allgather", "tree", SIZE).time_s == pytest.approx(gather + 3 * (step + SIZE / X4), rel=1e-12)


def test_direct_on_a_full_mesh() -> None:
    """Each pair has a cable of its own: S / (n B)."""
    c = ask(*machines.mesh(6))
    assert c.time("alltoall", "direct", SIZE).time_s == pytest.approx(HOP + SIZE / 6 / X4, rel=1e-12)


@pytest.mark.parametrize("d", [1, 3, 4])
def test_halving_and_doubling_on_a_hypercube(d: int) -> None:
    """Each exchange has the cables of one dimension: all-reduce 2 log2 n alpha + 2 (n - 1) / n S / B."""
    n = 2**d
    c = ask(*machines.hypercube(d))
    found = c.time("allreduce", "halving_doubling", SIZE)
    assert found.time_s == pytest.approx(2 * d * HOP + 2 * (n - 1) / n * SIZE / X4, rel=1e-12)
    assert found.busbw_Bps == pytest.approx(2 * (n - 1) / n * SIZE / found.time_s)
    assert c.time("alltoall", "halving_doubling", SIZE).time_s == pytest.approx(d * (HOP + SIZE / 2 / X4), rel=1e-12)


def test_dimension_by_dimension_on_a_torus() -> None:
    """Rings along each dimension of k: for all-reduce 2 sum of (k - 1) (alpha + piece / B), pieces S / k, then S / k^2;
    one step in place of two where all of a dimension of three are neighbours."""
    net, arrays = machines.torus(3, 3)
    found = ask(net, arrays).time("allreduce", "per_dimension", SIZE)
    assert found.time_s == pytest.approx(2 * (2 * HOP + (1 / 3 + 1 / 9) * SIZE / X4), rel=1e-12)
    net, arrays = machines.torus(8, 8)
    found = ask(net, arrays).time("allgather", "per_dimension", SIZE)
    want = 14 * HOP + (7 / 64 + 7 / 8) * SIZE / X4
    assert found.time_s == pytest.approx(want, rel=1e-12)
    assert [step.name for step in found.steps] == [
        "dimension 0, allgather: to the next",
        "dimension 1, allgather: to the next",
    ]


def test_groups_contend() -> None:
    """Two leaves of two hosts, one spine of the same rate: pairs across share the cable up, pairs within do not."""
    net, arrays = machines.clos(2, 2, 1)
    within = ask(net, arrays, [0, 0, 1, 1]).time("allgather", "ring", SIZE)
    across = ask(net, arrays, [0, 1, 0, 1]).time("allgather", "ring", SIZE)
    assert within.time_s == pytest.approx(2 * HOP + SIZE / 2 / X4, rel=1e-12)
    assert across.time_s == pytest.approx(4 * HOP + 2 * SIZE / 2 / X4, rel=1e-12)
    assert len(across.longest.timing.binding) == 4
    assert set(across.longest.timing.binding) == set(np.flatnonzero((net.tail >= 4) & (net.head >= 4)))


def test_injection_binds() -> None:
    net, arrays = machines.star(4)
    slow = machines.plain(5, 4, [(np.arange(4), 4)], forward=False, injection_Bps=[X4, X4, X4 / 4, X4])
    found = ask(slow, arrays).time("allgather", "ring", SIZE)
    assert found.time_s == pytest.approx(3 * (2 * HOP + 4 * SIZE / 4 / X4), rel=1e-12)
    assert found.longest.timing.binding_ends.tolist() == [2]
    assert not len(ask(net, arrays).time("allgather", "ring", SIZE).longest.timing.binding_ends)
    even = machines.plain(5, 4, [(np.arange(4), 4)], forward=False, injection_Bps=[X4 / 4] * 4)
    for shape in (demand.pairs(np.arange(4), np.roll(np.arange(4), 1)), demand.Groups(np.zeros(4, int))):
        got = step_time.step_timing(symmetry.find_symmetry(even, arrays), shape)
        assert got.classes == 1
        assert got.per_byte_s == pytest.approx(plain_step(even, shape)[0], rel=1e-9)


# ---- the twin --------------------------------------------------------------------------------------------------------


def plain_step(net: Network, shape: demand.Demand) -> tuple[float, float]:
    """Finish time for one byte a unit of rate, and latency of the slowest path: plain loops over all flows."""
    if isinstance(shape, demand.Groups):
        flows = [
            (s, t, shape.rate)
            for s in range(net.ends)
            for t in range(net.ends)
            if s != t and shape.group[s] == shape.group[t] >= 0
        ]
    else:
        flows = list(zip(shape.source.tolist(), shape.target.tolist(), shape.rate.tolist(), strict=True))
    uses, latency = [], 0.0
    for s, t, _ in flows:
        d = np.zeros((net.ends, net.ends))
        d[s, t] = 1.0
        load = twins.ecmp_loads(net, d)
        carried = set(np.flatnonzero(load).tolist())
        latency = max(latency, slowest_path(net, carried, s, t))
        uses.append({**{a: float(load[a]) for a in carried}, net.arcs + s: 1.0, net.arcs + net.ends + t: 1.0})
    capacity = [*net.capacity_Bps.tolist(), *net.injection_Bps.tolist(), *net.injection_Bps.tolist()]
    left = [size for _, _, size in flows]
    alive = list(range(len(flows)))
    now = 0.0
    while alive:
        rate = twins.max_min(capacity, [uses[f] for f in alive])
        step = min(left[f] / r for f, r in zip(alive, rate, strict=True))
        now += step
        for f, r in zip(alive, rate, strict=True):
            left[f] -= r * step
        alive = [f for f in alive if left[f] > 1e-9]
    return now, latency


def slowest_path(net: Network, arcs: set[int], s: int, t: int) -> float:
    """Every path along the arcs, by recursion."""
    goal = set(net.vertices_of(t).tolist())

    def onward(v: int, first: bool) -> float:
        if v in goal and not first:
            return 0.0
        passing = 0.0 if first else float(net.latency_s[v])
        ways = [
            float(net.kinds.latency_s[net.kind[a]]) + onward(h, False) for a, h in twins.out_arcs(net, v) if a in arcs
        ]
        return passing + max(ways) if ways else -np.inf

    return max(onward(int(v), True) for v in net.vertices_of(s))


@pytest.mark.parametrize("seed", machines.random_joined(30, **RANDOM))
def test_steps_of_random_machines_against_plain_loops(seed: int) -> None:
    net = machines.random_network(seed, **RANDOM)
    rng = np.random.default_rng(seed)
    s, t = np.unique(rng.integers(0, 6, (6, 2)), axis=0).T
    shapes: list[demand.Demand] = [
        demand.pairs(np.arange(6), np.roll(np.arange(6), -1)),
        demand.pairs(s, t, rng.integers(1, 5, len(s))),
        demand.Groups(rng.permutation([0, 0, 0, 1, 1, -1]), 2.0),
    ]
    for shape in shapes:
        if isinstance(shape, demand.Pairs) and not len(shape.source):
            continue
        got = step_time.step_timing(symmetry.trivial_symmetry(net), shape)
        want = plain_step(net, shape)
        assert got.per_byte_s == pytest.approx(want[0], rel=1e-9)
        assert got.latency_s == pytest.approx(want[1], rel=1e-9)


# ---- symmetry and numbering ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "sizes"), REGULAR)
def test_the_same_with_and_without_symmetry(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    for group in (np.zeros(net.ends, int), np.arange(net.ends) % 2):
        folded = completion_time.CollectiveTimer(symmetry.find_symmetry(net, arrays), group, arrays=arrays)
        plain = completion_time.CollectiveTimer(symmetry.trivial_symmetry(net), group, arrays=arrays)
        for collective in schedules.COLLECTIVES:
            for algorithm in SCHEDULES:
                try:
                    want = plain.time(collective, algorithm, SIZE)
                except NotAdmittedError:
                    with pytest.raises(NotAdmittedError):
                        folded.time(collective, algorithm, SIZE)
                    continue
                got = folded.time(collective, algorithm, SIZE)
                assert got.time_s == pytest.approx(want.time_s, rel=1e-9)
                assert got.latency_s == pytest.approx(want.latency_s, rel=1e-9)
                for one, two in zip(got.steps, want.steps, strict=True):
                    assert one.timing.flows == two.timing.flows
                    assert one.timing.classes <= two.timing.classes
                    assert one.timing.binding.tolist() == two.timing.binding.tolist()


def test_symmetry_leaves_one_class_of_a_shift() -> None:
    net, arrays = machines.torus(64)
    found = step_time.step_timing(
        symmetry.find_symmetry(net, arrays), demand.pairs(np.arange(64), np.roll(np.arange(64), -5))
    )
    assert (found.classes, found.flows) == (1, 64)


@pytest.mark.parametrize("seed", [3, 9])
def test_the_same_under_another_numbering(seed: int) -> None:
    for name, sizes in REGULAR:
        net, arrays = getattr(machines, name)(*sizes)
        after, _, new_end = machines.renumbered(net, seed)
        s = np.arange(net.ends)
        t = np.roll(s, -3)
        before = step_time.step_timing(symmetry.find_symmetry(net, arrays), demand.pairs(s, t))
        got = step_time.step_timing(symmetry.trivial_symmetry(after), demand.pairs(new_end[s], new_end[t]))
        assert got.per_byte_s == pytest.approx(before.per_byte_s, rel=1e-9)
        assert got.latency_s == pytest.approx(before.latency_s, rel=1e-9)


def lengths(cables: np.ndarray, seed: int | None) -> Network:
    """A Clos of four leaves whose cables up have lengths of their own, or with no seed one length."""
    net, _ = machines.clos(4, 2, 2)
    latency = [HOP] * 3 if seed is None else [HOP, 3 * HOP, 8 * HOP]
    kind = np.zeros(len(cables), int) if seed is None else np.random.default_rng(seed).integers(0, 3, len(cables))
    return machines.build_network(
        device_start=net.device_start,
        end=net.end,
        forwards=net.forwards,
        a=cables[:, 0],
        b=cables[:, 1],
        kind=kind,
        kinds=machines.kinds([X4] * 3, latency),
        group=net.group,
        latency_s=np.where(net.end < 0, 2e-7, 0.0),
    )


@pytest.mark.parametrize("seed", range(6))
def test_latency_where_only_lengths_differ(seed: int) -> None:
    """Rates by the symmetry of equal lengths, latency of each image by its own lengths."""
    net, arrays = machines.clos(4, 2, 2)
    up = net.tail < net.head
    cables = np.stack([net.tail[up], net.head[up]], axis=1)
    alike, timed = lengths(cables, None), lengths(cables, seed)
    rates = symmetry.find_symmetry(alike, arrays)
    for shape in (
        demand.pairs(np.arange(8), np.roll(np.arange(8), -2)),
        demand.pairs(np.arange(8), np.arange(8) ^ 1),
        demand.Groups(np.arange(8) % 2),
    ):
        got = step_time.step_timing(rates, shape, symmetry.find_symmetry(timed, arrays))
        want = plain_step(timed, shape)
        assert got.classes < got.flows
        assert got.per_byte_s == pytest.approx(want[0], rel=1e-9)
        assert got.latency_s == pytest.approx(want[1], rel=1e-9)


# ---- what a schedule moves -------------------------------------------------------------------------------------------


def received(found: list[schedules.Phase], ends: int) -> np.ndarray:
    """What each end point receives in all, as a part of the size."""
    total = np.zeros(ends)
    for phase in found:
        for step in next(iter(phase.values())):
            total += step.part * demand.column_sums(step.shape, ends)
    return total


@pytest.mark.parametrize("algorithm", ["direct", "ring", "halving_doubling", "hierarchical", "per_dimension"])
@pytest.mark.parametrize("collective", ["allgather", "reducescatter", "alltoall", "allreduce"])
def test_least_traffic_of_a_schedule(collective: str, algorithm: str) -> None:
    """(n - 1) / n of the size reaches each member, twice that for all-reduce; more where pieces are relayed."""
    members = schedules.members_of(np.array([0] * 8 + [1] * 8))
    place = np.stack(np.unravel_index(np.arange(16), (4, 2, 2)), axis=1)
    got = received(schedules.phases(SCHEDULES[algorithm], collective, members, 16, lambda _: place), 16)
    want = {
        "allreduce": 14 / 8,
        "alltoall": {"ring": 28 / 8, "halving_doubling": 1.5, "hierarchical": 1.5, "per_dimension": 1.5}.get(
            algorithm, 7 / 8
        ),
    }.get(collective, 7 / 8)
    assert got == pytest.approx(np.full(16, want))


def step_shapes(
    collective: str, algorithm: str, members: np.ndarray, roots: np.ndarray | None = None
) -> list[demand.Pairs]:
    found = schedules.phases(SCHEDULES[algorithm], collective, members, int(members.max()) + 1, None, roots)
    return [step.shape for step in found[0][algorithm]]


@pytest.mark.parametrize("n", [2, 8, 16])
def test_doubling_gathers_every_piece(n: int) -> None:
    """Exchanges of all that each has; what goes over is the part that the schedule says."""
    phase = schedules.phases(SCHEDULES["halving_doubling"], "allgather", np.arange(n)[None, :], n)[0][
        "halving_doubling"
    ]
    has = [{i} for i in range(n)]
    for step in phase:
        pairs = list(zip(step.shape.source.tolist(), step.shape.target.tolist(), strict=True))
        assert all(len(has[s]) == step.part * n for s, _ in pairs)
        before = [set(h) for h in has]
        for s, t in pairs:
            has[t] |= before[s]
    assert has == [set(range(n))] * n


@pytest.mark.parametrize("n", [2, 3, 5, 8, 13])
def test_trees_reach_everyone(n: int) -> None:
    """Broadcast: a member has the data before it passes it on. Scatter: each gets its piece and those it passes on."""
    members = np.arange(n)[None, :] * 2
    spread = schedules.phases(SCHEDULES["tree"], "broadcast", members, 2 * n)[0]["tree"]
    assert len(spread) == (n - 1).bit_length()
    has = {0}
    for step in spread:
        assert set(step.shape.source.tolist()) <= has
        has |= set(step.shape.target.tolist())
    assert has == set(members.ravel().tolist())
    holds = np.zeros(2 * n)
    holds[0] = 1.0
    for step in schedules.phases(SCHEDULES["ring"], "broadcast", members, 2 * n)[0]["ring"][:-1]:
        np.subtract.at(holds, step.shape.source, step.shape.rate)
        np.add.at(holds, step.shape.target, step.shape.rate)
    assert holds[members.ravel()] == pytest.approx(np.full(n, 1 / n))


def test_roots_broadcast() -> None:
    net, arrays = machines.torus(5)
    near = completion_time.CollectiveTimer(symmetry.find_symmetry(net, arrays), np.zeros(5, int), roots=np.array([3]))
    step = near.time("broadcast", "direct", SIZE).steps[0]
    assert step.duration_s == pytest.approx(2 * HOP + 2 * SIZE / X4)
    shape = step_shapes("broadcast", "direct", np.arange(5)[None, :], np.array([3]))[0]
    assert shape.source.tolist() == [3, 3, 3, 3]
    assert shape.target.tolist() == [4, 0, 1, 2]
    with pytest.raises(NotAdmittedError, match="root"):
        completion_time.CollectiveTimer(
            symmetry.find_symmetry(net, arrays), np.array([0, 0, 0, 1, 1, 1]), roots=np.array([3, 4])
        ).time("broadcast", "tree", SIZE)


def test_places_follow_the_arrays() -> None:
    _, arrays = machines.cluster(2, 3, 4, 5, 1, 1)
    device = np.arange(2 * 3 * 4 * 5)
    want = np.stack(np.unravel_index(device, (2, 3, 4, 5)), axis=1)
    assert completion_time.places(arrays, device, False).tolist() == want.tolist()
    levels = np.stack([want[:, 0], want[:, 1], want[:, 2] * 5 + want[:, 3]], axis=1)
    assert completion_time.places(arrays, device, True).tolist() == levels.tolist()
    assert (completion_time.places(arrays, np.array([10**6]), False) == -1).all()


# ---- refusals and sizes ----------------------------------------------------------------------------------------------


def test_what_is_not_admitted() -> None:
    net, arrays = machines.torus(6)
    c = ask(net, arrays)
    for collective, algorithm, word in (
        ("allreduce", "halving_doubling", "power of two"),
        ("alltoall", "tree", "no tree"),
        ("allreduce", "fast", "no algorithm"),
        ("allmix", "ring", "no collective"),
    ):
        with pytest.raises(NotAdmittedError, match=word):
            c.time(collective, algorithm, SIZE)
    with pytest.raises(NotAdmittedError, match="one size"):
        ask(net, arrays, [0, 0, 0, 0, 1, 1]).time("allreduce", "ring", SIZE)
    with pytest.raises(NotAdmittedError, match="box"):
        ask(*machines.torus(4, 4), [0, 0, 0, 1] * 2 + [0, 1, 1, 1] * 2).time("allreduce", "per_dimension", SIZE)


def test_sweep_finds_the_best_for_each_size() -> None:
    """On a ring small messages want few steps, large ones few bytes a cable."""
    c = ask(*machines.torus(16))
    found = completion_time.size_sweep(c, "allreduce", 2 * 15 / 16 / (2 * X4))
    assert found.best[0].algorithm != "ring"
    assert found.best[-1].algorithm == "ring"
    assert all(0 < e <= 1 for e in found.efficiency)
    assert found.efficiency[-1] == pytest.approx(0.5, rel=1e-3)  # one way round only
    assert not found.refused
    assert [row[0].size_bytes for row in found.times] == list(completion_time.SIZES)
    assert "alltoall" in completion_time.size_sweep(c, "alltoall", 1e-12, [1024.0]).refused["tree"]


# ---- ways without a path ---------------------------------------------------------------------------------------------


def planar_torus(k: int) -> tuple[Network, list[Array]]:
    """k x k rings along each dimension, each end point a vertex for each dimension, and nothing is passed on."""
    at = np.arange(k * k).reshape(k, k)
    cables = [(2 * at + axis, 2 * np.roll(at, -1, axis) + axis) for axis in (0, 1)]
    net = machines.build_network(
        device_start=2 * np.arange(k * k + 1),
        end=np.repeat(np.arange(k * k), 2),
        forwards=np.zeros(2 * k * k, bool),
        a=np.concatenate([a.ravel() for a, _ in cables]),
        b=np.concatenate([b.ravel() for _, b in cables]),
        kind=np.zeros(2 * k * k, int),
        kinds=machines.kinds([X4], HOP),
        group=np.tile([0, 1], k * k),
    )
    return net, [Array(0, (), (k, k), 1)]


@pytest.mark.parametrize("k", [4, 5])
@pytest.mark.parametrize("collective", ["allreduce", "allgather", "reducescatter", "alltoall"])
def test_a_way_without_a_path_is_left_out(collective: str, k: int) -> None:
    """Only neighbours in a dimension are joined: rings do it, an exchange of all at once or at distance 2 doesn't."""
    c = ask(*planar_torus(k))
    found = c.time(collective, "per_dimension", SIZE)
    piece = {"alltoall": (k - 1) / 2 * 2}.get(collective, (k - 1) / k * (1 + 1 / k))
    times = 2 if collective == "allreduce" else 1
    assert found.time_s == pytest.approx(times * (2 * (k - 1) * HOP + piece * SIZE / X4), rel=1e-12)
    assert {"dimension 0 by direct", "dimension 1 by direct"} <= set(found.passed)
    assert not any("ring" in way for way in found.passed)
    with pytest.raises(NoPathError, match="no path"):
        c.time(collective, "direct", SIZE)
    rows = completion_time.size_sweep(c, collective, None, [1024.0, SIZE])
    assert rows.algorithms == ("per_dimension",)
    assert "no path" in rows.refused["ring"]


def test_where_no_way_has_a_path_the_algorithm_is_refused() -> None:
    net, arrays = planar_torus(4)
    cut = machines.without(net, [0])  # end point 0 has no cable along dimension 0
    with pytest.raises(NoPathError, match="no path"):
        ask(cut, arrays).time("allreduce", "per_dimension", SIZE)
