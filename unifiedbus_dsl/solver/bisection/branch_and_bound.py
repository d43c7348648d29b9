"""The least of all halving cuts of a small graph: every half is tried or bounded.

Few end points: one minimum cut for each half of them. Few nodes: branch and bound. With x = ±1 for the sides and the
matrix M = L - diag(d) + t m m' of `spectral`, 4 cut = sum d - t s^2 + x'Mx. With M = R'R, R upper triangular, x'Mx is
the sum of the squares of the rows of R x; the last rows know only the last entries of x, so fixing x from the last
entry on gives a lower bound that grows row by row, as in sphere decoding (Fincke and Pohst, Math. Comp. 44, 1985). The
other bound is what is cut already, and for each open node the lesser of its capacities to the two sides.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, inf
from time import monotonic

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph
from unifiedbus_dsl.solver.bisection.sdp_bound import semidefinite
from unifiedbus_dsl.solver.flow.min_cut import flow_parts, minimum_cut
from unifiedbus_dsl.verify.bisection import LowerBound
from unifiedbus_dsl.verify.counted_cuts import EveryHalf, SearchTree

MAX_HALVES = 500
"""Halves up to which each gets a minimum cut of its own."""
MAX_HALF_ARCS = 20_000_000
"""Arcs that these minimum cuts may have together."""
MAX_NODES = 64
"""Nodes up to which branch and bound begins."""
MAX_STATES = 1_000_000
"""Partial halves that it may look at."""
CHUNK = 4_096
ROUNDING = 1e-9
"""Relative: what rounding may make a bound too high."""


@frozen(eq=False)
class Least:
    """The best half [E] and a lower bound on all, byte/s; they meet where the search was not cut short. `proof` shows
    the bound, where it is rounded up to a multiple of the step."""

    half: Bools
    lower_Bps: float  # noqa: N815
    proof: LowerBound


def every_half(graph: CutGraph, deadline_s: float = inf) -> Least | None:
    """Return the half of the least cut, by a minimum cut for each half of the members; None where there are many, or
    they are not all made by `deadline_s`."""
    n = int(graph.members.sum())
    count = comb(n, n // 2) // (2 - n % 2)
    if n < 2 or count > MAX_HALVES or count * graph.weight.nnz > MAX_HALF_ARCS:
        return None
    members = np.flatnonzero(graph.node >= 0)
    tail = np.repeat(np.arange(graph.nodes), np.diff(graph.weight.indptr))
    head, rate, size = graph.weight.indices, graph.weight.data, graph.nodes + 2
    best, min_cut = np.zeros(len(graph.node), dtype=bool), inf
    upward, flows = tail < head, list[Floats]()
    for picked in combinations(range(n), n // 2):
        if n % 2 == 0 and picked[0] != 0:
            break  # the other halves of the same cuts
        if monotonic() > deadline_s:
            return None
        half = np.zeros(len(graph.node), dtype=bool)
        half[members[list(picked)]] = True
        at = np.arange(graph.nodes)
        at[graph.node[half]] = size - 2
        at[graph.node[(graph.node >= 0) & ~half]] = size - 1
        side, part = flow_parts(size, at[tail], at[head], rate, size - 2, size - 1)
        flows.append((part * rate)[upward])
        cut = graph.cut(side[at])
        if cut < min_cut:
            best, min_cut = half, cut
    proof = EveryHalf(graph.vertex[tail[upward]], graph.vertex[head[upward]], np.array(flows))
    return Least(best, min_cut, proof)


def branch_and_bound(graph: CutGraph, half: Bools, step: float, deadline_s: float = inf) -> Least | None:
    """Return the half of the least cut, beginning with the cut of a known `half`; None where there are too many nodes.

    All cuts that halve the members differ by multiples of `step` (0: unknown). Each member is a node of its own.
    """
    n = int(graph.members.sum())
    if graph.nodes > MAX_NODES or n < 2 or (graph.members > 1).any() or not graph.weight.nnz:
        return None
    certificate = semidefinite(graph, deadline_s)
    if certificate is None:
        return None
    return _Search(graph, half, step, *certificate).run(deadline_s)


class _Search:
    """Depth first, in chunks of partial sides: the columns fixed so far are `order[-k:]`, last first."""

    def __init__(self, graph: CutGraph, half: Bools, step: float, d: Floats, pull: float, unit: float) -> None:
        self.graph, self.n = graph, int(graph.members.sum())
        self.order = _order(graph)
        self.unit = unit
        dense = graph.weight.toarray()[np.ix_(self.order, self.order)] / unit
        member = graph.members[self.order].astype(np.float64)
        matrix = np.diag(dense.sum(axis=1) - d[self.order]) - dense + pull * np.outer(member, member)
        self.root = np.linalg.cholesky(matrix).T  # R'R = matrix
        self.dense, self.member = dense, member
        self.base = float(d.sum()) - pull * (self.n % 2)
        self.best, self.half = inf, half
        self.step = step / unit
        self.states = 0
        self.d, self.pull = d * unit, pull * unit
        self.leaves: list[tuple[int, NDArray[np.uint64]]] = []

    def run(self, deadline_s: float) -> Least:
        nodes = self.graph.nodes
        self._offer(self._side_of(self.half))
        empty = np.zeros((1, nodes))
        stack = [(0, empty.copy(), np.zeros(1), np.zeros(1), np.full(1, -inf), np.zeros(1, dtype=np.uint64))]
        left = inf
        while stack:
            fixed, x, row, cut, bound, code = stack.pop()
            keep = bound < self._limit()
            if fixed and (self.states > MAX_STATES or monotonic() > deadline_s):
                left = min(left, float(bound[keep].min(initial=inf)))
                keep[:] = False
            self._leave(fixed, code[~keep])
            if keep.any():
                self._expand(stack, fixed, x[keep], row[keep], cut[keep], code[keep])
        lower = min(self.best, left)
        return Least(self.half, max(lower, 0.0) * self.unit, self._tree())

    def _leave(self, fixed: int, code: NDArray[np.uint64]) -> None:
        """Note part cuts that are not followed any further."""
        if len(code):
            self.leaves.append((fixed, code))

    def _tree(self) -> SearchTree:
        depth = np.concatenate([np.full(len(code), fixed) for fixed, code in self.leaves])
        code = np.concatenate([code for _, code in self.leaves])
        order = self.order[::-1]
        return SearchTree(self.graph.vertex[order], depth, code, self.d[order], self.pull)

    def _limit(self) -> float:
        """Partial sides with a bound from here on hold nothing better."""
        return self.best - max(self.step * (1 - 1e-6), ROUNDING * self.best)

    def _expand(
        self,
        stack: list[tuple[int, Floats, Floats, Floats, Floats, NDArray[np.uint64]]],
        fixed: int,
        x: Floats,
        row: Floats,
        cut: Floats,
        code: NDArray[np.uint64],
    ) -> None:
        nodes = self.graph.nodes
        at = nodes - 1 - fixed
        open_members = float(self.member[:at].sum())
        signs = (1.0,) if fixed == 0 else (1.0, -1.0)
        xs = np.concatenate([np.where(np.arange(nodes) == at, sign, x) for sign in signs])
        row, cut = np.tile(row, len(signs)), np.tile(cut, len(signs))
        bit = np.uint64(1) << np.uint64(63 - fixed)
        code = np.concatenate([code | bit if sign > 0 else code for sign in signs])
        self.states += len(xs)
        row = row + (xs @ self.root[at]) ** 2
        cut = cut + self._cut_at(xs, at)
        total = xs @ self.member
        balanced = np.abs(total) <= open_members + self.n % 2
        pulls = xs @ self.dense[:, :at]
        apart = (self.dense[at:, :at].sum(axis=0) - np.abs(pulls)).sum(axis=1) / 2
        bound = np.maximum(cut + apart, (self.base + row) / 4)
        keep = balanced & (bound < self._limit())
        self._leave(fixed + 1, code[~keep])
        xs, row, cut, bound, code = xs[keep], row[keep], cut[keep], bound[keep], code[keep]
        if at == 0:
            self._leave(nodes, code)
            if len(xs):
                self._offer(xs[int(np.argmin(cut))] > 0)
            return
        order = np.argsort(-bound, kind="stable")
        for begin in range(0, len(order), CHUNK):
            some = order[begin : begin + CHUNK]
            stack.append((fixed + 1, xs[some], row[some], cut[some], bound[some], code[some]))

    def _cut_at(self, xs: Floats, at: int) -> Floats:
        """Return what the node `at` cuts of its capacity to nodes fixed before it."""
        weights = self.dense[at].copy()
        weights[: at + 1] = 0.0
        return np.asarray((weights.sum() - xs[:, at] * (xs @ weights)) / 2)

    def _side_of(self, half: Bools) -> Bools:
        """Return the sides of all nodes, in order, for a half: a minimum cut."""
        graph, size = self.graph, self.graph.nodes + 2
        at = np.arange(graph.nodes)
        at[graph.node[half]] = size - 2
        at[graph.node[(graph.node >= 0) & ~half]] = size - 1
        tail = np.repeat(np.arange(graph.nodes), np.diff(graph.weight.indptr))
        cut = minimum_cut(size, at[tail], at[graph.weight.indices], graph.weight.data, size - 2, size - 1)
        return np.asarray(cut[at][self.order])

    def _offer(self, side: Bools) -> None:
        """Take a full side, [nodes] in order, as the best where it is."""
        x = np.where(side, 1.0, -1.0)
        value = float((self.dense * (x[:, None] != x)).sum()) / 2
        if value >= self.best:
            return
        self.best = value
        by_node = np.zeros(self.graph.nodes, dtype=bool)
        by_node[self.order] = side
        half = (self.graph.node >= 0) & by_node[self.graph.node]
        if int(half.sum()) > self.n // 2:
            half = (self.graph.node >= 0) & ~half
        self.half = half


def _order(graph: CutGraph) -> Ints:
    """Return the nodes, the first to be fixed last: each next one has the largest capacity to those fixed before it."""
    weight = graph.weight.toarray()
    gain = weight.sum(axis=1) * 1e-6
    fixed = list[int]()
    open_ = np.ones(graph.nodes, dtype=bool)
    for _ in range(graph.nodes):
        v = int(np.argmax(np.where(open_, gain, -inf)))
        fixed.append(v)
        open_[v] = False
        gain = gain + weight[v]
    return np.array(fixed[::-1], dtype=np.int64)
