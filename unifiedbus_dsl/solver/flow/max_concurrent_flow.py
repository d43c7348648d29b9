"""Maximum concurrent flow: the largest throughput over all paths and splits, with certificates."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import inf
from time import monotonic

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints, bincount, frozen_array, take
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError, bounded
from unifiedbus_dsl.solver.demand import Demand, column_sums, demand_row, invariant_symmetries, row_sums
from unifiedbus_dsl.solver.flow.alike_certificates import alike, cable_labels
from unifiedbus_dsl.solver.flow.flow_deviation import bound_concurrent_flow
from unifiedbus_dsl.solver.flow.quotient_lp import Commodity, Optimum, TooLargeError, solve_concurrent_flow
from unifiedbus_dsl.solver.flow.terminals import add_super_terminals, flow_symmetry, vertices_with_hubs
from unifiedbus_dsl.solver.routing.ecmp import ecmp, require_connected
from unifiedbus_dsl.solver.routing.throughput import BINDS_WITHIN, Throughput
from unifiedbus_dsl.verify.class_flows import SourceFlow
from unifiedbus_dsl.verify.concurrent import ConcurrentFlows
from unifiedbus_dsl.verify.distances import Potential, Prices

EQUAL_SHARES = "equal shares of shortest paths, and prices of what they fill"
FEW = 64
"""Sorts of sources up to which equal shares are held to prices before a large linear program is solved."""
MEETS_WITHIN = 1e-7
"""Relative distance between the proved sides below which a number is called exact."""


# ---- throughput -----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class MaxConcurrentFlow:
    """The largest throughput and its certificate, which is of orbits of arcs; `arc_orbit` [A] is that of each arc."""

    throughput: Throughput
    optimum: Optimum
    arc_orbit: Ids

    @property
    def price(self) -> Floats:
        """Per byte/s of each arc, [A], adding up with the capacities to the scale where no injection binds."""
        return take(self.optimum.length, self.arc_orbit)


def max_concurrent_flow(
    symmetry: Symmetry, demand: Demand, *, minimal: bool = False, most: int = 400_000, budget: float | None = None
) -> MaxConcurrentFlow:
    """Return largest t such that t times the demand fits, over all paths (`minimal`: over paths of fewest hops).

    What end points may inject does not depend on the routing, so it is one more bound on t. A LP of more than
    `most` columns, or one that is not solved within half of the `budget` in seconds, gives way to prices: the number is
    then an interval.
    """
    network = symmetry.network
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    if not (row > 0).any():
        raise NotAdmittedError("nothing is sent")
    group = invariant_symmetries(flow_symmetry(symmetry), demand)
    require_connected(symmetry, demand, group)
    made = commodities(group, demand, np.flatnonzero(row > 0))
    optimum, reason = _solved_or_bounded(symmetry, group, demand, made, minimal=minimal, most=most, budget=budget)
    most_sent = np.maximum(row, column)
    max_scale = np.divide(network.injection_Bps, most_sent, out=np.full(network.ends, np.inf), where=most_sent > 0)
    inject = float(max_scale.min())
    lower, upper = min(optimum.lower, inject), min(optimum.upper, inject)
    orbit = cable_labels(group)
    load = optimum.load_Bps * (lower / optimum.lower)
    binds = (load >= group.arc_orbit_capacity_Bps * (1 - MEETS_WITHIN)) & (optimum.length > 0)
    throughput = Throughput(
        network,
        "minimal" if minimal else "optimal",
        bounded(lower, upper, reason, MEETS_WITHIN),
        frozen_array(lower * row),
        frozen_array(take(load, orbit)),
        np.flatnonzero(take(binds, orbit)),
        np.flatnonzero(max_scale <= lower * (1 + BINDS_WITHIN)),
        Prices(orbit, optimum.length, _potentials(symmetry.network, group.network, made, optimum), minimal),
        state_flows(
            symmetry.network,
            group,
            optimum,
            lower / optimum.lower,
            vertices_with_hubs(symmetry.network),
            minimal=minimal,
        ),
        reason == EQUAL_SHARES,
    )
    return MaxConcurrentFlow(throughput, optimum, orbit)


def _solved_or_bounded(
    symmetry: Symmetry,
    group: Symmetry,
    demand: Demand,
    made: list[Commodity],
    *,
    minimal: bool,
    most: int,
    budget: float | None,
) -> tuple[Optimum, str]:
    """Return the optimum of a small linear program; else what equal shares of shortest paths reach, where the prices of
    what they fill show that nothing reaches more; else that of a large program, or under prices as far as time is."""
    deadline_s = inf if budget is None else monotonic() + budget
    solved = "flows and prices on every arc, from a linear program on classes"
    half = None if budget is None else budget / 2
    few = len(made) <= FEW
    with suppress(TooLargeError):
        return solve_concurrent_flow(
            group, made, np.ones(1), minimal=minimal, most=most, budget=half, quick=few
        ), solved
    whole = _through_terminals(group.network, ecmp(symmetry, demand).load_Bps)
    if few:
        equal = bound_concurrent_flow(group, made, whole, minimal=minimal, budget=0.0)
        if equal.upper <= equal.lower * (1 + MEETS_WITHIN):
            return equal, EQUAL_SHARES
        with suppress(TooLargeError):
            left = None if budget is None else max(0.0, deadline_s - monotonic()) / 2
            return solve_concurrent_flow(group, made, np.ones(1), minimal=minimal, most=most, budget=left), solved
    left = None if budget is None else max(0.0, deadline_s - monotonic())
    optimum = bound_concurrent_flow(group, made, whole, minimal=minimal, budget=left)
    return optimum, "flows under prices, and those prices; little symmetry or little time"


def _potentials(
    network: Network, hubs: Network, commodities: Sequence[Commodity], optimum: Optimum
) -> tuple[Potential, ...]:
    """Return the distances that show the upper bound, on the vertices of `network`; `hubs` is the one that was
    solved."""
    if not optimum.potentials:
        return tuple(Potential(int(hubs.end[c.source]), c.copies) for c in commodities)
    new = None if network.simple else add_super_terminals(network).new
    return tuple(
        Potential(int(hubs.end[source]), copies, part if new is None else part[new], far)
        for source, copies, part, far in optimum.potentials
    )


def state_flows(
    network: Network,
    hubs: Symmetry,
    optimum: Optimum,
    factor: float,
    new: Ints,
    *,
    minimal: bool = False,
    relays: bool = False,
) -> ConcurrentFlows | None:
    """Return what each source sends, times a factor, on the vertices of `network`; `hubs` are the symmetries that were
    used of the one that was solved, in which vertex v is `new[v]`. None where sources were not told apart, or
    symmetries take too many steps."""
    sorts = alike(network, hubs, new) if optimum.flows else None
    if sorts is None:
        return None
    labels, flows = int(sorts.label.max(initial=-1)) + 1, []
    for source, part, key, value in optimum.flows:
        pair, orbit = np.divmod(key, hubs.arc_orbits)
        tail, head = np.divmod(pair, int(part.max()) + 1)
        here = part[new]
        classes = int(here.max()) + 1
        some = np.flatnonzero((orbit < labels) & (tail < classes) & (head < classes) & (value > 0))
        wanted = (tail[some] * classes + head[some]) * labels + orbit[some]
        order = np.argsort(wanted)
        end = hubs.network.end[source]
        vertex = int(np.flatnonzero(network.end == end)[0])
        flows.append(SourceFlow(vertex, value[some][order] * factor, here, wanted[order]))
    return ConcurrentFlows(sorts, tuple(flows), minimal, relays)


def _through_terminals(network: Network, load: Floats) -> Floats:
    """Return loads of all arcs from those of the cables in order: what a die gains goes on to its hub, what it lacks
    comes from there. [A]"""
    free = np.isinf(network.capacity_Bps)
    whole = np.zeros(network.arcs)
    whole[~free] = load
    gain = bincount(network.head, whole, network.vertices) - bincount(network.tail, whole, network.vertices)
    out, into = gain[network.tail[free]], -gain[network.head[free]]
    whole[free] = np.maximum(np.where(network.end[network.head[free]] >= 0, out, into), 0.0)
    return whole


def commodities(symmetry: Symmetry, demand: Demand, sources: Ints) -> list[Commodity]:
    """Return what these end points send, one of each orbit; the symmetry keeps them and the demand."""
    network = symmetry.network
    first, size = symmetry.representatives(sources)
    return [
        Commodity(
            int(network.vertices_of(s)[0]),
            copies,
            (network.on_vertices(demand_row(demand, s, network.ends)),),
        )
        for s, copies in zip(first.tolist(), size.tolist(), strict=True)
    ]
