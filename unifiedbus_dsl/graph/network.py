"""The network: what the solver sees of a fabric, as arrays.

A device has one vertex for each set of ports that forward among themselves: a switch has one, any other device one
for each `transit` line, and one more, which never forwards, for its ports in no line. A line `A -- B` that forwards
between two sides and not within them has two: what comes in by A goes out by B, and what comes in by B goes out by A.
An **end point** is any device that is no switch. Its source joins all its vertices and all its vertices join its sink,
free and without a hop; that is said by `end` and needs no arcs: a path from end point s to end point t starts at any
vertex of s, ends at any vertex of t, and passes only through vertices that forward (see
docs/decisions/network-vertices.md).

A cable is two arcs, one each way. Parallel cables of one kind between the same two vertices are one arc with their
count. Arcs lie in order of (tail, head, kind), so arc ids are positions of a compressed-row matrix; as each arc has
its opposite of the same kind and count, the rows serve both ways. The opposite of an arc from u to w leads from w to u,
or with `turned`, which exchanges the two vertices of each line `A -- B`, from `turned[w]` to `turned[u]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import (
    _PIECE,
    PIECES_TO_TAKE,
    Bools,
    Floats,
    Ids,
    Ints,
    _Item,
    concatenate_ranges,
    frozen_array,
    smallest_dtype,
    take,
    unique_rows,
)


@frozen(eq=False)
class ArcKinds:
    """What arcs have in common; one row a kind.

    `capacity_Bps` is what one cable carries one way, after protocol efficiency; `rate_Bps` the raw rate of its lanes;
    `latency_s` protocol, link and length together; `link` indexes the plan's links in order of key.
    """

    capacity_Bps: Floats  # noqa: N815
    rate_Bps: Floats  # noqa: N815
    latency_s: Floats
    link: Ints

    @property
    def like(self) -> Ints:
        """The same number for kinds that differ in their link only, [K]."""
        looks = np.stack([self.capacity_Bps, self.rate_Bps, np.nan_to_num(self.latency_s, nan=-1.0)], axis=1)
        return np.asarray(np.unique(looks, axis=0, return_inverse=True)[1].ravel(), dtype=np.int64)


@frozen(eq=False, slots=False)
class Network:
    """Vertices v of [V], end points e of [E], arcs a of [A]. All columns are read-only.

    Vertices are in order of device; `device_start` ([D + 1]) gives the first of each device. `end[v]` is the end point
    of a vertex, -1 for a switch; end points are in order of device. `latency_s[v]` is what passing through v costs.
    `group[v]` tells apart vertices that no symmetry may exchange (device type and position in it). Row v of the arcs
    is `indptr[v] : indptr[v + 1]`; `head`, `kind` and `count` (cables in parallel) are its columns. `injection_Bps[e]`
    bounds what an end point sends, and what it receives, over all its ports (infinite where nothing does). `gate_Bps`
    [V], where there is one, is what all arcs out of a vertex carry at most together, and all arcs into it. `turned`
    [V], where there is one, is for each vertex the one that what goes the other way passes: itself, but at the two
    vertices of a line between two sides. So a path from s to t, turned vertex by vertex, is one from t to s.
    """

    device_start: Ints
    end: Ids
    forwards: Bools
    latency_s: Floats
    group: Ids
    injection_Bps: Floats  # noqa: N815
    indptr: Ints
    head: Ids
    kind: NDArray[np.unsignedinteger[Any]]
    count: NDArray[np.unsignedinteger[Any]]
    kinds: ArcKinds
    gate_Bps: Floats | None = None  # noqa: N815
    turned: Ids | None = None

    def turn(self, vertices: NDArray[Any]) -> NDArray[Any]:
        """Return the vertices that what goes the other way passes."""
        return vertices if self.turned is None else self.turned[vertices]

    def on_turned(self, values: NDArray[_Item]) -> NDArray[_Item]:
        """Values of vertices ([V]) on the vertices of the other way."""
        return values if self.turned is None else values[self.turned]

    @property
    def vertices(self) -> int:
        return len(self.end)

    @property
    def arcs(self) -> int:
        return len(self.head)

    @property
    def ends(self) -> int:
        return len(self.injection_Bps)

    @cached_property
    def tail(self) -> Ids:
        """Tail of each arc, [A]."""
        return frozen_array(np.repeat(np.arange(self.vertices, dtype=np.int32), np.diff(self.indptr)))

    @cached_property
    def capacity_Bps(self) -> Floats:  # noqa: N802
        """Capacity of each arc, all its cables together, [A] byte/s."""
        capacity = take(self.kinds.capacity_Bps, self.kind)
        capacity *= self.count
        return frozen_array(capacity)

    @cached_property
    def widths_Bps(self) -> Floats:  # noqa: N802
        """The capacities of a cable that there are, ascending."""
        return frozen_array(np.unique(self.kinds.capacity_Bps[np.flatnonzero(np.bincount(self.kind))]))

    @cached_property
    def label(self) -> Ids:
        """The same for arcs that no measure can tell apart: of one capacity, raw rate, latency and count, whatever
        their links are called. Dense, [A]."""
        stride = int(self.count.max(initial=0)) + 1
        like = self.kinds.like * stride
        if (int(like.max(initial=0)) + stride) > max(PIECES_TO_TAKE, self.arcs):
            codes = like[self.kind] + self.count
            return frozen_array(np.searchsorted(unique_rows(codes), codes).astype(np.int32))
        present = np.zeros(int(like.max(initial=0)) + stride, dtype=bool)
        for begin in range(0, self.arcs, _PIECE):
            some = slice(begin, begin + _PIECE)
            present[like[self.kind[some]] + self.count[some]] = True
        number = (np.cumsum(present) - 1).astype(np.int32)
        labels = np.empty(self.arcs, dtype=np.int32)
        for begin in range(0, self.arcs, _PIECE):
            some = slice(begin, begin + _PIECE)
            labels[some] = number[like[self.kind[some]] + self.count[some]]
        return frozen_array(labels)

    @cached_property
    def end_order(self) -> Ids:
        """Vertices of all end points, end point by end point, [sum of their vertices]."""
        return frozen_array(np.flatnonzero(self.end >= 0).astype(np.int32))

    @cached_property
    def end_start(self) -> Ints:
        """Where each end point begins in `end_order`, [E + 1]."""
        return frozen_array(np.searchsorted(self.end[self.end_order], np.arange(self.ends + 1)))

    @cached_property
    def end_device(self) -> Ints:
        """Device of each end point, [E]."""
        first = self.end_order[self.end_start[:-1]]
        return frozen_array(np.searchsorted(self.device_start, first, side="right") - 1)

    @cached_property
    def simple(self) -> bool:
        """Whether each end point has a single vertex."""
        return len(self.end_order) == self.ends

    def vertices_of(self, end: int) -> Ids:
        """Return vertices of an end point."""
        return self.end_order[self.end_start[end] : self.end_start[end + 1]]

    def selected(self, ends: ArrayLike | None = None) -> Bools:
        """Return which end points are among `ends` (numbers of some, default all), [E]."""
        if ends is None:
            return np.ones(self.ends, dtype=bool)
        chosen = np.zeros(self.ends, dtype=bool)
        chosen[np.asarray(ends, dtype=np.int64)] = True
        return chosen

    def on_vertices(self, values: NDArray[_Item]) -> NDArray[_Item]:
        """Values of end points ([E]) on their vertices ([V]), zero elsewhere."""
        spread = np.zeros(self.vertices, dtype=values.dtype)
        spread[self.end_order] = values[self.end[self.end_order]]
        return spread

    @cached_property
    def opposite(self) -> Ids:
        """The arc that runs the other way along the same cables, [A]."""
        if self.turned is None:
            return frozen_array(order_of_transpose(self.indptr, self.head))
        reverse = np.empty(self.arcs, dtype=np.int32)
        reverse[np.lexsort((self.kind, self.turned[self.tail], self.turned[self.head]))] = np.arange(self.arcs)
        return frozen_array(reverse)


def cut_devices(network: Network, low: int, high: int) -> Network:
    """Return the network of the devices `low : high` and of the arcs among them, numbered from there. Paths must be the
    same both ways: `turned` is None."""
    assert network.turned is None
    vertex = slice(int(network.device_start[low]), int(network.device_start[high]))
    ends = slice(*np.searchsorted(network.end_device, [low, high]).tolist())
    row = network.indptr[vertex.start : vertex.stop + 1]
    arcs = slice(int(row[0]), int(row[-1]))
    end, head = network.end[vertex], network.head[arcs]
    kept = (head >= vertex.start) & (head < vertex.stop)
    before = np.concatenate([[0], np.cumsum(kept)])
    return evolve(
        network,
        device_start=frozen_array(network.device_start[low : high + 1] - vertex.start),
        end=frozen_array(np.where(end >= 0, end - ends.start, -1).astype(np.int32)),
        forwards=network.forwards[vertex],
        latency_s=network.latency_s[vertex],
        group=network.group[vertex],
        injection_Bps=network.injection_Bps[ends],
        indptr=frozen_array(before[row - arcs.start]),
        head=frozen_array(head[kept] - np.int32(vertex.start)),
        kind=frozen_array(network.kind[arcs][kept]),
        count=frozen_array(network.count[arcs][kept]),
        gate_Bps=None if network.gate_Bps is None else network.gate_Bps[vertex],
    )


def connected_components(count: int, one: NDArray[np.integer], two: NDArray[np.integer]) -> Ids:
    """Component of each of `count` things where `one[i]` is joined to `two[i]`."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(one), np.int8), (one, two)), shape=(count, count))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.int32)


