"""What is written on the ends of cables that have several links: each end is a plug, in one cage or in one port."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names, port_names
from unifiedbus_dsl.ir.fabric.physical import first_of_cables, has_cages, plugs

FIXED = {"pcb", "backplane"}
"""Media that nobody plugs."""
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)\Z", re.DOTALL)


def end_label(device: str, port: str, far: str) -> str:
    """Return the label of one end: where it belongs, then where the cable leads."""
    return f"{device} {port} > {far}"


def plug_name(ports: Sequence[str]) -> str:
    """Return the ports of a plug as one: `p[6..7]`, `Ethernet1/1` of its sub-ports."""
    read = [_NUMBERED.match(port) for port in ports]
    if len(ports) > 1 and all(read):
        parts = [(each[1], int(each[2]), each[3]) for each in read if each is not None]
        prefix, low, suffix = parts[0]
        if parts == [(prefix, low + n, suffix) for n in range(len(parts))]:
            whole = prefix.endswith(":") and not suffix
            return prefix[:-1] if whole else f"{prefix}{low}..{low + len(parts) - 1}{suffix}"
    return " + ".join(ports)


def ends_of_cables(fabric: Fabric) -> Ints:
    """Return how many ends the cable of each link has; [C]."""
    if not has_cages(fabric):
        return np.full(fabric.cable_count, 2)
    first = first_of_cables(fabric)
    ends = np.concatenate(plugs(fabric, np.arange(fabric.cable_count)))
    count = np.bincount(np.unique(np.stack([np.tile(first, 2), ends]), axis=1)[0], minlength=len(first))
    return np.asarray(count[first])


def shared_labels(fabric: Fabric) -> tuple[dict[int, str], dict[int, str]]:
    """Return the labels of the ends of links whose cable has several, by link: those of end a, and of end b."""
    if not has_cages(fabric):
        return {}, {}
    first = first_of_cables(fabric)
    links = np.flatnonzero(np.bincount(first, minlength=len(first))[first] > 1)
    sides = plugs(fabric, links)
    names = _plug_names(fabric, links, sides)
    far: dict[int, dict[str, None]] = {}
    for a, b in zip(*(side.tolist() for side in sides), strict=True):
        far.setdefault(a, {})[names[b]] = None
        far.setdefault(b, {})[names[a]] = None
    labels = {plug: f"{names[plug]} > {', '.join(others)}" for plug, others in far.items()}
    own = links.tolist()
    a, b = ({link: labels[plug] for link, plug in zip(own, side.tolist(), strict=True)} for side in sides)
    return a, b


def _plug_names(fabric: Fabric, links: Ints, sides: tuple[Ints, Ints]) -> dict[int, str]:
    """Return each plug by device and ports, of those that carry something."""
    device = np.concatenate([fabric.a_device[links], fabric.b_device[links]]).astype(np.int64)
    port = np.concatenate([fabric.a_port[links], fabric.b_port[links]]).astype(np.int64)
    plug = np.concatenate(sides)
    order = np.lexsort((port, device, plug))
    known = {n: port_names(fabric.plan, key) for n, key in enumerate(fabric.plan.devices)}
    names = device_names(fabric.plan, device).tolist()
    ports: dict[int, dict[str, list[str]]] = {}
    for at in order.tolist():
        inside = ports.setdefault(int(plug[at]), {}).setdefault(names[at], [])
        inside.append(known[int(fabric.device_type[device[at]])][port[at]])
    return {
        key: " + ".join(f"{name} {plug_name(own)}" for name, own in inside.items()) for key, inside in ports.items()
    }
