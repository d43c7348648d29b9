"""From a candidate to a proved automorphism: what it leaves open is matched, then every arc that moves is compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Hashes, Ids, Ints, concatenate_ranges, frozen_array, unique_rows
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, row_of_items
from unifiedbus_dsl.graph.symmetry.colour_refinement import segment_sums, splitmix64, tiers_of_vertices

SAMPLE = 64
"""Vertices on which a candidate is tried before all of it."""
LOOKED_AT = 16
"""Vertices whose neighbours are looked at before the images of all neighbours are sought."""
LOOK_FROM = 256
"""Vertices that move from which that is worth it."""
MOST_SAMPLED = 1024
"""Arcs that such a vertex has at most."""
PIECE = 1 << 20
"""Arcs that are worked on at a time: what they need stays in the cache."""


@frozen(eq=False)
class Automorphism:
    """A proved automorphism: vertex `moved[i]` goes to `image[i]`, the others stay; `moved` is sorted."""

    moved: Ids
    image: Ids


@frozen(eq=False)
class Proof:
    """A generator with the image of each arc out of a moved vertex, row by row, the first of row i at `start[i]`.

    Any other arc that moves is the opposite of one of these, and so is its image.
    """

    generator: Automorphism
    start: Ints
    arc_image: Ids


Invariant: TypeAlias = Callable[[Automorphism], bool]
"""A demand on symmetries: true of those that are to stay."""


@frozen(eq=False)
class _Levels:
    """Hops from a set of vertices: `when` [V] (-1: no path), and the vertices of each level with their arcs in all.

    `sums`, of the levels that were asked for: the hash sum of the vertices of a level over their neighbours below, [V].
    """

    when: Ids
    members: tuple[Ids, ...]
    arcs: tuple[int, ...]
    sums: dict[int, Hashes] = field(factory=dict)


@frozen(eq=False, slots=False)
class AutomorphismVerifier:
    """Proves candidates on one network.

    What a proof needs of the size of the network is made once: `full` is the identity and `settled` and `change` are
    zero between proofs, so that a candidate costs what it moves.
    """

    network: Network
    kinds: Ids
    keeps: tuple[Invariant, ...] = ()
    _levels: dict[bytes, _Levels] = field(factory=dict)

    @cached_property
    def full(self) -> Ids:
        return np.arange(self.network.vertices, dtype=np.int32)

    @cached_property
    def degree(self) -> Ints:
        return np.diff(self.network.indptr)

    @cached_property
    def settled(self) -> Bools:
        return np.zeros(self.network.vertices, dtype=bool)

    @cached_property
    def change(self) -> Hashes:
        return np.zeros(self.network.vertices, dtype=np.uint64)

    @cached_property
    def last(self) -> Ids:
        """Room for a number of each vertex, whatever it holds, [V]."""
        return np.empty(self.network.vertices, dtype=np.int32)

    @cached_property
    def hashes(self) -> Hashes:
        return splitmix64(np.arange(self.network.vertices))

    @cached_property
    def salts(self) -> Hashes:
        return splitmix64(np.arange(int(self.network.label.max(initial=0)) + 1)) | np.uint64(1)

    @cached_property
    def end_kinds(self) -> Bools:
        """Which kinds are of end points."""
        is_end = np.zeros(int(self.kinds.max(initial=-1)) + 1, dtype=bool)
        is_end[self.kinds[self.network.end_order]] = True
        return is_end

    def prove(self, moved: Ids, image: Ids, *, follow: bool = True) -> Proof | None:
        """Return the automorphism that begins with moved -> image, None where none is found.

        Unless they `follow`, all other vertices stay where they are.
        """
        if not len(moved) or (self.kinds[moved] != self.kinds[image]).any():
            return None
        touched = [moved]
        self.full[moved] = image
        self.settled[moved] = True
        try:
            if follow and not self._extend(moved, touched):
                return None
            some = np.concatenate(touched)
            some = np.sort(some[self.full[some] != some])
            proved = self._verified(some)
        finally:
            for part in touched:
                self.full[part] = part
                self.settled[part] = False
        return proved if proved is not None and all(keep(proved.generator) for keep in self.keeps) else None

    def _outward(self, moved: Ids) -> _Levels:
        """Levels from all vertices that the candidate has an image for: the end points of the kinds that it moves
        (others of these kinds stay), or every end point if it moves none."""
        from_kinds = np.zeros(len(self.end_kinds), dtype=bool)
        from_kinds[self.kinds[moved]] = True
        from_kinds &= self.end_kinds
        if not from_kinds.any():
            from_kinds = self.end_kinds
        key = from_kinds.tobytes()
        if key not in self._levels:
            network = self.network
            when = tiers_of_vertices(network, from_kinds[self.kinds])
            members = tuple(
                np.flatnonzero(when == level).astype(np.int32) for level in range(1, int(when.max(initial=0)) + 1)
            )
            self._levels[key] = _Levels(when, members, tuple(int(self.degree[some].sum()) for some in members))
        return self._levels[key]

    def _extend(self, moved: Ids, touched: list[Ids]) -> bool:
        """Find the images of the others whose neighbours move, level by level outward; fills `full` and `touched`.

        Vertex b goes to the b' with the same sum, over neighbours of lower level, of hashes as the images of b's
        neighbours have; ties keep their order. False if there is none.
        """
        levels, degree = self._outward(moved), self.degree
        moving = moved[self.full[moved] != moved]
        for level, (pending, arcs) in enumerate(zip(levels.members, levels.arcs, strict=True), 1):
            if not self._plausible(moving, levels.when, level):
                return False
            if degree[moving].sum() < arcs:
                some = self._push(moving, levels.when, level)
            else:
                some = self._pull(pending[~self.settled[pending]], levels.when, level)
            if not len(some):
                continue
            change = self.change[some]
            self.change[some] = 0
            kinds = self.kinds[some]
            before = self._sums_before(some, moved, levels, level)
            before += splitmix64(kinds)
            after = before + change
            wanted, offered = _in_order(after), _in_order(before)
            if (after[wanted] != before[offered]).any() or (kinds[wanted] != kinds[offered]).any():
                return False
            self.full[some[wanted]] = some[offered]
            touched.append(some)
            self.settled[some] = True
            moving = np.concatenate([moving, some[self.full[some] != some]])
        return True

    def _plausible(self, moving: Ids, when: Ids, level: int) -> bool:
        """Return whether some of the vertices that move could go where they go, as far as the images of their
        neighbours are known: up to this level.

        What `_extend` and the proof would refuse is refused here for less; nothing that they would let pass is.
        """
        if len(moving) < LOOK_FROM:
            return True
        sample = moving[:: max(1, len(moving) // LOOKED_AT)]
        sample = sample[self.degree[sample] <= MOST_SAMPLED]
        there = self.full[sample]
        rows = np.concatenate([sample, there])
        arcs = arcs_of_rows(self.network, rows)
        heads, degree = self.network.head[arcs], self.degree[rows]
        goes = np.repeat(np.arange(len(rows)) < len(sample), degree)
        terms = splitmix64(self.kinds[heads])
        known = self.settled[heads] | _below(when[heads], level)
        terms[known] = self.hashes[np.where(goes, self.full[heads], heads)[known]]
        open_ = ~known & (when[heads] == level)
        if open_.any():
            near = unique_rows(heads[open_])
            before, after = self._around(near, when, level), self._around(near, when, level, self.full)
            place = np.searchsorted(near, heads[open_])
            terms[open_] += splitmix64(np.where(goes[open_], after[place], before[place]))
        terms *= self.salts[self.network.label[arcs]]
        total = segment_sums(terms, degree)
        return bool((total[: len(sample)] == total[len(sample) :]).all())

    def _around(self, some: Ids, when: Ids, level: int, image: Ids | None = None) -> Hashes:
        """Hash sum over the known neighbours of vertices of a level, or over the images of these."""
        arcs = arcs_of_rows(self.network, some)
        heads = self.network.head[arcs]
        known = self.settled[heads] | _below(when[heads], level)
        terms = self.hashes[heads if image is None else image[heads]]
        terms *= known
        terms *= self.salts[self.network.label[arcs]]
        return segment_sums(terms, self.degree[some])

    def _push(self, moving: Ids, when: Ids, level: int) -> Ids:
        """Return vertices of the level whose hash sum over known neighbours changes, with the change in `change`; added
        up along the arcs of what moves."""
        network = self.network
        arcs = arcs_of_rows(network, moving)
        heads = network.head[arcs]
        gain = np.repeat(self.hashes[self.full[moving]] - self.hashes[moving], self.degree[moving])
        here = (when[heads] == level) & ~self.settled[heads]
        heads = heads[here]
        np.add.at(self.change, heads, gain[here] * self.salts[network.label[arcs[here]]])
        heads = heads[self.change[heads] != 0]
        if len(heads) * 8 < network.vertices:
            # each vertex where it was written last: NumPy's distinct values cost several times as much
            order = np.arange(len(heads), dtype=np.int32)
            self.last[heads] = order
            return np.sort(heads[self.last[heads] == order])
        return np.flatnonzero(self.change).astype(np.int32)

    def _sums_before(self, some: Ids, moved: Ids, levels: _Levels, level: int) -> Hashes:
        """Hash sum over the known neighbours of vertices of a level: those below it, which are the same for every
        candidate, and those of the candidate `moved`."""
        network = self.network
        others = moved[~_below(levels.when[moved], level)]
        mine = int(self.degree[some].sum())
        if mine < self.degree[others].sum() or (level not in levels.sums and 4 * mine < levels.arcs[level - 1]):
            return self._around(some, levels.when, level)
        if level not in levels.sums:
            members = levels.members[level - 1]
            below = np.zeros(network.vertices, dtype=np.uint64)
            step = max(1, len(members) * PIECE // max(1, levels.arcs[level - 1]))
            for begin in range(0, len(members), step):
                part = members[begin : begin + step]
                arcs = arcs_of_rows(network, part)
                heads = network.head[arcs]
                terms = self.salts[network.label[arcs]]
                terms *= self.hashes[heads]
                terms *= _below(levels.when[heads], level)
                below[part] = segment_sums(terms, self.degree[part])
            levels.sums[level] = below
        sums_before = levels.sums[level][some]
        if len(others):
            arcs = arcs_of_rows(network, others)
            terms = np.repeat(self.hashes[others], self.degree[others])
            terms *= self.salts[network.label[arcs]]
            more = self.change
            np.add.at(more, network.head[arcs], terms)
            sums_before += more[some]
            more[network.head[arcs]] = 0
        return sums_before

    def _pull(self, pending: Ids, when: Ids, level: int) -> Ids:
        """Return the same, along the arcs of the vertices of the level."""
        network = self.network
        arcs = arcs_of_rows(network, pending)
        heads = network.head[arcs]
        known = self.settled[heads] | _below(when[heads], level)
        gain = np.where(known, self.hashes[self.full[heads]] - self.hashes[heads], np.uint64(0))
        gain *= self.salts[network.label[arcs]]
        change = segment_sums(gain, self.degree[pending])
        self.change[pending] = change
        return np.asarray(pending[change != 0])

    def _verified(self, moved: Ids) -> Proof | None:
        """Return the proof of the permutation `full`, which moves `moved`, if each arc goes to an arc of the same kind
        and count, else None."""
        network, image = self.network, self.full
        there = image[moved]
        if not len(moved) or (self.kinds[moved] != self.kinds[there]).any():
            return None
        if not self._permutes(moved, there) or not _keeps_ends(network, moved, image):
            return None
        sample = moved[:: max(1, len(moved) // SAMPLE)]
        small = sample[self.degree[sample] <= MOST_SAMPLED]
        if row_images(network, image, small) is None:
            return None
        images = row_images(network, image, moved)
        if images is None:
            return None
        start = np.cumsum(self.degree[moved]) - self.degree[moved]
        return Proof(Automorphism(frozen_array(moved), frozen_array(there)), start, images)

    def _permutes(self, moved: Ids, there: Ids) -> bool:
        """Return whether the images are the moved vertices again, each once."""
        if len(moved) * 8 < self.network.vertices:
            return bool((np.sort(there) == moved).all())
        hit = np.zeros(self.network.vertices, dtype=bool)
        hit[there] = True
        return bool(hit[moved].all()) and int(np.count_nonzero(hit)) == len(moved)


def _in_order(keys: Hashes) -> Ints:
    """Return places in order of key, equal keys in order of place; sooner than a stable sort where few are equal."""
    order = np.argsort(keys)
    ordered = keys[order]
    new = ordered[1:] != ordered[:-1]
    if not new.all():
        rank = np.concatenate([[0], np.cumsum(new)])
        rank *= len(keys)
        rank += order
        rank.sort()
        order = rank % len(keys)
    return order


def _below(when: Ids, level: int) -> Bools:
    """Return which levels are below this one; -1 is none."""
    return np.asarray(when.view(np.uint32) < level)


def _keeps_ends(network: Network, moved: Ids, image: Ids) -> bool:
    """Return whether vertices of one end point go to the vertices of one, and to as many."""
    if network.simple:
        return True
    ends = network.end[moved]
    ends = ends[ends >= 0]
    ends = ends[np.append(True, ends[1:] != ends[:-1])[: len(ends)]]
    size = network.end_start[ends + 1] - network.end_start[ends]
    mine = network.end_order[concatenate_ranges(network.end_start[ends], network.end_start[ends + 1])]
    first = network.end[image[network.end_order[network.end_start[ends]]]]
    same = network.end[image[mine]] == np.repeat(first, size)
    return bool(same.all() and (np.diff(network.end_start)[first] == size).all())


def arc_images(network: Network, generator: Automorphism) -> Ids:
    """Return the image of each arc out of a moved vertex, row by row."""
    full = np.arange(network.vertices, dtype=np.int32)
    full[generator.moved] = generator.image
    images = row_images(network, full, generator.moved)
    assert images is not None, "proved before"
    return images


def row_images(network: Network, image: Ids, rows: Ids) -> Ids | None:
    """For each arc (v, h) out of the vertices `rows`, the arc (image v, image h) of the same kind and count; None if
    any of them has none. [sum of degrees], O(arcs log arcs), exact; piece by piece."""
    there = image[rows]
    degree = network.indptr[rows + 1] - network.indptr[rows]
    if (network.indptr[there + 1] - network.indptr[there] != degree).any():
        return None
    images = np.empty(int(degree.sum()), dtype=np.int32)
    ends = np.cumsum(degree)
    begin = 0
    while begin < len(rows):
        end = max(begin + 1, int(np.searchsorted(ends, ends[begin] + PIECE)))
        part = _piece_images(network, image, rows[begin:end], there[begin:end], degree[begin:end])
        if part is None:
            return None
        images[ends[begin] - degree[begin] : ends[end - 1]] = part
        begin = end
    return images


def _piece_images(network: Network, image: Ids, rows: Ids, there: Ids, degree: Ints) -> NDArray[np.integer] | None:
    arcs, target = row_of_items(network, rows), row_of_items(network, there)
    heads = image[network.head[arcs]]
    same = (heads == network.head[target]).all() and (network.label[arcs] == network.label[target]).all()
    target = np.arange(target.start, target.stop) if isinstance(target, slice) else target
    if same:
        return target
    kinds = len(network.kinds.link)
    if len(rows) * network.vertices * kinds >= 2**63:
        raise OverflowError("too many vertices and kinds of arc for 64-bit keys")
    key = np.repeat(np.arange(len(rows)) * network.vertices, degree) + heads
    key *= kinds
    key += network.kind[arcs]
    order = np.argsort(key)
    if (heads[order] != network.head[target]).any() or (network.label[arcs][order] != network.label[target]).any():
        return None
    images = np.empty_like(target)
    images[order] = target
    return images
