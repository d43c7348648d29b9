"""Hops to many targets at once: a bit for each target, a word for 64 of them, and a pass over the arcs for each level.

Where levels are many and small, as in a mesh of thousands of devices, one target at a time would spend its time on
levels; here those of all targets are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.paths.bfs import Hops, by_cable, distances

FEWEST = 16
"""Targets from which they are taken together."""
MOST_HELD = 16_000_000
"""Hops that are held at a time, and words of arcs."""
BITS = 64
Words = NDArray[np.uint64]


def hops_to_each(network: Network, ends: Sequence[int]) -> Iterator[Hops]:
    """Yield the hops from each vertex to each of some end points, [V], -1 where there is no path.

    Only vertices that forward are passed through, the target's own at the start.
    """
    if len(ends) < FEWEST or network.turned is not None or not network.arcs:
        weights = by_cable(network)
        yield from (distances(weights, network.vertices_of(end)).hops for end in ends)
        return
    at_once = min(MOST_HELD // network.vertices, BITS * max(1, MOST_HELD // network.arcs))
    for begin in range(0, len(ends), max(1, at_once)):
        yield from _hops_together(network, ends[begin : begin + max(1, at_once)])


def _hops_together(network: Network, ends: Sequence[int]) -> Hops:
    """Return the hops to each of some end points, [targets, V]. Arcs are there both ways, so that those out of a vertex
    lead to whom it is reached from."""
    words = -(-len(ends) // BITS)
    seen: Words = np.zeros((network.vertices, words), dtype="<u8")
    hops: Hops = np.full((len(ends), network.vertices), -1, dtype=np.int32)
    for number, end in enumerate(ends):
        seen[network.vertices_of(end), number // BITS] |= np.uint64(1 << number % BITS)
        hops[number, network.vertices_of(end)] = 0
    rows = np.flatnonzero(np.diff(network.indptr))
    frontier, level = seen.copy(), 0
    while frontier.any():
        level += 1
        fresh: Words = np.zeros_like(seen)
        fresh[rows] = np.bitwise_or.reduceat(frontier[network.head], network.indptr[rows], axis=0)
        fresh &= ~seen
        seen |= fresh
        vertex, target = _bits(fresh)
        hops[target, vertex] = level
        frontier = np.where(network.forwards[:, None], fresh, np.uint64(0))
    return hops


def _bits(words: Words) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the row of each bit that is set, and its number in the row."""
    row, word = np.nonzero(words)
    octets = np.ascontiguousarray(words[row, word], dtype="<u8").view(np.uint8).reshape(-1, BITS // 8)
    which, bit = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little"))
    return row[which], word[which] * BITS + bit
