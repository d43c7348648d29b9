"""What `iblinkinfo` prints (rdma-core, infiniband-diags/iblinkinfo.c): a head for each node and a line for each port,
or with `-l` a line for each port with both its ends.

A head has the GUID of a switch; of a channel adapter, a port has one. The far end of a link is there by its description
and port, with `-l` also by its GUID. Without it, a far end is the node of that description, which has to be one only.
"""

from __future__ import annotations

import re
from collections import Counter

from attrs import define, field

from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.importer.doubts import CUT_OFF, NO_END, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.infiniband import WIRE_GBPS, Nodes
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table

_HEAD = re.compile(r"(Switch|CA|Router)(?::| (?=0x))\s*(?:0x([0-9a-f]{1,16})\s+)?(.*):\s*\Z", re.IGNORECASE)
_LINK = re.compile(
    r"(?:0x(?P<guid>[0-9a-f]{1,16})\s+)?(?:\"(?P<name>.*)\"\s+)?(?P<lid>\d+)\s+(?P<port>\d{1,9})\[\s*\d*\s*\]"
    r"\s+==\((?P<link>.*?)\)=+>\s*(?:0x(?P<far>[0-9a-f]{1,16})\s+)?(?:(?P<flid>\d+)\s+(?P<fport>\d{1,9}))?\[\s*\d*\s*\]"
    r"\s+\"(?P<fname>.*)\"\s*\((?P<tail>.*)\)\s*\Z",
    re.IGNORECASE,
)
_RATE = re.compile(r"(\d{1,3})X\s+([\d.]+) Gbps(?: \((FDR10)\))?", re.IGNORECASE)
_LETTER = {"switch": "S", "ca": "H", "router": "R"}


def is_it(head: str) -> bool:
    """Return whether a text begins as one of `iblinkinfo`."""
    return any("==(" in line and ")==>" in line and _LINK.match(line.strip()) for line in head.splitlines())


@define(eq=False)
class _Reader:
    nodes: Nodes
    here: tuple[str, str, str] = ("", "", "")
    """Letter, GUID and description of the head above."""
    ends: list[tuple[str, int, str, str, int, Kind, int]] = field(factory=list)
    """GUID and port, GUID (or nothing), description and port of the far end, kind, line."""

    def line(self, text: str, number: int) -> None:
        """Take a line."""
        if head := _HEAD.match(text):
            letter = _LETTER[head[1].lower()]
            guid = f"{letter}-{head[2].lower():0>16}" if head[2] else ""
            self.here = letter, guid, head[3]
            if guid:
                self.nodes.node(guid, letter, 0, head[3], number)
        elif link := _LINK.match(text):
            self._link(link, number)
        elif text and not text.startswith("#"):
            self.nodes.doubts.add(CUT_OFF if "==(" in text else STRANGE, number, shown(text))

    def _link(self, link: re.Match[str], number: int) -> None:
        letter, guid, name = self.here
        if link["name"] is not None:  # a line for itself: what a node is, only its links tell
            name = link["name"].strip()
            guid = f"?-{link['guid'].lower():0>16}"
            self.nodes.node(guid, "H", 0, name, number)
        elif not guid and link["guid"]:  # of an adapter
            guid = f"{letter or 'H'}-{link['guid'].lower():0>16}"
            self.nodes.node(guid, letter or "H", 0, name, number)
        if not guid:
            self.nodes.doubts.add(CUT_OFF, number, f"{shown(link[0])}: a port before the node it is on")
            return
        if link["fport"] is None or not link["fname"].strip():
            return
        rate = _RATE.search(link["link"])
        speed = "" if rate is None else rate[3] or WIRE_GBPS.get(float(rate[2]), rate[2])
        kind = self.nodes.kind(f"{rate[1]}x" if rate else "", speed, number)
        neighbour = f"?-{link['far'].lower():0>16}" if link["far"] else ""
        self.ends.append((guid, int(link["port"]), neighbour, link["fname"].strip(), int(link["fport"]), kind, number))

    def join(self) -> None:
        """Find the far ends."""
        uses = Counter(node.name for node in self.nodes.nodes.values())
        of_name = {node.name: guid for guid, node in self.nodes.nodes.items()}
        for guid, port, far, name, far_port, kind, line in self.ends:
            there = far
            if not far:
                if uses[name] > 1:
                    self.nodes.doubts.add(NO_END, line, f"{shown(name)} is the description of {uses[name]} nodes")
                    continue
                there = of_name.get(name, f"H-{name}")
            if there not in self.nodes.nodes:
                self.nodes.node(there, "H", 0, name, line)
                of_name[name] = there
                uses[name] += 1
            self.nodes.link(guid, port, there, far_port, kind, line)


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and links of what `iblinkinfo` printed.

    Raises:
        ImportFailed: there is no link in it.
        OSError: the file can't be read.
    """
    reader = _Reader(Nodes(doubts))
    with task("read links") as step:
        for number, line in source.lines(doubts):
            reader.line(line.strip(), number)
            if number % 4096 == 0:
                step(4096)
    if not reader.nodes.nodes:
        raise ImportFailed(f"`{source.title}` has no node in it")
    reader.join()
    _letters(reader.nodes)
    return reader.nodes.table(source.stem)


def _letters(nodes: Nodes) -> None:
    """Tell switches by their ports, where lines stand for themselves: an adapter has four at most."""
    ports: dict[str, set[int]] = {guid: set() for guid in nodes.nodes}
    for guid, port, far, far_port, _, _ in nodes.links:
        ports[guid].add(port)
        ports[far].add(far_port)
    for guid, node in nodes.nodes.items():
        if guid.startswith("?") and (len(ports[guid]) > 4 or max(ports[guid], default=0) > 4 or "MF0;" in node.name):
            node.letter = "S"
