"""`hops`, `diameter` and `mean_hops` from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.from_plan.naming import pair_name
from unifiedbus_dsl.measures.paths import BY_CABLES, spread_answer
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.solver.from_plan.shortest import hop_counts


def hops(asked: PlanCall) -> Answer:
    counts = hop_counts(asked.network, *asked.pair())
    if counts.unreachable or not len(counts.distance):
        raise asked.refuse("a pair has no path")
    farthest = pair_name(asked.plan, counts.source_id, counts.target_id)
    return spread_answer(asked.call, counts.distance.astype(np.float64), counts.pairs, farthest, NUMBER, BY_CABLES)
