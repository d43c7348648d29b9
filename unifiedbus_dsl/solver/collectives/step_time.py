"""How long a set of flows takes that start together: a step of a collective, solved once for all its sizes.

    duration(b) = b · (time until the last flow of one byte for each unit of its rate is through) + latency

Rates are max-min fair on `ecmp` shares and fair again after each finish; as all sizes scale alike, the finish times do.
The latency is the zero-load one of the slowest path that a flow takes. Flows that are images of each other under the
symmetries that keep the whole set are solved once.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount, concatenate_ranges, frozen_array, unique_rows
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import ArcKinds, Network, arcs_of_rows
from unifiedbus_dsl.graph.symmetry import Automorphism, Symmetry, merge_labels, relabel
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError, check_deadline
from unifiedbus_dsl.solver.demand import (
    Demand,
    Groups,
    PairImages,
    Pairs,
    column_sums,
    demand_column,
    invariant_symmetries,
    marginal_classes,
    row_sums,
)
from unifiedbus_dsl.solver.flow.max_min_fair import (
    FULL_WITHIN,
    Flows,
    OrbitFlows,
    choose_classes,
    completion,
    fair_rates,
    pair_classes,
)
from unifiedbus_dsl.solver.paths.bfs import Distances, by_cable, distances, injection_split
from unifiedbus_dsl.solver.routing.ecmp import target_representatives


def relax_latencies(network: Network, kinds: ArcKinds) -> tuple[Network, float]:
    """Return the network with every cable taking as long as the slowest of `kinds` that has its rate, and the least
    part of that which such a cable can take. Cables of one rate stay alike, so symmetries for rates are symmetries of
    it."""
    rate, place = np.unique(kinds.rate_Bps, return_inverse=True)
    slow, fast = np.zeros(len(rate)), np.full(len(rate), np.inf)
    np.maximum.at(slow, place.ravel(), kinds.latency_s)
    np.minimum.at(fast, place.ravel(), kinds.latency_s)
    latency = slow[np.searchsorted(rate, network.kinds.rate_Bps)]
    timed = evolve(network, kinds=evolve(network.kinds, latency_s=frozen_array(latency)))
    taken = slow > 0
    return timed, float((fast[taken] / slow[taken]).min(initial=1.0))


@frozen(eq=False)
class StepTiming:
    """`per_byte_s`: seconds for each byte that a flow of rate 1 carries. `latency_s`: of the slowest path taken.
    `binding` lists the full arcs that the flows which finish last cross, `binding_ends` the end points whose injection
    is full there. `classes` flows stood for `flows`. `links` are those whose cables carry any."""

    per_byte_s: float
    latency_s: float
    binding: Ints
    binding_ends: Ints
    classes: int
    flows: int
    links: Ints


def step_timing(
    symmetry: Symmetry, demand: Demand, timed: Symmetry | None = None, deadline_s: float = np.inf
) -> StepTiming:
    """Solve a step. `timed` is the symmetry of the same network with its lengths; default: `symmetry` has them.

    Raises:
        NoPathError: a flow crosses what is not joined.
        TooLateError: it is not solved by `deadline_s`.
    """
    check_deadline(deadline_s)
    if isinstance(demand, Groups):
        classes = pair_classes(symmetry, [demand], deadline_s)
        group = invariant_symmetries(symmetry, demand)
        return _timing(
            group, classes.flows, np.full(classes.flows.flows, demand.rate),
            _group_latency(timed or group, demand, deadline_s), deadline_s,
        )  # fmt: skip
    ends = symmetry.network.ends
    colour = marginal_classes(row_sums(demand, ends), column_sums(demand, ends))  # a root stays where it is
    group = invariant_symmetries(symmetry, demand, colour if colour.any() else None)
    return _pair_timing(group, demand, group.network if timed is None else timed.network, deadline_s)


def _timing(group: Symmetry, flows: Flows, size: Floats, latency_s: float, deadline_s: float) -> StepTiming:
    done = completion(flows, size, deadline_s)
    last = np.flatnonzero(done.finish_s >= done.makespan_s * (1 - FULL_WITHIN))
    slowest = choose_classes(flows, last)
    rate = fair_rates(slowest)
    owner = np.repeat(np.arange(len(last)), np.diff(slowest.start))
    used = bincount(slowest.resource, slowest.share * rate[owner], len(flows.capacity_Bps))
    full = (used > 0) & (used >= flows.capacity_Bps * (1 - FULL_WITHIN))
    orbits, ends = group.arc_orbits, len(group.end_orbit_size)
    carrying = bincount(flows.resource, flows.share, len(flows.capacity_Bps))[:orbits] > 0
    kinds = np.flatnonzero(np.bincount(group.network.kind[carrying[group.arc_orbit]]))
    injects = full[orbits : orbits + ends] | full[orbits + ends :]
    return StepTiming(
        done.makespan_s,
        latency_s,
        np.flatnonzero(full[:orbits][group.arc_orbit]),
        np.flatnonzero(injects[group.end_orbit]),
        flows.flows,
        round(float(flows.count.sum())),
        unique_rows(group.network.kinds.link[kinds]),
    )


# ---- listed pairs ---------------------------------------------------------------------------------------------------


def pair_orbits(group: Symmetry, demand: Pairs) -> NDArray[np.int32]:
    """Orbit of each pair under symmetries that keep the demand, [pairs], dense. Pairs must differ."""
    images = PairImages(group.network, demand)
    orbit = np.arange(len(demand.source), dtype=np.int32)
    for generator in group.generators:
        orbit = merge_labels(orbit, *(orbit[some] for some in _moved(images, generator)))
    return relabel(orbit)


def _moved(images: PairImages, generator: Automorphism) -> tuple[Ints, Ints]:
    """Return the pairs that a symmetry which keeps them all moves, and those they go to."""
    image = images.moved(generator)
    assert image is not None, "the demand is kept"
    return image


def _pair_timing(group: Symmetry, demand: Pairs, timed: Network, deadline_s: float) -> StepTiming:
    network = group.network
    key = demand.source * network.ends + demand.target
    if len(np.unique(key)) < len(key):
        raise NotAdmittedError("a pair of end points stands twice in one step")
    orbit = pair_orbits(group, demand)
    _, first, count = np.unique(orbit, return_index=True, return_counts=True)
    balls = _BidirectionalSearch(network, np.full((2, network.vertices), -1, dtype=np.int32))
    paths = []
    for i in track(first.tolist(), "route flows of a step"):
        check_deadline(deadline_s)
        paths.append(balls.paths(int(demand.source[i]), int(demand.target[i])))
    table = None if timed is network else _carried(group, demand, orbit, first, paths)
    slowest = 0.0
    for k, path in enumerate(paths):
        rows = path.vertices[None, :] if table is None else table[orbit == k, : len(path.vertices)]
        piece = max(1, PIECE // max(1, len(path.tail)))
        for begin in range(0, len(rows), piece):
            slowest = max(slowest, float(_slowest(timed, path, rows[begin : begin + piece]).max()))
    return _timing(group, _orbit_flows(group, demand, first, count, paths), demand.rate[first], slowest, deadline_s)


PIECE = 1 << 22
"""Numbers that are worked on at once where many images of a path are timed: bounds the memory."""


@frozen(eq=False)
class _Paths:
    """All shortest paths of a pair: arcs with the share that each carries, the vertices on them with their hops to the
    target, tails and heads of the arcs as places among these."""

    arcs: Ints
    share: Floats
    vertices: Ints
    hops: Ints
    tail: Ints
    head: Ints


@frozen(eq=False)
class _BidirectionalSearch:
    """Searches from both ends of a pair at once, each touching what is near only: `near` [2, V] are the hops from
    either end, -1 where not yet reached, and between searches everywhere. That from the target goes backwards: it sees
    the vertices that the other way passes."""

    network: Network
    near: NDArray[np.int32]

    def paths(self, source: int, target: int) -> _Paths:
        """Return all shortest paths of a pair.

        Raises:
            NoPathError: there is none.
        """
        network = self.network
        levels: list[list[Ints]] = [[network.vertices_of(e).astype(np.int64)] for e in (source, target)]
        try:
            for near, reached in zip(self.near, levels, strict=True):
                near[reached[0]] = 0
            while not len(middle := self._met(levels)):
                if not self._grown(levels, int(len(levels[1][-1]) < len(levels[0][-1]))):
                    raise NoPathError(f"no path from end point {source} to end point {target}")
            return self._along(levels, middle)
        finally:
            for near, reached in zip(self.near, levels, strict=True):
                near[np.concatenate(reached)] = -1

    def _met(self, levels: list[list[Ints]]) -> Ints:
        """Return vertices half way: reached from both ends, and passed through."""
        last = levels[0][-1]
        inner = len(levels[0]) > 1 and len(levels[1]) > 1
        met = self.near[1][self.network.turn(last)] >= 0
        if inner:
            met &= self.network.forwards[last]
        return np.asarray(last[met])

    def _grown(self, levels: list[list[Ints]], side: int) -> bool:
        """Reach one hop further from one end; whether there was anything."""
        near, network = self.near[side], self.network
        last = levels[side][-1]
        if len(levels[side]) > 1:
            last = last[network.forwards[last]]
        heads = network.head[arcs_of_rows(network, last)]
        fresh = np.unique(heads[near[heads] < 0]).astype(np.int64)
        near[fresh] = len(levels[side])
        levels[side].append(fresh)
        return bool(len(fresh))

    def _along(self, levels: list[list[Ints]], middle: Ints) -> _Paths:
        network = self.network
        hops = [len(side) - 1 for side in levels]
        parts, far = [middle], [np.full(len(middle), hops[1])]
        for side in (0, 1):
            here = middle if side else network.turn(middle)
            for level in range(hops[side] - 1, -1, -1):
                heads = network.head[arcs_of_rows(network, here)]
                good = (self.near[side][network.turn(heads)] == level) & (network.forwards[heads] | (level == 0))
                here = np.unique(heads[good]).astype(np.int64)
                parts.append(here if side else network.turn(here).astype(np.int64))
                far.append(np.full(len(here), level if side else sum(hops) - level))
        order = np.argsort(np.concatenate(parts))
        vertices, left = np.concatenate(parts)[order], np.concatenate(far)[order]
        arcs = arcs_of_rows(network, vertices)
        tail = np.repeat(np.arange(len(vertices)), network.indptr[vertices + 1] - network.indptr[vertices])
        head = np.minimum(np.searchsorted(vertices, network.head[arcs]), len(vertices) - 1)
        leads = (vertices[head] == network.head[arcs]) & (left[head] == left[tail] - 1)
        arcs, tail, head = arcs[leads], tail[leads], head[leads]
        return _Paths(
            arcs, _shares(network.count[arcs].astype(np.float64), tail, head, left), vertices, left, tail, head
        )


def _shares(weight: Floats, tail: Ints, head: Ints, hops: Ints) -> Floats:
    """Return what each arc carries of one unit that starts at the vertices of most hops: at each vertex, and at the
    start over all of them, an equal part for each cable that leads nearer."""
    nearer = bincount(tail, weight, len(hops))
    start = hops == hops.max()
    carried = np.where(start, nearer / nearer[start].sum(), 0.0)
    share = np.zeros(len(weight))
    for level in range(int(hops.max()), 0, -1):
        here = np.flatnonzero(hops[tail] == level)
        share[here] = carried[tail[here]] * weight[here] / nearer[tail[here]]
        carried += bincount(head[here], share[here], len(hops))
    return share


def _orbit_flows(group: Symmetry, demand: Pairs, first: Ints, count: Ints, paths: list[_Paths]) -> Flows:
    """Return a flow for each orbit of pairs."""
    made = OrbitFlows(group)
    for i, n, path in zip(first.tolist(), count.tolist(), paths, strict=True):
        used, place = np.unique(group.arc_orbit[path.arcs], return_inverse=True)
        load = n * bincount(place, path.share, len(used))
        made.add(used, load, int(demand.source[i]), int(demand.target[i]), float(n))
    return made.flows()


# ---- latency --------------------------------------------------------------------------------------------------------


def _carried(group: Symmetry, demand: Pairs, orbit: NDArray[np.int32], first: Ints, paths: list[_Paths]) -> Ints:
    """Return vertices on the paths of every pair, in the places that those of the first pair of its orbit have, [pairs,
    most]: the images of that pair's, carried along the generators."""
    network = group.network
    table = np.full((len(orbit), max(len(path.vertices) for path in paths)), -1, dtype=np.int64)
    for i, path in zip(first.tolist(), paths, strict=True):
        table[i, : len(path.vertices)] = path.vertices
    done = np.zeros(len(orbit), dtype=bool)
    done[first] = True
    moves, images = [], PairImages(network, demand)
    for generator in group.generators:
        full = np.arange(network.vertices + 1)
        full[generator.moved] = generator.image
        full[-1] = -1
        goes = np.arange(len(orbit))
        some, there = _moved(images, generator)
        goes[some] = there
        moves.append((full, goes))
    while not done.all():
        for full, image in moves:
            here = np.flatnonzero(done & ~done[image])
            while len(here):
                there = image[here]
                table[there] = full[table[here]]
                done[there] = True
                here = there[~done[image[there]]]
    return table


