"""`port up = npu.up` and `open npu.up`: the ports of parts that leave an assembly, or may stay free."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.ir.plan import Axis, Const, Export, IndexExpr, Labels, Lookup, Opening, PortRef, Var, algebra
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.labels import (
    ABSENT,
    labels_at,
    labels_without,
    piece_name,
    place_in,
)
from unifiedbus_dsl.semantic.connect.holes import misses_holes
from unifiedbus_dsl.semantic.connect.leaves import Side, cut_opening, say_lacking, say_portless
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Reference
from unifiedbus_dsl.semantic.connect.slots import Slot, read_slots
from unifiedbus_dsl.semantic.connect.subscripts import IndexCompiler
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class Free:
    """A reference with constants for some of its dimensions; the others are left free."""

    ref: Reference
    slots: tuple[Slot, ...]
    written: tuple[IndexExpr, ...]
    """The subscripts as the text has them, 0 for what is free."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Those of the free dimensions."""
        return _axes([slot.size for slot in self.slots if slot.fixed is None])

    @property
    def places(self) -> tuple[IndexExpr, ...]:
        """Where among what is there the reference is, over the axes."""
        names = iter(self.axes)
        return tuple(slot.fixed if slot.fixed is not None else slot.place(Var(next(names).name)) for slot in self.slots)

    @property
    def labels(self) -> tuple[Labels, ...]:
        """Those of the free dimensions; none where nothing is absent."""
        labels = tuple(slot.labels for slot in self.slots if slot.fixed is None)
        return labels if any(each.absent for each in labels) else ()


def over_free(ref: Reference, wall: AssemblyScope) -> Free | None:
    """Return a reference whose dimensions are free, or constants in range; None after a diagnostic."""
    compiler = IndexCompiler(wall.evaluator, frozenset())
    read = read_slots(ref, compiler, wall)
    if read is None:
        return None
    slots, written = read
    for dimension, value in zip(ref.dimensions, written, strict=True):
        if not isinstance(value, Const) or not 0 <= value.value < dimension.size:
            shown = value.value if isinstance(value, Const) else "?"
            wall.sink.error(
                "UB0401",
                f"subscript {shown} is outside an array of {dimension.size}",
                dimension.span,
                f"is {shown}",
                help=(f"elements are 0..{dimension.size - 1}",),
            )
            return None
    if not misses_holes(ref, written, (), None, wall, fixed=True):
        return None
    return Free(ref, tuple(slots), tuple(written))


def openings(span: Span, free: Free, wall: AssemblyScope) -> tuple[Opening, ...]:
    """Return the openings of ports, one for each run of alike parts; none after a diagnostic."""
    opening = Opening(free.axes, free.ref.at_places(free.places), span)
    if free.ref.is_plain:
        return (opening,)
    at = free.ref.labels_of(free.places, free.axes)
    return cut_opening(opening, Side(free.ref, at, frozenset(), passes=True), wall)


def exports(statement: tree.PortExport, free: Free, wall: AssemblyScope) -> tuple[Export, ...] | None:
    """Return the exported ports, one for each run of alike parts; None after a diagnostic."""
    name = statement.name.text
    if free.ref.is_plain:
        return (Export(name, free.axes, free.ref.at_places(free.places), statement.span, free.labels),)
    rank = len(free.ref.child.shape)
    pieces = list[tuple[tuple[Axis, ...], PortRef, tuple[Labels, ...]]]()
    for _, group in groupby(free.ref.leaves, key=lambda leaf: leaf.child.name):
        leaves = list(group)
        inner = len(leaves[0].child.shape)
        part = _picked(free, range(rank), leaves[0].groups[:inner])
        if part is None:
            continue
        if leaves[0].port is None:
            say_portless(free.ref, leaves[0], wall)
            return None
        found = [(leaf, _picked(free, range(rank, len(free.slots)), leaf.groups[inner:])) for leaf in leaves]
        there = [(leaf, ports) for leaf, ports in found if ports is not None]
        if not there or (not _passed_over(free) and not np.any([ports.there for _, ports in there], axis=0).all()):
            say_lacking(free.ref, leaves[0], wall)
            return None
        for leaf, ports in there:
            labels = (*part.labels, *ports.labels)
            axes = _axes([each.count for each in labels])
            split = len(part.labels)
            ref = PortRef(leaf.child.name, part.at(axes[:split]), leaf.port or "", ports.at(axes[split:]))
            pieces.append((axes, ref, labels))
    several = len(pieces) > 1
    return tuple(
        Export(
            piece_name(name, number) if several else name,
            axes,
            ref,
            statement.span,
            labels if any(each.absent for each in labels) else (),
            name if several else "",
        )
        for number, (axes, ref, labels) in enumerate(pieces)
    )


