"""What stands in the head of a picture of a whole system: its bisection and its oversubscription, where they are known
at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from attrs import evolve

from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.analysis.report.datasheet import datasheet
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answer_from_plan import answer_from_plan
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.registry import measure_named
from unifiedbus_dsl.render.plan_summary import kind_name
from unifiedbus_dsl.render.view import View
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree

Tile = tuple[str, str]
"""A figure and its name."""

MOST_DEVICES = 20_000
"""Devices up to which the fabric is asked for oversubscription, and a machine without switches for its bisection: both
take a second."""


def with_headline(compilation: Compilation, view: View) -> View:
    """Return the view of a whole system with its bisection and its oversubscription in its head, where the two are
    known at once; other views as they are."""
    plan = view.survey.whole or view.plan
    if view.key != plan.root:
        return view
    return view.with_style(evolve(view.survey.look, headline=headline(compilation, plan)))


def headline(compilation: Compilation, plan: Plan) -> tuple[Tile, ...]:
    """Return the tiles of a system. Each says whether it is exact or an estimate; what is known between bounds only is
    left to `analyze`."""
    asker = make_evaluator(compilation, NetworkContext(compilation.fabric(plan.system)), Sink())
    calls = {name: call for question in datasheet(plan) for name, call in _call(question)}
    found = [("bisection", _bisection(asker, plan, calls["bisection"]))]
    if plan.device_count[plan.root] <= MOST_DEVICES:
        found += _walls(asker, calls)
    return tuple(
        (answer.shown, f"{name}, {answer.standing}")
        for name, answer in found
        if answer is not None and answer.kind != "interval"
    )


def _walls(asker: MeasureEvaluator, calls: Mapping[str, tree.Call]) -> list[tuple[str, Answer | None]]:
    """Return the oversubscription of the outermost level of assemblies out of which cables lead, with what it is
    called."""
    for name, call in calls.items():
        measure, _, level = name.partition(" ")
        answer = asker.answer(call) if measure == "oversubscription" else None
        if answer is not None and isfinite(answer.value):
            return [(f"oversubscription of a {kind_name(level, 1)}", answer)]
    return []


def _call(question: str) -> Iterator[tuple[str, tree.Call]]:
    """Yield a question of the datasheet by its measure; that of a level of assemblies by this too, the outermost
    first."""
    (call,) = measure_calls(question, Sink())
    name = question.partition("(")[0]
    yield (f"{name} {question.partition(' ')[2].partition(',')[0]}" if name == "oversubscription" else name), call


def _bisection(asker: MeasureEvaluator, plan: Plan, node: tree.Call) -> Answer | None:
    """Return the bisection where the plan shows it, and quickly: around an end point of a large torus there are very
    many places that differ."""
    switched = any(device.kind == "switch" for device in plan.devices.values())
    if not switched and plan.device_count[plan.root] > MOST_DEVICES:
        return None
    measure = measure_named("bisection")
    assert measure is not None
    return answer_from_plan(measure, asker.call(node))
