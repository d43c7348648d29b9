"""The symmetries of a network with their orbits, and the search for them along the arrays of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from attrs import define, evolve, field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Floats, Hashes, Ids, Ints, frozen_array
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry.candidates import candidate_permutations, device_signs, signatures, twin_permutations
from unifiedbus_dsl.graph.symmetry.colour_refinement import refine_once, relabel, vertex_kinds
from unifiedbus_dsl.graph.symmetry.individualization import coset_representatives
from unifiedbus_dsl.graph.symmetry.orbits import arc_orbits, vertex_orbits
from unifiedbus_dsl.graph.symmetry.plan_arrays import Array, Axis, axes, range_cuts
from unifiedbus_dsl.graph.symmetry.sided import fold
from unifiedbus_dsl.graph.symmetry.verify_automorphism import (
    PIECE,
    Automorphism,
    AutomorphismVerifier,
    Invariant,
    Proof,
)


@frozen(eq=False, slots=False)
class Symmetry:
    """Orbits of vertices ([V]) and of directed arcs ([A]) under `generators`, numbered densely."""

    network: Network = field(repr=False)
    generators: tuple[Automorphism, ...] = field(repr=False)
    vertex_orbit: Ids = field(repr=False)
    arc_orbit: Ids = field(repr=False)
    tried: int
    arrays: tuple[Array, ...] = field(default=(), repr=False)
    colour: Ids | None = field(default=None, repr=False)
    keeps: tuple[Invariant, ...] = field(default=(), repr=False)

    @cached_property
    def vertex_orbits(self) -> int:
        return int(self.vertex_orbit.max(initial=-1)) + 1

    @cached_property
    def arc_orbits(self) -> int:
        return int(self.arc_orbit.max(initial=-1)) + 1

    @cached_property
    def arc_orbit_size(self) -> Ints:
        """Arcs in each orbit."""
        size = np.zeros(self.arc_orbits, dtype=np.int64)
        for begin in range(0, self.network.arcs, PIECE):
            np.add.at(size, self.arc_orbit[begin : begin + PIECE], 1)
        return frozen_array(size)

    @cached_property
    def arc_orbit_capacity_Bps(self) -> Floats:  # noqa: N802
        """Capacity of each arc of an orbit, [arc orbits] byte/s."""
        network = self.network
        kind = np.zeros(self.arc_orbits, dtype=network.kind.dtype)
        count = np.zeros(self.arc_orbits, dtype=network.count.dtype)
        for begin in range(0, network.arcs, PIECE):
            some = slice(begin, begin + PIECE)
            kind[self.arc_orbit[some]], count[self.arc_orbit[some]] = network.kind[some], network.count[some]
        return frozen_array(network.kinds.capacity_Bps[kind] * count)

    @cached_property
    def end_orbit(self) -> Ids:
        """Orbit of each end point, numbered densely, [E]: the orbit of its first vertex."""
        first = self.network.end_order[self.network.end_start[:-1]]
        return frozen_array(relabel(self.vertex_orbit[first]))

    @cached_property
    def end_orbit_size(self) -> Ints:
        """End points in each orbit."""
        return frozen_array(np.bincount(self.end_orbit))

    def representatives(self, members: NDArray[np.integer] | None = None) -> tuple[Ints, Ints]:
        """Return one end point of each orbit and the size of the orbit, among the `members` (default: all)."""
        ends = np.arange(self.network.ends) if members is None else np.sort(np.asarray(members, dtype=np.int64))
        _, first, size = np.unique(self.end_orbit[ends], return_index=True, return_counts=True)
        return ends[first], size

    def restricted(
        self, colour: ArrayLike | None = None, partition: ArrayLike | None = None, keep: Invariant | None = None
    ) -> Symmetry:
        """Return those symmetries only that keep a colour of the end points ([E]), that map the parts of a partition of
        them ([E], -1: in no part) to parts, and of which `keep` is true.

        Where a generator doesn't, all are searched anew: what one instance does not allow may hold in all at once.
        """
        coloured = self.colour
        if colour is not None:
            coloured = self._coloured(np.asarray(colour)[self.network.end], self.network.end >= 0)
        keeps = self.keeps
        if partition is not None:
            parts = np.asarray(partition)
            keeps = (*keeps, lambda generator: _keeps_parts(self.network, generator, parts))
        if keep is not None:
            keeps = (*keeps, keep)
        if all(_keeps_colour(g, coloured) and all(test(g) for test in keeps) for g in self.generators):
            return evolve(self, colour=coloured, keeps=keeps)
        return find_symmetry(self.network, self.arrays, coloured, keeps)

    def stabiliser(self, ends: Sequence[int]) -> Symmetry:
        """Symmetries that keep each of the end points, searched anew; none where none were."""
        number = np.zeros(self.network.ends, dtype=np.int64)
        number[list(ends)] = np.arange(len(ends)) + 1
        return self._with_colour(number[self.network.end], self.network.end >= 0)

    def stabiliser_of_vertices(self, vertices: Sequence[int]) -> Symmetry:
        """Symmetries that keep each of the vertices, searched anew; none where none were."""
        number = np.zeros(self.network.vertices, dtype=np.int64)
        number[list(vertices)] = np.arange(len(vertices)) + 1
        return self._with_colour(number, number > 0)

    def _with_colour(self, values: NDArray[np.generic], where: NDArray[np.bool_]) -> Symmetry:
        if not self.generators:
            return self
        return find_symmetry(self.network, self.arrays, self._coloured(values, where), self.keeps)

    def _coloured(self, values: NDArray[np.generic], where: NDArray[np.bool_]) -> Ids:
        """Return the colour so far, parted by `values` ([V]) at the vertices `where`."""
        new = relabel(np.where(where, relabel(values) + 1, 0))
        return new if self.colour is None else relabel(self.colour.astype(np.int64) * (int(new.max()) + 1) + new)


def endpoint_images(network: Network, generator: Automorphism) -> Ints:
    """Image of each end point, [E]."""
    image = np.arange(network.ends)
    ends = network.end[generator.moved]
    real = ends >= 0
    image[ends[real]] = network.end[generator.image[real]]
    return image


def _keeps_colour(generator: Automorphism, colour: Ids | None) -> bool:
    return colour is None or bool((colour[generator.image] == colour[generator.moved]).all())


def _keeps_parts(network: Network, generator: Automorphism, part: NDArray[np.integer]) -> bool:
    """Return whether the images of the end points of each part are a part."""
    after = part[endpoint_images(network, generator)]
    if ((after < 0) != (part < 0)).any():
        return False
    inside = part >= 0
    goes = np.full(int(part.max(initial=0)) + 1, -1, dtype=np.int64)
    goes[part[inside]] = after[inside]
    used = goes[goes >= 0]
    return bool((goes[part[inside]] == after[inside]).all()) and len(np.unique(used)) == len(used)


def trivial_symmetry(network: Network, arrays: Iterable[Array] = ()) -> Symmetry:
    """No symmetry at all: each vertex and each arc its own orbit. `arrays` say where devices stand."""
    return Symmetry(
        network,
        (),
        frozen_array(np.arange(network.vertices, dtype=np.int32)),
        frozen_array(np.arange(network.arcs, dtype=np.int32)),
        0,
        arrays=tuple(arrays),
    )


def find_symmetry(
    network: Network, arrays: Iterable[Array], colour: ArrayLike | None = None, keeps: tuple[Invariant, ...] = ()
) -> Symmetry:
    """Search the arrays for automorphisms that keep `colour` ([V], default: none) and pass all of `keeps`, and give
    their orbits.

    With a colour, as after a failure, elements are only exchanged within classes that refinement cannot tell apart.
    Where an axis can't be rotated as a whole it is cut into equal parts, the longest that can be. What the arrays leave
    apart is carried onto each other vertex by vertex where the network is small enough (see `pairs`).
    """
    arrays = tuple(arrays)
    if network.turned is None:
        proofs, tried = _proofs(network, arrays, colour, keeps)
    else:
        folded = fold(network)
        symmetry, tried = _proofs(folded.network, arrays, folded.colour(colour), tuple(map(folded.kept, keeps)))
        proofs = list(folded.proofs([proof.generator for proof in symmetry]))
    generators = tuple(proof.generator for proof in proofs)
    vertex = vertex_orbits(network, generators)
    arc = arc_orbits(network, proofs, vertex)
    return Symmetry(
        network,
        generators,
        frozen_array(vertex),
        frozen_array(arc),
        tried,
        arrays,
        None if colour is None else relabel(np.asarray(colour)),
        keeps,
    )


def _proofs(
    network: Network, arrays: tuple[Array, ...], colour: ArrayLike | None, keeps: tuple[Invariant, ...]
) -> tuple[list[Proof], int]:
    """Return the automorphisms found, and how many candidates were tried."""
    kinds = vertex_kinds(network, colour)
    search = _Search(AutomorphismVerifier(network, kinds, keeps), _signs(network, kinds, colour is not None))
    search.along(arrays)
    more, tried = coset_representatives(search.prover, [proof.generator for proof in search.found])
    return [*search.found, *more], search.tried + tried


def _signs(network: Network, kinds: Ids, coloured: bool) -> Hashes | None:
    """Return how devices look where the network is coloured, [D]."""
    return device_signs(network, refine_once(network, kinds, network.label)) if coloured else None


@define(eq=False)
class _Search:
    """A search along arrays: what it has `found`, which axes have interchangeable elements (`alike`)."""

    prover: AutomorphismVerifier
    signs: Hashes | None
    found: list[Proof] = field(factory=list)
    alike: list[Axis] = field(factory=list)
    tried: int = 0

    def along(self, arrays: Iterable[Array]) -> None:
        """Try twins, and each axis of the arrays; cut it where it can't be rotated as a whole."""
        twin = self._proved(*twin_permutations(self.prover.network, self.prover.kinds))
        self.found += [twin] if twin is not None else []
        seen: set[Axis] = set()
        for axis in axes(arrays):
            if axis in seen:
                continue
            seen.add(axis)
            for inner, across in () if self._explored(axis) else range_cuts(axis):
                if inner in seen:
                    continue
                seen.add(inner)
                if self._explored(inner) and across not in seen:
                    seen.add(across)
                    before = len(self.found)
                    self._explored(across)
                    if len(self.found) > before:
                        break

    def _proved(self, moved: Ids, image: Ids) -> Proof | None:
        self.tried += 1
        return self.prover.prove(moved, image)

    def _explored(self, axis: Axis) -> bool:
        """Add what is proved along an axis, and the axis if its elements are interchangeable; whether every instance
        could be rotated."""
        swapped = turned = False
        signs = None if self.signs is None else signatures(self.signs, axis)
        for method in ("rotate", "swap", "reverse"):
            if method == "reverse" and (swapped or axis.length < 3):
                continue
            proved, all_proved = self._along(axis, method, signs, self._interchangeable_loops(axis))
            self.found += proved
            swapped = method == "swap" and bool(proved)
            turned |= method == "rotate" and all_proved
            if proved and (method == "rotate" or (swapped and axis.length == 2)):
                self.alike.append(axis)
        return turned

    def _along(self, axis: Axis, method: str, signs: Hashes | None, alike: int) -> tuple[list[Proof], bool]:
        """Automorphisms along an axis that touch as few instances at once as will do, and whether at the last level
        none failed.

        The first `alike` loops around the axis have interchangeable elements: what is proved in one of them holds in
        all. Where one instance is not enough for the others (racks at different distances), all are moved at once too.
        """
        proofs: list[Proof] = []
        all_proved = False
        for outer in range(len(axis.loops), -1, -1):
            if proofs and outer > alike:
                continue
            pairs = candidate_permutations(self.prover.network, axis, method, outer, signs)
            attempts = [self._proved(*pair) for pair in pairs]
            proved = [proof for proof in attempts if proof is not None]
            proofs += proved
            all_proved = len(proved) == len(attempts)
            if proved and (outer <= alike or signs is not None):
                break
        return proofs, all_proved

    def _interchangeable_loops(self, axis: Axis) -> int:
        """Return how many of the loops around an axis, from the outermost, run over elements known to be
        interchangeable."""
        for number, (length, block) in enumerate(axis.loops):
            around = axis.loops[:number]
            if not any(
                a.loops == around and (a.length, a.block) == (length, block) and a.base <= axis.base < a.base + block
                for a in self.alike
            ):
                return number
        return len(axis.loops)
