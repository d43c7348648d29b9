"""Layers of pairs of which none has a cycle of channel dependencies: a virtual lane for each.

LASH (Skeie, Lysne and Theiss, IPDPS 2002) takes pair by pair, here those of the longest paths first, and puts each into
the first layer in which its dependencies close no cycle. Whether they do is kept track of as they come (Pearce and
Kelly, ACM JEA 11, 2006): an order of the channels of a layer in which every dependency rises. A dependency that closes
a cycle once does so for ever, as layers only grow.
"""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Ints


class LaneLayers:
    """Layers that pairs are put into, some after others; there are at most `most`.

    Dependency w is of channel `after[w]` on channel `before[w]`.
    """

    def __init__(self, before: Ints, after: Ints, most: int) -> None:
        channels, ends = np.unique(np.concatenate([before, after]), return_inverse=True)
        ends = ends.ravel()
        self._before, self._after = ends[: len(before)].tolist(), ends[len(before) :].tolist()
        self._channels = len(channels)
        self._most = most
        self._layers: list[_Layer] = []

    def put(self, start: Ints, wait: Ints) -> Ints | None:
        """Return the layer of each pair, those of most dependencies taken first; None where there are too few layers.

        Pair p needs dependencies `wait[start[p] : start[p + 1]]`.
        """
        layer_of = np.zeros(len(start) - 1, dtype=np.int64)
        for pair in np.argsort(-np.diff(start), kind="stable").tolist():
            number = self._first(wait[start[pair] : start[pair + 1]].tolist())
            if number is None:
                return None
            layer_of[pair] = number
        return layer_of

    def _first(self, waits: list[int]) -> int | None:
        for number in range(self._most):
            if number == len(self._layers):
                self._layers.append(_Layer.empty(self._before, self._after, self._channels))
            if self._layers[number].admits(waits):
                return number
        return None


@frozen(eq=False)
class _Layer:
    """Dependencies without a cycle, with a `rank` of each channel that rises along them."""

    before: list[int]
    after: list[int]
    rank: list[int]
    onward: list[list[int]]
    back: list[list[int]]
    inside: set[int] = field(factory=set)
    never: set[int] = field(factory=set)

    @classmethod
    def empty(cls, before: list[int], after: list[int], channels: int) -> _Layer:
        """Return a layer without dependencies."""
        onward, back = ([list[int]() for _ in range(channels)] for _ in range(2))
        return cls(before, after, list(range(channels)), onward, back)

    def admits(self, waits: list[int]) -> bool:
        """Return whether the dependencies of a pair close no cycle; if so, they are in now."""
        if not self.never.isdisjoint(waits):
            return False
        added: list[int] = []
        for wait in waits:
            if wait in self.inside:
                continue
            if not self._insert(self.before[wait], self.after[wait]):
                for each in added:
                    self._remove(each)
                if not added or not self._insert(self.before[wait], self.after[wait]):
                    self.never.add(wait)
                else:
                    self._forget(wait)
                return False
            self.inside.add(wait)
            added.append(wait)
        return True

    def _remove(self, wait: int) -> None:
        self.inside.discard(wait)
        self._forget(wait)

    def _forget(self, wait: int) -> None:
        self.onward[self.before[wait]].remove(self.after[wait])
        self.back[self.after[wait]].remove(self.before[wait])

    def _insert(self, one: int, two: int) -> bool:
        """Return whether a dependency closes no cycle; if so, it is in now, and ranks rise along it."""
        rank = self.rank
        low, high = rank[two], rank[one]
        if low <= high:
            ahead = self._reached(two, self.onward, one)
            if one in ahead:
                return False
            moved = sorted(self._reached(one, self.back, two), key=rank.__getitem__)
            moved += sorted(ahead, key=rank.__getitem__)
            for channel, place in zip(moved, sorted([rank[each] for each in moved]), strict=True):
                rank[channel] = place
        self.onward[one].append(two)
        self.back[two].append(one)
        return True

    def _reached(self, start: int, edges: list[list[int]], other: int) -> set[int]:
        """Return the channels that are reached over edges by way of such as are ranked between two; some of them only
        where the other is among them."""
        rank = self.rank
        low, high = sorted((rank[start], rank[other]))
        seen = {start}
        waiting = [start]
        while waiting and other not in seen:
            for each in edges[waiting.pop()]:
                if each not in seen and low <= rank[each] <= high:
                    seen.add(each)
                    waiting.append(each)
        return seen
