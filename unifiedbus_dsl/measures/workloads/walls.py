"""The walls of a machine that a workload's exchanges cross: ports of each end point, cables out of each assembly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.measures.certified import cables_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.step_bound import Walls


def walls_of(machine: NetworkContext, ends: Ints) -> Iterator[Walls]:
    """Yield the walls around ranks that stand on `ends` [n]: of end points, then of each type of assembly."""
    fabric = machine.fabric
    device = machine.network.end_device[ends]
    label = np.full(fabric.device_count, -1, dtype=np.int64)
    label[device] = np.arange(len(ends))
    capacity = np.minimum(_out(machine, label, len(ends)), cables_of(machine).injection_Bps[ends])
    yield Walls("ports of an end point", np.arange(len(ends)), capacity, capacity)
    for key in fabric.plan.bottom_up:
        start, stop = fabric.blocks(key)
        if key == fabric.plan.root or not len(start):
            continue
        label = _inside(np.arange(fabric.device_count), start, stop)
        capacity = _out(machine, label, len(start))
        yield Walls(f"cables of `{key}`", label[device], capacity, capacity)


def max_port_Bps(machine: NetworkContext, ends: Ints) -> float:  # noqa: N802
    """Return what the fastest of some end points sends through its ports, which is the first wall, byte/s."""
    return float(next(walls_of(machine, ends)).out_Bps.max())


def _inside(device: Ints, start: Ints, stop: Ints) -> Ints:
    """Return the block that each device is in, -1 for none; blocks of one type don't overlap."""
    block = np.searchsorted(start, device, side="right") - 1
    return np.where((block >= 0) & (device < stop[block]), block, -1)


def _out(machine: NetworkContext, label: Ints, sets: int) -> Floats:
    """Return the capacity of the cables between each set of devices and all others, one way, byte/s."""
    fabric, cables = machine.fabric, cables_of(machine)
    a, b = label[fabric.a_device], label[fabric.b_device]
    some = np.flatnonzero(a != b)
    capacity = cables.capacity_Bps[cables.kind[some]]
    if cables.health is not None:
        capacity = capacity * cables.health[some]
    total = np.zeros(sets)
    for side in (a[some], b[some]):
        inside = side >= 0
        total += np.bincount(side[inside], capacity[inside], sets)
    return total
