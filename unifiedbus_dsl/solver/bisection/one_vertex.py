"""Two networks between which one with lines that forward between two sides lies: every such line as one vertex.

In the **wider** one a line forwards among all its ports. Whatever fits the real network fits it, so no cut and no time
of it is better. In the **narrower** one each line is parted: a vertex for each cable of one side and each of the other,
to which a cable gives the part of its capacity that the other one has of its side. Whatever fits that fits the real
one. Where both give the same number, it is that of the real network, and else it lies between.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ids, Ints, bincount, frozen_array
from unifiedbus_dsl.graph.network import ArcKinds, Network, build_network
from unifiedbus_dsl.graph.symmetry import Symmetry, find_symmetry, trivial_symmetry


@frozen(eq=False)
class Bounds:
    """The `wider` and the `narrower` network with their symmetries; `whole[v]` is the vertex of the wider one that a
    vertex of the real one is part of, [V]."""

    wider: Symmetry
    narrower: Symmetry
    whole: Ids


def bounds_of(symmetry: Symmetry) -> Bounds:
    """Return both networks, with what symmetries their arrays have."""
    network = symmetry.network
    wider, whole = widened(network)
    narrower, origin = narrowed(network)
    colour = symmetry.colour
    first = np.searchsorted(whole, np.arange(wider.vertices))
    symmetries = []
    for made, vertex in ((wider, first), (narrower, origin)):
        if symmetry.generators:
            symmetries.append(find_symmetry(made, symmetry.arrays, None if colour is None else colour[vertex]))
        else:
            symmetries.append(trivial_symmetry(made, symmetry.arrays))
    return Bounds(symmetries[0], symmetries[1], whole)


def _lines(network: Network) -> tuple[Ints, Ints]:
    """Return the two vertices of each line between two sides, in order of the first."""
    assert network.turned is not None
    one = np.flatnonzero(network.turned > np.arange(network.vertices))
    return one, network.turned[one].astype(np.int64)


def _forth(network: Network) -> Ints:
    """Return one of each arc and its opposite."""
    return np.flatnonzero(network.opposite > np.arange(network.arcs))


def widened(network: Network) -> tuple[Network, Ids]:
    """Return the network in which each line forwards among all its ports, and the vertex there of each vertex."""
    one, two = _lines(network)
    kept = np.ones(network.vertices, dtype=bool)
    kept[two] = False
    number = np.cumsum(kept) - 1
    whole = number.astype(np.int32)
    whole[two] = number[one]
    arcs = np.repeat(_forth(network), network.count[_forth(network)])
    made = build_network(
        device_start=np.append(number, len(number[kept]))[network.device_start],
        end=network.end[kept],
        forwards=network.forwards[kept],
        a=whole[network.tail[arcs]],
        b=whole[network.head[arcs]],
        kind=network.kind[arcs],
        kinds=network.kinds,
        latency_s=network.latency_s[kept],
        group=network.group[kept],
        injection_Bps=network.injection_Bps,
    )
    return made, whole


def narrowed(network: Network) -> tuple[Network, Ints]:
    """Return the network in which each line is parted, and the vertex that each vertex there is part of."""
    one, two = _lines(network)
    degree = np.diff(network.indptr)
    # out of the first vertex are the arcs of the second side, out of the second those of the first
    first, second = degree[two], degree[one]
    size = np.ones(network.vertices, dtype=np.int64)
    size[one], size[two] = np.maximum(first, 1) * np.maximum(second, 1), 0
    start = np.concatenate([[0], np.cumsum(size)])
    origin = np.repeat(np.arange(network.vertices), size)
    joined = np.ones(network.vertices, dtype=bool)
    joined[one] = (first > 0) & (second > 0)

    arcs = _forth(network)
    tail, head = network.tail[arcs].astype(np.int64), network.head[arcs].astype(np.int64)
    sides = [_parts(network, start, *side) for side in ((tail, arcs), (head, network.opposite[arcs].astype(np.int64)))]
    pieces = sides[0].count * sides[1].count
    owner = np.repeat(np.arange(len(arcs)), pieces)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    here, there = np.divmod(place, sides[1].count[owner])
    a, part_a = sides[0].at(owner, here)
    b, part_b = sides[1].at(owner, there)
    wide = network.capacity_Bps[arcs][owner] * part_a * part_b
    return _built(
        network, origin, start, joined[origin], a, b, network.kind[arcs][owner].astype(np.int64), wide
    ), origin


@frozen(eq=False)
class _Parts:
    """For each arc, at one of its ends, the `count` vertices that it leads to: the first, how far apart, and where the
    parts of its capacity begin in `share`."""

    count: Ints
    first: Ints
    step: Ints
    begin: Ints
    share: Floats

    def at(self, arc: Ints, number: Ints) -> tuple[Ints, Floats]:
        return self.first[arc] + self.step[arc] * number, self.share[self.begin[arc] + number]


def _parts(network: Network, start: Ints, vertex: Ints, out: Ints) -> _Parts:
    """Where arcs lead, at their ends `vertex`; `out` are the same cables out of the device there: for the vertices of a
    line those out of its other vertex."""
    assert network.turned is not None
    turned = network.turned.astype(np.int64)
    from_vertex = network.tail[out].astype(np.int64)  # whose row holds the cable's own side
    line = turned[vertex] != vertex
    base = np.where(line, np.minimum(vertex, turned[vertex]), vertex)
    other = turned[from_vertex]  # whose row holds the cables of the other side
    degree = np.diff(network.indptr)
    count = np.where(line, np.maximum(degree[other], 1), 1)
    place = out - network.indptr[from_vertex]
    second = from_vertex == base  # a cable of the second side: column `place` of the table of its line
    wide = np.maximum(degree[base], 1)  # columns: cables of the second side
    first = start[base] + np.where(line, np.where(second, place, place * wide), 0)
    step = np.where(line & second, wide, 1)
    total = np.maximum(bincount(network.tail, network.capacity_Bps, network.vertices), np.finfo(float).tiny)
    share = np.append(network.capacity_Bps / total[network.tail], 1.0)
    begin = np.where(line & (degree[other] > 0), network.indptr[other], network.arcs)
    return _Parts(count, first, step, begin, share)


def _built(
    network: Network, origin: Ints, start: Ints, passes: Bools, a: Ints, b: Ints, kind: Ints, wide: Floats
) -> Network:
    """Return the network of cables of these capacities, whose vertices are parts of those of `network`."""
    rows = np.stack([kind.astype(np.float64), wide])
    looks, of = np.unique(rows, axis=1, return_inverse=True)
    old, kinds = looks[0].astype(np.int64), network.kinds
    return build_network(
        device_start=start[network.device_start],
        end=network.end[origin],
        forwards=network.forwards[origin] & passes,
        a=a,
        b=b,
        kind=of.ravel(),
        kinds=ArcKinds(frozen_array(looks[1]), kinds.rate_Bps[old], kinds.latency_s[old], kinds.link[old]),
        latency_s=network.latency_s[origin],
        group=network.group[origin],
        injection_Bps=network.injection_Bps,
    )
