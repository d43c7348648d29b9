"""Long rings, many parallel cables, many lengths, and cables that take no time: where a narrow type or a search that
waits for a time to fall would go wrong."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from tests.solver import machines, twins
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.base import arrays
from unifiedbus_dsl.diagnostics import Severity
from unifiedbus_dsl.graph import network as networks
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import bfs, distances, path_enumeration, twin_quotient

HEAD = """ubus 1
protocol U { lane = 80 Gbps }
link W : U { medium = copper; reach = 100 m; delay = 5 ns/m }
"""


def compiled(text: str) -> NetworkContext:
    done = compiler.compile_text(HEAD + text)
    assert not [found for found in done.diagnostics if found.severity is Severity.ERROR]
    return NetworkContext(done.fabric())


def test_hops_of_a_ring_beyond_sixteen_bits() -> None:
    """Ring of n: two vertices at each distance below n / 2, one at n / 2; alltoall loads each cable n² / 8 one way."""
    n = 70_000
    at = np.arange(n)
    net = machines.plain(n, n, [(at, (at + 1) % n)])
    weights = bfs.by_cable(net)
    found = bfs.distances(weights, np.array([0]))
    assert found.hops.tolist() == np.minimum(at, n - at).tolist()
    assert found.nearer[1:].tolist() == [1.0] * (n // 2 - 1) + [2.0] + [1.0] * (n // 2 - 1)
    assert bfs.endpoint_hops(net, found.hops).max() == n // 2


def test_hops_of_end_points_with_several_vertices_beyond_sixteen_bits() -> None:
    """A line of 40,000 end points of two vertices each, the second of which is joined to nothing."""
    n = 40_000
    at = np.arange(0, 2 * n, 2)
    net = networks.build_network(
        device_start=np.arange(0, 2 * n + 1, 2),
        end=np.arange(2 * n) // 2,
        forwards=np.ones(2 * n, dtype=bool),
        a=at[:-1],
        b=at[1:],
        kind=np.zeros(n - 1, dtype=np.int64),
        kinds=machines.kinds(machines.X4),
    )
    found = bfs.distances(bfs.by_cable(net), np.array([0, 1]))
    assert bfs.endpoint_hops(net, found.hops).tolist() == list(range(n))


@pytest.mark.parametrize("seed", range(8))
def test_levels_by_sorting_and_by_arrays_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = machines.random_network(seed, ends=12, switches=6, cables=40)
    weights = bfs.by_capacity(net)
    both = []
    for bound in (0.0, 1e9):
        monkeypatch.setattr(bfs, "SMALL_BELOW", bound)
        both.append([bfs.distances(weights, net.vertices_of(t)) for t in range(net.ends)])
    for one, two in zip(*both, strict=True):
        assert one.hops.tolist() == two.hops.tolist()
        assert one.nearer == pytest.approx(two.nearer)


def test_hops_of_many_classes_are_of_a_wider_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hops over classes fit 16 bits if there are fewer classes than these can count; else they get 32."""
    net, _ = machines.line(30)
    graph = twin_quotient.twin_quotient(net, np.ones(net.vertices, dtype=bool), np.ones(net.vertices, dtype=bool))
    narrow = twin_quotient.quotient_hops(graph, np.array([0]), np.array([0]), 2)
    monkeypatch.setattr(twin_quotient, "UNREACHABLE", 30)
    wide = twin_quotient.quotient_hops(graph, np.array([0]), np.array([0]), 2)
    assert (narrow.dtype, wide.dtype) == (np.uint16, np.uint32)
    for far in (narrow, wide):
        assert far[:, 0].tolist() == list(range(30))
        assert (far[:, 1] == twin_quotient.unreachable(far)).all()


def test_more_parallel_cables_than_sixteen_bits_count() -> None:
    """70,000 cables of 10 GB/s from each of two chips to the other."""
    machine = compiled(
        """npu C { port x[70000] : U x1 }
        rack R { c[2] : C; connect c[0].x[k] -- c[1].x[k] over W(1 m) for k }
        system s : R"""
    )
    net = machine.network
    assert net.count.tolist() == [70_000, 70_000]
    assert net.capacity_Bps.tolist() == [7e14, 7e14]
    assert distances.pair_cables(net, 0, 1) == 70_000
    assert path_enumeration.shortest_paths(net, 0, 1).count == 70_000
    assert max(int(side.max()) for side in (machine.fabric.a_port, machine.fabric.b_port)) == 69_999


