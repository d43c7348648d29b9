"""Cables in classes: between the same port arrays of the same roles, over one link of one width."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.importer.lift.arrays import Array
from unifiedbus_dsl.importer.lift.machine import Ints, Machine, PortArray, array_numbers

FEW_LENGTHS = 4
"""Lengths up to which cables of one class are told apart by them."""


@frozen(eq=False)
class End:
    """One side of some cables: role, port array, part [N], port in the array [N]."""

    role: int
    array: int
    part: Ints
    port: Ints


@frozen(eq=False)
class Class:
    """Cables between two port arrays of two roles, over one link of one width. `length` is theirs, or the longest of
    `lengths` many; None where the network knows none."""

    cables: Ints
    left: End
    right: End
    what: int
    length: float | None
    lengths: int = 1

    def some(self, chosen: Ints | NDArray[np.bool_]) -> Class:
        """Return some of them."""
        left, right = (evolve(e, part=e.part[chosen], port=e.port[chosen]) for e in (self.left, self.right))
        return evolve(self, cables=self.cables[chosen], left=left, right=right)

    def turned(self, chosen: NDArray[np.bool_]) -> Class:
        """Return them with the ends of some exchanged, both sides being of one array."""
        a, b = self.left, self.right
        part = np.where(chosen, b.part, a.part), np.where(chosen, a.part, b.part)
        port = np.where(chosen, b.port, a.port), np.where(chosen, a.port, b.port)
        return evolve(self, left=evolve(a, part=part[0], port=port[0]), right=evolve(b, part=part[1], port=port[1]))

    def swapped(self) -> Class:
        """Return them the other way round."""
        return evolve(self, left=self.right, right=self.left)


def row_of(machine: Machine, arrays: dict[int, Array]) -> Ints:
    """Return the place of each part among those of its array, [P]."""
    row = np.empty(machine.parts, dtype=np.int64)
    for array in arrays.values():
        row[array.parts] = np.arange(len(array.parts))
    return row


def classes_of(machine: Machine, role: Ints) -> list[Class]:
    """Return the cables in classes, in order of the roles and arrays of their ends."""
    which = array_numbers(machine)
    first = np.asarray([[a.start for a in k.arrays] + [0] * (which.max() + 1 - len(k.arrays)) for k in machine.kinds])
    sides = []
    for part, port in ((machine.a, machine.a_port), (machine.b, machine.b_port)):
        array = which[machine.kind[part], port]
        sides.append((role[part], array, part, port - first[machine.kind[part], array]))
    (ra, xa, pa, qa), (rb, xb, pb, qb) = sides
    turn = (rb < ra) | ((rb == ra) & (xb < xa))
    ra, rb, xa, xb, pa, pb, qa, qb = (
        *_turned(turn, ra, rb), *_turned(turn, xa, xb), *_turned(turn, pa, pb), *_turned(turn, qa, qb),
    )  # fmt: skip
    code = np.stack([ra, xa, rb, xb, machine.what], axis=1)
    known, back = np.unique(code, axis=0, return_inverse=True)
    classes: list[Class] = []
    for number, row in enumerate(known.tolist()):
        some = np.flatnonzero(back.ravel() == number)
        one, two = End(row[0], row[1], pa[some], qa[some]), End(row[2], row[3], pb[some], qb[some])
        classes += _by_length(machine, Class(some, one, two, row[4], None))
    return classes


def _turned(turn: NDArray[np.bool_], a: Ints, b: Ints) -> tuple[Ints, Ints]:
    return np.where(turn, b, a), np.where(turn, a, b)


def _by_length(machine: Machine, cables: Class) -> Iterator[Class]:
    length = np.nan_to_num(machine.length[cables.cables], nan=-1.0)
    known = np.unique(length)
    if len(known) > FEW_LENGTHS:
        yield evolve(cables, length=float(known.max()), lengths=len(known))
        return
    for each in known.tolist():
        yield evolve(cables.some(length == each), length=None if each < 0 else each)


def ports_of(machine: Machine, arrays: dict[int, Array], end: End) -> PortArray:
    """Return the port array of an end."""
    return machine.kinds[int(machine.kind[arrays[end.role].parts[0]])].arrays[end.array]


def rows_of(machine: Machine, arrays: dict[int, Array], row: Ints, end: End) -> Ints:
    """Return the subscripts of an end: of the part, then of the port. [N, d]"""
    shape = ports_of(machine, arrays, end).shape
    port = np.column_stack(np.unravel_index(end.port, shape)) if shape else np.empty((len(end.port), 0), np.int64)
    return np.concatenate([arrays[end.role].at[row[end.part]], port.astype(np.int64)], axis=1)


def sizes_of(machine: Machine, arrays: dict[int, Array], end: End) -> tuple[int, ...]:
    return (*arrays[end.role].sizes, *ports_of(machine, arrays, end).shape)
