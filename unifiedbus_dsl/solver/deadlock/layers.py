"""Layers of pairs of which none has a cycle of channel dependencies: a virtual lane for each, which a pair keeps.

**LASH** (Skeie, Lysne and Theiss, IPDPS 2002) takes pair by pair, here those of the longest paths first, and puts each
into the first layer in which its dependencies close no cycle. Whether they do is kept track of as they come (Pearce and
Kelly, ACM JEA 11, 2006): an order of the channels of a layer in which every dependency rises. A dependency that closes
a cycle once does so for ever, as layers only grow.

**DFSSSP** (Domke, Hoefler and Nagel, IPDPS 2011) begins with all pairs in one layer. While that has a cycle, the pairs
of that dependency of the cycle which fewest have go to the next layer; then the next layer is looked at.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve, field, frozen

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


@frozen(eq=False)
class PairWaits:
    """Dependencies of channels, each of channel `after[w]` on channel `before[w]`, and those of each pair p:
    `wait[start[p] : start[p + 1]]`."""

    before: Ints
    after: Ints
    start: Ints
    wait: Ints

    @property
    def pairs(self) -> int:
        return len(self.start) - 1


def lash(waits: PairWaits, most: int) -> Ints | None:
    """Return the layer of each pair by LASH; None where `most` layers are too few."""
    return LaneLayers(waits.before, waits.after, most).put(waits.start, waits.wait)


def dfsssp(waits: PairWaits, most: int) -> Ints | None:
    """Return the layer of each pair by DFSSSP; None where `most` layers are too few."""
    layer_of = np.zeros(waits.pairs, dtype=np.int64)
    layer = _ShrinkingLayer(waits)
    for number in range(most):
        moved = layer.break_cycles(np.flatnonzero(layer_of == number).tolist())
        if not moved:
            return layer_of
        layer_of[moved] = number + 1
    return None


class _ShrinkingLayer:
    """A layer that loses pairs until its dependencies have no cycle."""

    def __init__(self, waits: PairWaits) -> None:
        channels, ends = np.unique(np.concatenate([waits.before, waits.after]), return_inverse=True)
        ends = ends.ravel()
        self._before, self._after = ends[: len(waits.before)].tolist(), ends[len(waits.before) :].tolist()
        self._onward: list[list[int]] = [[] for _ in channels]
        for wait, channel in enumerate(self._before):
            self._onward[channel].append(wait)
        self._of_pair = [each.tolist() for each in np.split(waits.wait, waits.start[1:-1])] if waits.pairs else []
        self._count: list[int] = []

    def break_cycles(self, pairs: list[int]) -> list[int]:
        """Return which of the pairs have to leave, so that those that stay close no cycle."""
        self._count = [0] * len(self._before)
        having: list[list[int]] = [[] for _ in self._before]
        for pair in pairs:
            for wait in self._of_pair[pair]:
                self._count[wait] += 1
                having[wait].append(pair)
        left: set[int] = set()
        done = [False] * len(self._onward)
        for channel in range(len(self._onward)):
            self._search(channel, done, having, left)
        return sorted(left)

    def _search(self, root: int, done: list[bool], having: list[list[int]], left: set[int]) -> None:
        """Search for cycles depth first from a channel, and break each. What is done reaches no cycle, and never will,
        as dependencies only go."""
        path: list[int] = []  # dependencies from the root on
        channels, tried = [root], [0]
        place = {root: 0}
        while channels and not done[root]:
            onward = self._onward[channels[-1]]
            if tried[-1] == len(onward):
                done[channels[-1]] = True
                del place[channels.pop()]
                tried.pop()
                if path:
                    path.pop()
                continue
            wait = onward[tried[-1]]
            tried[-1] += 1
            after = self._after[wait]
            if not self._count[wait] or done[after]:
                continue
            if after not in place:
                path.append(wait)
                place[after] = len(channels)
                channels.append(after)
                tried.append(0)
                continue
            cycle = [*path[place[after] :], wait]
            self._remove(min(cycle, key=self._count.__getitem__), having, left)
            gone = next((k for k, each in enumerate(path) if not self._count[each]), len(path))
            for each in channels[gone + 1 :]:
                del place[each]
            del path[gone:], channels[gone + 1 :], tried[gone + 1 :]

    def _remove(self, wait: int, having: list[list[int]], left: set[int]) -> None:
        """Take the pairs away that have a dependency."""
        for pair in having[wait]:
            if pair not in left:
                left.add(pair)
                for each in self._of_pair[pair]:
                    self._count[each] -= 1


@frozen(eq=False)
class Layering:
    """The layer of each pair by the `scheme` that takes fewest; None where all take too many. `tried` says how many
    layers each scheme took."""

    layer_of: Ints | None
    scheme: str
    tried: dict[str, int | None]

    @property
    def layers(self) -> int:
        return 0 if self.layer_of is None else int(self.layer_of.max(initial=0)) + 1


SCHEMES = {"LASH": lash, "DFSSSP": dfsssp}


def fewest_layers(waits: PairWaits, most: int, enough: int) -> Layering:
    """Return the layers of that scheme which takes fewest, at most `most`, or of the first that takes `enough`."""
    best = Layering(None, "", {})
    for name, scheme in SCHEMES.items():
        layer_of = scheme(waits, most)
        layers = None if layer_of is None else int(layer_of.max(initial=0)) + 1
        tried = best.tried | {name: layers}
        better = layers is not None and (best.layer_of is None or layers < best.layers)
        best = Layering(layer_of, name, tried) if better else evolve(best, tried=tried)
        if best.layer_of is not None and best.layers <= enough:
            break
    return best
