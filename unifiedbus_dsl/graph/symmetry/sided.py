"""Symmetries of a network with lines that forward between two sides, found where each such line is one vertex.

There cables lead both ways between the same two vertices, as the search wants it, and the side of a line that a cable
is at is told apart by the kind of its arcs. A symmetry of that network goes with one of the real one: sides are kept,
so the two vertices of a line go to the two of its image. Each is proved anew on the arcs of the real network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Ids, Ints, frozen_array
from unifiedbus_dsl.graph.network import ArcKinds, Network, build_network
from unifiedbus_dsl.graph.symmetry.colour_refinement import relabel
from unifiedbus_dsl.graph.symmetry.verify_automorphism import Automorphism, Invariant, Proof, row_images


@frozen(eq=False)
class Folded:
    """A network with one vertex for each line between two sides: `whole[v]` is the vertex that v is of there, [V], and
    `real` the first of those that a vertex there stands for."""

    real_network: Network
    network: Network
    whole: Ids
    real: Ints

    def colour(self, colour: ArrayLike | None) -> Ints | None:
        """Return a colour of the real vertices on those that stand for them: of both, where there are two."""
        if colour is None:
            return None
        mine = relabel(np.asarray(colour)).astype(np.int64)
        other = self.real_network.turn(self.real)
        return np.asarray(mine[self.real] * (int(mine.max(initial=0)) + 1) + mine[other])

    def lifted(self, generator: Automorphism) -> Automorphism:
        """Return the same on the real vertices."""
        turned = self.real_network.turned
        assert turned is not None
        first, there = self.real[generator.moved], self.real[generator.image]
        double = turned[first] != first
        moved = np.concatenate([first, turned[first[double]]])
        image = np.concatenate([there, turned[there[double]]])
        order = np.argsort(moved)
        return Automorphism(frozen_array(moved[order].astype(np.int32)), frozen_array(image[order].astype(np.int32)))

    def kept(self, keep: Invariant) -> Invariant:
        """Return a demand on symmetries of the real network, asked of those of the folded one."""
        return lambda generator: keep(self.lifted(generator))

    def proofs(self, generators: Sequence[Automorphism]) -> Iterator[Proof]:
        """Yield those that are symmetries of the real network, with the images of its arcs."""
        network = self.real_network
        full = np.arange(network.vertices, dtype=np.int32)
        for generator in map(self.lifted, generators):
            full[generator.moved] = generator.image
            images = row_images(network, full, generator.moved)
            full[generator.moved] = generator.moved
            if images is not None:
                degree = np.diff(network.indptr)[generator.moved]
                yield Proof(generator, np.cumsum(degree) - degree, images)


def fold(network: Network) -> Folded:
    """Return the network with one vertex for each line between two sides."""
    turned = network.turned
    assert turned is not None
    vertex = np.arange(network.vertices)
    first = np.minimum(vertex, turned)
    real = np.flatnonzero(first == vertex)
    whole = np.searchsorted(real, first).astype(np.int32)
    side = np.where(turned == vertex, 0, np.where(vertex < turned, 1, 2))
    forth = np.flatnonzero(network.opposite > np.arange(network.arcs))
    # out of the second vertex is by the first side
    tail, head, kind = network.tail[forth], network.head[forth], network.kind[forth].astype(np.int64)
    low = whole[tail] <= whole[head]
    here, there = np.where(side[tail] > 0, 3 - side[tail], 0), side[head]
    sides = np.where(low, 3 * here + there, 3 * there + here)
    many = np.repeat(np.arange(len(forth)), network.count[forth])
    kinds, rows = network.kinds, np.repeat(np.arange(len(network.kinds.link)), 9)
    made = build_network(
        device_start=np.searchsorted(real, network.device_start),
        end=network.end[real],
        forwards=network.forwards[real],
        a=np.where(low, whole[tail], whole[head])[many],
        b=np.where(low, whole[head], whole[tail])[many],
        kind=(kind * 9 + sides)[many],
        kinds=ArcKinds(
            kinds.capacity_Bps[rows],
            (kinds.like[rows] * 9 + np.tile(np.arange(9), len(kinds.link))).astype(np.float64),  # what tells arcs apart
            np.zeros(len(rows)),
            kinds.link[rows],
        ),
        latency_s=network.latency_s[real],
        group=network.group[real],
        injection_Bps=network.injection_Bps,
    )
    gate = None if network.gate_Bps is None else network.gate_Bps[real]
    return Folded(network, evolve(made, gate_Bps=gate), whole, real)
