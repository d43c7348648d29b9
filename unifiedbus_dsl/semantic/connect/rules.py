"""Connect statements become rules: axes found, subscripts compiled and range-checked, ends and link matched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.work import READ, STATEMENT, spend
from unifiedbus_dsl.diagnostics import Edit, Fix, Label
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Lookup, Rule, Var, algebra
from unifiedbus_dsl.ir.plan.index import axes_used, axis_values, count_points, evaluate
from unifiedbus_dsl.semantic.connect.axes import find_axes, names_known
from unifiedbus_dsl.semantic.connect.ends import ChooseLink
from unifiedbus_dsl.semantic.connect.holes import (
    binder_condition,
    misses_holes,
    range_values,
    running_condition,
    said_ranges,
)
from unifiedbus_dsl.semantic.connect.leaves import Side, cut_rule
from unifiedbus_dsl.semantic.connect.magnitude import stay_small
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Dimension, Reference, range_axis, shape_text
from unifiedbus_dsl.semantic.connect.subscripts import IndexCompiler, Outside, outside, reads_in_range
from unifiedbus_dsl.syntax import tree


def compile_rules(node: tree.Connect, wall: AssemblyScope, choose: ChooseLink) -> tuple[Rule, ...] | None:
    """Return the rule of `connect L -- R over LINK for …`; None after a diagnostic."""
    left, right = wall.reference(node.left), wall.reference(node.right)
    cable = choose(node.over, node, wall)
    if left is None or right is None:
        return None
    axes = find_axes(node.binders, (left, right), wall)
    if axes is None or not names_known(node, (left, right), axes, wall):
        return None
    free = _free_axes(left, right, wall)
    if free is None:
        return None
    compiler = IndexCompiler(wall.evaluator, frozenset(axes))
    a = _subscripts(left, compiler, free)
    b = _subscripts(right, compiler, free)
    condition = evolve(compiler, reads=[])
    where = condition.condition(node.where) if node.where is not None else None
    if a is None or b is None or (node.where is not None and where is None):
        return None
    spend(1 + READ * (len(compiler.reads) + len(condition.reads)), STATEMENT)
    every = (*axes.values(), *free)
    where = None if where == algebra.TRUE else where
    said = said_ranges(node.binders)
    left_out, understood = binder_condition(node.binders, wall)
    if not understood:
        return None
    for condition_ in (left_out, running_condition(left, a, said), running_condition(right, b, said)):
        where = algebra.both(where, condition_)
    if not _can_be_checked(node, (left, right), (*a, *b), every, where, wall):
        return None
    if not reads_in_range(condition, every, None) or not reads_in_range(compiler, every, where):
        return None
    if node.where is not None and not count_points(every, where):
        _nothing_left(node, wall)
        return None
    sides = ((left, a), (right, b))
    if not in_range(sides, every, where, wall, node.binders) or not all(
        misses_holes(ref, at, every, where, wall) for ref, at in sides
    ):
        return None
    if not _used_on_both_sides(node, (left, right), (a, b), every, wall):
        return None
    if cable is None:
        return None
    rule = Rule(
        left.ref(a),
        right.ref(b),
        every,
        where,
        cable.link.name,
        cable.lanes,
        cable.length,
        span=node.span,
        left_span=left.blame,
        right_span=right.blame,
        link_span=cable.span,
    )
    return cut_rule(rule, (Side(left, a, said), Side(right, b, said)), cable, wall)


MAX_LISTED = 1 << 27
"""Index values that a check may have to list: more than these can't be checked in reasonable time."""


def _can_be_checked(
    node: tree.Connect,
    refs: tuple[Reference, Reference],
    subscripts: Sequence[IndexExpr],
    axes: Sequence[Axis],
    where: IndexExpr | None,
    wall: AssemblyScope,
) -> bool:
    """Return whether the numbers stay small enough: no subscript beyond 64 bits, no more index values than can be
    listed."""
    ports = min(prod(dimension.size for dimension in ref.dimensions) for ref in refs)
    total = prod(axis.size for axis in axes)
    if total > MAX_LISTED and (where is not None or total > ports):
        wall.sink.error(
            "UB0411",
            f"this statement has {total:,} combinations of index values, and the limit is {MAX_LISTED:,}",
            (node.where or node.left).span,
            "too many to check",
            help=("say which cables are meant by subscripts, not by leaving most of them out",),
        )
        return False
    exprs = [*subscripts, *([where] if where is not None else [])]
    return stay_small(exprs, axes, node.left.span.to(node.right.span), wall.sink)


def _nothing_left(node: tree.Connect, wall: AssemblyScope) -> None:
    assert node.where is not None
    wall.sink.error(
        "UB0417",
        "this `where` leaves no cable",
        node.where.span,
        "never holds",
        help=("write a condition that some index values meet, or delete the statement",),
    )


# ---- the dimensions left free ----------------------------------------------------------------------------------------


