"""What the ranks of a workload exchange as traffic of the language: `pretrain.data` is what its replicas exchange."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.traffic.pattern_call import Traffic
from unifiedbus_dsl.measures.workloads.fabric_timer import COLLECTIVES
from unifiedbus_dsl.measures.workloads.read_workload import PlacedWorkload, read_workload
from unifiedbus_dsl.solver.demand import Groups, pairs
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary.signatures import TRAFFICS
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.serving import Serving
from unifiedbus_dsl.workload.step import all_exchanges
from unifiedbus_dsl.workload.training import EXCHANGED


def exchange_traffic(call: MeasureCall, node: tree.Member) -> Traffic:
    """Return what an axis of a workload exchanges most: one of its collectives, over all groups at once.

    Raises:
        RefusedError: it exchanges nothing along that axis, and a diagnostic says so.
    """
    return max(exchange_traffics(call, node), key=lambda traffic: traffic.size_bytes or 0.0)


def exchange_traffics(call: MeasureCall, node: tree.Member) -> list[Traffic]:
    """Return each sort of collective that an axis of a workload exchanges, in the order in which they come in a step.

    Raises:
        RefusedError: it exchanges nothing along that axis, and a diagnostic says so.
    """
    asking = tree.Call(
        tree.Name("memory", span=node.span), (tree.Arg(None, node.base, span=node.span),), span=node.span
    )
    placed = read_workload(MeasureCall(asking, call.machine, call.selector, call.traffics, call.workloads))
    exchanges = _exchanges(placed)
    part = node.name.text
    if part not in exchanges:
        known = ", ".join(f"`{node.base.span.text}.{each}`" for each in exchanges) or "nothing: it has one rank"
        message = f"`{node.base.span.text}` exchanges nothing along `{part}`"
        raise call.refuse(node, message, f"it exchanges {known}", "UB0709")
    name = ".".join(dotted_name(node))
    sorts = {(each.pattern, each.axis, each.size_bytes, each.wrap): each for each in exchanges[part]}
    return [_traffic(call, placed, name, each) for each in sorts.values()]


def _exchanges(placed: PlacedWorkload) -> dict[str, list[Exchange]]:
    """Return what a workload exchanges by axis: of serving what a prefill pass does."""
    asked = placed.asked
    step = asked.prefill_step() if isinstance(asked, Serving) else asked
    found: dict[str, list[Exchange]] = {}
    for each in all_exchanges(step):
        if not isinstance(asked, Serving) or each.part != "data":
            found.setdefault(each.part, []).append(each)
    return {part: found[part] for part in EXCHANGED if part in found}


def _traffic(call: MeasureCall, placed: PlacedWorkload, name: str, exchange: Exchange) -> Traffic:
    """Return an exchange on the end points of a machine."""
    layout, ends = placed.asked.layout, placed.ends
    definition = TRAFFICS[COLLECTIVES.get(exchange.pattern, exchange.pattern)]
    if exchange.pattern == "shift":
        source, target = layout.next_stage(exchange.wrap)
        together = np.zeros(len(ends), dtype=np.int64)
        return Traffic(name, definition, ends, together, pairs(ends[source], ends[target]), exchange.size_bytes)
    group = layout.groups(exchange.axis)
    of_end = np.full(call.machine.network.ends, -1, dtype=np.int64)
    of_end[ends] = group
    demand = Groups(of_end, 1.0) if definition.name == "alltoall" else None
    return Traffic(name, definition, ends, group, demand, exchange.size_bytes)
