"""Bounds of a bisection, each checked by adding up its proof: a cut from above; from below one of those here and in
`counted_cuts` (all cuts), `eigenvalues` (a matrix without negative ones) and `class_flows` (what any cut must carry).

A cut parts the vertices through which something passes: those that forward, and those of the members, which software
lets through (an end point is on one side as a whole). Its capacity one way is that of the cables between the sides.
"""

from __future__ import annotations

from math import gcd
from typing import Protocol

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats
from unifiedbus_dsl.verify.halving_graph import HalvingGraph, halving_graph


class LowerBound(Protocol):
    """What shows that no halving cut is less."""

    def prove(self, cables: Cables, members: Bools) -> float:
        """Return the lower bound that is shown, byte/s."""
        ...


@frozen(eq=False)
class Cut:
    """The vertices of one side, [V]."""

    side: Bools

    def prove(self, cables: Cables, members: Bools) -> float:
        """Its capacity one way, byte/s, after its halves of the members ([E]) were counted."""
        require(len(self.side) == cables.vertices, "a cut says the side of each vertex")
        at = np.flatnonzero(cables.members(members))
        end, side = cables.end[at], self.side[at]
        near, far = np.zeros(cables.ends, dtype=bool), np.zeros(cables.ends, dtype=bool)
        near[end[side]] = True
        far[end[~side]] = True
        require(not (near & far).any(), "a cut goes through an end point")
        half, count = int(near.sum()), int(members.sum())
        require(half in (count // 2, count - count // 2), f"a cut has {half} of {count} end points on one side")
        passes = cables.forwards | cables.members(members)
        total = 0.0
        for some in cables.pieces():
            a, b = cables.a[some], cables.b[some]
            require((self.side[cables.a_in[some]] == self.side[a]).all(), "a cut goes through a line of two sides")
            require((self.side[cables.b_out[some]] == self.side[b]).all(), "a cut goes through a line of two sides")
            parted = (self.side[a] != self.side[b]) & passes[a] & passes[b]
            total += float(cables.capacity(some)[parted].sum())
        return total


@frozen(eq=False)
class BisectionCertificate:
    """A cut and what shows that there is no smaller one, for the end points `members` [E]."""

    members: Bools
    cut: Cut
    lower: LowerBound

    def prove(self, cables: Cables) -> Proved:
        require(int(self.members.sum()) >= 2, "a bisection is of two end points at the least")
        doubts = ("that no halving cut is less than the lower bound",) if is_stated(self.lower) else ()
        return Proved(self.lower.prove(cables, self.members), self.cut.prove(cables, self.members), doubts)


# ---- lower bounds ---------------------------------------------------------------------------------------------------


@frozen
class NoBound:
    """Capacities are not negative."""

    def prove(self, cables: Cables, members: Bools) -> float:
        return 0.0


@frozen
class StatedBound:
    """A bound that its finder has shown; it is held to the cut alone."""

    value_Bps: float  # noqa: N815

    def prove(self, cables: Cables, members: Bools) -> float:
        return self.value_Bps


def is_stated(bound: LowerBound) -> bool:
    """Return whether a bound rests on one that its finder has shown and nobody adds up anew."""
    return isinstance(bound, StatedBound) or (isinstance(bound, WholeUnits | LessLosses) and is_stated(bound.bound))


@frozen
class OneCable:
    """A cut of what is connected goes through a cable: no less than the narrowest."""

    def prove(self, cables: Cables, members: Bools) -> float:
        graph = halving_graph(cables, members, reduced=False)
        require(_connected(graph), "the end points of a bisection are not connected")
        passes = cables.forwards | cables.members(members)
        min_capacity = np.inf
        for some in cables.pieces():
            a, b, capacity = cables.a[some], cables.b[some], cables.capacity(some)
            min_capacity = min(
                min_capacity, float(capacity[(capacity > 0) & passes[a] & passes[b]].min(initial=np.inf))
            )
        return min_capacity


def _connected(graph: HalvingGraph) -> bool:
    """Return whether links join all members."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = coo_matrix((np.ones(len(graph.a)), (graph.a, graph.b)), shape=(graph.nodes, graph.nodes))
    part = connected_components(links, directed=False)[1][graph.member]
    return bool((part == part[0]).all())


@frozen(eq=False)
class WholeUnits:
    """A lower bound, rounded up to the next capacity that a cut can have.

    All capacities are multiples of one unit, so cuts are too. Where free vertices have even degrees in units and those
    of the members have one parity, all halving cuts have the parity of the degrees of a half.
    """

    bound: LowerBound

    def prove(self, cables: Cables, members: Bools) -> float:
        below = self.bound.prove(cables, members)
        graph = halving_graph(cables, members)
        require(not (graph.capacity != np.round(graph.capacity)).any(), "capacities are no whole numbers of byte/s")
        unit = gcd(*np.unique(graph.capacity).astype(np.int64).tolist())
        if unit == 0:
            return below
        odd = np.round(graph.degree / unit).astype(np.int64) % 2
        steps = int(np.ceil(below / unit * (1 - 1e-12)))
        n, of_members = int(members.sum()), odd[graph.member]
        one_parity = of_members.min() == of_members.max() and (n % 2 == 0 or not of_members.any())
        if one_parity and not odd[~graph.member].any():
            steps += (steps - int(of_members.max()) * (n // 2)) % 2
        return max(below, float(steps * unit))


@frozen(eq=False)
class LessLosses:
    """A lower bound of the machine before cables failed, whose cables had `health` ([C], None: all of it) and whose
    end points `before` [E] were halved, less what a cut can have lost since.

    A halving cut of what is left, with the lost members and all other vertices without a cable added by chance so that
    it halves those of before, has lost no more on average than each cable's loss times the chance that it is crossed;
    and it was no less than the bound.
    """

    bound: LowerBound
    before: Bools
    health: Floats | None

    def prove(self, cables: Cables, members: Bools) -> float:
        whole = evolve(cables, health=self.health)
        gone = self.before & ~members
        require(not (members & ~self.before).any(), "an end point is halved that was not before")
        member, out = cables.members(self.before), cables.members(gone)
        passes = cables.forwards | member
        bare = np.ones(cables.vertices, dtype=bool)
        for some in cables.pieces():
            left = cables.capacity(some) > 0
            bare[cables.a[some][left]] = bare[cables.b[some][left]] = False
        require(bare[out].all(), "an end point that is not halved any more has a cable")
        n, k = int(self.before.sum()), int(gone.sum())
        upper_part = (k + 1) // 2
        one = 0.5 if n % 2 or k % 2 == 0 else upper_part / k
        two = 2 * upper_part * (k - upper_part) / (k * (k - 1)) if k > 1 else 0.0
        taken = 0.0
        for some in cables.pieces():
            a, b = cables.a[some], cables.b[some]
            lost = np.maximum(whole.capacity(some) - cables.capacity(some), 0.0)
            apart = (a != b) & ~(member[a] & member[b] & (cables.end[a] == cables.end[b]))
            chance = np.select(
                [(bare & ~member)[a] | (bare & ~member)[b], out[a] & out[b], out[a] | out[b]], [0.5, two, one], 1.0
            )
            taken += float((lost * chance)[passes[a] & passes[b] & apart].sum())
        return max(0.0, self.bound.prove(whole, self.before) - taken)
