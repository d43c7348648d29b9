"""What no routing can beat: the largest throughput over all paths and splits, with certificates."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.network import (
    ArcKinds,
    Bools,
    Floats,
    Network,
    build,
    frozen_array,
)
from unifiedbus_dsl.solve.classes import Commodity, Optimum, TooLargeError, least_costs, optimum
from unifiedbus_dsl.solve.demand import Demand, kept, outward, received, sent
from unifiedbus_dsl.solve.ecmp import ecmp
from unifiedbus_dsl.solve.result import NotAdmittedError, interval
from unifiedbus_dsl.solve.throughput import BINDS_WITHIN, Throughput
from unifiedbus_dsl.symmetry import Symmetry, find, trivial

MEETS_WITHIN = 1e-7
"""Relative distance between the proved sides below which a number is called exact."""

# ---- one vertex an end point ----------------------------------------------------------------------------------------


def single(network: Network) -> Network:
    """The same network with one vertex for each end point, so that flows begin and end at a vertex.

    An end point of several vertices gets a hub, which does not forward: its vertex of ports in no `transit` line, or a
    new one; free arcs (of infinite capacity) join the hub and each of its other vertices. Arcs that are cables keep
    their order.
    """
    if network.simple:
        return network
    many = np.diff(network.end_start) > 1
    of_vertex = (network.end >= 0) & many[network.end]
    has_lone = np.zeros(network.ends, dtype=bool)
    has_lone[network.end[of_vertex & ~network.forwards]] = True
    last = network.end_order[network.end_start[1:] - 1]
    added = np.zeros(network.vertices, dtype=np.int64)
    added[last[many & ~has_lone]] = 1
    new = np.arange(network.vertices) + np.concatenate([[0], np.cumsum(added)[:-1]])
    n = network.vertices + int(added.sum())
    hub = np.full(network.ends, -1)
    hub[network.end[of_vertex & ~network.forwards]] = new[of_vertex & ~network.forwards]
    hub[many & ~has_lone] = new[last[many & ~has_lone]] + 1

    end = np.full(n, -1)
    end[new] = np.where(of_vertex & network.forwards, -1, network.end)
    end[hub[many]] = np.flatnonzero(many)
    forwards = np.zeros(n, dtype=bool)
    forwards[new] = network.forwards
    group = np.zeros(n, dtype=np.int64)
    group[new] = network.group.astype(np.int64) * 2
    created = many & ~has_lone
    group[hub[created]] = network.group[last[created]].astype(np.int64) * 2 + 1
    latency = np.zeros(n)
    latency[new] = network.latency_s
    dies = np.flatnonzero(of_vertex & network.forwards)
    keep = network.tail < network.head
    times = network.count[keep]
    kinds = network.kinds
    return build(
        device_start=np.append(new, n)[network.device_start],
        end=end,
        forwards=forwards,
        latency_s=latency,
        group=group,
        injection_Bps=network.injection_Bps,
        a=np.concatenate([np.repeat(new[network.tail[keep]], times), hub[network.end[dies]]]),
        b=np.concatenate([np.repeat(new[network.head[keep]], times), new[dies]]),
        kind=np.concatenate([np.repeat(network.kind[keep], times), np.full(len(dies), len(kinds.link))]),
        kinds=ArcKinds(
            np.append(kinds.capacity_Bps, np.inf),
            np.append(kinds.rate_Bps, np.inf),
            np.append(kinds.latency_s, 0.0),
            np.append(kinds.link, -1),
        ),
    )


def flow_symmetry(symmetry: Symmetry) -> Symmetry:
    """The symmetry on `single(network)`, searched anew where that differs; with a colour, by how elements look."""
    network = single(symmetry.network)
    if network is symmetry.network:
        return symmetry
    if not symmetry.generators:
        return trivial(network)
    colour = None if symmetry.colour is None else np.zeros(network.vertices)
    return find(network, symmetry.arrays, colour)


# ---- throughput -----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Limit:
    """The largest throughput, its certificate and the prices: `price[a]` per byte/s of arc a, [A], adding up with the
    capacities to the scale where no injection binds."""

    throughput: Throughput
    optimum: Optimum
    price: Floats


def optimal(symmetry: Symmetry, demand: Demand, *, minimal: bool = False, most: int = 400_000) -> Limit:
    """Largest t such that t times the demand fits, over all paths (`minimal`: over paths of fewest hops).

    What end points may inject does not depend on the routing, so it is one more bound on t. A programme of more than
    `most` columns is not solved: the number is then an interval from `bounded`.
    """
    network = symmetry.network
    row, column = sent(demand, network.ends), received(demand, network.ends)
    if not (row > 0).any():
        raise NotAdmittedError("nothing is sent")
    shortest = ecmp(symmetry, demand)  # refuses what has no path
    group = kept(flow_symmetry(symmetry), demand)
    commodities = _commodities(group, demand, row)
    try:
        found = optimum(group, commodities, np.ones(1), minimal=minimal, most=most)
        reason = "flows and prices on every arc, from a programme on classes"
    except TooLargeError:
        found = bounded(group, commodities, shortest.load_Bps, minimal)
        reason = "too little symmetry for the programme: from below ecmp, from above distances under trial prices"
    most_sent = np.maximum(row, column)
    room = np.divide(network.injection_Bps, most_sent, out=np.full(network.ends, np.inf), where=most_sent > 0)
    inject = float(room.min())
    lower, upper = min(found.lower, inject), min(found.upper, inject)
    cable = np.isfinite(group.network.capacity_Bps)
    load = found.load_Bps[cable] * (lower / found.lower)
    price = found.length[cable]
    full = load >= network.capacity_Bps * (1 - MEETS_WITHIN)
    result = Throughput(
        network,
        "minimal" if minimal else "optimal",
        interval(lower, upper, reason, MEETS_WITHIN),
        frozen_array(lower * row),
        frozen_array(load),
        np.flatnonzero(full & (price > 0)),
        np.flatnonzero(room <= lower * (1 + BINDS_WITHIN)),
    )
    return Limit(result, found, price)


def bounded(symmetry: Symmetry, commodities: list[Commodity], load: Floats, minimal: bool) -> Optimum:
    """Both sides without a programme. `load` are those of a routing on shortest paths, on the cables in order.

    From below that routing, scaled until its fullest cable is full. From above, with any lengths: volume over demand
    times distance; tried are lengths of 1 for each cable, and others that grow with the load of a cable.
    """
    network = symmetry.network
    cable = np.isfinite(network.capacity_Bps)
    whole = np.zeros(network.arcs)
    whole[cable] = load
    use = np.divide(whole, network.capacity_Bps, out=np.zeros(network.arcs), where=cable)
    lower = 1.0 / float(use.max())
    upper, best = np.inf, np.zeros(network.arcs)
    for power in (0, 2, 8):
        length = np.where(cable, (use * lower) ** power / (np.where(cable, network.capacity_Bps, 1.0)), 0.0)
        length = length if power else cable.astype(np.float64)
        bound = length_bound(network, commodities, length, minimal)
        if bound < upper:
            upper, best = bound, length
    return Optimum(lower, max(upper, lower), np.array([lower]), whole * lower, best, 0, 0)


def length_bound(network: Network, commodities: list[Commodity], length: Floats, minimal: bool) -> float:
    """t <= sum(length · capacity) / sum of demand · distance, by shortest paths on the whole network."""
    cable = np.isfinite(network.capacity_Bps)
    far_sum = 0.0
    for commodity in commodities:
        usable = open_arcs(network, commodity.source, minimal)
        far = least_costs(network, commodity.source, length, usable)
        demand = commodity.demand[0]
        far_sum += commodity.copies * float((demand[demand > 0] * far[demand > 0]).sum())
    volume = float((length[cable] * network.capacity_Bps[cable]).sum())
    return volume / far_sum if far_sum > 0 else np.inf


def open_arcs(network: Network, source: int, minimal: bool) -> Bools | None:
    """Arcs that lead one hop further from the source, [A]; None (all) where any path will do."""
    if not minimal:
        return None
    hop = np.isfinite(network.capacity_Bps).astype(np.float64)
    far = least_costs(network, source, hop)
    return np.asarray(np.isfinite(far[network.tail]) & (far[network.head] == far[network.tail] + hop))


def _commodities(symmetry: Symmetry, demand: Demand, row: Floats) -> list[Commodity]:
    network = symmetry.network
    first, size = symmetry.representatives(np.flatnonzero(row > 0))
    return [
        Commodity(
            int(network.vertices_of(s)[0]),
            copies,
            (on_vertices(network, outward(demand, s, network.ends)),),
        )
        for s, copies in zip(first.tolist(), size.tolist(), strict=True)
    ]


def on_vertices(network: Network, values: Floats) -> Floats:
    """Values of end points ([E]) on their vertices ([V]), zero elsewhere."""
    spread = np.zeros(network.vertices)
    spread[network.end_order] = values[network.end[network.end_order]]
    return spread
