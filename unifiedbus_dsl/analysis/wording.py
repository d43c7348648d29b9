"""How an answer says what it is about: end points, assemblies, arcs and sizes of messages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedbus_dsl.network import Ids, Ints, Network
from unifiedbus_dsl.plan import Plan
from unifiedbus_dsl.solver.machine import Machine


def end_name(machine: Machine, end: int) -> str:
    """The path of an end point."""
    return machine.fabric.device_name(int(machine.network.end_device[end])) if end >= 0 else "?"


def pair_name(machine: Machine, source: int, target: int) -> str:
    return f"{end_name(machine, source)} -> {end_name(machine, target)}"


def block_name(machine: Machine, device: int, noun: str) -> str:
    """The path of the assembly of this kind that a device is in."""
    plan = machine.fabric.plan
    return cut(plan, machine.fabric.device_name(device), lambda key: plan.type(key).kind == noun)


def cut(plan: Plan, name: str, wanted: Callable[[str], bool]) -> str:
    """The path of a device, cut behind the first part whose type is wanted."""
    key, kept = plan.root, list[str]()
    for segment in name.split("."):
        kept.append(segment)
        key = next(child.type for child in plan.assemblies[key].children if child.name == segment.split("[")[0])
        if wanted(key):
            break
    return ".".join(kept)


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
    """The device of each vertex."""
    return np.asarray(np.searchsorted(network.device_start, vertices, side="right") - 1)


def arc_names(machine: Machine, arcs: Ints) -> list[str]:
    """`a -> b over Link` of each arc."""
    network, fabric = machine.network, machine.fabric
    tails = fabric.device_names(devices_of(network, network.tail[arcs]))
    heads = fabric.device_names(devices_of(network, network.head[arcs]))
    links = list(fabric.plan.links)
    link = network.kinds.link[network.kind[arcs]]
    return [f"{a} -> {b} over {links[k]}" for a, b, k in zip(tails, heads, link.tolist(), strict=True)]


def binding(machine: Machine, arcs: Ints, most: int = 3) -> tuple[str, ...]:
    """The arcs that bind by name: one of each sort (types of both ends, link), with how many are like it."""
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


def binding_ends(machine: Machine, ends: Ints) -> tuple[str, ...]:
    """The end points whose injection binds."""
    if not len(ends):
        return ()
    more = f" and {len(ends) - 1:,} more" if len(ends) > 1 else ""
    return (f"injection of {end_name(machine, int(ends[0]))}{more}",)
