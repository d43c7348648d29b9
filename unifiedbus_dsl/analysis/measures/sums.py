"""Sums over a selection, which the plan answers: `count ports lanes free_ports bandwidth sum power cost`."""

from __future__ import annotations

from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call, Refused
from unifiedbus_dsl.analysis.certified import stated
from unifiedbus_dsl.analysis.left import LeftSums
from unifiedbus_dsl.units import Quantity


@stated
def total(call: Call) -> Answer:
    value = LeftSums(call.machine, call.selector)(call.node, call.evaluator)
    if not isinstance(value, Quantity):
        raise Refused
    return call.exact(float(value), value.dimension, assumptions=("straight sum over the selection",))
