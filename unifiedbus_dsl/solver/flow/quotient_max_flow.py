"""Maximum flow from many sources to one sink, on the quotient by an equitable partition.

A single-commodity flow may be averaged over a class of vertices that look alike in every direction, so the maximum flow
of the quotient, capacities added up class by class, is that of the graph, and each member of a class of sources carries
an equal part of it (Grohe, Kersting, Mladenov and Selman, arXiv:1307.5697). The quotient is solved by Dinic's algorithm
(1970) in exact fractions.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount, unique_rows
from unifiedbus_dsl.graph.symmetry.colour_refinement import relabel, splitmix64


@frozen(eq=False)
class FlowGraph:
    """Nodes n of [N], arcs a of [A] from `tail` to `head`. `supply` [N] bounds what enters at a node, `drain` [N] what
    leaves there, `capacity` [A] what an arc carries, all in byte/s; `supply` may be infinite."""

    tail: Ints
    head: Ints
    capacity: Floats
    supply: Floats
    drain: Floats


def split_supply(graph: FlowGraph) -> Floats:
    """Return what enters at each node in a maximum flow that treats nodes that are alike alike, [N] byte/s."""
    colour = _refine(graph)
    classes = int(colour.max(initial=-1)) + 1
    size = np.bincount(colour, minlength=classes)
    code = colour[graph.tail].astype(np.int64) * classes + colour[graph.head]
    pair = unique_rows(code)
    capacity = bincount(np.searchsorted(pair, code), graph.capacity, len(pair))
    drain = bincount(colour, graph.drain, classes)
    enough = float(capacity.sum() + drain.sum()) + 1.0
    supply = bincount(colour, np.minimum(graph.supply, enough), classes)
    dinic = _Dinic(classes + 2)
    source, sink = classes, classes + 1
    for c in range(classes):
        if supply[c]:
            dinic.add(source, c, Fraction(supply[c]))
        if drain[c]:
            dinic.add(c, sink, Fraction(drain[c]))
    for code, bound in zip(pair.tolist(), capacity.tolist(), strict=True):
        dinic.add(code // classes, code % classes, Fraction(bound))
    sent = dinic.maximize(source, sink)
    return np.array([float(sent.get(c, 0)) for c in range(classes)])[colour] / size[colour]


def _refine(graph: FlowGraph) -> Ints:
    """Return the coarsest equitable partition of the nodes, those of unlike supply or drain apart, [N]."""
    count = len(graph.supply)
    drains = relabel(graph.drain).astype(np.int64)
    colour = relabel(relabel(graph.supply) * (drains.max(initial=0) + 1) + drains)
    width = relabel(graph.capacity).astype(np.int64)
    out, back = (splitmix64(width * 2 + side) | np.uint64(1) for side in (0, 1))
    classes = 0
    while int(colour.max(initial=-1)) + 1 > classes:
        classes = int(colour.max(initial=-1)) + 1
        name = splitmix64(colour.astype(np.int64) + (1 << 40))
        key = splitmix64(colour.astype(np.int64))
        np.add.at(key, graph.tail, out * name[graph.head])
        np.add.at(key, graph.head, back * name[graph.tail])
        colour = relabel(key)
    return np.asarray(colour, dtype=np.int64) if count else np.zeros(0, dtype=np.int64)


@define
class _Dinic:
    """Blocking flows along shortest residual paths."""

    nodes: int
    to: list[int] = field(factory=list)
    residual: list[Fraction] = field(factory=list)
    out: list[list[int]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.out = [[] for _ in range(self.nodes)]

    def add(self, tail: int, head: int, capacity: Fraction) -> None:
        for a, b, bound in ((tail, head, capacity), (head, tail, Fraction(0))):
            self.out[a].append(len(self.to))
            self.to.append(b)
            self.residual.append(bound)

    def maximize(self, source: int, sink: int) -> dict[int, Fraction]:
        """Return what leaves the source to each neighbour in a maximum flow."""
        while (level := self._levels(source, sink)) is not None:
            begin = [0] * self.nodes
            while self._augment(source, sink, level, begin):
                pass
        return {self.to[arc]: self.residual[arc ^ 1] for arc in self.out[source]}

    def _levels(self, source: int, sink: int) -> list[int] | None:
        """Return the residual distance of each node from the source; None where the sink is not reached."""
        level = [-1] * self.nodes
        level[source] = 0
        queue = deque([source])
        while queue:
            node = queue.popleft()
            for arc in self.out[node]:
                if self.residual[arc] > 0 and level[self.to[arc]] < 0:
                    level[self.to[arc]] = level[node] + 1
                    queue.append(self.to[arc])
        return level if level[sink] >= 0 else None

    def _augment(self, source: int, sink: int, level: list[int], begin: list[int]) -> bool:
        """Send what one more shortest path carries; False where there is none."""
        path: list[int] = []
        node = source
        while node != sink:
            arc = self._next(node, level, begin)
            if arc is not None:
                path.append(arc)
                node = self.to[arc]
            elif path:
                node = self.to[path.pop() ^ 1]
                begin[node] += 1
            else:
                return False
        amount = min(self.residual[arc] for arc in path)
        for arc in path:
            self.residual[arc] -= amount
            self.residual[arc ^ 1] += amount
        return True

    def _next(self, node: int, level: list[int], begin: list[int]) -> int | None:
        """Return the next arc of a node that leads one level on; None where it has no more."""
        arcs = self.out[node]
        while begin[node] < len(arcs):
            arc = arcs[begin[node]]
            if self.residual[arc] > 0 and level[self.to[arc]] == level[node] + 1:
                return arc
            begin[node] += 1
        return None


def max_flow_value(start: Bools, tail: NDArray[np.integer], head: NDArray[np.integer]) -> Bools:
    """Return which nodes can be reached from the marked ones along arcs, [N]."""
    marked = start.copy()
    while True:
        new = head[marked[tail] & ~marked[head]]
        if not len(new):
            return marked
        marked[new] = True
