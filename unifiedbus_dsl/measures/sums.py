"""Sums over a selection, which the plan answers: `count ports lanes free_ports bandwidth sum power cost`."""

from __future__ import annotations

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import stated
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.surviving_aggregates import SurvivingAggregates


@stated
def total(call: MeasureCall) -> Answer:
    value = SurvivingAggregates(call.machine, call.selector)(call.node, call.evaluator)
    if not isinstance(value, Quantity):
        raise RefusedError
    return call.exact(float(value), value.dimension, assumptions=("straight sum over the selection",))
