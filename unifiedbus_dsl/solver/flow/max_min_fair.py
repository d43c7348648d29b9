"""Max-min fair rates by progressive filling, and when flows of a stated size finish.

All flows grow together until a resource is full; the flows on it are frozen there and the others grow on. In place of
the one tightest resource a round freezes every resource that is the tightest of all its flows: none of those flows
could have been frozen earlier, so the rates are the same, in few rounds. The certificate is checked by `is_fair`: each
flow crosses a full resource on which no flow is faster.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints, bincount, concatenate_ranges, frozen_array
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry, refine_once, relabel
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError, check_deadline
from unifiedbus_dsl.solver.demand import Groups, demand_column, invariant_symmetries
from unifiedbus_dsl.solver.paths.bfs import by_cable, distances, injection_split, shortest_path_loads
from unifiedbus_dsl.solver.paths.bidirectional_bfs import pair_shares
from unifiedbus_dsl.solver.routing.ecmp import target_representatives

FULL_WITHIN = 1e-9
"""Relative distance at which levels count as equal and a resource as full."""


@frozen(eq=False)
class Flows:
    """Flows and what they use: flow f at rate x takes `share[i] * x` of resource `resource[i]`, for i in
    `start[f] : start[f + 1]`. `capacity_Bps` [R]: arcs of the network first, then what end points send, then receive.
    `count[f]` flows are as one: the shares are theirs together, the rate is of each."""

    start: Ints
    resource: Ints
    share: Floats
    capacity_Bps: Floats  # noqa: N815
    count: Floats

    @property
    def flows(self) -> int:
        return len(self.start) - 1


def fair_rates(flows: Flows) -> Floats:
    """Max-min fair rate of each flow, [F] byte/s; infinite for a flow that uses nothing."""
    owner = np.repeat(np.arange(flows.flows), np.diff(flows.start))
    bounded = np.isfinite(flows.capacity_Bps[flows.resource]) & (flows.share > 0)
    owner, resource, share = owner[bounded], flows.resource[bounded], flows.share[bounded]
    rate = np.full(flows.flows, np.inf)
    left = flows.capacity_Bps.astype(np.float64).copy()
    resources = len(left)
    while len(owner):
        wanted = bincount(resource, share, resources)
        level = np.divide(left, wanted, out=np.full(resources, np.inf), where=wanted > 0)
        np.maximum(level, 0.0, out=level)
        tightest = np.full(flows.flows, np.inf)
        np.minimum.at(tightest, owner, level[resource])
        slack = np.zeros(resources, dtype=bool)
        slack[resource[tightest[owner] < level[resource] * (1 - FULL_WITHIN)]] = True
        done = np.zeros(flows.flows, dtype=bool)
        done[owner[~slack[resource]]] = True
        rate[done] = tightest[done]
        gone = done[owner]
        left -= bincount(resource[gone], share[gone] * rate[owner[gone]], resources)
        owner, resource, share = owner[~gone], resource[~gone], share[~gone]
    return rate


def is_fair(flows: Flows, rate: Floats, tolerance: float = 1e-6) -> bool:
    """Return the certificate: nothing over capacity, and each flow crosses a full resource on which none is faster."""
    owner = np.repeat(np.arange(flows.flows), np.diff(flows.start))
    used = bincount(flows.resource, flows.share * rate[owner], len(flows.capacity_Bps))
    if (used > flows.capacity_Bps * (1 + tolerance)).any():
        return False
    fastest = np.zeros(len(flows.capacity_Bps))
    np.maximum.at(fastest, flows.resource, rate[owner])
    full = used >= flows.capacity_Bps * (1 - tolerance)
    held = full[flows.resource] & (rate[owner] >= fastest[flows.resource] * (1 - tolerance))
    return bool((bincount(owner, held.astype(np.float64), flows.flows) > 0).all())


@frozen(eq=False)
class Completion:
    """When each flow finishes, [F] s, and the rates at the start."""

    finish_s: Floats
    first_rate_Bps: Floats  # noqa: N815

    @property
    def makespan_s(self) -> float:
        return float(self.finish_s.max(initial=0.0))


def completion(flows: Flows, size_bytes: ArrayLike, deadline_s: float = np.inf) -> Completion:
    """Finish times of flows of the given sizes that start together; rates are fair again after each finish.

    Raises:
        TooLateError: they are not known by `deadline_s`.
    """
    remaining = np.array(np.broadcast_to(np.asarray(size_bytes, dtype=np.float64), flows.flows))
    finish, now = np.zeros(flows.flows), 0.0
    first = fair_rates(flows)
    alive = np.flatnonzero(remaining > 0)
    while len(alive):
        check_deadline(deadline_s)
        rate = fair_rates(choose_classes(flows, alive)) if now > 0 or len(alive) < flows.flows else first
        if not (rate > 0).all():
            raise NotAdmittedError("a flow crosses a resource without capacity and never finishes")
        need = remaining[alive] / rate
        step = need.min()
        over = need <= step * (1 + FULL_WITHIN)
        now += step
        remaining[alive] -= rate * step
        finish[alive[over]] = now
        alive = alive[~over]
    return Completion(frozen_array(finish), frozen_array(first))


def choose_classes(flows: Flows, which: Ints) -> Flows:
    """Only these flows, on the same resources."""
    rows = concatenate_ranges(flows.start[which], flows.start[which + 1])
    start = np.concatenate([[0], np.cumsum(flows.start[which + 1] - flows.start[which])])
    return Flows(start, flows.resource[rows], flows.share[rows], flows.capacity_Bps, flows.count[which])


# ---- flows of a network ---------------------------------------------------------------------------------------------


def capacities(network: Network) -> Floats:
    """Return capacity of arcs, then injection of end points for what they send, then for what they receive, [A +
    2E]."""
    return np.concatenate([network.capacity_Bps, network.injection_Bps, network.injection_Bps])


def shared_flows(network: Network, source: ArrayLike, target: ArrayLike) -> Flows:
    """Return one flow for each pair, split over all shortest paths as `ecmp` splits it; to itself over no cable.

    Raises:
        NoPathError: a pair has no path.
    """
    one, two = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
    flow = np.flatnonzero(one != two)
    every, full = np.arange(len(one)), np.ones(len(one))
    owner, resource, share = [], [], []
    for shares in pair_shares(network, network.count.astype(np.float64), one[flow], two[flow]):
        owner.append(flow[shares.pair])
        resource.append(shares.arc)
        share.append(shares.share)
    owner += [every, every]
    resource += [network.arcs + one, network.arcs + network.ends + two]
    share += [full, full]
    order = np.argsort(np.concatenate(owner), kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(np.concatenate(owner), minlength=len(one)))])
    return Flows(start, np.concatenate(resource)[order], np.concatenate(share)[order], capacities(network), full)


# ---- flows that symmetry makes equal --------------------------------------------------------------------------------


@define(eq=False)
class OrbitFlows:
    """Flows on orbits of arcs, then of end points that send, then that receive. A flow of `count` pairs, images of each
    other, takes of each resource in an orbit of n: (what all of them together put on the orbit) / n."""

    group: Symmetry
    resource: list[Ints] = field(factory=list)
    share: list[Floats] = field(factory=list)
    count: list[float] = field(factory=list)

    def add(self, orbit: NDArray[np.integer], load: Floats, source: int, target: int, count: float) -> None:
        """A flow of `count` pairs like (source, target), which together load `orbit[i]` with `load[i]`, each once."""
        group = self.group
        ends = group.end_orbit[[source, target]]
        self.resource.append(np.append(orbit, group.arc_orbits + ends + [0, len(group.end_orbit_size)]))
        self.share.append(np.append(load / group.arc_orbit_size[orbit], count / group.end_orbit_size[ends]))
        self.count.append(count)

    def flows(self) -> Flows:
        group = self.group
        _, first = np.unique(group.end_orbit, return_index=True)
        injection = group.network.injection_Bps[first]
        return Flows(
            np.concatenate([[0], np.cumsum([len(some) for some in self.resource])]).astype(np.int64),
            np.concatenate(self.resource),
            np.concatenate(self.share),
            np.concatenate([group.arc_orbit_capacity_Bps, injection, injection]),
            np.array(self.count),
        )


@frozen(eq=False)
class PairClasses:
    """Ordered pairs of end points in classes of equal rate: `flows` has a flow for each class, on orbits of arcs and
    of end points. Class c is `count[c]` pairs, those from `source[c]` to `target[c]` among them."""

    flows: Flows
    source: Ints
    target: Ints


def pair_classes(symmetry: Symmetry, demands: list[Groups], deadline_s: float = np.inf) -> PairClasses:
    """Return all flows of several group-wise all-to-alls at once, `ecmp` shares, the images of each other solved once.

    Pairs (s, t) and (gs, gt) are images: one t of each orbit; for it the sources by orbits of the symmetries that keep
    t.

    Raises:
        NoPathError: a pair has no path.
        TooLateError: they are not all found by `deadline_s`.
    """
    group = symmetry
    for demand in demands:
        group = invariant_symmetries(group, demand)
    network, weights = group.network, by_cable(group.network)
    made = OrbitFlows(group)
    source, target = [], []
    for demand in demands:
        for t, size in target_representatives(group, demand):
            search = distances(weights, network.vertices_of(t))
            senders = np.flatnonzero(demand_column(demand, t, network.ends) > 0)
            for members in _classes(group, t, senders):
                check_deadline(deadline_s)
                given = injection_split(network, search, network.selected(members).astype(np.float64))
                if not np.isclose(given.sum(), len(members)):
                    raise NoPathError("some end points have no path to each end point that they send to")
                arcs, load = shortest_path_loads(weights, search, given)
                all_load = size * bincount(group.arc_orbit[arcs], load, group.arc_orbits)
                used = np.flatnonzero(all_load)
                made.add(used, all_load[used], int(members[0]), t, float(size * len(members)))
                source.append(int(members[0]))
                target.append(t)
    return PairClasses(made.flows(), np.array(source), np.array(target))


def _classes(symmetry: Symmetry, target: int, senders: Ints) -> list[Ints]:
    """Return the senders in classes whose flows to the target have one rate.

    Of the coarsest equitable partition in which the target and each orbit are apart and arcs are told apart by orbit:
    vertices of a class have as many shortest paths to the target over the same orbits of arcs. All arcs of an orbit are
    equally full at any rate that the symmetries keep, so flows that cross the same orbits are frozen together.
    """
    network = symmetry.network
    goal = np.zeros(network.vertices, dtype=np.int64)
    goal[network.vertices_of(target)] = 1
    part = refine_once(network, symmetry.vertex_orbit.astype(np.int64) * 2 + goal, symmetry.arc_orbit)
    classes = _by_end(network, part)[senders]
    order = np.argsort(classes, kind="stable")
    return list(np.split(senders[order], np.flatnonzero(np.diff(classes[order])) + 1))


def _by_end(network: Network, part: Ids) -> Ids:
    """Return the same number for end points whose vertices, in order, are of the same classes, [E]."""
    classes = part[network.end_order[network.end_start[:-1]]]
    size = np.diff(network.end_start)
    for k in range(1, int(size.max(initial=1))):
        more = np.where(
            size > k, part[network.end_order[np.minimum(network.end_start[:-1] + k, len(network.end_order) - 1)]] + 1, 0
        )
        classes = relabel(classes.astype(np.int64) * (int(more.max(initial=0)) + 1) + more)
    return classes
