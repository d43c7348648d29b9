"""Routings by the words of the language: `ecmp`, `valiant(via = switch)`, `dor(order = [1, 0])`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Array, Symmetry, arrays_of
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, row_sums
from unifiedbus_dsl.solver.flow import max_concurrent_flow
from unifiedbus_dsl.solver.flow.throughput import Throughput, throughput_under
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing import dragonfly, ecmp, up_down
from unifiedbus_dsl.solver.routing.ecmp import Loads
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes


@frozen(eq=False)
class Routing:
    """A routing with its options; `text` says both as one writes them."""

    name: str
    text: str
    shares: Callable[[Symmetry, Demand], Loads] | None = None
    relays: bool = False
    """Whether what is sent may stop at other end points on its way."""

    def throughput(self, machine: NetworkContext, demand: Demand) -> Throughput:
        """The largest scale of the demand that fits."""
        if self.shares is not None:
            return throughput_under(self.loads(machine, demand), demand)
        minimal, budget = self.name == "minimal", machine.budget_s
        return max_concurrent_flow.max_concurrent_flow(
            machine.symmetry, demand, minimal=minimal, budget=budget
        ).throughput

    def loads(self, machine: NetworkContext, demand: Demand) -> Loads:
        """Loads of the demand; of an optimised routing those at its largest throughput, scaled back."""
        if self.name in ("ecmp", "wcmp"):
            found = ecmp.ecmp_by_pairs_if_cheaper(machine.network, demand, "ecmp" if self.name == "ecmp" else "wcmp")
            if found is not None:
                return found
        if self.shares is not None:
            return self.shares(machine.symmetry, demand)
        best = self.throughput(machine, demand)
        row = row_sums(demand, machine.network.ends)
        return Loads(machine.network, self.text, best.load_Bps * (row.sum() / best.injected_Bps.sum()), 0)


def read_routing(call: MeasureCall, default: str = "ecmp") -> Routing:
    """The routing of `routing = …`.

    Raises:
        Refused: it is none; a diagnostic says what is wrong.
    """
    node = call.named.get("routing")
    if node is None:
        return routing(default, arrays_of(call.machine.fabric.plan))
    if not isinstance(node, tree.Call):
        return routing(call.word("routing", default), arrays_of(call.machine.fabric.plan))
    options = evolve(call, node=node)
    return routing(
        options.name,
        arrays_of(call.machine.fabric.plan),
        via=options.word("via", "end"),
        order=_order(call, options.named["order"]) if "order" in options.named else None,
        groups=_groups(call, options) if "groups" in options.named else None,
    )


def routing(
    name: str,
    arrays: Sequence[Array],
    *,
    via: str = "end",
    order: tuple[int, ...] | None = None,
    groups: NamedGroups | None = None,
) -> Routing:
    """A routing of `ROUTINGS`; `via` is for `valiant`, `order` for `dor`, which goes by the dimensions of `arrays`,
    `groups` for those over groups, by default what the arrays say."""
    match name:
        case "group_minimal":
            return Routing(name, _over(name, groups), _grouped(dragonfly.group_minimal, arrays, groups))
        case "valiant" if via == "group":
            text = _over(f"{name}(via = group)", groups)
            return Routing(name, text, _grouped(dragonfly.valiant_over_groups, arrays, groups))
        case "ecmp":
            return Routing(name, name, ecmp.ecmp)
        case "wcmp":
            return Routing(name, name, ecmp.wcmp)
        case "updown":
            return Routing(name, name, up_down.updown)
        case "valiant":
            text = name if via == "end" else f"{name}(via = {via})"
            return Routing(name, text, lambda symmetry, demand: ecmp.valiant(symmetry, demand, via), relays=True)
        case "dor":
            text = name if order is None else f"{name}(order = [{', '.join(map(str, order))}])"
            return Routing(name, text, lambda symmetry, demand: _dor(symmetry, demand, arrays, order))
    return Routing(name, name)


@frozen(eq=False)
class NamedGroups:
    """Groups as they were asked for: `text` is what was written."""

    text: str
    grouping: dragonfly.Grouping


def _groups(call: MeasureCall, options: MeasureCall) -> NamedGroups:
    """`groups = all cell`: at least two assemblies, none in another one."""
    node = options.named["groups"]
    if options.name == "valiant" and options.word("via", "end") != "group":
        raise call.refuse(node, "`groups` goes with `via = group`", "write `valiant(via = group, groups = …)`")
    blocks = call.selector.blocks(node)
    if blocks is None:
        raise RefusedError
    if blocks.noun not in attributes.KINDS_OF_ASSEMBLY:
        raise call.refuse(node, "groups are assemblies, which hold the switches", "such as `groups = all module`")
    if len(blocks.start) < 2 or (blocks.depth > 0).any():
        message = f"at least two groups are wanted, none inside another, and these are {len(blocks.start)}"
        raise call.refuse(node, message, "name assemblies of one level")
    devices = call.machine.fabric.device_count
    return NamedGroups(" ".join(node.span.text.split()), dragonfly.Grouping(blocks.home(np.arange(devices))))


def _over(text: str, groups: NamedGroups | None) -> str:
    """A routing over groups as one writes it."""
    if groups is None:
        return text
    return f"{text.removesuffix(')')}{', ' if '(' in text else '('}groups = {groups.text})"


def _grouped(
    loads: Callable[[Symmetry, Demand, dragonfly.Grouping], Loads], arrays: Sequence[Array], groups: NamedGroups | None
) -> Callable[[Symmetry, Demand], Loads]:
    """The loads of a routing over groups, by default over those that the arrays say."""

    def found(symmetry: Symmetry, demand: Demand) -> Loads:
        grouping = dragonfly.default_groups(symmetry.network, arrays) if groups is None else groups.grouping
        return loads(symmetry, demand, grouping)

    return found


def _order(call: MeasureCall, node: tree.Expr) -> tuple[int, ...]:
    """`[2, 0, 1]`: each dimension once."""
    if not isinstance(node, tree.ListExpr):
        raise call.refuse(node, "`order` is a list of dimensions", "such as `order = [1, 0]`")
    found = [call.evaluator.integer(item, low=0) for item in node.items]
    order = tuple(each for each in found if each is not None)
    if len(order) != len(found):
        raise RefusedError
    if sorted(order) != list(range(len(order))):
        raise call.refuse(
            node, "`order` names each dimension once, from 0", f"such as `order = {list(range(len(order)))[::-1]}`"
        )
    return order


def _dor(symmetry: Symmetry, demand: Demand, arrays: Sequence[Array], order: tuple[int, ...] | None) -> Loads:
    place = _places(symmetry.network, arrays)
    if order is not None and len(order) != place.shape[1]:
        raise NotAdmittedError(
            f"the end points have {place.shape[1]} dimensions, the arrays around them among them, and `order` "
            f"names {len(order)}"
        )
    return up_down.dor(symmetry, demand, place, order)


def _places(network: Network, arrays: Sequence[Array]) -> Ints:
    """Place of each end point in the array of single devices that holds most of them, for routing by dimension."""
    found = [up_down.coordinates(network, array) for array in arrays if array.size == 1]
    found = [place for place in found if place.shape[1] > 0]
    if not found:
        raise NotAdmittedError("there is no array of end points whose dimensions could be routed by")
    return max(found, key=lambda place: int(np.count_nonzero(place[:, 0] >= 0)))
