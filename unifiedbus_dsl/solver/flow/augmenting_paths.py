"""Flows from one source on long thin networks, where a linear program takes far longer than looking for paths.

To one goal by shortest augmenting paths (Edmonds and Karp, 1972); to several along shortest paths, where that already
fills all arcs out of the source. Either way the result is a flow and a cut that it fills.
"""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount

AUGMENTED = 64
"""Paths that are looked for at most."""
FILLED = 1e-12
"""Part of the largest capacity up to which what is left is rounding, and of a cut up to which it is filled."""


def augmenting_path_flow(
    nodes: int, source: int, tail: Ints, head: Ints, room: Floats, demand: Floats
) -> tuple[Floats, float, Bools] | None:
    """Return the largest t such that `source` sends t · demand ([nodes], 0 at the source) to all nodes at once over
    arcs [A] with this much `room` (infinite where free): what each arc carries, t, and which arcs are a cut that is
    filled. None where it is not found this way."""
    goals = np.flatnonzero(demand)
    if len(goals) == 1:
        augmented = _augmented(nodes, source, int(goals[0]), tail, head, room)
        if augmented is None:
            return None
        flow, near = augmented
        cut = near[tail] & ~near[head]
        sent = float(flow[head == goals[0]].sum() - flow[tail == goals[0]].sum())
    else:
        share = _along_shortest(nodes, source, tail, head, room, demand)
        if share is None:
            return None
        used = share > 0
        sent = float(demand.sum()) * float((room[used] / share[used]).min(initial=np.inf))
        flow, cut = share * (sent / float(demand.sum())), tail == source
    if not np.isfinite(sent) or abs(float(room[cut].sum()) - sent) > FILLED * sent:
        return None
    return flow, sent / float(demand.sum()), cut


def _augmented(nodes: int, source: int, goal: int, tail: Ints, head: Ints, room: Floats) -> tuple[Floats, Bools] | None:
    """Return the largest flow to one goal, and the nodes that more could be sent to; None where that takes many
    paths."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order

    flow = np.zeros(len(tail))
    rounding = FILLED * float(room[np.isfinite(room)].max())
    arc = np.tile(np.arange(len(tail)), 2)
    begins, leads = np.concatenate([tail, head]), np.concatenate([head, tail])
    for _ in range(AUGMENTED):
        left = np.concatenate([room - flow, flow])
        open_ = np.flatnonzero(left > rounding)
        open_ = open_[np.lexsort((-left[open_], leads[open_], begins[open_]))]
        key = begins[open_] * nodes + leads[open_]
        open_, key = (some[np.append(True, key[1:] != key[:-1])[: len(key)]] for some in (open_, key))
        start = np.searchsorted(begins[open_], np.arange(nodes + 1)).astype(np.int32)
        graph = csr_matrix((np.ones(len(open_)), leads[open_].astype(np.int32), start), shape=(nodes, nodes))
        order, before = breadth_first_order(graph, source)
        near = np.zeros(nodes, dtype=bool)
        near[order] = True
        if not near[goal]:
            return flow, near
        path = [goal]
        while path[-1] != source:
            path.append(int(before[path[-1]]))
        steps = np.array(path[::-1], dtype=np.int64)
        used = open_[np.searchsorted(key, steps[:-1] * nodes + steps[1:])]
        more = float(left[used].min())
        np.add.at(flow, arc[used], np.where(used < len(tail), more, -more))
    return None


def _along_shortest(nodes: int, source: int, tail: Ints, head: Ints, room: Floats, demand: Floats) -> Floats | None:
    """Return what each arc carries where all demand goes along shortest paths, at each node in parts as its arcs have
    room; None where a goal has no path, or a free arc leads nearer."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    order = np.argsort(tail, kind="stable")
    start = np.searchsorted(tail[order], np.arange(nodes + 1)).astype(np.int32)
    graph = csr_matrix((np.ones(len(tail)), head[order].astype(np.int32), start), shape=(nodes, nodes))
    hops = dijkstra(graph, indices=source, unweighted=True)
    nearer = np.flatnonzero(hops[head] == hops[tail] + 1)
    if np.isinf(hops[demand > 0]).any() or np.isinf(room[nearer]).any():
        return None
    into = bincount(head[nearer], room[nearer], nodes)
    share, wanted = np.zeros(len(tail)), demand.astype(np.float64)
    nearer = nearer[np.argsort(-hops[head[nearer]], kind="stable")]
    bounds = np.flatnonzero(np.diff(hops[head[nearer]], prepend=-1.0, append=-1.0))
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        arcs = nearer[begin:end]
        share[arcs] = wanted[head[arcs]] * room[arcs] / into[head[arcs]]
        np.add.at(wanted, tail[arcs], share[arcs])
    return share
