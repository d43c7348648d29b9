"""Automorphisms of a network, checked on its arcs, and the orbits of vertices and arcs that they generate.

Whatever is added up over all images under the group is the same throughout an orbit, so one vertex of each says it for
all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs, Hashes, hashed
from unifiedbus_dsl.verify.cables import PIECE, Cables, Ids, Ints
from unifiedbus_dsl.verify.components import joined

MAX_STEPS = 1_000_000
"""Generators that are applied one after another, over all that is stabilised, at the most."""


@frozen(eq=False, slots=False)
class Generator:
    """A permutation of vertices: `moved[i]` (ascending) goes to `image[i]`, the others stay."""

    moved: Ids
    image: Ids

    @cached_property
    def back(self) -> Generator:
        order = np.argsort(self.image)
        return Generator(self.image[order], self.moved[order])

    def __call__(self, vertices: Ints) -> Ints:
        place = np.minimum(np.searchsorted(self.moved, vertices), len(self.moved) - 1)
        return np.where(self.moved[place] == vertices, self.image[place], vertices).astype(np.int64)


@frozen(eq=False, slots=False)
class Alike:
    """Generators of automorphisms, and the orbits of vertices and arcs that they show.

    Generator `by[v]` carries another vertex, of lower `rank`, to v (-1: v is the first of its sort). Arcs of one
    `label` [A] are of one sort: those out of the first of a sort of vertices are carried to those of all others, and
    among themselves by the elements `stabilise`: for (g, v) the way from the first one to v, then g, then back.
    """

    arcs: Arcs
    generators: tuple[Generator, ...]
    by: NDArray[np.int16]
    rank: Ids
    label: Ids
    stabilise: tuple[tuple[int, int], ...]

    def check(
        self, cables: Cables, same: tuple[NDArray[np.generic], ...], parts: tuple[NDArray[np.integer], ...]
    ) -> None:
        """Hold the machine to be left as it is: a vertex goes to one with the `same` values ([V] each), and the
        vertices of each of the `parts` ([V], below 0: in none), as of each end point, to those of one.

        Raises:
            VerificationError: it is not, or what is called alike is not shown to be.
        """
        arcs, codes, count = self.arcs, self._codes(), cables.vertices
        require(len(self.by) == len(self.rank) == count, "the ranks of all vertices")
        rows = np.zeros(count, dtype=np.uint64)
        for some, tail, span in arcs.pieces():
            key = hashed(tail, arcs.head[some], codes[self.label[some]], count)
            rows[span] = _row_sums(key, arcs.indptr[span.start : span.stop + 1] - some.start)
        grouped = [_Parts.of_values(values) for values in (cables.end, *parts)]
        full = np.arange(count)
        for generator in self.generators:
            moved, image = generator.moved, generator.image
            require(len(moved) == len(image) and (np.diff(moved) > 0).all(), "a renumbering in order")
            require(np.array_equal(generator.back.moved, moved), "a renumbering gives a number twice")
            for values in (cables.forwards, *same):
                require((values[image] == values[moved]).all(), "a renumbering of unlike vertices")
            full[moved] = image
            whole = all(each.are_kept(moved, full) for each in grouped)
            require(whole, "a renumbering tears apart what belongs together")
            total = 0
            for row, out in _rows(arcs, moved):
                after = hashed(full[out], full[arcs.head[row]], codes[self.label[row]], count)
                total += int(after.sum(dtype=np.uint64))
            full[moved] = moved
            before = int(rows[moved].sum(dtype=np.uint64))
            require(total % 2**64 == before, "a renumbering does not leave the cables as they are")
        self._check_ranks()
        self._check_labels()

    def _codes(self) -> Ints:
        """Return what arcs of each label look like, which must be the same for all of them: the label itself, then."""
        labels, arcs = int(self.label.max(initial=-1)) + 1, self.arcs
        require(len(self.label) == arcs.size, "a label for each arc")
        look, count = np.zeros(labels, dtype=np.int64), np.zeros(labels, dtype=np.int64)
        look[self.label], count[self.label] = arcs.looks[arcs.kind], arcs.count
        for start in range(0, arcs.size, PIECE):
            some = slice(start, start + PIECE)
            same = look[self.label[some]] == arcs.looks[arcs.kind[some]]
            same &= count[self.label[some]] == arcs.count[some]
            require(same.all(), "unlike arcs have one label")
        return np.arange(labels)

    def _check_ranks(self) -> None:
        require((self.by[self.rank == 0] < 0).all(), "a vertex without rank is carried")
        for number, generator in enumerate(self.generators):
            carried = np.flatnonzero(self.by == number)
            require((self.rank[generator.back(carried)] < self.rank[carried]).all(), "a vertex is carried in a circle")
        require(int(self.by.max(initial=-1)) < len(self.generators), "a generator that is none")

    @cached_property
    def first(self) -> Ints:
        """The first vertex of the sort of each, [V]."""
        at = np.arange(len(self.by))
        for number, generator in enumerate(self.generators):
            carried = np.flatnonzero(self.by == number)
            at[carried] = generator.back(carried)
        while not np.array_equal(further := at[at], at):
            at = further
        return at

    def _check_labels(self) -> None:
        """Arcs out of the first of a sort that have one label are carried to each other."""
        arcs, first = self.arcs, np.flatnonzero(self.by < 0)
        parts: dict[int, Ints] = {}
        steps = 0
        for number, vertex in self.stabilise:
            root, one, two, taken = self.around(number, vertex)
            steps += taken
            require(steps <= MAX_STEPS, "too many steps to carry an arc")
            part = parts.get(root, np.arange(len(one)))
            parts[root] = joined(part, one, two)
        degree = np.diff(arcs.indptr)[first]
        tails = np.repeat(first, degree)
        labels = self.label[_spans(arcs.indptr[first], degree)]
        pairs = np.unique(np.stack([tails, labels]), axis=1)
        require(len(np.unique(pairs[1])) == pairs.shape[1], "arcs of unlike vertices have one label")
        sorts = np.bincount(np.searchsorted(first, pairs[0]), minlength=len(first))
        for k in np.flatnonzero(sorts < degree).tolist():
            part = parts.get(int(first[k]), np.arange(degree[k]))
            require(len(np.unique(part)) == sorts[k], "arcs of one label are not carried to each other")

    def around(self, number: int, vertex: int) -> tuple[int, Ints, Ints, int]:
        """Return the first of the sort of a vertex, and how its arcs are carried to each other on the way to the
        vertex, by a generator, and back: the arc at place `one[i]` goes to that at `two[i]`; and how many steps that
        takes."""
        root, generator = int(self.first[vertex]), self.generators[number]
        row = slice(int(self.arcs.indptr[root]), int(self.arcs.indptr[root + 1]))
        goal = int(generator(np.array([vertex]))[0])
        out, back = self._way(vertex), self._way(goal)
        heads = self.arcs.head[row].astype(np.int64)
        for each in reversed(out):
            heads = self.generators[each](heads)
        heads = generator(heads)
        for each in back:
            heads = self.generators[each].back(heads)
        label, before = self.label[row], self.arcs.head[row]
        one, two = np.lexsort((label, heads)), np.lexsort((label, before))
        require((heads[one] == before[two]).all(), "an arc is carried to none")
        return root, one, two, len(out) + len(back) + 1

    def _way(self, vertex: int) -> list[int]:
        """Return the generators from a vertex back to the first of its sort."""
        way = list[int]()
        while self.by[vertex] >= 0 and len(way) <= MAX_STEPS:
            way.append(int(self.by[vertex]))
            vertex = int(self.generators[way[-1]].back(np.array([vertex]))[0])
        return way


def _spans(start: Ints, size: Ints) -> Ints:
    """Return the first `size[0]` numbers from `start[0]` on, then those from the next one, and so on."""
    bounds = np.append(0, np.cumsum(size))
    return np.asarray(np.repeat(start - bounds[:-1], size) + np.arange(int(bounds[-1])))


def _rows(arcs: Arcs, vertices: Ids) -> Iterator[tuple[Ints, Ids]]:
    """Yield arcs out of these vertices with their tails, piece by piece."""
    degree = np.asarray(arcs.indptr[vertices + 1] - arcs.indptr[vertices], dtype=np.int64)
    last = np.cumsum(degree)
    low = 0
    while low < len(vertices):
        high = max(low + 1, int(np.searchsorted(last, last[low] + PIECE)))
        some = slice(low, high)
        yield _spans(arcs.indptr[vertices[some]], degree[some]), np.repeat(vertices[some], degree[some])
        low = high


def _row_sums(values: Hashes, bounds: Ints) -> Hashes:
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
    return np.asarray(total[bounds[1:]] - total[bounds[:-1]])


@frozen(eq=False)
class _Parts:
    """The part of each vertex ([V], below 0: none), and the vertices of part p: `order[start[p] : start[p + 1]]`."""

    of: NDArray[np.integer]
    order: Ints
    start: Ints

    @classmethod
    def of_values(cls, values: NDArray[np.integer]) -> _Parts:
        inside = np.flatnonzero(values >= 0)
        order = inside[np.argsort(values[inside], kind="stable")]
        return cls(values, order, np.searchsorted(values[order], np.arange(int(values.max(initial=-1)) + 2)))

    def are_kept(self, moved: Ids, full: Ints) -> bool:
        """Return whether the vertices of each part go to those of one, where `moved` vertices go to `full` of them."""
        before, after = self.of[moved], self.of[full[moved]]
        if np.array_equal(before, after):
            return True
        if ((before < 0) != (after < 0)).any():
            return False
        some = np.zeros(len(self.start) - 1, dtype=bool)
        some[before[before >= 0]] = True
        parts = np.flatnonzero(some)
        size = self.start[parts + 1] - self.start[parts]
        goes = self.of[full[self.order[_spans(self.start[parts], size)]]]
        first = goes[np.append(0, np.cumsum(size)[:-1])]
        return bool((goes == np.repeat(first, size)).all()) and np.array_equal(np.sort(first), parts)
