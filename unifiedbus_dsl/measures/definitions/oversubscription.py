"""What an assembly can send over what its boundary carries: `oversubscription`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import PLANE, Better, Invariance, Measure, register, selection
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall
    from unifiedbus_dsl.measures.plan_call import PlanCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import cuts

    return cuts.oversubscription(call)


def by_plan(asked: PlanCall) -> Answer:
    """Return the answer by the symmetries of the plan."""
    from unifiedbus_dsl.measures.from_plan import walls

    return walls.oversubscription(asked)


ASSEMBLIES = selection("assemblies, `all rack`, or switches: down over up", "assemblies")
FROM = Argument("from", Takes.SELECTION, "whose sending counts", default="the end points")

register(
    Measure(
        "oversubscription",
        "what the end points inside can send toward the wall, over what gets through it, plane by plane; the worst",
        (ASSEMBLIES, FROM, PLANE),
        NUMBER,
        evaluate=evaluate,
        by_plan=by_plan,
        better=Better.LESS,
        invariance=Invariance.NONE,
        rests_on=("rate",),
    )
)
