"""One path a flow: at each vertex a hash of (seed, flow, hop) picks a cable among those that lead nearer.

Flows need distances to their targets, of which a large machine has too many to keep. Three things make them few.
Vertices with the same neighbours are one (`alike`). Where every end point hangs on one switch, as in a fat tree,
distances are between those switches. And flows that are in the same class, on their way to the same class, choose from
one list.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import define, field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, concatenate_ranges
from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.flow.max_min_fair import Flows, capacities
from unifiedbus_dsl.solver.paths.twin_quotient import TwinQuotient, arc_at, quotient_hops, twin_quotient, unreachable

TABLE = 1 << 27
"""Most entries of a table of distances: goals are taken in batches."""
GOALS = 1 << 10
"""Most goals of a batch."""
BUNDLE = 1 << 32
"""What is added to a seed for the draw of a cable in a bundle."""
ENTRIES = 1 << 22
"""Most choices that are looked at at once."""


def hash_flows(network: Network, source: ArrayLike, target: ArrayLike, seed: int) -> Flows:
    """Return one flow for each pair, on one of its shortest paths, in one cable of each bundle on it. Flow f takes the
    same path for the same seed, whatever the other flows are.

    The resource of an arc is its first cable; those of further cables stand behind what end points send and receive
    (see `arcs_and_cables`).

    Raises:
        NotAdmittedError: a pair has no path, or is an end point and itself.
    """
    one, two = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
    if (one == two).any():
        raise NotAdmittedError("an end point sends nothing to itself over cables")
    up, down = _only_arcs(network, one), _only_arcs(network, two)
    if up is None or down is None:
        walks = _between_ends(network, one, two, seed)
    else:
        walks = _between_leaves(network, up, down, seed)
    return _flows(network, walks, one, two, seed)


@frozen(eq=False)
class Hop:
    """Arcs that some flows take next, `arc[i]` flow `flow[i]`; no flow twice."""

    flow: Ints
    arc: Ints


def _flows(network: Network, walks: Iterator[Hop], source: Ints, target: Ints, seed: int) -> Flows:
    """Return each flow with its arcs in order, and what it takes of the injection of its two ends."""
    every = np.arange(len(source))
    steps = [*walks, Hop(every, network.arcs + source), Hop(every, network.arcs + network.ends + target)]
    start = np.zeros(len(source) + 1, dtype=np.int64)
    for step in steps:
        start[step.flow + 1] += 1
    np.cumsum(start, out=start)
    resource, at = np.empty(start[-1], dtype=np.int64), start[:-1].copy()
    further = _further_cables(network)
    for step in steps:
        hop = at[step.flow] - start[step.flow]
        resource[at[step.flow]] = _cable_in_bundle(network, further, step, hop, seed) if len(further) else step.arc
        at[step.flow] += 1
    whole = capacities(network)
    whole[: network.arcs] /= network.count
    capacity = np.concatenate([whole, whole[further]])
    return Flows(start, resource, np.ones(len(resource)), capacity, np.ones(len(source)))


def _further_cables(network: Network) -> Ints:
    """Return the arc of each cable that is not the first of its arc, in order."""
    return np.repeat(np.arange(network.arcs), network.count.astype(np.int64) - 1)


def _cable_in_bundle(network: Network, further: Ints, step: Hop, hop: Ints, seed: int) -> Ints:
    """Return the resource of the cable of its arc that each flow draws at its hop; what is no arc stays as it is."""
    resource = step.arc.copy()
    wide = np.flatnonzero(resource < network.arcs)
    wide = wide[network.count[resource[wide]] > 1]
    draw = uniform_hash(seed + BUNDLE, step.flow[wide], hop[wide])
    number = (draw * network.count[resource[wide]]).astype(np.int64)
    behind = wide[number > 0]
    place = np.searchsorted(further, resource[behind]) + number[number > 0] - 1
    resource[behind] = network.arcs + 2 * network.ends + place
    return resource


def arcs_and_cables(network: Network, resource: Ints) -> tuple[Ints, Ints]:
    """Return the arcs of resources of hashed flows, -1 for what is of an end point, and the numbers of their cables."""
    further = _further_cables(network)
    behind = np.flatnonzero(resource >= network.arcs + 2 * network.ends)
    place = resource[behind] - network.arcs - 2 * network.ends
    arc, cable = np.where(resource < network.arcs, resource, -1), np.zeros(len(resource), dtype=np.int64)
    arc[behind] = further[place]
    cable[behind] = place - np.searchsorted(further, further[place]) + 1
    return arc, cable


# ---- end points on one switch each ----------------------------------------------------------------------------------


def _only_arcs(network: Network, ends: Ints) -> Ints | None:
    """Return the only arc out of each end point, None where one has several, or none, or forwards."""
    if not network.simple:
        return None
    vertex = network.end_order[ends]
    degree = network.indptr[vertex + 1] - network.indptr[vertex]
    if (degree != 1).any() or network.forwards[vertex].any():
        return None
    arcs: Ints = network.indptr[vertex]
    return arcs if network.forwards[network.head[arcs]].all() else None


def _between_leaves(network: Network, up: Ints, down: Ints, seed: int) -> Iterator[Hop]:
    """Up the only arc of each source, from switch to switch, down the opposite of the only arc of each target."""
    graph = twin_quotient(network, network.forwards, np.zeros(network.vertices, dtype=bool))
    every, final = np.arange(len(up)), network.head[down].astype(np.int64)
    yield Hop(every, up)
    yield from _batches(graph, seed, network.head[up].astype(np.int64), final, graph.of[final], every)
    yield Hop(every, network.opposite[down].astype(np.int64))


def _batches(graph: TwinQuotient, seed: int, here: Ints, final: Ints, goal: Ints, flow: Ints) -> Iterator[Hop]:
    """Walks to the vertices `final`, of the classes `goal`, as many goals at once as there is room for."""
    goals, which = np.unique(goal, return_inverse=True)
    rank, size = _ranks(graph)
    for some, batch, begin in _by_goal(graph, which.ravel(), len(goals)):
        distance = quotient_hops(graph, goals[batch], np.arange(len(goals[batch])), len(goals[batch]))
        walk = _HashedPathWalker(graph, distance, seed, which.ravel()[some] - begin, final[some], rank, size)
        yield from walk.steps(here[some], flow[some])


def _by_goal(graph: TwinQuotient, which: Ints, goals: int) -> Iterator[tuple[Ints, slice, int]]:
    """Flows by batches of goals: the flows, the goals, and the first goal's number."""
    size = int(np.clip(TABLE // max(graph.classes, 1) // 64 * 64, 64, GOALS))
    order = np.argsort(which, kind="stable")
    cuts = np.searchsorted(which[order], np.arange(0, goals + size, size))
    with task("paths of flows", len(which)) as done:
        for batch, (low, high) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
            yield order[low:high], slice(batch * size, (batch + 1) * size), batch * size
            done(high - low)


def _ranks(graph: TwinQuotient) -> tuple[Ints, Ints]:
    """Return the place of each vertex in its class, [V], and the size of each class, [C]."""
    order = np.argsort(graph.of, kind="stable")
    order = order[np.searchsorted(graph.of[order], 0) :]
    size = np.bincount(graph.of[order], minlength=graph.classes)
    rank = np.zeros(len(graph.of), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    return rank, size


# ---- any end points -------------------------------------------------------------------------------------------------


def _between_ends(network: Network, source: Ints, target: Ints, seed: int) -> Iterator[Hop]:
    """Yield the first cable out of any vertex of the source, then on until a vertex of the target is reached."""
    ends = network.end >= 0
    graph = twin_quotient(network, np.ones(network.vertices, dtype=bool), ends)
    goals, which = np.unique(target, return_inverse=True)
    for some, batch, begin in _by_goal(graph, which.ravel(), len(goals)):
        mine = goals[batch]
        low, high = network.end_start[mine], network.end_start[mine + 1]
        seeds = graph.of[network.end_order[concatenate_ranges(low, high)]]
        distance = quotient_hops(graph, seeds, np.repeat(np.arange(len(mine)), high - low), len(mine))
        goal = which.ravel()[some] - begin
        first = _first(graph, distance, source[some], goal, uniform_hash(seed, some, -1))
        yield Hop(some, first)
        walk = _HashedPathWalker(graph, distance, seed, goal, None, np.zeros(0, np.int64), np.zeros(0, np.int64))
        yield from walk.steps(network.head[first].astype(np.int64), some)


def _first(graph: TwinQuotient, far: NDArray[np.unsignedinteger[Any]], source: Ints, goal: Ints, draw: Floats) -> Ints:
    """Return the first arc of each flow: one of those out of its source from whose head least hops are left."""
    network = graph.network
    low, high = network.end_start[source], network.end_start[source + 1]
    vertex = network.end_order[concatenate_ranges(low, high)]
    degree = network.indptr[vertex + 1] - network.indptr[vertex]
    owner = np.repeat(np.repeat(np.arange(len(source)), high - low), degree)
    arcs = arcs_of_rows(network, vertex)
    left = far[graph.of[network.head[arcs]], goal[owner]]
    left = np.where(network.forwards[network.head[arcs]] | (left == 0), left, unreachable(far))
    min_distance = np.full(len(source), unreachable(far), dtype=left.dtype)
    np.minimum.at(min_distance, owner, left)
    _must_arrive(min_distance)
    some = np.flatnonzero(left == min_distance[owner])
    chosen, _ = _drawn(owner[some], network.count[arcs[some]].astype(np.int64), np.ones(len(source), np.int64), draw)
    return np.asarray(arcs[some[chosen]])


# ---- walks ----------------------------------------------------------------------------------------------------------


@define(eq=False)
class _HashedPathWalker:
    """Walks along falling hops, `far` [C, goals], of flows to `goal` [n] of the batch.

    `final` [n] are the vertices to arrive at, where goals are classes of several; a walk ends at any vertex of its goal
    where it is None. `rank` [V] and `size` [C] are those of `_ranks`.
    """

    graph: TwinQuotient
    far: NDArray[np.unsignedinteger[Any]]
    seed: int
    goal: Ints
    final: Ints | None
    rank: Ints
    size: Ints
    at: Ints = field(init=False)

    def steps(self, here: Ints, flow: Ints) -> Iterator[Hop]:
        self.at = here.copy()
        alive, hop = np.arange(len(here)), 0
        while True:
            alive = self._ordered(alive[self._left(alive)])
            if not len(alive):
                return
            taken = self._pick(alive, uniform_hash(self.seed, flow[alive], hop))
            yield Hop(flow[alive], taken)
            self.at[alive] = self.graph.network.head[taken]
            hop += 1

    def _left(self, flow: Ints) -> NDArray[np.bool_]:
        """Return which of these flows are still on their way."""
        left = self.far[self.graph.of[self.at[flow]], self.goal[flow]]
        _must_arrive(left)
        return left > 0 if self.final is None else self.at[flow] != self.final[flow]

    def _ordered(self, flow: Ints) -> Ints:
        """In order of (class, goal)."""
        key = self.graph.of[self.at[flow]] * self.far.shape[1] + self.goal[flow]
        return flow[np.argsort(key)]

    def _pick(self, flow: Ints, draw: Floats) -> Ints:
        """Return the arc that the draw of each flow falls on, among those that lead nearer, by cables. Flows in one
        class on their way to one goal choose from the same list; `flow` is in order of (class, goal)."""
        graph = self.graph
        row, goal = graph.of[self.at[flow]], self.goal[flow]
        first = np.flatnonzero(np.append(True, (row[1:] != row[:-1]) | (goal[1:] != goal[:-1])))
        choices = np.cumsum(graph.start[row[first] + 1] - graph.start[row[first]])
        cuts = np.searchsorted(choices, np.arange(ENTRIES, choices[-1] + 1, ENTRIES), side="right")
        cuts = np.unique(np.append(cuts, [0, len(first)]))
        bounds = np.append(first, len(flow))
        taken = np.empty(len(flow), dtype=np.int64)
        for low, high in pairwise(cuts.tolist()):
            some, groups = slice(bounds[low], bounds[high]), first[low:high]
            sizes = np.diff(bounds[low : high + 1])
            bundle, cable = self._choose(row[groups], goal[groups], sizes, draw[some])
            taken[some] = arc_at(graph, self.at[flow[some]], bundle, self._towards(flow[some], bundle, cable))
        return taken

    def _choose(self, row: Ints, goal: Ints, sizes: Ints, draw: Floats) -> tuple[Ints, Ints]:
        """Return a bundle that leads nearer, and the number of a cable in it, for each draw. Draws are in groups of
        these sizes; a group is in class `row` on its way to `goal`."""
        graph = self.graph
        low, high = graph.start[row], graph.start[row + 1]
        bundle, owner = concatenate_ranges(low, high), np.repeat(np.arange(len(row)), high - low)
        away = self.far[row, goal].astype(np.int64)
        away[away == 0] = 2  # at one like the goal, but not at it: by any neighbour
        left = self.far[graph.to[bundle], goal[owner]].astype(np.int64)
        ahead = np.flatnonzero((left + 1 == away[owner]) & (graph.passes[graph.to[bundle]] | (left == 0)))
        chosen, cable = _drawn(owner[ahead], graph.weight[bundle[ahead]], sizes, draw)
        return bundle[ahead[chosen]], cable

    def _towards(self, flow: Ints, bundle: Ints, cable: Ints) -> Ints:
        """Return the number of the cable, among those to `final` where a bundle leads to its class."""
        if self.final is None:
            return cable
        final, to = self.final[flow], self.graph.to[bundle]
        each = self.graph.weight[bundle] // self.size[to]
        return np.where(to == self.graph.of[final], self.rank[final] * each + cable % each, cable)


def _must_arrive(left: NDArray[np.unsignedinteger[Any]]) -> None:
    if (left == unreachable(left)).any():
        raise NotAdmittedError("a flow has no path to its target")


def _drawn(owner: Ints, cables: Ints, sizes: Ints, draw: Floats) -> tuple[Ints, Ints]:
    """For each draw in [0, 1) the entry of its group that it falls on, by cables, and the number of the cable in it.
    `owner` [entries] is the group of each entry and `sizes` [groups] are the draws of each, both in order; every group
    has an entry."""
    total = np.cumsum(cables)
    last = np.cumsum(np.bincount(owner, minlength=len(sizes))) - 1
    before = np.append(0, total[last[:-1]])
    number = np.repeat(before, sizes) + (draw * np.repeat(total[last] - before, sizes)).astype(np.int64)
    entry = np.searchsorted(total, number, side="right")
    return np.asarray(entry), number - (total[entry] - cables[entry])


def uniform_hash(seed: int, flow: Ints, hop: int | Ints) -> Floats:
    """Return a number in [0, 1) for each flow at a hop: splitmix64 of seed, flow and hop, the upper 53 bits."""
    x = flow.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x += (np.atleast_1d(hop) + 1).astype(np.uint64) * np.uint64(0x8CB92BA72F3D8DD7)
    x += np.uint64(seed * 0xD1B54A32D192ED03 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    x ^= x >> np.uint64(31)
    return np.asarray((x >> np.uint64(11)).astype(np.float64) / 2.0**53)