def _free_axes(left: Reference, right: Reference, wall: AssemblyScope) -> tuple[Axis, ...] | None:
    """Axes for the dimensions that both sides leave free, paired in order."""
    a = [d for d in left.dimensions if d.is_free]
    b = [d for d in right.dimensions if d.is_free]
    ours = [_free_axis(d, f"_{k}", wall) for k, d in enumerate(a)]
    theirs = [_free_axis(d, f"_{k}", wall) for k, d in enumerate(b)]
    if None in ours or None in theirs:
        return None
    shapes = [tuple(axis.size for axis in side if axis) for side in (ours, theirs)]
    if shapes[0] != shapes[1]:
        wall.sink.error(
            "UB0402",
            f"the two sides have different shapes: {shape_text(shapes[0])} and {shape_text(shapes[1])}",
            right.span,
            f"leaves {shape_text(shapes[1])} free" if shapes[1] else "leaves nothing free",
            labels=(Label(left.span, f"leaves {shape_text(shapes[0])} free" if shapes[0] else "leaves nothing free"),),
            help=("name the indices and say how they meet: `connect a[i].p[k] -- b[k].p[i] for i, k`",),
        )
        return None
    return tuple(Axis(f"_{k}", 0, size - 1) for k, size in enumerate(shapes[0]))


def _free_axis(dimension: Dimension, name: str, wall: AssemblyScope) -> Axis | None:
    """Return the axis of positions along a free dimension, what a range leaves out not counted."""
    if isinstance(dimension.subscript, tree.Range) and dimension.subscript.gap is not None:
        values = range_values(wall.evaluator, dimension.subscript, dimension.size)
        return None if values is None else Axis(name, 0, len(values) - 1)
    return wall.free_axis(dimension, name)


def _subscripts(ref: Reference, compiler: IndexCompiler, free: Sequence[Axis]) -> tuple[IndexExpr, ...] | None:
    """Return the index expression of each dimension; free ones take the free axes in order."""
    indices: list[IndexExpr] = []
    names = iter(free)
    for dimension in ref.dimensions:
        if dimension.is_free:
            expr: IndexExpr | None = _along(dimension, Var(next(names).name), compiler)
        else:
            assert dimension.subscript is not None
            assert not isinstance(dimension.subscript, tree.Star | tree.Range)
            expr = compiler.subscript(dimension.subscript)
        if expr is None:
            return None
        indices.append(expr)
    return tuple(indices)


def _along(dimension: Dimension, position: IndexExpr, compiler: IndexCompiler) -> IndexExpr | None:
    """Return the subscript at a position of a free dimension: the position itself, or a step along the range
    written."""
    if not isinstance(dimension.subscript, tree.Range):
        return position
    if dimension.subscript.gap is not None:
        values = range_values(compiler.evaluator, dimension.subscript, dimension.size)
        return None if values is None else algebra.lookup(tuple(values.tolist()), position)
    axis = range_axis(compiler.evaluator, dimension.subscript, "_", dimension.size)
    if axis is None:
        return None
    return algebra.add(algebra.mul(Const(axis.step), position), Const(axis.low))


# ---- what must hold of the ends ---------------------------------------------------------------------------------


def in_range(
    sides: Sequence[tuple[Reference, Sequence[IndexExpr]]],
    axes: Sequence[Axis],
    where: IndexExpr | None,
    wall: AssemblyScope,
    binders: Sequence[tree.Binder] = (),
) -> bool:
    """Return whether each subscript stays inside its dimension; else diagnostics with index values that leave it.

    An index whose stated range leaves an array is told by that alone: what is worked out of it leaves others therefore.
    """
    stated = (
        {each.name.text: each.range for each in binders if isinstance(each.range, tree.Range)} if where is None else {}
    )
    each_one = [(ref, *pair) for ref, at in sides for pair in zip(ref.dimensions, at, strict=True)]
    outside = [one for one in each_one if not algebra.within(one[2], axes, 0, one[1].size - 1, where)]
    far = [(ref, dimension, expr) for ref, dimension, expr in outside if isinstance(expr, Var) and expr.name in stated]
    for ref, dimension, index in far:
        _range_outside(ref, dimension, index, stated[index.name], axes, wall)
    told = {index.name for _, _, index in far}
    for ref, dimension, expr in outside:
        if told.isdisjoint(axes_used(expr)):
            _outside(ref, dimension, expr, axes, where, wall, _origins(expr, [ref for ref, _ in sides]))
    return not outside


