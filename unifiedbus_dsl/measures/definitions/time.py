"""How long a collective takes: `time`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import SIZE, TIME
from unifiedbus_dsl.measures.registry import ALGORITHM, ON, PLANE, Better, Invariance, Measure, collective, register
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import collectives

    return collectives.time(call)


SIZE_ARGUMENT = Argument(
    "size", Takes.QUANTITY, "bytes of the collective", dimension=SIZE, default="that of the traffic"
)

register(
    Measure(
        "time",
        "how long a collective takes by an algorithm, step by step",
        (collective(), ALGORITHM, SIZE_ARGUMENT, PLANE, ON),
        TIME,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.NONE,
        rests_on=("rate", "latency"),
    )
)
