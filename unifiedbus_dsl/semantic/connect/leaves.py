"""Arrays whose elements differ in type: one statement about all of them, as a rule for each run of alike elements.

A statement is read on the array as the text has it. What it names is then cut by *leaves*: one child of the plan with
one of its port arrays. An element that has fewer ports than another lacks the rest as if they were left out: a bare
index and `*` run over what is there, any other subscript must be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base import work
from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Labels, Op, Opening, PortRef, Rule, algebra
from unifiedbus_dsl.ir.plan.index import IntArray, axes_used, count_points, evaluate, points
from unifiedbus_dsl.ir.plan.labels import ABSENT, flat_label, place_at, place_in_groups, run_of, there_text
from unifiedbus_dsl.semantic.connect.ends import Cable, match_ends
from unifiedbus_dsl.semantic.connect.holes import is_there, runs
from unifiedbus_dsl.semantic.connect.port_views import PortPiece, sizes_of, view_of
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Leaf, Reference

LEAF = 10_000
"""Steps of work for a leaf of one side of a rule."""

# ---- the points that are at a leaf ----------------------------------------------------------------------------------


@frozen(eq=False)
class Cut:
    """Which points are somewhere: numbers that lie in ranges (expression, low, high), and a condition besides."""

    ranges: tuple[tuple[IndexExpr, int, int], ...] = ()
    condition: IndexExpr | None = None

    def and_also(self, other: Cut) -> Cut:
        """Return the cut of the points that are in both."""
        return Cut((*self.ranges, *other.ranges), algebra.both(self.condition, other.condition))

    def of(self, axes: Sequence[Axis], where: IndexExpr | None) -> Points | None:
        """Return the points without those that are elsewhere; None where no point is left."""
        by_name = {axis.name: axis for axis in axes}
        for expr, low, high in self.ranges:
            form = algebra.affine(expr)
            axis = _alone(form, by_name)
            if not form.terms:
                if not low <= form.constant <= high:
                    return None
            elif axis is None:
                inside = Op("and", algebra.compare("<=", Const(low), expr), algebra.compare("<=", expr, Const(high)))
                where = algebra.both(where, inside)
            else:
                narrowed = _narrowed(axis, form, low, high)
                if narrowed is None:
                    return None
                by_name[axis.name] = narrowed
        here = Points(tuple(by_name.values()), algebra.both(where, self.condition))
        return here if here.where is None or count_points(here.axes, here.where) else None


@frozen(eq=False)
class Points:
    """Values of the axes for which a condition holds."""

    axes: tuple[Axis, ...]
    where: IndexExpr | None


def _alone(form: algebra.Affine, axes: Mapping[str, Axis]) -> Axis | None:
    """Return the axis on which alone a number depends."""
    atoms = list(form.terms)
    name = getattr(atoms[0], "name", None) if len(atoms) == 1 else None
    return axes.get(name) if isinstance(name, str) else None


def _narrowed(axis: Axis, form: algebra.Affine, low: int, high: int) -> Axis | None:
    """Return an axis without the values for which `factor * value + constant` is outside of a range."""
    ((_, factor),) = form.terms.items()
    ends = (low - form.constant, high - form.constant) if factor > 0 else (form.constant - high, form.constant - low)
    least, most = -(-ends[0] // abs(factor)), ends[1] // abs(factor)
    first = axis.low + max(0, -(-(least - axis.low) // axis.step)) * axis.step
    last = axis.low + (min(axis.high, most) - axis.low) // axis.step * axis.step
    return evolve(axis, low=first, high=last) if first <= last else None


@frozen(eq=False)
class _AtLeaf:
    """A reference at a leaf: the port, and the points that are at its elements and at its ports.

    Where `strict`, the port subscripts are single ones, and each must be inside of the port array.
    """

    ref: PortRef
    element: Cut
    port: Cut
    strict: bool


def _at_leaf(side: Side, leaf: Leaf) -> _AtLeaf:
    """Return a reference at a leaf."""
    ref, at = side.ref, side.at
    common = {(dimensions.start, labels) for labels, dimensions in ref.grouped}
    places, cuts, strict = list[IndexExpr](), [Cut(), Cut()], False
    start = 0
    for number, labels in enumerate(leaf.groups):
        dimensions = range(start, start + len(labels.sizes))
        start, own, ported = dimensions.stop, [at[d] for d in dimensions], number >= len(leaf.child.shape)
        if (dimensions.start, labels) in common:
            places.append(place_at(labels, own))
            continue
        passed = side.passes or (side.pattern is None and any(runs(ref, d, at[d], side.said) for d in dimensions))
        strict |= ported and not passed
        fewer = tuple(
            (expr, 0, size - 1)
            for d, expr, size in zip(dimensions, own, labels.sizes, strict=True)
            if size < ref.dimensions[d].size
        )
        place, cut = _cut(labels, own)
        places.append(place)
        cuts[ported] = cuts[ported].and_also(Cut(fewer)).and_also(cut)
    rank = len(leaf.child.shape)
    here = PortRef(leaf.child.name, tuple(places[:rank]), leaf.port or "", tuple(places[rank:]))
    return _AtLeaf(here, cuts[0], cuts[1], strict)


def _cut(labels: Labels, at: Sequence[IndexExpr]) -> tuple[IndexExpr, Cut]:
    """Return the place of subscripts, and when they name an element that is there."""
    run = run_of(labels)
    if run is None:
        return place_at(labels, at), Cut((), is_there(labels, at))
    flat = flat_label(labels, at)
    return algebra.sub(flat, Const(run[0])), Cut(((flat, *run),) if labels.absent else ())


# ---- statements -----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Side:
    """One end of a rule: a reference with its subscripts as the text has them."""

    ref: Reference
    at: tuple[IndexExpr, ...]
    said: frozenset[str]
    """The indices that have a range of their own."""
    pattern: str | None = None
    """What needs every port that is named here."""
    passes: bool = False
    """Whether ports that are named and not there are passed over."""
    _by_leaf: dict[int, _AtLeaf] = field(factory=dict, init=False)

    def at_leaf(self, number: int) -> _AtLeaf:
        """Return the reference at the leaf of this number."""
        if number not in self._by_leaf:
            self._by_leaf[number] = _at_leaf(self, self.ref.leaves[number])
        return self._by_leaf[number]


@frozen(eq=False)
class _There:
    """What a side is at a leaf, and for which points."""

    leaf: Leaf
    ref: PortRef
    points: Points


def cut_rule(rule: Rule, sides: tuple[Side, Side], cable: Cable, wall: AssemblyScope) -> tuple[Rule, ...] | None:
    """Return a rule, whose ends are still to be matched, as one for each pair of leaves; None after a diagnostic."""
    made: list[Rule] = []
    matched: dict[tuple[object, ...], Cable | None] = {}
    lefts = _leaves(sides[0], Points(rule.axes, rule.where), wall)
    if lefts is None:
        return None
    for left in lefts:
        rights = _leaves(sides[1], left.points, wall)
        if rights is None:
            return None
        for right in rights:
            ends = [evolve(side.ref, view=there.leaf.view) for side, there in zip(sides, (left, right), strict=True)]
            kinds = tuple((end.view.protocol, end.view.lanes) for end in ends)
            if kinds not in matched:
                matched[kinds] = match_ends(ends[0], ends[1], cable, wall)
            running = matched[kinds]
            if running is None:
                return None
            made.append(evolve(
                rule, left=left.ref, right=right.ref, axes=right.points.axes, where=right.points.where,
                link=running.link.name, lanes=running.lanes,
            ))  # fmt: skip
    return tuple(made)


def cut_opening(opening: Opening, side: Side, wall: AssemblyScope) -> tuple[Opening, ...]:
    """Return an opening as one for each leaf; none after a diagnostic."""
    there = _leaves(side, Points(opening.axes, opening.where), wall) or ()
    return tuple(evolve(opening, ref=each.ref, axes=each.points.axes, where=each.points.where) for each in there)


def _leaves(side: Side, every: Points, wall: AssemblyScope) -> list[_There] | None:
    """Return what a side is at each leaf where it has points; None after a diagnostic."""
    if side.ref.is_plain:
        return [_There(side.ref.leaves[0], side.ref.ref(side.at), every)]
    there = list[_There]()
    work.spend(len(side.ref.leaves), LEAF)
    for _, numbers in groupby(range(len(side.ref.leaves)), key=lambda number: side.ref.leaves[number].child.name):
        first, *more = numbers
        leaves = [side.ref.leaves[number] for number in (first, *more)]
        elements = side.at_leaf(first).element.of(every.axes, every.where)
        if elements is None:
            continue
        if leaves[0].port is None:
            say_portless(side.ref, leaves[0], wall)
            return None
        if side.at_leaf(first).strict and not _inside(side, leaves, elements, wall):
            return None
        for number, leaf in zip((first, *more), leaves, strict=True):
            at_ports = side.at_leaf(number).port.of(elements.axes, elements.where)
            if at_ports is not None:
                there.append(_There(leaf, side.at_leaf(number).ref, at_ports))
    return there


# ---- what is wrong --------------------------------------------------------------------------------------------------


def _named(side: Side, here: Points, dimensions: range) -> tuple[IntArray, Mapping[str, IntArray]]:
    """Return the subscripts of some dimensions at each point, [points, dimension], and the values of the axes."""
    used = {name for d in dimensions for name in axes_used(side.at[d])}
    used |= set(axes_used(here.where)) if here.where is not None else set()
    grid = points([axis for axis in here.axes if axis.name in used], here.where)
    columns = [np.broadcast_to(evaluate(side.at[d], grid.grids), grid.shape).ravel() for d in dimensions]
    every = np.stack(columns, axis=-1) if columns else np.zeros((grid.size, 0), dtype=np.int64)
    return every, grid.at(np.arange(grid.size))


def _inside(side: Side, leaves: Sequence[Leaf], elements: Points, wall: AssemblyScope) -> bool:
    """Return whether all ports that are named are there, at the elements of the leaves of a child; else say which is
    not."""
    ref, rank = side.ref, len(leaves[0].child.shape)
    every, values = _named(side, elements, range(len(ref.dimensions)))
    at = [every[:, d] for d in range(ref.rank, len(ref.dimensions))]
    there = np.zeros(len(every), dtype=bool)
    for leaf in leaves:
        there |= place_in_groups(leaf.groups[rank:], at) != ABSENT
    missing = np.flatnonzero(~there)
    if not len(missing):
        return True
    first = int(missing[0])
    port = ", ".join(map(str, every[first, ref.rank :].tolist()))
    when = [f"{name} = {int(v[first])}" for name, v in values.items() if not name.startswith("_")]
    inside = ", ".join(map(str, every[first, : ref.rank].tolist()))
    element = f"{ref.child.name}[{inside}]" if inside else ref.child.name
    sizes = sizes_of(view_of([_piece(leaf) for leaf in leaves]).groups)
    help = f"`*` and a bare index run over the ports that each `{ref.child.name}` has"
    if side.pattern is not None:
        help = f"pattern `{side.pattern}` needs it of each member: give each type of `{ref.child.name}` as many"
    wall.sink.error(
        "UB0401",
        f"`{element}.{ref.port}` has no element {port}: its size is {' by '.join(map(str, sizes))}",
        ref.dimensions[ref.rank].span.to(ref.dimensions[-1].span),
        f"is {port}{' for ' if when else ''}{', '.join(when)}",
        labels=_made(ref, leaves[0]),
        help=(help,),
    )
    return False


def _piece(leaf: Leaf) -> PortPiece:
    rank = len(leaf.child.shape)
    return PortPiece(leaf.port or "", leaf.groups[rank:], leaf.view.protocol, leaf.view.lanes, leaf.view.open)


def say_portless(ref: Reference, leaf: Leaf, wall: AssemblyScope) -> None:
    """Say that elements which a statement names have no such port."""
    name, here = ref.child.name, there_text(leaf.child)
    others = next((there_text(each.child) for each in ref.leaves if each.port is not None), "")
    connect = f", or name those that have one: `{name}[{others}]`" if others else ""
    wall.sink.error(
        "UB0436",
        f"`{name}[{here}]` has no port `{ref.port}`" if here else f"some of `{name}` have no port `{ref.port}`",
        ref.span,
        f"some are of `{leaf.child.type}`",
        labels=_made(ref, leaf),
        help=(f"give `{leaf.child.type}` a port `{ref.port}`{connect}",),
    )


def say_lacking(ref: Reference, leaf: Leaf, wall: AssemblyScope) -> None:
    """Say that elements have fewer ports than a statement names."""
    here = there_text(leaf.child)
    name = f"{ref.child.name}[{here}]" if here else f"some of {ref.child.name}"
    size = " by ".join(str(size) for labels in leaf.groups[len(leaf.child.shape) :] for size in labels.sizes)
    wall.sink.error(
        "UB0401",
        f"not all of these ports are there: `{name}.{ref.port}` has {size}",
        ref.span,
        "names more",
        labels=_made(ref, leaf),
        help=(f"leave the subscripts of `{ref.port}` out: of each `{ref.child.name}` the ports that it has",),
    )


def _made(ref: Reference, leaf: Leaf) -> tuple[Label, ...]:
    return (Label(ref.child.span, f"`{leaf.child.type}` among others"),) if ref.child.span is not None else ()
