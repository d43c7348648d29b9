"""Where everything stands: offsets of children, ports and cables within a type, and what a port reference points to.

All of it is per type, so its size is that of the plan (and of the exports, one entry a port). The fabric is these
offsets added up along the hierarchy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import prod
from typing import TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, IndexExpr, Plan, PortRef, Rule, index
from unifiedbus_dsl.ir.plan.index import (
    IntArray,
    Points,
    count_points,
    evaluate,
    flat_index,
    open_grid,
    point_parts,
    points,
)

MICROMETRES = 1_000_000
UNPLACED = -1

Key: TypeAlias = tuple[str, int]
"""Type key and number of the rule in it."""


@frozen(eq=False)
class PortTable:
    """The elements of one port array of a type, row-major.

    `device[e]` is the offset of the device within the type and `port[e]` the port number of that device; both int64,
    shape (count,).
    """

    shape: tuple[int, ...]
    device: IntArray
    port: IntArray


@frozen(eq=False)
class Ends:
    """One side of a rule over its points: device offset within the type is `base + offset`, the port is `port`.

    All int64, broadcast to the shape of the points. `base` (where the child element starts) and `offset` (within it)
    are apart because they often use different axes.
    """

    base: IntArray
    offset: IntArray
    port: IntArray


@frozen(eq=False)
class Places:
    """Where the ends of one side of a rule stand in the frame of the assembly that holds it.

    `x`, `y`: micrometres, int64. `element`: tells placed elements apart; `UNPLACED` where there is none.
    """

    x: IntArray
    y: IntArray
    element: IntArray


@frozen(eq=False, slots=False)
class Numbering:
    """Offsets and tables of a plan, each worked out when first asked for."""

    plan: Plan
    _tables: dict[tuple[str, str], PortTable] = field(factory=dict, init=False)
    _places: dict[tuple[str, str], Places] = field(factory=dict, init=False)
    _floor: dict[tuple[str, str], tuple[IntArray, IntArray] | None] = field(factory=dict, init=False)
    _rule_sizes: dict[Key, int] = field(factory=dict, init=False)

    # ---- devices

    @cached_property
    def child_starts(self) -> Mapping[str, tuple[int, ...]]:
        """For each assembly type: device offset of each child array, and the number of devices last."""
        counts = self.plan.device_count
        return {
            key: tuple(accumulate((c.count * counts[c.type] for c in self.plan.assemblies[key].children), initial=0))
            for key in self.plan.bottom_up
        }

    def child_number(self, key: str, name: str) -> int:
        return self._child_numbers[key][name]

    @cached_property
    def _child_numbers(self) -> Mapping[str, Mapping[str, int]]:
        return {key: {child.name: n for n, child in enumerate(of.children)} for key, of in self.plan.assemblies.items()}

    # ---- cables

    def rule_size(self, key: str, number: int) -> int:
        """Return how many cables one instance of the type has of a rule."""
        size = self._rule_sizes.get((key, number))
        if size is None:
            rule = self.plan.assemblies[key].rules[number]
            size = self._rule_sizes[key, number] = count_points(rule.axes, rule.where)
        return size

    @cached_property
    def cable_count(self) -> Mapping[str, int]:
        """How many cables one instance of each type holds, all levels below included."""
        counts = dict.fromkeys(self.plan.devices, 0)
        for key in self.plan.bottom_up:
            assembly = self.plan.assemblies[key]
            inside = sum(child.count * counts[child.type] for child in assembly.children)
            counts[key] = inside + sum(self.rule_size(key, n) for n in range(len(assembly.rules)))
        return counts

    @cached_property
    def merged_count(self) -> Mapping[str, int]:
        """How many links inside one instance of each type are of a cable that counts with another link."""
        counts = dict.fromkeys(self.plan.devices, 0)
        for key in self.plan.bottom_up:
            assembly = self.plan.assemblies[key]
            inside = sum(child.count * counts[child.type] for child in assembly.children)
            counts[key] = inside + sum(rule.merged for rule in assembly.rules)
        return counts

    @cached_property
    def cable_starts(self) -> Mapping[str, tuple[int, ...]]:
        """For each assembly type: cable offset of each child array, then of each rule, and the number of cables."""
        counts, starts = self.cable_count, {}
        for key in self.plan.bottom_up:
            assembly = self.plan.assemblies[key]
            sizes = [child.count * counts[child.type] for child in assembly.children]
            sizes += [self.rule_size(key, n) for n in range(len(assembly.rules))]
            starts[key] = tuple(accumulate(sizes, initial=0))
        return starts

    # ---- ports

    def port_start(self, key: str, name: str) -> int:
        """Port number of the first element of a port array of a device type."""
        return self._port_starts[key][name]

    @cached_property
    def _port_starts(self) -> Mapping[str, Mapping[str, int]]:
        return {
            key: dict(zip((p.name for p in of.ports), accumulate((p.count for p in of.ports), initial=0), strict=False))
            for key, of in self.plan.devices.items()
        }

    def table(self, key: str, name: str) -> PortTable:
        """Return the elements of port array `name` of a device type, or of an exported one of an assembly type."""
        table = self._tables.get((key, name))
        if table is None:
            table = self._tables[key, name] = self._make_table(self.plan.type(key), name)
        return table

    def _make_table(self, of: DeviceType | AssemblyType, name: str) -> PortTable:
        if isinstance(of, DeviceType):
            port = of.by_name[name]
            work.spend(port.count, work.LISTED)
            numbers = self.port_start(of.key, name) + np.arange(port.count, dtype=np.int64)
            return PortTable(port.shape, np.zeros(port.count, np.int64), numbers)
        export = of.exports_by_name[name]
        shape = export.shape
        work.spend(prod(shape), work.LISTED)
        ends = self.ends(of.key, export.ref, Points(shape, open_grid(export.axes), {}))
        device = np.broadcast_to(ends.base + ends.offset, shape).ravel()
        return PortTable(shape, device, np.broadcast_to(ends.port, shape).ravel())

    def ends(self, key: str, ref: PortRef, at: Points) -> Ends:
        """Return devices and ports of a reference in an assembly type over points of its axes."""
        child, element = self._element(key, ref, at)
        table = self.table(child.type, ref.port)
        entry = flat_index(ref.port_at, table.shape, at.grids)
        start = self.child_starts[key][self.child_number(key, child.name)]
        base = np.asarray(start + element * self.plan.device_count[child.type])
        if child.type in self.plan.devices:
            return Ends(base, np.zeros((), np.int64), np.asarray(self.port_start(child.type, ref.port) + entry))
        return Ends(base, table.device[entry], table.port[entry])

    def _element(self, key: str, ref: PortRef, at: Points) -> tuple[Child, IntArray]:
        child = self.plan.assemblies[key].children[self.child_number(key, ref.child)]
        return child, flat_index(ref.at, child.shape, at.grids)

    def rule_points(self, key: str, number: int) -> Points:
        """Return the points of a rule: its cables, in their order."""
        rule = self.plan.assemblies[key].rules[number]
        return points(rule.axes, rule.where)

    def rule_parts(self, key: str, number: int) -> Iterator[tuple[int, Points]]:
        """Yield the same in pieces of bounded size, none empty, with the number of the first cable of each."""
        rule = self.plan.assemblies[key].rules[number]
        return point_parts(rule.axes, rule.where, index.CHUNK)

    def index_values(self, key: str, number: int, cable: int) -> Mapping[str, int]:
        """Return the index values of the cable of this number among those of a rule."""
        start, part = next(p for p in self.rule_parts(key, number) if cable < p[0] + p[1].size)
        return {name: int(value[0]) for name, value in part.at(np.asarray([cable - start])).items()}

    # ---- places on the floor

    def places(self, key: str, ref: PortRef, at: Points) -> Places:
        """Where the devices of a reference stand: at the origin of their nearest placed ancestor.

        Nested placements add up. An element that is not placed shares the frame of its assembly if it is the only one
        of its child array; where there are several, what is placed inside them has no place outside.
        """
        child, element = self._element(key, ref, at)
        x = y = np.zeros((), np.int64)
        inside = np.full((), UNPLACED, np.int64)
        if self._has_places[child.type]:
            entry = flat_index(ref.port_at, self.table(child.type, ref.port).shape, at.grids)
            inner = self._inner_places(child.type, ref.port)
            x, y, inside = inner.x[entry], inner.y[entry], inner.element[entry]
        start = self.child_starts[key][self.child_number(key, child.name)]
        # an element is known by its first device and its depth: several nested ones share their first device
        own = (start + element * self.plan.device_count[child.type]) * _DEPTHS
        deeper = np.where(inside == UNPLACED, UNPLACED, own + inside + 1)
        positions = self._positions(key, child.name)
        if positions is not None:
            return Places(
                np.asarray(positions[0][element] + x),
                np.asarray(positions[1][element] + y),
                np.asarray(np.where(inside == UNPLACED, own, deeper)),
            )
        if child.count > 1 or child.array:
            deeper = np.asarray(UNPLACED, dtype=np.int64)
        return Places(x, y, np.asarray(deeper))

    def _inner_places(self, key: str, name: str) -> Places:
        """For each element of a port array of a type: where its device stands within the type (0 and UNPLACED if no
        ancestor within the type is placed)."""
        place = self._places.get((key, name))
        if place is None:
            place = self._places[key, name] = self._make_places(self.plan.type(key), name)
        return place

    def _make_places(self, of: DeviceType | AssemblyType, name: str) -> Places:
        shape = self.table(of.key, name).shape
        count = prod(shape)
        nowhere = Places(np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, UNPLACED, np.int64))
        if isinstance(of, DeviceType) or not self._has_places[of.key]:
            return nowhere
        export = of.exports_by_name[name]
        at = self.places(of.key, export.ref, Points(shape, open_grid(export.axes), {}))
        x, y, element = (np.broadcast_to(column, shape).ravel() for column in (at.x, at.y, at.element))
        return Places(np.where(element == UNPLACED, 0, x), np.where(element == UNPLACED, 0, y), element)

    def _positions(self, key: str, child: str) -> tuple[IntArray, IntArray] | None:
        """x and y in micrometres of each element of a child array, None if it is not placed."""
        if (key, child) not in self._floor:
            placement = next((p for p in self.plan.assemblies[key].floor_places if p.child == child), None)
            self._floor[key, child] = None
            if placement is not None:
                positions = np.asarray([[micrometres(v) for v in at] for at in placement.positions], dtype=np.int64)
                columns = positions.reshape(-1, 2)
                self._floor[key, child] = columns[:, 0], columns[:, 1]
        return self._floor[key, child]

    @cached_property
    def _has_places(self) -> Mapping[str, bool]:
        """Whether a type places anything, at any level below."""
        has_places = dict.fromkeys(self.plan.devices, False)
        for key in self.plan.bottom_up:
            assembly = self.plan.assemblies[key]
            has_places[key] = bool(assembly.floor_places) or any(has_places[child.type] for child in assembly.children)
        return has_places

    def lengths(self, key: str, number: int, at: Points) -> IntArray:
        """Length in millimetres of the cables of a rule that states none, int64, broadcast to the points.

        Manhattan distance between the placed elements of both ends plus the slack of the link; `UNPLACED` (-1) where
        a side has no place or both ends are in the same placed element.
        """
        rule = self.plan.assemblies[key].rules[number]
        left, right = self.places(key, rule.left, at), self.places(key, rule.right, at)
        distance = np.abs(left.x - right.x) + np.abs(left.y - right.y) + self.slack(rule)
        missing = (left.element == UNPLACED) | (right.element == UNPLACED) | (left.element == right.element)
        return np.asarray(np.where(missing, UNPLACED, (distance + 500) // 1000))

    def slack(self, rule: Rule) -> int:
        """Slack of the link of a rule in micrometres."""
        value = self.plan.links[rule.link].fields.get("slack")
        return micrometres(value.value) if isinstance(value, Quantity) else 0


_DEPTHS = 64
"""No hierarchy is deeper."""


def micrometres(metres: Fraction) -> int:
    """Rounded half up; in whole numbers, as a plan may place thousands of elements."""
    return (2 * MICROMETRES * metres.numerator + metres.denominator) // (2 * metres.denominator)


def exported(numbering: Numbering, key: str, child: Child) -> Mapping[str, NDArray[np.bool_]]:
    """Return which ports of a child array the exports of an assembly type pass on.

    By port, in the shape of the child array followed by that of the port array.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    for export in numbering.plan.assemblies[key].exports:
        if export.ref.child == child.name:
            shape = (*child.shape, *numbering.table(child.type, export.ref.port).shape)
            mask = masks.setdefault(export.ref.port, np.zeros(shape, np.bool_))
            grids = open_grid(export.axes)
            mask[subscripts((*export.ref.at, *export.ref.port_at), grids)] = True
    return masks


def subscripts(at: Sequence[IndexExpr], grids: Mapping[str, IntArray]) -> tuple[IntArray, ...]:
    """Return each subscript as an open grid, ready to index an array."""
    return tuple(evaluate(expr, grids) for expr in at)
