"""Least time of a message on an idle machine: `latency`, `mean_latency`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import TIME
from unifiedbus_dsl.measures.registry import ENDS, MESSAGE, PAIRS, PLANE, Better, Invariance, Measure, register

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall
    from unifiedbus_dsl.measures.plan_call import PlanCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import paths

    return paths.latency(call)


def by_plan(asked: PlanCall) -> Answer:
    """Return the answer by the symmetries of the plan."""
    from unifiedbus_dsl.measures.from_plan import latency

    return latency.latency(asked)


for name, doc, subject in (
    (
        "latency",
        "least zero-load time, cut-through: arcs, vertices passed, and the message over the narrowest cable",
        PAIRS,
    ),
    ("mean_latency", "least zero-load time, the mean over ordered pairs", ENDS),
):
    register(
        Measure(
            name,
            doc,
            (subject, MESSAGE, PLANE),
            TIME,
            evaluate=evaluate,
            by_plan=by_plan,
            better=Better.LESS,
            invariance=Invariance.SELECTION,
            rests_on=("latency",),
            by_length=True,
        )
    )
