"""Mean time between failures: `mtbf`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import TIME
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import reliability

    return reliability.mtbf(call)


register(
    Measure(
        "mtbf",
        "8,760 h over the sum of the `afr` fields of what is left; spares stand by",
        (),
        TIME,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=(),
    )
)
