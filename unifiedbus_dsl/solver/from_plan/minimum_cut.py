"""Maximum flow and minimum cut in whole numbers, by Dinic's algorithm: for networks of orbits, which are small."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Ints


def minimum_cut(
    nodes: int, tail: Ints, head: Ints, capacity: Sequence[int], near: Iterable[int], far: Iterable[int]
) -> Bools:
    """Return which nodes are on the side of `near` in a minimum cut between those and `far`, [nodes]."""
    return maximum_flow(nodes, tail, head, capacity, near, far)[1]


def maximum_flow(
    nodes: int, tail: Ints, head: Ints, capacity: Sequence[int], near: Iterable[int], far: Iterable[int]
) -> tuple[list[int], Bools]:
    """Return what each arc carries in a maximum flow from some nodes to others, and which nodes are on the side of
    `near` in a minimum cut, [nodes]."""
    source, sink = nodes, nodes + 1
    flow = _Residual(nodes + 2)
    for a, b, room in zip(tail.tolist(), head.tolist(), capacity, strict=True):
        flow.add(a, b, room if a != b else 0)
    total = sum(capacity) + 1
    for node in near:
        flow.add(source, int(node), total)
    for node in far:
        flow.add(int(node), sink, total)
    while (level := flow.levels(source))[sink] >= 0:
        flow.block(source, sink, level)
    return flow.room[1 : 2 * len(tail) : 2], np.array(level[:nodes], dtype=np.int64) >= 0


class _Residual:
    def __init__(self, nodes: int) -> None:
        self.out: list[list[int]] = [[] for _ in range(nodes)]
        self.head: list[int] = []
        self.room: list[int] = []

    def add(self, tail: int, head: int, room: int) -> None:
        for node, to, amount in ((tail, head, room), (head, tail, 0)):
            self.out[node].append(len(self.head))
            self.head.append(to)
            self.room.append(amount)

    def levels(self, source: int) -> list[int]:
        """Return arcs with room from the source to each node, -1 where it is not reached."""
        level = [-1] * len(self.out)
        level[source] = 0
        queue = deque([source])
        while queue:
            node = queue.popleft()
            for arc in self.out[node]:
                if self.room[arc] and level[self.head[arc]] < 0:
                    level[self.head[arc]] = level[node] + 1
                    queue.append(self.head[arc])
        return level

    def block(self, source: int, sink: int, level: list[int]) -> None:
        """Send what fits along shortest paths."""
        at = [0] * len(self.out)
        path: list[int] = []
        node = source
        while True:
            if node == sink:
                bottleneck = min(self.room[arc] for arc in path)
                for arc in path:
                    self.room[arc] -= bottleneck
                    self.room[arc ^ 1] += bottleneck
                path, node = [], source
            while at[node] < len(self.out[node]):
                arc = self.out[node][at[node]]
                if self.room[arc] and level[self.head[arc]] == level[node] + 1:
                    break
                at[node] += 1
            if at[node] < len(self.out[node]):
                path.append(self.out[node][at[node]])
                node = self.head[path[-1]]
            elif not path:
                return
            else:
                arc = path.pop()
                node = self.head[arc ^ 1]
                at[node] += 1
