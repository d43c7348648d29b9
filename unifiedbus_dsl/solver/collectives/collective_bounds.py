"""Times that no schedule of a collective can beat, over all groups at once.

What every schedule must bring, whatever it relays: to one member v of each group g the shards of all others of g. The
shards of different groups differ, so these transfers run at once:

    all-gather, reduce-scatter    time >= shard / x,  x = largest rate of all of them together, for any choice of the v
    all-to-all                    time  = (size / n) / t,  t the best throughput where end points relay: exact
    all-reduce                    time >= size / least capacity that parts two members, and >= 2 (n - 1) size / what all
                                  end points can send; <= reduce-scatter + all-gather
    broadcast                     time >= size / least capacity from the root to a member; reached by one root alone

For one group of an all-gather the bound is reached (ForestColl, arXiv 2402.06787), for one root of a broadcast too
(as many disjoint arborescences as the narrowest cut is wide: Bang-Jensen, Frank and Jackson, 1995). Both theorems are
about cables that carry as much one way as the other. Injection that counts for several cables together is no such cable
(see `relays`): then copies that pass it are counted, the upper bound is what is reached where it is shared out among
these cables, small machines are solved as packings of trees (see `trees`). For several groups only the lower bound is
known.
"""

from __future__ import annotations

from math import inf
from time import monotonic

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Floats, Ints, take
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import BoundedValue, DeadlineError, NotAdmittedError, bounded, hold_order
from unifiedbus_dsl.solver.collectives.allgather_bound import (
    GRACE_S,
    NOT_JOINED,
    SHORT,
    TreeBound,
    allgather_time,
    allreduce_time,
    egress_capacity,
    narrowest,
    remaining_capacity,
    resting_on,
    spread_at_most,
    upper_bound,
    wants_trees,
    with_trees,
)
from unifiedbus_dsl.solver.collectives.schedules import members_of
from unifiedbus_dsl.solver.demand import Groups, invariant_symmetries
from unifiedbus_dsl.solver.flow.alike_certificates import alike, cable_labels
from unifiedbus_dsl.solver.flow.flow_deviation import bound_concurrent_flow
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN, commodities, state_flows
from unifiedbus_dsl.solver.flow.quotient_lp import Optimum, TooLargeError, solve_concurrent_flow
from unifiedbus_dsl.solver.flow.relays import evened, narrow_injections, shared_gates, with_forwarding_endpoints
from unifiedbus_dsl.solver.flow.shared_resources import shared_resources_of
from unifiedbus_dsl.solver.flow.terminals import vertices_with_hubs
from unifiedbus_dsl.solver.routing.ecmp import ecmp
from unifiedbus_dsl.verify.alike import Alike
from unifiedbus_dsl.verify.concurrent import ConcurrentFlows
from unifiedbus_dsl.verify.relayed import RelayPrices
from unifiedbus_dsl.verify.trees import TreeProof

MAX_SWEPT = 250_000_000
"""Sources that are not alike times arcs up to which flows are found where no budget is given."""
UNKNOWN_ABOVE = "; no schedule of all groups is known"
_OF_ONE_GROUP = {"allgather": allgather_time, "reducescatter": allgather_time, "allreduce": allreduce_time}
"""Bounds on the time of a group by itself. A reduce-scatter is an all-gather turned round."""


@frozen
class LeastTime(TreeBound):
    """Bounds on the least time, s, of a collective of several groups, and what its lower bound is that of: all that
    group number `slowest` does by itself, or what one member of each group is sent, `together` at these prices."""

    slowest: int | None = None
    together: GroupPrices | None = None


@frozen(eq=False)
class GroupPrices:
    """Prices under which what one member of each group sends to the others of it takes long, and the symmetries that
    keep it (None: they take too many steps to be stated)."""

    prices: RelayPrices
    alike: Alike | None


