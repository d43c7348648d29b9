"""Connect statements become rules: axes found, subscripts compiled and range-checked, ends and link matched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod

import numpy as np
from attrs import frozen

from unifiedbus_dsl.bind import walk
from unifiedbus_dsl.diagnostics import Edit, Fix, Label
from unifiedbus_dsl.elaborate.references import Dimension, IndexCompiler, Reference, Wall, range_axis, shape_text
from unifiedbus_dsl.plan import Axis, Const, IndexExpr, Link, Not, Op, Rule, Var, algebra
from unifiedbus_dsl.plan.index import axes_used, count_points, evaluate, points
from unifiedbus_dsl.source import Span
from unifiedbus_dsl.syntax import tree


@frozen
class Cable:
    """What runs between the two ends: a link, its length in metres if the text gives one, and the place of both."""

    link: Link
    length: Fraction | None
    span: Span


ChooseLink = Callable[[tree.TypeRef | None, tree.Statement, Wall], Cable | None]


def written_rules(node: tree.Connect, wall: Wall, choose: ChooseLink) -> tuple[Rule, ...] | None:
    """The rule of `connect L -- R over LINK for …`; None after a diagnostic."""
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
    where = compiler.condition(node.where) if node.where is not None else None
    if a is None or b is None or (node.where is not None and where is None):
        return None
    every = (*axes.values(), *free)
    where = None if where == algebra.TRUE else where
    if not _can_be_checked(node, (left, right), (*a, *b), every, where, wall):
        return None
    if where is not None and not count_points(every, where):
        _nothing_left(node, wall)
        return None
    fits = [in_range(ref, at, every, where, wall, (left, right)) for ref, at in ((left, a), (right, b))]
    if not all(fits) or not _used_on_both_sides(node, (left, right), (a, b), every, wall):
        return None
    if cable is None or not ends_match(left, right, cable, wall):
        return None
    return (
        Rule(
            left.ref(a),
            right.ref(b),
            every,
            where,
            cable.link.name,
            left.view.lanes,
            cable.length,
            span=node.span,
            left_span=left.blame,
            right_span=right.blame,
            link_span=cable.span,
        ),
    )


MAX_VALUE = 1 << 62
MAX_DIVISIONS = 12
"""To prove something of more of them in one another takes the fourth power of their number."""
MAX_LISTED = 1 << 27
"""Index values that a check may have to list: more than these can't be checked in reasonable time."""


def _can_be_checked(
    node: tree.Connect,
    refs: tuple[Reference, Reference],
    subscripts: Sequence[IndexExpr],
    axes: Sequence[Axis],
    where: IndexExpr | None,
    wall: Wall,
) -> bool:
    """Whether the numbers stay small enough: no subscript beyond 64 bits, no more index values than can be listed."""
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
    if any(_divisions(expr) > MAX_DIVISIONS for expr in exprs):
        message = f"more than {MAX_DIVISIONS} divisions stand in one another"
        wall.sink.error("UB0407", message, node.left.span.to(node.right.span), "too many to see through")
        return False
    if all(_largest(expr, axes) < MAX_VALUE for expr in exprs):
        return True
    wall.sink.error("UB0407", "a subscript can grow beyond 64 bits", node.left.span.to(node.right.span), "too large")
    return False


def _divisions(expr: IndexExpr) -> int:
    """How deep `div` and `mod` stand in one another."""
    match expr:
        case Op(op, left, right):
            return max(_divisions(left), _divisions(right)) + (op in ("div", "mod"))
        case Not(operand):
            return _divisions(operand)
    return 0


def _largest(expr: IndexExpr, axes: Sequence[Axis]) -> int:
    """A bound of the absolute value of any part of an expression."""
    match expr:
        case Const(value):
            return abs(value)
        case Var(name):
            return max((max(abs(axis.low), abs(axis.high)) for axis in axes if axis.name == name), default=0)
        case Op(op, left, right):
            a, b = _largest(left, axes), _largest(right, axes)
            return max(a, b, a * b if op == "*" else a + b)
        case Not(operand):
            return _largest(operand, axes)
    return 0


