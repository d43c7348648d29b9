"""How many end points a workload runs on, by the types of the machine."""

from __future__ import annotations

from attrs import evolve

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import DeviceType
from unifiedbus_dsl.ir.plan.end_points import chief_kind
from unifiedbus_dsl.semantic.select.plan_selection import Selector
from unifiedbus_dsl.semantic.select.type_scope import Parts, TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree


def count_end_points(machine: TypeScope, node: tree.Expr | None, evaluator: Evaluator) -> int | None:
    """Return how many end points a selection has, all of the machine without one; None where that is in error."""
    if node is None:
        return _inside(machine, machine.subject, chief_kind(_kinds(machine)))
    selection = Selector(machine, evolve(evaluator, sink=Sink())).select(node)
    if selection is None or selection.broken is not None:
        return None
    parts = [item for item in selection.items if isinstance(item, Parts)]
    return sum(item.count * _inside(machine, item.type.key) for item in parts)


def _kinds(machine: TypeScope) -> set[str]:
    kinds = (machine.types[key] for key in machine.census(machine.subject))
    return {kind.kind for kind in kinds if isinstance(kind, DeviceType)}


def _inside(machine: TypeScope, key: str, kind: str = "") -> int:
    """Return how many devices of a kind one part contains; without a kind all that send."""
    found = ((machine.types[inner], count) for inner, count in machine.census(key).items())
    return sum(
        count
        for device, count in found
        if isinstance(device, DeviceType) and (device.kind == kind if kind else device.kind != "switch")
    )