def arcs_of_rows(network: Network, vertices: NDArray[Any]) -> Ints:
    """Return arcs out of the given vertices, in order, [sum of their degrees]."""
    return concatenate_ranges(network.indptr[vertices], network.indptr[vertices + 1])


def row_of_items(network: Network, vertices: NDArray[Any]) -> Ints | slice:
    """Return the same as an index: a slice, which copies nothing, where the rows lie side by side."""
    if len(vertices) and int(vertices[-1]) - int(vertices[0]) == len(vertices) - 1 and (np.diff(vertices) == 1).all():
        return slice(int(network.indptr[vertices[0]]), int(network.indptr[vertices[-1] + 1]))
    return arcs_of_rows(network, vertices)


def chunks_of_rows(network: Network, arcs: int = 1 << 20) -> Iterator[tuple[int, int]]:
    """Ranges of vertices with about `arcs` arcs out of them each: work on them piece by piece stays in the cache."""
    bounds = np.searchsorted(network.indptr, np.arange(0, network.arcs, arcs), side="left")
    bounds = np.unique(np.append(bounds, [0, network.vertices]))
    yield from zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)


def order_of_transpose(indptr: Ints, head: Ids) -> Ids:
    """Positions of the arcs (tail, head) in order of (head, tail, position): [A], counting sort, O(V + A)."""
    return transpose(indptr, head, np.arange(len(head), dtype=np.int32))


