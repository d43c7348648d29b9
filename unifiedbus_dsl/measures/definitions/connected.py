"""Whether every pair has a path: `connected`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.measures.registry import ENDS, PLANE, Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import paths

    return paths.connected(call)


register(
    Measure(
        "connected",
        "whether every pair has a path",
        (ENDS, PLANE),
        None,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.SELECTION,
        rests_on=(),
    )
)
