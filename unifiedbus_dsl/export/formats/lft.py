"""Linear forwarding tables of InfiniBand, as `opensm -R file -U lfts.dump` loads them (opensm 3.3.23,
osm_ucast_file.c), and the network as `ibsim -s fabric.net` simulates it (ibsim 0.10).

Switches forward, channel adapters do not: each cabled port of an end point is a destination with a LID of its own, and
so is port 0 of each switch. Port numbers begin at 1. The routing engine `file` knows the ends by their GUIDs, whatever
LIDs the subnet manager has given them; it sets no service levels, so lanes are told, and `lanes.csv` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape.csv import table
from unifiedbus_dsl.export.base import ExportInput, Format, refuse, remark, too_large
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.export.common.tables import Ints, PortRows, check, network_of, port_rows, refuse_paths, rule_of
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.deadlock.path_rules import SHORTEST
from unifiedbus_dsl.solver.deadlock.tables import ForwardingTables, forwarding_tables, router_to_destinations
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.bfs import Hops

SWITCH_GUID, ADAPTER_GUID = 0x0002_0000_0000_0000, 0x0001_0000_0000_0000
MOST_PORTS = 254
"""Of a switch; 255 in a table is no port."""
MOST_LIDS = 0xBFFF
"""Unicast LIDs."""


@frozen(eq=False)
class Subnet:
    """Ports of end points at switches: number `port` of device `end`, by a cable to `switch_port` of switch vertex
    `switch`; in order of both. `switches` are all vertices of switches. LIDs are dealt out in this order, from 1."""

    end: Ints
    port: Ints
    switch: Ints
    switch_port: Ints
    switches: Ints


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    machine = network_of(subject, "lft", sink)
    subnet = _subnet(machine, sink)
    network = machine.network
    goals = [np.array([v]) for v in np.concatenate([subnet.switch, subnet.switches]).tolist()]
    leaves = np.unique(subnet.switch)

    def begins(number: int, hops: Hops) -> np.ndarray:
        """Of each switch that end points are at, itself where it is not the destination."""
        from_all = subnet.switches if number >= len(subnet.end) else leaves
        forwarding = np.full(len(subnet.switches), -1, dtype=np.int32)
        forwarding[: len(from_all)] = from_all
        forwarding[: len(from_all)][hops[from_all] == 0] = -1
        if (hops[from_all] < 0).any():
            raise NoPathError("a switch has no path to another one")
        return forwarding

    try:
        routers = [router_to_destinations(network, rule_of(subject))] * len(subnet.end)
        routers += [router_to_destinations(network, SHORTEST)] * len(subnet.switches)
        tables = forwarding_tables(network, goals, routers, begins, laned=len(subnet.end))
    except NotAdmittedError as error:
        raise refuse_paths(error, subject, "a subnet is one network", "routes", sink) from error
    check(machine, tables, goals, len(subnet.end), rule_of(subject))
    _tell(tables, sink)
    slugs = Slugs(subject.plan)
    subject.renamed.update(slugs.renamed)
    names = [str(name) for name in slugs.devices(np.arange(subject.fabric.device_count))]
    write_text(path / "fabric.net", _net(machine, subnet, names))
    write_text(path / "lfts.dump", _dump(machine, subnet, port_rows(machine, tables), names))
    write_text(path / "lanes.csv", _lanes(machine, subnet, tables, names))


def _tell(tables: ForwardingTables, sink: Sink) -> None:
    if tables.lanes > 1:
        remark(
            sink,
            "UB0806",
            f"these tables are free of deadlock on {tables.lanes} virtual lanes, and `-R file` puts all on one",
            "give packets the service levels of `lanes.csv`, or route by `-R lash` or `-R dfsssp`",
        )


def _subnet(machine: NetworkContext, sink: Sink) -> Subnet:
    """Return the ports of end points.

    Raises:
        CannotExportError: end points are joined to each other, or there are more ports than InfiniBand has numbers.
    """
    fabric, network = machine.fabric, machine.network
    is_switch = np.array([each.kind == "switch" for each in fabric.plan.devices.values()], dtype=bool)[
        fabric.device_type.astype(np.int64)
    ]
    a, b = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    if (~is_switch[a] & ~is_switch[b]).any():
        raise refuse(sink, "adapters of InfiniBand are joined to switches, and here end points to each other", "routes")
    radix = np.array([each.radix for each in fabric.plan.devices.values()], dtype=np.int64)
    if int(radix.max(initial=0)) > MOST_PORTS:
        raise refuse(sink, f"a device of InfiniBand has at most {MOST_PORTS} ports", "routes")
    columns = [np.asarray(each, dtype=np.int64) for each in (a, fabric.a_port, b, fabric.b_port)]
    one, two = ~is_switch[a], ~is_switch[b]
    end, port, switch, switch_port = (
        np.concatenate([columns[i][one], columns[j][two]]) for i, j in ((0, 2), (1, 3), (2, 0), (3, 1))
    )
    order = np.lexsort((port, end))
    switches = np.flatnonzero(network.end < 0)
    if len(order) + len(switches) > MOST_LIDS:
        message = f"{len(order) + len(switches):,} ports are more than the {MOST_LIDS:,} unicast LIDs of a subnet"
        raise too_large(sink, message, "export a smaller system")
    return Subnet(end[order], port[order] + 1, network.device_start[switch[order]], switch_port[order] + 1, switches)


def _device(machine: NetworkContext, vertices: Ints) -> Ints:
    return np.asarray(np.searchsorted(machine.network.device_start, vertices, side="right") - 1)


def _net(machine: NetworkContext, subnet: Subnet, names: list[str]) -> Iterator[str]:
    """Yield a record for each device, as `ibnetdiscover` prints it."""
    fabric = machine.fabric
    types = list(fabric.plan.devices.values())
    switches = set(_device(machine, subnet.switches).tolist())
    near = np.concatenate([fabric.a_device, fabric.b_device]).astype(np.int64)
    near_port = np.concatenate([fabric.a_port, fabric.b_port]).astype(np.int64) + 1
    neighbour = np.concatenate([fabric.b_device, fabric.a_device]).astype(np.int64)
    far_port = np.concatenate([fabric.b_port, fabric.a_port]).astype(np.int64) + 1
    order = np.lexsort((near_port, near))
    order = order[near[order] != neighbour[order]]
    start = np.searchsorted(near[order], np.arange(fabric.device_count + 1))
    hosts = [d for d in range(fabric.device_count) if d not in switches]
    for device in [*hosts[:1], *sorted(switches), *hosts[1:]]:  # the subnet manager is at the first
        rows = order[start[device] : start[device + 1]]
        if not len(rows):
            continue
        letter, word = ("S", "Switch") if device in switches else ("H", "Ca")
        kind = "switchguid" if device in switches else "caguid"
        yield f"{kind}=0x{_guid(device, device in switches):016x}\n"
        ports = types[int(fabric.device_type[device])].radix
        yield f'{word}\t{ports} "{letter}-{_guid(device, device in switches):016x}"\t\t# "{names[device]}"\n'
        for row in rows.tolist():
            other = int(neighbour[row])
            far_letter = "S" if other in switches else "H"
            peer = f'"{far_letter}-{_guid(other, other in switches):016x}"[{int(far_port[row])}]'
            yield f"[{int(near_port[row])}]\t{peer}\n"
        yield "\n"


def _guid(device: int, switch: bool) -> int:
    """Return the GUID of a device, with room for those of its ports behind it."""
    return (SWITCH_GUID if switch else ADAPTER_GUID) + (device << 8)


def _dump(machine: NetworkContext, subnet: Subnet, rows: PortRows, names: list[str]) -> Iterator[str]:
    """Yield a table for each switch: a line for each LID, with the port and whose it is."""
    switch_device = _device(machine, subnet.switches)
    many, total = len(subnet.end), len(subnet.end) + len(subnet.switches)
    whose = [
        f"Channel Adapter portguid 0x{_guid(e, False) + p:016x}: '{names[e]}'"
        for e, p in zip(subnet.end.tolist(), subnet.port.tolist(), strict=True)
    ]
    whose += [f"Switch portguid 0x{_guid(d, True):016x}: '{names[d]}'" for d in switch_device.tolist()]
    start = np.searchsorted(rows.vertex, np.arange(machine.network.vertices + 1))
    for number, (vertex, device) in enumerate(zip(subnet.switches.tolist(), switch_device.tolist(), strict=True)):
        out = np.full(total, 255)
        mine = slice(int(start[vertex]), int(start[vertex + 1]))
        out[rows.goal[mine]] = rows.port[mine] + 1
        here = np.flatnonzero(subnet.switch == vertex)
        out[here] = subnet.switch_port[here]
        out[many + number] = 0
        head = f"Lid {many + number + 1} guid 0x{_guid(device, True):016x} ('{names[device]}')"
        yield f"Unicast lids [0x0-0x{total:x}] of switch {head}:\n"
        known = np.flatnonzero(out < 255).tolist()
        yield "".join(f"0x{lid + 1:04x} {int(out[lid]):03d} : ({whose[lid]})\n" for lid in known)
        yield f"{len(known)} valid lids dumped\n"


def _lanes(machine: NetworkContext, subnet: Subnet, tables: ForwardingTables, names: list[str]) -> Iterator[str]:
    """Yield the lane of what goes from a switch with end points to a port, where it is not 0."""
    yield table([("switch", "destination", "port", "lane")])
    source, goal = np.nonzero(tables.lane > 0)
    leaf = _device(machine, tables.begin[source, goal].astype(np.int64))
    yield table(
        (names[s], names[e], p, lane)
        for s, e, p, lane in zip(
            leaf.tolist(), subnet.end[goal].tolist(), subnet.port[goal].tolist(), tables.lane[source, goal].tolist(),
            strict=True,
        )
    )  # fmt: skip


FORMAT = Format(
    "lft",
    "linear forwarding tables for OpenSM, with the network for ibsim",
    "fabric",
    "lft",
    write,
    ("rates", "lengths", "several paths of a pair"),
    "routes",
    routed=True,
    file_patterns=("fabric.net", "lfts.dump", "lanes.csv"),
)
