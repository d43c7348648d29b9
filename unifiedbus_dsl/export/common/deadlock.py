"""What an export to a simulator of lossless links tells of deadlock, where its routers may wait for each other; or of
pairs without a path."""

from __future__ import annotations

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import remark
from unifiedbus_dsl.export.common.paths import tell_missing_paths
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures.deadlock_note import look
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
from unifiedbus_dsl.solver.demand import all_to_all
from unifiedbus_dsl.solver.network_context import NetworkContext

MOST_CABLES = 1_000_000
"""Cables of a machine whose symmetries are searched for."""
MOST_WORK = 40_000_000
"""Goals that are not alike times arcs."""
HELP = "`virtual_lanes(alltoall(all npu))` says how many lanes free it"


def tell_deadlock(fabric: Fabric, sink: Sink, name: str) -> None:
    """Tell where packets of all end points on all shortest paths can wait in a circle, or that it was not looked at."""
    deadlock = "not looked at"
    if fabric.cable_count <= MOST_CABLES:
        machine = NetworkContext(fabric)
        try:
            deadlock = look(machine, all_to_all(machine.symmetry.network), PathRule("shortest"), MOST_WORK)
        except NotAdmittedError:
            tell_missing_paths(machine, sink, name)
            return
    if deadlock == "cycle":
        message = f"all-to-all over shortest paths can deadlock on lossless links: {name} may stand still"
        remark(sink, "UB0806", message, HELP)
    elif deadlock == "not looked at":
        message = f"whether all-to-all can deadlock in {name} was not looked at: the machine is too large for that here"
        remark(sink, "UB0806", message, "`deadlock_free(alltoall(all npu))` says it")
