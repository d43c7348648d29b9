"""What `ibnetdiscover` prints (rdma-core, infiniband-diags/ibnetdiscover.c): the topology, or with `-p` the ports.

The topology: a record a node, a line `Switch`, `Ca` or `Rt` with the number of ports, a GUID and the node description,
then a line for each port that has a link: its number, the far GUID and port, and behind the `#` width and speed, such
as `4xNDR`. The report of `-p` is a line for each port that has a link, with both its ends."""

from __future__ import annotations

import re

from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.importer.doubts import BEYOND, CUT_OFF, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.infiniband import Nodes
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Table

_QUIET = re.compile(
    r"(#.*|DR path .*|(vendid|devid|sysimgguid|switchguid|caguid|rtguid)\s*=.*|Chassis \d+.*|Non-Chassis Nodes"
    r"|Hostname: .*)?\Z",
    re.IGNORECASE,
)
_NODE = re.compile(r'(Switch|Ca|Rt)\s+(\d{1,18})\s+"([SHR])-([0-9a-f]{16})"\s*(?:#\s*"(.*)")?', re.IGNORECASE)
_PORT = re.compile(
    r'\[(\d{1,9})\](?:\[ext \d+\])?(?:\s*\([0-9a-f]+\))?\s*"([SHR])-([0-9a-f]{16})"\[(\d{1,9})\](?:\[ext \d+\])?'
    r"(?:\s*\([0-9a-f]+\))?(?:\s*#(.*))?\Z",
    re.IGNORECASE,
)
_TAIL = re.compile(r'(?:"|lid \d+)\s+(\?\?|\d{1,4}x)([A-Z]+\d*|\?\?\?)(?:\s|\Z)', re.IGNORECASE)
_REPORT = re.compile(
    r"(SW|CA|RT)\s+\d+\s+(\d{1,9})\s+0x([0-9a-f]{1,16})\s+(\S+)\s+(\S+)"
    r"(?:\s+-\s+(SW|CA|RT)\s+\d+\s+(\d{1,9})\s+0x([0-9a-f]{1,16})\s+\(\s*'(.*)'\s+-\s+'(.*)'\s*\)|\s+'(.*)')?\Z",
    re.IGNORECASE,
)
_BEGIN = re.compile(r"((Switch|Ca|Rt)\b|(vendid|switchguid|caguid|rtguid)=)", re.IGNORECASE)
_LETTER = {"switch": "S", "ca": "H", "rt": "R", "sw": "S"}


def is_it(head: str) -> bool:
    """Return whether a text begins as one of `ibnetdiscover`."""
    return any(
        _NODE.match(line) or _PORT.match(line) or _REPORT.match(line) for line in map(str.strip, head.splitlines())
    )


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and links of what `ibnetdiscover` printed.

    Raises:
        ImportFailed: there is no node in it.
        OSError: the file can't be read.
    """
    nodes = Nodes(doubts)
    here = ""
    with task("read records") as step:
        for number, line in source.lines(doubts):
            if number % 4096 == 0:
                step(4096)
            here = _line(line.strip(), number, here, nodes)
    if not nodes.nodes:
        raise ImportFailed(f"`{source.title}` has no record of a switch or channel adapter")
    return nodes.table(source.stem)


def _line(text: str, number: int, here: str, nodes: Nodes) -> str:
    """Take a line; give the GUID of the node that the next ports are of."""
    if port := _PORT.match(text):
        own, letter, guid, far_port, rest = port.groups()
        if not here:
            nodes.doubts.add(CUT_OFF, number, f"{shown(text)}: a port before the node it is on")
            return here
        if 0 < nodes.nodes[here].ports < int(own):
            nodes.doubts.add(BEYOND, number, f"port {own} of a node with {nodes.nodes[here].ports} ports")
        neighbour = f"{letter.upper()}-{guid.lower()}"
        rate = _TAIL.search(rest or "")
        width, speed = (rate[1], rate[2]) if rate else ("", "")
        nodes.link(here, int(own), neighbour, int(far_port), nodes.kind(width, speed, number), number)
        return here
    if node := _NODE.match(text):
        kind, ports, letter, guid, name = node.groups()
        line = f"{letter.upper()}-{guid.lower()}"
        if name is None:
            nodes.doubts.add(CUT_OFF, number, shown(text))
        nodes.node(line, _LETTER[kind.lower()], int(ports), name or "", number)
        return line
    if report := _REPORT.match(text):
        _report(report, number, nodes)
    elif _BEGIN.match(text):  # a record whose first line is broken, or still to come: ports are not those of the last
        if not _QUIET.match(text):
            nodes.doubts.add(CUT_OFF, number, shown(text))
        return ""
    elif not _QUIET.match(text):
        nodes.doubts.add(CUT_OFF if text.startswith("[") else STRANGE, number, shown(text))
    return here


def _report(match: re.Match[str], line: int, nodes: Nodes) -> None:
    """Take a line of the report of ports."""
    kind, port, guid, width, speed, far_kind, far_port, far_guid, name, far_name, alone = match.groups()
    letter = _LETTER[kind.lower()]
    own = f"{letter}-{guid.lower():0>16}"
    nodes.node(own, letter, 0, name or alone or "", line)
    if far_kind is None:
        return
    far_letter = _LETTER[far_kind.lower()]
    neighbour = f"{far_letter}-{far_guid.lower():0>16}"
    nodes.node(neighbour, far_letter, 0, far_name, line)
    nodes.link(own, int(port), neighbour, int(far_port), nodes.kind(width, speed, line), line)
