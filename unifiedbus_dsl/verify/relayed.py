"""What a matrix takes where end points store and forward: each is a memory, joined to its forwarding vertices, and all
that leaves or enters a memory is within the injection of its end point.

Flows, source by source, show a time in which all is brought; prices of cables and of injections one that no schedule
beats:

    time >= sum over pairs of bytes · distance / (sum of length · capacity + sum of price · injection)
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.alike import Alike
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Cables, Floats, Ids, Ints
from unifiedbus_dsl.verify.concurrent import ConcurrentFlows, end_sorts, require_kept
from unifiedbus_dsl.verify.distances import SOURCES, shortest
from unifiedbus_dsl.verify.loads import UNTOLD, check_loads
from unifiedbus_dsl.verify.matrix import Matrix

MAX_WORK = 60_000_000
"""Sources times arcs up to which distances are found anew."""


@frozen(eq=False)
class RelayPrices:
    """Arc a has length `value[label[a]]`; to leave the memory of end point e costs `out[e]`, to enter it `into[e]`."""

    label: Ids
    value: Floats
    out: Floats
    into: Floats

    def check(self, cables: Cables, arcs: Arcs) -> None:
        """Hold prices to be some: one for each arc and memory, none negative, none of an injection without a limit."""
        require(len(self.label) == arcs.size, "a length for each arc")
        require(not (self.value < 0).any(), "a length is negative")
        for gate in (self.out, self.into):
            require(len(gate) == cables.ends and not (gate < 0).any(), "a price of each injection, none negative")
            require(np.isfinite(cables.injection_Bps[gate > 0]).all(), "a price of an injection without a limit")

    def volume(self, cables: Cables, arcs: Arcs) -> float:
        """Return all capacities and injections at their prices."""
        gates = self.out + self.into
        volume = float((cables.injection_Bps[gates > 0] * gates[gates > 0]).sum())
        for some, _, _ in arcs.pieces():
            volume += float((self.value[self.label[some]] * arcs.capacity(some)).sum())
        return volume

    def distances(self, cables: Cables, arcs: Arcs, sources: Ints) -> Floats:
        """Return the least price of the way from the memory of each source to that of each end point, [sources, E]."""
        n, ends = cables.vertices, cables.ends
        memory, takes, gives = (n + k * ends + np.arange(ends) for k in range(3))
        tail = arcs.tails()
        inner = np.flatnonzero(cables.forwards & (cables.end >= 0))
        of = cables.end[inner]
        out, into = (np.where(cables.forwards, np.arange(n), side[cables.end]) for side in (gives, takes))
        free = np.zeros(len(inner))
        rows = np.concatenate([out[tail], gives[of], inner, takes, memory])
        cols = np.concatenate([into[arcs.head], inner, takes[of], memory, gives])
        cost = np.concatenate([self.value[self.label], free, free, self.into, self.out])
        min_cost = 1e-16 * float(cost.max(initial=0.0))  # of a sparse matrix 0 is no edge
        return shortest(n + 3 * ends, rows, cols, np.maximum(cost, min_cost), memory[sources])[:, memory]


@frozen(eq=False)
class PricedCertificate:
    """Prices that say that no schedule brings the matrix, in bytes, in less than `lower_s`, whatever end points relay.
    Where there are some `alike`, distances are found from one source of each sort."""

    arcs: Arcs
    matrix: Matrix
    prices: RelayPrices
    lower_s: float
    alike: Alike | None = None

    def prove(self, cables: Cables) -> Proved:
        """Return the seconds that no schedule beats."""
        match(self.arcs, cables)
        if self.alike is not None:
            require(self.alike.arcs is self.arcs, "symmetries of other arcs")
            require_kept(self.alike, cables, self.matrix)
        lower, doubt = self.seconds(cables)
        return Proved(lower, np.inf, (doubt,) if doubt else ())

    def below(self) -> PricedCertificate:
        """Return what shows the lower bound alone: this."""
        return self

    def seconds(self, cables: Cables) -> tuple[float, str]:
        """Return the seconds that prices show, or those that are claimed and why they were not seen; what is alike was
        held to the cables."""
        self.prices.check(cables, self.arcs)
        senders = np.flatnonzero(self.matrix.sent() > 0)
        sources, copies = senders, np.ones(len(senders), dtype=np.int64)
        if self.alike is not None:
            sort = self._sorts(cables, self.alike)
            _, first, copies = np.unique(sort[senders], return_index=True, return_counts=True)
            sources = senders[first]
        if len(sources) * self.arcs.size > MAX_WORK:
            return self.lower_s, f"that none is faster: distances from {len(sources):,} end points were not found anew"
        volume = self.prices.volume(cables, self.arcs)
        return (self._worth(cables, sources, copies) / volume if volume > 0 else 0.0), ""

    def _sorts(self, cables: Cables, alike: Alike) -> Ints:
        """Return the sort of each end point, [E], after prices were held to be the same for what is alike."""
        prices, sort = self.prices, end_sorts(alike, cables)
        for gate in (prices.out, prices.into):
            require((gate == gate[cables.end[sort]]).all(), "prices of injections that are alike differ")
        value = np.zeros(int(alike.label.max(initial=-1)) + 1)
        value[alike.label] = prices.value[prices.label]
        require((value[alike.label] == prices.value[prices.label]).all(), "lengths of arcs that are alike differ")
        return sort

    def _worth(self, cables: Cables, sources: Ints, copies: Ints) -> float:
        """Return the sum over pairs of bytes · distance; each source counts as often as it has copies."""
        worth = 0.0
        for start in range(0, len(sources), SOURCES):
            some = slice(start, start + SOURCES)
            far = self.prices.distances(cables, self.arcs, sources[some])
            for source, many, least in zip(sources[some].tolist(), copies[some].tolist(), far, strict=True):
                row = self.matrix.row(source)
                worth += many * float(row[row > 0] @ least[row > 0])
        return worth


@frozen(eq=False)
class RelayedCertificate:
    """Loads [A] that carry the matrix, in bytes, `scale` times a second, as the `flows` of its sources show, and prices
    that say that no schedule takes less than `lower_s`."""

    arcs: Arcs
    load_Bps: Floats  # noqa: N815
    matrix: Matrix
    scale: float
    prices: RelayPrices
    lower_s: float
    flows: ConcurrentFlows | None = None

    def prove(self, cables: Cables) -> Proved:
        """Return bounds on the seconds that it takes to bring all once."""
        check_loads(cables, self.arcs, self.load_Bps, self.matrix, self.scale, relays=True)
        untold, alike = UNTOLD, None
        if self.flows is not None:
            require(self.flows.relays and self.flows.alike.arcs is self.arcs, "flows of other arcs, or without relays")
            untold = self.flows.check(cables, self.matrix, self.scale, self.load_Bps)
            alike = None if untold else self.flows.alike
        lower, note = PricedCertificate(self.arcs, self.matrix, self.prices, self.lower_s, alike).seconds(cables)
        return Proved(lower, 1 / self.scale, tuple(each for each in (untold, note) if each))

    def below(self) -> PricedCertificate:
        """Return what shows the lower bound alone."""
        alike = None if self.flows is None else self.flows.alike
        return PricedCertificate(self.arcs, self.matrix, self.prices, self.lower_s, alike)
