"""What the tools of InfiniBand say of nodes and links: the same in several formats.

A node has a GUID, which is its identity, and a description, which is its name; where several share one, the GUID is
added. A link is there twice, once from each end. Rates are the nominal ones that a speed is called by (4xNDR is
400 Gbps); what goes over the wire differs by up to 7 %.
"""

from __future__ import annotations

import re
from collections import Counter

from attrs import define, field

from unifiedbus_dsl.importer.doubts import BAD_VALUE, BEYOND, TWICE, UNKNOWN_END, Doubts, shown
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.rates import LANE_GBPS
from unifiedbus_dsl.importer.table import Kind, Table

WIRE_GBPS = {
    2.5: "SDR", 5.0: "DDR", 10.0: "QDR", 10.3125: "FDR10", 14.0625: "FDR", 25.78125: "EDR", 53.125: "HDR",
    106.25: "NDR", 212.5: "XDR",
}  # fmt: skip
"""The speeds that libibmad and ibdiagnet print as a number of Gbps."""
KINDS = {"S": "switch", "H": "nic", "R": "switch"}
"""The kind of a node by the letter of its type. A router forwards, as a switch does."""
AGGREGATION = re.compile(r"\baggregation node\b", re.IGNORECASE)
"""How NVIDIA's switches describe the nodes that reduce in them (SHARP)."""
MOST_PORTS = 65_536


@define
class Node:
    """A node: its letter (S, H or R), how many ports it has (0 where unknown), its description, where it stands."""

    letter: str
    ports: int
    name: str
    line: int


@define(eq=False)
class Nodes:
    """The nodes and links of a subnet as they are read."""

    doubts: Doubts
    nodes: dict[str, Node] = field(factory=dict)
    links: list[tuple[str, int, str, int, Kind, int]] = field(factory=list)
    _kinds: dict[tuple[str, str], Kind] = field(factory=dict)

    def node(self, guid: str, letter: str, ports: int, name: str, line: int) -> None:
        """Take a node; one that stands twice is the first, with what that did not know."""
        known = self.nodes.get(guid)
        if ports > MOST_PORTS:
            raise ImportFailed(f"line {line:,}: a node of {ports:,} ports; no device has more than {MOST_PORTS:,}")
        if known is None:
            self.nodes[guid] = Node(letter, ports, name.strip(), line)
            return
        if known.ports and ports and known.line != line:
            self.doubts.add(TWICE, line, f"{guid}; the first is in line {known.line:,}")
        known.ports, known.name = known.ports or ports, known.name or name.strip()

    def link(self, guid: str, port: int, far: str, far_port: int, kind: Kind, line: int) -> None:
        """Take what one end says of a link."""
        self.links.append((guid, port, far, far_port, kind, line))

    def kind(self, width: str, speed: str, line: int) -> Kind:
        """Return what a link is, of texts such as `4x` and `NDR`; unknown, and a doubt, where they say nothing."""
        key = width.upper(), speed.upper()
        kind_known = self._kinds.get(key)
        if kind_known is None:
            lanes = int(match[1]) if (match := re.fullmatch(r"(\d{1,4})X", key[0])) and int(match[1]) else None
            known = key[1] in LANE_GBPS and lanes is not None
            kind_known = Kind(key[1], "", lanes, LANE_GBPS[key[1]] * 1.25e8 * (lanes or 0)) if known else Kind()
            self._kinds[key] = kind_known
        if kind_known.rate is None and (width or speed):
            self.doubts.add(BAD_VALUE, line, f"{shown(width + speed)} as width and speed")
        return kind_known

    def table(self, name: str) -> Table:
        """Return the table of all that was read."""
        for guid, _, far, far_port, _, line in self.links:
            for end in (guid, far):
                if end not in self.nodes:
                    self.nodes[end] = Node(end[0], 0, "", line)
                    self.doubts.add(UNKNOWN_END, line, end)
            if 0 < self.nodes[far].ports < far_port:
                self.doubts.add(BEYOND, line, f"port {far_port} of {far}, which has {self.nodes[far].ports}")
        table = Table(name, self.doubts, both_ends=True, numbered=True)
        numbers = {guid: table.add(_device(guid, node, called)) for guid, node, called in self._called()}
        for guid, port, far, far_port, kind, line in self.links:
            table.cable(numbers[guid], str(port), numbers[far], str(far_port), table.kind_of(kind), line)
        return table

    def _called(self) -> list[tuple[str, Node, str]]:
        """Return each node with its name: its description, and the GUID where that is empty or of several nodes."""
        uses = Counter(node.name for node in self.nodes.values())
        return [
            (guid, node, node.name if node.name and uses[node.name] == 1 else f"{node.name} {guid}".strip())
            for guid, node in self.nodes.items()
        ]


def _device(guid: str, node: Node, name: str) -> Device:
    role = "router" if node.letter == "R" else "aggregation" if AGGREGATION.search(node.name) else ""
    return Device(name, KINDS[node.letter], ports=node.ports, id=guid, label=node.name, role=role)
