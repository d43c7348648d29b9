"""Who has a path to whom, found anew on the cables by hooking and jumping: an island is what forwarding vertices join.

Two end points have a path where they touch one island. End points that touch the same islands are of one sort. The
largest set of which each has a path to each other lies between a set that is grown greedily and the largest k such that
k end points reach k each; of a few sorts every set is tried.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved
from unifiedbus_dsl.verify.arcs import hashed
from unifiedbus_dsl.verify.cables import Bools, Cables, Ids, Ints
from unifiedbus_dsl.verify.components import components
from unifiedbus_dsl.verify.sided import sided_islands

FEW = 60
"""Sorts that are joined to some of the others only, up to which every set is tried."""
SORTS = 2_000
"""Sorts up to which a set is grown from each."""
AT_ONCE = 10_000_000
"""Pairs of sorts that are held at a time."""


@frozen(eq=False, slots=False)
class Reach:
    """Pairs of (`end`, `island`) that touch, each once, in order of end point."""

    ends: int
    end: Ints
    island: Ints

    @classmethod
    def of(cls, cables: Cables, members: Bools) -> Reach:
        """Between the end points `members` [E]."""
        if cables.sided:
            end, island = sided_islands(cables)
            some = members[end]
            wide = int(island.max(initial=0)) + 1
            key = np.unique(end[some] * wide + island[some])
            return cls(cables.ends, key // wide, np.unique(key % wide, return_inverse=True)[1])
        a, b = cables.a, cables.b
        left = a != b
        if cables.health is not None:
            left &= cables.health > 0
        a, b = a[left], b[left]
        out, into = cables.forwards[a], cables.forwards[b]
        both, none = out & into, ~out & ~into
        part = components(cables.vertices, a[both], b[both])
        own = np.flatnonzero(cables.forwards & (cables.end >= 0))
        straight = cables.vertices + np.arange(int(none.sum()))
        ways: list[tuple[Ids | Ints, Ints]] = [
            (cables.end[own], part[own]),
            (cables.end[a[~out & into]], part[b[~out & into]]),
            (cables.end[b[out & ~into]], part[a[out & ~into]]),
            (cables.end[a[none]], straight),
            (cables.end[b[none]], straight),
        ]
        end, island = (np.concatenate([way[side] for way in ways]).astype(np.int64) for side in (0, 1))
        some = members[end]
        wide = cables.vertices + len(straight) + 1
        key = np.unique(end[some] * wide + island[some])
        return cls(cables.ends, key // wide, np.unique(key % wide, return_inverse=True)[1])

    @cached_property
    def sort(self) -> Ints:
        """A number for each end point, equal for those that touch the same islands, [E]; -1 for those that touch none,
        and for those that are not asked about."""
        name = np.zeros(self.ends, dtype=np.uint64)
        number = self.island + 1  # of 0 the hash is 0
        np.add.at(name, self.end, hashed(number, number, number, 1))
        sort_of = np.full(self.ends, -1, dtype=np.int64)
        touching = np.unique(self.end)
        sort_of[touching] = np.unique(name[touching], return_inverse=True)[1]
        return sort_of

    @cached_property
    def weight(self) -> Ints:
        """End points of each sort, [S]."""
        return np.bincount(self.sort[self.sort >= 0])

    @cached_property
    def first(self) -> Ints:
        """One end point of each sort, [S]."""
        touching = np.flatnonzero(self.sort >= 0)
        return touching[np.unique(self.sort[touching], return_index=True)[1]]

    @cached_property
    def _touch(self) -> Any:
        """Which islands each sort touches, as a sparse matrix [S, islands]."""
        from scipy.sparse import csr_matrix

        chosen = np.isin(self.end, self.first)
        rows = self.sort[self.end[chosen]]
        shape = len(self.first), int(self.island.max(initial=-1)) + 1
        return csr_matrix((np.ones(len(rows), np.int32), (rows, self.island[chosen])), shape=shape)

    @cached_property
    def reached_by_sort(self) -> Ints:
        """How many end points one of each sort has a path to, itself counted, [S]."""
        touch = self._touch
        size = np.asarray(touch.sum(axis=0)).ravel()
        work = np.cumsum(np.asarray(touch @ size).ravel())
        sizes = np.zeros(len(self.first), dtype=np.int64)
        bounds = np.unique(work // AT_ONCE, return_index=True)[1].tolist()
        for low, high in pairwise([*bounds, len(sizes)]):
            near = (touch[low:high] @ touch.T) > 0
            sizes[low:high] = near @ self.weight
        return sizes

    def reached(self, members: Bools) -> Ints:
        """Return how many of the members each has a path to, itself counted, [E]; 0 for those that are no members."""
        seen = members.astype(np.int64)
        some = self.sort >= 0
        seen[some] = self.reached_by_sort[self.sort[some]]
        return seen

    def reached_from(self, end: int) -> Bools:
        """Return which end points one has a path to, itself counted, [E]."""
        touched = np.isin(self.island, self.island[self.end == end])
        reached = np.zeros(self.ends, dtype=bool)
        reached[self.end[touched]] = True
        reached[end] = True
        return reached

    # ---- the largest set in which each has a path to each other -----------------------------------------------------

    def largest(self) -> tuple[int, int]:
        """Return bounds on its size; one end point alone is one."""
        reached = np.sort(np.repeat(self.reached_by_sort, self.weight))[::-1]
        upper = max(1, int((reached >= np.arange(1, len(reached) + 1)).sum()))
        lower = max(1, int(np.bincount(self.island[np.isin(self.end, self.first)], self._island_weight).max(initial=0)))
        if lower == upper or len(self.first) > SORTS:
            return lower, upper
        near = (self._touch @ self._touch.T).toarray() > 0
        always = near.all(axis=1)
        sure, rest = int(self.weight[always].sum()), np.flatnonzero(~always)
        some, weight = near[np.ix_(rest, rest)], self.weight[rest]
        lower = max(lower, sure + max((_grown(some, weight, k) for k in range(len(rest))), default=0))
        if lower < upper and len(rest) <= FEW:
            best = sure + _heaviest(some, weight, np.ones(len(rest), dtype=bool))
            lower, upper = max(lower, best), min(upper, best)
        return lower, upper

    @property
    def _island_weight(self) -> Ints:
        """Of each pair of a sort's first end point and an island, how many end points are of the sort."""
        return self.weight[self.sort[self.end[np.isin(self.end, self.first)]]]


