"""The two kinds of path that `ugal` chooses between, with what pairs put on arcs and pay along them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount, concatenate_ranges
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, demand_column, invariant_symmetries, row_sums
from unifiedbus_dsl.solver.routing.dragonfly import Grouping, add_arrivals, group_lengths, keep_groups, shortest_dag
from unifiedbus_dsl.solver.routing.ecmp import target_representatives
from unifiedbus_dsl.solver.routing.stacked_dags import StackedDags, stack_dags
from unifiedbus_dsl.solver.routing.traversals import (
    MAX_ENTRIES,
    TooManyEntriesError,
    Traversals,
    crossed_arcs,
    shared_rows,
)


class Detours(ABC):
    """What the second leg of Valiant paths begins with: linear in what is sent, `sent` [T, E] to each target."""

    @abstractmethod
    def begins(self, sent: Floats) -> Floats:
        """Return what each vertex is handed for each target, [T, V]."""

    @abstractmethod
    def expected(self, cost: Floats) -> Floats:
        """Return the expected cost of the second leg for each sender, [T, E], from that of vertices, [T, V]."""

    @abstractmethod
    def starts(self, target: Ints, sender: Ints) -> tuple[Any, Ints]:
        """Return where second legs of pairs begin, sparse [R, T V], and the row of each pair, [D]."""


@frozen(eq=False)
class AlikeDetours(Detours):
    """Intermediates that are drawn alike for all: `start` [T, V] is how likely each vertex is the one."""

    start: Floats

    def begins(self, sent: Floats) -> Floats:
        return np.asarray(sent.sum(axis=1)[:, None] * self.start)

    def expected(self, cost: Floats) -> Floats:
        return np.asarray((self.start * cost).sum(axis=1)[:, None])

    def starts(self, target: Ints, sender: Ints) -> tuple[Any, Ints]:
        from scipy.sparse import csr_matrix

        of, vertex = np.nonzero(self.start)
        states = of * self.start.shape[1] + vertex
        return csr_matrix((self.start[of, vertex], (of, states)), shape=(len(self.start), self.start.size)), target


@frozen(eq=False)
class GroupDetours(Detours):
    """Groups, of which each sender comes to a vertex of its own: `chances` [V, E] are those to come to each vertex."""

    chances: Any

    def begins(self, sent: Floats) -> Floats:
        return np.asarray((self.chances @ sent.T).T)

    def expected(self, cost: Floats) -> Floats:
        return np.asarray((self.chances.T @ cost.T).T)

    def starts(self, target: Ints, sender: Ints) -> tuple[Any, Ints]:
        from scipy.sparse import csr_matrix

        rows = self.chances.T.tocsr()[sender].tocoo()
        vertices, many = self.chances.shape[0], len(target)
        states = target[rows.row] * vertices + rows.col
        shape = many, (int(target.max()) + 1) * vertices
        return csr_matrix((rows.data, (rows.row, states)), shape=shape), np.arange(many)


class Legs(ABC):
    """What pairs put on orbits of arcs, all arcs of each together, and what they pay: linear in amounts and costs."""

    @abstractmethod
    def loads(self, straight: Floats, around: Floats) -> Floats:
        """Return the loads of orbits, with what each pair sends on minimal and on Valiant paths, [D]."""

    @abstractmethod
    def costs(self, cost: Floats) -> tuple[Floats, Floats]:
        """Return M and V of each pair, [D], from the costs of arcs of each orbit."""


@frozen(eq=False, slots=False)
class Choices:
    """The pairs of a demand with both kinds of path, one target of each orbit of `group`: `size` [T] are in the orbit
    and `sent` [T, E] is what each end point sends to the one. `minimal` leads to the targets. `first` leads to one
    intermediate of each orbit, of which `weight` [I] is how likely one is drawn."""

    group: Symmetry
    size: Floats
    sent: Floats
    minimal: StackedDags
    first: StackedDags
    weight: Floats
    detours: Detours

    @cached_property
    def pairs(self) -> tuple[Ints, Ints]:
        """The target, of [T], and the sender of each pair that sends, [D]."""
        target, sender = np.nonzero(self.sent)
        return target, sender

    @cached_property
    def amount(self) -> Floats:
        """What each pair sends, with all pairs like it, [D]."""
        target, _ = self.pairs
        return np.asarray(self.sent[self.pairs] * self.size[target])

    @cached_property
    def total(self) -> float:
        """All that is sent."""
        return float(self.amount.sum())

    @cached_property
    def legs(self) -> Legs:
        """Their paths: as matrices, or where these are too large way by way."""
        try:
            return MatrixLegs.of(self)
        except TooManyEntriesError:
            return SteppedLegs(self)


@frozen(eq=False)
class SteppedLegs(Legs):
    """Loads and costs by a pass over all arcs of all ways."""

    choices: Choices

    def loads(self, straight: Floats, around: Floats) -> Floats:
        choices = self.choices
        other = self._spread(around)
        given = choices.minimal.given(self._spread(straight)) + choices.detours.begins(other)
        total = self._of_orbits(choices.minimal, given, np.ones(len(choices.size)))
        out = self._alike(other.sum(axis=0))
        given = choices.first.given(np.broadcast_to(out, (choices.first.count, len(out))))
        total += self._of_orbits(choices.first, given, choices.weight)
        assert len(total) == choices.group.arc_orbits
        return total

    def _spread(self, of_pairs: Floats) -> Floats:
        spread = np.zeros_like(self.choices.sent)
        spread[self.choices.pairs] = of_pairs
        return spread

    def _of_orbits(self, ways: StackedDags, given: Floats, times: Floats) -> Floats:
        group = self.choices.group
        return bincount(group.arc_orbit[ways.arc], ways.carry(given) * times[ways.way], group.arc_orbits)

    def _alike(self, of_ends: Floats) -> Floats:
        """Return the mean over the orbit of each end point, [E]."""
        group = self.choices.group
        total = bincount(group.end_orbit, of_ends, len(group.end_orbit_size))
        return (total / group.end_orbit_size)[group.end_orbit]

    def costs(self, cost: Floats) -> tuple[Floats, Floats]:
        choices = self.choices
        of_arc = cost[choices.group.arc_orbit]
        near = choices.minimal.expected_cost(of_arc)
        first = self._alike(choices.weight @ choices.first.of_ends(choices.first.expected_cost(of_arc)))
        around = first + choices.detours.expected(near)
        pairs = choices.pairs
        return choices.minimal.of_ends(near)[pairs], np.broadcast_to(around, choices.sent.shape)[pairs]


@frozen(eq=False)
class MatrixLegs(Legs):
    """The same by matrices of what is crossed."""

    straight: Sequence[Traversals]
    around: Sequence[Traversals]

    @classmethod
    def of(cls, choices: Choices) -> MatrixLegs:
        """Return the paths of all pairs.

        Raises:
            TooManyEntriesError: they are too many to be held.
        """
        from scipy.sparse import csr_matrix

        group, network = choices.group, choices.group.network
        target, sender = choices.pairs
        folded = csr_matrix(
            (np.ones(network.arcs), (np.arange(network.arcs), group.arc_orbit)), shape=(network.arcs, group.arc_orbits)
        )
        straight = crossed_arcs(choices.minimal, begins(choices.minimal, target, sender))
        second, row = choices.detours.starts(target, sender)
        second = crossed_arcs(choices.minimal, _wide(second, choices.minimal))
        ways, ends = np.divmod(np.arange(choices.first.count * network.ends), network.ends)
        each = begins(choices.first, ways, ends)
        orbit = group.end_orbit[ends]
        mean = csr_matrix((1.0 / group.end_orbit_size[orbit], (orbit, np.arange(len(ends)))))
        first = crossed_arcs(choices.first, mean @ each, choices.weight)
        return cls(
            (Traversals.of(straight @ folded, np.arange(len(target))),),
            (
                *shared_rows(second @ folded, row),
                *shared_rows(first @ folded, group.end_orbit[sender].astype(np.int64)),
            ),
        )

    def loads(self, straight: Floats, around: Floats) -> Floats:
        return np.asarray(
            sum(each.loads(straight) for each in self.straight) + sum(each.loads(around) for each in self.around)
        )

    def costs(self, cost: Floats) -> tuple[Floats, Floats]:
        near, far = (sum(each.costs(cost) for each in legs) for legs in (self.straight, self.around))
        return np.asarray(near), np.asarray(far)


def begins(ways: StackedDags, way: Ints, sender: Ints) -> Any:
    """Return where what `sender[r]` sends along `way[r]` begins, sparse [R, K V].

    Raises:
        TooManyEntriesError: they are too many to be held.
    """
    from scipy.sparse import csr_matrix

    network = ways.network
    if len(way) > MAX_ENTRIES:
        raise TooManyEntriesError
    many = network.end_start[sender + 1] - network.end_start[sender]
    row = np.repeat(np.arange(len(way)), many)
    vertex = network.end_order[concatenate_ranges(network.end_start[sender], network.end_start[sender + 1])]
    values = ways.inject[way[row], vertex]
    states = way[row] * network.vertices + vertex
    return csr_matrix((values, (row, states)), shape=(len(way), ways.count * network.vertices))


def _wide(start: Any, ways: StackedDags) -> Any:
    """Return the rows with a column for each state of the ways."""
    start.resize((start.shape[0], ways.count * ways.network.vertices))
    return start


# ---- the choices of a demand ---------------------------------------------------------------------------------------


def choices_over(symmetry: Symmetry, demand: Demand, via: str) -> Choices:
    """Return the choices between paths of fewest cables, and such to and from end points or switches.

    Raises:
        NotAdmittedError: there is no switch, one that has cables has no path, or the paths are too many to be held.
    """
    group = invariant_symmetries(symmetry, demand)
    network = group.network
    size, sent, targets = _targets(group, demand)
    length = np.ones(network.arcs, dtype=np.int64)
    minimal = _stacked(network, length, [network.vertices_of(target) for target in targets])
    if via == "end":
        part = np.zeros(network.ends, dtype=bool)
        part[np.flatnonzero(sent.sum(axis=0) > 0)] = part[list(targets)] = True
        members = np.flatnonzero(np.isin(group.end_orbit, group.end_orbit[part]))
        firsts, weight = group.representatives(members)
        goals = [network.vertices_of(end) for end in firsts.tolist()]
        drawn = np.zeros((len(targets), network.ends))
        drawn[:, members] = 1.0 / len(members)
        start, many = minimal.given(drawn), len(members)
    else:
        switches = np.flatnonzero((network.end < 0) & (np.diff(network.indptr) > 0))
        if not len(switches):
            raise NotAdmittedError("there is no switch to route over")
        _, at, weight = np.unique(group.vertex_orbit[switches], return_index=True, return_counts=True)
        goals = [np.array([switch]) for switch in switches[at].tolist()]
        start, many = np.zeros((len(targets), network.vertices)), len(switches)
        start[:, switches] = 1.0 / many
    first = _stacked(network, length, goals)
    choices = Choices(group, size, sent, minimal, first, weight / many, AlikeDetours(start))
    _hold_paths(choices)
    return choices


def choices_over_groups(symmetry: Symmetry, demand: Demand, grouping: Grouping) -> Choices:
    """Return the choices between group-minimal paths, and such to a group and on from where they come to it.

    Raises:
        NotAdmittedError: no cable joins two groups, an end point has no path to some group, or they are too many.
    """
    network = symmetry.network
    of = grouping.of_vertices(network)
    length = group_lengths(network, of)
    group = invariant_symmetries(keep_groups(symmetry, of), demand)
    size, sent, targets = _targets(group, demand)
    minimal = _stacked(network, length, [network.vertices_of(target) for target in targets])
    chances: Any = None
    ways = []
    for number in track(range(grouping.count), "paths to each group"):
        ways.append(shortest_dag(network, length, np.flatnonzero(of == number)))
        chances = add_arrivals(chances, network, ways[-1], row_sums(demand, network.ends))
    first, detours = stack_dags(network, ways), GroupDetours(chances / grouping.count)
    weight = np.full(grouping.count, 1.0 / grouping.count)
    choices = Choices(group, size, sent, minimal, first, weight, detours)
    _hold_paths(choices)
    return choices


def _targets(group: Symmetry, demand: Demand) -> tuple[Floats, Floats, list[int]]:
    """Return how many are like each target, what each end point sends to it, and the targets."""
    pairs = list(target_representatives(group, demand))
    sent = np.stack([demand_column(demand, target, group.network.ends) for target, _ in pairs])
    return np.array([size for _, size in pairs], dtype=np.float64), sent, [target for target, _ in pairs]


def _stacked(network: Network, length: Ints, goals: Sequence[NDArray[Any]]) -> StackedDags:
    return stack_dags(network, track((shortest_dag(network, length, goal) for goal in goals), "paths", len(goals)))


def _hold_paths(choices: Choices) -> None:
    """Refuse pairs without a path of either kind.

    Raises:
        NoPathError: some end point has no path to one that it sends to.
        NotAdmittedError: an intermediate has no path.
    """
    sent, minimal, first = choices.sent, choices.minimal, choices.first
    if not minimal.leads()[sent > 0].all():
        raise NoPathError("some end points have no path to each end point that they send to")
    senders = choices.group.end_orbit[(sent > 0).any(axis=0)]
    if not first.leads()[:, np.isin(choices.group.end_orbit, senders)].all():
        raise NotAdmittedError("some end points have no path to each intermediate of `ugal`")
    if (minimal.steps[choices.detours.begins(sent) > 0] < 0).any():
        raise NotAdmittedError("`ugal` comes to an intermediate from which there is no path to a target")
