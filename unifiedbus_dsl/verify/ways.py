"""Which arcs lead to a goal: over fewest cables, over fewest between groups, up and down, dimension by dimension; and
what passes along them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.cables import Cables, Floats, Ints
from unifiedbus_dsl.verify.distances import cables_from

NONE = np.iinfo(np.int64).max // 4


@frozen(eq=False)
class Ways:
    """Arcs `arc` from vertices `tail` to `head` that lead to a goal. The rank of a vertex falls along each of them, and
    what is nearer has a lower one; 0 is the goal, -1 what has no way, [V]."""

    arc: Ints
    tail: Ints
    head: Ints
    rank: Ints

    def weights(self, arcs: Arcs, *, by_capacity: bool) -> Floats:
        """Return what a vertex shares by."""
        count = arcs.count[self.arc].astype(np.float64)
        return count * arcs.capacity_Bps[arcs.kind[self.arc]] if by_capacity else count


def given_to_senders(cables: Cables, ways: Ways, weight: Floats, column: Floats) -> Floats:
    """Return what each vertex is handed when end point e sends `column[e]`, [V]: those of its vertices that are nearest
    share by the cables that lead on from them; what is there already stays.

    Raises:
        VerificationError: an end point that sends has no way.
    """
    onward = np.bincount(ways.tail, weights=weight, minlength=cables.vertices)
    onward[ways.rank == 0] = 1.0
    some = np.flatnonzero((cables.end >= 0) & (ways.rank >= 0))
    some = some[column[cables.end[some]] > 0]
    end = cables.end[some]
    nearest = np.full(cables.ends, NONE)
    np.minimum.at(nearest, end, ways.rank[some])
    some, end = some[nearest[end] == ways.rank[some]], end[nearest[end] == ways.rank[some]]
    share = np.bincount(end, weights=onward[some], minlength=cables.ends)
    require((share[column > 0] > 0).all(), "an end point that sends has no way")
    given = np.zeros(cables.vertices)
    given[some] = column[end] * onward[some] / share[end]
    return given


def passed_on(ways: Ways, weight: Floats, given: Floats) -> Floats:
    """Return what each of the arcs carries when vertex v is handed `given[v]`."""
    onward = np.bincount(ways.tail, weights=weight, minlength=len(given))
    held, load = given.copy(), np.zeros(len(ways.arc))
    order = np.argsort(-ways.rank[ways.tail], kind="stable")
    bounds = np.flatnonzero(np.diff(ways.rank[ways.tail[order]])) + 1
    for low, high in pairwise([0, *bounds.tolist(), len(order)]):
        some = order[low:high]
        load[some] = held[ways.tail[some]] * weight[some] / onward[ways.tail[some]]
        np.add.at(held, ways.head[some], load[some])
    return load


# ---- routings -------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Shortest:
    """Over paths of fewest cables."""

    by_capacity: bool = False

    def ways(self, cables: Cables, arcs: Arcs, goal: Ints) -> Ways:
        rank = cables_from(cables, arcs, goal)[cables.turned]
        tail = arcs.tails()
        leads = (rank[tail] > 0) & (rank[arcs.head] == rank[tail] - 1)
        leads &= cables.forwards[arcs.head] | (rank[arcs.head] == 0)
        arc = np.flatnonzero(leads)
        return Ways(arc, tail[arc], arcs.head[arc].astype(np.int64), rank)

    def colours(self, cables: Cables) -> Sequence[Ints]:
        return ()


@frozen(eq=False)
class FewestBetweenGroups:
    """Over paths of fewest cables between two groups (`group` [D], -1: none), among these of fewest cables."""

    group: Ints
    by_capacity: bool = False

    def ways(self, cables: Cables, arcs: Arcs, goal: Ints) -> Ways:
        tail, head = arcs.tails(), arcs.head.astype(np.int64)
        one, two = self._of(cables)[tail], self._of(cables)[head]
        length = np.where((one >= 0) & (two >= 0) & (one != two), cables.vertices + 1, 1)
        distance = np.full(cables.vertices, NONE)
        distance[goal] = 0
        through = cables.forwards.copy()
        through[goal] = True
        while True:  # each arc the other way round, until nothing gets nearer
            nearer = distance.copy()
            on = through[head] & (distance[head] < NONE)
            np.minimum.at(nearer, tail[on], distance[head[on]] + length[on])
            if np.array_equal(nearer, distance):
                break
            distance = nearer
        leads = through[head] & (distance[head] < NONE) & (distance[tail] == distance[head] + length)
        arc = np.flatnonzero(leads)
        rank = np.searchsorted(np.unique(distance), distance)
        return Ways(arc, tail[arc], head[arc], np.where(distance < NONE, rank, -1))

    def _of(self, cables: Cables) -> Ints:
        return np.asarray(self.group[cables.device])

    def colours(self, cables: Cables) -> Sequence[Ints]:
        return (self._of(cables),)


@frozen(eq=False)
class UpAndDown:
    """Straight down where that leads to the goal, else up to the next vertex from which it does; a tier is the number
    of cables to the nearest end point."""

    by_capacity: bool = False

    def ways(self, cables: Cables, arcs: Arcs, goal: Ints) -> Ways:
        tail, head = arcs.tails(), arcs.head.astype(np.int64)
        tier = _tiers(cables, tail, head)
        onto = cables.forwards.copy()
        onto[goal] = True
        rank = np.full(cables.vertices, -1)
        rank[goal] = 0
        chosen, top = [np.zeros(0, np.int64)], int(tier.max(initial=0))
        for level in range(1, top + 1):
            arc = np.flatnonzero((tier[tail] == level) & (tier[head] == level - 1))
            arc = arc[(rank[head[arc]] >= 0) & onto[head[arc]]]
            rank[tail[arc]] = rank[head[arc]] + 1
            chosen.append(arc)
        down = rank >= 0
        for level in range(top - 1, -1, -1):
            arc = np.flatnonzero((tier[tail] == level) & (tier[head] == level + 1) & ~down[tail])
            arc = arc[(rank[head[arc]] >= 0) & onto[head[arc]]]
            best = np.full(cables.vertices, NONE)
            np.minimum.at(best, tail[arc], rank[head[arc]] + 1)
            rank = np.where(best < NONE, best, rank)
            chosen.append(arc[rank[head[arc]] + 1 == best[tail[arc]]])
        arc = np.concatenate(chosen)
        return Ways(arc, tail[arc], head[arc], rank)

    def colours(self, cables: Cables) -> Sequence[Ints]:
        return ()


def _tiers(cables: Cables, tail: Ints, head: Ints) -> Ints:
    """Return cables to the nearest end point through anything, [V]; -1 where there is none."""
    tier = np.where(cables.end >= 0, 0, -1)
    for level in range(cables.vertices):
        new = head[(tier[tail] == level) & (tier[head] < 0)]
        if not len(new):
            break
        tier[new] = level + 1
    return tier


@frozen(eq=False)
class DimensionByDimension:
    """One index of `place` ([E, dimensions], -1: in no array) after another is put right over fewest cables that change
    it alone."""

    place: Ints
    by_capacity: bool = False

    def ways(self, cables: Cables, arcs: Arcs, goal: Ints) -> Ways:
        at = self._at(cables)
        tail, head = arcs.tails(), arcs.head.astype(np.int64)
        dimension = self._changed(at, tail, head)
        wrong = at != at[goal[0]]
        first = np.where(wrong.any(axis=1), wrong.argmax(axis=1), at.shape[1])
        first[(at < 0).any(axis=1)] = -1
        onto = cables.forwards.copy()
        onto[goal] = True
        rank, chosen, last = np.full(cables.vertices, -1), [np.zeros(0, np.int64)], 0
        rank[goal] = 0
        for k in range(at.shape[1] - 1, -1, -1):  # what has index k wrong, and all before it right
            along = np.flatnonzero((dimension == k) & (first[tail] == k) & onto[head])
            steps = np.where((first > k) & (rank >= 0), 0, -1)
            for step in range(1, cables.vertices + 1):
                some = along[(steps[head[along]] == step - 1) & (steps[tail[along]] < 0)]
                if not len(some):
                    break
                steps[tail[some]] = step
                chosen.append(some)
            rank = np.where(steps > 0, last + steps, rank)
            last += int(steps.max(initial=0))
        arc = np.concatenate(chosen)
        return Ways(arc, tail[arc], head[arc], rank)

    def _at(self, cables: Cables) -> Ints:
        """Place of each vertex, [V, dimensions]."""
        places = np.full((cables.vertices, self.place.shape[1]), -1)
        some = cables.end >= 0
        places[some] = self.place[cables.end[some]]
        return places

    @staticmethod
    def _changed(at: Ints, tail: Ints, head: Ints) -> Ints:
        """Return the only index that an arc changes, -1 where it is not one, [A]."""
        differ = at[tail] != at[head]
        one = (differ.sum(axis=1) == 1) & (at[tail] >= 0).all(axis=1) & (at[head] >= 0).all(axis=1)
        return np.where(one, differ.argmax(axis=1), -1)

    def colours(self, cables: Cables) -> Sequence[Ints]:
        """Return those of each index, and of each with all before it: what has the first ones right goes to such."""
        at = self._at(cables)
        outside = (at < 0).any(axis=1)
        colours = [at[:, k] for k in range(at.shape[1])]
        colours += [np.unique(at[:, : k + 1], axis=0, return_inverse=True)[1].ravel() for k in range(1, at.shape[1])]
        return [np.where(outside, -1, each) for each in colours]
