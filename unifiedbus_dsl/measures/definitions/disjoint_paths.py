"""Cables that must fail before a pair is parted: `disjoint_paths`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import PAIRS, PLANE, Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import paths

    return paths.disjoint_paths(call)


register(
    Measure(
        "disjoint_paths",
        "fewest cables whose loss parts a pair",
        (PAIRS, PLANE),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.SELECTION,
        rests_on=(),
    )
)
