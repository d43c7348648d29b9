"""Share of the time in which all is up: `availability`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER, TIME
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import reliability

    return reliability.availability(call)


MTTR = Argument("mttr", Takes.QUANTITY, "mean time to repair", dimension=TIME)

register(
    Measure(
        "availability",
        "share of the time in which all is up: MTBF over MTBF and the time to repair",
        (MTTR,),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=(),
    )
)
