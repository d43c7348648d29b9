"""Run `scenario` blocks: what fails is taken away, and the expectations are asked of what is left.

`base` stands for the undamaged system: `bisection(all npu) >= 98% of base` compares a measure with itself there, worst
case with worst case.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.analysis import lost
from unifiedbus_dsl.analysis.asking import asker_of
from unifiedbus_dsl.analysis.left import LeftSums
from unifiedbus_dsl.analysis.measures import Asker
from unifiedbus_dsl.bind import walk
from unifiedbus_dsl.elaborate.values import POISON, Any, Between
from unifiedbus_dsl.elaborate.variants import lines
from unifiedbus_dsl.fabric.expand import expand
from unifiedbus_dsl.pipeline import Compilation
from unifiedbus_dsl.selections.taken import taken
from unifiedbus_dsl.solver.losses import Losses, losses
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.syntax import tree

BASE = "base"


@frozen(eq=False)
class Damage:
    """A scenario on its machine: what is left, and what was lost."""

    name: str
    machine: Machine
    losses: Losses
    devices: int
    cables: int


def damage(
    name: str, items: list[tree.Statement], asker: Asker, *, changed: bool = False
) -> tuple[Damage, Asker, dict[str, Any]] | None:
    """The machine of a scenario with who answers for it, and its lets; None after a diagnostic.

    `changed` says that the machine of the asker is what the `set` lines make of it.
    """
    sets = next((item for item in items if isinstance(item, tree.Set)), None)
    if sets is not None and not changed:
        asker.evaluator.sink.error(
            "UB0705",
            "`set` makes another machine, which can only be analysed",
            sets.span,
            "here",
            help=("leave this scenario out",),
        )
        return None
    found = taken(asker.selector, items)
    if found is None:
        return None
    left = asker.machine
    for step in found[0]:
        if step.share:
            left = left.damaged(degraded=(step.cables, step.share))
        else:
            left = left.damaged(step.devices, step.cables)
    gone, dead = left.lost_devices, int(np.count_nonzero(left.cable_health == 0))
    what = Damage(name, left, losses(asker.machine, left), int(gone.sum()), dead)
    return what, evolve(asker, machine=left, selector=evolve(asker.selector, lost=gone), block=name), found[1]


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
