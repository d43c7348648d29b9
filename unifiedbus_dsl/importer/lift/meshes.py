"""Cables of an array among itself that are full meshes, also of groups by the ports of all their members together."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import prod

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from unifiedbus_dsl.importer.lift.arrays import Array
from unifiedbus_dsl.importer.lift.classes import Class, rows_of
from unifiedbus_dsl.importer.lift.fit import ENOUGH, Split
from unifiedbus_dsl.importer.lift.machine import Ints, Machine

FEW = 8
"""Cables that full meshes may lack, whatever their size."""


@frozen(eq=False)
class Mesh:
    """A class that is full meshes of the elements along the dimension `member` of an array.

    Subscripts are those of a part, then those of a port. Those in `shared` are the same at both ends. Those in `slots`
    make one number, from the outer to the inner one, each from its `low` in so many values as its `radix`: member i has
    cable t of the `width` to member j > i at `first + width (j - 1) + t`, which gets to `first + width i + t`. `good`
    [N] are the cables that keep this, `lacking` [M, shared + 3] the shared subscripts, i, j and t of those that are not
    there."""

    of: Class
    member: int
    shared: tuple[int, ...]
    slots: tuple[int, ...]
    low: tuple[int, ...]
    radix: tuple[int, ...]
    first: int
    width: int
    good: NDArray[np.bool_]
    lacking: Ints

    def ends(self, row: tuple[int, ...], rank: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Return the subscripts of both ends of the cable with these shared subscripts, members and strand; None where
        a port would be beyond those there are."""
        *shared, i, j, t = row
        subscripts = []
        for own, slot in ((i, self.first + self.width * (j - 1) + t), (j, self.first + self.width * i + t)):
            if not 0 <= slot < prod(self.radix):
                return None
            at = dict(zip(self.shared, shared, strict=True)) | {self.member: own}
            digits = np.unravel_index(slot, self.radix)
            at |= {c: int(d) + lo for c, d, lo in zip(self.slots, digits, self.low, strict=True)}
            subscripts.append(tuple(at[c] for c in range(len(at))))
        return subscripts[0], subscripts[1]


def find_mesh(machine: Machine, arrays: dict[int, Array], row: Ints, of: Class) -> Mesh | Split | None:
    """Full meshes along a dimension, or the split that would make them such."""
    array = arrays[of.left.role]
    a, b = (rows_of(machine, arrays, row, end) for end in (of.left, of.right))
    rank = len(array.sizes)
    apart = a != b
    share = apart.mean(axis=0)
    for member in sorted(range(rank), key=lambda column: -share[column]):
        if share[member] < ENOUGH:
            break
        mesh = _mesh_along(machine, arrays, row, of, member)
        if mesh is not None:
            return mesh
    once = apart[:, :rank].sum(axis=1) == 1
    if once.mean() < ENOUGH:
        return None
    dimension, count = Counter(np.argmax(apart[once][:, :rank], axis=1).tolist()).most_common(1)[0]
    if count < ENOUGH * len(a):
        return None
    return _block(array, row, of, dimension) or _grid(
        array.sizes[dimension], a[:, dimension], b[:, dimension], dimension
    )


def _mesh_along(machine: Machine, arrays: dict[int, Array], row: Ints, of: Class, member: int) -> Mesh | None:
    """Full meshes of the elements along one dimension, by ports that are numbered in one way or the other."""
    array = arrays[of.left.role]
    a, b = (rows_of(machine, arrays, row, end) for end in (of.left, of.right))
    back = a[:, member] > b[:, member]
    of = of.turned(back)
    a, b = np.where(back[:, None], b, a), np.where(back[:, None], a, b)
    same = (a == b).mean(axis=0) >= ENOUGH
    slots = [column for column in range(a.shape[1]) if column != member and not same[column]]
    shared = tuple(column for column in range(a.shape[1]) if column != member and same[column])
    if not slots or len(slots) > 2:
        return None
    size = array.sizes[member]
    for order in (slots, slots[::-1])[: len(slots)]:
        low = tuple(int(min(a[:, c].min(), b[:, c].min())) for c in order)
        radix = tuple(int(max(a[:, c].max(), b[:, c].max())) - lo + 1 for c, lo in zip(order, low, strict=True))
        one, two = (np.ravel_multi_index(tuple((x[:, order] - low).T), radix) for x in (a, b))
        pairs = len(np.unique(np.column_stack([a[:, [*shared, member]], b[:, member]]), axis=0))
        width = max(1, round(len(a) / max(pairs, 1)))
        rest = one - width * (b[:, member] - 1)
        agree = (rest == two - width * a[:, member]) & (a[:, list(shared)] == b[:, list(shared)]).all(axis=1)
        agree &= a[:, member] < b[:, member]
        if agree.mean() < ENOUGH:
            continue
        known, count = np.unique(rest[agree], return_counts=True)
        first = int(known[count * 2 * width >= agree.sum()][:1].sum())
        good = agree & (rest >= first) & (rest < first + width)
        if good.mean() < ENOUGH:
            continue
        mesh = Mesh(of, member, shared, tuple(order), low, radix, first, width, good, np.empty((0, 0), np.int64))
        lacking = _lacking(machine, arrays, mesh, np.column_stack([a, b[:, member], rest - first])[good], size)
        if len(lacking) <= 0.25 * len(a) + FEW:
            return evolve(mesh, lacking=lacking)
    return None


