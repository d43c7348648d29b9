"""The largest of a load: `worst`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import rates

    return rates.worst(call)


OF = Argument("of", Takes.MEASURE, "`load(…)`", positional=True)

register(
    Measure(
        "worst",
        "utilisation of the busiest cable",
        (OF,),
        NUMBER,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.INNER,
        rests_on=("rate",),
    )
)
