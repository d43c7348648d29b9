"""Numbers of elements as the text has them, and as the plan counts those that are there.

An array without `rack[6]` has seven elements, at the places 0..6; `rack[7]` is at place 6 and keeps its label. Rules,
numbering and everything behind them speak of places; texts and names speak of labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.ir.plan import Child, Const, Export, IndexExpr, Labels, Lookup, Port, algebra
from unifiedbus_dsl.ir.plan.index import IntArray

Array: TypeAlias = "Child | Port | Export"
ABSENT = -1
_FEW_RUNS = 6


def groups_of(array: Array) -> tuple[Labels, ...]:
    """Return the dimensions of an array as the text counts them, one for each dimension of its shape."""
    own = () if isinstance(array, Port) else array.labels
    return own or tuple(Labels((size,)) for size in array.shape)


def text_shape(array: Array) -> tuple[int, ...]:
    """Return the sizes of an array as the text has them, absent elements counted."""
    return tuple(size for labels in groups_of(array) for size in labels.sizes)


def labels_without(gone: NDArray[np.bool_]) -> tuple[Labels, ...]:
    """Return the labels of an array without these elements: by dimension where whole rows are absent, else together."""
    axes = range(gone.ndim)
    slabs = [np.flatnonzero(gone.all(axis=tuple(a for a in axes if a != d))) for d in axes]
    rows = np.zeros_like(gone)
    for d, slab in enumerate(slabs):
        np.moveaxis(rows, d, 0)[slab] = True
    if np.array_equal(rows, gone):
        return tuple(Labels((size,), tuple(slab.tolist())) for size, slab in zip(gone.shape, slabs, strict=True))
    return (Labels(gone.shape, tuple(np.flatnonzero(gone).tolist())),)


def piece_name(array: str, number: int) -> str:
    """Return what a run of alike elements of an array is called in the plan: no name of a text has a `#`."""
    return f"{array}#{number:04}"


def labels_together(several: Sequence[Child] | Sequence[Export]) -> tuple[Labels, ...]:
    """Return the dimensions of an array of the text that is these, one for each dimension or group of them."""
    if len(several) == 1:
        return groups_of(several[0])
    gone = np.ones(text_shape(several[0]), dtype=bool)
    for each in several:
        gone.reshape(-1)[to_labels(each, np.arange(prod(each.shape)))] = False
    return labels_without(gone)


@cache
def _there(labels: Labels) -> IntArray:
    """Return the labels (row-major) of the elements that are there, ascending."""
    present: IntArray = np.delete(np.arange(prod(labels.sizes), dtype=np.int64), list(labels.absent))
    present.flags.writeable = False
    return present


@cache
def _places(labels: Labels) -> IntArray:
    """For each label (row-major) its place among those that are there, `ABSENT` for one that is not."""
    places = np.full(prod(labels.sizes), ABSENT, dtype=np.int64)
    places[_there(labels)] = np.arange(labels.count)
    places.flags.writeable = False
    return places


def labels_at(labels: Labels, places: ArrayLike) -> IntArray:
    """Return the labels (row-major) of the elements at these places."""
    return np.asarray(_there(labels)[np.asarray(places)] if labels.absent else places, dtype=np.int64)


def places_of(labels: Labels, numbers: ArrayLike) -> IntArray:
    """Return the place of each label (row-major), `ABSENT` for one that is not there."""
    return np.asarray(_places(labels)[np.asarray(numbers)] if labels.absent else numbers, dtype=np.int64)


def place_in(labels: Labels, at: Sequence[IntArray]) -> IntArray:
    """Return the place of subscripts, one array for each dimension, `ABSENT` for those not there or outside."""
    inside = np.ones(np.broadcast_shapes(*(each.shape for each in at)), dtype=bool)
    flat = np.zeros(inside.shape, dtype=np.int64)
    for size, each in zip(labels.sizes, at, strict=True):
        inside &= (each >= 0) & (each < size)
        flat = flat * size + each
    return np.where(inside, places_of(labels, np.where(inside, flat, 0)), ABSENT)


def labels_of(groups: Sequence[Labels], places: IntArray) -> list[IntArray]:
    """Return the subscripts as the text has them, one array for each dimension, of places by their row-major number."""
    at = np.unravel_index(places, tuple(labels.count for labels in groups)) if groups else ()
    return [
        each
        for labels, own in zip(groups, at, strict=True)
        for each in np.unravel_index(labels_at(labels, own), labels.sizes)
    ]


def place_in_groups(groups: Sequence[Labels], at: Sequence[IntArray]) -> IntArray:
    """Return the row-major numbers of places of subscripts, `ABSENT` for those not there or outside."""
    total, there, start = np.zeros(1, dtype=np.int64), np.ones(1, dtype=bool), 0
    for labels in groups:
        place = place_in(labels, at[start : start + len(labels.sizes)])
        start += len(labels.sizes)
        there = there & (place != ABSENT)
        total = total * labels.count + place
    return np.where(there, total, ABSENT)


@cache
def run_of(labels: Labels) -> tuple[int, int] | None:
    """Return first and last label of elements that follow each other; None where some between them are absent."""
    there = _there(labels)
    first, last = int(there[0]), int(there[-1])
    return (first, last) if last - first + 1 == len(there) else None


@cache
def place_table(labels: Labels) -> tuple[int, ...]:
    """Return the place of each label, with the absent ones behind all that are there: no number stands twice."""
    places = _places(labels).copy()
    places[list(labels.absent)] = np.arange(labels.count, len(places))
    return tuple(places.tolist())


@cache
def label_table(labels: Labels) -> tuple[int, ...]:
    """Return the label of each place."""
    return tuple(_there(labels).tolist())


def flat_label(labels: Labels, at: Sequence[IndexExpr]) -> IndexExpr:
    """Return the row-major number of subscripts."""
    flat: IndexExpr = Const(0)
    for size, expr in zip(labels.sizes, at, strict=True):
        flat = algebra.add(algebra.mul(Const(size), flat), expr)
    return flat


def place_at(labels: Labels, at: Sequence[IndexExpr]) -> IndexExpr:
    """Return the place of subscripts, that of an element that is there."""
    flat = flat_label(labels, at)
    if not labels.absent:
        return flat
    if isinstance(flat, Const):
        return Const(place_table(labels)[flat.value])
    if isinstance(flat, Lookup) and flat.table == label_table(labels):
        return flat.at
    return Lookup(place_table(labels), flat)


def to_labels(array: Array, places: IntArray) -> IntArray:
    """Return the row-major numbers in `text_shape` of elements by their row-major number in `shape`."""
    if isinstance(array, Port) or not array.labels:
        return places
    total = np.zeros(places.shape, dtype=np.int64)
    for labels, at in zip(array.labels, np.unravel_index(places, array.shape), strict=True):
        total = total * prod(labels.sizes) + labels_at(labels, at)
    return total


def to_places(array: Array, labels: IntArray) -> IntArray:
    """Return the row-major numbers in `shape` of elements by those in `text_shape`, `ABSENT` for those not there."""
    if isinstance(array, Port) or not array.labels:
        return labels
    total, there = np.zeros(labels.shape, dtype=np.int64), np.ones(labels.shape, dtype=bool)
    sizes = tuple(prod(each.sizes) for each in array.labels)
    for each, at in zip(array.labels, np.unravel_index(labels, sizes), strict=True):
        place = places_of(each, at)
        there &= place != ABSENT
        total = total * each.count + place
    return np.where(there, total, ABSENT)


def element_text(array: Array, at: Sequence[int] | Sequence[np.signedinteger[Any]]) -> str:
    """Return `[2, 5]` for subscripts by place, those behind them as `*`; nothing for a single one."""
    texts = list[str]()
    if isinstance(array, Port) or not array.labels:
        texts = [*map(str, map(int, at)), *["*"] * (len(array.shape) - len(at))]
        return f"[{', '.join(texts)}]" if texts else ""
    for d, labels in enumerate(array.labels):
        if d < len(at):
            texts += [str(int(label)) for label in np.unravel_index(labels_at(labels, at[d]), labels.sizes)]
        else:
            texts += ["*"] * len(labels.sizes)
    return f"[{', '.join(texts)}]" if texts else ""


def shape_text(array: Array) -> str:
    """Return `[8 except 6]`, `[8, 8 except [2, 5]]`, or nothing for a single one."""
    sizes = ", ".join(map(str, text_shape(array)))
    gaps = list(_gaps(array))
    if len(gaps) > _FEW_RUNS:
        gaps = [*gaps[:_FEW_RUNS], "…"]
    without = f" except {', '.join(gaps)}" if gaps else ""
    return f"[{sizes}{without}]" if sizes else ""


def range_text(labels: Labels) -> str:
    """Return the range of one dimension without what is absent: `0..7 except 6`, `0..7 except [2, 6]`."""
    whole = f"0..{labels.sizes[0] - 1}"
    runs = [run[0] for run in _runs(labels)]
    if not runs:
        return whole
    return f"{whole} except {runs[0] if len(runs) == 1 else '[' + ', '.join(map(str, labels.absent)) + ']'}"


def there_text(array: Array) -> str:
    """Return subscripts that name what is there: `0..18`, `4..5, *`, `0..7 except 6`; nothing where none say it."""
    texts = list[str]()
    for labels in groups_of(array):
        run = run_of(labels)
        if not labels.absent:
            texts += ["*"] * len(labels.sizes)
        elif len(labels.sizes) > 1:
            return ""
        elif run is None:
            texts.append(range_text(labels))
        else:
            texts.append(str(run[0]) if run[0] == run[1] else f"{run[0]}..{run[1]}")
    return ", ".join(texts)


def called(child: Child) -> str:
    """Return what a child is called where it stands for itself: `npu`, or `cell[0..18]` as a part of an array."""
    there = there_text(child) if child.array else ""
    return f"{child.text_name}[{there}]" if there else child.text_name


def _gaps(array: Array) -> list[str]:
    groups = groups_of(array)
    rank = sum(len(labels.sizes) for labels in groups)
    gaps, before = list[str](), 0
    for labels in groups:
        for run in _runs(labels):
            row = ["*"] * before + run + ["*"] * (rank - before - len(labels.sizes))
            gaps.append(row[0] if rank == 1 else f"[{', '.join(row)}]")
        before += len(labels.sizes)
    return gaps


def _runs(labels: Labels) -> list[list[str]]:
    """Return the absent elements, runs of a single dimension taken together."""
    if len(labels.sizes) > 1:
        rows = np.stack(np.unravel_index(np.array(labels.absent, dtype=np.int64), labels.sizes), axis=-1).tolist()
        return [[str(at) for at in row] for row in rows]
    runs: list[list[int]] = []
    for label in labels.absent:
        if runs and runs[-1][1] == label - 1:
            runs[-1][1] = label
        else:
            runs.append([label, label])
    return [[str(low) if low == high else f"{low}..{high}"] for low, high in runs]
