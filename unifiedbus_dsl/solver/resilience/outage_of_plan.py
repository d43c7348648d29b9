"""What a damaged plan has lost, where all end points that are left are connected."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork
from unifiedbus_dsl.solver.from_plan.shortest import hop_counts
from unifiedbus_dsl.solver.from_plan.tiers import bands_of, tiers_of
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
        if counts.unreachable or not len(counts.distance):
            raise NotProvedError("some end points are cut off")
        source, target, after = 0, 0, int(counts.distance[-1])
        pair, before = (counts.source_id, counts.target_id), counts.before
    none = np.zeros(0, dtype=np.int64)
    gone = np.zeros(lost, dtype=np.int64)
    return OutageImpact(gone, none, left, 0, _tiers(network, members), source, target, before, after, -1, pair)


def _tiers(network: PlanNetwork, members: frozenset[int]) -> tuple[Tier, ...]:
    """Return the capacity of cables by the tiers that they join, before and after; tiers as they were before."""
    base, whole = network.base, network.whole.base
    tier = tiers_of(whole, members)
    before, after = (
        {(band.low, band.high): band.capacity_Bps for band in bands_of(quotient, tier)} for quotient in (whole, base)
    )
    return tuple(Tier(*ends, capacity, after.get(ends, 0.0)) for ends, capacity in before.items())
