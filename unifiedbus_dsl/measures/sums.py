"""Sums over a selection, which the plan answers: `count ports lanes free_ports bandwidth sum power cost`."""

from __future__ import annotations

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric.physical import one_a_cable
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.surviving_aggregates import SurvivingAggregates, cables_in_service, without_field
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.semantic.select.plan_selection import Selector
from unifiedbus_dsl.semantic.select.type_scope import Selection
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.verify import Certificate, Stated
from unifiedbus_dsl.verify.sums import Chosen, SumCertificate, WholeSumCertificate
from unifiedbus_dsl.vocabulary import attributes

UNSEEN = "the sum is the plan's alone: assemblies of spares alone are not told apart in the fabric"


def total(call: MeasureCall) -> Certified[Answer]:
    value = SurvivingAggregates(call.machine, call.selector)(call.node, call.evaluator)
    if not isinstance(value, Quantity):
        raise RefusedError
    answer = call.exact(float(value), value.dimension, assumptions=("straight sum over the selection",))
    return Certified(answer, certify_sum(call) or Stated(answer.lower, answer.upper, UNSEEN))


def certify_sum(call: MeasureCall) -> Certificate | None:
    """Return what shows a sum: all that it is of, by number. None where assemblies hold nothing but spares: these the
    fabric does not tell apart."""
    lost = call.machine.lost_devices
    if not call.node.args:
        return WholeSumCertificate(call.name, lost)
    node = call.node.args[0].value
    quiet = evolve(call.selector, evaluator=evolve(call.evaluator, sink=Sink()))
    selection = Selector(call.selector.machine, quiet.evaluator).select(node)
    if selection is None:
        return None
    chosen = _chosen(call, node, selection)
    if chosen is None or any(_of_spares(call, key) for key in chosen.assemblies):
        return None
    field = selection.field.text if selection.field is not None else call.name
    return SumCertificate(call.name, field, chosen, lost)


def _of_spares(call: MeasureCall, key: str) -> bool:
    """Return whether an assembly of this type holds nothing but spares, and is no spare."""
    fabric = call.machine.fabric
    start, stop = fabric.blocks(key)
    left = np.concatenate([[0], np.cumsum(~call.selector.spare)])
    return int((left[stop] > left[start]).sum()) != fabric.plan.in_service[key]


def _chosen(call: MeasureCall, node: tree.Expr, selection: Selection) -> Chosen | None:
    """Return all that a selection is of, by number."""
    quiet = evolve(call.selector, evaluator=evolve(call.evaluator, sink=Sink()))
    if not selection.items:
        return Chosen()
    if isinstance(node, tree.Binary) and quiet.sort(node) == "port":
        ports = quiet.ports(node)
        return None if ports is None else Chosen(ports=ports)
    of_ports = call.name in ("ports", "lanes", "bandwidth") and selection.field is not None
    bare = without_field(node, selection)
    if of_ports or (not isinstance(node, tree.All) and quiet.names_ports(node)) or _every_port(node):
        ports = quiet.ports(node)
        return None if ports is None else Chosen(ports=ports)
    if quiet.sort(bare) == "link":
        cables = cables_in_service(quiet, bare)
        if cables is None:
            return None
        left = cables[call.machine.cable_health[cables] > 0]
        return Chosen(cables=left if call.name == "lanes" else one_a_cable(call.machine.fabric, left))
    blocks = quiet.blocks(bare)
    return None if blocks is None else _of_blocks(call, blocks)


def _every_port(node: tree.Expr) -> bool:
    return isinstance(node, tree.All) and node.path[0].text == "port"


def _of_blocks(call: MeasureCall, blocks: DeviceRanges) -> Chosen:
    """Of instances those with a device that is left."""
    left = np.concatenate([[0], np.cumsum(~call.machine.lost_devices)])
    there = blocks.chosen(left[blocks.stop] > left[blocks.start])
    if blocks.noun not in attributes.KINDS_OF_ASSEMBLY:
        return Chosen(devices=there.start)
    fabric, assemblies = call.machine.fabric, {}
    for key in blocks.keys:
        start, stop = fabric.blocks(key)
        size = fabric.device_count + 1
        some = np.isin(start * size + stop, there.start * size + there.stop)
        assemblies[key] = start[some], stop[some]
    return Chosen(assemblies=assemblies)
