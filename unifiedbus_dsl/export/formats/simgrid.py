"""A platform for SimGrid (simgrid.org, src/kernel/xml/simgrid.dtd, version 4.1).

End points are hosts, switches routers. Cables between the same two devices are one link of their added rate, split
duplex as ours carry the full rate both ways; `Dijkstra` finds routes of fewest links. The latency of a link is that of
the cable and of half of each switch at its ends, so that a path costs what it costs here.

The flows of a traffic are actors of the function `flows` behind the platform, one on each host that sends or receives,
with an argument for each flow: `PHASE send|receive FLOW BYTES`. Those of a phase wait for all that the same host had in
the phase before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.units import COMPUTE, Quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import xml
from unifiedbus_dsl.export.base import ExportInput, Flows, Format, remark, too_large
from unifiedbus_dsl.export.common.devices import latencies, of_kind, tell_forwarding
from unifiedbus_dsl.export.common.names import Slugs, plain
from unifiedbus_dsl.export.common.pairs import pairs_of
from unifiedbus_dsl.export.common.stream import number, write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import DeviceType

MOST_LINKS = 2_000_000
MOST_FLOWS = 1_000_000
FUNCTION = "flows"
"""What actors are programmed by."""
USUAL_SPEED = "1Tf"


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    if fabric.cable_count > MOST_LINKS:
        raise too_large(
            sink, f"{fabric.cable_count:,} cables are more than SimGrid holds in memory", "export a smaller system"
        )
    tell_forwarding(fabric, sink, "SimGrid may route")
    if any(_speed(of) is None for of in fabric.plan.devices.values() if of.kind != "switch"):
        remark(
            sink, "UB0806", f"some end points state no compute rate: their speed is {USUAL_SPEED}", "set `bf16`, say"
        )
    count = sum(len(phase.size) for phase in subject.flows or ())
    if count > MOST_FLOWS:
        raise too_large(
            sink, f"{count:,} flows are more than the {MOST_FLOWS:,} of a deployment", "take a smaller traffic"
        )
    write_text(path, _parts(fabric, subject.flows or ()))


def _speed(of: DeviceType) -> str | None:
    rates = [float(v) for v in of.fields.values() if isinstance(v, Quantity) and v.dimension == COMPUTE]
    return f"{number(min(rates) / 1e9, 3)}Gf" if rates else None


def _parts(fabric: Fabric, phases: Sequence[Flows]) -> Iterator[str]:
    plan = fabric.plan
    names = Slugs(plan).devices(np.arange(fabric.device_count)).tolist()
    speeds = [_speed(of) or USUAL_SPEED for of in plan.devices.values()]
    switch = of_kind(fabric, "switch")
    yield "<?xml version='1.0'?>\n"
    yield '<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">\n'
    yield f'<platform version="4.1">\n<zone id={xml.attribute(plain(plan.system))} routing="Dijkstra">\n'
    # hosts first, as the DTD has them
    for device in np.flatnonzero(~switch).tolist():
        yield f'<host id="{names[device]}" speed="{speeds[fabric.device_type[device]]}"/>\n'
    for device in np.flatnonzero(switch).tolist():
        yield f'<router id="{names[device]}"/>\n'
    yield from _links(fabric, names)
    yield "</zone>\n"
    yield from _actors(phases, names)
    yield "</platform>\n"


def _actors(phases: Sequence[Flows], names: list[str]) -> Iterator[str]:
    """Yield an actor for each host that sends or receives, in order of hosts, with its flows phase by phase."""
    rows: dict[int, list[str]] = {}
    flow = 0
    for step, phase in enumerate(phases):
        columns = (each.tolist() for each in (phase.source, phase.target, phase.size))
        for source, target, size in zip(*columns, strict=True):
            rows.setdefault(source, []).append(f"{step} send {flow} {size}")
            rows.setdefault(target, []).append(f"{step} receive {flow} {size}")
            flow += 1
    for device in sorted(rows):
        yield f'<actor host="{names[device]}" function="{FUNCTION}">\n'
        yield "".join(f'<argument value="{each}"/>\n' for each in rows[device])
        yield "</actor>\n"


def _links(fabric: Fabric, names: list[str]) -> Iterator[str]:
    """Yield all links, then a route along each."""
    # what passing through a device costs: end points that only send and receive cost nothing
    passing, links = latencies(fabric) * of_kind(fabric, "switch"), pairs_of(fabric)
    latency = links.latency + (passing[links.a] + passing[links.b]) / 2
    ends = [[names[device] for device in column.tolist()] for column in (links.a, links.b)]
    rows = zip(*ends, links.rate.tolist(), latency.tolist(), strict=True)
    for a, b, rate, seconds in track(rows, "write links", len(latency)):
        yield (
            f'<link id="{a}_{b}" bandwidth="{number(rate, 3)}Bps" latency="{number(seconds * 1e9, 6)}ns" '
            'sharing_policy="SPLITDUPLEX"/>\n'
        )
    for a, b in zip(*ends, strict=True):
        yield (
            f'<route src="{a}" dst="{b}" symmetrical="NO"><link_ctn id="{a}_{b}" direction="UP"/></route>\n'
            f'<route src="{b}" dst="{a}" symmetrical="NO"><link_ctn id="{a}_{b}" direction="DOWN"/></route>\n'
        )


FORMAT = Format(
    "simgrid",
    "a platform for SimGrid",
    "fabric",
    "simgrid.xml",
    write,
    ("ports", "single cables of a bundle", "lengths", "limits of injection"),
    traffic=True,
)
