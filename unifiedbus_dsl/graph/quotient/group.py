"""The symmetries of a plan, proved on its rules: one group for each class of digits.

Digits of places and axes that rules tie together are one **class**: whatever permutes its values permutes them in all
of these digits at once. Each class has a group:
- where digits stand bare on both sides, all permutations that keep the **blocks** of its values. Values are parted into
  blocks by all that tells them apart: constants, ranges that end early, conditions, tables, and arithmetic that is no
  mixed radix. A class of which each value is a block has no symmetry.
- where digits are shifted, `(x + 1) mod n`, the rotations, if nothing parts its values.

`where i < j` parts nothing if exchanging i and j exchanges the two ends of each cable: the rule is then the one of all
i != j, in one direction. Ports of one forwarding vertex are alike, so their subscripts matter as far as they choose it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import TypeAlias

import numpy as np
from attrs import define, evolve, field, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.quotient.addresses import End, NotProvedError, WiredRule, Wiring
from unifiedbus_dsl.graph.quotient.digits import Address, Chains, Link, Node, Opaque, Term, read_address
from unifiedbus_dsl.ir.plan import Axis, IndexExpr, Op, Var
from unifiedbus_dsl.ir.plan.algebra import interval_of
from unifiedbus_dsl.ir.plan.index import axes_used, conjuncts, evaluate

BITS = ("@0", "@1")
"""Axes of a mesh of two values."""
MOST_POINTS = 1 << 22
"""Points over which a condition or a table is looked at."""
MOST_VALUES = 1 << 22
"""Values of a class of digits."""


@frozen(eq=False)
class ClassGroup:
    """The group of a class of digits of values 0 … size - 1: `label` is the block of each value."""

    size: int
    cyclic: bool
    label: Ints
    blocks: int
    block_size: Ints
    members: Ints
    """Values in order of their blocks."""
    start: Ints

    @classmethod
    def of(cls, label: Ints, cyclic: bool) -> ClassGroup:
        _, dense = np.unique(label, return_inverse=True)
        sizes = np.bincount(dense)
        cyclic = cyclic and len(sizes) == 1
        members = np.argsort(dense, kind="stable")
        return cls(len(dense), cyclic, dense.astype(np.int64), len(sizes), sizes, members, np.cumsum(sizes) - sizes)

    @property
    def rigid(self) -> bool:
        """Whether no value goes to another."""
        return not self.cyclic and self.blocks == self.size


@frozen
class Digit:
    """A digit of a place or of an axis: its stride, how many values it has, and the class of these."""

    stride: int
    size: int
    of: int


@frozen
class FromAxis:
    """A digit of an address that is one of an axis, shifted round."""

    axis: str
    digit: int
    shift: int


@frozen
class Fixed:
    """A digit of an address that is a constant."""

    value: int


@frozen
class Worked:
    """A digit of an address that is worked out from the values of the axes."""


Source: TypeAlias = FromAxis | Fixed | Worked


@frozen(eq=False)
class ProvedEnd:
    """An end of a rule: where each digit of its address comes from, and the vertex, None where the port decides it."""

    end: End
    sources: tuple[Source, ...]
    vertex: int | None


@frozen(eq=False)
class ProvedRule:
    """A rule in digits. `unequal` are two axes that differ; `one_way` whether all arcs go from left to right already;
    `where` what else has to hold."""

    rule: WiredRule
    left: ProvedEnd
    right: ProvedEnd
    axes: Mapping[str, tuple[Digit, ...]]
    unequal: tuple[tuple[str, str], ...]
    one_way: bool
    where: tuple[IndexExpr, ...]


@frozen(eq=False)
class PlanGroup:
    """The group of a plan: digits of each place, the group of each class, and the rules in these digits."""

    wiring: Wiring
    places: tuple[tuple[Digit, ...], ...]
    classes: tuple[ClassGroup, ...]
    rules: tuple[ProvedRule, ...]


@frozen
class Mark:
    """Devices that are told apart: those of a place whose address, over `inside`, is `number`."""

    place: int
    inside: int
    number: int


@frozen
class Parting:
    """Values of a digit of a place, by its stride, that are told apart by their labels."""

    place: int
    stride: int
    label: tuple[int, ...]


def group_of(wiring: Wiring, marks: Iterable[Mark] = (), partings: Iterable[Parting] = ()) -> PlanGroup:
    """Return the symmetries of a plan that keep the marked devices, and the labels of digits.

    Raises:
        NotProvedError: the rules are beyond what is looked at.
    """
    return _Prover(wiring).prove(list(marks), list(partings))


@define(eq=False)
class _Prover:
    wiring: Wiring
    chains: Chains = field(factory=Chains)
    parent: dict[tuple[Node, int], tuple[Node, int]] = field(factory=dict)
    labels: dict[tuple[Node, int], Ints] = field(factory=dict)
    shifted: set[tuple[Node, int]] = field(factory=set)
    meshes: dict[int, int] = field(factory=dict)
    """The digit of a place that is a mesh of two values, by rule."""

    def prove(self, marks: Sequence[Mark], partings: Sequence[Parting]) -> PlanGroup:
        wiring = self.wiring
        for number, place in enumerate(wiring.places):
            self.chains.add_node((number, ""), place.count)
        for mark in marks:
            if not self.chains.part((mark.place, ""), frozenset((mark.inside,))):
                raise NotProvedError("parts that are told apart overlap")
        addresses: list[tuple[Address, Address]] = []
        for r, rule in enumerate(wiring.rules):
            for name, size in rule.sizes.items():
                self.chains.add_node((~r, name), size)
            left, right = self._address(r, rule, rule.left), self._address(r, rule, rule.right)
            addresses.append((left, right))
        for r, (rule, pair) in enumerate(zip(wiring.rules, addresses, strict=True)):
            for end, address in zip((rule.left, rule.right), pair, strict=True):
                self._tie(r, end, address)
        wired = [
            self._meshed(r, rule, *pair) for r, (rule, pair) in enumerate(zip(wiring.rules, addresses, strict=True))
        ]
        self._size_classes()
        rules = [self._rule(r, rule, *pair) for r, (rule, pair) in enumerate(zip(wired, addresses, strict=True))]
        for mark in marks:
            self._mark(mark)
        for parting in partings:
            node = (parting.place, "")
            strides = [stride for stride, _ in self.chains.digits(node)]
            self._part(node, strides.index(parting.stride), np.array(parting.label, dtype=np.int64))
        return self._group(rules)

    # ---- addresses and classes

    def _address(self, r: int, rule: WiredRule, end: End) -> Address:
        """Return the address of an end, its terms tied to the axes; worked out as a whole where they do not fit."""
        count = self.wiring.places[end.place].count
        address = read_address(end.address, rule.sizes, count)
        node = (end.place, "")
        ends = frozenset(
            stride
            for part, beyond in address.parts
            for stride in (part.coefficient, beyond)
            if isinstance(part, Opaque)
        )
        links = [Link(node, (~r, part.axis), part, beyond) for part, beyond in address.parts if isinstance(part, Term)]
        if self.chains.part(node, ends) and self.chains.add(links):
            return address
        return Address(((Opaque(tuple(rule.sizes), 1), count),), 0)

    def _find(self, digit: tuple[Node, int]) -> tuple[Node, int]:
        root = digit
        while (above := self.parent.get(root, root)) != root:
            root = above
        self.parent[digit] = root
        return root

    def _sources(self, r: int, end: End, address: Address) -> list[Source]:
        sources: list[Source] = []
        for stride, size in self.chains.digits((end.place, "")):
            part = address.part_at(stride)
            if isinstance(part, Opaque):
                sources.append(Worked())
            elif part is None or stride >= part.natural:
                sources.append(Fixed(address.constant // stride % size))
            else:
                at = part.low * stride // part.coefficient
                axis = [s for s, _ in self.chains.digits((~r, part.axis))]
                sources.append(FromAxis(part.axis, axis.index(at), part.shift))
        return sources

    def _tie(self, r: int, end: End, address: Address) -> None:
        for d, source in enumerate(self._sources(r, end, address)):
            if isinstance(source, FromAxis):
                one, other = self._find(((end.place, ""), d)), self._find(((~r, source.axis), source.digit))
                self.parent[one] = other
                if source.shift:
                    self.shifted.add(((end.place, ""), d))

    def _meshed(self, r: int, rule: WiredRule, left: Address, right: Address) -> WiredRule:
        """Return the rule; where it joins 0 to 1 of a digit of two values and all else is the same at both ends, that
        digit is the mesh of both values, over two more axes."""
        one, other = self._sources(r, rule.left, left), self._sources(r, rule.right, right)
        apart = [d for d, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
        same = rule.left.place == rule.right.place and not any(isinstance(source, Worked) for source in one)
        if not same or rule.where is not None or len(apart) != 1:
            return rule
        node, d = (rule.left.place, ""), apart[0]
        values = {source.value for source in (one[d], other[d]) if isinstance(source, Fixed)}
        vertex = _vertex(rule.left, rule.sizes)
        if values != {0, 1} or self.chains.digits(node)[d][1] != 2 or vertex != _vertex(rule.right, rule.sizes):
            return rule
        if vertex is None:
            return rule
        for name in BITS:
            self.chains.add_node((~r, name), 2)
            self.parent[self._find(((~r, name), 0))] = self._find((node, d))
        self.meshes[r] = d
        return evolve(rule, sizes={**rule.sizes, **dict.fromkeys(BITS, 2)}, where=Op("<", *map(Var, BITS)))

    def _size_classes(self) -> None:
        sizes: dict[tuple[Node, int], list[int]] = {}
        for node in self.chains.strides:
            for d, (_, size) in enumerate(self.chains.digits(node)):
                sizes.setdefault(self._find((node, d)), []).append(size)
        for root, size_classes in sizes.items():
            most = max(size_classes)
            if most > MOST_VALUES:
                raise NotProvedError("an array is too large")
            label = np.zeros(most, dtype=np.int64)
            for size in set(size_classes):
                label += np.arange(most) < size
            self.labels[root] = label

    def _part(self, node: Node, d: int, label: Ints) -> None:
        """Part the values of a class by the labels of those of one of its digits."""
        root = self._find((node, d))
        old = self.labels[root]
        full = np.full(len(old), -1, dtype=np.int64)
        full[: len(label)] = label
        self.labels[root] = np.unique(np.stack([old, full]), axis=1, return_inverse=True)[1].ravel()

    # ---- rules

    def _rule(self, r: int, rule: WiredRule, left: Address, right: Address) -> ProvedRule:
        ends = [
            self._end(r, rule, end, address, bit)
            for end, address, bit in zip((rule.left, rule.right), (left, right), BITS, strict=True)
        ]
        axes = {name: self.chains.digits((~r, name)) for name in rule.sizes}
        rest: list[IndexExpr] = []
        unequal: list[tuple[str, str]] = []
        one_way = False
        for part in conjuncts(rule.where):
            pair = _differ(part)
            if pair is None or not self._alike(r, rule, *pair):
                self._part_by(r, rule, part)
                rest.append(part)
            elif isinstance(part, Op) and part.op == "!=":
                unequal.append(pair)
            elif not one_way and _exchanged(ends[0], pair) == (ends[1].end.place, ends[1].sources, ends[1].vertex):
                unequal.append(pair)
                one_way = True
            else:
                self._part_by(r, rule, part)
                rest.append(part)
        if one_way and rest:  # what else has to hold would have to be exchanged too
            for part in conjuncts(rule.where):
                self._part_by(r, rule, part)
            rest, unequal, one_way = conjuncts(rule.where), [], False
        digits = {name: tuple(Digit(stride, size, -1) for stride, size in those) for name, those in axes.items()}
        return ProvedRule(rule, ends[0], ends[1], digits, tuple(unequal), one_way, tuple(rest))

    def _end(self, r: int, rule: WiredRule, end: End, address: Address, bit: str) -> ProvedEnd:
        sources = self._sources(r, end, address)
        if r in self.meshes:
            sources[self.meshes[r]] = FromAxis(bit, 0, 0)
        for d, source in enumerate(sources):
            node = (end.place, "")
            size = self.chains.digits(node)[d][1]
            if isinstance(source, Fixed):
                self._part(node, d, np.arange(size) == source.value)
            elif isinstance(source, Worked):
                self._part(node, d, np.arange(size))
        for part, beyond in address.parts:
            if isinstance(part, Opaque):
                self._part_by(r, rule, end.address, part.axes, (part.coefficient, beyond))
        vertex = _vertex(end, rule.sizes)
        if vertex is None:
            self._part_by(r, rule, end.port, table=end.vertex_of)
        return ProvedEnd(end, tuple(sources), vertex)

    def _part_by(
        self,
        r: int,
        rule: WiredRule,
        expr: IndexExpr,
        axes: tuple[str, ...] | None = None,
        within: tuple[int, int] | None = None,
        table: Ints | None = None,
    ) -> None:
        """Part the digits of axes by what an expression makes of them: slices of its values that are the same."""
        names = list(dict.fromkeys(axes_used(expr)))
        used = [name for name in names if axes is None or name in axes]
        shape = [rule.sizes[name] for name in used]
        if prod(shape) > MOST_POINTS:
            raise NotProvedError("a condition over too many points")
        grid = {name: np.zeros(1, dtype=np.int64) for name in names}
        for d, name in enumerate(used):
            grid[name] = np.arange(rule.sizes[name]).reshape([-1 if k == d else 1 for k in range(len(used))])
        values = np.broadcast_to(np.asarray(evaluate(expr, grid)), shape or [1]).astype(np.int64)
        if within is not None:
            values = values // within[0] % (within[1] // within[0])
        if table is not None:
            values = table[values]
        digits = [(name, d, size) for name in used for d, (_, size) in reversed(list(enumerate(self._axis(r, name))))]
        values = values.reshape([size for _, _, size in digits])
        for place, (name, d, size) in enumerate(digits):
            rows = np.moveaxis(values, place, 0).reshape(size, -1)
            if (rows == rows[0]).all():
                continue
            self._part((~r, name), d, np.unique(rows, axis=0, return_inverse=True)[1].ravel())

    def _axis(self, r: int, name: str) -> list[tuple[int, int]]:
        return self.chains.digits((~r, name))

    def _alike(self, r: int, rule: WiredRule, one: str, other: str) -> bool:
        """Return whether the digits of two axes are the same, one by one."""
        if self._axis(r, one) != self._axis(r, other):
            return False
        return all(self._find(((~r, one), d)) == self._find(((~r, other), d)) for d in range(len(self._axis(r, one))))

    # ---- the end

    def _mark(self, mark: Mark) -> None:
        node = (mark.place, "")
        for d, (stride, size) in enumerate(self.chains.digits(node)):
            if stride >= mark.inside:
                self._part(node, d, np.arange(size) == mark.number * mark.inside // stride % size)

    def _group(self, rules: list[ProvedRule]) -> PlanGroup:
        roots = list(self.labels)
        number = {root: n for n, root in enumerate(roots)}
        sizes: dict[tuple[Node, int], set[int]] = {}
        for node in self.chains.strides:
            for d, (_, size) in enumerate(self.chains.digits(node)):
                sizes.setdefault(self._find((node, d)), set()).add(size)
        shifted = {self._find(each) for each in self.shifted}
        classes = []
        for root in roots:
            label, turns = self.labels[root], root in shifted
            if turns and (len(sizes[root]) > 1 or (label != label[0]).any()):
                label, turns = np.arange(len(label)), False
            classes.append(ClassGroup.of(label, turns))

        def digits(node: Node) -> tuple[Digit, ...]:
            return tuple(
                Digit(stride, size, number[self._find((node, d))])
                for d, (stride, size) in enumerate(self.chains.digits(node))
            )

        places = tuple(digits((p, "")) for p in range(len(self.wiring.places)))
        done = [evolve(rule, axes={name: digits((~r, name)) for name in rule.axes}) for r, rule in enumerate(rules)]
        return PlanGroup(self.wiring, places, tuple(classes), tuple(done))


def _differ(part: IndexExpr) -> tuple[str, str] | None:
    """Return the two axes of `i < j`, `i > j` or `i != j`."""
    match part:
        case Op("<" | ">" | "!=", Var(one), Var(other)):
            return one, other
    return None


def _exchanged(end: ProvedEnd, pair: tuple[str, str]) -> tuple[int, tuple[Source, ...], int | None]:
    """Return what an end is with two axes exchanged; its vertex is no number if the port decides it."""
    names = {pair[0]: pair[1], pair[1]: pair[0]}
    sources = tuple(
        evolve(source, axis=names.get(source.axis, source.axis)) if isinstance(source, FromAxis) else source
        for source in end.sources
    )
    blind = end.vertex is None or any(isinstance(source, Worked) for source in sources)
    return (-1 if blind else end.end.place), sources, end.vertex


def _vertex(end: End, sizes: Mapping[str, int]) -> int | None:
    """Return the vertex of an end; None where the ports that it may have are of several."""
    span = interval_of(end.port, {name: Axis(name, 0, size - 1) for name, size in sizes.items()})
    used = end.vertex_of[max(end.first, span.low) : min(end.stop, span.high + 1)]
    return int(used[0]) if len(used) and (used == used[0]).all() else None