def _slowest(network: Network, path: _Paths, rows: Ints) -> Floats:
    """Zero-load latency of the slowest path, s, for each row of vertices ([rows, vertices]) that the paths lie on."""
    step = _cable_latency(network, rows[:, path.tail], rows[:, path.head])
    passing = np.where(path.hops > 0, network.latency_s[rows], 0.0)
    time = np.zeros(rows.shape)
    level = path.hops[path.tail]
    for hop in range(1, int(level.max(initial=0)) + 1):
        here = np.flatnonzero(level == hop)
        here = here[np.argsort(path.tail[here], kind="stable")]
        tail, begin = np.unique(path.tail[here], return_index=True)
        along = step[:, here] + passing[:, path.head[here]] + time[:, path.head[here]]
        time[:, tail] = np.maximum.reduceat(along, begin, axis=1)
    starts = path.hops == path.hops.max()
    return np.asarray(time[:, starts].max(axis=1))


def _cable_latency(network: Network, tail: Ints, head: Ints) -> Floats:
    """Latency of the slowest cable between each tail and head, any shape, s."""
    key = network.tail.astype(np.int64) * network.vertices + network.head
    wanted = (tail * network.vertices + head).ravel()
    first, last = np.searchsorted(key, wanted), np.searchsorted(key, wanted, side="right")
    latency = network.kinds.latency_s[network.kind[concatenate_ranges(first, last)]]
    begin = np.concatenate([[0], np.cumsum(last - first)[:-1]])
    return np.asarray(np.maximum.reduceat(latency, begin).reshape(tail.shape))


