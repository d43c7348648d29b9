"""Certificates of lower bounds by flows: the symmetries as a verifier checks them, and what one of each sort sends."""

from __future__ import annotations

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.arrays import Bools, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bisection.flow_bound import Crossing
from unifiedbus_dsl.solver.bounds import NoPathError, check_deadline
from unifiedbus_dsl.solver.flow.alike_certificates import alike
from unifiedbus_dsl.solver.flow.terminals import vertices_with_hubs
from unifiedbus_dsl.solver.paths.bfs import by_cable, distances, injection_split, shortest_path_loads
from unifiedbus_dsl.verify.bisection import LowerBound, StatedBound
from unifiedbus_dsl.verify.class_flows import FlowBound, Rates, SourceFlow

MAX_STATED = 30_000_000
"""Arcs times sources up to which flows are stated arc by arc: 240 MB."""


def flows_proof(network: Network, hubs: Symmetry, found: Crossing) -> LowerBound:
    """Return what shows the flows of a linear program on the network with hubs to a verifier, on the network itself."""
    new = vertices_with_hubs(network)
    sorts = alike(network, hubs, new)
    if sorts is None:
        return StatedBound(found.lower)
    rates = tuple(Rates(each.pair, each.vertex[new], None if each.of is None else each.of[new]) for each in found.rates)
    labels = int(sorts.label.max(initial=-1)) + 1
    mirror = np.where(found.mirror[:labels] < labels, found.mirror[:labels], np.arange(labels))
    return FlowBound(sorts, class_flows(found, hubs, new, labels), rates, mirror)


def class_flows(found: Crossing, hubs: Symmetry, new: Ints, labels: int) -> tuple[SourceFlow, ...]:
    """Return the flows of a linear program on classes of the network with hubs, for the network itself."""
    old = np.full(hubs.network.vertices, -1, dtype=np.int64)
    old[new] = np.arange(len(new))
    of = np.empty(int(found.both.max()) + 1, dtype=np.int64)
    of[found.both[::-1]] = np.arange(len(found.both))[::-1]  # the lesser of two opposite orbits
    flows = []
    for source, part, key, value in found.flows.flows:
        pair, both = np.divmod(key, len(of))
        tail, head = np.divmod(pair, int(part.max()) + 1)
        here, orbit = part[new], of[both]
        classes = int(here.max()) + 1
        some = np.flatnonzero((orbit < labels) & (tail < classes) & (head < classes) & (value > 0))
        wanted = (tail[some] * classes + head[some]) * labels + orbit[some]
        order = np.argsort(wanted)
        at = old[source] if old[source] >= 0 else old[_vertex_beside(hubs.network, source)]
        flows.append(SourceFlow(int(at), value[some][order], here, wanted[order]))
    return tuple(flows)


def _vertex_beside(network: Network, hub: int) -> int:
    """Return a vertex of the end point of a hub that was made for it."""
    row = network.head[network.indptr[hub] : network.indptr[hub + 1]]
    return int(row[0])


def shortest_flows(symmetry: Symmetry, chosen: Bools, deadline_s: float) -> tuple[float, LowerBound]:
    """Return what any halving cut carries, byte/s, where each member sends the same to each other on all shortest paths
    in equal parts, as much as fits; and what shows it.

    Raises:
        NoPathError: some are not joined.
        TooLateError: the paths are not all found by `deadline_s`.
    """
    group, network = symmetry.restricted(colour=chosen), symmetry.network
    first, sizes = group.representatives(np.flatnonzero(chosen))
    weights, total, n = by_cable(network), np.zeros(group.arc_orbits), int(chosen.sum())
    stated = len(first) * network.arcs <= MAX_STATED
    flows = list[SourceFlow]()
    for target, size in track(list(zip(first.tolist(), sizes.tolist(), strict=True)), "flows on shortest paths"):
        check_deadline(deadline_s)
        column = chosen.astype(np.float64)
        column[target] = 0.0
        search = distances(weights, network.vertices_of(target), deadline_s)
        given = injection_split(network, search, column)
        if given.sum() < n - 1.5:
            raise NoPathError("some end points have no path to each other")
        arcs, load = shortest_path_loads(weights, search, given, deadline_s)
        total += size * bincount(group.arc_orbit[arcs], load, len(total))
        if stated:
            every = np.zeros(network.arcs)
            every[arcs] = load
            flows.append(SourceFlow(int(network.vertices_of(target)[0]), every, toward=True))
    rate = 1.0 / float((total / (group.arc_orbit_size * group.arc_orbit_capacity_Bps)).max())
    value = rate * (n // 2) * (n - n // 2)
    sorts = alike(network, group, np.arange(network.vertices)) if stated else None
    if sorts is None:
        return value, StatedBound(value)
    scaled = tuple(evolve(flow, value=flow.value * rate) for flow in flows)
    return value, FlowBound(sorts, scaled, (Rates(rate, np.zeros(network.vertices)),))
