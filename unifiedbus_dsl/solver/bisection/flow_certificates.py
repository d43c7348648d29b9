"""Certificates of lower bounds by flows: the symmetries as a verifier checks them, and what one of each sort sends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ids, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Automorphism as Renumbering
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bisection.flow_bound import Crossing
from unifiedbus_dsl.solver.bounds import NoPathError, check_deadline
from unifiedbus_dsl.solver.flow.terminals import vertices_with_hubs
from unifiedbus_dsl.solver.paths.bfs import by_cable, distances, injection_split, shortest_path_loads
from unifiedbus_dsl.verify.alike import Alike, Generator, joined
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.bisection import LowerBound, StatedBound
from unifiedbus_dsl.verify.class_flows import FlowBound, Rates, SourceFlow

TRIED = 2_000
"""Elements that are looked at for what they stabilise, for each sort of vertices."""
MAX_STATED = 30_000_000
"""Arcs times sources up to which flows are stated arc by arc: 240 MB."""
DEEP = 2_000
"""Generators one after another that carry a vertex to another, at the most: a long ring has too many."""
STEPS = 50_000
"""Generators that are applied one after another for that, for all sorts together."""


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


def alike(network: Network, hubs: Symmetry, new: Ints) -> Alike | None:
    """Return the symmetries `hubs` of the network with hubs, in which vertex v is `new[v]`, in the form in which they
    are verified on the network itself; None where that takes too many steps."""
    kinds = network.kinds
    generators = tuple(_on(network, each, new) for each in hubs.generators)
    carried = _carried(hubs.vertex_orbit[new], generators)
    if carried is None:
        return None
    by, rank = carried
    arcs = Arcs(network.indptr, network.head, network.kind, network.count, kinds.capacity_Bps, kinds.latency_s)
    found = Alike(arcs, generators, by, rank, cable_labels(hubs), ())
    elements = _stabilisers(found)
    return None if elements is None else evolve(found, stabilise=elements)


def cable_labels(hubs: Symmetry) -> Ids:
    """Return the orbits of the arcs that are cables, in order."""
    cable = np.isfinite(hubs.network.kinds.capacity_Bps)
    return hubs.arc_orbit if cable.all() else hubs.arc_orbit[cable[hubs.network.kind]]


def _on(network: Network, generator: Renumbering, new: Ints) -> Generator:
    """Return a generator without what it says of hubs."""
    old = np.full(int(max(new[-1], generator.moved[-1], generator.image.max())) + 1, -1, dtype=np.int32)
    old[new] = np.arange(network.vertices)
    there = old[generator.moved] >= 0
    return Generator(old[generator.moved[there]], old[generator.image[there]])


def _carried(orbit: Ids, generators: tuple[Generator, ...]) -> tuple[NDArray[np.int16], Ids] | None:
    """Return which generator carries another vertex of its orbit to each (-1: it is the first), and after how many;
    None where these are more than `DEEP`."""
    by, rank = np.full(len(orbit), -1, dtype=np.int16), np.zeros(len(orbit), dtype=np.int32)
    done = np.zeros(len(orbit), dtype=bool)
    done[np.unique(orbit, return_index=True)[1]] = True
    while not done.all():
        for number, generator in enumerate(generators):
            moved, image = generator.moved, generator.image
            at = np.flatnonzero(done[moved] & ~done[image])
            while len(at):
                there = image[at]
                by[there], rank[there], done[there] = number, rank[moved[at]] + 1, True
                if int(rank[there].max()) > DEEP:
                    return None
                at = np.searchsorted(moved, there)
                at = at[~done[image[at]]]
    return by, rank


def _stabilisers(found: Alike) -> tuple[tuple[int, int], ...] | None:
    """Return elements that carry arcs of one label out of the first of a sort to each other; None where none are found
    in the steps there are."""
    arcs, chosen, steps = found.arcs, list[tuple[int, int]](), 0
    first = np.flatnonzero(found.by < 0)
    for root in first.tolist():
        label = found.label[arcs.indptr[root] : arcs.indptr[root + 1]]
        goal, part = len(np.unique(label)), np.arange(len(label))
        count = len(part)
        for number, vertex in _elements(found, root) if goal < count else ():
            _, one, two, taken = found.around(number, vertex)
            steps += taken
            if steps > STEPS:
                return None
            after = joined(part, one, two)
            if len(np.unique(after)) < count:
                part, count = after, len(np.unique(after))
                chosen.append((number, vertex))
            if count == goal:
                break
        if count > goal:
            return None
    return tuple(chosen)


def _elements(found: Alike, root: int) -> Iterator[tuple[int, int]]:
    """Yield generators and vertices of the sort of a first one, those near it before others."""
    every = range(len(found.generators))
    yield from ((number, root) for number in every)
    near = [int(found.generators[number](np.array([root]))[0]) for number in every]
    yield from ((number, vertex) for vertex in dict.fromkeys(near) for number in every)
    same = np.flatnonzero(found.first == root)
    some = same[np.random.Generator(np.random.PCG64(0)).integers(0, len(same), TRIED)]
    yield from ((number, int(vertex)) for vertex in some for number in every)


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


def shortest_flows(symmetry: Symmetry, chosen: Bools, until: float) -> tuple[float, LowerBound]:
    """Return what any halving cut carries, byte/s, where each member sends the same to each other on all shortest paths
    in equal parts, as much as fits; and what shows it.

    Raises:
        NoPathError: some are not joined.
        TooLateError: the paths are not all found by `until`.
    """
    group, network = symmetry.restricted(colour=chosen), symmetry.network
    first, sizes = group.representatives(np.flatnonzero(chosen))
    weights, total, n = by_cable(network), np.zeros(group.arc_orbits), int(chosen.sum())
    stated = len(first) * network.arcs <= MAX_STATED
    flows = list[SourceFlow]()
    for target, size in track(list(zip(first.tolist(), sizes.tolist(), strict=True)), "flows on shortest paths"):
        check_deadline(until)
        column = chosen.astype(np.float64)
        column[target] = 0.0
        found = distances(weights, network.vertices_of(target), until)
        given = injection_split(network, found, column)
        if given.sum() < n - 1.5:
            raise NoPathError("some end points have no path to each other")
        arcs, load = shortest_path_loads(weights, found, given, until)
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