def _group_latency(timed: Symmetry, demand: Groups, deadline_s: float) -> float:
    """Return largest latency over all pairs of a group and all shortest paths, s: one target of each orbit."""
    group = invariant_symmetries(timed, demand)
    network, weights = group.network, by_cable(group.network)
    worst = 0.0
    for target, _ in target_representatives(group, demand):
        check_deadline(deadline_s)
        search = distances(weights, network.vertices_of(target))
        time = _slowest_to(network, search)
        senders = np.flatnonzero(demand_column(demand, target, network.ends) > 0)
        given = injection_split(network, search, network.selected(senders).astype(np.float64))
        worst = max(worst, float(time[given > 0].max()))
    return worst


def _slowest_to(network: Network, found: Distances) -> Floats:
    """Latency of the slowest shortest path from each vertex to the target, [V] s; 0 where there is none."""
    hops = found.hops
    time = np.zeros(network.vertices)
    for hop in range(1, int(hops.max(initial=0)) + 1):
        here = np.flatnonzero(hops == hop)
        arcs = arcs_of_rows(network, here)
        head = network.head[arcs]
        leads = (hops[head] == hop - 1) & (network.forwards[head] | (hop == 1))
        passing = network.latency_s[head] if hop > 1 else 0.0
        along = np.where(leads, network.kinds.latency_s[network.kind[arcs]] + passing + time[head], 0.0)
        degree = network.indptr[here + 1] - network.indptr[here]
        time[here] = np.maximum.reduceat(along, np.cumsum(degree) - degree)
    return frozen_array(time)
