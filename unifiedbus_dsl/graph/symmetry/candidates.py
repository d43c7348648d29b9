"""Permutations of vertices that may be automorphisms: along an axis of an array, and among twins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unifiedbus_dsl.base.arrays import Hashes, Ids, Ints, concatenate_ranges
from unifiedbus_dsl.graph.network import Network, chunks_of_rows
from unifiedbus_dsl.graph.symmetry.colour_refinement import segment_sums, splitmix64
from unifiedbus_dsl.graph.symmetry.plan_arrays import Axis

MAX_INSTANCES = 64
"""How many differing instances of an array are searched, each for itself."""


def candidate_permutations(
    network: Network, axis: Axis, method: str, outer: int, signs: Hashes | None
) -> Iterator[tuple[Ids, Ids]]:
    """Permutations of vertices along an axis: in one instance of the `outer` loops, in all of the inner ones.

    With `signs` (see `signatures`): one candidate for each way an instance can look, and within it only elements that
    look the same are exchanged.
    """
    outside, inside = _offsets(axis.loops[:outer]), _offsets(axis.loops[outer:])
    if signs is None:
        instances = [(int(outside[0]), [np.arange(axis.length)])]
    else:
        instances = _differing(signs.reshape(len(outside), -1, axis.length), outside)
    for start, classes in instances:
        places = axis.base + start + inside
        before, after = _exchanged(classes, method)
        if len(before):
            yield (
                _vertices(network, places, before * axis.block, axis.block),
                _vertices(network, places, after * axis.block, axis.block),
            )


def _differing(signs: Hashes, starts: Ints) -> list[tuple[int, list[Ints]]]:
    """Return one instance for each way to look, with its elements in classes that look the same.

    `signs` [instances, inner instances, elements]. Inner instances count together: an element looks as it does in all
    of them, in order.
    """
    weight = splitmix64(np.arange(signs.shape[1]) + 0xA11) | np.uint64(1)
    elements = (signs * weight[None, :, None]).sum(axis=1, dtype=np.uint64)
    whole = splitmix64(np.sort(elements, axis=1)).sum(axis=1, dtype=np.uint64)
    _, first = np.unique(whole, return_index=True)
    chosen = np.sort(first)[:MAX_INSTANCES]
    return [(int(starts[i]), [np.flatnonzero(elements[i] == s) for s in np.unique(elements[i])]) for i in chosen]


def _exchanged(classes: list[Ints], method: str) -> tuple[Ints, Ints]:
    """Elements that move and where to, each class for itself."""
    pairs = []
    for members in classes:
        if len(members) < 2 or (method == "rotate" and len(members) == 2):
            continue
        if method == "rotate":
            pairs.append((members, np.roll(members, -1)))
        elif method == "reverse":
            pairs.append((members, members[::-1]))
        else:
            pairs.append((members[:2], members[1::-1]))
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    before, after = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return before[before != after], after[before != after]


def _offsets(loops: Sequence[tuple[int, int]]) -> Ints:
    total = np.zeros(1, dtype=np.int64)
    for count, stride in loops:
        total = (total[:, None] + np.arange(count) * stride).ravel()
    return total


def _vertices(network: Network, places: Ints, shift: Ints, block: int) -> Ids:
    """Return vertices of the devices `place + shift + 0 … block - 1`, for each shift and place."""
    first = (places + shift[:, None]).ravel()
    starts = network.device_start
    return concatenate_ranges(starts[first], starts[first + block]).astype(np.int32)


def device_signs(network: Network, looks: Ids) -> Hashes:
    """Hash of how the vertices of each device look, in order; `looks` [V] is the same for vertices that may be images
    of each other. [D]"""
    first = network.device_start[:-1]
    place = np.arange(len(looks)) - np.repeat(first, np.diff(network.device_start))
    return np.asarray(np.add.reduceat(splitmix64(looks.astype(np.uint64)) * (splitmix64(place) | np.uint64(1)), first))


def signatures(device: Hashes, axis: Axis) -> Hashes:
    """Hash of how the devices of each element look, in order inside it, from `device_signs`; [all instances,
    elements]."""
    places = axis.base + _offsets((*axis.loops, (axis.length, axis.block)))
    salt = splitmix64(np.arange(axis.block)) | np.uint64(1)
    total = np.zeros(len(places), dtype=np.uint64)
    step = max(1, (1 << 22) // axis.block)
    for begin in range(0, len(places), step):
        some = places[begin : begin + step, None] + np.arange(axis.block)
        total[begin : begin + step] = (splitmix64(device[some]) * salt).sum(axis=1, dtype=np.uint64)
    return splitmix64(total).reshape(-1, axis.length)


def twin_permutations(network: Network, kinds: Ids) -> tuple[Ids, Ids]:
    """Return vertices with the same neighbours over the same arcs, each going to the next of its like: (vertices,
    images).

    Sought among switches and end points of one vertex. By hash: what is no twin is found out in the proof.
    """
    hashes = splitmix64(np.arange(network.vertices))
    salts = splitmix64(np.arange(int(network.label.max(initial=0)) + 1)) | np.uint64(1)
    around = np.zeros(network.vertices, dtype=np.uint64)
    for begin, end in chunks_of_rows(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        terms = hashes[network.head[arcs]] * salts[network.label[arcs]]
        around[begin:end] = segment_sums(terms, network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
    alone = np.ones(network.vertices, dtype=bool)
    real = network.end >= 0
    alone[real] = np.diff(network.end_start)[network.end[real]] == 1
    some = np.flatnonzero(alone & (np.diff(network.indptr) > 0))
    order = some[np.lexsort((some, around[some], kinds[some]))]
    if not len(order):
        return np.empty(0, np.int32), np.empty(0, np.int32)
    first = np.ones(len(order), dtype=bool)
    first[1:] = (around[order[1:]] != around[order[:-1]]) | (kinds[order[1:]] != kinds[order[:-1]])
    start = np.flatnonzero(first)
    onward = np.arange(1, len(order) + 1)
    onward[np.append(start[1:], len(order)) - 1] = start
    moving = onward != np.arange(len(order))
    return order[moving].astype(np.int32), order[onward[moving]].astype(np.int32)
