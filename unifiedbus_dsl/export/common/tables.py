"""Forwarding tables of a fabric by its ports, followed on the fabric before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, refuse, remark, too_large
from unifiedbus_dsl.export.common.paths import missing_paths
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures.certified import arcs_of
from unifiedbus_dsl.measures.deadlock import stated_router
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.path_rules import SHORTEST, PathRule
from unifiedbus_dsl.solver.deadlock.tables import ForwardingTables
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.arcs import match
from unifiedbus_dsl.verify.cables import read_cables
from unifiedbus_dsl.verify.tables import StatedTables, check_tables

MOST_ROWS = 16_000_000
"""Vertices times destinations."""

Ints = NDArray[np.int64]


@frozen(eq=False)
class PortRows:
    """Rows of tables, in order of vertex and destination: what is at `vertex` for `goal` leaves its device by `port`,
    over `cable`, to device `far`."""

    vertex: Ints
    goal: Ints
    port: Ints
    cable: Ints
    far: Ints


def network_of(subject: ExportInput, name: str, sink: Sink) -> NetworkContext:
    """Return the network of what is exported.

    Raises:
        CannotExportError: nothing sends there, or tables would be too large.
    """
    machine = NetworkContext(subject.fabric, symmetric=False)
    network = machine.network
    if network.ends < 2:
        span = subject.plan.type(subject.plan.root).span
        raise refuse(sink, f"{name} has routes between end points, and here are fewer than two", "json", span)
    if network.vertices * network.ends > MOST_ROWS:
        raise too_large(
            sink,
            f"tables of {network.vertices:,} devices for {network.ends:,} end points are more than {MOST_ROWS:,} rows",
            "export a smaller system, say one with fewer racks",
        )
    return machine


def port_rows(machine: NetworkContext, tables: ForwardingTables) -> PortRows:
    """Return tables by ports: over parallel cables destinations are dealt out in turn."""
    fabric, network = machine.fabric, machine.network
    vertex, goal = np.nonzero(tables.arc >= 0)
    arc = tables.arc[vertex, goal].astype(np.int64)
    forth, back = machine.cable_arcs()
    of = np.concatenate([forth, back])
    cables = np.tile(np.arange(fabric.cable_count), 2)
    far_end = np.repeat([True, False], fabric.cable_count)
    order = np.argsort(of, kind="stable")
    order = order[of[order] >= 0]
    start = np.searchsorted(of[order], np.arange(network.arcs))
    chosen = order[start[arc] + _turn(arc) % network.count[arc]]
    cable, leads = cables[chosen], far_end[chosen]
    near_port = np.where(leads, fabric.a_port[cable], fabric.b_port[cable])
    neighbour = np.where(leads, fabric.b_device[cable], fabric.a_device[cable])
    return PortRows(vertex, goal, near_port.astype(np.int64), cable, neighbour.astype(np.int64))


def _turn(arc: Ints) -> Ints:
    """Return the how many-th of its like each is."""
    order = np.argsort(arc, kind="stable")
    first = np.searchsorted(arc[order], arc[order])
    turn = np.empty(len(arc), dtype=np.int64)
    turn[order] = np.arange(len(arc)) - first
    return turn


def check(
    machine: NetworkContext, tables: ForwardingTables, goals: Sequence[NDArray[Any]], laned: int, rule: PathRule
) -> None:
    """Follow tables on the fabric: to the first `laned` destinations along the paths of a rule with their lanes, to the
    others apart.

    Raises:
        VerificationError: they do not lead there, leave the paths of the rule, or lanes have a cycle.
    """
    on = np.where(tables.arc >= 0, machine.network.head[tables.arc], -1).astype(np.int32)
    cables, arcs, router = read_cables(machine.fabric), arcs_of(machine.network), stated_router(rule)
    match(arcs, cables)
    for g in track(list(range(laned)), "hold tables to the routing"):
        chosen = tables.arc[:, g]
        ways = router.ways(cables, arcs, goals[g])
        require(np.isin(chosen[chosen >= 0], ways.arc).all(), "a table leaves the paths of its routing")
    stated = StatedTables(goals[:laned], on[:, :laned], tables.begin[:, :laned], tables.lane[:, :laned])
    check_tables(cables, stated)
    for g in range(laned, len(goals)):
        one = slice(g, g + 1)
        check_tables(cables, StatedTables(goals[one], on[:, one], tables.begin[:, one], tables.lane[:, one]))


def rule_of(subject: ExportInput) -> PathRule:
    """Return the paths that tables are to take, by default shortest ones."""
    return SHORTEST if subject.routing is None else subject.routing.paths


def refuse_paths(
    error: NotAdmittedError, subject: ExportInput, name: str, instead: str, sink: Sink
) -> CannotExportError:
    """UB0802, to be raised: the paths of a machine, or of the routing that is asked for, make no tables."""
    if subject.routing is None:
        missing = missing_paths(NetworkContext(subject.fabric, symmetric=False))
        pair = "" if missing is None else f", such as {missing.named(subject.fabric)}"
        return refuse(sink, f"{name}: {error}{pair}", instead)
    sink.error("UB0802", f"no forwarding tables by `{subject.routing.text}`: {error}", None, help=(
        "name a routing of one leg that leads to each end point, such as `updown`, or none for shortest paths",
    ))  # fmt: skip
    return CannotExportError(str(error))


def tell_lanes(tables: ForwardingTables, sink: Sink, help: str) -> None:
    """Tell how many virtual lanes tables need."""
    if tables.lanes > 1:
        remark(
            sink, "UB0806", f"these tables are free of deadlock on {tables.lanes} virtual lanes ({tables.scheme})", help
        )


def labels_of(fabric: Fabric) -> list[str]:
    """Return the path of each device."""
    return [str(name) for name in fabric.device_names(np.arange(fabric.device_count))]
