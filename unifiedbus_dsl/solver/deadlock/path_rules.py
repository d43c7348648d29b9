"""Which paths a routing may take, said apart from how it shares traffic among them, and the arcs that they use.

Toward one goal each rule is a set of arcs without a cycle on which whatever comes to a vertex goes on by every arc out
of it. A leg is what of these arcs the senders really come to. A routing is legs, and the turns between them where
packets go on at an intermediate switch or group (Valiant): what has come there by arc a leaves by arc b.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.demand import (
    Demand,
    Groups,
    column_sums,
    demand_column,
    invariant_symmetries,
    marginal_classes,
    row_sums,
)
from unifiedbus_dsl.solver.paths.bfs import Distances, Hops, by_cable, distances, injection_split
from unifiedbus_dsl.solver.routing import dragonfly, up_down
from unifiedbus_dsl.solver.routing.ecmp import target_representatives
from unifiedbus_dsl.solver.routing.up_down import RoutingDag

MAX_HELD = 40_000_000
"""Pairs (vertex, end point that comes to it) that are held to find the turns of a switch or group."""

Via = Literal["", "end", "switch", "group"]


@frozen(eq=False)
class PathRule:
    """All paths that a routing may take: `kind` is that of each leg, `via` what is between two legs (nothing: one leg).

    `place` [E, dimensions] is for dimension order, in the order in which they are gone along; `grouping` for groups.
    `note` says what is taken for granted.
    """

    kind: Literal["shortest", "updown", "dor", "groups"]
    via: Via = ""
    place: Ints | None = None
    grouping: dragonfly.Grouping | None = None
    note: str = ""


SHORTEST = PathRule("shortest")


@frozen(eq=False)
class Arrivals:
    """Who crosses each of some `arcs` at an intermediate: entry (arc, end point) of `who` is 1, sparse [n, E]."""

    arcs: Ints
    who: Any

    @classmethod
    def of(cls, network: Network, leg: Leg) -> Arrivals:
        """Return who comes to the goal of a leg by which arc."""
        last = leg.arcs[leg.steps[network.head[leg.arcs]] == 0]
        return cls(last, senders_at(network, leg)[network.tail[last]])


@frozen(eq=False)
class Leg:
    """What is sent to a `goal` crosses `arcs`; vertex v is handed `given[v]`, and is `steps[v]` from the goal, [V].

    `stage` is which leg it is of two; `came` says who is handed to the second one where not every sender comes to each
    intermediate."""

    goal: NDArray[Any]
    arcs: Ints
    steps: Hops
    given: Floats
    stage: Literal["only", "first", "second"] = "only"
    came: Arrivals | None = None


@frozen(eq=False)
class Turns:
    """Packets that come to an intermediate by arcs and go on from there: the pairs of arcs (`before[i]`, `after[i]`)
    that some pair of the demand takes. `came` and `goes` say which end points do."""

    before: Ints
    after: Ints
    came: Arrivals
    goes: Arrivals
    demand: Demand

    def pair(self, before: int, after: int) -> tuple[int, int]:
        """Return a source and a target whose packets turn so."""
        source = self.came.who[np.flatnonzero(self.came.arcs == before)[0]].indices
        target = self.goes.who[np.flatnonzero(self.goes.arcs == after)[0]].indices
        return sending_pair(self.demand, source, target)


@frozen(eq=False)
class Routes:
    """All that a routing uses for a demand, up to the symmetries of `group`, which keep both."""

    group: Symmetry
    parts: Iterator[Leg | Turns]


Router: TypeAlias = Callable[[NDArray[Any]], RoutingDag]


def routes(symmetry: Symmetry, demand: Demand, rule: PathRule) -> Routes:
    """Return what a routing uses for a demand.

    Raises:
        NotAdmittedError: a pair has no path, or the machine does not admit the routing.
    """
    network = symmetry.network
    kept, router = router_of(symmetry, rule)
    if not rule.via:
        group = invariant_symmetries(kept, demand)
        return Routes(group, _single_legs(network, router, group, demand))
    if rule.via == "end":
        row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
        group = kept.restricted(colour=marginal_classes(row, column))
        return Routes(group, _relayed_legs(network, router, group, row, column))
    group = invariant_symmetries(kept, demand)
    return Routes(group, _turning_legs(network, router, group, demand, rule))


def router_of(symmetry: Symmetry, rule: PathRule) -> tuple[Symmetry, Router]:
    """Return the symmetries that keep a rule, and its arcs toward any goal."""
    network = symmetry.network
    if rule.kind == "updown":
        return symmetry, up_down.updown_router(network)
    if rule.kind == "dor":
        assert rule.place is not None
        keep, router = up_down.dor_router(network, rule.place)
        return symmetry.restricted(keep=keep), router
    if rule.kind == "groups":
        assert rule.grouping is not None
        kept = dragonfly.keep_groups(symmetry, rule.grouping.of_vertices(network))
        return kept, dragonfly.group_router(network, rule.grouping)
    return symmetry, _shortest_router(network)


def _shortest_router(network: Network) -> Router:
    weights = by_cable(network)

    def router(goal: NDArray[Any]) -> RoutingDag:
        hops = distances(weights, goal).hops
        tail, head = hops[network.tail], hops[network.head]
        nearer = (tail == head + 1) & (head >= 0) & (network.forwards[network.head] | (head == 0))
        return RoutingDag(np.flatnonzero(nearer), hops)

    return router


def leg_to(network: Network, router: Router, goal: NDArray[Any], column: Floats) -> Leg:
    """Return the leg of all end points e that send something, `column[e]`, to a goal."""
    dag = router(goal)
    cables = network.count[dag.arcs].astype(np.float64)
    nearer = bincount(network.tail[dag.arcs], cables, network.vertices)
    given = injection_split(network, Distances(dag.steps, nearer), (column > 0).astype(np.float64))
    if not np.isclose(given.sum(), np.count_nonzero(column > 0)):
        raise NoPathError("some end points have no path to each end point that they send to")
    return leg_from(network, dag, goal, given)


def leg_from(network: Network, dag: RoutingDag, goal: NDArray[Any], given: Floats) -> Leg:
    """Return the leg of what vertices are handed: the arcs of the rule that some of it comes to."""
    reached = given > 0
    tails, heads = network.tail[dag.arcs], network.head[dag.arcs]
    order = np.argsort(-dag.steps[tails], kind="stable")
    level = dag.steps[tails][order]
    bounds = np.append(np.flatnonzero(np.diff(level, prepend=-1)), len(order))
    used = np.zeros(len(order), dtype=bool)
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        some = order[begin:end]
        some = some[reached[tails[some]]]
        used[some] = True
        reached[heads[some]] = True
    return Leg(goal, dag.arcs[used], dag.steps, given)


def _single_legs(network: Network, router: Router, group: Symmetry, demand: Demand) -> Iterator[Leg]:
    for target, _ in track(list(target_representatives(group, demand)), "channels to each end point"):
        yield leg_to(network, router, network.vertices_of(target), demand_column(demand, target, network.ends))


def _relayed_legs(network: Network, router: Router, group: Symmetry, row: Floats, column: Floats) -> Iterator[Leg]:
    """Legs to and from intermediate end points, each of which takes in what it relays."""
    members = np.flatnonzero((row > 0) | (column > 0))
    first, _ = group.representatives(members)
    for target in track(first.tolist(), "channels to each end point"):
        senders = row.copy()
        if column[target] > 0:
            senders[members] = 1.0
        senders[target] = 0.0
        yield leg_to(network, router, network.vertices_of(target), senders)


# ---- legs with turns between them -----------------------------------------------------------------------------------


def _turning_legs(
    network: Network, router: Router, group: Symmetry, demand: Demand, rule: PathRule
) -> Iterator[Leg | Turns]:
    row = row_sums(demand, network.ends)
    goals = list(_intermediates(network, group, rule))
    first: list[Leg] = []
    for goal in track(goals, "channels to each intermediate"):
        first.append(evolve(leg_to(network, router, goal, row), stage="first"))
        yield first[-1]
    arrivals = [Arrivals.of(network, leg) for leg in first]
    if rule.grouping is not None:
        of_vertex = rule.grouping.of_vertices(network)
        yield from _legs_from_groups(network, router, group, demand, arrivals, of_vertex)
    else:
        yield from _legs_from_switches(network, router, group, demand, first, arrivals)


def _intermediates(network: Network, group: Symmetry, rule: PathRule) -> Iterator[NDArray[Any]]:
    if rule.via == "switch":
        switches = np.flatnonzero(network.end < 0)
        if not len(switches):
            raise NotAdmittedError("there is no switch to route over")
        _, first = np.unique(group.vertex_orbit[switches], return_index=True)
        yield from (switches[k : k + 1] for k in first.tolist())
        return
    assert rule.grouping is not None
    of_vertex = rule.grouping.of_vertices(network)
    yield from (np.flatnonzero(of_vertex == number) for number in range(rule.grouping.count))


def senders_at(network: Network, leg: Leg) -> Any:
    """Return which end points send something through each vertex on a leg: sparse [V, E], 1 where one does."""
    from scipy.sparse import csr_matrix

    n = network.vertices
    begins = np.flatnonzero((leg.given > 0) & (network.end >= 0))
    shape = n, network.ends
    reached = csr_matrix((np.ones(len(begins), np.int8), (begins, network.end[begins])), shape=shape)
    tails, heads = network.tail[leg.arcs], network.head[leg.arcs]
    for level in np.unique(leg.steps[tails])[::-1].tolist():
        here = leg.steps[tails] == level
        step = csr_matrix((np.ones(int(here.sum()), np.int8), (heads[here], tails[here])), shape=(n, n))
        reached = reached + step @ reached
        reached.data[:] = 1
        if reached.nnz > MAX_HELD:
            raise NotAdmittedError("too many end points and intermediates for who comes to each to be held")
    return reached


def _legs_from_switches(
    network: Network, router: Router, group: Symmetry, demand: Demand, first: list[Leg], arrivals: list[Arrivals]
) -> Iterator[Leg | Turns]:
    column = column_sums(demand, network.ends)
    switches = np.flatnonzero(network.end < 0)
    ends, _ = group.representatives(np.flatnonzero(column > 0))
    for target in track(ends.tolist(), "channels from each intermediate"):
        goal = network.vertices_of(target)
        dag = router(goal)
        if (dag.steps[switches] < 0).any():
            raise NotAdmittedError("some switches have no path to each end point")
        given = np.zeros(network.vertices)
        given[switches] = 1.0
        yield evolve(leg_from(network, dag, goal, given), stage="second")
    for leg, came in zip(first, arrivals, strict=True):
        # what leads from a switch to the targets is the opposite of what leads from them to it
        back = Arrivals.of(network, leg_to(network, router, network.turn(leg.goal), column))
        yield _turns(network, demand, came, Arrivals(network.opposite[back.arcs].astype(np.int64), back.who))


def _legs_from_groups(
    network: Network, router: Router, group: Symmetry, demand: Demand, arrivals: list[Arrivals], of_vertex: Ints
) -> Iterator[Leg | Turns]:
    from scipy.sparse import csr_matrix, vstack

    came = Arrivals(np.concatenate([each.arcs for each in arrivals]), vstack([each.who for each in arrivals]).tocsr())
    heads = network.head[came.arcs]
    own = of_vertex[network.end_order] >= 0  # vertices of end points that are in a group, which may stay their own
    for target, _ in track(list(target_representatives(group, demand)), "channels from each group"):
        sends = demand_column(demand, target, network.ends) > 0
        goal = network.vertices_of(target)
        dag = router(goal)
        passing = np.asarray(came.who @ sends.astype(np.float64)) > 0
        given = np.zeros(network.vertices)
        given[network.end_order] = sends[network.end[network.end_order]] & own
        given[heads[passing]] = 1.0
        given[goal] = 0.0
        if (dag.steps[given > 0] < 0).any():
            raise NotAdmittedError("`valiant(via = group)` comes to a group from which there is no path to a target")
        here = Arrivals(came.arcs[passing], came.who[passing])
        leg = evolve(leg_from(network, dag, goal, given), stage="second", came=here)
        yield leg
        out = leg.arcs[np.isin(network.tail[leg.arcs], heads[passing])]
        rows, shape = np.arange(len(out)), (len(out), network.ends)
        only = csr_matrix((np.ones(len(out), np.int8), (rows, np.full(len(out), target))), shape=shape)
        yield _turns(network, demand, here, Arrivals(out, only))


def _turns(network: Network, demand: Demand, came: Arrivals, goes: Arrivals) -> Turns:
    """Return the pairs of arcs in and out at one vertex that some pair of the demand takes."""
    at, leaving = network.head[came.arcs], network.tail[goes.arcs]
    before, after = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for vertex in np.intersect1d(at, leaving).tolist():
        into, out = np.flatnonzero(at == vertex), np.flatnonzero(leaving == vertex)
        one, two = np.nonzero(_pairs_between(demand, came.who[into], goes.who[out]) > 0)
        before.append(came.arcs[into[one]])
        after.append(goes.arcs[out[two]])
    return Turns(np.concatenate(before), np.concatenate(after), came, goes, demand)


def _pairs_between(demand: Demand, source: Any, target: Any) -> NDArray[Any]:
    """Return how many pairs of the demand go from the end points of each row of `source` to those of each of
    `target`."""
    from scipy.sparse import csr_matrix

    one, two = source.astype(np.int64), target.astype(np.int64)
    ends = one.shape[1]
    if isinstance(demand, Groups):
        inside = np.flatnonzero(demand.group >= 0)
        shape = ends, int(demand.group.max(initial=0)) + 1
        member = csr_matrix((np.ones(len(inside), np.int64), (inside, demand.group[inside])), shape=shape)
        alone = csr_matrix((np.ones(len(inside), np.int64), (inside, inside)), shape=(ends, ends))
        return np.asarray(((one @ member) @ (two @ member).T - one @ alone @ two.T).todense())
    many = csr_matrix((np.ones(len(demand.rate), np.int64), (demand.source, demand.target)), shape=(ends, ends))
    return np.asarray((one @ many @ two.T).todense())


def sending_pair(demand: Demand, source: Ints, target: Ints) -> tuple[int, int]:
    """Return one of these sources that sends to one of these targets, and that; there is one."""
    if isinstance(demand, Groups):
        for one in source[demand.group[source] >= 0].tolist():
            like = target[(demand.group[target] == demand.group[one]) & (target != one)]
            if len(like):
                return int(one), int(like[0])
        raise ValueError("none of these sends to one of those")
    some = np.flatnonzero(np.isin(demand.source, source) & np.isin(demand.target, target))[0]
    return int(demand.source[some]), int(demand.target[some])
