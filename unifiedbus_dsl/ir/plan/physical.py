"""Physical cables: which of the links that a plan lists are one thing that is bought, laid and lost as a whole.

A cage takes one thing: the plug of a cable, or a module with a connector for each of several cables. So the ports of a
cage fall into plugs, by the link in it: all of them are one where a plug fills the cage (a copper cable, a fibre of all
lanes), and with `connectors = 2` each half is one (a twin-port module). Links that meet in a plug are one cable, and
those that meet in its far plugs too: a straight cable has two ends, a breakout one end more for each further far plug.

All links of a cable are rules of one assembly (a check sees to it), so cables are counted type by type, as links are.
A cable counts where its first link does; `Rule.merged` says how many links of a rule count elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base import work
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Plan, PortRef
from unifiedbus_dsl.ir.plan.index import IntArray, Points, flat_index, open_grid
from unifiedbus_dsl.ir.plan.lengths import length_counts, millimetres
from unifiedbus_dsl.ir.plan.numbering import UNPLACED


@lru_cache(maxsize=1024)
def cage_starts(cages: tuple[tuple[int, int, int], ...], radix: int) -> tuple[IntArray, IntArray]:
    """Return the first port of the cage of each port of a device, and the number of its ports; both [radix]."""
    start, size = np.arange(radix), np.ones(radix, np.int64)
    for first, each, count in cages:
        some = slice(first, first + each * count)
        start[some] -= (start[some] - first) % each
        size[some] = each
    return start, size


@frozen(eq=False)
class Cages:
    """Cages of some ports: `device * radix + port` of the first port of each, how many ports it has, and the place of
    the port in it; all of one shape."""

    anchor: IntArray
    size: IntArray
    place: IntArray

    def plugs(self, connectors: IntArray | int) -> IntArray:
        """Return the plug of each port, where a cage takes so many cables."""
        return self.anchor * MOST_IN_A_CAGE + self.place // -(-self.size // connectors)


MOST_IN_A_CAGE = 1 << 16
"""Ports of one cage; no device has more ports."""


@frozen(eq=False)
class CageTables:
    """The cages of the port arrays of types, `device` counted within the type; each worked out when first asked for.

    A cage is said of the ports of a device (`@cage` there), or of those that an assembly exports, which may be of
    several devices; the outermost that says so holds.
    """

    plan: Plan
    _known: dict[tuple[str, str], Cages] = field(factory=dict, init=False)

    def of(self, key: str, name: str) -> Cages:
        """Return the cages of the elements of a port array, row-major."""
        if (key, name) not in self._known:
            of = self.plan.type(key)
            made = self._of_device(of, name) if isinstance(of, DeviceType) else self._of_export(of, name)
            self._known[key, name] = made
        return self._known[key, name]

    def ends(self, key: str, ref: PortRef, at: Points) -> Cages:
        """Return the cages that a reference in an assembly type means, over points of its axes."""
        child = self.plan.assemblies[key].by_name[ref.child]
        inner = self.of(child.type, ref.port)
        shape = self.plan.numbering.table(child.type, ref.port).shape
        entry = flat_index(ref.port_at, shape, at.grids)
        start = self.plan.numbering.child_starts[key][self.plan.numbering.child_number(key, child.name)]
        base = start + flat_index(ref.at, child.shape, at.grids) * self.plan.device_count[child.type]
        columns = base * self.plan.max_radix + inner.anchor[entry], inner.size[entry], inner.place[entry]
        return Cages(*(np.broadcast_to(column, at.shape).ravel() for column in columns))

    def _of_device(self, of: DeviceType, name: str) -> Cages:
        start, size = cage_starts(of.cages, of.radix)
        first = self.plan.numbering.port_start(of.key, name)
        some = slice(first, first + of.by_name[name].count)
        return Cages(start[some], size[some], np.arange(some.start, some.stop) - start[some])

    def _of_export(self, of: AssemblyType, name: str) -> Cages:
        export = of.exports_by_name[name]
        if export.cage == 1:
            return self.ends(of.key, export.ref, Points(export.shape, open_grid(export.axes), {}))
        table = self.plan.numbering.table(of.key, name)
        own = np.arange(len(table.device))
        first = own - own % export.cage
        anchor = table.device[first] * self.plan.max_radix + table.port[first]
        return Cages(anchor, np.full(len(own), export.cage), own - first)


def first_links(left: IntArray, right: IntArray) -> IntArray:
    """Return for each link, given by the plugs at its ends, the first link of the same cable; [L]."""
    plugs = np.unique(np.concatenate([left, right]), return_inverse=True)[1].reshape(2, -1)
    label = np.arange(len(left))
    while True:
        lowest = np.full(int(plugs.max(initial=-1)) + 1, len(left), np.int64)
        np.minimum.at(lowest, plugs[0], label)
        np.minimum.at(lowest, plugs[1], label)
        lower = np.minimum(lowest[plugs[0]], lowest[plugs[1]])
        lower = np.minimum(lower, lower[lower])
        if (lower == label).all():
            return label
        label = lower


@frozen(eq=False)
class Links:
    """The links of some rules of an assembly type, in order: the rule of each, its plugs, the cages that these are in,
    its ports as `device * radix + port`, and the first link of its cable; all [L]."""

    tables: CageTables
    rule: IntArray
    plugs: tuple[IntArray, IntArray]
    cages: tuple[IntArray, IntArray]
    ports: tuple[IntArray, IntArray]
    first: IntArray


@frozen
class CableSort:
    """`count` cables in one instance: link, lanes of the whole cable, its ends, its length in millimetres (that of the
    longest leg, `UNPLACED` where one has none)."""

    link: str
    lanes: int
    ends: int
    length: int
    count: int


def cage_size(plan: Plan, key: str, ref: PortRef) -> int:
    """Return the most ports that a cage of those that a reference means has."""
    of = plan.type(plan.assemblies[key].by_name[ref.child].type)
    if isinstance(of, DeviceType):
        first = plan.numbering.port_start(of.key, ref.port)
        return int(cage_starts(of.cages, of.radix)[1][first : first + of.by_name[ref.port].count].max(initial=1))
    export = of.exports_by_name[ref.port]
    return export.cage if export.cage > 1 else cage_size(plan, of.key, export.ref)


def shared_rules(plan: Plan, key: str) -> list[int]:
    """Return the rules of an assembly type whose links may be one cable with others."""
    if not plan.has_cages:
        return []
    return [
        number
        for number, rule in enumerate(plan.assemblies[key].rules)
        if max(cage_size(plan, key, ref) for ref in (rule.left, rule.right)) > plan.links[rule.link].connectors
    ]


def list_links(plan: Plan, key: str, numbers: Sequence[int]) -> Links:
    """Return the links of some rules of an assembly type."""
    tables = CageTables(plan)
    none = np.empty(0, np.int64)
    columns: tuple[list[IntArray], ...] = tuple([none] for _ in range(6))
    owners = [none]
    for number in numbers:
        rule = plan.assemblies[key].rules[number]
        at = plan.numbering.rule_points(key, number)
        work.spend(4 * at.size, work.LISTED)
        owners.append(np.full(at.size, number))
        for side, ref in enumerate((rule.left, rule.right)):
            ends, inside = plan.numbering.ends(key, ref, at), tables.ends(key, ref, at)
            port = (ends.base + ends.offset) * plan.max_radix + ends.port
            columns[side].append(inside.plugs(plan.links[rule.link].connectors))
            columns[2 + side].append(inside.anchor)
            columns[4 + side].append(np.broadcast_to(port, at.shape).ravel())
    left, right, *others = map(np.concatenate, columns)
    cages, ports = (others[0], others[1]), (others[2], others[3])
    return Links(tables, np.concatenate(owners), (left, right), cages, ports, first_links(left, right))


def merge_cables(plan: Plan, key: str) -> Plan:
    """Return the plan with what the rules of an assembly type merge."""
    numbers = shared_rules(plan, key)
    if not numbers:
        return plan
    links = list_links(plan, key, numbers)
    later = links.rule[links.first != np.arange(len(links.first))]
    of = plan.assemblies[key]
    merged = np.bincount(later, minlength=len(of.rules)).tolist()
    rules = tuple(evolve(rule, merged=count) for rule, count in zip(of.rules, merged, strict=True))
    return evolve(plan, assemblies={**plan.assemblies, key: evolve(of, rules=rules)})


def sort_cables(plan: Plan, key: str) -> Iterator[CableSort]:
    """Yield the cables that one instance of an assembly type lays itself, by what tells parts to be ordered apart."""
    shared = shared_rules(plan, key)
    for number, rule in enumerate(plan.assemblies[key].rules):
        for length, count in length_counts(plan, key, number).items() if number not in shared else ():
            yield CableSort(rule.link, rule.lanes, 2, length, count)
    if shared:
        yield from _sort_shared(plan, key, shared)


def _sort_shared(plan: Plan, key: str, numbers: Sequence[int]) -> Iterator[CableSort]:
    links, rules = list_links(plan, key, numbers), plan.assemblies[key].rules
    lanes = np.asarray([rule.lanes for rule in rules])[links.rule]
    length = np.concatenate([_lengths(plan, key, number) for number in numbers])
    cable, size = links.first, len(links.first)
    known = np.ones(size, bool)
    np.logical_and.at(known, cable, length != UNPLACED)
    longest = np.full(size, UNPLACED)
    np.maximum.at(longest, cable, length)
    ends = np.unique(np.stack([np.concatenate([cable, cable]), np.concatenate(links.plugs)]), axis=1)[0]
    rows = np.stack([
        np.bincount(cable, lanes, size).astype(np.int64),
        np.bincount(ends, minlength=size),
        np.where(known, longest, UNPLACED),
        np.asarray([list(plan.links).index(rule.link) for rule in rules])[links.rule],
    ])[:, cable == np.arange(size)]  # fmt: skip
    kinds, counts = np.unique(rows, axis=1, return_counts=True)
    for (wide, tips, long, link), count in zip(kinds.T.tolist(), counts.tolist(), strict=True):
        yield CableSort(list(plan.links)[link], wide, tips, long, count)


def _lengths(plan: Plan, key: str, number: int) -> IntArray:
    """Return the length of each link of a rule in millimetres."""
    rule, at = plan.assemblies[key].rules[number], plan.numbering.rule_points(key, number)
    if rule.length is not None:
        return np.full(at.size, millimetres(rule.length))
    return np.broadcast_to(plan.numbering.lengths(key, number, at), at.shape).ravel()
