"""How an answer says what it is about: end points, assemblies, arcs and sizes of messages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedbus_dsl.base.arrays import Ids, Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.ir.fabric.names import device_paths, element_at, part_name
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.solver.network_context import NetworkContext


def end_name(machine: NetworkContext, end: int) -> str:
    """Return the path of an end point."""
    return machine.fabric.device_name(int(machine.network.end_device[end])) if end >= 0 else "?"


def pair_name(machine: NetworkContext, source: int, target: int) -> str:
    return f"{end_name(machine, source)} -> {end_name(machine, target)}"


def block_names(machine: NetworkContext, blocks: DeviceRanges) -> list[str]:
    """Return the path of each instance: of the parts around its first device the one of its size and of a type that is
    meant; where several are alike in that, as the only part of a part of its kind, the outer one comes first."""
    plan = machine.fabric.plan
    names: list[str] = []
    before, repeated = (-1, -1), 0
    first = device_paths(plan, blocks.start)
    for name, start, stop in zip(map(str, first), blocks.start.tolist(), blocks.stop.tolist(), strict=True):
        repeated = repeated + 1 if (start, stop) == before else 0
        before = start, stop
        fitting = [
            path
            for path, key in parts_around(plan, name)
            if plan.device_count[key] == stop - start and (key in blocks.keys or not blocks.keys)
        ]
        names.append(part_name(plan, fitting[min(repeated, len(fitting) - 1)]))
    return names


def parts_around(plan: Plan, name: str) -> list[tuple[str, str]]:
    """Return the path and the type of each part that a device is in, from the outermost to the device itself, of the
    path of the device."""
    key, path = plan.root, list[str]()
    parts = []
    for segment in name.split("."):
        path.append(segment)
        key = element_at(plan, key, segment, name)[0].type
        parts.append((".".join(path), key))
    return parts


def cut(plan: Plan, name: str, wanted: Callable[[str], bool]) -> str:
    """Return what the first part of a wanted type is called on the path of a device, else the device."""
    return part_name(plan, next((path for path, key in parts_around(plan, name) if wanted(key)), name))


def between(low: int, high: int) -> str:
    """Where the cables are whose ends are of these tiers; -1 is where no end point is reached."""
    if low < 0:
        return "where no end point is reached"
    return f"within tier {low}" if low == high else f"between tiers {low} and {high}"


def size_text(size_bytes: float) -> str:
    """`512 MiB`: for sizes that are powers of two."""
    for power, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size_bytes >= 2**power:
            return f"{size_bytes / 2**power:g} {name}"
    return f"{size_bytes:g} B"


def devices_of(network: Network, vertices: Ids) -> Ints:
    """Return the device of each vertex."""
    return np.asarray(np.searchsorted(network.device_start, vertices, side="right") - 1)


def arc_names(machine: NetworkContext, arcs: Ints) -> list[str]:
    """`a -> b over Link` of each arc."""
    network, fabric = machine.network, machine.fabric
    tails = fabric.device_names(devices_of(network, network.tail[arcs]))
    heads = fabric.device_names(devices_of(network, network.head[arcs]))
    links = list(fabric.plan.links)
    link = network.kinds.link[network.kind[arcs]]
    return [f"{a} -> {b} over {links[k]}" for a, b, k in zip(tails, heads, link.tolist(), strict=True)]


def binding(machine: NetworkContext, arcs: Ints, most: int = 3) -> tuple[str, ...]:
    """Return the arcs that bind by name: one of each sort (types of both ends, link), with how many are like it."""
    network, fabric = machine.network, machine.fabric
    if not len(arcs):
        return ()
    ends = [
        fabric.device_type[devices_of(network, side[arcs])].astype(np.int64) for side in (network.tail, network.head)
    ]
    sort = ends[0] << 40 | ends[1] << 20 | network.kinds.link[network.kind[arcs]]
    _, first, count = np.unique(sort, return_index=True, return_counts=True)
    order = np.argsort(-count, kind="stable")[:most]
    names = arc_names(machine, arcs[first[order]])
    return tuple(
        name + (f" and {n - 1:,} more" if n > 1 else "") for name, n in zip(names, count[order].tolist(), strict=True)
    )


def binding_ends(machine: NetworkContext, ends: Ints) -> tuple[str, ...]:
    """Return the end points whose injection binds."""
    if not len(ends):
        return ()
    more = f" and {len(ends) - 1:,} more" if len(ends) > 1 else ""
    return (f"injection of {end_name(machine, int(ends[0]))}{more}",)
