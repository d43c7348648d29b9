"""Utilisation of cables at a rate: `load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.registry import ON, PLANE, ROUTING, Better, Invariance, Measure, register, traffic
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import rates

    return rates.load(call)


AT = Argument(
    "rate", Takes.QUANTITY, "what each end point injects", dimension=RATE, default="the most that its ports carry"
)

register(
    Measure(
        "load",
        "utilisation when each end point injects at a rate: of the busiest cable, by link and by tier",
        (traffic(), ROUTING, AT, PLANE, ON),
        None,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.RATES,
        rests_on=("rate",),
    )
)