def _range_outside(
    ref: Reference, dimension: Dimension, index: Var, range: tree.Range, axes: Sequence[Axis], wall: AssemblyScope
) -> None:
    """Say that the stated range of an index leaves an array in which the index stands alone."""
    axis = next(axis for axis in axes if axis.name == index.name)
    array = _array_name(ref, dimension)
    out = axis.high if axis.high >= dimension.size else axis.low
    open_end = range.high is not None and range.inclusive and axis.high == dimension.size and axis.low >= 0
    meant = f"{index.name} in {ref.range_text(dimension)}"
    fix = None
    if open_end and axis.low == 0 and range.high is not None:
        low, high = range.low.span.text.strip(), range.high.span.text.strip()
        meant = f"{index.name} in {low}..<{high}"
        sign = Span(range.span.source, range.low.span.end, range.high.span.start)
        fix = Fix(f"write `{low}..<{high}`", (Edit(sign, "..<"),))
    wall.sink.error(
        "UB0401",
        f"`{index.name}` runs to {out}, outside the {dimension.size} elements of `{array}`",
        range.span,
        f"has {out}",
        labels=(Label(dimension.origin, f"`{array}` is defined here"),) if dimension.origin else (),
        help=(f"elements are 0..{dimension.size - 1}: write `{meant}`",),
        fix=fix,
    )


def _origins(expr: IndexExpr, refs: Sequence[Reference]) -> Iterator[Label]:
    """For each index of a subscript, the array that gives it its range."""
    for name in axes_used(expr):
        alone = [d for ref in refs for d in ref.dimensions if d.name == name and d.origin is not None]
        if alone and alone[0].origin is not None:
            yield Label(alone[0].origin, f"so `{name}` runs 0..{alone[0].size - 1}")


def _outside(
    ref: Reference,
    dimension: Dimension,
    expr: IndexExpr,
    axes: Sequence[Axis],
    where: IndexExpr | None,
    wall: AssemblyScope,
    origins: Iterator[Label],
) -> None:
    stray = outside(expr, dimension.size, axes, where)
    help = [f"elements are 0..{dimension.size - 1}"]
    if stray.one_sided and not isinstance(expr, Lookup):
        wrapped = f"({dimension.span.text.strip()}) mod {ref.size_text(dimension)}"
        help.append(f"to wrap around, say so: `{wrapped}`")
        help.extend(_stop_at_edge(expr, axes, ref.size_text(dimension)))
    wall.sink.error(
        "UB0401",
        f"subscript {stray.value} is outside the {dimension.size} elements of `{_array_name(ref, dimension)}`",
        dimension.span,
        f"is {stray.value}{stray.when}",
        labels=(
            *(
                [Label(dimension.origin, f"`{_array_name(ref, dimension)}` is defined here")]
                if dimension.origin
                else []
            ),
            *(label for label in origins if label.span != dimension.origin),
            *_element(expr, stray),
        ),
        help=tuple(help),
    )


def _stop_at_edge(expr: IndexExpr, axes: Sequence[Axis], size: str) -> Iterator[str]:
    """Yield how an index moved on by a constant is kept inside an open mesh: the range that it may run over."""
    moved = [axis for axis in axes if axis.name in axes_used(expr)]
    if len(moved) != 1 or moved[0].name.startswith("_"):
        return
    (axis,) = moved
    steps = np.unique(evaluate(expr, {axis.name: axis_values(axis)}) - axis_values(axis))
    if len(steps) != 1:
        return
    run = f"0..<{size} - {steps[0]}" if steps[0] > 0 else f"{-steps[0]}..<{size}"
    yield f"to stop at the edge, leave out what has no neighbour there: `for {axis.name} in {run}`"


def _element(expr: IndexExpr, found: Outside) -> Iterator[Label]:
    """Yield the element of a table that leads outside."""
    if isinstance(expr, Lookup) and expr.listed is not None and expr.listed.spans:
        at = int(evaluate(expr.at, {name: np.asarray(value) for name, value in found.at.items()}))
        yield Label(expr.listed.spans[at], f"{found.value} here")


def _array_name(ref: Reference, dimension: Dimension) -> str:
    at = ref.dimensions.index(dimension)
    return ref.child.name if at < ref.rank else f"{ref.child.name}.{ref.port}"


def _used_on_both_sides(
    node: tree.Connect,
    refs: tuple[Reference, Reference],
    subscripts: tuple[Sequence[IndexExpr], Sequence[IndexExpr]],
    axes: Sequence[Axis],
    wall: AssemblyScope,
) -> bool:
    """Return an index on one side only puts many cables on the port of the other; a `where` may still tie the sides."""
    if node.where is not None:
        return True
    good = True
    used = [{name for expr in side for name in axes_used(expr)} for side in subscripts]
    for axis in axes:
        missing = [k for k in (0, 1) if axis.name not in used[k]]
        if len(missing) != 1 or axis.size == 1 or axis.name.startswith("_"):
            continue
        binder = next(b for b in node.binders if b.name.text == axis.name)
        side = refs[missing[0]]
        wall.sink.error(
            "UB0409",
            f"index `{axis.name}` is on one side only: {axis.size} cables would end at one port of `{side.span.text}`",
            side.span,
            f"does not depend on `{axis.name}`",
            labels=(Label(binder.name.span, f"`{axis.name}` runs {axis.low}..{axis.high}"),),
            help=(f"use `{axis.name}` in a subscript of `{side.span.text}` too",),
        )
        good = False
    return good
