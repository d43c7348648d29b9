"""Sums over what a scenario has left: what fails leaves every selection, so it is counted no more."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ints, unique_rows
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric.names import inside_spares
from unifiedbus_dsl.ir.fabric.physical import one_a_cable
from unifiedbus_dsl.ir.plan import AssemblyType, PlanType
from unifiedbus_dsl.semantic.select.aggregates import Aggregates
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.select.plan_selection import Selector
from unifiedbus_dsl.semantic.select.type_scope import Cables, Item, Parts, Selection
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, Poison
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name


@frozen(eq=False)
class SurvivingAggregates:
    """Answers the measures that are sums about a machine, damaged or not."""

    machine: NetworkContext
    selector: FabricSelector

    def __call__(self, node: tree.Call, evaluator: Evaluator) -> EvalValue:
        """Return the value of the call; POISON after a diagnostic."""
        sums = Aggregates(self.selector.machine)
        whole = sums(node, evaluator)
        if self.machine.is_whole or isinstance(whole, Poison):
            return whole
        name = ".".join(dotted_name(node.function))
        if not node.args:
            return sums.everything(name, node, self.all_items(), evaluator)
        selection = Selector(sums.machine, evaluator).select(node.args[0].value)
        items = None if selection is None else self._left(node.args[0].value, selection)
        if selection is None or items is None:
            evaluator.sink.error(
                "UB0705",
                f"`{name}` of this is not counted after failures",
                node.span,
                "here",
                help=("ask for devices, assemblies or cables: `all npu`, `all link`",),
            )
            return POISON
        left = evolve(selection, items=tuple(items))
        if name == "free_ports":
            return sums.free_ports(left, evaluator, self._used())
        return sums.measure(name, node, left, evaluator)

    def all_items(self) -> list[Item]:
        """Return all that is left, spares left out: parts and cables with their counts."""
        machine = self.selector.machine
        if self.machine.is_whole:
            return Aggregates(machine).all_items()
        parts = [self._of_type(machine.types[key], None) for key in machine.census(machine.subject)]
        return [*parts, *self._cables(machine.rules({machine.subject: 1}), None)]

    def _used(self) -> dict[str, int]:
        """Return by device type how many ports of its devices that are left, spares left out, carry a cable that is
        left or are exported by the machine."""
        fabric, plan = self.machine.fabric, self.machine.fabric.plan
        alive = self.machine.cable_health > 0
        ends: list[tuple[NDArray[np.integer], NDArray[np.integer]]] = [
            (fabric.a_device[alive], fabric.a_port[alive]),
            (fabric.b_device[alive], fabric.b_port[alive]),
        ]
        root = plan.type(plan.root)
        for export in root.exports if isinstance(root, AssemblyType) else ():
            table = plan.numbering.table(plan.root, export.name)
            ends.append((table.device.ravel(), table.port.ravel()))
        device, port = (np.concatenate(column).astype(np.int64) for column in zip(*ends, strict=True))
        there = ~(self.machine.lost_devices | self.selector.spare)[device]
        radix = plan.max_radix
        used = unique_rows(device[there] * radix + port[there]) // radix
        count = np.bincount(fabric.device_type[used], minlength=len(plan.devices))
        return dict(zip(plan.devices, count.tolist(), strict=True))

    def _left(self, node: tree.Expr, selection: Selection) -> list[Item] | None:
        """Return the items of a selection with as many as are left; None where they can't be told."""
        quiet = evolve(self.selector, evaluator=evolve(self.selector.evaluator, sink=Sink()))
        cables = [item for item in selection.items if isinstance(item, Cables)]
        parts = [item for item in selection.items if isinstance(item, Parts)]
        bare = without_field(node, selection)
        if not selection.items:
            return []
        if len(cables) == len(selection.items) and quiet.sort(bare) == "link":
            return [*self._cables(cables, cables_in_service(quiet, bare))]
        if len(parts) < len(selection.items):
            return None
        blocks = quiet.blocks(bare)
        return None if blocks is None else [self._of_type(item.type, blocks) for item in parts]

    def _of_type(self, kind: PlanType, chosen: DeviceRanges | None) -> Parts:
        """Return how many of a type are left, among the chosen ones: those with a device that is."""
        fabric = self.machine.fabric
        start, stop = fabric.blocks(kind.key)
        alive = ~self.machine.lost_devices
        if chosen is None:
            alive &= ~self.selector.spare
        left = np.concatenate([[0], np.cumsum(alive)])
        there = (left[stop] > left[start]) | (start == stop)
        if chosen is not None:
            size = fabric.device_count + 1
            there &= np.isin(start * size + stop, chosen.start * size + chosen.stop)
        return Parts(kind, int(there.sum()))

    def _cables(self, items: list[Cables], chosen: Ints | None) -> list[Item]:
        """Return the cables that are left, by link and lanes."""
        fabric = self.machine.fabric
        alive = self.machine.cable_health > 0
        if chosen is None:
            alive &= ~inside_spares(fabric.plan)
        else:
            alive &= np.isin(np.arange(len(alive)), chosen)
        left = np.flatnonzero(alive)
        cables, links = (self._by_kind(ids) for ids in (one_a_cable(fabric, left), left))
        first = {(item.link.name, item.rule.lanes): item for item in reversed(items)}
        return [evolve(item, count=cables.get(key, 0), links=links.get(key, 0)) for key, item in first.items()]

    def _by_kind(self, links: Ints) -> dict[tuple[str, int], int]:
        """Return how many of some links there are of each name and width."""
        fabric, result = self.machine.fabric, dict[tuple[str, int], int]()
        names = [link.name for link in fabric.plan.links.values()]
        count = np.bincount(fabric.kind[links], minlength=len(fabric.kinds.link)).tolist()
        for link, lanes, many in zip(fabric.kinds.link.tolist(), fabric.kinds.lanes.tolist(), count, strict=True):
            result[names[link], lanes] = result.get((names[link], lanes), 0) + many
        return result


def cables_in_service(selector: FabricSelector, node: tree.Expr) -> Ints | None:
    """Return the cables of `all link …`, without those inside spares where it is of the whole machine; None after a
    diagnostic."""
    cables = selector.cables(node)
    if cables is None or (isinstance(node, tree.All) and node.scope is not None):
        return cables
    return cables[~inside_spares(selector.fabric.plan)[cables]]


def without_field(node: tree.Expr, selection: Selection) -> tree.Expr:
    """Return the selection without the field or port that its last word names."""
    if selection.field is None:
        return node
    match node:
        case tree.Binary():
            return evolve(node, left=without_field(node.left, selection), right=without_field(node.right, selection))
        case tree.All():
            return evolve(node, path=node.path[:-1])
        case tree.Member():
            return node.base
    return node
