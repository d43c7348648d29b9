"""From plan to columns.

Each type is written once, where its first instance stands; every further instance is a copy of that range with its
device ids moved. Rules are evaluated on open grids and broadcast straight into their range of the columns. So there is
no loop over devices or cables, and no second copy of any column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import Step, task
from unifiedbus_dsl.ir.fabric import CableKinds, Fabric
from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.lengths import rule_lengths
from unifiedbus_dsl.ir.plan.numbering import UNPLACED

Column: TypeAlias = "NDArray[np.unsignedinteger[Any]]"
_PIECE = 1 << 23
"""Cables that are copied at a time: often enough to say how far it is."""
_Kind: TypeAlias = tuple[int, int, int]
"""Number of the link, lanes, millimetres (`UNPLACED` if there is no length)."""


@frozen(eq=False)
class _Columns:
    device_type: Column
    a_device: Column
    a_port: Column
    b_device: Column
    b_port: Column
    kind: Column


@define(eq=False)
class _Writer:
    plan: Plan
    out: _Columns
    kinds: Mapping[_Kind, int]
    step: Step
    """To be told of each cable that is written."""
    written: dict[str, tuple[int, int]] = field(factory=dict)
    """First device and first cable of the first instance of each type."""


def device_types(plan: Plan) -> Column:
    """Return the number of the type of each device, among the device types of the plan."""
    kind = smallest(len(plan.devices) - 1)
    tables = {key: np.full(1, number, kind) for number, key in enumerate(plan.devices)}
    for key in plan.bottom_up:
        parts = [np.tile(tables[child.type], child.count) for child in plan.assemblies[key].children]
        tables[key] = np.concatenate(parts) if parts else np.empty(0, kind)
    tables[plan.root].flags.writeable = False
    return tables[plan.root]


def expand(plan: Plan, sources_hash: str = "") -> Fabric:
    """Return the fabric of a plan."""
    kinds = kind_numbers(plan)
    devices, cables = plan.device_count[plan.root], plan.numbering.cable_count[plan.root]
    device = smallest(devices - 1)
    port = smallest(plan.max_radix - 1)
    out = _Columns(
        np.empty(devices, smallest(len(plan.devices) - 1)),
        np.empty(cables, device),
        np.empty(cables, port),
        np.empty(cables, device),
        np.empty(cables, port),
        np.empty(cables, smallest(len(kinds) - 1)),
    )
    with task(f"expand {plan.system}", cables) as step:
        _write(_Writer(plan, out, kinds, step), plan.root, 0, 0)
    columns = (out.device_type, out.a_device, out.a_port, out.b_device, out.b_port, out.kind)
    for column in columns:
        column.flags.writeable = False
    return Fabric(plan, *columns, kind_table(plan), sources_hash)


def smallest(greatest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the smallest unsigned type of at least 16 bits that holds this value."""
    return np.dtype(np.uint16 if greatest < 1 << 16 else np.uint32 if greatest < 1 << 32 else np.uint64)


# ---- kinds of cable ---------------------------------------------------------------------------------------------


def kind_numbers(plan: Plan) -> Mapping[_Kind, int]:
    """Return the number of each kind of cable of a plan."""
    return {kind: number for number, kind in enumerate(sorted(set(_all_kinds(plan))))}


def kind_table(plan: Plan) -> CableKinds:
    """Return the kinds of cable of a plan, in order of their numbers."""
    rows = np.asarray([*kind_numbers(plan)], dtype=np.int64).reshape(-1, 3)
    lengths = np.where(rows[:, 2] == UNPLACED, np.nan, rows[:, 2] / 1000)
    table = CableKinds(
        rows[:, 0].astype(smallest(int(rows[:, 0].max(initial=0)))), rows[:, 1].astype(np.uint16), lengths
    )
    for column in (table.link, table.lanes, table.length_m):
        column.flags.writeable = False
    return table


def _all_kinds(plan: Plan) -> Iterator[_Kind]:
    link_number = {key: n for n, key in enumerate(plan.links)}
    for key in plan.bottom_up:
        for number, rule in enumerate(plan.assemblies[key].rules):
            for length in rule_lengths(plan, key, number):
                yield link_number[rule.link], rule.lanes, int(length)


# ---- writing ----------------------------------------------------------------------------------------------------


