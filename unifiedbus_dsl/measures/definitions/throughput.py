"""What every sender can inject at once: `throughput`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.registry import (
    BESIDE,
    BESIDE_AT,
    ON,
    PLANE,
    ROUTING,
    Better,
    Invariance,
    Measure,
    register,
    traffic,
)

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall
    from unifiedbus_dsl.measures.plan_call import PlanCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import rates

    return rates.throughput(call)


def by_plan(asked: PlanCall) -> Answer:
    """Return the answer by the symmetries of the plan."""
    from unifiedbus_dsl.measures.from_plan import rates

    return rates.throughput(asked)


register(
    Measure(
        "throughput",
        "what an end point injects when the traffic is scaled up to the first limit",
        (traffic(), ROUTING, PLANE, ON, BESIDE, BESIDE_AT),
        RATE,
        evaluate=evaluate,
        by_plan=by_plan,
        better=Better.MORE,
        invariance=Invariance.RATES,
        rests_on=("rate",),
    )
)
