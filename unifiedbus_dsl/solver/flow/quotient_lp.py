"""Multi-commodity flow as a linear program on classes of arcs, exact by symmetry, checked on the whole network.

For a source s, P_s is the coarsest equitable partition of the vertices finer than (orbit, s itself, demand of s); an
arc class K is (class of tail, class of head, orbit of the arc). With g_s(K) the total flow on K of the commodities of
all images of s:

    maximise sum of objective_i · theta_i
    each s, class C other than s:   inflow of g_s - outflow of g_s = copies(s) · sum of theta_i · demand_i(s, C)
    each orbit E of arcs:           sum of g_s(K), s and K within E  <=  |E| · capacity(E)
    each orbit of gates:            the same of all K out of its vertices, and of all K into them (see `rooms`)

The optimum is that of the full LP: averaging a full solution over the group and adding it up over classes gives
one of these; spreading g_s(K) evenly over K and copying it to the images of s gives a full one. The result holds both
certificates: flows whose balance and loads are added up again on every vertex and arc, and a length for each arc, whose
shortest paths, swept on the whole network, bound every solution:

    sum of objective_i · theta_i <= sum(length · capacity) · max_i objective_i / sum over pairs of demand_i · distance
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ids, Ints, bincount
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, chunks_of_rows
from unifiedbus_dsl.graph.symmetry import Symmetry, refine_once, relabel
from unifiedbus_dsl.solver.bounds import hold_order
from unifiedbus_dsl.solver.flow.augmenting_paths import augmenting_path_flow
from unifiedbus_dsl.solver.flow.shared_resources import SharedResources, shared_resources_of
from unifiedbus_dsl.solver.linear_program import solve_linear_program
from unifiedbus_dsl.solver.paths.bfs import bellman_ford

SMALL = 20_000
"""Columns up to which the dual simplex solves the linear program; beyond, the interior point method."""
MANY = 1_000
"""Classes of arcs of one commodity from which on paths are looked for before a linear program is solved."""
COLUMN_S = 5e-6
"""Seconds for a column below which a budget is too small to begin: the interior point method looks at the clock between
its rounds only, and none is that quick."""
DEEP = 64
"""Rounds of distances after which a network counts as deep."""
NOTHING = 1e-12
"""Part of the largest room of an orbit up to which what is sent is rounding."""


@frozen(eq=False)
class Commodity:
    """What vertex `source` sends: `demand[i]` ([V], truth values for 0 and 1) for each unit of parameter i. There are
    `copies` images of it."""

    source: int
    copies: int
    demand: tuple[Floats | Bools, ...]


@frozen(eq=False)
class Optimum:
    """Best value of the objective with its two proved sides, parameters, load of each arc at the lower side and a
    length for each arc that proves the upper one, both [arc orbits]: they are the same for all arcs of an orbit. The
    lengths add up from the `price` [R] of each room. `columns` and `rows` are the size of the LP. `potentials`
    are the distances under these lengths: source, its copies, the class of each vertex [V] and the distance of each
    class; empty where they are to be found anew."""

    lower: float
    upper: float
    parameters: Floats
    load_Bps: Floats  # noqa: N815
    length: Floats
    price: Floats
    columns: int
    rows: int
    potentials: tuple[tuple[int, int, Ids, Floats], ...] = ()
    flows: tuple[tuple[int, Ids, Ints, Floats], ...] = ()
    """What each source sends at the lower side: its vertex, the class of each vertex [V], and what an arc of each class
    carries, by the key of the class (see `_QuotientCommodity`). Empty where sources are not told apart."""


class TooLargeError(ValueError):
    """The linear program has more columns, or takes more time, than was allowed."""


@frozen(eq=False)
class _QuotientCommodity:
    """One commodity on its classes: the class of each vertex, and for each class of usable arcs its tail, head, orbit
    and size. Class k has key `(tail · classes + head) · orbits + orbit`; keys ascend. `hops` [V] where only paths of
    fewest hops are usable."""

    commodity: Commodity
    part: Ids
    classes: int
    key: Ints
    tail: Ints
    head: Ints
    orbit: Ints
    size: Ints
    hops: Floats | None


def solve_concurrent_flow(
    symmetry: Symmetry,
    commodities: list[Commodity],
    objective: Floats,
    *,
    minimal: bool = False,
    most: int = 400_000,
    budget: float | None = None,
    above: bool = True,
    quick: bool = False,
) -> Optimum:
    """Solve and check. Each end point must be a single vertex (`simple`).

    With `minimal` only paths of fewest hops are used. Without `above` only the flow is checked; `upper` is infinite.

    Raises:
        TooLargeError: more than `most` columns, or the linear program takes more than `budget` seconds; with `quick`
            also where it has more than `SMALL` columns.
        VerificationError: the two sides contradict each other.
    """
    blocks: list[_QuotientCommodity] = []
    columns, deadline_s = 0, None if budget is None else monotonic() + budget
    for commodity in commodities:
        blocks.append(_block(symmetry, commodity, minimal))
        columns += len(blocks[-1].size)
        if columns > most:
            raise TooLargeError(f"more than {most} columns")
        if deadline_s is not None and monotonic() > deadline_s:
            raise TooLargeError(f"not made in {budget} s")
    rooms = shared_resources_of(symmetry)
    capacity = rooms.whole_Bps
    left = None if deadline_s is None else max(0.0, deadline_s - monotonic())
    thin = _thin(blocks, rooms)
    if quick and thin is None and columns > SMALL:
        raise TooLargeError(f"more than {SMALL} columns")
    flows, theta, prices, rows = thin or _solve(blocks, objective, rooms, left)
    theta = np.maximum(theta, 0.0)
    most_sent = max(float(theta @ [d.sum() for d in block.commodity.demand]) for block in blocks)
    if most_sent <= NOTHING * capacity[np.isfinite(capacity)].max():  # some are not joined: what flows goes in circles
        theta, flows, most_sent = np.zeros_like(theta), [np.zeros_like(flow) for flow in flows], 0.0
    noise = 1e-7 * most_sent
    price = np.maximum(prices, 0.0) / capacity if above else np.zeros(len(capacity))
    length = rooms.lengths(price)
    total = np.zeros(symmetry.arc_orbits)
    worth = np.zeros(len(objective))
    theta[theta * _reach(blocks, len(theta)) <= NOTHING * capacity[np.isfinite(capacity)].max()] = 0.0
    potentials, used = [], []
    for block, flow in zip(blocks, flows, strict=True):
        if not above and not any(t > 0 and d.any() for t, d in zip(theta, block.commodity.demand, strict=True)):
            continue  # what sends nothing needs no flow
        used.append((block, np.maximum(flow, 0.0)))
        distance = _class_distances(block, length)
        potentials.append((block.commodity.source, block.commodity.copies, block.part, distance))
        total += _checked(symmetry, block, np.maximum(flow, 0.0), theta, distance, length, noise)
        for i, demand in enumerate(block.commodity.demand):
            there = demand > 0
            worth[i] += block.commodity.copies * float((demand[there] * distance[block.part[there]]).sum())
    scale = 1.0 / max(1.0, float((rooms.totals(total) / capacity).max()))
    bounded = np.isfinite(capacity)
    ratios = np.divide(objective, worth, out=np.full(len(worth), np.inf), where=worth > 0)
    lower = float(objective @ theta) * scale
    upper = float((price[bounded] * capacity[bounded]).sum() * ratios[objective > 0].max()) if above else np.inf
    hold_order(lower, upper)
    return Optimum(
        lower,
        upper,
        theta * scale,
        total * scale / symmetry.arc_orbit_size,
        length,
        price,
        columns,
        rows,
        tuple(potentials) if above else (),
        tuple(
            (block.commodity.source, block.part, block.key, flow * (scale / block.commodity.copies) / block.size)
            for block, flow in used
        ),
    )


def _block(symmetry: Symmetry, commodity: Commodity, minimal: bool) -> _QuotientCommodity:
    """Return classes of vertices, and of the arcs that a path from the source may take: out of it or of a vertex that
    forwards, not back into it, with `minimal` only those that lead one hop further away.

    All vertices of a class have the same arcs by (class of head, orbit), so one row of each tells the rest; whether an
    arc is usable is the same for its whole class, as the source and the vertices that forward have classes of their own
    (with `minimal` the hops have, too).
    """
    network, source = symmetry.network, commodity.source
    colour = symmetry.vertex_orbit.astype(np.int64)
    columns = [np.arange(network.vertices) == source, *commodity.demand]
    hop = np.isfinite(network.kinds.capacity_Bps).astype(np.float64)  # a cable is a hop, a free arc is none
    if minimal:
        columns.append(network.on_turned(bellman_ford(network, np.array([source]), hop, np.zeros(network.vertices))))
    for column in columns:
        if (column == column[0]).all():
            continue
        values = relabel(column)
        colour = relabel(colour * (int(values.max()) + 1) + values).astype(np.int64)
    part = refine_once(network, colour, symmetry.arc_orbit)
    classes, first = int(part.max()) + 1, _first_of(part)
    members = np.bincount(part, minlength=classes)
    forwards = network.forwards[first] | (first == source)
    arcs = arcs_of_rows(network, first[forwards])
    tails = np.repeat(first[forwards], network.indptr[first[forwards] + 1] - network.indptr[first[forwards]])
    usable = network.head[arcs] != source
    if minimal:
        far = columns[-1]
        usable &= np.isfinite(far[tails]) & (far[network.head[arcs]] == far[tails] + hop[network.kind[arcs]])
    arcs, tails = arcs[usable], tails[usable]
    key, count = np.unique(_keys(symmetry, part, classes, tails, arcs), return_counts=True)
    pair, orbit = np.divmod(key, symmetry.arc_orbits)
    tail, head = np.divmod(pair, classes)
    return _QuotientCommodity(
        commodity, part, classes, key, tail, head, orbit, count * members[tail], columns[-1] if minimal else None
    )


def _first_of(part: Ids) -> Ints:
    first = np.empty(int(part.max()) + 1, dtype=np.int64)
    first[part[::-1]] = np.arange(len(part))[::-1]
    return first


def _keys(symmetry: Symmetry, part: Ids, classes: int, tails: NDArray[Any], arcs: NDArray[Any] | slice) -> Ints:
    """(class of tail · classes + class of head) · orbits + orbit of each arc."""
    key: Ints = part[tails].astype(np.int64)
    key *= classes
    key += part[symmetry.network.head[arcs]]
    key *= symmetry.arc_orbits
    key += symmetry.arc_orbit[arcs]
    return key


def _solve(
    blocks: list[_QuotientCommodity], objective: Floats, rooms: SharedResources, budget: float | None
) -> tuple[list[Floats], Floats, Floats, int]:
    """Total flows of each block's classes, parameters and prices of all that there is of each room."""
    import scipy.sparse as sp

    capacity = rooms.whole_Bps
    unit = float(capacity[np.isfinite(capacity)].max())
    parameters = len(objective)
    scale = unit / _reach(blocks, parameters)  # a parameter of one scaled unit sends the largest room once
    balances, demands, loads = [], [], []
    for block in blocks:
        classes = block.classes
        k = np.arange(len(block.size))
        sign = np.concatenate([np.ones(len(k)), -np.ones(len(k))])
        rows = np.concatenate([block.head, block.tail])
        balance = sp.csr_matrix((sign, (rows, np.concatenate([k, k]))), shape=(classes, len(k)))
        wanted = np.stack([bincount(block.part, d, classes) for d in block.commodity.demand], axis=1)
        others = np.arange(classes) != block.part[block.commodity.source]
        balances.append(balance[others])
        demands.append(-wanted[others] * block.commodity.copies * scale / unit)
        room_of, place = rooms.taken(block.orbit)
        loads.append(sp.csr_matrix((unit / capacity[room_of], (room_of, place)), shape=(len(capacity), len(k))))
    equal = sp.hstack([sp.block_diag(balances), sp.csr_matrix(np.concatenate(demands))]).tocsr()
    below = sp.hstack([*loads, sp.csr_matrix((len(capacity), parameters))]).tocsr()
    bounded = np.isfinite(capacity)
    columns = equal.shape[1]
    if budget is not None and budget < columns * COLUMN_S:
        raise TooLargeError(f"{columns:,} columns are not solved in {budget:.3g} s")
    weight = objective * scale
    cost = np.zeros(columns)
    cost[-parameters:] = -weight / weight.max()
    linear_program = solve_linear_program(
        cost,
        A_ub=below[bounded],
        b_ub=np.ones(int(bounded.sum())),
        A_eq=equal,
        b_eq=np.zeros(equal.shape[0]),
        method="highs-ds" if columns <= SMALL else "highs-ipm",
        # HiGHS does not look at the clock while it presolves, and takes a limit that is past by then for none
        options={} if budget is None else {"time_limit": budget, "presolve": False},
    )
    if linear_program.status == 1:
        raise TooLargeError(f"not solved in {budget} s")
    if linear_program.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {linear_program.message}")
    ends = np.cumsum([len(block.size) for block in blocks])
    flows = [linear_program.x[end - len(block.size) : end] * unit for end, block in zip(ends, blocks, strict=True)]
    prices = np.zeros(len(capacity))
    prices[bounded] = -linear_program.ineqlin.marginals
    return flows, linear_program.x[-parameters:] * scale, prices, equal.shape[0] + int(bounded.sum())


