"""Vertices with the same neighbours, as one: a smaller graph in which distances are what they were.

Two vertices whose rows are equal (the same heads over the same cables) are at the same distance from every third one,
and two hops from each other. A fat tree of a million end points has 32,805 switches. Without the end points the edge
switches of a pod are alike, and so are the cores of a group: 13,365 classes are left, with 52,488 arcs between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ints, concatenate_ranges
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import segment_sums, splitmix64

UNREACHABLE = np.iinfo(np.uint16).max
"""Stands for no path among hops of 16 bits; of a wider type it is that type's greatest value too (`no_way`)."""


@frozen(eq=False)
class TwinQuotient:
    """Classes of vertices, C of them, and the rows of one member of each.

    `of` [V] is the class of a vertex, -1 where it was left out. `arc` are the arcs among vertices that were not, row
    `first[v] : first[v + 1]` for vertex v. Class c has the bundles `start[c] : start[c + 1]`: to each class of its
    neighbours the arcs `place[begin[b] : begin[b + 1]]` of the row, `weight[b]` cables in all. `cables` counts those
    before each of `place`. Only classes that `pass` are gone through.
    """

    network: Network
    of: Ints
    arc: Ints
    first: Ints
    passes: Bools
    start: Ints
    to: Ints
    weight: Ints
    begin: Ints
    place: Ints
    cables: Ints

    @property
    def classes(self) -> int:
        return len(self.passes)


def twin_quotient(network: Network, inside: Bools, alone: Bools) -> TwinQuotient:
    """Return classes of the vertices that are `inside` ([V]), by their arcs to others that are; those `alone` ([V]) are
    a class each."""
    arcs = np.flatnonzero(inside[network.tail] & inside[network.head]) if not inside.all() else np.arange(network.arcs)
    first = np.zeros(network.vertices + 1, dtype=np.int64)
    np.cumsum(np.bincount(network.tail[arcs], minlength=network.vertices), out=first[1:])
    model = _representatives(network, arcs, first, inside, alone)
    models = np.flatnonzero(inside & (model == np.arange(network.vertices)))
    number = np.full(network.vertices, -1)
    number[models] = np.arange(len(models))
    of = np.where(inside, number[model], -1)

    rows = concatenate_ranges(first[models], first[models + 1])
    size = first[models + 1] - first[models]
    row = np.repeat(np.arange(len(models)), size)
    head = of[network.head[arcs[rows]]]
    order = np.argsort(row * len(models) + head, kind="stable")
    key = (row * len(models) + head)[order]
    begin = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.zeros(0, np.int64)
    cables = network.count[arcs[rows[order]]].astype(np.int64)
    return TwinQuotient(
        network=network,
        of=of,
        arc=arcs,
        first=first,
        passes=network.forwards[models],
        start=np.searchsorted(row[order][begin], np.arange(len(models) + 1)),
        to=head[order][begin],
        weight=np.add.reduceat(cables, begin) if len(begin) else cables,
        begin=np.append(begin, len(key)),
        place=(rows - np.repeat(first[models], size))[order],
        cables=np.concatenate([[0], np.cumsum(cables)]),
    )


def _representatives(network: Network, arcs: Ints, first: Ints, inside: Bools, alone: Bools) -> Ints:
    """Return the first vertex with the same row as each vertex, [V]. Rows are found by a hash, and then compared."""
    itself = np.arange(network.vertices)
    mixed = splitmix64(itself)[network.head[arcs]] * (
        network.kind[arcs].astype(np.uint64) * np.uint64(2) + np.uint64(1)
    )
    mixed *= network.count[arcs].astype(np.uint64) * np.uint64(2) + np.uint64(1)
    looks = segment_sums(mixed, np.diff(first)) + network.forwards
    some = np.flatnonzero(inside & ~alone)
    _, representatives, inverse = np.unique(looks[some], return_index=True, return_inverse=True)
    model = itself.copy()
    model[some] = some[representatives[inverse.ravel()]]
    return np.where(_same_row(network, arcs, first, model), model, itself)


def _same_row(network: Network, arcs: Ints, first: Ints, model: Ints) -> Bools:
    """Return whether the row of each vertex is that of its model in heads, kinds and counts, and both or neither
    forward."""
    size = np.diff(first)
    same: Bools = (size == size[model]) & (network.forwards == network.forwards[model])
    check = np.flatnonzero(same & (model != np.arange(len(model))))
    mine = arcs[concatenate_ranges(first[check], first[check + 1])]
    theirs = arcs[concatenate_ranges(first[model[check]], first[model[check] + 1])]
    differs = np.zeros(len(mine), dtype=bool)
    for column in (network.head, network.kind, network.count):
        differs |= column[mine] != column[theirs]
    same[np.repeat(check, size[check])[differs]] = False
    return same


def unreachable(hops: NDArray[np.unsignedinteger[Any]]) -> int:
    """Return what stands for no path in an array of hops."""
    return int(np.iinfo(hops.dtype).max)


def quotient_hops(graph: TwinQuotient, row: Ints, goal: Ints, goals: int) -> NDArray[np.unsignedinteger[Any]]:
    """Return hops from each class to each goal, `no_way` where there is no path, [C, goals]; goal `goal[i]` is the
    classes `row[i]`. Of 16 bits where no path can have as many hops, as a path of least hops passes no class twice.

    64 breadth-first searches at once, as the bits of a word: bit g at c says that c has been reached from goal g.
    """
    wide = np.uint16 if graph.classes < UNREACHABLE else np.uint32
    far: NDArray[np.unsignedinteger[Any]] = np.full((graph.classes, goals), np.iinfo(wide).max, dtype=wide)
    seen = np.zeros((graph.classes, -(-goals // 64)), dtype=np.uint64)
    np.bitwise_or.at(seen, (row, goal // 64), np.uint64(1) << (goal % 64).astype(np.uint64))
    filled = np.flatnonzero(np.diff(graph.start))
    fresh, level = seen.copy(), 0
    while True:
        some = np.flatnonzero(fresh.any(axis=1))
        if not len(some):
            return far
        bits = np.unpackbits(fresh[some].astype("<u8").view(np.uint8), axis=1, count=goals, bitorder="little")
        rows = far[some]
        np.putmask(rows, bits.astype(bool), level)
        far[some] = rows
        if level:
            fresh[~graph.passes] = 0
        level += 1
        met = np.zeros_like(seen)
        if len(filled):
            met[filled] = np.bitwise_or.reduceat(fresh[graph.to], graph.start[filled], axis=0)
        fresh = met & ~seen
        seen |= fresh


def arc_at(graph: TwinQuotient, vertex: Ints, bundle: Ints, cable: Ints) -> Ints:
    """Return the arc out of each vertex that holds cable number `cable`, counted from 0, of a bundle of its class."""
    at = np.searchsorted(graph.cables, graph.cables[graph.begin[bundle]] + cable, side="right") - 1
    at = np.minimum(at, graph.begin[bundle + 1] - 1)
    return np.asarray(graph.arc[graph.first[vertex] + graph.place[at]])
