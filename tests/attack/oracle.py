"""What measures must say of a drawn machine: plain loops, NetworkX and a full linear program."""

from __future__ import annotations

import heapq
import math
from functools import cached_property

import networkx as nx
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from tests.attack.draw import ARC_S, LANE_BPS, SLOWER, Drawn

MAX_SIDES = 14
"""Vertices up to which every side of each is tried."""


class Oracle:
    """A machine as (device, line) vertices; an arc is a cable one way. What leaves an end point may leave by any of
    its vertices, what passes needs a vertex that forwards."""

    def __init__(self, machine: Drawn) -> None:
        self.machine = machine
        self.devices = machine.devices
        npus = [k for k, each in enumerate(machine.devices) if each.kind == "npu" and not each.lost]
        self.npus = sorted(npus, key=lambda k: _place(machine.devices[k].name))
        self.arcs: list[tuple[tuple[int, int], tuple[int, int], float, float]] = []
        for cable in machine.cables:
            if machine.left(cable):
                of = LANE_BPS * SLOWER[cable.link] * cable.lanes * cable.health, ARC_S[cable.link]
                for one, two in ((cable.a, cable.b), (cable.b, cable.a)):
                    self.arcs.append((self.vertices(*one)[1], self.vertices(*two)[0], *of))

    def vertices(self, device: int, port: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """The vertex that a port leads into, and the one that it is a way out of; line -1 does not forward."""
        each = self.devices[device]
        if each.kind == "switch":
            return (device, 0), (device, 0)
        for k, sides in enumerate(each.sides):
            for side in (0, 1):
                if port in sides[side]:
                    first = len(each.lines) + 2 * k
                    return (device, first + side), (device, first + 1 - side)
        line = next((k for k, line in enumerate(each.lines) if port in line), -1)
        return (device, line), (device, line)

    def whole(self, vertex: tuple[int, int]) -> tuple[int, int]:
        """The first of the two vertices of a line of two sides, others as they are."""
        behind = vertex[1] - len(self.devices[vertex[0]].lines)
        return (vertex[0], vertex[1] - behind % 2) if behind > 0 and self.devices[vertex[0]].sides else vertex

    @cached_property
    def out(self) -> dict[object, list[int]]:
        """Arcs out of each vertex that forwards, and of each device as a source (its number)."""
        found: dict[object, list[int]] = {}
        for k, (tail, *_) in enumerate(self.arcs):
            found.setdefault(tail[0], []).append(k)
            if tail[1] >= 0:
                found.setdefault(tail, []).append(k)
        return found

    def far(self, source: int, *, timed: bool, width: float = 0.0) -> dict[int, float]:
        """Least hops or seconds from an end point to each device over cables of a capacity, by Dijkstra's method."""
        best: dict[object, float] = {source: 0.0}
        found: dict[int, float] = {}
        queue: list[tuple[float, int, object]] = [(0.0, 0, source)]
        count = 0
        while queue:
            reached, _, node = heapq.heappop(queue)
            if reached > best[node]:
                continue
            passing = self.devices[node[0]].latency_ns * 1e-9 if isinstance(node, tuple) and timed else 0.0
            for k in self.out.get(node, ()):
                _, head, capacity, latency = self.arcs[k]
                if capacity < width:
                    continue
                value = reached + (latency + passing if timed else 1.0)
                found[head[0]] = min(found.get(head[0], math.inf), value)
                if head[1] >= 0 and value < best.get(head, math.inf):
                    best[head] = value
                    count += 1
                    heapq.heappush(queue, (value, count, head))
        found[source] = 0.0
        return found

    def pairs(self, *, timed: bool) -> list[float]:
        """Least hops or seconds of each ordered pair of NPUs; infinite where there is no path."""
        table = {source: self.far(source, timed=timed) for source in self.npus}
        return [table[s].get(t, math.inf) for s in self.npus for t in self.npus if s != t]

    def messages(self, size: float) -> float:
        """Most seconds that a pair of NPUs takes for a message, which the narrowest cable of a path prolongs."""
        widths = sorted({each[2] for each in self.arcs})
        slowest = 0.0
        for source in self.npus:
            tables = [(self.far(source, timed=True, width=width), size / width) for width in widths]
            for target in set(self.npus) - {source}:
                slowest = max(slowest, min(table.get(target, math.inf) + more for table, more in tables))
        return slowest

    def largest_connected(self) -> int:
        """NPUs of the largest set in which every pair has a path."""
        graph = nx.Graph()
        graph.add_nodes_from(self.npus)
        graph.add_edges_from((s, t) for s in self.npus for t in self._reached(s) if t in self.npus and t != s)
        return max(len(clique) for clique in nx.find_cliques(graph))

    def _reached(self, source: int) -> set[int]:
        return set(self.far(source, timed=False))

    def disjoint_paths(self) -> int:
        """Least maximum flow of a pair where each arc has room for one path, by shortest augmenting paths."""
        return min(self._disjoint(s, t) for s in self.npus for t in self.npus if s != t)

    def _disjoint(self, source: int, target: int) -> int:
        room: dict[object, dict[object, int]] = {target: {}}
        for tail, head, *_ in self.arcs:
            goes: object = source if tail[0] == source else tail
            comes: object = target if head[0] == target else head
            passes = (goes == source or tail[1] >= 0) and (comes == target or head[1] >= 0)
            if passes and head[0] != source and tail[0] != target:
                room.setdefault(goes, {})[comes] = room.get(goes, {}).get(comes, 0) + 1
                room.setdefault(comes, {}).setdefault(goes, 0)
        paths = 0
        while True:
            before: dict[object, object] = {source: source}
            level = [source]
            while level and target not in before:
                fresh = []
                for node in level:
                    for head, left in room.get(node, {}).items():
                        if left and head not in before:
                            before[head] = node
                            fresh.append(head)
                level = fresh
            if target not in before:
                return paths
            node = target
            while node != source:
                room[before[node]][node] -= 1
                room[node][before[node]] += 1
                node = before[node]
            paths += 1

    # ---- cuts -------------------------------------------------------------------------------------------------------

    @cached_property
    def weights(self) -> tuple[np.ndarray, int]:
        """Capacity one way between each two of what a cut parts, NPUs first and each whole; how many NPUs."""
        number: dict[object, int] = {npu: k for k, npu in enumerate(self.npus)}
        between: list[tuple[int, int, float]] = []
        for tail, head, capacity, _ in self.arcs:
            at = []
            for vertex in (tail, head):
                whole = vertex[0] in self.npus
                if whole or vertex[1] >= 0:
                    at.append(number.setdefault(vertex[0] if whole else self.whole(vertex), len(number)))
            if len(at) == 2:
                between.append((at[0], at[1], capacity))
        matrix = np.zeros((len(number), len(number)))
        for a, b, capacity in between:
            matrix[a, b] += capacity
        np.fill_diagonal(matrix, 0.0)
        return matrix, len(self.npus)

    def bisection(self) -> float | None:
        """The least capacity of all halving cuts, one by one; None where they are too many."""
        matrix, count = self.weights
        if len(matrix) > MAX_SIDES:
            return None
        sides = (np.arange(1 << len(matrix))[:, None] >> np.arange(len(matrix)) & 1).astype(np.float64)
        sides = sides[sides[:, :count].sum(axis=1) == count // 2]
        return float(((sides @ matrix) * (1.0 - sides)).sum(axis=1).min())

    # ---- rates ------------------------------------------------------------------------------------------------------

    def _steps_to(self, target: int) -> dict[object, float]:
        """Hops to a device from each vertex that forwards and each source."""
        steps: dict[object, float] = {}
        for _ in range(len(self.arcs) + 1):
            changed = False
            for node, arcs in self.out.items():
                if node == target or (isinstance(node, tuple) and node[0] == target):
                    continue
                value = min(1.0 + self._from(steps, target, self.arcs[k][1]) for k in arcs)
                if value < steps.get(node, math.inf):
                    steps[node], changed = value, True
            if not changed:
                return steps
        raise AssertionError("distances do not settle")

    @staticmethod
    def _from(steps: dict[object, float], target: int, head: tuple[int, int]) -> float:
        return 0.0 if head[0] == target else steps.get(head, math.inf) if head[1] >= 0 else math.inf

    def _injection(self, sent: dict[int, float], received: dict[int, float]) -> float:
        """The scale at which an end point injects or takes all that it can."""
        limit = math.inf
        for rates in (sent, received):
            for device, rate in rates.items():
                able = self.devices[device].injection_GBps * 1e9
                limit = min(limit, able / rate) if able else limit
        return limit

    def shares(self, source: int, target: int, *, by_capacity: bool = False) -> np.ndarray:
        """What each arc carries of one unit from an end point to another over paths of fewest cables, at each vertex
        an equal share for each cable (or by capacity), [arcs]."""
        weight = np.array([each[2] if by_capacity else 1.0 for each in self.arcs])
        load, steps = np.zeros(len(self.arcs)), self._steps_to(target)
        share: dict[object, float] = {source: 1.0}
        for _ in range(int(steps[source])):
            onward: dict[object, float] = {}
            for node, part in share.items():
                nearer = [k for k in self.out[node] if self._from(steps, target, self.arcs[k][1]) == steps[node] - 1]
                for k in nearer:
                    passed = part * weight[k] / weight[nearer].sum()
                    load[k] += passed
                    onward[self.arcs[k][1]] = onward.get(self.arcs[k][1], 0.0) + passed
            share = {node: part for node, part in onward.items() if node[0] != target}
        return load

    def ecmp(self, traffic: list[tuple[int, int]], *, by_capacity: bool = False) -> tuple[float, np.ndarray]:
        """Largest scale of a traffic of rate 1 for each pair under fixed shares, and the loads of arcs at scale 1."""
        load = np.zeros(len(self.arcs))
        for source, target in traffic:
            load += self.shares(source, target, by_capacity=by_capacity)
        return self.fits(load, *_sums(traffic)), load

    def fits(self, load: np.ndarray, sent: dict[int, float], received: dict[int, float]) -> float:
        """The largest scale of loads that fits cables and injections."""
        capacity = np.array([each[2] for each in self.arcs])
        return min(float((capacity[load > 0] / load[load > 0]).min(initial=math.inf)), self._injection(sent, received))

    def count_paths(self, source: int, target: int) -> int:
        """Paths of fewest cables, parallel cables told apart."""
        steps = self._steps_to(target)
        count: dict[object, int] = {source: 1}
        for _ in range(int(steps[source])):
            onward: dict[object, int] = {}
            for node, many in count.items():
                for k in self.out[node]:
                    head = self.arcs[k][1]
                    if self._from(steps, target, head) == steps[node] - 1:
                        goal: object = target if head[0] == target else head
                        onward[goal] = onward.get(goal, 0) + many
            count = onward
        return count[target]

    def best(self, traffic: list[tuple[int, int]], *, minimal: bool) -> float:
        """Largest scale over all splits (over shortest paths only): the whole linear program by HiGHS."""
        rows: dict[object, int] = {}
        entries: list[tuple[int, int, float]] = []
        over: list[tuple[int, int, float]] = []
        column = 1
        for target in {pair[1] for pair in traffic}:
            steps = self._steps_to(target)
            for node, arcs in self.out.items():
                if node == target or (isinstance(node, tuple) and node[0] == target):
                    continue
                for k in arcs:
                    head = self.arcs[k][1]
                    beyond = self._from(steps, target, head)
                    if not math.isfinite(beyond) or (minimal and beyond != steps[node] - 1):
                        continue
                    entries.append((rows.setdefault((target, node), len(rows)), column, 1.0))
                    if head[0] != target:
                        entries.append((rows.setdefault((target, head), len(rows)), column, -1.0))
                    over.append((k, column, 1.0))
                    column += 1
        entries += [(rows[target, source], 0, -1.0) for source, target in traffic]
        capacity = np.array([each[2] for each in self.arcs]) / 1e9
        cost = np.zeros(column)
        cost[0] = -1.0
        limit = self._injection(*_sums(traffic)) / 1e9
        solved = linprog(
            cost,
            A_ub=_matrix(over, len(self.arcs), column),
            b_ub=capacity,
            A_eq=_matrix(entries, len(rows), column),
            b_eq=np.zeros(len(rows)),
            bounds=[(0, limit if math.isfinite(limit) else None)] + [(0, None)] * (column - 1),
        )
        assert solved.status == 0, solved.message
        return -float(solved.fun) * 1e9


def _place(name: str) -> list[tuple[str, list[int]]]:
    """In this order devices are counted: children by name, elements of an array row by row."""
    parts = [each.partition("[") for each in name.split(".")]
    return [(part, [int(x) for x in rest.rstrip("]").split(",")] if rest else []) for part, _, rest in parts]


def _sums(traffic: list[tuple[int, int]]) -> tuple[dict[int, float], dict[int, float]]:
    sent: dict[int, float] = {}
    received: dict[int, float] = {}
    for source, target in traffic:
        sent[source] = sent.get(source, 0.0) + 1.0
        received[target] = received.get(target, 0.0) + 1.0
    return sent, received


def _matrix(entries: list[tuple[int, int, float]], rows: int, columns: int) -> coo_matrix:
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    return coo_matrix((value, (row, column)), shape=(rows, columns)).tocsr()
