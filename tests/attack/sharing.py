"""Max-min fair rates, and collectives step by step, in plain loops over the shares of a drawn machine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np

from tests.attack.oracle import Oracle

Flow = tuple[int, int, float]
"""Source, target, and what it carries as a part of the size."""
MOST_CHOICES = 64
"""Choices of a path for each flow up to which all are tried."""
Steps = list[tuple[list[Flow], int]]
"""Steps of flows that begin together, each so many times."""


class Sharing:
    """Flows on equal shares over paths of fewest cables; the shares of a pair are found once."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        ends = len(oracle.devices)
        able = np.array([each.injection_GBps * 1e9 or math.inf for each in oracle.devices])
        self.capacity = np.concatenate([[each[2] for each in oracle.arcs], able, able])
        self.known: dict[tuple[int, int], np.ndarray] = {}
        self.slow: dict[tuple[int, int], float] = {}
        self.ends = ends

    def row(self, source: int, target: int) -> np.ndarray:
        """What a flow of rate 1 takes of each arc, of what devices send, and of what they receive."""
        if (source, target) not in self.known:
            sides = np.zeros(2 * self.ends)
            sides[[source, self.ends + target]] = 1.0
            self.known[source, target] = np.concatenate([self.oracle.shares(source, target), sides])
        return self.known[source, target]

    def rates(self, pairs: list[tuple[int, int]]) -> np.ndarray:
        """All flows grow together until something is full; those on it stay as they are."""
        return self._filled(np.array([self.row(*pair) for pair in pairs]))

    def _filled(self, use: np.ndarray) -> np.ndarray:
        rate, growing = np.zeros(len(use)), np.ones(len(use), dtype=bool)
        while growing.any():
            taken, wanted = rate @ use, growing @ use
            room = np.where(wanted > 1e-12, (self.capacity - taken) / np.maximum(wanted, 1e-12), math.inf)
            step = room.min()
            rate[growing] += step
            full = (wanted > 1e-12) & (room <= step + 1e-9 * (rate.max() + step))
            growing &= ~(use[:, full] > 1e-12).any(axis=1)
        return rate

    def of_single_paths(self, pairs: list[tuple[int, int]]) -> set[float] | None:
        """The least rates that flows have for each choice of one path of fewest cables a flow; None where choices are
        too many."""
        ways = [self._paths(*pair) for pair in pairs]
        if math.prod(map(len, ways)) > MOST_CHOICES:
            return None
        found = set()
        for choice in product(*ways):
            use = np.zeros((len(pairs), len(self.capacity)))
            for flow, (path, (source, target)) in enumerate(zip(choice, pairs, strict=True)):
                use[flow, [*path, len(self.oracle.arcs) + source, len(self.oracle.arcs) + self.ends + target]] = 1.0
            found.add(float(self._filled(use).min()))
        return found

    def _paths(self, source: int, target: int) -> list[tuple[int, ...]]:
        """All paths of fewest cables, as numbers of arcs."""
        carried = self.oracle.shares(source, target) > 0
        found: list[tuple[int, ...]] = []
        begun: list[tuple[object, tuple[int, ...]]] = [(source, ())]
        while begun:
            node, path = begun.pop()
            for arc in self.oracle.out[node]:
                head = self.oracle.arcs[arc][1]
                if not carried[arc]:
                    continue
                if head[0] == target:
                    found.append((*path, arc))
                else:
                    begun.append((head, (*path, arc)))
        fewest = min(map(len, found))
        return [path for path in found if len(path) == fewest]

    def completion(self, flows: list[Flow]) -> float:
        """Seconds until the last of the flows, of so many bytes each, is through; rates are fair again after each."""
        left = [(s, t, size) for s, t, size in flows if size > 0]
        now = 0.0
        while left:
            rate = self.rates([(s, t) for s, t, _ in left])
            step = min(size / r for (_, _, size), r in zip(left, rate, strict=True))
            now += step
            rest = [(s, t, size - r * step) for (s, t, size), r in zip(left, rate, strict=True)]
            left = [(s, t, size) for s, t, size in rest if size > 1e-9 * max(f[2] for f in flows)]
        return now

    def slowest(self, source: int, target: int) -> float:
        """Latency of the slowest path of fewest cables of a pair."""
        if (source, target) not in self.slow:
            self.slow[source, target] = self._slowest(source, target)
        return self.slow[source, target]

    def _slowest(self, source: int, target: int) -> float:
        oracle, load = self.oracle, self.oracle.shares(source, target)
        longest: dict[object, float] = {source: 0.0}
        for _ in oracle.arcs:  # a path may pass a device of two sides more than once, an arc only once
            onward: dict[object, float] = {}
            for node, time in longest.items():
                passing = oracle.devices[node[0]].latency_ns * 1e-9 if isinstance(node, tuple) else 0.0
                for k in oracle.out[node]:
                    _, head, _, latency = oracle.arcs[k]
                    if load[k] > 0:
                        goal: object = target if head[0] == target else head
                        onward[goal] = max(onward.get(goal, 0.0), time + passing + latency)
            if target in onward:
                return onward[target]
            longest = onward
        raise AssertionError("a path never arrives")

    def time(self, steps: Steps, size: float) -> float:
        """Seconds of a collective of so many bytes."""
        total = 0.0
        for flows, times in steps:
            latency = max(self.slowest(s, t) for s, t, _ in flows)
            total += times * (self.completion([(s, t, part * size) for s, t, part in flows]) + latency)
        return total


