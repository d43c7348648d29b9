"""The algorithms of collectives: who sends what, step by step. They are tried in this order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unifiedbus_dsl.measures.registry import CollectiveAlgorithm, register

if TYPE_CHECKING:
    from unifiedbus_dsl.solver.collectives.schedules import ScheduleCall
    from unifiedbus_dsl.solver.collectives.steps import Phase


def solved(name: str) -> Callable[[ScheduleCall], list[Phase]]:
    """Return the schedule of a name that the solver has."""

    def schedule(call: ScheduleCall) -> list[Phase]:
        from unifiedbus_dsl.solver.collectives.schedules import SCHEDULES

        return SCHEDULES[name](call)

    return schedule


for name, doc in (
    ("direct", "each to each other at once"),
    ("ring", "round a ring of the end points in order"),
    ("halving_doubling", "with partners at distances that halve or double"),
    ("bruck", "to those 1, 2, 4, … further on, any number of them (Bruck and others, 1997)"),
    ("tree", "along binary trees"),
    ("hierarchical", "inside the innermost assembly first, then among those"),
    ("per_dimension", "along one dimension of the array of end points after another"),
):
    register(CollectiveAlgorithm(name, doc, (), schedule=solved(name)))
