"""Bounds of a bisection, each checked by adding up its proof: a cut from above; from below every cut, flows that any
halving cut must carry, or a matrix without negative eigenvalues.

A cut parts the vertices through which something passes: those that forward, and those of the members, which software
lets through (an end point is on one side as a whole). Its capacity one way is that of the cables between the sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from math import gcd
from typing import Protocol

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints

MAX_COUNTED = 20
"""Vertices up to which every side of each is tried."""


class LowerBound(Protocol):
    """What shows that no halving cut is less."""

    def prove(self, cables: Cables, members: Bools) -> float:
        """The lower bound that is shown, byte/s."""
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
        return Proved(self.lower.prove(cables, self.members), self.cut.prove(cables, self.members))


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


@frozen
class EveryCut:
    """Every halving cut, for a few vertices."""

    def prove(self, cables: Cables, members: Bools) -> float:
        weight, ends = capacity_matrix(cables, members)
        free = np.flatnonzero(ends < 0)
        of = [np.flatnonzero(ends == end) for end in np.unique(ends[ends >= 0])]
        require(len(of) + len(free) <= MAX_COUNTED, "too many vertices to try every cut")
        pattern = (np.arange(1 << len(free))[:, None] >> np.arange(len(free)) & 1).astype(np.float64)
        best = np.inf
        # the complement of a cut is as large: the first end point stays on the far side where halves are equal
        for half in _halves(len(of)):
            side = np.zeros((len(pattern), len(weight)))
            side[:, free] = pattern
            for k in half:
                side[:, of[k]] = 1.0
            best = min(best, float(((side @ weight) * (1.0 - side)).sum(axis=1).min()))
        return best


def _halves(count: int) -> Iterable[tuple[int, ...]]:
    """Halves of so many; of each and its complement one."""
    others = range(1, count)
    return combinations(others, count // 2) if count % 2 == 0 else combinations(range(count), count // 2)


@frozen(eq=False)
class EigenvalueBound:
    """Numbers `d` of the vertices that pass (in order), and `pull`, such that

        L - diag(d) + pull · m m'   is positive semidefinite,

    L the Laplacian of the capacities and m the members: with x = ±1 on the sides, 4 · cut = x'Lx >= sum d - pull · s^2
    where s, the sum of x over the members, is 0 or ±1. The vertices of a member count as one (its least).
    """

    d: Floats
    pull: float

    def prove(self, cables: Cables, members: Bools) -> float:
        weight, ends = capacity_matrix(cables, members, merged=True)
        require(len(self.d) == len(weight) and self.pull >= 0, "one number for each vertex")
        member = (ends >= 0).astype(np.float64)
        matrix = np.diag(weight.sum(axis=1) - self.d) - weight + self.pull * np.outer(member, member)
        # what rounding may hide in the factorisation (Rump, BIT 46, 2006) is taken from the diagonal first
        rounding = 8 * (len(matrix) + 2) * 2.0**-53 * (float(np.abs(np.diagonal(matrix)).sum()) + float(weight.max()))
        matrix[np.diag_indices(len(matrix))] -= rounding
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            require(False, "the matrix of an eigenvalue bound has a negative eigenvalue")
        return max(0.0, (float(self.d.sum()) - self.pull * (int(members.sum()) % 2)) / 4)


@frozen(eq=False)
class FlowBound:
    """Loads [C], forth and back, of flows that go at once between members: `pair_rate` from each to each other, and
    `vertex_rate` [V] from each to a vertex and as much back. Any halving cut carries at least

        pair_rate · floor(n/2) · ceil(n/2) + floor(n/2) · sum of vertex_rate.

    The loads conserve all flows together and fit the cables; that each is a flow of its own is the solver's proof.
    """

    forth_Bps: Floats  # noqa: N815
    back_Bps: Floats  # noqa: N815
    pair_rate: float
    vertex_rate: Floats

    def prove(self, cables: Cables, members: Bools) -> float:
        n = int(members.sum())
        passes = cables.forwards | cables.members(members)
        gain, moved = np.zeros(cables.vertices), 0.0
        for some in cables.pieces():
            a, b = cables.a[some], cables.b[some]
            forth, back = self.forth_Bps[some], self.back_Bps[some]
            room = cables.capacity(some) * (1 + 1e-9)
            require(not (np.minimum(forth, back) < 0).any(), "a load is negative")
            require(not (np.maximum(forth, back) > room).any(), "a load is above the capacity of its cable")
            require(not (np.maximum(forth, back)[~(passes[a] & passes[b])] > 0).any(), "a flow goes where none passes")
            gain += np.bincount(b, forth - back, cables.vertices) - np.bincount(a, forth - back, cables.vertices)
            moved += float(forth.sum() + back.sum())
        require(float(np.abs(gain).sum()) <= 1e-6 * moved, "flows there and back do not balance")
        require(self.pair_rate >= 0 and not (self.vertex_rate < 0).any(), "a rate is negative")
        least = self.pair_rate * n * (n - 1) + 2 * n * float(self.vertex_rate.sum())
        require(moved >= least * (1 - 1e-9), "the loads are less than the flows make")
        return self.pair_rate * (n // 2) * (n - n // 2) + (n // 2) * float(self.vertex_rate.sum())


@frozen(eq=False)
class WholeUnits:
    """A lower bound, rounded up to the next capacity that a cut can have.

    All capacities are multiples of one unit, so cuts are too. Where free vertices have even degrees in units and those
    of the members have one parity, all halving cuts have the parity of the degrees of a half.
    """

    bound: LowerBound

    def prove(self, cables: Cables, members: Bools) -> float:
        below = self.bound.prove(cables, members)
        pair, capacity, end = _pairs(cables, members, merged=True)
        require(not (capacity != np.round(capacity)).any(), "capacities are no whole numbers of byte/s")
        unit = 0
        for value in np.unique(capacity).tolist():
            unit = gcd(unit, int(value))
        if unit == 0:
            return below
        degree = np.zeros(len(end), dtype=np.int64)
        for side in pair:
            np.add.at(degree, side, (capacity / unit).astype(np.int64))
        steps = int(np.ceil(below / unit * (1 - 1e-12)))
        n, odd = int(members.sum()), degree % 2
        of_members = odd[end >= 0]
        one_parity = of_members.min() == of_members.max() and (n % 2 == 0 or not of_members.any())
        if one_parity and not odd[end < 0].any():
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


def capacity_matrix(cables: Cables, members: Bools, *, merged: bool = False) -> tuple[Floats, Ints]:
    """Capacity one way between each two vertices that pass, byte/s, and the member of each (-1: free); `merged`: the
    vertices of a member as one, in the place of its first."""
    (a, b), capacity, end = _pairs(cables, members, merged=merged)
    weight = np.zeros((len(end), len(end)))
    np.add.at(weight, (a, b), capacity)
    np.add.at(weight, (b, a), capacity)
    return weight, end


def _pairs(
    cables: Cables, members: Bools, *, merged: bool
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], Floats, Ints]:
    """Both ends of each cable between vertices that pass, numbered anew, its capacity, and the member of each of these
    vertices."""
    member = cables.members(members)
    passes = cables.forwards | member
    to = np.arange(cables.vertices)
    if merged:
        first = np.full(cables.ends, cables.vertices, dtype=np.int64)
        at = np.flatnonzero(member)
        np.minimum.at(first, cables.end[at], at)
        to[at] = first[cables.end[at]]
    kept = np.flatnonzero(passes & (to == np.arange(cables.vertices)))
    number = np.full(cables.vertices, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    number = number[to]
    a, b, capacity = number[cables.a], number[cables.b], cables.capacity(slice(None))
    some = passes[cables.a] & passes[cables.b] & (a != b) & (capacity > 0)
    return (a[some], b[some]), capacity[some], np.where(member[kept], cables.end[kept], -1).astype(np.int64)