def _thin(blocks: list[_QuotientCommodity], rooms: SharedResources) -> tuple[list[Floats], Floats, Floats, int] | None:
    """Return the same of one commodity on many classes whose rooms are its own, by paths; None where these do not do
    it."""
    block = blocks[0]
    alone = len(blocks) == 1 and len(block.commodity.demand) == 1 and len(rooms.size) == rooms.arcs
    if not alone or len(block.size) < MANY or len(np.unique(block.orbit)) < len(block.orbit):
        return None
    commodity, capacity = block.commodity, rooms.whole_Bps
    demand = bincount(block.part, commodity.demand[0].astype(np.float64), block.classes) * commodity.copies
    paths = augmenting_path_flow(
        block.classes, int(block.part[commodity.source]), block.tail, block.head, capacity[block.orbit], demand
    )
    if paths is None:
        return None
    flow, rate, cut = paths
    prices = np.zeros(len(capacity))
    prices[block.orbit[cut]] = capacity[block.orbit[cut]]
    return [flow], np.array([rate]), prices, 0


def _reach(blocks: list[_QuotientCommodity], parameters: int) -> Floats:
    """Return what all copies send together for a unit of each parameter."""
    reach = np.zeros(parameters)
    for block in blocks:
        reach += [block.commodity.copies * float(d.sum()) for d in block.commodity.demand]
    return reach


