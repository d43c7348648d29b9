"""A bisection as a graph problem: the nodes and capacities that a halving cut sees, and local exchange on them."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import splitmix64
from unifiedbus_dsl.solver.rounding import round_mantissa

PATIENCE = 60
"""Exchanges in a row that may make a cut worse before a pass gives up: how high a hill it climbs over."""


@frozen(eq=False)
class CutGraph:
    """Nodes that a halving cut puts on one side or the other, undirected.

    `weight` is a symmetric sparse matrix, [N, N], byte/s: the capacity, one way, that is cut where two nodes part.
    `members` [N] counts the end points of each node that are to be halved. `node` [E] is the node of each of these end
    points, -1 for the others. `vertex` [N] is the first vertex of each node in the network.
    """

    weight: Any
    members: Ints
    node: Ints
    vertex: Ints

    @property
    def nodes(self) -> int:
        return len(self.members)

    @property
    def degree(self) -> Floats:
        return np.asarray(self.weight.sum(axis=1), dtype=np.float64).ravel()

    def cut(self, side: Bools) -> float:
        """Return capacity between the sides, byte/s."""
        x = side.astype(np.float64)
        return float(x @ (self.weight @ (1.0 - x)))


def cut_graph(network: Network, chosen: Bools) -> CutGraph:
    """Return the graph of all cuts that halve the end points `chosen` ([E]): its least cut is the bisection.

    All vertices of a chosen end point are one node, since its half holds all of it. What forwards nothing and is not
    chosen carries nothing over a cut. Other nodes are free: one with a single neighbour is on the side of that, one
    between two is cut where the narrower of its links is, so a chain is one link.
    """
    from scipy.sparse import csr_matrix

    member = network.on_vertices(chosen)
    counted = network.forwards | member
    ends = np.cumsum(chosen) - 1
    free = np.cumsum(counted & ~member) - 1 + int(chosen.sum())
    node_of = np.where(member, ends[network.end], np.where(counted, free, -1))
    nodes = int(node_of.max(initial=-1)) + 1
    tail, head = node_of[network.tail], node_of[network.head]
    real = (tail >= 0) & (head >= 0) & (tail != head)
    weight = csr_matrix((network.capacity_Bps[real], (tail[real], head[real])), shape=(nodes, nodes))
    weight.sum_duplicates()
    members = np.zeros(nodes, dtype=np.int64)
    members[: int(chosen.sum())] = 1
    first = network.end_order[network.end_start[np.flatnonzero(chosen)]]
    vertex = np.concatenate([first, np.flatnonzero(counted & ~member)]).astype(np.int64)
    weight, left = _contract_chains(weight, members > 0)
    return CutGraph(weight, members[left], np.where(chosen, np.searchsorted(left, ends), -1), vertex[left])


def _contract_chains(weight: Any, fixed: Bools) -> tuple[Any, Ints]:
    """Return the matrix without free nodes of one neighbour or of two, and the numbers of the nodes that are left."""
    from scipy.sparse import csr_matrix

    left = np.arange(weight.shape[0])
    while True:
        degree = np.diff(weight.indptr)
        short = ~fixed[left] & (degree <= 2)
        # of two such nodes side by side one goes first, by hash: a long chain of them takes few rounds
        row = np.repeat(np.arange(len(left)), degree)
        beside, rank = np.zeros(len(left), dtype=bool), splitmix64(left)
        beside[row[short[row] & short[weight.indices] & (rank[weight.indices] < rank[row])]] = True
        gone = short & ~beside
        if not gone.any():
            return weight, left
        pairs = np.flatnonzero(gone & (degree == 2))
        first = weight.indptr[pairs]
        a, b = weight.indices[first], weight.indices[first + 1]
        through = np.minimum(weight.data[first], weight.data[first + 1])
        number = np.cumsum(~gone) - 1
        stays = ~gone[row] & ~gone[weight.indices]
        tail = np.concatenate([number[row[stays]], number[a], number[b]])
        head = np.concatenate([number[weight.indices[stays]], number[b], number[a]])
        data = np.concatenate([weight.data[stays], through, through])
        size = int((~gone).sum())
        weight = csr_matrix((data, (tail, head)), shape=(size, size))
        weight.sum_duplicates()
        left = left[~gone]


def contract_leaves(graph: CutGraph) -> CutGraph:
    """Return the same with the end points that have a single neighbour joined to it: whole leaves change sides
    together."""
    from scipy.sparse import csr_matrix

    degree = np.diff(graph.weight.indptr)
    home = np.arange(graph.nodes)
    leaf = np.flatnonzero((degree == 1) & (graph.members > 0))
    to = graph.weight.indices[graph.weight.indptr[leaf]]
    real = degree[to] > 1
    home[leaf[real]] = to[real]
    inner, block = np.unique(home, return_inverse=True)
    size = int(block.max(initial=-1)) + 1
    row = block[np.repeat(np.arange(graph.nodes), degree)]
    column = block[graph.weight.indices]
    apart = row != column
    weight = csr_matrix((graph.weight.data[apart], (row[apart], column[apart])), shape=(size, size))
    weight.sum_duplicates()
    members = np.bincount(block, weights=graph.members, minlength=size).astype(np.int64)
    return CutGraph(weight, members, np.where(graph.node >= 0, block[graph.node], -1), graph.vertex[inner])


def threshold_partition(graph: CutGraph, order: NDArray[np.generic], size: int) -> Bools:
    """Return the end points, [E], of which the nodes come first in `order` ([N] keys), cut at `size`."""
    ends = np.flatnonzero(graph.node >= 0)
    ranked = ends[np.lexsort((ends, graph.node[ends], order[graph.node[ends]]))]
    half = np.zeros(len(graph.node), dtype=bool)
    half[ranked[:size]] = True
    return half


def kernighan_lin(graph: CutGraph, half: Bools, deadline_s: float = inf) -> Bools:
    """Return a half of the same size whose cut is no worse, by passes of exchanges in the manner of Kernighan and Lin
    (Bell System Technical Journal 49, 1970): in each step the best single node without end points, or pair of nodes
    with as many, changes sides, once a pass; the best point of the pass is kept. Capacities are taken to 2^-26 of the
    largest.

    Nodes that the half goes through stay where they are. O(N^2) a step; no step begins after `deadline_s`.
    """
    graph = evolve(graph, weight=_round_weights(graph.weight))
    dense = graph.weight.toarray()
    inside = np.bincount(graph.node[half], minlength=graph.nodes)
    mixed = (inside > 0) & (inside < graph.members)
    side = np.where(graph.members > 0, inside * 2 > graph.members, False)
    side = propagate_labels(graph, side)
    best = graph.cut(side)
    while True:
        found, after = _pass(graph, dense, side, mixed, best, deadline_s)
        if after >= best:
            break
        side, best = found, after
        if monotonic() > deadline_s:
            break
    improved = half.copy()
    whole = (graph.node >= 0) & ~mixed[graph.node]
    improved[whole] = side[graph.node[whole]]
    return improved


def _round_weights(weight: Any) -> Any:
    """Capacities of which sums are exact: which exchange is best is the same on all processors. Two that differ by the
    order in which they were added up may round apart, so both ways get the larger: a gain is what a cut loses."""
    coarse = weight.copy()
    coarse.data = round_mantissa(weight.data, 26)
    return coarse.maximum(coarse.T).tocsr()


def propagate_labels(graph: CutGraph, side: Bools) -> Bools:
    """Return the sides of all nodes: those without end points are on the side that most of their capacity is on, from
    the end points outward."""
    pull = np.where(graph.members > 0, np.where(side, 1.0, -1.0), 0.0)
    fixed = graph.members > 0
    for _ in range(20):
        after = np.where(fixed, pull, np.sign(graph.weight @ pull))
        if (after == pull).all():
            break
        pull = after
    return np.asarray(pull > 0)


def _pass(
    graph: CutGraph, dense: Floats, start: Bools, locked: Bools, value: float, deadline_s: float
) -> tuple[Bools, float]:
    side, locked = start.copy(), locked.copy()
    best_side, best, now, since = start, value, value, 0
    sign = np.where(side, 1.0, -1.0)
    # what a node's change of side takes from the cut: its capacity to the other side less that to its own
    gain = -sign * (dense @ sign)
    counts = np.unique(graph.members)
    while since < PATIENCE and monotonic() <= deadline_s:
        chosen: tuple[float, list[int]] = (-np.inf, [])
        for count in counts.tolist():
            these = np.flatnonzero(~locked & (graph.members == count))
            if count == 0:
                if len(these):
                    k = int(np.argmax(gain[these]))
                    chosen = max(chosen, (float(gain[these[k]]), [int(these[k])]))
                continue
            near, far = these[side[these]], these[~side[these]]
            if len(near) and len(far):
                # the best partner of a node is among those of high gain: 64 on each side are enough to look at
                near = near[np.argsort(-gain[near], kind="stable")[:64]]
                far = far[np.argsort(-gain[far], kind="stable")[:64]]
                both = gain[near][:, None] + gain[far] - 2 * dense[np.ix_(near, far)]
                i, j = np.unravel_index(int(np.argmax(both)), both.shape)
                chosen = max(chosen, (float(both[i, j]), [int(near[i]), int(far[j])]))
        if not chosen[1]:
            break
        for v in chosen[1]:
            gain += np.where(side == side[v], 2.0, -2.0) * dense[v]
            gain[v] = -gain[v]
            side[v] = ~side[v]
            locked[v] = True
        now -= chosen[0]
        since += 1
        if now < best:
            best_side, best, since = side.copy(), now, 0
    return best_side, best
