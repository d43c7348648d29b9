"""Multi-commodity flow as a linear programme on classes of arcs, exact by symmetry, checked on the whole network.

For a source s, P_s is the coarsest equitable partition of the vertices finer than (orbit, s itself, demand of s); an
arc class K is (class of tail, class of head, orbit of the arc). With g_s(K) the total flow on K of the commodities of
all images of s:

    maximise sum of objective_i · theta_i
    each s, class C other than s:   inflow of g_s - outflow of g_s = copies(s) · sum of theta_i · demand_i(s, C)
    each orbit E of arcs:           sum of g_s(K), s and K within E  <=  |E| · capacity(E)

The optimum is that of the full programme: averaging a full solution over the group and adding it up over classes gives
one of these; spreading g_s(K) evenly over K and copying it to the images of s gives a full one. The result holds both
certificates: flows whose balance and loads are added up again on every vertex and arc, and a length for each arc, whose
shortest paths, swept on the whole network, bound every solution:

    sum of objective_i · theta_i <= sum(length · capacity) · max_i objective_i / sum over pairs of demand_i · distance
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.network import Bools, Floats, Ids, Ints, Network, row_arcs, tally
from unifiedbus_dsl.symmetry import Symmetry, dense, refine

SMALL = 20_000
"""Columns up to which the dual simplex solves the programme; beyond, the interior point method."""


@frozen(eq=False)
class Commodity:
    """What vertex `source` sends: `demand[i]` ([V]) for each unit of parameter i. There are `copies` images of it."""

    source: int
    copies: int
    demand: tuple[Floats, ...]


@frozen(eq=False)
class Optimum:
    """Best value of the objective with its two proved sides, parameters, load of each arc at the lower side and a
    length for each arc that proves the upper one. `columns` and `rows` are the size of the programme."""

    lower: float
    upper: float
    parameters: Floats
    load_Bps: Floats  # noqa: N815
    length: Floats
    columns: int
    rows: int


class TooLargeError(ValueError):
    """The programme has more columns than were allowed."""


@frozen(eq=False)
class _Block:
    """One commodity on its classes: the class of each usable arc (-1: not usable), of each vertex, and their tables."""

    commodity: Commodity
    vertex_class: Ids
    arc_class: Ids
    tail: Ints
    head: Ints
    orbit: Ints
    size: Ints


def optimum(
    symmetry: Symmetry, commodities: list[Commodity], objective: Floats, *, minimal: bool = False, most: int = 400_000
) -> Optimum:
    """Solve and check. Each end point must be a single vertex (`simple`).

    With `minimal` only paths of fewest hops are used.

    Raises:
        TooLargeError: more than `most` columns.
    """
    network = symmetry.network
    blocks: list[_Block] = []
    columns = 0
    for commodity in commodities:
        blocks.append(_block(symmetry, commodity, minimal))
        columns += len(blocks[-1].size)
        if columns > most:
            raise TooLargeError(f"more than {most} columns")
    room = np.zeros(symmetry.arc_orbits)
    room[symmetry.arc_orbit] = network.capacity_Bps
    room *= symmetry.arc_orbit_size
    flows, theta, prices, rows = _solve(blocks, objective, room)
    load, scale = _checked_flows(symmetry, blocks, flows, theta)
    lower = float(objective @ theta) * scale
    length = (np.maximum(prices, 0.0) / room)[symmetry.arc_orbit]
    upper = _length_bound(network, commodities, objective, length, minimal)
    return Optimum(lower, upper, theta * scale, load * scale, length, columns, rows)


def usable_arcs(network: Network, source: int, minimal: bool) -> Bools:
    """Arcs that a path from `source` may take: out of it or of a vertex that forwards, not back into it; with `minimal`
    only those that lead one hop further away. [A]"""
    usable: Bools = (network.forwards[network.tail] | (network.tail == source)) & (network.head != source)
    if minimal:
        hop = hop_costs(network)
        far = least_costs(network, source, hop)
        usable &= np.isfinite(far[network.tail]) & (far[network.head] == far[network.tail] + hop)
    return usable


def hop_costs(network: Network) -> Floats:
    """1 for each arc that is a cable, 0 for those that are free (of infinite capacity), [A]."""
    return np.isfinite(network.capacity_Bps).astype(np.float64)


def least_costs(network: Network, source: int, cost: Floats, usable: Bools | None = None) -> Floats:
    """Least sum of arc costs from `source` to each vertex, passing only through vertices that forward, [V].

    Label-correcting: all arcs out of what changed at once, as many rounds as the longest least path has arcs.
    """
    far = np.full(network.vertices, np.inf)
    far[source] = 0.0
    changed = np.array([source])
    while len(changed):
        arcs = row_arcs(network, changed)
        offer = np.repeat(far[changed], network.indptr[changed + 1] - network.indptr[changed]) + cost[arcs]
        if usable is not None:
            offer[~usable[arcs]] = np.inf
        before = far.copy()
        np.minimum.at(far, network.head[arcs], offer)
        changed = np.flatnonzero((far < before) & network.forwards)
    return far


def _block(symmetry: Symmetry, commodity: Commodity, minimal: bool) -> _Block:
    network = symmetry.network
    colour = symmetry.vertex_orbit.astype(np.int64)
    alone = np.arange(network.vertices) == commodity.source
    for column in (alone, *commodity.demand):
        values = dense(column)
        colour = dense(colour * (int(values.max()) + 1) + values).astype(np.int64)
    usable = usable_arcs(network, commodity.source, minimal)
    part = refine(network, colour, symmetry.arc_orbit.astype(np.int64) * 2 + usable)
    classes = int(part.max()) + 1
    key = (part[network.tail].astype(np.int64) * classes + part[network.head]) * symmetry.arc_orbits
    key += symmetry.arc_orbit
    key[~usable] = -1
    present, number = _numbered(key)
    pair, orbit = np.divmod(present, symmetry.arc_orbits)
    tail, head = np.divmod(pair, classes)
    size = np.bincount(number[usable], minlength=len(present))
    return _Block(commodity, part, number, tail, head, orbit, size)


def _numbered(key: Ints) -> tuple[Ints, Ids]:
    """Distinct keys of at least 0 and the number of each key among them (-1 stays)."""
    top = int(key.max(initial=-1)) + 1
    if top <= max(1 << 22, 4 * len(key)):
        seen = np.zeros(top + 1, dtype=bool)
        seen[key] = True
        seen[top] = False
        number = (np.cumsum(seen) - 1).astype(np.int32)
        number[top] = -1
        return np.flatnonzero(seen), number[key]
    present, inverse = np.unique(key, return_inverse=True)
    number = inverse.astype(np.int32)
    if len(present) and present[0] < 0:
        return present[1:], number - 1
    return present, number


def _solve(blocks: list[_Block], objective: Floats, room: Floats) -> tuple[list[Floats], Floats, Floats, int]:
    """Total flows of each block's classes, parameters and prices of `room` (|E| · capacity, infinite where free)."""
    import scipy.sparse as sp
    from scipy.optimize import linprog

    unit = float(room[np.isfinite(room)].max())
    parameters = len(objective)
    reach = np.zeros(parameters)
    for block in blocks:
        reach += [block.commodity.copies * d.sum() for d in block.commodity.demand]
    scale = unit / reach  # a parameter of one scaled unit sends the largest room once
    balances, demands, loads = [], [], []
    for block in blocks:
        classes = int(block.vertex_class.max()) + 1
        k = np.arange(len(block.size))
        sign = np.concatenate([np.ones(len(k)), -np.ones(len(k))])
        rows = np.concatenate([block.head, block.tail])
        balance = sp.csr_matrix((sign, (rows, np.concatenate([k, k]))), shape=(classes, len(k)))
        wanted = np.stack([tally(block.vertex_class, d, classes) for d in block.commodity.demand], axis=1)
        others = np.arange(classes) != block.vertex_class[block.commodity.source]
        balances.append(balance[others])
        demands.append(-wanted[others] * block.commodity.copies * scale / unit)
        loads.append(sp.csr_matrix((unit / room[block.orbit], (block.orbit, k)), shape=(len(room), len(k))))
    equal = sp.hstack([sp.block_diag(balances), sp.csr_matrix(np.concatenate(demands))]).tocsr()
    below = sp.hstack([*loads, sp.csr_matrix((len(room), parameters))]).tocsr()
    bounded = np.isfinite(room)
    columns = equal.shape[1]
    weight = objective * scale
    cost = np.zeros(columns)
    cost[-parameters:] = -weight / weight.max()
    found = linprog(
        cost,
        A_ub=below[bounded],
        b_ub=np.ones(int(bounded.sum())),
        A_eq=equal,
        b_eq=np.zeros(equal.shape[0]),
        method="highs-ds" if columns <= SMALL else "highs-ipm",
    )
    if found.status != 0:
        raise ArithmeticError(f"the linear programme was not solved: {found.message}")
    ends = np.cumsum([len(block.size) for block in blocks])
    flows = [found.x[end - len(block.size) : end] * unit for end, block in zip(ends, blocks, strict=True)]
    prices = np.zeros(len(room))
    prices[bounded] = -found.ineqlin.marginals
    return flows, found.x[-parameters:] * scale, prices, equal.shape[0] + int(bounded.sum())