def _grown(near: Bools, weight: Ints, start: int) -> int:
    """Weight of a set in which all are near each other, the heaviest taken first."""
    left, total = near[start].copy(), int(weight[start])
    left[start] = False
    while left.any():
        heaviest = int(np.argmax(np.where(left, weight, -1)))
        total += int(weight[heaviest])
        left &= near[heaviest]
        left[heaviest] = False
    return total


def _heaviest(near: Bools, weight: Ints, left: Bools, known: int = 0) -> int:
    """Return most weight of a set in which all are near each other, by branching on one that is not near all others; 0
    where it is not more than what is `known`."""
    if int(weight[left].sum()) <= known:
        return 0
    inside = np.flatnonzero(left)
    missing = (~near[np.ix_(inside, inside)]).sum(axis=1)
    if not missing.any():
        return int(weight[left].sum())
    split = int(inside[np.argmax(missing)])
    own = int(weight[split])
    with_it = left & near[split]
    with_it[split] = False
    best = own + _heaviest(near, weight, with_it, known - own) if with_it.any() else own
    without = left.copy()
    without[split] = False
    return max(best, _heaviest(near, weight, without, max(known, best)))


# ---- certificates: what is asked about; the rest is found anew -------------------------------------------------------


@frozen(eq=False)
class ConnectedCertificate:
    """Whether each of the `members` [E] has a path to each other."""

    members: Bools

    def prove(self, cables: Cables) -> Proved:
        reach = Reach.of(cables, self.members)
        count = int(self.members.sum())
        return Proved.exactly(float((reach.reached(self.members)[self.members] == count).all()))


@frozen(eq=False)
class ReachableCertificate:
    """How many of the `members` [E] the largest set has in which each has a path to each other."""

    members: Bools

    def prove(self, cables: Cables) -> Proved:
        lower, upper = Reach.of(cables, self.members).largest()
        return Proved(float(lower), float(upper))
