"""What the cables of switches carry down and up, added up from the fabric's cables."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Ids, Ints
from unifiedbus_dsl.verify.tiers import check_tiers


@frozen(eq=False)
class UpDownCertificate:
    """Tiers [V] from the end points `members` [E], and the vertices of the switches that are asked about: the answer is
    the largest ratio of down to up among those with cables up."""

    members: Bools
    tier: Ids
    switches: Ints

    def prove(self, cables: Cables) -> Proved:
        """Return the largest ratio."""
        check_tiers(cables, self.members, self.tier)
        require((cables.end[self.switches] < 0).all(), "an end point is taken for a switch")
        down, up = np.zeros(cables.vertices), np.zeros(cables.vertices)
        for some in cables.pieces():
            a, b = cables.a[some], cables.b[some]
            left = cables.left(some) & (a != b)
            a, b, rate = a[left], b[left], cables.capacity(some)[left]
            for here, there in ((a, b), (b, a)):
                lower = self.tier[there] < self.tier[here]
                higher = self.tier[there] > self.tier[here]
                down += np.bincount(here[lower], weights=rate[lower], minlength=cables.vertices)
                up += np.bincount(here[higher], weights=rate[higher], minlength=cables.vertices)
        climbs = self.switches[up[self.switches] > 0]
        require(len(climbs) > 0, "no switch has a cable up")
        return Proved.exactly(float((down[climbs] / up[climbs]).max()))
