"""The job that is worst for a machine: `worst_throughput`, and the traffic of it."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified, arcs_of, matrix_of, moves_of
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.planes import confine
from unifiedbus_dsl.measures.rates import claimed
from unifiedbus_dsl.measures.read_routing import read_definition
from unifiedbus_dsl.measures.traffic.pattern_call import PatternCall, Traffic
from unifiedbus_dsl.measures.wording import binding, binding_ends, pair_name
from unifiedbus_dsl.solver.bounds import BoundedValue, NotAdmittedError, bounded
from unifiedbus_dsl.solver.deadlock.path_rules import router_of
from unifiedbus_dsl.solver.demand import Demand, Pairs, pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing.crossings import Crossings
from unifiedbus_dsl.solver.routing.interface import Routing, require_linear
from unifiedbus_dsl.solver.routing.throughput import Throughput
from unifiedbus_dsl.solver.routing.worst_permutation import WorstPermutation, worst_permutation
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.verify.loads import LoadCertificate
from unifiedbus_dsl.verify.permutations import ArcBound, WorstPermutationCertificate
from unifiedbus_dsl.verify.routed import Scheme
from unifiedbus_dsl.vocabulary.signatures import MEASURES

SHOWN = 6
"""Pairs of the permutation that a reader sees."""
EXACT_WITHIN = 1e-9


@frozen(eq=False)
class WorstJob:
    """A `demand` in which each member sends 1 to one at most, what of it a routing carries, and bounds on the `scale`
    that it carries of every such one."""

    members: Bools
    demand: Pairs
    routing: Routing
    scheme: Scheme
    carried: Throughput
    scale: BoundedValue
    permutation: WorstPermutation | None


def worst_job(call: MeasureCall, members: Ints) -> WorstJob:
    """Return the permutation of end points of which the routing of a call carries least.

    Raises:
        NotAdmittedError: the routing adapts to the traffic, or the machine does not admit it.
    """
    definition, asked = read_definition(call)
    routing, machine = definition.make(asked), call.machine
    require_linear(routing, "the worst permutation")
    scheme = routing.scheme(machine.network)
    if scheme is None or definition.paths is None:
        raise NotAdmittedError(f"it is not known how `{routing.text}` shares what one end point sends another")
    if len(members) < 2:
        raise NotAdmittedError("nothing is sent: select at least two end points")
    chosen = machine.network.selected(members)
    if scheme.margins:  # every permutation puts the same on all arcs
        return _job(machine, chosen, routing, scheme, None)
    rule = definition.paths(asked)
    group, router = router_of(machine.symmetry, rule)
    network = machine.network
    weight = network.capacity_Bps if scheme.router.by_capacity else network.count.astype(np.float64)
    crossings = Crossings(network, router, weight, chosen, rule.grouping if rule.via == "group" else None)
    enough = float(network.injection_Bps[members].min())
    worst = worst_permutation(group.restricted(colour=chosen), crossings, network.capacity_Bps, enough)
    return _job(machine, chosen, routing, scheme, worst)


def _job(
    machine: NetworkContext, chosen: Bools, routing: Routing, scheme: Scheme, worst: WorstPermutation | None
) -> WorstJob:
    """Return a permutation, by default of each to the next, with its throughput and the bounds that it shows."""
    network = machine.network
    members = np.flatnonzero(chosen)
    demand = pairs(members, np.roll(members, -1)) if worst is None else pairs(worst.source, worst.target)
    carried = routing.throughput(machine, demand)
    lower = float(carried.scale)
    if worst is not None:
        min_rate = min(
            (network.capacity_Bps[each.arc] / each.bound for each in worst.prices if each.bound), default=np.inf
        )
        lower = min(min_rate, float(network.injection_Bps[members].min()))
    reason = "the heaviest assignment of senders to receivers for an arc of each orbit"
    return WorstJob(
        chosen, demand, routing, scheme, carried, bounded(lower, float(carried.scale), reason, EXACT_WITHIN), worst
    )


def worst_throughput(call: MeasureCall) -> Certified[Answer]:
    """Return the least throughput over all permutations of some end points."""
    machine, members = call.machine, np.unique(call.ends(call.one()))
    job = worst_job(call, members)
    sent = zip(job.demand.source.tolist(), job.demand.target.tolist(), strict=True)
    named = [pair_name(machine, *pair) for pair in sent]
    more = f", and {len(named) - SHOWN:,} more" if len(named) > SHOWN else ""
    answer = call.number(
        job.scale,
        RATE,
        binding=binding(machine, job.carried.binding) + binding_ends(machine, job.carried.binding_ends),
        assumptions=(
            f"routing {job.routing.text}",
            f"each of {len(members):,} end points sends to one and receives from one",
        ),
        detail={"permutation": [name.split(" -> ") for name in named]},
        lines=(f"such as {', '.join(named[:SHOWN])}{more}",),
    )
    return Certified(answer, _certificate(machine, job))


def worst_pattern(call: PatternCall) -> Traffic | None:
    """Return the permutation of `worst_throughput` as a traffic; None after a diagnostic."""
    measure = MEASURES["worst_throughput"]
    args = tuple(each for each in call.arguments if each.name is None or each.name.text in measure.named)
    asked = tree.Call(tree.Name(measure.name, span=call.node.span), args, span=call.node.span)

    def demand(members: Ints, group: Ints) -> Demand | None:
        try:
            question, _ = confine(MeasureCall(asked, call.machine, call.selector, {}))
            return worst_job(question, np.unique(members)).demand
        except NotAdmittedError as why:
            call.wrong(
                call.node,
                f"`{call.definition.name}` is no traffic here: {why}",
                "it is that of at least two end points, under a routing that shares in fixed parts, such as `ecmp`",
            )
        except RefusedError:
            pass  # it is said what is wrong
        return None

    return call.grouped(demand)


def _certificate(machine: NetworkContext, job: WorstJob) -> WorstPermutationCertificate:
    network, worst = machine.network, job.permutation
    permutation = LoadCertificate(
        arcs_of(network), job.carried.load_Bps, matrix_of(job.demand, network.ends), float(job.carried.scale),
        job.routing.relays, claimed(machine, job.routing),
    )  # fmt: skip
    bounds = () if worst is None else tuple(
        ArcBound(each.arc, each.out, each.into, moves_of(each.symmetry)) for each in worst.prices
    )  # fmt: skip
    moves = [] if worst is None else moves_of(worst.group)
    return WorstPermutationCertificate(permutation, job.members, job.scheme, bounds, moves, job.scale.lower)
