"""Orbits of devices and cables under the group of a plan, one member of each, and what cables it has.

The group is a product over classes of digits, so the orbit of a tuple of devices is known by its digits, class by
class: by the blocks of the values and by which of them are equal, or under rotations by their differences. With a
source given, all that is counted is under the symmetries that keep it. The cables of one member are found by
running the rules backward from its digits; digits that are free take one value of each orbit, with its size. Nothing is
expanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.quotient.group import (
    ClassGroup,
    Digit,
    Fixed,
    FromAxis,
    PlanGroup,
    ProvedEnd,
    ProvedRule,
    Worked,
)
from unifiedbus_dsl.ir.plan.index import evaluate

MOST_ROWS = 400_000
"""Members and cables that are listed at a time."""
MOST_LISTED = 32 * MOST_ROWS
"""Candidates that are looked through for these."""
LARGEST = 1 << 62


@frozen(eq=False)
class Known:
    """Digits that are known already: columns of values, [rows] each, with their classes."""

    columns: tuple[Ints, ...]
    classes: tuple[int, ...]

    def of_class(self, which: int) -> list[Ints]:
        return [column for column, of in zip(self.columns, self.classes, strict=True) if of == which]

    def taken(self, rows: Ints) -> Known:
        return Known(tuple(column[rows] for column in self.columns), self.classes)

    def plus(self, columns: Sequence[Ints], classes: Sequence[int]) -> Known:
        return Known((*self.columns, *columns), (*self.classes, *classes))


NOTHING = Known((), ())


def candidates(group: ClassGroup, known: list[Ints], rows: int, limit: int) -> tuple[Ints, Ints, Ints]:
    """Return one value of each orbit of values below `limit` under what keeps the known ones: the row, the value and
    the size of the orbit.

    Raises:
        NotProvedError: there are too many.
    """
    lone = group.rigid or (group.cyclic and bool(known))
    if rows * (limit if lone else group.blocks + len(known)) > (MOST_ROWS if lone else MOST_LISTED):
        raise NotProvedError("too many orbits of digits")
    if lone:
        return np.repeat(np.arange(rows), limit), np.tile(np.arange(limit), rows), np.ones(rows * limit, dtype=np.int64)
    if group.cyclic:
        return np.arange(rows), np.zeros(rows, dtype=np.int64), np.full(rows, group.size, dtype=np.int64)
    values, sizes = [], []
    left = np.tile(group.block_size, (rows, 1))
    fresh = [np.ones(rows, dtype=bool) for _ in known]
    for k, column in enumerate(known):
        for before in known[:k]:
            fresh[k] &= before != column
        values.append(column)
        sizes.append(fresh[k].astype(np.int64))
        left[np.arange(rows)[fresh[k]], group.label[column[fresh[k]]]] -= 1
    first = np.full((rows, group.blocks), -1, dtype=np.int64)
    for nth in range(len(known) + 1):
        there = nth < group.block_size
        value = group.members[np.where(there, group.start + nth, 0)]
        free = np.broadcast_to(there, first.shape) & (first < 0)
        for column in known:
            free = free & (column[:, None] != value)
        first = np.where(free, value, first)
    values += list(first.T)
    sizes += list(np.where(first >= 0, left, 0).T)
    value, size = np.stack(values, axis=1), np.stack(sizes, axis=1)
    row, at = np.nonzero((size > 0) & (value < limit))
    return row, value[row, at], size[row, at]


def code(group: ClassGroup, value: Ints, known: list[Ints]) -> tuple[Ints, int]:
    """Return a number of the orbit of a value under what keeps the known ones, and how many there are."""
    if group.rigid:
        return value, group.size
    if group.cyclic:
        return (np.zeros_like(value), 1) if not known else ((value - known[0]) % group.size, group.size)
    codes = len(known) + group.label[value]
    for k in range(len(known) - 1, -1, -1):
        codes = np.where(known[k] == value, k, codes)
    return codes, len(known) + group.blocks


@frozen(eq=False)
class Members:
    """One device of each orbit of a place: its digits [rows, digits], how many devices the orbit has, and its key."""

    digits: Ints
    size: Ints
    key: Ints


@frozen(eq=False)
class Arcs:
    """Orbits of arcs out of one vertex of each orbit: `count` cables lead from node `tail` to nodes `head`. `orbit` is
    that of the arcs under the whole group."""

    tail: Ints
    head: Ints
    kind: Ints
    orbit: Ints
    count: Ints


@define(eq=False)
class OrbitNumbers:
    """Numbers of the orbits of arcs under the whole group, given as they are met; and for each that of the arcs the
    other way."""

    numbers: dict[tuple[int, int, int, int, int, int], int] = field(factory=dict)
    mirror: dict[int, int] = field(factory=dict)

    def of(self, head: tuple[int, int, int], left: Ints, right: Ints, key: Ints) -> Ints:
        """Return the numbers of arcs between two places of a kind, by their vertices and keys."""
        rows = np.stack([left, right, key], axis=1)
        distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
        numbers = [
            self.numbers.setdefault((*head, int(v), int(w), int(k)), len(self.numbers)) for v, w, k in distinct.tolist()
        ]
        return np.array(numbers, dtype=np.int64)[inverse.ravel()]


@frozen(eq=False)
class Cells:
    """Orbits of vertices under the group that keeps a source (None: the whole group). Node `start[p] + row * V + v` is
    vertex v of the devices of row `row` of place p, whose type has V vertices."""

    group: PlanGroup
    source: tuple[int, Ints] | None
    members: tuple[Members, ...]
    start: Ints
    place: Ints
    row: Ints
    vertex: Ints
    size: Ints
    arcs: Arcs

    @property
    def nodes(self) -> int:
        return len(self.place)

    def node(self, place: int, row: int, vertex: int = 0) -> int:
        wiring = self.group.wiring
        return int(self.start[place]) + row * wiring.vertices[wiring.places[place].device] + vertex

    def row_of(self, place: int, digits: Ints) -> Ints:
        """Return the row of the orbit of each device of a place, given by its digits, [rows, digits]."""
        known = NOTHING if self.source is None else _known(self.group, *self.source)
        columns = list(digits.T)
        if not columns:
            return np.zeros(len(digits), dtype=np.int64)
        key = _key(self.group, _spread(known, len(digits)), columns, [d.of for d in self.group.places[place]])
        return np.searchsorted(self.members[place].key, key)

    def addresses(self, place: int) -> Ints:
        """Return the address of the member of each row of a place."""
        table = self.members[place].digits
        strides = np.array([digit.stride for digit in self.group.places[place]], dtype=np.int64)
        return np.asarray(table @ strides) if len(strides) else np.zeros(len(table), dtype=np.int64)

    def address(self, place: int, row: int) -> int:
        """Return the address of the member of a row."""
        digits = self.group.places[place]
        return int(sum(d.stride * int(v) for d, v in zip(digits, self.members[place].digits[row], strict=True)))


def cells_of(group: PlanGroup, numbers: OrbitNumbers, source: tuple[int, Ints] | None = None) -> Cells:
    """Return the orbits of vertices and arcs under the symmetries that keep a source, given by its place and digits.

    Raises:
        NotProvedError: there are too many.
    """
    known = NOTHING if source is None else _known(group, *source)
    members = tuple(_members(group, known, digits) for digits in group.places)
    wiring = group.wiring
    many = [wiring.vertices[place.device] for place in wiring.places]
    counts = [len(each.size) * v for each, v in zip(members, many, strict=True)]
    start = np.cumsum([0, *counts])
    place = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(start[-1]) - start[place]
    row, vertex = np.divmod(within, np.array(many, dtype=np.int64)[place] if many else within)
    size = np.concatenate(
        [np.repeat(each.size, v) for each, v in zip(members, many, strict=True)] or [np.zeros(0, int)]
    )
    arcs = _arcs(group, known, members, start[:-1], many, numbers)
    return Cells(group, source, members, start[:-1], place, row, vertex, size, arcs)


def _known(group: PlanGroup, place: int, digits: Ints) -> Known:
    return Known(
        tuple(np.array([value], dtype=np.int64) for value in digits.tolist()), tuple(d.of for d in group.places[place])
    )


def _spread(known: Known, rows: int) -> Known:
    """Known digits of a single row, for each of many."""
    return Known(tuple(np.broadcast_to(column, rows) for column in known.columns), known.classes)


def _members(group: PlanGroup, source: Known, digits: Sequence[Digit]) -> Members:
    columns: list[Ints] = []
    size = np.ones(1, dtype=np.int64)
    for d, digit in enumerate(digits):
        known = _spread(source, len(size)).plus(columns, [each.of for each in digits[:d]])
        row, value, each = candidates(group.classes[digit.of], known.of_class(digit.of), len(size), digit.size)
        if len(row) > MOST_ROWS:
            raise NotProvedError("too many orbits of devices")
        columns = [*[column[row] for column in columns], value]
        size = size[row] * each
    rows = len(size)
    key = _key(group, _spread(source, rows), columns, [digit.of for digit in digits])
    order = np.argsort(key)
    table = np.stack(columns, axis=1) if columns else np.zeros((rows, 0), dtype=np.int64)
    return Members(table[order], size[order], key[order])


def _key(group: PlanGroup, known: Known, columns: Sequence[Ints], classes: Sequence[int]) -> Ints:
    """Return the orbit of a tuple of digits as one number."""
    rows = len(columns[0]) if columns else 1
    key, radix = np.zeros(rows, dtype=np.int64), 1
    there = {of: known.of_class(of) for of in set(classes)}
    for column, of in zip(columns, classes, strict=True):
        codes, count = code(group.classes[of], column, there[of])
        if radix * count > LARGEST:
            raise NotProvedError("too many digits")
        key, radix = key * count + codes, radix * count
        there[of] = [*there[of], column]
    return key


# ---- arcs ---------------------------------------------------------------------------------------------------------


def _arcs(
    group: PlanGroup,
    source: Known,
    members: Sequence[Members],
    start: Ints,
    many: Sequence[int],
    numbers: OrbitNumbers,
) -> Arcs:
    parts: list[Ints] = []
    for rule in group.rules:
        for here, there in ((rule.left, rule.right), (rule.right, rule.left))[: 1 if rule.one_way else 2]:
            parts.append(_arcs_of(group, source, members, start, many, numbers, rule, here, there))
    rows = np.concatenate(parts) if parts else np.zeros((0, 5), dtype=np.int64)
    count = rows[:, 4]
    distinct, inverse = np.unique(rows[:, :4], axis=0, return_inverse=True)
    total = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(total, inverse.ravel(), count)
    return Arcs(distinct[:, 0], distinct[:, 1], distinct[:, 2], distinct[:, 3], total)


@define(eq=False)
class _Reading:
    """A rule read backward: for each row a device `row` of the place of one end, values of digits of axes, and how many
    cables it stands for."""

    row: Ints
    values: dict[tuple[str, int], Ints]
    count: Ints

    def take(self, kept: Ints) -> None:
        if len(kept) > MOST_ROWS:
            raise NotProvedError("too many orbits of cables")
        self.row, self.count = self.row[kept], self.count[kept]
        self.values = {key: column[kept] for key, column in self.values.items()}

    def axis(self, rule: ProvedRule, name: str) -> Ints:
        total = np.zeros(len(self.row), dtype=np.int64)
        for d, digit in enumerate(rule.axes[name]):
            total = total + digit.stride * self.values[name, d]
        return total


def _arcs_of(
    group: PlanGroup,
    source: Known,
    members: Sequence[Members],
    start: Ints,
    many: Sequence[int],
    numbers: OrbitNumbers,
    rule: ProvedRule,
    here: ProvedEnd,
    there: ProvedEnd,
) -> Ints:
    """Rows (tail, head, kind, orbit, count) of the arcs of a rule out of one end."""
    own = members[here.end.place].digits
    reading = _Reading(np.arange(len(own)), {}, np.ones(len(own), dtype=np.int64))
    _invert(rule, here, own, reading)
    own_classes = [digit.of for digit in group.places[here.end.place]]
    for name, digits in rule.axes.items():
        for d, digit in enumerate(digits):
            if (name, d) in reading.values:
                continue
            _choose(group, source, rule, own, own_classes, reading, (name, d), digit)
    _hold(group, rule, here, own, reading)
    axes = {name: reading.axis(rule, name) for name in rule.axes}
    rows = len(reading.row)
    tail_vertex, head_vertex = (_vertices(end, axes, rows) for end in (here, there))
    columns = _digits_of(group, there, axes, reading, rows)
    classes = [digit.of for digit in group.places[there.end.place]]
    mine = [column[reading.row] for column in own.T]
    if here.end.place == there.end.place:
        loop = tail_vertex == head_vertex
        for a, b in zip(mine, columns, strict=True):
            loop = loop & (a == b)
        keep = np.flatnonzero(~loop)
        tail_vertex, head_vertex, rows = tail_vertex[keep], head_vertex[keep], len(keep)
        mine, columns = [column[keep] for column in mine], [column[keep] for column in columns]
        reading.take(keep)
    key = _key(group, _spread(source, rows), columns, classes) if columns else np.zeros(rows, dtype=np.int64)
    row = np.searchsorted(members[there.end.place].key, key)
    tail = start[here.end.place] + reading.row * many[here.end.place] + tail_vertex
    head = start[there.end.place] + row * many[there.end.place] + head_vertex
    pair = _key(group, NOTHING, [*mine, *columns], [*own_classes, *classes])
    pair = np.broadcast_to(pair, rows)
    orbit = numbers.of((here.end.place, there.end.place, rule.rule.kind), tail_vertex, head_vertex, pair)
    if not source.columns:
        back = np.broadcast_to(_key(group, NOTHING, [*columns, *mine], [*classes, *own_classes]), rows)
        other = numbers.of((there.end.place, here.end.place, rule.rule.kind), head_vertex, tail_vertex, back)
        numbers.mirror.update(zip(orbit.tolist(), other.tolist(), strict=True))
    return np.stack([tail, head, np.full(rows, rule.rule.kind), orbit, reading.count], axis=1)


def _invert(rule: ProvedRule, end: ProvedEnd, own: Ints, reading: _Reading) -> None:
    """Read the digits of axes that stand in the address of an end off the digits of its devices."""
    for d, source in enumerate(end.sources):
        column = own[reading.row, d]
        if isinstance(source, Fixed):
            reading.take(np.flatnonzero(column == source.value))
        elif isinstance(source, FromAxis):
            digit = rule.axes[source.axis][source.digit]
            value = (column - source.shift) % digit.size if source.shift else column
            kept = value < digit.size
            before = reading.values.get((source.axis, source.digit))
            if before is not None:
                kept &= before == value
            else:
                reading.values[source.axis, source.digit] = value
            reading.take(np.flatnonzero(kept))


def _choose(
    group: PlanGroup,
    source: Known,
    rule: ProvedRule,
    own: Ints,
    own_classes: Sequence[int],
    reading: _Reading,
    at: tuple[str, int],
    digit: Digit,
) -> None:
    """Let a free digit take one value of each orbit."""
    chosen = [(rule.axes[name][d].of, column) for (name, d), column in reading.values.items()]
    known = [np.broadcast_to(c, len(reading.row)) for c in source.of_class(digit.of)]
    known += [own[reading.row, d] for d, of in enumerate(own_classes) if of == digit.of]
    known += [column for of, column in chosen if of == digit.of]
    row, value, size = candidates(group.classes[digit.of], known, len(reading.row), digit.size)
    reading.take(row)
    reading.values[at] = value
    reading.count = reading.count * size


def _hold(group: PlanGroup, rule: ProvedRule, here: ProvedEnd, own: Ints, reading: _Reading) -> None:
    """Leave out what is no cable: a condition fails, or digits that are worked out are others."""
    axes = {name: reading.axis(rule, name) for name in rule.axes}
    kept = np.ones(len(reading.row), dtype=bool)
    for part in rule.where:
        kept &= np.asarray(evaluate(part, axes), dtype=bool)
    for one, other in rule.unequal:
        kept &= axes[one] != axes[other]
    if any(isinstance(source, Worked) for source in here.sources):
        for d, value in _worked(group, here, axes, len(kept)):
            kept &= value == own[reading.row, d]
    reading.take(np.flatnonzero(kept))


def _worked(group: PlanGroup, end: ProvedEnd, axes: Mapping[str, Ints], rows: int) -> Iterator[tuple[int, Ints]]:
    """Yield the digits of an address that are worked out, by their numbers."""
    address = np.broadcast_to(evaluate(end.end.address, axes), rows)
    for d, (digit, source) in enumerate(zip(group.places[end.end.place], end.sources, strict=True)):
        if isinstance(source, Worked):
            yield d, address // digit.stride % digit.size


def _digits_of(group: PlanGroup, end: ProvedEnd, axes: Mapping[str, Ints], reading: _Reading, rows: int) -> list[Ints]:
    """Return the digits of the address of an end, [rows] each."""
    worked = dict(_worked(group, end, axes, rows)) if any(isinstance(source, Worked) for source in end.sources) else {}
    columns = []
    for d, (digit, source) in enumerate(zip(group.places[end.end.place], end.sources, strict=True)):
        if isinstance(source, Fixed):
            columns.append(np.full(rows, source.value, dtype=np.int64))
        elif isinstance(source, FromAxis):
            value = reading.values[source.axis, source.digit]
            columns.append((value + source.shift) % digit.size if source.shift else value)
        else:
            columns.append(worked[d])
    return columns


def _vertices(end: ProvedEnd, axes: Mapping[str, Ints], rows: int) -> Ints:
    """Return the vertex of an end in each row."""
    if end.vertex is not None:
        return np.full(rows, end.vertex, dtype=np.int64)
    return np.broadcast_to(end.end.vertex_of[evaluate(end.end.port, axes)], rows)
