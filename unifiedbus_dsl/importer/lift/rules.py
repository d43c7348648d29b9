"""Cables between the same port arrays as index rules, full meshes or lists, and what keeps to none of them."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.importer.lift.arrays import Array
from unifiedbus_dsl.importer.lift.classes import Class, classes_of, row_of, rows_of, sizes_of
from unifiedbus_dsl.importer.lift.fit import ENOUGH, Fit, Split, fit
from unifiedbus_dsl.importer.lift.machine import Ints, Machine
from unifiedbus_dsl.importer.lift.meshes import Mesh, find_mesh

MOST_PARTS_OF_A_CLASS = 16
"""Rules that cables of one class may become, one for each pair of ports."""
STRAY = 0.1
"""Share of the cables of a class up to which those that keep to none of its rules are exceptions."""
FEW = 8
"""Cables that are rather listed than put in a rule of their own."""
SOME = 0.4
"""Share of the cables that have to keep the first of several rules."""
MOST_PEELED = 4
"""Rules of which each has most of what those before it leave."""


@frozen(eq=False)
class Digit:
    """A variable of a rule: the subscript of the left side that it is part of, and its weight there."""

    column: int
    weight: int


@frozen(eq=False)
class IndexRule:
    """A class with the maps from the subscripts of its left side, taken apart into `digits`, to those of the right.
    `shift` is what is added to each subscript of the left side, `last` the greatest value that the rule has of each
    subscript, those of the left side first, where its digits would make greater ones."""

    of: Class
    fit: Fit
    digits: tuple[Digit, ...]
    shift: tuple[int, ...]
    last: tuple[int | None, ...]

    def left(self, rows: Ints) -> Ints:
        """Return the subscripts of the left side for rows of digits. [N, columns]"""
        left = np.tile(np.asarray(self.shift, dtype=np.int64), (len(rows), 1))
        for n, digit in enumerate(self.digits):
            left[:, digit.column] += digit.weight * rows[:, n]
        return left

    def subscripts(self, rows: Ints) -> Ints:
        """Return the subscripts of both sides for rows of digits. [N, columns]"""
        return np.column_stack([self.left(rows), *(each.at(rows) for each in self.fit.maps)])

    def inside(self, rows: Ints) -> NDArray[np.bool_]:
        """Return which rows of digits make no subscript beyond the last. [N]"""
        ends = [self.subscripts(rows)[:, n] <= last for n, last in enumerate(self.last) if last is not None]
        return np.all(ends, axis=0) if ends else np.ones(len(rows), dtype=bool)


@frozen(eq=False)
class Listed:
    """Cables that no rule describes; `stray` ones are exceptions to the rules of their class."""

    of: Class
    stray: bool = False


Part = IndexRule | Mesh | Listed


@frozen(eq=False)
class Lift:
    """Arrays of roles, and the cables between them in parts."""

    machine: Machine
    arrays: dict[int, Array]
    parts: tuple[Part, ...]

    @property
    def row(self) -> Ints:
        """The place of each part in its array, [P]."""
        return row_of(self.machine, self.arrays)


# ---- parts of a lift ------------------------------------------------------------------------------------------------


def lifted(machine: Machine, role: Ints, arrays: dict[int, Array]) -> Lift:
    """Return the cables as rules over these arrays, dimensions taken apart where rules want that."""
    classes = classes_of(machine, role)
    for _ in range(24):
        row = row_of(machine, arrays)
        parts: list[Part] = []
        wanted: tuple[int, Split] | None = None
        for each in classes:
            rules, split = _parts(machine, arrays, row, each)
            parts += rules
            if split is not None and wanted is None:
                wanted = split
        if wanted is None:
            return Lift(machine, arrays, tuple(parts))
        arrays = {**arrays, wanted[0]: _split(arrays[wanted[0]], wanted[1])}
    return Lift(machine, arrays, tuple(parts))


def _split(array: Array, split: Split) -> Array:
    """Return an array with one dimension taken apart in two."""
    column, inner = split.column, split.inner
    high, low = np.divmod(array.at[:, column], inner)
    at = np.column_stack([array.at[:, :column], high, low, array.at[:, column + 1 :]])
    sizes = (*array.sizes[:column], -(-array.sizes[column] // inner), inner, *array.sizes[column + 1 :])
    return Array(array.parts, at, sizes)


def _parts(
    machine: Machine, arrays: dict[int, Array], row: Ints, of: Class
) -> tuple[list[Part], tuple[int, Split] | None]:
    """Return the parts that a class becomes, and the split of an array that would make them fewer."""
    if len(of.cables) <= FEW and len(of.cables) < 3:
        return [Listed(of)], None
    same = (of.left.role, of.left.array) == (of.right.role, of.right.array)
    if same:
        return _among(machine, arrays, row, of)
    parts, split = _rule(machine, arrays, row, of)
    if parts is not None:
        return [parts], None
    if split is not None:
        return [Listed(of)], split
    by_column = _by_column(machine, arrays, row, of)
    return (by_column or _peeled(machine, arrays, row, of) or [Listed(of)]), None


def _peeled(machine: Machine, arrays: dict[int, Array], row: Ints, of: Class) -> list[Part]:
    """Return a rule of most of the cables, then one of most of what is left, and so on, as where a torus closes with a
    twist; none where much is left over."""
    parts: list[Part] = []
    rest = of
    while len(rest.cables) > max(FEW, STRAY * len(of.cables)):
        rule, _ = _rule(machine, arrays, row, rest, SOME)
        if rule is None or len(parts) == MOST_PEELED:
            return []
        good = rule.fit.good
        parts.append(evolve(rule, of=rule.of.some(good), fit=evolve(rule.fit, good=good[good])))
        rest = rule.of.some(~good)
    return [*parts, Listed(rest, stray=True)] if len(rest.cables) else parts


def _by_column(machine: Machine, arrays: dict[int, Array], row: Ints, of: Class) -> list[Part]:
    """Return a rule for each value of one subscript of either end, for the subscript where these are fewest; none
    where there is no such."""
    best: list[Part] = []
    for end in (of.left, of.right):
        for column in rows_of(machine, arrays, row, end).T:
            values = np.unique(column)
            if not 1 < len(values) <= MOST_PARTS_OF_A_CLASS or (best and len(values) >= len(best)):
                continue
            parts: list[Part] = []
            for value in values.tolist():
                some = of.some(column == value)
                rule, _ = _rule(machine, arrays, row, some)
                parts.append(rule if rule is not None else Listed(some))
            if all(isinstance(part, IndexRule) for part in parts):
                best = parts
    return best


def _among(
    machine: Machine, arrays: dict[int, Array], row: Ints, of: Class
) -> tuple[list[Part], tuple[int, Split] | None]:
    """Return the parts that cables of an array among itself become: full meshes along dimensions, then rings."""
    parts: list[Part] = []
    apart = np.not_equal(*(arrays[e.role].at[row[e.part]] for e in (of.left, of.right)))
    along = np.where(apart.sum(axis=1) == 1, np.argmax(apart, axis=1) if apart.shape[1] else -1, -1)
    rest = np.ones(len(along), dtype=bool)
    for dimension in np.unique(along[along >= 0]).tolist():
        some = along == dimension
        mesh = find_mesh(machine, arrays, row, of.some(some)) if some.sum() > 2 else None
        if isinstance(mesh, Split):
            return [Listed(of)], (of.left.role, mesh)
        if mesh is not None:
            parts.append(mesh)
            rest &= ~some
    if rest.all() or (rest.any() and not parts):
        mesh = find_mesh(machine, arrays, row, of)
        if isinstance(mesh, Mesh):
            return [mesh], None
    if not rest.any():
        return parts, None
    if parts and rest.sum() <= STRAY * len(rest):
        return [*parts, Listed(of.some(rest), stray=True)], None
    more, split = _by_ports(machine, arrays, row, of.some(rest))
    return parts + more, split


def _by_ports(
    machine: Machine, arrays: dict[int, Array], row: Ints, of: Class
) -> tuple[list[Part], tuple[int, Split] | None]:
    """Return a rule for each pair of ports, as in rings and tori; the whole as a list where these are many."""
    same = (of.left.role, of.left.array) == (of.right.role, of.right.array)
    if same:
        of = of.turned(_is_later(arrays, row, of))
    code = of.left.port << 20 | of.right.port
    known, count = np.unique(code, return_counts=True)
    if len(known) > MOST_PARTS_OF_A_CLASS and count.max() * 4 < len(code):
        return [Listed(of)], None
    usual = known[np.argsort(-count, kind="stable")][:MOST_PARTS_OF_A_CLASS]
    usual = usual[count[np.searchsorted(known, usual)] > max(2, 0.05 * count.max())]
    parts: list[Part] = []
    rest = ~np.isin(code, usual)
    for each in usual.tolist():
        some = of.some(code == each)
        rule, split = _rule(machine, arrays, row, some)
        if split is not None:
            return [Listed(of)], split
        peeled: list[Part] = [rule] if rule is not None else _peeled(machine, arrays, row, some)
        parts += peeled
        if not peeled:
            rest |= code == each
    if rest.any():
        parts.append(Listed(of.some(rest), stray=bool(parts) and rest.sum() <= STRAY * len(rest)))
    return parts, None


def _is_later(arrays: dict[int, Array], row: Ints, of: Class) -> NDArray[np.bool_]:
    """Return whether the left end comes after the right one: by port, then by the first subscript in which they differ,
    where a step of one forward, also around the end, comes first."""
    a, b = (arrays[e.role].at[row[e.part]] for e in (of.left, of.right))
    apart = a != b
    at = np.argmax(apart, axis=1) if a.shape[1] else np.zeros(len(a), np.int64)
    n = np.arange(len(a))
    later = a[n, at] > b[n, at] if a.shape[1] else np.zeros(len(a), dtype=bool)
    return np.where(of.left.port == of.right.port, later, of.left.port > of.right.port)


def _rule(
    machine: Machine, arrays: dict[int, Array], row: Ints, of: Class, enough: float = ENOUGH
) -> tuple[IndexRule | None, tuple[int, Split] | None]:
    """Return a rule of the class one way or the other; a split of an array that would make one."""
    splits = []
    for each in (of, of.swapped()):
        one_way = _one_way(machine, arrays, row, each, enough)
        if isinstance(one_way, IndexRule):
            return one_way, None
        if one_way is not None:
            splits.append((each.left.role, one_way))
    return None, splits[0] if splits else None


def _one_way(
    machine: Machine, arrays: dict[int, Array], row: Ints, of: Class, enough: float
) -> IndexRule | Split | None:
    rows = rows_of(machine, arrays, row, of.left)
    to = rows_of(machine, arrays, row, of.right)
    rank = len(arrays[of.left.role].sizes)
    digits = [Digit(n, 1) for n in range(rows.shape[1])]
    shift = [0] * rows.shape[1]
    for _ in range(4):
        one_way = fit(rows, to, sizes_of(machine, arrays, of.right), enough)
        if isinstance(one_way, Fit):
            sizes = *sizes_of(machine, arrays, of.left), *sizes_of(machine, arrays, of.right)
            rule = _cut_off(IndexRule(of, one_way, tuple(digits), tuple(shift), (None,) * len(sizes)), rows, sizes)
            return rule if _is_one_to_one(rule) else None
        if one_way is None:
            return None
        digit = digits[one_way.column]
        if digit.column < rank:
            return Split(digit.column, one_way.inner) if digit.weight == 1 else None
        column = rows[:, one_way.column]
        base = int(column.min())
        shift[digit.column] += base * digit.weight
        high, low = np.divmod(column - base, one_way.inner)
        rows = np.column_stack([rows[:, : one_way.column], high, low, rows[:, one_way.column + 1 :]])
        digits[one_way.column : one_way.column + 1] = [
            Digit(digit.column, digit.weight * one_way.inner), Digit(digit.column, digit.weight),
        ]  # fmt: skip
    return None


def _is_one_to_one(rule: IndexRule) -> bool:
    """Return whether the rule gives each row of its box a port of its own, and none its own port."""
    fit = rule.fit
    grids = [each.values for each in fit.ranges]
    rows = np.stack([grid.ravel() for grid in np.meshgrid(*grids, indexing="ij")], axis=1) if grids else None
    if rows is None:
        return True
    rows = rows[rule.inside(rows)]
    to = np.stack([each.at(rows) for each in fit.maps], axis=1) if fit.maps else np.empty((len(rows), 0), np.int64)
    if len(np.unique(to, axis=0)) < len(rows):
        return False
    of = rule.of
    if (of.left.role, of.left.array) != (of.right.role, of.right.array):
        return True
    return not (rule.left(rows) == to).all(axis=1).any()


def _cut_off(rule: IndexRule, rows: Ints, sizes: tuple[int, ...]) -> IndexRule:
    """Return the rule with the last value of each subscript that several digits make, of `sizes`, where these would
    make greater ones; what it lacks beyond that falls out, but for a single port that is there."""
    fit = rule.fit
    made, beyond = rule.subscripts(rows[fit.good]), rule.subscripts(fit.lacking)
    wide = [each.low < each.high for each in fit.ranges]
    several = [sum(digit.column == n for digit in rule.digits) > 1 for n in range(len(rule.shift))]
    several += [
        not each.modulus and sum(bool(s) and w for s, w in zip(each.slopes, wide, strict=True)) > 1 for each in fit.maps
    ]
    last: list[int | None] = []
    for n, size in enumerate(sizes):
        greatest = int(made[:, n].max())
        cut = int((beyond[:, n] > greatest).sum()) if several[n] else 0
        last.append(greatest if cut > 1 or (cut and greatest == size - 1) else None)
    rule = evolve(rule, last=tuple(last))
    return evolve(rule, fit=evolve(fit, lacking=fit.lacking[rule.inside(fit.lacking)]))
