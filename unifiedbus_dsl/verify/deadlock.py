"""Whether channels of a routing depend on each other in a circle, shown on the fabric.

**None do**: a rank of each arc that rises along every dependency. What is sent toward one goal crosses some arcs; at
each vertex before the goal the largest rank of those that come in is less than the least of those that go out. One goal
of each orbit is enough where moves that keep ranks, rule and traffic carry it to the others.

**Some do**: a cycle of arcs, each with a pair of end points whose packets hold it and want the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, hashed, match
from unifiedbus_dsl.verify.cables import Bools, Cables, Ints
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.routes import FAR, RoutesOf
from unifiedbus_dsl.verify.symmetries import Move, check_move, end_images


@frozen(eq=False)
class RoutedTraffic:
    """A traffic under a rule of paths. With `via` its packets take two legs: each end point of the traffic relays what
    it takes in (`end`), or they turn at any switch or at any group, `group` [V]."""

    arcs: Arcs
    matrix: Matrix
    kind: str
    via: str = ""
    place: Ints | None = None
    group: Ints | None = None

    def routes(self, cables: Cables) -> RoutesOf:
        return RoutesOf(cables, self.arcs, self.kind, self.place, self.group)  # type: ignore[arg-type]

    def senders_to(self, end: int) -> Bools:
        """Who sends a leg to an end point, [E]."""
        if self.via != "end":
            return column(self.matrix, end) > 0
        sends, receives = self.matrix.sent() > 0, self.matrix.received() > 0
        found = sends | receives if receives[end] else sends.copy()
        found[end] = False
        return np.asarray(found)

    @property
    def each_to_each(self) -> bool:
        """Whether those that send anything send to each other one of them, and to nobody else."""
        group = self.matrix.group
        return self.matrix.source is None and group is not None and len(np.unique(group[group >= 0])) == 1

    def goals(self) -> Ints:
        """The end points that a leg leads to."""
        receives = self.matrix.received() > 0
        return np.flatnonzero(receives | (self.matrix.sent() > 0) if self.via == "end" else receives)

    def intermediates(self, cables: Cables) -> Iterator[NDArray[np.int64]]:
        """The vertices of each switch or group that packets turn at."""
        if self.via == "switch":
            yield from (np.array([v]) for v in np.flatnonzero(cables.end < 0).tolist())
        elif self.via == "group":
            assert self.group is not None
            yield from (np.flatnonzero(self.group == g) for g in range(int(self.group.max()) + 1))


def column(matrix: Matrix, target: int) -> NDArray[np.float64]:
    """What each end point sends to one, [E]."""
    total = np.zeros(matrix.ends)
    if matrix.source is not None and matrix.target is not None and matrix.rates is not None:
        some = matrix.target == target
        total += np.bincount(matrix.source[some], weights=matrix.rates[some], minlength=matrix.ends)
    if matrix.group is not None and matrix.group[target] >= 0:
        total += np.where(matrix.group == matrix.group[target], matrix.rate, 0.0)
    total[target] = 0.0
    return total


# ---- no cycle -------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class AcyclicCertificate:
    """A rank [A] that rises along every dependency of channels, and symmetries that keep it."""

    traffic: RoutedTraffic
    rank: Ints
    moves: tuple[Move, ...] = ()

    def prove(self, cables: Cables) -> Proved:
        """That it is free of deadlock: 1."""
        traffic, arcs = self.traffic, self.traffic.arcs
        match(arcs, cables)
        require(len(self.rank) == arcs.size, "a rank for each arc")
        routes = traffic.routes(cables)
        orbit = _goal_orbits(cables, traffic, self.rank, self.moves)
        goals = traffic.goals()
        for goal in goals[np.unique(orbit[goals], return_index=True)[1]].tolist():
            own = np.flatnonzero(cables.end == goal)
            levels = routes.levels(own)
            for begins in self._begins(cables, routes, goal, levels):
                check_rank(cables, arcs, self.rank, routes.crossed(begins, levels), levels)
        if traffic.via in ("switch", "group"):
            self._check_turns(cables, routes)
        return Proved.exactly(1)

    def _begins(self, cables: Cables, routes: RoutesOf, goal: int, levels: Ints) -> Iterator[Bools]:
        if self.traffic.via not in ("switch", "group"):
            yield routes.begins(self.traffic.senders_to(goal), levels)
            return
        begins = np.zeros(cables.vertices, dtype=bool)
        for at in self.traffic.intermediates(cables):
            begins[at] = True
        begins &= levels < FAR
        yield begins

    def _check_turns(self, cables: Cables, routes: RoutesOf) -> None:
        """Hold ranks to rise along first legs, and from what comes to an intermediate to what goes on from there."""
        matrix, rank = self.traffic.matrix, self.rank
        sends = matrix.sent() > 0
        found = [np.zeros((3, 0), dtype=np.int64)]  # arrivals: the arc, its first and its last sender
        for goal in self.traffic.intermediates(cables):
            levels = routes.levels(goal)
            check_rank(cables, routes.arcs, rank, routes.crossed(routes.begins(sends, levels), levels), levels)
            for some in [sends] if self.traffic.each_to_each else _one_by_one(sends):
                found.append(_arrivals(cables, routes, some, levels))
        came = np.concatenate(found, axis=1)
        at = routes.arcs.head[came[0]]
        leaves = np.zeros(cables.vertices, dtype=bool)
        leaves[at] = True
        for target in self.traffic.goals().tolist():
            levels = routes.levels(np.flatnonzero(cables.end == target))
            crossed = routes.crossed(leaves & (levels < FAR), levels)
            least = np.full(cables.vertices, FAR, dtype=np.int64)
            np.minimum.at(least, np.searchsorted(routes.arcs.indptr, crossed, side="right") - 1, rank[crossed])
            goes = column(matrix, target) > 0
            turns = (goes[came[1]] | goes[came[2]]) & (levels[at] > 0)
            require((rank[came[0]] < least[at])[turns].all(), "a rank does not rise where packets turn")


def _one_by_one(senders: Bools) -> Iterator[Bools]:
    for end in np.flatnonzero(senders).tolist():
        one = np.zeros(len(senders), dtype=bool)
        one[end] = True
        yield one


def _arrivals(cables: Cables, routes: RoutesOf, senders: Bools, levels: Ints) -> Ints:
    """The arcs by which what some end points send comes to a goal, with the first and the last of those whose packets
    come by each: [3, n]. Where each sends to each other one, the two stand for all."""
    begins = routes.begins(senders, levels)
    end = cables.end.astype(np.int64)
    first, last = np.where(begins, end, FAR), np.where(begins, end, -1)
    crossed = routes.crossed(begins, levels)
    tail = np.searchsorted(routes.arcs.indptr, crossed, side="right") - 1
    head = routes.arcs.head[crossed]
    for level in np.unique(levels[tail])[::-1].tolist():
        on = levels[tail] == level
        np.minimum.at(first, head[on], first[tail[on]])
        np.maximum.at(last, head[on], last[tail[on]])
    arrives = levels[head] == 0
    return np.stack([crossed[arrives], first[tail[arrives]], last[tail[arrives]]])


def check_rank(cables: Cables, arcs: Arcs, rank: Ints, crossed: Ints, levels: Ints) -> None:
    """Hold the rank of arcs that are crossed toward a goal to rise at each vertex before it.

    Raises:
        VerificationError: it does not.
    """
    tail = np.searchsorted(arcs.indptr, crossed, side="right") - 1
    head = arcs.head[crossed]
    most = np.full(cables.vertices, -1, dtype=np.int64)
    least = np.full(cables.vertices, FAR, dtype=np.int64)
    np.maximum.at(most, head, rank[crossed])
    np.minimum.at(least, tail, rank[crossed])
    require((most < least)[levels > 0].all(), "a rank of channels does not rise along a dependency")


def _goal_orbits(cables: Cables, traffic: RoutedTraffic, rank: Ints, moves: Iterable[Move]) -> Ints:
    """A number for each end point, equal for those that moves which keep all that is said carry to each other, [E]."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    label = np.arange(cables.ends)
    look: NDArray[np.uint64] | None = None
    for move in moves:
        source, target = end_images(cables, move)
        if not (label[source] != label[target]).any():
            continue
        look = _ranks_both_ways(cables, traffic, rank) if look is None else look
        check_move(cables, traffic.arcs, move)
        _check_ranks(cables, traffic.arcs, look, move)
        _check_rule(cables, traffic, move)
        _check_matrix(traffic.matrix, source, target)
        joins = coo_matrix((np.ones(len(source), np.int8), (label[source], label[target])), shape=(cables.ends,) * 2)
        label = connected_components(joins, directed=False)[1].astype(np.int64)[label]
    return label


