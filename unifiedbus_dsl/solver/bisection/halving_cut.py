"""The cut of a half: the side of every vertex that is no end point, by a minimum cut on classes or by majority."""

from __future__ import annotations

from math import fsum

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ints, bincount
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, chunks_of_rows
from unifiedbus_dsl.graph.symmetry import refine_once
from unifiedbus_dsl.solver.flow.min_cut import minimum_cut

ROUNDS = 4
"""How often vertices without a side take that of most of their neighbours, where there is no time for a minimum cut."""


def majority_side(network: Network, half: Bools, rest: Bools) -> Bools:
    """Return the side of each vertex, [V], where those that are of neither half ([E] each) go with most of the capacity
    of their neighbours, from the end points outward."""
    fixed = network.on_vertices(half) | network.on_vertices(rest)
    pull = np.where(network.on_vertices(half), 1.0, 0.0) - network.on_vertices(rest)
    for _ in range(ROUNDS):
        passed = bincount(network.tail, network.capacity_Bps * pull[network.head], network.vertices)
        pull = np.where(fixed, pull, np.sign(passed) * network.forwards)
    return np.asarray(pull > 0)


def halving_cut(network: Network, half: Bools, rest: Bools) -> tuple[float, Bools]:
    """Return least capacity from the end points `half` to the end points `rest` ([E] each) over the sides of all other
    vertices, byte/s, and the side of each vertex there.

    Vertices of one colour of the coarsest equitable partition that parts the halves are on one side in some minimum
    cut, so the cut is sought on classes and then measured on every arc.
    """
    colour = np.zeros(network.vertices, dtype=np.int64)
    real = network.end_order
    colour[real] = np.where(half[network.end[real]], 1, np.where(rest[network.end[real]], 2, 0))
    passes = network.forwards | (colour > 0)
    if not (network.forwards & (colour == 0)).any():
        side = colour == 1  # nothing else has a side
        return cut_capacity(network, side, ~side & passes), side
    part = refine_once(network, colour * 2 + network.forwards, network.label)
    side = _class_cut(network, part, colour, passes)
    return cut_capacity(network, side & passes, ~side & passes), side


def cut_capacity(network: Network, side: Bools, rest: Bools) -> float:
    """Return the capacity of all cables from the vertices `side` to the vertices `rest` ([V] each), byte/s: cables of
    each kind are counted, so that it does not depend on the order of the arcs."""
    cables = np.zeros(len(network.kinds.capacity_Bps), dtype=np.int64)
    for begin, end in chunks_of_rows(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        tails = np.repeat(np.arange(begin, end), network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        crossing = side[tails] & rest[network.head[arcs]]
        some = np.flatnonzero(crossing) + arcs.start
        cables += bincount(network.kind[some], network.count[some].astype(np.float64), len(cables)).astype(np.int64)
    return fsum((cables * network.kinds.capacity_Bps).tolist())


def _class_cut(network: Network, part: NDArray[np.int32], colour: Ints, passes: Bools) -> Bools:
    """Return side of each vertex in a minimum cut between colour 1 and colour 2 where the vertices of a part stay
    together.

    The arcs of one vertex of each part tell those of the others.
    """
    classes = int(part.max()) + 1
    held = np.zeros(classes, dtype=np.int64)
    held[part] = colour
    joined = np.where(held == 1, classes, np.where(held == 2, classes + 1, np.arange(classes)))
    first = np.zeros(classes, dtype=np.int64)
    first[part] = np.arange(len(part))
    members = np.bincount(part, minlength=classes)
    arcs = arcs_of_rows(network, first)
    of = np.repeat(np.arange(classes), network.indptr[first + 1] - network.indptr[first])
    tail, head = joined[of], joined[part[network.head[arcs]]]
    apart = (tail != head) & passes[first[of]] & passes[network.head[arcs]]
    rate = network.kinds.capacity_Bps[network.kind[arcs]] * network.count[arcs] * members[of]
    pair, place = np.unique(tail[apart] * (classes + 2) + head[apart], return_inverse=True)
    capacity = bincount(place, rate[apart], len(pair))
    tails, heads = np.divmod(pair, classes + 2)
    return np.asarray(minimum_cut(classes + 2, tails, heads, capacity, classes, classes + 1)[joined[part]])
