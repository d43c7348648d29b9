"""Run `scenario` blocks: what fails is taken away, and the expectations are asked of what is left.

`base` stands for the undamaged system: `bisection(all npu) >= 98% of base` compares a measure with itself there, worst
case with worst case.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import define, evolve, field, frozen

from unifiedbus_dsl.analysis import lost
from unifiedbus_dsl.analysis.asking import asker_of
from unifiedbus_dsl.analysis.left import LeftSums
from unifiedbus_dsl.analysis.measures import Asker
from unifiedbus_dsl.bind import walk
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.values import POISON, Any, Between, Poison
from unifiedbus_dsl.elaborate.variants import lines
from unifiedbus_dsl.fabric.expand import expand
from unifiedbus_dsl.network import Ints
from unifiedbus_dsl.pipeline import Compilation
from unifiedbus_dsl.selections import Blocks, FabricSelector
from unifiedbus_dsl.shuffle import Shuffle
from unifiedbus_dsl.solver.losses import Losses, losses
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.units import NUMBER, Quantity

BASE = "base"


@frozen(eq=False)
class Damage:
    """A scenario on its machine: what is left, and what was lost."""

    name: str
    machine: Machine
    losses: Losses
    devices: int
    cables: int


@define(eq=False)
class _Breaker:
    """Takes away what the lines of a scenario name, one after another."""

    asker: Asker
    machine: Machine
    lets: dict[str, Any] = field(factory=dict)
    draws: int = 0
    seed: tree.Expr | None = None
    good: bool = True

    def run(self, items: list[tree.Statement]) -> None:
        for item in items:
            match item:
                case tree.Let():
                    self.lets[item.name.text] = self._evaluator().eval(item.value)
                    self.seed = item.value if item.name.text == "seed" else self.seed
                case tree.Fail():
                    self._fail(item)
                case tree.Degrade():
                    self._degrade(item)

    def _evaluator(self) -> Evaluator:
        return evolve(self.asker.evaluator, extra=dict(self.lets))

    def refuse(self, node: tree.Node, message: str, help: str = "") -> None:
        self.good = False
        self.asker.evaluator.sink.error("UB0705", message, node.span, "here", help=(help,) if help else ())

    def _fail(self, item: tree.Fail) -> None:
        for target in item.targets:
            chosen = self._parts(target, item.where)
            if chosen is None:
                self.good = False
                continue
            picked = self._drawn(item, chosen)
            if picked is None:
                continue
            if isinstance(chosen, Blocks):
                part = Blocks(chosen.start[picked], chosen.stop[picked], chosen.noun)
                self.machine = self.machine.damaged(lost_devices=part.devices())
            else:
                self.machine = self.machine.damaged(lost_cables=chosen[picked])

    def _drawn(self, item: tree.Fail, chosen: Blocks | Ints) -> Ints | None:
        """Which of the parts fail: all, or so many at random."""
        count = len(chosen.start) if isinstance(chosen, Blocks) else len(chosen)
        if item.quota is None:
            return np.arange(count)
        many = self._evaluator().integer(item.quota, low=0)
        seed = self.lets.get("seed")
        if many is None or isinstance(seed, Poison):
            self.good = False
            return None
        if not isinstance(seed, Quantity) or not seed.is_integer or seed.value < 0:
            self.refuse(self.seed or item, "a seed is a whole number from 0", "write `let seed = 7`")
            return None
        if many > count:
            self.refuse(item.quota, f"{many:,} can't be picked out of {count:,}")
            return None
        self.draws += 1
        return np.sort(Shuffle((int(seed.value), self.draws))(np.arange(count))[:many])

    def _degrade(self, item: tree.Degrade) -> None:
        share = self._evaluator().quantity(item.to, NUMBER)
        if share is None:
            self.good = False
            return
        if not 0 < share <= 1:
            self.refuse(
                item.to, "a part is degraded to more than 0% and at most 100%", "what is at 0% has failed: `fail`"
            )
            return
        for target in item.targets:
            chosen = self._parts(target, item.where)
            if chosen is None:
                self.good = False
                continue
            cables = self._cables_of(chosen) if isinstance(chosen, Blocks) else chosen
            self.machine = self.machine.damaged(degraded=(cables, float(share)))

    def _cables_of(self, blocks: Blocks) -> Ints:
        """The cables with an end in the parts."""
        inside = np.zeros(self.machine.fabric.device_count, dtype=bool)
        inside[blocks.devices()] = True
        fabric = self.machine.fabric
        return np.flatnonzero(inside[fabric.a_device] | inside[fabric.b_device])

    def _parts(self, target: tree.Selector, where: tree.Expr | None) -> Blocks | Ints | None:
        selector = evolve(self.asker.selector, evaluator=self._evaluator(), lost=self.machine.lost_devices)
        return parts_of(selector, target, where)


def parts_of(selector: FabricSelector, target: tree.Selector, where: tree.Expr | None) -> Blocks | Ints | None:
    """The parts, or the cables by their ids, that can fail by this name; None after a diagnostic."""
    sink = selector.evaluator.sink
    if isinstance(target, tree.LinkBetween):
        return selector.between(target.left, target.right)
    if isinstance(target, tree.All):
        if target.where is None and where is not None:
            target = evolve(target, where=where)
        if [word.text for word in target.path] == ["link"]:
            return selector.cables(target)
    elif where is not None:
        sink.error("UB0705", "`where` goes with `all`", where.span, "here", help=("write `fail all npu where …`",))
        return None
    blocks = selector.blocks(target)
    if blocks is not None and not len(blocks.start):
        sink.error("UB0705", "the selection matches nothing", target.span, "here")
        return None
    return blocks


def damage(
    name: str, items: list[tree.Statement], asker: Asker, *, changed: bool = False
) -> tuple[Damage, Asker, dict[str, Any]] | None:
    """The machine of a scenario with who answers for it, and its lets; None after a diagnostic.

    `changed` says that the machine of the asker is what the `set` lines make of it.
    """
    breaker = _Breaker(asker, asker.machine)
    for item in items:
        if isinstance(item, tree.Set) and not changed:
            breaker.refuse(item, "`set` makes another machine, which can only be analysed", "leave this scenario out")
    breaker.run(items)
    if not breaker.good:
        return None
    left = breaker.machine
    gone, dead = left.lost_devices, int(np.count_nonzero(left.cable_health == 0))
    found = Damage(name, left, losses(asker.machine, left), int(gone.sum()), dead)
    selector = evolve(asker.selector, lost=gone)
    return found, evolve(asker, machine=left, selector=selector, block=name), breaker.lets


@frozen(eq=False)
class After:
    """A system after a scenario: the lines of it, what it has taken, who answers for what is left, its lets, and what
    has changed in sentences."""

    items: list[tree.Statement]
    damage: Damage
    left: Asker
    lets: dict[str, Any]
    said: tuple[str, ...]


def after(compilation: Compilation, name: str, asker: Asker) -> After | None:
    """The undamaged system of an asker after a scenario, `set` lines too; None after a diagnostic."""
    model, done = compilation.model, compilation.elaborated
    assert model is not None
    assert done is not None
    items = lines(name, model.asked(tree.Scenario))
    changed = done.variants.get(name)
    there = asker
    if changed is not None:
        machine = evolve(asker.machine, fabric=expand(changed))
        there = asker_of(compilation, machine, asker.evaluator.sink, asker.system, asker.block)
    made = damage(name, items, there, changed=changed is not None)
    if made is None:
        return None
    found, left, lets = made
    return After(items, found, left, lets, (*changes(items, asker.machine, there.machine), *described(found)))


def base_value(condition: tree.Expr, asker: Asker, solved: Callable[[Asker, tree.Call], Any]) -> Any | None:
    """The value of what `base` is compared with, on the undamaged machine; None where `base` is not said."""
    compared = [
        node
        for node in walk(condition)
        if isinstance(node, tree.Compare) and any(isinstance(n, tree.Name) and n.text == BASE for n in walk(node.right))
    ]
    if not compared:
        return None
    texts = {" ".join(node.left.span.text.split()) for node in compared}
    if len(texts) > 1:
        asker.evaluator.sink.error(
            "UB0705",
            "`base` stands for one measure in a line",
            condition.span,
            "several",
            help=("write a line for each",),
        )
        return POISON
    sums = LeftSums(asker.machine, asker.selector)
    evaluator = evolve(asker.evaluator, measure=sums, solved=lambda call, _: worst(solved(asker, call)))
    return evaluator.eval(compared[0].left)


def worst(value: Any) -> Any:
    """The lower end of what is not known exactly: worst case is compared with worst case."""
    return value.lower if isinstance(value, Between) and not value.meet else value


def changes(items: list[tree.Statement], before: Machine, after: Machine) -> list[str]:
    """What the `set` lines have made of the machine, in a sentence; none where there are none."""
    sets = [item for item in items if isinstance(item, tree.Set)]
    if not sets:
        return []
    texts = (" ".join(each.span.text.split()) for each in sets)
    ends = f"{after.network.ends:,} end points"
    was = before.network.ends
    return ["; ".join(texts) + (f": {ends}, {was:,} before" if was != after.network.ends else "")]


def described(found: Damage) -> list[str]:
    """What a scenario has taken, a sentence a line."""
    gone = [_counted(found.devices, "device"), _counted(found.cables, "cable")]
    said = " and ".join(part for part in gone if part) or "nothing"
    first = f"lost: {said}; end points among them: {len(found.losses.lost):,}"
    return [first, *lost.sentences(found.machine, found.losses)]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}" if count else ""
