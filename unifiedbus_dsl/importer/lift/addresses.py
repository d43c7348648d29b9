"""Where parts stand in arrays, told by the ports that lead to them.

A part is addressed by a neighbour's address and the port of the neighbour: leaf 3, port 7. From one part of each island
relations between roles carry addresses on (a whole role is addressed by one relation where that reaches all of it), and
parts of one role that meet each other are addressed along their meshes and rings. Of several ways to a part the least
is its address, so that what all ways have in common falls out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from unifiedbus_dsl.importer.lift.machine import Ints, Machine

SAMPLES = 24
"""Parts of a role that are asked which of their ports make a full mesh."""


@frozen(eq=False)
class Relation:
    """Cables from a port array of a role to a role: part, port in the array, part, and port of that counted over its
    kind."""

    near: int
    array: int
    start: int
    far: int
    u: Ints
    port: Ints
    v: Ints
    far_port: Ints


@frozen(eq=False)
class Group:
    """Addresses of some parts of a role: `parts` [n] and their address [n, d]."""

    parts: Ints
    at: Ints


def relations_of(machine: Machine, role: Ints) -> list[Relation]:
    """Return the cables by the role and port array that they begin at and the role that they lead to, both ways."""
    relations = []
    one, two = (machine.a, machine.a_port), (machine.b, machine.b_port)
    u, port, v, far_port = (np.concatenate([side[n] for side in ((*one, *two), (*two, *one))]) for n in range(4))
    for near in range(int(role.max(initial=-1)) + 1):
        mine = np.flatnonzero(role[u] == near)
        if not len(mine):
            continue
        kind = machine.kinds[int(machine.kind[u[mine[0]]])]
        for number, array in enumerate(kind.arrays):
            inside = mine[(port[mine] >= array.start) & (port[mine] < array.start + array.count)]
            for far in np.unique(role[v[inside]]).tolist():
                some = inside[role[v[inside]] == far]
                relations.append(
                    Relation(near, number, array.start, far, u[some], port[some] - array.start, v[some], far_port[some])
                )
    return relations


@define(eq=False)
class Addressing:
    """Groups by role as they are found."""

    machine: Machine
    role: Ints
    relations: list[Relation]
    size: Ints
    groups: dict[int, Group] = field(factory=dict)

    def complete(self, role: int) -> bool:
        return role in self.groups and len(self.groups[role].parts) == self.size[role]

    def run(self) -> None:
        """Carry addresses on until no relation reaches more."""
        while True:
            best: tuple[tuple[int, ...], int, Group] | None = None
            for role, group in self._candidates():
                known = len(self.groups[role].parts) if role in self.groups else 0
                if len(group.parts) <= known:
                    continue
                whole = len(group.parts) == self.size[role]
                rank = (int(whole), -group.at.shape[1] if whole else 0, len(group.parts))
                if best is None or rank > best[0]:
                    best = rank, role, group
            if best is None:
                return
            self.groups[best[1]] = best[2]

    def _candidates(self) -> Iterator[tuple[int, Group]]:
        for relation in self.relations:
            if relation.near in self.groups and relation.near != relation.far and not self.complete(relation.far):
                yield relation.far, self._carried(relation)
        for role in list(self.groups):
            if not self.complete(role):
                yield role, self._along(role)

    def _carried(self, relation: Relation) -> Group:
        """Return the parts that a relation reaches, each by what most of its neighbours' addresses and ports say of it;
        where that tells parts not apart, by the least of them."""
        group = self.groups[relation.near]
        row = np.full(self.machine.parts, -1, dtype=np.int64)
        row[group.parts] = np.arange(len(group.parts))
        reached = np.flatnonzero(row[relation.u] >= 0)
        kind = self.machine.kinds[int(self.machine.kind[group.parts[0]])]
        port = _unravelled(relation.port[reached], kind.arrays[relation.array].shape)
        at = np.column_stack([group.at[row[relation.u[reached]]], port])
        v = relation.v[reached]
        agreed = _agreed(v, relation.far_port[reached], at)
        if agreed is not None:
            return agreed
        order = np.lexsort((*reversed(at.T), v))
        first = order[np.flatnonzero(np.diff(v[order], prepend=-1))]
        return Group(v[first], at[first])

    def _along(self, role: int) -> Group:
        """Return the parts of a role that its group reaches along meshes and rings of the role itself."""
        group = self.groups[role]
        reach = _Reach(self.machine.parts, group.parts, group.at)
        tables = [_Table.of(r, self.relations, self.machine.parts) for r in self.relations if r.near == r.far == role]
        left: list[tuple[_Table, int]] = []
        meshes: list[tuple[_Table, Ints, Ints]] = []
        members = np.flatnonzero(self.role == role)
        samples = members[:: max(1, len(members) // SAMPLES)].tolist()
        for table in tables:
            number = 0
            while number < len(table.ports):
                clique = _usual_clique(table.to, table.ports[number:], samples)
                ports = table.ports[number : number + clique.ports]
                if clique.members > 1:
                    meshes.append((table, ports, table.members(ports, clique.width)))
                else:
                    left.append((table, int(ports[0])))
                number += clique.ports
        for table in tables:
            table.mend(tables, [port for own, port in left if own is table])
        for table, ports, digit in meshes:
            reach.mesh(table, ports, digit)
        if left and meshes and len(reach.parts) < self.size[role]:
            self._across(role, reach, meshes, left)
        for table, port in left:
            reach.walk(table.to[port])
        return Group(reach.parts, reach.at)

    def _across(
        self, role: int, reach: _Reach, meshes: list[tuple[_Table, Ints, Ints]], left: list[tuple[_Table, int]]
    ) -> None:
        """Reach the other groups of a dragonfly: groups (full meshes inside) that form a full mesh by their left ports
        taken together."""
        members = np.flatnonzero(self.role == role)
        edges = [(members, table.to[port][members]) for table, ports, _ in meshes for port in ports.tolist()]
        ends = [np.concatenate(side) for side in zip(*edges, strict=True)]
        there = ends[1] >= 0
        graph = csr_matrix(
            (np.ones(int(there.sum())), (ends[0][there], ends[1][there])), shape=(self.machine.parts,) * 2
        )
        if all(len(ports) > 1 for _, ports, _ in meshes):  # a cable into another group closes no triangle
            graph = (graph @ graph).multiply(graph)
            graph.eliminate_zeros()
        label = _relabelled(connected_components(graph, directed=False)[1], members)
        count = int(label.max()) + 1
        inner = np.column_stack([digit for _, _, digit in meshes])[members]
        for major in (True, False):
            slot, far = _slots(members, inner, left, major)
            each = _group_numbers(label, members, slot, far, left, count)
            if each is not None:
                reach.all_of(members, np.column_stack([each[label[members]], inner]))
                return


@define(eq=False)
class _Table:
    """Of each port and part of a role the part and the port that it leads to within the role; -1 where to none."""

    ports: Ints
    to: Ints
    port: Ints

    @classmethod
    def of(cls, relation: Relation, relations: list[Relation], parts: int) -> _Table:
        max_ports = max(int(r.port.max()) for r in relations if r.near == r.far == relation.near) + 1
        to, port = np.full((max_ports, parts), -1, dtype=np.int64), np.full((max_ports, parts), -1, dtype=np.int64)
        to[relation.port, relation.u] = relation.v
        port[relation.port, relation.u] = relation.far_port - relation.start
        return cls(np.unique(relation.port), to, port)

    def mend(self, tables: list[_Table], among: list[int]) -> None:
        """Put in the place of a step through one of some ports what most ways round it say: out by another port, the
        step there, and back. A cable that is swapped is led by no way round it, and all lead to the part that it
        should get to."""
        ways = [(table, port) for table in tables for port in table.ports.tolist()]
        if len(ways) > 64:
            return
        mended = self.to.copy()
        for port in among:
            votes = []
            for table, other in ways:
                if table is self and other == port:
                    continue
                out = table.to[other]
                step = np.where(out >= 0, self.to[port][out], -1)
                back = table.port[other]
                told_by = (step >= 0) & (step != np.arange(len(step))) & (back >= 0) & (back < len(table.to))
                vote = np.full(len(step), -1, dtype=np.int64)
                vote[told_by] = table.to[back[told_by], step[told_by]]
                votes.append(vote)
            if len(votes) < 2:
                continue
            told = np.stack(votes)
            part, way = np.nonzero(told.T >= 0)
            usual = np.full(told.shape[1], -1, dtype=np.int64)
            seen = np.unique(part)
            usual[seen] = _modes(np.searchsorted(seen, part), told.T[part, way], len(seen))
            support = (told == usual).sum(axis=0)
            own = (told == self.to[port]).sum(axis=0)
            wrong = (usual >= 0) & (own == 0) & (support >= 2) & (2 * support > (told >= 0).sum(axis=0))
            mended[port] = np.where(wrong & (usual != np.arange(len(usual))), usual, mended[port])
        self.to = mended

    def members(self, ports: Ints, width: int) -> Ints:
        """Return the number of each part in its full mesh over these ports, `width` to each other member, [P]: member i
        is met at port i - 1 by those before it, at port i by those behind. The part has the number that most of its
        cables say."""
        there = self.port[ports] >= 0
        far = (self.port[ports] - ports[0]) // width
        own = (np.arange(len(ports)) // width)[:, None]
        votes = [((far == np.where(own < n, n - 1, n)) & there).sum(axis=0) for n in range(len(ports) // width + 1)]
        return np.asarray(np.argmax(np.stack(votes), axis=0), dtype=np.int64)


@define(eq=False)
class _Reach:
    """Parts that have an address so far."""

    count: int
    parts: Ints
    at: Ints
    known: NDArray[np.bool_] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.known = np.zeros(self.count, dtype=bool)
        self.known[self.parts] = True

    def _add(self, steps: list[tuple[Ints, Ints]], own: Ints) -> None:
        steps = [step for step in steps if len(step[0])]
        if steps:
            self.at = np.concatenate([np.column_stack([own, self.at]), *(step[1] for step in steps)])
            self.parts = np.concatenate([self.parts, *(step[0] for step in steps)])

    def mesh(self, table: _Table, ports: Ints, digit: Ints) -> None:
        """Reach the other members of full meshes, by the number that they have there or by the port that leads
        there."""
        root = int(self.parts[0])
        around = np.unique([root, *table.to[ports, root].tolist()])
        numbered = len(np.unique(digit[around])) == len(around)
        steps = []
        for n, port in enumerate(ports.tolist()):
            to = table.to[port][self.parts]
            which = digit[to] if numbered else np.full(len(to), n + 1)
            steps.append(_new(self.known, to, self.at, which))
        own = digit[self.parts] if numbered else np.zeros(len(self.parts), np.int64)
        self._add(steps, own)

    def walk(self, step: Ints) -> None:
        """Reach layer after layer through one port until it leads to what is known."""
        self._add(list(_walk(step, self.known, self.parts, self.at)), np.zeros(len(self.parts), np.int64))

    def all_of(self, parts: Ints, at: Ints) -> None:
        """Take addresses of all parts of a role."""
        self.parts, self.at = parts, at
        self.known[parts] = True


def _relabelled(label: Ints, members: Ints) -> Ints:
    """Component numbers of members from 0 on, [P]."""
    relabelled = np.zeros(len(label), dtype=np.int64)
    relabelled[members] = np.unique(label[members], return_inverse=True)[1].ravel()
    return relabelled


def _slots(
    members: Ints, inner: Ints, left: list[tuple[_Table, int]], major: bool
) -> tuple[Ints, list[tuple[Ints, Ints]]]:
    """Return the number of each port of a group among all that are left, [ports, P], member by member or (not `major`)
    port by port; and the part and the number of the port that each leads to."""
    sizes = tuple((inner.max(axis=0) + 1).tolist())
    place = np.ravel_multi_index(tuple(inner.T), sizes)
    total, many = int(np.prod(sizes)), len(left)
    max_parts = max(int(table.to.shape[1]) for table, _ in left)
    slot = np.full((many, max_parts), -1, dtype=np.int64)
    for n in range(many):
        slot[n, members] = place * many + n if major else n * total + place
    number = {port: n for n, (_, port) in enumerate(left)}
    far = []
    for table, port in left:
        to, at = table.to[port][members], table.port[port][members]
        which = np.asarray([number.get(p, -1) for p in at.tolist()], dtype=np.int64)
        far.append((to, np.where((to >= 0) & (which >= 0), slot[which, to], -1)))
    return slot, far


def _group_numbers(
    label: Ints, members: Ints, slot: Ints, far: list[tuple[Ints, Ints]], left: list[tuple[_Table, int]], count: int
) -> Ints | None:
    """Return the number of each group in the full mesh of groups; None where they form none in this order of ports."""
    own = np.concatenate([slot[n, members] for n in range(len(left))])
    there = np.concatenate([each[1] for each in far])
    group = np.tile(label[members], len(left))
    used = there >= 0
    own, there, group = own[used], there[used], group[used]
    for trunk in range(1, max(1, len(left) * len(members) // max(1, count * (count - 1))) + 1):
        mine, theirs = own // trunk, there // trunk
        votes = np.stack(
            [np.bincount(group[theirs == np.where(mine < n, n - 1, n)], minlength=count) for n in range(count)]
        )
        total = np.maximum(np.bincount(group, minlength=count), 1)
        number = np.argmax(votes, axis=0)
        if len(np.unique(number)) == count and (votes.max(axis=0) >= 0.8 * total).all():
            return np.asarray(number, dtype=np.int64)
    return None


def _new(known: NDArray[np.bool_], to: Ints, base: Ints, digit: Ints) -> tuple[Ints, Ints]:
    """Return the parts `to` that are not known yet, each once, with the address that has one more digit."""
    _, first = np.unique(to, return_index=True)
    first = np.sort(first)
    first = first[(to[first] >= 0) & ~known[to[first]]]
    known[to[first]] = True
    return to[first], np.column_stack([digit[first], base[first]])


def _walk(step: Ints, known: NDArray[np.bool_], parts: Ints, at: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Layer after layer through one port until it leads to what is known."""
    digit, layer, base = 0, parts, at
    while len(layer):
        digit += 1
        fresh, places = _new(known, step[layer], base, np.full(len(layer), digit))
        yield fresh, places
        layer, base = fresh, places[:, 1:]