# ---- schedules ------------------------------------------------------------------------------------------------------


def schedules(collective: str, who: list[int]) -> Iterator[tuple[str, Steps]]:
    """Algorithms that these members can do a collective by, in words of what is sent: of n pieces of size / n each
    member ends with all (all-gather) or with one added up (reduce-scatter)."""
    n = len(who)
    every = [(s, t, 1 / n) for s in who for t in who if s != t]
    ring = [(who[i], who[(i + 1) % n], 1 / n) for i in range(n)]
    tree, scatter = _tree(who)
    back = [([(t, s, part) for s, t, part in flows], 1) for flows, _ in reversed(tree)]
    gathered = [([(t, s, part) for s, t, part in flows], 1) for flows, _ in reversed(scatter)]
    once: dict[str, Steps] = {"direct": [(every, 1)], "ring": [(ring, n - 1)]}
    exchange: Steps = []
    if n & (n - 1) == 0:
        halves = [1 << k for k in range(n.bit_length() - 1)]
        exchange = [([(who[i], who[i ^ far], 0.5 / far) for i in range(n)], 1) for far in halves]
    if collective == "alltoall":
        yield "direct", once["direct"]
        yield "bruck", _by_digits(who)
        # piece k goes k times to the next: in step j each sends the n - j that go further
        yield "ring", [([(s, t, (n - j) / n) for s, t, _ in ring], 1) for j in range(1, n)]
        if exchange:
            yield "halving_doubling", [([(s, t, 0.5) for s, t, _ in flows], 1) for flows, _ in exchange]
        return
    if collective == "broadcast":
        yield "direct", [([(who[0], t, 1.0) for t in who[1:]], 1)]
        yield "tree", tree
        yield "ring", scatter + once["ring"]
        yield "bruck", scatter + _doubled(who)
        if exchange:
            yield "halving_doubling", scatter + exchange[::-1]
        return
    twice = 2 if collective == "allreduce" else 1
    for name, steps in once.items():
        yield name, steps * twice
    if exchange:
        yield (
            "halving_doubling",
            {"allgather": exchange[::-1], "reducescatter": exchange}.get(collective, exchange + exchange[::-1]),
        )
    doubled = _doubled(who)
    halved = [([(t, s, part) for s, t, part in flows], 1) for flows, _ in reversed(doubled)]
    yield "bruck", {"allgather": doubled, "reducescatter": halved}.get(collective, halved + doubled)
    yield "tree", {"allgather": gathered + tree, "reducescatter": back + scatter}.get(collective, back + tree)


def _by_digits(who: list[int]) -> Steps:
    """Pieces (from, to) wander by the binary digits of how far they go; each holder sends what has that digit."""
    n = len(who)
    at = {(s, t): s for s in range(n) for t in range(n)}
    steps: Steps = []
    far = 1
    while far < n:
        moving = [piece for piece in at if (piece[1] - piece[0]) % n // far % 2]
        sent = Counter(at[piece] for piece in moving)
        steps.append(([(who[i], who[(i + far) % n], sent[i] / n) for i in range(n)], 1))
        at |= {piece: (at[piece] + far) % n for piece in moving}
        far *= 2
    assert all(place == t for (_, t), place in at.items())
    return steps


def _doubled(who: list[int]) -> Steps:
    """Each sends on what the one 1, 2, 4, … further does not hold yet, until all hold everything."""
    n = len(who)
    holds = [{i} for i in range(n)]
    steps: Steps = []
    far = 1
    while far < n:
        sent = [holds[i] - holds[(i + far) % n] for i in range(n)]
        steps.append(([(who[i], who[(i + far) % n], len(sent[i]) / n) for i in range(n)], 1))
        holds = [holds[i] | sent[i - far] for i in range(n)]
        far *= 2
    assert all(len(each) == n for each in holds)
    return steps


def _tree(who: list[int]) -> tuple[Steps, Steps]:
    """Binomial broadcast of the whole, and scatter of the pieces that each and those below it want, from the first."""
    n = len(who)
    whole, pieces = [], []
    far = 1 << (n - 1).bit_length() >> 1
    while far:
        senders = [i for i in range(0, n, 2 * far) if i + far < n]
        whole.append(([(who[i], who[i + far], 1.0) for i in senders], 1))
        pieces.append(([(who[i], who[i + far], min(far, n - i - far) / n) for i in senders], 1))
        far //= 2
    return whole, pieces
