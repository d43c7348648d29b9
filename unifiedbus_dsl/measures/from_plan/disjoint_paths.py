"""`disjoint_paths` from the plan."""

from __future__ import annotations

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.from_plan.naming import pair_name
from unifiedbus_dsl.measures.paths import disjoint_paths_answer
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.measures.state_orbits import verify_orbits
from unifiedbus_dsl.solver.from_plan.disjoint_paths import fewest_paths


def disjoint_paths(asked: PlanCall) -> Answer:
    fewest = fewest_paths(asked.network, *asked.pair())
    if fewest is None:
        raise asked.refuse("there is no pair")
    for network in fewest.networks:
        verify_orbits(network)
    return disjoint_paths_answer(asked.call, fewest.paths, pair_name(asked.plan, fewest.source_id, fewest.target_id))
