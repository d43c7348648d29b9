"""Halves of the end points that are worth a minimum cut: along the arrays, and by distances, whatever is numbered how.

An edge (a, b) parts the nodes by which of its ends is nearer (Djokovic, J. Comb. Theory B 14, 1973): on a torus, a mesh
or a hypercube that is a cut along one dimension. Where the two parts are unequal, nodes go by their distance to the
other part, layer by layer: a sweep along the dimension. The distance to one end of the machine less that to the other
sweeps what is long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from math import inf
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ints, concatenate_ranges
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.symmetry import Axis, Symmetry, axes, locate_arrays
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph, propagate_labels, threshold_partition
from unifiedbus_dsl.solver.bounds import DeadlineError, check_deadline

MAX_DIRECTIONS = 24
"""Edges that are swept along, at each of two roots half of them."""
MAX_ARCS = 300_000_000
"""Links that all sweeps may touch together; those of four directions are taken in any case."""
KEYS = 3
"""Directions that order the nodes of one layer."""
DEEP = 1_000
"""Levels after which a graph counts as deep."""
DEEP_LINK_S = 2e-6
"""Seconds that Dijkstra's algorithm takes for a link at the most."""


def along_arrays(symmetry: Symmetry, chosen: Bools) -> Iterator[Bools]:
    """Yield halves of the members: in order of number, and along each axis of the arrays the first part of its
    elements in every instance, filled up or cut short in order of number to floor(n / 2)."""
    network = symmetry.network
    seen: set[bytes] = set()
    members = np.flatnonzero(chosen)
    keys = [np.arange(network.ends)]
    device = network.end_device
    for axis in axes(symmetry.arrays):
        place = _place(axis, device)
        keys.append(place)
        keys.append(place % 2 * axis.length + place)
    for key in keys:
        order = members[np.lexsort((members, key[members]))]
        half = network.selected(order[: len(members) // 2])
        if half.tobytes() not in seen:
            seen.add(half.tobytes())
            yield half


def _place(axis: Axis, device: Ints) -> Ints:
    """Index along an axis of each device, the length of the axis for devices outside the array. [devices]"""
    _, rest, inside = locate_arrays(axis, device)
    place = rest // axis.block
    return np.where(inside & (place < axis.length), place, axis.length)


def by_distances(graph: CutGraph, deadline_s: float = inf) -> list[tuple[float, Bools]]:
    """Return halves [E] by sweeps over the graph, the best first, each with the capacity that it cuts where free nodes
    are on the side of most of their neighbours, byte/s. Not all sweeps are made after `deadline_s`."""
    if graph.nodes < 2 or not graph.weight.nnz:
        return []
    size = int(graph.members.sum()) // 2
    best: dict[bytes, tuple[float, Bools]] = {}
    keys = list[NDArray[np.generic]]()
    with suppress(DeadlineError):
        keys.extend(_directions(graph, deadline_s))
    for key in track(keys, "sweeps over the machine"):
        half = threshold_partition(graph, key, size)
        packed = np.packbits(half).tobytes()
        if packed not in best:
            best[packed] = (swept_cut(graph, half), half)
        if monotonic() > deadline_s:
            break
    return sorted(best.values(), key=lambda each: each[0])


def swept_cut(graph: CutGraph, half: Bools) -> float:
    """Return what a half [E] cuts, byte/s, where each free node is on the side of most of its neighbours; a node that
    the half goes through on that of most of its end points."""
    inside = np.bincount(graph.node[half], minlength=graph.nodes)
    return graph.cut(propagate_labels(graph, inside * 2 > graph.members))


def _directions(graph: CutGraph, deadline_s: float) -> Iterator[NDArray[np.generic]]:
    """Yield orders of the nodes, [N] keys each.

    Raises:
        TooLateError: not all are found by `deadline_s`.
    """
    far = hop_distances(graph, _last(hop_distances(graph, np.array([0]), deadline_s)), deadline_s)
    start, stop = _last(-far), _last(far)
    back = hop_distances(graph, stop, deadline_s)
    yield far - back
    yield far
    yield back
    centre = np.array([int(np.argmin(np.where(far < 0, graph.nodes, np.maximum(far, back))))])
    fits = max(4, MAX_ARCS // (4 * graph.weight.nnz))
    for root, from_root in ((centre, None), (start, far)):
        distance = hop_distances(graph, root, deadline_s) if from_root is None else from_root
        neighbours = graph.weight.indices[graph.weight.indptr[root[0]] : graph.weight.indptr[root[0] + 1]]
        count = min(len(neighbours), MAX_DIRECTIONS // 2, fits // 2)
        some = neighbours[np.unique(np.linspace(0, len(neighbours) - 1, count).round().astype(np.int64))]
        layers: list[Ints] = []
        for b in some.tolist():
            layers.append(_layers(graph, hop_distances(graph, np.array([b]), deadline_s) - distance, deadline_s))
        for k in range(len(layers)):
            keys = [layers[(k + j) % len(layers)] for j in range(min(KEYS, len(layers)))]
            yield _ranked(keys)


def _layers(graph: CutGraph, nearer: Ints, deadline_s: float) -> Ints:
    """Return the layer of each node, [N]: below 0 nearer to the one end of an edge, above 0 to the other, the more the
    further from the other part."""
    first, second = nearer < 0, nearer > 0
    if int(graph.members[first].sum()) == int(graph.members.sum()) // 2:
        return np.sign(nearer)
    layers = np.zeros(graph.nodes, dtype=np.int64)
    layers[first] = -hop_distances(graph, np.flatnonzero(second), deadline_s)[first]
    layers[second] = hop_distances(graph, np.flatnonzero(first), deadline_s)[second]
    return layers


def _ranked(keys: list[Ints]) -> Ints:
    """Return one key, [N], that orders by the first key, then by the next."""
    total = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        low = int(key.min())
        total = total * (int(key.max()) - low + 1) + (key - low)
    return total


def _last(distance: Ints) -> Ints:
    """Return the first node at the largest distance, as an array of one."""
    return np.array([int(np.argmax(distance))])


def hop_distances(graph: CutGraph, sources: Ints, deadline_s: float = inf) -> Ints:
    """Return the hops from the nearest of the sources to each node, [N]; -1 where there is no path. Level by level, on
    what is deep by Dijkstra's algorithm.

    Raises:
        TooLateError: not all are found by `deadline_s`.
    """
    indptr, indices = graph.weight.indptr.astype(np.int64), graph.weight.indices
    distance = np.full(graph.nodes, -1, dtype=np.int64)
    mark = np.zeros(graph.nodes, dtype=np.int64)
    distance[sources] = 0
    front, level = np.asarray(sources, dtype=np.int64), 0
    while len(front):
        check_deadline(deadline_s)
        level += 1
        if level > DEEP:
            check_deadline(deadline_s - DEEP_LINK_S * graph.weight.nnz)
            return _deep_distances(graph, sources)
        heads = indices[concatenate_ranges(indptr[front], indptr[front + 1])]
        heads = heads[distance[heads] < 0]
        distance[heads] = level
        place = np.arange(len(heads))
        mark[heads] = place
        front = heads[mark[heads] == place].astype(np.int64)
    return distance


def _deep_distances(graph: CutGraph, sources: Ints) -> Ints:
    """Return what `hop_distances` does, in one go that can't be ended: `DEEP_LINK_S` a link."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    ones = np.ones(graph.weight.nnz)
    linked = csr_matrix((ones, graph.weight.indices, graph.weight.indptr), shape=graph.weight.shape)
    distance = dijkstra(linked, indices=sources, unweighted=True, min_only=True)
    return np.where(np.isfinite(distance), distance, -1.0).astype(np.int64)


def exchange_boundary(graph: CutGraph, half: Bools, deadline_s: float = inf, rounds: int = 200) -> Bools:
    """Return a half of the same size whose cut is no worse, by many exchanges at once on a sparse graph: of the nodes
    with as many end points those that gain most change sides in pairs, no two of them neighbours, as long as each pair
    gains (Fiduccia and Mattheyses, DAC 1982, with all moves of a pass side by side). Nodes that the half goes through
    stay."""
    inside = np.bincount(graph.node[half], minlength=graph.nodes)
    movable = (graph.members > 0) & ((inside == 0) | (inside == graph.members))
    side = np.where(graph.members > 0, inside * 2 > graph.members, False)
    row = np.repeat(np.arange(graph.nodes), np.diff(graph.weight.indptr))
    head = graph.weight.indices
    side = propagate_labels(graph, side)
    for _ in range(rounds):
        sign = np.where(side, 1.0, -1.0)
        gain = -sign * np.asarray(graph.weight @ sign)
        after = side.copy()
        for count in np.unique(graph.members[movable]).tolist():
            alike = movable & (graph.members == count)
            key = np.where(alike, gain, -inf)
            # the best of its neighbourhood, by number where gains are equal: no two that are chosen are neighbours
            larger = (key[head] > key[row]) | ((key[head] == key[row]) & (head < row))
            local = alike.copy()
            local[row[larger]] = False
            near, away = np.flatnonzero(local & side), np.flatnonzero(local & ~side)
            near, away = near[np.argsort(-gain[near], kind="stable")], away[np.argsort(-gain[away], kind="stable")]
            pairs = min(len(near), len(away))
            good = int((gain[near[:pairs]] + gain[away[:pairs]] > 1e-9 * graph.degree.max()).sum()) if pairs else 0
            after[near[:good]] = False
            after[away[:good]] = True
            if good:
                break
        else:
            break
        after = propagate_labels(graph, after & (graph.members > 0))
        if graph.cut(after) >= graph.cut(side) or monotonic() > deadline_s:
            break
        side = after
    improved = half.copy()
    whole = (graph.node >= 0) & movable[graph.node]
    improved[whole] = side[graph.node[whole]]
    return improved
