"""One path a flow: at each vertex a hash of (seed, flow, hop) picks a cable among those that lead nearer.

Flows need distances to their targets. Where each end point hangs on one vertex only, as in a fat tree, distances are
wanted between those vertices only: 64 breadth-first searches run at once, as the bits of a word.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Floats, Ints, Network, row_arcs
from unifiedbus_dsl.solve.fair import Flows, capacities
from unifiedbus_dsl.solve.result import NotAdmittedError
from unifiedbus_dsl.solve.sweep import Distances, by_cable, distances

NO_WAY = np.iinfo(np.uint16).max
WORDS = 4
"""Words of 64 searches that run at once."""


def hashed_flows(network: Network, source: ArrayLike, target: ArrayLike, seed: int) -> Flows:
    """One flow for each pair, on one of its shortest paths. Flow f takes the same path for the same seed, whatever the
    other flows are."""
    one, two = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
    if (one == two).any():
        raise NotAdmittedError("an end point sends nothing to itself over cables")
    first, last = _only_arcs(network, one), _only_arcs(network, two)
    if first is None or last is None:
        arcs, flow = _walk_all(network, one, two, seed)
    else:
        goals, goal = np.unique(network.head[last], return_inverse=True)
        every = np.arange(len(one))
        far = Far(hops_between(network, goals), _numbers(network))
        arcs, flow = _walk(network, far, goal.ravel(), network.head[first].astype(np.int64), every, seed)
        arcs = np.concatenate([first, arcs, _back(network, last, two)])
        flow = np.concatenate([every, flow, every])
    resource = np.concatenate([arcs, network.arcs + one, network.arcs + network.ends + two])
    owner = np.concatenate([flow, np.arange(len(one)), np.arange(len(one))])
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], np.arange(len(one) + 1))
    return Flows(start, resource[order], np.ones(len(order)), capacities(network), np.ones(len(one)))


@frozen(eq=False)
class Far:
    """Hops to goal g from vertex v: `hops[row[v], g]`, no way where `row[v]` is -1."""

    hops: NDArray[np.uint16]
    row: Ints

    def at(self, vertex: NDArray[np.integer], goal: Ints) -> Ints:
        row = self.row[vertex]
        return np.where(row >= 0, self.hops[row, goal], NO_WAY).astype(np.int64)


def _numbers(network: Network) -> Ints:
    """Numbers of the vertices that forward, -1 for others, [V]."""
    return np.where(network.forwards, np.cumsum(network.forwards) - 1, -1)


def _back(network: Network, arcs: Ints, ends: Ints) -> Ints:
    """The opposites of the only arcs of end points, by bisection in the rows of their heads."""
    there, goal = network.head[arcs], network.end_order[ends]
    low, high = network.indptr[there].copy(), network.indptr[there + 1].copy()
    while (low < high).any():
        middle = (low + high) // 2
        less = (low < high) & (network.head[np.minimum(middle, network.arcs - 1)] < goal)
        low = np.where(less, middle + 1, low)
        high = np.where(less, high, np.minimum(high, middle))
    return low


def _only_arcs(network: Network, ends: Ints) -> Ints | None:
    """The only arc out of each end point, None where one has several, or none, or forwards."""
    if not network.simple:
        return None
    vertex = network.end_order[ends]
    degree = network.indptr[vertex + 1] - network.indptr[vertex]
    if (degree != 1).any() or network.forwards[vertex].any():
        return None
    arcs: Ints = network.indptr[vertex]
    return arcs if network.forwards[network.head[arcs]].all() else None


def hops_between(network: Network, goals: NDArray[np.integer]) -> NDArray[np.uint16]:
    """Hops from each vertex to each goal (vertices that forward), passing through vertices that forward; `NO_WAY` where
    there is no path. [vertices that forward, goals]

    Bit g of word w at v: v has been reached from goal 64 w + g. One level: the words of a vertex take up those of its
    neighbours.
    """
    inner = np.flatnonzero(network.forwards)
    number = _numbers(network)
    arcs = row_arcs(network, inner)
    tails = np.repeat(np.arange(len(inner)), network.indptr[inner + 1] - network.indptr[inner])
    within = number[network.head[arcs]] >= 0
    heads, tails = number[network.head[arcs[within]]], tails[within]
    rows, first = np.unique(tails, return_index=True)
    far = np.full((len(inner), len(goals)), NO_WAY, dtype=np.uint16)
    for begin in range(0, len(goals), 64 * WORDS):
        some = np.asarray(goals[begin : begin + 64 * WORDS])
        bit = np.arange(len(some))
        seen = np.zeros((len(inner), WORDS), dtype=np.uint64)
        seen[number[some], bit // 64] |= np.uint64(1) << (bit % 64).astype(np.uint64)
        fresh, level = seen.copy(), 0
        while fresh.any():
            at, which = _bits(fresh)
            far[at, begin + which] = level
            level += 1
            met = np.zeros_like(seen)
            if len(rows):
                met[rows] = np.bitwise_or.reduceat(fresh[heads], first, axis=0)
            fresh = met & ~seen
            seen |= fresh
    return far


def _bits(words: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Rows and numbers of the bits that are set."""
    some = np.flatnonzero(words.any(axis=1))
    bits = np.unpackbits(words[some].astype("<u8").view(np.uint8), axis=1, bitorder="little")
    row, bit = np.nonzero(bits)
    return some[row], bit


