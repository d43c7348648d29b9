"""What every sender can inject at once: `throughput`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.registry import PLANE, ROUTING, Better, Invariance, Measure, register, traffic

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import rates

    return rates.throughput(call)


register(
    Measure(
        "throughput",
        "what an end point injects when the traffic is scaled up to the first limit",
        (traffic(), ROUTING, PLANE),
        RATE,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.RATES,
    )
)
