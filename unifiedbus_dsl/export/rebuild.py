"""From a list of devices and cables to a fabric.

Where the names are those of a regular machine (`pod[3].rack[1].npu[7]`, every index of every array there, the
elements of an array alike), the hierarchy comes back, with every cable a line of the outermost assembly; so it does
where they are such names in their legal form (`pod3-rack1-npu7`). Where they are not (a rack is missing, names of
another tool), each device is a child of its own, and its name is made legal.

Types come from the file if it has them; a cable that runs at another rate than its type gets a link of its own. Else
they are made of what is seen: a device type for each set of ports, a link for each name, medium and rate; then
latencies and transit lines are those of no statement.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import prod
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from unifiedbus_dsl.export.listing import Cable, ImportFailed, Listing
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.fabric.expand import expand
from unifiedbus_dsl.fabric.names import split_path, split_segment
from unifiedbus_dsl.fabric.verify import BrokenFabricError, verify_fabric, verify_plan
from unifiedbus_dsl.plan import (
    AssemblyType,
    Axis,
    Child,
    DeviceType,
    Export,
    Link,
    Lookup,
    Plan,
    Port,
    PortRef,
    Protocol,
    Rule,
    Value,
    Var,
)
from unifiedbus_dsl.progress import track
from unifiedbus_dsl.schema import KINDS_OF_DEVICE

Index: TypeAlias = tuple[int, ...]
Step: TypeAlias = tuple[str, Index]
"""A name with its subscripts."""

PortFacts: TypeAlias = tuple[Fraction, str, int]
"""Rate, protocol and lanes of the cable in a port."""
_Group: TypeAlias = tuple[str, str, str, str, str, int, float | None]
"""Child and port of both ends, link, lanes, length."""

RATE_TOLERANCE = 1e-6
"""Relative."""
USUAL_LANE = Fraction(14 * 10**9)
"""112 Gbps, for cables of which no rate is known."""


def rebuild(listing: Listing) -> Fabric:
    """The fabric of a list.

    Raises:
        ImportFailed: two devices have one name, a cable ends nowhere, or a port has two cables.
    """
    _check(listing)
    types = _known(listing) if listing.types is not None else _seen(listing)
    paths = {device.name: _path(device.name) for device in listing.devices}
    tree = _regular(listing, types, paths)
    if tree is None:
        paths = {device.name: _legal_path(device.name) for device in listing.devices}
        tree = _regular(listing, types, paths)
    if tree is None:
        paths = {device.name: ((legal, ()),) for device, legal in zip(listing.devices, _legal(listing), strict=True)}
        tree = _tree(listing, types, paths)
    build = _Build(types.of)
    root = build.add(tree, listing.name)
    rules = _rules(listing, types, paths, build, root)
    assemblies = build.assemblies | {root: evolve(build.assemblies[root], rules=rules)}
    plan = Plan(
        listing.name,
        root,
        dict(sorted(types.protocols.items())),
        dict(sorted(types.links.items())),
        dict(sorted((key, of) for key, of in types.devices.items())),
        dict(sorted(assemblies.items())),
    )
    try:
        verify_plan(plan, len(listing.cables))
        fabric = expand(plan)
        verify_fabric(fabric)
    except BrokenFabricError as error:
        raise ImportFailed(f"the file makes no machine: {error}") from error
    return fabric


def _check(listing: Listing) -> None:
    for device in listing.devices:
        if (device.kind or "device") not in KINDS_OF_DEVICE:
            known = ", ".join(KINDS_OF_DEVICE)
            raise ImportFailed(f"`{device.name}` is of kind `{device.kind[:60]}`; kinds are {known}")
        if device.ports > MOST_PORTS:
            raise ImportFailed(f"`{device.name}` has {device.ports:,} ports; no device has more than {MOST_PORTS:,}")
    names = {device.name for device in listing.devices}
    if len(names) < len(listing.devices):
        name, count = Counter(device.name for device in listing.devices).most_common(1)[0]
        raise ImportFailed(f"{count:,} devices are called `{name}`: each device has a name of its own")
    if not names:
        raise ImportFailed("there is no device in it")
    nameless = next((number for number, device in enumerate(listing.devices, 1) if not device.name.strip()), None)
    if nameless is not None:
        raise ImportFailed(f"device {nameless:,} of the file has no name")
    taken: dict[tuple[str, str], Cable] = {}
    for cable in listing.cables:
        if cable.a == cable.b:
            raise ImportFailed(f"`{cable}`: a cable from a port to itself")
        for end in (cable.a, cable.b):
            if end[0] not in names:
                raise ImportFailed(f"`{cable}`: there is no device `{end[0]}`")
            if end in taken:
                raise ImportFailed(f"`{cable}` and `{taken[end]}`: two cables are on port `{end[0]}.{end[1]}`")
            taken[end] = cable


# ---- types --------------------------------------------------------------------------------------------------------


@frozen
class _Types:
    """`of` gives the type of each device, `link_of` the link and lanes of each cable."""

    devices: Mapping[str, DeviceType]
    links: Mapping[str, Link]
    protocols: Mapping[str, Protocol]
    of: Mapping[str, str]
    link_of: list[tuple[str, int]]


def _known(listing: Listing) -> _Types:
    """The types that the file states."""
    types = listing.types
    assert types is not None
    of = {device.name: device.type for device in listing.devices}
    for device in listing.devices:
        if device.type not in types.devices:
            raise ImportFailed(f"`{device.name}` is of a type `{device.type}` that the file doesn't describe")
    link_of = []
    links, protocols = dict(types.links), dict(types.protocols)
    for cable in listing.cables:
        if cable.link not in types.links:
            raise ImportFailed(f"`{cable}` is of a link `{cable.link}` that the file doesn't describe")
        link_of.append((_at_rate(cable, links, protocols), cable.lanes or 1))
    used = set(of.values())
    return _Types({k: v for k, v in types.devices.items() if k in used}, links, protocols, of, link_of)


def _at_rate(cable: Cable, links: dict[str, Link], protocols: dict[str, Protocol]) -> str:
    """The link of a cable, or one like it at the rate that the cable runs at."""
    link = links[cable.link]
    protocol = protocols[link.protocol]
    usual = protocol.lane_rate * (cable.lanes or 1)
    if cable.rate is None or abs(cable.rate - usual) <= RATE_TOLERANCE * usual:
        return cable.link
    rate = Fraction(cable.rate).limit_denominator(10**6) / (cable.lanes or 1)
    suffix = f"_at_{round(cable.rate * 8e-6)}_Mbps"
    protocols.setdefault(link.protocol + suffix, evolve(protocol, name=protocol.name + suffix, lane_rate=rate))
    links.setdefault(link.name + suffix, evolve(link, name=link.name + suffix, protocol=link.protocol + suffix))
    return link.name + suffix


def _seen(listing: Listing) -> _Types:
    """Types made of what is seen of each device and cable."""
    ports: dict[str, dict[str, PortFacts]] = {device.name: {} for device in listing.devices}
    links: dict[str, Link] = {}
    protocols: dict[str, Protocol] = {}
    link_of = []
    for cable in listing.cables:
        link, lanes = _link(cable, links, protocols)
        link_of.append((link, lanes))
        for name, port in (cable.a, cable.b):
            ports[name][port] = protocols[links[link].protocol].lane_rate * lanes, links[link].protocol, lanes
    # devices of one type, or of one size, may use different ports of it
    groups: dict[tuple[str, str, int | tuple[tuple[str, PortFacts], ...]], list[str]] = {}
    for device in listing.devices:
        alone: int | tuple[tuple[str, PortFacts], ...]
        alone = device.ports if device.type or device.ports else tuple(sorted(ports[device.name].items()))
        groups.setdefault((device.type, device.kind or "device", alone), []).append(device.name)
    devices: dict[str, DeviceType] = {}
    of: dict[str, str] = {}
    for (type_, kind, alone), names in groups.items():
        size = alone if isinstance(alone, int) else 0
        base = re.sub(r"\W", "_", type_) or f"{kind.capitalize()}{size or ''}"
        key = base if base not in devices else f"{base}{len(devices)}"
        merged: dict[str, PortFacts] = {}
        for port, facts in (pair for name in names for pair in ports[name].items()):
            merged[port] = max(facts, merged.get(port, facts))
        devices[key] = DeviceType(key, kind, _arrays(names[0], merged, size))
        of |= dict.fromkeys(names, key)
    return _Types(devices, links, protocols, of, link_of)


def _link(cable: Cable, links: dict[str, Link], protocols: dict[str, Protocol]) -> tuple[str, int]:
    lanes = cable.lanes or 1
    rate = USUAL_LANE if cable.rate is None else Fraction(cable.rate).limit_denominator(10**6) / lanes
    protocol = next((p for p, known in protocols.items() if known.lane_rate == rate), f"P{len(protocols)}")
    protocols.setdefault(protocol, Protocol(protocol, rate, Fraction(0), Fraction(1)))
    fields: dict[str, Value] = {"medium": cable.medium} if cable.medium else {}
    base = re.sub(r"\W", "_", cable.link) or "Cable"
    number = 0
    while True:
        name = base if not number else f"{base}{number}"
        made = links.setdefault(name, Link(name, protocol, fields))
        if made.protocol == protocol and made.fields == fields:
            return name, lanes
        number += 1


MOST_PORTS = 65_536
"""No device has as many; a larger number in the name of a port is a slip."""


def _arrays(device: str, ports: Mapping[str, PortFacts], count: int) -> tuple[Port, ...]:
    """Port arrays as large as the highest number seen, a single array as large as its `count` if that is known; each
    for the fastest cable seen in it. Ports not seen are open."""
    found: dict[str, tuple[Index, PortFacts]] = {}
    for name, facts in ports.items():
        array, at = _step(name) or (name, ())
        shape = tuple(index + 1 for index in at)
        if prod(shape) > MOST_PORTS:
            raise ImportFailed(f"port `{name}` of `{device}`: no device has more than {MOST_PORTS:,} ports")
        old, most = found.get(array, (shape, facts))
        if len(old) != len(shape):
            raise ImportFailed(f"the ports `{array}` of `{device}` are not alike")
        found[array] = tuple(map(max, old, shape)), max(most, facts)
    if count and len(found) == 1:
        ((array, (shape, facts)),) = found.items()
        found[array] = (max(count, *shape),) if len(shape) == 1 else shape, facts
    return tuple(
        Port(name, shape, protocol, lanes, True) for name, (shape, (_, protocol, lanes)) in sorted(found.items())
    )


# ---- names --------------------------------------------------------------------------------------------------------


def _step(text: str) -> Step | None:
    try:
        name, inside = split_segment(text, text)
    except ValueError:
        return None
    parts = [] if inside is None else [part.strip() for part in inside.split(",")]
    return (name, tuple(map(int, parts))) if all(map(_INDEX.fullmatch, parts)) else None


_INDEX = re.compile("[0-9]{1,40}")


def _path(name: str) -> tuple[Step, ...] | None:
    steps = [_step(segment) for segment in split_path(name)]
    return None if not steps or None in steps else tuple(step for step in steps if step is not None)


_WORD = re.compile(r"([a-z](?:[a-z0-9]*[a-z])?)(0|[1-9][0-9]*)?\Z")


def _legal_path(name: str) -> tuple[Step, ...] | None:
    """`pod3-inter0-2-hrs7` as `pod[3].inter[0, 2].hrs[7]`; None for other names."""
    steps: list[Step] = []
    for word in name.split("-"):
        match = _WORD.match(word)
        if match is not None:
            steps.append((match[1], (int(match[2]),) if match[2] else ()))
        elif steps and steps[-1][1] and re.fullmatch(r"0|[1-9][0-9]*", word):
            steps[-1] = steps[-1][0], (*steps[-1][1], int(word))
        else:
            return None
    return tuple(steps)


def _legal(listing: Listing) -> list[str]:
    """A legal name for each device, distinct."""
    taken: set[str] = set()
    found = []
    for device in listing.devices:
        base = re.sub(r"\W+", "_", device.name).strip("_") or "device"
        base = base if base[0].isalpha() else f"d{base}"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        found.append(name)
    return found


# ---- hierarchy ----------------------------------------------------------------------------------------------------


@define
class _Node:
    """A part of the machine: a device by its type, or children by name and index."""

    device: str | None = None
    spare: bool = False
    children: dict[str, dict[Index, _Node]] = field(factory=dict)


def _tree(listing: Listing, types: _Types, paths: Mapping[str, tuple[Step, ...] | None]) -> _Node:
    root = _Node()
    for device in listing.devices:
        here = root
        for name, at in paths[device.name] or ():
            here = here.children.setdefault(name, {}).setdefault(at, _Node())
        here.device, here.spare = types.of[device.name], device.spare
    return root


def _regular(listing: Listing, types: _Types, paths: Mapping[str, tuple[Step, ...] | None]) -> _Node | None:
    """The tree of the names if it is one that arrays of types can make, else None."""
    if any(path is None or len(path) > DEEPEST for path in paths.values()):
        return None
    tree = _tree(listing, types, paths)
    return tree if _signature(tree, {}) is not None else None


DEEPEST = 32
"""No machine has as many levels; names of more are no hierarchy."""


def _signature(node: _Node, known: dict[object, int]) -> int | None:
    """The same number for parts that are alike; None where an array has gaps or unlike elements."""
    if node.device is not None:
        return None if node.children else known.setdefault(("device", node.device), len(known))
    parts: list[object] = []
    for name, elements in sorted(node.children.items()):
        shape = _shape(elements)
        inner = {_signature(element, known) for element in elements.values()}
        spare = {element.spare for element in elements.values()}
        if shape is None or None in inner or len(inner) > 1 or len(spare) > 1:
            return None
        parts.append((name, shape, inner.pop(), spare.pop()))
    return known.setdefault(tuple(parts), len(known))


def _shape(elements: Mapping[Index, _Node]) -> Index | None:
    ranks = {len(at) for at in elements}
    if len(ranks) > 1:
        return None
    shape = tuple(max(column) + 1 for column in zip(*elements, strict=True))
    return shape if prod(shape) == len(elements) else None


@define
class _Build:
    """Assembly types, one for each distinct part; each exports every port inside it."""

    of: Mapping[str, str]
    assemblies: dict[str, AssemblyType] = field(factory=dict)
    known: dict[object, str] = field(factory=dict)
    signatures: dict[object, int] = field(factory=dict)
    taken: set[str] = field(factory=set)

    def add(self, node: _Node, name: str) -> str:
        """The key of the type of a part."""
        if node.device is not None:
            return node.device
        number = _signature(node, self.signatures)
        if number in self.known:
            return self.known[number]
        base = re.sub(r"\W", "_", name).capitalize() or "Machine"
        taken = self.taken | set(self.of.values())
        key = base if base not in taken else next(k for n in range(len(taken) + 1) if (k := f"{base}{n}") not in taken)
        self.taken.add(key)  # before what is inside, which may have the same name
        children = []
        for child, elements in sorted(node.children.items()):
            first = next(iter(elements.values()))
            children.append(Child(child, _shape(elements) or (), self.add(first, child), first.spare))
        self.assemblies[key] = AssemblyType(key, _kind(name), tuple(children))
        self.known[number] = key
        return key


KINDS = ("board", "node", "rack", "superpod", "supercluster")
ALSO = {"server": "node", "cabinet": "rack", "pod": "superpod"}


def _kind(name: str) -> str:
    word = re.sub(r"\d+\Z", "", name.lower())
    return word if word in KINDS else ALSO.get(word, "module")


# ---- cables -------------------------------------------------------------------------------------------------------


def _rules(
    listing: Listing, types: _Types, paths: Mapping[str, tuple[Step, ...] | None], build: _Build, root: str
) -> tuple[Rule, ...]:
    """Cables between the same arrays over the same link at the same length are one rule, looked up in tables."""
    exports = _Exports(build, types.devices)
    groups: dict[_Group, list[tuple[Index, Index, Index, Index]]] = {}
    each = zip(listing.cables, types.link_of, strict=True)
    for cable, (link, lanes) in track(each, "place cables", len(listing.cables)):
        ends = [exports.end(paths[device] or (), types.of[device], port, cable) for device, port in (cable.a, cable.b)]
        (a, a_at, a_port, a_in), (b, b_at, b_port, b_in) = ends
        groups.setdefault((a, a_port, b, b_port, link, lanes, cable.length), []).append((a_at, a_in, b_at, b_in))
    found = []
    for number, (key, lines) in enumerate(sorted(groups.items(), key=lambda item: str(item[0]))):
        a, a_port, b, b_port, link, lanes, length = key
        columns = [tuple(Lookup(c, Var("_e")) for c in zip(*part, strict=True)) for part in zip(*lines, strict=True)]
        found.append(
            Rule(
                PortRef(a, columns[0], a_port, columns[1]),
                PortRef(b, columns[2], b_port, columns[3]),
                (Axis("_e", 0, len(lines) - 1),),
                None,
                link,
                lanes,
                None if length is None else Fraction(round(length * 1000), 1000),
                "cables",
                number,
            )
        )
    return tuple(found)


@define
class _Exports:
    """Finds the port of a device as one of a direct child of the root, adding exports on the way."""

    build: _Build
    devices: Mapping[str, DeviceType]
    children: dict[str, str] = field(factory=dict)
    """The type of each child of the root."""

    def __attrs_post_init__(self) -> None:
        root = list(self.build.assemblies.values())[-1]
        self.children = {child.name: child.type for child in root.children}

    def end(self, path: Iterable[Step], device: str, port: str, cable: Cable) -> tuple[str, Index, str, Index]:
        """Child of the root with its subscripts, port of that child with its subscripts."""
        (child, at), *inner = path
        array, port_at = _step(port) or (port, ())
        shape = next((p.shape for p in self.devices[device].ports if p.name == array), None)
        if shape is None or len(shape) != len(port_at) or any(i >= n for i, n in zip(port_at, shape, strict=True)):
            raise ImportFailed(f"`{cable}`: `{device}` has no port `{port}`")
        name, subscripts = array, port_at
        key = self.children[child]
        holders = []
        for step, index in inner:
            holders.append((key, step, index))
            key = next(c.type for c in self.build.assemblies[key].children if c.name == step)
        for holder, step, index in reversed(holders):
            name = self._export(holder, step, name, shape)
            shape = self._shape_of(holder, name)
            subscripts = (*index, *subscripts)
        return child, at, name, subscripts

    def _shape_of(self, key: str, name: str) -> Index:
        return next(e.shape for e in self.build.assemblies[key].exports if e.name == name)

    def _export(self, key: str, child: str, port: str, shape: Index) -> str:
        """The export of a port array of a child, made where it is missing."""
        of = self.build.assemblies[key]
        name = f"{child}_{port}"
        if all(export.name != name for export in of.exports):
            array = next(c for c in of.children if c.name == child)
            axes = tuple(Axis(f"_{n}", 0, size - 1) for n, size in enumerate((*array.shape, *shape)))
            names = [Var(axis.name) for axis in axes]
            rank = len(array.shape)
            export = Export(name, axes, PortRef(child, tuple(names[:rank]), port, tuple(names[rank:])))
            exports = tuple(sorted((*of.exports, export), key=lambda e: e.name))
            self.build.assemblies[key] = evolve(of, exports=exports)
        return name
