"""Which devices of a fabric are the end points of the machine, and which carry for them."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Ints, frozen_array
from unifiedbus_dsl.ir.fabric.names import spares
from unifiedbus_dsl.ir.plan.end_points import end_types
from unifiedbus_dsl.solver.network_context import NetworkContext


def is_end_point(machine: NetworkContext) -> Bools:
    """Return which of all that can send are end points of the machine (see `plan.end_points`), [E]."""
    plan = machine.fabric.plan
    chief = end_types(plan)
    types = np.array([key in chief for key in plan.devices], dtype=bool)
    return frozen_array(types[machine.fabric.device_type[machine.network.end_device]])


def end_points(machine: NetworkContext) -> Ints:
    """Return the end points of the machine, ascending, spares and what is lost left out."""
    idle = spares(machine.fabric.plan) | machine.lost_devices
    return np.flatnonzero(is_end_point(machine) & ~idle[machine.network.end_device])


def carriers_of(machine: NetworkContext) -> Bools:
    """Return what can send and is no end point of the machine, such as the NICs of its NPUs, [E]."""
    return frozen_array(~is_end_point(machine))
