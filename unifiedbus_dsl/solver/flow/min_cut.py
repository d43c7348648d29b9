"""Minimum cuts in graphs of any capacities, by a solver of 32-bit integers that can't overflow here.

SciPy's maximum flow holds capacities, flows and residuals in 32 bits. The residual of an arc is its capacity and what
flows the other way, so capacities stay below 2^29 here, and the residuals of two opposite arcs together below 2^30.

Where that takes digits away, the flow is refined as in capacity scaling (Ahuja, Magnanti and Orlin, Network Flows,
1993, section 7.3): no more can be added to a flow than the residual capacity of a cut, so residual capacities end there
and go into a finer unit, until no path is left in the residual graph of the 64-bit capacities themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints

MAX_CAPACITY = 2**29 - 1
"""Largest capacity of an arc in the 32-bit solver."""
TOTAL_BITS = 62
"""The capacities of all arcs together stay below two to this power."""


def minimum_cut(
    vertices: int, tail: NDArray[Any], head: NDArray[Any], capacity: NDArray[Any], source: int, sink: int
) -> Bools:
    """Return the source side, [vertices], of a minimum cut in the directed graph with arcs `tail[i] -> head[i]`: what
    can be reached from the source in the residual graph of a maximum flow.

    Exact for capacities that are integers, or multiples of one power of two, of 62 bits together; others are rounded to
    such multiples.
    """
    return _maximised(vertices, tail, head, capacity, source, sink)[0]


def flow_parts(
    vertices: int, tail: NDArray[Any], head: NDArray[Any], capacity: NDArray[Any], source: int, sink: int
) -> tuple[Bools, Floats]:
    """Return the same side, and what part of its capacity each arc carries in a maximum flow, [arcs]: below 0 where it
    goes against the arc. Each arc has its opposite among them, and arcs between the same two carry equal parts."""
    side, arcs, residual = _maximised(vertices, tail, head, capacity, source, sink)
    _, capacity_units = _merged(vertices, tail, head, scale_to_integers(np.asarray(capacity)))
    part = np.divide(
        capacity_units - residual, capacity_units, out=np.zeros(len(capacity_units)), where=capacity_units > 0
    )
    key = tail.astype(np.int64) * vertices + head
    place = np.minimum(np.searchsorted(arcs, key), len(arcs) - 1)
    return side, np.where(tail != head, part[place], 0.0)


def _maximised(
    vertices: int, tail: NDArray[Any], head: NDArray[Any], capacity: NDArray[Any], source: int, sink: int
) -> tuple[Bools, Ints, Ints]:
    """Return the source side, all arcs as `_merged` numbers them, and what a maximum flow leaves of their capacity."""
    arcs, residual = _merged(vertices, tail, head, scale_to_integers(np.asarray(capacity)))
    tails, heads = np.divmod(arcs, vertices)
    opposite = np.searchsorted(arcs, heads * vertices + tails)
    bound = int(min(residual[tails == source].sum(), residual[heads == sink].sum()))
    while True:
        side = _reachable(vertices, tails, heads, residual > 0, source)
        if not side[sink]:
            return side, arcs, residual
        flow, bound = _augment(vertices, tails, heads, np.minimum(residual, bound), source, sink)
        residual += flow[opposite] - flow


def scale_to_integers(capacity: NDArray[Any]) -> Ints:
    """Return capacities as 64-bit integers: the same where they are integers, else multiples of the power of two that
    keeps their sum below 2^62. None becomes 0."""
    total = float(capacity.sum(dtype=np.float64))
    unit = 2.0 ** (int(np.frexp(total)[1]) - TOTAL_BITS + 1)
    if unit <= 1 and (capacity == np.rint(capacity)).all():
        return capacity.astype(np.int64)
    return np.where(capacity > 0, np.maximum(np.rint(capacity / unit), 1), 0).astype(np.int64)


def _merged(vertices: int, tail: NDArray[Any], head: NDArray[Any], capacity: Ints) -> tuple[Ints, Ints]:
    """Return the arcs as `tail * vertices + head`, ascending, each with its opposite, and their capacities."""
    apart = tail != head
    one = tail[apart].astype(np.int64) * vertices + head[apart]
    two = head[apart].astype(np.int64) * vertices + tail[apart]
    arcs, place = np.unique(np.concatenate([one, two]), return_inverse=True)
    total = np.zeros(len(arcs), dtype=np.int64)
    np.add.at(total, place.ravel()[: len(one)], capacity[apart])
    return arcs, total


def _augment(vertices: int, tails: Ints, heads: Ints, capacity: Ints, source: int, sink: int) -> tuple[Ints, int]:
    """Return a maximum flow, [arcs], in capacities rounded down to 29 bits, and what can be added to it at most."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow

    common = int(np.gcd.reduce(capacity))
    unit = common if int(capacity.max()) // common <= MAX_CAPACITY else -(-int(capacity.max()) // MAX_CAPACITY)
    start = np.searchsorted(tails, np.arange(vertices + 1))
    shape = (vertices, vertices)
    coarse = (capacity // unit).astype(np.int32)
    graph = csr_matrix((coarse, heads.astype(np.int32), start.astype(np.int32)), shape=shape)
    matrix = maximum_flow(graph, source, sink).flow
    matrix.sort_indices()
    # the flow has all arcs of the graph, which has the opposite of each: the same places in the same order
    flow = matrix.data.astype(np.int64)
    if len(flow) != len(tails) or (matrix.indices != heads).any():
        raise ArithmeticError("the maximum flow has other arcs than its graph")
    side = _reachable(vertices, tails, heads, coarse - flow > 0, source)
    left = capacity - flow * unit
    return np.maximum(flow, 0) * unit, int(left[side[tails] & ~side[heads]].sum())


def _reachable(vertices: int, tails: Ints, heads: Ints, open_: Bools, source: int) -> Bools:
    """Return which vertices, [vertices], can be reached from the source over open arcs."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order

    arcs = np.ones(int(open_.sum()), dtype=np.int8)
    graph = csr_matrix((arcs, (tails[open_], heads[open_])), shape=(vertices, vertices))
    side = np.zeros(vertices, dtype=bool)
    side[breadth_first_order(graph, source, return_predecessors=False)] = True
    return side
