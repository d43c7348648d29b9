"""Cables by the tiers that they join, on the orbits of a plan. The tier of a vertex is its distance from end points."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.solver.from_plan.shortest import FAR
from unifiedbus_dsl.verify.plan_tiers import StatedTiers, check_tiers


@frozen(eq=False)
class PlanBand:
    """The cables between tiers `low` and `high`: how many, what they carry one way, and the kinds that they are of."""

    low: int
    high: int
    cables: int
    capacity_Bps: float  # noqa: N815
    kinds: tuple[int, ...]


@frozen(eq=False)
class PlanTiers:
    """How many tiers there are, and the bands between them, lowest first; -1 is where no end point is reached."""

    count: int
    bands: tuple[PlanBand, ...]


def plan_tiers(network: PlanNetwork, members: frozenset[int]) -> PlanTiers:
    """Return the cables by the tiers that they join, counted from the end points of some places.

    Raises:
        VerificationError: they do not hold.
    """
    base = network.base
    tier = tiers_of(base, members)
    bands = bands_of(base, tier)
    check_tiers(
        StatedTiers(
            base.tail, base.head, base.size[base.tail] * base.count, base.capacity_Bps[base.kind],
            base.members(members)[base.device], tier,
            tuple((band.low, band.high, band.cables, band.capacity_Bps) for band in bands),
        )
    )  # fmt: skip
    return PlanTiers(int(tier.max(initial=0)) + 1, bands)


def tiers_of(quotient: Quotient, members: frozenset[int]) -> Ints:
    """Return the hops from each node to the nearest member, passing through anything, -1 where there is none."""
    tier = np.where(quotient.members(members)[quotient.device], 0, FAR)
    level = 0
    while (fresh := quotient.tail[(tier[quotient.head] == level) & (tier[quotient.tail] == FAR)]).size:
        level += 1
        tier[fresh] = level
    return np.where(tier == FAR, -1, tier)


def bands_of(quotient: Quotient, tier: Ints) -> tuple[PlanBand, ...]:
    """Return the cables by the tiers of their ends, lowest first, for some tiers of the nodes."""
    cables = quotient.size[quotient.tail] * quotient.count
    ends = np.sort(np.stack([tier[quotient.tail], tier[quotient.head]], axis=1), axis=1)
    pairs, place = np.unique(ends, axis=0, return_inverse=True)
    bands = []
    for number, (low, high) in enumerate(pairs.tolist()):
        here = np.flatnonzero(place.ravel() == number)
        carried = float((cables[here] * quotient.capacity_Bps[quotient.kind[here]]).sum()) / 2
        kinds = tuple(np.unique(quotient.kind[here]).tolist())
        bands.append(PlanBand(low, high, int(cables[here].sum()) // 2, carried, kinds))
    return tuple(bands)
