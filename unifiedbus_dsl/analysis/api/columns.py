"""Columns of the fabric: what the solver has by vertex and arc, by device and cable."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.graph.from_fabric import arc_kinds
from unifiedbus_dsl.measures.results import (
    CableLoads,
    read_only,
)
from unifiedbus_dsl.solver.network_context import NetworkContext


def over_devices(machine: NetworkContext, values: Floats) -> Floats:
    """Return values of end points ([E]) as a column over devices, 0 for switches, [D]."""
    column = np.zeros(machine.fabric.device_count)
    column[machine.network.end_device] = values
    return np.asarray(read_only(column))


def over_cables(machine: NetworkContext, values: Floats) -> tuple[Floats, Floats]:
    """Return values of arcs ([A]) as columns over cables, forth and back; 0 for a cable that the network has no use
    for."""
    padded = np.append(values, 0.0)
    forth, back = machine.cable_arcs()
    return read_only(padded[forth]), read_only(padded[back])


def cable_loads(machine: NetworkContext, routing: str, load: Floats) -> CableLoads:
    """Return loads of arcs ([A]) as columns over cables: parallel ones carry equal parts."""
    network = machine.network
    capacity = arc_kinds(machine.fabric).capacity_Bps[machine.fabric.kind]
    return CableLoads(machine.fabric, routing, *over_cables(machine, load / network.count), read_only(capacity))