def _class_distances(block: _QuotientCommodity, length: Floats) -> Floats:
    """Return least sum of lengths from the source's class to each class, over the classes of usable arcs; [classes]."""
    distance = np.full(block.classes, np.inf)
    source = block.part[block.commodity.source]
    distance[source] = 0.0
    for _ in range(DEEP):
        before = distance.copy()
        np.minimum.at(distance, block.head, distance[block.tail] + length[block.orbit])
        if (distance == before).all():
            return distance
    return _by_dijkstra(block, length[block.orbit], int(source))


def _by_dijkstra(block: _QuotientCommodity, cost: Floats, source: int) -> Floats:
    """Return the same for paths of many arcs."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    order = np.lexsort((cost, block.head, block.tail))
    pair = block.tail[order] * block.classes + block.head[order]
    order = order[np.append(True, pair[1:] != pair[:-1])]  # the shortest of each pair: SciPy would add them up
    start = np.searchsorted(block.tail[order], np.arange(block.classes + 1)).astype(np.int32)
    # entries of 0 are arcs where they are stored
    graph = csr_matrix((cost[order], block.head[order].astype(np.int32), start), shape=(block.classes, block.classes))
    return np.asarray(dijkstra(graph, indices=source))


def _checked(
    symmetry: Symmetry,
    block: _QuotientCommodity,
    flow: Floats,
    theta: Floats,
    far: Floats,
    length: Floats,
    noise: float,
) -> Floats:
    """Load on each orbit of arcs, all copies together, after both certificates were checked on every arc:

    each vertex but the source gains what it is sent; the potential `far` rises by no more than the length along any
    arc that a path may take, so it is at most the distance. [orbits]

    Raises:
        ArithmeticError: a flow does not balance to within `noise`, byte/s, or a potential is too high.
    """
    network, commodity = symmetry.network, block.commodity
    each = np.append(flow / (block.size * commodity.copies), 0.0)  # at last what no class of the block has
    wanted = sum((t * d for t, d in zip(theta, commodity.demand, strict=True)), np.zeros(network.vertices))
    gain = np.zeros(network.vertices)
    gain[commodity.source] = wanted.sum()
    number = _numbers(block, network.arcs, symmetry.arc_orbits)
    met = np.zeros((len(each), 2), dtype=np.int64)  # arcs of each class that are shut and open
    steep = False
    for begin, end in chunks_of_rows(network):
        tails = np.repeat(np.arange(begin, end), network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        k = number(_keys(symmetry, block.part, block.classes, tails, arcs))
        open_ = _open(network, block, tails, arcs)
        met += np.bincount(2 * k + open_, minlength=met.size).reshape(met.shape)
        carried = each[k]
        some = np.flatnonzero(carried)
        gain += bincount(network.head[arcs][some], carried[some], network.vertices)
        gain[begin:end] -= bincount(tails[some] - begin, carried[some], end - begin)
        other = np.flatnonzero(open_ & (k == len(block.key)))
        low, high = far[block.part[tails[other]]], far[block.part[network.head[arcs][other]]]
        steep |= _steep(low, high, length[symmetry.arc_orbit[arcs][other]])
    here = met[:-1, 1] > 0  # ends and orbit are the same for all arcs of a class, so one says what all say
    steep |= _steep(far[block.tail[here]], far[block.head[here]], length[block.orbit[here]])
    if steep or (each[met[:, 0] > 0] > 0).any():
        raise ArithmeticError("prices do not bound the distances, or a flow leaves its paths")
    if np.abs(gain - wanted).max() > noise:
        raise ArithmeticError("the flow found does not balance")
    total = bincount(block.orbit, each[:-1] * met[:-1].sum(axis=1), symmetry.arc_orbits)
    return total * commodity.copies


def _numbers(block: _QuotientCommodity, arcs: int, orbits: int) -> Callable[[Ints], Ints]:
    """Return a function from keys of arcs to the numbers of their classes in a block, of others one more than there
    are; by a table unless it were longer than all arcs."""
    none, many = len(block.key), block.classes**2 * orbits
    if many <= arcs:
        table = np.full(many, none, dtype=np.int64)
        table[block.key] = np.arange(none)
        return table.__getitem__

    def searched(key: Ints) -> Ints:
        place = np.minimum(np.searchsorted(block.key, key), none - 1)
        return np.where(block.key[place] == key, place, none)

    return searched


def _steep(low: Floats, high: Floats, length: Floats) -> bool:
    """Return whether a potential rises by more than the length anywhere."""
    with np.errstate(invalid="ignore"):  # from nowhere to nowhere
        return bool((high - low > length + 1e-12 * high).any())


def _open(network: Network, block: _QuotientCommodity, tails: Ints, arcs: slice) -> Bools:
    """Return which arcs a path from the source may take, by the definition."""
    source, heads = block.commodity.source, network.head[arcs]
    open_: Bools = (network.forwards[tails] | (tails == source)) & (heads != source)
    if block.hops is not None:
        hop = np.isfinite(network.kinds.capacity_Bps)[network.kind[arcs]]
        open_ &= np.isfinite(block.hops[tails]) & (block.hops[heads] == block.hops[tails] + hop)
    return open_
