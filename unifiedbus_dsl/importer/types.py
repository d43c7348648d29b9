"""Types of devices, links and protocols of a table: those that the file states, or else made of what is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from math import prod
from typing import TypeAlias

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.table import Kind, Table
from unifiedbus_dsl.ir.fabric.names import port_paths, split_segment
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Link, Plan, Port, Protocol, Value, serial

Index: TypeAlias = tuple[int, ...]
Place: TypeAlias = tuple[str, Index]
"""A port array and the subscripts in it; so a step of a path: a name with its subscripts."""
_Facts: TypeAlias = tuple[Fraction, str, int]
"""Rate, protocol and lanes of the cable in a port."""

RATE_TOLERANCE = 1e-6
"""Relative."""
USUAL_LANE = Fraction(14 * 10**9)
"""112 Gbps, in place of a rate that nobody knows."""
MOST_PORTS = 65_536
"""No device has as many; a larger number in the name of a port is a slip."""
_LATENCY = ("latency",)
_BOTH = ("rate", "latency")
"""What files that describe no types leave unknown."""
UNKNOWN = "Unknown"
"""The protocol of cables of which no rate is known."""


@frozen
class Types:
    """`of` is the type of each device, `link_of` the link and lanes of each kind of cable. `labels` has the names of
    the ports of a type where they are not those of its arrays."""

    devices: Mapping[str, DeviceType]
    links: Mapping[str, Link]
    protocols: Mapping[str, Protocol]
    of: Sequence[str]
    link_of: Sequence[tuple[str, int]]
    labels: Mapping[str, tuple[str, ...]] = field(factory=dict)
    _places: dict[str, dict[str, Place]] = field(factory=dict, init=False)

    def place(self, key: str, port: str) -> Place:
        """Return the port array and subscripts of a port by its name.

        Raises:
            ImportFailed: the type has none of this name.
        """
        if key not in self._places:
            places = list(_places(self.devices[key]))
            own = dict(zip(port_paths(self.devices[key]).tolist(), places, strict=True))
            self._places[key] = own | dict(zip(self.labels.get(key, ()), places, strict=False))
        place = self._places[key].get(port)
        if place is None:
            place = self._places[key].get(port.replace(",", ", "))
        if place is None:
            raise ImportFailed(f"`{key}` has no port `{port}`")
        return place

    def plan(self, system: str, root: str, assemblies: Mapping[str, AssemblyType]) -> Plan:
        """Return the plan of a machine of these types."""
        return Plan(
            system,
            root,
            dict(sorted(self.protocols.items())),
            dict(sorted(self.links.items())),
            dict(sorted(self.devices.items())),
            dict(sorted(assemblies.items())),
        )


def _places(device: DeviceType) -> Iterator[Place]:
    for port in device.ports:
        yield from ((port.name, index) for index in np.ndindex(*port.shape))


def types_of(text: str, title: str) -> Plan:
    """Return the plan without assemblies that a file of ours has its types in.

    Raises:
        ImportFailed: it is none.
    """
    try:
        return serial.load(text.encode())
    except ValueError as error:
        raise ImportFailed(f"`{title}`: the types of the machine can't be read: {error}") from error


def types_in(table: Table) -> Types:
    """Return the types of a table.

    Raises:
        ImportFailed: the file has types, and a device or cable is of another; or a device has too many ports.
    """
    for device in table.devices:
        if device.ports > MOST_PORTS:
            raise ImportFailed(f"`{device.name}` has {device.ports:,} ports; no device has more than {MOST_PORTS:,}")
    return _seen(table) if table.types is None else _known(table, table.types)


def step_of(text: str) -> Place | None:
    """Return `up[3]` as its name and subscripts; None for what reads otherwise."""
    try:
        name, inside = split_segment(text, text)
    except ValueError:
        return None
    parts = [] if inside is None else [part.strip() for part in inside.split(",")]
    return (name, tuple(map(int, parts))) if all(map(_INDEX.fullmatch, parts)) else None


_INDEX = re.compile("[0-9]{1,18}")


# ---- that the file states -----------------------------------------------------------------------------------------


def _known(table: Table, types: Plan) -> Types:
    for device in table.devices:
        if device.type not in types.devices:
            raise ImportFailed(f"`{device.name}` is of a type `{device.type}` that the file doesn't describe")
    links, protocols = dict(types.links), dict(types.protocols)
    used = set(table.kind)
    link_of = []
    for number, kind in enumerate(table.kinds):
        if kind.link not in types.links:
            if number in used:
                raise ImportFailed(f"a cable is of a link `{kind.link}` that the file doesn't describe")
            link_of.append(("", 1))
            continue
        link_of.append((_at_rate(kind, links, protocols), kind.lanes or 1))
    of = [device.type for device in table.devices]
    devices = {key: device for key, device in types.devices.items() if key in set(of)}
    return Types(devices, links, protocols, of, link_of, types.site.ports if types.site is not None else {})


def _at_rate(kind: Kind, links: dict[str, Link], protocols: dict[str, Protocol]) -> str:
    """Return the link of a cable, or one like it at the rate that the cable runs at."""
    link = links[kind.link]
    protocol = protocols[link.protocol]
    usual = protocol.lane_rate * (kind.lanes or 1)
    if kind.rate is None or abs(kind.rate - usual) <= RATE_TOLERANCE * usual:
        return kind.link
    rate = Fraction(kind.rate).limit_denominator(10**6) / (kind.lanes or 1)
    suffix = f"_at_{round(kind.rate * 8e-6)}_Mbps"
    name = protocol.name + suffix
    protocols.setdefault(
        name, evolve(protocol, name=name, lane_rate=rate, assumed=_LATENCY if "latency" in protocol.assumed else ())
    )
    links.setdefault(link.name + suffix, evolve(link, name=link.name + suffix, protocol=name))
    return link.name + suffix


# ---- made of what is seen -----------------------------------------------------------------------------------------


def _seen(table: Table) -> Types:
    """Return a device type for each set of ports, or for each type or size that the file says; a link for each name,
    medium and rate."""
    links: dict[str, Link] = {}
    protocols: dict[str, Protocol] = {}
    link_of = [_link(kind, links, protocols, table.usual) for kind in table.kinds]
    facts = [_facts(protocols[links[link].protocol], lanes) for link, lanes in link_of]
    order = {fact: number for number, fact in enumerate(sorted(set(facts)))}
    ranked = sorted(set(facts))
    start, ports, rank = _by_device(table, np.asarray([order[fact] for fact in facts], dtype=np.int64))
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, device in enumerate(table.devices):
        some = slice(start[number], start[number + 1])
        alone: object = device.ports
        if not (device.type or device.ports):
            caged = frozenset(table.cages.get(device.name, ()))
            alone = ports[some].tobytes(), rank[some].tobytes(), caged
        groups.setdefault((device.type, device.kind or "device", device.role, alone), []).append(number)
    devices: dict[str, DeviceType] = {}
    labels: dict[str, tuple[str, ...]] = {}
    of = [""] * len(table.devices)
    for (type_, kind, role, _), members in groups.items():
        first = table.devices[members[0]]
        base = _identifier(
            str(type_) or f"{str(kind if role in ('', 'forwards') else role).capitalize()}{first.ports or ''}"
        )
        key = base if base not in devices else f"{base}_{len(devices)}"
        merged: dict[str, _Facts] = {}
        for member in members:
            some = slice(start[member], start[member + 1])
            for port, at in zip(ports[some].tolist(), rank[some].tolist(), strict=True):
                name = table.ports[port]
                merged[name] = max(ranked[at], merged.get(name, ranked[at]))
        arrays, own = _arrays(first.name, merged, first.ports)
        radix = sum(port.count for port in arrays)
        transit = (tuple(range(radix)),) if role == "forwards" and radix else ()
        made = DeviceType(key, str(kind), arrays, transit)
        caged_ports = {ports for member in members for ports in table.cages.get(table.devices[member].name, ())}
        cages = tuple(_cages(own or port_paths(made).tolist(), caged_ports)) if caged_ports else ()
        devices[key] = evolve(made, cages=cages)
        if own:
            labels[key] = own
        for member in members:
            of[member] = key
    used = {link_of[kind][0] for kind in set(table.kind)}
    kept = {key: link for key, link in links.items() if key in used}
    spoken = {link.protocol for link in kept.values()} | {p.protocol for d in devices.values() for p in d.ports}
    return Types(devices, kept, {k: p for k, p in protocols.items() if k in spoken}, of, link_of, labels)


def _facts(protocol: Protocol, lanes: int) -> _Facts:
    return protocol.lane_rate * lanes, protocol.name, lanes


def _by_device(table: Table, rank: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the ports that have cables, device by device in order of port, and the rank of the cable in each."""
    columns = [np.frombuffer(c, dtype=np.int64) for c in (table.a, table.b, table.a_port, table.b_port, table.kind)]
    device, port = np.concatenate(columns[:2]), np.concatenate(columns[2:4])
    kind = np.concatenate([columns[4], columns[4]])
    order = np.lexsort((port, device))
    start = np.searchsorted(device[order], np.arange(len(table.devices) + 1))
    return start, port[order], rank[kind[order]] if len(rank) else kind[order]


