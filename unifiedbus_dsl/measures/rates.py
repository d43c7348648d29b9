"""Throughput, loads and fair rates of a traffic under a routing."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.base.units import NUMBER, RATE, format_share
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.beside import certify_beside, read_background, throughput_beside
from unifiedbus_dsl.measures.certified import Certified, arcs_of, bounds, matrix_of, moves_of
from unifiedbus_dsl.measures.end_points import carriers_of, end_points
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.planes import carrying_sentence, faster_plane_line, has_planes
from unifiedbus_dsl.measures.read_routing import read_routing
from unifiedbus_dsl.measures.sender_classes import Senders
from unifiedbus_dsl.measures.wording import arc_names, binding, binding_ends
from unifiedbus_dsl.solver.bounds import BoundedValue
from unifiedbus_dsl.solver.demand import Demand, Groups, Pairs, invariant_symmetries, row_sums, scaled, to_pairs
from unifiedbus_dsl.solver.flow import ecmp_hashing
from unifiedbus_dsl.solver.flow import max_min_fair as sharing
from unifiedbus_dsl.solver.flow.send_limit import loads_at_send_limit
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.tiers import tiers
from unifiedbus_dsl.solver.routing.interface import Routing
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.solver.routing.throughput import Throughput, throughput_under
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.verify import Certificate
from unifiedbus_dsl.verify.loads import FeasibleCertificate, FlowCertificate, LoadCertificate, SharesCertificate
from unifiedbus_dsl.verify.routed import Direct, Routed, Scheme
from unifiedbus_dsl.verify.sharing import FairCertificate
from unifiedbus_dsl.verify.ways import Shortest

BUSIEST = 20
"""Arcs that JSON lists, the busiest first; the columns of all are in Python."""
MOST_PAIRS = 2_000_000
"""Pairs that are solved one by one where no symmetry makes them equal."""


def throughput(call: MeasureCall) -> Certified[Answer]:
    traffic, demand = call.matrix()
    routing = read_routing(call)
    others = read_background(call, routing)
    rates = (
        routing.throughput(call.machine, demand) if others is None else throughput_beside(call, routing, demand, others)
    )
    row = row_sums(demand, call.machine.network.ends)
    least, scale = float(row[row > 0].min()), float(rates.scale)
    senders = Senders.of(call.machine, scale * row)
    alike = scale == 0 or senders.alike
    answer = scaled_answer(
        call,
        rates.scale,
        least,
        binding(call.machine, rates.binding) + binding_ends(call.machine, rates.binding_ends),
        (
            f"routing {routing.text}",
            f"{'' if alike else 'least '}rate that an end point injects",
            f"{traffic.pattern}",
            *(() if others is None else (others.sentence,)),
            *carrying_sentence(call.machine, rates.load_Bps),
        ),
        {"scale": scale, "senders": int((row > 0).sum())} | ({} if alike else senders.to_json()),
        (
            *(() if alike else (senders.sentence(),)),
            *(() if others else faster_plane_line(call.machine, demand, routing, scale, rates.load_Bps)),
        ),
    )
    if rates.scale.kind == "estimate":
        answer = answer.estimated(rates.scale.reason)
    if others is not None:
        how = routing.relays, claimed(call.machine, routing)
        return Certified(answer, certify_beside(call, demand, rates, others, how))
    return Certified(answer, certify_throughput(call.machine, demand, routing, rates))


def scaled_answer(
    call: MeasureCall,
    scale: BoundedValue,
    least: float,
    limits: tuple[str, ...],
    assumptions: tuple[str, ...],
    detail: dict[str, Any],
    lines: tuple[str, ...],
) -> Answer:
    """Return the rate that an end point injects at the largest scale of a traffic in which it sends `least`."""
    low, high = scale.lower * least, scale.upper * least
    return Answer(
        "", "", call.name, call.arguments, scale.value * least, RATE, scale.kind, low, high, limits, assumptions,
        detail=detail, lines=lines,
    )  # fmt: skip


def certify_throughput(machine: NetworkContext, demand: Demand, routing: Routing, found: Throughput) -> Certificate:
    """Return what shows the largest scale of a demand under a routing."""
    arcs, matrix = arcs_of(machine.network), matrix_of(demand, machine.network.ends)
    if found.scale.kind == "estimate":
        return FeasibleCertificate(arcs, found.load_Bps, matrix, float(found.scale), relays=routing.relays)
    if found.prices is None:
        how = routing.relays, claimed(machine, routing)
        return LoadCertificate(arcs, found.load_Bps, matrix, float(found.scale), *how)
    equal = equal_shares(machine) if found.equal_shares else None
    return FlowCertificate(arcs, found.load_Bps, matrix, found.scale.lower, found.prices, found.flows, equal)


def claimed(machine: NetworkContext, routing: Routing) -> Routed | None:
    """Return a routing as its certificate claims it, with the symmetries that are known; None where no verifier knows
    it."""
    scheme = routing.scheme(machine.network)
    if scheme is None:
        return None
    return _routed(machine, scheme)


def equal_shares(machine: NetworkContext) -> Routed:
    """Return equal shares over paths of fewest cables as a certificate claims them."""
    return _routed(machine, Direct(Shortest()))


def _routed(machine: NetworkContext, scheme: Scheme) -> Routed:
    return Routed(scheme, moves_of(machine.symmetry) if "symmetry" in vars(machine) else [])


@frozen(eq=False)
class Loaded:
    """Of `load(traffic, routing = …, rate = …)`: `loads` are those of `demand`, where the end points that send most
    inject `rate_Bps` each and the others in proportion; `said` is this in words, `senders` says how many inject
    what."""

    machine: NetworkContext
    traffic: str
    demand: Demand
    routing: Routing
    loads: Loads
    rate_Bps: float  # noqa: N815
    said: str
    senders: Senders

    @property
    def share(self) -> Floats:
        """The utilisation of every arc, [A]."""
        return self.loads.utilisation


@bounds.register
def _(answer: Loaded) -> tuple[float, float]:
    return float(answer.share.max()), float(answer.share.max())


def utilisation(call: MeasureCall, rate_Bps: float | None = None) -> Certified[Loaded]:  # noqa: N803
    """Return the utilisation of every arc under a traffic, a routing and a rate of the end points that send most."""
    traffic, demand = call.matrix()
    routing = read_routing(call)
    network = call.machine.network
    max_sent = float(row_sums(demand, network.ends).max())
    asked = call.quantity("rate", RATE) if rate_Bps is None else rate_Bps
    if asked is not None and not 0 < asked < np.inf:
        raise call.refuse(call.node, "a load wants a rate that is more than nothing")
    said = "" if asked is not None else ", the most that their own ports and NICs carry of it"
    if asked is None:
        scale, loads = loads_at_send_limit(routing, call.machine, demand, carriers_of(call.machine))
        asked = max_sent * scale
    else:
        loads = routing.loads_at(call.machine, demand, asked / max_sent)
    sent = scaled(demand, asked / max_sent)
    senders = Senders.of(call.machine, row_sums(sent, network.ends))
    rate = shown(asked, RATE)
    who = f"each end point injects {rate}"
    if not senders.alike:
        who = f"the end points that send most inject {rate} each, the others in proportion"
    used = Loaded(call.machine, traffic.name, sent, routing, loads, asked, f"{who}{said}", senders)
    arcs, matrix = arcs_of(network), matrix_of(sent, network.ends)
    how = routing.relays, claimed(call.machine, routing)
    if loads.best is not None:
        best, plain = loads.best, matrix_of(demand, network.ends)
        equal = equal_shares(call.machine) if best.equal_shares else None
        most_of_it = FlowCertificate(arcs, best.load_Bps, plain, best.scale, best.prices, best.flows, equal)
        return Certified(used, SharesCertificate(arcs, loads.load_Bps, matrix, 1.0, *how, most_of_it))
    return Certified(used, SharesCertificate(arcs, loads.load_Bps, matrix, 1.0, *how))


def worst(call: MeasureCall) -> Certified[Answer]:
    """Of `worst(load(…))`, which is what `load(…)` itself gives as its value."""
    node = call.one()
    if not isinstance(node, tree.Call) or ".".join(dotted_name(node.function)) != "load":
        raise call.refuse(node, "`load(…)` is wanted here", "write `worst(load(TRAFFIC))`", "UB0709")
    inner = evolve(call, node=node)
    inner.check_arguments()
    return _load(call, inner)


def load(call: MeasureCall) -> Certified[Answer]:
    return _load(call, call)


def _load(call: MeasureCall, question: MeasureCall) -> Certified[Answer]:
    used = utilisation(question)
    used_load, share, machine = used.answer, used.answer.share, used.answer.machine
    top = float(share.max())
    full = np.flatnonzero(share >= top * (1 - 1e-9))
    answer = call.exact(
        top,
        NUMBER,
        binding=binding(call.machine, full),
        assumptions=(
            f"routing {used_load.routing.text}",
            used_load.traffic,
            *carrying_sentence(machine, used_load.loads.load_Bps),
            used_load.said,
        ),
        detail=by_part(machine, share) | {"rate": used_load.rate_Bps} | used_load.senders.to_json(),
        text=f"{percent(top)} of the busiest cable",
        lines=(
            *(() if used_load.senders.alike else (used_load.senders.sentence(),)),
            *lines_by_part(machine, share),
            *_idle_plane(used_load),
        ),
    )
    if used_load.loads.estimate:
        answer = answer.estimated(used_load.loads.estimate)
    return Certified(answer, used.certificate)


def _idle_plane(found: Loaded) -> tuple[str, ...]:
    """Return the warning of a faster plane, at the largest throughput of the same routing."""
    if not has_planes(found.machine):
        return ()
    if found.routing.proportional:
        best = throughput_under(found.loads, found.demand)
    else:
        best = found.routing.throughput(found.machine, found.demand)
    return faster_plane_line(found.machine, found.demand, found.routing, float(best.scale), best.load_Bps)


def by_part(machine: NetworkContext, share: Floats) -> dict[str, Any]:
    """Utilisation [A] by link type and by tier, the most and the mean over cables each way; and the busiest arcs."""
    network = machine.network
    top = np.flatnonzero(share >= np.partition(share, -min(BUSIEST, len(share)))[-min(BUSIEST, len(share))])
    busiest = top[np.argsort(-share[top], kind="stable")[:BUSIEST]]
    return {
        "by_link": _parts(network, share, network.kinds.link[network.kind], list(machine.fabric.plan.links)),
        "by_tier": _parts(network, share, (bands := tiers(network, end_points(machine))).band, bands.names),
        "busiest": [
            {"arc": name, "utilisation": float(part)}
            for name, part in zip(arc_names(machine, busiest), share[busiest], strict=True)
        ],
    }


def _parts(network: Network, share: Floats, part: Ints, names: list[str]) -> dict[str, dict[str, float]]:
    size = len(names)
    max_share = np.zeros(size)
    np.maximum.at(max_share, part, share)
    cables = bincount(part, network.count.astype(np.float64), size)
    mean = bincount(part, share * network.count, size) / np.maximum(cables, 1.0)
    return {
        names[k]: {"most": float(max_share[k]), "mean": float(mean[k])} for k in np.flatnonzero(cables > 0).tolist()
    }


def lines_by_part(machine: NetworkContext, share: Floats) -> tuple[str, ...]:
    """Return the same for a reader: a line for link types, a line for tiers."""
    detail = by_part(machine, share)
    return tuple(
        f"by {noun}: "
        + "; ".join(f"{name} at most {percent(v['most'])}, mean {percent(v['mean'])}" for name, v in parts)
        for noun, parts in (("link", detail["by_link"].items()), ("tier", detail["by_tier"].items()))
    )


def percent(share: float) -> str:
    return format_share(share)


def fair(call: MeasureCall) -> Certified[Answer]:
    traffic, demand = call.matrix()
    seed = call.integer("hash")
    shares = "ecmp shares" if seed is None else f"one shortest path a flow, hashed with seed {seed}"
    shared, _, _ = flows(call)
    rate, count = sharing.fair_rates(shared), shared.count
    least, mean = float(rate.min()), float((rate * count).sum() / count.sum())
    detail: dict[str, Any] = {"mean": mean, "max": float(rate.max()), "flows": int(count.sum())}
    carrying = carrying_sentence(call.machine, _shared_load(call, shared))
    said = ("max-min fair rate of the slowest flow", shares, traffic.pattern, *carrying)
    last = 0.0
    if traffic.size_bytes:
        last = detail["completion_s"] = sharing.completion(shared, traffic.size_bytes).makespan_s
    answer = call.exact(least, RATE, assumptions=said, detail=detail)
    return Certified(answer, certify_fair(call, demand, shared, rate, traffic.size_bytes or 0.0, last))


def certify_fair(
    call: MeasureCall, demand: Demand, found: sharing.Flows, rate: Floats, size_bytes: float, last_s: float
) -> Certificate:
    """Return what shows max-min fair rates of the flows of a call."""
    network = call.machine.network
    path: tuple[Ints, Ints, Ints] | None = None
    if call.integer("hash") is not None:
        arc, cable = ecmp_hashing.arcs_and_cables(network, found.resource)
        on_arcs = arc >= 0
        start = np.append(0, np.cumsum(on_arcs))[found.start]
        path = start, arc[on_arcs], cable[on_arcs]
    matrix = matrix_of(_ones(demand), network.ends)
    moves = moves_of(call.machine.symmetry) if path is None and "symmetry" in vars(call.machine) else []
    return FairCertificate(arcs_of(network), matrix, rate, found.count, path, size_bytes, last_s, moves)


def _ones(demand: Demand) -> Demand:
    """Return every flow of rate 1."""
    if isinstance(demand, Groups):
        return evolve(demand, rate=1.0)
    return evolve(demand, rate=np.ones(len(demand.rate)))


def _shared_load(call: MeasureCall, found: sharing.Flows) -> Floats:
    """Return what the flows of `flows` carry on each arc where each of them carries 1; zero where nothing is carried,
    [A]."""
    _, demand = call.matrix()
    network = call.machine.network
    if call.integer("hash") is not None:
        arc, _ = ecmp_hashing.arcs_and_cables(network, found.resource)
        return bincount(arc[arc >= 0], found.share[arc >= 0], network.arcs)
    used = bincount(found.resource, found.share, len(found.capacity_Bps))
    if not isinstance(demand, Groups):
        return used[: network.arcs]
    group = invariant_symmetries(call.machine.symmetry, demand)  # resources are orbits of arcs there
    return used[: group.arc_orbits][group.arc_orbit]


def flows(call: MeasureCall) -> tuple[sharing.Flows, Ints, Ints]:
    """Return the flows of a traffic, those that symmetry makes equal as one, with the source and target of each."""
    _, demand = call.matrix()
    network = call.machine.network
    seed = call.integer("hash")
    if seed is None and isinstance(demand, Groups):
        classes = sharing.pair_classes(call.machine.symmetry, [demand])
        return classes.flows, classes.source, classes.target
    one, two = _listed(call, demand)
    if seed is not None:
        return ecmp_hashing.hash_flows(network, one, two, seed), one, two
    return sharing.shared_flows(network, one, two), one, two


def _listed(call: MeasureCall, demand: Demand) -> tuple[Ints, Ints]:
    """Return every flow for itself: its source and its target."""
    if isinstance(demand, Pairs):
        count = len(demand.source)
    else:
        count = int((np.bincount(demand.group[demand.group >= 0]).astype(np.int64) ** 2).sum())
    if count > MOST_PAIRS:
        raise call.refuse(call.node, f"{count:,} flows are more than can be solved one by one")
    if isinstance(demand, Pairs):
        return demand.source, demand.target
    return to_pairs(demand)