def _ranks_both_ways(cables: Cables, traffic: RoutedTraffic, rank: Ints) -> NDArray[np.uint64]:
    """A hash of the rank of each arc, and of that of the arc the other way, [A]; for `dor` of the dimension too."""
    from scipy.sparse import csr_matrix

    arcs, n = traffic.arcs, cables.vertices
    one = hashed(rank, rank, _dimensions(cables, traffic), 1)
    if not cables.sided:
        back = csr_matrix((one, arcs.head, arcs.indptr.astype(np.int32)), shape=(n, n)).tocsc().data
    else:
        tail = np.repeat(np.arange(n), np.diff(arcs.indptr))
        there = np.lexsort((arcs.kind, cables.turned[tail], cables.turned[arcs.head]))
        back = one[there]
    return np.asarray(one * np.uint64(3) + back)


def _dimensions(cables: Cables, traffic: RoutedTraffic) -> Ints:
    """The only dimension that an arc changes, -1 where there is none, [A]; 0 for all under other rules."""
    arcs = traffic.arcs
    if traffic.place is None:
        return np.zeros(arcs.size, dtype=np.int64)
    one = cables.end[np.repeat(np.arange(cables.vertices), np.diff(arcs.indptr))]
    two = cables.end[arcs.head]
    differ = traffic.place[one] != traffic.place[two]
    return np.where((one >= 0) & (two >= 0) & (differ.sum(axis=1) == 1), differ.argmax(axis=1), -1)


