"""The worst permutation of end points: that one carries no more is seen by its loads, that none carries less by prices.

Of an arc, prices u of senders and v of receivers with u(s) + v(t) at least the chance that what s sends t crosses it
bound what any permutation puts on it by their sum. The chances are worked out anew: to each target, from it outward, a
vertex crosses an arc as likely as it takes the arc itself, or goes on to a vertex that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import ROUNDING, Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.components import joined
from unifiedbus_dsl.verify.loads import LoadCertificate
from unifiedbus_dsl.verify.routed import OverGroups, Scheme
from unifiedbus_dsl.verify.symmetries import Move, arc_orbits, check_move, end_images
from unifiedbus_dsl.verify.ways import Ways, given_to_senders

MAX_WORK = 300_000_000
"""Goals times arcs times arcs that are asked about, up to which chances are worked out anew."""


@frozen(eq=False)
class ArcBound:
    """Prices `out` of senders and `into` of receivers ([E]) for one arc; `moves` keep the arc and both."""

    arc: int
    out: Floats
    into: Floats
    moves: Sequence[Move] = ()


@frozen(eq=False)
class WorstPermutationCertificate:
    """A permutation of `members` ([E]) with its loads, at most whose scale each one carries under a routing of fixed
    parts; `bounds` for an arc of each orbit under `moves`. `lower` is the scale that each one carries."""

    permutation: LoadCertificate
    members: Bools
    scheme: Scheme
    bounds: tuple[ArcBound, ...]
    moves: Sequence[Move]
    lower: float

    def prove(self, cables: Cables) -> Proved:
        """Return bounds on what each member can send under every permutation."""
        upper = self.permutation.prove(cables)
        self._check_permutation(cables)
        if self.scheme.margins:  # all that matters is what each sends and takes, which is 1
            return upper
        self._check_scale(cables)
        doubt = self._check_prices(cables)
        return Proved(self.lower, upper.upper, (*upper.unverified, *((doubt,) if doubt else ())))

    def _check_permutation(self, cables: Cables) -> None:
        """Hold the traffic to be one in which nobody sends or receives more than 1: such is a mixture of
        permutations."""
        matrix = self.permutation.matrix
        sent, received = matrix.sent(), matrix.received()
        require(not sent[~self.members].any() and not received[~self.members].any(), "others send or receive too")
        require(max(sent.max(initial=0.0), received.max(initial=0.0)) <= 1, "somebody sends or receives more than 1")
        require(np.isin(sent, (0.0, 1.0)).all(), "somebody sends less than others")
        require(not self.scheme.margins or (sent == self.members).all(), "somebody sends nothing")

    def _check_scale(self, cables: Cables) -> None:
        """Hold the scale to the bounds of an arc of each orbit, and to what members can send."""
        arcs = self.permutation.arcs
        match(arcs, cables)
        colours = self.scheme.router.colours(cables)
        for move in self.moves:
            _check_kept(cables, arcs, move, colours, self.members)
        orbit = arc_orbits(cables, arcs, self.moves)
        arc = np.array([each.arc for each in self.bounds], dtype=np.int64)
        require(len(np.setdiff1d(orbit, orbit[arc])) == 0, "an arc has no bound")
        capacity = arcs.capacity_Bps[arcs.kind] * arcs.count
        full = [
            float((each.out + each.into)[self.members].sum()) * self.lower / capacity[each.arc] for each in self.bounds
        ]
        require(max(full, default=0.0) <= 1 + ROUNDING, "a permutation may put more on an arc")
        require(self.lower <= cables.injection_Bps[self.members].min() * (1 + ROUNDING), "an end point can't send that")

    def _check_prices(self, cables: Cables) -> str:
        """Hold prices to the chances; why that was not done for all, or nothing."""
        arcs, work = self.permutation.arcs, 0.0
        for moves, several in groupby(self.bounds, key=lambda bound: bound.moves):
            some = tuple(several)
            goals = self._goals(cables, some[0], moves)
            work += float(len(goals)) * arcs.size * len(some)
            if work > MAX_WORK or (isinstance(self.scheme, OverGroups) and self._over_groups(cables) > MAX_WORK):
                return "that no permutation puts more on an arc: chances were not worked out anew"
            chosen = np.array([bound.arc for bound in some], dtype=np.int64)
            out = np.stack([bound.out for bound in some], axis=1)
            for goal, chance in zip(goals.tolist(), self._chances(cables, chosen, goals), strict=True):
                short = chance - out - np.array([bound.into[goal] for bound in some])
                short[~self.members], short[goal] = 0.0, 0.0
                require(short.max(initial=0.0) <= ROUNDING, "a pair is more likely to cross an arc than its prices say")
        return ""

    def _goals(self, cables: Cables, bound: ArcBound, moves: Sequence[Move]) -> Ints:
        """Return a member of each orbit under moves that keep the arc, the prices and the routing."""
        arcs = self.permutation.arcs
        tail, head = int(arcs.tails()[bound.arc]), int(arcs.head[bound.arc])
        colours, label = self.scheme.router.colours(cables), np.arange(cables.ends)
        for move in moves:
            source, target = _check_kept(cables, arcs, move, colours, self.members)
            require(not np.isin((tail, head), move.moved[move.moved != move.image]).any(), "a symmetry moves the arc")
            for price in (bound.out, bound.into):
                require(np.allclose(price[source], price[target], rtol=0, atol=1e-12), "a symmetry changes a price")
            label = joined(label, source, target)
        members = np.flatnonzero(self.members)
        return members[np.unique(label[members], return_index=True)[1]]

    # -- chances

    def _over_groups(self, cables: Cables) -> float:
        assert isinstance(self.scheme, OverGroups)
        return float(self.members.sum()) * self.scheme.count * self.permutation.arcs.size

    def _chances(self, cables: Cables, chosen: Ints, goals: Ints) -> Iterator[Floats]:
        """Yield the chances of each end point to cross some arcs on its way to each goal, [E, arcs]."""
        arcs, router = self.permutation.arcs, self.scheme.router
        if not isinstance(self.scheme, OverGroups):
            for goal in goals.tolist():
                ways = router.ways(cables, arcs, np.flatnonzero(cables.end == goal))
                yield self._of_ends(cables, ways, _crossing(ways, self._weight(ways), chosen), goal)
            return
        comes, first = np.zeros((cables.ends, cables.vertices)), np.zeros((cables.ends, len(chosen)))
        for group in range(self.scheme.count):
            ways = router.ways(cables, arcs, self.scheme.vertices(cables, group))
            held = np.diag((ways.rank == 0).astype(np.float64))
            first += self._of_ends(cables, ways, _crossing(ways, self._weight(ways), chosen)) / self.scheme.count
            met = _passed_back(ways, self._weight(ways), held, np.zeros((len(ways.arc), cables.vertices)))
            comes += self._of_ends(cables, ways, met) / self.scheme.count
        for goal in goals.tolist():
            ways = router.ways(cables, arcs, np.flatnonzero(cables.end == goal))
            require((ways.rank[comes.any(axis=0)] >= 0).all(), "what is sent has no way on from a group")
            yield first + comes @ _crossing(ways, self._weight(ways), chosen)

    def _weight(self, ways: Ways) -> Floats:
        return ways.weights(self.permutation.arcs, by_capacity=self.scheme.router.by_capacity)

    def _of_ends(self, cables: Cables, ways: Ways, of_vertex: Floats, goal: int | None = None) -> Floats:
        """Return the chances of members, but for the goal, from those of vertices, [E, …]: each begins where it is
        nearest."""
        sends = self.members.astype(np.float64)
        if goal is not None:
            sends[goal] = 0.0
        given = given_to_senders(cables, ways, self._weight(ways), sends)
        result = np.zeros((cables.ends, of_vertex.shape[1]))
        at = np.flatnonzero(given > 0)
        np.add.at(result, cables.end[at], given[at, None] * of_vertex[at])
        return result


def _check_kept(cables: Cables, arcs: Arcs, move: Move, colours: Sequence[Ints], members: Bools) -> tuple[Ints, Ints]:
    """Return the end points that a move moves and where to, after it was held to be an automorphism that keeps members
    and colours."""
    source, target = end_images(cables, move)
    require((members[source] == members[target]).all(), "a symmetry does not keep those that take part")
    require(move.keeps(colours, cables.vertices), "a symmetry changes the routing")
    check_move(cables, arcs, move)
    return source, target


def _crossing(ways: Ways, weight: Floats, chosen: Ints) -> Floats:
    """Return the chance that what a vertex holds crosses each of the chosen arcs, [V, arcs]."""
    takes = (ways.arc[:, None] == chosen[None]).astype(np.float64)
    return _passed_back(ways, weight, np.zeros((len(ways.rank), len(chosen))), takes)


def _passed_back(ways: Ways, weight: Floats, held: Floats, takes: Floats) -> Floats:
    """Return `held` of the goal, spread to all vertices nearest first: of each arc what its head holds, and `takes` of
    the arc, in the part that its tail gives it."""
    onward = np.bincount(ways.tail, weights=weight, minlength=len(ways.rank))
    order = np.argsort(ways.rank[ways.tail], kind="stable")
    bounds = np.flatnonzero(np.diff(ways.rank[ways.tail[order]])) + 1
    result = held.copy()
    for low, high in pairwise([0, *bounds.tolist(), len(order)]):
        some = order[low:high]
        part = (weight[some] / onward[ways.tail[some]])[:, None]
        np.add.at(result, ways.tail[some], part * (result[ways.head[some]] + takes[some]))
    return result
