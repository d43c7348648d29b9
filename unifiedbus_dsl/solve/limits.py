"""What no routing can beat: the largest throughput over all paths and splits, and the bisection, with certificates."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import (
    ArcKinds,
    Bools,
    Floats,
    Ints,
    Network,
    build,
    frozen_array,
    row_arcs,
    row_chunks,
    tally,
)
from unifiedbus_dsl.solve.classes import Commodity, Optimum, TooLargeError, least_costs, optimum
from unifiedbus_dsl.solve.demand import Demand, all_to_all, kept, outward, received, sent
from unifiedbus_dsl.solve.ecmp import ecmp
from unifiedbus_dsl.solve.result import NotAdmittedError, Number, interval
from unifiedbus_dsl.solve.throughput import BINDS_WITHIN, Throughput
from unifiedbus_dsl.symmetry import Axis, Symmetry, axes, find, refine, trivial

MEETS_WITHIN = 1e-7
"""Relative distance between the proved sides below which a number is called exact."""

TRIED_ARCS = 200_000_000
"""How many arcs the cuts that a bisection tries may have together (six are tried in any case)."""

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


# ---- bisection ------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Bisection:
    """Least capacity one way, byte/s, of a cut that halves the members. `side` [E] is the half of the cut that gives
    the upper end (False for those that are no members); `vertex_side` [V] the side of each vertex there. `shares` are
    the rates whose flows prove the lower end: between end points, then to and from each orbit of forwarding vertices.
    """

    capacity: Number
    side: Bools
    vertex_side: Bools
    shares: Floats


def bisection(symmetry: Symmetry, members: ArrayLike | None = None, *, most: int = 400_000) -> Bisection:
    """Both proved ends of the bisection.

    From below: alpha from each member to each other and, for each orbit O of other forwarding vertices, beta_O from
    each member to each vertex of O and back, all at once. A cut that halves the n members carries, one way, at least
    alpha · floor(n/2) · ceil(n/2) + sum of beta_O · floor(n/2) · |O|, on whichever side each vertex of O is. From
    above: halves along the axes of the arrays, with every other vertex on its better side (a minimum cut).
    """
    network = symmetry.network
    chosen = np.ones(network.ends, dtype=bool)
    if members is not None:
        chosen[:] = False
        chosen[np.asarray(members, dtype=np.int64)] = True
    n = int(chosen.sum())
    if n < 2:
        raise NotAdmittedError("a bisection needs two end points")
    group = flow_symmetry(symmetry).restricted(colour=chosen)
    try:
        below, shares = 0.0, np.zeros(0)
        if np.isfinite(network.capacity_Bps).any():
            found = _bisection_from_below(group, chosen, most)
            below, shares = found.lower, found.parameters
    except TooLargeError:
        use = ecmp(symmetry, all_to_all(network, np.flatnonzero(chosen))).utilisation
        scale = 1.0 / float(use.max())
        below, shares = scale * (n // 2) * (n - n // 2), np.array([scale])
    best, side, vertex_side = np.inf, chosen, np.zeros(network.vertices, dtype=bool)
    tries = max(6, TRIED_ARCS // max(1, network.arcs))
    for half in islice(halves(symmetry, chosen), tries):
        value, sides = halving_cut(network, half, chosen & ~half)
        if value < best:
            best, side, vertex_side = value, half, sides
        if best <= below * (1 + MEETS_WITHIN):
            break
    reason = "from below flows between all end points and to switches, from above a cut"
    return Bisection(interval(min(below, best), best, reason, MEETS_WITHIN), side, vertex_side, shares)


def _bisection_from_below(symmetry: Symmetry, chosen: Bools, most: int) -> Optimum:
    network = symmetry.network
    member = on_vertices(network, chosen.astype(np.float64)) > 0
    other = network.forwards & ~member
    orbit_of = symmetry.vertex_orbit
    inner = np.unique(orbit_of[other])
    n = int(chosen.sum())
    objective = np.array(
        [float((n // 2) * (n - n // 2)), *[float((n // 2) * (other & (orbit_of == o)).sum()) for o in inner]]
    )
    nothing = np.zeros(network.vertices)
    commodities = []
    for orbit in np.unique(orbit_of[member]):
        these = np.flatnonzero(member & (orbit_of == orbit))
        peers = member.astype(np.float64)
        peers[these[0]] = 0.0
        demand = (peers, *[(other & (orbit_of == o)).astype(np.float64) for o in inner])
        commodities.append(Commodity(int(these[0]), len(these), demand))
    for place, orbit in enumerate(inner):
        these = np.flatnonzero(other & (orbit_of == orbit))
        wanted = [nothing] * len(objective)
        wanted[place + 1] = member.astype(np.float64)
        commodities.append(Commodity(int(these[0]), len(these), tuple(wanted)))
    return optimum(symmetry, commodities, objective, most=most)


def halves(symmetry: Symmetry, chosen: Bools) -> Iterator[Bools]:
    """Halves of the members to try: in order of number, and along each axis of the arrays the first part of its
    elements in every instance, filled up or cut short in order of number to floor(n / 2)."""
    network = symmetry.network
    seen: set[bytes] = set()
    members = np.flatnonzero(chosen)
    keys = [np.arange(network.ends)]
    device = network.end_device
    for axis in axes(symmetry.arrays):
        place = _place(axis, device)
        keys.append(place)
        keys.append(place % 2 * axis.length + place)
    for key in keys:
        order = members[np.lexsort((members, key[members]))]
        half = np.zeros(network.ends, dtype=bool)
        half[order[: len(members) // 2]] = True
        if half.tobytes() not in seen:
            seen.add(half.tobytes())
            yield half


def _place(axis: Axis, device: Ints) -> Ints:
    """Index along an axis of each device, the length of the axis for devices outside the array. [devices]"""
    rest = device - axis.base
    inside = rest >= 0
    for count, stride in axis.loops:
        inside &= rest < count * stride
        rest = rest % stride
    place = rest // axis.block
    return np.where(inside & (place >= 0) & (place < axis.length), place, axis.length)


def halving_cut(network: Network, half: Bools, rest: Bools) -> tuple[float, Bools]:
    """Least capacity from the end points `half` to the end points `rest` ([E] each) over the sides of all other
    vertices, byte/s, and the side of each vertex there.

    Vertices of one colour of the coarsest equitable partition that parts the halves are on one side in some minimum
    cut, so the cut is sought on classes (capacities rounded to 2^-30 of the largest) and then measured on every arc.
    """
    colour = np.zeros(network.vertices, dtype=np.int64)
    real = network.end_order
    colour[real] = np.where(half[network.end[real]], 1, np.where(rest[network.end[real]], 2, 0))
    part = refine(network, colour * 2 + network.forwards, network.label)
    passes = network.forwards | (colour > 0)
    side = _class_cut(network, part, colour, passes)
    total = 0.0
    for begin, end in row_chunks(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        tails = np.repeat(np.arange(begin, end), network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        heads = network.head[arcs]
        crossing = side[tails] & ~side[heads] & passes[tails] & passes[heads]
        total += float((network.kinds.capacity_Bps[network.kind[arcs]] * network.count[arcs])[crossing].sum())
    return total, side


def _class_cut(network: Network, part: NDArray[np.int32], colour: Ints, passes: Bools) -> Bools:
    """Side of each vertex in a minimum cut between colour 1 and colour 2 where the vertices of a part stay together.

    The arcs of one vertex of each part tell those of the others.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    classes = int(part.max()) + 1
    held = np.zeros(classes, dtype=np.int64)
    held[part] = colour
    joined = np.where(held == 1, classes, np.where(held == 2, classes + 1, np.arange(classes)))
    first = np.zeros(classes, dtype=np.int64)
    first[part] = np.arange(len(part))
    members = np.bincount(part, minlength=classes)
    arcs = row_arcs(network, first)
    of = np.repeat(np.arange(classes), network.indptr[first + 1] - network.indptr[first])
    tail, head = joined[of], joined[part[network.head[arcs]]]
    apart = (tail != head) & passes[first[of]] & passes[network.head[arcs]]
    rate = network.kinds.capacity_Bps[network.kind[arcs]] * network.count[arcs] * members[of]
    pair, place = np.unique(tail[apart] * (classes + 2) + head[apart], return_inverse=True)
    capacity = tally(place, rate[apart], len(pair))
    unit = capacity.max(initial=1.0) / 2**30
    whole = np.round(capacity / unit).astype(np.int32)
    graph = csr_matrix((whole, np.divmod(pair, classes + 2)), shape=(classes + 2, classes + 2), dtype=np.int32)
    found = maximum_flow(graph, classes, classes + 1)
    residual = graph - found.flow
    residual.eliminate_zeros()
    near = breadth_first_order(residual, classes, return_predecessors=False)
    inside = np.zeros(classes + 2, dtype=bool)
    inside[near] = True
    return np.asarray(inside[joined[part]])
