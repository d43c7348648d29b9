"""Orbits of vertices and of arcs under the group that generators make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ids, Ints, concatenate_ranges, take, unique_rows
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, connected_components, row_of_items, transpose
from unifiedbus_dsl.graph.symmetry.colour_refinement import relabel
from unifiedbus_dsl.graph.symmetry.verify_automorphism import PIECE, Automorphism, Proof

TABLE = 1 << 22
"""Entries up to which distinct pairs of labels are found by a table of all pairs."""


def merge_labels(label: Ids, one: NDArray[np.integer], two: NDArray[np.integer]) -> Ids:
    """`label` with the labels `one[i]` and `two[i]` made the same (and all renumbered densely)."""
    differ = one != two
    if not differ.any():
        return label
    return np.asarray(connected_components(int(label.max()) + 1, one[differ], two[differ])[label], dtype=np.int32)


def vertex_orbits(network: Network, generators: Sequence[Automorphism]) -> Ids:
    """Orbit of each vertex, numbered densely, [V]."""
    if not generators:
        return np.arange(network.vertices, dtype=np.int32)
    one = np.concatenate([generator.moved for generator in generators])
    two = np.concatenate([generator.image for generator in generators])
    return relabel(connected_components(network.vertices, one, two))


def arc_orbits(network: Network, proofs: Sequence[Proof], vertex_orbit: Ids) -> Ids:
    """Orbit of each arc, numbered densely, [A]: the arcs of one vertex of each orbit are carried to all others, then
    joined where generators join them."""
    _, first = np.unique(vertex_orbit, return_index=True)
    label = np.full(network.arcs, -1, dtype=np.int32)
    base = arcs_of_rows(network, first)
    label[base] = np.arange(len(base))
    _apply_generators(network, proofs, label, first)
    # what a generator says of the arcs out of moved vertices it says of their opposites too
    count = len(base)
    wide = np.int32 if count * count < 2**31 else np.int64
    plain = network.turned is None
    opposite = transpose(network.indptr, network.head, label) if plain else label[network.opposite]
    pair: NDArray[np.signedinteger[Any]] = opposite.astype(wide, copy=False)
    pair *= count
    pair += label
    part = np.arange(count, dtype=np.int32)
    seen = np.zeros(0, dtype=np.int64)
    for proof in proofs:
        for arcs, images in _pieces(network, proof):
            before, after = pair[arcs], pair[images]
            differ = before != after
            if not differ.any():
                continue
            before, after = before[differ], after[differ]
            for one, two in ((before % count, after % count), (before // count, after // count)):
                seen = _distinct(one, two, count)
                part = merge_labels(part, part[seen // count], part[seen % count])
    return take(relabel(part), label)


def _pieces(network: Network, proof: Proof) -> Iterator[tuple[Ints | slice, Ids]]:
    """Yield the arcs out of moved vertices with their images, some at a time."""
    moved, start = proof.generator.moved, np.append(proof.start, len(proof.arc_image))
    bounds = np.searchsorted(start[:-1], np.arange(0, start[-1], PIECE)).tolist()
    for begin, end in pairwise([*bounds, len(moved)]):
        yield row_of_items(network, moved[begin:end]), proof.arc_image[start[begin] : start[end]]


def _apply_generators(network: Network, proofs: Sequence[Proof], label: Ids, first: Ints) -> None:
    """Give the arcs out of every vertex the labels that those of the vertices `first` have."""
    done = np.zeros(network.vertices, dtype=bool)
    done[first] = True
    full = np.arange(network.vertices, dtype=np.int32)
    left = network.vertices - len(first)
    while left:
        for proof in proofs:
            generator = proof.generator
            here = generator.moved[done[generator.moved] & ~done[generator.image]]
            if not len(here):
                continue
            full[generator.moved] = generator.image
            while len(here):
                label[_images_of(network, proof, here)] = label[row_of_items(network, here)]
                there = full[here]
                done[there] = True
                left -= len(there)
                here = there[~done[full[there]]]
            full[generator.moved] = generator.moved


def _images_of(network: Network, proof: Proof, vertices: Ids) -> Ids:
    """Images of all arcs out of the vertices, which are among those that move."""
    start = proof.start[np.searchsorted(proof.generator.moved, vertices)]
    degree = network.indptr[vertices + 1] - network.indptr[vertices]
    return proof.arc_image[concatenate_ranges(start, start + degree)]


def _distinct(one: NDArray[np.signedinteger[Any]], two: NDArray[np.signedinteger[Any]], count: int) -> Ints:
    """Return the distinct `one · count + two`."""
    key = one.astype(np.int64) * count + two
    if count * count > TABLE:
        return unique_rows(key)
    present = np.zeros(count * count, dtype=bool)
    present[key] = True
    return np.flatnonzero(present)
