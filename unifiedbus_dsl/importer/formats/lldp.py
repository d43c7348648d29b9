"""What neighbours say of themselves (LLDP), as JSON of `lldpcli -f json` (so SONiC, too) and of EOS (`show lldp
neighbors | json`, with `detail` or without).

Such a file is of one device, which it doesn't name: the name of the file is its name. Several are one file as an object
of them by device, `{"leaf1": {…}, "leaf2": {…}}`, as tools collect them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import evolve

from unifiedbus_dsl.importer.doubts import NO_END, Doubts, shown
from unifiedbus_dsl.importer.jsons import load
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source, begins
from unifiedbus_dsl.importer.table import Kind, Table

_IS_IT = re.compile(r'"(lldp|lldpNeighbors)"\s*:')


def is_it(head: str) -> bool:
    """Return whether a text begins as JSON with neighbours in it."""
    return begins(head, "{", "[") and _IS_IT.search(head) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the devices and cables of a file.

    Raises:
        ImportFailed: there are no neighbours in it.
        OSError: the file can't be read.
    """
    table = Table(source.stem, doubts)
    for name, own in _outputs(load(source, doubts), source.stem):
        if "lldpNeighbors" in own:
            table.device(name, "switch")  # EOS runs on nothing else
        for port, far, far_port, chassis, kind in _neighbours(own):
            if not far:
                doubts.add(NO_END, 0, f"what is on {shown(port)} of `{name}` says no name")
                continue
            a, b = table.device(name), table.device(far, kind)
            if chassis and not table.devices[b].id:
                table.devices[b] = evolve(table.devices[b], id=chassis)
            table.cable(a, port, b, far_port, table.kind_of(Kind()), 0)
    if not table.devices:
        raise ImportFailed(f"`{source.title}` has no neighbour in it")
    return table


def _outputs(data: Any, stem: str) -> Iterator[tuple[str, Any]]:
    """Yield each output with the device that it is of."""
    if isinstance(data, list):
        for number, inner in enumerate(data):
            yield from _outputs(inner, f"{stem}-{number}" if len(data) > 1 else stem)
    elif isinstance(data, dict):
        if "lldp" in data or "lldpNeighbors" in data:
            yield stem, data
        else:
            for name, inner in data.items():
                yield from _outputs(inner, str(name))


_Neighbour = tuple[str, str, str, str, str]
"""Local port, neighbour, its port, its chassis id and its kind."""


def _neighbours(own: dict[str, Any]) -> Iterator[_Neighbour]:
    if "lldpNeighbors" in own:
        yield from _eos(own["lldpNeighbors"])
        return
    lldp = own["lldp"]
    for each in _each(lldp[0] if isinstance(lldp, list) and lldp else lldp, "interface"):
        for port, facts in each.items() if isinstance(each, dict) else ():
            if port != "name" and isinstance(facts, dict):
                yield (str(port), *_lldpcli(facts))
        if isinstance(each, dict) and isinstance(each.get("name"), str):  # json0, where everything is a list
            yield (each["name"], *_lldpcli(each))


def _each(data: Any, key: str) -> Iterator[Any]:
    """Yield what is under a key: one, or a list of some."""
    value = data.get(key, []) if isinstance(data, dict) else []
    yield from value if isinstance(value, list) else [value]


def _lldpcli(facts: dict[str, Any]) -> tuple[str, str, str, str]:
    """Name, port, chassis id and kind of a neighbour, as lldpcli has them."""
    chassis: Any = next(_each(facts, "chassis"), {})
    port: Any = next(_each(facts, "port"), {})
    name, id_, kind_of = "", "", ""
    if isinstance(chassis, dict):
        if "id" in chassis:
            id_ = _text(chassis["id"])
            name, kind_of = _text(chassis.get("name")) or id_, _kind(chassis)
        else:
            for name, inner in chassis.items():  # noqa: B007 - the key is the name of the neighbour
                if isinstance(inner, dict):
                    id_, kind_of = _text(inner.get("id")), _kind(inner)
                break
    named = _text(port.get("id")) if isinstance(port, dict) else ""
    kind = port["id"].get("type") if isinstance(port, dict) and isinstance(port.get("id"), dict) else ""
    if kind == "mac" and _text(port.get("descr")):
        named = _text(port.get("descr"))
    return str(name), named, id_, kind_of


def _kind(chassis: dict[str, Any]) -> str:
    """Return a switch where bridging or routing is on, a device where only the station is."""
    able = [each for each in _each(chassis, "capability") if isinstance(each, dict)]
    on = {str(each.get("type")).lower() for each in able if each.get("enabled") in (True, "true", "on")}
    return "switch" if on & {"bridge", "router"} else "device" if on else ""


def _text(value: Any) -> str:
    """Return the text of a value, which may be in an object or list."""
    if isinstance(value, list):
        return _text(value[0]) if value else ""
    if isinstance(value, dict):
        return _text(value.get("value"))
    return "" if value is None else str(value)


def _eos(neighbours: Any) -> Iterator[_Neighbour]:
    if isinstance(neighbours, list):
        for each in neighbours:
            if isinstance(each, dict):
                words = (str(each.get(key, "")) for key in ("port", "neighborDevice", "neighborPort"))
                port, neighbour, neighbour_port = words
                yield port, neighbour, neighbour_port, "", ""
        return
    for port, facts in neighbours.items() if isinstance(neighbours, dict) else ():
        for each in _each(facts, "lldpNeighborInfo"):
            info = each.get("neighborInterfaceInfo", {}) if isinstance(each, dict) else {}
            neighbour_port = str(info.get("interfaceId_v2") or info.get("interfaceId") or "").strip('"')
            able = each.get("systemCapabilities") if isinstance(each, dict) else None
            on = {key for key, value in able.items() if value is True} if isinstance(able, dict) else set()
            kind = "switch" if on & {"bridge", "router"} else "device" if on else ""
            yield str(port), str(each.get("systemName", "")), neighbour_port, str(each.get("chassisId", "")), kind
