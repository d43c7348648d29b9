"""Port maps of SONiC: for each switch the tables `PORT` and `DEVICE_NEIGHBOR` of its `config_db.json`.

Keys and limits are those of the models `sonic-port.yang` (revision 2026-04-11) and `sonic-device_neighbor.yang` of
sonic-buildimage. A port is `EthernetN`, N the first of its lanes, which are counted in order of the ports: which lanes
of the chip a port has, the site's platform says.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, refuse, remark, too_large
from unifiedbus_dsl.export.common.devices import of_kind
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.ir.plan import DeviceType, Plan

MOST_SWITCHES = 10_000
"""Each is a file."""
MOST_MBPS = 1_600_000
LONGEST = 255
"""Letters of a description."""


@frozen
class SonicPort:
    """A port of a type of switch as SONiC has it."""

    name: str
    alias: str
    lanes: str
    speed: int
    """Mb/s, before coding."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    plan, fabric = subject.plan, subject.fabric
    switches = np.flatnonzero(of_kind(fabric, "switch"))
    if not len(switches):
        raise refuse(sink, "SONiC runs on switches, and this machine has none", "json", plan.type(plan.root).span)
    if len(switches) > MOST_SWITCHES:
        raise too_large(sink, f"{len(switches):,} switches would be as many files", "export a smaller system")
    slugs = Slugs(plan)
    names = [str(name) for name in slugs.devices(np.arange(fabric.device_count))]
    subject.renamed.update(slugs.renamed)
    types = [_ports(plan, of, slugs.ports(key), sink) for key, of in plan.devices.items()]
    near = np.concatenate([fabric.a_device, fabric.b_device]).astype(np.int64)
    near_port = np.concatenate([fabric.a_port, fabric.b_port]).astype(np.int64)
    far = np.concatenate([fabric.b_device, fabric.a_device]).astype(np.int64)
    far_port = np.concatenate([fabric.b_port, fabric.a_port]).astype(np.int64)
    order = np.lexsort((near_port, near))
    start = np.searchsorted(near[order], np.arange(fabric.device_count + 1))
    kind = fabric.device_type.astype(np.int64)
    for switch in track(switches.tolist(), "write port maps"):
        rows = order[start[switch] : start[switch + 1]]
        at_far = zip(far[rows].tolist(), far_port[rows].tolist(), strict=True)
        ends = [(names[device], types[kind[device]][port].name) for device, port in at_far]
        if ends and max(len(f"{device}:{port}") for device, port in ends) > LONGEST:
            raise too_large(sink, f"a description of SONiC has at most {LONGEST} letters", "shorten the names")
        joined = dict(zip(near_port[rows].tolist(), ends, strict=True))
        write_text(path / f"{names[switch]}.config_db.json", _tables(types[kind[switch]], joined))
    remark(
        sink,
        "UB0806",
        "lanes are counted in order of the ports: which those of the chip are, the platform says",
        "take `lanes` and the names of ports from the `port_config.ini` of your switch",
    )


def _ports(plan: Plan, of: DeviceType, names: list[str], sink: Sink) -> list[SonicPort]:
    """Return the ports of a type of device in order; those of what is no switch keep their own names."""
    widths = [port.lanes for port in of.ports for _ in range(port.count)]
    rates = [plan.protocols[port.protocol].lane_rate for port in of.ports for _ in range(port.count)]
    first = [0, *accumulate(widths)]
    ports = []
    for number, (name, width, rate) in enumerate(zip(names, widths, rates, strict=True)):
        speed = round(width * rate * 8 / 1_000_000)
        if of.kind == "switch" and speed > MOST_MBPS:
            raise too_large(
                sink, f"a port of SONiC has at most {MOST_MBPS:,} Mb/s, and one of `{of.key}` {speed:,}", "narrow it"
            )
        lanes = range(first[number], first[number] + width)
        own = f"Ethernet{lanes.start}" if of.kind == "switch" else name
        ports.append(SonicPort(own, name, ",".join(map(str, lanes)), speed))
    return ports


def _tables(ports: list[SonicPort], joined: dict[int, tuple[str, str]]) -> Iterator[str]:
    """Yield the tables of a switch, whose port p leads to the device and port `joined[p]`."""
    port_rows, neighbours = {}, {}
    for number, port in enumerate(ports):
        row = {"alias": port.alias, "index": str(number + 1), "lanes": port.lanes, "speed": str(port.speed)}
        if number in joined:
            device, far = joined[number]
            row |= {"admin_status": "up", "description": f"{device}:{far}"}
            neighbours[port.name] = {"local_port": port.name, "name": device, "port": far}
        else:
            row |= {"admin_status": "down"}
        port_rows[port.name] = row
    yield json.indented({"PORT": port_rows, "DEVICE_NEIGHBOR": neighbours}) + "\n"


FORMAT = Format(
    "sonic",
    "port maps of SONiC: `PORT` and `DEVICE_NEIGHBOR` of each switch",
    "fabric",
    "sonic",
    write,
    ("what is no switch, but as a neighbour", "latencies", "lengths", "links"),
    "containerlab",
    file_patterns=("*.config_db.json",),
)
