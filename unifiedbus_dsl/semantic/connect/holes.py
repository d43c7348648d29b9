"""Elements that are absent: `rack[8 except 6]`, ranges with `except`, and subscripts that meet a hole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod

import numpy as np

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.work import HOLED, SORTED, spend
from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Labels, Lookup, Not, Op, Var, algebra
from unifiedbus_dsl.ir.plan.index import IntArray, axes_used, axis_values, evaluate, points
from unifiedbus_dsl.ir.plan.labels import ABSENT, flat_label, labels_without, place_table, places_of, range_text
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Reference, range_axis
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import Poison, is_whole
from unifiedbus_dsl.syntax import tree

_FEW = 4
"""Absent elements that a condition names one by one."""

# ---- where elements are left out -------------------------------------------------------------------------------------


def read_holes(statement: tree.Instance, sizes: tuple[int, ...], evaluator: Evaluator) -> tuple[Labels, ...] | None:
    """Return the labels of an array with elements left out, () where none are; None after a diagnostic."""
    if not statement.holes:
        return ()
    spend(prod(sizes), HOLED)
    gone = np.zeros(sizes, dtype=bool)
    for node in statement.holes:
        box = _box(node, statement, sizes, evaluator)
        if box is None:
            return None
        spend(prod(map(len, box)))
        gone[np.ix_(*box)] = True
    if gone.all():
        evaluator.sink.error(
            "UB0410",
            f"an array of `{statement.name.text}` needs at least one element, and all are left out",
            statement.holes[0].span.to(statement.holes[-1].span),
            "all of them",
            help=("for none at all, put the statement into `if`",),
        )
        return None
    return labels_without(gone)


def _box(
    node: tree.Expr | tree.Range, statement: tree.Instance, sizes: tuple[int, ...], evaluator: Evaluator
) -> list[IntArray] | None:
    """Return the elements that an item behind `except` leaves out, along each dimension."""
    items: Sequence[tree.Subscript] = node.items if isinstance(node, tree.ListExpr | tree.Slab) else (node,)
    if len(items) != len(sizes):
        dimensions = f"{len(sizes)} dimension{'s' * (len(sizes) != 1)}"
        example = ", ".join("0" for _ in sizes)
        help = f"write `except [{example}]`, one number for each dimension"
        if len(sizes) == 1:
            help = f"write `except {', '.join(item.span.text.strip() for item in items)}`"
        evaluator.sink.error(
            "UB0414",
            f"`{statement.name.text}` has {dimensions}, and {len(items)} are named here",
            node.span,
            "names no element",
            help=(help,),
        )
        return None
    box = []
    for item, size in zip(items, sizes, strict=True):
        values = subscript_values(evaluator, item, size, statement.name.text)
        if values is None:
            return None
        box.append(values)
    return box


def subscript_values(evaluator: Evaluator, node: tree.Subscript, size: int, name: str) -> IntArray | None:
    """Return what a constant subscript of a dimension names; None after a diagnostic."""
    if isinstance(node, tree.Star):
        return np.arange(size)
    if isinstance(node, tree.Range):
        return range_values(evaluator, node, size)
    value = evaluator.integer(node)
    if value is None:
        return None
    if not 0 <= value < size:
        evaluator.sink.error(
            "UB0401",
            f"subscript {value} is outside the {size} elements of `{name}`",
            node.span,
            f"is {value}",
            help=(f"elements are 0..{size - 1}",),
        )
        return None
    return np.array([value])


# ---- ranges with gaps ------------------------------------------------------------------------------------------------


def range_values(evaluator: Evaluator, node: tree.Range, size: int | None) -> IntArray | None:
    """Return the numbers of `0..7 except 6`, ascending; None after a diagnostic."""
    axis = range_axis(evaluator, node, "_", size)
    left_out = None if axis is None else gap_values(evaluator, node, axis)
    if axis is None or left_out is None:
        return None
    if not len(left_out):
        spend(axis.size)
        return axis_values(axis)
    spend(axis.size, SORTED)
    return np.setdiff1d(axis_values(axis), left_out)


def gap_values(evaluator: Evaluator, node: tree.Range, axis: Axis) -> IntArray | None:
    """Return what `except` leaves out of a range; None after a diagnostic."""
    gap = node.gap
    if gap is None:
        return np.zeros(0, dtype=np.int64)
    spend(axis.size, SORTED)
    if isinstance(gap, tree.Range):
        inner = range_axis(evaluator, gap, "_", None)
        values = None if inner is None else axis_values(inner)
    else:
        values = _numbers(evaluator, gap)
    if values is None:
        return None
    outside = np.setdiff1d(values, axis_values(axis))
    if len(outside):
        message = f"{outside[0]} is left out of a range that it is not in"
        evaluator.sink.error("UB0434", message, gap.span, f"{outside[0]} is no part of it", help=("leave it out",))
        return None
    if len(np.unique(values)) == axis.size:
        message = f"the range `{node.span.text.strip()}` is empty"
        evaluator.sink.error("UB0406", message, gap.span, "leaves out all of it", help=("leave something in it",))
        return None
    return values


def _numbers(evaluator: Evaluator, gap: tree.Expr) -> IntArray | None:
    value = evaluator.constant(gap)
    if isinstance(value, Poison):
        return None
    items = value if isinstance(value, tuple) else (value,)
    if items and all(is_whole(item) for item in items):
        return np.array([int(item.value) for item in items], dtype=np.int64)  # type: ignore[union-attr]  # is_whole
    help = ("write `except 6`, `except 2..4` or `except [2, 6]`",)
    evaluator.sink.error("UB0310", "what is left out are whole numbers", gap.span, "no whole numbers", help=help)
    return None


def not_among(expr: IndexExpr, labels: Labels) -> IndexExpr:
    """Return the condition that a row-major number is that of an element that is there."""
    if len(labels.absent) <= _FEW:
        return reduce(
            lambda a, b: Op("and", a, b), [algebra.compare("!=", expr, Const(label)) for label in labels.absent]
        )
    # a condition is asked beyond the array as well, where another one keeps a subscript inside
    inside = expr if isinstance(expr, Var) else algebra.mod(expr, Const(prod(labels.sizes)))
    return Op("<", Lookup(place_table(labels), inside), Const(labels.count))


def binder_condition(binders: Sequence[tree.Binder], wall: AssemblyScope) -> tuple[IndexExpr | None, bool]:
    """Return the condition that indices are none that their ranges leave out, and whether all was understood."""
    condition: IndexExpr | None = None
    for binder in binders:
        if not isinstance(binder.range, tree.Range) or binder.range.gap is None:
            continue
        axis = range_axis(wall.evaluator, binder.range, binder.name.text, None)
        gone = None if axis is None else gap_values(wall.evaluator, binder.range, axis)
        if gone is None:
            return None, False
        assert axis is not None
        condition = algebra.both(condition, _none_of(Var(binder.name.text), np.unique(gone), axis))
    return condition, True


def _none_of(index: IndexExpr, gone: IntArray, axis: Axis) -> IndexExpr:
    """Return the condition that an index is none of these values, which ascend: by their runs, or by a table of
    many."""
    runs = np.split(gone, np.flatnonzero(np.diff(gone) > 1) + 1)
    if len(runs) > _FEW:
        there = np.ones(axis.high - axis.low + 1, dtype=np.int64)
        there[gone - axis.low] = 0
        return Op("==", Lookup(tuple(there.tolist()), algebra.sub(index, Const(axis.low))), Const(1))
    return reduce(lambda a, b: Op("and", a, b), [_beside(index, int(run[0]), int(run[-1])) for run in runs])


def _beside(index: IndexExpr, low: int, high: int) -> IndexExpr:
    if low == high:
        return Op("!=", index, Const(low))
    return Op("or", Op("<", index, Const(low)), Op(">", index, Const(high)))


# ---- subscripts that meet a hole -------------------------------------------------------------------------------------


def said_ranges(binders: Sequence[tree.Binder]) -> frozenset[str]:
    """Return the indices that have a range of their own: the others run over what is there."""
    return frozenset(binder.name.text for binder in binders if binder.range is not None)


def running_condition(
    ref: Reference, subscripts: Sequence[IndexExpr], said: frozenset[str], *, fixed: bool = False
) -> IndexExpr | None:
    """Return the condition that `*` and bare index names are at elements that are there; None where all are.

    `fixed`: only where no dimension is left free.
    """
    condition: IndexExpr | None = None
    for labels, at in ref.grouped:
        if fixed and any(ref.dimensions[d].is_free for d in at):
            continue
        if labels.absent and any(runs(ref, d, subscripts[d], said) for d in at):
            condition = algebra.both(condition, is_there(labels, [subscripts[d] for d in at]))
    return condition


def is_there(labels: Labels, at: Sequence[IndexExpr]) -> IndexExpr:
    """Return the condition that subscripts name an element that is there."""
    if len(at) == 1 or len(labels.absent) > _FEW:
        return not_among(flat_label(labels, at), labels)
    gone = [np.unravel_index(label, labels.sizes) for label in labels.absent]
    boxes: list[IndexExpr] = [
        Not(reduce(lambda a, b: Op("and", a, b), [Op("==", e, Const(int(v))) for e, v in zip(at, place, strict=True)]))
        for place in gone
    ]
    return reduce(lambda a, b: Op("and", a, b), boxes[1:], boxes[0])


def runs(ref: Reference, dimension: int, expr: IndexExpr, said: frozenset[str]) -> bool:
    """Return whether a subscript runs over what is there: a `*`, or a bare index without a range of its own."""
    subscript = ref.dimensions[dimension].subscript
    if subscript is None or isinstance(subscript, tree.Star):
        return True
    return isinstance(subscript, tree.Name) and isinstance(expr, Var) and expr.name not in said


def misses_holes(
    ref: Reference,
    subscripts: Sequence[IndexExpr],
    axes: Sequence[Axis],
    where: IndexExpr | None,
    wall: AssemblyScope,
    *,
    fixed: bool = False,
) -> bool:
    """Return whether no subscript names an element that is absent; else say which, and where it was left out."""
    for labels, at in ref.grouped:
        if not labels.absent or (fixed and any(ref.dimensions[d].is_free for d in at)):
            continue
        flat = flat_label(labels, [subscripts[d] for d in at])
        used = {*axes_used(flat), *(axes_used(where) if where is not None else ())}
        grid = points([axis for axis in axes if axis.name in used], where)
        if not grid.size:
            continue
        values = np.broadcast_to(evaluate(flat, grid.grids), grid.shape).ravel()
        met = np.flatnonzero(places_of(labels, values) == ABSENT)
        if len(met):
            at_hole = {n: int(v[0]) for n, v in grid.at(met[:1]).items() if not n.startswith("_")}
            when = " for " + ", ".join(f"{name} = {value}" for name, value in at_hole.items()) if at_hole else ""
            span = ref.dimensions[at[0]].span.to(ref.dimensions[at[-1]].span)
            _say_hole(ref, labels, at, int(values[met[0]]), span, when, wall)
            return False
    return True


def _say_hole(
    ref: Reference, labels: Labels, at: Sequence[int], label: int, span: Span, when: str, wall: AssemblyScope
) -> None:
    name = ref.child.name if at[0] < ref.rank else f"{ref.child.name}.{ref.port}"
    say_absent(wall.evaluator, name, labels, label, span, when, ref.dimensions[at[0]].origin)


def say_absent(
    evaluator: Evaluator, name: str, labels: Labels, label: int, span: Span, when: str = "", made: Span | None = None
) -> None:
    """Say that a subscript names an element that is absent."""
    place = ", ".join(str(int(v)) for v in np.unravel_index(label, labels.sizes))
    evaluator.sink.error(
        "UB0433",
        f"there is no `{name}[{place}]`: it is left out of the array",
        span,
        f"is {place}{when}",
        labels=(Label(made, "left out here"),) if made is not None else (),
        help=(
            f"`*` and a bare index run over the {labels.count:,} of {prod(labels.sizes):,} that are there"
            + (
                f"; as a range they are `{range_text(labels)}`"
                if len(labels.absent) <= _FEW and len(labels.sizes) == 1
                else ""
            ),
        ),
    )
