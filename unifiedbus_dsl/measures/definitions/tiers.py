"""Tiers, and the cables between them: `tiers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import ENDS, PLANE, Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall
    from unifiedbus_dsl.measures.plan_call import PlanCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import cuts

    return cuts.tiers(call)


def by_plan(asked: PlanCall) -> Answer:
    """Return the answer by the symmetries of the plan."""
    from unifiedbus_dsl.measures.from_plan import tiers

    return tiers.tiers(asked)


register(
    Measure(
        "tiers",
        "how many tiers there are, with the cables between them; the tier of a device is its distance from end points",
        (ENDS, PLANE),
        NUMBER,
        evaluate=evaluate,
        by_plan=by_plan,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=("rate",),
    )
)