def _link(
    kind: Kind, links: dict[str, Link], protocols: dict[str, Protocol], usual: Fraction | None
) -> tuple[str, int]:
    """Return the link and lanes of a kind of cable; `usual` stands for a rate that nobody knows."""
    lanes = kind.lanes or 1
    if kind.rate is None:
        protocol = UNKNOWN if usual is None or lanes == 1 else f"{UNKNOWN}{lanes}"
        rate = USUAL_LANE if usual is None else usual / lanes
        protocols.setdefault(protocol, Protocol(protocol, rate, Fraction(0), Fraction(1), assumed=_BOTH))
    else:
        rate = Fraction(kind.rate).limit_denominator(10**6) / lanes
        alike = (p for p, known in protocols.items() if known.lane_rate == rate and known.assumed == _LATENCY)
        protocol = next(alike, f"P{len(protocols)}")
        protocols.setdefault(protocol, Protocol(protocol, rate, Fraction(0), Fraction(1), assumed=_LATENCY))
    fields: dict[str, Value] = {"medium": kind.medium} if kind.medium else {}
    base = _identifier(kind.link) if kind.link else "Cable" if kind.rate is not None else "UnknownRate"
    number = 0
    while True:
        name = base if not number else f"{base}{number}"
        made = links.setdefault(name, Link(name, protocol, fields))
        if made.protocol == protocol and made.fields == fields:
            return name, lanes
        number += 1