def _write(to: _Writer, key: str, device: int, cable: int) -> None:
    """Writes the instance of a type that starts at this device and this cable."""
    plan, out = to.plan, to.out
    if key in plan.devices:
        out.device_type[device] = list(plan.devices).index(key)
    elif key in to.written:
        _copy(to, key, device, cable, 1)
    else:
        to.written[key] = device, cable
        _write_children(to, plan.assemblies[key], device, cable)
        starts = plan.numbering.cable_starts[key]
        for number in range(len(plan.assemblies[key].rules)):
            _write_rule(to, key, number, device, cable + starts[len(plan.assemblies[key].children) + number])


def _write_children(to: _Writer, assembly: AssemblyType, device: int, cable: int) -> None:
    numbering = to.plan.numbering
    starts = zip(numbering.child_starts[assembly.key], numbering.cable_starts[assembly.key], strict=False)
    for child, (device_start, cable_start) in zip(assembly.children, starts, strict=False):
        if child.count == 0:
            continue
        first, first_cable = device + device_start, cable + cable_start
        _write(to, child.type, first, first_cable)
        devices, cables = to.plan.device_count[child.type], numbering.cable_count[child.type]
        if child.type in to.plan.devices:
            to.out.device_type[first + 1 : first + child.count] = to.out.device_type[first]
        elif child.count > 1:
            _copy(to, child.type, first + devices, first_cable + cables, child.count - 1)


def _copy(to: _Writer, key: str, device: int, cable: int, count: int) -> None:
    """Writes `count` instances of a type one after another, as copies of the first that was written."""
    from_device, from_cable = to.written[key]
    devices, cables = to.plan.device_count[key], to.plan.numbering.cable_count[key]
    types = to.out.device_type
    types[device : device + count * devices].reshape(count, devices)[:] = types[from_device : from_device + devices]
    if cables == 0:
        return
    some = max(1, _PIECE // cables)
    for done in range(0, count, some):
        now = min(some, count - done)
        move = device - from_device + done * devices
        _copy_cables(
            to.out, slice(from_cable, from_cable + cables), cable + done * cables, move + devices * np.arange(now)
        )
        to.step(now * cables)


def _copy_cables(out: _Columns, first: slice, cable: int, moves: IntArray) -> None:
    """Writes a range of cables again from this cable on, once for each distance by which its devices move."""
    cables = first.stop - first.start
    where = slice(cable, cable + len(moves) * cables)
    for column in (out.a_port, out.b_port, out.kind):
        column[where].reshape(len(moves), cables)[:] = column[first]
    for column in (out.a_device, out.b_device):
        target = column[where].reshape(len(moves), cables)
        np.add(column[first], moves.astype(column.dtype)[:, None], out=target)


def _write_rule(to: _Writer, key: str, number: int, device: int, cable: int) -> None:
    rule, numbering, out = to.plan.assemblies[key].rules[number], to.plan.numbering, to.out
    kind_of = kind_lookup(to.plan, to.kinds, key, number)
    for start, part in numbering.rule_parts(key, number):
        where = slice(cable + start, cable + start + part.size)
        sides = ((rule.left, out.a_device, out.a_port), (rule.right, out.b_device, out.b_port))
        for ref, devices, ports in sides:
            ends = numbering.ends(key, ref, part)
            base = np.asarray(ends.base + device).astype(devices.dtype)
            np.add(base, ends.offset.astype(devices.dtype), out=devices[where].reshape(part.shape))
            ports[where].reshape(part.shape)[...] = ends.port
        if isinstance(kind_of, int):
            out.kind[where] = kind_of
        else:
            low, table = kind_of
            out.kind[where].reshape(part.shape)[...] = table[numbering.lengths(key, number, part) - low]
        to.step(part.size)


def kind_lookup(plan: Plan, numbers: Mapping[_Kind, int], key: str, number: int) -> int | tuple[int, Column]:
    """Return the kind of all cables of a rule, or (low, table): the kind for a length in mm is `table[length -
    low]`."""
    rule = plan.assemblies[key].rules[number]
    link = list(plan.links).index(rule.link)
    lengths = rule_lengths(plan, key, number)
    kinds = [numbers[link, rule.lanes, int(length)] for length in lengths]
    if len(kinds) <= 1:
        return kinds[0] if kinds else 0
    low = int(lengths[0])
    table = np.zeros(int(lengths[-1]) - low + 1, smallest(len(numbers) - 1))
    table[lengths - low] = kinds
    return low, table