def _checked_flows(
    symmetry: Symmetry, blocks: list[_Block], flows: list[Floats], theta: Floats
) -> tuple[Floats, float]:
    """Load of each arc, and the factor (at most 1) by which all must shrink to fit.

    The balance of every vertex is added up from the flow of every arc.

    Raises:
        ArithmeticError: a flow does not balance to 1e-7 of what its source sends.
    """
    network = symmetry.network
    total = np.zeros(symmetry.arc_orbits)
    for block, flow in zip(blocks, flows, strict=True):
        commodity = block.commodity
        used = np.flatnonzero(block.arc_class >= 0)
        each = (np.maximum(flow, 0.0) / (block.size * commodity.copies))[block.arc_class[used]]
        wanted = sum((t * d for t, d in zip(theta, commodity.demand, strict=True)), np.zeros(network.vertices))
        gain = tally(network.head[used], each, network.vertices) - tally(network.tail[used], each, network.vertices)
        gain[commodity.source] += wanted.sum()
        if np.abs(gain - wanted).max() > 1e-7 * max(wanted.sum(), 1e-300):
            raise ArithmeticError("the flow found does not balance")
        total += tally(symmetry.arc_orbit[used], each * commodity.copies, symmetry.arc_orbits)
    load = (total / symmetry.arc_orbit_size)[symmetry.arc_orbit]
    most = float((load / network.capacity_Bps).max(initial=0.0))
    return load, 1.0 / max(1.0, most)


def _length_bound(
    network: Network, commodities: list[Commodity], objective: Floats, length: Floats, minimal: bool
) -> float:
    """Upper bound that lengths of arcs prove, by shortest paths on the whole network."""
    volume = float((length * np.where(np.isfinite(network.capacity_Bps), network.capacity_Bps, 0.0)).sum())
    worth = np.zeros(len(objective))
    for commodity in commodities:
        usable = usable_arcs(network, commodity.source, True) if minimal else None
        far = least_costs(network, commodity.source, length, usable)
        for i, demand in enumerate(commodity.demand):
            there = demand > 0
            worth[i] += commodity.copies * float((demand[there] * far[there]).sum())
    ratios: NDArray[Any] = np.divide(objective, worth, out=np.full(len(worth), np.inf), where=worth > 0)
    return volume * float(ratios[objective > 0].max(initial=0.0))
