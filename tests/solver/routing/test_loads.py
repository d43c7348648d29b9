"""Loads and throughput: closed forms, the plain-loop twin, and what must hold for every solve."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths import bfs
from unifiedbus_dsl.solver.resilience.oversubscription import oversubscription
from unifiedbus_dsl.solver.routing import ecmp, throughput

X4 = machines.X4
REGULAR = [*machines.REGULAR, ("fat_tree", (4,)), ("superpod", (3, 2, 2, 2))]


def matrix(d: demand.Demand, ends: int) -> np.ndarray:
    return np.stack([demand.demand_column(d, t, ends) for t in range(ends)], axis=1)


def joined(seed: int) -> machines.Network | None:
    net = machines.random_network(seed, ends=6, cables=30)
    return net if (twins.hop_matrix(net) >= 0).all() else None


CONNECTED = [seed for seed in range(60) if joined(seed) is not None]


def test_there_are_random_machines() -> None:
    assert len(CONNECTED) >= 15


@pytest.mark.parametrize("seed", CONNECTED)
def test_loads_of_random_networks(seed: int) -> None:
    net = joined(seed)
    assert net is not None
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, net.ends, (2, 9))
    some = demand.pairs(source, target, rng.integers(1, 4, 9))
    hop = twins.hop_matrix(net)
    for d in (some, demand.all_to_all(net), demand.Groups(np.array([0, 0, 1, 1, 1, -1]))):
        want = matrix(d, net.ends)
        got = ecmp.ecmp(symmetry.trivial_symmetry(net), d)
        assert got.load_Bps == pytest.approx(twins.ecmp_loads(net, want))
        assert got.load_Bps.sum() == pytest.approx((want * hop).sum())
        wide = ecmp.wcmp(symmetry.trivial_symmetry(net), d)
        assert wide.load_Bps == pytest.approx(twins.ecmp_loads(net, want, by_capacity=True))
        t = throughput.throughput_under(got, d)
        assert (t.load_Bps <= net.capacity_Bps * (1 + 1e-9)).all()
        assert (t.injected_Bps <= net.injection_Bps * (1 + 1e-9)).all()
        assert len(t.binding) + len(t.binding_ends) > 0
        assert demand.row_sums(d, net.ends) == pytest.approx(want.sum(axis=1))
        assert demand.column_sums(d, net.ends) == pytest.approx(want.sum(axis=0))


@pytest.mark.parametrize("seed", CONNECTED[:8])
def test_valiant_is_two_legs(seed: int) -> None:
    """Every pair over every end point, and over every switch, added up pair by pair."""
    net = joined(seed)
    assert net is not None
    d = demand.all_to_all(net)
    over = np.full((net.ends, net.ends), (net.ends - 1) / net.ends)
    got = ecmp.valiant(symmetry.trivial_symmetry(net), d)
    assert got.load_Bps == pytest.approx(2 * twins.ecmp_loads(net, over))


@pytest.mark.parametrize(("name", "sizes"), REGULAR)
def test_symmetry_and_renumbering_change_no_load(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    other, new, _ = machines.renumbered(net, seed=3)
    order = np.lexsort((net.kind, new[net.head], new[net.tail]))
    for routing in (ecmp.ecmp, ecmp.wcmp, ecmp.valiant):
        folded = routing(symmetry.find_symmetry(net, arrays), demand.all_to_all(net))
        plain = routing(symmetry.trivial_symmetry(net), demand.all_to_all(net))
        moved = routing(symmetry.trivial_symmetry(other), demand.all_to_all(other))
        assert folded.sweeps < plain.sweeps
        assert folded.load_Bps == pytest.approx(plain.load_Bps)
        assert moved.load_Bps == pytest.approx(folded.load_Bps[order])


def test_valiant_over_switches() -> None:
    """Clos: the leaf and spine switches as intermediates, folded and not, and all that is sent passes twice."""
    net, arrays = machines.clos(3, 2, 2)
    d = demand.all_to_all(net)
    folded = ecmp.valiant(symmetry.find_symmetry(net, arrays), d, via="switch")
    plain = ecmp.valiant(symmetry.trivial_symmetry(net), d, via="switch")
    assert folded.load_Bps == pytest.approx(plain.load_Bps)
    out = folded.load_Bps[net.tail < 6].reshape(6, -1).sum(axis=1)
    assert out == pytest.approx(np.full(6, 5.0))
    mesh, _ = machines.mesh(4)
    with pytest.raises(NotAdmittedError, match="no switch"):
        ecmp.valiant(symmetry.trivial_symmetry(mesh), demand.all_to_all(mesh), via="switch")


def test_demand_keeps_only_its_own_symmetries() -> None:
    """A shift by one on a ring is kept by the rotation, not by the reversal; an incast by neither."""
    net, arrays = machines.torus(6)
    found = symmetry.find_symmetry(net, arrays)
    ring = np.arange(6)
    shift = demand.pairs(ring, (ring + 1) % 6)
    first, size = demand.invariant_symmetries(found, shift).representatives(ring)
    assert (len(first), size.tolist()) == (1, [6])
    got = ecmp.ecmp(found, shift)
    assert got.load_Bps == pytest.approx(twins.ecmp_loads(net, matrix(shift, 6)))
    incast = demand.pairs([1, 2, 3, 4], 0)
    assert ecmp.ecmp(found, incast).load_Bps == pytest.approx(twins.ecmp_loads(net, matrix(incast, 6)))


# ---- closed forms ---------------------------------------------------------------------------------------------------


def rate(net: machines.Network, arrays: list[symmetry.Array], d: demand.Demand) -> float:
    got = throughput.throughput_under(ecmp.ecmp(symmetry.find_symmetry(net, arrays), d), d)
    assert got.rate_min_Bps == pytest.approx(got.rate_max_Bps)
    assert got.rate_mean_Bps == pytest.approx(got.rate_max_Bps)
    return got.rate_min_Bps


def test_mesh_of_eight_by_eight() -> None:
    """63 pairs share 14 cables over 112 hops: 63 / 112 * 14 * 56 GB/s = 441 GB/s."""
    net, arrays = machines.mesh(8, 8)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx(441e9)


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_ring(n: int) -> None:
    """All-to-all on a ring of n: load of an arc = sum of hops / 2 = (n^2 // 4) / 2 for a rate of n - 1."""
    net, arrays = machines.torus(n)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx((n - 1) * X4 / ((n**2 // 4) / 2))


@pytest.mark.parametrize("d", [2, 4])
def test_hypercube(d: int) -> None:
    """2^(d-1) pairs cross each arc for a rate of 2^d - 1."""
    net, arrays = machines.hypercube(d)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx((2**d - 1) / 2 ** (d - 1) * X4)


def test_torus() -> None:
    """4 x 4: each arc carries the ring's load of 4 * 4 / 8 times 4 columns; rate 15."""
    net, arrays = machines.torus(4, 4)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx(15 * X4 / (4 * 16 / 8))


def test_complete_graph_and_star() -> None:
    net, arrays = machines.mesh(7)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx(6 * X4)
    net, arrays = machines.star(9)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx(X4)


@pytest.mark.parametrize(("spines", "cut"), [(6, 1.0), (2, 3.0)])
def test_clos(spines: int, cut: float) -> None:
    """Six hosts a leaf, 1:1 and 3:1: 18 of 23 others are across, over spines / 6 of a host's rate."""
    net, arrays = machines.clos(4, 6, spines)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx(X4 * min(1.0, 23 / 18 / cut))
    part = np.where(np.arange(net.vertices) < 24, np.arange(net.vertices) // 6, -1)
    part[24:28] = np.arange(4)
    assert oversubscription(net, part).ratio == pytest.approx(np.full(4, cut))


def test_injection_binds() -> None:
    net, _ = machines.star(4)
    slow = machines.plain(5, 4, [(np.arange(4), 4)], forward=False, injection_Bps=[1e9, 2e9, 2e9, 2e9])
    d = demand.all_to_all(net)
    got = throughput.throughput_under(ecmp.ecmp(symmetry.trivial_symmetry(slow), d), d)
    assert got.rate_min_Bps == pytest.approx(1e9)
    assert got.binding_ends.tolist() == [0]
    assert len(got.binding) == 0


def test_oversubscription_of_the_superpod_rack() -> None:
    """64 NPUs of 18 ports; out of the rack go 4 planes of 64 ports: 64 * 18 / 256; for 32 of them half of it."""
    net, _ = machines.superpod(2)
    part = np.where(np.arange(net.vertices) < 2 * 68, np.arange(net.vertices) // 68, -1)
    assert oversubscription(net, part).ratio == pytest.approx([4.5, 4.5])
    assert oversubscription(net, part, members=np.arange(32)).ratio == pytest.approx([2.25, 0.0])


def test_oversubscription_counts_injection_and_only_what_is_inside() -> None:
    """Two hosts of three in the assembly with the switch's side outside; one may inject a quarter of its port."""
    net = machines.plain(4, 3, [([0, 1, 2], [3, 3, 3])], forward=False, injection_Bps=[X4 / 4, np.inf, np.inf])
    got = oversubscription(net, np.array([0, 0, -1, -1]))
    assert (got.inside_Bps.tolist(), got.wall_Bps.tolist()) == ([1.25 * X4], [2 * X4])


def test_what_does_not_arrive_is_said() -> None:
    net = machines.plain(4, 4, [([0, 2], [1, 3])])
    with pytest.raises(NotAdmittedError, match="no path"):
        ecmp.ecmp(symmetry.trivial_symmetry(net), demand.all_to_all(net))
    silent = demand.pairs([0], [0])
    with pytest.raises(NotAdmittedError, match="nothing is sent"):
        throughput.throughput_under(ecmp.ecmp(symmetry.trivial_symmetry(net), silent), silent)


def test_one_sweep_costs_no_more_than_matrix_products() -> None:
    """The frontier's rows are gathered while it is small: never more than the products it replaces, 1.2 at most."""
    import time

    net, _ = machines.superpod(128)
    weights = bfs.by_cable(net)

    def products() -> None:
        seen = np.zeros(net.vertices)
        seen[0] = 1
        front = seen.copy()
        while front.any():
            front = ((weights.matrix @ front) > 0) * (seen == 0)
            seen += front

    def best(run: object) -> float:
        times = []
        for _ in range(7):
            start = time.perf_counter()
            run()  # type: ignore[operator]
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(lambda: bfs.distances(weights, np.array([0]))) <= 1.2 * best(products)
