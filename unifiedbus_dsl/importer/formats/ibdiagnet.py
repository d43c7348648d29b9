"""What `ibdiagnet` writes: `ibdiagnet2.net_dump`, a block a switch with a line a port, and `ibdiagnet2.db_csv`, tables
of nodes, ports and links between `START_` and `END_` lines.

The columns go by their names (`NodeDesc`, `NodeGUID`, `PortNum`, `LinkSpeedActv`; `#`, `IB#`, `Neighbor Guid`, `N#`). A
switch of several ports a cage has labels such as `1/16/1` for its ports beside their numbers (`IB#`), and a link that
leads to it may have that label in place of the number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain

from attrs import define, field, frozen

from unifiedbus_dsl.importer.doubts import BAD_VALUE, CUT_OFF, Doubts, shown
from unifiedbus_dsl.importer.infiniband import WIRE_GBPS, Nodes
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.rates import LANE_GBPS
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table

_SPEEDS = {
    1: "SDR",
    2: "DDR",
    4: "QDR",
    8: "FDR10",
    65536: "FDR10",
    256: "FDR",
    512: "EDR",
    1024: "HDR",
    2048: "NDR",
    4096: "XDR",
}
"""LinkSpeedActv of the table PORTS; beyond the byte the extended speeds."""
_EXTENDED = {1: "FDR", 2: "EDR", 4: "HDR", 8: "NDR", 16: "XDR"}
_WIDTHS = {1: "1x", 2: "4x", 4: "8x", 8: "12x", 16: "2x"}
_LETTERS = {"1": "H", "2": "S", "3": "R"}
_SWITCH = re.compile(r'"(.*)",\s*[^,]*,\s*0x([0-9a-f]{1,16})\s*,\s*LID\b.*', re.IGNORECASE)
_LABEL = re.compile(r"\d+(/\d+)*")
_GUID = re.compile(r"0x([0-9a-f]{1,16})(?:/\s*0x[0-9a-f]+|/\S+)?", re.IGNORECASE)


def is_it(head: str) -> bool:
    """Return whether a text begins as one of `ibdiagnet`."""
    return (
        "START_NODES" in head
        or "START_LINKS" in head
        or (any(_SWITCH.match(line.strip()) for line in head.splitlines()) and "Neighbor Guid" in head)
    )


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and links of a file.

    Raises:
        ImportFailed: there is no node in it.
        OSError: the file can't be read.
    """
    nodes = Nodes(doubts)
    if "START_" in source.head:
        _tables(source, nodes)
    else:
        _dump(source, nodes)
        _known(nodes)
    if not nodes.nodes:
        raise ImportFailed(f"`{source.title}` has no node in it")
    return nodes.table(source.stem)


# ---- net_dump -----------------------------------------------------------------------------------------------------


@frozen
class _Labelled:
    """A link whose far port is told by its label."""

    line: int
    text: str
    guid: str
    port: int
    far: str
    label: str
    kind: Kind


@define(eq=False)
class _Labels:
    """The labels of ports of switches, with their numbers, and the links that lead to a label."""

    ports: dict[tuple[str, str], int] = field(factory=dict)
    links: list[_Labelled] = field(factory=list)

    def resolve(self, nodes: Nodes) -> None:
        """Lay the links that lead to a label; one that no block has is a doubt."""
        for each in self.links:
            number = self.ports.get((each.far[2:], each.label))
            if number is None:
                nodes.doubts.add(CUT_OFF, each.line, each.text)
            else:
                nodes.link(each.guid, each.port, each.far, number, each.kind, each.line)


def _dump(source: Source, nodes: Nodes) -> None:
    here, head, labels = "", dict[str, int](), _Labels()
    for number, line in source.lines(nodes.doubts):
        text = line.strip()
        if switch := _SWITCH.match(text):
            here, head = f"S-{switch[2].lower():0>16}", {}
            nodes.node(here, "S", 0, switch[1], number)
        elif "Neighbor Guid" in text:
            head = {cell.strip().lower(): place for place, cell in enumerate(text.split(":"))}
        elif here and text.count(":") >= 8 and head:
            _port(text, number, here, head, nodes, labels)
    labels.resolve(nodes)


def _port(text: str, number: int, here: str, head: dict[str, int], nodes: Nodes, labels: _Labels) -> None:
    """Take a line of a port; one without a link says nothing."""
    cells = [cell.strip() for cell in text.split(":", len(head) - 1)]  # a description may have a colon in it

    def of(*names: str) -> str:
        place = next((head[name] for name in names if name in head), len(cells))
        return cells[place] if place < len(cells) else ""

    guid = _GUID.fullmatch(of("neighbor guid"))
    port, far_port = of("ib#", "#"), of("n#", "neighbor port")
    if port.isdigit():
        labels.ports[here[2:], of("#")] = int(port)
    if guid is None and (len(cells) == len(head) or of("sta").upper() in ("DOWN", "INI")):
        return
    if guid is None or not port.isdigit() or not _LABEL.fullmatch(far_port):
        nodes.doubts.add(CUT_OFF, number, shown(text))
        return
    own = f"{guid[1].lower():0>16}"
    neighbour = next((f"{letter}-{own}" for letter in "SHR" if f"{letter}-{own}" in nodes.nodes), "")
    if not neighbour:  # a switch has a block of its own, which may be still to come
        neighbour = f"?-{own}"
        nodes.node(neighbour, "H", 0, of("neighbor description").strip('"'), number)
    kind = nodes.kind(of("lwa"), _speed(of("lsa")), number)
    if far_port.isdigit():
        nodes.link(here, int(port), neighbour, int(far_port), kind, number)
    else:
        labels.links.append(_Labelled(number, shown(text), here, int(port), neighbour, far_port, kind))