@frozen
class _Clique:
    """Ports from a first one on that lead to parts which all meet each other, `width` ports to each."""

    members: int
    width: int

    @property
    def ports(self) -> int:
        return self.members * self.width


def _usual_clique(table: Ints, ports: Ints, roots: list[int]) -> _Clique:
    """Return the full mesh that the ports lead to from most of some parts."""
    return Counter(_clique(table, ports, root) for root in roots).most_common(1)[0][0]


def _clique(table: Ints, ports: Ints, root: int) -> _Clique:
    """Return the full mesh that the ports lead to from a part, as far as each of them has a cable."""
    to = table[ports, root]
    free = np.flatnonzero(to < 0)
    to = to[: free[0]] if len(free) else to
    begins = np.append(np.flatnonzero(np.diff(to, prepend=-1)), len(to))
    members, strands = to[begins[:-1]].tolist(), np.diff(begins).tolist()
    run = 0
    around: list[set[int]] = []
    for member, width in zip(members, strands, strict=True):
        if width < strands[0] or member in members[:run] or not all(member in each for each in around):
            break
        run += 1
        around.append(set(table[:, member].tolist()))
        if width > strands[0]:  # what comes next of it is another mesh
            break
    return _Clique(run, strands[0]) if run > 1 else _Clique(1, 1)


