"""How many virtual lanes are enough: channels in an order, and a lane more wherever a packet goes against it.

Each channel has a `block` and a `rank`. A packet begins on lane 0. Where the next channel is of a later block it goes
on on lane 0; within a block it keeps its lane where the rank rises, and takes the next one where it does not. No packet
goes on to an earlier block. So (block, lane, rank) rises along every path, and a channel of a lane never waits for
itself:

    lanes = 1 + the most times that a path goes against the order within a block

The known schemes are orders. All ranks equal: a lane for each hop (Günther, 1981). A ring cut at one place, its
channels numbered from there: datelines (Dally and Seitz, 1987). Local before global: dragonflies (Kim and others,
2008). Vertices numbered, channels to higher ones before those to lower ones: up*/down* (Autonet, 1991), made a
preference; where no packet turns against it, it is a turn restriction. Blocks are the strongly connected components of
the dependencies: dimensions under dimension order, one after another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ints, concatenate_ranges
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.deadlock.path_rules import Leg, Turns

AT_ONCE = 1 << 22
"""Pairs of channels at vertices that are looked at together."""


@frozen(eq=False)
class LaneOrder:
    """A block and a rank for each arc, [A] each; `scheme` says in words what order it is."""

    block: Ints
    rank: Ints
    scheme: str


@frozen(eq=False)
class _Classes:
    """Arcs of one block and rank are of one class: `of` [A], and the block and rank of each."""

    of: Ints
    block: Ints
    rank: Ints

    @classmethod
    def from_order(cls, order: LaneOrder) -> _Classes:
        wide = int(order.rank.max(initial=0)) + 1
        code, of = np.unique(order.block * wide + order.rank, return_inverse=True)
        return cls(of.ravel(), code // wide, code % wide)

    @property
    def count(self) -> int:
        return len(self.block)

    def next_lane(self, held: Ints, lane: Ints, wanted: Ints) -> Ints:
        """Return the lane on which packets go on that hold channels of some classes."""
        later = self.block[held] < self.block[wanted]
        return np.where(later, 0, np.where(self.rank[held] < self.rank[wanted], lane, lane + 1))


@frozen(eq=False)
class _Held:
    """The highest `lane` on which packets come to a vertex by channels of a class; each vertex and class once."""

    vertex: Ints
    cls: Ints
    lane: Ints

    @classmethod
    def highest(cls, vertex: Ints, held: Ints, lane: Ints, classes: int) -> _Held:
        """Return the highest of each vertex and class, in order of both."""
        code, place = np.unique(vertex * classes + held, return_inverse=True)
        max_lane = np.zeros(len(code), dtype=np.int64)
        np.maximum.at(max_lane, place.ravel(), lane)
        return cls(code // classes, code % classes, max_lane)


NOBODY = _Held(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def lanes_needed(network: Network, parts: Iterable[Leg | Turns], orders: Sequence[LaneOrder]) -> list[Ints]:
    """Return for each order how many lanes each block needs: of all that a routing uses, [blocks] each."""
    classes = [_Classes.from_order(order) for order in orders]
    max_lane = [np.zeros(int(order.block.max(initial=0)) + 1, dtype=np.int64) for order in orders]
    arrived = [np.full(each.count, -1, dtype=np.int64) for each in classes]
    for part in parts:
        if isinstance(part, Turns):
            continue  # arrivals are handed to second legs
        for each, blocks, came in zip(classes, max_lane, arrived, strict=True):
            start = _arrivals(network, part, each, came) if part.stage == "second" else NOBODY
            last = _follow(network, part, each, blocks, start)
            if part.stage == "first":
                np.maximum.at(came, last.cls, last.lane)
    return [blocks + 1 for blocks in max_lane]


def _arrivals(network: Network, leg: Leg, classes: _Classes, came: Ints) -> _Held:
    """Return what may come to where a second leg begins: by every channel there of a class by which something comes to
    an intermediate, on the highest lane of that."""
    begin = np.zeros(network.vertices, dtype=bool)
    begin[np.flatnonzero((leg.given > 0) & (leg.steps > 0))] = True
    arcs = np.flatnonzero(begin[network.head] & (came[classes.of] >= 0))
    of = classes.of[arcs]
    return _Held.highest(network.head[arcs].astype(np.int64), of, came[of], classes.count)


def _follow(network: Network, leg: Leg, classes: _Classes, most: Ints, start: _Held) -> _Held:
    """Raise `most` ([blocks]) to the highest lanes on a leg; return what comes to its goal."""
    waiting: dict[int, list[_Held]] = defaultdict(list)
    for level in np.unique(leg.steps[start.vertex]).tolist():
        here = leg.steps[start.vertex] == level
        waiting[level].append(_Held(start.vertex[here], start.cls[here], start.lane[here]))
    tails = network.tail[leg.arcs].astype(np.int64)
    order = np.argsort(-leg.steps[tails], kind="stable")
    arcs, tails = leg.arcs[order], tails[order]
    level_of = leg.steps[tails]
    bounds = np.append(np.flatnonzero(np.diff(level_of, prepend=-1)), len(arcs))
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        out, tail = arcs[begin:end], tails[begin:end]
        lane = _lanes_out(_joined(waiting.pop(int(level_of[begin]), []), classes), tail, classes.of[out], classes)
        np.maximum.at(most, classes.block[classes.of[out]], lane)
        head = network.head[out].astype(np.int64)
        for level in np.unique(leg.steps[head]).tolist():
            on = leg.steps[head] == level
            waiting[level].append(_Held.highest(head[on], classes.of[out[on]], lane[on], classes.count))
    return _joined(waiting.pop(0, []), classes)


def _joined(held: list[_Held], classes: _Classes) -> _Held:
    if not held:
        return NOBODY
    vertex, cls, lane = (
        np.concatenate(column) for column in zip(*((h.vertex, h.cls, h.lane) for h in held), strict=True)
    )
    return _Held.highest(vertex, cls, lane, classes.count)


def _lanes_out(held: _Held, tail: Ints, wanted: Ints, classes: _Classes) -> NDArray[np.int64]:
    """Return the highest lane on which packets leave by each of some channels, of classes `wanted` at vertices
    `tail`."""
    code, place = np.unique(tail * classes.count + wanted, return_inverse=True)
    vertex, cls = code // classes.count, code % classes.count
    lane = np.zeros(len(code), dtype=np.int64)
    low, high = np.searchsorted(held.vertex, vertex), np.searchsorted(held.vertex, vertex, side="right")
    total = np.cumsum(high - low)
    begin = 0
    while begin < len(code):
        end = max(begin + 1, int(np.searchsorted(total, (total[begin - 1] if begin else 0) + AT_ONCE, side="right")))
        one = concatenate_ranges(low[begin:end], high[begin:end])
        two = np.repeat(np.arange(begin, end), (high - low)[begin:end])
        np.maximum.at(lane, two, classes.next_lane(held.cls[one], held.lane[one], cls[two]))
        begin = end
    return np.asarray(lane[place.ravel()])
