"""What measures must say of a drawn machine: plain loops, NetworkX and a full linear programme."""

from __future__ import annotations

import heapq
import math
from functools import cached_property

import networkx as nx
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from tests.attack.draw import ARC_S, LANE_BPS, Drawn

MAX_SIDES = 14
"""Vertices up to which every side of each is tried."""


class Oracle:
    """A machine as (device, line) vertices; an arc is a cable one way. What leaves an end point may leave by any of
    its vertices, what passes needs a vertex that forwards."""

    def __init__(self, machine: Drawn) -> None:
        self.devices = machine.devices
        self.npus = [k for k, each in enumerate(machine.devices) if each.kind == "npu"]
        self.arcs: list[tuple[tuple[int, int], tuple[int, int], float, float]] = []
        for cable in machine.cables:
            if cable.health:
                ends = self.vertex(*cable.a), self.vertex(*cable.b)
                of = LANE_BPS * cable.lanes * cable.health, ARC_S[cable.link]
                self.arcs += [(*ends, *of), (*ends[::-1], *of)]

    def vertex(self, device: int, port: str) -> tuple[int, int]:
        """The vertex of a port; line -1 does not forward."""
        each = self.devices[device]
        if each.kind == "switch":
            return device, 0
        return device, next((k for k, line in enumerate(each.lines) if port in line), -1)

    @cached_property
    def out(self) -> dict[object, list[int]]:
        """Arcs out of each vertex that forwards, and of each device as a source (its number)."""
        found: dict[object, list[int]] = {}
        for k, (tail, *_) in enumerate(self.arcs):
            found.setdefault(tail[0], []).append(k)
            if tail[1] >= 0:
                found.setdefault(tail, []).append(k)
        return found

    def far(self, source: int, *, timed: bool) -> dict[int, float]:
        """Least hops or seconds from an end point to each device, by Dijkstra's method."""
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
                _, head, _, latency = self.arcs[k]
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

    def largest_connected(self) -> int:
        """NPUs of the largest set in which every pair has a path."""
        graph = nx.Graph()
        graph.add_nodes_from(self.npus)
        graph.add_edges_from((s, t) for s in self.npus for t in self._reached(s) if t in self.npus and t != s)
        return max(len(clique) for clique in nx.find_cliques(graph))

    def _reached(self, source: int) -> set[int]:
        return set(self.far(source, timed=False))

    def disjoint_paths(self) -> int:
        """Least maximum flow of a pair where each arc has room for one path."""
        graph = nx.DiGraph()
        graph.add_nodes_from([("source", k) for k in self.npus] + [("sink", k) for k in self.npus])
        for k, (tail, head, *_) in enumerate(self.arcs):
            graph.add_edge(("in", k), ("out", k), capacity=1)
            graph.add_edge(("source", tail[0]), ("in", k))
            graph.add_edge(("out", k), ("sink", head[0]))
            if tail[1] >= 0:
                graph.add_edge(tail, ("in", k))
            if head[1] >= 0:
                graph.add_edge(("out", k), head)
        ordered = [(s, t) for s in self.npus for t in self.npus if s != t]
        return min(int(nx.maximum_flow_value(graph, ("source", s), ("sink", t))) for s, t in ordered)

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
                    at.append(number.setdefault(vertex[0] if whole else vertex, len(number)))
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

    def ecmp(self, traffic: list[tuple[int, int]]) -> tuple[float, np.ndarray]:
        """Largest scale of a traffic of rate 1 for each pair under equal shares, and the loads of arcs at scale 1."""
        load = np.zeros(len(self.arcs))
        for source, target in traffic:
            steps = self._steps_to(target)
            share: dict[object, float] = {source: 1.0}
            for _ in range(int(steps[source])):
                onward: dict[object, float] = {}
                for node, part in share.items():
                    nearer = [
                        k for k in self.out[node] if self._from(steps, target, self.arcs[k][1]) == steps[node] - 1
                    ]
                    for k in nearer:
                        load[k] += part / len(nearer)
                        head = self.arcs[k][1]
                        onward[head] = onward.get(head, 0.0) + part / len(nearer)
                share = {node: part for node, part in onward.items() if node[0] != target}
        capacity = np.array([each[2] for each in self.arcs])
        return min(float((capacity[load > 0] / load[load > 0]).min()), self._injection(*_sums(traffic))), load

    def best(self, traffic: list[tuple[int, int]], *, minimal: bool) -> float:
        """Largest scale over all splits (over shortest paths only): the whole linear programme by HiGHS."""
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