def _agreed(v: Ints, own: Ints, at: Ints) -> Group | None:
    """Return each part once, with what most of the rows `at` say of it: the same in all of them, or so much more from
    each of its ports `own` to the next. None where a digit does neither, or parts are not told apart."""
    order = np.lexsort((own, v))
    v, own, at = v[order], own[order], at[order]
    again = v[1:] == v[:-1]
    parts, back = np.unique(v, return_inverse=True)
    if not again.any():
        return None
    columns = []
    for column in at.T:
        rise, step = np.diff(column)[again], np.diff(own)[again]
        whole = rise % np.maximum(step, 1) == 0
        slopes, count = np.unique(rise[whole] // np.maximum(step[whole], 1), return_counts=True)
        if not len(slopes) or 2 * count.max() < len(rise):
            return None
        base = column - slopes[np.argmax(count)] * own
        columns.append(_modes(back.ravel(), base, len(parts), 0.5))
    column_stack = np.column_stack(columns)
    distinct, first = np.unique(column_stack, axis=0, return_index=True)
    if 20 * len(distinct) < 19 * len(parts):
        return None
    twice = np.setdiff1d(np.arange(len(parts)), first)
    if len(twice):
        column_stack[twice] = free_rows(column_stack[first], len(twice))
    return Group(parts, column_stack)


def _modes(group: Ints, values: Ints, count: int, share: float = 1.0) -> Ints:
    """Return the least of the values of each group that are at least `share` as frequent as its most frequent one,
    [count]."""
    pairs, times = np.unique(np.stack([group, values]), axis=1, return_counts=True)
    max_times = np.zeros(count, dtype=np.int64)
    np.maximum.at(max_times, pairs[0], times)
    pairs = pairs[:, times >= share * max_times[pairs[0]]]
    order = np.lexsort((pairs[1], pairs[0]))
    first = order[np.flatnonzero(np.diff(pairs[0][order], prepend=-1))]
    return np.asarray(pairs[1][first], dtype=np.int64)


def free_rows(taken: Ints, count: int) -> Ints:
    """Addresses that nothing has: gaps between those that are taken, or else beyond them."""
    low = taken.min(axis=0)
    sizes = tuple((taken.max(axis=0) - low + 1).tolist())
    if prod(sizes) <= 4 * len(taken) + 64:
        free = np.ones(prod(sizes), dtype=bool)
        free[np.ravel_multi_index(tuple((taken - low).T), sizes)] = False
        gaps = np.column_stack(np.unravel_index(np.flatnonzero(free)[:count], sizes)) + low
        if len(gaps) == count:
            return np.asarray(gaps)
    repeat = np.repeat(taken.max(axis=0)[None], count, axis=0)
    repeat[:, 0] += 1 + np.arange(count)
    return repeat


def _unravelled(port: Ints, shape: tuple[int, ...]) -> Ints:
    return np.column_stack(np.unravel_index(port, shape)) if shape else np.empty((len(port), 0), np.int64)
