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


@frozen
class Range:
    """Values of a subscript: those of `low..high` that are less than `width` after a multiple of `period`, counted from
    `phase` before `low`."""

    low: int
    high: int
    period: int = 1
    width: int = 1
    phase: int = 0

    @classmethod
    def of(cls, values: Ints) -> Range:
        """Return the range of some values, in order: as they are where they come in runs of one length at one distance,
        else all from the first to the last."""
        low, high = int(values[0]), int(values[-1])
        ends = np.flatnonzero(np.diff(values) > 1)
        runs = np.diff(ends, prepend=-1, append=len(values) - 1)
        gaps = np.diff(values)[ends] - 1
        width = int(runs.max())
        even = len(runs) == 2 and runs[0] == runs[1]
        if not len(gaps) or (gaps != gaps[0]).any() or (runs[1:-1] != width).any() or (len(runs) == 2 and not even):
            return cls(low, high)
        return cls(low, high, width + int(gaps[0]), width, width - int(runs[0]))

    @property
    def values(self) -> Ints:
        every = np.arange(self.low, self.high + 1)
        return every[(every - self.low + self.phase) % self.period < self.width]

    @property
    def step(self) -> int:
        """The distance of the values, where it is one; else 0."""
        return self.period if self.width == 1 else 0


@frozen(eq=False)
class Fit:
    """Maps from each row of one end to a row of the other, over the box of the `ranges` of the columns; `good` [N] are
    the cables that keep them, `lacking` [M, k] the rows of the box that no cable has."""

    maps: tuple[Affine, ...]
    ranges: tuple[Range, ...]
    good: NDArray[np.bool_]
    lacking: Ints


def fit(rows: Ints, to: Ints, sizes: tuple[int, ...], enough: float = ENOUGH) -> Fit | Split | None:
    """Return the maps from `rows` [N, k] to `to` [N, m] of these sizes that a share of `enough` keeps; a split that
    would help, or None."""
    pairs = [_pairs(rows, column) for column in range(rows.shape[1])]
    maps, good = [], np.ones(len(rows), dtype=bool)
    for column in range(to.shape[1]):
        column_map = _column(rows, to[:, column], pairs, sizes[column], enough)
        if not isinstance(column_map, Affine):
            return column_map
        maps.append(column_map)
        good &= column_map.at(rows) == to[:, column]
    if good.mean() < enough:
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


def _column(rows: Ints, y: Ints, pairs: list[tuple[Ints, Ints]], size: int, enough: float) -> Affine | Split | None:
    slopes = []
    for column, (low, high) in enumerate(pairs):
        step = rows[high, column] - rows[low, column]
        rise = y[high] - y[low]
        whole = rise % np.maximum(step, 1) == 0
        slopes.append(_mode(rise[whole] // step[whole]) if whole.any() else 0)
    rest = y - rows @ np.asarray(slopes, dtype=np.int64)
    const = _mode(rest)
    straight, around = (rest == const).mean(), ((rest - const) % size == 0).mean() if size > 1 else 0.0
    if straight >= enough and straight >= around:
        return Affine(tuple(slopes), const)
    if around >= enough:
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
    ranges = tuple(Range.of(_usual_values(column)) for column in rows[good].T)
    places = []
    for each, column in zip(ranges, rows.T, strict=True):
        values = each.values
        place = np.minimum(np.searchsorted(values, column), len(values) - 1)
        good = good & (values[place] == column)
        places.append(place)
    shape = tuple(len(each.values) for each in ranges)
    if prod(shape) > 1.25 * good.sum() + 8:
        return None
    inside = np.stack(places)[:, good] if places else np.zeros((0, int(good.sum())), np.int64)
    there = np.zeros(shape, dtype=bool)
    there[tuple(inside)] = True
    gaps = np.nonzero(~there)
    lacking = [each.values[gap] for each, gap in zip(ranges, gaps, strict=True)]
    return Fit(maps, ranges, good, np.column_stack(lacking) if lacking else np.empty((0, 0), np.int64))


def _usual_values(column: Ints) -> Ints:
    """Return the values that are at least half as frequent as the most frequent one."""
    values, count = np.unique(column, return_counts=True)
    return np.asarray(values[2 * count >= count.max()])


def _mode(values: Ints) -> int:
    mode, count = np.unique(values, return_counts=True)
    return int(mode[np.argmax(count)]) if len(mode) else 0
