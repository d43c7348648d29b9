"""Paths of a pair that share no cable, and as few cables that part the pair (Menger): each pair is shown by both.

The least over pairs takes one pair of each that automorphisms carry to each other: one source of each orbit, and for it
one target of each orbit of the automorphisms that keep it. Where each vertex is an end point that forwards, pairs that
a cable joins are enough: what parts any two parts two neighbours on the way from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Bools, Cables, Ints
from unifiedbus_dsl.verify.components import components
from unifiedbus_dsl.verify.reach import ConnectedCertificate
from unifiedbus_dsl.verify.symmetries import Move, check_move, end_orbits


@frozen(eq=False)
class PairFlow:
    """Whole paths from end point `source` to `target`: `amount[i]` of them from vertex `tail[i]` to vertex `head[i]`,
    where all vertices of the source are one, V, and all of the target V + 1; `side` [V + 2] are those on the side of
    the source of a cut."""

    source: int
    target: int
    tail: Ints
    head: Ints
    amount: Ints
    side: Bools


@frozen(eq=False)
class SeenPair:
    """A pair, `copies` targets like it counted, with as many disjoint paths as there are."""

    source: int
    target: int
    copies: int
    paths: int


def see_pair(cables: Cables, arcs: Arcs, flow: PairFlow, copies: int) -> SeenPair:
    """Return a pair with its number of paths, after flow and cut were checked to be of as many.

    Raises:
        VerificationError: they are not.
    """
    match(arcs, cables)
    n = cables.vertices
    place = np.arange(n)
    place[cables.end == flow.source] = n
    place[cables.end == flow.target] = n + 1
    require(flow.source != flow.target and len(flow.side) == n + 2, "a pair of different end points")
    capacity = _room(cables, arcs, place)
    used = _matrix(flow.amount, flow.tail, flow.head, n + 2)
    require(not (flow.amount < 0).any(), "a number of paths is negative")
    require((used > capacity).nnz == 0, "more paths than cables")
    if cables.sided:
        turned = np.append(cables.turned, [n, n + 1])
        back = _matrix(flow.amount, turned[flow.head], turned[flow.tail], n + 2)
        require((used + back.multiply(used > 0) > capacity).nnz == 0, "paths use more cables both ways than there are")
    gain = np.asarray(used.sum(axis=1)).ravel() - np.asarray(used.sum(axis=0)).ravel()
    require(not gain[:n].any(), "a path ends on its way")
    paths = int(gain[n])
    require(bool(flow.side[n]) and not flow.side[n + 1], "a cut that does not part the pair")
    side = flow.side.astype(np.int64)
    cut = int(side @ (capacity @ (1 - side)))
    require(cut == paths, f"{paths} paths and a cut of {cut} cables")
    return SeenPair(flow.source, flow.target, copies, paths)


def _room(cables: Cables, arcs: Arcs, place: Ints) -> Any:
    """Return cables from each vertex to each over which a path may go."""
    n = cables.vertices
    tails, heads, counts = [], [], []
    for some, vertex, _ in arcs.pieces():
        tail, head = place[vertex], place[arcs.head[some]]
        used = (cables.forwards[vertex] | (tail == n)) & (head != n) & (tail != n + 1) & (tail != head)
        tails.append(tail[used])
        heads.append(head[used])
        counts.append(arcs.count[some][used].astype(np.int64))
    count, tail, head = (np.concatenate([np.zeros(0, np.int64), *each]) for each in (counts, tails, heads))
    return _matrix(count, tail, head, n + 2)


def _matrix(values: Ints, rows: Ints, columns: Ints, size: int) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((values, (rows, columns)), shape=(size, size), dtype=np.int64)


@frozen(eq=False)
class DisjointCertificate:
    """The least number of disjoint paths from `senders` to `receivers` [E]. `sources` are pairs (an end point of each
    orbit under `moves`, automorphisms that keep it); with `neighbours` pairs that a cable joins stand for all."""

    arcs: Arcs
    moves: Sequence[Move]
    senders: Bools
    receivers: Bools
    sources: Sequence[tuple[int, Sequence[Move]]]
    seen: Sequence[SeenPair]
    neighbours: bool = False

    def prove(self, cables: Cables) -> Proved:
        match(self.arcs, cables)
        require(len(self.seen) > 0, "no pair was seen")
        if self.neighbours:
            self._check_neighbours(cables)
        else:
            self._check_all(cables)
        return Proved.exactly(min(each.paths for each in self.seen))

    def _check_all(self, cables: Cables) -> None:
        orbit = end_orbits(cables, self.arcs, self.moves, self.senders, self.receivers)
        wanted = np.unique(orbit[self.senders])
        require(np.array_equal(np.sort(orbit[[s for s, _ in self.sources]]), wanted), "a source of each orbit")
        targets: dict[int, list[int]] = {}
        for each in self.seen:
            targets.setdefault(each.source, []).append(each.target)
        for source, around in self.sources:
            mark = np.arange(cables.ends) == source
            inner = end_orbits(cables, self.arcs, around, self.receivers, mark)
            others = self.receivers & ~mark
            seen = np.array(targets.get(source, []), dtype=np.int64)
            require(bool(others[seen].all()), "a target that is not asked about")
            covered = np.unique(inner[seen])
            require(np.array_equal(covered, np.unique(inner[others])), "a target of each orbit")

    def _check_neighbours(self, cables: Cables) -> None:
        alone = cables.vertices == cables.ends and cables.forwards.all() and self.senders.all() and self.receivers.all()
        require(alone, "neighbours stand for all only where each vertex is an end point that forwards")
        pair = _pair_orbits(cables, self.arcs, self.moves)
        require(not components(cables.vertices, *pair.ends).any(), "neighbours stand for all only where all are joined")
        covered = {pair.number(each.source, each.target) for each in self.seen}
        require(covered == set(pair.orbit.tolist()), "a pair of neighbours of each orbit")


@frozen(eq=False)
class FewestCertificate:
    """That no pair from `senders` to `receivers` [E] has fewer disjoint paths than the one that was `seen`: this has
    none, or it has one and all have a path to each other."""

    arcs: Arcs
    senders: Bools
    receivers: Bools
    seen: SeenPair

    def prove(self, cables: Cables) -> Proved:
        match(self.arcs, cables)
        require(bool(self.senders[self.seen.source] and self.receivers[self.seen.target]), "a pair that is asked about")
        require(self.seen.paths <= 1, "more paths than a pair of which none has fewer must have")
        if self.seen.paths == 1:
            connected = ConnectedCertificate(self.senders | self.receivers).prove(cables)
            require(connected.lower == 1.0, "one path is the fewest only where all have one")
        return Proved.exactly(self.seen.paths)


@frozen(eq=False)
class _Neighbours:
    """Pairs of vertices that a cable joins: `key` = low · V + high, ascending, and the orbit of each."""

    vertices: int
    key: Ints
    orbit: Ints

    @property
    def ends(self) -> tuple[Ints, Ints]:
        return self.key // self.vertices, self.key % self.vertices

    def number(self, one: int, two: int) -> int:
        """Return the orbit of a pair; -1 where no cable joins it."""
        wanted = min(one, two) * self.vertices + max(one, two)
        at = min(int(np.searchsorted(self.key, wanted)), len(self.key) - 1)
        return int(self.orbit[at]) if self.key[at] == wanted else -1


def _pair_orbits(cables: Cables, arcs: Arcs, moves: Sequence[Move]) -> _Neighbours:
    n = cables.vertices
    tail = arcs.tails()
    key = np.unique(np.minimum(tail, arcs.head) * n + np.maximum(tail, arcs.head))
    before: list[Ints] = [np.zeros(0, np.int64)]
    after: list[Ints] = [np.zeros(0, np.int64)]
    for move in moves:
        check_move(cables, arcs, move)
        full = move.goes(n)
        rows, many = arcs.rows(move.moved)
        one, two = np.repeat(move.moved, many).astype(np.int64), arcs.head[rows].astype(np.int64)
        for ends, pair_orbits in (((one, two), before), ((full[one], full[two]), after)):
            pair_orbits.append(np.searchsorted(key, np.minimum(*ends) * n + np.maximum(*ends)))
    return _Neighbours(n, key, components(len(key), np.concatenate(before), np.concatenate(after)))
