"""Between parts of a machine, such as racks: what cables carry from one to another, and how far apart they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.symmetry import Symmetry, endpoint_images, merge_labels
from unifiedbus_dsl.solver.bisection.halving_cut import halving_cut
from unifiedbus_dsl.solver.paths.distances import endpoint_latencies, latencies_to


def max_flow_matrix(symmetry: Symmetry, part: Ints) -> Floats:
    """Return most that the end points of each part can send to those of each other part while all else is silent,
    byte/s [P, P]; NaN on the diagonal. `part` gives the part of each end point ([E], -1: in none).

    The least cut between the two parts (Ford and Fulkerson, 1956), over all paths that devices forward along.
    """

    def one(i: int, j: int) -> float:
        return halving_cut(symmetry.network, part == i, part == j)[0]

    return _matrix(symmetry, part, one, "bandwidth between parts", diagonal=False)


def latency_matrix(symmetry: Symmetry, part: Ints) -> Floats:
    """Return least zero-load time of a small message, of the two end points of each two parts that are furthest apart,
    s [P, P]; on the diagonal of two different ones of a part (NaN where there is one); infinite where there is no path.

    `symmetry` is of a network that knows every length.
    """
    network = symmetry.network
    inside = symmetry.restricted(colour=part + 1)

    def one(i: int, j: int) -> float:
        """Of the end points of i that a symmetry which keeps every part exchanges, one stands for all."""
        worst = np.nan
        for end in inside.representatives(np.flatnonzero(part == i))[0].tolist():
            others = part == j
            others[end] = False
            if others.any():
                time = endpoint_latencies(network, latencies_to(network, network.vertices_of(end)))
                worst = float(np.fmax(worst, time[others].max()))
        return worst

    return _matrix(symmetry, part, one, "latency between parts", diagonal=True)


def _matrix(symmetry: Symmetry, part: Ints, one: Callable[[int, int], float], title: str, *, diagonal: bool) -> Floats:
    """Return a symmetric measure of each two parts: that of one pair of each orbit, under the symmetries that map parts
    to parts, is that of all."""
    count = int(part.max(initial=-1)) + 1
    orbit = _pair_orbits(symmetry, part, count)
    wanted = np.triu(np.ones((count, count), dtype=bool), 0 if diagonal else 1).ravel()
    _, first, place = np.unique(orbit[wanted], return_index=True, return_inverse=True)
    pairs = np.flatnonzero(wanted)[first].tolist()
    values = np.array([one(*divmod(pair, count)) for pair in track(pairs, title)])
    matrix = np.full(count * count, np.nan)
    matrix[wanted] = values[place.ravel()] if len(pairs) else np.nan
    upper = matrix.reshape(count, count)
    return np.where(np.isnan(upper), upper.T, upper)


def _pair_orbits(symmetry: Symmetry, part: Ints, count: int) -> Ids:
    """Return a number for each pair (i, j) of parts, [P * P]: the same for pairs that a symmetry maps to each other,
    and for (j, i)."""
    pairs = np.arange(count * count, dtype=np.int32)
    i, j = np.divmod(pairs, count)
    orbit = merge_labels(pairs, pairs, j * count + i)
    first = np.zeros(count, dtype=np.int64)
    first[part[part >= 0][::-1]] = np.flatnonzero(part >= 0)[::-1]
    group = symmetry.restricted(partition=part)
    for generator in group.generators:
        goes = part[endpoint_images(symmetry.network, generator)[first]]
        if (goes != np.arange(count)).any():
            orbit = merge_labels(orbit, orbit, orbit[goes[i] * count + goes[j]])
    return orbit
