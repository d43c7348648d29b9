"""`throughput` from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.base.units import RATE, format_share
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.from_plan.naming import binding_names, injection_names
from unifiedbus_dsl.measures.plan_call import Places, PlanCall
from unifiedbus_dsl.measures.planes import GAIN, idle_plane_line, protocols_sentence
from unifiedbus_dsl.measures.rates import scaled_answer
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork
from unifiedbus_dsl.solver.from_plan.throughput import PlanThroughput, alltoall_throughput

ROUTINGS = frozenset(("ecmp", "wcmp", "minimal", "optimal"))


def throughput(asked: PlanCall) -> Answer:
    call, network = asked.call, asked.network
    if {"on", "beside"} & set(call.named):
        raise asked.refuse("a traffic on a part of the machine, or beside others")
    members = asked.alltoall()
    routing = call.word("routing", "ecmp")
    plain = "routing" not in call.named or call.named["routing"].span.text == routing
    if routing not in ROUTINGS or not plain:
        raise asked.refuse("a routing that the plan can't follow")
    plan_throughput = alltoall_throughput(network, members, routing)
    if plan_throughput is None:
        raise asked.refuse("a pair has no path")
    limits = binding_names(network, plan_throughput.binding) + injection_names(network, plan_throughput.binding_places)
    carried = {
        protocol_of_kind(network, int(k)) for k in np.unique(network.orbit_kind[plan_throughput.load_Bps > 0]).tolist()
    }
    present = {protocol_of_kind(network, int(k)) for k in np.unique(network.orbit_kind).tolist()}
    return scaled_answer(
        call,
        plan_throughput.scale,
        plan_throughput.sender_rate,
        limits,
        (f"routing {routing}", "rate that an end point injects", "alltoall", *protocols_sentence(present, carried)),
        {"scale": float(plan_throughput.scale), "senders": plan_throughput.senders},
        _faster_plane(asked, members, routing, plan_throughput, present),
    )


def protocol_of_kind(network: PlanNetwork, kind: int) -> str:
    """Return the protocol of a kind of cable."""
    return network.plan.links[network.wiring.kinds[kind].link].protocol


def _faster_plane(
    asked: PlanCall, members: Places, routing: str, found: PlanThroughput, present: set[str]
) -> tuple[str, ...]:
    """Return a warning where one protocol alone would carry more than the routing does over all."""
    network = asked.network
    if routing == "optimal" or network.lost:
        return ()
    protocol = np.array([protocol_of_kind(network, int(k)) for k in network.orbit_kind.tolist()], dtype=object)
    capacity = network.orbit_capacity_Bps  # none where all cables of an orbit are lost
    used: Floats = np.divide(found.load_Bps, capacity, out=np.zeros(len(capacity)), where=capacity > 0)
    scale, best = float(found.scale), (0.0, "")
    full = {name: float(used[protocol == name].max(initial=0.0)) for name in sorted(present)}
    for name in (name for name, part in full.items() if part < 1 - GAIN):
        links = {key for key, link in network.plan.links.items() if link.protocol == name}
        alone = alltoall_throughput(network.over(links), members, routing)
        rate = 0.0 if alone is None else float(alone.scale)
        if rate > scale * (1 + GAIN) and rate > best[0]:
            best = rate, name
    if not best[1]:
        return ()
    rates = [shown(each * found.sender_rate, RATE) for each in (best[0], scale)]
    return (idle_plane_line(best[1], rates, format_share(full[best[1]], places=0)),)