def _check_ranks(cables: Cables, arcs: Arcs, look: NDArray[np.uint64], move: Move) -> None:
    """Hold a move to keep the ranks of arcs: those out of what moves come back with theirs, and with their
    opposites'."""
    full = np.arange(cables.vertices, dtype=np.int64)
    full[move.moved] = move.image
    rows, many = arcs.rows(move.moved)
    tail, head = np.repeat(move.moved, many), arcs.head[rows]
    before = int(hashed(tail, head, look[rows], cables.vertices).sum(dtype=np.uint64))
    after = int(hashed(full[tail], full[head], look[rows], cables.vertices).sum(dtype=np.uint64))
    require(before == after, "a symmetry changes the rank of a channel")


def _check_rule(cables: Cables, traffic: RoutedTraffic, move: Move) -> None:
    """Hold a move to carry groups to groups, and what is alike in the first dimensions to what is."""
    if traffic.group is not None:
        full = np.arange(cables.vertices, dtype=np.int64)
        full[move.moved] = move.image
        _check_partition(traffic.group, full, "a symmetry tears a group apart")
    if traffic.place is not None:
        source, target = end_images(cables, move)
        full = np.arange(cables.ends, dtype=np.int64)
        full[source] = target
        for k in range(traffic.place.shape[1]):
            alike = np.unique(traffic.place[:, : k + 1], axis=0, return_inverse=True)[1].ravel()
            outside = traffic.place[:, 0] < 0
            _check_partition(np.where(outside, -1, alike), full, "a symmetry mixes dimensions")