def _identifier(text: str) -> str:
    """Return a name of the language as near to a text as can be."""
    name = re.sub(r"\W", "_", text)
    return name if name and not name[0].isdigit() else f"T{name}"


def _arrays(device: str, ports: Mapping[str, _Facts], count: int) -> tuple[tuple[Port, ...], tuple[str, ...]]:
    """Port arrays, and the names of their ports in order where these are not `array[index]`. Ports not seen are open.

    Names such as `up[3]` are arrays as large as the highest number seen. Any others are one array `p`: where they are
    numbers, as large as the device, else in natural order.
    """
    regular = _regular(ports)
    if regular is not None and not count:
        return regular, ()
    if not ports:
        return (), ()
    names = sorted(ports, key=natural)
    numbers = [int(name) if re.fullmatch(r"0|[1-9]\d{0,8}", name) else -1 for name in names]
    if min(numbers) >= 0:
        low = 0 if numbers[0] == 0 else 1
        size = max(count, numbers[-1] - low + 1)
        if size > MOST_PORTS:
            if count:
                raise ImportFailed(f"port `{names[-1]}` of `{device}`: no device has more than {MOST_PORTS:,} ports")
        elif count or size <= 4 * len(names) + 64:
            names = [str(number + low) for number in range(size)]
    if len(names) > MOST_PORTS:
        raise ImportFailed(f"`{device}` has {len(names):,} ports; no device has more than {MOST_PORTS:,}")
    _, protocol, lanes = max(ports.values())
    return (Port("p", (len(names),), protocol, lanes, True),), tuple(names)


def _regular(ports: Mapping[str, _Facts]) -> tuple[Port, ...] | None:
    """Return the arrays of names such as `up[3]`; None where they are no such names."""
    arrays: dict[str, tuple[Index, _Facts]] = {}
    for name, facts in ports.items():
        step = step_of(name)
        if step is None:
            return None
        array, at = step
        shape = tuple(index + 1 for index in at)
        old, most = arrays.get(array, (shape, facts))
        if prod(shape) > MOST_PORTS or len(old) != len(shape):
            return None
        arrays[array] = tuple(map(max, old, shape)), max(most, facts)
    if not arrays or sum(prod(shape) for shape, _ in arrays.values()) > MOST_PORTS:
        return None
    return tuple(
        Port(name, shape, protocol, lanes, True) for name, (shape, (_, protocol, lanes)) in sorted(arrays.items())
    )


def _cages(names: Sequence[str], cages: AbstractSet[frozenset[str]]) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of ports that share a cage, by the names of the ports of a device in order: the larger one where
    two of them overlap, as of devices of which one has fewer of its ports in use."""
    number = {name: at for at, name in enumerate(names)}
    runs = []
    for ports in cages:
        at = sorted(number[name] for name in ports if name in number)
        if len(at) == len(ports) and at[-1] - at[0] == len(at) - 1:
            runs.append((-len(at), at[0]))
    taken: set[int] = set()
    kept = []
    for less, first in sorted(runs):
        here = range(first, first - less)
        if taken.isdisjoint(here):
            taken.update(here)
            kept.append((first, -less, 1))
    yield from sorted(kept)


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return what to sort by, so that port 10 comes after port 9."""
    return [
        (0, int(part), part) if part.isascii() and part.isdigit() and len(part) < 19 else (1, 0, part)
        for part in re.split(r"(\d+)", text)
    ]
