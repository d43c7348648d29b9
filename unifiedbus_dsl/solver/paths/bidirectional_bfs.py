"""Shortest paths of listed pairs, many pairs at once: what each arc carries of each pair, as `ecmp` splits it.

A sweep finds the way from everywhere to one target. Where each target has a source or two of its own, as in a
permutation, that is far too much: here two searches, one from either end, meet half way. Pairs are worked on in blocks;
the sets of a block are columns of (pair, vertex), and whether one is in a set is looked up in an array of both.

The search from the target goes its ways backwards: it sees the vertices that the other way passes.

A path of least length passes its vertices in order of their distance from either end. So where the searches of depth m
and k first meet, the hops are m + k, and the paths are the arcs of the searches that lead to where they met.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ids, Ints, bincount, concatenate_ranges
from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.solver.bounds import NoPathError

ENTRIES = 1 << 21
"""Entries of (pair, vertex) in a block, more or less: three arrays of these are looked into at random."""
LEAST, MOST = 16, 1024
"""Pairs in a block."""
SAMPLE = 32
"""Pairs that are tried to tell what all would cost."""
PER_ARC = 40e-9
"""Seconds, about, of an arc that a search looks at."""


@frozen(eq=False)
class HopArcs:
    """Arcs of one hop, towards the end that the search is going to: `pair`, `tail`, `arc`, `head` [n]."""

    pair: Ints
    tail: Ids
    arc: Ints
    head: Ids

    def only(self, chosen: Bools) -> HopArcs:
        return HopArcs(self.pair[chosen], self.tail[chosen], self.arc[chosen], self.head[chosen])

    def turned(self, network: Network) -> HopArcs:
        """Return the same cables the other way."""
        back = network.opposite[self.arc].astype(np.int64)
        return HopArcs(self.pair, network.turn(self.head), back, network.turn(self.tail))


@define(eq=False)
class _Search:
    """From one end of each pair: the frontier, and the steps that led to it. `seen` [pairs · V] are all vertices at
    which a path may go on."""

    network: Network
    seen: Bools
    pair: Ints
    vertex: Ids
    keys: list[Ints] = field(factory=list)
    steps: list[HopArcs] = field(factory=list)

    @classmethod
    def of(cls, network: Network, seen: Bools, ends: Ints) -> _Search:
        start, stop = network.end_start[ends], network.end_start[ends + 1]
        pair = np.repeat(np.arange(len(ends)), stop - start)
        search = cls(network, seen, pair, network.end_order[concatenate_ranges(start, stop)])
        search._enter(pair * network.vertices + search.vertex)
        return search

    @property
    def work(self) -> int:
        """Arcs out of the frontier."""
        return int((self.network.indptr[self.vertex + 1] - self.network.indptr[self.vertex]).sum())

    def _enter(self, key: Ints) -> None:
        self.seen[key] = True
        self.keys.append(key)

    def step(self) -> tuple[HopArcs, Ints]:
        """Return all arcs out of the frontier, with the key (pair, head) of each."""
        network = self.network
        arcs = arcs_of_rows(network, self.vertex)
        degree = network.indptr[self.vertex + 1] - network.indptr[self.vertex]
        made = HopArcs(np.repeat(self.pair, degree), np.repeat(self.vertex, degree), arcs, network.head[arcs])
        self.steps.append(made)
        return made, made.pair * network.vertices + made.head

    def move(self, made: HopArcs, key: Ints, alive: Bools, number: NDArray[np.int32]) -> None:
        """On to the new vertices that forward, of pairs that have not met."""
        onward = np.flatnonzero(self.network.forwards[made.head] & alive[made.pair] & ~self.seen[key])
        _, first = _numbered(key[onward], number)
        onward = onward[first]
        self.pair, self.vertex = made.pair[onward], made.head[onward]
        self._enter(key[onward])

    def clear(self) -> None:
        for key in self.keys:
            self.seen[key] = False


def _numbered(key: Ints, number: NDArray[np.int32]) -> tuple[NDArray[np.int32], Ints]:
    """Dense numbers of equal keys, and where each number occurs. `number` [keys] is room to write in."""
    place = np.arange(len(key), dtype=np.int32)
    number[key] = place
    first = np.flatnonzero(number[key] == place)
    number[key[first]] = np.arange(len(first), dtype=np.int32)
    return number[key], first


@frozen(eq=False)
class Shares:
    """`share[i]` of what pair `pair[i]` sends crosses arc `arc[i]`; pairs in any order, an arc of a pair once."""

    pair: Ints
    arc: Ints
    share: Floats


def pair_shares(network: Network, weight: Floats, source: Ints, target: Ints) -> Iterator[Shares]:
    """Yield shares of each pair of different end points on its shortest paths, at each vertex in proportion to `weight`
    [A]; pairs are numbered in order. A piece for each length of path in each block of pairs.

    Raises:
        NoPathError: a pair has no path.
    """
    size = int(np.clip(ENTRIES // max(network.vertices, 1), LEAST, MOST))
    size = max(1, min(size, len(source)))
    workspace = Workspace.of(size * network.vertices)
    with task("paths of pairs", len(source)) as done:
        for begin in range(0, len(source), size):
            one, two = source[begin : begin + size], target[begin : begin + size]
            for ways in _block(network, workspace, one, two):
                shares = _shares(network, weight, ways, workspace.number)
                yield Shares(shares.pair + begin, shares.arc, shares.share)
            done(len(one))


@define(eq=False)
class Workspace:
    """Arrays over (pair, vertex) that all blocks share, the flags all false between blocks; and how many arcs the
    searches have looked at."""

    ahead: Bools
    behind: Bools
    on: Bools
    number: NDArray[np.int32]
    looked: int = 0

    @classmethod
    def of(cls, entries: int) -> Workspace:
        flags = [np.zeros(entries, dtype=bool) for _ in range(3)]
        return cls(flags[0], flags[1], flags[2], np.zeros(entries, dtype=np.int32))


def _block(network: Network, room: Workspace, source: Ints, target: Ints) -> Iterator[list[HopArcs]]:
    """For each length of path the steps from source to target, of all pairs that are so far apart."""
    here, there = _Search.of(network, room.ahead, source), _Search.of(network, room.behind, target)
    alive = np.ones(len(source), dtype=bool)
    try:
        while alive.any():
            mine, other = (here, there) if here.work <= there.work else (there, here)
            if not mine.work:
                mine, other = other, mine
            if not mine.work:
                raise NoPathError("some end points have no path to each end point that they send to")
            made, key = mine.step()
            room.looked += len(key)
            met = other.seen[made.pair * network.vertices + network.turn(made.head)] & alive[made.pair]
            if met.any():
                ways = _shortest_path_dag(network, room, mine, other, made.only(met))
                yield ways if mine is here else [step.turned(network) for step in reversed(ways)]
                alive[made.pair[met]] = False
            mine.move(made, key, alive, room.number)
            kept = alive[other.pair]
            other.pair, other.vertex = other.pair[kept], other.vertex[kept]
    finally:
        here.clear()
        there.clear()


def _shortest_path_dag(
    network: Network, room: Workspace, mine: _Search, other: _Search, last: HopArcs
) -> list[HopArcs]:
    """Steps in the direction of `mine`: back from where the searches met to its start, and on to the other's."""
    steps = [last]
    for step in reversed(mine.steps[:-1]):
        steps.append(_leading(network, room, step, steps[-1].pair, steps[-1].tail))
    steps.reverse()
    for step in reversed(other.steps):
        steps.append(_leading(network, room, step, steps[-1].pair, network.turn(steps[-1].head)).turned(network))
    return steps


