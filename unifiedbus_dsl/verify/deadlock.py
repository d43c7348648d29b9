"""Whether channels of a routing depend on each other in a circle, shown on the fabric.

**None do**: a rank of each arc that rises along every dependency. What is sent toward one goal crosses some arcs; at
each vertex before the goal the largest rank of those that come in is less than the least of those that go out. One goal
of each orbit is enough where moves that keep ranks, routing and traffic carry it to the others.

**Some do**: a cycle of arcs, each with a pair of end points whose packets hold it and want the next one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import match
from unifiedbus_dsl.verify.cables import Bools, Cables, Ints
from unifiedbus_dsl.verify.channels import RoutedTraffic, begins, crossed, goals_alike, levels_of, marked
from unifiedbus_dsl.verify.near import crosses_both
from unifiedbus_dsl.verify.symmetries import Move
from unifiedbus_dsl.verify.ways import NONE, Shortest, Ways


@frozen(eq=False)
class AcyclicCertificate:
    """A rank [A] that rises along every dependency of channels, and symmetries that keep it."""

    traffic: RoutedTraffic
    rank: Ints
    moves: tuple[Move, ...] = ()

    def prove(self, cables: Cables) -> Proved:
        """That it is free of deadlock: 1."""
        traffic = self.traffic
        match(traffic.arcs, cables)
        require(len(self.rank) == traffic.arcs.size, "a rank for each arc")
        orbit, goals = goals_alike(cables, traffic, self.rank, self.moves), traffic.goals()
        for goal in goals[np.unique(orbit[goals], return_index=True)[1]].tolist():
            ways = traffic.ways_to_end(cables, goal)
            check_rank(self.rank, crossed(ways, self._begins(cables, ways, goal)))
        if traffic.turns:
            self._check_turns(cables)
        return Proved.exactly(1)

    def _begins(self, cables: Cables, ways: Ways, goal: int) -> Bools:
        if not self.traffic.turns:
            return begins(cables, ways, self.traffic.senders_to(goal))
        starts = np.zeros(cables.vertices, dtype=bool)
        for at in self.traffic.intermediates(cables):
            starts[at] = True
        return np.asarray(starts & (ways.rank >= 0))

    def _check_turns(self, cables: Cables) -> None:
        """Hold ranks to rise along first legs, and from what comes to an intermediate to what goes on from there."""
        traffic, rank = self.traffic, self.rank
        sends = traffic.matrix.sent() > 0
        arrivals = [np.zeros((4, 0), dtype=np.int64)]  # arrivals: arc, vertex, its first and its last sender
        for goal in traffic.intermediates(cables):
            ways = traffic.ways_to(cables, goal)
            check_rank(rank, crossed(ways, begins(cables, ways, sends)))
            for some in [sends] if traffic.each_to_each else _one_by_one(sends):
                arrivals.append(_arrivals(cables, ways, some))
        arc, at, first, last = np.concatenate(arrivals, axis=1)
        for target in traffic.goals().tolist():
            ways = traffic.ways_to_end(cables, target)
            goes = traffic.matrix.column(target) > 0
            onward = crossed(ways, marked(cables, at) & (ways.rank >= 0))
            min_rank = np.full(cables.vertices, NONE)
            np.minimum.at(min_rank, onward.tail, rank[onward.arc])
            turns = (goes[first] | goes[last]) & (ways.rank[at] > 0)
            require((rank[arc] < min_rank[at])[turns].all(), "a rank does not rise where packets turn")


def check_rank(rank: Ints, ways: Ways) -> None:
    """Hold the rank of arcs that are crossed toward a goal to rise at each vertex before it.

    Raises:
        VerificationError: it does not.
    """
    max_rank, min_rank = np.full(len(ways.rank), -1), np.full(len(ways.rank), NONE)
    np.maximum.at(max_rank, ways.head, rank[ways.arc])
    np.minimum.at(min_rank, ways.tail, rank[ways.arc])
    require((max_rank < min_rank)[ways.rank > 0].all(), "a rank of channels does not rise along a dependency")


def _one_by_one(senders: Bools) -> Iterator[Bools]:
    for end in np.flatnonzero(senders).tolist():
        one = np.zeros(len(senders), dtype=bool)
        one[end] = True
        yield one


def _arrivals(cables: Cables, ways: Ways, senders: Bools) -> Ints:
    """Return the arcs by which what some end points send comes to a goal, the vertices there, and the first and the
    last of those whose packets come by each: [4, n]. Where each sends to each other one, the two stand for all."""
    begin = begins(cables, ways, senders)
    end = cables.end.astype(np.int64)
    first, last = np.where(begin, end, NONE), np.where(begin, end, -1)
    used = crossed(ways, begin)
    for some in levels_of(used):
        np.minimum.at(first, used.head[some], first[used.tail[some]])
        np.maximum.at(last, used.head[some], last[used.tail[some]])
    there = used.rank[used.head] == 0
    tail = used.tail[there]
    return np.stack([used.arc[there], used.head[there], first[tail], last[tail]])


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
        after = np.roll(self.cycle, -1)
        for a, b, s, t, x in zip(self.cycle, after, self.source, self.target, self.via, strict=True):
            require(traffic.senders_to(int(t))[s], "a pair of a cycle sends nothing")
            require(self._holds(cables, int(a), int(b), int(s), int(t), int(x)), "a pair takes no such arcs")
        return Proved.exactly(0)

    def _holds(self, cables: Cables, a: int, b: int, source: int, target: int, via: int) -> bool:
        """Return whether packets from a source to a target cross arc a and then b."""
        if via < 0 and isinstance(self.traffic.router, Shortest):
            return crosses_both(cables, self.traffic.arcs, (source, target), a, b)
        sender = np.arange(cables.ends) == source
        to_target = self.traffic.ways_to_end(cables, target)
        if via < 0:
            return _both_on(crossed(to_target, begins(cables, to_target, sender)), a, b)
        goal = next(at for at in self.traffic.intermediates(cables) if via in at)
        ways = self.traffic.ways_to(cables, goal)
        begin = begins(cables, ways, sender)
        first = crossed(ways, begin)
        if _both_on(first, a, b):
            return True
        if not (begin[via] or (first.head == via).any()):
            return False
        second = crossed(to_target, marked(cables, np.array([via])))
        turns = a in first.arc and int(self.traffic.arcs.head[a]) == via and b in second.arc
        return bool(turns or _both_on(second, a, b))


def _both_on(ways: Ways, a: int, b: int) -> bool:
    """Return whether one arc and then the next one, which begins where it ends, are on ways."""
    return bool(a in ways.arc and b in ways.arc)