def _axes(sizes: Sequence[int]) -> tuple[Axis, ...]:
    return tuple(Axis(f"_{at}", 0, size - 1) for at, size in enumerate(sizes))


def _passed_over(free: Free) -> bool:
    """Return whether all ports that are free are meant, of each part those that it has."""
    inner = free.ref.dimensions[free.ref.rank :]
    return all(d.subscript is None or isinstance(d.subscript, tree.Star) for d in inner)


# ---- what of a reference is at a leaf -------------------------------------------------------------------------------


@frozen(eq=False)
class _Picked:
    """The free elements of an array that a leaf has: `labels` of them as the text counts what is left free, and their
    `places` at the leaf, [those of the labels.., dimension of the leaf]."""

    labels: tuple[Labels, ...]
    places: IntArray
    there: NDArray[np.bool_]
    """Which of those that are named are at the leaf."""

    def at(self, axes: Sequence[Axis]) -> tuple[IndexExpr, ...]:
        """Return the places over axes, one for each of the labels."""
        return tuple(_expression(self.places[..., d], axes) for d in range(self.places.shape[-1]))


def _picked(free: Free, numbers: range, own: Sequence[Labels]) -> _Picked | None:
    """Return what the slots of these numbers, all of the part or all of the port, are at a leaf where the array has
    `own` labels; None for nothing."""
    slots = [free.slots[n] for n in numbers]
    groups = [free.ref.grouped[n][0] for n in numbers]
    counts = tuple(slot.size for slot in slots if slot.fixed is None)
    positions = iter(np.ix_(*map(np.arange, counts)))
    label, said = list[IntArray](), list[IntArray]()
    for slot, group in zip(slots, groups, strict=True):
        place: IntArray
        if isinstance(slot.fixed, Const):
            place = np.asarray(slot.fixed.value)
        else:
            position = next(positions)
            said.append(labels_at(slot.labels, position))
            place = slot.numbers(position)
        label += np.unravel_index(labels_at(group, place), group.sizes)
    sizes = tuple(size for slot in slots if slot.fixed is None for size in slot.labels.sizes)
    there = np.ones(counts, dtype=bool)
    places = np.zeros((*counts, len(own)), dtype=np.int64)
    at = 0
    for d, group in enumerate(own):
        mine = [np.broadcast_to(each, counts) for each in label[at : at + len(group.sizes)]]
        at += len(group.sizes)
        places[..., d] = place_in(group, mine)
        there &= places[..., d] != ABSENT
    if not there.any():
        return None
    gone = np.ones(sizes, dtype=bool)
    number = np.zeros(counts, dtype=np.int64)
    for each, slot in zip(said, [slot for slot in slots if slot.fixed is None], strict=True):
        number = number * int(np.prod(slot.labels.sizes, dtype=np.int64)) + each
    gone.reshape(-1)[number[there]] = False
    labels = labels_without(gone) if sizes else ()
    kept = places[there].reshape(*(each.count for each in labels), len(own))
    return _Picked(labels, kept, there)


def _expression(values: IntArray, axes: Sequence[Axis]) -> IndexExpr:
    """Return an expression that has these values over axes: of one of them where it can be, else a table."""
    flat = values.ravel()
    if (flat == flat[0]).all():
        return Const(int(flat[0]))
    for d, axis in enumerate(axes):
        row = np.moveaxis(values, d, 0).reshape(values.shape[d], -1)
        if (row == row[:, :1]).all():
            return _sequence(row[:, 0], Var(axis.name))
    number: IndexExpr = Const(0)
    for axis in axes:
        number = algebra.add(algebra.mul(Const(axis.size), number), Var(axis.name))
    return _sequence(flat, number)


def _sequence(values: IntArray, at: IndexExpr) -> IndexExpr:
    steps = np.unique(np.diff(values))
    if len(steps) > 1:
        return Lookup(tuple(values.tolist()), at)
    return algebra.add(algebra.mul(Const(int(steps[0])), at), Const(int(values[0])))
