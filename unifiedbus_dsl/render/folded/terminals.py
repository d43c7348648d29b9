"""Which box of a folded picture each device is in, and how many cables run from box to box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import Axis, Const, Op, Plan, PortRef, Rule, Var
from unifiedbus_dsl.ir.plan.index import axes_used, flat_index, points
from unifiedbus_dsl.render.folded.block import Block, Cell, Shelf
from unifiedbus_dsl.render.plan_summary import LARGEST_GRID, Bundle

LARGEST_LIST = 200_000
"""Cables of a rule that are listed one by one; of larger rules only those of the opened parts are."""


@frozen(eq=False)
class Terminal:
    """A box where cables end. `first` is the first device in it, counted from the assembly whose cables are drawn;
    `trail` names the shelves that it stands on and which of them, the outermost first; `cells` are the boxes around
    it and itself, the outermost first."""

    first: int
    path: str
    cell: Cell
    trail: tuple[tuple[tuple[Shelf, ...], int], ...]
    cells: tuple[Cell, ...]

    @property
    def shelf(self) -> int:
        """The shelf of the assembly whose cables are drawn."""
        return self.trail[0][1]


@frozen
class Join:
    """Cables between two boxes, by their numbers among the terminals."""

    left: int
    right: int
    cables: int


def terminals(shelves: tuple[Shelf, ...]) -> tuple[Terminal, ...]:
    """Return the boxes of an assembly in the order of its devices."""
    return tuple(sorted(_on_shelves(shelves, 0, "", (), ()), key=lambda terminal: terminal.first))


def row_terminals(row: Block) -> tuple[Terminal, ...]:
    """Return the same of a row of cells that stands on no shelf yet."""
    ends = (each for cell in row.cells for each in _in_cell(cell, 0, "", (), ()))
    return tuple(sorted(ends, key=lambda terminal: terminal.first))


def _on_shelves(
    shelves: tuple[Shelf, ...],
    base: int,
    path: str,
    trail: tuple[tuple[tuple[Shelf, ...], int], ...],
    cells: tuple[Cell, ...],
) -> Iterator[Terminal]:
    for at, shelf in enumerate(shelves):
        for group in shelf.groups:
            for cell in group.block.cells:
                yield from _in_cell(cell, base, path, (*trail, (shelves, at)), cells)


def _in_cell(
    cell: Cell,
    base: int,
    path: str,
    trail: tuple[tuple[tuple[Shelf, ...], int], ...],
    cells: tuple[Cell, ...],
) -> Iterator[Terminal]:
    own = f"{path}.{cell.name}" if path else cell.name
    around = (*cells, cell)
    if cell.inner is not None and cell.inner.shelves:
        yield from _on_shelves(cell.inner.shelves, base + cell.first, own, trail, around)
    elif cell.inner is not None and cell.inner.cells:
        for inner in cell.inner.cells:
            yield from _in_cell(inner, base, path, trail, around)
    else:
        yield Terminal(base + cell.first, own, cell, trail, around)


def spans_of(found: Sequence[Terminal], end: int) -> list[range]:
    """Return the devices in each of some terminals, which are in their order; `end` comes after the last."""
    firsts = [*(terminal.first for terminal in found), end]
    return [range(a, b) for a, b in pairwise(firsts)]


def joins(plan: Plan, key: str, bundle: Bundle, found: Sequence[Terminal], end: int) -> tuple[Join, ...] | None:
    """Return who meets whom over the cables of a bundle in an assembly type, `bundle.left` on the left, as numbers of
    the terminals `found`, whose last ends before the device `end`. Cables that end in none are left out. None where
    there are too many cables to look at."""
    starts = np.array([-1, *(terminal.first for terminal in found), end], dtype=np.int64)
    total = np.zeros((len(starts), len(starts)), dtype=np.int64)
    for rule in bundle.rules:
        table = _table(plan, key, rule, starts)
        if table is None:
            return None
        total += table if rule.left.child == bundle.left else table.T
    if bundle.inner:
        total = np.triu(total + np.tril(total, -1).T)
    inside = total[1:-1, 1:-1]
    return tuple(Join(int(a), int(b), int(inside[a, b])) for a, b in zip(*inside.nonzero(), strict=True))


def _table(plan: Plan, key: str, rule: Rule, starts: NDArray[np.int64]) -> NDArray[np.int64] | None:
    if prod(axis.size for axis in rule.axes) <= LARGEST_LIST:
        return _listed(plan, key, rule, starts)
    left, right = _opened(plan, key, rule.left, starts), _opened(plan, key, rule.right, starts)
    if left is None and right is None:
        return _coarse(plan, key, rule, starts)
    # cables of the element whose inside is shown are listed; of all others only the elements count
    sides = [(ref, at) for ref, at in ((rule.left, left), (rule.right, right)) if at is not None]
    parts = [*(_restricted(rule, [side]) for side in sides), *([_restricted(rule, sides)] if len(sides) == 2 else [])]
    listed = [_listed(plan, key, part, starts) for part in parts]
    whole = _coarse(plan, key, rule, starts)
    coarse = [_coarse(plan, key, part, starts) for part in parts]
    if whole is None or any(each is None for each in (*listed, *coarse)):
        return None
    signs = (1, 1, -1)
    for sign, fine, rough in zip(signs, listed, coarse, strict=False):
        if fine is not None and rough is not None:
            whole = whole + sign * (fine - rough)
    return whole


def _opened(plan: Plan, key: str, ref: PortRef, starts: NDArray[np.int64]) -> tuple[int, ...] | None:
    """Return the subscripts of the element of the array that is shown in more than one box; None where none is."""
    first, size = _first(plan, key, ref)
    child = plan.assemblies[key].children[plan.numbering.child_number(key, ref.child)]
    inside = starts[(starts > first) & (starts < first + size * child.count)] - first
    opened = inside[inside % size > 0] // size
    if not len(opened):
        return None
    return tuple(int(at) for at in np.unravel_index(int(opened[0]), child.shape)) if child.shape else ()


def _first(plan: Plan, key: str, ref: PortRef) -> tuple[int, int]:
    """Return the first device of an array, and how many each element has."""
    number = plan.numbering.child_number(key, ref.child)
    return plan.numbering.child_starts[key][number], plan.device_count[plan.assemblies[key].children[number].type]


def _restricted(rule: Rule, sides: Sequence[tuple[PortRef, tuple[int, ...]]]) -> Rule:
    """Return the rule at one element of some of its ends."""
    axes = {axis.name: axis for axis in rule.axes}
    where = rule.where
    for at, value in ((at, value) for ref, element in sides for at, value in zip(ref.at, element, strict=True)):
        if isinstance(at, Var):
            axes[at.name] = _fixed(axes[at.name], value)
            continue
        here = Op("==", at, Const(value))
        where = here if where is None else Op("and", where, here)
    return evolve(rule, axes=tuple(axes.values()), where=where)


def _fixed(axis: Axis, value: int) -> Axis:
    """Return the axis with this value alone, or with none."""
    there = value in range(axis.low, axis.high + 1, axis.step)
    return evolve(axis, low=value, high=value) if there else evolve(axis, high=axis.low - 1)


def _listed(plan: Plan, key: str, rule: Rule, starts: NDArray[np.int64]) -> NDArray[np.int64] | None:
    if prod(axis.size for axis in rule.axes) > LARGEST_GRID:
        return None
    at = points(rule.axes, rule.where)
    sides = (plan.numbering.ends(key, ref, at) for ref in (rule.left, rule.right))
    a, b = (np.searchsorted(starts, side.base + side.offset, side="right") - 1 for side in sides)
    return _counted(a, b, at.shape, len(starts))


def _coarse(plan: Plan, key: str, rule: Rule, starts: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the same where each element counts as its first device."""
    used = _axes_of(rule)
    if prod(axis.size for axis in used) > LARGEST_GRID:
        return None
    at = points(used, rule.where)
    places = []
    for ref in (rule.left, rule.right):
        first, size = _first(plan, key, ref)
        child = plan.assemblies[key].children[plan.numbering.child_number(key, ref.child)]
        element = flat_index(ref.at, child.shape, at.grids)
        places.append(np.searchsorted(starts, first + element * size, side="right") - 1)
    each = prod(axis.size for axis in rule.axes if axis not in used)
    left, right = places
    return _counted(left, right, at.shape, len(starts)) * each


def _axes_of(rule: Rule) -> tuple[Axis, ...]:
    """Return the axes that choose the elements, or which cables there are."""
    chosen = [*rule.left.at, *rule.right.at, *([rule.where] if rule.where is not None else [])]
    names = {name for expr in chosen for name in axes_used(expr)}
    return tuple(axis for axis in rule.axes if axis.name in names)


def _counted(a: NDArray[np.int64], b: NDArray[np.int64], shape: tuple[int, ...], count: int) -> NDArray[np.int64]:
    codes = np.broadcast_to(a * count + b, shape).ravel()
    return np.bincount(codes, minlength=count * count).reshape(count, count)
