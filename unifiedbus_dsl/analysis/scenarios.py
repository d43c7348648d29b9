"""Run `scenario` blocks: what fails is taken away, and the expectations are asked of what is left.

`base` stands for the undamaged system: `bisection(all npu) >= 98% of base` compares a measure with itself there, worst
case with worst case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from math import isclose

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator
from unifiedbus_dsl.analysis.impact import impact, impact_from_plan
from unifiedbus_dsl.analysis.report import outage_report
from unifiedbus_dsl.base.units import RATE, counted
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.fabric.physical import count_whole, has_cages, one_a_cable
from unifiedbus_dsl.ir.plan.end_points import end_types
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.end_points import end_points
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.surviving_aggregates import SurvivingAggregates
from unifiedbus_dsl.measures.wording import between
from unifiedbus_dsl.semantic.queries.set_overrides import resolve_items
from unifiedbus_dsl.semantic.select.outages import base_scenario
from unifiedbus_dsl.semantic.select.resolve_outages import resolve_outages
from unifiedbus_dsl.semantic.values.values import EvalValue, Interval, Poison
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.tiers import tiers
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact
from unifiedbus_dsl.syntax import tree


@frozen(eq=False, slots=False)
class Damage:
    """A scenario on its machine: what is left of `before`, and what was lost."""

    name: str
    before: NetworkContext
    machine: NetworkContext
    devices: int
    cables: int
    slower: int
    """Cables that keep a part of their capacity."""

    @cached_property
    def losses(self) -> OutageImpact:
        """Worked out when they are asked for: on a large machine without symmetries they take long."""
        planned = impact_from_plan(self.machine)
        return impact(self.before, self.machine) if planned is None else planned


def damage(
    name: str, items: list[tree.Statement], asker: MeasureEvaluator, *, changed: bool = False
) -> tuple[Damage, MeasureEvaluator, dict[str, EvalValue]] | None:
    """Return the machine of a scenario with who answers for it, and its lets; None after a diagnostic.

    `changed` says that the machine of the asker is what the `set` lines make of it.
    """
    sets = next((item for item in items if isinstance(item, tree.Set)), None)
    if sets is not None and not changed:
        asker.evaluator.sink.error(
            "UB0711",
            "`set` makes another machine, which can only be analysed",
            sets.span,
            "here",
            help=("leave this scenario out",),
        )
        return None
    outages = resolve_outages(asker.selector, items)
    if outages is None:
        return None
    left = asker.machine
    for step in outages[0]:
        if step.share:
            left = left.damaged(degraded=(step.cables, step.share))
        else:
            left = left.damaged(step.devices, step.cables, parts=step.parts)
    gone = left.lost_devices
    dead, slower = _cables_hit(left)
    what = Damage(name, asker.machine, left, int(gone.sum()), dead, slower)
    return what, evolve(asker, machine=left, selector=evolve(asker.selector, lost=gone), block=name), outages[1]


def _cables_hit(left: NetworkContext) -> tuple[int, int]:
    """Return how many cables a machine has lost whole, and how many keep a part of their capacity."""
    network = left.plan_network
    if network is not None and not has_cages(left.fabric):
        return network.lost_cables, 0
    health, fabric = left.cable_health, left.fabric
    some, weak = (one_a_cable(fabric, np.flatnonzero(each)) for each in (health > 0, (health > 0) & (health < 1)))
    return count_whole(fabric) - len(some), len(weak)


@frozen(eq=False, slots=False)
class After:
    """A system, `base`, after a scenario: its lines, what it has taken, who answers for what is left, its lets."""

    items: list[tree.Statement]
    base: NetworkContext
    damage: Damage
    left: MeasureEvaluator
    lets: dict[str, EvalValue]

    @cached_property
    def said(self) -> tuple[str, ...]:
        """What has changed, a sentence each."""
        said = (*changes(self.items, self.base, self.damage.before), *described(self.damage))
        return said or ("nothing fails and nothing is changed",)


def after(compilation: Compilation, name: str, asker: MeasureEvaluator) -> After | None:
    """Return the undamaged system of an asker after a scenario, `set` lines too; None after a diagnostic."""
    model, done = compilation.model, compilation.elaborated
    assert model is not None
    assert done is not None
    items = resolve_items(name, model.asked(tree.Scenario))
    changed = done.variants.get(name)
    there = asker
    if changed is not None:
        machine = evolve(asker.machine, fabric=expand(changed))
        there = make_evaluator(compilation, machine, asker.evaluator.sink, asker.system, asker.block)
    made = damage(name, items, there, changed=changed is not None)
    if made is None:
        return None
    overrides, left, lets = made
    return After(items, asker.machine, overrides, left, lets)


def base_value(
    condition: tree.Expr, asker: MeasureEvaluator, solved: Callable[[MeasureEvaluator, tree.Call], EvalValue]
) -> EvalValue | None:
    """Return the value of what `base` is compared with, on the undamaged machine; None where `base` is not said."""
    compared = base_scenario(condition, asker.evaluator.sink)
    if compared is None or isinstance(compared, Poison):
        return compared
    sums = SurvivingAggregates(asker.machine, asker.selector)
    evaluator = evolve(asker.evaluator, measure=sums, solved=lambda call, _: worst(solved(asker, call)))
    return evaluator.eval(compared)


def worst(value: EvalValue) -> EvalValue:
    """Return the lower bound of what is not known exactly: worst case is compared with worst case."""
    if not isinstance(value, Interval) or value.meet:
        return value
    return evolve(value, upper=value.lower, meet=True) if value.estimate else value.lower


def changes(items: list[tree.Statement], before: NetworkContext, after: NetworkContext) -> list[str]:
    """Return what the `set` lines have made of the machine, a sentence a line; none where there are none."""
    sets = [item for item in items if isinstance(item, tree.Set)]
    if not sets:
        return []
    texts = "; ".join(each.span.one_line for each in sets)
    counts = [
        (len(end_points(after)), len(end_points(before)), "end point"),
        (after.fabric.device_count, before.fabric.device_count, "device"),
        (count_whole(after.fabric), count_whole(before.fabric), "cable"),
    ]
    more = ", ".join(f"{counted(now, noun)} ({was:,} before)" for now, was, noun in counts if now != was)
    return [texts + (f": {more}" if more else ""), *_tiers_changed(before, after)]


def _tiers_changed(before: NetworkContext, after: NetworkContext) -> list[str]:
    """Return the bandwidth between tiers that `set` lines have made another one."""
    old, new = (_by_tier(machine) for machine in (before, after))
    return [
        f"{between(*key)}: {_rate(new.get(key))} ({_rate(old.get(key))} before)"
        for key in sorted({*old, *new})
        if not isclose(new.get(key, 0.0), old.get(key, 0.0), rel_tol=1e-9)
    ]


def _by_tier(machine: NetworkContext) -> dict[tuple[int, int], float]:
    tiers_now = tiers(machine.network, end_points(machine))
    return dict(
        zip(
            zip(tiers_now.low.tolist(), tiers_now.high.tolist(), strict=True),
            tiers_now.capacity_Bps.tolist(),
            strict=True,
        )
    )


def _rate(value: float | None) -> str:
    return "none" if value is None else shown(value, RATE)


def _senders(found: Damage) -> str:
    """Return what is among the lost devices: end points, and whatever else sends, by its kind."""
    plan, fabric = found.before.fabric.plan, found.before.fabric
    ends = len(found.losses.lost)
    gone = np.flatnonzero(found.machine.lost_devices & ~found.before.lost_devices)
    chief = end_types(plan)
    carriers = [key not in chief and device.kind != "switch" for key, device in plan.devices.items()]
    others = gone[np.array(carriers, dtype=bool)[fabric.device_type[gone]]]
    kinds = Counter(list(plan.devices.values())[t].kind for t in fabric.device_type[others].tolist())
    parts = [counted(ends, "end point")] if ends else []
    parts += [f"{count:,} {kind}" for kind, count in sorted(kinds.items())]
    return f"; {' and '.join(parts)} among them" if parts else ""


def described(found: Damage) -> list[str]:
    """Return what a scenario has taken, a sentence a line; nothing where it takes nothing."""
    said = []
    gone = [counted(count, noun) for count, noun in ((found.devices, "device"), (found.cables, "cable")) if count]
    if gone:
        said.append(f"lost: {' and '.join(gone)}{_senders(found)}")
    if found.slower:
        said.append(f"slower: {counted(found.slower, 'cable')}")
    return [*said, *outage_report.impact_sentences(found.machine, found.losses)] if said else []
