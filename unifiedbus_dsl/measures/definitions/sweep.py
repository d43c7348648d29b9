"""A collective by the size of its message: `sweep`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.measures.registry import ALGORITHM, ON, PLANE, Better, Invariance, Measure, collective, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import collectives

    return collectives.sweep(call)


register(
    Measure(
        "sweep",
        "how long a collective takes by size, and which algorithm is the fastest",
        (collective(), ALGORITHM, PLANE, ON),
        None,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=("rate", "latency"),
    )
)