def transpose(indptr: Ints, head: Ids, values: Ids) -> Ids:
    """Return values of arcs ([A]) in order of (head, tail, position): of a network the value of each arc's opposite."""
    from scipy.sparse import csr_matrix

    n = len(indptr) - 1
    return np.asarray(csr_matrix((values, head, indptr.astype(np.int32)), shape=(n, n)).tocsc().data, dtype=np.int32)


def build_network(
    *,
    device_start: ArrayLike,
    end: ArrayLike,
    forwards: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    kind: ArrayLike,
    kinds: ArcKinds,
    latency_s: ArrayLike = 0.0,
    group: ArrayLike = 0,
    injection_Bps: ArrayLike | None = None,  # noqa: N803
    turned: Ids | None = None,
) -> Network:
    """Network of cables: cable c is of kind `kind[c]` and leads from vertex `a[c]` to `b[c]`, and from `b[c]`, turned,
    to `a[c]`, turned.

    A cable from a vertex to itself carries nothing and is left out.
    """
    ends_of = np.asarray(end, dtype=np.int32)
    n = len(ends_of)
    one, two, which = np.asarray(a, np.int32), np.asarray(b, np.int32), np.asarray(kind)
    keep = one != two
    if not keep.all():
        one, two, which = one[keep], two[keep], which[keep]
    back = (two, one) if turned is None else (turned[two], turned[one])
    indptr, head, arc_kind, count = _row_starts(n, one, two, *back, which.astype(np.int64))
    ends = int(ends_of.max(initial=-1)) + 1
    return Network(
        device_start=frozen_array(np.array(device_start, dtype=np.int64)),
        end=frozen_array(ends_of.copy()),
        forwards=frozen_array(np.array(forwards, dtype=bool)),
        latency_s=frozen_array(np.array(np.broadcast_to(latency_s, n), dtype=np.float64)),
        group=frozen_array(np.array(np.broadcast_to(group, n), dtype=np.int32)),
        injection_Bps=frozen_array(
            np.full(ends, np.inf) if injection_Bps is None else np.array(injection_Bps, dtype=np.float64)
        ),
        indptr=frozen_array(indptr),
        head=frozen_array(head),
        kind=frozen_array(arc_kind),
        count=frozen_array(count),
        kinds=kinds,
        turned=turned if turned is None else frozen_array(turned),
    )


