"""The largest scale of all-to-all traffic between the devices of some places, under routings that plans can follow."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.solver.bounds import BoundedValue, bounded, exact
from unifiedbus_dsl.solver.from_plan.concurrent_flow import Commodity, Optimum, solve
from unifiedbus_dsl.solver.from_plan.partition import refine
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork
from unifiedbus_dsl.solver.from_plan.shortest import FAR, levels_to_source, shortest_loads

MEETS_WITHIN = 1e-7
BINDS_WITHIN = 1e-9


@frozen(eq=False)
class PlanThroughput:
    """`scale` t: every pair sends t. `load_Bps` [orbits] is what all arcs of an orbit carry together at t; `binding`
    are orbits that are full, `binding_places` places whose injection is. A device sends `sender_rate` at t = 1."""

    network: PlanNetwork
    scale: BoundedValue
    load_Bps: Floats  # noqa: N815
    binding: Ints
    binding_places: Ints
    sender_rate: float
    senders: int
    optimum: Optimum | None = None


def alltoall_throughput(network: PlanNetwork, members: frozenset[int], routing: str) -> PlanThroughput | None:
    """Return the throughput of all-to-all traffic; None where a pair has no path.

    Raises:
        NotProvedError: the plan does not show it.
    """
    count = network.count(members)
    row = float(count - 1)
    injection = network.injection_Bps
    places = np.array(sorted(members), dtype=np.int64)
    inject = float(injection[places].min()) / row
    if routing in ("ecmp", "wcmp"):
        load = shortest_loads(network, members, routing)  # type: ignore[arg-type]
        if load is None:
            return None
        max_scale = np.divide(network.orbit_capacity_Bps, load, out=np.full(len(load), np.inf), where=load > 0)
        scale = float(min(max_scale.min(initial=np.inf), inject))
        near = scale * (1 + BINDS_WITHIN)
        return PlanThroughput(
            network, exact(scale, f"loads of {routing} on every orbit of arcs"), scale * load,
            np.flatnonzero(max_scale <= near), places[injection[places] / row <= near], row, count,
        )  # fmt: skip
    commodities = commodities_of(network, members)
    if commodities is None:
        return None
    optimum = solve(commodities, network.orbit_capacity_Bps, np.ones(1), minimal=routing == "minimal")
    lower, upper = min(optimum.lower, inject), min(optimum.upper, inject)
    load = optimum.load_Bps * (lower / optimum.lower)
    binds = (load >= network.orbit_capacity_Bps * (1 - MEETS_WITHIN)) & (optimum.length > 0)
    reason = "flows and prices on every orbit of arcs, from a linear program on classes"
    return PlanThroughput(
        network, bounded(lower, upper, reason, MEETS_WITHIN), load, np.flatnonzero(binds),
        places[injection[places] / row <= lower * (1 + BINDS_WITHIN)], row, count, optimum,
    )  # fmt: skip


def commodities_of(network: PlanNetwork, members: frozenset[int]) -> list[Commodity] | None:
    """Return what one device of each orbit sends, 1 to each other one; None where it has no path to one."""
    made = []
    for source, copies in network.sources(members):
        quotient = network.around(source)
        wanted = np.where(quotient.members(members), quotient.device_size, 0).astype(np.float64)
        wanted[quotient.source] = 0.0
        if (levels_to_source(quotient).device_hops()[wanted > 0] == FAR).any():
            return None
        colour = quotient.members(members)[quotient.device].astype(np.int64)
        made.append(Commodity(refine(quotient, colour), copies, wanted[None, :]))
    return made
