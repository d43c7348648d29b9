"""What can be known of index expressions without listing points: folding, bounds, and proofs of distinctness.

Everything rests on the affine form `c + a*x + b*y …`, whose atoms x, y are axes or subexpressions that are not affine
(`i mod 8`, a table). An affine form is a *mixed radix* when each stride is larger than all smaller ones can add up to:
then different atoms give different values, as digits give different numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import gcd, prod

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base import work
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Listed, Lookup, Not, Op, Var
from unifiedbus_dsl.ir.plan.index import axes_used, conjuncts, distinct, evaluate, points

_FOLD = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

TRUE: IndexExpr = Op("==", Const(0), Const(0))
"""A condition that holds everywhere."""

# ---- constructors that fold constants ---------------------------------------------------------------------------


def add(left: IndexExpr, right: IndexExpr) -> IndexExpr:
    match left, right:
        case Const(a), Const(b):
            return Const(a + b)
        case _, Const(0):
            return left
        case Const(0), _:
            return right
        case _, Const(b) if b < 0:
            return sub(left, Const(-b))
        case Op("+", inner, Const(a)), Const(b):
            return add(inner, Const(a + b))
        case Op("-", inner, Const(a)), Const(b):
            return add(inner, Const(b - a))
    return Op("+", left, right)


def sub(left: IndexExpr, right: IndexExpr) -> IndexExpr:
    match left, right:
        case Const(a), Const(b):
            return Const(a - b)
        case _, Const(0):
            return left
        case _, Const(b) if b < 0:
            return add(left, Const(-b))
        case Op("+", inner, Const(a)), Const(b):
            return add(inner, Const(a - b))
        case Op("-", inner, Const(a)), Const(b):
            return sub(inner, Const(a + b))
    return Const(0) if left == right else Op("-", left, right)


def mul(left: IndexExpr, right: IndexExpr) -> IndexExpr:
    match left, right:
        case Const(a), Const(b):
            return Const(a * b)
        case (Const(0), _) | (_, Const(0)):
            return Const(0)
        case Const(1), _:
            return right
        case _, Const(1):
            return left
        case _, Const(_):
            return mul(right, left)
        case Const(a), Op("*", Const(b), inner):
            return mul(Const(a * b), inner)
    return Op("*", left, right)


def div(left: IndexExpr, right: IndexExpr) -> IndexExpr:
    match left, right:
        case Const(a), Const(b) if b:
            return Const(a // b)
        case _, Const(1):
            return left
        case Op("div", inner, Const(a)), Const(b) if a > 0 and b > 0:
            return div(inner, Const(a * b))
    return Op("div", left, right)


def mod(left: IndexExpr, right: IndexExpr) -> IndexExpr:
    match left, right:
        case Const(a), Const(b) if b:
            return Const(a % b)
        case _, Const(1):
            return Const(0)
        case Op("mod", inner, Const(a)), Const(b) if a > 0 and b > 0 and a % b == 0:
            return mod(inner, right)
    return Op("mod", left, right)


def lookup(table: tuple[int, ...], at: IndexExpr, listed: Listed | None = None) -> IndexExpr:
    if isinstance(at, Const) and 0 <= at.value < len(table):
        return Const(table[at.value])
    return Lookup(table, at, listed)


def compare(op: str, left: IndexExpr, right: IndexExpr) -> IndexExpr:
    if isinstance(left, Const) and isinstance(right, Const):
        return TRUE if _FOLD[op](left.value, right.value) else Not(TRUE)
    return Op(op, left, right)


def both(left: IndexExpr | None, right: IndexExpr | None) -> IndexExpr | None:
    """`left and right`, where None is no condition."""
    if left is None or left == TRUE:
        return right
    if right is None or right == TRUE:
        return left
    return Op("and", left, right)


_MAKE = {"+": add, "-": sub, "*": mul, "div": div, "mod": mod}


# ---- affine form ------------------------------------------------------------------------------------------------


@frozen
class Affine:
    """`constant + sum of coefficient * atom`; no coefficient is 0."""

    terms: Mapping[IndexExpr, int]
    constant: int = 0

    def plus(self, other: Affine, factor: int = 1) -> Affine:
        terms = dict(self.terms)
        for atom, coefficient in other.terms.items():
            terms[atom] = terms.get(atom, 0) + factor * coefficient
        return Affine({a: c for a, c in terms.items() if c}, self.constant + factor * other.constant)

    def times(self, factor: int) -> Affine:
        return Affine({}).plus(self, factor)


def affine(expr: IndexExpr) -> Affine:
    """Return the affine form of an integer expression."""
    match expr:
        case Const(value):
            return Affine({}, value)
        case Op("+", left, right):
            return affine(left).plus(affine(right))
        case Op("-", left, right):
            return affine(left).plus(affine(right), -1)
        case Op("*", left, right):
            a, b = affine(left), affine(right)
            if not a.terms:
                return b.times(a.constant)
            if not b.terms:
                return a.times(b.constant)
    return Affine({expr: 1})


def from_affine(form: Affine) -> IndexExpr:
    """Return the expression of an affine form, terms in their order, the constant last."""
    total: IndexExpr = Const(0)
    for atom, coefficient in form.terms.items():
        term = mul(Const(abs(coefficient)), atom)
        total = add(total, term) if coefficient > 0 else sub(total, term)
    return add(total, Const(form.constant))


# ---- bounds -----------------------------------------------------------------------------------------------------


@frozen
class IntegerInterval:
    """Least and greatest value; `exact` if both are attained, else the true ones lie within."""

    low: int
    high: int
    exact: bool = True


Ranges = Mapping[str, Axis]


def interval_of(expr: IndexExpr, ranges: Ranges) -> IntegerInterval:
    """Return bounds of an integer expression by interval arithmetic; every axis must have a value."""
    form = affine(expr)
    if len(form.terms) == 1 and form.terms.get(expr) == 1:
        return _atom_interval(expr, ranges)
    low = high = form.constant
    exact, seen = True, set[str]()
    for atom, coefficient in form.terms.items():
        part = _atom_interval(atom, ranges)
        ends = sorted((coefficient * part.low, coefficient * part.high))
        low, high = low + ends[0], high + ends[1]
        used = set(axes_used(atom))
        exact = exact and part.exact and not used & seen
        seen |= used
    return IntegerInterval(low, high, exact)


def _atom_interval(expr: IndexExpr, ranges: Ranges) -> IntegerInterval:
    match expr:
        case Var(name):
            axis = ranges[name]
            return IntegerInterval(axis.low, axis.low + (axis.size - 1) * axis.step)
        case Op("*", left, right):
            a, b = interval_of(left, ranges), interval_of(right, ranges)
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            apart = not set(axes_used(left)) & set(axes_used(right))
            return IntegerInterval(min(corners), max(corners), a.exact and b.exact and apart)
        case Op("div", left, Const(by)) if by:
            a = interval_of(left, ranges)
            ends = sorted((a.low // by, a.high // by))
            return IntegerInterval(ends[0], ends[1], a.exact)
        case Op("mod", left, Const(by)) if by > 0:
            a = interval_of(left, ranges)
            if a.low // by == a.high // by:
                return IntegerInterval(a.low % by, a.high % by, a.exact)
            return IntegerInterval(0, by - 1, a.exact and _is_dense(left, ranges))
        case Lookup(table, at):
            a = interval_of(at, ranges)
            part = table[max(a.low, 0) : a.high + 1] or table
            return IntegerInterval(min(part), max(part), a.exact and _is_dense(at, ranges))
        case Not() | Op("==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or"):
            return IntegerInterval(0, 1, False)
    limit = 2**62
    return IntegerInterval(-limit, limit, False)


def _strides(form: Affine, ranges: Ranges) -> list[tuple[int, int]] | None:
    """(stride, number of values) of each term, smallest stride first; None if an atom is no axis by itself."""
    strides = []
    for atom, coefficient in form.terms.items():
        if not isinstance(atom, Var):
            return None
        axis = ranges[atom.name]
        if axis.size > 1:
            strides.append((abs(coefficient * axis.step), axis.size))
    return sorted(strides)


def _is_dense(expr: IndexExpr, ranges: Ranges) -> bool:
    """Return whether the expression surely takes every whole number between its bounds."""
    strides = _strides(affine(expr), ranges)
    if strides is None:
        return False
    span = 0
    for stride, count in strides:
        if stride > span + 1:
            return False
        span += stride * (count - 1)
    return True


def bounds(expr: IndexExpr, axes: Sequence[Axis], where: IndexExpr | None = None) -> tuple[int, int] | None:
    """Return least and greatest value over the points of the axes where the condition holds; None if there are none.

    Exact: by intervals where these are, else by evaluating over the axes that matter.
    """
    if any(axis.size == 0 for axis in axes):
        return None
    used = set(axes_used(expr))
    tied = conjuncts(where)
    if not tied:
        integer_interval = interval_of(expr, {axis.name: axis for axis in axes})
        if integer_interval.exact:
            return integer_interval.low, integer_interval.high
    for part in tied:
        used |= set(axes_used(part))
    grid = points([axis for axis in axes if axis.name in used], where)
    if grid.size == 0:
        return None
    values = evaluate(expr, grid.grids)
    return int(values.min()), int(values.max())


def within(expr: IndexExpr, axes: Sequence[Axis], low: int, high: int, where: IndexExpr | None = None) -> bool:
    """Return whether every value lies in `low..high`. Tries the bounds without the condition first: they are free."""
    if any(axis.size == 0 for axis in axes):
        return True
    outer = interval_of(expr, {axis.name: axis for axis in axes})
    if low <= outer.low and outer.high <= high:
        return True
    limits = bounds(expr, axes, where)
    return limits is None or (low <= limits[0] and limits[1] <= high)


# ---- simplification ---------------------------------------------------------------------------------------------


def simplify(expr: IndexExpr, axes: Sequence[Axis]) -> IndexExpr:
    """Return an equal expression, simpler where the ranges allow it: `(8*b + s) div 8` is `b` for s in 0..7."""
    return _simplify(expr, {axis.name: axis for axis in axes})


def _simplify(expr: IndexExpr, ranges: Ranges) -> IndexExpr:
    match expr:
        case Var(name) if name in ranges and ranges[name].size == 1:
            return Const(ranges[name].low)
        case Op("div" | "mod" as op, left, right):
            return _simplify_division(op, _simplify(left, ranges), _simplify(right, ranges), ranges)
        case Op(op, left, right):
            a, b = _simplify(left, ranges), _simplify(right, ranges)
            if op in _MAKE:
                return _MAKE[op](a, b)
            return compare(op, a, b) if op in _FOLD else Op(op, a, b)
        case Not(operand):
            return Not(_simplify(operand, ranges))
        case Lookup(table, at):
            inner = _simplify(at, ranges)
            return Const(table[inner.value]) if isinstance(inner, Const) else evolve(expr, at=inner)
    return expr


def _simplify_division(op: str, left: IndexExpr, right: IndexExpr, ranges: Ranges) -> IndexExpr:
    if not (isinstance(right, Const) and right.value > 0):
        return _MAKE[op](left, right)
    by = right.value
    form = affine(left)
    whole = Affine({a: c // by for a, c in form.terms.items() if c % by == 0}, form.constant // by)
    rest = Affine({a: c for a, c in form.terms.items() if c % by}, form.constant % by)
    integer_interval = interval_of(from_affine(rest), ranges)
    if integer_interval.low // by == integer_interval.high // by:
        carry = integer_interval.low // by
        if op == "div":
            return from_affine(whole.plus(Affine({}, carry)))
        return from_affine(rest.plus(Affine({}, -carry * by)))
    # `(16*a + c + x) div 8`: what is a multiple of the divisor comes out of the division
    inner = from_affine(rest)
    return from_affine(whole.plus(Affine({div(inner, right): 1}))) if op == "div" else mod(inner, right)


def unflatten(flat: IndexExpr, shape: Sequence[int], axes: Sequence[Axis]) -> tuple[IndexExpr, ...]:
    """Subscripts of the element with row-major number `flat` (known to be in range) in an array of this shape."""
    subscripts: list[IndexExpr] = []
    rest = flat
    for size in reversed(shape[1:]):
        subscripts.append(simplify(mod(rest, Const(size)), axes))
        rest = simplify(div(rest, Const(size)), axes)
    if shape:
        subscripts.append(simplify(rest, axes))
    return tuple(reversed(subscripts))


# ---- proofs -----------------------------------------------------------------------------------------------------


def is_injective(subscripts: Iterable[IndexExpr], axes: Sequence[Axis]) -> bool:
    """Return whether different points of the axes surely give different subscripts. False means: not proved.

    What the subscripts give away is worked out step by step: a mixed radix gives all its atoms, `x mod m` gives x where
    x spans less than m, `x div m` with `x mod m` gives x, `table[x]` gives x where no number stands twice in the part
    of the table that x may read; an axis that is known is a constant from then on.
    """
    if any(axis.size == 0 for axis in axes):
        return True
    ranges = {axis.name: axis for axis in axes}
    known = set(subscripts) | {Var(axis.name) for axis in axes if axis.size == 1}
    before = -1
    while before != len(known):
        before = len(known)
        for expr in list(known):
            known |= _given_away(expr, ranges, known)
        known |= _rejoined(known, axes)
    return all(Var(axis.name) in known for axis in axes)


def _given_away(expr: IndexExpr, ranges: Ranges, known: set[IndexExpr]) -> set[IndexExpr]:
    """Return the values that follow from the value of an expression and the known ones."""
    if isinstance(expr, Op) and expr.op == "mod" and isinstance(expr.right, Const):
        rest = from_affine(_unknown_part(expr.left, known))
        span = interval_of(rest, ranges)
        return {rest} if span.high - span.low < expr.right.value else set()
    if isinstance(expr, Lookup):
        rest_of_place = _unknown_part(expr.at, known)
        return {from_affine(rest_of_place)} if _tells_apart(expr, rest_of_place, ranges) else set()
    moving = _unknown_part(expr, known)
    digits = [(abs(c) * _step(a, ranges), abs(c), a) for a, c in moving.terms.items()]
    reach = 0
    for stride, factor, atom in sorted(digits, key=lambda digit: digit[:2]):
        if stride <= reach:
            return set()
        integer_interval = interval_of(atom, ranges)
        reach += factor * (integer_interval.high - integer_interval.low)
    return set(moving.terms)


MAX_READ = 1 << 22
"""Numbers of a table that a proof may read: more are not proved, but listed."""


def _tells_apart(expr: Lookup, rest: Affine, ranges: Ranges) -> bool:
    """Return whether the number that is read tells the part of the place that is not known, whatever the known part
    is."""
    fixed = affine(expr.at).plus(rest, -1)
    sets = [_values_of(from_affine(form), ranges) for form in (fixed, rest)]
    if any(found is None for found in sets):
        return False
    starts, steps = [distinct(found) for found in sets if found is not None]
    if len(starts) * len(steps) > MAX_READ:
        return False
    places = starts[:, None] + steps[None, :]
    if places.min() < 0 or places.max() >= len(expr.table):
        return False
    work.spend(places.size, work.SORTED)
    numbers = np.sort(np.asarray(expr.table, dtype=np.int64)[places], axis=1)
    return bool((numbers[:, 1:] != numbers[:, :-1]).all())


def _values_of(expr: IndexExpr, ranges: Ranges) -> NDArray[np.int64] | None:
    """Return every value of an expression over its axes; None where these have too many points to list."""
    axes = [ranges[name] for name in axes_used(expr)]
    if prod(axis.size for axis in axes) > MAX_READ:
        return None
    return np.asarray(evaluate(expr, points(axes).grids)).ravel()


def _unknown_part(expr: IndexExpr, known: set[IndexExpr]) -> Affine:
    return Affine({a: c for a, c in affine(expr).terms.items() if not _is_known(a, known)})


def _step(atom: IndexExpr, ranges: Ranges) -> int:
    return ranges[atom.name].step if isinstance(atom, Var) else 1


def _is_known(atom: IndexExpr, known: set[IndexExpr]) -> bool:
    return atom in known or all(Var(name) in known for name in axes_used(atom))


def _rejoined(known: set[IndexExpr], axes: Sequence[Axis]) -> set[IndexExpr]:
    """Return what follows from pairs `x div c`, `x mod c`: these are the row-major subscripts of a flat number."""
    flat: set[IndexExpr] = set()
    for expr in known:
        if isinstance(expr, Op) and expr.op in ("div", "mod"):
            other = div if expr.op == "mod" else mod
            if simplify(other(expr.left, expr.right), axes) in known:
                flat.add(expr.left)
    return flat


def are_disjoint(
    one: Sequence[IndexExpr],
    one_axes: Sequence[Axis],
    one_where: IndexExpr | None,
    other: Sequence[IndexExpr],
    other_axes: Sequence[Axis],
    other_where: IndexExpr | None,
) -> bool:
    """Return whether two families of subscripts surely have no element in common. False means: not proved.

    Tried for each subscript and for each difference of two: ranges apart, or never equal modulo a common factor.
    """
    if any(axis.size == 0 for axis in (*one_axes, *other_axes)):
        return True
    tests = [(a, b) for a, b in zip(one, other, strict=True)]
    tests += [(sub(one[i], one[j]), sub(other[i], other[j])) for i, j in combinations(range(len(one)), 2)]
    for a, b in tests:
        if _residues_apart(affine(a), affine(b), one_axes, other_axes):
            return True
        range_a, range_b = bounds(a, one_axes, one_where), bounds(b, other_axes, other_where)
        if range_a is None or range_b is None or range_a[1] < range_b[0] or range_b[1] < range_a[0]:
            return True
    return False


def _residues_apart(a: Affine, b: Affine, a_axes: Sequence[Axis], b_axes: Sequence[Axis]) -> bool:
    factor, shift = 0, b.constant - a.constant
    for form, axes, sign in ((a, a_axes, -1), (b, b_axes, 1)):
        ranges = {axis.name: axis for axis in axes}
        for atom, coefficient in form.terms.items():
            if isinstance(atom, Var):
                factor = gcd(factor, coefficient * ranges[atom.name].step)
                shift += sign * coefficient * ranges[atom.name].low
            else:
                factor = gcd(factor, coefficient)
    return factor > 1 and shift % factor != 0