def _leading(network: Network, room: Workspace, step: HopArcs, pair: Ints, vertex: Ids) -> HopArcs:
    """Return the arcs of a step whose heads are among these vertices of pairs."""
    key = pair * network.vertices + vertex
    room.on[key] = True
    hop_arcs = step.only(room.on[step.pair * network.vertices + step.head])
    room.on[key] = False
    return hop_arcs


def _shares(network: Network, weight: Floats, ways: list[HopArcs], number: NDArray[np.int32]) -> Shares:
    """Return a unit of each pair, split at each vertex in proportion to the weights of the arcs that lead nearer; at
    the start over all arcs of all its vertices."""
    shares: list[Floats] = []
    for step in ways:
        heavy = weight[step.arc]
        if not shares:
            share = heavy / bincount(step.pair, heavy, int(step.pair.max()) + 1)[step.pair]
        else:
            before, passed = ways[len(shares) - 1], shares[-1]
            key = np.concatenate(
                [step.pair * network.vertices + step.tail, before.pair * network.vertices + before.head]
            )
            both, _ = _numbered(key, number)
            tails, heads = both[: len(heavy)], both[len(heavy) :]
            size = int(both.max()) + 1
            share = (bincount(heads, passed, size) / bincount(tails, heavy, size))[tails] * heavy
        shares.append(share)
    pair, arc = np.concatenate([step.pair for step in ways]), np.concatenate([step.arc for step in ways])
    return Shares(pair, arc, np.concatenate(shares))


def estimate_steps(network: Network, source: int, target: int) -> list[HopArcs]:
    """Return the arcs of all paths of fewest hops between two different end points, hop by hop.

    Raises:
        NoPathError: there is no path.
    """
    workspace = Workspace.of(network.vertices)
    (ways,) = _block(network, workspace, np.array([source]), np.array([target]))
    return ways


def estimate_seconds(network: Network, source: Ints, target: Ints) -> float:
    """About how long `pair_shares` of these pairs takes, told from the arcs that a sample of them looks at."""
    if not len(source):
        return 0.0
    some = np.unique(np.linspace(0, len(source) - 1, min(SAMPLE, len(source))).astype(np.int64))
    workspace = Workspace.of(len(some) * network.vertices)
    for _ in _block(network, workspace, source[some], target[some]):
        pass
    return workspace.looked * PER_ARC * len(source) / len(some)


def pair_loads(network: Network, weight: Floats, source: Ints, target: Ints, rate: Floats) -> Floats:
    """Return what each arc carries when pair i sends `rate[i]`, [A]."""
    total = np.zeros(network.arcs)
    held: list[tuple[Ints, Floats]] = []
    many = 0
    for shares in pair_shares(network, weight, source, target):
        held.append((shares.arc, shares.share * rate[shares.pair]))
        many += len(shares.arc)
        if many >= network.arcs:
            total += _summed(held, network.arcs)
            held, many = [], 0
    return total + _summed(held, network.arcs)


def _summed(held: list[tuple[Ints, Floats]], arcs: int) -> Floats:
    if not held:
        return np.zeros(arcs)
    return bincount(np.concatenate([arc for arc, _ in held]), np.concatenate([load for _, load in held]), arcs)
