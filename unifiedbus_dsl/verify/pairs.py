"""Hops and latencies over pairs of end points, shown by labels: how far each vertex is from a target.

Labels are distances where two things hold, each of them one pass over the arcs:

    no arc leads further than its length      label(head) <= label(tail) + passing(tail) + length(arc)
    each label is reached                     some arc into the vertex makes this an equality

and the target has 0. What is not reached is infinite. Of targets that automorphisms carry to each other one is enough;
the automorphisms are checked (`verify.symmetries`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.distances import fewest_cables_to
from unifiedbus_dsl.verify.symmetries import Move, end_orbits

SAME = 1e-12
"""Relative difference of two sums of lengths that are the same but for the order of addition."""


@frozen(eq=False)
class Lengths:
    """What a path is made of: `arc` [K] of an arc of each kind, `passing` [V] of a vertex on the way."""

    arc: Floats
    passing: Floats

    @classmethod
    def hops(cls, cables: Cables, arcs: Arcs) -> Lengths:
        """Return lengths of one a cable."""
        return cls(np.ones(len(arcs.capacity_Bps)), np.zeros(cables.vertices))

    @classmethod
    def seconds(cls, cables: Cables, arcs: Arcs) -> Lengths:
        return cls(arcs.latency_s, cables.passing_s)


@frozen(eq=False)
class Seen:
    """Pairs to one target, `copies` targets like it counted: how many have each of `values` (in units of a resolution,
    ascending), and how many have no path."""

    target: int
    copies: int
    values: Floats
    pairs: Ints
    unreachable: int


def see(
    cables: Cables,
    arcs: Arcs,
    lengths: Lengths,
    target: int,
    copies: int,
    labels: Mapping[float, Floats],
    senders: Bools,
    resolution: float,
    message_bytes: float = 0.0,
) -> Seen:
    """Return the pairs to a target from its labels, after these were checked: over cables of at least so many byte/s
    each, where a message is as slow as the narrowest cable of its path.

    Raises:
        VerificationError: some labels are no distances.
    """
    match(arcs, cables)
    min_distance = np.full(cables.ends, np.inf)
    at = np.flatnonzero(cables.end >= 0)
    for width, label in labels.items():
        check_labels(cables, arcs, lengths, cables.end == target, label, width)
        further = message_bytes / width if message_bytes else 0.0
        np.minimum.at(min_distance, cables.end[at], label[at] + further)
    if message_bytes:
        present = arcs.capacity_Bps[np.flatnonzero(np.bincount(arcs.kind))]
        require({*present.tolist()} == {*labels}, "labels for each width of cable")
    some = senders.copy()
    some[target] = False
    own = min_distance[some]
    reached = np.isfinite(own)
    values, pairs = np.unique(np.round(own[reached] / resolution), return_counts=True)
    return Seen(target, copies, values, pairs.astype(np.int64) * copies, int((~reached).sum()) * copies)


def check_labels(cables: Cables, arcs: Arcs, lengths: Lengths, goal: Bools, label: Floats, width: float = 0.0) -> None:
    """Hold labels [V] to be distances from the vertices `goal` [V] over vertices that forward.

    Raises:
        VerificationError: they are not.
    """
    require(len(label) == cables.vertices and not np.isnan(label).any(), "a label for each vertex")
    require((label[goal] == 0).all() and not (label < 0).any(), "the labels do not begin at 0")
    through = np.where(goal, 0.0, lengths.passing) + label
    passes, reached, tight = (cables.forwards | goal) & np.isfinite(label), goal.copy(), []
    for some, tails, _ in arcs.pieces():
        kind = arcs.kind[some]
        used = passes[tails] & (arcs.capacity_Bps[kind] >= width)
        tail, head = tails[used], arcs.head[some][used]
        offer = through[tail] + lengths.arc[kind[used]]
        slack = SAME * offer
        require(not (label[head] > offer + slack).any(), "a label is more than a way to it takes")
        equal = label[head] >= offer - slack
        falls = equal & (label[tail] < label[head])
        reached[head[falls]] = True
        if not falls.all():
            level = equal & ~falls
            tight.append((tail[level], head[level]))
    if not (reached | np.isinf(label)).all():
        reached = _spread(reached, np.concatenate([t for t, _ in tight]), np.concatenate([h for _, h in tight]))
    require((reached == np.isfinite(label)).all(), "a label is less than any way to it takes")


def _spread(reached: Bools, tail: Ints, head: Ints) -> Bools:
    """Return what is reached along arcs that take no time."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order

    n, start = len(reached), np.flatnonzero(reached)
    tails, heads = np.append(tail, np.full(len(start), n)), np.append(head, start)
    graph = csr_matrix((np.ones(len(tails), np.int8), (tails, heads)), shape=(n + 1, n + 1))
    order = breadth_first_order(graph, n, return_predecessors=False)
    reached_now = np.zeros(n + 1, dtype=bool)
    reached_now[order] = True
    return reached_now[:n]


