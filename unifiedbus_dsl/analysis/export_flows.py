"""What the questions of a text say to an export: a scenario as parts that are gone, a traffic as flows in phases, a
routing as paths."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.analysis.evaluators import make_evaluator
from unifiedbus_dsl.analysis.scenarios import damage
from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import AskedRouting, Flows, OutageMask, remark
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import RefusedError
from unifiedbus_dsl.measures.read_paths import read_paths
from unifiedbus_dsl.measures.registry import schedules
from unifiedbus_dsl.measures.traffic.pattern_call import Traffic
from unifiedbus_dsl.measures.traffic.patterns import TrafficReader
from unifiedbus_dsl.measures.workloads.exchange_traffic import exchange_traffics
from unifiedbus_dsl.semantic.queries.named_traffic import named_traffic
from unifiedbus_dsl.semantic.queries.set_overrides import resolve_items
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives.schedules import members_of, phases
from unifiedbus_dsl.solver.demand import Demand, Groups, to_pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree

USUAL_BYTES = 1 << 20
ALGORITHM = "ring"


def names_of(compilation: Compilation, noun: str, system: str) -> tuple[str, ...]:
    """Return the names of the `traffic` or `scenario` statements of a system; of traffic what its workloads exchange
    besides, `pretrain.data`."""
    assert compilation.model is not None
    model = compilation.model
    return tuple(named_traffic(model, system) if noun == "traffic" else model.asked(tree.Scenario, system))


def gone(compilation: Compilation, system: str, scenario: str, sink: Sink) -> OutageMask | None:
    """Return what a scenario has taken from a system; None after a diagnostic.

    Raises:
        KeyError: no such scenario.
    """
    assert compilation.model is not None
    whole = NetworkContext(compilation.fabric(system))
    asker = make_evaluator(compilation, whole, sink)
    made = damage(scenario, resolve_items(scenario, compilation.model.asked(tree.Scenario)), asker)
    if made is None:
        return None
    machine = made[0].machine
    health = machine.cable_health
    return OutageMask(scenario, machine.lost_devices, health == 0, int(((health > 0) & (health < 1)).sum()))


def flows(compilation: Compilation, system: str, traffic: str, sink: Sink) -> tuple[Flows, ...] | None:
    """Return the flows of a traffic, or of what a workload exchanges along an axis, phase after phase; None after a
    diagnostic.

    Sizes are those of the traffic, 1 MiB where it states none: of `alltoall` and `uniform` what one end point holds,
    cut into a piece for each member of its group; of listed pairs what the fastest pair sends. Other collectives are
    sent around a ring.

    Raises:
        KeyError: no such traffic.
    """
    assert compilation.model is not None
    machine = NetworkContext(compilation.fabric(system))
    asker = make_evaluator(compilation, machine, sink)
    workload, _, axis = traffic.partition(".")
    statement: tree.Traffic | tree.Workload
    if axis:
        statement = compilation.model.asked(tree.Workload)[workload]
        read = _exchanged(asker, compilation.model.asked(tree.Workload)[workload], axis)
    else:
        statement = compilation.model.asked(tree.Traffic)[traffic]
        one = TrafficReader(machine, asker.selector).read(traffic, statement.value)
        read = [] if one is None else [one]
    try:
        sent = [phase for each in read for phase in _phases(machine, each, sink)]
    except NotAdmittedError as why:
        sink.error("UB0710", f"`{traffic}` can't be sent: {why}", statement.value.span, "here")
        return None
    return tuple(sent) if read else None


def _exchanged(asker: MeasureEvaluator, statement: tree.Workload, axis: str) -> list[Traffic]:
    """Return what a workload exchanges along an axis; nothing after a diagnostic."""
    span = statement.name.span
    node = tree.Member(tree.Name(statement.name.text, span=span), tree.Word(axis, span=span), span=span)
    question = tree.Call(tree.Name("load", span=span), (tree.Arg(None, node, span=span),), span=span)
    try:
        return exchange_traffics(asker.call(question), node)
    except RefusedError:
        return []


def _phases(machine: NetworkContext, traffic: Traffic, sink: Sink) -> tuple[Flows, ...]:
    """Return the flows of one traffic."""
    size = traffic.size_bytes
    if size is None:
        size = float(USUAL_BYTES)
        remark(sink, "UB0806", f"`{traffic.name}` states no size: 1 MiB was taken", "write `size = 64 MiB`, say")
    return _collective(machine, traffic, size, sink) if traffic.demand is None else (_once(machine, traffic, size),)


def routing(compilation: Compilation, system: str, question: tree.Call, sink: Sink) -> AskedRouting | None:
    """Return the routing of a question about a system (see `routed_question`); None after a diagnostic."""
    machine = NetworkContext(compilation.fabric(system), symmetric=False)
    call = make_evaluator(compilation, machine, sink).call(question)
    try:
        call.check_arguments()
        return AskedRouting(*read_paths(call))
    except RefusedError:
        return None
    except NotAdmittedError as why:
        sink.error("UB0802", f"no forwarding tables by that routing: {why}", call.named["routing"].span, "here")
        return None


def _once(machine: NetworkContext, traffic: Traffic, size: float) -> Flows:
    demand = traffic.demand
    assert demand is not None
    source, target, rate = _pairs(demand)
    if isinstance(demand, Groups):
        members = np.bincount(demand.group[demand.group >= 0])[demand.group[source]]
        return _flows(machine, source, target, size / members)
    return _flows(machine, source, target, size * rate / max(float(rate.max(initial=0.0)), 1e-300))


def _collective(machine: NetworkContext, traffic: Traffic, size: float, sink: Sink) -> tuple[Flows, ...]:
    ends = machine.network.ends
    if traffic.pattern == "broadcast":
        raise NotAdmittedError("a broadcast is sent by many algorithms: list its flows with `pairs(A -> B)`")
    remark(sink, "UB0806", f"`{traffic.name}` is sent around a ring, step by step", "list flows with `pairs(A -> B)`")
    collective: list[Flows] = []
    for phase in phases(schedules()[ALGORITHM], traffic.pattern, members_of(traffic.groups(ends)), ends):
        for step in phase[ALGORITHM]:
            source, target, rate = _pairs(step.shape)
            collective += [_flows(machine, source, target, size * step.part / step.times * rate)] * step.times
    return tuple(collective)


def _pairs(demand: Demand) -> tuple[Ints, Ints, Floats]:
    """Source, target and rate of each pair, group after group."""
    if not isinstance(demand, Groups):
        return demand.source, demand.target, demand.rate
    source, target = to_pairs(demand)
    order = np.argsort(demand.group[source], kind="stable")
    return source[order], target[order], np.full(len(source), demand.rate)


def _flows(machine: NetworkContext, source: Ints, target: Ints, size: Floats) -> Flows:
    device = machine.network.end_device
    return Flows(device[source], device[target], np.maximum(1, np.rint(size)).astype(np.int64))
