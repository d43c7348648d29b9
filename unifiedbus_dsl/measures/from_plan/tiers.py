"""`tiers` from the plan."""

from __future__ import annotations

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.cuts import Band, tiers_answer
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.solver.from_plan.tiers import plan_tiers


def tiers(asked: PlanCall) -> Answer:
    members = asked.ends(asked.call.one())
    count = asked.count(members)
    if not count:
        raise asked.refuse("no end points are left")
    found = plan_tiers(asked.network, members)
    links = list(asked.plan.links)
    link_of = [links.index(kind.link) for kind in asked.network.wiring.kinds]
    bands = [
        Band(
            band.low,
            band.high,
            band.cables,
            band.capacity_Bps,
            tuple(links[k] for k in sorted({link_of[kind] for kind in band.kinds})),
        )
        for band in found.bands
    ]
    return tiers_answer(asked.call, found.count, bands, count)
