"""Loops: cables from a device to itself, which carry nothing from one device to another."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.diagnostics import Severity, Sink
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan, Rule
from unifiedbus_dsl.ir.plan.index import flat_index
from unifiedbus_dsl.ir.plan.labels import groups_of
from unifiedbus_dsl.semantic.checks.coincidence import subscript_text, tuple_text, values_at, where_equal


def loops(plan: Plan, sink: Sink) -> None:
    """UB0522 where a rule joins two ports of one device."""
    for assembly in plan.assemblies.values():
        for rule in assembly.rules:
            child = assembly.by_name[rule.left.child]
            if rule.left.child == rule.right.child and child.type in plan.devices:
                _rule(assembly, child, rule, sink)


def _rule(assembly: AssemblyType, child: Child, rule: Rule, sink: Sink) -> None:
    at, hits = where_equal(rule, tuple(zip(rule.left.at, rule.right.at, strict=True)))
    if not len(hits):
        return
    values = values_at(at, int(hits[0]))
    grids = {name: np.asarray(value) for name, value in values.items()}
    device = child.name + subscript_text(groups_of(child), int(flat_index(rule.left.at, child.shape, grids)))
    count = len(hits)
    sink.error(
        "UB0522",
        f"a cable joins a device with itself: `{device}`",
        rule.span,
        f"for {tuple_text(values)}" if values else "both ends are ports of it",
        severity=Severity.WARNING,
        notes=(f"{count:,} such cable{'s' * (count != 1)} in {assembly.kind} `{assembly.key}`",),
        help=("such a cable carries nothing to any other device: look at the subscripts, or leave these out",),
    )
