"""Devices as simulators take them: what they are, what passing through one costs, where a port stops short."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import left_out
from unifiedbus_dsl.graph.from_fabric import from_fabric
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import spares
from unifiedbus_dsl.ir.plan import DeviceType
from unifiedbus_dsl.solver.paths.tiers import levels


def of_kind(fabric: Fabric, kind: str) -> NDArray[np.bool_]:
    """Return whether each device is of a kind, [D]."""
    types = fabric.plan.devices.values()
    return np.asarray(np.asarray([of.kind == kind for of in types], dtype=bool)[fabric.device_type])


def in_service(fabric: Fabric) -> NDArray[np.bool_]:
    """Return whether each device is no spare, [D]: a spare sends nothing until it takes the place of another one."""
    return np.asarray(~spares(fabric.plan))


def senders(fabric: Fabric) -> NDArray[np.bool_]:
    """Return which end points send by themselves, [D]: no spares, and NICs only where there is nothing else, as they
    pass on what others send."""
    ends = ~of_kind(fabric, "switch") & in_service(fabric)
    others = ends & ~of_kind(fabric, "nic")
    return others if others.any() else ends


def tell_spares(fabric: Fabric, sink: Sink, name: str) -> None:
    """Tell that the spares among the NPUs are left out."""
    count = int((of_kind(fabric, "npu") & ~in_service(fabric)).sum())
    if count:
        are, them = ("spare NPU is", "it") if count == 1 else ("spare NPUs are", "them")
        left_out(sink, f"{count:,} {are} left out, as {name} would count {them} as working", "ns3")


def latency_of(of: DeviceType) -> float:
    """Return what a device of a type states as its latency, in seconds; 0 where it states none."""
    value = of.fields.get("latency")
    return float(value) if isinstance(value, Quantity) else 0.0


def latencies(fabric: Fabric) -> NDArray[np.float64]:
    """Return what each device states as its latency, in seconds, [D]."""
    types = fabric.plan.devices.values()
    return np.asarray(np.asarray([latency_of(of) for of in types], dtype=np.float64)[fabric.device_type])


def injections(fabric: Fabric) -> NDArray[np.float64]:
    """Return what each device injects at most, in byte/s, [D]; infinity where it states nothing."""
    values = [of.fields.get("injection") for of in fabric.plan.devices.values()]
    max_rate = [float(value) if isinstance(value, Quantity) else np.inf for value in values]
    return np.asarray(np.asarray(max_rate, dtype=np.float64)[fabric.device_type])


def forwards(fabric: Fabric) -> NDArray[np.bool_]:
    """Return whether each device passes data on from one of its ports to another, [D]."""
    types = fabric.plan.devices.values()
    passing = [of.kind == "switch" or bool(of.between) or any(len(line) > 1 for line in of.transit) for of in types]
    return np.asarray(np.asarray(passing, dtype=bool)[fabric.device_type])


def tiers(fabric: Fabric) -> NDArray[np.int64]:
    """Return cables from each device to the nearest end point, -1 where there is no way, [D]."""
    network = from_fabric(fabric)
    return levels(network)[network.device_start[:-1]].astype(np.int64)


def tell_forwarding(fabric: Fabric, sink: Sink, routes: str) -> None:
    """UB0803 where an end point doesn't forward among all its ports, as simulators that route by devices take it to.

    `routes` are the first words, such as `BookSim routes`.
    """
    types = fabric.plan.devices.values()
    partial = [of.key for of in types if of.kind != "switch" and of.radix > 1 and not _forwards_all(of)]
    if partial:
        left_out(
            sink,
            f"{routes} through all ports of {', '.join(partial)}, which forward among some or none of them",
            "json",
        )


def _forwards_all(of: DeviceType) -> bool:
    lines = (*of.transit, *(one + two for one, two in of.between if len(one) == len(two) == 1))
    return len(lines) == 1 and len(lines[0]) == of.radix
