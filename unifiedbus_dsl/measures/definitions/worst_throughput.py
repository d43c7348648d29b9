"""What every sender can inject under the worst permutation: `worst_throughput`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.registry import ENDS, PLANE, ROUTING, Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import worst_throughput

    return worst_throughput.worst_throughput(call)


register(
    Measure(
        "worst_throughput",
        "what an end point injects under the permutation of which the routing carries least",
        (ENDS, ROUTING, PLANE),
        RATE,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=("rate",),
    )
)
