"""Index expressions as arrays.

A rule over axes i, j, k stands for a cable at each point of their product. Most subexpressions use one or two of the
axes, so every axis is a dimension of its own and arrays are broadcast: an expression costs the product of the sizes of
the axes that it uses, not the number of cables. A condition ties the axes that it uses together; these become one
compound dimension that lists the points where it holds.

Order of the points (and so of the cables of a rule): row-major over the dimensions in the order of the axes, a compound
dimension standing where the first of its axes stands, its points row-major.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from math import prod
from typing import Any, TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base import work
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Lookup, Not, Op, Var

IntArray: TypeAlias = "NDArray[np.int64]"

_UFUNCS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "div": np.floor_divide,
    "mod": np.mod,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "and": np.logical_and,
    "or": np.logical_or,
}

_LEVELS: Mapping[str, int] = {
    **dict.fromkeys(["or"], 1),
    **dict.fromkeys(["and"], 2),
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">="], 4),
    **dict.fromkeys(["+", "-"], 5),
    **dict.fromkeys(["*", "div", "mod"], 6),
}
CHUNK = 1 << 20
"""Points of a rule that are worked out at a time: bounds the memory of intermediate results."""

_SPAN = 1 << 24
"""Values that lie closer together than this are marked rather than sorted."""
_NOT_LEVEL = 3
_ATOM_LEVEL = 7
_SHORT_TABLE = 8


@frozen(eq=False)
class Points:
    """The points of a rule as a broadcast grid.

    `grids[axis]` is int64 with `len(shape)` dimensions and broadcasts to `shape`; `dims[axis]` is the dimension in
    which the axis lives (several axes share a compound one).
    """

    shape: tuple[int, ...]
    grids: Mapping[str, IntArray]
    dims: Mapping[str, int]

    @property
    def size(self) -> int:
        return prod(self.shape)

    def at(self, numbers: IntArray) -> dict[str, IntArray]:
        """Value of each axis at the points of these row-major numbers."""
        places = np.unravel_index(numbers, self.shape) if self.shape else ()
        return {name: grid.ravel()[places[self.dims[name]]] for name, grid in self.grids.items()}


def axis_values(axis: Axis) -> IntArray:
    """Return the values of an axis in order, int64, shape (axis.size,)."""
    work.spend(axis.size)
    return np.arange(axis.low, axis.low + axis.size * axis.step, axis.step, dtype=np.int64)


def points(axes: Sequence[Axis], where: IndexExpr | None = None) -> Points:
    """Return the points of the axes where the condition holds."""
    groups = _tied_axes(axes, where)
    if groups is None:
        # one empty dimension stands for all axes: shape () would be one point
        return Points((0,), {axis.name: np.empty(0, np.int64) for axis in axes}, {axis.name: 0 for axis in axes})
    columns: list[tuple[list[str], list[IntArray]]] = []
    for group, condition in groups:
        if condition is None:
            columns.append(([group[0].name], [axis_values(group[0])]))
            continue
        work.spend(prod(a.size for a in group), work.LISTED)
        mask = np.broadcast_to(evaluate(condition, open_grid(group)), tuple(a.size for a in group))
        along = [axis_values(a)[at] for a, at in zip(group, np.nonzero(mask), strict=True)]
        columns.append(([a.name for a in group], along))
    shape = tuple(len(values[0]) for _, values in columns)
    grids: dict[str, IntArray] = {}
    dims: dict[str, int] = {}
    for d, (names, values) in enumerate(columns):
        for name, column in zip(names, values, strict=True):
            grids[name] = column.reshape(tuple(-1 if k == d else 1 for k in range(len(shape))))
            dims[name] = d
    return Points(shape, grids, dims)


def point_parts(axes: Sequence[Axis], where: IndexExpr | None, size: int) -> Iterator[tuple[int, Points]]:
    """Yield the points in pieces, from at most about `size` points each without the condition, and the number of their
    first.

    Only the first axis is cut, so a piece is larger where the others have more points than that.
    """
    start = 0
    for piece in _cut(axes, size):
        part = points(piece, where)
        if part.size:
            yield start, part
        start += part.size


def _cut(axes: Sequence[Axis], size: int) -> Iterator[Sequence[Axis]]:
    """Yield the axes with the first one cut into ranges."""
    if prod(axis.size for axis in axes) <= size:
        yield axes
        return
    first, rest = axes[0], axes[1:]
    count = max(1, size // prod(axis.size for axis in rest))
    for at in range(0, first.size, count):
        low = first.low + at * first.step
        yield (Axis(first.name, low, min(first.high, low + (count - 1) * first.step), first.step), *rest)


def count_points(axes: Sequence[Axis], where: IndexExpr | None = None) -> int:
    """Return how many points there are, without listing them."""
    groups = _tied_axes(axes, where)
    return 0 if groups is None else prod(_count_group(group, condition) for group, condition in groups)


def _count_group(axes: Sequence[Axis], condition: IndexExpr | None) -> int:
    if condition is None:
        return axes[0].size
    total = 0
    for piece in _cut(axes, CHUNK):
        mask = evaluate(condition, open_grid(piece))
        total += int(np.count_nonzero(np.broadcast_to(mask, tuple(axis.size for axis in piece))))
    return total


def open_grid(axes: Sequence[Axis]) -> dict[str, IntArray]:
    """Return each axis along a dimension of its own: shapes (n, 1, 1), (1, m, 1), (1, 1, k)."""
    count = len(axes)
    return {
        axis.name: axis_values(axis).reshape(tuple(-1 if k == d else 1 for k in range(count)))
        for d, axis in enumerate(axes)
    }


def conjuncts(where: IndexExpr | None) -> list[IndexExpr]:
    """Return the parts of `a and b and c`."""
    if where is None:
        return []
    if isinstance(where, Op) and where.op == "and":
        return conjuncts(where.left) + conjuncts(where.right)
    return [where]


def _tied_axes(axes: Sequence[Axis], where: IndexExpr | None) -> list[tuple[list[Axis], IndexExpr | None]] | None:
    """Groups of axes that conditions tie together, each with its condition, in the order of their first axes.

    None if a condition that uses no axis is false.
    """
    group_of = {axis.name: axis.name for axis in axes}
    parts = conjuncts(where)
    for part in parts:
        used = axes_used(part)
        if not used:
            if not bool(evaluate(part, {})):
                return None
            continue
        merged = {group_of[name] for name in used}
        head = next(axis.name for axis in axes if group_of[axis.name] in merged)
        group_of = {name: head if group in merged else group for name, group in group_of.items()}
    groups: dict[str, tuple[list[Axis], IndexExpr | None]] = {}
    for axis in axes:
        groups.setdefault(group_of[axis.name], ([], None))[0].append(axis)
    for part in parts:
        used = axes_used(part)
        if used:
            head = group_of[used[0]]
            group, condition = groups[head]
            groups[head] = (group, part if condition is None else Op("and", condition, part))
    return list(groups.values())


def evaluate(expr: IndexExpr, grids: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Value of an expression, int64 or bool, broadcast over the axes that it uses (shape () for a constant)."""
    match expr:
        case Const(value):
            return np.asarray(value, dtype=np.int64)
        case Var(name):
            return grids[name]
        case Op(op, left, right):
            a, b = evaluate(left, grids), evaluate(right, grids)
            work.spend(_broadcast_size(a.shape, b.shape))
            return np.asarray(_UFUNCS[op](a, b))
        case Not(operand):
            return np.asarray(np.logical_not(evaluate(operand, grids)))
        case Lookup(table, at):
            return np.asarray(np.asarray(table, dtype=np.int64)[evaluate(at, grids)])