def _lacking(machine: Machine, arrays: dict[int, Array], mesh: Mesh, there: Ints, size: int) -> Ints:
    """Shared subscripts, both members and the strand of the cables that the meshes lack, [M, shared + 3]."""
    of = mesh.of
    array = arrays[of.left.role]
    rank = len(array.sizes)
    columns = [*mesh.shared, mesh.member, there.shape[1] - 2, there.shape[1] - 1]
    own = {tuple(each) for each in there[:, columns].tolist()}
    devices = [column for column in mesh.shared if column < rank]
    if any(column < rank for column in mesh.slots):
        devices = [column for column in devices if column not in mesh.slots]
    known = np.unique(array.at[:, devices], axis=0) if devices else np.empty((1, 0), np.int64)
    ports = np.unique(there[:, [column for column in mesh.shared if column >= rank]], axis=0)
    exists = {tuple(each) for each in array.at.tolist()}
    gaps = []
    for base in known.tolist():
        for port in ports.tolist() if ports.shape[1] else [[]]:
            said = dict(zip([c for c in mesh.shared if c < rank], base, strict=True))
            said |= dict(zip([c for c in mesh.shared if c >= rank], port, strict=True))
            shared = tuple(said[c] for c in mesh.shared)
            for i in range(size):
                for j in range(i + 1, size):
                    for t in range(mesh.width):
                        if (*shared, i, j, t) in own:
                            continue
                        ends = mesh.ends((*shared, i, j, t), rank)
                        if ends is not None and all(end[:rank] in exists for end in ends):
                            gaps.append([*shared, i, j, t])
    return np.asarray(gaps, dtype=np.int64).reshape(len(gaps), len(mesh.shared) + 3)


def _block(array: Array, row: Ints, of: Class, dimension: int) -> Split | None:
    """Return the split of a dimension that makes parts which hang together a dimension of their own."""
    n = len(array.parts)
    one, two = row[of.left.part], row[of.right.part]
    count, label = connected_components(csr_matrix((np.ones(len(one)), (one, two)), shape=(n, n)), directed=False)
    order = np.lexsort((array.at[:, dimension], label))
    members = np.split(array.at[order, dimension], np.flatnonzero(np.diff(label[order])) + 1)
    wanted: dict[int, int] = defaultdict(int)
    for each in members:
        step = np.diff(each)
        if len(each) > 1 and (step == step[0]).all():
            if step[0] == 1 and each[0] % len(each) == 0:
                wanted[len(each)] += 1
            elif step[0] > 1 and (each // step[0] == np.arange(len(each))).all():
                wanted[int(step[0])] += 1
    if not wanted or count < 2:
        return None
    inner = max(wanted, key=lambda size: wanted[size])
    return Split(dimension, inner) if 1 < inner < array.sizes[dimension] and 2 * wanted[inner] > len(members) else None


def _grid(size: int, a: Ints, b: Ints, dimension: int) -> Split | None:
    """Return the split of a dimension that makes it two, along one or the other of which the cables run."""
    for inner in (n for n in range(2, size) if size % n == 0):
        inside, across = a // inner == b // inner, a % inner == b % inner
        if (inside | across).mean() >= ENOUGH and min(inside.mean(), across.mean()) >= 1 - ENOUGH:
            return Split(dimension, inner)
    return None
