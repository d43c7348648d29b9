"""Names in questions: what traffic, analyze, scenario and view blocks say is held against the machine they are of.

Nothing is solved here: a name that means nothing is found before any time is spent on numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeGuard

from attrs import evolve, frozen

from unifiedbus_dsl.base.work import LINE, QUESTION, about, spend
from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.queries.design_space import read_sample, read_space, read_trends
from unifiedbus_dsl.semantic.queries.set_overrides import plan_with_overrides, resolve_items
from unifiedbus_dsl.semantic.select.outages import BASE, OutageReader, base_scenario, check_let
from unifiedbus_dsl.semantic.types.expectations import unknown_value
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.messages import no_condition
from unifiedbus_dsl.semantic.values.operators import Undecided
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, Poison
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name, walk
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.signatures import FUNCTIONS, MEASURES, TRAFFICS

if TYPE_CHECKING:
    from unifiedbus_dsl.semantic.systems import Elaborated
from unifiedbus_dsl.semantic.select.aggregates import Aggregates
from unifiedbus_dsl.semantic.select.check_names import NameChecker
from unifiedbus_dsl.semantic.systems import names_of, with_questions_of


def asks_something(
    item: tree.Measure | tree.Objective,
    traffic: Collection[str],
    workloads: Collection[str],
    lets: Mapping[str, EvalValue],
    sink: Sink,
) -> bool:
    """Return whether a line asks for a measure, alone or in an expression; else say so. `traffic` and `workloads` are
    the names of those."""
    said = item.value.span.text.strip()
    if not (isinstance(item.value, tree.Name) and said in (*traffic, *workloads)) and any(
        isinstance(each, tree.Call) or (isinstance(each, tree.Name) and each.text in lets) for each in walk(item.value)
    ):
        return True
    help = (f"write `throughput({said})`, say",) if said in traffic else ()
    help = (f"write `step_time({said})`, say",) if said in workloads else help
    help = (f"write `{said}(all npu)`",) if said in MEASURES else help
    if isinstance(item.value, tree.Member) and item.value.name.text in MEASURES:
        help = (f"write `{item.value.name.text}({item.value.base.span.text.strip()})`",)
    sink.error("UB0708", "a measure is a call such as `bisection(all npu)`", item.value.span, "no measure", help=help)
    return False


def is_measure(node: tree.Expr) -> TypeGuard[tree.Call]:
    """Return whether a line is a measure alone, not one of the functions that are worked out of values."""
    return isinstance(node, tree.Call) and ".".join(dotted_name(node.function)) not in FUNCTIONS


def expect_pattern(node: tree.Expr, sink: Sink) -> bool:
    """Return whether an expression is a pattern of traffic; what else it is, is said."""
    if not isinstance(node, tree.Call):
        help = ("write `alltoall(all npu)`",)
        sink.error("UB0710", "traffic is a pattern over end points", node.span, "here", help=help)
        return False
    pattern = ".".join(dotted_name(node.function))
    if pattern in TRAFFICS:
        return True
    guess = did_you_mean(pattern, TRAFFICS)
    sink.error(
        "UB0710",
        f"there is no traffic pattern `{pattern}`",
        node.function.span,
        "here",
        help=(f"did you mean `{guess}`?" if guess else ", ".join(TRAFFICS),),
        fix=rename(node.function.span, guess),
    )
    return False


def check_queries(done: Elaborated, model: Model, sink: Sink, broken: frozenset[str]) -> tuple[str, ...]:
    """Check the names in every question of the main file whose system could be understood. The names of the scenarios
    of which only the cables themselves tell if their lines can be followed."""
    askers: dict[tuple[str, str], QueryChecker] = {}
    by_cables = []
    checker = names_of(done, model, broken)
    scope = Scope(model.main, lets=done.elaborator.lets)
    for named in model.main.questions.values():
        for question in named.values():
            plan = done.plans.get(question.of.text)
            if plan is None:
                continue
            about(question.span)
            spend(1, QUESTION)
            items: list[tree.Statement] = []
            if isinstance(question, tree.Scenario):
                items = resolve_items(question.name.text, model.asked(tree.Scenario))
                plan = _with_overrides(question, items, plan, done, model, sink)
            asker = askers.get((plan.system, plan.root))
            if asker is None:
                names = with_questions_of(checker(plan), model, question.of.text)
                asker = QueryChecker(names, plan, scope, sink, model)
                askers[plan.system, plan.root] = asker
            if not isinstance(question, tree.Scenario):
                asker.ask(question)
            elif asker.scenario(question, items):
                by_cables.append(question.name.text)
    return tuple(by_cables)


def check_exploration(done: Elaborated, model: Model, sink: Sink, block: tree.Explore) -> Mapping[str, EvalValue]:
    """Check an `explore` block of a system that there is, of the file or put together elsewhere; the values of its
    `let`s."""
    plan = done.plans[block.of.text]
    names = with_questions_of(names_of(done, model, frozenset())(plan), model, plan.system)
    checker = QueryChecker(names, plan, Scope(model.main, lets=done.elaborator.lets), sink, model)
    return checker.exploration(block)


def _with_overrides(
    question: tree.Scenario, items: Sequence[tree.Statement], plan: Plan, done: Elaborated, model: Model, sink: Sink
) -> Plan:
    """Return the plan that a scenario is of, elaborated anew where it has `set` lines; as it is after a diagnostic."""
    if not any(isinstance(item, tree.Set) for item in items):
        return plan
    quiet = Evaluator(Scope(model.main, lets=done.elaborator.lets), Sink())
    lets: dict[str, EvalValue] = {}
    for item in items:
        if isinstance(item, tree.Let):
            lets[item.name.text] = evolve(quiet, extra=dict(lets)).eval(item.value)
    changed = plan_with_overrides(done.elaborator, plan, items, evolve(quiet, sink=sink, extra=lets))
    if changed is None:
        return plan
    done.variants[question.name.text] = changed
    return changed


@frozen(eq=False)
class QueryChecker:
    names: NameChecker
    plan: Plan
    scope: Scope
    sink: Sink
    model: Model

    def ask(self, question: tree.Traffic | tree.Workload | tree.Analyze | tree.Explore | tree.View) -> None:
        match question:
            case tree.Traffic():
                called = question.value.function if isinstance(question.value, tree.Call) else None
                unknown = called is not None and ".".join(dotted_name(called)) not in (*MEASURES, *TRAFFICS, *FUNCTIONS)
                if unknown or expect_pattern(question.value, self.sink):
                    self.names.selection(question.value, self._evaluator({}))
            case tree.Workload():
                self.names.workload_form(question.value, self._evaluator({}))
            case tree.Analyze():
                self._items(question.items, {})
            case tree.Explore():
                self.exploration(question)
            case tree.View():
                for item in question.items:
                    self._view(item)

    def _evaluator(self, extra: Mapping[str, EvalValue]) -> Evaluator:
        return Evaluator(self.scope, self.sink, self.names.instead, asked=self.names, extra=extra)

    def exploration(self, question: tree.Explore) -> Mapping[str, EvalValue]:
        """Check the lines of an `explore` block; the values of its `let`s. The machine is what the text makes it before
        anything is varied."""
        lets = self._items(question.items, {})
        space = read_space(question.items, question.name.span, self.model, Evaluator(self.scope, self.sink))
        for item in question.items:
            if isinstance(item, tree.Require | tree.Objective) and space is not None:
                read_trends(item.trends, space, self.sink)
        read_sample(question.items, lets, self.sink)
        return lets

    def _items(self, items: Iterable[tree.Statement], extra: dict[str, EvalValue]) -> Mapping[str, EvalValue]:
        """Check the measures and conditions of a block; the values of its `let`s."""
        lets: dict[str, EvalValue] = dict(extra)
        for item in items:
            spend(1, LINE)
            if isinstance(item, tree.Let):
                lets[item.name.text] = self._let(item.value, self._evaluator(lets))
        typed = self._evaluator(self._typed_lets(items, lets))
        for item in items:
            self._asked(item, self._evaluator(lets), typed)
        return lets

    def _let(self, node: tree.Expr, evaluator: Evaluator) -> EvalValue:
        """Return the value of an expression without any measure in it; POISON for one with."""
        if not any(isinstance(each, tree.Call) and is_measure(each) for each in walk(node)):
            return evaluator.eval(node)
        self.names.expression(node, evaluator)
        return POISON

    def _typed_lets(self, items: Iterable[tree.Statement], lets: Mapping[str, EvalValue]) -> dict[str, EvalValue]:
        """Return the values of the `let`s, with any value for what is measured."""
        typed = dict(lets)
        for item in items:
            if isinstance(item, tree.Let) and isinstance(typed[item.name.text], Poison):
                typed[item.name.text] = self._sort(item.value, self._evaluator(typed))
        return typed

    def _asked(self, item: tree.Statement, evaluator: Evaluator, typed: Evaluator) -> None:
        match item:
            case tree.Measure() | tree.Objective():
                if self._known(item.value, evaluator) and asks_something(
                    item, self.names.traffic, self.names.workloads, evaluator.extra, self.sink
                ):
                    self.names.expression(item.value, evaluator)
                    if not is_measure(item.value):
                        self._sort(item.value, typed)
            case tree.Expect() | tree.Require():
                self.names.expression(item.condition, evaluator)
                self._condition(item.condition, typed)

    def _known(self, node: tree.Expr, evaluator: Evaluator) -> bool:
        """Return whether a line that is a name, or works with names alone, says ones that there are; measures are left
        out."""
        if any(isinstance(each, tree.Call | tree.All) for each in walk(node)):
            return True
        said = self.names.traffic | self.names.workloads
        names = [each for each in walk(node) if isinstance(each, tree.Name) and each.text not in said]
        meant = {*MEASURES, *self.scope.module.systems}
        unknown = [each for each in names if each.text not in meant and not evaluator.has(each.text)]
        for each in unknown:
            evaluator.eval(each)
        return not unknown

    def _condition(self, node: tree.Expr, evaluator: Evaluator) -> None:
        """Check that an expression is a condition, with any value for what is measured."""
        value = self._sort(node, evaluator)
        if not isinstance(value, bool | Poison):
            no_condition(node, value, self.sink)

    def _sort(self, node: tree.Expr, evaluator: Evaluator) -> EvalValue:
        """Return the value of an expression, with any value for what is measured: what does not fit together is
        said."""
        sink = Sink()
        typed = evolve(
            evaluator,
            sink=Sink(),
            measure=self._any_value,
            asked=None,
            solved=unknown_value,
            systems=lambda name, there: there,
        )
        value: EvalValue = POISON
        with suppress(Undecided):
            left = base_scenario(node, Sink()) if BASE in evaluator.extra else None
            base = {} if left is None or isinstance(left, Poison) else {BASE: typed.eval(left)}
            extra = {**evaluator.extra, **base} if base else evaluator.extra
            value = evolve(typed, sink=sink, extra=extra).eval(node)
        for diagnostic in sink:
            if diagnostic.code in ("UB0309", "UB0303"):
                self.sink.add(diagnostic)
        return value

    def _any_value(self, node: tree.Call, evaluator: Evaluator) -> EvalValue:
        """Return what stands for a measure that nobody has answered; a sum has the unit of its field."""
        if self.names.whole and ".".join(dotted_name(node.function)) == "sum":
            return Aggregates(self.names.machine)(node, evolve(evaluator, sink=Sink()))
        return unknown_value(node, evaluator)

    def scenario(self, scenario: tree.Scenario, items: Sequence[tree.Statement]) -> bool:
        """Check the lines of a scenario, which come after those of the one that it extends, among its `items`; whether
        only the cables themselves tell if they can be followed."""
        lets: dict[str, EvalValue] = {"base": POISON}
        own = set(map(id, scenario.items))
        for item in items:
            if isinstance(item, tree.Let):
                said = self if id(item) in own else evolve(self, sink=Sink())
                lets[item.name.text] = value = Evaluator(self.scope, said.sink, extra=lets).eval(item.value)
                check_let(item, value, said.sink)
                lets[BASE] = POISON
        evaluator = self._evaluator(lets)
        failures = OutageReader(self.names.machine, evaluator, lets, self.names.whole)
        by_cables = False
        earlier = False
        for item in items:
            if id(item) not in own:
                earlier |= isinstance(item, tree.Fail | tree.Degrade)
                continue
            match item:
                case tree.Fail():
                    by_cables |= failures.fail(item) or (earlier and item.quota is not None)
                    earlier = True
                case tree.Degrade():
                    by_cables |= failures.degrade(item)
                    earlier = True
                case tree.Expect() | tree.Measure():
                    asked = item.condition if isinstance(item, tree.Expect) else item.value
                    if not isinstance(base_scenario(asked, self.sink), Poison):
                        self._asked(item, evaluator, evaluator)
                case _:
                    self._asked(item, evaluator, evaluator)
        return by_cables

    # -- views

    def _view(self, item: tree.Statement) -> None:
        match item:
            case tree.Show() | tree.Hide() | tree.Collapse():
                for target in item.targets:
                    self._picked(target)
            case tree.Fold():
                self._picked(item.target)
            case tree.Colour() | tree.LabelBy():
                self._picked(tree.Name(item.what.text, span=item.what.span))

    def _picked(self, target: tree.Selector) -> None:
        """A kind, a type, the name of a part at any level, or a path."""
        evaluator = self._evaluator({})
        if isinstance(target, tree.LinkBetween):
            self._picked(target.left)
            self._picked(target.right)
        elif not isinstance(target, tree.Name):
            self.names.selection(target, evaluator)
        elif self.names.whole and target.text not in self._words:
            guess = did_you_mean(target.text, self._words)
            self.sink.error(
                "UB0231",
                f"nothing in this system is called `{target.text}`",
                target.span,
                "no kind, type or part",
                help=(f"did you mean `{guess}`?",) if guess else (),
                fix=rename(target.span, guess),
            )

    @cached_property
    def _words(self) -> set[str]:
        kinds = {*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY, "link", "port", "system"}
        types = {name for name, _ in self.scope.module.reachable()} | {key.split("(")[0] for key in self.plan.instances}
        parts = {
            child.text_name
            for kind in self.names.machine.types.values()
            if isinstance(kind, AssemblyType)
            for child in kind.children
        }
        return kinds | types | parts
