"""Whether the columns of a fabric are those that its plan is expanded to, without a second copy of any column.

As they are written (see `expand`): the first instance of a type is held to the rules, every further one to the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import kind_lookup, kind_numbers
from unifiedbus_dsl.ir.plan import AssemblyType
from unifiedbus_dsl.ir.plan.index import Points, point_parts

PIECE = 1 << 17
"""Cables that are held at a time."""


def find_difference(fabric: Fabric) -> tuple[str, int] | None:
    """Return the column and the number of a cable that is not what the rules of the plan say; None where all are."""
    return next(_Held(fabric, kind_numbers(fabric.plan)).differences(fabric.plan.root, 0, 0), None)


@define(eq=False)
class _Held:
    fabric: Fabric
    kinds: Mapping[tuple[int, int, int], int]
    seen: dict[str, tuple[int, int]] = field(factory=dict)
    """First device and first cable of the first instance of each type."""

    def differences(self, key: str, device: int, cable: int) -> Iterator[tuple[str, int]]:
        """Yield what differs in the instance of a type that starts at this device and this cable."""
        plan = self.fabric.plan
        if key in plan.devices:
            return
        if key in self.seen:
            yield from self._copies(key, device, cable, 1)
            return
        self.seen[key] = device, cable
        assembly, starts = plan.assemblies[key], plan.numbering.cable_starts[key]
        yield from self._children(assembly, device, cable)
        for number in range(len(assembly.rules)):
            yield from self._rule(key, number, device, cable + starts[len(assembly.children) + number])

    def _children(self, assembly: AssemblyType, device: int, cable: int) -> Iterator[tuple[str, int]]:
        plan, numbering = self.fabric.plan, self.fabric.plan.numbering
        starts = zip(numbering.child_starts[assembly.key], numbering.cable_starts[assembly.key], strict=False)
        for child, (device_start, cable_start) in zip(assembly.children, starts, strict=False):
            if child.count == 0 or child.type in plan.devices:
                continue
            first, first_cable = device + device_start, cable + cable_start
            yield from self.differences(child.type, first, first_cable)
            devices, cables = plan.device_count[child.type], numbering.cable_count[child.type]
            yield from self._copies(child.type, first + devices, first_cable + cables, child.count - 1)

    def _copies(self, key: str, device: int, cable: int, count: int) -> Iterator[tuple[str, int]]:
        """Yield what differs in `count` instances of a type one after another."""
        from_device, from_cable = self.seen[key]
        devices, cables = self.fabric.plan.device_count[key], self.fabric.plan.numbering.cable_count[key]
        some = max(1, PIECE // max(cables, 1))
        for done in range(0, count if cables else 0, some):
            now = min(some, count - done)
            move = device - from_device + devices * (done + np.arange(now))[:, None]
            for start in range(0, cables, PIECE):
                part = slice(start, min(start + PIECE, cables))
                for name in ("a_port", "b_port", "kind", "a_device", "b_device"):
                    column = getattr(self.fabric, name)
                    first = column[from_cable + part.start : from_cable + part.stop]
                    if name.endswith("device"):
                        first = first + move.astype(column.dtype)
                    begin = cable + done * cables
                    there = column[begin : begin + now * cables].reshape(now, cables)[:, part]
                    wrong = np.argwhere(there != first)
                    if len(wrong):
                        yield name, int(begin + wrong[0, 0] * cables + start + wrong[0, 1])

    def _rule(self, key: str, number: int, device: int, cable: int) -> Iterator[tuple[str, int]]:
        """Yield what differs in the cables of a rule."""
        fabric, rule = self.fabric, self.fabric.plan.assemblies[key].rules[number]
        for start, part in point_parts(rule.axes, rule.where, PIECE):
            for name, value in self._right(key, number, device, part):
                begin = cable + start
                there = getattr(fabric, name)[begin : begin + part.size].reshape(part.shape)
                wrong = np.flatnonzero((there != value).ravel())
                if len(wrong):
                    yield name, int(begin + wrong[0])

    def _right(self, key: str, number: int, device: int, part: Points) -> Iterator[tuple[str, NDArray[Any] | int]]:
        """Yield what a rule says of each column at some points, broadcast over their shape, one at a time."""
        numbering, rule = self.fabric.plan.numbering, self.fabric.plan.assemblies[key].rules[number]
        for ref, side in ((rule.left, "a"), (rule.right, "b")):
            ends = numbering.ends(key, ref, part)
            yield f"{side}_device", ends.base + device + ends.offset
            yield f"{side}_port", ends.port
        kind_of = kind_lookup(self.fabric.plan, self.kinds, key, number)
        if isinstance(kind_of, int):
            yield "kind", kind_of
        else:
            low, table = kind_of
            yield "kind", table[numbering.lengths(key, number, part) - low]
