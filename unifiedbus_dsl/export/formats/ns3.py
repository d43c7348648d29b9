"""A case folder of ns-3-UB (gitcode.com/open-usim/ns-3-ub, README of `scratch/`): nodes, topology, routes, traffic.

Node numbers are device ids, port numbers those of the device type. The rate of a cable is its rate after coding.
ns-3-UB spends the `forwardDelay` of a node anew for each packet and out port, one after another, so it is 1 ns, and
half of the latency of what passes data on is in the delay of each of its cables.

Routes
are all shortest paths by hops: a row for each node, target and port that a shortest path arrives at, with the out ports
and, as metric, the number of cables left. The forwarding table of ns-3-UB is one for a node: it can't say that some of
a device's ports do not forward to others, and where that matters a diagnostic tells.

`traffic.csv` holds the flows of a traffic that was asked for, each phase after all of the one before; one of 2 GiB or
more is several. Without one it is a start to be replaced: each end point writes 1 MiB to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, Flows, Format, left_out, refuse, remark, too_large
from unifiedbus_dsl.export.common.deadlock import tell_deadlock
from unifiedbus_dsl.export.common.devices import forwards, latencies, of_kind, senders
from unifiedbus_dsl.export.common.paths import has_path
from unifiedbus_dsl.export.common.stream import kind_facts, number, pieces, write_text
from unifiedbus_dsl.graph.from_fabric import cable_ends, from_fabric
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.ir.fabric import Fabric

MOST_PAIRS = 4_000_000
"""Nodes times targets: routes beyond that are gigabytes, and the simulator is packet by packet."""

MOST_FLOWS = 4_000_000
MOST_BYTES = 2**31 - 1
"""Of a flow: ns-3-UB reads its size as an `int`."""

PASSING = "1ns"
"""What a node spends on each packet and out port."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    if not fabric.device_count:
        raise refuse(sink, "ns-3-UB wants a device, and this machine has none", "json")
    network = from_fabric(fabric)
    count = sum(len(_pieces(phase)[2]) for phase in subject.flows or ())
    if count > MOST_FLOWS:
        raise too_large(
            sink, f"{count:,} flows are more than the {MOST_FLOWS:,} of a `traffic.csv`", "take a smaller traffic"
        )
    if fabric.device_count * network.ends > MOST_PAIRS:
        raise too_large(
            sink,
            f"routes from {fabric.device_count:,} devices to {network.ends:,} end points are more than ns-3-UB takes",
            "export a smaller system, say one with fewer racks",
        )
    half = np.where(forwards(fabric), latencies(fabric) / 2, 0.0)
    _tell(fabric, half, sink)
    tell_deadlock(fabric, sink, "ns-3-UB")
    start = _start(network, senders(fabric))
    write_text(path / "network_attribute.txt", _attributes(fabric))
    write_text(path / "node.csv", _nodes(fabric))
    write_text(path / "topology.csv", _topology(fabric, half))
    write_text(path / "routing_table.csv", _routes(fabric, network, sink))
    write_text(path / "traffic.csv", _traffic(subject.flows if subject.flows is not None else (start,)))
    if subject.flows is None and len(start.size):
        remark(
            sink,
            "UB0806",
            "`traffic.csv` is a start: each end point writes 1 MiB to the next",
            "name one by `--traffic`",
        )


def _tell(fabric: Fabric, half: Floats, sink: Sink) -> None:
    """Tell of what ns-3-UB does otherwise than the measures of the language."""
    if (half[~of_kind(fabric, "switch")] > 0).any():
        left_out(
            sink, "a path of ns-3-UB takes half of the latency of passing its first and last device as well", "simgrid"
        )
    remark(
        sink,
        "UB0806",
        "packets of a flow are spread over its paths, as `ecmp` shares are",
        "set `UsePacketSpray` to false in `network_attribute.txt` for one path a flow, taken by a hash",
    )


def _attributes(fabric: Fabric) -> Iterator[str]:
    fastest = max((kind.capacity for kind in kind_facts(fabric)), default=0.0)
    yield 'default ns3::UbApp::EnableMultiPath "true"\n'
    yield 'default ns3::UbApp::UseShortestPaths "true"\n'
    yield 'default ns3::UbTransportChannel::UsePacketSpray "true"\n'
    yield 'default ns3::UbTransportChannel::UseShortestPaths "true"\n'
    yield f'default ns3::UbPort::UbDataRate "{_rate(fastest)}"\n'
    yield 'global UB_PARSE_TRACE_ENABLE "false"\n'


