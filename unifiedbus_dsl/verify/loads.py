"""A traffic on a network: loads that carry it, and prices that no routing of it beats.

Loads show a scale of the traffic when they conserve what is sent and received, end point by end point and vertex by
vertex, fit every cable, and no end point injects or receives more than it can.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import ROUNDING, Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Cables, Floats
from unifiedbus_dsl.verify.concurrent import ConcurrentFlows
from unifiedbus_dsl.verify.distances import Prices
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.routed import Routed

UNTOLD = "that each end point gets its own: loads of all sources together carry what is sent and received"
TIGHT = 1e-9
"""Relative distance from its limit at which an arc still is full."""


@frozen(eq=False)
class LoadCertificate:
    """Loads [A] of a routing that shares in fixed parts, when the matrix is scaled by `scale`: as much as fits, so that
    a cable or an injection is full. With `relays` what is sent may go on from end points on its way. They are the loads
    that `routed` gives."""

    arcs: Arcs
    load_Bps: Floats  # noqa: N815
    matrix: Matrix
    scale: float
    relays: bool = False
    routed: Routed | None = None

    def prove(self, cables: Cables) -> Proved:
        """Return the least rate of those that send."""
        full = check_loads(cables, self.arcs, self.load_Bps, self.matrix, self.scale, relays=self.relays)
        require(full >= 1 - TIGHT, "nothing is full, so more of the traffic would fit")
        return Proved.exactly(self.scale * self.matrix.least_sent, self.not_compared(cables))

    def not_compared(self, cables: Cables) -> str:
        """Hold the loads to the routing; why that could not be done, or nothing."""
        if self.routed is None:
            return "that its loads are those of the routing"
        return self.routed.check(cables, self.arcs, self.matrix, self.scale, self.load_Bps)


@frozen(eq=False)
class FeasibleCertificate(LoadCertificate):
    """Loads [A] of a model of a routing: they carry the matrix times `scale` and fit. That routers would share it so is
    not shown, nor that no more would fit."""

    def prove(self, cables: Cables) -> Proved:
        """Return the least rate of those that send in these loads."""
        check_loads(cables, self.arcs, self.load_Bps, self.matrix, self.scale, relays=self.relays)
        return Proved.exactly(self.scale * self.matrix.least_sent, self.not_compared(cables))


@frozen(eq=False)
class HopsCertificate(LoadCertificate):
    """Loads [A] of the matrix times `scale`, whether or not they fit, for the cables that what is sent crosses."""

    def prove(self, cables: Cables) -> Proved:
        """Return the mean over what is sent."""
        check_loads(cables, self.arcs, self.load_Bps, self.matrix, self.scale, relays=self.relays, fits=False)
        sent = self.scale * float(self.matrix.sent().sum())
        return Proved.exactly(float(self.load_Bps.sum()) / sent, self.not_compared(cables))


@frozen(eq=False)
class FlowCertificate:
    """Loads [A] that carry the matrix times `scale`, as the `flows` of its sources show or as they are `routed`, and
    prices that no routing beats."""

    arcs: Arcs
    load_Bps: Floats  # noqa: N815
    matrix: Matrix
    scale: float
    prices: Prices
    flows: ConcurrentFlows | None = None
    routed: Routed | None = None

    def prove(self, cables: Cables) -> Proved:
        """Return bounds on the least rate of those that send."""
        check_loads(cables, self.arcs, self.load_Bps, self.matrix, self.scale)
        doubt = UNTOLD
        if self.routed is not None:
            doubt = self.routed.check(cables, self.arcs, self.matrix, self.scale, self.load_Bps)
        elif self.flows is not None:
            doubt = self.flows.check(cables, self.matrix, self.scale, self.load_Bps)
        upper = min(self.prices.scale(cables, self.arcs, self.matrix), injection_scale(cables, self.matrix))
        least = self.matrix.least_sent
        return Proved(self.scale * least, upper * least, (doubt,) if doubt else ())


@frozen(eq=False)
class SharesCertificate(LoadCertificate):
    """Utilisations at a stated rate: loads [A] of the matrix times `scale`, whether or not they fit. Those of an
    optimised routing are a multiple of the loads of its largest throughput, `best`."""

    best: FlowCertificate | None = None

    def prove(self, cables: Cables) -> Proved:
        """Return the largest utilisation."""
        bare = self.matrix, self.scale
        full = check_loads(cables, self.arcs, self.load_Bps, *bare, relays=self.relays, fits=False)
        return Proved.exactly(full, self.not_compared(cables))

    def not_compared(self, cables: Cables) -> str:
        if self.best is None:
            return super().not_compared(cables)
        shown, whole = self.best.prove(cables), float(self.best.load_Bps.sum())
        factor = float(self.load_Bps.sum()) / whole if whole else 0.0
        off = np.abs(self.load_Bps - factor * self.best.load_Bps) > ROUNDING * self.load_Bps
        require(not off.any(), "the loads are not those of the throughput")
        if shown.unverified:
            return shown.unverified[0]
        met = shown.lower >= (1 - 1e-6) * shown.upper
        return "" if met else f"that no split carries more: at the most {shown.upper / shown.lower - 1:.2g} of it"


@frozen(eq=False)
class Carried:
    """Loads [A] of a traffic that keeps its rates."""

    load_Bps: Floats  # noqa: N815
    matrix: Matrix


@frozen(eq=False)
class BesideCertificate:
    """Loads [A] of a matrix times `scale` beside those of `others`: together they fit, and a cable or an injection is
    full."""

    arcs: Arcs
    load_Bps: Floats  # noqa: N815
    matrix: Matrix
    scale: float
    others: tuple[Carried, ...]
    relays: bool = False
    routed: Routed | None = None

    def prove(self, cables: Cables) -> Proved:
        """Return the least rate of those that send in the matrix."""
        check_loads(cables, self.arcs, self.load_Bps, self.matrix, self.scale, relays=self.relays, fits=False)
        total, sent = self.load_Bps.copy(), self.scale * self.matrix.sent()
        received = self.scale * self.matrix.received()
        for other in self.others:
            check_loads(cables, self.arcs, other.load_Bps, other.matrix, 1.0, relays=self.relays, fits=False)
            total, sent, received = (
                total + other.load_Bps,
                sent + other.matrix.sent(),
                received + other.matrix.received(),
            )
        full = max(
            float((total[some] / self.arcs.capacity(some)).max(initial=0.0)) for some, _, _ in self.arcs.pieces()
        )
        full = max(full, float((np.maximum(sent, received) / cables.injection_Bps).max(initial=0.0)))
        require(full <= 1 + ROUNDING, f"a cable or an injection is used to {full:.9g} of its capacity")
        require(full >= 1 - TIGHT, "nothing is full, so more of the traffic would fit")
        return Proved.exactly(self.scale * self.matrix.least_sent, self._not_compared(cables))

    def _not_compared(self, cables: Cables) -> str:
        """Hold all loads to the routing; why that could not be done, or nothing."""
        if self.routed is None:
            return "that its loads are those of the routing"
        not_compared = [self.routed.check(cables, self.arcs, self.matrix, self.scale, self.load_Bps)]
        not_compared += [self.routed.check(cables, self.arcs, each.matrix, 1.0, each.load_Bps) for each in self.others]
        return next((doubt for doubt in not_compared if doubt), "")


def injection_scale(cables: Cables, matrix: Matrix) -> float:
    """Return the scale at which an end point sends or receives all that it can."""
    busy = np.maximum(matrix.sent(), matrix.received())
    max_scale = np.divide(cables.injection_Bps, busy, out=np.full(len(busy), np.inf), where=busy > 0)
    return float(max_scale.min(initial=np.inf))


def check_loads(
    cables: Cables,
    arcs: Arcs,
    load_Bps: Floats,  # noqa: N803
    matrix: Matrix,
    scale: float,
    *,
    relays: bool = False,
    fits: bool = True,
) -> float:
    """Return the largest part of a cable, or of an injection where loads must fit, that is used.

    Raises:
        VerificationError: the loads do not carry the matrix times `scale`, or do not fit.
    """
    match(arcs, cables)
    require(len(load_Bps) == arcs.size and np.isfinite(scale) and scale >= 0, "a load for each arc, and a scale")
    out, into, full = np.zeros(cables.vertices), np.zeros(cables.vertices), 0.0
    for some, tail, rows in arcs.pieces():
        load = load_Bps[some]
        require(not (load < 0).any(), "a load is negative")
        full = max(full, float((load / arcs.capacity(some)).max(initial=0.0)))
        out[rows] = np.bincount(tail - rows.start, weights=load, minlength=rows.stop - rows.start)
        into += np.bincount(arcs.head[some], weights=load, minlength=cables.vertices)
    sent, received = scale * matrix.sent(), scale * matrix.received()
    # all rounding together; a vertex may be out by a part of what passes through it
    noise = ROUNDING * (float(sent.max(initial=0.0)) + np.maximum(out, into))
    _check_balance(cables, out, into, sent, received, noise, relays=relays)
    if not fits:
        return full
    require(full <= 1 + ROUNDING, f"a cable is used to {full:.9g} of its capacity")
    busy = np.maximum(sent, received) / cables.injection_Bps
    require(float(busy.max(initial=0.0)) <= 1 + ROUNDING, "an end point injects more than it can")
    return max(full, float(busy.max(initial=0.0)))


def _check_balance(
    cables: Cables,
    out: Floats,
    into: Floats,
    sent: Floats,
    received: Floats,
    noise: NDArray[np.float64],
    *,
    relays: bool,
) -> None:
    """Of a switch as much goes out as comes in; of an end point what it sends more, and what it receives less, and no
    less than each; through a vertex that does not forward nothing passes."""
    at = np.flatnonzero(cables.end >= 0)
    end = cables.end[at]
    switch = cables.end < 0
    require(not (np.abs(out - into)[switch] > noise[switch]).any(), "what comes into a switch does not go out of it")

    def of_ends(values: Floats) -> Floats:
        return np.asarray(np.bincount(end, weights=values[at], minlength=cables.ends), dtype=np.float64)

    slack = of_ends(noise)
    require(
        not (np.abs(of_ends(out - into) - (sent - received)) > slack).any(),
        "an end point does not send and receive what the traffic says",
    )
    require(
        not (of_ends(out) < sent - slack).any() and not (of_ends(into) < received - slack).any(),
        "less goes out of an end point, or into it, than it sends or receives",
    )
    if relays:
        return
    lone = ~cables.forwards
    require(
        not (of_ends(np.where(lone, out, np.maximum(out - into, 0.0))) > sent + slack).any()
        and not (of_ends(np.where(lone, into, np.maximum(into - out, 0.0))) > received + slack).any(),
        "a load passes through an end point that does not forward",
    )
