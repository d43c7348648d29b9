"""HCCL's files of Ascend: the topology of a server, version 2.0, and rank tables, versions 2.0 and 1.2.

A topology has NPUs and links: between two of them, or to the network of a layer, which is a switch here. Of a rank
table the NPUs are the ranks; those of one instance of a layer are under one switch. Rates are not there."""

from __future__ import annotations

import re
from typing import Any

from unifiedbus_dsl.importer.doubts import CUT_OFF, NO_END, Doubts, shown
from unifiedbus_dsl.importer.jsons import load
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.source import Source, begins
from unifiedbus_dsl.importer.table import Kind, Table

_IS_IT = re.compile(r'"(peer_list|edge_list|rank_list|server_list|rank_count|server_count)"\s*:')


def is_it(head: str) -> bool:
    """Return whether a text begins as one of HCCL's files."""
    return begins(head, "{") and _IS_IT.search(head) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the NPUs and links of a file.

    Raises:
        ImportFailed: it is none of these files.
        OSError: the file can't be read.
    """
    data = load(source, doubts)
    if not isinstance(data, dict):
        raise ImportFailed(f"`{source.title}` is no object")
    table = Table(source.stem, doubts)
    if isinstance(data.get("peer_list"), list):
        _topology(data, table)
    elif isinstance(data.get("rank_list"), list):
        _ranks(data["rank_list"], table)
    elif isinstance(data.get("server_list"), list):
        _servers(data, table)
    if not table.devices:
        raise ImportFailed(f"`{source.title}` has no NPU in it")
    return table


def _topology(data: dict[str, Any], table: Table) -> None:
    for peer in data["peer_list"]:
        if isinstance(peer, dict):
            table.device(f"npu[{peer.get('local_id')}]", "npu")
    known = {device.name for device in table.devices}
    for what, listed in (("peer", data["peer_list"]), ("edge", data.get("edge_list") or [])):
        wanted = data.get(f"{what}_count")
        if isinstance(wanted, int) and wanted != len(listed):
            table.doubts.add(CUT_OFF, 0, f"{wanted} {what}s are announced, and {len(listed)} are there")
    for place, edge in enumerate(data.get("edge_list") or []):
        if not isinstance(edge, dict):
            continue
        a, layer = f"npu[{edge.get('local_a')}]", edge.get("net_layer", 0)
        link = "+".join(map(str, edge.get("protocols") or []))
        ports = [str(port) for port in edge.get("local_a_ports") or [""]]
        if edge.get("link_type") == "PEER2PEER":
            b, far = f"npu[{edge.get('local_b')}]", [str(port) for port in edge.get("local_b_ports") or [""]]
        else:
            b, far = f"net {layer}/{edge.get('topo_instance_id', 0)}", [f"{a} {port}" for port in ports]
        if a not in known or (b not in known and edge.get("link_type") == "PEER2PEER"):
            table.doubts.add(NO_END, 0, f"edge {place}: there is no {shown(a if a not in known else b)}")
            continue
        there = table.device(b, "npu" if b in known else "switch")
        for port, far_port in zip(ports, far, strict=False):
            table.cable(table.device(a), port, there, far_port, table.kind_of(Kind(link)), 0)


def _ranks(ranks: list[Any], table: Table) -> None:
    for rank in ranks:
        if not isinstance(rank, dict):
            continue
        name = f"rank {rank.get('rank_id')}"
        own = table.device(name, "npu")
        for level in rank.get("level_list") or []:
            layer, instance = level.get("net_layer", 0), level.get("net_instance_id", "")
            net = table.device(f"{instance} (layer {layer})", "switch")
            ports = [str(p) for addr in level.get("rank_addr_list") or [] for p in addr.get("ports") or [""]] or [""]
            for port in dict.fromkeys(ports):
                text = f"{layer}:{port}" if port else ""
                table.cable(own, text, net, f"{name} {port}".strip(), table.kind_of(Kind(f"Layer{layer}")), 0)


def _servers(data: dict[str, Any], table: Table) -> None:
    pods = {
        str(server.get("server_id")): str(pod.get("super_pod_id"))
        for pod in data.get("super_pod_list") or []
        for server in pod.get("server_list") or []
    }
    for server in data["server_list"]:
        if not isinstance(server, dict):
            continue
        name = str(server.get("server_id"))
        switch = table.device(f"server {name}", "switch")
        for device in server.get("device") or []:
            id_ = str(device.get("device_id"))
            npu = table.add(Device(f"rank {device.get('rank_id', id_)}", "npu", id=str(device.get("device_ip") or "")))
            table.cable(switch, id_, npu, "server", table.kind_of(Kind("Server")), 0)
        if name in pods:
            pod = table.device(f"super pod {pods[name]}", "switch")
            table.cable(pod, name, switch, "up", table.kind_of(Kind("SuperPod")), 0)
