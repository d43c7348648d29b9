"""Sums over what a scenario has left: what fails leaves every selection, so it is counted no more."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.bind import dotted
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.selections import Cables, Item, Parts, Selection, Selector
from unifiedbus_dsl.elaborate.sums import Sums
from unifiedbus_dsl.elaborate.values import POISON, Any, Poison
from unifiedbus_dsl.network import Ints
from unifiedbus_dsl.plan import PlanType
from unifiedbus_dsl.selections import Blocks, FabricSelector
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class LeftSums:
    """Answers the measures that are sums about a machine, damaged or not."""

    machine: Machine
    selector: FabricSelector

    def __call__(self, node: tree.Call, evaluator: Evaluator) -> Any:
        """The value of the call; POISON after a diagnostic."""
        sums = Sums(self.selector.machine)
        whole = sums(node, evaluator)
        if self.machine.health is None or isinstance(whole, Poison):
            return whole
        name = ".".join(dotted(node.function))
        if not node.args:
            return sums.everything(name, node, self._everything(), evaluator)
        selection = Selector(sums.machine, evaluator).select(node.args[0].value)
        items = None if selection is None or name == "free_ports" else self._left(node.args[0].value, selection)
        if selection is None or items is None:
            evaluator.sink.error(
                "UB0705",
                f"`{name}` of this is not counted after failures",
                node.span,
                "here",
                help=("ask for devices, assemblies or cables: `all npu`, `all link`",),
            )
            return POISON
        return sums.measure(name, node, evolve(selection, items=tuple(items)), evaluator)

    def _everything(self) -> list[Item]:
        machine = self.selector.machine
        inside = machine.contents(machine.subject)
        parts: list[Item] = [Parts(machine.types[machine.subject], 1)]
        parts += [self._of_type(machine.types[key], None) for key in inside]
        return [*parts, *self._cables(machine.rules({machine.subject: 1}), None)]

    def _left(self, node: tree.Expr, selection: Selection) -> list[Item] | None:
        """The items of a selection with as many as are left; None where they can't be told."""
        quiet = evolve(self.selector, evaluator=evolve(self.selector.evaluator, sink=Sink()))
        cables = [item for item in selection.items if isinstance(item, Cables)]
        parts = [item for item in selection.items if isinstance(item, Parts)]
        bare = _without_field(node, selection)
        if selection.items and len(cables) == len(selection.items) and isinstance(bare, tree.All):
            return [*self._cables(cables, quiet.cables(bare))]
        if len(parts) < len(selection.items):
            return None
        blocks = quiet.blocks(bare)
        return None if blocks is None else [self._of_type(item.type, blocks) for item in parts]

    def _of_type(self, kind: PlanType, chosen: Blocks | None) -> Parts:
        """How many of a type are left, among the chosen ones: those with a device that is."""
        fabric = self.machine.fabric
        start, stop = fabric.blocks(kind.key)
        alive = ~self.machine.lost_devices
        if chosen is None:
            alive &= ~self.selector.spare
        left = np.concatenate([[0], np.cumsum(alive)])
        there = left[stop] > left[start]
        if chosen is not None:
            size = fabric.device_count + 1
            there &= np.isin(start * size + stop, chosen.start * size + chosen.stop)
        return Parts(kind, int(there.sum()))

    def _cables(self, items: list[Cables], chosen: Ints | None) -> list[Item]:
        """The cables that are left, by link and lanes."""
        fabric = self.machine.fabric
        alive = self.machine.cable_health > 0
        if chosen is not None:
            alive &= np.isin(np.arange(len(alive)), chosen)
        count = np.bincount(fabric.kind[alive], minlength=len(fabric.kinds.link))
        links = list(fabric.plan.links.values())
        found: dict[tuple[str, int], int] = {}
        for link, lanes, many in zip(fabric.kinds.link.tolist(), fabric.kinds.lanes.tolist(), count, strict=True):
            found[links[link].name, lanes] = found.get((links[link].name, lanes), 0) + int(many)
        first = {(item.link.name, item.rule.lanes): item for item in reversed(items)}
        return [evolve(item, count=found.get(key, 0)) for key, item in first.items()]


def _without_field(node: tree.Expr, selection: Selection) -> tree.Expr:
    """The selection without the field or port that its last word names."""
    if selection.field is None:
        return node
    if isinstance(node, tree.All):
        return evolve(node, path=node.path[:-1])
    return node.base if isinstance(node, tree.Member) else node
