"""Trees packed into what end points send each other: a rate that they reach, and one that no schedule exceeds.

Only an end point copies and adds up, so a schedule is known by its links: how much goes from the memory of one to that
of another. Where the links carry all streams to each member, one member at a time, trees carry them to all at once
(Edmonds). What any schedule sends has such links, so a price of links bounds it:

    rate <= (sum of price · capacity of cables and injections) / sum over members of the way of its stream at its price

where the prices of a link for all members together are no more than what the way from memory to memory costs. Of an
all-reduce each element is first added up at one end point, towards which a first set of links carries it; a second set
carries the sum on. What is shown of the second set alone is that each other member takes in the sum, and of both sets
that they carry an element from the first member to each other one and back.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import ROUNDING, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.relayed import RelayPrices


@frozen(eq=False)
class Links:
    """What the memory of each of `nodes` sends to those of others loads `load_Bps` [N, A]; `back`: what it receives."""

    nodes: Ints
    load_Bps: Floats  # noqa: N815
    back: bool = False

    def amounts(self, cables: Cables, arcs: Arcs) -> tuple[Floats, Floats]:
        """Return how much goes from node u to node w (with `back`: the other way), [N, N], and what they bring to the
        memory of each end point and take out of it, [2, E]. What is no node passes on."""
        require(
            len(self.load_Bps) == len(self.nodes) and (self.load_Bps >= 0).all(), "a load for each node, none below 0"
        )
        tail, head = (arcs.head, arcs.tails()) if self.back else (arcs.tails(), arcs.head)
        links, memory = np.zeros((len(self.nodes), len(self.nodes))), np.zeros((2, cables.ends))
        at = np.flatnonzero(cables.end >= 0)
        end, lone = cables.end[at], ~cables.forwards[at]
        for u, load in enumerate(self.load_Bps):
            out = np.bincount(tail, weights=load, minlength=cables.vertices)
            into = np.bincount(head, weights=load, minlength=cables.vertices)
            noise = ROUNDING * float(load.sum())
            require(
                not (np.abs(into - out)[cables.end < 0] > noise).any(), "a link is lost at a switch, or comes from it"
            )
            gain = (into - out)[at]
            got = np.bincount(end, weights=np.where(lone, into[at], np.maximum(gain, 0.0)), minlength=cables.ends)
            gave = np.bincount(end, weights=np.where(lone, out[at], np.maximum(-gain, 0.0)), minlength=cables.ends)
            source, others = self.nodes[u], np.delete(self.nodes, u)
            require(got[source] <= noise, "a link comes back to its node")
            require(not (gave[others] > noise).any(), "a link goes on from another node")
            between = np.delete(np.arange(cables.ends), self.nodes)
            require(not (np.abs(got - gave)[between] > noise).any(), "a link ends at what is no node")
            links[u] = got[self.nodes]
            links[u, u] = 0.0
            memory += gave, got
        return links, memory[::-1] if not self.back else memory


@frozen(eq=False)
class PackedTrees:
    """Links of `spread` (and of an all-reduce, which has two sets, `gather`) by which each of the members gets the
    streams that node i begins `rate_Bps[i]` of."""

    rate_Bps: Floats  # noqa: N815
    spread: Links
    gather: Links | None = None

    def reached(self, cables: Cables, arcs: Arcs, members: Bools) -> Floats:
        """Return the rate of each end point that is shown, byte/s, [E].

        Raises:
            VerificationError: the links are none, or do not fit.
        """
        match(arcs, cables)
        nodes, load, memory, part = self.spread.nodes, np.zeros(arcs.size), np.zeros((2, cables.ends)), 1.0
        require(members[nodes].sum() == members.sum(), "a member has no links")
        for each in (self.spread,) if self.gather is None else (self.spread, self.gather):
            require(np.array_equal(each.nodes, nodes), "both sets of links are of the same nodes")
            links, passed = each.amounts(cables, arcs)
            load += each.load_Bps.sum(axis=0)
            memory += passed
            for sink in np.flatnonzero(members[nodes]).tolist():
                given = np.where(np.arange(len(nodes)) == sink, 0.0, self.rate_Bps)
                if given.any():
                    part = min(part, _max_flow(links, given, sink) / float(given.sum()))
        require(not (load > arcs.capacity(slice(None)) * (1 + ROUNDING)).any(), "links do not fit the cables")
        require(not (memory > cables.injection_Bps * (1 + ROUNDING)).any(), "links pass more than an injection")
        reached = np.zeros(cables.ends)
        reached[nodes] = self.rate_Bps * part
        return reached


def _max_flow(links: Floats, given: Floats, sink: int) -> float:
    """Return what links carry to a sink at once of what each node is given, by shortest augmenting paths."""
    n, total = len(given), 0.0
    room = np.zeros((n + 1, n + 1))
    room[:n, :n], room[n, :n] = links, given
    while True:
        came, front = np.full(n + 1, -1), [n]
        while front and came[sink] < 0:
            u = front.pop(0)
            fresh = np.flatnonzero((room[u] > 1e-12 * given.sum()) & (came < 0) & (np.arange(n + 1) != n))
            came[fresh] = u
            front += fresh.tolist()
        if came[sink] < 0:
            return total
        path, v = list[tuple[int, int]](), sink
        while v != n:
            path.append((int(came[v]), v))
            v = int(came[v])
        step = min(float(room[edge]) for edge in path)
        for u, v in path:
            room[u, v] -= step
            room[v, u] += step
        total += step


@frozen(eq=False)
class LinkPrices:
    """Prices of cables and injections, and `lengths` of links among all end points that have a cable, the `nodes`: for
    what each of the `receivers` (numbers of nodes) gets, [R, N, N]. Of an all-reduce they are of links towards the sum,
    turned round; then there are also those for what goes from the first receiver to each other one, then back, `both`
    [2(R - 1), N, N], and `taken` [N] for all that a node takes in of sums."""

    prices: RelayPrices
    nodes: Ints
    receivers: Ints
    lengths: Floats
    both: Floats | None = None
    taken: Floats | None = None

    def most(self, cables: Cables, arcs: Arcs, sources: Bools) -> float:
        """Return the most that the streams of `sources` [E] reach at once, each the same; of an all-reduce those of all
        end points together, byte/s."""
        match(arcs, cables)
        self.prices.check(cables, arcs)
        left = cables.left(slice(None))
        cabled = np.unique(np.concatenate([cables.end[cables.a[left]], cables.end[cables.b[left]]]))
        require(np.isin(cabled[cabled >= 0], self.nodes).all(), "an end point that may relay has no links")
        way = self.prices.distances(cables, arcs, self.nodes)[:, self.nodes]
        volume, lengths = self.prices.volume(cables, arcs), _closed(self.lengths)
        if self.both is None or self.taken is None:
            fit = _part(way, lengths.sum(axis=0))
            worth = float(self._worth(lengths * fit)[sources[self.nodes]].sum())
        else:
            worth = self._worth_of_sums(way, lengths, _closed(self.both), np.maximum(self.taken, 0.0))
        return volume / worth if worth > 0 else np.inf

    def _worth_of_sums(self, way: Floats, lengths: Floats, both: Floats, taken: Floats) -> float:
        """Return the least that the way of an element costs, wherever it is first added up; lengths are cut down to
        what ways cost."""
        others, n = self.receivers[1:], len(self.nodes)
        require(len(both) == 2 * len(others), "lengths of links to each receiver and back")
        taken = np.minimum(taken, np.where(np.eye(n, dtype=bool), np.inf, way).min(axis=0))
        onward, back = both.sum(axis=0), lengths.sum(axis=0).T
        fit = np.minimum(_part(way - taken, onward), _part(way, back + onward))
        lengths, both = _closed(lengths * fit.T), _closed(both * fit)
        parted = both[np.arange(len(others)), self.receivers[0], others].sum()
        parted += both[len(others) + np.arange(len(others)), others, self.receivers[0]].sum()
        of_member = np.zeros(n)
        of_member[self.receivers] = taken[self.receivers]
        return float((self._worth(lengths) + of_member.sum() - of_member).min() + parted)

    def _worth(self, lengths: Floats) -> Floats:
        """Return what the ways from each node to all receivers cost, [N]."""
        closed = _closed(lengths)
        return np.asarray(closed[np.arange(len(closed)), :, self.receivers].sum(axis=0))


def _closed(lengths: Floats) -> Floats:
    """Return the lengths of shortest ways over links, [K, N, N]."""
    closed = np.maximum(lengths, 0.0)
    for k in range(closed.shape[-1]):
        closed[:, k, k] = 0.0
        closed = np.minimum(closed, closed[:, :, k, None] + closed[:, k, None, :])
    return closed


def _part(room: Floats, wanted: Floats) -> Floats:
    """Return the part of what is wanted that there is room for, at the most all of it."""
    return np.minimum(1.0, np.divide(np.maximum(room, 0.0), wanted, out=np.ones_like(wanted), where=wanted > 0))


@frozen(eq=False)
class TreeProof:
    """Trees that are packed, and prices that no schedule beats."""

    trees: PackedTrees
    prices: LinkPrices

    @property
    def sums(self) -> bool:
        """Whether they are of an all-reduce."""
        return self.trees.gather is not None

    def rates(self, cables: Cables, arcs: Arcs, members: Bools, root: int) -> tuple[float, float]:
        """Return the rate of one stream that is reached, and one that none exceeds, byte/s: of the one of the root, of
        each member (root -1), or of all sums together."""
        sources = members if root < 0 else np.arange(cables.ends) == root
        reached = self.trees.reached(cables, arcs, members)
        return float(reached.sum() if self.sums else reached[sources].min()), self.prices.most(cables, arcs, sources)
