"""InfraGraph (Infrastructure as a Graph, 3.1) as JSON: devices of components, instances of them, edges over slices.

Every component of every instance is a device; a component of the sort `port` that is joined to one other inside its
device is a port of that one. A device with a single component beside its ports is called as its instance (`host.3`),
others as InfraGraph calls them (`host.3.xpu.0`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from attrs import field, frozen

from unifiedbus_dsl.importer.doubts import BAD_VALUE, NO_END, Doubts, shown
from unifiedbus_dsl.importer.jsons import load
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import MOST_CABLES, Kind, Table, number

KINDS = {"xpu": "npu", "cpu": "cpu", "nic": "nic", "switch": "switch"}
RATES = {"gigabits_per_second": 1e9 / 8, "gigabytes_per_second": 1e9}
"""Byte/s in a unit of bandwidth; transfers say nothing of bytes."""
MOST_NODES = 8_000_000
DEEPEST = 32
"""Devices in devices."""

_IS_IT = re.compile(r'"components"\s*:\s*\[')
_PART = re.compile(r"([^\[\].]+)(?:\[([^\[\]]*)\])?")


def is_it(head: str) -> bool:
    """Return whether a text begins as InfraGraph in JSON."""
    return head.lstrip("\ufeff \t\r\n").startswith("{") and _IS_IT.search(head) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the components and edges of a file.

    Raises:
        ImportFailed: it is no InfraGraph, or names what is not there.
        OSError: the file can't be read.
    """
    data = load(source, doubts)
    if not isinstance(data, dict) or not data.get("devices") or not data.get("instances"):
        raise ImportFailed(f"`{source.title}`: InfraGraph has `devices` and `instances`")
    table = Table(str(data.get("name") or source.stem), doubts)
    return _Reader(source.title, table, _named(data, "devices", source.title)).machine(data)


