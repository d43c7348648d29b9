"""`hops`, `diameter` and `mean_hops` from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.ir.fabric.names import device_name
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.paths import BY_CABLES, spread_answer
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.solver.from_plan.shortest import hop_counts


def hops(asked: PlanCall) -> Answer:
    result = hop_counts(asked.network, *asked.pair())
    if result.unreachable or not len(result.hops):
        raise asked.refuse("a pair has no path")
    farthest = f"{device_name(asked.plan, result.source_id)} -> {device_name(asked.plan, result.target_id)}"
    return spread_answer(asked.call, result.hops.astype(np.float64), result.pairs, farthest, NUMBER, BY_CABLES)