def _nothing_left(node: tree.Connect, wall: Wall) -> None:
    assert node.where is not None
    wall.sink.error(
        "UB0417",
        "this `where` leaves no cable",
        node.where.span,
        "never holds",
        help=("write a condition that some index values meet, or delete the statement",),
    )


# ---- axes -------------------------------------------------------------------------------------------------------


def find_axes(binders: Sequence[tree.Binder], refs: Sequence[Reference], wall: Wall) -> dict[str, Axis] | None:
    """The axis of each index name after `for`: its own range, or the dimension where it stands alone."""
    axes: dict[str, Axis] = {}
    good = True
    for binder in binders:
        name = binder.name.text
        if name in axes:
            wall.sink.error("UB0202", f"index `{name}` is listed twice", binder.name.span, "listed again")
            good = False
            continue
        if binder.range is not None and not _said(name, refs):
            _not_used(binder, wall)
            axis = None
        else:
            axis = _bound_axis(binder, wall) if binder.range is not None else _inferred_axis(binder, refs, wall)
        if axis is None:
            good = False
        else:
            axes[name] = axis
    return axes if good else None


def _bound_axis(binder: tree.Binder, wall: Wall) -> Axis | None:
    if isinstance(binder.range, tree.Range):
        return range_axis(wall.evaluator, binder.range, binder.name.text, None)
    assert binder.range is not None
    wall.sink.error(
        "UB0415",
        f"index `{binder.name.text}` needs a range",
        binder.range.span,
        "not a range",
        help=(f"write `{binder.name.text} in 0..7`",),
    )
    return None


def _inferred_axis(binder: tree.Binder, refs: Sequence[Reference], wall: Wall) -> Axis | None:
    name = binder.name.text
    alone = [dimension for ref in refs for dimension in ref.dimensions if dimension.name == name]
    if not alone:
        _rangeless(binder, refs, wall)
        return None
    sizes = {dimension.size for dimension in alone}
    if len(sizes) == 1:
        return Axis(name, 0, alone[0].size - 1)
    other = next(d for d in alone if d.size != alone[0].size)
    wall.sink.error(
        "UB0403",
        f"index `{name}` has two ranges: 0..{min(sizes) - 1} and 0..{max(sizes) - 1}",
        other.span,
        f"so `{name}` runs 0..{other.size - 1} here",
        labels=(Label(alone[0].span, f"so `{name}` runs 0..{alone[0].size - 1} here"), *_sizes((alone[0], other))),
        help=(f"say which: `for {name} in 0..{min(sizes) - 1}`, or connect arrays of one size",),
    )
    return None


def _sizes(dimensions: Sequence[Dimension]) -> Iterator[Label]:
    """Where the arrays of these dimensions get their sizes."""
    for dimension in dimensions:
        if dimension.origin is not None:
            yield Label(dimension.origin, f"{dimension.size} here")


def _rangeless(binder: tree.Binder, refs: Sequence[Reference], wall: Wall) -> None:
    name = binder.name.text
    if _said(name, refs):
        wall.sink.error(
            "UB0405",
            f"index `{name}` never stands alone as a subscript, so its range is not known",
            binder.name.span,
            "range unknown",
            help=(f"write `{name} in 0..7` after `for`, with the range that is meant",),
        )
    else:
        _not_used(binder, wall)


def _said(name: str, refs: Sequence[Reference]) -> bool:
    return any(name in _names_in(dimension) for ref in refs for dimension in ref.dimensions)


def _not_used(binder: tree.Binder, wall: Wall) -> None:
    wall.sink.error(
        "UB0408",
        f"index `{binder.name.text}` is listed after `for` and used in no subscript",
        binder.name.span,
        "not used",
        help=("delete it, or write it where it belongs",),
        fix=_unlisted(binder),
    )


