"""Automorphisms that an answer rests on, checked on the arcs: who is like whom is not believed.

A move takes vertex `moved[i]` to `image[i]` and leaves the others. It is an automorphism where the images are the same
vertices in another order, each of the same sort, all vertices of an end point go to one end point, and the arcs out of
the moved vertices come back as arcs out of them, compared as sums of 64-bit hashes. Cables are arcs both ways, so what
holds of the arcs out holds of those in; where a line forwards between two sides, its two vertices go together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import Arcs, hashed
from unifiedbus_dsl.verify.cables import PIECE, Bools, Cables, Ids, Ints
from unifiedbus_dsl.verify.components import components, joined
from unifiedbus_dsl.verify.matrix import parts_go_to_parts


@frozen(eq=False)
class Move:
    """A permutation of vertices: `moved[i]` goes to `image[i]`."""

    moved: Ids
    image: Ids

    def goes(self, vertices: int) -> Ints:
        """Return where each of so many vertices goes, [V]."""
        goes = np.arange(vertices)
        goes[self.moved] = self.image
        return goes

    def keeps(self, colours: Sequence[Ints], vertices: int) -> bool:
        """Return whether vertices of one number of each of the `colours` ([V]) go to those of one."""
        goes = self.goes(vertices)
        return all(parts_go_to_parts(each, goes) for each in colours)


def end_orbits(cables: Cables, arcs: Arcs, moves: Iterable[Move], *colours: NDArray[np.generic]) -> Ints:
    """Return a number for each end point, equal for those that automorphisms which keep the `colours` ([E]) carry to
    each other, [E]. Moves that join nothing new are not needed, and not looked at.

    Raises:
        VerificationError: a move is no automorphism, or does not keep a colour.
    """
    label = np.arange(cables.ends)
    for move in moves:
        source, target = end_images(cables, move)
        if not (label[source] != label[target]).any():
            continue
        for colour in colours:
            require((colour[source] == colour[target]).all(), "a symmetry does not keep what is asked about")
        check_move(cables, arcs, move)
        label = joined(label, source, target)
    return label


def end_images(cables: Cables, move: Move) -> tuple[Ints, Ints]:
    """Return the end points that a move moves, and where each goes; the vertices of one go to those of one."""
    require(len(move.moved) == len(move.image), "an image for each vertex that moves")
    end, goes = cables.end[move.moved], cables.end[move.image]
    require(((end < 0) == (goes < 0)).all(), "a symmetry takes an end point to a switch")
    target = np.full(cables.ends, -1, dtype=np.int64)
    some = end >= 0
    target[end[some]] = goes[some]
    require((target[end[some]] == goes[some]).all(), "a symmetry tears an end point apart")
    source = np.flatnonzero(target >= 0)
    return source, target[source]


def check_move(cables: Cables, arcs: Arcs, move: Move) -> None:
    """Hold a move to be an automorphism, once for the same arrays.

    Raises:
        VerificationError: it is none.
    """
    moved, image = move.moved, move.image
    known = vars(cables).setdefault("_moves", [])
    if any(of is arcs and before is moved and after is image for of, before, after in known):
        return
    source, target = end_images(cables, move)
    require((np.sort(moved) == np.sort(image)).all(), "a symmetry loses a vertex")
    require((np.diff(np.sort(moved)) > 0).all(), "a symmetry moves a vertex twice")
    for column in (cables.forwards, cables.passing_s):
        require((column[moved] == column[image]).all(), "a symmetry takes a vertex to one of another sort")
    require((cables.injection_Bps[source] == cables.injection_Bps[target]).all(), "a symmetry changes an injection")
    full = move.goes(cables.vertices)
    if cables.sided:
        require((full[cables.turned] == cables.turned[full]).all(), "a symmetry parts the two ways of a line")
    degree = arcs.indptr[moved + 1] - arcs.indptr[moved]
    require((degree == arcs.indptr[image + 1] - arcs.indptr[image]).all(), "a symmetry changes a degree")
    look, before, after = arcs.looks, 0, 0
    bounds = np.searchsorted(np.cumsum(degree), np.arange(0, int(degree.sum()), PIECE)).tolist()
    for low, high in pairwise([*bounds, len(moved)]):
        rows, many = arcs.rows(moved[low:high])
        tail, head = np.repeat(moved[low:high], many), arcs.head[rows]
        kind, count = look[arcs.kind[rows]], arcs.count[rows].astype(np.uint64)
        before += int((hashed(tail, head, kind, cables.vertices) * count).sum(dtype=np.uint64))
        after += int((hashed(full[tail], full[head], kind, cables.vertices) * count).sum(dtype=np.uint64))
    require(before % 2**64 == after % 2**64, "a symmetry does not bring the arcs back")
    known.append((arcs, moved, image))


def arc_orbits(cables: Cables, arcs: Arcs, moves: Sequence[Move]) -> Ints:
    """Return a number for each arc, equal for those that automorphisms carry to each other, [A].

    Raises:
        VerificationError: a move does not take arcs to arcs.
    """
    images = list(_arc_images(cables, arcs, moves))
    if not images:
        return np.arange(arcs.size)
    one, two = (np.concatenate(each) for each in zip(*images, strict=True))
    return components(arcs.size, one, two)


def _arc_images(cables: Cables, arcs: Arcs, moves: Sequence[Move]) -> Iterator[tuple[Ints, Ints]]:
    """Yield arcs that a move takes elsewhere, and where to, move by move."""
    tail = arcs.tails()
    key = tail * cables.vertices + arcs.head
    order = np.argsort(key, kind="stable") if (np.diff(key) < 0).any() else np.arange(arcs.size)
    look = arcs.looks[arcs.kind] * (int(arcs.count.max(initial=0)) + 1) + arcs.count
    single = not (np.diff(key[order]) == 0).any()
    for move in moves:
        full = move.goes(cables.vertices)
        touched: Bools = full != np.arange(cables.vertices)
        some = order[touched[tail[order]] | touched[arcs.head[order]]]
        after = full[tail[some]] * cables.vertices + full[arcs.head[some]]
        if single:
            is_at, comes_to = some, some[np.argsort(after)]
            moved = np.sort(after)
        else:
            is_at, comes_to = some[np.lexsort((look[some], key[some]))], some[by := np.lexsort((look[some], after))]
            moved = after[by]
        require(
            (key[is_at] == moved).all() and (look[is_at] == look[comes_to]).all(),
            "a symmetry does not bring the arcs back",
        )
        yield comes_to, is_at
