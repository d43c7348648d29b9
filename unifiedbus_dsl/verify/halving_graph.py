"""The cut graph of a bisection, read from the cables and contracted where it can be: for bounds on all cuts at once.

The vertices of a member are one node. Of the others that pass traffic on, one with a single neighbour is on the side of
that in some least cut, and one between two is cut where its narrower link is: they are left out, and the two joined.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@frozen(eq=False)
class HalvingGraph:
    """Nodes k of [N], the least vertex of each; which are members; links between `a[p]` < `b[p]`, each two nodes once,
    with the capacity one way, byte/s."""

    vertex: Ints
    member: Bools
    a: Ints
    b: Ints
    capacity: Floats

    @property
    def nodes(self) -> int:
        return len(self.vertex)

    @property
    def degree(self) -> Floats:
        """Capacity of all links of each node, [N]."""
        both, twice = np.concatenate([self.a, self.b]), np.concatenate([self.capacity, self.capacity])
        return np.asarray(np.bincount(both, weights=twice, minlength=self.nodes), dtype=np.float64)

    def matrix(self) -> Floats:
        """Return capacity between each two nodes, [N, N]."""
        between = np.zeros((self.nodes, self.nodes))
        between[self.a, self.b] = between[self.b, self.a] = self.capacity
        return between

    def place(self, vertices: Ints) -> Ints:
        """Return the node of each of these vertices, -1 where it is none's least."""
        at = np.minimum(np.searchsorted(self.vertex, vertices), self.nodes - 1)
        return np.where(self.vertex[at] == vertices, at, -1) if self.nodes else np.full(len(vertices), -1)


def halving_graph(cables: Cables, members: Bools, *, reduced: bool = True) -> HalvingGraph:
    """Return the graph of all cuts that halve the end points `members` [E].

    Raises:
        VerificationError: a line forwards between two sides, whose two ways a cut may part.
    """
    require(not cables.sided, "this bound takes a line to be one vertex, and here one forwards between two sides")
    member = cables.members(members)
    passes = cables.forwards | member
    to = np.arange(cables.vertices)
    first = np.full(cables.ends, cables.vertices, dtype=np.int64)
    at = np.flatnonzero(member)
    np.minimum.at(first, cables.end[at], at)
    to[at] = first[cables.end[at]]
    a, b, capacity = to[cables.a], to[cables.b], cables.capacity(slice(None))
    some = passes[cables.a] & passes[cables.b] & (a != b) & (capacity > 0)
    vertex = np.flatnonzero(passes & (to == np.arange(cables.vertices)))
    a, b, capacity = _merged(a[some], b[some], capacity[some], cables.vertices)
    if reduced:
        a, b, capacity, vertex = _without_short(a, b, capacity, vertex, member)
    return HalvingGraph(vertex, member[vertex], np.searchsorted(vertex, a), np.searchsorted(vertex, b), capacity)


def _merged(a: Ints, b: Ints, capacity: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    """Links with the lesser end first, parallel ones as one: the same sum for the same capacities, in any order."""
    key = np.minimum(a, b) * count + np.maximum(a, b)
    order = np.lexsort((capacity, key))
    pair, place = np.unique(key[order], return_inverse=True)
    total = np.bincount(place.ravel(), weights=capacity[order], minlength=len(pair))
    return pair // count, pair % count, np.asarray(total, dtype=np.float64)


def _without_short(a: Ints, b: Ints, capacity: Floats, vertex: Ints, member: Bools) -> tuple[Ints, Ints, Floats, Ints]:
    """Links and nodes without those that are no members and have two neighbours or fewer. Of two such neighbours the
    one of the lesser hash goes first."""
    count = len(member)
    rank = np.arange(count, dtype=np.uint64) * _GOLDEN
    there = np.zeros(count, dtype=bool)
    there[vertex] = True
    while True:
        links = np.bincount(a, minlength=count) + np.bincount(b, minlength=count)
        short = there & ~member & (links <= 2)
        both = short[a] & short[b]
        late = np.where(rank[a[both]] < rank[b[both]], b[both], a[both])
        short[late] = False
        if not short.any():
            return a, b, capacity, np.flatnonzero(there)
        there &= ~short
        from_a, from_b = short[a], short[b]
        middle = np.concatenate([a[from_a], b[from_b]])
        other = np.concatenate([b[from_a], a[from_b]])
        width = np.concatenate([capacity[from_a], capacity[from_b]])
        order = np.argsort(middle, kind="stable")
        middle, other, width = middle[order], other[order], width[order]
        two = np.flatnonzero(middle[1:] == middle[:-1])
        left = ~from_a & ~from_b
        a, b, capacity = _merged(
            np.concatenate([a[left], other[two]]),
            np.concatenate([b[left], other[two + 1]]),
            np.concatenate([capacity[left], np.minimum(width[two], width[two + 1])]),
            count,
        )
