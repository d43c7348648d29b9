"""Routings by the words of the language: `ecmp`, `valiant(via = switch)`, `dor(order = [1, 0])`."""

from __future__ import annotations

from attrs import evolve

from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import ROUTING, RoutingDefinition, routing_named
from unifiedbus_dsl.measures.routing_call import RoutingCall
from unifiedbus_dsl.solver.routing.interface import Routing
from unifiedbus_dsl.syntax import tree


def read_routing(call: MeasureCall) -> Routing:
    """Return the routing of `routing = …`, by default that of the argument.

    Raises:
        RefusedError: it is none; a diagnostic says what is wrong.
    """
    definition, asked = read_definition(call)
    return definition.make(asked)


def read_definition(call: MeasureCall) -> tuple[RoutingDefinition, RoutingCall]:
    """Return what is registered of the routing of `routing = …`, with its options.

    Raises:
        RefusedError: it is none; a diagnostic says what is wrong.
    """
    node = call.named.get("routing", tree.Name(ROUTING.default, span=call.node.span))
    options = evolve(call, node=node if isinstance(node, tree.Call) else tree.Call(node, (), span=node.span))
    definition = routing_named(options.name)
    if definition is None:
        raise call.refuse(node, f"there is no routing `{options.name}`")
    return definition, RoutingCall(definition, call, options)
