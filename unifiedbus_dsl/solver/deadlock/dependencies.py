"""The channel dependency graph of a routing, on orbits of arcs (Dally and Seitz, IEEE Trans. Computers C-36, 1987).

A channel is an arc: the cables one way between two vertices. Arc b depends on arc a where packets of the demand may
hold a and want b next. If the graph has no cycle, no set of packets can wait for each other in a circle.

**Orbits are enough.** Let a group of automorphisms keep the demand and the routing, so that with a -> b it has ga ->
gb, and join two orbits where some arcs of theirs are joined. A cycle of arcs gives a closed walk of orbits. Conversely
let O1 -> O2 -> … -> Ok -> O1 be one. Any arc x of O1 has a successor in O2: some a in O1 has one, b, and x = ga for
some g, so x -> gb. So from any arc a walk goes on for ever, around and around the orbits; there are finitely many arcs,
so it comes back to one. Hence there is a cycle of arcs exactly where there is one of orbits, a loop at an orbit
included.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ids, Ints, concatenate_ranges
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.deadlock.path_rules import Leg, Routes, Turns

AT_ONCE = 1 << 22
"""Pairs of arcs at a vertex that are looked at together."""


@frozen(eq=False)
class Dependencies:
    """Orbit `after[i]` depends on orbit `before[i]`, each pair once: as arc `next_arc[i]` does on `arc[i]`, in part
    `part[i]` of the routes."""

    group: Symmetry
    before: Ints
    after: Ints
    arc: Ints
    next_arc: Ints
    part: Ints

    @property
    def orbits(self) -> int:
        return self.group.arc_orbits


def dependencies(routes: Routes) -> Dependencies:
    """Return the channel dependency graph of what a routing uses, on orbits of arcs."""
    group = routes.group
    orbit, count = group.arc_orbit, group.arc_orbits
    seen = np.zeros(0, dtype=np.int64)
    columns = np.zeros((4, 0), dtype=np.int64)
    fresh: list[NDArray[np.int64]] = []
    waiting = 0
    for number, part in enumerate(routes.parts):
        for a, b in adjacent_arcs(group.network, part, orbit):
            code = orbit[a].astype(np.int64) * count + orbit[b]
            place = np.minimum(np.searchsorted(seen, code), max(len(seen) - 1, 0))
            new = seen[place] != code if len(seen) else np.ones(len(code), dtype=bool)
            if new.any():
                fresh.append(np.stack([code[new], a[new], b[new], np.full(int(new.sum()), number)]))
                waiting += int(new.sum())
        if waiting > max(1024, len(seen)):
            columns = _merged([columns, *fresh])
            seen, fresh, waiting = columns[0], [], 0
    columns = _merged([columns, *fresh])
    code, a, b, which = columns
    return Dependencies(group, code // max(count, 1), code % max(count, 1), a, b, which)


def _merged(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return columns in order of their first row, one of each."""
    every = np.concatenate(columns, axis=1)
    return np.asarray(every[:, np.unique(every[0], return_index=True)[1]])


def adjacent_arcs(network: Network, part: Leg | Turns, label: Ids) -> Iterator[tuple[Ints, Ints]]:
    """Yield arcs that packets hold with those that they want next: at each vertex one pair of each pair of labels."""
    if isinstance(part, Turns):
        yield part.before, part.after
        return
    many = int(label.max(initial=0)) + 1
    into = part.arcs[part.steps[network.head[part.arcs]] > 0]
    at, came = _one_of_each(network.head[into], label[into], into, many)
    leaving, goes = _one_of_each(network.tail[part.arcs], label[part.arcs], part.arcs, many)
    near = np.argsort(part.steps[at], kind="stable")  # those that are near the goal are told
    at, came = at[near], came[near]
    low, high = np.searchsorted(leaving, at), np.searchsorted(leaving, at, side="right")
    total = np.cumsum(high - low)
    begin = 0
    while begin < len(at):
        end = max(begin + 1, int(np.searchsorted(total, (total[begin - 1] if begin else 0) + AT_ONCE, side="right")))
        one = np.repeat(came[begin:end], (high - low)[begin:end])
        two = goes[concatenate_ranges(low[begin:end], high[begin:end])]
        code = label[one].astype(np.int64) * many + label[two]
        first = np.unique(code, return_index=True)[1]
        yield one[first], two[first]
        begin = end


