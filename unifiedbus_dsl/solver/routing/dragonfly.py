"""Routings of networks of groups, such as a dragonfly (Kim, Dally, Scott and Abts, ISCA 2008).

A cable between vertices of two groups is global, every other one local. **Group-minimal** paths have the fewest global
cables, and among those the fewest cables: local, global, local. That is not fewest hops, which may be two global cables
through a third group where local ones lie between. At each vertex traffic splits equally over the cables that lead on.

**Valiant over groups** sends everything to a random group first, each as likely as any other, that of the source and
that of the target among them, by a group-minimal path to whichever of its vertices that comes to; from there on it goes
group-minimally to its target. With P the chances to come to vertex x from a source, the second leg begins with

    x(t) = sum over sources s of P(s, x) · demand(s, t)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.graph.symmetry import Array, Automorphism, Symmetry, locate_arrays, relabel
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, demand_column, invariant_symmetries, row_sums
from unifiedbus_dsl.solver.paths.bfs import Hops
from unifiedbus_dsl.solver.routing.ecmp import loads_of_orbits, target_representatives
from unifiedbus_dsl.solver.routing.interface import LinearRouting
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.solver.routing.up_down import Router, RoutingDag, given_along, loads_along, passed_along
from unifiedbus_dsl.verify.routed import Scheme
from unifiedbus_dsl.verify.ways import FewestBetweenGroups

MAX_CHANCES = 40_000_000
"""Pairs (end point, vertex that it comes to first in some group) that are held."""


@frozen(eq=False)
class Grouping:
    """The group of each device, -1 where it is in none, [D]."""

    of_device: Ints

    @property
    def count(self) -> int:
        return int(self.of_device.max(initial=-1)) + 1

    def of_vertices(self, network: Network) -> Ints:
        """Return the group of each vertex, [V].

        Raises:
            NotAdmittedError: no cable joins two groups.
        """
        group = np.repeat(self.of_device, np.diff(network.device_start))
        if not crossing(network, group).any():
            raise NotAdmittedError(f"no cable joins two of the {self.count:,} groups")
        return group


@frozen(eq=False)
class DefaultGroups:
    """The groups that the arrays of a machine say, where none are named."""

    arrays: Sequence[Array]


def grouping_of(network: Network, groups: Grouping | DefaultGroups) -> Grouping:
    """Return groups on a network.

    Raises:
        NotAdmittedError: none are named, and the arrays say none.
    """
    return groups if isinstance(groups, Grouping) else default_groups(network, groups.arrays)


def group_routing(
    name: str,
    text: str,
    loads: Callable[[Symmetry, Demand, Grouping], Loads],
    groups: Grouping | DefaultGroups,
    scheme: Callable[[FewestBetweenGroups], Scheme],
) -> LinearRouting:
    """Return a routing over groups, whose legs are those of a `scheme`; it is the same under the symmetries that keep
    the groups."""

    def shares(symmetry: Symmetry, demand: Demand) -> Loads:
        return loads(symmetry, demand, grouping_of(symmetry.network, groups))

    def keep(symmetry: Symmetry) -> Symmetry:
        return keep_groups(symmetry, grouping_of(symmetry.network, groups).of_vertices(symmetry.network))

    def verified(network: Network) -> Scheme:
        return scheme(FewestBetweenGroups(grouping_of(network, groups).of_device))

    return LinearRouting(name, text, shares, keep=keep, verified=verified)


def keep_groups(symmetry: Symmetry, group: Ints) -> Symmetry:
    """Return the symmetries that take the vertices of each group ([V]) to those of one."""
    return symmetry.restricted(keep=_keeps(symmetry.network, group))


def crossing(network: Network, group: Ints) -> Bools:
    """Return which arcs lead from one group to another, [A]."""
    one, two = group[network.tail], group[network.head]
    return np.asarray((one >= 0) & (two >= 0) & (one != two))


def default_groups(network: Network, arrays: Sequence[Array]) -> Grouping:
    """Return the elements of the outermost array of assemblies that all switches are in, or else the first dimension of
    the array that all switches are; in a machine without switches the same of what forwards.

    Raises:
        NotAdmittedError: there is no such array.
    """
    device = np.repeat(np.arange(len(network.device_start) - 1), np.diff(network.device_start))
    switches = np.unique(device[network.end < 0])
    if not len(switches):
        switches = np.unique(device[network.forwards])
    holding = [array for array in arrays if _holds(array, switches)]
    for array in sorted(holding, key=lambda array: array.size == 1):  # assemblies first, the outermost of them
        group = _grouped(array, len(network.device_start) - 1)
        if group is not None:
            return Grouping(group)
    raise NotAdmittedError(
        "no array of assemblies holds all switches, and none of two dimensions is all of them: name the groups, such "
        "as `groups = all module`"
    )


def _holds(array: Array, switches: Ints) -> bool:
    """Return whether all switches are in an array that stands in no other one of several elements."""
    if not len(switches) or any(count > 1 for count, _ in array.loops):
        return False
    _, rest, within = locate_arrays(array, switches)
    return bool((within & (rest < prod(array.shape) * array.size)).all())


def _grouped(array: Array, devices: int) -> Ints | None:
    """Return the group of each device by the elements of an array of assemblies, or the first dimension of one of
    devices; None where there are fewer than two, or they are of one device each."""
    alone = array.size == 1
    size = prod(array.shape[1:]) if alone else array.size
    if size == 1 or prod(array.shape) * array.size // size < 2:
        return None
    _, rest, within = locate_arrays(array, np.arange(devices))
    within &= rest < prod(array.shape) * array.size
    return np.where(within, rest // size, -1)


# ---- group-minimal --------------------------------------------------------------------------------------------------


def group_minimal(symmetry: Symmetry, demand: Demand, grouping: Grouping) -> Loads:
    """Return loads of fewest global cables, and among those fewest cables.

    Raises:
        NotAdmittedError: no cable joins two groups, or an end point has no path.
    """
    network = symmetry.network
    kept = keep_groups(symmetry, grouping.of_vertices(network))
    return loads_along(kept, demand, group_router(network, grouping), "group_minimal")


def group_router(network: Network, grouping: Grouping) -> Router:
    """Return the group-minimal arcs toward any target.

    Raises:
        NotAdmittedError: no cable joins two groups.
    """
    length = group_lengths(network, grouping.of_vertices(network))
    return lambda goal: shortest_dag(network, length, goal)


def group_lengths(network: Network, group: Ints) -> Ints:
    """Of a local arc 1, of a global one more than of any path of local ones, [A]."""
    return np.where(crossing(network, group), network.vertices + 1, 1).astype(np.int64)


def _keeps(network: Network, group: Ints) -> Callable[[Automorphism], bool]:
    """Return whether a symmetry takes the vertices of each group to those of one."""

    def keep(generator: Automorphism) -> bool:
        before, after = group[generator.moved], group[generator.image]
        if ((before < 0) != (after < 0)).any():
            return False
        inside = before >= 0
        moved = np.arange(int(group.max()) + 1)
        moved[before[inside]] = after[inside]
        still = np.ones(network.vertices, dtype=bool)
        still[generator.moved] = False
        stays = np.zeros(len(moved), dtype=bool)
        stays[group[still & (group >= 0)]] = True  # what has a vertex that stays must stay
        whole = (moved[before[inside]] == after[inside]).all() and len(np.unique(moved)) == len(moved)
        return bool(whole and (moved[stays] == np.flatnonzero(stays)).all())

    return keep


def shortest_dag(network: Network, length: Ints, goal: NDArray[Any]) -> RoutingDag:
    """Return the arcs that lead nearer to the vertices `goal` by these lengths, and each vertex ranked by its
    distance."""
    away = np.iinfo(np.int64).max // 4
    distance = np.full(network.vertices, away)
    distance[goal] = 0
    changed = np.asarray(goal)
    while len(changed):
        arcs = arcs_of_rows(network, changed)
        before = distance.copy()
        degree = network.indptr[changed + 1] - network.indptr[changed]
        np.minimum.at(distance, network.head[arcs], np.repeat(distance[changed], degree) + length[arcs])
        changed = np.flatnonzero((distance < before) & network.forwards)
    distance = network.on_turned(distance)
    head = distance[network.head]
    nearer = (distance[network.tail] == head + length) & (network.forwards[network.head] | (head == 0)) & (head < away)
    steps: Hops = relabel(distance)
    return RoutingDag(np.flatnonzero(nearer), np.where(distance < away, steps, -1).astype(np.int32))


# ---- Valiant over groups --------------------------------------------------------------------------------------------


def valiant_over_groups(symmetry: Symmetry, demand: Demand, grouping: Grouping) -> Loads:
    """Return loads of two group-minimal legs over a group that is drawn for each packet.

    Raises:
        NotAdmittedError: no cable joins two groups, an end point has no path to some group, or they are too many.
    """
    network = symmetry.network
    group = grouping.of_vertices(network)
    length = group_lengths(network, group)
    grouped = invariant_symmetries(keep_groups(symmetry, group), demand)
    total = np.zeros(grouped.arc_orbits)
    row = row_sums(demand, network.ends)
    chances: Any = None
    for number in track(list(range(grouping.count)), "loads to each group"):
        ways = shortest_dag(network, length, np.flatnonzero(group == number))
        given = given_along(network, ways, row / grouping.count, "valiant(via = group)")
        total += bincount(grouped.arc_orbit[ways.arcs], passed_along(network, ways, given), len(total))
        chances = add_arrivals(chances, network, ways, row)
    chances = chances / grouping.count
    sweeps = grouping.count
    for target, size in track(list(target_representatives(grouped, demand)), "loads from each group"):
        column = demand_column(demand, target, network.ends)
        ways = shortest_dag(network, length, network.vertices_of(target))
        begins = np.asarray(chances @ column)
        if (ways.steps[begins > 0] < 0).any():
            raise NotAdmittedError("`valiant(via = group)` comes to a group from which there is no path to a target")
        load = passed_along(network, ways, begins)
        total += size * bincount(grouped.arc_orbit[ways.arcs], load, len(total))
        sweeps += 1
    return Loads(network, "valiant via group", loads_of_orbits(grouped, total), sweeps)


def add_arrivals(chances: Any, network: Network, ways: RoutingDag, row: Floats) -> Any:
    """Return the `chances` of other groups, None for none, and those to come first to each vertex of one more, for the
    end points that send something (`row` [E]): [V, E], sparse.

    Raises:
        NotAdmittedError: an end point has no path to the group, or they are too many to be held.
    """
    arrivals = _arrivals(network, ways, np.flatnonzero(row > 0))
    both = arrivals if chances is None else chances + arrivals
    if both.nnz > MAX_CHANCES:
        raise NotAdmittedError("too many end points and groups for what comes from each to each to be held")
    return both


def _arrivals(network: Network, ways: RoutingDag, senders: Ints) -> Any:
    """Return the chances that what each end point sends comes to each vertex of the goal first: [V, E], sparse."""
    from scipy.sparse import csr_matrix, identity

    n = network.vertices
    tails, heads = network.tail[ways.arcs], network.head[ways.arcs]
    cables = network.count[ways.arcs].astype(np.float64)
    step = csr_matrix((cables / bincount(tails, cables, n)[tails], (tails, heads)), shape=(n, n))
    goal = ways.steps == 0
    reached = identity(n, format="csr").multiply(goal[:, None]).tocsr()
    chosen = np.zeros(network.ends)
    chosen[senders] = 1.0
    given = given_along(network, ways, chosen, "valiant(via = group)")
    at = np.flatnonzero(given)
    start = csr_matrix((given[at], (network.end[at], at)), shape=(network.ends, n))
    for rows in _levels(ways.steps):
        chosen_rows = csr_matrix((np.ones(len(rows)), (rows, rows)), shape=(n, n))
        reached = reached + chosen_rows @ step @ reached
    return (start @ reached).T.tocsr()


def _levels(steps: Hops) -> Iterator[Ints]:
    """Yield the vertices of each number of steps from 1, in order."""
    order = np.argsort(steps, kind="stable")
    order = order[steps[order] > 0]
    bounds = np.append(np.flatnonzero(np.diff(steps[order], prepend=0)), len(order))
    yield from (order[low:high] for low, high in pairwise(bounds.tolist()))
