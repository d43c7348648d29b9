"""Loads of routings that follow the shape of the machine: up and down a tree, dimension by dimension.

Each gives, for one target, a set of arcs without cycles on which every vertex splits what it has in equal shares for
each cable; the loads are then passed along it from the far end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ids, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.graph.symmetry import Array, Automorphism, Symmetry, arc_images, locate_arrays, tiers_of_vertices
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, demand_column, invariant_symmetries
from unifiedbus_dsl.solver.paths.bfs import Distances, Hops, injection_split
from unifiedbus_dsl.solver.routing.ecmp import loads_of_orbits, target_representatives
from unifiedbus_dsl.solver.routing.loads import Loads


@frozen(eq=False)
class RoutingDag:
    """Arcs on the way to one target, and how far each vertex is from it in steps along them (-1: no way), [V]."""

    arcs: Ints
    steps: Hops


Router: TypeAlias = Callable[[NDArray[Any]], RoutingDag]
"""The arcs toward a target, given by its vertices."""


def updown(symmetry: Symmetry, demand: Demand) -> Loads:
    """Up to a least common tier, then down. The tier of a vertex is its distance from the end points; every step leads
    to the next tier, so cables within a tier are not used."""
    return loads_along(symmetry, demand, updown_router(symmetry.network), "updown")


def updown_router(network: Network) -> Router:
    """Return the arcs of `updown` toward any target."""
    tier = tiers_of_vertices(network)
    rises = tier[network.head] - tier[network.tail]
    up, down = np.flatnonzero(rises == 1), np.flatnonzero(rises == -1)

    def ways(goal: NDArray[Any]) -> RoutingDag:
        return _up_and_down(network, tier, up, down, goal)

    return ways


def _up_and_down(network: Network, tier: Ids, up: Ints, down: Ints, goal: NDArray[Any]) -> RoutingDag:
    """Straight down where that leads to the target, else up towards the lowest vertex from which it does."""
    steps: Hops = np.full(network.vertices, -1, dtype=np.int32)
    steps[goal] = 0
    top = int(tier.max(initial=0))
    falling = []
    for level in range(1, top + 1):
        arcs = down[tier[network.tail[down]] == level]
        arcs = arcs[(steps[network.head[arcs]] >= 0) & _passable(network, arcs, steps)]
        steps[network.tail[arcs]] = steps[network.head[arcs]] + np.int32(1)
        falling.append(arcs)
    below = steps >= 0
    rising = []
    for level in range(top - 1, -1, -1):
        arcs = up[(tier[network.tail[up]] == level) & ~below[network.tail[up]]]
        arcs = arcs[(steps[network.head[arcs]] >= 0) & network.forwards[network.head[arcs]]]
        nearest = np.full(network.vertices, np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(nearest, network.tail[arcs], steps[network.head[arcs]] + np.int32(1))
        arcs = arcs[steps[network.head[arcs]] + 1 == nearest[network.tail[arcs]]]
        steps[network.tail[arcs]] = nearest[network.tail[arcs]]
        rising.append(arcs)
    return RoutingDag(np.concatenate([*falling, *rising]) if top else np.zeros(0, np.int64), steps)


def _passable(network: Network, arcs: Ints, steps: Hops) -> Bools:
    heads = network.head[arcs]
    return np.asarray(network.forwards[heads] | (steps[heads] == 0))


def coordinates(network: Network, array: Array) -> Ints:
    """Place of each end point in an array of single devices: its index in the arrays around it and in each dimension,
    -1 where it is none of them. [E, dimensions]"""
    columns, rest, inside = locate_arrays(array, network.end_device)
    inside &= rest < int(np.prod(array.shape))
    if array.shape:
        columns += [np.asarray(i) for i in np.unravel_index(np.where(inside, rest, 0), array.shape)]
    if not columns:
        return np.zeros((network.ends, 0), dtype=np.int64)
    return np.where(inside[:, None], np.stack(columns, axis=1), -1)


def dor(symmetry: Symmetry, demand: Demand, place: Ints) -> Loads:
    """Dimension by dimension, in the order of the columns of `place` ([E, dimensions]); within one, all shortest paths
    along cables that change only that index.

    Raises:
        NotAdmittedError: an end point can't be reached so, or has several vertices.
    """
    keep, router = dor_router(symmetry.network, place)
    return loads_along(symmetry.restricted(keep=keep), demand, router, "dor")


def dor_router(network: Network, at: Ints) -> tuple[Callable[[Automorphism], bool], Router]:
    """Return which symmetries keep the dimensions of `at` ([E, dimensions], in the order in which they are gone along),
    and the arcs of `dor` toward any target.

    Raises:
        NotAdmittedError: an end point has several vertices, or a dimension no cable.
    """
    if not network.simple:
        raise NotAdmittedError("an end point whose ports do not all forward to each other can't turn a corner")
    dimension = _dimension_of(network, at)
    for k in range(at.shape[1]):
        if not (dimension == k).any() and len(np.unique(at[:, k])) > 1:
            raise NotAdmittedError(f"no cable leads along dimension {k} alone")

    def keep(generator: Automorphism) -> bool:
        arcs = arcs_of_rows(network, generator.moved)
        return bool((dimension[arcs] == dimension[arc_images(network, generator)]).all())

    def ways(goal: NDArray[Any]) -> RoutingDag:
        return _dimension_by_dimension(network, at, dimension, int(goal[0]))

    return keep, ways


def dor_over_arrays(
    symmetry: Symmetry, demand: Demand, arrays: Sequence[Array], order: tuple[int, ...] | None
) -> Loads:
    """Return the loads of `dor` along the dimensions of the array of single devices that holds most end points.

    Raises:
        NotAdmittedError: there is no such array, or `order` names another number of dimensions.
    """
    return dor(symmetry, demand, places_in_order(symmetry.network, arrays, order))


def places_in_order(network: Network, arrays: Sequence[Array], order: tuple[int, ...] | None) -> Ints:
    """Return the place of each end point in the array of single devices that holds most of them, its dimensions in the
    order of `dor`, [E, dimensions].

    Raises:
        NotAdmittedError: there is no such array, or `order` names another number of dimensions.
    """
    grids = [coordinates(network, array) for array in arrays if array.size == 1]
    grids = [place for place in grids if place.shape[1] > 0]
    if not grids:
        raise NotAdmittedError("there is no array of end points whose dimensions could be routed by")
    place = max(grids, key=lambda place: int(np.count_nonzero(place[:, 0] >= 0)))
    if order is not None and len(order) != place.shape[1]:
        raise NotAdmittedError(
            f"the end points have {place.shape[1]} dimensions, the arrays around them among them, and `order` "
            f"names {len(order)}"
        )
    return place if order is None else np.asarray(place[:, np.asarray(order, dtype=np.int64)])


def _dimension_of(network: Network, at: Ints) -> Ints:
    """Return the only dimension in which the ends of an arc differ, -1 where there is none. [A]"""
    one, two = network.end[network.tail], network.end[network.head]
    differ = (at[one] != at[two]) & ((one >= 0) & (two >= 0) & (at[one, 0] >= 0) & (at[two, 0] >= 0))[:, None]
    return np.where(differ.sum(axis=1) == 1, differ.argmax(axis=1), -1)


def _dimension_by_dimension(network: Network, at: Ints, dimension: Ints, goal: int) -> RoutingDag:
    """Phase by phase from the last: within phase k all indices before k are right already, and k is put right."""
    place = np.full((network.vertices, at.shape[1]), -1)
    place[network.end_order] = at
    right = np.cumprod(place == place[goal], axis=1).astype(bool)
    steps: Hops = np.full(network.vertices, -1, dtype=np.int32)
    steps[goal] = 0
    chosen = []
    last = 0
    for k in range(at.shape[1] - 1, -1, -1):
        along = np.flatnonzero(dimension == k)
        within = right[:, k - 1] if k else np.ones(network.vertices, dtype=bool)
        along = along[within[network.tail[along]] & ~right[network.tail[along], k]]
        near = np.where(right[:, k] & (steps >= 0), 0, -1)
        distance = 0
        while True:
            ahead = (near[network.head[along]] == distance) & (near[network.tail[along]] < 0)
            arcs = along[ahead & (network.forwards[network.head[along]] | (network.head[along] == goal))]
            if not len(arcs):
                break
            distance += 1
            near[network.tail[arcs]] = distance
            chosen.append(arcs)
        reached = near > 0
        steps[reached] = last + near[reached]
        last += distance
    return RoutingDag(np.concatenate(chosen) if chosen else np.zeros(0, np.int64), steps)


# ---- loads along the ways -------------------------------------------------------------------------------------------


def loads_along(symmetry: Symmetry, demand: Demand, router: Router, routing: str) -> Loads:
    """Return loads of a demand along the ways to each target."""
    group = invariant_symmetries(symmetry, demand)
    network = group.network
    total = np.zeros(group.arc_orbits)
    sweeps = 0
    for target, size in track(list(target_representatives(group, demand)), f"loads under {routing}"):
        ways = router(network.vertices_of(target))
        column = demand_column(demand, target, network.ends)
        load = propagate_loads(network, ways, column, routing)
        total += size * bincount(group.arc_orbit[ways.arcs], load, len(total))
        sweeps += 1
    return Loads(network, routing, loads_of_orbits(group, total), sweeps)


def propagate_loads(network: Network, ways: RoutingDag, column: Floats, routing: str) -> Floats:
    """Load of each of the arcs when end point e sends `column[e]`; at each vertex equal shares for each cable."""
    return passed_along(network, ways, given_along(network, ways, column, routing))


def given_along(network: Network, ways: RoutingDag, column: Floats, routing: str) -> Floats:
    """Return what each vertex is handed when end point e sends `column[e]`, [V]."""
    cables = network.count[ways.arcs].astype(np.float64)
    nearer = bincount(network.tail[ways.arcs], cables, network.vertices)
    given = injection_split(network, Distances(ways.steps, nearer), column)
    if not np.isclose(given.sum(), column.sum(), rtol=1e-9):
        raise NotAdmittedError(f"`{routing}` does not lead from each end point to each that it sends to")
    return given


def passed_along(network: Network, ways: RoutingDag, given: Floats) -> Floats:
    """Load of each of the arcs when vertex v is handed `given[v]`."""
    tails, heads = network.tail[ways.arcs], network.head[ways.arcs]
    cables = network.count[ways.arcs].astype(np.float64)
    nearer = bincount(tails, cables, network.vertices)
    at = given.copy()
    load = np.zeros(len(tails))
    order = np.argsort(-ways.steps[tails], kind="stable")
    level: NDArray[Any] = ways.steps[tails][order]
    bounds = np.append(np.flatnonzero(np.diff(level, prepend=-1)), len(order))
    for begin, end in pairwise(bounds.tolist()):
        some = order[begin:end]
        load[some] = at[tails[some]] / nearer[tails[some]] * cables[some]
        at += bincount(heads[some], load[some], network.vertices)
    return load
