"""Max-min fair rates: `fair`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.registry import ON, PLANE, Better, Invariance, Measure, register, traffic
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import rates

    return rates.fair(call)


HASH = Argument(
    "hash", Takes.NUMBER, "one path a flow, picked by a hash with this seed", default="shares as `ecmp` has them"
)

register(
    Measure(
        "fair",
        "max-min fair rate of the slowest flow",
        (traffic(), HASH, PLANE, ON),
        RATE,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.RATES,
        rests_on=("rate",),
    )
)
