"""Islands where lines forward between two sides: what they let through one way only.

Vertices that forward are parted into those that reach each other and those that they don't. A part that holds the other
way of its vertices too is an island: what reaches it is reached from it. No island reaches another one (if it did, it
would be reached from it the other way round, and they would be one). So a path passes one island at most, and what is
not in one, such as the two vertices of a NIC that joins a host to two planes, lets through from one part to the next. A
path past every island joins its two end points alone: that pair is an island of its own.
"""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Ints, unique_rows
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.solver.bounds import NotAdmittedError

MAX_PAIRS = 5_000_000
"""Pairs (end point, vertex outside every island that it reaches) that are held."""


def turned_islands(network: Network) -> tuple[Ints, Ints]:
    """Return the pairs (end point, island) of a network with lines between two sides, sorted and each once.

    Raises:
        NotAdmittedError: too much lies outside every island.
    """
    n = network.vertices
    part, own = _parts(network)
    end, vertex = network.end[network.end_order].astype(np.int64), network.end_order.astype(np.int64)
    touching = [end * n + part[vertex]]
    inside = network.forwards[vertex] & own[vertex]
    touching[0] = touching[0][inside]
    direct: list[Ints] = []
    seen = np.zeros(0, dtype=np.int64)
    front = unique_rows(end[~inside] * n + vertex[~inside])
    while len(front):
        seen = np.concatenate([seen, front])
        if len(seen) > MAX_PAIRS:
            raise NotAdmittedError("too many end points are joined past every switch, by lines between two sides")
        who, at = np.divmod(front, n)
        degree = network.indptr[at + 1] - network.indptr[at]
        who, head = np.repeat(who, degree), network.head[arcs_of_rows(network, at)].astype(np.int64)
        into = network.forwards[head] & own[head]
        touching.append(who[into] * n + part[head[into]])
        ends = ~into & (network.end[head] >= 0) & (network.end[head] != who)
        direct.append(unique_rows(who[ends] * network.ends + network.end[head[ends]]))
        on = ~into & network.forwards[head]
        fresh = unique_rows(who[on] * n + head[on])
        front = fresh[~np.isin(fresh, seen)]
    one, island = np.divmod(unique_rows(np.concatenate(touching)), n)
    pairs = unique_rows(np.concatenate([np.zeros(0, np.int64), *direct]))
    low, high = np.divmod(pairs[pairs // network.ends < pairs % network.ends], network.ends)
    number = n + np.arange(len(low))
    key = unique_rows(np.concatenate([one, low, high]) * (n + len(low)) + np.concatenate([island, number, number]))
    touched, of = np.divmod(key, n + len(low))
    return touched, of


def _parts(network: Network) -> tuple[Ints, Bools]:
    """Return the part of each vertex among those that forward and reach each other, and whether it is an island, [V]
    each."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    n = network.vertices
    inner = network.forwards[network.tail] & network.forwards[network.head]
    graph = csr_matrix((np.ones(int(inner.sum())), (network.tail[inner], network.head[inner])), shape=(n, n))
    part = np.asarray(connected_components(graph, connection="strong")[1], dtype=np.int64)
    assert network.turned is not None
    return part, np.asarray((part[network.turned] == part) & network.forwards)
