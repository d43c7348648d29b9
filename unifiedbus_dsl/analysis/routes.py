"""Routings by the words of the language: `ecmp`, `valiant(via = switch)`, `dor(order = [1, 0])`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.analysis.call import Call, Refused
from unifiedbus_dsl.network import Ints, Network
from unifiedbus_dsl.solver import ecmp, limits, routings
from unifiedbus_dsl.solver.demand import Demand, sent
from unifiedbus_dsl.solver.ecmp import Loads
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.result import NotAdmittedError
from unifiedbus_dsl.solver.throughput import Throughput, throughput
from unifiedbus_dsl.symmetry import Array, Symmetry, arrays_of
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class Routing:
    """A routing with its options; `text` says both as one writes them."""

    name: str
    text: str
    shares: Callable[[Symmetry, Demand], Loads] | None = None

    @property
    def relays(self) -> bool:
        """Whether what is sent may stop at other end points on its way."""
        return self.name == "valiant"

    def throughput(self, machine: Machine, demand: Demand) -> Throughput:
        """The largest scale of the demand that fits."""
        if self.shares is not None:
            return throughput(self.loads(machine, demand), demand)
        minimal, budget = self.name == "minimal", machine.budget_s
        return limits.optimal(machine.symmetry, demand, minimal=minimal, budget=budget).throughput

    def loads(self, machine: Machine, demand: Demand) -> Loads:
        """Loads of the demand; of an optimised routing those at its largest throughput, scaled back."""
        if self.name in ("ecmp", "wcmp"):
            found = ecmp.few(machine.network, demand, "ecmp" if self.name == "ecmp" else "wcmp")
            if found is not None:
                return found
        if self.shares is not None:
            return self.shares(machine.symmetry, demand)
        best = self.throughput(machine, demand)
        row = sent(demand, machine.network.ends)
        return Loads(machine.network, self.text, best.load_Bps * (row.sum() / best.injected_Bps.sum()), 0)


def read_routing(call: Call, default: str = "ecmp") -> Routing:
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
    )


def routing(name: str, arrays: Sequence[Array], *, via: str = "end", order: tuple[int, ...] | None = None) -> Routing:
    """A routing of `ROUTINGS`; `via` is for `valiant`, `order` for `dor`, which goes by the dimensions of `arrays`."""
    match name:
        case "ecmp":
            return Routing(name, name, ecmp.ecmp)
        case "wcmp":
            return Routing(name, name, ecmp.wcmp)
        case "updown":
            return Routing(name, name, routings.updown)
        case "valiant":
            text = name if via == "end" else f"{name}(via = {via})"
            return Routing(name, text, lambda symmetry, demand: ecmp.valiant(symmetry, demand, via))
        case "dor":
            text = name if order is None else f"{name}(order = [{', '.join(map(str, order))}])"
            return Routing(name, text, lambda symmetry, demand: _dor(symmetry, demand, arrays, order))
    return Routing(name, name)


def _order(call: Call, node: tree.Expr) -> tuple[int, ...]:
    """`[2, 0, 1]`: each dimension once."""
    if not isinstance(node, tree.ListExpr):
        raise call.refuse(node, "`order` is a list of dimensions", "such as `order = [1, 0]`")
    found = [call.evaluator.integer(item, low=0) for item in node.items]
    order = tuple(each for each in found if each is not None)
    if len(order) != len(found):
        raise Refused
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
    return routings.dor(symmetry, demand, place, order)


def _places(network: Network, arrays: Sequence[Array]) -> Ints:
    """Place of each end point in the array of single devices that holds most of them, for routing by dimension."""
    found = [routings.coordinates(network, array) for array in arrays if array.size == 1]
    found = [place for place in found if place.shape[1] > 0]
    if not found:
        raise NotAdmittedError("there is no array of end points whose dimensions could be routed by")
    return max(found, key=lambda place: int(np.count_nonzero(place[:, 0] >= 0)))
