"""The network against its definition, on small fabrics written out by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.base import arrays
from unifiedbus_dsl.base.units import DELAY, RATE, TIME, Quantity
from unifiedbus_dsl.graph import from_fabric
from unifiedbus_dsl.ir.fabric import CableKinds, Fabric
from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, Link, Plan, Port, Protocol
from unifiedbus_dsl.solver.network_context import NetworkContext


def fabric() -> Fabric:
    """Two chips of two dies each and a lone port, one switch: die x of each meets the other, die y the switch twice."""
    time = lambda ns: Quantity(Fraction(ns, 10**9), TIME)  # noqa: E731
    ports = (Port("lone", (1,), "P", 4), Port("x", (1,), "P", 4), Port("y", (2,), "P", 4))
    chip = DeviceType(
        "Chip", "npu", ports, ((1,), (2, 3)), {"injection": Quantity(Fraction(10**9), RATE), "latency": time(50)}
    )
    hub = DeviceType("Hub", "switch", (Port("p", (6,), "P", 4),), (), {"latency": time(250)})
    plan = Plan(
        "s",
        "Root",
        {"P": Protocol("P", Fraction(14 * 10**9), Fraction(100, 10**9), Fraction(9, 10))},
        {
            "Fibre": Link("Fibre", "P", {"delay": Quantity(Fraction(5, 10**9), DELAY), "latency": time(90)}),
            "Wire": Link("Wire", "P"),
        },
        {"Chip": chip, "Hub": hub},
        {"Root": AssemblyType("Root", "rack", (Child("chip", (2,), "Chip"), Child("hub", (), "Hub")))},
    )
    columns = [(0, 1, 1, 1, 1), (0, 2, 2, 0, 0), (0, 3, 2, 1, 0), (1, 2, 2, 2, 0), (2, 3, 1, 3, 0), (0, 0, 1, 0, 1)]
    a, p, b, q, kind = (np.array(column, dtype=np.uint16) for column in zip(*columns, strict=True))
    kinds = CableKinds(np.array([0, 1], np.uint16), np.array([4, 4], np.uint16), np.array([20.0, 1.0]))
    return Fabric(plan, np.array([0, 0, 1], np.uint16), a, p, b, q, kind, kinds)


def test_devices_become_vertices_by_transit_line() -> None:
    net = from_fabric.from_fabric(fabric())
    assert net.device_start.tolist() == [0, 3, 6, 7]  # die x, die y, the lone port; the same; the hub
    assert net.end.tolist() == [0, 0, 0, 1, 1, 1, -1]
    assert net.forwards.tolist() == [True, True, False, True, True, False, True]
    assert net.injection_Bps.tolist() == [1e9, 1e9]
    assert net.end_device.tolist() == [0, 1]


def test_cables_become_arcs_both_ways_and_parallel_ones_add_up() -> None:
    net = from_fabric.from_fabric(fabric())
    rows = {(int(t), int(h)): int(c) for t, h, c in zip(net.tail, net.head, net.count, strict=True)}
    assert rows == {(0, 3): 1, (3, 0): 1, (1, 6): 2, (6, 1): 2, (4, 6): 2, (6, 4): 2, (2, 5): 1, (5, 2): 1}
    arc = next(a for a in range(net.arcs) if (net.tail[a], net.head[a]) == (1, 6))
    assert net.capacity_Bps[arc] == pytest.approx(2 * 4 * 14e9 * 0.9)
    assert net.kinds.rate_Bps[net.kind[arc]] == pytest.approx(4 * 14e9)
    assert net.kinds.latency_s[net.kind[arc]] == pytest.approx(100e-9 + 90e-9 + 20 * 5e-9)
    assert net.latency_s.tolist() == pytest.approx([50e-9] * 6 + [250e-9])
    assert (net.tail[net.opposite] == net.head).all()
    assert (net.head[net.opposite] == net.tail).all()
    assert (net.label[net.opposite] == net.label).all()


@pytest.mark.parametrize("hurt", [False, True])
def test_each_cable_has_its_arcs(hurt: bool) -> None:
    """Arc by arc: as many cables as it counts, from its tail to its head, each of the part that is left of it."""
    made = fabric()
    machine = NetworkContext(made)
    if hurt:
        machine = machine.damaged(lost_cables=[0], degraded=([2], 0.5))
    net = machine.network
    forth, back = machine.cable_arcs()
    a, b = from_fabric.cable_ends(made)
    whole = from_fabric.arc_kinds(made).capacity_Bps[made.kind] * machine.cable_health
    for arcs, tail, head in ((forth, a, b), (back, b, a)):
        assert np.flatnonzero(arcs < 0).tolist() == ([0] if hurt else [])
        some = np.flatnonzero(arcs >= 0)
        assert (net.tail[arcs[some]] == tail[some]).all()
        assert (net.head[arcs[some]] == head[some]).all()
        assert net.kinds.capacity_Bps[net.kind[arcs[some]]] == pytest.approx(whole[some])
    met = np.concatenate([forth, back])
    assert np.bincount(met[met >= 0], minlength=net.arcs).tolist() == net.count.tolist()
    assert (forth[1] == forth[2]) == (not hurt), "a degraded cable has an arc of its own"


@pytest.mark.parametrize("seed", range(20))
def test_ranges_follow_each_other(seed: int) -> None:
    """With gaps, without, backwards, empty ones among them and none at all."""
    draw = np.random.default_rng(seed)
    bounds = np.sort(draw.integers(0, 30, 2 * draw.integers(0, 5)))
    for start, stop in (
        (bounds[::2], bounds[1::2]),
        (bounds[:-1], bounds[1:]),
        (bounds[::2][::-1], bounds[1::2][::-1]),
        (bounds[:1], bounds[:1]),
    ):
        want = [i for one, two in zip(start.tolist(), stop.tolist(), strict=True) for i in range(one, two)]
        got = arrays.concatenate_ranges(start, stop)
        assert (got.tolist(), got.dtype) == (want, np.int64)


def test_arcs_are_the_same_however_few_are_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = machines.random_network(3, ends=6, switches=4, cables=60)
    monkeypatch.setattr(arrays, "_PIECE", 5)
    pieces = machines.random_network(3, ends=6, switches=4, cables=60)
    for name in ("indptr", "head", "kind", "count", "label"):
        one, two = getattr(whole, name), getattr(pieces, name)
        assert (one.tolist(), one.dtype) == (two.tolist(), two.dtype)
    assert whole.count.max() > 1


def test_columns_are_read_only() -> None:
    net = from_fabric.from_fabric(fabric())
    with pytest.raises(ValueError, match="read-only"):
        net.head[0] = 1


@pytest.mark.parametrize("seed", range(5))
def test_random_network_has_its_opposites(seed: int) -> None:
    net = machines.random_network(seed)
    assert (net.tail[net.opposite] == net.head).all()
    assert (net.kind[net.opposite] == net.kind).all()
    assert (net.count[net.opposite] == net.count).all()
    assert (net.tail != net.head).all()