def _known(nodes: Nodes) -> None:
    """Put switches whose blocks came after their first link in the place of what was taken for them."""
    later = {guid: f"S-{guid[2:]}" for guid in nodes.nodes if guid[0] == "?" and f"S-{guid[2:]}" in nodes.nodes}
    adapters = {guid: f"H-{guid[2:]}" for guid in nodes.nodes if guid[0] == "?" and guid not in later}
    new = later | adapters
    for old, guid in adapters.items():
        nodes.nodes[guid] = nodes.nodes[old]
    for old in new:
        del nodes.nodes[old]
    nodes.links = [(new.get(a, a), ap, new.get(b, b), bp, kind, line) for a, ap, b, bp, kind, line in nodes.links]
    told = {(a, ap) for a, ap, *_ in nodes.links}
    # an adapter has no block of its own: what its switch says of a link is all there is
    nodes.links += [
        (b, bp, a, ap, kind, line) for a, ap, b, bp, kind, line in nodes.links if b[0] == "H" and (b, bp) not in told
    ]


def _speed(text: str) -> str:
    """Return the name of a speed that may be a number of Gbps a lane, nominal or on the wire."""
    try:
        gbps = float(text)
    except ValueError:
        return text
    return WIRE_GBPS.get(gbps) or next((name for name, lane in LANE_GBPS.items() if lane == gbps), text)


# ---- db_csv -------------------------------------------------------------------------------------------------------


def _tables(source: Source, nodes: Nodes) -> None:
    rates: dict[tuple[str, int], tuple[str, str]] = {}
    letters: dict[str, str] = {}
    links: list[tuple[int, dict[str, str]]] = []
    for table, number, row in _rows(source, nodes.doubts):
        guid = row.get("NodeGUID", row.get("NodeGuid", "")).lower().removeprefix("0x").rjust(16, "0")
        if table == "NODES":
            letter = _LETTERS.get(row.get("NodeType", ""), "H")
            letters[guid] = letter
            ports = row.get("NumPorts", "")
            name = row.get("NodeDesc", "")
            nodes.node(f"{letter}-{guid}", letter, int(ports) if ports.isdigit() else 0, name, number)
        elif table == "PORTS" and row.get("PortNum", "").isdigit():
            rates[guid, int(row["PortNum"])] = _active(row)
        elif table == "LINKS":
            links.append((number, row))
    for number, row in links:
        ends = []
        for side in "12":
            guid = row.get(f"NodeGuid{side}", row.get(f"NodeGUID{side}", "")).lower().removeprefix("0x").rjust(16, "0")
            port = row.get(f"PortNum{side}", "")
            if not re.fullmatch("[0-9a-f]{16}", guid) or not port.isdigit():
                break
            ends.append((guid, int(port)))
        if len(ends) < 2:
            nodes.doubts.add(CUT_OFF, number, shown(",".join(row.values())))
            continue
        own = [rates.get(end, ("", "")) for end in ends]
        (a, ap), (b, bp) = ends
        one, two = f"{letters.get(a, 'H')}-{a}", f"{letters.get(b, 'H')}-{b}"
        for near, own_port, far, far_port, rate in ((one, ap, two, bp, own[0]), (two, bp, one, ap, own[1])):
            kind = nodes.kind(*rate, number) if any(rate) else Kind()
            nodes.link(near, own_port, far, far_port, kind, number)


def _active(row: dict[str, str]) -> tuple[str, str]:
    """Width and speed of a port."""
    width = row.get("LinkWidthActv", "")
    speed = row.get("LinkSpeedActv", "")
    extended = row.get("LinkSpeedExtActv", row.get("ExtLinkSpeedActv", ""))
    named = _SPEEDS.get(int(speed), f" speed {speed}" if int(speed) else "") if speed.isdigit() else speed
    if extended.isdigit() and int(extended):
        named = _EXTENDED.get(int(extended), extended)
    return (_WIDTHS.get(int(width), f"{width}?") if width.isdigit() else width), named


def _rows(source: Source, doubts: Doubts) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Yield the rows of the tables, by the names of their columns."""
    table, head = "", list[str]()
    lines = source.lines(doubts)
    for number, line in lines:
        text = line.strip()
        if text.startswith("START_"):
            table, head = text.removeprefix("START_"), []
        elif text.startswith("END_"):
            table = ""
        elif table in ("NODES", "PORTS", "LINKS") and text:
            cells = next(csv.reader([text], skipinitialspace=True), [])
            if not head:
                head = [cell.strip() for cell in cells]
            elif len(cells) < len(head) - 1:
                doubts.add(CUT_OFF, number, shown(text))
            else:
                yield table, number, dict(zip(head, map(str.strip, chain(cells, [""])), strict=False))
    if table:
        doubts.add(BAD_VALUE, 0, f"the table {table} has no end")
