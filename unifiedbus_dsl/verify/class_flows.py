"""A lower bound of a bisection by what any halving cut must carry: flows between members and to other vertices, all at
once, one of each sort of sources stated and held to the cables."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.alike import Alike
from unifiedbus_dsl.verify.arcs import hashed, match
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ids, Ints

FIT = 1e-9
"""Relative: what rounding may add to a load."""
MAX_TABLE = 1 << 22
"""Keys up to which what arcs of a class carry is looked up in a table of all keys."""


@frozen(eq=False)
class SourceFlow:
    """What the member with `vertex` sends, for all that are alike.

    An arc between classes ([V]) c and d that is of label l carries `value[i]` where `key[i]` = (c · classes + d) ·
    labels + l, keys ascending. Without classes arc a carries `value[a]`. With `toward` as much is sent to it instead.
    """

    vertex: int
    value: Floats
    part: Ids | None = None
    key: Ints | None = None
    toward: bool = False


@frozen(eq=False)
class Rates:
    """`pair` byte/s from each member to each other, and `vertex` [V] from each to a vertex and as much back; with parts
    `of` [V] (-1: in none) that hold equally many members, only within a part."""

    pair: float
    vertex: Floats
    of: Ids | None = None


@frozen(eq=False)
class FlowBound:
    """Flows from one of each sort of members; all that are alike send as much. With n members a halving cut carries at
    least, one way,

        pair · floor(n/2) · ceil(n/2) + floor(n/2) · sum of vertex,

    and of rates within parts of `size` members, of which the cut divides one into r = floor(n/2) mod size and the rest
    at the least (the sums of a_i · (size - a_i) and of min(a_i, size - a_i) are concave, so they are least where all
    but one of the a_i are 0 or size),

        pair · r · (size - r) + min(r, size - r) · sum of vertex in one part.

    Label l of arcs has its opposites under `mirror[l]` (None: no vertices are sent anything). Then what is stated
    counts half, and half of it turned round: with twice as much to each vertex, as much as is wanted goes there and
    back. Keys have the lesser of l and mirror[l].
    """

    alike: Alike
    flows: tuple[SourceFlow, ...]
    rates: tuple[Rates, ...]
    mirror: Ints | None = None

    def prove(self, cables: Cables, members: Bools) -> float:
        alike, arcs = self.alike, self.alike.arcs
        match(arcs, cables)
        node = np.where(cables.members(members), cables.vertices + cables.end, np.arange(cables.vertices))
        member = cables.members(members)
        parts = tuple(rates.of for rates in self.rates if rates.of is not None)
        alike.check(cables, (member,), parts)
        for rates in self.rates:
            require(rates.pair >= 0 and not (rates.vertex < 0).any(), "a rate is negative")
            require(not rates.vertex[~(member | cables.forwards)].any(), "a rate to what passes nothing on")
            require((rates.vertex == rates.vertex[alike.first]).all(), "rates to vertices that are alike differ")
        require(self.mirror is not None or not any(rates.vertex.any() for rates in self.rates), "no flows go back")
        self._require_all_sources(cables, member)
        labels = int(alike.label.max(initial=-1)) + 1
        if self.mirror is not None:
            self._require_mirror(cables, labels)
        total, missing = np.zeros(labels), 0.0
        for flow in self.flows:
            copies = _count(node[alike.first == alike.first[flow.vertex]], cables.vertices + cables.ends)
            load, off = self._followed(cables, members, node, flow)
            total += copies * load
            missing += copies * off
        if self.mirror is not None:
            total = (total + total[self.mirror]) / 2
        capacity = np.zeros(labels)
        for some, _, _ in arcs.pieces():
            capacity += np.bincount(alike.label[some], weights=arcs.capacity(some), minlength=labels)
        require(not (total > capacity * (1 + FIT)).any(), "flows are above the capacity of the cables")
        return max(0.0, sum(_crossing(rates, cables, members) for rates in self.rates) - missing)

    def _require_all_sources(self, cables: Cables, member: Bools) -> None:
        """Each member is alike to the source of one flow."""
        sends = np.zeros(cables.ends, dtype=np.int64)
        for flow in self.flows:
            require(member[flow.vertex], "a flow of an end point that is no member")
            reached = np.zeros(cables.ends, dtype=bool)
            reached[cables.end[self.alike.first == self.alike.first[flow.vertex]]] = True
            sends += reached
        want = np.zeros(cables.ends, dtype=bool)
        want[cables.end[member]] = any(rates.pair > 0 or rates.vertex.any() for rates in self.rates)
        require((sends[want] == 1).all(), "some of what sends has no flow, or two")

    def _require_mirror(self, cables: Cables, labels: int) -> None:
        """Arcs turned round have the labels of their opposites."""
        arcs, mirror = self.alike.arcs, np.asarray(self.mirror)
        twice = len(mirror) == labels and np.array_equal(mirror[mirror], np.arange(labels))
        require(twice, "an opposite of each label")
        forth = back = 0
        for some, tail, _ in arcs.pieces():
            head, label = arcs.head[some], self.alike.label[some]
            forth += int(hashed(tail, head, label, cables.vertices).sum(dtype=np.uint64))
            back += int(hashed(head, tail, mirror[label], cables.vertices).sum(dtype=np.uint64))
        require(forth % 2**64 == back % 2**64, "opposite arcs have other labels")

    def _followed(self, cables: Cables, members: Bools, node: Ints, flow: SourceFlow) -> tuple[Floats, float]:
        """Return what a flow loads on the arcs of each label, and by how much its nodes gain another amount than they
        are sent, all together, byte/s."""
        arcs, label = self.alike.arcs, self.alike.label
        passes = cables.forwards | cables.members(members)
        labels = int(label.max(initial=-1)) + 1
        gain, load = np.zeros(cables.vertices + cables.ends), np.zeros(labels)
        values = Values.of(flow, labels)
        every = np.arange(labels)
        lesser = (every if self.mirror is None else np.minimum(every, self.mirror)).astype(np.int32)
        for some, tail, _ in arcs.pieces():
            head = arcs.head[some]
            value = values.on(tail, head, lesser[label[some]], some)
            on = np.flatnonzero(value)
            a, b, value = tail[on], head[on], value[on]
            require(not (value < 0).any(), "a flow is negative")
            require((passes[a] & passes[b]).all(), "a flow goes where none passes")
            load += np.bincount(label[some][on], weights=value, minlength=labels)
            np.add.at(gain, node[b], value)
            np.subtract.at(gain, node[a], value)
        wanted, source = np.zeros(len(gain)), flow.vertex
        member = cables.members(members)
        for rates in self.rates:
            inside = np.ones(cables.vertices, dtype=bool) if rates.of is None else rates.of == rates.of[source]
            near = np.zeros(len(wanted), dtype=bool)
            near[node[member & inside]] = True
            wanted[near] += rates.pair
            wanted += np.bincount(node, weights=2 * rates.vertex * inside, minlength=len(wanted))
        wanted[node[source]] = 0.0
        wanted[node[source]] = -wanted.sum()
        off = float(np.abs(gain + wanted if flow.toward else gain - wanted).sum())
        return load, off


@frozen(eq=False)
class Values:
    """What arcs carry of a flow: by arc, or by the key of their class, from a table where that is not long."""

    flow: SourceFlow
    labels: int
    classes: int
    table: Floats | None

    @classmethod
    def of(cls, flow: SourceFlow, labels: int) -> Values:
        if flow.part is None or flow.key is None:
            return cls(flow, labels, 0, None)
        classes = int(flow.part.max()) + 1
        if classes * classes * labels > MAX_TABLE:
            return cls(flow, labels, classes, None)
        table = np.zeros(classes * classes * labels)
        table[flow.key] = flow.value
        return cls(flow, labels, classes, table)

    def on(self, tail: Ints, head: Ids, label: Ids, some: slice) -> Floats:
        """Return what these arcs carry."""
        part, key = self.flow.part, self.flow.key
        if part is None or key is None:
            return self.flow.value[some]
        wanted = (part[tail].astype(np.int64) * self.classes + part[head]) * self.labels + label
        if self.table is not None:
            return np.asarray(self.table[wanted])
        place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        return np.where(key[place] == wanted, self.flow.value[place], 0.0)


def _count(numbers: Ints, size: int) -> int:
    """Return how many different numbers there are, all below `size`."""
    seen = np.zeros(size, dtype=bool)
    seen[numbers] = True
    return int(seen.sum())


def _crossing(rates: Rates, cables: Cables, members: Bools) -> float:
    """Return what a halving cut carries of these rates at least, byte/s."""
    n = int(members.sum())
    if rates.of is None:
        return rates.pair * (n // 2) * (n - n // 2) + (n // 2) * float(rates.vertex.sum())
    ends = np.unique(np.stack([cables.end, rates.of])[:, cables.members(members)], axis=1)
    require(ends.shape[1] == n and (ends[1] >= 0).all(), "a member is in several parts, or in none")
    sizes = np.bincount(ends[1])
    sizes = sizes[sizes > 0]
    require((sizes == sizes[0]).all(), "parts hold unequally many members")
    size = int(sizes[0])
    sent = np.bincount(rates.of[rates.of >= 0], weights=rates.vertex[rates.of >= 0], minlength=1)
    rest = n // 2 % size
    min_sent = float(sent[np.unique(ends[1])].min())
    return rates.pair * rest * (size - rest) + min(rest, size - rest) * min_sent
