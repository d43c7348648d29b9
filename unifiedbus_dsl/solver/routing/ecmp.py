"""Loads under routings that share by equal cost: `ecmp`, `wcmp` and, in two legs of them, `valiant`.

    load(a) = sum over targets t of load_t(a),
    load_t(v, h) = x_t(v) · w(v, h) / sum of w over the arcs of v that lead nearer to t,
    x_t(v) = what v sends to t + what arrives at v on its way to t

One sweep for each orbit of targets is enough: an automorphism that keeps the demand takes load_t to load_gt, so the sum
over an orbit of arcs is (size of the orbit of t) · (sum of load_t over it), added up over one t of each orbit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, bincount, frozen_array, take
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError, check_deadline
from unifiedbus_dsl.solver.demand import (
    Demand,
    Pairs,
    column_sums,
    demand_column,
    invariant_symmetries,
    marginal_classes,
    row_sums,
)
from unifiedbus_dsl.solver.paths import bidirectional_bfs
from unifiedbus_dsl.solver.paths.bfs import (
    Distances,
    Weights,
    by_cable,
    by_capacity,
    distances,
    injection_split,
    shortest_path_loads,
)
from unifiedbus_dsl.solver.routing.loads import Loads

PER_SEARCHED_ARC, PER_SWEPT_ARC, PER_SWEEP = 4e-6, 3e-9, 3e-4
"""Seconds, about: of an arc in a search for symmetries, of an arc in a sweep, of a sweep whatever its size."""


def ecmp(symmetry: Symmetry, demand: Demand, deadline_s: float = np.inf) -> Loads:
    """Return the loads over all shortest paths by hop count: equal shares of the cables that lead nearer.

    Raises:
        TooLateError: they are not all found by `deadline_s`.
    """
    return _shortest(symmetry, demand, by_cable(symmetry.network), "ecmp", deadline_s)


def wcmp(symmetry: Symmetry, demand: Demand) -> Loads:
    """Return the loads over all shortest paths by hop count: at each vertex shares by capacity of the cables that lead
    nearer."""
    return _shortest(symmetry, demand, by_capacity(symmetry.network), "wcmp")


def ecmp_by_pairs_if_cheaper(network: Network, demand: Demand, routing: Literal["ecmp", "wcmp"]) -> Loads | None:
    """Return the same pair by pair, where that is sooner done than the symmetries of a network are found; else None."""
    if not isinstance(demand, Pairs) or _all_connected(network, demand) > PER_SEARCHED_ARC * network.arcs:
        return None
    return _pair_by_pair(by_cable(network) if routing == "ecmp" else by_capacity(network), demand, routing)


def _shortest(symmetry: Symmetry, demand: Demand, weights: Weights, routing: str, deadline_s: float = np.inf) -> Loads:
    group = invariant_symmetries(symmetry, demand)
    network = group.network
    if isinstance(demand, Pairs):
        sweeps = len(list(target_representatives(group, demand)))
        if _all_connected(network, demand) < sweeps * (PER_SWEEP + PER_SWEPT_ARC * network.arcs):
            return _pair_by_pair(weights, demand, routing)
    total = np.zeros(group.arc_orbits)
    sweeps = 0
    for target, size in track(list(target_representatives(group, demand)), f"loads under {routing}"):
        check_deadline(deadline_s)
        column = demand_column(demand, target, network.ends)
        accumulate_leg(group, total, weights, network.vertices_of(target), column, size, deadline_s)
        sweeps += 1
    return Loads(network, routing, loads_of_orbits(group, total), sweeps)


def _all_connected(network: Network, demand: Pairs) -> float:
    return bidirectional_bfs.estimate_seconds(network, demand.source, demand.target)


def _pair_by_pair(weights: Weights, demand: Pairs, routing: str) -> Loads:
    load = bidirectional_bfs.pair_loads(weights.network, weights.weight, demand.source, demand.target, demand.rate)
    return Loads(weights.network, routing, frozen_array(load), 0)


def target_representatives(symmetry: Symmetry, demand: Demand) -> Iterator[tuple[int, int]]:
    """Yield one end point that receives something out of each orbit, with the size of the orbit."""
    members = np.flatnonzero(column_sums(demand, symmetry.network.ends) > 0)
    first, size = symmetry.representatives(members)
    yield from zip(first.tolist(), size.tolist(), strict=True)


def accumulate_leg(
    symmetry: Symmetry,
    total: Floats,
    weights: Weights,
    target: NDArray[Any],
    column: Floats,
    size: float,
    deadline_s: float = np.inf,
) -> None:
    """Add to `total` ([arc orbits]) the loads of all that end points send to a target, `size` times."""
    search = distances(weights, target, deadline_s)
    given = injection_split(symmetry.network, search, column)
    _must_arrive(given, column)
    accumulate_loads(symmetry, total, weights, search, given, size, deadline_s)


def require_connected(symmetry: Symmetry, demand: Demand, group: Symmetry) -> None:
    """Refuse a demand that has no path; groups for less than their loads cost. `group` are symmetries that keep the
    demand, of any network with the same end points.

    Raises:
        NoPathError: an end point sends to one to which it has no path.
    """
    if isinstance(demand, Pairs):
        ecmp(symmetry, demand)
        return
    network = symmetry.network
    weights = by_cable(network)
    for target, _ in track(list(target_representatives(group, demand)), "paths to each end point"):
        column = demand_column(demand, target, network.ends)
        _must_arrive(injection_split(network, distances(weights, network.vertices_of(target)), column), column)


def accumulate_loads(
    symmetry: Symmetry,
    total: Floats,
    weights: Weights,
    found: Distances,
    given: Floats,
    size: float,
    deadline_s: float = np.inf,
) -> None:
    arcs, load = shortest_path_loads(weights, found, given, deadline_s)
    total += size * bincount(symmetry.arc_orbit[arcs], load, len(total))


def loads_of_orbits(symmetry: Symmetry, total: Floats) -> Floats:
    """Return the load of each arc from the sum over its orbit, [A]."""
    return frozen_array(take(total / symmetry.arc_orbit_size, symmetry.arc_orbit))


def _must_arrive(given: Floats, column: Floats) -> None:
    if not np.isclose(given.sum(), column.sum(), rtol=1e-9):
        raise NoPathError("some end points have no path to each end point that they send to")


def valiant(symmetry: Symmetry, demand: Demand, via: str = "end") -> Loads:
    """Return the loads of two `ecmp` legs over a uniformly random intermediate: an end point that takes part in the
    demand (source and target themselves among them), or with `via="switch"` a switch.

    First leg: s sends its row sum / n to each of n intermediates; second: each of them sends t its column sum / n.
    """
    network = symmetry.network
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    group = symmetry.restricted(colour=marginal_classes(row, column))
    weights = by_cable(network)
    total = np.zeros(group.arc_orbits)
    if via == "switch":
        sweeps = _legs_over_switches(group, total, weights, row, column)
    else:
        sweeps = _legs_over_ends(group, total, weights, row, column)
    return Loads(network, f"valiant via {via}", loads_of_orbits(group, total), sweeps)


def _legs_over_ends(symmetry: Symmetry, total: Floats, weights: Weights, row: Floats, column: Floats) -> int:
    members = np.flatnonzero((row > 0) | (column > 0))
    share = np.zeros(len(row))
    share[members] = 1.0 / len(members)
    first, sizes = symmetry.representatives(members)
    pairs = zip(first.tolist(), sizes.tolist(), strict=True)
    for target, size in track(pairs, "loads under valiant", len(first)):
        out, back = row / len(members), share * column[target]
        both = out + back
        both[target] = 0.0
        accumulate_leg(symmetry, total, weights, symmetry.network.vertices_of(target), both, size)
    return len(first)


def _legs_over_switches(symmetry: Symmetry, total: Floats, weights: Weights, row: Floats, column: Floats) -> int:
    network = symmetry.network
    switches = np.flatnonzero(network.end < 0)
    if not len(switches):
        raise NotAdmittedError("there is no switch to route over")
    _, first, sizes = np.unique(symmetry.vertex_orbit[switches], return_index=True, return_counts=True)
    for switch, size in zip(switches[first], sizes.tolist(), strict=True):
        accumulate_leg(symmetry, total, weights, np.array([switch]), row / len(switches), size)
    ends, sizes = symmetry.representatives(np.flatnonzero(column > 0))
    for target, size in zip(ends.tolist(), sizes.tolist(), strict=True):
        search = distances(weights, network.vertices_of(target))
        if (search.hops[switches] < 0).any():
            raise NotAdmittedError("some switches have no path to each end point")
        given = np.zeros(network.vertices)
        given[switches] = column[target] / len(switches)
        accumulate_loads(symmetry, total, weights, search, given, size)
    return len(first) + len(ends)
