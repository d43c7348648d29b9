"""A machine as hosts and switches, for simulators that know nothing else: NICs are folded into what they serve.

A NIC with cables to one other end point passes on what that sends: its cables become those of the end point, with the
latency of both, and no faster together than the end point reaches it. A NIC that several share stays, as a switch.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import left_out, remark
from unifiedbus_dsl.export.common.deadlock import tell_deadlock
from unifiedbus_dsl.export.common.devices import forwards, in_service, latencies, of_kind, tell_spares, tiers
from unifiedbus_dsl.export.common.pairs import Pairs, pairs_of
from unifiedbus_dsl.ir.fabric import Fabric

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@frozen(eq=False)
class Hosts:
    """Which devices are hosts and which switches, [D] (a folded NIC is neither), and how they are joined.

    `rate` in byte/s each way, `delay` in seconds: of the cables, and half of the switch at each end, so that a path has
    the latency of what it passes.
    """

    host: Bools
    switch: Bools
    a: Ints
    b: Ints
    rate: Floats
    delay: Floats


def hosts_of(fabric: Fabric) -> Hosts:
    """Return a machine without its spares and the NICs that serve one end point."""
    links = pairs_of(fabric)
    switch, nic = of_kind(fabric, "switch"), of_kind(fabric, "nic") & forwards(fabric)
    served = _served(links, nic, ~switch & ~of_kind(fabric, "nic"))
    folded, shared = nic & (served.count == 1), nic & (served.count > 1)
    half = np.where(switch | shared, latencies(fabric) / 2, 0.0)
    delay = links.latency + half[links.a] + half[links.b]
    inner = (folded[links.a] & (served.host[links.a] == links.b)) | (
        folded[links.b] & (served.host[links.b] == links.a)
    )
    a, b, rate, delay = links.a[~inner], links.b[~inner], links.rate[~inner].copy(), delay[~inner].copy()
    outer = np.bincount(a, weights=rate, minlength=len(switch)) + np.bincount(b, weights=rate, minlength=len(switch))
    share = np.divide(served.rate, outer, out=np.ones(len(switch)), where=folded & (outer > served.rate))
    extra = served.latency + latencies(fabric)
    for side in (a, b):
        mine = folded[side]
        rate[mine] *= share[side[mine]]
        delay[mine] += extra[side[mine]]
    a, b = (np.where(folded[side], served.host[side], side) for side in (a, b))
    there = in_service(fabric)
    kept = there[a] & there[b]
    links_left = _merged(a[kept], b[kept], rate[kept], delay[kept], len(switch))
    return Hosts(~switch & ~folded & ~shared & there, (switch | shared) & there, *links_left)


@frozen(eq=False)
class _Served:
    """For each device: how many end points its cables reach, the last of them, and the rate and latency to it."""

    count: Ints
    host: Ints
    rate: Floats
    latency: Floats


def _served(links: Pairs, nic: Bools, end: Bools) -> _Served:
    total = len(nic)
    ports_of_hosts = _Served(np.zeros(total, np.int64), np.zeros(total, np.int64), np.zeros(total), np.zeros(total))
    for near, far in ((links.a, links.b), (links.b, links.a)):
        mine = nic[near] & end[far]
        np.add.at(ports_of_hosts.count, near[mine], 1)
        ports_of_hosts.host[near[mine]] = far[mine]
        ports_of_hosts.rate[near[mine]] = links.rate[mine]
        ports_of_hosts.latency[near[mine]] = links.latency[mine]
    return ports_of_hosts


def _merged(a: Ints, b: Ints, rate: Floats, delay: Floats, total: int) -> tuple[Ints, Ints, Floats, Floats]:
    """Links between the same two as one of their added rate and the longest delay, in order."""
    apart = a != b
    a, b, rate, delay = a[apart], b[apart], rate[apart], delay[apart]
    keys, where = np.unique(np.minimum(a, b) * total + np.maximum(a, b), return_inverse=True)
    longest = np.zeros(len(keys))
    np.maximum.at(longest, where, delay)
    added = np.zeros(len(keys))
    np.add.at(added, where, rate)
    return np.asarray(keys // total, dtype=np.int64), np.asarray(keys % total, dtype=np.int64), added, longest


def merge(found: Hosts, node: Ints) -> Hosts:
    """Return the same with devices of one number in `node`, [D], as one; the numbers are the new ids."""
    total = int(node.max(initial=-1)) + 1
    host, switch = np.zeros(total, dtype=bool), np.zeros(total, dtype=bool)
    known = node >= 0
    host[node[known & found.host]] = True
    switch[node[known & found.switch]] = True
    inside = known[found.a] & known[found.b]
    a, b = node[found.a[inside]], node[found.b[inside]]
    return Hosts(host, switch, *_merged(a, b, found.rate[inside], found.delay[inside], total))


def numbered(fabric: Fabric, group: Ints) -> Ints:
    """Return a number for each device, [D]: by its `group`, then from the bottom up; -1 in the group -1."""
    tier = tiers(fabric)
    outer = np.where(tier < 0, fabric.device_count, tier)  # what reaches no end point comes last
    order = np.lexsort((outer, group))
    order = order[group[order] >= 0]
    number = np.full(len(group), -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    return number


def tell(fabric: Fabric, found: Hosts, marking: Bools, sink: Sink, name: str) -> None:
    """Tell of links between hosts, or else of deadlock between switches, and of the rates of `marking` switches, for
    which the configuration of a run has to have thresholds of congestion: those given grow with the rate as the usual
    ones do."""
    tell_spares(fabric, sink, name)
    direct = int((found.host[found.a] & found.host[found.b]).sum())
    if direct:
        join = "link joins" if direct == 1 else "links join"
        left_out(sink, f"{name} sends over switches only, and {direct:,} {join} end points directly", "ns3")
    else:
        tell_deadlock(fabric, sink, name)
    at_switch = marking[found.a] | marking[found.b]
    rates = np.unique(np.round(found.rate[at_switch] * 8)).astype(np.int64).tolist()
    if rates:
        lines = [
            f"{key}_MAP {len(rates)} " + " ".join(f"{rate} {value(rate)}" for rate in rates)
            for key, value in (
                ("KMAX", lambda rate: round(rate * 16e-9)),
                ("KMIN", lambda rate: round(rate * 4e-9)),
                ("PMAX", lambda _: 0.2),
            )
        ]
        which = "one rate has" if len(rates) == 1 else f"{len(rates)} rates have"
        message = f"{name} stops at a switch whose rate its maps have no threshold for: {which} to be added"
        remark(sink, "UB0806", message, *(f"write `{line}` in its configuration" for line in lines))
