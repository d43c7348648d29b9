"""A machine without names: parts by kind, ports by array and place, cables by class.

A part is a device, or a host with its adapters, whose ports are those of the adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Plan

Ints = NDArray[np.int64]


@frozen
class PortArray:
    """A port array of a kind of part, and the first of its ports among all of the kind."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def count(self) -> int:
        return prod(self.shape)


@frozen(eq=False)
class PartKind:
    """A type of part: its key in the plan, its noun (`switch`), its port arrays in order."""

    key: str
    noun: str
    arrays: tuple[PortArray, ...]


@frozen(eq=False)
class Machine:
    """`kind` [P] is the kind of each part. Cable c joins port `a_port[c]` (counted over the arrays of its kind) of part
    `a[c]` with `b_port[c]` of `b[c]`; `what[c]` is a row of `sorts` (link and lanes), `length[c]` metres, NaN where
    unknown. `first` [P] is the first device of each part."""

    plan: Plan
    kinds: tuple[PartKind, ...]
    kind: Ints
    first: Ints
    a: Ints
    a_port: Ints
    b: Ints
    b_port: Ints
    what: Ints
    sorts: tuple[tuple[str, int], ...]
    length: NDArray[np.float64]

    @property
    def parts(self) -> int:
        return len(self.kind)


def machine_of(fabric: Fabric) -> Machine:
    """Return the parts and cables of a fabric, hosts of a found network as one part each."""
    plan = fabric.plan
    hosts = _hosts(plan)
    kinds = [*(_device(of) for of in plan.devices.values()), *(_host(plan, plan.assemblies[key]) for key in hosts)]
    number = {kind.key: n for n, kind in enumerate(kinds)}
    part, offset, kind, first = _parts(fabric, hosts, number)
    tables = {number[key]: _port_table(plan, plan.assemblies[key]) for key in hosts}

    def end(device: Ints, port: Ints) -> tuple[Ints, Ints]:
        ports = port.copy()
        for which, table in tables.items():
            here = np.flatnonzero(kind[part[device]] == which)
            ports[here] = table[offset[device[here]], port[here]]
        return part[device], ports

    a, ap = end(fabric.a_device.astype(np.int64), fabric.a_port.astype(np.int64))
    b, bp = end(fabric.b_device.astype(np.int64), fabric.b_port.astype(np.int64))
    links = list(plan.links)
    rows = fabric.kinds.link.astype(np.int64) << 16 | fabric.kinds.lanes
    known, back = np.unique(rows, return_inverse=True)
    sorts = tuple((links[row >> 16], row & 0xFFFF) for row in known.tolist())
    return Machine(
        plan, tuple(kinds), kind, first, a, ap, b, bp, back[fabric.kind], sorts, fabric.kinds.length_m[fabric.kind]
    )


def array_numbers(machine: Machine) -> Ints:
    """Return the number of the port array of each port of each kind, [kinds, ports]."""
    max_ports = max((array.start + array.count for kind in machine.kinds for array in kind.arrays), default=1)
    numbers = np.zeros((len(machine.kinds), max_ports), dtype=np.int64)
    for number, kind in enumerate(machine.kinds):
        for which, array in enumerate(kind.arrays):
            numbers[number, array.start : array.start + array.count] = which
    return numbers


def _hosts(plan: Plan) -> list[str]:
    """Return the types of hosts right below the root of a found network: assemblies of devices alone, without cables
    inside."""
    if plan.root not in plan.assemblies or plan.site is None or not plan.site.parts:
        return []
    below = dict.fromkeys(child.type for child in plan.assemblies[plan.root].children)
    return [
        key
        for key in below
        if key in plan.assemblies
        and not plan.assemblies[key].rules
        and all(child.type in plan.devices for child in plan.assemblies[key].children)
    ]


def _device(of: DeviceType) -> PartKind:
    return PartKind(of.key, of.kind, tuple(_arrays((port.name, port.shape) for port in of.ports)))


def _arrays(ports: Iterator[tuple[str, tuple[int, ...]]]) -> Iterator[PortArray]:
    start = 0
    for name, shape in ports:
        yield PortArray(name, shape, start)
        start += prod(shape)


def _host(plan: Plan, of: AssemblyType) -> PartKind:
    """Return a host: the ports of each of its adapters, adapter by adapter."""
    ports = (
        (f"{child.name}_{port.name}", (*child.shape, *port.shape))
        for child in of.children
        for port in plan.devices[child.type].ports
    )
    return PartKind(of.key, of.kind, tuple(_arrays(ports)))


def _parts(fabric: Fabric, hosts: list[str], number: dict[str, int]) -> tuple[Ints, Ints, Ints, Ints]:
    """For each device its part and its place in that; for each part its kind and its first device."""
    plan, total = fabric.plan, fabric.device_count
    own = np.asarray([number[key] for key in plan.devices], dtype=np.int64)[fabric.device_type.astype(np.int64)]
    begins = np.ones(total, dtype=bool)
    if hosts:
        root, starts = plan.assemblies[plan.root], plan.numbering.child_starts[plan.root]
        for child, start in zip(root.children, starts, strict=False):
            if child.type in hosts:
                size = plan.device_count[child.type]
                inside = np.arange(child.count * size)
                begins[start + inside] = inside % size == 0
                own[start + inside] = number[child.type]
    part = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    return part, np.arange(total) - first[part], own[first], first


def _port_table(plan: Plan, of: AssemblyType) -> Ints:
    """Return the number of a port among those of a host, by the place of its device and its number there. [N, ports]"""
    types = [plan.devices[child.type] for child in of.children for _ in range(child.count)]
    table = np.full((len(types), max((each.radix for each in types), default=0)), -1, dtype=np.int64)
    device = start = 0
    for child in of.children:
        inner = 0
        for port in plan.devices[child.type].ports:
            numbers = start + np.arange(child.count * port.count).reshape(child.count, port.count)
            table[device : device + child.count, inner : inner + port.count] = numbers
            start += child.count * port.count
            inner += port.count
        device += child.count
    return table
