"""`latency` and `mean_latency` from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.units import TIME
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.from_plan.naming import pair_name
from unifiedbus_dsl.measures.paths import ZERO_LOAD, spread_answer
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.measures.state_orbits import verify_orbits
from unifiedbus_dsl.solver.from_plan.latency import latency_counts


def latency(asked: PlanCall) -> Answer:
    timed = asked.network.timed
    counts, resolution_s = latency_counts(timed, *asked.pair())
    if counts.unreachable or not len(counts.distance):
        raise asked.refuse("a pair has no path")
    verify_orbits(timed)
    farthest = pair_name(asked.plan, counts.source_id, counts.target_id)
    return spread_answer(
        asked.call, counts.distance.astype(np.float64) * resolution_s, counts.pairs, farthest, TIME, ZERO_LOAD
    )
