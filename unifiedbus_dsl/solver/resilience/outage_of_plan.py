"""What a damaged plan has lost, where all end points that are left are connected."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.solver.from_plan.shortest import FAR, hop_counts
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact, Tier


def outage_of_plan(network: PlanNetwork, members: frozenset[int]) -> OutageImpact:
    """Return what is gone of the end points of some places and of the cables.

    Raises:
        NotProvedError: some are cut off, or the plan does not show it.
    """
    left, whole = network.count(members), network.whole
    lost = whole.count(members) - left
    source = target = before = after = -1
    pair: tuple[int, int] | None = None
    if left > 1:
        counts = hop_counts(network, members, members)
        if counts.unreachable or not len(counts.hops):
            raise NotProvedError("some end points are cut off")
        source, target, after = 0, 0, int(counts.hops[-1])
        pair, before = (counts.source_id, counts.target_id), counts.hops_before
    none = np.zeros(0, dtype=np.int64)
    gone = np.zeros(lost, dtype=np.int64)
    return OutageImpact(gone, none, left, 0, _tiers(network, members), source, target, before, after, -1, pair)


def _tiers(network: PlanNetwork, members: frozenset[int]) -> tuple[Tier, ...]:
    """Return the capacity of cables by the tiers that they join, before and after; tiers as they were before."""
    base, whole = network.base, network.whole.base
    tier = tiers_of(whole, members)
    tiers: dict[tuple[int, int], list[float]] = {}
    for which, quotient in enumerate((whole, base)):
        capacity = quotient.size[quotient.tail] * quotient.count * quotient.capacity_Bps[quotient.kind] / 2
        ends = np.sort(np.stack([tier[quotient.tail], tier[quotient.head]], axis=1), axis=1)
        for (low, high), each in zip(ends.tolist(), capacity.tolist(), strict=True):
            tiers.setdefault((low, high), [0.0, 0.0])[which] += each
    return tuple(Tier(low, high, *tiers[low, high]) for low, high in sorted(tiers))


def tiers_of(quotient: Quotient, members: frozenset[int]) -> Ints:
    """Return the hops from each node to the nearest member, passing through anything, -1 where there is none."""
    tier = np.where(quotient.members(members)[quotient.device], 0, FAR)
    level = 0
    while (fresh := quotient.tail[(tier[quotient.head] == level) & (tier[quotient.tail] == FAR)]).size:
        level += 1
        tier[fresh] = level
    return np.where(tier == FAR, -1, tier)
