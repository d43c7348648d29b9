"""The bisection as an interval with both certificates: flows that any halving cut must carry, and a cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Bools, Floats, Ints, Network, row_arcs, row_chunks, tally
from unifiedbus_dsl.solve.classes import Commodity, Optimum, TooLargeError, optimum
from unifiedbus_dsl.solve.demand import all_to_all
from unifiedbus_dsl.solve.ecmp import ecmp
from unifiedbus_dsl.solve.limits import MEETS_WITHIN, flow_symmetry, on_vertices
from unifiedbus_dsl.solve.result import NotAdmittedError, Number, interval
from unifiedbus_dsl.symmetry import Axis, Symmetry, axes, refine

TRIED_ARCS = 200_000_000
"""How many arcs the cuts that a bisection tries may have together (six are tried in any case)."""


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
