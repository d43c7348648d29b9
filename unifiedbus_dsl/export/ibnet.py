"""What `ibnetdiscover` says of an InfiniBand network (rdma-core, infiniband-diags/ibnetdiscover.c, default output).

A record a node: a line `Switch`, `Ca` or `Rt` with the number of ports, a GUID and the node description, then a line
for each port that has a link: its number, the far GUID and port, and behind the `#` width and speed, such as `4xNDR`.
A link is there twice, once from each end; both are held against each other.

Names are node descriptions; where several nodes share one, the GUID is added. Ports are numbered from 1 as on the box;
here port n is `p[n - 1]`, as arrays begin with 0. Rates are the nominal ones that a speed is called by (4xNDR is
400 Gbps); what goes over the wire differs by up to 7 %.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field, frozen

from unifiedbus_dsl.export.listing import Cable, Device, ImportFailed, Listing
from unifiedbus_dsl.progress import task

LANE_GBPS = {
    "SDR": 2.5, "DDR": 5, "QDR": 10, "FDR10": 10, "FDR": 14, "EDR": 25, "HDR": 50, "NDR": 100, "XDR": 200,
}  # fmt: skip
"""Nominal rate of a lane, each way (InfiniBand Trade Association, roadmap)."""
KINDS = {"Switch": "switch", "Ca": "nic", "Rt": "switch"}
"""A router forwards, as a switch does."""
_QUIET = re.compile(
    r"\s*(#.*|(vendid|devid|sysimgguid|switchguid|caguid|rtguid)=.*|Chassis \d+.*|Non-Chassis Nodes|Hostname: .*)?\s*\Z"
)
_NODE = re.compile(r'(Switch|Ca|Rt)\s+(\d{1,18})\s+"([SHR]-[0-9a-f]{16})"\s*#\s*"(.*)"')
_PORT = re.compile(
    r'\[(\d{1,9})\](?:\[ext \d+\])?(?:\s*\([0-9a-f]+\))?\s*"([SHR]-[0-9a-f]{16})"\[(\d{1,9})\](?:\[ext \d+\])?'
    r"(?:\s*\([0-9a-f]+\))?\s*#(.*)\Z"
)
_SHORT = re.compile(r'\A\s*(?:(?:Switch|Ca|Rt)\s+\d+|\[\d+\][^"]*)\s*"(?![SHR]-[0-9a-f]{16}")([^"]*)"')
"""A record or port with something else than a GUID."""
_SPEED = re.compile(r'(?:lid \d+|")\s+(\d{1,4})x([A-Z]+\d*)(?:\s|\Z)')


@frozen
class _Far:
    """What a line of a port says: the other end, lanes and speed, and where it stands."""

    node: str
    port: int
    lanes: int
    speed: str
    line: int


@define
class _Node:
    kind: str
    ports: int
    name: str
    line: int
    links: dict[int, _Far] = field(factory=dict)


def read_ibnetdiscover(path: Path) -> Listing:
    """The nodes and links of a file that `ibnetdiscover` wrote.

    Raises:
        ImportFailed: a line has no meaning, or two lines contradict each other.
        OSError: the file can't be read.
    """
    with path.open(encoding="utf-8") as file:
        nodes = _records(file, path)
    if not nodes:
        raise ImportFailed(
            f"`{path.name}` has no record of a switch or channel adapter, as `ibnetdiscover` writes them"
        )
    names = _names(nodes)
    devices = tuple(Device(names[guid], node.kind, ports=node.ports) for guid, node in nodes.items())
    return Listing(path.name.split(".")[0], devices, tuple(_cables(nodes, names, path)), numbered=True)


def _records(lines: Iterable[str], path: Path) -> dict[str, _Node]:
    nodes: dict[str, _Node] = {}
    here: _Node | None = None
    with task("read records") as step:
        for number, line in enumerate(lines, 1):
            if number % 4096 == 0:
                step(4096)
            where = f"`{path.name}`, line {number}"
            if port := _PORT.match(line.strip()):
                if here is None:
                    raise ImportFailed(f"{where}: a port before the node it is on")
                _add_port(here, port, number, where)
            elif node := _NODE.match(line.strip()):
                kind, ports, guid, name = node.groups()
                if guid in nodes:
                    raise ImportFailed(f"{where}: a second record of {guid}; the first is in line {nodes[guid].line}")
                here = nodes[guid] = _Node(KINDS[kind], int(ports), name.strip(), number)
            elif guid := _SHORT.search(line):
                raise ImportFailed(
                    f"{where}: `{guid[1]}` is no GUID: that is 16 hexadecimal digits behind S-, H- or R-"
                )
            elif not _QUIET.match(line):
                raise ImportFailed(f"{where}: `{line.strip()[:60]}` is no line of ibnetdiscover")
    return nodes


def _add_port(node: _Node, match: re.Match[str], line: int, where: str) -> None:
    port, guid, far, rest = match.groups()
    speed = _SPEED.search(rest)
    if speed is None or speed[2] not in LANE_GBPS:
        known = ", ".join(LANE_GBPS)
        raise ImportFailed(f"{where}: no width and speed such as 4xNDR behind the `#`; speeds are {known}")
    if not 1 <= int(port) <= node.ports:
        raise ImportFailed(f"{where}: port {port} of a node with {node.ports} ports")
    if int(port) in node.links:
        raise ImportFailed(f"{where}: port {port} is here twice; the first is in line {node.links[int(port)].line}")
    node.links[int(port)] = _Far(guid, int(far), int(speed[1]), speed[2], line)


def _names(nodes: dict[str, _Node]) -> dict[str, str]:
    """The name of each GUID: its description, with the GUID behind it where that is empty or of several nodes."""
    uses = Counter(node.name for node in nodes.values())
    return {
        guid: node.name if node.name and uses[node.name] == 1 else f"{node.name} {guid}".strip()
        for guid, node in nodes.items()
    }


def _cables(nodes: dict[str, _Node], names: dict[str, str], path: Path) -> Iterator[Cable]:
    """Each link once, in order of the file."""
    for guid, node in nodes.items():
        for port, far in node.links.items():
            where = f"`{path.name}`, line {far.line}"
            if far.node not in nodes:
                raise ImportFailed(f"{where}: there is no record of {far.node}")
            back = nodes[far.node].links.get(far.port)
            if back is not None and (back.node, back.port) != (guid, port):
                raise ImportFailed(
                    f"{where} and line {back.line} say different things of port {far.port} of {far.node}"
                )
            if back is not None and (back.lanes, back.speed) != (far.lanes, far.speed):
                raise ImportFailed(f"{where} and line {back.line} say different rates of one link")
            if far.port > nodes[far.node].ports or far.port < 1:
                raise ImportFailed(f"{where}: {far.node} has {nodes[far.node].ports} ports, not {far.port}")
            if back is None or (guid, port) <= (far.node, far.port):
                ends = (names[guid], f"p[{port - 1}]"), (names[far.node], f"p[{far.port - 1}]")
                yield Cable(*ends, far.speed, "", far.lanes, LANE_GBPS[far.speed] * 1.25e8 * far.lanes)
