"""The pattern `regular`: a random graph in which every member has the same degree (as in Jellyfish).

A seed means the same graph for ever (see `unifiedbus_dsl.shuffle`). Changing anything here changes machines that people
have built; a test pins the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.random import StablePermutation
from unifiedbus_dsl.ir.plan import IndexExpr, Lookup, Var
from unifiedbus_dsl.semantic.patterns.base import (
    WIDTH,
    Arguments,
    Edges,
    Lowered,
    Parameter,
    Pattern,
    PatternError,
    Shape,
    axis,
    number_argument,
)

Pairs: TypeAlias = "NDArray[np.int64]"
"""Edges as rows (u, v) with u < v, in rising order; shape (count, 2)."""

_ATTEMPTS = 1000
END = 200
"""Steps of work for an end of a cable: it is shuffled, sorted, and stands in four tables."""


def lower_regular(shapes: Sequence[Shape], arguments: Arguments) -> Lowered:
    """A random graph in which every member is cabled to `degree` others, at most once to each; connected if it can be.

    Ports: `degree`; a member's neighbours in order of their numbers.
    Cables: n * degree / 2.
    Symmetries: none to rely on.
    """
    count, degree, seed = prod(shapes[0]), number_argument(arguments, "degree"), number_argument(arguments, "seed")
    if degree < 1:
        raise PatternError(f"`regular` wants a degree of at least 1, found {degree}")
    if degree >= count:
        raise PatternError(f"`regular` of degree {degree} wants more than {degree} members, there are {count}")
    if degree * count % 2:
        raise PatternError(f"no graph of {count} members has degree {degree} at each: their product is odd")
    if seed < 0:
        raise PatternError(f"`seed` is {seed}; it wants 0 or more")
    work.spend(count * degree, END)
    pairs = regular_graph(count, degree, seed)
    columns = (pairs[:, 0], _ranks(pairs, 0), pairs[:, 1], _ranks(pairs, 1))
    left, left_port, right, right_port = (_table(column) for column in columns)
    return Lowered((degree,), (Edges(left, left_port, right, right_port, (axis("e", len(pairs)),)),))


def _table(column: NDArray[np.int64]) -> IndexExpr:
    return Lookup(tuple(column.tolist()), Var("e"))


def _ranks(pairs: Pairs, side: int) -> NDArray[np.int64]:
    """For each edge: the place of its other end among the neighbours of its end on this side."""
    here, there = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((there, here))
    degree = len(here) // (int(here.max()) + 1)
    ranks = np.empty(len(here), dtype=np.int64)
    ranks[order] = np.arange(len(here)) % degree
    return ranks[: len(pairs)] if side == 0 else ranks[len(pairs) :]


# ---- the graph --------------------------------------------------------------------------------------------------


def regular_graph(count: int, degree: int, seed: int) -> Pairs:
    """Return the edges of a random simple graph of `count` nodes with the same degree, connected if that can be."""
    shuffle = StablePermutation(seed)
    if 2 * degree > count - 1:  # dense: what is left out is a sparse one; and it is connected for its degree alone
        return _complement(count, _sparse(count, count - 1 - degree, shuffle, connected=False))
    return _sparse(count, degree, shuffle, connected=degree > 1)


def _sparse(count: int, degree: int, shuffle: StablePermutation, *, connected: bool) -> Pairs:
    if degree == 0:
        return np.empty((0, 2), dtype=np.int64)
    if degree == 2 and connected:  # pairings rarely hit a single ring
        around = shuffle(np.arange(count, dtype=np.int64))
        return _sorted(np.stack([around, np.roll(around, -1)], axis=1))
    for _ in range(_ATTEMPTS):
        pairs = _pairing(count, degree, shuffle)
        if pairs is not None and (not connected or is_connected(count, pairs)):
            return pairs
    raise PatternError(f"found no `regular` graph of {count} members and degree {degree}; try another seed")


def _pairing(count: int, degree: int, shuffle: StablePermutation) -> Pairs | None:
    """Return free ends paired at random, None if what is left cannot be paired.

    Loops and double edges are put back and paired again (Steger and Wormald 1999).
    """
    ends = np.repeat(np.arange(count, dtype=np.int64), degree)
    done = np.empty(0, dtype=np.int64)
    idle = 0
    while len(ends):
        pairs = np.sort(shuffle(ends).reshape(-1, 2), axis=1)
        codes = pairs[:, 0] * count + pairs[:, 1]
        _, first = np.unique(codes, return_index=True)
        good = np.zeros(len(codes), dtype=np.bool_)
        good[first] = True
        good &= (pairs[:, 0] != pairs[:, 1]) & ~np.isin(codes, done)
        idle = 0 if good.any() else idle + 1
        if idle > 10:
            return None
        done = np.concatenate([done, codes[good]])
        ends = pairs[~good].ravel()
    return np.stack(np.divmod(np.sort(done), count), axis=1)


def _sorted(pairs: NDArray[np.int64]) -> Pairs:
    ordered = np.sort(pairs, axis=1)
    return ordered[np.lexsort((ordered[:, 1], ordered[:, 0]))]


def _complement(count: int, pairs: Pairs) -> Pairs:
    work.spend(count * count)
    absent = np.triu(np.ones((count, count), dtype=np.bool_), 1)
    absent[pairs[:, 0], pairs[:, 1]] = False
    return np.stack(np.nonzero(absent), axis=1).astype(np.int64)


def is_connected(count: int, pairs: Pairs) -> bool:
    """Return whether all nodes hang together: labels sink along edges until they rest."""
    label = np.arange(count)
    while True:
        lower = label.copy()
        np.minimum.at(lower, pairs[:, 0], label[pairs[:, 1]])
        np.minimum.at(lower, pairs[:, 1], label[pairs[:, 0]])
        lower = lower[lower]
        if np.array_equal(lower, label):
            return bool((label == label[0]).all())
        label = lower


DEGREE = Parameter("degree", "cables of each member")
SEED = Parameter("seed", "which random graph")
REGULAR = Pattern("regular", 1, (DEGREE, SEED, WIDTH), lower_regular, "circle", symmetric=False)
