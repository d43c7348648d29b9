"""Shortest paths of single pairs, searched no farther than the pair is apart."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.cables import Cables, Ints


def crosses_both(cables: Cables, arcs: Arcs, pair: tuple[int, int], a: int, b: int) -> bool:
    """Return whether a path of fewest cables from an end point to another one crosses arc a and then b: the cables to
    a, these two and those behind b are as many as the two are apart."""
    tail = int(np.searchsorted(arcs.indptr, a, side="right")) - 1
    middle, head = int(arcs.head[a]), int(arcs.head[b])
    if not arcs.indptr[middle] <= b < arcs.indptr[middle + 1] or not cables.forwards[middle]:
        return False
    begins, goal = (np.flatnonzero(cables.end == end) for end in pair)
    if not (cables.forwards[tail] or tail in begins) or not (cables.forwards[head] or head in goal):
        return False
    before = _hops(cables, arcs, begins, np.array([tail]))
    after = _hops(cables, arcs, np.array([head]), goal)
    return before >= 0 and after >= 0 and before + 2 + after == _hops(cables, arcs, begins, goal)


def _hops(cables: Cables, arcs: Arcs, start: Ints, stop: Ints) -> int:
    """Return how many cables the nearest of some vertices is from others, over what forwards between; -1 where there is
    no way. Breadth first from the start, a level at a time."""
    if np.isin(start, stop).any():
        return 0
    seen = np.zeros(cables.vertices, dtype=bool)
    seen[start] = True
    frontier, level = start.astype(np.int64), 0
    while len(frontier):
        level += 1
        heads = np.unique(arcs.head[arcs.rows(frontier)[0]])
        heads = heads[~seen[heads]]
        if np.isin(heads, stop).any():
            return level
        seen[heads] = True
        frontier = heads[cables.forwards[heads]].astype(np.int64)
    return -1
