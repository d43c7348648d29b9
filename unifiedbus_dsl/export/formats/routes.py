"""Forwarding tables as lists: one port for each device and destination, and the virtual lane of each pair.

Tables are destination-based, over shortest paths or those of a routing of one leg, balanced flow by flow as `ecmp`
shares them on the whole. They are followed on the fabric before they are written: every pair arrives along the paths
of its routing, and no lane waits in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape.csv import table
from unifiedbus_dsl.export.base import ExportInput, Format
from unifiedbus_dsl.export.common.stream import pieces, write_text
from unifiedbus_dsl.export.common.tables import (
    Ints,
    PortRows,
    check,
    labels_of,
    network_of,
    port_rows,
    refuse_paths,
    rule_of,
    tell_lanes,
)
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import port_names
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.tables import ForwardingTables, tables_between_ends
from unifiedbus_dsl.solver.network_context import NetworkContext


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    machine = network_of(subject, "routes", sink)
    try:
        tables = tables_between_ends(machine.network, rule_of(subject))
    except NotAdmittedError as error:
        name = "routes lead from each end point to each other one"
        raise refuse_paths(error, subject, name, "json", sink) from error
    goals = [machine.network.vertices_of(end) for end in range(machine.network.ends)]
    check(machine, tables, goals, len(goals), rule_of(subject))
    tell_lanes(tables, sink, "`lanes.csv` has those of all pairs that are not on lane 0")
    write_text(path / "tables.csv", _rows(machine, tables, port_rows(machine, tables)))
    write_text(path / "lanes.csv", _lanes(machine, tables))


def _rows(machine: NetworkContext, tables: ForwardingTables, rows: PortRows) -> Iterator[str]:
    fabric, network = machine.fabric, machine.network
    name = np.asarray(labels_of(fabric), dtype=object)
    device = np.repeat(np.arange(fabric.device_count), np.diff(network.device_start))[rows.vertex]
    line = rows.vertex - network.device_start[device]
    end = network.end[rows.vertex]
    own = (end >= 0) & (tables.begin[end, rows.goal] == rows.vertex)
    yield table([("device", "line", "destination", "port", "next", "own")])
    for start, stop in pieces(len(rows.vertex), "write tables"):
        some = slice(start, stop)
        yield table(
            zip(
                name[device[some]], line[some].tolist(), name[network.end_device[rows.goal[some]]],
                _ports(fabric, device[some], rows.port[some]), name[rows.far[some]], own[some].astype(int).tolist(),
                strict=True,
            )
        )  # fmt: skip


def _ports(fabric: Fabric, device: Ints, port: Ints) -> list[str]:
    """Return the name of each port within its device."""
    types = [port_names(fabric.plan, key) for key in fabric.plan.devices]
    kind = fabric.device_type[device].tolist()
    return [str(types[k][p]) for k, p in zip(kind, port.tolist(), strict=True)]


def _lanes(machine: NetworkContext, tables: ForwardingTables) -> Iterator[str]:
    name = np.asarray(labels_of(machine.fabric), dtype=object)[machine.network.end_device]
    yield table([("source", "destination", "lane")])
    source, goal = np.nonzero(tables.lane > 0)
    for start, stop in pieces(len(source), "write lanes"):
        some = slice(start, stop)
        lane = tables.lane[source[some], goal[some]].tolist()
        yield table(zip(name[source[some]], name[goal[some]], lane, strict=True))


FORMAT = Format(
    "routes",
    "forwarding tables: a port for each device and destination, free of deadlock by virtual lanes",
    "fabric",
    "routes",
    write,
    ("rates", "lengths", "several paths of a pair"),
    "ns3",
    routed=True,
    file_patterns=("tables.csv", "lanes.csv"),
)
