"""The paths of one pair: `paths`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import MESSAGE, PLANE, Better, Invariance, Measure, register, selection
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import paths

    return paths.paths(call)


SHOW = Argument("show", Takes.NUMBER, "how many paths are written out", default="4")
PAIR = selection("`a -> b`, one end point each", "pair")

register(
    Measure(
        "paths",
        "of one pair: how many paths of fewest cables; the first and the fastest by name, with the parts of their time",
        (PAIR, MESSAGE, SHOW, PLANE),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=(),
    )
)
