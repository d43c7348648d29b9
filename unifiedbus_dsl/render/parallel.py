"""Networks that run side by side: planes, each of which reaches the same end points, and rails, each of which joins the
devices that stand at one place in their nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.ir.fabric import Fabric


def planes(fabric: Fabric) -> Sequence[str]:
    """Return the plane of each device of a system, empty for what is in none.

    What is left of a network without its end points falls into parts. Those that reach the same end points run side by
    side: they are planes, and are numbered in the order of their devices.
    """
    part = _parts(fabric, switches := _switches(fabric))
    reached = _reached(fabric, part, switches)
    beside: dict[frozenset[int], list[int]] = defaultdict(list)
    for number in sorted(reached):
        beside[reached[number]].append(number)
    names: dict[int, str] = {}
    for ends, several in beside.items():
        if len(ends) > 1 and len(several) > 1:
            names |= {each: f"plane {at}" for at, each in enumerate(several)}
    return [names.get(int(part[d]), "") if switches[d] else "" for d in range(fabric.device_count)]


def rails(fabric: Fabric) -> Sequence[str]:
    """Return the rail of each device of a system, empty for what is in none.

    A switch is of a rail if all devices that it reaches without another switch have the same name in their nodes, as
    `nic[3]`, or the same last subscripts, as `gpu[*, 3]`, and if some other switch reaches others; so is one above
    switches of one rail alone, and such a device.
    """
    switches = _switches(fabric)
    names = [str(name) for name in fabric.device_names(np.arange(fabric.device_count)).tolist()]
    held: list[set[str]] = [set() for _ in names]
    ends: list[set[int]] = [set() for _ in names]
    for a, b in zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True):
        for one, other in ((a, b), (b, a)):
            if switches[one] and not switches[other]:
                held[one].add(names[other].rpartition(".")[2])
                ends[one].add(other)
    rail = [_place(each) if len(ends[d]) > 1 else "" for d, each in enumerate(held)]
    if len(set(rail) - {""}) < 2:
        return [""] * len(names)
    _climb(fabric, switches, held, rail)
    below: list[set[str]] = [set() for _ in names]
    for a, b in zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True):
        for one, other in ((a, b), (b, a)):
            if switches[one] and not switches[other] and rail[one]:
                below[other].add(rail[one])
    said = [r or (next(iter(own)) if len(own) == 1 else "") for r, own in zip(rail, below, strict=True)]
    return [f"rail of {each}" if each else "" for each in said]


def _place(names: set[str]) -> str:
    """Return what the names of devices say alike of their place: `nic[3]` of itself, `gpu[*, 3]` of `gpu[0, 3]` and
    `gpu[1, 3]`; empty where they differ in their last subscript, or in more."""
    if len(names) < 2:
        return next(iter(names), "")
    arrays = {name.partition("[")[0] for name in names}
    subscripts = [name.partition("[")[2].rstrip("]").split(", ") for name in names]
    if len(arrays) > 1 or len({len(each) for each in subscripts}) > 1:
        return ""
    alike = [len(set(column)) == 1 for column in zip(*subscripts, strict=True)]
    if alike[0] or not alike[-1] or sorted(alike) != alike:
        return ""
    shown = [value if same else "*" for value, same in zip(subscripts[0], alike, strict=True)]
    return f"{arrays.pop()}[{', '.join(shown)}]"


def _climb(fabric: Fabric, switches: Bools, held: Sequence[set[str]], rail: list[str]) -> None:
    """Give a rail to switches that reach no end point and whose neighbours that have one all have the same, tier by
    tier."""
    near: dict[int, set[int]] = defaultdict(set)
    for a, b in zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True):
        if switches[a] and switches[b]:
            near[a].add(b)
            near[b].add(a)
    open_ones = [d for d in near if not held[d]]
    while True:
        found = {d: {rail[other] for other in near[d]} - {""} for d in open_ones if not rail[d]}
        fresh = {d: next(iter(each)) for d, each in found.items() if len(each) == 1}
        if not fresh:
            return
        for d, each in fresh.items():
            rail[d] = each


def _switches(fabric: Fabric) -> Bools:
    """Return which devices are switches, [D]."""
    kinds = np.array([device.kind == "switch" for device in fabric.plan.devices.values()])
    return np.asarray(kinds[fabric.device_type], dtype=bool)


def _parts(fabric: Fabric, switches: Bools) -> Ints:
    """Return the part of the network of switches alone that each switch is in, [D]."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    both = switches[fabric.a_device] & switches[fabric.b_device]
    ends = fabric.a_device[both], fabric.b_device[both]
    size = fabric.device_count
    joined = coo_matrix((np.ones(int(both.sum()), dtype=np.int8), ends), shape=(size, size))
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)


def _reached(fabric: Fabric, part: Ints, switches: Bools) -> dict[int, frozenset[int]]:
    """Return the end points that each part of the network of switches reaches."""
    reached: dict[int, set[int]] = defaultdict(set)
    for a, b in zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True):
        for one, other in ((a, b), (b, a)):
            if switches[one] and not switches[other]:
                reached[int(part[one])].add(other)
    return {number: frozenset(ends) for number, ends in reached.items()}