def _rate(bytes_a_second: float) -> str:
    return f"{number(bytes_a_second * 8e-9, 9)}Gbps"


def _nanoseconds(seconds: float) -> str:
    return f"{number(seconds * 1e9, 3)}ns"


def _nodes(fabric: Fabric) -> Iterator[str]:
    """Runs of devices of one type are one line."""
    yield "nodeId,nodeType,portNum,forwardDelay\n"
    types = list(fabric.plan.devices.values())
    column = fabric.device_type.astype(np.int64)
    cuts = np.flatnonzero(np.diff(column)) + 1
    for first, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(column)], strict=True):
        of = types[column[first]]
        ids = str(first) if stop - first == 1 else f"{first}..{stop - 1}"
        yield f"{ids},{'SWITCH' if of.kind == 'switch' else 'DEVICE'},{of.radix},{PASSING}\n"


def _topology(fabric: Fabric, half: Floats) -> Iterator[str]:
    yield "nodeId1,portId1,nodeId2,portId2,bandwidth,delay\n"
    kinds = kind_facts(fabric)
    rates, own = [_rate(kind.capacity) for kind in kinds], np.asarray([kind.latency for kind in kinds])
    for start, stop in pieces(fabric.cable_count, "write cables"):
        columns = (fabric.a_device, fabric.a_port, fabric.b_device, fabric.b_port, fabric.kind)
        a, ap, b, bp, kind = (column[start:stop] for column in columns)
        delays, which = np.unique(np.round((own[kind] + half[a] + half[b]) * 1e12), return_inverse=True)
        texts = [_nanoseconds(delay * 1e-12) for delay in delays.tolist()]
        rows = zip(*(column.tolist() for column in (a, ap, b, bp, kind, which)), strict=True)
        yield "".join(f"{a},{ap},{b},{bp},{rates[k]},{texts[delay]}\n" for a, ap, b, bp, k, delay in rows)


def _start(network: Network, sends: NDArray[np.bool_]) -> Flows:
    """Return a flow from each device that sends [D] to the next, from the last to the first, where there is a path."""
    ends = np.flatnonzero(sends[network.end_device])
    source, target = (ends, np.roll(ends, -1)) if len(ends) > 1 else (ends[:0], ends[:0])
    leads = has_path(network, source, target)
    source, target = network.end_device[source[leads]], network.end_device[target[leads]]
    return Flows(source, target, np.full(len(source), 1 << 20, dtype=np.int64))


def _traffic(phases: Sequence[Flows]) -> Iterator[str]:
    """Yield a phase starts when all flows of the one before have ended."""
    yield "taskId,sourceNode,destNode,dataSize(Byte),opType,priority,delay,phaseId,dependOnPhases\n"
    task = 0
    for number_, phase in enumerate(track(phases, "write flows")):
        source, target, size = _pieces(phase)
        rows = zip(source.tolist(), target.tolist(), size.tolist(), strict=True)
        after = str(number_ - 1) if number_ else ""
        yield "".join(
            f"{task + n},{one},{two},{amount},URMA_WRITE,7,10ns,{number_},{after}\n"
            for n, (one, two, amount) in enumerate(rows)
        )
        task += len(size)