def _named(data: Mapping[str, Any], key: str, title: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a list, by name."""
    by_name: dict[str, dict[str, Any]] = {}
    for each in _list(data, key, title):
        name = each.get("name")
        if not isinstance(name, str) or not name:
            raise ImportFailed(f"`{title}`: one of the `{key}` has no name")
        by_name[name] = each
    return by_name


def _list(data: Mapping[str, Any], key: str, title: str) -> list[dict[str, Any]]:
    items = data.get(key) or []
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise ImportFailed(f"`{title}`: `{key}` is no list of objects")
    return items


@frozen(eq=False)
class _Inside:
    """What a device is made of: the sort of each node, by its path (`xpu.0`), and its edges with their links."""

    nodes: dict[str, str] = field(factory=dict)
    edges: list[tuple[str, str, int]] = field(factory=list)


@frozen(eq=False)
class _Ends:
    """For each node of a device: the device of the table that it is in, as the rest of its name, and the port."""

    of: dict[str, tuple[str, str]]
    kinds: dict[str, tuple[str, str]]


@frozen(eq=False)
class _Reader:
    title: str
    table: Table
    devices: dict[str, dict[str, Any]]
    _known: dict[str, _Inside] = field(factory=dict, init=False)

    def machine(self, data: Mapping[str, Any]) -> Table:
        links = self._links(data)
        ends: dict[str, tuple[str, int, _Ends]] = {}
        total = 0
        for name, instance in _named(data, "instances", self.title).items():
            device, count = str(instance.get("device")), self._count(instance, f"instance `{name}`")
            inside = self.inside(device)
            total += count * len(inside.nodes)
            if total > MOST_NODES:
                raise ImportFailed(
                    f"`{self.title}` has more than {MOST_NODES:,} components: read a part of the machine"
                )
            ends[name] = device, count, _folded(device, inside)
            self._instances(name, count, inside, ends[name][2])
        for place, edge in enumerate(_list(data, "edges", self.title)):
            self._edge(place, edge, ends, links)
        return self.table

    def _instances(self, name: str, count: int, inside: _Inside, ends: _Ends) -> None:
        for n in range(count):
            for rest, (kind, type_) in ends.kinds.items():
                self.table.device(f"{name}.{n}{rest}", kind, type_)
            for a, b, kind_number in inside.edges:
                (one, port), (two, other) = ends.of[a], ends.of[b]
                if one != two:
                    pair = (self.table.device(f"{name}.{n}{rest}") for rest in (one, two))
                    self.table.cable(next(pair), port, next(pair), other, kind_number, 0)

    def _edge(
        self, place: int, edge: Mapping[str, Any], ends: Mapping[str, tuple[str, int, _Ends]], links: Mapping[str, int]
    ) -> None:
        sides = []
        for key in ("ep1", "ep2"):
            end = edge.get(key)
            if not isinstance(end, dict):
                raise ImportFailed(f"`{self.title}`: edge {place} has no `{key}`")
            (name, inner), *more = _parts(str(end.get("instance", "")), self.title)
            if more or name not in ends:
                raise ImportFailed(f"`{self.title}`: edge {place}: there is no instance {shown(name)}")
            device, count, sites = ends[name]
            numbers = self._indices(inner, count, place)
            paths = self._paths(device, str(end.get("component", "")), f"edge {place}")
            sides.append([(f"{name}.{n}", sites.of[path]) for n in numbers for path in paths if path in sites.of])
        kind = links.get(str(edge.get("link")), self.table.kind_of(Kind(str(edge.get("link") or ""))))
        for (a, (one, port)), (b, (two, other)) in self._pairs(edge, sides[0], sides[1], place):
            if a + one != b + two or port != other:
                self.table.cable(self.table.device(a + one), port, self.table.device(b + two), other, kind, 0)

    def _pairs(self, edge: Mapping[str, Any], a: list[Any], b: list[Any], place: int) -> Iterator[tuple[Any, Any]]:
        """Yield what an edge joins: in order, or each with each."""
        scheme = edge.get("scheme", "one2one")
        if scheme not in ("one2one", "many2many"):
            raise ImportFailed(f"`{self.title}`: edge {place}: the scheme {shown(str(scheme))} can't be read")
        if scheme == "many2many":
            if len(a) * len(b) > 2 * MOST_CABLES:
                raise ImportFailed(f"`{self.title}`: edge {place} is more than {MOST_CABLES:,} cables")
            return product(a, b)
        if len(a) != len(b):
            self.table.doubts.add(NO_END, 0, f"edge {place}: {len(a):,} ends and {len(b):,}")
        return zip(a, b, strict=False)

    # ---- devices --------------------------------------------------------------------------------------------------

    def inside(self, name: str, above: tuple[str, ...] = ()) -> _Inside:
        """Return what a device is made of, the devices in it too."""
        if name in self._known:
            return self._known[name]
        if name not in self.devices:
            raise ImportFailed(f"`{self.title}`: there is no device {shown(name)}")
        if name in above or len(above) > DEEPEST:
            raise ImportFailed(f"`{self.title}`: the device {shown(name)} is inside itself")
        device, made = self.devices[name], _Inside()
        links = self._links(device)
        for part, component in _named(device, "components", self.title).items():
            sort = str(component.get("choice", "custom"))
            inner = self.inside(part, (*above, name)) if sort == "device" else None
            count = self._count(component, f"component `{part}`")
            if len(made.nodes) + count * len(inner.nodes if inner else "1") > MOST_NODES:
                raise ImportFailed(f"`{self.title}`: the device {shown(name)} has more than {MOST_NODES:,} components")
            for n in range(count):
                if inner is None:
                    made.nodes[f"{part}.{n}"] = sort
                else:
                    made.nodes.update({f"{part}.{n}.{path}": of for path, of in inner.nodes.items()})
                    made.edges.extend((f"{part}.{n}.{a}", f"{part}.{n}.{b}", kind) for a, b, kind in inner.edges)
        self._known[name] = made
        for place, edge in enumerate(_list(device, "edges", self.title)):
            sides = []
            where = f"edge {place} of {shown(name)}"
            for key in ("ep1", "ep2"):
                end = edge.get(key)
                if not isinstance(end, dict):
                    raise ImportFailed(f"`{self.title}`: {where} has no `{key}`")
                text = ".".join(str(end[each]) for each in ("device", "component") if end.get(each))
                sides.append([path for path in self._paths(name, text, where) if path in made.nodes])
            kind = links.get(str(edge.get("link")), self.table.kind_of(Kind(str(edge.get("link") or ""))))
            made.edges.extend((a, b, kind) for a, b in self._pairs(edge, sides[0], sides[1], place) if a != b)
        return made

    def _paths(self, device: str, text: str, where: str) -> list[str]:
        """Return the nodes of a device that `cx5[0:2].port[0]` means, as paths."""
        paths: list[list[str]] = []
        for name, inner in _parts(text, self.title):
            parts = _named(self.devices[device], "components", self.title) if device in self.devices else {}
            if name not in parts:
                raise ImportFailed(f"`{self.title}`: {where}: {shown(device)} has no component {shown(name)}")
            numbers = self._indices(inner, self._count(parts[name], f"component `{name}`"), where)
            paths.append([f"{name}.{n}" for n in numbers])
            device = name
        if prod(map(len, paths)) > MOST_NODES:
            raise ImportFailed(f"`{self.title}`: {where} means more than {MOST_NODES:,} components")
        return [".".join(each) for each in product(*paths)]

    def _indices(self, inner: str | None, count: int, where: object) -> range:
        """Return the numbers in the brackets, as Python's slices."""
        texts = (inner or ":").split(":")
        try:
            numbers = [int(text) if text.strip() else None for text in texts]
            if len(numbers) == 1 and numbers[0] is not None:
                return range(count)[numbers[0] : numbers[0] + 1 or None] if -count <= numbers[0] < count else range(0)
            return range(count)[slice(*numbers)]
        except (ValueError, TypeError) as error:
            raise ImportFailed(f"`{self.title}`: {where}: {shown(f'[{inner}]')} is no slice") from error

    def _count(self, of: Mapping[str, Any], what: str) -> int:
        count = of.get("count", 1)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST_NODES:
            raise ImportFailed(f"`{self.title}`: the count of {what} is {shown(str(count))}")
        return count

    def _links(self, of: Mapping[str, Any]) -> dict[str, int]:
        """Return the kind of cable of each link."""
        links = {}
        for name, link in _named(of, "links", self.title).items():
            physical = link.get("physical")
            bandwidth = physical.get("bandwidth") if isinstance(physical, dict) else None
            unit = next((key for key in RATES if isinstance(bandwidth, dict) and key in bandwidth), None)
            rate = None
            if unit is not None and isinstance(bandwidth, dict):
                rate = number(bandwidth[unit], "rate", self.table.doubts, 0, RATES[unit])
            elif isinstance(bandwidth, dict) and bandwidth.get("choice"):
                self.table.doubts.add(BAD_VALUE, 0, f"{shown(str(bandwidth['choice']))} of the link {shown(name)}")
            links[name] = self.table.kind_of(Kind(name, rate=rate))
        return links


def _parts(text: str, title: str) -> list[tuple[str, str | None]]:
    """`cx5[0:2].port` as names with what is in their brackets."""
    parts = [(match[1].strip(), match[2]) for match in _PART.finditer(text)]
    if not parts:
        raise ImportFailed(f"`{title}`: {shown(text)} names nothing")
    return parts


def _folded(device: str, inside: _Inside) -> _Ends:
    """Return each port given to the one node that it is joined to inside its device."""
    joined: dict[str, set[str]] = {}
    for a, b, _ in inside.edges:
        for near, far in ((a, b), (b, a)):
            if inside.nodes[near] == "port" and inside.nodes[far] != "port":
                joined.setdefault(near, set()).add(far)
    owner = {port: next(iter(nodes)) for port, nodes in joined.items() if len(nodes) == 1}
    left = [path for path in inside.nodes if path not in owner]
    rest = {path: "" if len(left) == 1 else f".{path}" for path in left}
    of = {
        path: (rest[owner[path]], "[".join(path.rsplit(".", 1)) + "]") if path in owner else (rest[path], "")
        for path in inside.nodes
    }
    kinds = {
        rest[path]: (
            KINDS.get(inside.nodes[path], "device"),
            device if len(left) == 1 else f"{device}-{'-'.join(path.split('.')[::2])}",
        )
        for path in left
    }
    return _Ends(of, kinds)
