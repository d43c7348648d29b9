"""Lower bounds of a bisection from all halving cuts: each tried, a flow for each half, or a tree of part cuts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from math import comb

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.halving_graph import HalvingGraph, halving_graph

MAX_COUNTED = 20
"""Nodes up to which every side of each is tried."""
CHUNK = 8_192
"""Part cuts that are bounded together."""
ROUNDING = 1e-9
"""Relative: what adding up may make a bound too high."""
BALANCE = 1e-12
"""Relative: by how much what goes into a node and out of it may differ, and squares of sums from what they are of."""


@frozen
class EveryCut:
    """Every halving cut, for a few nodes."""

    def prove(self, cables: Cables, members: Bools) -> float:
        graph = halving_graph(cables, members)
        require(graph.nodes <= MAX_COUNTED, "too many vertices to try every cut")
        weight, free = graph.matrix(), np.flatnonzero(~graph.member)
        pattern = (np.arange(1 << len(free))[:, None] >> np.arange(len(free)) & 1).astype(np.float64)
        best, of = np.inf, np.flatnonzero(graph.member)
        for half in _halves(len(of)):
            side = np.zeros((len(pattern), graph.nodes))
            side[:, free] = pattern
            side[:, of[list(half)]] = 1.0
            best = min(best, float(((side @ weight) * (1.0 - side)).sum(axis=1).min()))
        return best


def _halves(count: int) -> Iterable[tuple[int, ...]]:
    """Return the floor(count / 2) on one side; of each half and its complement of the same size the one with the
    first."""
    if count % 2:
        return combinations(range(count), count // 2)
    return ((0, *rest) for rest in combinations(range(1, count), count // 2 - 1))


@frozen(eq=False)
class EveryHalf:
    """For each half of a few members, in order, a flow from it to the others: `flow[k]` [P] byte/s on links from the
    node of vertex `tail[p]` to that of `head[p]`, below 0 the other way. No cut of the half is less than what flows."""

    tail: Ints
    head: Ints
    flow: Floats

    def prove(self, cables: Cables, members: Bools) -> float:
        graph = halving_graph(cables, members)
        a, b = graph.place(self.tail), graph.place(self.head)
        require((np.minimum(a, b) >= 0).all(), "a flow between vertices that are no nodes")
        of = np.flatnonzero(graph.member)
        halves = comb(len(of), len(of) // 2) // (2 - len(of) % 2)
        require(self.flow.shape == (halves, len(a)), "one flow for each half")
        capacity = _capacities(graph, a, b) * (1 + ROUNDING)
        best = np.inf
        for half, flow in zip(_halves(len(of)), self.flow, strict=True):
            require(not (np.abs(flow) > capacity).any(), "a flow is above the capacity of its link")
            gain = np.bincount(b, flow, graph.nodes) - np.bincount(a, flow, graph.nodes)
            noise = BALANCE * (np.bincount(a, np.abs(flow), graph.nodes) + np.bincount(b, np.abs(flow), graph.nodes))
            require(not (np.abs(gain) > noise)[~graph.member].any(), "a flow does not balance")
            best = min(best, -float(gain[of[list(half)]].sum()) - float(noise.sum()))
        return max(best, 0.0)


def _capacities(graph: HalvingGraph, a: Ints, b: Ints) -> Floats:
    """Return capacity of the link between each two nodes, each two once, 0 where there is none."""
    key, wanted = graph.a * graph.nodes + graph.b, np.minimum(a, b) * graph.nodes + np.maximum(a, b)
    require(len(np.unique(wanted)) == len(wanted), "a link has two flows")
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[place] == wanted, graph.capacity[place], 0.0) if len(key) else np.zeros(len(wanted))


@frozen(eq=False)
class SearchTree:
    """A tree of part cuts whose leaves hold all halving cuts, with a bound on each leaf.

    Nodes take their sides one after another: that of vertex `order[0]` is given, and leaf k has given the first
    `depth[k]` of them, those with a 1 in the uppermost bits of `code[k]` on the near side. A leaf is bounded by what is
    cut already and for each open node the lesser of its capacities to both sides; by `d` and `pull` as in
    `EigenvalueBound`, with L - diag(d) + pull · m m' = R'R: the squares of the rows of R x that know only given sides;
    or holds no halving cut, for too many members are on one side.
    """

    order: Ints
    depth: Ints
    code: NDArray[np.uint64]
    d: Floats
    pull: float

    def prove(self, cables: Cables, members: Bools) -> float:
        graph = halving_graph(cables, members)
        place, n = graph.place(self.order), graph.nodes
        require(n <= 64 and np.array_equal(np.sort(place), np.arange(n)), "an order of all nodes")
        _require_all_cuts(self.depth, self.code, n)
        # the first side to be given is the last row of R
        at = place[::-1]
        weight, member = graph.matrix()[np.ix_(at, at)], graph.member[at].astype(np.float64)
        unit = float(weight.max(initial=1.0))
        weight /= unit
        d, pull = self.d[::-1] / unit, self.pull / unit
        matrix = np.diag(weight.sum(axis=1) - d) - weight + pull * np.outer(member, member)
        try:
            root = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            require(False, "the matrix of a tree of cuts has a negative eigenvalue")
        odd = int(member.sum()) % 2
        base, noise = float(d.sum()) - pull * odd, BALANCE * float(np.trace(matrix))
        best = np.inf
        for begin in range(0, len(self.depth), CHUNK):
            some = slice(begin, begin + CHUNK)
            given = (n - 1 - np.arange(n)) < self.depth[some, None]
            near = self.code[some, None] >> np.arange(64 - n, 64, dtype=np.uint64) & np.uint64(1)
            x = np.where(given, np.where(near == 1, 1.0, -1.0), 0.0)
            to_given, pulls = given @ weight, x @ weight
            cut = ((to_given - x * pulls) * given).sum(axis=1) / 4
            bound = cut + ((to_given - np.abs(pulls)) * ~given).sum(axis=1) / 2
            squares = (base - noise + ((x @ root) ** 2 * given).sum(axis=1)) / 4
            bound = np.maximum(bound, np.where(given.all(axis=1), 0.0, squares))
            held = np.abs(x @ member) <= (~given @ member) + odd
            best = min(best, float(bound[held].min(initial=np.inf)))
        return best * unit * (1 - ROUNDING)


def _require_all_cuts(depth: Ints, code: NDArray[np.uint64], nodes: int) -> None:
    """Hold the leaves to be all cuts with the first node on the near side: as numbers of 64 bits, whose first bit is
    that node's, they follow each other without a gap."""
    require(len(depth) == len(code) > 0 and depth.min() >= 1 and depth.max() <= nodes, "the leaves of a tree")
    width = np.uint64(1) << (np.uint64(64) - depth.astype(np.uint64))
    require(not (code & (width - np.uint64(1))).any(), "a leaf has given more sides than its depth")
    order = np.argsort(code)
    ends = code[order] + width[order]  # the last one is 2^64, which is 0
    begins = np.append(code[order][1:], np.uint64(0))
    require(code[order][0] == np.uint64(1 << 63) and np.array_equal(ends, begins), "the leaves leave cuts out")
