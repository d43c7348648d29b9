"""Loads of routings that share in fixed parts, worked out anew, goal by goal.

To each goal (an end point, a switch, a group) a routing says which arcs lead on (`Ways`). A vertex passes what it holds
on over its own of these in equal parts for each cable (or by capacity), and an end point begins at those of its
vertices that are nearest. Where all goals are too many, one of each orbit is taken: automorphisms that keep the traffic
and the routing, checked on the arcs, carry the loads to its goal to those of the others, so the sum of loads over an
orbit of arcs is that of the goal taken as often as the orbit of the goal is long, and each arc has the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Cables, Floats, Ints
from unifiedbus_dsl.verify.components import joined
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.symmetries import Move, arc_orbits, check_move, end_images
from unifiedbus_dsl.verify.ways import FewestBetweenGroups, Ways, given_to_senders, passed_on

FEW = 2_000_000
"""Goals times arcs up to which nothing need be alike."""
MAX_WORK = 60_000_000
"""Goals times what each costs up to which loads are worked out anew."""
PER_LEVEL = 1_000
"""Arcs that cost as much as one more level of a search."""
FEW_GOALS = 4
"""Goals, however large the machine, of which each is as soon done as found to be like another."""
SAME = 1e-7
"""Relative difference of two loads that are the same but for rounding."""


class Router(Protocol):
    """A routing to one goal."""

    @property
    def by_capacity(self) -> bool:
        """Whether a vertex shares by capacity, not cable by cable."""
        ...

    def ways(self, cables: Cables, arcs: Arcs, goal: Ints) -> Ways:
        """Return the arcs that lead to the vertices of a goal."""
        ...

    def colours(self, cables: Cables) -> Sequence[Ints]:
        """Return numbers of vertices ([V] each) that an automorphism has to leave alike, part by part."""
        ...


@frozen(eq=False)
class Leg:
    """What is sent to the vertices of a goal: `column` [E] byte/s by end points, or with `begins` [V] from vertices."""

    vertices: Ints
    column: Floats | None = None
    begins: Floats | None = None


class Scheme(Protocol):
    """A routing in legs. With `margins` it asks no more of a traffic than what each end point sends and takes."""

    @property
    def router(self) -> Router: ...

    @property
    def margins(self) -> bool: ...

    def goals(self, cables: Cables, matrix: Matrix) -> Ints:
        """Return all goals: end points by number, behind them vertices, behind them others."""
        ...

    def leg(self, cables: Cables, arcs: Arcs, matrix: Matrix, goal: int) -> Leg:
        """Return what is sent to one of them."""
        ...


@frozen(eq=False)
class Direct:
    """All is sent straight to its target."""

    router: Router
    margins: bool = False

    def goals(self, cables: Cables, matrix: Matrix) -> Ints:
        return np.flatnonzero(matrix.received() > 0)

    def leg(self, cables: Cables, arcs: Arcs, matrix: Matrix, goal: int) -> Leg:
        return Leg(np.flatnonzero(cables.end == goal), matrix.column(goal))


@frozen(eq=False)
class OverMembers:
    """All is sent to an end point of the traffic first, to each in equal parts."""

    router: Router
    margins: bool = True

    def goals(self, cables: Cables, matrix: Matrix) -> Ints:
        return np.flatnonzero((matrix.sent() > 0) | (matrix.received() > 0))

    def leg(self, cables: Cables, arcs: Arcs, matrix: Matrix, goal: int) -> Leg:
        members = self.goals(cables, matrix)
        column = matrix.sent() / len(members)
        column[members] += matrix.received()[goal] / len(members)
        column[goal] = 0.0
        return Leg(np.flatnonzero(cables.end == goal), column)


@frozen(eq=False)
class OverSwitches:
    """All is sent to a switch first, to each in equal parts."""

    router: Router
    margins: bool = True

    def goals(self, cables: Cables, matrix: Matrix) -> Ints:
        switches = cables.ends + np.flatnonzero(cables.end < 0)
        return np.concatenate([np.flatnonzero(matrix.received() > 0), switches])

    def leg(self, cables: Cables, arcs: Arcs, matrix: Matrix, goal: int) -> Leg:
        switches = cables.end < 0
        if goal >= cables.ends:
            return Leg(np.array([goal - cables.ends]), matrix.sent() / int(switches.sum()))
        begins = switches * (matrix.received()[goal] / int(switches.sum()))
        return Leg(np.flatnonzero(cables.end == goal), begins=begins)


@frozen(eq=False, slots=False)
class OverGroups:
    """All is sent to a group first, to each in equal parts, and goes on from whichever of its vertices it meets."""

    router: FewestBetweenGroups
    margins: bool = False

    def goals(self, cables: Cables, matrix: Matrix) -> Ints:
        groups = cables.ends + cables.vertices + np.arange(self.count)
        return np.concatenate([np.flatnonzero(matrix.received() > 0), groups])

    @property
    def count(self) -> int:
        return int(self.router.group.max()) + 1

    def leg(self, cables: Cables, arcs: Arcs, matrix: Matrix, goal: int) -> Leg:
        if goal >= cables.ends:
            return Leg(self.vertices(cables, goal - cables.ends - cables.vertices), matrix.sent() / self.count)
        chances = self._chances(cables, arcs, matrix)
        column = matrix.column(goal)
        return Leg(np.flatnonzero(cables.end == goal), begins=np.asarray(chances @ column))

    def vertices(self, cables: Cables, group: int) -> Ints:
        return np.flatnonzero(self.router.group[cables.device] == group)

    def _chances(self, cables: Cables, arcs: Arcs, matrix: Matrix) -> Floats:
        """Return how likely what an end point sends comes to a vertex first in some group, [V, E]."""
        known = vars(self).get("_known")
        if known is None:
            known = np.zeros((cables.vertices, cables.ends))
            for group in range(self.count):
                vertices = self.vertices(cables, group)
                ways = self.router.ways(cables, arcs, vertices)
                weight = ways.weights(arcs, by_capacity=False)
                for sender in np.flatnonzero(matrix.sent() > 0).tolist():
                    alone = (np.arange(cables.ends) == sender) / self.count
                    given = given_to_senders(cables, ways, weight, alone)
                    load = passed_on(ways, weight, given)
                    came = np.bincount(ways.head, weights=load, minlength=cables.vertices) + given
                    known[vertices, sender] += came[vertices]
            vars(self)["_known"] = known
        assert isinstance(known, np.ndarray)
        return known

    def too_large(self, cables: Cables, arcs: Arcs, matrix: Matrix) -> bool:
        """Return whether the chances are more than can be worked out anew."""
        senders = int((matrix.sent() > 0).sum())
        return max(cables.vertices * cables.ends, arcs.size * senders * self.count) > MAX_WORK


@frozen(eq=False)
class Routed:
    """A routing as it is claimed: loads are those of its `scheme`. `moves` are symmetries that may be used."""

    scheme: Scheme
    moves: Sequence[Move] = ()

    def check(self, cables: Cables, arcs: Arcs, matrix: Matrix, scale: float, load_Bps: Floats) -> str:  # noqa: N803
        """Return why loads could not be worked out anew, or nothing.

        Raises:
            VerificationError: they are others than those of the matrix times `scale`.
        """
        match(arcs, cables)
        if isinstance(self.scheme, OverGroups) and self.scheme.too_large(cables, arcs, matrix):
            return "its loads over groups were not worked out anew"
        goals = self.scheme.goals(cables, matrix)
        kept, label = self._alike(cables, arcs, matrix, goals)
        roots = np.bincount(label[goals])
        first = np.full(len(roots), -1)
        first[label[goals][::-1]] = np.arange(len(goals))[::-1]
        first, size = first[roots > 0], roots[roots > 0]
        if len(first) * arcs.size > MAX_WORK:
            return f"its loads to {len(first):,} goals that are not alike were not worked out anew"
        orbit = arc_orbits(cables, arcs, kept)
        total, work = np.zeros(int(orbit.max(initial=-1)) + 1), 0
        for goal, many in zip(goals[first].tolist(), size.tolist(), strict=True):
            at, load, levels = self._loads_to(cables, arcs, matrix, goal)
            total += many * np.bincount(orbit[at], weights=load, minlength=len(total))
            work += arcs.size + PER_LEVEL * levels
            if work > MAX_WORK:
                return f"its loads to {len(first):,} goals that are not alike were not worked out anew"
        right = scale * (total / np.maximum(np.bincount(orbit, minlength=len(total)), 1))[orbit]
        off = np.abs(load_Bps - right) > SAME * right + 1e-9 * float(right.max(initial=0.0))
        require(not off.any(), "loads are not those of the routing")
        return ""

    def _loads_to(self, cables: Cables, arcs: Arcs, matrix: Matrix, goal: int) -> tuple[Ints, Floats, int]:
        """Return arcs that carry something to a goal, how much, and how many levels that took."""
        leg = self.scheme.leg(cables, arcs, matrix, goal)
        ways = self.scheme.router.ways(cables, arcs, leg.vertices)
        weight = ways.weights(arcs, by_capacity=self.scheme.router.by_capacity)
        given = leg.begins
        if given is None:
            assert leg.column is not None
            given = given_to_senders(cables, ways, weight, leg.column)
        else:
            require((ways.rank[given > 0] >= 0).all(), "what is sent has no way")
        return ways.arc, passed_on(ways, weight, given), int(ways.rank.max(initial=0))

    def _alike(self, cables: Cables, arcs: Arcs, matrix: Matrix, goals: Ints) -> tuple[list[Move], Ints]:
        """Symmetries that keep all that matters, as many as are needed, and the orbits of end points and vertices under
        them."""
        size = max(cables.ends + cables.vertices, int(goals.max(initial=0)) + 1)
        label, kept = np.arange(size), list[Move]()
        for move in self.moves:
            if _number_of(label[goals], size) <= max(FEW_GOALS, FEW // max(arcs.size, 1)):
                break
            source, target = end_images(cables, move)
            one = np.concatenate([source, cables.ends + move.moved])
            two = np.concatenate([target, cables.ends + move.image])
            if not (label[one] != label[two]).any() or not self._keeps(cables, matrix, source, target, move):
                continue
            check_move(cables, arcs, move)
            kept.append(move)
            label = joined(label, one, two)
        return kept, label

    def _keeps(self, cables: Cables, matrix: Matrix, source: Ints, target: Ints, move: Move) -> bool:
        """Return whether a symmetry keeps the traffic (of two legs: what each end point sends and takes) and the
        routing."""
        if self.scheme.margins:
            sums = matrix.sent(), matrix.received()
            same = all((each[source] == each[target]).all() for each in sums)
        else:
            same = matrix.is_kept(source, target)
        return same and move.keeps(self.scheme.router.colours(cables), cables.vertices)


def _number_of(numbers: Ints, size: int) -> int:
    """Return how many different numbers there are, all below `size`."""
    number = np.zeros(size, dtype=bool)
    number[numbers] = True
    return int(number.sum())
