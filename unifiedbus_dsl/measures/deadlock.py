"""Whether a routing can deadlock on lossless links: `deadlock_free`."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified, arcs_of, bounds, matrix_of, moves_of
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.read_paths import read_paths
from unifiedbus_dsl.measures.wording import arc_names, devices_of, pair_name
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.cycles import ChannelCycle, channel_cycle
from unifiedbus_dsl.solver.deadlock.dependencies import dependencies, topological_levels
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule, routes
from unifiedbus_dsl.solver.demand import Demand, row_sums
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import Certificate
from unifiedbus_dsl.verify.channels import RoutedTraffic
from unifiedbus_dsl.verify.deadlock import AcyclicCertificate, CycleCertificate
from unifiedbus_dsl.verify.routed import Router
from unifiedbus_dsl.verify.ways import DimensionByDimension, FewestBetweenGroups, Shortest, UpAndDown

MOST_FOLLOWED = 20_000
"""Senders times intermediates up to which packets are followed one by one."""
SHOWN = 12
"""Devices of a cycle that a reader sees."""


@frozen(eq=False)
class ChannelOrder:
    """Whether channels depend on each other in a circle: a `cycle` of them, or none and the `channels` that are used,
    in an order that every packet follows with `ranks` steps."""

    cycle: ChannelCycle | None
    ranks: int

    @property
    def deadlock_free(self) -> bool:
        return self.cycle is None


@bounds.register
def _(answer: ChannelOrder) -> tuple[float, float]:
    return float(answer.deadlock_free), float(answer.deadlock_free)


def channel_order(machine: NetworkContext, demand: Demand, rule: PathRule) -> Certified[ChannelOrder]:
    """Return an order of the channels that a routing uses, or a cycle of them.

    Raises:
        NotAdmittedError: a pair has no path, or the machine does not admit the routing.
    """
    used = routes(machine.symmetry, demand, rule)
    channels = dependencies(used)
    levels = topological_levels(channels.orbits, channels.before, channels.after)
    traffic = routed_traffic(machine, demand, rule)
    if levels is not None:
        _check_size(machine, demand, rule, traffic)
        certificate: Certificate = AcyclicCertificate(
            traffic, levels[channels.group.arc_orbit], tuple(moves_of(channels.group))
        )
        return Certified(ChannelOrder(None, int(levels.max(initial=0)) + 1), certificate)
    cycle = channel_cycle(channels, routes(machine.symmetry, demand, rule), demand)
    assert cycle is not None, "no order of orbits, and no cycle of them"
    return Certified(
        ChannelOrder(cycle, 0), CycleCertificate(traffic, cycle.arcs, cycle.source, cycle.target, cycle.via)
    )


def _check_size(machine: NetworkContext, demand: Demand, rule: PathRule, traffic: RoutedTraffic) -> None:
    """Refuse an order of channels that would take too long to be verified: where packets of some pairs turn, each
    sender is followed to each intermediate."""
    if rule.via not in ("switch", "group") or traffic.each_to_each:
        return
    network = machine.network
    between = int((network.end < 0).sum()) if rule.grouping is None else rule.grouping.count
    if int((row_sums(demand, network.ends) > 0).sum()) * between > MOST_FOLLOWED:
        raise NotAdmittedError("too many pairs turn at too many intermediates to be verified: ask about `alltoall`")


def routed_traffic(machine: NetworkContext, demand: Demand, rule: PathRule) -> RoutedTraffic:
    """Return a demand under a rule of paths as a certificate states it."""
    network = machine.network
    return RoutedTraffic(arcs_of(network), matrix_of(demand, network.ends), stated_router(rule), rule.via)


def stated_router(rule: PathRule) -> Router:
    """Return the paths of each leg of a rule as a certificate states them."""
    if rule.kind == "updown":
        return UpAndDown()
    if rule.place is not None:
        return DimensionByDimension(rule.place)
    if rule.grouping is not None:
        return FewestBetweenGroups(rule.grouping.of_device)
    return Shortest()


def deadlock_free(call: MeasureCall) -> Certified[Answer]:
    """Return whether the channels that a routing uses for a traffic never depend on each other in a circle."""
    traffic, demand = call.matrix()
    routing, rule = read_paths(call)
    certified = channel_order(call.machine, demand, rule)
    order = certified.answer
    answer = call.exact(
        float(order.deadlock_free),
        NUMBER,
        assumptions=(f"routing {routing}", *notes(rule), traffic.pattern, "lossless links, one virtual lane"),
        detail={"truth": order.deadlock_free, **cycle_detail(call.machine, order.cycle)},
        text=_said(order),
        lines=cycle_lines(call.machine, order.cycle),
    )
    return Certified(answer, certified.certificate)


def notes(rule: PathRule) -> tuple[str, ...]:
    """Return what is taken for granted of the paths of a routing."""
    return (rule.note,) if rule.note else ()


def _said(order: ChannelOrder) -> str:
    if order.cycle is None:
        return "yes: no cycle of channel dependencies"
    return f"no: a cycle of {len(order.cycle.arcs):,} channels, each of which can wait for the next"


def cycle_detail(machine: NetworkContext, cycle: ChannelCycle | None) -> dict[str, Any]:
    """Return a cycle as JSON holds it: each channel with the pair whose packets want the next one."""
    if cycle is None:
        return {}
    pairs = zip(cycle.source.tolist(), cycle.target.tolist(), strict=True)
    return {
        "cycle": [
            {"channel": name, "packets": pair_name(machine, *pair)}
            for name, pair in zip(arc_names(machine, cycle.arcs), pairs, strict=True)
        ]
    }


def cycle_lines(machine: NetworkContext, cycle: ChannelCycle | None) -> tuple[str, ...]:
    """Return a cycle for a reader: the devices along it, and the packets that close it."""
    if cycle is None:
        return ()
    tails = devices_of(machine.network, machine.network.tail[cycle.arcs])
    names = [str(name) for name in machine.fabric.device_names(tails[:SHOWN])]
    more = [f"… {len(tails) - SHOWN:,} more …"] if len(tails) > SHOWN else []
    closing = int(np.argmax(cycle.via < 0))
    pair = pair_name(machine, int(cycle.source[closing]), int(cycle.target[closing]))
    return (
        f"cycle: {' -> '.join([*names, *more, names[0]])}",
        f"such as packets {pair}, which hold {names_of(machine, cycle, closing)} next",
    )


def names_of(machine: NetworkContext, cycle: ChannelCycle, at: int) -> str:
    """Return a channel of a cycle and the one that is wanted next."""
    one, two = arc_names(machine, cycle.arcs[[at, (at + 1) % len(cycle.arcs)]])
    return f"{one} and want {two}"
