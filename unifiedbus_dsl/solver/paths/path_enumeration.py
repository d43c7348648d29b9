"""The paths between a pair of end points: which, how many, and what their time is made of."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints, unique_rows
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths.bidirectional_bfs import HopArcs, estimate_steps
from unifiedbus_dsl.solver.paths.distances import minimum_latencies


@frozen(eq=False)
class TimedPath:
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


def time_path(network: Network, vertices: ArrayLike, arcs: ArrayLike, message_bytes: float = 0.0) -> TimedPath:
    """Return a path with the parts of its time."""
    along, passed = np.asarray(arcs, dtype=np.int64), np.asarray(vertices, dtype=np.int32)
    narrow = network.kinds.capacity_Bps[network.kind[along]].min(initial=np.inf)
    return TimedPath(
        passed,
        along,
        network.kinds.latency_s[network.kind[along]],
        network.latency_s[passed[1:-1]],
        message_bytes / narrow if message_bytes else 0.0,
    )


def minimum_latency_path(network: Network, source: int, target: int, message_bytes: float = 0.0) -> TimedPath:
    """Return a path of least zero-load time between two end points, the first in order of arcs among equals."""
    goal = network.vertices_of(target)
    best: TimedPath | None = None
    widths = network.widths_Bps if message_bytes else np.zeros(1)
    for width in widths.tolist():
        time = minimum_latencies(network, goal, width)
        if not np.isfinite(time[network.vertices_of(source)]).any():
            continue
        timed_path = time_path(network, *_descend(network, time, source, goal, width), message_bytes)
        if best is None or timed_path.time_s < best.time_s:
            best = timed_path
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
    """Return vertices and arcs of a path along which `time` falls by exactly what each step costs, of fewest arcs.

    Where cables and vertices take no time, or less than floats of the size of `time` can tell, `time` alone does not
    fall; the number of arcs left does.
    """
    wide = network.kinds.capacity_Bps >= width
    cost = np.where(wide, network.kinds.latency_s, np.inf)
    passing = network.latency_s.copy()
    passing[goal] = 0.0
    starts = network.vertices_of(source)
    starts = starts[time[starts] == time[starts].min()]
    left = _arcs_left(network, time, goal, cost, passing, starts)
    starts = starts[left[starts] >= 0]
    here = int(starts[np.argmin(left[starts])])
    vertices, arcs = [here], []
    while left[here]:
        out = np.arange(network.indptr[here], network.indptr[here + 1])
        heads = network.head[out]
        tight = time[heads] + passing[heads] + cost[network.kind[out]] == time[here]
        passed = network.forwards[heads] | (left[heads] == 0)
        arc = int(out[np.argmax(tight & passed & (left[heads] == left[here] - 1))])
        here = int(network.head[arc])
        vertices.append(here)
        arcs.append(arc)
    return vertices, arcs


def _arcs_left(network: Network, time: Floats, goal: Ids, cost: Floats, passing: Floats, starts: Ids) -> Ints:
    """Return fewest arcs from each vertex to the goal on paths of least `time` ([V], those of `least_costs`), as far
    out as the nearest of the vertices `starts`; -2 beyond. `cost` [kinds] and `passing` [V] are what `time` adds up.
    [V]"""
    left = np.full(network.vertices, -2, dtype=np.int64)  # from the goal, on the way back
    left[goal] = 0
    time, starts = network.on_turned(time), network.turn(starts)
    frontier, level = np.asarray(goal), 0
    while len(frontier) and (left[starts] < 0).all():
        level += 1
        arcs = arcs_of_rows(network, frontier)
        tail = np.repeat(frontier, network.indptr[frontier + 1] - network.indptr[frontier])
        head = network.head[arcs]
        tight = time[tail] + passing[tail] + cost[network.kind[arcs]] == time[head]
        fresh = unique_rows(head[tight & (left[head] < 0) & np.isfinite(time[head])])
        left[fresh] = level
        frontier = fresh[network.forwards[fresh]]
    return network.on_turned(left)


@frozen(eq=False)
class ShortestPaths:
    """All paths of fewest cables from end point `source` to end point `target`: `hops` cables each, `count` of them,
    parallel cables told apart. `steps` are their arcs, hop by hop."""

    network: Network
    source: int
    target: int
    count: int
    steps: tuple[HopArcs, ...]

    @property
    def hops(self) -> int:
        return len(self.steps)

    def first(self, limit: int, message_bytes: float = 0.0) -> list[TimedPath]:
        """Up to `limit` of them, in order of vertices; parallel cables of one kind are one."""
        rows = [
            (step.tail[order], step.arc[order], step.head[order])
            for step in self.steps
            for order in [np.lexsort((step.arc, step.tail))]
        ]
        starts = np.unique(rows[0][0])[::-1].tolist()
        stack: list[tuple[list[int], list[int]]] = [([vertex], []) for vertex in starts]
        paths: list[TimedPath] = []
        while stack and len(paths) < limit:
            vertices, arcs = stack.pop()
            if len(arcs) == self.hops:
                paths.append(time_path(self.network, vertices, arcs, message_bytes))
                continue
            tail, arc, head = rows[len(arcs)]
            low, high = (
                np.searchsorted(tail, vertices[-1], side="left"),
                np.searchsorted(tail, vertices[-1], side="right"),
            )
            for at in range(int(high) - 1, int(low) - 1, -1):
                stack.append(([*vertices, int(head[at])], [*arcs, int(arc[at])]))
        return paths


def shortest_paths(network: Network, source: int, target: int) -> ShortestPaths:
    """Return the paths of fewest cables between two different end points.

    Raises:
        NotAdmittedError: there is none, or the two are the same.
    """
    if source == target:
        raise NotAdmittedError("a path leads from one end point to another")
    steps = estimate_steps(network, source, target)
    ways: dict[int, int] = dict.fromkeys(np.unique(steps[0].tail).tolist(), 1)
    for step in steps:
        onward: dict[int, int] = {}
        cables = network.count[step.arc].tolist()
        for tail, head, many in zip(step.tail.tolist(), step.head.tolist(), cables, strict=True):
            onward[head] = onward.get(head, 0) + ways[tail] * many
        ways = onward
    return ShortestPaths(network, source, target, sum(ways.values()), tuple(steps))
