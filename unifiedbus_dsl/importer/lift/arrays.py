"""Arrays of parts from their addresses, and where to begin with those."""

from __future__ import annotations

from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.importer.lift.addresses import Addressing, Group, Relation, free_rows
from unifiedbus_dsl.importer.lift.machine import Ints, Machine

USUAL = 0.95
"""Share of the parts of a role that have a digit in common from which on it tells nothing."""


@frozen(eq=False)
class Array:
    """A role as an array: `parts` [n] with their subscripts `at` [n, d], of `sizes`."""

    parts: Ints
    at: Ints
    sizes: tuple[int, ...]

    @property
    def absent(self) -> int:
        """How many elements of the box are not there."""
        return prod(self.sizes) - len(self.parts)


def signatures_of(machine: Machine) -> Ints:
    """Return a number for each part, the same where the same ports have cables of the same links. [P]"""
    draw = np.random.Generator(np.random.PCG64(15)).integers(1 << 62, size=(1 << 16, len(machine.sorts)))
    signatures = machine.kind.copy()
    for part, port in ((machine.a, machine.a_port), (machine.b, machine.b_port)):
        np.add.at(signatures, part, draw[port & 0xFFFF, machine.what])
    return np.asarray(np.unique(signatures, return_inverse=True)[1].ravel(), dtype=np.int64)


def starts_of(role: Ints, signature: Ints, most: int) -> list[NDArray[np.bool_]]:
    """Return the parts where addresses may begin, [P] each: of each role, from the outermost in, some of the most
    common signature, then those of the rarest."""
    starts: list[list[NDArray[np.bool_]]] = []
    for each in range(int(role.max(initial=-1)), -1, -1):
        mine = role == each
        known, count = np.unique(signature[mine], return_counts=True)
        order = np.argsort(count, kind="stable").tolist()
        usual = np.flatnonzero(mine & (signature == known[order[-1]]))
        own = []
        for n in range(min(3, len(usual))):
            begins = np.zeros(len(role), dtype=bool)
            begins[usual[n * len(usual) // 3 :]] = True
            own.append(begins)
        own[1:1] = [mine & (signature == known[n]) for n in order[:-1]][:most]
        starts.append(own)
    return [own[n] for n in range(most + 3) for own in starts if n < len(own)]


def arrays_from(
    machine: Machine, role: Ints, island: Ints, relations: list[Relation], begins: NDArray[np.bool_]
) -> dict[int, Array]:
    """Return the array of each role, addressed in each island from the first of the parts where it may begin."""
    size = np.bincount(role)
    order = np.lexsort((np.arange(len(role)), ~begins, island))
    roots = order[np.flatnonzero(np.diff(island[order], prepend=-1))].tolist()
    addressing = Addressing(machine, role, relations, size)
    for each in np.unique(role[roots]).tolist():
        mine = np.asarray([root for root in roots if role[root] == each])
        addressing.groups[each] = Group(mine, island[mine][:, None])
    addressing.run()
    return {each: _array(addressing.groups.get(each), np.flatnonzero(role == each)) for each in range(len(size))}


def _array(group: Group | None, members: Ints) -> Array:
    """Return the array of a role: digits that never change left out, steps of one; parts that nothing has reached at
    its end."""
    if group is None or len(group.parts) < len(members):
        return Array(members, np.arange(len(members))[:, None], (len(members),))
    at = _tidied(group.at)
    if len(np.unique(at, axis=0)) < len(members):
        at = np.arange(len(members))[np.argsort(np.lexsort((group.parts, *reversed(at.T))), kind="stable")][:, None]
    at = _dense(at)
    sizes = tuple((at.max(axis=0) + 1).tolist()) if len(at) and at.shape[1] else ()
    if prod(sizes) >= 2 * len(members) and prod(sizes) > len(members):
        order = np.lexsort(tuple(reversed(at.T)))
        rank = np.empty(len(members), np.int64)
        rank[order] = np.arange(len(members))
        return Array(group.parts, rank[:, None], (len(members),))
    return Array(group.parts, at, sizes)


def _tidied(at: Ints) -> Ints:
    """Addresses without digits that hardly any part has otherwise than the rest, where a swapped cable led astray: such
    parts, and those of a place that is taken, get places that are free."""
    columns = [column for column in at.T if np.unique(column, return_counts=True)[1].max() < USUAL * len(column)]
    column_stack = np.column_stack(columns) if columns else np.empty((len(at), 0), np.int64)
    stray = np.zeros(len(column_stack), dtype=bool)
    for column in column_stack.T:
        _, back, count = np.unique(column, return_inverse=True, return_counts=True)
        stray |= 4 * count[back.ravel()] < np.median(count)
    _, first = np.unique(column_stack, axis=0, return_index=True)
    twice = np.ones(len(column_stack), dtype=bool)
    twice[first] = False
    moved = np.flatnonzero(stray | twice)
    if not len(moved) or not column_stack.shape[1] or 10 * len(moved) > len(column_stack):
        return column_stack
    kept = np.ones(len(column_stack), dtype=bool)
    kept[moved] = False
    column_stack[moved] = free_rows(column_stack[kept], len(moved))
    return column_stack


def _dense(at: Ints) -> Ints:
    """Return each digit from 0 on in steps of one: less its least value, over the greatest common divisor; or counted
    by its values in order, where those leave most of the places between them free."""
    columns = []
    for column in at.T:
        known, rank = np.unique(column, return_inverse=True)
        step = int(np.gcd.reduce(known - known[0])) or 1
        even = (column - known[0]) // step
        columns.append(rank.ravel() if even.max() >= 2 * len(known) else even)
    return np.column_stack(columns) if columns else np.empty((len(at), 0), np.int64)
