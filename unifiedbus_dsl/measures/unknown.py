"""Answers about machines of which something is not known: estimates, with what was taken in its place."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.units import RATE, Quantity, counted, format_quantity
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.unknown import What, without
from unifiedbus_dsl.measures.answers import Answer

RATED = frozenset((
    "tiers", "bisection", "oversubscription", "throughput", "load", "worst", "fair", "time", "sweep", "optimal_time",
))  # fmt: skip
"""The measures that rates of cables go into."""
TIMED = frozenset(("latency", "mean_latency", "time", "sweep", "optimal_time"))
"""Those that latencies go into."""


def marked(answer: Answer, fabric: Fabric) -> Answer:
    """Return an answer as an estimate where it rests on what nobody knows, with what stands in its place."""
    said = tuple(_assumptions(answer, fabric))
    return evolve(answer, kind="estimate", assumptions=(*answer.assumptions, *said)) if said else answer


def _assumptions(answer: Answer, fabric: Fabric) -> Iterator[str]:
    if answer.measure in RATED:
        rates = sorted({_rate(fabric, kind) for kind in _unknown(fabric, "rate").tolist()})
        if rates:
            count = int(np.isin(fabric.kind, _unknown(fabric, "rate")).sum())
            each = " or ".join(format_quantity(Quantity(rate, RATE)) for rate in rates)
            yield f"no rate is known of {counted(count, 'cable')}: {each} each is an assumption"
    if answer.measure in TIMED and len(_unknown(fabric, "latency")):
        count = int(np.isin(fabric.kind, _unknown(fabric, "latency")).sum())
        yield f"no latency is known of {counted(count, 'cable')}: none is an assumption"


def _unknown(fabric: Fabric, what: What) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The kinds of cable of which something is not known."""
    return np.flatnonzero(without(fabric.plan, what, fabric.kinds.link))


def _rate(fabric: Fabric, kind: int) -> Fraction:
    link = list(fabric.plan.links.values())[int(fabric.kinds.link[kind])]
    return fabric.plan.protocols[link.protocol].lane_rate * int(fabric.kinds.lanes[kind])
