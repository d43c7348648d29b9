"""Run the questions of a file: `analyze` blocks and solved expectations, or the datasheet where nothing is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from attrs import define, evolve, field, frozen

from unifiedbus_dsl.analysis.evaluators import evaluator_of, items_of, make_evaluator, naming_all
from unifiedbus_dsl.analysis.expressions import answer_of, asked_of, evaluator_of_answers, knowing, solved
from unifiedbus_dsl.analysis.report import outage_report
from unifiedbus_dsl.analysis.report.datasheet import datasheet
from unifiedbus_dsl.analysis.scenarios import after, base_value, worst
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.table import Tabular
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.diagnostics.suggest import UnknownNameError, no_such
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answers import Answer, answer_columns
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.surviving_aggregates import SurvivingAggregates
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.queries.check_queries import asks_something, is_measure
from unifiedbus_dsl.semantic.queries.named_traffic import named_traffic
from unifiedbus_dsl.semantic.select.outages import BASE
from unifiedbus_dsl.semantic.select.type_scope import TypeScope as SelectionMachine
from unifiedbus_dsl.semantic.systems import WHOLE_FILE, whole_file
from unifiedbus_dsl.semantic.types.expectations import ExpectResult, evaluate_expectation, undecided
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.operators import Undecided
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.solver.deadline import RunBudget
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree

DATASHEET = "datasheet"
SCENARIO = "scenario"
"""Begins the name of the block of what a scenario asks."""


@frozen
class BlockBegun:
    """The answers that come next are of a block; `labels` are the texts of its questions, as far as they are known.

    `said` is what a scenario has taken, in sentences.
    """

    system: str
    block: str
    labels: tuple[str, ...]
    said: tuple[str, ...] | None = None


Event: TypeAlias = "BlockBegun | Answer | ExpectResult"
Tell: TypeAlias = Callable[[Event], None]
"""Told what comes of the questions, each as soon as it is known."""


def _nobody(event: Event) -> None:
    """Nobody listens."""


@frozen(eq=False)
class Report(Tabular):
    """What came of the questions: answers, expectations that needed the solver, and what was wrong with a question.

    `orbits` says per system how many orbits of vertices and of arcs the symmetries leave.
    """

    answers: tuple[Answer, ...]
    expectations: tuple[ExpectResult, ...]
    diagnostics: tuple[Diagnostic, ...]
    orbits: Mapping[str, tuple[int, int]]
    scenarios: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By name: what each scenario has taken, in sentences."""
    losses: Mapping[str, Mapping[str, object]] = field(factory=dict)
    """By scenario: the same as numbers, in SI units."""
    left_out: tuple[str, ...] = ()
    """Systems of the file that nothing was asked of, where none was named."""
    events: tuple[Event, ...] = ()
    """Blocks, answers and the expectations among these in the order in which they came."""

    def headline(self) -> str:
        failed = sum(each.holds is False for each in self.expectations)
        return f"{len(self.answers)} answers" + (f", {failed} expectations that don't hold" if failed else "")

    def row_ids(self) -> Ints:
        return np.arange(len(self.answers))

    def columns(self, rows: Ints) -> dict[str, Any]:
        return answer_columns([self.answers[row] for row in rows.tolist()])


def analyze(
    compilation: Compilation,
    system: str | Sequence[str] | None = None,
    *,
    traffic: str | None = None,
    symmetric: bool = True,
    budget: float | RunBudget | None = None,
    tell: Tell = _nobody,
    by_plan: bool = True,
) -> Report:
    """Answer every `analyze` block, solved expectation and scenario of a file.

    A system without a block gets the datasheet, what an architect asks first, if it is chosen, or the first of a file
    without blocks.

    Args:
        compilation: a text that was compiled.
        system: a system by name, or several; default: all that are asked about, else the first.
        traffic: the name of a traffic, whose throughput is then asked alone.
        symmetric: whether symmetries are used; without them each end point is solved for itself.
        budget: seconds that all of it may take; what is not solved by then is an interval with both bounds proved.
        tell: hears each answer as soon as it is there.
        by_plan: whether the plan is asked where it shows the answer, before the fabric is.

    Raises:
        CompilationFailed: the text has errors, or no system.
        UnknownNameError: no such system or traffic; a `KeyError`.
    """
    named = _named(compilation, system)
    runner = _Runner(compilation, symmetric, _run_budget(budget), tell, by_plan)
    blocks = runner._model.asked(tree.Analyze)
    names = named or runner.systems(traffic)
    runner.plan_time(names)
    for name in names:
        runner.run(name, traffic, sheet=bool(named) or (not blocks and name == compilation.systems[0]))
    if not named and traffic is None:
        runner.of_file()
    return runner.report(() if named else names)


