"""Traffic: who sends to whom, from `traffic moe of superpod = alltoall(all npu, within = rack)`."""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.measures.traffic.definition import pattern_named
from unifiedbus_dsl.measures.traffic.pattern_call import PatternCall, Traffic
from unifiedbus_dsl.semantic.queries.check_queries import expect_pattern
from unifiedbus_dsl.semantic.select.arguments import check_arguments
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name


@frozen(eq=False)
class TrafficReader:
    """Reads the call behind `traffic NAME of SYSTEM =` against a machine."""

    machine: NetworkContext
    selector: FabricSelector
    on: Ints | None = None
    """The devices that traffic is confined to, in any order; None for all."""

    def read(self, name: str, node: tree.Expr) -> Traffic | None:
        """Return the traffic; None after a diagnostic."""
        sink = self.selector.evaluator.sink
        if not expect_pattern(node, sink) or not isinstance(node, tree.Call):
            return None
        definition = pattern_named(".".join(dotted_name(node.function)))
        if definition is None or not check_arguments(node, sink):
            return None
        named = {arg.name.text: arg.value for arg in node.args if arg.name is not None}
        plain = [arg.value for arg in node.args if arg.name is None]
        if len(plain) != 1:
            message, help = f"`{definition.name}` takes one selection", f"write `{definition.name}(all npu)`"
            sink.error("UB0705", message, node.span, "here", help=(help,))
            return None
        return definition.make(PatternCall(definition, self.machine, self.selector, name, plain[0], named, self.on))
