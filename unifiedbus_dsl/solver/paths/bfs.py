"""Breadth-first sweeps as array operations: one pass outward for distances, one pass inward for loads.

Both rest on one step, `spread`: each vertex of a set passes its value along its arcs. Where the set is small its rows
are gathered, else the whole matrix is multiplied; the sum is the same.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.solver.bounds import check_deadline

Hops = NDArray[np.int32]

GATHER_BELOW = 1 / 24
"""Part of all arcs below which gathering rows beats multiplying the matrix (about 12 against 1.5 ns an arc)."""
SMALL_BELOW = 1 / 64
"""Arcs out of a frontier, as part of all vertices, below which sorting their heads beats arrays over all vertices."""


@frozen(eq=False)
class Weights:
    """Arcs as a matrix: entry (tail, head) adds up `weight` [A]; an arc and its opposite weigh the same."""

    network: Network
    weight: Floats
    matrix: Any


@frozen(eq=False)
class Distances:
    """Hops to a target from each vertex, -1 where there is no path; `nearer` adds up the weights of the arcs that lead
    one hop nearer, 0 at the target. [V] each."""

    hops: Hops
    nearer: Floats


def by_cable(network: Network) -> Weights:
    """Return weights of one a cable: shares of `ecmp`, and distances."""
    return arc_weights(network, network.count.astype(np.float64))


def by_capacity(network: Network) -> Weights:
    """Return the capacities as weights: shares of `wcmp`."""
    return arc_weights(network, network.capacity_Bps)


def arc_weights(network: Network, weight: Floats) -> Weights:
    from scipy.sparse import csr_matrix

    n = network.vertices
    matrix = csr_matrix((weight, network.head, network.indptr.astype(np.int32)), shape=(n, n))
    return Weights(network, weight, matrix)


def push(weights: Weights, support: NDArray[Any], value: Floats) -> Floats:
    """y[h] = sum over arcs (v, h) with v in `support` of weight · value[v]; `value` ([V]) is zero elsewhere. [V]"""
    network = weights.network
    degree = network.indptr[support + 1] - network.indptr[support]
    if degree.sum() >= network.arcs * GATHER_BELOW:
        # along the arcs is against their opposites
        return network.on_turned(np.asarray(weights.matrix @ network.on_turned(value)))
    arcs = arcs_of_rows(network, support)
    passed: Floats = np.repeat(value[support], degree) * weights.weight[arcs]
    return bincount(network.head[arcs], passed, network.vertices)


def distances(weights: Weights, target: NDArray[Any], deadline_s: float = inf) -> Distances:
    """Return hops and nearer weights to a target, given by its vertices.

    Only vertices that forward are passed through; the target's own count as such at the start. O(A) per level at most.
    The hops from the target are found, which are those to it of the vertices that the other way passes.

    Raises:
        TooLateError: not all are found by `deadline_s`.
    """
    network = weights.network
    n = network.vertices
    hops: Hops = np.full(n, -1, dtype=np.int32)
    nearer = np.zeros(n)
    hops[target] = 0
    frontier = np.asarray(target)
    left = n - len(frontier)
    level = 0
    while len(frontier) and left:
        check_deadline(deadline_s)
        level += 1
        fresh, reached = _next_level(weights, frontier, hops)
        hops[fresh] = level
        nearer[fresh] = reached
        left -= len(fresh)
        frontier = fresh[network.forwards[fresh]]
    return Distances(network.on_turned(hops), network.on_turned(nearer))


def _next_level(weights: Weights, frontier: NDArray[Any], hops: Hops) -> tuple[NDArray[Any], Floats]:
    """Return vertices without hops yet that arcs out of the frontier lead to, ascending, and the weights of these arcs
    added up. A small frontier costs its own arcs only: a long ring has tens of thousands of levels."""
    network = weights.network
    degree = int((network.indptr[frontier + 1] - network.indptr[frontier]).sum())
    if degree >= network.vertices * SMALL_BELOW:
        value = np.zeros(network.vertices)
        value[frontier] = 1.0
        reached = push(weights, frontier, value)
        fresh = np.flatnonzero((reached > 0) & (hops < 0))
        return fresh, reached[fresh]
    arcs = arcs_of_rows(network, frontier)
    arcs = arcs[hops[network.head[arcs]] < 0]
    fresh, place = np.unique(network.head[arcs], return_inverse=True)
    return fresh, bincount(place.ravel(), weights.weight[arcs], len(fresh))


def endpoint_hops(network: Network, hops: Hops) -> Hops:
    """Return hops from each end point: the least over its vertices, -1 where none has a path. [E]"""
    if network.simple:
        return hops[network.end_order]
    apart = np.iinfo(np.int32).max
    distance = np.where(hops < 0, apart, hops)[network.end_order]
    min_hops = np.minimum.reduceat(distance, network.end_start[:-1]) if network.ends else distance
    return np.where(min_hops == apart, -1, min_hops).astype(np.int32)


def injection_split(network: Network, distances: Distances, demand: Floats) -> Floats:
    """Return what each vertex is handed when end point e sends `demand[e]`: an equal share for each cable of the end
    point that leads nearer, so vertices of e share by their nearer weights among those at its least distance. [V]"""
    given = np.zeros(network.vertices)
    order = network.end_order
    if network.simple:
        given[order] = np.where(distances.hops[order] >= 0, demand, 0.0)
        return given
    mine = network.end[order]
    nearest = distances.hops[order] == endpoint_hops(network, distances.hops)[mine]
    share = np.where(nearest, distances.nearer[order], 0.0)
    total = bincount(mine, share, network.ends)
    given[order] = np.divide(share * demand[mine], total[mine], out=np.zeros(len(order)), where=total[mine] > 0)
    return given


def shortest_path_loads(
    weights: Weights, distances: Distances, given: Floats, deadline_s: float = inf
) -> tuple[Ints, Floats]:
    """Return arcs that carry something, and how much, when vertex v is handed `given[v]` ([V]) to send to the target.

    At each vertex the flow splits over the arcs that lead nearer, in proportion to their weights. What a vertex without
    a path is handed is not carried.

    Raises:
        TooLateError: not all are found by `deadline_s`.
    """
    network, hops = weights.network, distances.hops
    carried = given.copy()
    share = np.zeros(network.vertices)
    order = np.argsort(hops, kind="stable")
    furthest = int(hops.max(initial=0))
    start = np.searchsorted(hops[order], np.arange(furthest + 2))
    for level in range(furthest, 0, -1):
        check_deadline(deadline_s)
        here = order[start[level] : start[level + 1]]
        here = here[carried[here] > 0]
        if not len(here):
            continue
        share[here] = carried[here] / distances.nearer[here]
        if level == 1:
            break
        there, passed = _passed_nearer(weights, here, share, hops, order[start[level - 1] : start[level]])
        carried[there] += passed
    return _nearer_arcs(weights, distances, share)


def _passed_nearer(
    weights: Weights, here: NDArray[Any], share: Floats, hops: Hops, nearer: NDArray[Any]
) -> tuple[NDArray[Any], Floats]:
    """Return vertices one level `nearer` that forward, and what the vertices `here` pass to them, for a `share` of
    each."""
    network = weights.network
    degree = network.indptr[here + 1] - network.indptr[here]
    if degree.sum() >= network.vertices * SMALL_BELOW:
        value = np.zeros(network.vertices)
        value[here] = share[here]
        there = nearer[network.forwards[nearer]]
        return there, push(weights, here, value)[there]
    arcs = arcs_of_rows(network, here)
    passed: Floats = np.repeat(share[here], degree) * weights.weight[arcs]
    head = network.head[arcs]
    leads = (hops[head] == hops[here[0]] - 1) & network.forwards[head]
    there, place = np.unique(head[leads], return_inverse=True)
    return there, bincount(place.ravel(), passed[leads], len(there))


def _nearer_arcs(weights: Weights, distances: Distances, share: Floats) -> tuple[Ints, Floats]:
    """Return loads of the arcs that lead nearer: weight times the share at their tail."""
    network, hops = weights.network, distances.hops
    senders = np.flatnonzero(share > 0)
    arcs = arcs_of_rows(network, senders)
    tails = np.repeat(senders, network.indptr[senders + 1] - network.indptr[senders])
    heads = network.head[arcs]
    leads = (hops[heads] == hops[tails] - 1) & (network.forwards[heads] | (hops[heads] == 0))
    arcs, tails = arcs[leads], tails[leads]
    return arcs, share[tails] * weights.weight[arcs]


def bellman_ford(network: Network, start: NDArray[Any], cost: Floats, passing: Floats) -> Floats:
    """Return least sum of costs from each vertex to the vertices `start`, passing only through vertices that forward,
    [V]: `cost` ([kinds]) of each arc and `passing` ([V]) of each vertex passed. Infinite where there is no path.

    Label-correcting: all arcs out of what changed at once, as many rounds as the longest least path has arcs.
    """
    distance = np.full(network.vertices, np.inf)
    distance[start] = 0.0
    before = distance.copy()
    through = passing.copy()
    through[start] = 0.0
    changed = start
    while len(changed):
        arcs = arcs_of_rows(network, changed)
        degree = network.indptr[changed + 1] - network.indptr[changed]
        before[:] = distance
        offer = np.repeat(distance[changed] + through[changed], degree) + cost[network.kind[arcs]]
        np.minimum.at(distance, network.head[arcs], offer)
        changed = np.flatnonzero((distance < before) & network.forwards)
    return network.on_turned(distance)
