"""Maps of bandwidth and latency between the racks of a system."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Literal, TypeAlias

import numpy as np
from attrs import frozen

from unifiedbus_dsl.fabric.names import element_names, spares
from unifiedbus_dsl.network import Floats, Ints
from unifiedbus_dsl.plan import Child, Plan
from unifiedbus_dsl.render.heat import Heat, heat_picture
from unifiedbus_dsl.render.marks import Picture
from unifiedbus_dsl.solver.between import bandwidths, latencies
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.result import NotAdmittedError
from unifiedbus_dsl.units import format_number

Map: TypeAlias = Literal["bandwidth", "latency"]
MAPS: tuple[Map, ...] = ("bandwidth", "latency")
MOST_PARTS = 18
"""More of them are joined into blocks of consecutive ones."""

_UNITS = {
    "bandwidth": ((1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s")),
    "latency": ((1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
}


@frozen
class Part:
    """Devices `start … stop - 1`, by name."""

    name: str
    start: int
    stop: int


def heat_map(machine: Machine, what: Map) -> Picture:
    """What the end points of each two racks can send to each other alone, or how far the furthest two of them are
    apart. A system without racks is taken by its parts; many racks by blocks of neighbours.

    Raises:
        NotAdmittedError: there are no two parts with end points.
    """
    plan = machine.fabric.plan
    kind, found = parts(plan)
    if len(found) < 2:
        raise NotAdmittedError(f"a map is of two parts or more, and `{plan.system}` has {len(found)} with end points")
    size = ceil(len(found) / MOST_PARTS)
    blocks = [found[at : at + size] for at in range(0, len(found), size)]
    part = _members(machine, plan, blocks)
    if what == "bandwidth":
        values = bandwidths(machine.symmetry, part)
        said = "most that all end points of one can send to all of the other while all else is silent, each direction"
    else:
        values = latencies(machine.timed_symmetry, part)
        said = "least time of a small message at no load, between the two end points that are furthest apart"
    scale, unit = _unit(what, values)
    joined = f"{len(found):,} {kind}s in {len(blocks)} blocks of {size}" if size > 1 else f"{len(found)} {kind}s"
    if size > 1 and len(blocks[-1]) < size:
        joined += f", the last of {len(blocks[-1])}"
    names = [block[0].name if len(block) == 1 else f"{block[0].name} … {block[-1].name}" for block in blocks]
    heat = Heat(names, values / scale, unit, "each row and column is a " + (f"block of {kind}s" if size > 1 else kind))
    return heat_picture(heat, f"{what} between {kind}s", [said, f"system {plan.system}: {joined}"], _tiles(heat))


def _tiles(heat: Heat) -> list[tuple[str, str]]:
    apart = ~np.eye(len(heat.names), dtype=bool)
    finite = heat.values[apart & np.isfinite(heat.values)]
    if not len(finite):
        return []
    least, most = (format_number(float(each)) for each in (finite.min(), finite.max()))
    return [(f"{least} {heat.unit}", "least"), (f"{most} {heat.unit}", "most")]


def _unit(what: Map, values: Floats) -> tuple[float, str]:
    """The largest unit in which all values are at least 1."""
    least = float(np.min(values[np.isfinite(values) & (values > 0)], initial=np.inf))
    return next(((scale, unit) for scale, unit in _UNITS[what] if least >= scale), _UNITS[what][-1])


def _members(machine: Machine, plan: Plan, blocks: list[list[Part]]) -> Ints:
    """The block of each end point that counts, -1 of the others, [E]: NPUs where there are any, no spares."""
    fabric = machine.fabric
    block = np.full(fabric.device_count, -1, dtype=np.int64)
    for number, members in enumerate(blocks):
        for each in members:
            block[each.start : each.stop] = number
    counted = _counted(plan)
    types = np.array([key in counted for key in plan.devices])
    block[~types[fabric.device_type] | spares(plan)] = -1
    return block[machine.network.end_device]


def _counted(plan: Plan) -> set[str]:
    """The device types that a map is about."""
    npus = {key for key, device in plan.devices.items() if device.kind == "npu"}
    return npus or {key for key, device in plan.devices.items() if device.kind not in ("switch", "nic")}


def parts(plan: Plan) -> tuple[str, list[Part]]:
    """The racks that hold end points, in order, and their kind; without two racks the parts of the system."""
    holding = _counted(plan)
    for key in plan.bottom_up:
        if any(child.type in holding for child in plan.assemblies[key].children):
            holding.add(key)
    racks = list(_instances(plan, plan.root, "", 0, holding))
    if len(racks) > 1:
        return "rack", racks
    root = plan.assemblies[plan.root]
    found = [
        Part(name, start, start + plan.device_count[child.type])
        for child, name, start in _elements(plan, plan.root, "", 0)
        if child.type in holding
    ]
    kinds = {plan.type(child.type).kind for child in root.children if child.type in holding}
    return (kinds.pop() if len(kinds) == 1 else "part"), found


def _elements(plan: Plan, key: str, path: str, start: int) -> Iterator[tuple[Child, str, int]]:
    """Each element of the children of an assembly: its array, its name, its first device."""
    starts = plan.numbering.child_starts[key]
    for child, first in zip(plan.assemblies[key].children, starts, strict=False):
        for element, own in enumerate(element_names(child.name, child.shape, np.arange(child.count)).tolist()):
            at = start + int(first) + element * plan.device_count[child.type]
            yield child, f"{path}.{own}" if path else own, at


def _instances(plan: Plan, key: str, path: str, start: int, holding: set[str]) -> Iterator[Part]:
    """The racks at any level that hold end points."""
    for child, name, first in _elements(plan, key, path, start):
        if child.type not in holding or child.type not in plan.assemblies:
            continue
        if plan.assemblies[child.type].kind == "rack":
            yield Part(name, first, first + plan.device_count[child.type])
        else:
            yield from _instances(plan, child.type, name, first, holding)