def collective_time_bound(
    symmetry: Symmetry,
    collective: str,
    group: ArrayLike,
    size_bytes: float,
    roots: ArrayLike | None = None,
    *,
    budget: float | None = None,
) -> BoundedValue:
    """Return least time, s, of a collective over the groups of end points `group` ([E], -1: in none), of bandwidth
    alone.

    `roots` [groups] broadcast; by default the first of each. The upper bound is infinite where no schedule is known.
    After `budget` seconds no further LP is made, one that runs is given up, and what is known is an interval.
    """
    if not symmetry.network.arcs:
        raise NotAdmittedError(NOT_JOINED)
    deadline_s = inf if budget is None else monotonic() + budget
    of = np.asarray(group, dtype=np.int64)
    members = members_of(of)
    if collective == "alltoall":
        return alltoall_time(symmetry, of, size_bytes, budget).time
    if collective == "broadcast":
        first = members[:, 0] if roots is None else np.asarray(roots, dtype=np.int64)
        return _broadcast(symmetry, of, members, first, size_bytes, deadline_s)
    alone = _OF_ONE_GROUP.get(collective)
    if alone is None:
        raise NotAdmittedError(f"there is no collective `{collective}`")
    if len(members) == 1:
        return alone(symmetry, size_bytes, members[0], budget=budget)
    chosen = _one_of_each(invariant_symmetries(symmetry, Groups(of)), members)
    shown: list[tuple[float, int | None, GroupPrices | None, tuple[TreeProof, ...]]] = []
    for number, g in enumerate(chosen):
        if number and monotonic() > deadline_s:
            break
        time = alone(symmetry, size_bytes, members[g], budget=remaining_capacity(deadline_s))
        shown.append((time.lower, g, None, resting_on(time, time).trees))
    rate, prices = _together(symmetry, of, members, deadline_s)
    shown.append((size_bytes / members.shape[1] / rate, None, prices, ()))
    if collective == "allreduce":
        every = 2 * (members.shape[1] - 1) * len(members) * size_bytes
        shown.append((every / float(egress_capacity(symmetry.network).sum()), None, None, ()))
    lower, slowest, prices, trees = max(shown, key=lambda each: each[0])
    late = SHORT if monotonic() > deadline_s else ""
    reason = "from below one member of each group at once" + UNKNOWN_ABOVE + late
    return LeastTime(lower, "interval", lower, inf, reason, trees, slowest, prices)


def _one_of_each(symmetry: Symmetry, members: Ints) -> list[int]:
    """Return numbers of groups, one for each way that orbits of end points meet in a group."""
    orbit = np.sort(symmetry.end_orbit[members], axis=1)
    _, first = np.unique(orbit, axis=0, return_index=True)
    return [int(i) for i in first]


def _concurrent(symmetry: Symmetry, group: Ints, sources: Ints, budget: float | None) -> Optimum:
    """Return largest rate at which each of the sources can send a stream to each other member of its group, all at once
    where end points relay, with both certificates. The symmetry keeps the groups and the sources.

    Raises:
        TooLargeError: the linear program is too large, or not solved within `budget` seconds.
    """
    return solve_concurrent_flow(symmetry, commodities(symmetry, Groups(group), sources), np.ones(1), budget=budget)


def _together(symmetry: Symmetry, group: Ints, members: Ints, deadline_s: float) -> tuple[float, GroupPrices | None]:
    """Return an upper bound on the rate at which the first member of each group can be brought a stream from every
    other one of its group, all groups at once, byte/s; the same as sending, with every arc turned round; and the prices
    that show it. What it can take at all, without prices, where there is no time for more."""
    own = symmetry.network.injection_Bps[members[:, 0]]
    max_rate = float(own.min() / (members.shape[1] - 1))
    if monotonic() > deadline_s:
        return max_rate, None
    first = symmetry.network.selected(members[:, 0])
    around = invariant_symmetries(with_forwarding_endpoints(symmetry), Groups(group)).restricted(colour=first)
    try:
        optimum = _concurrent(around, group, members[:, 0], remaining_capacity(deadline_s))
    except TooLargeError:
        return max_rate, None
    hold_order(optimum.lower, max_rate)
    if max_rate < optimum.upper:
        return max_rate, None
    return optimum.upper, GroupPrices(_prices(around, optimum), alike(symmetry.network, around, _places(symmetry)))


@frozen(eq=False)
class Relayed:
    """Bounds on the least time, s, of an all-to-all, and what shows them: loads [A] at the `rate` of the traffic,
    byte/s a pair, what each source sends of them, and prices. Without loads they are what end points send and take."""

    time: BoundedValue
    load_Bps: Floats | None = None  # noqa: N815
    rate: float = 0.0
    prices: RelayPrices | None = None
    flows: ConcurrentFlows | None = None