def _pieces(phase: Flows) -> tuple[Ints, Ints, Ints]:
    """Source, target and bytes of flows of which none is larger than ns-3-UB can read; the pieces of one are alike."""
    count = np.maximum(1, -(-phase.size // MOST_BYTES))
    flow = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(flow)) - np.repeat(np.cumsum(count) - count, count)
    size = phase.size[flow] // count[flow] + (place < phase.size[flow] % count[flow])
    return phase.source[flow], phase.target[flow], size


# ---- routes -------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Arcs:
    """Each cable both ways: the vertices that it leads from and to, devices and ports of its two ends."""

    tail: Ints
    head: Ints
    device: Ints
    port: Ints
    far: Ints
    far_port: Ints


def arcs_of(fabric: Fabric, network: Network) -> Arcs:
    a, b = cable_ends(fabric)
    one = [np.asarray(c, dtype=np.int64) for c in (fabric.a_device, fabric.a_port)]
    two = [np.asarray(c, dtype=np.int64) for c in (fabric.b_device, fabric.b_port)]
    near = [np.concatenate([x, y]) for x, y in zip(one, two, strict=True)]
    far = [np.concatenate([y, x]) for x, y in zip(one, two, strict=True)]
    tail, head = (np.concatenate(each).astype(np.int64) for each in ((a, network.turn(b)), (b, network.turn(a))))
    return Arcs(tail, head, *near, *far)


def _routes(fabric: Fabric, network: Network, sink: Sink) -> Iterator[str]:
    yield "nodeId,dstNodeId,dstPortId,outPorts,metrics\n"
    arcs = arcs_of(fabric, network)
    device_of = np.repeat(np.arange(fabric.device_count), np.diff(network.device_start))
    strayed = 0
    for target in track(network.end_device.tolist(), "write routes"):
        text, wrong = _routes_to(network, arcs, device_of, target)
        strayed += wrong
        yield text
    if strayed:
        left_out(
            sink,
            f"to {strayed:,} targets, devices would forward between ports that do not: ns-3-UB has one table a node",
            "json",
        )


def _routes_to(network: Network, arcs: Arcs, device_of: Ints, target: int) -> tuple[str, bool]:
    """Return the rows to a target, and whether a path passes through a device that would take another way on."""
    own = np.arange(network.device_start[target], network.device_start[target + 1])
    hops = _hops(network, arcs, own)
    ports = np.unique(arcs.port[arcs.device == target])
    lead = (hops[arcs.tail] > 0) & (hops[arcs.head] == hops[arcs.tail] - 1)
    lead &= (arcs.far == target) | network.forwards[arcs.head]
    arrives = np.zeros((network.vertices, len(ports)), dtype=bool)
    for level in range(1, int(hops.max(initial=0)) + 1):
        here = np.flatnonzero(lead & (hops[arcs.tail] == level))
        if level == 1:
            arrives[arcs.tail[here], np.searchsorted(ports, arcs.far_port[here])] = True
        else:
            np.logical_or.at(arrives, arcs.tail[here], arrives[arcs.head[here]])
    nearest = np.full(int(device_of[-1]) + 1, np.iinfo(np.int64).max)
    reached = hops > 0
    np.minimum.at(nearest, device_of[reached], hops[reached])
    lead &= hops[arcs.tail] == nearest[arcs.device]
    chosen = np.flatnonzero(lead)
    through = chosen[arcs.far[chosen] != target]
    strays = bool((hops[arcs.head[through]] != nearest[arcs.far[through]]).any())
    rows: dict[tuple[int, int], list[int]] = {}
    for arc in chosen.tolist():
        if arcs.far[arc] == target:
            rows.setdefault((int(arcs.device[arc]), int(arcs.far_port[arc])), []).append(int(arcs.port[arc]))
        else:
            for place in np.flatnonzero(arrives[arcs.head[arc]]).tolist():
                rows.setdefault((int(arcs.device[arc]), int(ports[place])), []).append(int(arcs.port[arc]))
    lines = [_row(node, target, port, sorted(out), int(nearest[node])) for (node, port), out in sorted(rows.items())]
    return "".join(lines), strays


def _row(node: int, target: int, port: int, out: list[int], metric: int) -> str:
    return f"{node},{target},{port},{' '.join(map(str, out))},{' '.join([str(metric)] * len(out))}\n"


def _hops(network: Network, arcs: Arcs, own: Ints) -> Ints:
    """Return cables from each vertex to a device with these vertices, -1 where there is no way."""
    hops = np.full(network.vertices, -1, dtype=np.int64)
    hops[own] = 0
    here = np.zeros(network.vertices, dtype=bool)
    here[own] = True
    level = 0
    while here.any():
        level += 1
        tails = arcs.tail[here[arcs.head]]
        fresh = np.unique(tails[hops[tails] < 0])
        hops[fresh] = level
        here[:] = False
        here[fresh] = True
        here &= network.forwards
    return hops


FORMAT = Format(
    "ns3",
    "a case folder for ns-3-UB: nodes, topology, routes, traffic",
    "fabric",
    "ns3",
    write,
    ("names of devices", "limits of injection", "lengths"),
    traffic=True,
    file_patterns=("node.csv", "topology.csv", "routing_table.csv", "traffic.csv", "network_attribute.txt"),
)