def _walk(network: Network, far: Far, goal: Ints, here: Ints, flow: Ints, seed: int) -> tuple[Ints, Ints]:
    """Arcs of the walks from `here[i]` along falling hops to `goal[i]`, and the flow of each: `flow[i]` of the seed."""
    at = here.copy()
    if (far.at(at, goal) == NO_WAY).any():
        raise NotAdmittedError("a flow has no path to its target")
    alive = np.flatnonzero(far.at(at, goal) > 0)
    arcs, flows, hop = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    while len(alive):
        taken = _pick(network, far, at[alive], goal[alive], draws(seed, flow[alive], hop))
        arcs.append(taken)
        flows.append(flow[alive])
        at[alive] = network.head[taken]
        alive = alive[far.at(at[alive], goal[alive]) > 0]
        hop += 1
    return np.concatenate(arcs), np.concatenate(flows)


def _pick(network: Network, far: Far, at: Ints, goal: Ints, draw: Floats) -> Ints:
    """For each walker the arc that its draw in [0, 1) falls on, among those that lead nearer, by cables."""
    degree = network.indptr[at + 1] - network.indptr[at]
    arcs = row_arcs(network, at)
    walker = np.repeat(np.arange(len(at)), degree)
    heads = network.head[arcs]
    left = far.at(heads, goal[walker])
    ahead = (left + 1 == far.at(at, goal)[walker]) & (network.forwards[heads] | (left == 0))
    arcs, walker = arcs[ahead], walker[ahead]
    total = np.cumsum(network.count[arcs].astype(np.float64))
    last = np.searchsorted(walker, np.arange(len(at)), side="right") - 1
    before = np.concatenate([[0.0], total[last[:-1]]])
    place = np.searchsorted(total, before + draw * (total[last] - before), side="right")
    return np.asarray(arcs[np.minimum(place, last)])


def draws(seed: int, flow: Ints, hop: int) -> Floats:
    """A number in [0, 1) for each flow at a hop: splitmix64 of seed, flow and hop, the upper 53 bits."""
    x = flow.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x += np.uint64((seed * 0xD1B54A32D192ED03 + (hop + 1) * 0x8CB92BA72F3D8DD7) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    x ^= x >> np.uint64(31)
    return np.asarray((x >> np.uint64(11)).astype(np.float64) / 2.0**53)


def _walk_all(network: Network, source: Ints, target: Ints, seed: int) -> tuple[Ints, Ints]:
    """The same for any network: a sweep for each target, and its flows walked from one of their nearest vertices."""
    weights = by_cable(network)
    arcs, flows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for t in np.unique(target).tolist():
        mine = np.flatnonzero(target == t)
        found = distances(weights, network.vertices_of(t))
        hops = np.where(found.hops < 0, NO_WAY, found.hops).astype(np.uint16)[:, None]
        far = Far(hops, np.arange(network.vertices))
        drawn = draws(seed, mine, -1)
        starts = [_start(network, found, s, draw) for s, draw in zip(source[mine].tolist(), drawn, strict=True)]
        some, flow = _walk(network, far, np.zeros(len(mine), np.int64), np.array(starts), mine, seed)
        arcs.append(some)
        flows.append(flow)
    return np.concatenate(arcs), np.concatenate(flows)


def _start(network: Network, found: Distances, end: int, draw: float) -> int:
    """One of the vertices of an end point, by the cables of each that lead nearer from the least distance."""
    vertices = network.vertices_of(end)
    hops = found.hops[vertices]
    if not (hops >= 0).any():
        raise NotAdmittedError("a flow has no path to its target")
    share = np.cumsum(np.where(hops == hops[hops >= 0].min(), found.nearer[vertices], 0.0))
    return int(vertices[np.searchsorted(share, draw * share[-1], side="right")])
