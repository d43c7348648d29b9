"""All-to-all on groups that are full meshes, as in a dragonfly: straight inside a group, over all links between two.

Shortest paths prefer the one switch that has a link to the other group, and leave the other links idle. Here what one
group sends another goes over each link between them by its capacity: from its switch straight to the switch of the
link, over it, and straight to the switch of the target.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph


def dragonfly_all_to_all(graph: CutGraph) -> Floats | None:
    """Load of each link, in the order of `graph.weight`, where every end point sends one unit to each on another node;
    None where the nodes are no full meshes with links between every two."""
    degree = np.diff(graph.weight.indptr)
    tail, head = np.repeat(np.arange(graph.nodes), degree), graph.weight.indices
    group = _groups(graph, tail, head, degree)
    if group is None:
        return None
    count = int(group.max()) + 1
    members = graph.members.astype(np.float64)
    size = bincount(group, members, count)
    across = group[tail] != group[head]
    pair = group[tail] * count + group[head]
    pair_capacity = bincount(pair[across], graph.weight.data[across], count * count)
    if int((pair_capacity > 0).sum()) < count * (count - 1):
        return None
    load = np.zeros(len(tail))
    share = graph.weight.data[across] / pair_capacity[pair[across]]
    load[across] = size[group[tail[across]]] * size[group[head[across]]] * share
    # what one end point of the group sends over the links of a node, which is what it receives over them
    gate = bincount(tail[across], size[group[head[across]]] * share, graph.nodes)
    a, b = tail[~across], head[~across]
    load[~across] = members[a] * gate[b] + gate[a] * members[b] + members[a] * members[b]
    return load


def flows_across(graph: CutGraph) -> Iterator[Floats]:
    """Yield for each node what goes over each link to it, [links], where every end point on another node sends it one
    unit, in the way of `across_groups`, which gives loads for this graph."""
    degree = np.diff(graph.weight.indptr)
    tail, head = np.repeat(np.arange(graph.nodes), degree), graph.weight.indices
    group = _groups(graph, tail, head, degree)
    assert group is not None
    count, members = int(group.max()) + 1, graph.members.astype(np.float64)
    size = bincount(group, members, count)
    across = group[tail] != group[head]
    pair = group[tail] * count + group[head]
    share = graph.weight.data / bincount(pair, graph.weight.data, count * count)[pair]
    for target in range(graph.nodes):
        flow, here = np.zeros(len(tail)), group[head] == group[target]
        into = np.flatnonzero(across & here)
        flow[into] = size[group[tail[into]]] * share[into]
        out = np.flatnonzero(~across & ~here)
        flow[out] = members[tail[out]] * bincount(tail[into], share[into], graph.nodes)[head[out]]
        last = np.flatnonzero(~across & (head == target))
        flow[last] = (members + bincount(head[into], flow[into], graph.nodes))[tail[last]]
        yield flow


def _groups(graph: CutGraph, tail: Ints, head: Ints, degree: Ints) -> Ints | None:
    """Return the group of each node: those joined by links whose ends have half of their neighbours in common. None
    where there are fewer than two, or one is no full mesh."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    linked = csr_matrix((np.ones(len(tail)), head, graph.weight.indptr), shape=graph.weight.shape)
    common = np.asarray((linked @ linked)[tail, head]).ravel()
    near = 2 * common >= np.minimum(degree[tail], degree[head])
    joined = csr_matrix((near[near], (tail[near], head[near])), shape=graph.weight.shape)
    count, group = connected_components(joined, directed=False)
    nodes = np.bincount(group, minlength=count)
    inside = np.bincount(group[tail[group[tail] == group[head]]], minlength=count)
    return np.asarray(group, dtype=np.int64) if count > 1 and (inside == nodes * (nodes - 1)).all() else None