def _named(compilation: Compilation, system: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the systems that are named, each once, none by default.

    Raises:
        CompilationFailed: the text has errors, or no system.
        UnknownNameError: no such system; a `KeyError`.
    """
    compilation.pick()
    names = (system,) if isinstance(system, str) else tuple(dict.fromkeys(system or ()))
    return tuple(compilation.pick(name).system for name in names)


def ask(
    compilation: Compilation,
    system: str | Sequence[str] | None,
    measures: str,
    *,
    symmetric: bool = True,
    budget: float | RunBudget | None = None,
    tell: Tell = _nobody,
    by_plan: bool = True,
) -> Report:
    """Answer lines of the language, `diameter(all npu); bisection(all npu)`.

    Args:
        compilation: a text that was compiled.
        system: a system by name, or several; default: the first.
        measures: measures, expectations and `let` lines, separated by `;` or lines.
        symmetric: whether symmetries are used.
        budget: seconds that all answers together may take.
        tell: hears each answer as soon as it is there.
        by_plan: whether the plan is asked where it shows the answer, before the fabric is.

    Raises:
        CompilationFailed: the text has errors, or no system.
        UnknownNameError: no such system; a `KeyError`.
    """
    named = _named(compilation, system)
    runner = _Runner(compilation, symmetric, _run_budget(budget), tell, by_plan)
    items = items_of(measures, runner.sink)
    names = named or compilation.systems[:1]
    if runner.budget is not None:
        runner.budget.ahead = len(items) * len(names)
    for name in names:
        machine = runner.machines[name] = runner.machine(compilation.fabric(name))
        runner._block(runner._asker(name, machine, "asked"), compilation.pick(name), items)
    return runner.report(() if named else names)


def _run_budget(budget: float | RunBudget | None) -> RunBudget | None:
    return RunBudget(budget) if isinstance(budget, float | int) else budget


@define(eq=False)
class _Runner:
    compilation: Compilation
    symmetric: bool
    budget: RunBudget | None = None
    tell: Tell = _nobody
    by_plan: bool = True
    sink: Sink = field(factory=Sink)
    answers: list[Answer] = field(factory=list)
    results: list[ExpectResult] = field(factory=list)
    damages: list[tuple[str, tuple[str, ...]]] = field(factory=list)
    losses: dict[str, Mapping[str, object]] = field(factory=dict)
    machines: dict[str, NetworkContext] = field(factory=dict)
    events: list[Event] = field(factory=list)

    def say(self, event: Event) -> None:
        """Keep what has come of the questions, and tell who listens. Expectations of types and of the file are told at
        the end, together."""
        self.events.append(event)
        if isinstance(event, Answer):
            self.answers.append(event)
        self.tell(event)

    def machine(self, fabric: Fabric) -> NetworkContext:
        return NetworkContext(fabric, self.symmetric, run=self.budget, by_plan=self.by_plan)

    def plan_time(self, systems: Sequence[str]) -> None:
        """Count the questions that the time is shared among."""
        if self.budget is None:
            return
        blocks = [b for name in systems for b in self._model.asked(tree.Analyze, name).values()]
        scenarios = [s for name in systems for s in self._model.asked(tree.Scenario, name).values()]
        items = [*(i for b in blocks for i in b.items), *(i for s in scenarios for i in s.items)]
        asked = [item for item in items if isinstance(item, tree.Measure | tree.Expect)]
        sheets = 0 if blocks else len(list(datasheet(self.compilation.pick(systems[0]))))
        self.budget.ahead = len(asked) + sheets

    def report(self, asked: Sequence[str]) -> Report:
        """Return what came of it; `asked` are the systems that were chosen because none was named."""
        orbits = {
            name: orbits_of_machine for name, machine in self.machines.items() if (orbits_of_machine := machine.orbits)
        }
        answers, results, said = tuple(self.answers), tuple(self.results), tuple(self.sink)
        left = tuple(name for name in self.compilation.systems if name not in asked) if asked else ()
        return Report(answers, results, said, orbits, tuple(self.damages), self.losses, left, tuple(self.events))

    @property
    def _model(self) -> Model:
        assert self.compilation.model is not None
        return self.compilation.model

    def systems(self, traffic: str | None) -> list[str]:
        """Return the systems that are asked about where none is named."""
        if traffic is not None:
            self._known(traffic, None)
            return [named_traffic(self._model)[traffic]]
        asked = {block.of.text for block in self._model.asked(tree.Analyze).values()}
        asked |= {scenario.of.text for scenario in self._model.asked(tree.Scenario).values()}
        return [name for name in self.compilation.systems if name in asked] or list(self.compilation.systems[:1])

    def _known(self, traffic: str, system: str | None) -> None:
        known = list(named_traffic(self._model, system))
        if traffic not in known:
            raise UnknownNameError(no_such("traffic", traffic, known, f" of `{system}`" if system else ""))

    def run(self, system: str, traffic: str | None, *, sheet: bool) -> None:
        """Answer what the file asks of a system; the datasheet if `sheet` says so where it has no block."""
        plan = self.compilation.pick(system)
        machine = self.machines[system] = self.machine(self.compilation.fabric(system))
        if traffic is not None:
            self._known(traffic, system)
            text = f"throughput({traffic}); throughput({traffic}, routing = optimal); fair({traffic})"
            self._block(self._asker(system, machine, traffic), plan, items_of(text, self.sink))
            return
        blocks = self._model.asked(tree.Analyze, system)
        for block in blocks.values():
            self._block(self._asker(system, machine, block.name.text), plan, block.items)
        if sheet and not blocks:
            items = items_of("; ".join(datasheet(plan, hurried=self.budget is not None)), self.sink)
            asker = self._asker(system, machine, DATASHEET)
            # nobody has asked these: what has no answer on this machine is left out of the sheet
            self._block(
                evolve(asker, selector=evolve(asker.selector, evaluator=evolve(asker.evaluator, sink=Sink()))),
                plan,
                items,
            )
        self._of_types(plan)
        self._scenarios(system, plan, machine)

    def _asker(self, system: str, machine: NetworkContext, block: str) -> MeasureEvaluator:
        return make_evaluator(self.compilation, machine, self.sink, system, block)

    def _block(
        self, asker: MeasureEvaluator, plan: Plan, items: tuple[tree.Measure | tree.Expect | tree.Let, ...]
    ) -> None:
        extra: dict[str, EvalValue] = {}
        for item in items:
            if isinstance(item, tree.Let):
                extra[item.name.text] = self._value(asker, item.value, extra)
        there = knowing(asker, extra)
        labels = tuple(item.value.span.one_line for item in items if isinstance(item, tree.Measure))
        self.say(BlockBegun(asker.system, asker.block, labels))
        for item in track(items, f"{asker.system}: {asker.block}"):
            match item:
                case tree.Measure():
                    self._measure(there, item, extra)
                case tree.Expect():
                    self._expect(there, plan, asker.system, item, extra)

    def _value(self, asker: MeasureEvaluator, node: tree.Expr, extra: Mapping[str, EvalValue]) -> EvalValue:
        """Return the value of a `let`, which may ask measures."""
        try:
            return evaluator_of_answers(knowing(asker, extra), self._system).eval(node)
        except Undecided:
            undecided(node, {}, self.sink)
            return POISON

    def _system(self, name: str) -> MeasureEvaluator | None:
        """Who answers about another system, undamaged; of it all traffic and workloads of the file can be asked."""
        if name not in self.compilation.systems:
            return None
        if name not in self.machines:
            self.machines[name] = self.machine(self.compilation.fabric(name))
        return naming_all(self._asker(name, self.machines[name], ""), self.compilation)

    def _measure(self, asker: MeasureEvaluator, item: tree.Measure, lets: Mapping[str, EvalValue]) -> None:
        if not asks_something(item, asker.traffics, asker.workloads, lets, self.sink):
            return
        if is_measure(item.value):
            answer = asker.answer(item.value)
        else:
            answer = answer_of(item.value, asker, self._system, self.sink)
        if answer is not None:
            self.say(answer)

    def _expect(
        self,
        asker: MeasureEvaluator,
        plan: Plan,
        subject: str,
        item: tree.Expect,
        extra: Mapping[str, EvalValue],
        scope: Scope | None = None,
        *,
        worst_case: bool = False,
    ) -> None:
        def value(there: MeasureEvaluator, call: tree.Call) -> EvalValue:
            return worst(solved(there, call)) if worst_case else solved(there, call)

        def there(name: str, evaluator: Evaluator) -> Evaluator | None:
            other = self._system(name)
            return None if other is None else asked_of(other, evaluator, value)

        place = scope or asker.evaluator.scope
        sums = SurvivingAggregates(asker.machine, asker.selector)
        answered = asked_of(asker, asker.evaluator, value).solved
        checked = evaluate_expectation(
            subject, item, place, asker.selector.machine, self.sink, answered, extra, sums, there
        )
        if checked is not None:
            self.results.append(checked)
            if scope is None:
                self.say(checked)

    def of_file(self) -> None:
        """Expectations of the file that were left open because they ask systems."""
        done = self.compilation.elaborated
        assert done is not None
        whole = whole_file(done)
        open_ones = {result.span for result in self.compilation.expectations if result.needs is not None}
        for statement in self._model.main.file.statements:
            if isinstance(statement, tree.Expect) and statement.span in open_ones:
                self._of_file(statement, whole)

    def _of_file(self, statement: tree.Expect, whole: SelectionMachine) -> None:
        def there(name: str, evaluator: Evaluator) -> Evaluator | None:
            other = self._system(name)
            return None if other is None else asked_of(other, evaluator, solved)

        scope = evaluator_of(self.compilation, self.sink).scope
        checked = evaluate_expectation(WHOLE_FILE, statement, scope, whole, self.sink, systems=there)
        if checked is not None:
            self.results.append(checked)

    def _scenarios(self, system: str, plan: Plan, machine: NetworkContext) -> None:
        for name in track(list(self._model.asked(tree.Scenario, system)), f"{system}: scenarios"):
            asker = self._asker(system, machine, name)
            damaged = after(self.compilation, name, asker)
            if damaged is None:
                continue
            self.damages.append((name, damaged.said))
            self.losses[name] = {
                "devices": damaged.damage.devices,
                "cables": damaged.damage.cables,
                "slower": damaged.damage.slower,
                **outage_report.to_json(damaged.damage.machine, damaged.damage.losses),
            }
            labels = tuple(item.value.span.one_line for item in damaged.items if isinstance(item, tree.Measure))
            self.say(BlockBegun(system, f"{SCENARIO} {name}", labels, damaged.said))
            for item in damaged.items:
                if isinstance(item, tree.Measure):
                    base = base_value(item.value, knowing(asker, damaged.lets), solved)
                    lets = damaged.lets if base is None else {**damaged.lets, BASE: base}
                    self._measure(knowing(evolve(damaged.left, block=f"{SCENARIO} {name}"), lets), item, lets)
                if isinstance(item, tree.Expect):
                    base = base_value(item.condition, knowing(asker, damaged.lets), solved)
                    extra = damaged.lets if base is None else {**damaged.lets, BASE: base}
                    left = knowing(damaged.left, damaged.lets)
                    self._expect(left, plan, f"{system}: {name}", item, extra, worst_case=base is not None)

    def _of_types(self, plan: Plan) -> None:
        """Expectations inside types that were left open because they need the solver, on that type alone."""
        done = self.compilation.elaborated
        assert done is not None
        open_ones = {result.span for result in self.compilation.expectations if result.needs is not None}
        for each in done.elaborator.expectations:
            if each.statement.span not in open_ones or each.key not in plan.assemblies:
                continue
            alone = plan if each.key == plan.root else done.elaborator.plan(each.key, each.key)
            if each.key not in self.machines:
                self.machines[each.key] = self.machine(expand(alone))
            asker = self._asker(each.key, self.machines[each.key], "expect")
            self._expect(asker, alone, each.key, each.statement, {}, each.scope)
