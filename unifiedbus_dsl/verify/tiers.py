"""Cables by the tiers that they join, shown by the tier of each vertex: how many cables it is from the end points."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ids, Ints

SAME = 1e-9
"""Relative difference of two sums of capacities that are the same but for the order of addition."""


def check_tiers(cables: Cables, members: Bools, tier: Ids) -> None:
    """Hold tiers [V] to be the fewest cables from the end points `members` [E], through anything; -1 where there is no
    way: those of members are 0, a cable joins tiers that differ by one at the most, and each but 0 has one below it.

    Raises:
        VerificationError: they are not.
    """
    start = cables.members(members)
    require(len(tier) == cables.vertices and ((tier == 0) == start).all(), "the tiers do not begin at the end points")
    below = start.copy()
    for some in cables.pieces():
        a, b = cables.a[some], cables.b[some]
        left = cables.left(some) & (a != b)
        a, b = a[left], b[left]
        one, two = tier[a], tier[b]
        require(not (((one < 0) != (two < 0)) | (np.abs(one - two) > 1)).any(), "a cable skips a tier")
        below[a[one > two]] = True
        below[b[two > one]] = True
    if cables.sided:  # a line is passed through either way here
        below |= below[cables.turned]
    require((below | (tier < 0)).all(), "a tier has nothing below it")


def band_capacities(cables: Cables, tier: Ids) -> dict[tuple[int, int], tuple[int, float]]:
    """Return how many cables join each two tiers, the lower first, and what they carry one way, byte/s."""
    wide = int(tier.max(initial=0)) + 2
    bands: dict[int, tuple[int, float]] = {}
    for some in cables.pieces():
        a, b = cables.a[some], cables.b[some]
        left = cables.left(some) & (a != b)
        one, two = tier[a[left]].astype(np.int64) + 1, tier[b[left]].astype(np.int64) + 1
        code, place = np.unique(np.minimum(one, two) * wide + np.maximum(one, two), return_inverse=True)
        count = np.bincount(place.ravel(), minlength=len(code))
        rate = np.bincount(place.ravel(), weights=cables.capacity(some)[left], minlength=len(code))
        for key, many, much in zip(code.tolist(), count.tolist(), rate.tolist(), strict=True):
            before = bands.get(key, (0, 0.0))
            bands[key] = before[0] + many, before[1] + much
    return {(key // wide - 1, key % wide - 1): value for key, value in bands.items()}


@frozen(eq=False)
class TiersCertificate:
    """Bands between tiers `low[b]` and `high[b]`: so many `cables[b]`, and `capacity_Bps[b]` one way."""

    members: Bools
    tier: Ids
    low: Ints
    high: Ints
    cables: Ints
    capacity_Bps: Floats  # noqa: N815

    def prove(self, cables: Cables) -> Proved:
        """Return how many tiers there are."""
        check_tiers(cables, self.members, self.tier)
        claimed = zip(self.low.tolist(), self.high.tolist(), strict=True)
        check_bands(band_capacities(cables, self.tier), list(claimed), self.capacity_Bps, self.cables)
        return Proved.exactly(int(self.tier.max(initial=-1)) + 1)


def check_bands(
    found: dict[tuple[int, int], tuple[int, float]],
    bands: list[tuple[int, int]],
    capacity_Bps: Floats,  # noqa: N803
    count: Ints | None = None,
) -> None:
    """Hold what bands carry, and how many cables they have, to what was added up; a band may have none left.

    Raises:
        VerificationError: they differ.
    """
    require(set(found) <= set(bands) and len({*bands}) == len(bands), "the bands are not those of the cables")
    rows = [found.get(band, (0, 0.0)) for band in bands]
    require(count is None or [row[0] for row in rows] == count.tolist(), "the cables of a band are counted wrongly")
    carried = np.array([row[1] for row in rows])
    require((np.abs(carried - capacity_Bps) <= SAME * carried).all(), "the capacity of a band is added up wrongly")
