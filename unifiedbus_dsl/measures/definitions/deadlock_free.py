"""Whether a routing can deadlock on lossless links: `deadlock_free`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.measures.registry import PLANE, ROUTING, Better, Invariance, Measure, register, traffic

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import deadlock

    return deadlock.deadlock_free(call)


register(
    Measure(
        "deadlock_free",
        "whether no cycle of channel dependencies lets packets wait for each other for ever on lossless links",
        (traffic(), ROUTING, PLANE),
        None,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.RATES,
        rests_on=(),
    )
)
