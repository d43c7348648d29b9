"""Index rules of cables: the subscripts of one end as affine maps of those of the other, robust to single cables.

Slopes are the most common differences between cables whose subscripts differ by one; a map holds where most cables keep
it, and the rest are exceptions. Where a map breaks at every d-th value of a subscript, that dimension of the array is
two (`Split`).
"""

from __future__ import annotations

from math import gcd, prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.importer.lift.machine import Ints

ENOUGH = 0.8
"""Share of the cables that have to keep a map."""


@frozen
class Affine:
    """`const + sum(slope * x)`, modulo `modulus` where that is not 0."""

    slopes: tuple[int, ...]
    const: int
    modulus: int = 0

    def at(self, rows: Ints) -> Ints:
        value = rows @ np.asarray(self.slopes, dtype=np.int64) + self.const
        return np.asarray(value % self.modulus if self.modulus else value)


@frozen
class Split:
    """A subscript that wants to be two: column, size of the inner one."""

    column: int
    inner: int


@frozen(eq=False)
class Fit:
    """Maps from each row of one end to a row of the other, over the box `low..high` of the columns; `good` [N] are the
    cables that keep them, `lacking` [M, k] the rows of the box that no cable has."""

    maps: tuple[Affine, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    step: tuple[int, ...]
    good: NDArray[np.bool_]
    lacking: Ints


def fit(rows: Ints, to: Ints, sizes: tuple[int, ...]) -> Fit | Split | None:
    """Return the maps from `rows` [N, k] to `to` [N, m] of these sizes; a split that would help, or None."""
    pairs = [_pairs(rows, column) for column in range(rows.shape[1])]
    maps, good = [], np.ones(len(rows), dtype=bool)
    for column in range(to.shape[1]):
        column_map = _column(rows, to[:, column], pairs, sizes[column])
        if not isinstance(column_map, Affine):
            return column_map
        maps.append(column_map)
        good &= column_map.at(rows) == to[:, column]
    if good.mean() < ENOUGH:
        return None
    return _boxed(rows, tuple(maps), good)


def _pairs(rows: Ints, column: int) -> tuple[Ints, Ints]:
    """Rows that differ in one column alone, each with the next."""
    others = [rows[:, n] for n in range(rows.shape[1]) if n != column]
    order = np.lexsort((rows[:, column], *others))
    low, high = order[:-1], order[1:]
    same = np.ones(len(low), dtype=bool)
    for each in others:
        same &= each[low] == each[high]
    same &= rows[high, column] > rows[low, column]
    return low[same], high[same]


def _column(rows: Ints, y: Ints, pairs: list[tuple[Ints, Ints]], size: int) -> Affine | Split | None:
    slopes = []
    for column, (low, high) in enumerate(pairs):
        step = rows[high, column] - rows[low, column]
        rise = y[high] - y[low]
        whole = rise % np.maximum(step, 1) == 0
        slopes.append(_mode(rise[whole] // step[whole]) if whole.any() else 0)
    rest = y - rows @ np.asarray(slopes, dtype=np.int64)
    const = _mode(rest)
    straight, around = (rest == const).mean(), ((rest - const) % size == 0).mean() if size > 1 else 0.0
    if straight >= ENOUGH and straight >= around:
        return Affine(tuple(slopes), const)
    if around >= ENOUGH:
        return Affine(tuple(slope if abs(slope) < size else slope % size for slope in slopes), const % size, size)
    for column, (low, high) in enumerate(pairs):
        inner = _period(
            rows[:, column],
            rows[high, column],
            (y[high] - y[low]) != slopes[column] * (rows[high, column] - rows[low, column]),
        )
        if inner:
            return Split(column, inner)
    return None


def _period(values: Ints, at: Ints, breaks: NDArray[np.bool_]) -> int:
    """Return the distance of the values at which a map breaks in most places; 0 where there is none."""
    if not breaks.any():
        return 0
    low = int(values.min())
    count, broken = np.bincount(at - low), np.bincount(at[breaks] - low, minlength=int((at - low).max()) + 1)
    where = np.flatnonzero((count > 0) & (2 * broken > count))
    inner = gcd(*where.tolist()) if len(where) else 0
    if len(where) == 1 and (int(values.max()) - low + 1) % max(inner, 1):
        return 0  # one break that parts nothing into equal pieces is a swapped cable
    return inner if 1 < inner <= int(values.max()) - low else 0


def _boxed(rows: Ints, maps: tuple[Affine, ...], good: NDArray[np.bool_]) -> Fit | None:
    kept = rows[good]
    low, high = kept.min(axis=0), kept.max(axis=0)
    step = np.asarray([max(1, int(np.gcd.reduce(column - column.min()))) for column in kept.T], dtype=np.int64)
    shape = tuple(((high - low) // step + 1).tolist())
    if prod(shape) > 1.25 * len(kept) + 8:
        return None
    place = np.ravel_multi_index(tuple(((kept - low) // step).T), shape) if shape else np.zeros(len(kept), np.int64)
    there = np.zeros(max(prod(shape), 1), dtype=bool)
    there[place] = True
    lacking = (
        np.column_stack(np.unravel_index(np.flatnonzero(~there), shape)) * step + low if shape else np.empty((0, 0))
    )
    return Fit(maps, tuple(low.tolist()), tuple(high.tolist()), tuple(step.tolist()), good, lacking.astype(np.int64))


def _mode(values: Ints) -> int:
    mode, count = np.unique(values, return_counts=True)
    return int(mode[np.argmax(count)]) if len(mode) else 0