def test_more_lengths_of_cable_than_sixteen_bits_count() -> None:
    """A star of 66,000 chips, each on a cable of its own length from 1 mm on: 5 ps for each."""
    n = 66_000
    machine = compiled(
        f"""npu C {{ port x : U x1 }}
        switch S {{ port p[{n}] : U x1 }}
        rack R {{ c[{n}] : C; s : S; place c as grid(columns = {n}, pitch = [1 mm, 1 m])
                  place s as grid(columns = 1, pitch = [1 m, 1 m], origin = [0 m, 1 m])
                  connect c[i].x -- s.p[i] over W for i }}
        system t : R"""
    )
    fabric, net = machine.fabric, machine.timed_network
    assert len(fabric.kinds.length_m) == n
    wanted = fabric.kinds.length_m[fabric.kind] * 5e-9
    at = fabric.a_device
    times = distances.endpoint_latencies(net, distances.latencies_to(net, net.vertices_of(0)))
    order = np.argsort(at)
    assert times[1:] == pytest.approx((wanted[order] + wanted[order][0])[1:])
    assert len(np.unique(net.label)) == n


def test_many_kinds_of_arc_with_many_parallel_cables() -> None:
    """A label for each (kind, count), whose product of numbers is too large to make an array over."""
    rng = np.random.default_rng(1)
    pairs, many = 300, 70_000
    net = machines.plain(
        pairs + 1, pairs + 1, [(np.full(k % 7 + 1, k), k + 1) for k in range(pairs)], 1e9 * np.arange(1, pairs + 1)
    )
    net = evolve(net, count=np.where(rng.random(net.arcs) < 0.5, net.count, many).astype(np.uint32))
    assert int(net.kinds.like.max()) * many > arrays.PIECES_TO_TAKE
    like = list(zip(net.kind.tolist(), net.count.tolist(), strict=True))
    assert len(set(zip(like, net.label.tolist(), strict=True))) == len(set(like)) == len(set(net.label.tolist()))


@pytest.mark.parametrize("seed", range(30))
def test_fastest_paths_where_some_cables_take_no_time(seed: int) -> None:
    """Latencies of nothing, of next to nothing (which a sum of floats loses) and of 100 ns, at random."""
    net = machines.random_network(seed, ends=10, switches=6, cables=30)
    rng = np.random.default_rng(seed)
    some = np.array([0.0, 1e-30, 5e-324, 1e-7]) if seed % 3 else np.zeros(1)
    kinds = evolve(net.kinds, latency_s=rng.choice(some, len(net.kinds.link)))
    net = evolve(net, kinds=kinds, latency_s=rng.choice(some, net.vertices))
    for s, t in ((s, t) for s in range(net.ends) for t in range(net.ends) if s != t):
        wanted = twins.latency(net, s, t, 0.0)
        if not np.isfinite(wanted):
            with pytest.raises(NotAdmittedError):
                path_enumeration.minimum_latency_path(net, s, t)
            continue
        found = path_enumeration.minimum_latency_path(net, s, t)
        assert found.time_s == pytest.approx(wanted)
        assert len(set(found.vertices.tolist())) == len(found.vertices)
        assert (net.tail[found.arcs] == found.vertices[:-1]).all()
        assert (net.head[found.arcs] == found.vertices[1:]).all()
        assert net.forwards[found.vertices[1:-1]].all()
        assert net.end[found.vertices[0]] == s
        assert net.end[found.vertices[-1]] == t


def test_the_fastest_of_equal_paths_has_fewest_cables() -> None:
    """A ring of nine without latencies: from 0 to 2 there are two cables one way and seven the other."""
    at = np.arange(9)
    net = machines.plain(9, 9, [(at, (at + 1) % 9)], latency=0.0)
    assert path_enumeration.minimum_latency_path(net, 0, 2).vertices.tolist() == [0, 1, 2]


def test_paths_without_latencies() -> None:
    text = """link Free : U { medium = pcb }
    npu C { port x[2] : U x1; transit x }
    rack R { npu[4] : C; connect npu.x as ring over Free(1 m) }
    system s : R"""
    found = api.paths(compiled(text).fabric, "npu[0]", "npu[2]")
    assert (found.count, found.hops, found.fastest.time_s) == (2, 2, 0.0)
    assert [path.time_s for path in found.first] == [0.0, 0.0]


@pytest.mark.parametrize("unit", [1e-7, 1e-15, 1e-21])
def test_latencies_far_below_a_femtosecond_are_told_apart(unit: float) -> None:
    """A line of five: one to four cables of this latency each."""
    at = np.arange(4)
    found = distances.latency_histogram(symmetry.trivial_symmetry(machines.plain(5, 5, [(at, at + 1)], latency=unit)))
    assert found.value == pytest.approx(unit * np.arange(1, 5))
    assert found.pairs.tolist() == [8, 6, 4, 2]


def test_hops_of_a_long_ring_by_the_measure() -> None:
    """Odd ring of 66,001: diameter 33,000, and as many pairs at each distance."""
    n = 66_001
    at = np.arange(n)
    net = machines.plain(n, n, [(at, (at + 1) % n)])
    found = distances.hop_histogram(symmetry.trivial_symmetry(net), np.arange(n), [5])
    assert found.largest == 33_000
    assert found.pairs.tolist() == [2] * 33_000
