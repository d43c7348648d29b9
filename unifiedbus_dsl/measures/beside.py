"""What others leave to a traffic: `throughput(mine, beside = [dp, storage], at = 10 GB/s)`."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.certified import arcs_of, matrix_of
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.wording import binding
from unifiedbus_dsl.solver.bounds import NotAdmittedError, exact
from unifiedbus_dsl.solver.demand import Demand, column_sums, row_sums, scaled
from unifiedbus_dsl.solver.routing.interface import Routing, require_linear
from unifiedbus_dsl.solver.routing.throughput import Throughput, max_scale
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.verify.loads import BesideCertificate, Carried
from unifiedbus_dsl.verify.routed import Routed

FULL_WITHIN = 1e-9
"""Relative distance from its capacity at which nothing is left of a cable."""


@frozen(eq=False)
class Background:
    """Traffic that runs meanwhile: `load_Bps` [A] and what end points send and receive of it, [E]; each by its
    `names` with its demand and loads."""

    names: tuple[str, ...]
    demands: tuple[Demand, ...]
    loads: tuple[Floats, ...]
    load_Bps: Floats  # noqa: N815
    sent_Bps: Floats  # noqa: N815
    received_Bps: Floats  # noqa: N815

    @property
    def sentence(self) -> str:
        return f"beside {', '.join(self.names)}, which keep their rates"


def read_background(call: MeasureCall, routing: Routing) -> Background | None:
    """Return what `beside` names, None where it is not given.

    Raises:
        RefusedError: it names no traffic, or one without a rate.
        NotAdmittedError: the routing is not linear, or the others alone do not fit.
    """
    node = call.named.get("beside")
    if node is None:
        return None
    require_linear(routing, "`beside`")
    ends, machine = call.machine.network.ends, call.machine
    others = evolve(call, node=evolve(call.node, args=tuple(a for a in call.node.args if not _is_on(a))))
    names, demands = zip(*(_stated(others, item) for item in _items(call, node)), strict=True)
    loads = tuple(routing.loads(machine, demand).load_Bps for demand in demands)
    sent = np.sum([row_sums(demand, ends) for demand in demands], axis=0)
    received = np.sum([column_sums(demand, ends) for demand in demands], axis=0)
    background = Background(names, demands, loads, np.sum(loads, axis=0), sent, received)
    full = np.flatnonzero(background.load_Bps > machine.network.capacity_Bps * (1 + FULL_WITHIN))
    if len(full):
        raise NotAdmittedError(
            f"what runs beside it does not fit: {binding(machine, full)[0]} carries more than it can"
        )
    if (np.maximum(sent, received) > machine.network.injection_Bps * (1 + FULL_WITHIN)).any():
        raise NotAdmittedError("what runs beside it does not fit: an end point injects more than it can")
    return background


def _is_on(arg: tree.Arg) -> bool:
    return arg.name is not None and arg.name.text == "on"


def _items(call: MeasureCall, node: tree.Expr) -> tuple[tree.Expr, ...]:
    if not isinstance(node, tree.ListExpr):
        return (node,)
    items = tuple(item for item in node.items if not isinstance(item, tree.Star | tree.Range))
    if not items or len(items) < len(node.items):
        raise call.refuse(node, "`beside` lists traffics", "such as `beside = [dp, storage]`")
    return items


def _stated(call: MeasureCall, node: tree.Expr) -> tuple[str, Demand]:
    """Return the name and the demand of a traffic at its stated rate, or at that of `at`."""
    traffic = call.traffic(node)
    if traffic.demand is None:
        help = "a ring sends `shift(all npu, k = 1)`, say"
        raise call.refuse(node, f"`{traffic.pattern}` is steps of a schedule: say what it sends", help, "UB0709")
    if traffic.stated:
        return traffic.name, traffic.demand
    rate = call.quantity("at", RATE)
    if not rate:
        help = "`at = 10 GB/s`, or a traffic with rates such as `uniform(all npu, rate = 10 GB/s)`"
        raise call.refuse(node, f"`{traffic.name}` states no rate", help)
    max_sent = float(row_sums(traffic.demand, call.machine.network.ends).max(initial=0.0))
    if not max_sent:
        raise NotAdmittedError(f"nothing is sent by `{traffic.name}`")
    return f"{traffic.name} at {shown(rate, RATE)}", scaled(traffic.demand, rate / max_sent)


def throughput_beside(call: MeasureCall, routing: Routing, demand: Demand, others: Background) -> Throughput:
    """Return the largest scale of a demand that fits into what others leave of cables and injection."""
    network = call.machine.network
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    loads = routing.loads(call.machine, demand)
    left = np.maximum(network.capacity_Bps - others.load_Bps, 0.0)
    room = np.divide(left, loads.load_Bps, out=np.full(network.arcs, np.inf), where=loads.load_Bps > 0)
    scale = min(float(room.min(initial=np.inf)), _injection(network.injection_Bps, others, row, column))
    _, _, ends = max_scale(network, loads.load_Bps * 0.0, row, column)
    full = np.flatnonzero(room <= scale * (1 + FULL_WITHIN))
    return Throughput(
        network,
        loads.routing,
        exact(scale, f"loads of {loads.routing} on every arc"),
        scale * row,
        scale * loads.load_Bps,
        full,
        ends if not len(full) else ends[:0],
    )


def _injection(injection_Bps: Floats, others: Background, row: Floats, column: Floats) -> float:  # noqa: N803
    """Return the largest scale at which end points can send and receive beside the others."""
    injection = np.inf
    for used, mine in ((others.sent_Bps, row), (others.received_Bps, column)):
        left = np.maximum(injection_Bps - used, 0.0)
        injection = min(injection, float(np.divide(left, mine, out=np.full(len(mine), np.inf), where=mine > 0).min()))
    return injection


def certify_beside(
    call: MeasureCall, demand: Demand, found: Throughput, others: Background, how: tuple[bool, Routed | None]
) -> BesideCertificate:
    """Return what shows that a scale fits beside others and no more does.

    `how` is whether what is sent is relayed, and what the routing claims.
    """
    network = call.machine.network
    carried = tuple(
        Carried(load, matrix_of(each, network.ends)) for load, each in zip(others.loads, others.demands, strict=True)
    )
    return BesideCertificate(
        arcs_of(network), found.load_Bps, matrix_of(demand, network.ends), float(found.scale), carried, *how
    )
