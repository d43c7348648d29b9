"""What is known of the bisection of a damaged machine from that of the whole one.

Let M be the whole machine with n members to be halved, and M' what is left, in which k of the members, R, stand without
a cable and are not halved any more. F are the other vertices that pass traffic on and have lost every cable.

**From below.** Take any cut of M' that halves its n - k members, and add R and F to it, which costs nothing in M'. With
a of R on the side of floor((n - k)/2) members, for a = floor(n/2) - floor((n - k)/2) or ceil(n/2) - floor((n - k)/2),
it halves the members of M. In M it has, beyond its capacity in M', what the cables that it crosses have lost. So

    bisection(M) <= bisection(M') + sum of what each cable has lost, if it is crossed

for every way to place R and F, and for the mean over ways of chance: each of F on either side with chance 1/2, and of R
any a of the k. A cable is then crossed with the chance

    1/2                         where an end is of F
    2 a (k - a) / (k (k - 1))   between two of R
    max(a, k - a) / k           at most, where one end is of R and the other neither of R nor of F
    1                           at most, elsewhere.

Of n even and k odd only a = (k + 1)/2 is possible; of n and k odd (k - 1)/2 and (k + 1)/2 are, and half of each makes
the third chance 1/2. A cable between vertices of one end point is never crossed.

**From above.** Any halving cut of M' is an upper bound. The best one of M is among them, with what it has left, where
it still halves the members; where it does not, members change sides until it does, those first whose capacity is on the
other side.
"""

from __future__ import annotations

from math import inf

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.from_fabric import arc_kinds, cable_ends
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.bisection.bisection import Bisection, Known
from unifiedbus_dsl.solver.bisection.proved_bound import ProvedBound
from unifiedbus_dsl.verify.bisection import LessLosses

ROUNDING = 1e-12
"""Relative: what adding up millions of cables in another order may change."""


@frozen(eq=False)
class Outage:
    """What has failed of a fabric: the part of its capacity that each cable had and has ([cables], None: all of it).
    `network` is what is left; of the end points `before` those that are `gone` are lost with all their cables."""

    fabric: Fabric
    health_before: Floats | None
    health_after: Floats | None
    network: Network
    before: Ints
    gone: Ints

    def known(self, base: Bisection) -> Known:
        """Return what the bisection of the whole machine says of that of what is left."""
        taken = self.taken_Bps()
        value = max(0.0, base.capacity.lower * (1 - ROUNDING) - taken)
        proof = LessLosses(base.proof, self.network.selected(self.before), self.health_before)
        lower = ProvedBound(value, f"{base.reason_below}, less what is lost", proof)
        left = self.network.selected(np.setdiff1d(self.before, self.gone))
        return Known(lower, (halved_again(self.network, base.vertex_side, left),), (base.vertex_side,))

    def share(self, base: Bisection) -> tuple[float, float]:
        """Return bounds on the part of its bisection that the machine has left, from what is lost alone."""
        lower = base.capacity.lower
        min_part = max(0.0, 1 - self.taken_Bps() / lower) if lower > 0 else 0.0
        return min_part, 1.0 if not len(self.gone) else inf

    def taken_Bps(self) -> float:  # noqa: N802
        """Return the capacity, byte/s, that a halving cut has less at most (see above)."""
        network, members = self.network, self.network.selected(self.before)
        a, b = cable_ends(self.fabric)
        lost = arc_kinds(self.fabric).capacity_Bps[self.fabric.kind] * self._lost()
        member = network.on_vertices(members)
        passes = network.forwards | member
        node = np.where(member, network.end, network.ends + np.arange(network.vertices))
        some = np.flatnonzero((lost > 0) & passes[a] & passes[b] & (node[a] != node[b]))
        a, b, lost = a[some], b[some], lost[some]
        free = (np.diff(network.indptr) == 0) & ~member
        out = network.on_vertices(network.selected(self.gone))
        beside, within = chances(len(self.before), len(self.gone))
        chance = np.where(out[a] | out[b], beside, 1.0)
        chance[out[a] & out[b]] = within
        chance[free[a] | free[b]] = 0.5
        ways = 1 if network.turned is None else 2  # a cut may part the two ways of a line, and go through a cable twice
        return float((lost * chance).sum()) * ways * (1 + ROUNDING)

    def _lost(self) -> Floats:
        """Return the part of its capacity that each cable has lost, [cables]."""
        ones = np.ones(self.fabric.cable_count)
        before, after = (ones if health is None else health for health in (self.health_before, self.health_after))
        return np.maximum(before - after, 0.0)


def chances(n: int, k: int) -> tuple[float, float]:
    """Return the chances that a cable of one of k lost members out of n is crossed: with an end elsewhere, and with
    both ends at two of them."""
    if k == 0:
        return 0.0, 0.0
    a = (k + 1) // 2
    beside = a / k if n % 2 == 0 else 0.5
    return beside, 2 * a * (k - a) / (k * (k - 1)) if k > 1 else 0.0


def halved_again(network: Network, side: Bools, left: Bools) -> Bools:
    """Return a half ([E]) of the end points `left` that is near a cut ([V]) which need not halve them any more."""
    member = network.on_vertices(left)
    half = left & network.selected(np.unique(network.end[member & side]))
    goal = int(left.sum()) // 2
    surplus = int(half.sum()) - goal
    if surplus == 1 and int(left.sum()) % 2:
        return left & ~half
    if not surplus:
        return half
    passes = network.forwards | member
    sign = np.where(side, 1.0, -1.0) * passes
    pull = np.zeros(network.vertices)
    for begin in range(0, network.arcs, 1 << 20):
        some = slice(begin, begin + (1 << 20))
        pull += bincount(network.tail[some], network.capacity_Bps[some] * sign[network.head[some]], network.vertices)
    of_end = bincount(network.end[member], pull[member], network.ends)
    from_half = half if surplus > 0 else left & ~half
    movers = np.flatnonzero(from_half)
    order = np.argsort(of_end[movers] if surplus > 0 else -of_end[movers], kind="stable")
    half = half.copy()
    half[movers[order[: abs(surplus)]]] = surplus < 0
    return half
