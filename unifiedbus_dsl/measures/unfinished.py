"""What is known of a measure that was not worked out in the time of a run: bounds by ports, by one sweep over the
cables and by one cut; of a machine whose network is not made, and takes long to make, by the ports of its types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from time import monotonic
from typing import TypeAlias

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.base.units import NUMBER, SIZE, Quantity
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.related_bounds import FEASIBLE, alltoall_members, is_network_at_hand, whole_kind
from unifiedbus_dsl.solver.bounds import DeadlineError
from unifiedbus_dsl.solver.demand import column_sums, row_sums
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import bfs
from unifiedbus_dsl.solver.paths.reachability import reachability
from unifiedbus_dsl.solver.routing.throughput import max_scale
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.verify import Stated
from unifiedbus_dsl.vocabulary.signatures import MEASURES

Bounds: TypeAlias = tuple[float, float]
UNFINISHED = "not worked out in the time allowed: bounds by ports and counts alone"
SWEEP_S = 1.0
"""Seconds that a sweep may take after the time is over: a ring of very many devices has as many levels."""
SETTLED = 8
"""Rounds in which switches go to the side of most of their cables."""


def unfinished(call: MeasureCall) -> Certified[Answer]:
    """Return an interval that holds whatever the answer is."""
    bounds = (_BOUNDS if is_network_at_hand(call) else _BY_TYPES).get(call.name, _nothing)
    lower, upper = bounds(call)
    dimension = MEASURES[call.name].dimension or NUMBER
    text = "not known" if (lower, upper) == (0.0, inf) else ""
    answer = Answer(
        "", "", call.name, call.arguments, lower, dimension, "interval", lower, upper, (), (UNFINISHED,), text=text
    )
    return Certified(answer, Stated(lower, upper, "bounds by ports and counts"))


def _nothing(call: MeasureCall) -> Bounds:
    return 0.0, inf


# ---- by the network --------------------------------------------------------------------------------------------------


def _halving_cut(call: MeasureCall) -> Bounds:
    """Of a bisection: the first half of the end points cut off, or half of them at their own ports; and the narrowest
    cable, where all are joined."""
    network, ends = call.machine.network, call.ends(call.one())
    ports = np.sort(_egress(call)[ends])
    upper = min(_capacity_across(network, _sides(network, ends)), float(ports[: len(ports) // 2].sum()))
    joined = len(ends) > 1 and reachability(network, ends).connected
    return (min(upper, _narrowest(network)) if joined else 0.0), upper


def _sides(network: Network, ends: Ints) -> Bools:
    """Return a side for each vertex, [V]: that of the first half of the end points, or of the rest; all else, from
    these outward, is where most of its cables lead."""
    side = np.zeros(network.ends)
    side[ends] = np.where(np.arange(len(ends)) < len(ends) // 2, 1.0, -1.0)
    fixed = network.on_vertices(side)
    now = fixed
    for _ in range(SETTLED):
        pull = bincount(network.head, network.capacity_Bps * now[network.tail], network.vertices)
        now = np.where(fixed != 0, fixed, np.sign(pull))
    return now > 0


def _capacity_across(network: Network, side: Bools) -> float:
    """Return the capacity of the arcs from one side to the other, the way that has less."""
    tail, head = side[network.tail], side[network.head]
    return min(float(network.capacity_Bps[out].sum()) for out in (tail & ~head, head & ~tail))


def _scale(call: MeasureCall) -> Bounds:
    """Of a throughput: what each end point sends and receives goes through its own ports; where all is joined, the
    narrowest cable carries everything once."""
    _, demand = call.matrix()
    network = call.machine.network
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    scale, _, _ = max_scale(network, np.zeros(network.arcs), row, column)
    busiest = float((np.maximum(row, column) / np.maximum(_egress(call), np.finfo(float).tiny)).max())
    least = float(row[row > 0].min())
    some = np.flatnonzero((row > 0) | (column > 0))
    lower = 0.0
    plain = call.word("routing", "ecmp") in FEASIBLE - {"updown"} and network.gate_Bps is None
    if plain and reachability(network, some).connected:
        lower = min(scale, _narrowest(network) / float(row.sum()))
    return lower * least, min(scale, 1 / busiest) * least


def _narrowest(network: Network) -> float:
    """Return the least capacity of a cable, byte/s."""
    return float(network.kinds.capacity_Bps[network.kind].min(initial=inf))


def _far(machine: NetworkContext, end: int) -> Floats | None:
    """Return the hops from each end point to one, infinite where there is no path, [E]; None where that takes longer
    than `SWEEP_S`. Worked out once."""
    kept: dict[int, Floats | None] = vars(machine).setdefault("_far", {})
    if end not in kept:
        network = machine.network
        try:
            hops = bfs.distances(bfs.by_cable(network), network.vertices_of(end), monotonic() + SWEEP_S).hops
            far = np.where(hops < 0, inf, hops.astype(np.float64))
            kept[end] = np.asarray(np.minimum.reduceat(far[network.end_order], network.end_start[:-1]))
        except DeadlineError:
            kept[end] = None
    return kept[end]


def _hops(call: MeasureCall) -> Bounds:
    """Of hops: as far as it is to one of the receivers, and through that one, or the only switch that it is at, to any
    other; else no path comes to a vertex twice."""
    network = call.machine.network
    senders, receivers = call.pair()
    lower, upper = 1.0, float(max(1, network.vertices - 1))
    middle = network.vertices_of(int(receivers[0]))
    if len(middle) > 1 or network.turned is not None or call.name == "hops":
        return lower, upper
    far = _far(call.machine, int(receivers[0]))
    within = inf if far is None else float(far[senders].max())
    if far is None or not np.isfinite(within):
        return lower, upper
    if call.name == "diameter":
        lower = max(lower, within)
    around = network.head[network.indptr[middle[0]] : network.indptr[middle[0] + 1]]
    if network.forwards[middle[0]]:
        upper = min(upper, within + float(far[receivers].max()))
    elif len(around) == 1 and network.forwards[around[0]]:
        upper = min(upper, within + float(far[receivers].max()) - 2)
    return lower, max(lower, upper)


def _fewest_ports(call: MeasureCall) -> Bounds:
    """Of disjoint paths: as many as the cables of the end point that has the fewest."""
    network = call.machine.network
    cables = bincount(network.end[network.tail] + 1, network.count.astype(np.float64), network.ends + 1)[1:]
    return 0.0, float(min(cables[side].min() for side in call.pair()))


def _seconds_at_ports(call: MeasureCall) -> Bounds:
    """Of a collective: what each member sends or takes in goes through its own ports, and what all send for sums
    through all ports together."""
    traffic, network = call.traffic(call.one()), call.machine.network
    size = call.quantity("size", SIZE) or traffic.size_bytes
    group = traffic.groups(network.ends)
    if not (size and traffic.definition.collective and (group >= 0).any()):
        return 0.0, inf
    through = np.minimum(_egress(call), network.injection_Bps)[group >= 0]
    members = np.bincount(group[group >= 0])
    fewest = int(members[members > 0].min())
    part = 1.0 if traffic.pattern in ("allreduce", "broadcast") else (fewest - 1) / fewest
    seconds = part * size / float(through.min()) if fewest > 1 else 0.0
    if traffic.pattern == "allreduce":
        seconds = max(seconds, 2 * size * float((members[members > 0] - 1).sum()) / float(through.sum()))
    return seconds, inf


def _egress(call: MeasureCall) -> Floats:
    """Return what the cables at each end point carry one way, [E] byte/s."""
    network = call.machine.network
    return bincount(network.end[network.tail] + 1, network.capacity_Bps, network.ends + 1)[1:]


_BOUNDS: Mapping[str, Callable[[MeasureCall], Bounds]] = {
    "bisection": _halving_cut,
    "throughput": _scale,
    "hops": _hops,
    "diameter": _hops,
    "mean_hops": _hops,
    "disjoint_paths": _fewest_ports,
    "time": _seconds_at_ports,
    "optimal_time": _seconds_at_ports,
}


# ---- by the types of a plan ------------------------------------------------------------------------------------------


@frozen
class _Type:
    """Devices of a type that are end points: how many, and what each has."""

    count: int
    ports: int
    egress_Bps: float  # noqa: N815
    injection_Bps: float  # noqa: N815


def _types(call: MeasureCall, node: tree.Expr | None) -> list[_Type]:
    """Return the types of the end points of a kind; none where other ones are selected."""
    plan = call.machine.fabric.plan
    if node is None or not isinstance(node, tree.All) or whole_kind(node) is None:
        return []
    devices = [plan.devices[key] for key in call.selector.type_keys(node) or [] if key in plan.devices]
    found = []
    for device in devices:
        rates = [(port, plan.protocols[port.protocol]) for port in device.ports]
        egress = sum(float(p.lane_rate) * float(p.efficiency) * port.lanes * port.count for port, p in rates)
        injection = device.fields.get("injection")
        most = float(injection) if isinstance(injection, Quantity) else inf
        found.append(_Type(plan.in_service[device.key], device.radix, egress, most))
    return [each for each in found if each.count]


def _half_of_types(call: MeasureCall) -> Bounds:
    """Of a bisection: half of the end points are cut off at their own ports."""
    types = sorted(_types(call, call.one()), key=lambda each: each.egress_Bps)
    left, upper = sum(each.count for each in types) // 2, 0.0
    for each in types:
        cut = min(left, each.count)
        upper, left = upper + cut * each.egress_Bps, left - cut
    return (0.0, upper) if types else (0.0, inf)


def _ports_of_types(call: MeasureCall) -> Bounds:
    """Of an all-to-all: what each end point sends goes through its own ports."""
    types = _types(call, alltoall_members(call.one(), call))
    return 0.0, min((min(each.egress_Bps, each.injection_Bps) for each in types), default=inf)


def _fewest_ports_of_types(call: MeasureCall) -> Bounds:
    node = call.one()
    types = [] if isinstance(node, tree.Arrow) else _types(call, node)
    return 0.0, float(min((each.ports for each in types), default=inf))


def _devices(call: MeasureCall) -> Bounds:
    """Of hops: no path comes to a device twice as a whole."""
    plan = call.machine.fabric.plan
    return 1.0, float(2 * plan.device_count[plan.root])


_BY_TYPES: Mapping[str, Callable[[MeasureCall], Bounds]] = {
    "bisection": _half_of_types,
    "throughput": _ports_of_types,
    "diameter": _devices,
    "mean_hops": _devices,
    "disjoint_paths": _fewest_ports_of_types,
}