def _row_starts(
    n: int, a: Ids, b: Ids, back_tail: Ids, back_head: Ids, kind: Ints
) -> tuple[Ints, Ids, NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]]:
    """Return arcs from `a` to `b` and back in order of (tail, head, kind), equal ones counted: row starts, heads,
    kinds, counts."""
    wide, low = max(n - 1, 1).bit_length(), int(kind.max(initial=0)).bit_length()
    if 2 * wide + low > 63:
        raise OverflowError("too many vertices and kinds of arc for 64-bit keys")
    key = np.empty(2 * len(a), dtype=np.int64)
    for begin in range(0, len(a), _PIECE):
        some = slice(begin, begin + _PIECE)
        for start, tail, head in ((0, a[some], b[some]), (len(a), back_tail[some], back_head[some])):
            part = tail.astype(np.int64)
            part <<= wide
            part |= head
            part <<= low
            part |= kind[some]
            key[start + begin : start + begin + len(part)] = part
    key.sort()
    first = np.ones(len(key), dtype=bool)
    np.not_equal(key[1:], key[:-1], out=first[1:])
    count: NDArray[np.unsignedinteger[Any]] = np.ones(len(key), dtype=np.uint16)
    if not first.all():
        firsts = np.flatnonzero(first)
        count = smallest_dtype(np.diff(firsts, append=len(key)))
        key = key[firsts]
    arc_kind: NDArray[np.unsignedinteger[Any]] = np.empty(len(key), dtype=np.uint16 if low <= 16 else np.uint32)
    head_of = np.empty(len(key), dtype=np.int32)
    degree = np.zeros(n + 1, dtype=np.int64)
    for begin in range(0, len(key), _PIECE):
        part = key[begin : begin + _PIECE]
        arc_kind[begin : begin + _PIECE] = part & ((1 << low) - 1)
        head_of[begin : begin + _PIECE] = (part >> low) & ((1 << wide) - 1)
        tails = part >> (low + wide)
        here = np.bincount(tails - tails[0])
        degree[tails[0] + 1 : tails[-1] + 2] += here
    return np.cumsum(degree), head_of, np.asarray(arc_kind), count
