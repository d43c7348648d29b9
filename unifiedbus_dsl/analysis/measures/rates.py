"""Throughput, loads and fair rates of a traffic under a routing."""

from __future__ import annotations

from typing import Any

import numpy as np

from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call
from unifiedbus_dsl.analysis.routes import read_routing
from unifiedbus_dsl.analysis.wording import binding, binding_ends
from unifiedbus_dsl.bind import dotted
from unifiedbus_dsl.network import Floats, Ints, Network
from unifiedbus_dsl.solve import fair as sharing
from unifiedbus_dsl.solve import hashed
from unifiedbus_dsl.solve.demand import Demand, Groups, Pairs, sent
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.units import NUMBER, RATE

MOST_PAIRS = 2_000_000
"""Pairs that are solved one by one where no symmetry makes them equal."""


def throughput(call: Call) -> Answer:
    traffic, demand = call.matrix()
    routing = read_routing(call)
    found = routing.throughput(call.machine, demand)
    row = sent(demand, call.machine.network.ends)
    each = found.rate_mean_Bps / float(found.scale) if float(found.scale) else 0.0
    detail: dict[str, Any] = {"scale": float(found.scale), "senders": int((row > 0).sum())}
    if found.rate_max_Bps - found.rate_min_Bps > 1e-9 * found.rate_max_Bps:
        detail |= {"rate_min": found.rate_min_Bps, "rate_max": found.rate_max_Bps}
    return Answer(
        "",
        "",
        call.name,
        call.arguments,
        found.rate_mean_Bps,
        RATE,
        found.scale.kind,
        found.scale.lower * each,
        found.scale.upper * each,
        binding(call.machine, found.binding) + binding_ends(call.machine, found.binding_ends),
        (f"routing {routing.text}", "rate that an end point injects", f"{traffic.pattern}"),
        detail=detail,
    )


def utilisation(call: Call) -> tuple[Floats, str, str, float]:
    """Of `load(traffic, routing = …, rate = …)`: utilisation of every arc, traffic, routing, and the rate taken."""
    traffic, demand = call.matrix()
    routing = read_routing(call)
    loads = routing.loads(call.machine, demand)
    network = call.machine.network
    row = sent(demand, network.ends)
    rate = call.quantity("rate", RATE) or _injection(network, row)
    return np.asarray(loads.utilisation * (rate / row.max())), traffic.name, routing.text, rate


def _injection(network: Network, row: Floats) -> float:
    """What the end point that sends most can inject: its `injection`, else the sum of its port rates."""
    out = np.bincount(network.tail, weights=network.capacity_Bps, minlength=network.vertices)
    sums = np.bincount(network.end[network.end_order], weights=out[network.end_order], minlength=network.ends)
    able = np.where(np.isfinite(network.injection_Bps), network.injection_Bps, sums)
    return float(able[row == row.max()].min())


def worst(call: Call) -> Answer:
    """Of `worst(load(…))`, which is what `load(…)` itself gives as its value."""
    node = call.one()
    if not isinstance(node, tree.Call) or ".".join(dotted(node.function)) != "load":
        raise call.refuse(node, "`load(…)` is wanted here", "write `worst(load(TRAFFIC))`")
    inner = Call(node, call.machine, call.selector, call.traffics)
    inner.check_named(LOAD_OPTIONS)
    return _load(call, inner)


def load(call: Call) -> Answer:
    return _load(call, call)


LOAD_OPTIONS = ("routing", "rate")


def _load(call: Call, question: Call) -> Answer:
    share, traffic, routing, rate = utilisation(question)
    network = call.machine.network
    top = float(share.max())
    full = np.flatnonzero(share >= top * (1 - 1e-9))
    links = list(call.machine.fabric.plan.links)
    by_link = {
        links[k]: float(share[network.kinds.link[network.kind] == k].max())
        for k in np.unique(network.kinds.link[network.kind]).tolist()
    }
    said = (f"routing {routing}", f"{traffic}", f"each end point injects {rate / 1e9:,.4g} GB/s")
    text = f"{top:.4%}".rstrip("0").rstrip(".%") + "% of the busiest cable"
    return call.exact(
        top, NUMBER, binding=binding(call.machine, full), assumptions=said, detail={"by_link": by_link}, text=text
    )


def fair(call: Call) -> Answer:
    traffic, demand = call.matrix()
    network = call.machine.network
    seed = call.integer("hash")
    shares = "ecmp shares" if seed is None else f"one shortest path a flow, hashed with seed {seed}"
    if seed is not None:
        one, two = _listed(call, demand)
        flows = hashed.hashed_flows(network, one, two, seed)
    elif isinstance(demand, Groups):
        flows = sharing.pair_classes(call.machine.symmetry, [demand]).flows
    else:
        flows = sharing.shared_flows(network, *_listed(call, demand))
    rate, count = sharing.fair_rates(flows), flows.count
    least, mean = float(rate.min()), float((rate * count).sum() / count.sum())
    detail: dict[str, Any] = {"mean": mean, "max": float(rate.max()), "flows": int(count.sum())}
    said = ("max-min fair rate of the slowest flow", shares, traffic.pattern)
    if traffic.size_bytes:
        detail["completion_s"] = traffic.size_bytes / least
    return call.exact(least, RATE, assumptions=said, detail=detail)


def _listed(call: Call, demand: Demand) -> tuple[Ints, Ints]:
    """Every flow for itself: its source and its target."""
    if isinstance(demand, Pairs):
        count = len(demand.source)
    else:
        count = int((np.bincount(demand.group[demand.group >= 0]).astype(np.int64) ** 2).sum())
    if count > MOST_PAIRS:
        raise call.refuse(call.node, f"{count:,} flows are more than can be solved one by one")
    if isinstance(demand, Pairs):
        return demand.source, demand.target
    inside = np.flatnonzero(demand.group >= 0)
    same = demand.group[inside][:, None] == demand.group[inside]
    np.fill_diagonal(same, False)
    one, two = np.nonzero(same)
    return inside[one], inside[two]
