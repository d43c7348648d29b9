"""UGAL, universal globally-adaptive load-balanced routing (Singh, 2005; Kim, Dally, Scott and Abts, ISCA 2008): each
packet takes a minimal path, or a Valiant path over a random intermediate, by the queues that it sees on both.

What is modelled is UGAL-G, which sees the queues of all arcs, as a fluid in equilibrium. With u(a) = load / capacity,

    c(a) = 1 + q(u(a))                  a hop, and the packets that wait for the arc (M/D/1: q(u) = u² / (2 (1 - u)))
    M(s, t), V(s, t)                    the expected sums of c on the minimal and on the Valiant paths of a pair
    x(s, t) = 1 where M < V,  0 where M > V,  anything between where M = V             the share of minimal paths

Buffers are finite: beyond the utilisation at which `BUFFER` packets wait, q goes on along its tangent, so that backlog
grows with what is sent too much. A fixed point is a Wardrop equilibrium; c grows with u, so it is the minimum of

    Phi(x) = sum over arcs of capacity · integral from 0 to u of c,    dPhi/dx(s, t) = D(s, t) · (M(s, t) - V(s, t))

which is convex: the loads of all fixed points are the same (Beckmann, 1956), and how far shares are from one is
measured by the relative gap, sum of D (x M + (1 - x) V - min(M, V)) over sum of D (x M + (1 - x) V). The shares are
found by projected quasi-Newton steps from all minimal (L-BFGS-B), which end at a gap of `GAP`; an end before is said.

Loads are neither linear in the demand nor in proportion to it: at low rates everything is minimal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from time import monotonic
from typing import Any, ClassVar

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.base.progress import task, track
from unifiedbus_dsl.base.units import format_share
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, demand_column, invariant_symmetries, row_sums
from unifiedbus_dsl.solver.routing.dragonfly import Grouping, add_arrivals, group_lengths, keep_groups, shortest_dag
from unifiedbus_dsl.solver.routing.ecmp import loads_of_orbits, target_representatives
from unifiedbus_dsl.solver.routing.interface import RoutedNetwork, Routing
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.solver.routing.stacked_dags import StackedDags, stack_dags
from unifiedbus_dsl.solver.routing.throughput import Throughput, search_throughput

BUFFER = 32.0
"""Packets that wait for an arc where its buffer is full: an assumption, of the order of the buffers in the papers."""
GAP = 1e-4
"""Relative gap at which shares count as a fixed point."""
MOST_ITERATIONS = 1_000
FULL = float(np.sqrt(BUFFER * (BUFFER + 2)) - BUFFER)
"""The utilisation at which `BUFFER` packets wait: the root of u² = 2 BUFFER (1 - u)."""
SLOPE = FULL * (2 - FULL) / (2 * (1 - FULL) ** 2)
"""The derivative of q there."""


def hop_cost(used: Floats) -> Floats:
    """Return the cost c of arcs by their utilisation."""
    low = np.minimum(used, FULL)
    return np.asarray(1.0 + low**2 / (2 * (1 - low)) + SLOPE * (used - low))


def cost_integral(used: Floats) -> Floats:
    """Return the integral of `hop_cost` from 0."""
    low = np.minimum(used, FULL)
    over = used - low
    return np.asarray(used - low**2 / 4 - low / 2 - np.log1p(-low) / 2 + over * BUFFER + SLOPE * over**2 / 2)


# ---- the two kinds of path ------------------------------------------------------------------------------------------


class Detours(ABC):
    """What the second leg of Valiant paths begins with: linear in what is sent, `sent` [T, E] to each target."""

    @abstractmethod
    def begins(self, sent: Floats) -> Floats:
        """Return what each vertex is handed for each target, [T, V]."""

    @abstractmethod
    def expected(self, cost: Floats) -> Floats:
        """Return the expected cost of the second leg for each sender, [T, E], from that of vertices, [T, V]."""


@frozen(eq=False)
class AlikeDetours(Detours):
    """Intermediates that are drawn alike for all: `start` [T, V] is how likely each vertex is the one."""

    start: Floats

    def begins(self, sent: Floats) -> Floats:
        return np.asarray(sent.sum(axis=1)[:, None] * self.start)

    def expected(self, cost: Floats) -> Floats:
        return np.asarray((self.start * cost).sum(axis=1)[:, None])


@frozen(eq=False)
class GroupDetours(Detours):
    """Groups, of which each sender comes to a vertex of its own: `chances` [V, E] are those to come to each vertex."""

    chances: Any

    def begins(self, sent: Floats) -> Floats:
        return np.asarray((self.chances @ sent.T).T)

    def expected(self, cost: Floats) -> Floats:
        return np.asarray((self.chances.T @ cost.T).T)


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
    def total(self) -> float:
        """All that is sent."""
        return float(self.size @ self.sent.sum(axis=1))

    def loads(self, shares: Floats) -> Floats:
        """Return the loads of orbits of arcs, each orbit together, with these `shares` [T, E] of minimal paths."""
        group = self.group
        around = self.sent * (1 - shares)
        given = self.minimal.given(self.sent * shares) + self.detours.begins(around)
        total = self._of_orbits(self.minimal, given, self.size)
        out = self._alike(self.size @ around)
        given = self.first.given(np.broadcast_to(out, (self.first.count, len(out))))
        total += self._of_orbits(self.first, given, self.weight)
        assert len(total) == group.arc_orbits
        return total

    def _of_orbits(self, ways: StackedDags, given: Floats, times: Floats) -> Floats:
        return bincount(self.group.arc_orbit[ways.arc], ways.carry(given) * times[ways.way], self.group.arc_orbits)

    def _alike(self, of_ends: Floats) -> Floats:
        """Return the mean over the orbit of each end point, [E]."""
        group = self.group
        total = bincount(group.end_orbit, of_ends, len(group.end_orbit_size))
        return (total / group.end_orbit_size)[group.end_orbit]

    def costs(self, cost: Floats) -> tuple[Floats, Floats]:
        """Return M and V, [T, E], from the costs of arcs, [A]."""
        near = self.minimal.expected_cost(cost)
        first = self._alike(self.weight @ self.first.of_ends(self.first.expected_cost(cost)))
        return self.minimal.of_ends(near), first + self.detours.expected(near)


# ---- the fixed point ------------------------------------------------------------------------------------------------


class _ConvergedError(Exception):
    """The shares are a fixed point: ends the iteration."""


@define(eq=False)
class FixedPoint:
    """The equilibrium of a demand times a scale, from the shares of the last one. `shares` [T, E] have the least
    relative `gap` of those that were tried for `scale`, and `loads` are theirs, by orbits of arcs."""

    choices: Choices
    deadline: float = np.inf
    scale: float = 0.0
    shares: Floats = field(init=False)
    loads: Floats = field(init=False)
    gap: float = np.inf
    evaluations: int = 0

    def __attrs_post_init__(self) -> None:
        self.shares = np.ones_like(self.choices.sent)

    @property
    def minimal_share(self) -> float:
        """The part of all that is sent which takes minimal paths."""
        choices = self.choices
        return float(choices.size @ (choices.sent * self.shares).sum(axis=1)) / choices.total

    def solve(self, scale: float) -> None:
        """Find the shares of the demand times a scale."""
        from scipy.optimize import Bounds, minimize

        self.scale, self.gap, self.evaluations = scale, np.inf, 0
        free = self.choices.sent > 0
        start, unit = self.shares[free], Bounds(0.0, 1.0)
        with task("balance minimal and Valiant paths") as step:

            def evaluate(shares: Floats) -> tuple[float, Floats]:
                step()
                return self._evaluate(shares, free)

            try:
                for _ in range(3):  # anew from the best where a line search has failed
                    options = {"maxiter": MOST_ITERATIONS // 3, "maxfun": MOST_ITERATIONS, "ftol": 0.0, "gtol": 0.0}
                    minimize(evaluate, start, jac=True, method="L-BFGS-B", bounds=unit, options=options)
                    start = self.shares[free]
            except _ConvergedError:
                return

    def _evaluate(self, tried: Floats, free: Any) -> tuple[float, Floats]:
        """Return the potential for what is sent, and its derivative by each free share.

        Raises:
            _ConvergedError: these shares are a fixed point, or the time is over.
        """
        self.evaluations += 1
        choices, group = self.choices, self.choices.group
        shares = np.ones_like(choices.sent)
        shares[free] = np.clip(tried, 0.0, 1.0)
        loads = choices.loads(shares)
        orbit_capacity = group.arc_orbit_capacity_Bps * group.arc_orbit_size
        used = self.scale * loads / orbit_capacity
        minimal, around = choices.costs(hop_cost(used)[group.arc_orbit])
        weight = choices.size[:, None] * choices.sent / choices.total
        paid = float((weight * (shares * minimal + (1 - shares) * around)).sum())
        gap = 1 - float((weight * np.minimum(minimal, around)).sum()) / paid
        if gap < self.gap:
            self.gap, self.shares, self.loads = gap, shares, loads
        if self.gap <= GAP or monotonic() > self.deadline:
            raise _ConvergedError
        value = float((orbit_capacity * cost_integral(used)).sum()) / (self.scale * choices.total)
        return value, (weight * (minimal - around))[free]


# ---- the routing ----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Ugal(Routing):
    """UGAL-G with Valiant paths `via` end points that take part, switches, or groups, which `groups` gives for a
    network. Minimal paths are all of fewest cables, or over groups those of fewest global cables."""

    via: str
    groups: Callable[[Network], Grouping]

    linear: ClassVar[bool] = False
    proportional: ClassVar[bool] = False

    @property
    def relays(self) -> bool:
        return self.via == "end"

    def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
        return self._loads_at(self._fixed_point(machine, demand), 1.0)

    def throughput(self, machine: RoutedNetwork, demand: Demand) -> Throughput:
        point = self._fixed_point(machine, demand)
        return search_throughput(lambda scale: self._loads_at(point, scale), machine.network, demand)

    def invariant_symmetries(self, symmetry: Symmetry) -> Symmetry:
        if self.via != "group":
            return symmetry
        network = symmetry.network
        return keep_groups(symmetry, self.groups(network).of_vertices(network))

    def _fixed_point(self, machine: RoutedNetwork, demand: Demand) -> FixedPoint:
        network = machine.network
        if not (row_sums(demand, network.ends) > 0).any():
            raise NotAdmittedError("nothing is sent")
        deadline_s = np.inf if machine.time_limit is None else monotonic() + machine.time_limit
        if self.via == "group":
            grouping = self.groups(network)
            return FixedPoint(choices_over_groups(machine.symmetry, demand, grouping), deadline_s)
        return FixedPoint(choices_over(machine.symmetry, demand, self.via), deadline_s)

    def _loads_at(self, point: FixedPoint, scale: float) -> Loads:
        point.solve(scale)
        group = point.choices.group
        load = loads_of_orbits(group, point.loads * scale)
        return Loads(group.network, self.text, load, point.evaluations, self._said(point))

    def _said(self, point: FixedPoint) -> str:
        """Return what the estimate is of, with its constants."""
        said = (
            f"an estimate of a model: UGAL-G, each pair minimal or Valiant by hops and queues on all its paths (M/D/1 "
            f"up to {BUFFER:g} packets), in equilibrium; {format_share(point.minimal_share)} goes minimally"
        )
        if point.gap <= GAP:
            return said
        return f"{said}; not converged after {point.evaluations:,} iterations: the relative gap is {point.gap:.1g}"


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
