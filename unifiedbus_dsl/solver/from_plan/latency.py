"""Zero-load latencies of all pairs on the orbits around a target: sums over cables and the devices passed.

    time(n) = least over arcs (n, h) of latency(a) + time(h) + passing(h),    passing(target) = 0

Cables of other lengths are of other kinds (`PlanNetwork.timed`), so that the times of an orbit's members are one.
"""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.solver.from_plan.shortest import FAR, PairCounts, count_pairs
from unifiedbus_dsl.solver.paths.distances import resolution_s
from unifiedbus_dsl.verify.plan_times import StatedTimes, check_times


def latency_counts(
    network: PlanNetwork, senders: frozenset[int], receivers: frozenset[int]
) -> tuple[PairCounts, float]:
    """Return the least latencies over all pairs of a device of some places and a different one of others, as multiples
    of so many seconds.

    Raises:
        NotProvedError: lengths are those of a floor plan, or there are many orbits.
        VerificationError: they are not the least.
    """
    resolution = resolution_s(network.cable_latency_s, network.device_latency_s)

    def distances(quotient: Quotient) -> Ints:
        time = np.minimum.reduceat(times_to_source(network, quotient), quotient.first)
        joined = np.isfinite(time)
        multiples = np.round(np.where(joined, time, 0.0) / resolution).astype(np.int64)
        return np.where(joined, multiples, FAR)

    return count_pairs(network, senders, receivers, distances), resolution


def times_to_source(network: PlanNetwork, quotient: Quotient) -> Floats:
    """Return the least latency of all nodes to the device that the orbits are around, [nodes] s; infinite where there
    is no path. All arcs at once, until nothing is shorter."""
    tail, head, target = quotient.tail, quotient.head, quotient.device == quotient.source
    passing = np.where(target, 0.0, network.device_latency_s[quotient.cells.place])
    taken = quotient.forwards | target
    cost = np.where(taken[head], network.cable_latency_s[quotient.kind] + passing[head], np.inf)
    time = np.where(target, 0.0, np.inf)
    while True:
        offered = time.copy()
        np.minimum.at(offered, tail, cost + time[head])
        if not (offered < time).any():
            break
        time = offered
    check_times(
        StatedTimes(tail, head, target, quotient.forwards, network.cable_latency_s[quotient.kind], passing, time)
    )
    return time
