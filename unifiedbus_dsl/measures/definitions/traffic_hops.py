"""How many cables what is sent crosses, the mean over a traffic under a routing: `traffic_hops`.

    traffic_hops = sum over arcs of load / sum over pairs of what is sent

It is what the loads of all cables add up to: a detour that crosses twice as many takes twice the energy of transfer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import ON, PLANE, ROUTING, Better, Invariance, Measure, register, traffic

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate, at the largest throughput where loads are in no proportion to it."""

    from unifiedbus_dsl.measures.certified import Certified, arcs_of, matrix_of
    from unifiedbus_dsl.measures.rates import claimed
    from unifiedbus_dsl.measures.read_routing import read_routing
    from unifiedbus_dsl.solver.bounds import NotAdmittedError
    from unifiedbus_dsl.solver.demand import row_sums
    from unifiedbus_dsl.verify.loads import HopsCertificate

    pattern, demand = call.matrix()
    routing = read_routing(call)
    machine, ends = call.machine, call.machine.network.ends
    if routing.proportional:
        scale, loads = 1.0, routing.loads(machine, demand)
    else:
        scale = float(routing.throughput(machine, demand).scale)
        loads = routing.loads_at(machine, demand, scale)
    if loads.best is not None:
        raise NotAdmittedError(f"`{routing.text}` has many best splits, of different lengths")
    hops = float(loads.load_Bps.sum()) / (scale * float(row_sums(demand, ends).sum()))
    said = f"routing {routing.text}", "cables that what is sent crosses, the mean", pattern.pattern
    answer = call.exact(hops, NUMBER, assumptions=said)
    if loads.estimate:
        answer = call.exact(hops, NUMBER, assumptions=(*said, "at the largest throughput")).estimated(loads.estimate)
    how = routing.relays, claimed(machine, routing)
    return Certified(
        answer, HopsCertificate(arcs_of(machine.network), loads.load_Bps, matrix_of(demand, ends), scale, *how)
    )


register(
    Measure(
        "traffic_hops",
        "cables that what is sent crosses under a routing, the mean over the traffic",
        (traffic(), ROUTING, PLANE, ON),
        NUMBER,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.RATES,
        rests_on=("rate",),
    )
)
