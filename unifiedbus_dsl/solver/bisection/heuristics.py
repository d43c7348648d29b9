"""The heuristics of a bisection, each a source of halves: arrays, distances, Kernighan-Lin, components, rounding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from unifiedbus_dsl.base.arrays import Bools
from unifiedbus_dsl.solver.bisection.candidate_partitions import by_distances, exchange_boundary
from unifiedbus_dsl.solver.bisection.cut_graph import contract_leaves, cut_graph, kernighan_lin, threshold_partition
from unifiedbus_dsl.solver.bisection.cut_sums import islands
from unifiedbus_dsl.solver.bisection.search import MOST_ARCS, Heuristic, Search

TRIED_ARCS = 200_000_000
"""How many arcs the cuts along arrays may have together (six are tried in any case where there is time)."""
MAX_SWEPT_ARCS = 40_000_000
"""Arcs up to which halves by distances are tried."""
SWEEPS = 3
"""Of the halves by distances those that are improved, the best first."""
MOST_EXCHANGED = 3_000
"""Nodes up to which halves are improved by exchanges."""
DIRECTIONS = 48
"""Halves that are tried near the vectors of a spectrum."""


def _along_arrays(search: Search) -> Iterator[Bools]:
    return islice(search.along, max(6, TRIED_ARCS // max(1, search.network.arcs)))


def _whole_components(search: Search) -> Iterator[Bools]:
    half = islands(search.graph)
    if half is not None:
        yield half


def _exchange(search: Search) -> Iterator[Bools]:
    yield kernighan_lin(search.small, search.incumbent.half, search.deadline.at_s)


def _exchanges_incumbent(search: Search) -> bool:
    return search.has_graph() and search.small.nodes <= MOST_EXCHANGED


def _sweeps(search: Search) -> bool:
    """Return whether halves by distances are worth their time, if on a graph that is too large for all else."""
    large = MOST_ARCS < search.network.arcs <= MAX_SWEPT_ARCS and search.allows_arcs()
    return large or search.has_graph()


def _by_distances(search: Search) -> Iterator[Bools]:
    """Yield the best halves by distances, and what exchanges make of them."""
    large = search.network.arcs > MOST_ARCS
    small = contract_leaves(cut_graph(search.network, search.chosen)) if large else search.small
    improve = kernighan_lin if small.nodes <= MOST_EXCHANGED else exchange_boundary
    for _, half in by_distances(small, search.deadline.at_s)[:SWEEPS]:
        if not search.incumbent.has_time():
            return
        yield half
        yield improve(small, half, search.deadline.at_s)


def _near_vectors(search: Search) -> Iterator[Bools]:
    """Yield halves near the vectors of the eigenvalue bound, each once."""
    assert search.vectors is not None
    size = int(search.chosen.sum()) // 2
    rng = np.random.Generator(np.random.PCG64(0))
    seen: set[bytes] = set()
    for _ in range(DIRECTIONS):
        key = (search.vectors * rng.standard_normal(search.vectors.shape[1])).sum(axis=1)
        half = threshold_partition(search.graph, key, size)
        if half.tobytes() in seen:
            continue
        seen.add(half.tobytes())
        if search.small.nodes <= MOST_EXCHANGED:
            half = kernighan_lin(search.small, half, search.deadline.at_s)
            if half.tobytes() in seen:
                continue
            seen.add(half.tobytes())
        yield half


FIRST_ARRAY = Heuristic(
    "half of the longest array",
    lambda search: search.joined and search.network.arcs <= MOST_ARCS,
    lambda search: islice(search.along, 1),
)
ARRAYS = Heuristic("halves along arrays", lambda _: True, _along_arrays)
COMPONENTS = Heuristic("whole components", Search.has_graph, _whole_components)
KERNIGHAN_LIN = Heuristic("Kernighan-Lin exchanges", _exchanges_incumbent, _exchange)
DISTANCES = Heuristic("halves by distances", _sweeps, _by_distances)
ROUNDING = Heuristic(
    "rounding of eigenvectors", lambda search: search.vectors is not None and search.deadline.allows(), _near_vectors
)
