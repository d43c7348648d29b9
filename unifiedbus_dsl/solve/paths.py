"""Hops, latency, the paths themselves, islands and disjoint paths.

Each sum or extreme over pairs takes one target of each orbit; `restricted` keeps the symmetries that keep the two
selections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Floats, Ids, Ints, Network, frozen_array, row_arcs
from unifiedbus_dsl.solve.result import NotAdmittedError
from unifiedbus_dsl.solve.sweep import Distances, Hops, by_cable, distances, end_hops
from unifiedbus_dsl.symmetry import Symmetry

RESOLUTION_S = 1e-15
"""Latencies that differ by less are the same line of a histogram."""


@frozen(eq=False)
class Histogram:
    """How many ordered pairs of different end points have each value (hops, or seconds); values ascend.
    `unreachable` pairs have none. The pair (`source`, `target`) has the largest value."""

    value: Floats
    pairs: Ints
    unreachable: int
    source: int
    target: int

    @property
    def largest(self) -> float:
        """The greatest value; for hops the diameter.

        Raises:
            NotAdmittedError: a pair has no path, or there is no pair.
        """
        self._complete()
        return float(self.value[-1])

    @property
    def mean(self) -> float:
        self._complete()
        return float((self.value * self.pairs).sum() / self.pairs.sum())

    def _complete(self) -> None:
        if self.unreachable:
            raise NotAdmittedError(f"{self.unreachable} ordered pairs of end points have no path")
        if not len(self.value):
            raise NotAdmittedError("there is no pair of different end points")


# ---- hops -----------------------------------------------------------------------------------------------------------


def hops(symmetry: Symmetry, source: ArrayLike | None = None, target: ArrayLike | None = None) -> Histogram:
    """Cables on a shortest path, over all ordered pairs (s in source, t in target, s != t); default all end points."""
    weights = by_cable(symmetry.network)

    def far(end: int) -> Floats:
        found = distances(weights, symmetry.network.vertices_of(end))
        least = end_hops(symmetry.network, found.hops)
        return np.where(least < 0, np.inf, least)

    return _histogram(symmetry, source, target, far, 1.0)


def latency(
    symmetry: Symmetry, source: ArrayLike | None = None, target: ArrayLike | None = None, message_bytes: float = 0.0
) -> Histogram:
    """Least zero-load time in seconds, cut-through, over ordered pairs:

    least over paths of sum(arc latency) + sum(latency of vertices passed) + message / narrowest cable on the path.
    """
    network = symmetry.network

    def far(end: int) -> Floats:
        return end_times(network, times_to(network, network.vertices_of(end), message_bytes))

    return _histogram(symmetry, source, target, far, RESOLUTION_S)


def _histogram(
    symmetry: Symmetry,
    source: ArrayLike | None,
    target: ArrayLike | None,
    far: Callable[[int], Floats],
    resolution: float,
) -> Histogram:
    ends = symmetry.network.ends
    senders, receivers = _selected(source, ends), _selected(target, ends)
    group = symmetry.restricted(colour=senders + 2 * receivers)
    values: dict[float, int] = {}
    unreachable, worst = 0, (-1.0, -1, -1)
    for end, size in _representatives(group, receivers):
        some = senders.copy()
        some[end] = False
        members = np.flatnonzero(some)
        time = far(end)[members]
        joined = np.isfinite(time)
        unreachable += size * int((~joined).sum())
        distinct, count = np.unique(np.round(time[joined] / resolution), return_counts=True)
        for value, pairs in zip(distinct.tolist(), count.tolist(), strict=True):
            values[value] = values.get(value, 0) + size * pairs
        if len(distinct) and distinct[-1] > worst[0]:
            at = members[joined][np.argmax(time[joined])]
            worst = (distinct[-1], int(at), end)
    order = sorted(values)
    return Histogram(
        frozen_array(np.array(order) * resolution),
        frozen_array(np.array([values[v] for v in order], dtype=np.int64)),
        unreachable,
        worst[1],
        worst[2],
    )


def _selected(ends: ArrayLike | None, count: int) -> NDArray[np.bool_]:
    if ends is None:
        return np.ones(count, dtype=bool)
    chosen = np.zeros(count, dtype=bool)
    chosen[np.asarray(ends, dtype=np.int64)] = True
    return chosen


def _representatives(symmetry: Symmetry, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    first, size = symmetry.representatives(np.flatnonzero(chosen))
    yield from zip(first.tolist(), size.tolist(), strict=True)


# ---- latency --------------------------------------------------------------------------------------------------------


def times_to(network: Network, target: NDArray[np.integer], message_bytes: float = 0.0) -> Floats:
    """Least time from each vertex to the target's vertices, infinite where there is no path, [V] s.

    For each cable capacity c: shortest paths over cables of at least c, plus message / c; the least of these is the
    least over all paths, as a path is counted at its narrowest cable and never for less than it takes.
    """
    if message_bytes == 0:
        return _least_times(network, target, 0.0)
    widths = np.unique(network.kinds.capacity_Bps[np.unique(network.kind)])
    best = np.full(network.vertices, np.inf)
    best[target] = 0.0
    for width in widths.tolist():
        np.minimum(best, _least_times(network, target, width) + message_bytes / width, out=best)
    return best


def _least_times(network: Network, target: NDArray[np.integer], width: float) -> Floats:
    """Least latency to the target over cables of at least `width` byte/s, [V] s; label-correcting, a round a hop."""
    wide = network.kinds.capacity_Bps >= width
    cost = np.where(wide, network.kinds.latency_s, np.inf)
    time = np.full(network.vertices, np.inf)
    time[target] = 0.0
    start = np.zeros(network.vertices)
    changed = np.asarray(target)
    passing = network.latency_s.copy()
    passing[target] = 0.0
    while len(changed):
        arcs = row_arcs(network, changed)
        degree = network.indptr[changed + 1] - network.indptr[changed]
        offer = np.repeat(time[changed] + passing[changed], degree) + cost[network.kind[arcs]]
        start[:] = time
        np.minimum.at(time, network.head[arcs], offer)
        better = time < start
        changed = np.flatnonzero(better & network.forwards)
    return time


def end_times(network: Network, time: Floats) -> Floats:
    """Least over the vertices of each end point, [E]."""
    if network.simple:
        return time[network.end_order]
    return np.asarray(np.minimum.reduceat(time[network.end_order], network.end_start[:-1]))


# ---- the paths themselves -------------------------------------------------------------------------------------------


@frozen(eq=False)
class Route:
    """One path: its vertices, source to target, the arcs between them, and the parts of its time in seconds: one for
    each arc, one for each vertex passed, and the message over the narrowest cable."""

    vertices: Ids
    arcs: Ints
    arc_s: Floats
    vertex_s: Floats
    transfer_s: float

    @property
    def time_s(self) -> float:
        return float(self.arc_s.sum() + self.vertex_s.sum() + self.transfer_s)


def route(network: Network, vertices: ArrayLike, arcs: ArrayLike, message_bytes: float = 0.0) -> Route:
    """A path with the parts of its time."""
    along, passed = np.asarray(arcs, dtype=np.int64), np.asarray(vertices, dtype=np.int32)
    narrow = network.kinds.capacity_Bps[network.kind[along]].min(initial=np.inf)
    return Route(
        passed,
        along,
        network.kinds.latency_s[network.kind[along]],
        network.latency_s[passed[1:-1]],
        message_bytes / narrow if message_bytes else 0.0,
    )


def fastest(network: Network, source: int, target: int, message_bytes: float = 0.0) -> Route:
    """A path of least zero-load time between two end points, the first in order of arcs among equals."""
    goal = network.vertices_of(target)
    best: Route | None = None
    widths = np.unique(network.kinds.capacity_Bps[np.unique(network.kind)]) if message_bytes else np.zeros(1)
    for width in widths.tolist():
        time = _least_times(network, goal, width)
        if not np.isfinite(time[network.vertices_of(source)]).any():
            continue
        found = route(network, *_descend(network, time, source, goal, width), message_bytes)
        if best is None or found.time_s < best.time_s:
            best = found
    if best is None:
        raise NotAdmittedError(f"no path from end point {source} to end point {target}")
    return best


def _descend(
    network: Network,
    time: Floats,
    source: int,
    goal: Ids,
    width: float,
) -> tuple[list[int], list[int]]:
    """Vertices and arcs of a path along which `time` falls by exactly what each step costs."""
    starts = network.vertices_of(source)
    here = int(starts[np.argmin(time[starts])])
    at_goal = set(goal.tolist())
    vertices, arcs = [here], []
    while here not in at_goal:
        out = np.arange(network.indptr[here], network.indptr[here + 1])
        heads = network.head[out]
        final = np.isin(heads, goal)
        onward = np.where(final, 0.0, np.where(network.forwards[heads], network.latency_s[heads], np.inf))
        kind = network.kind[out]
        cost = np.where(network.kinds.capacity_Bps[kind] >= width, network.kinds.latency_s[kind], np.inf)
        arc = int(out[np.argmin(time[heads] + onward + cost)])
        here = int(network.head[arc])
        vertices.append(here)
        arcs.append(arc)
    return vertices, arcs


def shortest(network: Network, source: int, target: int, limit: int = 64) -> list[Route]:
    """Up to `limit` paths of fewest cables between two end points, in order of vertices; parallel cables are one."""
    found = distances(by_cable(network), network.vertices_of(target))
    starts = network.vertices_of(source)
    near = found.hops[starts]
    if not (near >= 0).any():
        raise NotAdmittedError(f"no path from end point {source} to end point {target}")
    least = near[near >= 0].min()
    routes: list[Route] = []
    stack: list[tuple[list[int], list[int]]] = [([int(v)], []) for v in starts[near == least][::-1]]
    while stack and len(routes) < limit:
        vertices, arcs = stack.pop()
        if found.hops[vertices[-1]] == 0:
            routes.append(route(network, vertices, arcs))
            continue
        for arc in _nearer_out(network, found.hops, vertices[-1])[::-1].tolist():
            stack.append(([*vertices, int(network.head[arc])], [*arcs, arc]))
    return routes


def _nearer_out(network: Network, far: Hops, vertex: int) -> Ints:
    out = np.arange(network.indptr[vertex], network.indptr[vertex + 1])
    heads = network.head[out]
    nearer: Ints = out[(far[heads] == far[vertex] - 1) & (network.forwards[heads] | (far[heads] == 0))]
    return nearer


def count_shortest(network: Network, source: int, target: int) -> float:
    """How many paths of fewest cables join two end points, each cable counted."""
    found: Distances = distances(by_cable(network), network.vertices_of(target))
    ways = np.zeros(network.vertices)
    ways[network.vertices_of(target)] = 1.0
    starts = network.vertices_of(source)
    near = found.hops[starts]
    if not (near >= 0).any():
        return 0.0
    least = int(near[near >= 0].min())
    weights = by_cable(network)
    for level in range(1, least + 1):
        onward = np.where((found.hops == level - 1) & (network.forwards | (found.hops == 0)), ways, 0.0)
        step = np.asarray(weights.matrix @ onward)
        here = found.hops == level
        ways[here] = step[here]
    return float(ways[starts[near == least]].sum())


# ---- islands --------------------------------------------------------------------------------------------------------


def islands(network: Network) -> tuple[Ints, Ints]:
    """Parts that forwarding vertices join, as pairs (end point, island), sorted by end point and each once.

    An end point that doesn't forward may touch several islands. Two end points with a cable straight between vertices
    that don't forward are an island of their own.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    n = network.vertices
    inner = network.forwards[network.tail] & network.forwards[network.head]
    graph = csr_matrix((np.ones(int(inner.sum()), np.int8), (network.tail[inner], network.head[inner])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    ends, parts = network.end[network.end_order], part[network.end_order]
    mixed = ~network.forwards[network.tail] & network.forwards[network.head]
    direct = np.flatnonzero(~network.forwards[network.tail] & ~network.forwards[network.head] & ~inner)
    direct = direct[network.tail[direct] < network.head[direct]]
    end = np.concatenate(
        [ends, network.end[network.tail[mixed]], network.end[network.tail[direct]], network.end[network.head[direct]]]
    )
    own = n + np.arange(len(direct))
    island = np.concatenate([parts, part[network.head[mixed]], own, own])
    both = np.unique(np.stack([end, island]).astype(np.int64), axis=1)
    return both[0], both[1]


def reachable(network: Network, members: ArrayLike | None = None) -> int:
    """How many of the members (default: all end points) are in the island that has most of them."""
    end, island = islands(network)
    chosen = _selected(members, network.ends)[end]
    return int(np.bincount(island[chosen]).max(initial=0)) if chosen.any() else 0


def connected(symmetry: Symmetry, members: ArrayLike | None = None) -> bool:
    """Whether each member has a path to each other."""
    network = symmetry.network
    chosen = _selected(members, network.ends)
    few = len(symmetry.representatives(np.flatnonzero(chosen))[0]) <= 4
    if not few and reachable(network, members) == int(chosen.sum()):
        return True
    return hops(symmetry, np.flatnonzero(chosen), np.flatnonzero(chosen)).unreachable == 0


# ---- disjoint paths -------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Disjoint:
    """The fewest cables whose loss parts a pair: `paths`, for the pair (`source`, `target`) that has fewest."""

    paths: int
    source: int
    target: int
    flows: int


def disjoint_paths(symmetry: Symmetry, source: ArrayLike | None = None, target: ArrayLike | None = None) -> Disjoint:
    """Smallest max-flow, each cable of capacity one each way, over pairs (s in source, t in target).

    One s out of each orbit; for it, one t out of each orbit under the symmetries that keep s.
    """
    network = symmetry.network
    senders, receivers = _selected(source, network.ends), _selected(target, network.ends)
    group = symmetry.restricted(colour=senders + 2 * receivers)
    best, flows = (np.iinfo(np.int64).max, -1, -1), 0
    for s, _ in _representatives(group, senders):
        others = receivers.copy()
        others[s] = False
        around = group.stabiliser([s])
        for t, _ in _representatives(around, others):
            flows += 1
            best = min(best, (pair_cables(network, s, t), s, t))
    if not flows:
        raise NotAdmittedError("there is no pair of different end points")
    return Disjoint(int(best[0]), best[1], best[2], flows)


def pair_cables(network: Network, source: int, target: int) -> int:
    """Max-flow between two end points with one unit for each cable each way: the fewest cables that part them."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow

    n = network.vertices
    vertex = np.arange(n)
    vertex[network.vertices_of(source)] = n
    vertex[network.vertices_of(target)] = n + 1
    tail, head = vertex[network.tail], vertex[network.head]
    usable = (network.forwards[network.tail] | (tail == n)) & (head != n) & (tail != n + 1) & (tail != head)
    graph = csr_matrix(
        (network.count[usable].astype(np.int32), (tail[usable], head[usable])), shape=(n + 2, n + 2), dtype=np.int32
    )
    return int(maximum_flow(graph, n, n + 1).flow_value)