def _one_of_each(vertex: Ids, label: Ids, arcs: Ints, many: int) -> tuple[Ints, Ints]:
    """Return vertices in order and one arc of each label at each."""
    key, first = np.unique(vertex.astype(np.int64) * many + label, return_index=True)
    return key // many, arcs[first]


# ---- orders and cycles ----------------------------------------------------------------------------------------------


def topological_levels(count: int, before: Ints, after: Ints) -> Ints | None:
    """Return a number for each of `count` nodes, larger along every edge (the longest path to it); None where there is
    a cycle. Kahn's algorithm, a level at a time."""
    order = np.argsort(before, kind="stable")
    start = np.searchsorted(before[order], np.arange(count + 1))
    heads = after[order]
    left = np.bincount(after, minlength=count)
    level = np.zeros(count, dtype=np.int64)
    ready = np.flatnonzero(left == 0)
    done, depth = 0, 0
    while len(ready):
        level[ready] = depth
        done += len(ready)
        depth += 1
        reached = heads[concatenate_ranges(start[ready], start[ready + 1])]
        np.subtract.at(left, reached, 1)
        ready = np.unique(reached[left[reached] == 0])
    return level if done == count else None


def is_acyclic(before: Ints, after: Ints) -> bool:
    """Return whether dependencies of any numbers have no cycle."""
    names, place = np.unique(np.concatenate([before, after]), return_inverse=True)
    place = place.ravel()
    return topological_levels(len(names), place[: len(before)], place[len(before) :]) is not None


def components(count: int, before: Ints, after: Ints) -> Ids:
    """Return the strongly connected component of each node."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(before), np.int8), (before, after)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=True, connection="strong")[1], dtype=np.int32)


STARTS = 24
"""Nodes from which a short cycle is sought."""


def short_cycle(count: int, before: Ints, after: Ints) -> list[int] | None:
    """Return the edges of a short cycle, in order, each by its number; None where there is none. The shortest through
    some nodes of the strongly connected components, a loop where there is one."""
    loops = np.flatnonzero(before == after)
    if len(loops):
        return [int(loops[0])]
    part = components(count, before, after)
    inside = np.flatnonzero(part[before] == part[after])
    if not len(inside):
        return None
    inside = inside[np.argsort(before[inside], kind="stable")]
    start = np.searchsorted(before[inside], np.arange(count + 1))
    size = np.bincount(part[before[inside]])
    size[size == 0] = len(inside) + 1
    nodes = np.unique(before[inside])
    nodes = nodes[np.argsort(size[part[nodes]], kind="stable")]
    best: list[int] | None = None
    for node in np.unique(np.append(nodes[:STARTS], nodes[:: max(1, len(nodes) // STARTS)])).tolist():
        cycle_through = _cycle_through(node, inside, start, after, len(best) if best else count + 1)
        if cycle_through is not None and (best is None or len(cycle_through) < len(best)):
            best = cycle_through
    return best


def _cycle_through(node: int, edges: Ints, start: Ints, after: Ints, shorter: int) -> list[int] | None:
    """Return the shortest cycle through a node, of fewer edges than `shorter`: breadth first."""
    came: dict[int, tuple[int, int]] = {}
    frontier, depth = [node], 0
    while frontier and depth + 1 < shorter:
        depth += 1
        reached: list[int] = []
        for at in frontier:
            for edge in edges[start[at] : start[at + 1]].tolist():
                head = int(after[edge])
                if head not in came:
                    came[head] = at, edge
                    reached.append(head)
                if head == node:
                    return _edges_back(came, node)
        frontier = reached
    return None


def _edges_back(came: dict[int, tuple[int, int]], node: int) -> list[int]:
    at, edge = came[node]
    edges_back = [edge]
    while at != node:
        at, edge = came[at]
        edges_back.append(edge)
    return edges_back[::-1]
