"""A reference read dimension by dimension: which elements an index fixes, and which are left free, at their places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.ir.plan import Const, IndexExpr, Labels, Lookup, algebra
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.labels import ABSENT, place_at, places_of
from unifiedbus_dsl.semantic.connect.holes import range_values, say_absent
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Dimension, Reference
from unifiedbus_dsl.semantic.connect.subscripts import IndexCompiler
from unifiedbus_dsl.syntax import tree

SINGLE = Labels(())
"""Those of one element."""


@frozen(eq=False)
class Slot:
    """One dimension of the places of a reference: `fixed` by an index, or `size` free elements.

    The places of these are `low + step * position`, or listed in `table`. `labels` are those of a port array that has
    this for a dimension.
    """

    fixed: IndexExpr | None = None
    low: int = 0
    step: int = 1
    table: tuple[int, ...] | None = None
    labels: Labels = SINGLE

    @property
    def size(self) -> int:
        return self.labels.count

    def numbers(self, positions: IntArray) -> IntArray:
        """Return the places at positions among the free elements."""
        if self.table is not None:
            return np.asarray(self.table, dtype=np.int64)[positions]
        return self.low + self.step * positions

    def place(self, position: IndexExpr) -> IndexExpr:
        """Return the place at a position among the free elements."""
        if self.fixed is not None:
            return self.fixed
        if self.table is not None:
            return Lookup(self.table, position)
        return algebra.add(algebra.mul(Const(self.step), position), Const(self.low))


def read_slots(
    ref: Reference, compiler: IndexCompiler, wall: AssemblyScope
) -> tuple[list[Slot], list[IndexExpr]] | None:
    """Return the slots of a reference, and the subscripts as the text has them, 0 for what is free; None after a
    diagnostic."""
    slots: list[Slot] = []
    written: list[IndexExpr] = [Const(0)] * len(ref.dimensions)
    for labels, at in ref.grouped:
        dimensions = [ref.dimensions[d] for d in at]
        free = [dimension.is_free for dimension in dimensions]
        if any(free):
            slot = _free(ref, labels, dimensions, wall)
            if slot is None:
                return None
            slots.append(slot)
            continue
        for d in at:
            expr = _compiled(ref.dimensions[d], compiler)
            if expr is None:
                return None
            written[d] = expr
        slots.append(Slot(place_at(labels, [written[d] for d in at])))
    return slots, written


def _compiled(dimension: Dimension, compiler: IndexCompiler) -> IndexExpr | None:
    assert not isinstance(dimension.subscript, tree.Star | tree.Range | None)
    return compiler.subscript(dimension.subscript)


def _free(ref: Reference, labels: Labels, dimensions: Sequence[Dimension], wall: AssemblyScope) -> Slot | None:
    """Return the slot of dimensions that are left free."""
    every = all(d.subscript is None or isinstance(d.subscript, tree.Star) for d in dimensions)
    if every:
        return Slot(labels=labels)
    if len(dimensions) > 1:
        wall.sink.error(
            "UB0435",
            f"some elements of `{ref.child.name}` are left out, and its rows are of different lengths",
            dimensions[0].span.to(dimensions[-1].span),
            "some of them",
            labels=(Label(dimensions[0].origin, "left out here"),) if dimensions[0].origin is not None else (),
            help=("take all of it by `*`, leave out whole rows, or write the cables with indices: `for i, j`",),
        )
        return None
    (dimension,) = dimensions
    assert isinstance(dimension.subscript, tree.Range)
    values = range_values(wall.evaluator, dimension.subscript, dimension.size)
    if values is None:
        return None
    places = places_of(labels, values)
    met = np.flatnonzero(places == ABSENT)
    if len(met):
        say_absent(wall.evaluator, ref.child.name, labels, int(values[met[0]]), dimension.span, made=dimension.origin)
        return None
    return _along(places)


def _along(places: IntArray) -> Slot:
    labels = Labels((len(places),))
    steps = np.unique(np.diff(places))
    if len(steps) > 1:
        return Slot(table=tuple(places.tolist()), labels=labels)
    return Slot(low=int(places[0]), step=int(steps[0]) if len(steps) else 1, labels=labels)
