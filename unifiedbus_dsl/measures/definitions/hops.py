"""Cables on a shortest path: `hops`, `diameter`, `mean_hops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import ENDS, PAIRS, PLANE, Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall
    from unifiedbus_dsl.measures.plan_call import PlanCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import paths

    return paths.hops(call)


def by_plan(asked: PlanCall) -> Answer:
    """Return the answer by the symmetries of the plan."""
    from unifiedbus_dsl.measures.from_plan import hops

    return hops.hops(asked)


for name, doc, subject in (
    ("hops", "cables on a shortest path, the most over the pairs", PAIRS),
    ("diameter", "cables on a shortest path, the most over all pairs", ENDS),
    ("mean_hops", "cables on a shortest path, the mean over ordered pairs", ENDS),
):
    register(
        Measure(
            name,
            doc,
            (subject, PLANE),
            NUMBER,
            evaluate=evaluate,
            by_plan=by_plan,
            better=Better.LESS,
            invariance=Invariance.SELECTION,
            rests_on=(),
        )
    )
