"""Types of a found network as an engineer would write them: numbered ports as arrays, near-equal types as one.

A file that knows no types has one for each set of ports that was seen: a switch with a free port is of another type
than its neighbours, and `Ethernet1` to `Ethernet32` are 32 ports. Here they are `Ethernet[32]`, and types that have
most ports in common are one. Types that a file describes stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod

import numpy as np
from attrs import define, evolve, frozen

from unifiedbus_dsl.importer.lift.types_text import Names
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import port_names, port_paths
from unifiedbus_dsl.ir.plan import DeviceType, Plan, Port

COMMON = 0.6
"""Share of the ports of the larger of two types that the smaller has, from which on they are one."""
_NUMBERED = re.compile(r"(.*?)(\d{1,6})\Z", re.DOTALL)


@frozen(eq=False)
class Regular:
    """A fabric over regular types, its devices in the same order, and the site's names of the ports of a type in
    order."""

    fabric: Fabric
    labels: Mapping[str, tuple[str, ...]]


@frozen
class _Slot:
    """A port by its array and place: of the array `stem`, or of one that has a shape already."""

    array: str
    number: int


def regular(fabric: Fabric) -> Regular:
    """Return a fabric with its ports in arrays, types that are nearly alike as one."""
    plan = fabric.plan
    types = list(plan.devices.values())
    if not any(plan.protocols[port.protocol].assumed for of in types for port in of.ports):
        return Regular(fabric, plan.site.ports if plan.site is not None else {})
    slots = [_slots(of, port_names(plan, of.key).tolist()) for of in types]
    merged = _merged(types, slots)
    made: dict[int, DeviceType] = {}
    labels: dict[str, tuple[str, ...]] = {}
    table = np.full((len(types), max((of.radix for of in types), default=0)), -1, dtype=np.int64)
    for leader in dict.fromkeys(merged):
        members = [n for n, of in enumerate(merged) if of == leader]
        key = types[leader].key
        made[leader], labels[key], number = _type(plan, types, slots, members, key)
        for n in members:
            table[n, : len(slots[n])] = [number[slot] for slot in slots[n]]
    kept = sorted((types[leader].key, made[leader]) for leader in made)
    order = {key: n for n, (key, _) in enumerate(kept)}
    of = np.asarray([order[types[leader].key] for leader in merged], dtype=np.int64)
    old = fabric.device_type.astype(np.int64)
    a, b = (
        table[old[device.astype(np.int64)], port.astype(np.int64)]
        for device, port in ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port))
    )
    names = {types[n].key: types[leader].key for n, leader in enumerate(merged)}
    assemblies = {
        key: evolve(each, children=tuple(evolve(c, type=names.get(c.type, c.type)) for c in each.children))
        for key, each in plan.assemblies.items()
    }
    site = None if plan.site is None else evolve(plan.site, ports=labels)
    new = evolve(plan, devices=dict(kept), assemblies=assemblies, site=site)
    wide = np.uint32
    fabric = evolve(fabric, plan=new, device_type=of[old].astype(wide), a_port=a.astype(wide), b_port=b.astype(wide))
    return Regular(fabric, labels)


def _slots(of: DeviceType, names: list[str]) -> list[_Slot]:
    """Return the array and place of each port of a type: those of an array of its own stay there, others go by the
    number at the end of their name."""
    slots = []
    own = [(port, n) for port in of.ports for n in range(port.count)]
    for (port, n), path, name in zip(own, port_paths(of).tolist(), names, strict=True):
        match = _NUMBERED.match(name) if not port.shape or name != path else None
        if match is not None:
            slots.append(_Slot(match[1], int(match[2])))
        elif port.shape and name == path:
            slots.append(_Slot(f"={port.name}", n))
        else:
            slots.append(_Slot(f"={name}", -1))
    return slots


def _merged(types: list[DeviceType], slots: list[list[_Slot]]) -> list[int]:
    """Return the type that each is one with: the largest of those that have most of their ports in common."""
    order = sorted(range(len(types)), key=lambda n: (-len(slots[n]), types[n].key))
    type_of = list(range(len(types)))
    leaders: list[int] = []
    for n in order:
        own = set(slots[n])
        for leader in leaders:
            other = set(slots[leader])
            alike = (types[n].kind, bool(types[n].transit)) == (types[leader].kind, bool(types[leader].transit))
            if alike and not types[n].fields and len(own & other) >= max(1, COMMON * len(other)):
                type_of[n] = leader
                break
        else:
            leaders.append(n)
    return type_of


@define
class _Array:
    """An array as it is seen over the types that become one: the places of its ports, the best of those, their
    names."""

    numbers: set[int]
    best: Port
    shape: tuple[int, ...]
    names: dict[int, str]

    def places(self) -> dict[int, int]:
        """Return the element of each number: less the least, or in order where most numbers between are not there."""
        low, high = min(self.numbers), max(self.numbers)
        if high - low >= 4 * len(self.numbers) + 64:
            return {number: place for place, number in enumerate(sorted(self.numbers))}
        return {number: number - low for number in range(low, high + 1)}


def _called(stem: str, array: _Array) -> str:
    """Return what an array is called: its stem, with the number where there is one port only."""
    if stem.startswith("="):
        return stem[1:]
    return stem if len(array.numbers) > 1 else f"{stem}{next(iter(array.numbers))}"


def _type(
    plan: Plan, types: list[DeviceType], slots: list[list[_Slot]], members: list[int], key: str
) -> tuple[DeviceType, tuple[str, ...], dict[_Slot, int]]:
    """Return the type that several become, the names of its ports in order, and the number of each port by its slot."""
    seen: dict[str, _Array] = {}
    for n in members:
        ports = [port for port in types[n].ports for _ in range(port.count)]
        for slot, port, name in zip(slots[n], ports, port_names(plan, types[n].key).tolist(), strict=True):
            array = seen.setdefault(slot.array, _Array(set(), port, port.shape, {}))
            array.numbers.add(slot.number)
            array.names.setdefault(slot.number, name)
            array.best = max(array.best, port, key=lambda p: plan.protocols[p.protocol].lane_rate * p.lanes)
            array.shape = max(array.shape, port.shape)
    words = Names()
    named = sorted((words.of(_called(stem, array), "p"), stem) for stem, array in seen.items())
    made, labels, number = [], list[str](), dict[_Slot, int]()
    for word, stem in named:
        array, start = seen[stem], len(labels)
        places = array.places() if len(array.numbers) > 1 else {next(iter(array.numbers)): 0}
        own = stem.startswith("=") and array.numbers != {-1}
        shape = array.shape if own else (len(places),) if len(places) > 1 else ()
        count = prod(shape)
        for at, place in places.items():
            number[_Slot(stem, at)] = start + place
        back = {place: at for at, place in places.items()}
        prefix = stem.removeprefix("=")
        labels += [array.names.get(back.get(n, -1), f"{prefix}{back.get(n, n)}") for n in range(count)]
        made.append(Port(word, shape, array.best.protocol, array.best.lanes, True))
    leader = next(of for of in types if of.key == key)
    transit = (tuple(range(len(labels))),) if leader.transit else ()
    return evolve(leader, ports=tuple(made), transit=transit, between=()), tuple(labels), number
