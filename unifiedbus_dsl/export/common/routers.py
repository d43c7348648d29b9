"""A machine as routers with nodes on them, for simulators of networks on chips: a node has one link, to its router.

An end point is a router of its own, as it may pass data on, with a node for each neighbour, so that it injects what its
cables carry; where nodes can be far from their router, one with a single cable, to a switch, is a node of that switch.
Cables between the same two routers are one channel.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import left_out, remark
from unifiedbus_dsl.export.common.devices import forwards, injections, latencies, of_kind
from unifiedbus_dsl.export.common.pairs import pairs_of
from unifiedbus_dsl.ir.fabric import Fabric

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@frozen(eq=False)
class Routers:
    """`device` of each router; `node_router` and `node_cable` (s, 0 on its own router) of each node.

    `a` < `b` are joined routers, in order: `cables` between them, the rate of one (byte/s, the lowest), their latency
    (s, the longest), and `half` [D] is half of the latency of passing each device.
    """

    device: Ints
    node_router: Ints
    node_cable: Floats
    a: Ints
    b: Ints
    cables: Ints
    rate: Floats
    latency: Floats
    half: Floats
    several: int
    """End points that are several nodes."""
    lowest: float
    """The lowest rate of a cable, byte/s; infinity where there is none."""
    rates: int
    """How many rates cables have."""


def routers_of(fabric: Fabric, *, far: bool) -> Routers:
    """Return a machine as routers, channels and nodes; `far` says whether a node can be a cable away."""
    links = pairs_of(fabric)
    switch, total = of_kind(fabric, "switch"), fabric.device_count
    each = links.rate / links.count
    cables = np.bincount(links.a, links.count, total) + np.bincount(links.b, links.count, total)
    hung = np.zeros(total, dtype=bool)
    at, cable = np.full(total, -1, dtype=np.int64), np.zeros(total)
    for near, other in ((links.a, links.b), (links.b, links.a)) if far else ():
        mine = ~switch[near] & (cables[near] == 1) & switch[other]
        hung[near[mine]], at[near[mine]], cable[near[mine]] = True, other[mine], links.latency[mine]
    device = np.flatnonzero(~hung)
    number = np.full(total, -1, dtype=np.int64)
    number[device] = np.arange(len(device))
    inner = ~hung[links.a] & ~hung[links.b]
    lowest = float(each.min(initial=np.inf))
    neighbours = np.bincount(links.a[inner], minlength=total) + np.bincount(links.b[inner], minlength=total)
    max_nodes = np.minimum(neighbours, np.rint(injections(fabric) / (lowest if np.isfinite(lowest) else 1.0)))
    nodes = np.where(switch, 0, np.where(hung, 1, np.maximum(1, max_nodes))).astype(np.int64)
    owner = np.repeat(np.arange(total), nodes)
    return Routers(
        device,
        number[np.where(hung[owner], at[owner], owner)],
        cable[owner],
        number[links.a[inner]],
        number[links.b[inner]],
        links.count[inner],
        each[inner],
        links.latency[inner],
        np.where(forwards(fabric), latencies(fabric) / 2, 0.0),
        int((nodes > 1).sum()),
        lowest,
        len(np.unique(np.round(each))),
    )


def tell(found: Routers, sink: Sink, name: str) -> None:
    """Tell of what becomes of end points with several cables, and of bundles."""
    if found.several:
        remark(
            sink,
            "UB0806",
            f"nodes of {name} have one link: {found.several:,} end points are one node for each neighbour",
            f"spread the traffic of an end point over its nodes; there are {len(found.node_router):,}",
        )
    bundled = int((found.cables - 1).sum())
    if bundled:
        left_out(sink, f"{name} has one channel between two routers: {bundled:,} parallel cables are lost", "simgrid")