def _check_partition(part: Ints, full: Ints, claim: str) -> None:
    """Hold a permutation to carry the parts of a partition to parts, and what is in none (-1) to such."""
    image = part[full]
    require(((part < 0) == (image < 0)).all(), claim)
    wide = int(part.max(initial=0)) + 1
    inside = part >= 0
    require(len(np.unique(part[inside] * wide + image[inside])) == len(np.unique(part[inside])), claim)


def _check_matrix(matrix: Matrix, source: Ints, target: Ints) -> None:
    """Hold a permutation of end points to keep who sends to whom."""
    full = np.arange(matrix.ends, dtype=np.int64)
    full[source] = target
    if matrix.group is not None:
        _check_partition(np.asarray(matrix.group), full, "a symmetry changes the traffic")
    if matrix.source is not None and matrix.target is not None:
        before = np.unique(matrix.source * matrix.ends + matrix.target)
        after = np.unique(full[matrix.source] * matrix.ends + full[matrix.target])
        require(np.array_equal(before, after), "a symmetry changes the traffic")


# ---- a cycle --------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class CycleCertificate:
    """Arcs [n], each of which packets from `source[i]` to `target[i]` hold while they want the next one; where they
    turn on their way, at vertex `via[i]`, else -1."""

    traffic: RoutedTraffic
    cycle: Ints
    source: Ints
    target: Ints
    via: Ints

    def prove(self, cables: Cables) -> Proved:
        """That it is not free of deadlock: 0."""
        traffic, arcs = self.traffic, self.traffic.arcs
        match(arcs, cables)
        require(len(self.cycle) > 1 and len(set(self.cycle.tolist())) == len(self.cycle), "a cycle of different arcs")
        tail = np.searchsorted(arcs.indptr, self.cycle, side="right") - 1
        require((arcs.head[self.cycle] == np.roll(tail, -1)).all(), "arcs of a cycle follow each other")
        routes = traffic.routes(cables)
        after = np.roll(self.cycle, -1)
        for a, b, s, t, x in zip(self.cycle, after, self.source, self.target, self.via, strict=True):
            require(traffic.senders_to(int(t))[s], "a pair of a cycle sends nothing")
            require(self._holds(cables, routes, int(a), int(b), int(s), int(t), int(x)), "a pair takes no such arcs")
        return Proved.exactly(0)

    def _holds(self, cables: Cables, routes: RoutesOf, a: int, b: int, source: int, target: int, via: int) -> bool:
        """Whether packets from a source to a target cross arc a and then b."""
        to_target = routes.levels(np.flatnonzero(cables.end == target))
        if via < 0:
            begins = _mark(cables, routes.starts(source, to_target))
            return _on(routes, begins, to_target, a, b)
        goal = next(at for at in self.traffic.intermediates(cables) if via in at)
        levels = routes.levels(goal)
        begins = _mark(cables, routes.starts(source, levels))
        first = routes.crossed(begins, levels)
        comes = begins[via] or (routes.arcs.head[first] == via).any()
        second = routes.crossed(_mark(cables, np.array([via])), to_target)
        if a in first and b in first:
            return int(levels[routes.arcs.head[a]]) > 0
        turns = a in first and routes.arcs.head[a] == via and b in second
        return bool(comes) and bool(turns or (a in second and b in second))


def _mark(cables: Cables, vertices: NDArray[np.integer]) -> Bools:
    found = np.zeros(cables.vertices, dtype=bool)
    found[vertices] = True
    return found


def _on(routes: RoutesOf, begins: Bools, levels: Ints, a: int, b: int) -> bool:
    crossed = routes.crossed(begins, levels)
    return a in crossed and b in crossed and int(levels[routes.arcs.head[a]]) > 0
