"""A topology for SimAI (aliyun/SimAI: `network_frontend/ns3/common.h`, `inputs/topo/gen_Topo_Template.py`).

The first line has the numbers of nodes, NPUs a server, NVSwitches, other switches and links, and the type of the NPU;
the second the numbers of all switches; then a line a link, as in `unifiedbus_dsl.export.hpcc`. NPUs come first, then
the NVSwitches, then the others from the bottom up.

SimAI takes NVSwitch k for that of server k, so the switches inside a server are one, of their added rates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, left_out, refuse, remark
from unifiedbus_dsl.export.common.devices import in_service, of_kind
from unifiedbus_dsl.export.common.groups import node_types
from unifiedbus_dsl.export.common.hosts import Hosts, Ints, hosts_of, merge, numbered, tell
from unifiedbus_dsl.export.common.names import plain
from unifiedbus_dsl.export.common.servers import Server, find_servers
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.export.formats.hpcc import topology

NPU, NVSWITCH, SWITCH = 0, 1, 2


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    servers = _servers(subject, sink)
    hosts = hosts_of(fabric)
    group, per_server = _groups(subject, hosts, servers, sink)
    number = _one_a_server(numbered(fabric, group), group, servers)
    hosts = merge(hosts, number)
    npu = next(key for key, of in fabric.plan.devices.items() if of.kind == "npu")
    total, inner = len(hosts.host), len(servers)
    outer = int(hosts.switch.sum()) - inner
    tell(fabric, hosts, np.arange(total) >= total - outer, sink, "SimAI")
    head = f"{total} {per_server} {inner} {outer} {len(hosts.a)} {plain(npu).upper()}\n"
    write_text(path, topology(head, hosts))


def _servers(subject: ExportInput, sink: Sink) -> list[Server]:
    """Return the nodes with NPUs.

    Raises:
        CannotExportError: there are none.
    """
    plan, is_npu = subject.plan, of_kind(subject.fabric, "npu")
    types = node_types(plan, subject.node) & plan.assemblies.keys()
    servers = list(find_servers(plan, frozenset(types))) if types else []
    with_npus = [server for server in servers if is_npu[server.start : server.stop].any()]
    if not with_npus:
        raise _no(subject, sink, "here is no server with NPUs")
    return with_npus


def _no(subject: ExportInput, sink: Sink, reason: str, *notes: str) -> CannotExportError:
    message = f"SimAI has servers of NPUs around an NVSwitch: {reason}"
    return refuse(sink, message, "hpcc", subject.plan.type(subject.plan.root).span, notes)


def _groups(subject: ExportInput, found: Hosts, servers: list[Server], sink: Sink) -> tuple[Ints, int]:
    """Return what each device is in the file, [D], -1 for nothing; and how many NPUs a server has.

    Raises:
        CannotExportError: servers differ, or have no switch.
    """
    is_npu = of_kind(subject.fabric, "npu") & in_service(subject.fabric)
    group = np.where(found.switch, SWITCH, -1)
    sizes, switches = set[int](), set[int]()
    for server in servers:
        here = slice(server.start, server.stop)
        group[here] = np.where(is_npu[here], NPU, np.where(found.switch[here], NVSWITCH, -1))
        sizes.add(int((group[here] == NPU).sum()))
        switches.add(int((group[here] == NVSWITCH).sum()))
    if len(sizes) > 1:
        raise _no(subject, sink, f"here are servers of {min(sizes)} and of {max(sizes)} NPUs")
    if 0 in switches:
        name = servers[0].type
        raise _no(subject, sink, f"`{name}` has no switch", "name the part that has the switches by `--node`")
    if max(switches) > 1:
        remark(
            sink,
            "UB0806",
            f"SimAI has one NVSwitch a server: the {max(switches)} switches of one are written as one",
            "their rates are added up",
        )
    others = int((found.host & (group < 0)).sum())
    if others:
        left_out(sink, f"SimAI has no end points but the NPUs of servers: {others:,} others were left out", "hpcc")
    return group, sizes.pop()


def _one_a_server(number: Ints, group: Ints, servers: list[Server]) -> Ints:
    """Return numbers in which the switches of a server are one; the NPUs and NVSwitches of server k are those at place
    k."""
    npus = int((group == NPU).sum())
    renumbered = number.copy()
    for place, server in enumerate(servers):
        inside = np.arange(server.start, server.stop)
        renumbered[inside[group[inside] == NVSWITCH]] = npus + place
    inner = int((group == NVSWITCH).sum())
    renumbered[group == SWITCH] -= inner - len(servers)
    return renumbered


FORMAT = Format(
    "simai",
    "a topology for SimAI: servers of NPUs around an NVSwitch",
    "fabric",
    "simai.topo",
    write,
    ("names", "ports", "single cables of a bundle", "lengths"),
    "ns3",
    nodes=True,
)
