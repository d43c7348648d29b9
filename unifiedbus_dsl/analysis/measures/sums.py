"""Sums over a selection, which the plan answers: `count ports lanes free_ports bandwidth sum power cost`."""

from __future__ import annotations

from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call, Refused
from unifiedbus_dsl.elaborate.selections import Machine
from unifiedbus_dsl.elaborate.sums import Sums
from unifiedbus_dsl.units import Quantity


def total(call: Call) -> Answer:
    plan = call.machine.fabric.plan
    machine = Machine({**plan.devices, **plan.assemblies}, plan.protocols, plan.links, plan.root)
    value = Sums(machine)(call.node, call.evaluator)
    if not isinstance(value, Quantity):
        raise Refused
    return call.exact(float(value), value.dimension, assumptions=("straight sum over the selection",))
