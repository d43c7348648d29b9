"""Where the ends of a rule are: addresses of devices as expressions over the axes of the rule.

A **place** is a path of child names from the system to a device type. Its devices have addresses 0 … count - 1, the
row-major numbers over all arrays on the path. A rule of an assembly type stands once for each path to that type; its
axes count from 0, and `INSTANCE` is the number of the assembly among those of that path. So either end of a rule is a
place and an address over its axes, whatever arrays and exported ports lie between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.forwarding import Layout, any_crossing, layouts_of
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, Child, Const, IndexExpr, Plan, PortRef, Rule, Var
from unifiedbus_dsl.ir.plan.algebra import add, mul
from unifiedbus_dsl.ir.plan.index import substitute

MOST_PLACES = 4_000
"""Places and paths to assemblies that are looked at."""
INSTANCE = "@"
"""The axis that counts the instances of the assembly that a rule stands in; no name of the language."""


class NotProvedError(Exception):
    """The plan does not show enough: the fabric has to be asked."""


@frozen
class Place:
    """The devices of one path. `around` are the types of the assemblies on it, the system first, `counts` the sizes of
    the arrays, `spare` whether a part on it stands by."""

    path: tuple[str, ...]
    around: tuple[str, ...]
    device: str
    counts: tuple[int, ...]
    spare: bool

    @property
    def count(self) -> int:
        return prod(self.counts)


@frozen(eq=False)
class End:
    """One end of a rule: the place, the address of the device and the number of the port, which is one of an array from
    `first` to before `stop`; and by port the vertex."""

    place: int
    address: IndexExpr
    port: IndexExpr
    first: int
    stop: int
    vertex_of: Ints


@frozen(eq=False)
class WiredRule:
    """A rule at one path: its ends over axes that count from 0, of these sizes; `kind` indexes the kinds of cable."""

    left: End
    right: End
    sizes: Mapping[str, int]
    where: IndexExpr | None
    kind: int
    rule: Rule
    key: str
    number: int


class CableKind(NamedTuple):
    """What cables are told apart by; `length_m` is None where their lengths are not."""

    link: str
    lanes: int
    length_m: Fraction | None = None


@frozen(eq=False, slots=False)
class Wiring:
    """All places and rules of a plan; `kinds` are those of its cables in order."""

    plan: Plan
    places: tuple[Place, ...]
    rules: tuple[WiredRule, ...]
    kinds: tuple[CableKind, ...]
    layouts: Mapping[str, Layout] = field(repr=False)

    @cached_property
    def vertices(self) -> Mapping[str, int]:
        """How many vertices a device of each type has."""
        return {key: len(layout.forwards) for key, layout in self.layouts.items()}

    def device_ids(self, place: int, address: Ints) -> Ints:
        """Return the ids that devices of a place have in the fabric."""
        of, plan = self.places[place], self.plan
        rest, ids = np.asarray(address, dtype=np.int64), np.zeros(np.shape(address), dtype=np.int64)
        steps: list[tuple[int, int]] = []
        key = plan.root
        for name in of.path:
            child = plan.assemblies[key].by_name[name]
            start = plan.numbering.child_starts[key][plan.numbering.child_number(key, name)]
            steps.append((start, plan.device_count[child.type]))
            key = child.type
        for (start, size), count in zip(reversed(steps), reversed(of.counts), strict=True):
            ids = ids + start + size * (rest % count)
            rest = rest // count
        return ids


def wiring_of(plan: Plan) -> Wiring:
    """Return the places and rules of a plan.

    Raises:
        NotProvedError: there are too many, or a device forwards between two sides.
    """
    wiring = layouts_of(plan.devices.values())
    if any_crossing(wiring):
        raise NotProvedError("a `transit` line between two sides")
    layouts = dict(zip(plan.devices, wiring, strict=True))
    places: list[Place] = []
    paths: list[tuple[tuple[str, ...], str, tuple[int, ...]]] = []

    def visit(key: str, path: tuple[str, ...], around: tuple[str, ...], counts: tuple[int, ...], spare: bool) -> None:
        if len(places) + len(paths) > MOST_PLACES:
            raise NotProvedError("too many different places")
        paths.append((path, key, counts))
        for child in plan.assemblies[key].children:
            if not child.count:
                continue
            inner, sizes, idle = (*path, child.name), (*counts, child.count), spare or child.spare
            if child.type in plan.devices:
                places.append(Place(inner, (*around, key), child.type, sizes, idle))
            else:
                visit(child.type, inner, (*around, key), sizes, idle)

    visit(plan.root, (), (), (), False)
    kinds = sorted({CableKind(rule.link, rule.lanes) for _, key, _ in paths for rule in plan.assemblies[key].rules})
    number = {place.path: n for n, place in enumerate(places)}
    rules = [
        _wired(plan, layouts, number, path, counts, key, n, rule, kinds.index(CableKind(rule.link, rule.lanes)))
        for path, key, counts in paths
        for n, rule in enumerate(plan.assemblies[key].rules)
        if all(axis.size for axis in rule.axes)
    ]
    return Wiring(plan, tuple(places), tuple(rules), tuple(kinds), layouts)


def told_by_length(wiring: Wiring) -> Wiring:
    """Return the same with cables of other lengths of other kinds.

    Raises:
        NotProvedError: a length is that of the floor plan, and tells.
    """

    def kind_of(rule: Rule) -> CableKind:
        delay = wiring.plan.links[rule.link].fields.get("delay")
        if rule.length is None and isinstance(delay, Quantity) and delay.value:
            raise NotProvedError("lengths of the floor plan")
        return CableKind(rule.link, rule.lanes, rule.length or Fraction(0))

    kind = [kind_of(wired.rule) for wired in wiring.rules]
    kinds = sorted(set(kind))
    rules = (evolve(wired, kind=kinds.index(own)) for wired, own in zip(wiring.rules, kind, strict=True))
    return evolve(wiring, rules=tuple(rules), kinds=tuple(kinds))


def _wired(
    plan: Plan,
    layouts: Mapping[str, Layout],
    number: Mapping[tuple[str, ...], int],
    path: tuple[str, ...],
    counts: tuple[int, ...],
    key: str,
    n: int,
    rule: Rule,
    kind: int,
) -> WiredRule:
    from_zero: dict[str, IndexExpr] = {axis.name: _value(axis, Var(axis.name)) for axis in rule.axes}
    sizes = {axis.name: axis.size for axis in rule.axes}
    if prod(counts) > 1:
        sizes[INSTANCE] = prod(counts)

    def end(ref: PortRef) -> End:
        below, address, device, name, port = _resolve(plan, key, _substituted(ref, from_zero))
        inside = prod(_counts(plan, key, below))
        if INSTANCE in sizes:
            address = add(mul(Const(inside), Var(INSTANCE)), address)
        array = plan.devices[device].by_name[name]
        first = plan.numbering.port_start(device, name)
        return End(number[path + below], address, port, first, first + array.count, layouts[device].out)

    where = None if rule.where is None else substitute(rule.where, from_zero)
    return WiredRule(end(rule.left), end(rule.right), sizes, where, kind, rule, key, n)


def _value(axis: Axis, index: IndexExpr) -> IndexExpr:
    """Return the value of an axis at an index that counts from 0."""
    return add(mul(Const(axis.step), index), Const(axis.low))


def _substituted(ref: PortRef, values: Mapping[str, IndexExpr]) -> PortRef:
    at, port_at = (tuple(substitute(each, values) for each in part) for part in (ref.at, ref.port_at))
    return evolve(ref, at=at, port_at=port_at)


def _row_major(at: Sequence[IndexExpr], shape: Sequence[int]) -> IndexExpr:
    total: IndexExpr = Const(0)
    for each, size in zip(at, shape, strict=True):
        total = add(mul(Const(size), total), each)
    return total


def _counts(plan: Plan, key: str, path: tuple[str, ...]) -> list[int]:
    counts = []
    for name in path:
        child = plan.assemblies[key].by_name[name]
        counts.append(child.count)
        key = child.type
    return counts


def _resolve(plan: Plan, key: str, ref: PortRef) -> tuple[tuple[str, ...], IndexExpr, str, str, IndexExpr]:
    """Return the path below an assembly type, the address there, the device type, its port array and the number of a
    port."""
    child: Child = plan.assemblies[key].by_name[ref.child]
    element = _row_major(ref.at, child.shape)
    of = plan.type(child.type)
    if not isinstance(of, AssemblyType):
        number = _row_major(ref.port_at, of.by_name[ref.port].shape)
        port = add(number, Const(plan.numbering.port_start(of.key, ref.port)))
        return (child.name,), element, of.key, ref.port, port
    export = of.exports_by_name[ref.port]
    values = {axis.name: _value(axis, index) for axis, index in zip(export.axes, ref.port_at, strict=True)}
    path, inner, device, name, port = _resolve(plan, of.key, _substituted(export.ref, values))
    inside = prod(_counts(plan, of.key, path))
    return (child.name, *path), add(mul(Const(inside), element), inner), device, name, port
