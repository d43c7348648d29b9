"""Least times of all-gather, reduce-scatter, broadcast and all-reduce of one group, held to cuts and flows of members.

End points store and forward: each is a memory, joined to its forwarding vertices, and all that leaves or enters a
memory is within the injection of its end point. No schedule is faster than a cut lets through: (shards behind it) /
capacity, or for an all-reduce size / capacity of any cut that parts two members; than all end points together send what
must be sent; and than an injection lets through the copies that the parts which it alone joins need. Where to each
member the flow of all shards fits (alone), some schedule is as fast (ForestColl, arXiv 2402.06787; for one root
Edmonds), but where an injection is shared by cables to several neighbours: there it has to fit with the injection
shared out among these. Cuts are found by a maximum flow in whole units, and added up as they are. A reduce-scatter is
an all-gather turned round, an all-reduce at the most one and then the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.components import components
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.sharing import slowest_port
from unifiedbus_dsl.verify.symmetries import Move, end_orbits
from unifiedbus_dsl.verify.trees import TreeProof

MAX_WORK = 1_000_000
"""Members that are not alike times cables up to which flows and cuts are found anew."""
UNITS = 2**29
"""What all sources together can send, in whole units: flows and residuals stay below 2^31."""
SAME = 1e-6
"""Relative difference of two times that are the same but for rounding."""
ROUNDED = 1e-4
"""The part of a flow that whole units may take away."""
ABOVE = "that a schedule reaches the upper bound"
BELOW = "that none is faster than the lower bound"


@frozen(eq=False)
class GatherCertificate:
    """Bounds on the seconds that `members` [E] take to gather `size_bytes`, to get them from `root` (-1: none), or to
    `reduce` them and get the sum. `moves` are automorphisms of the `arcs` that keep the members and the root. What cuts
    and flows do not show, `trees` may."""

    members: Bools
    size_bytes: float
    root: int
    lower_s: float
    upper_s: float
    reduce: bool = False
    arcs: Arcs | None = None
    moves: Sequence[Move] = ()
    trees: Sequence[TreeProof] = ()

    def prove(self, cables: Cables) -> Proved:
        graph, firsts = Memories.of(cables), self._firsts(cables)
        large = len(firsts) * len(cables.a) > MAX_WORK
        least = self._is_least(graph, firsts[:0] if large else firsts, large=large)
        reached = not np.isfinite(self.upper_s) or (not large and self._is_reached(graph, firsts) and not cables.sided)
        if not (least and reached):
            lower, upper = self._by_trees(cables)
            least = least or lower >= self.lower_s * (1 - SAME)
            reached = reached or upper <= self.upper_s * (1 + SAME)
        doubts = (() if least else (BELOW,)) + (() if reached else (ABOVE,))
        return Proved(self.lower_s, self.upper_s, doubts)

    def below(self) -> GatherCertificate:
        """Return what shows the lower bound alone."""
        return evolve(self, upper_s=np.inf)

    def _by_trees(self, cables: Cables) -> tuple[float, float]:
        """Return bounds on the seconds that packed trees show; trees that gather show two phases of an all-reduce."""
        lower, upper = 0.0, np.inf
        for proof in self.trees:
            assert self.arcs is not None
            reached, most = proof.rates(cables, self.arcs, self.members, self.root)
            amount = self.size_bytes if proof.sums else self._unit
            if proof.sums == self.reduce:
                lower = max(lower, amount / most)
            if reached > 0 and proof.sums <= self.reduce:
                upper = min(upper, amount / reached * (1 + (self.reduce and not proof.sums)))
        return lower, upper

    @property
    def _unit(self) -> float:
        """Bytes that each source has for a member."""
        return self.size_bytes if self.root >= 0 else self.size_bytes / int(self.members.sum())

    def _firsts(self, cables: Cables) -> Ints:
        """Return one of each sort of the members that receive."""
        others = np.flatnonzero(self.members & (np.arange(cables.ends) != self.root))
        if self.arcs is None or not len(self.moves):
            return others
        marks = self.members, np.arange(cables.ends) == self.root
        orbit = end_orbits(cables, self.arcs, self.moves, *marks)
        return others[np.unique(orbit[others], return_index=True)[1]]

    def _is_least(self, graph: Memories, firsts: Ints, *, large: bool) -> bool:
        """Return whether some bound shows the lower bound: a quick one, or a cut about one of the `firsts`."""
        shown, wanted = 0.0, self.lower_s * (1 - SAME)
        for bound in (*self._quick_bounds(graph), *self._copied(graph)):
            require(bound <= self.upper_s * (1 + SAME), "a schedule is faster than its end points send and take")
            shown = max(shown, bound)
        for bound in self._cuts(graph, firsts) if shown < wanted else ():
            shown = max(shown, bound)
            if shown >= wanted:
                break
        require(shown >= wanted or large or len(graph.shared) or self.reduce, f"no cut takes more than {shown:.9g} s")
        return shown >= wanted

    def _quick_bounds(self, graph: Memories) -> tuple[float, ...]:
        """Return seconds for all to send what all must, and for each to send and take what it must."""
        n, size, unit = int(self.members.sum()), self.size_bytes, self._unit
        senders = self.members if self.root < 0 else np.arange(len(self.members)) == self.root
        takers = self.members if self.root < 0 else self.members & ~senders
        give, take = (size, size) if self.reduce else (unit, unit if self.root >= 0 else (n - 1) * unit)
        busy = (graph.sends.sum(), (1 + self.reduce) * (n - 1) * size)
        return tuple(
            amount / float(room) if room > 0 else np.inf
            for room, amount in (busy, (graph.sends[senders].min(), give), (graph.takes[takers].min(), take))
        )

    def _copied(self, graph: Memories) -> Iterator[float]:
        """Yield seconds for the copies that injections pass, which several neighbours share."""
        n, own = int(self.members.sum()), self.members
        for e in graph.shared[: max(1, MAX_WORK // len(graph.tail))].tolist():
            copies = self._copies(graph.parts_without(e, own), n, bool(own[e]), e)
            yield self._unit * copies / float(graph.injection_Bps[e])

    def _cuts(self, graph: Memories, firsts: Ints) -> Iterator[float]:
        """Yield seconds that cuts take which part a member from others, or the first one from another, both ways."""
        first, *others = np.flatnonzero(self.members).tolist()
        pairs = [(self._sources(v), v) for v in firsts.tolist()]
        if self.reduce:
            some = others if len(firsts) else []
            pairs = [(np.array([s]), t) for v in some for s, t in ((first, v), (v, first))]
        rate = (self.size_bytes if self.reduce else self._unit) / self.lower_s * (1 + 10 * ROUNDED)
        for sources, target in pairs:
            side = graph.flow(sources, np.full(len(sources), rate), target)[1]
            behind, capacity = int(side[graph.memory[sources]].sum()), graph.cut(side)
            amount = behind * (self.size_bytes if self.reduce else self._unit)
            yield amount / capacity if capacity > 0 else (np.inf if behind else 0.0)

    def _copies(self, parts: int, n: int, own: bool, e: int) -> int:
        """Return how many units pass the injection of an end point without which members fall into parts."""
        if self.reduce:
            return n * parts if parts + own > 1 else 0
        if self.root >= 0:
            return parts - (e != self.root)
        return (n - own) * (parts - 1) + own * parts

    def _is_reached(self, graph: Memories, firsts: Ints) -> bool:
        """Return whether flows show the upper bound. Those that must fit at the least are held to fit."""
        rate = self._unit / self.upper_s * (2 if self.reduce else 1) * (1 - ROUNDED)
        if self._all_fit(graph.evened() if len(graph.shared) else graph, firsts, rate):
            return True
        if not self.reduce:
            require(len(graph.shared) and self._all_fit(graph, firsts, rate), "the flow to a member does not fit")
        return False

    def _all_fit(self, graph: Memories, firsts: Ints, rate: float) -> bool:
        for v in firsts.tolist():
            sources = self._sources(v)
            sent = graph.flow(sources, np.full(len(sources), rate), v)[0]
            if sent < rate * len(sources) * (1 - ROUNDED):
                return False
        return True

    def _sources(self, target: int) -> Ints:
        if self.root >= 0:
            return np.array([self.root])
        return np.flatnonzero(self.members & (np.arange(len(self.members)) != target))


@frozen(eq=False, slots=False)
class Memories:
    """Vertices 0 … V - 1 that forward; of end point e its `memory[e]`, what it takes by, and what it gives by. Arcs are
    the cables both ways, then those from vertices to what takes, those back, and what is within an injection, in and
    out."""

    vertices: int
    tail: Ints
    head: Ints
    capacity: Floats
    injection_Bps: Floats  # noqa: N815
    sends: Floats
    takes: Floats
    shared: Ints

    @property
    def memory(self) -> Ints:
        return self.vertices + np.arange(len(self.injection_Bps))

    @property
    def nodes(self) -> int:
        return self.vertices + 3 * len(self.injection_Bps)

    @classmethod
    def of(cls, cables: Cables) -> Memories:
        n, ends, gate = cables.vertices, cables.ends, cables.injection_Bps
        memory, takes, gives = (n + k * ends + np.arange(ends) for k in range(3))
        left = cables.left(slice(None)) & (cables.a != cables.b)
        a, b, a_in, b_out = (each[left].astype(np.int64) for each in (cables.a, cables.b, cables.a_in, cables.b_out))
        capacity = cables.capacity(slice(None))[left]
        out = np.where(cables.forwards, np.arange(n), gives[cables.end])
        into = np.where(cables.forwards, np.arange(n), takes[cables.end])
        inner = np.flatnonzero(cables.forwards & (cables.end >= 0))
        own = cables.end[inner]
        leaves = np.bincount(np.append(a, b_out), weights=np.append(capacity, capacity), minlength=n)
        comes = np.bincount(np.append(b, a_in), weights=np.append(capacity, capacity), minlength=n)
        at = np.flatnonzero(cables.end >= 0)
        sends = np.asarray(np.bincount(cables.end[at], weights=leaves[at], minlength=ends), dtype=np.float64)
        receives = np.asarray(np.bincount(cables.end[at], weights=comes[at], minlength=ends), dtype=np.float64)
        return cls(
            n,
            np.concatenate([out[a], out[b_out], gives[own], inner, takes, memory]),
            np.concatenate([into[b], into[a_in], inner, takes[own], memory, gives]),
            np.concatenate([capacity, capacity, leaves[inner], comes[inner], gate, gate]),
            gate,
            np.minimum(gate, sends),
            np.minimum(gate, receives),
            _shared(cables, a, b, sends),
        )

    def evened(self) -> Memories:
        """Return what has the shared injections shared out among the cables, or the vertices, that they are of: what
        fits there fits here."""
        n, ends = self.vertices, len(self.injection_Bps)
        first = len(self.tail) - 2 * ends
        part = np.ones(self.nodes)
        inner = self.capacity[:first]
        for side in (self.tail[:first], self.head[:first]):
            room = np.bincount(side, weights=inner, minlength=self.nodes)
            for k in (1, 2):
                at = n + k * ends + self.shared
                some = at[room[at] > 0]
                part[some] = np.minimum(part[some], self.injection_Bps[(some - n) % ends] / room[some])
        part = np.minimum(part, 1.0)
        capacity = self.capacity.copy()
        capacity[:first] *= np.minimum(part[self.tail[:first]], part[self.head[:first]])
        for begin in (first, first + ends):
            capacity[begin + self.shared] = np.inf
        return evolve(self, capacity=capacity, shared=self.shared[:0])

    def parts_without(self, e: int, members: Bools) -> int:
        """Return how many parts with members there are without the memory of an end point."""
        ends = len(members)
        gone = np.isin(self.tail, self.vertices + e + ends * np.arange(3))
        gone |= np.isin(self.head, self.vertices + e + ends * np.arange(3))
        label = components(self.nodes, self.tail[~gone], self.head[~gone])
        others = self.memory[members & (np.arange(ends) != e)]
        return len(np.unique(label[others]))

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
        capacity_units = np.append(np.floor(whole), np.floor(rate * unit)).astype(np.int64)
        graph: Any = csr_matrix((capacity_units, (tail, head)), shape=(size, size))
        graph.data = np.minimum(graph.data, UNITS)
        graph = graph.astype(np.int32)
        solved = maximum_flow(graph, self.nodes, int(self.memory[target]))
        left = graph - solved.flow
        left.eliminate_zeros()
        side = np.zeros(size, dtype=bool)
        side[breadth_first_order(left, self.nodes, return_predecessors=False)] = True
        return float(solved.flow_value) / unit, side[:-1]

    def cut(self, side: Bools) -> float:
        """Return capacity from one side to the other, byte/s."""
        return float(self.capacity[side[self.tail] & ~side[self.head]].sum())


def _shared(cables: Cables, a: Ints, b: Ints, ports: Floats) -> Ints:
    """Return end points whose injection is less than what their cables carry, and shared by cables to several
    neighbours, or by several sets of ports."""
    own, other = np.append(a, b), np.append(b, a)
    end = cables.end[own]
    narrow = np.append(cables.injection_Bps < ports, False)[end]
    pairs = np.unique(np.stack([end[narrow], own[narrow], other[narrow]]), axis=1)[0]
    return np.flatnonzero(np.bincount(pairs, minlength=cables.ends) > 1)


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
        above = (ABOVE,) if np.isfinite(self.upper_s) else ()
        below = (BELOW,) if self.lower_s > ports * (1 + SAME) else ()
        return Proved(self.lower_s, self.upper_s, below + above)

    def below(self) -> PortsCertificate:
        """Return what shows the lower bound alone."""
        return evolve(self, upper_s=np.inf)


@frozen(eq=False)
class EverySumCertificate:
    """All-reduces of `size_bytes` in each `group` ([E], -1: in none) at once, in no less than `lower_s`: for each byte
    of each group n - 1 members send something of it before it is a sum, and n - 1 get the sum."""

    group: Ints
    size_bytes: float
    lower_s: float

    def prove(self, cables: Cables) -> Proved:
        many = np.bincount(self.group[self.group >= 0])
        sent = 2 * self.size_bytes * float((many[many > 0] - 1).sum())
        return Proved(sent / float(Memories.of(cables).sends.sum()), np.inf)

    def below(self) -> EverySumCertificate:
        """Return what shows the lower bound alone: this."""
        return self
