"""Colours of vertices: what they are, how far from the end points they lie, and refinement until it is stable."""

from __future__ import annotations

from itertools import count as counter
from math import inf
from time import monotonic

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Hashes, Ids, Ints, take, unique_rows
from unifiedbus_dsl.graph.network import Network, arcs_of_rows

DEEP = 64
"""Rounds of refinement after which a network counts as deep."""
MANY = 4096
"""Distinct values from which on ranking them by sorting is sooner done than looking each up."""


def vertex_kinds(network: Network, colour: ArrayLike | None = None) -> Ids:
    """Dense colour of vertices that differ in anything but their arcs: group, forwarding, latency, end point or not,
    injection, gate, and `colour`. [V]"""
    real = network.end >= 0
    kinds = relabel(network.group)
    injection = network.on_vertices(network.injection_Bps)
    for column in (network.forwards, real, network.latency_s, injection, network.gate_Bps, colour):
        if column is not None:
            values = relabel(np.asarray(column))
            kinds = relabel(kinds.astype(np.int64) * (int(values.max(initial=0)) + 1) + values)
    return kinds


def tiers_of_vertices(network: Network, start: NDArray[np.bool_] | None = None) -> Ids:
    """Return hops to the nearest of the vertices `start` ([V], default: those of end points), passing through anything,
    [V]; -1 where there is none."""
    tier = np.where(network.end >= 0 if start is None else start, 0, -1).astype(np.int32)
    frontier = np.flatnonzero(tier == 0)
    level = 0
    while len(frontier) and (tier < 0).any():
        level += 1
        near = np.zeros(network.vertices, dtype=bool)
        near[network.head[arcs_of_rows(network, frontier)]] = True
        if network.turned is not None:
            near |= near[network.turned]
        frontier = np.flatnonzero(near & (tier < 0))
        tier[frontier] = level
    return tier


def refine_once(network: Network, colour: ArrayLike, label: NDArray[np.integer]) -> Ids:
    """Return the partition of `refined`, whatever time it takes."""
    refined = refine_to_stable(network, colour, label)
    assert refined is not None
    return refined


def refine_to_stable(
    network: Network, colour: ArrayLike, label: NDArray[np.integer], deadline_s: float = inf
) -> Ids | None:
    """Coarsest equitable partition of the vertices finer than `colour` ([V]), arcs told apart by `label` ([A]); None
    where it is not stable by `deadline_s`.

    Colour of v next round: its colour and the sum over arcs out of w(label) · h(colour of head), in 64-bit arithmetic
    with random odd w and random h. Arcs in say nothing new: each arc has its opposite, and labels that part opposite
    arcs part them from both ends. Where the opposites are of other vertices (see `Network.turned`) the colours of those
    count. A collision (odds about colours squared in 2^64) would leave it too coarse. After `DEEP` rounds vertices are
    parted by their hops from rare colours at once, as the rounds would do one by one.
    """
    from scipy.sparse import csr_matrix

    n = network.vertices
    salt = splitmix64(np.arange(int(label.max(initial=0)) + 1) + 0x5EED) | np.uint64(1)
    matrix = csr_matrix((take(salt, label), network.head, network.indptr.astype(np.int32)), shape=(n, n))
    now = relabel(np.asarray(colour))
    count = int(now.max(initial=-1)) + 1
    for turn in counter():
        if turn and turn % DEEP == 0:
            now = _split_by_hops(network, now)
        numbers = np.arange(int(now.max(initial=-1)) + 1)
        key = splitmix64(numbers)[now] + np.asarray(matrix @ splitmix64(numbers + (1 << 40))[now])
        if network.turned is not None:
            key += splitmix64(numbers + (1 << 41))[now[network.turned]]
        now = relabel(key)
        more = int(now.max(initial=-1)) + 1
        if more == count:
            return now
        if monotonic() > deadline_s:
            return None
        count = more
    raise AssertionError


def _split_by_hops(network: Network, colour: Ids) -> Ids:
    """Return the colours parted by the hops, through anything, from the nearest vertex of each of three colours: of the
    rarest the one of the least number, then those that lie furthest from the ones before. Images under a renumbering of
    the vertices are parted alike."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    n = network.vertices
    size = np.bincount(colour)
    rare = np.flatnonzero(size[colour] == size.min())
    graph = csr_matrix((np.ones(network.arcs), network.head, network.indptr.astype(np.int32)), shape=(n, n))
    chosen, parted = int(np.argmin(size)), colour
    nearest = np.full(n, n)
    for _ in range(3):
        distance = dijkstra(graph, indices=np.flatnonzero(colour == chosen), unweighted=True, min_only=True)
        hops = np.where(np.isfinite(distance), distance, n).astype(np.int64)
        parted = relabel(parted.astype(np.int64) * (n + 1) + hops)
        nearest = np.minimum(nearest, hops)
        chosen = int(colour[rare[np.lexsort((colour[rare], -nearest[rare]))[0]]])
    return parted


def relabel(values: NDArray[np.generic]) -> Ids:
    """Return numbers 0, 1, … for the distinct values, in order of value."""
    if values.dtype == np.bool_:
        return relabel(values.astype(np.int8))
    if values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low <= 4 * len(values):
            place = np.asarray(values.astype(np.uint64).astype(np.int64))
            place -= low if low < 2**63 else low - 2**64
            present = np.zeros(high - low + 1, dtype=np.int32)
            present[place] = 1
            return np.asarray((np.cumsum(present, dtype=np.int32) - 1)[place], dtype=np.int32)
        distinct_values = unique_rows(values)
        if len(distinct_values) > MANY:
            order = np.argsort(values)
            ascending = values[order]
            rank = np.zeros(len(values), dtype=np.int32)
            np.cumsum(ascending[1:] != ascending[:-1], out=rank[1:])
            numbers = np.empty(len(values), dtype=np.int32)
            numbers[order] = rank
            return numbers
        return np.searchsorted(distinct_values, values).astype(np.int32)
    return np.searchsorted(np.unique(values), values).astype(np.int32)


def segment_sums(values: Hashes, sizes: Ints) -> Hashes:
    """Return sums of the first `sizes[0]` values, of the `sizes[1]` next, …, modulo 2^64."""
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    return np.asarray(total[bounds[1:]] - total[bounds[:-1]])


def splitmix64(values: NDArray[np.generic]) -> Hashes:
    """64-bit hash of integers, element by element (splitmix64)."""
    x = np.asarray(values).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
