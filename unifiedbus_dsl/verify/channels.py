"""The channels that a routing uses for a traffic, found anew goal by goal, and symmetries that keep what is said of
them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs, hashed
from unifiedbus_dsl.verify.cables import Bools, Cables, Ints
from unifiedbus_dsl.verify.components import joined
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.routed import Router
from unifiedbus_dsl.verify.symmetries import Move, check_move, end_images
from unifiedbus_dsl.verify.ways import FewestBetweenGroups, Ways, given_to_senders


@frozen(eq=False)
class RoutedTraffic:
    """A traffic whose packets take any way of a router. With `via` they take two legs: each end point of the traffic
    relays what it takes in (`end`), or they turn at any `switch`, or at any `group` of the router."""

    arcs: Arcs
    matrix: Matrix
    router: Router
    via: str = ""

    @property
    def turns(self) -> bool:
        """Whether packets go on from a first leg without being taken in."""
        return self.via in ("switch", "group")

    @property
    def each_to_each(self) -> bool:
        """Whether those that send anything send to each other one of them, and to nobody else."""
        group = self.matrix.group
        return self.matrix.source is None and group is not None and len(np.unique(group[group >= 0])) == 1

    def senders_to(self, end: int) -> Bools:
        """Who sends a leg to an end point, [E]."""
        if self.via != "end":
            return np.asarray(self.matrix.column(end) > 0)
        sends, receives = self.matrix.sent() > 0, self.matrix.received() > 0
        senders = sends | receives if receives[end] else sends.copy()
        senders[end] = False
        return np.asarray(senders)

    def goals(self) -> Ints:
        """Return the end points that a leg leads to."""
        receives = self.matrix.received() > 0
        return np.flatnonzero(receives | (self.matrix.sent() > 0) if self.via == "end" else receives)

    def intermediates(self, cables: Cables) -> Iterator[Ints]:
        """Yield the vertices of each switch or group that packets turn at."""
        if self.via == "switch":
            yield from (np.array([v]) for v in np.flatnonzero(cables.end < 0).tolist())
        elif self.via == "group":
            assert isinstance(self.router, FewestBetweenGroups)
            group = self.router.group[cables.device]
            yield from (np.flatnonzero(group == g) for g in range(int(group.max()) + 1))

    def ways_to_end(self, cables: Cables, end: int) -> Ways:
        """Return the ways that lead to an end point."""
        return self.router.ways(cables, self.arcs, np.flatnonzero(cables.end == end))

    def ways_to(self, cables: Cables, goal: Ints) -> Ways:
        """Return the ways that lead to some vertices."""
        return self.router.ways(cables, self.arcs, goal)


def begins(cables: Cables, ways: Ways, senders: Bools) -> Bools:
    """Return the vertices at which what some end points [E] send begins, [V].

    Raises:
        VerificationError: one of them has no way.
    """
    return np.asarray(given_to_senders(cables, ways, np.ones(len(ways.arc)), senders.astype(np.float64)) > 0)


def marked(cables: Cables, vertices: NDArray[np.integer]) -> Bools:
    """Return which vertices are among some, [V]."""
    mask = np.zeros(cables.vertices, dtype=bool)
    mask[vertices] = True
    return mask


def levels_of(ways: Ways) -> Iterator[Ints]:
    """Positions of the arcs of ways, those that are farthest from the goal first, level by level."""
    order = np.argsort(-ways.rank[ways.tail], kind="stable")
    bounds = np.flatnonzero(np.diff(ways.rank[ways.tail[order]])) + 1
    for low, high in pairwise([0, *bounds.tolist(), len(order)]):
        yield order[low:high]


def crossed(ways: Ways, begin: Bools) -> Ways:
    """Return the ways that are crossed by what begins at some vertices [V]."""
    comes = begin & (ways.rank > 0)
    used = np.zeros(len(ways.arc), dtype=bool)
    for some in levels_of(ways):
        used[some] = comes[ways.tail[some]]
        comes[ways.head[some[used[some]]]] = True
    return Ways(ways.arc[used], ways.tail[used], ways.head[used], ways.rank)


# ---- symmetries -----------------------------------------------------------------------------------------------------


def goals_alike(cables: Cables, traffic: RoutedTraffic, value: Ints, moves: Iterable[Move]) -> Ints:
    """Return a number for each end point, equal for those that automorphisms carry to each other that keep the traffic,
    the routing and the `value` of each arc [A], [E].

    Raises:
        VerificationError: one of the moves is none, or changes a value.
    """
    label = np.arange(cables.ends)
    look: NDArray[np.uint64] | None = None
    colours = traffic.router.colours(cables)
    for move in moves:
        source, target = end_images(cables, move)
        if not (label[source] != label[target]).any() or not traffic.matrix.is_kept(source, target):
            continue
        if not move.keeps(colours, cables.vertices):
            continue
        look = _values_both_ways(cables, traffic.arcs, value) if look is None else look
        check_move(cables, traffic.arcs, move)
        _check_values(cables, traffic.arcs, look, move)
        label = joined(label, source, target)
    return label


def _values_both_ways(cables: Cables, arcs: Arcs, value: Ints) -> NDArray[np.uint64]:
    """Return a hash of the value of each arc, and of that of the arc the other way, [A]."""
    from scipy.sparse import csr_matrix

    n = cables.vertices
    one = hashed(value, value, value, 1)
    if not cables.sided:
        back = csr_matrix((one, arcs.head, arcs.indptr.astype(np.int32)), shape=(n, n)).tocsc().data
        return np.asarray(one * np.uint64(3) + back)
    tail = arcs.tails()
    opposite = np.empty(arcs.size, dtype=np.int64)
    opposite[np.lexsort((arcs.kind, cables.turned[tail], cables.turned[arcs.head]))] = np.arange(arcs.size)
    return np.asarray(one * np.uint64(3) + one[opposite])


def _check_values(cables: Cables, arcs: Arcs, look: NDArray[np.uint64], move: Move) -> None:
    """Hold a move to keep values: the arcs out of what moves come back with theirs, and with their opposites'."""
    goes = move.goes(cables.vertices)
    rows, many = arcs.rows(move.moved)
    tail, head = np.repeat(move.moved, many), arcs.head[rows]
    before = int(hashed(tail, head, look[rows], cables.vertices).sum(dtype=np.uint64))
    after = int(hashed(goes[tail], goes[head], look[rows], cables.vertices).sum(dtype=np.uint64))
    require(before == after, "a symmetry changes the rank of a channel")