def alltoall_time(symmetry: Symmetry, group: Ints, size_bytes: float, budget: float | None) -> Relayed:
    """Pieces of size / n at the best throughput over all paths, those through end points among them; prices in place of
    a linear program that takes more than half of the budget.

    Raises:
        NotAdmittedError: some are not joined.
    """
    if not symmetry.network.arcs:
        raise NotAdmittedError(NOT_JOINED)
    members = members_of(group)
    around = invariant_symmetries(with_forwarding_endpoints(symmetry), Groups(group))
    reason = "flows and prices on every arc, from a linear program on classes; end points relay"
    try:
        optimum = _concurrent(around, group, members.ravel(), None if budget is None else budget / 2)
    except TooLargeError:
        made = commodities(around, Groups(group), members.ravel())
        if budget is None and len(made) * around.network.arcs > MAX_SWEPT:
            return _by_ports(symmetry, members, size_bytes, "; too many end points are unlike for flows")
        try:
            deadline_s = inf if budget is None else monotonic() + max(budget, GRACE_S)
            whole = ecmp(around, Groups(group), deadline_s).load_Bps
        except DeadlineError:
            return _by_ports(symmetry, members, size_bytes, SHORT)
        optimum = bound_concurrent_flow(around, made, whole, budget=None if budget is None else budget / 2)
        short = "little symmetry" if budget is None else "little time"
        reason = f"flows along shortest paths under prices, and those prices; {short}; end points relay"
    if optimum.lower <= 0:
        raise NotAdmittedError(NOT_JOINED)
    piece = size_bytes / members.shape[1]
    time = bounded(piece / optimum.upper, piece / optimum.lower, reason, MEETS_WITHIN)
    return Relayed(
        time,
        take(optimum.load_Bps, cable_labels(around)),
        optimum.lower,
        _prices(around, optimum),
        state_flows(symmetry.network, around, optimum, 1.0, _places(symmetry), relays=True),
    )


def _by_ports(symmetry: Symmetry, members: Ints, size_bytes: float, why: str) -> Relayed:
    """Return the time of an all-to-all as far as ports and injections tell."""
    sent, taken = upper_bound(symmetry.network)
    most = float(np.minimum(sent, taken)[members].min()) / (members.shape[1] - 1)
    return Relayed(bounded(size_bytes / members.shape[1] / most, inf, "what end points send and take" + why))


def _places(symmetry: Symmetry) -> Ints:
    """Return the number of each vertex among those where end points relay, [V]."""
    return vertices_with_hubs(symmetry.network, narrow_injections(symmetry.network))


def _prices(around: Symmetry, optimum: Optimum) -> RelayPrices:
    """Return the prices of orbits of cables, and of what end points inject, [E]."""
    rooms, network = shared_resources_of(around), around.network
    gates = np.zeros((2, network.ends))
    for gate, side, at, price in zip(
        gates,
        (rooms.outward, rooms.inward),
        (network.tail, network.head),
        np.split(optimum.price[rooms.arcs :], 2),
        strict=True,
    ):
        gated = np.flatnonzero(side[around.arc_orbit] >= 0)
        gate[network.end[at[gated]]] = price[side[around.arc_orbit[gated]]]
    return RelayPrices(cable_labels(around), optimum.price[: rooms.arcs], *gates)


def _broadcast(
    symmetry: Symmetry, group: Ints, members: Ints, roots: Ints, size_bytes: float, deadline_s: float
) -> BoundedValue:
    """Return the whole size over the narrowest cut between a root and a member of its group; with one group also from
    above.

    A cut that parts any two members parts the root from one of them, and as much fits one way as the other.
    """
    keep = invariant_symmetries(symmetry, Groups(group)).restricted(colour=symmetry.network.selected(roots))
    sent, taken = upper_bound(symmetry.network)
    rate, reason, slowest = np.inf, "", 0
    for g in _one_of_each(keep, members):
        chosen = symmetry.network.selected(members[g])
        around = with_forwarding_endpoints(symmetry).restricted(colour=chosen)
        bounded_value = narrowest(around, chosen, sent, taken, deadline_s)
        slowest = g if bounded_value.upper < rate else slowest
        rate, reason = min(rate, bounded_value.upper), bounded_value.reason
        if monotonic() > deadline_s:
            break
    if rate <= 0:
        raise NotAdmittedError(NOT_JOINED)
    if len(roots) > 1:
        return LeastTime(size_bytes / rate, "interval", size_bytes / rate, inf, reason + UNKNOWN_ABOVE, slowest=slowest)
    shared, reached = shared_gates(around.network), bounded_value.lower
    if len(shared):
        root = int(roots[0])
        rate = min(rate, spread_at_most(around, chosen, root, shared, sent, deadline_s))
        even = evened(around, shared)
        reached = narrowest(even, chosen, *upper_bound(even.network), deadline_s).lower
    found = bounded(reached, rate, reason, MEETS_WITHIN)
    if wants_trees(around.network, found):
        root = int(roots[0])
        found = with_trees(found, around.network, chosen, "broadcast", deadline_s, root)
    above = size_bytes / found.lower if found.lower > 0 else inf
    return resting_on(bounded(size_bytes / found.upper, above, found.reason, MEETS_WITHIN), found)
