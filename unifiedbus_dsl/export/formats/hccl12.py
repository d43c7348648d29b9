"""HCCL's rank table 1.2 (Atlas A3 SuperPoDs: hiascend.com, "rank table", hcclug_000014; MindCluster, "hccl.json").

Servers with their NPUs, and SuperPoDs with their servers; all values are strings. A server is a node (`--node` says of
which kind). IP addresses and `super_device_id`s are given on site: those written here are placeholders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import groupby
from pathlib import Path

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, Format, remark, too_large
from unifiedbus_dsl.export.common.servers import Server
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.export.formats.hccl import npu_servers

FIRST_ADDRESS = int(IPv4Address("10.0.0.1"))
MOST_RANKS = 2**24 - 2
"""Placeholder addresses in 10.0.0.0/8."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    servers, npus = npu_servers(subject, sink)
    ranks = sum(len(npus[server.type].ranks) for server in servers)
    if ranks > MOST_RANKS:
        raise too_large(sink, f"{ranks:,} NPUs have no placeholder addresses in 10.0.0.0/8", "export a smaller system")
    write_text(path, _table(servers, {key: len(peers.ranks) for key, peers in npus.items()}))
    remark(
        sink,
        "UB0806",
        "`device_ip` and `super_device_id` are placeholders: the site gives the real ones",
        "fill them in",
    )


def _table(servers: list[Server], npus: dict[str, int]) -> Iterator[str]:
    yield f'{{\n"status": "completed",\n"version": "1.2",\n"server_count": "{len(servers)}",\n"server_list": [\n'
    yield from _servers(servers, npus)
    yield '],\n"super_pod_list": [\n'
    pods = [
        {"super_pod_id": pod, "server_list": [{"server_id": server.name} for server in inside]}
        for pod, inside in groupby(servers, key=lambda server: server.pod)
    ]
    yield ",\n".join(json.dumps(pod) for pod in pods)
    yield "\n]}\n"


def _servers(servers: list[Server], npus: dict[str, int]) -> Iterator[str]:
    rank, comma, pod, in_pod = 0, "", "", 0
    for server in track(servers, "write servers"):
        if server.pod != pod:
            pod, in_pod = server.pod, 0
        devices = []
        for local in range(npus[server.type]):
            address = str(IPv4Address(FIRST_ADDRESS + rank))
            devices.append({
                "device_id": str(local), "super_device_id": str(in_pod), "device_ip": address, "rank_id": str(rank),
            })  # fmt: skip
            rank, in_pod = rank + 1, in_pod + 1
        yield comma + json.dumps({"server_id": server.name, "device": devices})
        comma = ",\n"
    yield "\n"


FORMAT = Format(
    "hccl-1.2",
    "HCCL's rank table 1.2 (Atlas A3)",
    "fabric",
    "rank_table.json",
    write,
    ("cables", "rates", "latencies", "switches"),
    "ns3",
    nodes=True,
)
