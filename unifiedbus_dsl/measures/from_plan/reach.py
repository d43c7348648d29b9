"""`connected` and `reachable` from the plan."""

from __future__ import annotations

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.paths import connected_answer, reachable_answer
from unifiedbus_dsl.measures.plan_call import Places, PlanCall
from unifiedbus_dsl.solver.from_plan.shortest import hop_counts


def connected(asked: PlanCall) -> Answer:
    return connected_answer(asked.call, _is_connected(asked, asked.ends(asked.call.one())))


def reachable(asked: PlanCall) -> Answer:
    members = asked.ends(asked.call.one())
    if not _is_connected(asked, members):
        raise asked.refuse("a pair has no path")
    count = asked.count(members)
    return reachable_answer(asked.call, (count, count))


def _is_connected(asked: PlanCall, members: Places) -> bool:
    if not asked.count(members):
        raise asked.refuse("no end points are left")
    return not hop_counts(asked.network, members, members).unreachable
