"""Arrays as the numeric rooms take them: their types, and kernels that work piece by piece."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Ids = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Hashes = NDArray[np.uint64]
_Item = TypeVar("_Item", bound=np.generic)

PIECES_TO_TAKE = 1 << 24
"""Values that an array over all of them is made for, even where there are fewer arcs; of more, sorted ones."""
_PIECE = 1 << 18
"""Arcs that are looked up at a time: what that needs stays in the cache."""


def frozen_array(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array itself, made read-only."""
    array.flags.writeable = False
    return array


def take(values: NDArray[_Item], index: NDArray[Any]) -> NDArray[_Item]:
    """`values[index]` of one dimension, piece by piece: NumPy would widen all of a narrow index at once."""
    taken = np.empty(len(index), dtype=values.dtype)
    for begin in range(0, len(index), _PIECE):
        taken[begin : begin + _PIECE] = values[index[begin : begin + _PIECE]]
    return taken


def unique_rows(values: NDArray[_Item]) -> NDArray[_Item]:
    """Return the distinct integers, ascending: by sorting, far quicker than the hash table of NumPy where many are."""
    ascending = np.sort(values)
    new = np.append(np.ones(len(values[:1]), dtype=bool), ascending[1:] != ascending[:-1])
    return np.asarray(ascending[new])


def bincount(index: NDArray[Any], weight: Floats | Bools, size: int) -> Floats:
    """Sum of the weights at each index, [size]."""
    return np.asarray(np.bincount(index, weights=weight, minlength=size), dtype=np.float64)


def concatenate_ranges(start: Ints, stop: Ints) -> Ints:
    """`start[0] … stop[0] - 1, start[1] … stop[1] - 1, …` as one array."""
    some = stop > start
    if not some.all():
        start, stop = start[some], stop[some]
    if (start[1:] == stop[:-1]).all():
        return np.arange(start[0], stop[-1]) if len(start) else np.zeros(0, dtype=np.int64)
    size = stop - start
    places = np.ones(int(size.sum()), dtype=np.int64)  # steps, to be added up
    places[0] = start[0]
    places[np.cumsum(size[:-1])] = start[1:] - stop[:-1] + 1
    return np.cumsum(places, out=places)


def smallest_dtype(values: Ints) -> NDArray[np.unsignedinteger[Any]]:
    """Return the same values in the smallest unsigned type of at least 16 bits."""
    wide = np.uint16 if int(values.max(initial=0)) < 2**16 else np.uint32
    return values.astype(wide)
