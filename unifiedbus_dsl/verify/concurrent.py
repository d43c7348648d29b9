"""What each source sends of a traffic, source by source: one of each sort states its flow, and all that are alike send
as much by the automorphisms that carry it to them. Loads that add up to what end points send and receive do not show
that each gets what is sent to it; this does.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import ROUNDING, require
from unifiedbus_dsl.verify.alike import Alike
from unifiedbus_dsl.verify.arcs import match
from unifiedbus_dsl.verify.cables import Cables, Floats, Ints
from unifiedbus_dsl.verify.class_flows import SourceFlow, Values
from unifiedbus_dsl.verify.distances import fewest_cables
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.symmetries import Move, end_images

MAX_WORK = 60_000_000
"""Sources times arcs up to which flows are followed."""


@frozen(eq=False)
class ConcurrentFlows:
    """Flows of one source of each sort; with `shortest` over paths of fewest cables alone. With `relays` what comes to
    an end point may go on from its memory, within its injection."""

    alike: Alike
    flows: tuple[SourceFlow, ...]
    shortest: bool = False
    relays: bool = False

    def check(self, cables: Cables, matrix: Matrix, scale: float, load_Bps: Floats) -> str:  # noqa: N803
        """Return why flows were not followed, or nothing.

        Raises:
            VerificationError: they do not carry the matrix times `scale` with these loads.
        """
        arcs, label = self.alike.arcs, self.alike.label
        match(arcs, cables)
        if len(self.flows) * arcs.size > MAX_WORK:
            return f"that each end point gets its own: flows of {len(self.flows):,} sources were not followed"
        require_kept(self.alike, cables, matrix)
        labels = int(label.max(initial=-1)) + 1
        total, left = np.zeros(labels), matrix.sent() > 0
        passed = np.zeros((2, cables.ends))
        for flow in self.flows:
            alike = np.unique(cables.end[self.alike.first == self.alike.first[flow.vertex]])
            require(alike[0] >= 0 and left[alike].all(), "a flow of what sends nothing, or has one already")
            left[alike] = False
            load, memory = self._followed(cables, matrix, scale, flow, labels)
            total += len(alike) * load
            passed += len(alike) * memory
        require(not left.any(), "an end point that sends has no flow")
        if self.relays:
            self._check_memories(cables, passed)
        mean = (total / np.maximum(np.bincount(label, minlength=labels), 1))[label]
        slack = ROUNDING * (mean + float(mean.max(initial=0.0)))
        require(not (np.abs(load_Bps - mean) > slack).any(), "the loads are not those of the flows")
        return ""

    def _check_memories(self, cables: Cables, passed: Floats) -> None:
        """Hold what all flows bring into memories, and what they take out of them ([2, E]), to the injection: the mean
        over end points that are alike."""
        sort = end_sorts(self.alike, cables)
        many = np.maximum(np.bincount(sort), 1)
        for side in passed:
            mean = (np.bincount(sort, weights=side) / many)[sort]
            require(not (mean > cables.injection_Bps * (1 + ROUNDING)).any(), "relays pass more than an injection")

    def _followed(
        self, cables: Cables, matrix: Matrix, scale: float, flow: SourceFlow, labels: int
    ) -> tuple[Floats, Floats]:
        """Return what a flow loads on the arcs of each label, and what comes into the memory of each end point and out
        of it ([2, E]), after it was seen to bring each end point what it is sent."""
        arcs, label, source = self.alike.arcs, self.alike.label, int(cables.end[flow.vertex])
        out, into, load = np.zeros(cables.vertices), np.zeros(cables.vertices), np.zeros(labels)
        values = Values.of(flow, labels)
        hops = fewest_cables(cables, arcs, source) if self.shortest else None
        for some, tail, rows in arcs.pieces():
            head = arcs.head[some]
            value = values.on(tail, head, label[some], some)
            on = np.flatnonzero(value)
            require(not (value[on] < 0).any(), "a flow is negative")
            if hops is not None:
                require((hops[head[on]] == hops[tail[on]] + 1).all(), "a flow takes a way round")
            load += np.bincount(label[some][on], weights=value[on], minlength=labels)
            out[rows] = np.bincount(tail[on] - rows.start, weights=value[on], minlength=rows.stop - rows.start)
            into += np.bincount(head[on], weights=value[on], minlength=cables.vertices)
        wanted = scale * matrix.row(source)
        noise = ROUNDING * (float(wanted.sum()) + np.maximum(out, into))
        self._check_balance(cables, wanted, source, into - out, noise, relays=self.relays)
        lone = ~cables.forwards & (cables.end >= 0)
        through = lone & (cables.end != source) & (not self.relays)
        require(not (out[through] > noise[through]).any(), "a flow passes through what does not forward")
        if hops is not None:
            late = (cables.end >= 0) & (hops > _nearest(cables, hops))
            require(not (np.abs(into - out)[late] > noise[late]).any(), "a flow does not end where it is nearest")
        at = np.flatnonzero(cables.end >= 0)
        sides = [np.where(lone, side, np.maximum(sign * (into - out), 0.0)) for side, sign in ((into, 1), (out, -1))]
        memory = [np.bincount(cables.end[at], weights=side[at], minlength=cables.ends) for side in sides]
        return load, np.stack(memory)

    @staticmethod
    def _check_balance(
        cables: Cables, wanted: Floats, source: int, gain: Floats, noise: Floats, *, relays: bool
    ) -> None:
        """Each end point takes what it is sent, the source sends all, and elsewhere as much goes on as comes."""
        own, switch = cables.end == source, cables.end < 0
        require(not (np.abs(gain)[switch] > noise[switch]).any(), "a flow is lost at a switch, or comes from it")
        require(not (gain[own] > noise[own]).any(), "a flow ends at its source")
        others = ~switch & ~own & (not relays)
        require(not (-gain[others] > noise[others]).any(), "a flow begins at another end point than its source")
        at = np.flatnonzero(~switch)
        taken = np.bincount(cables.end[at], weights=gain[at], minlength=cables.ends)
        slack = np.bincount(cables.end[at], weights=noise[at], minlength=cables.ends)
        wanted[source] = -wanted.sum()
        require(not (np.abs(taken - wanted) > slack).any(), "an end point does not get what it is sent")


def require_kept(alike: Alike, cables: Cables, matrix: Matrix) -> None:
    """Hold what is alike to be so on the cables, with the injections and the traffic."""
    alike.check(cables, (np.where(cables.end >= 0, cables.injection_Bps[cables.end], np.inf),), ())
    for generator in alike.generators:
        require(matrix.is_kept(*end_images(cables, Move(generator.moved, generator.image))), "the traffic is not kept")


def end_sorts(alike: Alike, cables: Cables) -> Ints:
    """Return the same number for end points that are alike, [E]."""
    at = np.flatnonzero(cables.end >= 0)
    first_alike = np.full(cables.ends, cables.vertices)
    np.minimum.at(first_alike, cables.end[at], alike.first[at])
    return first_alike


def _nearest(cables: Cables, hops: Ints) -> Ints:
    """Of each vertex of an end point the fewest cables to any vertex of it, [V]."""
    some = np.flatnonzero((cables.end >= 0) & (hops >= 0))
    min_hops = np.full(cables.ends, cables.vertices)
    np.minimum.at(min_hops, cables.end[some], hops[some])
    return np.asarray(min_hops[cables.end])
