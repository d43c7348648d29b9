"""Arguments of a measure read against the places of a plan."""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.end_points import end_types
from unifiedbus_dsl.ir.plan.unknown import links_without
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary.signatures import TRAFFICS

Places = frozenset[int]


@frozen(eq=False)
class PlanCall:
    """A call with the network of the plan that it is about, on the planes that it is confined to."""

    call: MeasureCall
    network: PlanNetwork

    def refuse(self, reason: str) -> NotProvedError:
        return NotProvedError(reason)

    @property
    def plan(self) -> Plan:
        return self.network.plan

    def ends(self, node: tree.Expr) -> Places:
        """Return the places of the end points that an expression selects.

        Raises:
            NotProvedError: it selects single ones, or none.
        """
        if not isinstance(node, tree.All) or node.scope is not None:
            raise self.refuse("the selection is of single parts")
        keys = self.call.selector.type_keys(node)
        if not keys:
            raise self.refuse("nothing is selected")
        wiring = self.network.wiring
        places = frozenset(
            p
            for p, place in enumerate(wiring.places)
            if not place.spare and self.network.ends[p] and (place.device in keys or set(keys) & set(place.around))
        )
        if not places or any(key in self.plan.devices and self.plan.devices[key].kind == "switch" for key in keys):
            raise self.refuse("no end points are selected")
        return places

    def pair(self) -> tuple[Places, Places]:
        """From which end points to which: `A -> B`, or all pairs of one selection."""
        node = self.call.one()
        if isinstance(node, tree.Arrow):
            return self.ends(node.left), self.ends(node.right)
        ends = self.ends(node)
        return ends, ends

    def alltoall(self) -> Places:
        """Return the members of the all-to-all traffic that is the only positional argument.

        Raises:
            NotProvedError: it is another traffic.
        """
        node: tree.Node = self.call.one()
        if isinstance(node, tree.Name) and node.text in self.call.traffics:
            node = self.call.traffics[node.text].value
        if not isinstance(node, tree.Call) or ".".join(dotted_name(node.function)) not in TRAFFICS:
            raise self.refuse("no traffic")
        names = {arg.name.text for arg in node.args if arg.name is not None}
        plain = [arg.value for arg in node.args if arg.name is None]
        if ".".join(dotted_name(node.function)) != "alltoall" or names - {"over"} or len(plain) != 1:
            raise self.refuse("a traffic of single pairs or groups")
        members = self.ends(plain[0])
        if self.count(members) < 2:
            raise self.refuse("nothing is sent")
        return members

    def count(self, places: Collection[int]) -> int:
        """Return how many devices some places have."""
        return self.network.count(places)

    @property
    def end_places(self) -> Places:
        """The places of the end points of the machine."""
        return frozenset(
            p
            for p, place in enumerate(self.network.wiring.places)
            if place.device in self.end_kinds and not place.spare
        )

    @property
    def end_kinds(self) -> frozenset[str]:
        """The types of device that are end points of the machine."""
        return end_types(self.plan)


def is_known(plan: Plan) -> bool:
    """Return whether nothing of the cables stands for what nobody knows."""
    return not (links_without(plan, "rate") or links_without(plan, "latency"))
