"""Symmetries as a verifier checks them: which generators carry vertices and arcs of one orbit to each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ids, Ints, take
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Automorphism as Renumbering
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.verify.alike import Alike, Generator
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.components import joined

TRIED = 2_000
"""Elements that are looked at for what they stabilise, for each sort of vertices."""
DEEP = 2_000
"""Generators one after another that carry a vertex to another, at the most: a long ring has too many."""
STEPS = 50_000
"""Generators that are applied one after another for that, for all sorts together."""


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
    symmetries = Alike(arcs, generators, by, rank, cable_labels(hubs), ())
    elements = _stabilisers(symmetries)
    return None if elements is None else evolve(symmetries, stabilise=elements)


def cable_labels(hubs: Symmetry) -> Ids:
    """Return the orbits of the arcs that are cables, in order."""
    cable = np.isfinite(hubs.network.kinds.capacity_Bps)
    return hubs.arc_orbit if cable.all() else hubs.arc_orbit[take(cable, hubs.network.kind)]


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
