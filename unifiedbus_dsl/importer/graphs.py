"""What graph files share: the names that tools have for the data of nodes and edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from unifiedbus_dsl.importer.doubts import Doubts
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.table import Kind, Table, number

PORTS = (
    ("a_port", "source_port", "sourceport", "src_port", "srcport", "sourcePort"),
    ("b_port", "target_port", "targetport", "dst_port", "dstport", "targetPort"),
)
NAMES = ("name", "label")


@define(eq=False)
class Graph:
    """Takes nodes by their ids and edges between them into a table.

    Where a graph is directed and names no ports, an edge each way is one cable.
    """

    table: Table
    directed: bool = False
    numbers: dict[str, int] = field(factory=dict)
    _names: dict[str, str] = field(factory=dict)
    _arcs: Counter[tuple[int, int]] = field(factory=Counter)

    def node(self, id_: str, facts: Mapping[str, Any]) -> None:
        """Take a node."""
        if id_ in self.numbers:
            raise ImportFailed(f"two nodes have the id `{id_}`")
        self.numbers[id_] = len(self.table.devices)
        self._names[id_] = next((str(facts[key]) for key in NAMES if facts.get(key) not in (None, "")), "")
        spare = facts.get("spare") in (True, "true", "True")
        self.table.devices.append(
            Device(
                id_, word(facts, "kind"), word(facts, "type"), spare, id=word(facts, "guid"), host=word(facts, "host")
            )
        )

    def edge(self, ids: tuple[str, str], facts: Mapping[str, Any], line: int) -> None:
        """Take an edge between nodes that are there."""
        a, b = (self.numbers[id_] for id_ in ids)
        ports = tuple(next((word(facts, key) for key in keys if word(facts, key)), "") for keys in PORTS)
        if self.directed and not any(ports):
            if self._arcs[b, a]:
                self._arcs[b, a] -= 1
                return
            self._arcs[a, b] += 1
        kind = self.table.kind_of(kind_of(facts, self.table.doubts, line))
        self.table.cable(a, ports[0], b, ports[1], kind, line)

    def done(self) -> Table:
        """Return the table, its devices by name where every node has one of its own, else by id."""
        names = list(self._names.values())
        if all(names) and len(set(names)) == len(names):
            self.table.devices = [
                Device(name, d.kind, d.type, d.spare, id=d.id, host=d.host)
                for name, d in zip(names, self.table.devices, strict=True)
            ]
        return self.table


def word(facts: Mapping[str, Any], key: str) -> str:
    """Return a datum as a text; empty where there is none. Zero is a text, too."""
    value = facts.get(key)
    return "" if value is None else str(value)


def kind_of(facts: Mapping[str, Any], doubts: Doubts, line: int) -> Kind:
    """Return what the data of an edge say of the cable."""
    rate = number(facts.get("rate"), "rate", doubts, line)
    if rate is None:
        rate = number(facts.get("gbps"), "rate", doubts, line, 1.25e8)
    if rate is None:
        rate = number(facts.get("LinkSpeedRaw"), "rate", doubts, line, 1 / 8)
    lanes, length = (number(facts.get(key), key, doubts, line) for key in ("lanes", "length"))
    return Kind(word(facts, "link"), word(facts, "medium"), None if lanes is None else int(lanes), rate, length)
