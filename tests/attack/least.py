"""Least times of collectives where end points relay: the whole linear programs, and maximum flows."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from tests.attack.oracle import Oracle


class Relaying:
    """The machine as nodes ("mem", device), what an end point holds, and forwarding vertices; `edges` are (tail, head,
    GB/s). All that leaves a memory, and all that arrives there, is within the injection of its device."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.nodes: dict[object, int] = {}
        self.edges: list[tuple[int, int, float]] = []
        memories = [k for k, each in enumerate(oracle.devices) if each.kind != "switch" and not each.lost]
        for k in memories:
            self._node(("mem", k))
        for tail, head, capacity, _ in oracle.arcs:
            self.edges.append((self._at(tail), self._at(head), capacity / 1e9))
        for k in memories:
            for line in range(len(oracle.devices[k].lines) + 2 * len(oracle.devices[k].sides)):
                if (k, line) in self.nodes:
                    self.edges += [
                        (self.nodes["mem", k], self.nodes[k, line], math.inf),
                        (self.nodes[k, line], self.nodes["mem", k], math.inf),
                    ]
        self.gates = [
            (self.nodes["mem", k], float(oracle.devices[k].injection_GBps))
            for k in memories
            if oracle.devices[k].injection_GBps
        ]

    def _node(self, name: object) -> int:
        return self.nodes.setdefault(name, len(self.nodes))

    def _at(self, vertex: tuple[int, int]) -> int:
        device = self.oracle.devices[vertex[0]]
        return self._node(vertex if device.kind == "switch" or vertex[1] >= 0 else ("mem", vertex[0]))

    def memory(self, device: int) -> int:
        return self.nodes["mem", device]

    @property
    def shared_gate(self) -> bool:
        """Whether an injection below what its cables carry is shared by cables to several neighbours."""
        for node, able in self.gates:
            device = next(name[1] for name, at in self.nodes.items() if at == node)
            own = [each for each in self.oracle.arcs if each[0][0] == device]
            if able * 1e9 < sum(each[2] for each in own) and len({(each[0], each[1]) for each in own}) > 1:
                return True
        return False

    def concurrent(self, demands: list[dict[int, float]]) -> float:
        """The largest x, GB/s, at which all commodities fit at once; each is what nodes send (above 0) and take."""
        edges, nodes = len(self.edges), len(self.nodes)
        entries: list[tuple[int, int, float]] = []
        room: list[tuple[int, int, float]] = []
        for c, demand in enumerate(demands):
            for e, (tail, head, _) in enumerate(self.edges):
                column = 1 + c * edges + e
                entries += [(c * nodes + tail, column, 1.0), (c * nodes + head, column, -1.0)]
            entries += [(c * nodes + node, 0, -rate) for node, rate in demand.items()]
        limits: list[float] = []
        for e, (_, _, capacity) in enumerate(self.edges):
            if math.isfinite(capacity):
                room += [(len(limits), 1 + c * edges + e, 1.0) for c in range(len(demands))]
                limits.append(capacity)
        for node, able in self.gates:
            for side in (0, 1):
                on = [e for e, edge in enumerate(self.edges) if edge[side] == node]
                room += [(len(limits), 1 + c * edges + e, 1.0) for c in range(len(demands)) for e in on]
                limits.append(able)
        columns = 1 + len(demands) * edges
        cost = np.zeros(columns)
        cost[0] = -1.0
        solved = linprog(
            cost,
            A_ub=_matrix(room, len(limits), columns),
            b_ub=limits,
            A_eq=_matrix(entries, len(demands) * nodes, columns),
            b_eq=np.zeros(len(demands) * nodes),
        )
        assert solved.status == 0, solved.message
        return -float(solved.fun)

    def gather(self, who: list[int]) -> float:
        """The largest rate, GB/s, at which each member can be brought a stream from each other at once, alone."""
        rates = []
        for v in who:
            demand = {self.memory(other): 1.0 for other in who if other != v}
            rates.append(self.concurrent([demand | {self.memory(v): 1.0 - len(who)}]))
        return min(rates)

    def exchange(self, who: list[int]) -> float:
        """The largest rate, GB/s, of all to all at once."""
        return self.concurrent(
            [{self.memory(t): -1.0 for t in who if t != s} | {self.memory(s): float(len(who) - 1)} for s in who]
        )

    def narrowest(self, root: int, who: list[int]) -> float:
        """Least maximum flow from a root to a member, GB/s."""
        graph = nx.DiGraph()
        gate = dict(self.gates)
        for node in self.nodes.values():
            able = {"capacity": gate[node]} if node in gate else {}
            graph.add_edge((node, "in"), node, **able)
            graph.add_edge(node, (node, "out"), **able)
        for tail, head, capacity in self.edges:
            before = graph.get_edge_data((tail, "out"), (head, "in"), {"capacity": 0.0}).get("capacity", math.inf)
            both = before + capacity
            graph.add_edge((tail, "out"), (head, "in"), **({"capacity": both} if math.isfinite(both) else {}))
        at = self.memory(root)
        return min(float(nx.maximum_flow_value(graph, at, self.memory(v))) for v in who if v != root)


def _matrix(entries: list[tuple[int, int, float]], rows: int, columns: int) -> coo_matrix:
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    return coo_matrix((value, (row, column)), shape=(rows, columns)).tocsr()