def _broadcast_size(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Return how many values come of two arrays of these shapes."""
    if not a or not b:
        return prod(a or b)
    return prod(max(one, other) for one, other in zip_longest(reversed(a), reversed(b), fillvalue=1))


def distinct(values: IntArray) -> IntArray:
    """Return the distinct values, ascending: by marking them where they are close together, which is faster than
    sorting."""
    if values.size == 0:
        return values.ravel()
    low, high = int(values.min()), int(values.max())
    if high - low < min(_SPAN, 4 * values.size + 1024):
        present = np.zeros(high - low + 1, np.bool_)
        present[values.ravel() - low] = True
        return np.flatnonzero(present) + low
    ordered = np.sort(values, axis=None)
    return np.asarray(ordered[np.append(True, ordered[1:] != ordered[:-1])])


def flat_index(at: Sequence[IndexExpr], shape: Sequence[int], grids: Mapping[str, NDArray[Any]]) -> IntArray:
    """Row-major number of the element with these subscripts in an array of this shape."""
    total: IntArray = np.zeros((), dtype=np.int64)
    for expr, size in zip(at, shape, strict=True):
        total = np.asarray(total * size + evaluate(expr, grids))
    return total


def axes_used(expr: IndexExpr) -> tuple[str, ...]:
    """Return names of the axes in an expression, in order of first appearance."""
    return tuple(dict.fromkeys(_variables(expr)))


def _variables(expr: IndexExpr) -> Iterator[str]:
    match expr:
        case Var(name):
            yield name
        case Op(_, left, right):
            yield from _variables(left)
            yield from _variables(right)
        case Not(inner) | Lookup(_, inner):
            yield from _variables(inner)


def lookups(expr: IndexExpr) -> Iterator[Lookup]:
    """Yield the tables that an expression reads, the outer ones first."""
    match expr:
        case Op(_, left, right):
            yield from lookups(left)
            yield from lookups(right)
        case Not(inner):
            yield from lookups(inner)
        case Lookup(at=at):
            yield expr
            yield from lookups(at)


def substitute(expr: IndexExpr, values: Mapping[str, IndexExpr]) -> IndexExpr:
    """Return the expression with these variables replaced."""
    match expr:
        case Var(name):
            return values.get(name, expr)
        case Op(op, left, right):
            return Op(op, substitute(left, values), substitute(right, values))
        case Not(operand):
            return Not(substitute(operand, values))
        case Lookup(at=at):
            return evolve(expr, at=substitute(at, values))
    return expr


def text(expr: IndexExpr) -> str:
    """Canonical text, with no more parentheses than it needs."""
    return _text(expr)[0]


def texts(exprs: Iterable[IndexExpr]) -> str:
    """`[i, 8*b + n]`, or nothing at all for no subscripts."""
    inner = ", ".join(text(expr) for expr in exprs)
    return f"[{inner}]" if inner else ""


def _text(expr: IndexExpr) -> tuple[str, int]:
    """Return text and binding strength."""
    match expr:
        case Const(value):
            return str(value), _ATOM_LEVEL if value >= 0 else _LEVELS["+"]
        case Var(name):
            return name, _ATOM_LEVEL
        case Not(operand):
            return f"not {_wrap(operand, _NOT_LEVEL)}", _NOT_LEVEL
        case Lookup(table, at):
            return f"{_table_text(table)}[{text(at)}]", _ATOM_LEVEL
        case Op(op, left, right):
            level = _LEVELS.get(op, _ATOM_LEVEL)  # of a file, before it is seen to be no operator
            comparison = level == _LEVELS["=="]
            space = "" if op == "*" else " "
            # all operators group to the left, comparisons not at all; `a or (b or c)` keeps its parentheses
            return f"{_wrap(left, level + comparison)}{space}{op}{space}{_wrap(right, level + 1)}", level


def _wrap(expr: IndexExpr, least: int) -> str:
    inner, level = _text(expr)
    return inner if level >= least else f"({inner})"


def _table_text(table: tuple[int, ...]) -> str:
    if len(table) <= _SHORT_TABLE:
        return "{" + ", ".join(map(str, table)) + "}"
    head = ", ".join(map(str, table[: _SHORT_TABLE - 2]))
    return "{" + f"{head}, …, {table[-1]}; {len(table)} values, checksum {table_checksum(table):08x}" + "}"


def table_checksum(table: Sequence[int]) -> int:
    """CRC-32 of the values as little-endian int64: tells tables apart where they are too long to print."""
    from zlib import crc32

    return crc32(np.asarray(table, dtype="<i8").tobytes())
