"""Arcs on which an answer states its loads, held to be the cables of the fabric, no more and no less."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import PIECE, Cables, Floats, Ids, Ints

Hashes = NDArray[np.uint64]
_SAME = 1e-12
"""Relative difference of two capacities or latencies that were worked out in another order."""


@frozen(eq=False, slots=False)
class Arcs:
    """Arcs out of vertex v are `indptr[v] : indptr[v + 1]`; each is `count` cables of one `kind` to vertex `head`.
    `capacity_Bps` and `latency_s` (NaN: not told apart by it) of a cable are of kinds."""

    indptr: Ints
    head: Ids
    kind: NDArray[np.unsignedinteger[Any]]
    count: NDArray[np.unsignedinteger[Any]]
    capacity_Bps: Floats  # noqa: N815
    latency_s: Floats

    @property
    def size(self) -> int:
        return len(self.head)

    def tails(self) -> Ints:
        """Return the vertex that each arc leaves, [A]."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def pieces(self) -> Iterator[tuple[slice, NDArray[np.int64], slice]]:
        """Arcs, their tails, and the vertices that are tails, piece by piece."""
        bounds = np.searchsorted(self.indptr, np.arange(0, self.size, PIECE))
        bounds = np.unique(np.append(bounds, [0, len(self.indptr) - 1]))
        for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            degree = self.indptr[low + 1 : high + 1] - self.indptr[low:high]
            some = slice(int(self.indptr[low]), int(self.indptr[high]))
            yield some, np.repeat(np.arange(low, high), degree), slice(low, high)

    @cached_property
    def looks(self) -> Ints:
        """The same number for kinds of one capacity and latency, whatever their links are called, [K]."""
        rows = np.stack([self.capacity_Bps, np.nan_to_num(self.latency_s, nan=-1.0)], axis=1)
        return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1], dtype=np.int64).ravel()

    def rows(self, vertices: NDArray[np.integer[Any]]) -> tuple[Ints, Ints]:
        """Return the arcs out of these vertices, vertex by vertex, and how many each has."""
        first = self.indptr[vertices]
        many = self.indptr[vertices + 1] - first
        begin = np.cumsum(many) - many
        return np.repeat(first - begin, many) + np.arange(int(many.sum())), many

    def capacity(self, some: slice) -> Floats:
        """Return capacity of these arcs, byte/s."""
        return np.asarray(self.capacity_Bps[self.kind[some]] * self.count[some])


def match(arcs: Arcs, cables: Cables) -> None:
    """Hold arcs to the cables, each of which is one arc each way: the same ends, capacities and, where arcs tell them
    apart, latencies, each as often. Sums of 64-bit hashes are compared, so it is one pass over either.

    Raises:
        VerificationError: they differ.
    """
    known = vars(cables).setdefault("_matched", [])
    if any(each is arcs for each in known):
        return
    require(len(arcs.indptr) == cables.vertices + 1, "the arcs are of other vertices than the fabric's")
    timed = not np.isnan(arcs.latency_s).any()
    looks = _Looks.of(cables, timed=timed)
    stated, actual = 0, 0
    look = looks.of_arcs(arcs)
    for some, tail, _ in arcs.pieces():
        key = hashed(tail, arcs.head[some], look[arcs.kind[some]], cables.vertices)
        stated += int((key * arcs.count[some].astype(np.uint64)).sum(dtype=np.uint64))
    for some in cables.pieces():
        a, b, a_in, b_out = cables.a[some], cables.b[some], cables.a_in[some], cables.b_out[some]
        kept = a != b
        look_of = looks.of_cables(cables, some)
        if cables.health is not None:
            kept &= cables.health[some] > 0
        a, b, a_in, b_out, look_of = a[kept], b[kept], a_in[kept], b_out[kept], look_of[kept]
        actual += int(hashed(a, b, look_of, cables.vertices).sum(dtype=np.uint64))
        actual += int(hashed(b_out, a_in, look_of, cables.vertices).sum(dtype=np.uint64))
    require(stated % 2**64 == actual % 2**64, "the arcs are not the cables of the fabric")
    known.append(arcs)


@frozen(eq=False)
class _Looks:
    """Distinct (capacity, latency) of a cable, rows in order of capacity; `look[h, k]` is that of fabric kind k whose
    health is `parts[h]`."""

    values: Floats
    parts: Floats
    look: Ints

    @classmethod
    def of(cls, cables: Cables, *, timed: bool) -> _Looks:
        parts = np.ones(1) if cables.health is None else np.unique(cables.health[cables.health > 0])
        capacity = np.multiply.outer(parts, cables.capacity_Bps)
        latency = np.broadcast_to(cables.latency_s if timed else 0.0, capacity.shape)
        rows = np.stack([capacity.ravel(), latency.ravel()], axis=1)
        near = np.array([[float(f"{x:.11e}") for x in row] for row in rows]).reshape(-1, 2)
        _, first, look = np.unique(near, axis=0, return_index=True, return_inverse=True)
        return cls(rows[first], parts, np.asarray(look).reshape(capacity.shape))

    def of_cables(self, cables: Cables, some: slice) -> Ints:
        if cables.health is None:
            return np.asarray(self.look[0][cables.kind[some]])
        if not len(self.parts):  # nothing is left, and no cable is looked at
            return np.zeros(len(cables.kind[some]), dtype=np.int64)
        part = np.minimum(np.searchsorted(self.parts, cables.health[some]), len(self.parts) - 1)
        return np.asarray(self.look[part, cables.kind[some]])

    def of_arcs(self, arcs: Arcs) -> Ints:
        """Return the look of each kind of arcs, one behind the last for what no cable looks like."""
        if not len(self.values):
            return np.zeros(len(arcs.capacity_Bps), dtype=np.int64)
        latency = np.where(np.isnan(arcs.latency_s), 0.0, arcs.latency_s)
        stated = np.stack([arcs.capacity_Bps, latency], axis=1)
        apart = np.abs(stated[:, None, :] - self.values[None]) > _SAME * 10 * np.abs(self.values[None])
        same = np.logical_not(np.any(apart, axis=2))
        return np.where(same.any(axis=1), same.argmax(axis=1), len(self.values))


def hashed(tail: NDArray[Any], head: NDArray[Any], look: NDArray[Any], vertices: int) -> Hashes:
    """Return a random-looking number of each (tail, head, look): the finaliser of splitmix64."""
    x = (tail.astype(np.uint64) * np.uint64(vertices) + head.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    x ^= look.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(31)
    return x
