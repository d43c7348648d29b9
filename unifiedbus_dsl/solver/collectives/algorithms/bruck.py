"""ceil(log2 n) steps to the member 1, 2, 4, … further on, for any number of members.

In an all-to-all each piece goes the binary digits of its distance one by one. In an all-gather what is held doubles
with each step; a reduce-scatter is the same backwards. No step moves more than about half of the size, and an
all-gather moves the fewest pieces there are, n - 1. Source: J. Bruck, C.-T. Ho, S. Kipnis, E. Upfal, D. Weathersby,
"Efficient algorithms for all-to-all communications in multiport message-passing systems", IEEE Transactions on Parallel
and Distributed Systems 8 (11), 1997 (their index and concatenation, one port).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unifiedbus_dsl.solver.collectives.algorithm import Algorithm
from unifiedbus_dsl.solver.collectives.steps import Rows, Step
from unifiedbus_dsl.solver.demand import pairs


def _distances(n: int) -> Iterator[int]:
    return (1 << k for k in range((n - 1).bit_length()))


def _step(collective: str, rows: Rows, distance: int, pieces: int) -> Step:
    """Return a step in which each member sends so many pieces to the one at that distance, modulo n."""
    shape = pairs(rows.members, np.roll(rows.members, -distance, axis=1))
    where = "further on" if distance > 0 else "back"
    return Step(f"{collective}: to the one {abs(distance)} {where}", shape, pieces / rows.n)


def _all_to_all(rows: Rows) -> list[Step]:
    """Return steps that each move the pieces whose distance has that binary digit."""
    distance = np.arange(rows.n)
    return [_step("alltoall", rows, d, int(np.count_nonzero(distance & d))) for d in _distances(rows.n)]


def _all_gather(rows: Rows) -> list[Step]:
    return [_step("allgather", rows, d, min(d, rows.n - d)) for d in _distances(rows.n)]


def _reduce_scatter(rows: Rows) -> list[Step]:
    return [_step("reducescatter", rows, -d, min(d, rows.n - d)) for d in _distances(rows.n)][::-1]


BRUCK = Algorithm("bruck", _all_gather, _reduce_scatter, _all_to_all)