def _unlisted(binder: tree.Binder) -> Fix | None:
    """Take a binder off the list after `for`, with the comma beside it; None where it is the only one."""
    text, start, end = binder.span.source.text, binder.span.start, binder.span.end
    before, after = text[:start].rstrip(), text[end:].lstrip(" \t")
    if before.endswith(","):
        start = len(before) - 1
    elif after.startswith(","):
        end = len(text) - len(after.removeprefix(",").lstrip(" \t"))
    else:
        return None
    return Fix(f"delete `{binder.name.text}`", (Edit(Span(binder.span.source, start, end), ""),))


def _names_in(dimension: Dimension) -> set[str]:
    if dimension.subscript is None:
        return set()
    return {each.text for each in walk(dimension.subscript) if isinstance(each, tree.Name)}


def names_known(
    node: tree.Connect | tree.ConnectPattern, refs: Sequence[Reference], axes: Mapping[str, Axis], wall: Wall
) -> bool:
    """Whether each name in a subscript is an index or a value; else say, once for each, that it is not listed."""
    scope = wall.evaluator.scope
    unknown: dict[str, list[Span]] = {}
    parts: list[tree.Node] = [d.subscript for ref in refs for d in ref.dimensions if d.subscript is not None]
    parts += [node.where] if node.where is not None else []
    for part in parts:
        for each in walk(part):
            if not isinstance(each, tree.Name) or each.text in axes or scope.local(each.text):
                continue
            if scope.definition((each.text,)) or scope.is_quiet(each.text) or each.text in wall.evaluator.extra:
                continue
            unknown.setdefault(each.text, []).append(each.span)
    listed = [*(binder.span.text.strip() for binder in node.binders), *unknown]
    for name, spans in unknown.items():
        wall.sink.error(
            "UB0404",
            f"index `{name}` is not listed after `for`",
            spans[0],
            "not bound",
            labels=tuple(Label(span, "nor here") for span in spans[1:]),
            help=(f"write `for {', '.join(listed)}`",),
            fix=_listing(node, name),
        )
    return not unknown


def _listing(node: tree.Connect | tree.ConnectPattern, name: str) -> Fix:
    """Add an index to the list after `for`, which begins behind the link where there is none yet."""
    if node.binders:
        at, text = node.binders[-1].span.end, f", {name}"
    else:
        before = node.over.span if node.over is not None else node.span
        at, text = before.end, f" for {name}"
    return Fix(f"list `{name}` after `for`", (Edit(Span(node.span.source, at, at), text),))


def _free_axes(left: Reference, right: Reference, wall: Wall) -> tuple[Axis, ...] | None:
    """Axes for the dimensions that both sides leave free, paired in order."""
    a = [d for d in left.dimensions if d.is_free]
    b = [d for d in right.dimensions if d.is_free]
    ours = [wall.free_axis(d, f"_{k}") for k, d in enumerate(a)]
    theirs = [wall.free_axis(d, f"_{k}") for k, d in enumerate(b)]
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


def _subscripts(ref: Reference, compiler: IndexCompiler, free: Sequence[Axis]) -> tuple[IndexExpr, ...] | None:
    """The index expression of each dimension; free ones take the free axes in order."""
    result: list[IndexExpr] = []
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
        result.append(expr)
    return tuple(result)


def _along(dimension: Dimension, position: IndexExpr, compiler: IndexCompiler) -> IndexExpr | None:
    """The subscript at a position of a free dimension: the position itself, or a step along the range written."""
    if not isinstance(dimension.subscript, tree.Range):
        return position
    axis = range_axis(compiler.evaluator, dimension.subscript, "_", dimension.size)
    if axis is None:
        return None
    return algebra.add(algebra.mul(Const(axis.step), position), Const(axis.low))


# ---- what must hold of the ends ---------------------------------------------------------------------------------


