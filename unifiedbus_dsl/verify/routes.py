"""The paths of a routing, found anew on the cables: toward a goal, which arcs it may take from which vertex.

Each rule gives every vertex a level that falls along the arcs it allows:

    shortest    cables to the goal
    groups      cables to the goal, one between two groups longer than any path of others
    updown      tiers to fall where falling leads to the goal, else to rise first, as few as can be
    dor         cables along the first dimension that is wrong, and behind it all later ones
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.cables import Bools, Cables, Ints

FAR = np.iinfo(np.int64).max // 4


@frozen(eq=False, slots=False)
class RoutesOf:
    """A rule on the arcs of a fabric. `place` [E, dimensions] is for `dor`, in the order in which they are gone along
    (-1: nowhere); `group` [V] (-1: in none) for `groups`."""

    cables: Cables
    arcs: Arcs
    kind: Literal["shortest", "updown", "dor", "groups"]
    place: Ints | None = None
    group: Ints | None = None

    @cached_property
    def tail(self) -> Ints:
        return np.repeat(np.arange(self.cables.vertices), np.diff(self.arcs.indptr))

    @cached_property
    def length(self) -> Ints:
        """Length of each arc, [A]: only those between groups are longer."""
        if self.group is None:
            return np.ones(self.arcs.size, dtype=np.int64)
        one, two = self.group[self.tail], self.group[self.arcs.head]
        return np.where((one >= 0) & (two >= 0) & (one != two), self.cables.vertices + 1, 1)

    @cached_property
    def tier(self) -> Ints:
        """Cables from the end points, through anything, [V]."""
        found = np.full(self.cables.vertices, -1, dtype=np.int64)
        at = np.flatnonzero(self.cables.end >= 0)
        found[at] = 0
        while len(at):
            heads = self.arcs.head[self.arcs.rows(at)[0]]
            level = int(found[at[0]]) + 1
            at = np.unique(heads[found[heads] < 0])
            both = np.unique(np.append(at, self.cables.turned[at]))
            at = both[found[both] < 0]
            found[at] = level
        return found

    def levels(self, goal: NDArray[Any]) -> Ints:
        """Level of each vertex toward the vertices `goal`, `FAR` where the rule leads from it to none, [V]."""
        match self.kind:
            case "updown":
                return self._updown(goal)
            case "dor":
                return self._dor(goal)
        back = np.full(self.cables.vertices, FAR, dtype=np.int64)  # from the goal, which is to it the other way
        back[goal] = 0
        at = np.asarray(goal)
        while len(at):
            rows, many = self.arcs.rows(at)
            heads, offer = self.arcs.head[rows], np.repeat(back[at], many) + self._length(rows)
            nearer = offer < back[heads]
            heads, offer = heads[nearer], offer[nearer]
            np.minimum.at(back, heads, offer)
            at = np.unique(heads)
            at = at[self.cables.forwards[at]]
        return np.asarray(back[self.cables.turned])

    def _length(self, rows: Ints) -> Any:
        return 1 if self.group is None else self.length[rows]

    def _updown(self, goal: NDArray[Any]) -> Ints:
        tail, head = self.tail, self.arcs.head
        steps = np.full(self.cables.vertices, FAR, dtype=np.int64)
        steps[goal] = 0
        for rise in (-1, 1):
            arcs = np.flatnonzero(self.tier[head] - self.tier[tail] == rise)
            open_ = steps >= FAR
            for _ in range(int(self.tier.max(initial=0)) + 1):
                on = arcs[(steps[head[arcs]] < FAR) & open_[tail[arcs]]]
                on = on[self.cables.forwards[head[on]] | (steps[head[on]] == 0)]
                np.minimum.at(steps, tail[on], steps[head[on]] + 1)
        return steps

    def _dor(self, goal: NDArray[Any]) -> Ints:
        assert self.place is not None
        place = np.full((self.cables.vertices, self.place.shape[1]), -1, dtype=np.int64)
        at = np.flatnonzero(self.cables.end >= 0)
        place[at] = self.place[self.cables.end[at]]
        wrong = np.argmax(place != place[goal[0]], axis=1)  # the first that is
        levels = np.full(self.cables.vertices, FAR, dtype=np.int64)
        levels[goal] = 0
        for k in range(place.shape[1] - 1, -1, -1):
            here = self._along(place, k)
            here = here[(wrong[self.tail[here]] == k) & (place[self.tail[here]] != place[goal[0]]).any(axis=1)]
            base = int(levels[levels < FAR].max())
            done = levels < FAR
            near = np.where(done, 0, FAR)
            while True:
                offer = near[self.arcs.head[here]] + 1
                before = near.copy()
                np.minimum.at(near, self.tail[here], np.where(offer < FAR, offer, FAR))
                if (near == before).all():
                    break
            new = ~done & (near < FAR)
            levels[new] = base + near[new]
        return levels

    def _along(self, place: Ints, dimension: int) -> Ints:
        """The arcs that change a dimension alone."""
        one, two = place[self.tail], place[self.arcs.head]
        differ = (one != two) & ((one[:, 0] >= 0) & (two[:, 0] >= 0))[:, None]
        return np.flatnonzero(differ[:, dimension] & (differ.sum(axis=1) == 1))

    def allowed(self, rows: Ints, tail: Ints, levels: Ints) -> Bools:
        """Which of some arcs, out of `tail`, the rule takes toward the goal of these levels."""
        head = self.arcs.head[rows]
        one, two = levels[tail], levels[head]
        open_ = (two < one) & (one < FAR) & (self.cables.forwards[head] | (two == 0))
        match self.kind:
            case "updown":
                rise = self.tier[head] - self.tier[tail]
                falls = self._falls(levels)
                return np.asarray(open_ & (one == two + 1) & (rise == np.where(falls[tail], -1, 1)))
            case "dor":
                return np.asarray(open_ & self._dor_allowed(rows, tail, levels))
        return np.asarray(open_ & (one == two + self._length(rows)))

    def _falls(self, levels: Ints) -> Bools:
        """From which vertices the way leads down: as many tiers as there are levels."""
        goal = np.flatnonzero(levels == 0)
        return np.asarray(levels == self.tier - self.tier[goal[0]])

    def _dor_allowed(self, rows: Ints, tail: Ints, levels: Ints) -> Bools:
        assert self.place is not None
        goal = self.place[self.cables.end[np.flatnonzero(levels == 0)[0]]]
        head = self.arcs.head[rows]
        one, two = self.place[self.cables.end[tail]], self.place[self.cables.end[head]]
        first = np.argmax(one != goal, axis=1)
        row = np.arange(len(rows))
        moved = (one != two).sum(axis=1) == 1
        along = moved & (one[row, first] != two[row, first])
        arrives = two[row, first] == goal[first]
        return np.asarray(along & (arrives | (levels[tail] == levels[head] + 1)))

    def starts(self, end: int, levels: Ints) -> NDArray[Any]:
        """The vertices of an end point at which its packets begin."""
        own = np.flatnonzero(self.cables.end == end)
        least = levels[own].min()
        require(least < FAR, "a routing has no path for a pair that sends")
        return np.asarray(own[levels[own] == least])

    def begins(self, senders: Bools, levels: Ints) -> Bools:
        """The vertices at which what some end points [E] send begins, [V]."""
        own = np.flatnonzero(self.cables.end >= 0)
        least = np.full(self.cables.ends, FAR, dtype=np.int64)
        np.minimum.at(least, self.cables.end[own], levels[own])
        require((least[senders] < FAR).all(), "a routing has no path for a pair that sends")
        found = np.zeros(self.cables.vertices, dtype=bool)
        ends = self.cables.end[own]
        found[own[senders[ends] & (levels[own] == least[ends])]] = True
        return found

    def crossed(self, begins: Bools, levels: Ints) -> Ints:
        """The arcs that are crossed by what begins at some vertices [V]."""
        comes = begins & (levels > 0)
        found = []
        for level in np.unique(levels[levels < FAR])[::-1].tolist():
            at = np.flatnonzero(comes & (levels == level))
            if not level or not len(at):
                continue
            rows, many = self.arcs.rows(at)
            rows = rows[self.allowed(rows, np.repeat(at, many), levels)]
            comes[self.arcs.head[rows]] = True
            found.append(rows)
        return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
