"""Least times of all-gather, reduce-scatter and broadcast of one group, held to cuts and flows of each member.

End points store and forward: each is a memory, joined to its forwarding vertices, and all that leaves or enters a
memory is within the injection of its end point. No schedule is faster than a cut lets through: (shards behind it) /
capacity; and where to each member the flow of all shards fits (alone), some schedule is as fast (ForestColl, arXiv
2402.06787; for one root Edmonds), but where an injection is shared by cables to several neighbours. Cuts are found by a
maximum flow in whole units, and added up as they are. A reduce-scatter is an all-gather turned round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.sharing import slowest_port

MEMBERS, SIZE = 48, 20_000
"""Members, and cables, up to which flows and cuts are found anew."""
UNITS = 2**29
"""What all sources together can send, in whole units: flows and residuals stay below 2^31."""
SAME = 1e-6
"""Relative difference of two times that are the same but for rounding."""
ROUNDED = 1e-4
"""The part of a flow that whole units may take away."""


@frozen(eq=False)
class GatherCertificate:
    """Bounds on the seconds that `members` [E] take to gather `size_bytes`, or to get them from `root` (-1: none)."""

    members: Bools
    size_bytes: float
    root: int
    lower_s: float
    upper_s: float

    def prove(self, cables: Cables) -> Proved:
        count = int(self.members.sum())
        if count > MEMBERS or len(cables.a) > SIZE or cables.sided:
            return Proved(self.lower_s, self.upper_s, (f"cuts and flows of {count:,} members",))
        graph = Memories(cables)
        others = np.flatnonzero(self.members & (np.arange(cables.ends) != self.root))
        unit = self.size_bytes if self.root >= 0 else self.size_bytes / count
        doubts: tuple[str, ...] = ()
        if self.lower_s > 0:
            slowest = max(unit * self._cut(graph, v, unit / self.lower_s) for v in others.tolist())
            shown = slowest >= self.lower_s * (1 - SAME)
            require(shown or graph.shared, f"no cut takes more than {slowest:.9g} s")
            doubts = () if shown else ("that copies which pass a shared injection take so long",)
        if np.isfinite(self.upper_s):
            for v in others.tolist():
                sources, rate = self._sources(v), unit / self.upper_s * (1 - ROUNDED)
                sent = graph.flow(sources, np.full(len(sources), rate), v)[0]
                require(sent >= rate * len(sources) * (1 - ROUNDED), "the flow to a member does not fit")
        return Proved(self.lower_s, self.upper_s, doubts)

    def _sources(self, target: int) -> Ints:
        if self.root >= 0:
            return np.array([self.root])
        return np.flatnonzero(self.members & (np.arange(len(self.members)) != target))

    def _cut(self, graph: Memories, target: int, rate: float) -> float:
        """Sources behind a cut over its capacity, s for each byte."""
        sources = self._sources(target)
        side = graph.flow(sources, np.full(len(sources), rate * (1 + 10 * ROUNDED)), target)[1]
        behind = int(side[graph.memory[sources]].sum())
        capacity = graph.cut(side)
        return behind / capacity if capacity > 0 else (np.inf if behind else 0.0)


class Memories:
    """Vertices 0 … V - 1 that forward; of end point e its `memory[e]`, what it takes by, and what it gives by."""

    def __init__(self, cables: Cables) -> None:
        n, ends = cables.vertices, cables.ends
        self.memory = n + np.arange(ends)
        takes, gives = n + ends + np.arange(ends), n + 2 * ends + np.arange(ends)
        left = cables.left(slice(None)) & (cables.a != cables.b)
        a, b = cables.a[left].astype(np.int64), cables.b[left].astype(np.int64)
        capacity = cables.capacity(slice(None))[left]
        out = np.where(cables.forwards, np.arange(n), gives[cables.end])
        into = np.where(cables.forwards, np.arange(n), takes[cables.end])
        inner = np.flatnonzero(cables.forwards & (cables.end >= 0))
        free = np.full(len(inner), np.inf)
        gate = cables.injection_Bps
        self.nodes = n + 3 * ends
        self.tail = np.concatenate([out[a], out[b], gives[cables.end[inner]], inner, takes, self.memory])
        self.head = np.concatenate([into[b], into[a], inner, takes[cables.end[inner]], self.memory, gives])
        self.capacity = np.concatenate([capacity, capacity, free, free, gate, gate])
        self.shared = self._shares(cables, a, b, capacity)

    @staticmethod
    def _shares(cables: Cables, a: Ints, b: Ints, capacity: Floats) -> bool:
        """Return whether an injection that is less than what its cables carry is shared by cables to several
        neighbours, or by several sets of ports."""
        end, other = np.append(cables.end[a], cables.end[b]), np.append(b, a)
        own = np.append(a, b)
        rate = np.append(capacity, capacity)
        some = end >= 0
        ports = np.bincount(end[some], weights=rate[some], minlength=cables.ends)
        for e in np.flatnonzero(cables.injection_Bps < ports).tolist():
            mine = some & (end == e)
            if len(np.unique(other[mine])) > 1 or len(np.unique(own[mine])) > 1:
                return True
        return False

    def flow(self, sources: Ints, rate: Floats, target: int) -> tuple[float, Bools]:
        """Return what can be sent at once from sources, each up to its rate, byte/s, and who is on their side of a
        minimum cut."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        unit = UNITS / float(rate.sum())
        whole = np.minimum(np.where(np.isfinite(self.capacity), self.capacity, np.inf) * unit, UNITS)
        size = self.nodes + 1
        tail = np.append(self.tail, np.full(len(sources), self.nodes))
        head = np.append(self.head, self.memory[sources])
        room = np.append(np.floor(whole), np.floor(rate * unit)).astype(np.int64)
        graph: Any = csr_matrix((room, (tail, head)), shape=(size, size))
        graph.data = np.minimum(graph.data, UNITS)
        graph = graph.astype(np.int32)
        max_flow = maximum_flow(graph, self.nodes, int(self.memory[target]))
        left = graph - max_flow.flow
        left.eliminate_zeros()
        side = np.zeros(size, dtype=bool)
        side[breadth_first_order(left, self.nodes, return_predecessors=False)] = True
        return float(max_flow.flow_value) / unit, side[:-1]

    def cut(self, side: Bools) -> float:
        """Return capacity from one side to the other, byte/s."""
        return float(self.capacity[side[self.tail] & ~side[self.head]].sum())


@frozen(eq=False)
class PortsCertificate:
    """Bounds on the seconds of a collective in which each end point takes what the `matrix` says, in bytes, at the
    least: its ports and its injection take no longer than the upper bound."""

    matrix: Matrix
    lower_s: float
    upper_s: float

    def prove(self, cables: Cables) -> Proved:
        ports = slowest_port(cables, self.matrix)
        require(self.upper_s >= ports * (1 - SAME), "a schedule is faster than the ports of its end points")
        above = ("that a schedule reaches the upper bound",) if np.isfinite(self.upper_s) else ()
        below = ("that none is faster than the lower bound",) if self.lower_s > ports * (1 + SAME) else ()
        return Proved(self.lower_s, self.upper_s, below + above)