def in_range(
    ref: Reference,
    subscripts: Sequence[IndexExpr],
    axes: Sequence[Axis],
    where: IndexExpr | None,
    wall: Wall,
    refs: Sequence[Reference],
) -> bool:
    """Whether each subscript stays inside its dimension; else a diagnostic with index values that leave it."""
    good = True
    for dimension, expr in zip(ref.dimensions, subscripts, strict=True):
        if not algebra.within(expr, axes, 0, dimension.size - 1, where):
            _outside(ref, dimension, expr, axes, where, wall, _origins(expr, refs))
            good = False
    return good


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
    wall: Wall,
    origins: Iterator[Label],
) -> None:
    used = set(axes_used(expr)) | (set(axes_used(where)) if where is not None else set())
    grid = points([axis for axis in axes if axis.name in used], where)
    values = np.broadcast_to(evaluate(expr, grid.grids), grid.shape).ravel()
    bad = np.flatnonzero((values < 0) | (values >= dimension.size))
    worst = int(bad[np.argmax(np.abs(values[bad] - dimension.size / 2))])
    at = {name: int(value[0]) for name, value in grid.at(np.array([worst])).items() if not name.startswith("_")}
    when = " for " + ", ".join(f"{name}={value}" for name, value in at.items()) if at else ""
    top = dimension.size - 1
    help = [f"elements are 0..{top}"]
    if values[bad].min() >= 0 or values[bad].max() < 0:
        wrapped = f"({dimension.span.text.strip()}) mod {dimension.size}"
        help.append(f"to wrap around, say so: `{wrapped}`")
    wall.sink.error(
        "UB0401",
        f"subscript {int(values[worst])} is outside the {dimension.size} elements of `{_array_name(ref, dimension)}`",
        dimension.span,
        f"is {int(values[worst])}{when}",
        labels=(
            *(
                [Label(dimension.origin, f"`{_array_name(ref, dimension)}` is defined here")]
                if dimension.origin
                else []
            ),
            *(label for label in origins if label.span != dimension.origin),
        ),
        help=tuple(help),
    )


def _array_name(ref: Reference, dimension: Dimension) -> str:
    at = ref.dimensions.index(dimension)
    return ref.child.name if at < ref.rank else f"{ref.child.name}.{ref.port}"


def _used_on_both_sides(
    node: tree.Connect,
    refs: tuple[Reference, Reference],
    subscripts: tuple[Sequence[IndexExpr], Sequence[IndexExpr]],
    axes: Sequence[Axis],
    wall: Wall,
) -> bool:
    """An index on one side only puts many cables on the port of the other; a `where` may still tie the sides."""
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


def ends_match(left: Reference, right: Reference, cable: Cable, wall: Wall) -> bool:
    """Whether widths and protocols agree with each other and with the link."""
    good = True
    if left.view.lanes != right.view.lanes:
        wall.sink.error(
            "UB0502",
            f"the two ends have different widths: x{left.view.lanes} and x{right.view.lanes}",
            right.span,
            f"is x{right.view.lanes}",
            labels=(Label(left.span, f"is x{left.view.lanes}"),),
            help=("give both ports the same number of lanes",),
        )
        good = False
    if left.view.protocol != right.view.protocol:
        wall.sink.error(
            "UB0503",
            f"the two ends speak different protocols: `{left.view.protocol}` and `{right.view.protocol}`",
            right.span,
            f"speaks `{right.view.protocol}`",
            labels=(Label(left.span, f"speaks `{left.view.protocol}`"),),
            help=("a device with ports of both, and a `transit` line over them, goes in between",),
        )
        good = False
    elif cable.link.protocol != left.view.protocol:
        wall.sink.error(
            "UB0503",
            f"`{cable.link.name}` carries `{cable.link.protocol}`, and the ports speak `{left.view.protocol}`",
            cable.span,
            f"carries `{cable.link.protocol}`",
            labels=(Label(left.span, f"speaks `{left.view.protocol}`"),),
            help=(f"use a link of `{left.view.protocol}`: `link NAME : {left.view.protocol} {{ … }}`",),
        )
        good = False
    return good
