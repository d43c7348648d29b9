"""Automorphisms that carry one vertex to another, sought without any array: by individualising both and refining.

Two vertices that refinement cannot tell apart are each given a colour of their own and the network is refined twice.
Where the two colourings have as many vertices of each colour, vertices of equal colour are matched in order of number
and the map is tried; if it is none, one vertex of the largest colour left is individualised on either side, and so on
until all colours differ (McKay's search tree, one branch of it: what is missed costs time later, never correctness).
"""

from __future__ import annotations

import numpy as np
from attrs import define, field

from unifiedbus_dsl.base.arrays import Ids, Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry.colour_refinement import refine_once, relabel
from unifiedbus_dsl.graph.symmetry.orbits import merge_labels, vertex_orbits
from unifiedbus_dsl.graph.symmetry.verify_automorphism import Automorphism, AutomorphismVerifier, Proof

MOST_ARCS = 2_000_000
"""Arcs up to which this is tried: every attempt refines the whole network some times."""
FAILURES = 12
"""Attempts in a row that may fail."""
STEPS = 12
"""Vertices that are individualised at most for one map."""


@define(eq=False)
class RefinementPath:
    """Colourings after individualising `base[0]`, then `base[1]` too, …, made as far as they are asked for."""

    network: Network
    cells: Ids
    base: list[int]
    colours: list[Ids] = field(factory=list)
    orders: list[Ints] = field(factory=list)

    def at(self, step: int) -> tuple[Ids, Ints]:
        """Colouring of this step, and the vertices in order of colour."""
        while len(self.colours) <= step:
            before = self.colours[-1] if self.colours else self.cells
            if self.colours:
                self.base.append(_next(before))
            self.colours.append(_individualize(self.network, before, self.base[-1]))
            self.orders.append(np.argsort(self.colours[-1], kind="stable"))
        return self.colours[step], self.orders[step]


def coset_representatives(prover: AutomorphismVerifier, found: list[Automorphism]) -> tuple[list[Proof], int]:
    """Automorphisms that join orbits of those found so far, and how many maps were tried."""
    network = prover.network
    if network.arcs > MOST_ARCS:
        return [], 0
    orbit = vertex_orbits(network, found)
    if int(orbit.max(initial=-1)) == int(prover.kinds.max(initial=-1)):
        return [], 0
    cells = refine_once(network, prover.kinds, network.label)
    alone = np.flatnonzero(np.diff(network.indptr) == 0)
    more, tried = _rotated(prover, alone)
    failed = 0
    for each in more:
        orbit = merge_labels(orbit, orbit[each.generator.moved], orbit[each.generator.image])
    # vertices that are known to be no image of the one looked at, or to be done with
    apart: set[int] = set(alone.tolist())
    path: RefinementPath | None = None
    while failed < FAILURES:
        pair = _open_pair(cells, orbit, path, apart)
        if pair is None:
            if path is None:
                break
            path = None
            continue
        if path is None or path.base[0] != pair[0]:
            path = RefinementPath(network, cells, [pair[0]])
        tried += 1
        proved = _as_automorphism(prover, path, pair[1])
        if proved is None:
            failed += 1
            apart.add(pair[1])
            continue
        failed = 0
        more.append(proved)
        orbit = merge_labels(orbit, orbit[proved.generator.moved], orbit[proved.generator.image])
    return more, tried


def _rotated(prover: AutomorphismVerifier, alone: Ints) -> tuple[list[Proof], int]:
    """Return rotations of the vertices without arcs, those of each kind among themselves, and how many were tried."""
    kinds = prover.kinds[alone]
    rows = [alone[kinds == kind].astype(np.int32) for kind in np.unique(kinds)]
    proofs = [prover.prove(row, np.roll(row, 1), follow=False) for row in rows if len(row) > 1]
    return [proof for proof in proofs if proof is not None], len(proofs)


def _open_pair(cells: Ids, orbit: Ids, path: RefinementPath | None, apart: set[int]) -> tuple[int, int] | None:
    """Return a vertex (that of `path`, or the first of the largest orbit in the cell of most orbits) and one of its
    cell in another orbit that is not known to be apart."""
    _, first, size = np.unique(orbit, return_index=True, return_counts=True)
    closed = orbit[np.array(sorted(apart), dtype=np.int64)]
    usable = np.ones(len(first), dtype=bool)
    usable[closed] = False
    if path is None:
        choice = np.flatnonzero(usable)
        many = np.bincount(cells[first[choice]])
        if not len(choice) or many.max() < 2:
            return None
        inside = choice[cells[first[choice]] == np.argmax(many)]
        largest = inside[np.argmax(size[inside])]
        others = inside[inside != largest]
        return int(first[largest]), int(first[others[0]])
    here = path.base[0]
    usable[orbit[here]] = False
    others = np.flatnonzero(usable & (cells[first] == cells[here]))
    if not len(others):
        apart.add(here)
        return None
    return here, int(first[others[0]])


def _as_automorphism(prover: AutomorphismVerifier, path: RefinementPath, target: int) -> Proof | None:
    """Return an automorphism that takes the first base of the path to `target`."""
    right = _individualize(path.network, path.cells, target)
    for step in range(STEPS):
        left, order = path.at(step)
        colours = int(left.max()) + 1
        if not np.array_equal(np.bincount(left), np.bincount(right)):
            return None
        image = np.empty(len(left), dtype=np.int32)
        image[order] = np.argsort(right, kind="stable")
        moved = np.flatnonzero(image != np.arange(len(image))).astype(np.int32)
        proved = prover.prove(moved, image[moved], follow=False)
        if proved is not None or colours == len(left):
            return proved
        path.at(step + 1)
        colour = left[path.base[step + 1]]
        right = _individualize(path.network, right, int(np.argmax(right == colour)))
    return None


def _next(colour: Ids) -> int:
    """Return the first vertex of the first of the largest colours."""
    return int(np.argmax(colour == np.argmax(np.bincount(colour))))


def _individualize(network: Network, colour: Ids, vertex: int) -> Ids:
    """Return the colouring refined after one vertex got a colour of its own; the same numbers for what looks the
    same."""
    mark = colour * 2
    mark[vertex] += 1
    return refine_once(network, relabel(mark), network.label)
