"""Prices of cables, and the distances that they make: an upper bound on any throughput.

    scale <= sum of length · capacity over all arcs / sum over pairs of demand · distance

A distance is shown by a potential that is 0 at the source and rises by no more than the length along any arc that a
path may take: then it is at most the distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.cables import Cables, Floats, Ids, Ints

if TYPE_CHECKING:
    from unifiedbus_dsl.verify.matrix import Matrix

MAX_SWEPT = 1_000_000
"""Sources times arcs up to which distances are found anew from every source, whatever is alike."""
SPARSE = 16
"""Vertices for each arc that is met below which all vertices are looked through."""
SOURCES = 64
"""Sources whose distances are found together."""


@frozen(eq=False)
class Potential:
    """Of end point `source`, and of `copies` - 1 more whose cables and traffic are like its: the distance [V] of each
    vertex from it is `value[part]` at the least. Where no value is told, distances are found anew."""

    source: int
    copies: int
    part: Ids | None = None
    value: Floats | None = None


@frozen(eq=False)
class Prices:
    """Arc a has length `value[label[a]]`; and a potential of one of each sources that are alike. With `shortest` only
    paths of fewest cables are taken."""

    label: Ids
    value: Floats
    of: tuple[Potential, ...]
    shortest: bool = False

    def scale(self, cables: Cables, arcs: Arcs, matrix: Matrix) -> float:
        """Return the upper bound on the scale of a matrix."""
        require(len(self.label) == arcs.size and not (self.value < 0).any(), "a length for each arc")
        volume = 0.0
        for some, _, _ in arcs.pieces():
            volume += float((self.value[self.label[some]] * arcs.capacity(some)).sum())
        sent = matrix.sent()
        require(sum(each.copies for each in self.of) == int((sent > 0).sum()), "each sender has one potential")
        require(all(sent[each.source] > 0 for each in self.of), "a potential of one that sends nothing")
        if int((sent > 0).sum()) * arcs.size <= MAX_SWEPT:
            sources, copies = np.flatnonzero(sent > 0), np.ones(int((sent > 0).sum()))
        else:
            fresh = [each for each in self.of if each.value is None]
            sources = np.array([each.source for each in fresh], dtype=np.int64)
            copies = np.array([each.copies for each in fresh], dtype=np.float64)
        worth = 0.0
        for start in range(0, len(sources), SOURCES):
            some = slice(start, start + SOURCES)
            for source, many, distance in zip(
                sources[some], copies[some], least_lengths(self, cables, arcs, sources[some]), strict=True
            ):
                row = matrix.row(int(source))
                worth += many * float(row[row > 0] @ distance[row > 0])
        if len(sources) < len(self.of):
            for each in self.of:
                if each.value is not None:
                    row, distance = matrix.row(each.source), self._checked(each, cables, arcs)
                    worth += each.copies * float(row[row > 0] @ distance[row > 0])
        return volume / worth if worth > 0 else np.inf

    def _checked(self, stated: Potential, cables: Cables, arcs: Arcs) -> Floats:
        """Return the potential of each end point, [E], after it was held to the length of every arc."""
        assert stated.part is not None
        assert stated.value is not None
        part, value, own = stated.part, stated.value, cables.end == stated.source
        hops = fewest_cables(cables, arcs, stated.source) if self.shortest else None
        require(not (value[part[own]] > 0).any(), "a potential does not begin at 0")
        slack = 1e-9 * float(self.value.max())
        for some, tail, _ in arcs.pieces():
            head = arcs.head[some]
            usable = cables.forwards[tail] | own[tail]
            if hops is not None:
                usable &= (hops[tail] >= 0) & (hops[head] == hops[tail] + 1)
            low, high = value[part[tail[usable]]], value[part[head[usable]]]
            reached = np.isfinite(low)
            steep = high[reached] > low[reached] + self.value[self.label[some]][usable][reached] + slack
            require(not steep.any(), "a potential rises by more than the length of an arc")
        min_distance = np.full(cables.ends, np.inf)
        at = np.flatnonzero(cables.end >= 0)
        np.minimum.at(min_distance, cables.end[at], value[part[at]])
        return min_distance


def fewest_cables(cables: Cables, arcs: Arcs, source: int) -> Ints:
    """Return fewest cables from an end point to each vertex, over vertices that forward, -1 where there is no path,
    [V]."""
    return cables_from(cables, arcs, np.flatnonzero(cables.end == source))


def cables_from(cables: Cables, arcs: Arcs, start: Ints) -> Ints:
    """Return fewest cables from these vertices to each, over others that forward, -1 where there is no path, [V]."""
    hops = np.full(cables.vertices, -1, dtype=np.int64)
    hops[start] = 0
    front, distance = start, 0
    while len(front):
        distance += 1
        head = arcs.head[arcs.rows(front)[0]]
        head = head[hops[head] < 0]
        hops[head] = distance
        front = np.unique(head) if len(head) * SPARSE < len(hops) else np.flatnonzero(hops == distance)
        front = front[cables.forwards[front]]
    return hops


def fewest_cables_to(cables: Cables, arcs: Arcs, target: int) -> Ints:
    """Return fewest cables from each vertex to an end point, -1 where there is no path, [V]: of what goes the other
    way."""
    return fewest_cables(cables, arcs, target)[cables.turned]


def least_lengths(prices: Prices, cables: Cables, arcs: Arcs, sources: Ints) -> Floats:
    """Return least length from each of these end points to each, over paths through vertices that forward (with
    `shortest`: over those of fewest cables), infinite where there is none, [sources, E].

    A source is a node of its own, with the arcs out of its vertices. No other arc leaves a vertex that does not
    forward.
    """
    n = cables.vertices
    number = np.full(cables.ends, -1, dtype=np.int64)
    number[sources] = np.arange(len(sources))
    tail = arcs.tails()
    own = np.where(cables.end[tail] >= 0, number[cables.end[tail]], -1)
    first, through = np.flatnonzero(own >= 0), np.flatnonzero(cables.forwards[tail])
    which = np.append(first, through)
    rows, cols = np.append(n + own[first], tail[through]), arcs.head[which].astype(np.int64)
    longest = float(prices.value.max())
    hop = 2.0 * n * longest if prices.shortest else 0.0
    cost = np.maximum(prices.value[prices.label[which]], 1e-16 * longest) + hop  # of a sparse matrix 0 is no edge
    distance = shortest(n + len(sources), rows, cols, cost, n + np.arange(len(sources)))[:, :n]
    lengths = np.full((cables.ends, len(sources)), np.inf)
    at = np.flatnonzero(cables.end >= 0)
    np.minimum.at(lengths, cables.end[at], distance[:, at].T)
    if prices.shortest:
        hops = np.floor(lengths / hop + 0.25, where=np.isfinite(lengths), out=np.zeros_like(lengths))
        lengths -= hops * hop
    return np.asarray(lengths.T)


def shortest(nodes: int, rows: Ints, cols: Ints, cost: Floats, starts: Ints) -> Floats:
    """Return least costs from each start to each node over edges of positive cost, parallel ones too, infinite where
    there is no path, [starts, nodes]."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    order = np.lexsort((cost, cols, rows))
    rows, cols, cost = rows[order], cols[order], cost[order]
    new = np.append(True, (rows[1:] != rows[:-1]) | (cols[1:] != cols[:-1]))[: len(rows)]
    graph = csr_matrix((cost[new], (rows[new], cols[new])), shape=(nodes, nodes))
    return np.asarray(dijkstra(graph, indices=starts))
