"""Addresses as mixed-radix numbers whose digits are digits of the axes of a rule.

An address `8*b + s` has the digits s and b, and `2*p + c div 64` ties its low digit to the high one of c. Each place
and each axis has a chain of strides, each a divisor of the next; a rule carries strides over from an axis to a place
and back, until all fit. An address that does not fit is left as an expression: nothing is proved of its digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from attrs import define, evolve, field, frozen

from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Op, Var
from unifiedbus_dsl.ir.plan.algebra import Affine, affine, from_affine, interval_of, simplify
from unifiedbus_dsl.ir.plan.index import axes_used


@frozen
class Term:
    """`coefficient * digit` of an address: `(axis div low + shift) mod (high / low)`."""

    axis: str
    low: int
    high: int
    shift: int
    coefficient: int = 1

    @property
    def natural(self) -> int:
        """What the digit with its coefficient stays below."""
        return self.coefficient * (self.high // self.low)


@frozen
class Opaque:
    """A part of an address of which nothing is known but the axes that it uses; it begins at this stride."""

    axes: tuple[str, ...]
    coefficient: int


@frozen
class Address:
    """A mixed radix: parts by rising coefficient, each with the stride that its digits end at, and a constant."""

    parts: tuple[tuple[Term | Opaque, int], ...]
    constant: int

    def part_at(self, stride: int) -> Term | Opaque | None:
        """Return the part that the digit of a stride belongs to; None where it is one of the constant."""
        return next((part for part, end in self.parts if part.coefficient <= stride < end), None)


def read_address(expr: IndexExpr, sizes: Mapping[str, int], count: int) -> Address:
    """Return an address below `count` as a mixed radix, as far as it is one."""
    axes = [Axis(name, 0, size - 1) for name, size in sizes.items()]
    form = _rejoined(affine(simplify(expr, axes)))
    form = _rejoined(affine(simplify(from_affine(form), axes)))
    ranges = {axis.name: axis for axis in axes}
    atoms = sorted(form.terms.items(), key=lambda each: each[1])
    spans = [interval_of(atom, ranges) for atom, _ in atoms]
    if form.constant < 0 or any(c < 1 for _, c in atoms) or any(span.low < 0 for span in spans):
        return Address(((Opaque(_axes_of(form.terms), 1), count),), 0)
    parts: list[tuple[Term | Opaque, int]] = []
    begin = 0
    for stop in range(1, len(atoms) + 1):
        low = atoms[begin][1]
        beyond = atoms[stop][1] if stop < len(atoms) else count
        if stop - begin == 1:
            digit = _digit(atoms[begin][0], sizes)
            term = None if digit is None else evolve(digit, coefficient=low)
            end = None if term is None else _end(term, beyond, form.constant, sizes[term.axis])
            if term is not None and end is not None:
                parts.append((term, end))
                begin = stop
                continue
        max_value = sum(c * span.high for (_, c), span in zip(atoms[begin:stop], spans[begin:stop], strict=True))
        if beyond % low == 0 and max_value + form.constant % beyond < beyond:
            parts.append((Opaque(_axes_of(dict(atoms[begin:stop])), low), beyond))
            begin = stop
    if begin < len(atoms):
        return Address(((Opaque(_axes_of(form.terms), 1), count),), 0)
    return Address(tuple(parts), form.constant)


def _axes_of(terms: Mapping[IndexExpr, int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for atom in terms for name in axes_used(atom)))


def _end(term: Term, beyond: int, constant: int, size: int) -> int | None:
    """Return the stride at which the digits of a term end; None where they run into the next term or the constant."""
    low, natural = term.coefficient, term.natural
    if natural > beyond or beyond % low:
        return None
    whole = term.high == size and not term.shift
    if whole and (constant // low) % (beyond // low) == 0:
        return beyond
    if beyond % natural == 0 and (constant // low) % (natural // low) == 0:
        return natural
    return None


def _rejoined(form: Affine) -> Affine:
    """`m*(E div m) + E mod m` is E."""
    for atom, coefficient in form.terms.items():
        if not (isinstance(atom, Op) and atom.op == "div" and isinstance(atom.right, Const) and atom.right.value > 0):
            continue
        other = Op("mod", atom.left, atom.right)
        share = form.terms.get(other, 0)
        if share and coefficient == share * atom.right.value:
            rest = Affine({a: c for a, c in form.terms.items() if a not in (atom, other)}, form.constant)
            return _rejoined(rest.plus(affine(atom.left), share))
    return form


def _digit(atom: IndexExpr, sizes: Mapping[str, int]) -> Term | None:
    match atom:
        case Var(name):
            return Term(name, 1, sizes[name], 0)
        case Op("div", inner, Const(by)) if by > 0:
            digit = _digit(inner, sizes)
            if digit is None or digit.shift or digit.high // digit.low % by:
                return None
            return Term(digit.axis, digit.low * by, digit.high, 0)
        case Op("mod", inner, Const(by)) if by > 0:
            return _remainder(affine(inner), by, sizes)
    return None


def _remainder(form: Affine, by: int, sizes: Mapping[str, int]) -> Term | None:
    if len(form.terms) != 1:
        return None
    (atom, coefficient), shift = next(iter(form.terms.items())), form.constant % by
    digit = _digit(atom, sizes)
    if digit is None or coefficient != 1 or digit.shift:
        return None
    values = digit.high // digit.low
    if shift == 0 and values % by == 0:
        return Term(digit.axis, digit.low, digit.low * by, 0)
    if values == by:
        return Term(digit.axis, digit.low, digit.high, shift)
    return None


# ---- chains of strides ------------------------------------------------------------------------------------------

Node = tuple[int, str]
"""A place (its number, "") or an axis of a rule (the number of the rule, its name)."""


@frozen
class Link:
    """A term of an address: the place and the axis that it ties."""

    place: Node
    axis: Node
    term: Term
    end: int


@define
class Chains:
    """Strides of places and axes, from 1 to their size, each a divisor of the next."""

    strides: dict[Node, frozenset[int]] = field(factory=dict)
    links: dict[Node, list[Link]] = field(factory=dict)

    def add_node(self, node: Node, size: int) -> None:
        self.strides.setdefault(node, frozenset((1, size)))

    def add(self, links: list[Link]) -> bool:
        """Tie a place to the axes of an address; False, and nothing is changed, where strides do not fit."""
        before, ties = dict(self.strides), {node: list(those) for node, those in self.links.items()}
        stack: list[Node] = []
        for link in links:
            for node in (link.place, link.axis):
                self.links.setdefault(node, []).append(link)
            self.strides[link.place] |= {link.term.coefficient}
            if link.term.shift or link.term.high != max(self.strides[link.axis]) or link.end == link.term.natural:
                self.strides[link.place] |= {link.term.natural}
            self.strides[link.axis] |= {link.term.low, link.term.high}
            stack += [link.place, link.axis]
        if self._settle(stack):
            return True
        self.strides, self.links = before, ties
        return False

    def _settle(self, stack: list[Node]) -> bool:
        while stack:
            node = stack.pop()
            chain = sorted(self.strides[node])
            if any(b % a for a, b in pairwise(chain)):
                return False
            for link in self.links.get(node, ()):
                other = link.axis if node == link.place else link.place
                carried = self._carried(link, node == link.place)
                if carried is None:
                    return False
                if not carried <= self.strides[other]:
                    self.strides[other] |= carried
                    stack.append(other)
        return True

    def _carried(self, link: Link, from_place: bool) -> frozenset[int] | None:
        """Return the strides of the other side that follow from those of one; None where they are no whole numbers."""
        term, carried = link.term, set[int]()
        if from_place:
            for stride in self.strides[link.place]:
                if term.coefficient <= stride < term.natural:
                    if term.low * stride % term.coefficient:
                        return None
                    carried.add(term.low * stride // term.coefficient)
        else:
            for stride in self.strides[link.axis]:
                if term.low <= stride < term.high:
                    if term.coefficient * stride % term.low:
                        return None
                    carried.add(term.coefficient * stride // term.low)
        if term.shift and len(carried) > 1:
            return None  # a digit that wraps is one digit
        return frozenset(carried)

    def part(self, node: Node, strides: frozenset[int]) -> bool:
        """Part a place at these strides; False, and nothing is changed, where they do not fit."""
        before = dict(self.strides)
        self.strides[node] |= strides
        if self._settle([node]):
            return True
        self.strides = before
        return False

    def digits(self, node: Node) -> list[tuple[int, int]]:
        """Stride and number of values of each digit, the lowest first; those of one value are left out."""
        chain = sorted(self.strides[node])
        return [(a, b // a) for a, b in pairwise(chain)]
