"""Hops, and loads under routings that share by equal cost, on the orbits around a target.

A path from a vertex to the target passes vertices that forward. Under the symmetries that keep the target, all members
of a node are as far from it and hand on as much, so that levels and shares are those of nodes:

    load(a) = carried(tail) · w(a) / nearer(tail),    carried(n) = what the vertices of n send + what arrives there
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.verify.plan_levels import StatedLevels, StatedLoads, check_levels, check_loads

FAR = np.iinfo(np.int64).max


@frozen(eq=False)
class Levels:
    """`hops` of each node to the target (`FAR`: no path), `leads` marks the arcs that lead nearer."""

    quotient: Quotient
    hops: Ints
    leads: Bools

    @property
    def stated(self) -> StatedLevels:
        """The same as their verifier takes them."""
        quotient = self.quotient
        target = quotient.device == quotient.source
        return StatedLevels(quotient.tail, quotient.head, target, quotient.forwards, self.hops, FAR)

    def device_hops(self) -> Ints:
        """Return the least over the vertices of a device, [D]."""
        return np.minimum.reduceat(self.hops, self.quotient.first)


def levels_to_source(quotient: Quotient) -> Levels:
    """Return the hops of all nodes to the device that the orbits are around.

    Raises:
        VerificationError: they are not the fewest.
    """
    tail, head, hops = quotient.tail, quotient.head, search_hops(quotient)
    leads = (hops[tail] != FAR) & (hops[head] != FAR) & (hops[head] == hops[tail] - 1)
    leads &= quotient.forwards[head] | (hops[head] == 0)
    found = Levels(quotient, hops, leads)
    check_levels(found.stated)
    return found


def search_hops(quotient: Quotient) -> Ints:
    """Return the hops of all nodes to the device that the orbits are around, level by level, [nodes]."""
    tail, head = quotient.tail, quotient.head
    hops = np.full(quotient.nodes, FAR, dtype=np.int64)
    hops[quotient.nodes_of(quotient.source)] = 0
    frontier = hops == 0
    level = 0
    while frontier.any():
        level += 1
        fresh = tail[frontier[head] & (hops[tail] == FAR)]
        hops[fresh] = level
        frontier = np.zeros(quotient.nodes, dtype=bool)
        frontier[fresh] = True
        frontier &= quotient.forwards
    return hops


@frozen(eq=False)
class PairCounts:
    """How many ordered pairs of different devices have each distance; `unreachable` pairs have no path. The ids are of
    a pair with the most, which had the distance `before` anything was lost."""

    distance: Ints
    pairs: Ints
    unreachable: int
    source_id: int
    target_id: int
    before: int


def hop_counts(network: PlanNetwork, senders: frozenset[int], receivers: frozenset[int]) -> PairCounts:
    """Return the hops over all pairs of a device of some places and a different one of others."""
    return count_pairs(network, senders, receivers, lambda quotient: levels_to_source(quotient).device_hops())


def count_pairs(
    network: PlanNetwork,
    senders: frozenset[int],
    receivers: frozenset[int],
    distances: Callable[[Quotient], Ints],
) -> PairCounts:
    """Return the distances over all pairs of a device of some places and a different one of others, given those of the
    orbits of devices to the device that the orbits are around, [D] (`FAR`: no path)."""
    values: dict[int, int] = {}
    unreachable, worst = 0, (-1, -1, -1, -1)
    for target, copies in network.sources(receivers):
        quotient = network.around(target)
        distance = distances(quotient)
        some = quotient.members(senders)
        some[quotient.source] = False
        for value, size in zip(distance[some].tolist(), quotient.device_size[some].tolist(), strict=True):
            if value == FAR:
                unreachable += copies * size
            else:
                values[value] = values.get(value, 0) + copies * size
        joined = np.flatnonzero(some & (distance != FAR))
        largest = int(distance[joined].max(initial=-1))
        if largest > worst[0]:
            farthest = min(joined[distance[joined] == largest].tolist(), key=quotient.device_id)
            before = largest
            if network.lost:  # the same orbits, with all cables
                before = int(distances(network.whole.around(target))[farthest])
            worst = (largest, quotient.device_id(farthest), quotient.device_id(quotient.source), before)
    order = sorted(values)
    return PairCounts(
        np.array(order, dtype=np.int64), np.array([values[v] for v in order], dtype=np.int64), unreachable,
        worst[1], worst[2], worst[3],
    )  # fmt: skip


def shortest_loads(network: PlanNetwork, members: frozenset[int], routing: Literal["ecmp", "wcmp"]) -> Floats | None:
    """Return what all arcs of each orbit carry together when every device of some places sends 1 to every other one of
    them, [orbits]; None where a pair has no path."""
    total = np.zeros(len(network.orbit_cables))
    for target, copies in network.sources(members):
        quotient = network.around(target)
        sending = quotient.members(members)
        sending[quotient.source] = False
        load = loads_to_source(quotient, np.where(sending, quotient.device_size, 0).astype(np.float64), routing)
        if load is None:
            return None
        total += copies * bincount(quotient.orbit, load, len(total))
    return total


def loads_to_source(quotient: Quotient, sent: Floats, routing: Literal["ecmp", "wcmp"]) -> Floats | None:
    """Return the load of each arc of a quotient, over all members of its tail, when orbits of devices send `sent` [D]
    together to the source; None where they have no path.

    Raises:
        VerificationError: they do not balance, or are not shared as the routing says.
    """
    levels = levels_to_source(quotient)
    weight = quotient.count.astype(np.float64)
    if routing == "wcmp":
        weight = weight * quotient.capacity_Bps[quotient.kind]
    if (levels.device_hops()[sent > 0] == FAR).any():
        return None
    load = shared_loads(levels, sent, weight)
    check_loads(StatedLoads(levels.stated, quotient.device, weight, sent, load))
    return load


def shared_loads(levels: Levels, sent: Floats, weight: Floats) -> Floats:
    """Return the load of each arc where vertices share what they have over the arcs that lead nearer by `weight`."""
    quotient, min_hops = levels.quotient, levels.device_hops()
    weight = np.where(levels.leads, weight, 0.0)
    nearer = bincount(quotient.tail, weight, quotient.nodes)
    share = np.where((levels.hops == min_hops[quotient.device]) & (levels.hops != FAR), nearer, 0.0)
    whole = bincount(quotient.device, share, quotient.devices)
    part = np.divide(share, whole[quotient.device], out=np.zeros(quotient.nodes), where=whole[quotient.device] > 0)
    carried = part * sent[quotient.device]
    load = np.zeros(len(weight))
    used = np.where(levels.leads, levels.hops[quotient.tail], 0)
    for level in range(int(used.max(initial=0)), 0, -1):
        arcs = np.flatnonzero(used == level)
        load[arcs] = carried[quotient.tail[arcs]] * weight[arcs] / nearer[quotient.tail[arcs]]
        np.add.at(carried, quotient.head[arcs], load[arcs])
    return load
