"""What failures have taken: end points, pairs that had a path, capacity between tiers; each is counted anew."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ids, Ints
from unifiedbus_dsl.verify.reach import Reach
from unifiedbus_dsl.verify.tiers import band_capacities, check_bands, check_tiers


@frozen(eq=False)
class ImpactCertificate:
    """Of the end points `members` [E], with the cables `before`, `lost` are gone, and `cut_off` are there and have no
    path to end point `best` (-1: none is cut off) any more; so many pairs have lost their path. `tier` [V] and the
    bands are of the members before: capacity one way, byte/s, before and after."""

    before: Cables
    members: Bools
    gone: Bools
    lost: Ints
    cut_off: Ints
    pairs_cut: int
    best: int
    tier: Ids
    bands: list[tuple[int, int]]
    before_Bps: Floats  # noqa: N815
    after_Bps: Floats  # noqa: N815

    def prove(self, cables: Cables) -> Proved:
        """Return how many pairs have lost their path."""
        gone = np.flatnonzero(self.members & self.gone)
        require(np.array_equal(gone, self.lost), "what is lost is counted wrongly")
        check_tiers(self.before, self.members, self.tier)
        check_bands(band_capacities(self.before, self.tier), self.bands, self.before_Bps)
        check_bands(band_capacities(cables, self.tier), self.bands, self.after_Bps)
        left = self.members & ~self.gone
        once, now = Reach.of(self.before, left), Reach.of(cables, left)
        reached = now.reached(left)
        pairs = int((once.reached(left) - reached).sum()) // 2
        require(pairs == self.pairs_cut, "pairs that lost their path are counted wrongly")
        if self.best < 0:
            require(not pairs and not len(self.cut_off), "pairs lost their path, and none is said to be cut off")
            return Proved.exactly(pairs)
        require(bool(left[self.best]) and reached[self.best] == reached.max(), "another end point reaches more")
        parted = once.reached_from(self.best) & ~now.reached_from(self.best)
        require(np.array_equal(np.flatnonzero(parted), np.sort(self.cut_off)), "what is cut off is counted wrongly")
        return Proved.exactly(pairs)