@frozen(eq=False)
class PairsCertificate:
    """How many ordered pairs of different end points (`senders` and `receivers` [E]) have each value, from targets that
    were seen. `value` [n] (in units of `resolution`) and `pairs` [n] are what is claimed, `unreachable` those without a
    path; with `mean` the answer is the mean, else the largest."""

    arcs: Arcs
    moves: Sequence[Move]
    senders: Bools
    receivers: Bools
    seen: Sequence[Seen]
    value: Floats
    pairs: Ints
    unreachable: int
    resolution: float
    mean: bool = False

    def prove(self, cables: Cables) -> Proved:
        match(self.arcs, cables)
        orbit = end_orbits(cables, self.arcs, self.moves, self.senders, self.receivers)
        size = np.bincount(orbit[self.receivers], minlength=int(orbit.max(initial=-1)) + 1)
        covered = np.zeros(len(size), dtype=np.int64)
        counts: dict[float, int] = {}
        unreachable = 0
        for each in self.seen:
            require(bool(self.receivers[each.target]), "a target that is not asked about")
            covered[orbit[each.target]] += each.copies
            unreachable += each.unreachable
            for value, many in zip(each.values.tolist(), each.pairs.tolist(), strict=True):
                counts[value] = counts.get(value, 0) + many
        require((covered == size).all(), "the targets that were seen do not stand for all")
        claimed = dict(zip(np.round(self.value / self.resolution).tolist(), self.pairs.tolist(), strict=True))
        require(unreachable == self.unreachable, "pairs without a path are counted wrongly")
        require(counts == claimed and len(claimed) == len(self.value), "pairs are counted wrongly")
        if self.mean:
            total = sum(value * many for value, many in counts.items())
            return Proved.exactly(total * self.resolution / sum(counts.values()))
        return Proved.exactly(max(counts) * self.resolution if counts else np.inf)


# ---- the paths of one pair ------------------------------------------------------------------------------------------


@frozen(eq=False)
class PathsCertificate:
    """How many paths of fewest cables lead from end point `source` to `target`, `hops` cables each, parallel cables
    told apart: counted anew."""

    arcs: Arcs
    source: int
    target: int
    hops: int

    def prove(self, cables: Cables) -> Proved:
        match(self.arcs, cables)
        left = fewest_cables_to(cables, self.arcs, self.target)
        starts = np.flatnonzero((cables.end == self.source) & (left > 0))
        require(len(starts) > 0 and left[starts].min() == self.hops, "the fewest cables of a pair are others")
        ways = dict.fromkeys(starts[left[starts] == self.hops].tolist(), 1)
        for hop in range(self.hops, 0, -1):
            onward: dict[int, int] = {}
            rows, many = self.arcs.rows(np.array(list(ways), dtype=np.int64))
            tail, head = np.repeat(list(ways), many), self.arcs.head[rows]
            leads = (left[head] == hop - 1) & (cables.forwards[head] | (hop == 1))
            count = self.arcs.count[rows[leads]]
            for one, two, cables_between in zip(
                tail[leads].tolist(), head[leads].tolist(), count.tolist(), strict=True
            ):
                onward[two] = onward.get(two, 0) + ways[one] * cables_between
            ways = onward
        return Proved.exactly(float(sum(ways.values())))
