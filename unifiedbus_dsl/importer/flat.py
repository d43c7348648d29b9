"""From a settled table to a plan without a hierarchy of names: arrays of devices by type, and hosts of adapters.

`switch65[12]`, `host[96]` of `nic[8]` each: the plan is as small as there are types. What the site calls the devices,
hosts and ports stands beside it (`unifiedbus_dsl.ir.plan.Site`).
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import prod

import numpy as np
from attrs import define, evolve, field
from numpy.typing import NDArray

from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.importer.types import Types
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, Child, Export, Lookup, Plan, PortRef, Rule, Site, Var

Ints = NDArray[np.int64]


@define
class _Host:
    """A type of host: its key, and how many adapters of each type are in one, by the name of their array."""

    key: str
    arrays: dict[str, tuple[str, int]]


@define(eq=False)
class _Layout:
    """Where each device stands: array of the root and place in it; of one in a host also the array inside and the place
    in that."""

    top: Ints
    at: Ints
    inner: Ints
    inner_at: Ints
    tops: list[str] = field(factory=list)
    """The arrays of the root by name."""
    types: list[str] = field(factory=list)
    """Their types."""
    sizes: list[int] = field(factory=list)
    inners: list[str] = field(factory=list)
    """The names of arrays inside hosts."""
    hosts: dict[str, _Host] = field(factory=dict)
    """By key of type."""
    names: dict[str, str] = field(factory=dict)
    """What hosts are called, by their path."""


def flat(table: Table, types: Types) -> Plan:
    """Return the plan of a table, with the names of its site."""
    layout = _layout(table, types)
    rules = _rules(table, types, layout)
    assemblies = {key: _host_type(host, types) for key, host in layout.hosts.items()}
    root = _free("Found", {*types.devices, *assemblies})
    order = np.argsort(np.asarray(layout.tops, dtype=object)).tolist()
    children = tuple(Child(layout.tops[n], (layout.sizes[n],), layout.types[n]) for n in order)
    assemblies[root] = AssemblyType(root, "module", children, rules=rules)
    plan = types.plan(table.name, root, assemblies)
    return evolve(plan, site=_site(table, types, layout, plan))


def _free(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}{number}"
    return candidate


# ---- where devices stand ------------------------------------------------------------------------------------------


def _layout(table: Table, types: Types) -> _Layout:
    count = len(table.devices)
    layout = _Layout(
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, -1), np.zeros(count, np.int64)
    )
    taken: set[str] = set()
    hosts: dict[str, list[int]] = {}
    alone: dict[str, list[int]] = {}
    for number, device in enumerate(table.devices):
        where = hosts.setdefault(device.host, []) if device.host else alone.setdefault(types.of[number], [])
        where.append(number)
    for key, members in alone.items():
        name = _free(key[:1].lower() + key[1:], taken)
        taken.add(name)
        layout.top[members] = len(layout.tops)
        layout.at[members] = np.arange(len(members))
        layout.tops.append(name)
        layout.types.append(key)
        layout.sizes.append(len(members))
    _place_hosts(hosts, types, layout, taken)
    return layout


def _place_hosts(hosts: dict[str, list[int]], types: Types, layout: _Layout, taken: set[str]) -> None:
    alike: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for name, members in hosts.items():
        signature = tuple(sorted(Counter(types.of[number] for number in members).items()))
        alike.setdefault(signature, []).append(name)
    for signature, names in alike.items():
        array, key = _free("host", taken), _free("Host", {*types.devices, *layout.hosts})
        taken.add(array)
        arrays = {"nic" if not n else f"nic{n + 1}": part for n, part in enumerate(signature)}
        layout.hosts[key] = _Host(key, arrays)
        of_type = {type_: inner for inner, (type_, _) in arrays.items()}
        for inner in arrays:
            if inner not in layout.inners:
                layout.inners.append(inner)
        for place, name in enumerate(names):
            used: Counter[str] = Counter()
            for number in hosts[name]:
                inner = of_type[types.of[number]]
                layout.top[number], layout.at[number] = len(layout.tops), place
                layout.inner[number], layout.inner_at[number] = layout.inners.index(inner), used[inner]
                used[inner] += 1
            layout.names[f"{array}[{place}]"] = name
        layout.tops.append(array)
        layout.types.append(key)
        layout.sizes.append(len(names))


def _host_type(host: _Host, types: Types) -> AssemblyType:
    """Return a host with all ports of its adapters."""
    children = tuple(Child(name, (count,), type_) for name, (type_, count) in sorted(host.arrays.items()))
    exports = []
    for child in children:
        for port in types.devices[child.type].ports:
            axes = tuple(Axis(f"_{n}", 0, size - 1) for n, size in enumerate((*child.shape, *port.shape)))
            names = [Var(axis.name) for axis in axes]
            exports.append(
                Export(f"{child.name}_{port.name}", axes, PortRef(child.name, (names[0],), port.name, tuple(names[1:])))
            )
    return AssemblyType(host.key, "node", children, tuple(sorted(exports, key=lambda export: export.name)))


# ---- cables -------------------------------------------------------------------------------------------------------


@define(eq=False)
class _Ports:
    """Where the ports of cables are: array (a number over all types) and row-major place in it, for each type and name
    of a port that occurs."""

    arrays: list[tuple[str, tuple[int, ...]]] = field(factory=list)
    """Name and shape."""
    known: dict[tuple[str, str], int] = field(factory=dict)

    def number(self, name: str, shape: tuple[int, ...]) -> int:
        key = name, str(shape)
        if key not in self.known:
            self.known[key] = len(self.arrays)
            self.arrays.append((name, shape))
        return self.known[key]


def _ends(table: Table, types: Types, ports: _Ports, devices: Ints, port: Ints) -> tuple[Ints, Ints]:
    """Return the array and the place of each end."""
    keys = list(types.devices)
    number = {key: n for n, key in enumerate(keys)}
    of = np.asarray([number[key] for key in types.of], dtype=np.int64)
    pairs, back = np.unique(of[devices] * len(table.ports) + port, return_inverse=True)
    arrays, places = np.empty(len(pairs), np.int64), np.empty(len(pairs), np.int64)
    for n, pair in enumerate(pairs.tolist()):
        key, name = keys[pair // len(table.ports)], table.ports[pair % len(table.ports)]
        array, at = types.place(key, name)
        shape = types.devices[key].by_name[array].shape
        arrays[n] = ports.number(array, shape)
        places[n] = np.ravel_multi_index(at, shape) if shape else 0
    return arrays[back], places[back]


def _rules(table: Table, types: Types, layout: _Layout) -> tuple[Rule, ...]:
    """Return the cables between the same arrays of the same kind are one rule, looked up in tables."""
    if not len(table):
        return ()
    ports = _Ports()
    a, ap, b, bp, kind = (
        np.frombuffer(c, dtype=np.int64) for c in (table.a, table.a_port, table.b, table.b_port, table.kind)
    )
    (a_array, a_place), (b_array, b_place) = (_ends(table, types, ports, *side) for side in ((a, ap), (b, bp)))
    columns = (layout.top[a], layout.inner[a], a_array, layout.top[b], layout.inner[b], b_array, kind)
    code = np.zeros(len(a), dtype=np.int64)
    for column in columns:
        low = int(column.min())
        code = code * (int(column.max()) - low + 1) + (column - low)
        code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    rules = []
    for number, some in enumerate(np.split(order, starts[1:])):
        first = some[0]
        what = table.kinds[int(kind[first])]
        link, lanes = types.link_of[int(kind[first])]
        sides = [
            _side(layout, ports, side[some], int(array[first]), place[some])
            for side, array, place in ((a, a_array, a_place), (b, b_array, b_place))
        ]
        length = None if what.length is None else Fraction(round(what.length * 1000), 1000)
        axes = (Axis("_e", 0, len(some) - 1),)
        rules.append(Rule(sides[0], sides[1], axes, None, link, lanes, length, "cables", number))
    return tuple(rules)


def _side(layout: _Layout, ports: _Ports, devices: Ints, array: int, places: Ints) -> PortRef:
    """Return one side of a rule."""
    name, shape = ports.arrays[array]
    inner = int(layout.inner[devices[0]])
    inside = [] if inner < 0 else [layout.inner_at[devices]]
    if inner >= 0:
        name = f"{layout.inners[inner]}_{name}"
    subscripts = [*inside, *(np.unravel_index(places, shape) if prod(shape) and shape else ())]
    return PortRef(
        layout.tops[int(layout.top[devices[0]])],
        (_column(layout.at[devices]),),
        name,
        tuple(_column(each) for each in subscripts),
    )


def _column(values: Ints) -> Lookup:
    return Lookup(tuple(values.tolist()), Var("_e"))


# ---- names --------------------------------------------------------------------------------------------------------


def _site(table: Table, types: Types, layout: _Layout, plan: Plan) -> Site:
    """Return what the site calls the devices, in order of their ids in the plan."""
    root = plan.assemblies[plan.root]
    place = {
        child.name: start for child, start in zip(root.children, plan.numbering.child_starts[plan.root], strict=False)
    }
    start = np.asarray([place[name] for name in layout.tops], dtype=np.int64)[layout.top]
    size = np.asarray([plan.device_count[type_] for type_ in layout.types], dtype=np.int64)[layout.top]
    inner = np.zeros(len(start), np.int64)
    for key in layout.hosts:
        starts = dict(
            zip((c.name for c in plan.assemblies[key].children), plan.numbering.child_starts[key], strict=False)
        )
        for number, name in enumerate(layout.inners):
            if name in starts:
                here = (layout.inner == number) & np.isin(
                    layout.top, [n for n, t in enumerate(layout.types) if t == key]
                )
                inner[here] = starts[name]
    ids = start + layout.at * size + inner + layout.inner_at
    order = np.argsort(ids).tolist()
    devices = [table.devices[number] for number in order]
    guids = tuple(device.id for device in devices) if any(device.id for device in devices) else ()
    return Site(tuple(device.name for device in devices), guids, dict(sorted(types.labels.items())), layout.names)
