"""One design solved: the text compiled with its values, then its conditions and questions answered.

The text is parsed once in a process; a design costs the passes behind that, and the answers. What is solved travels to
workers as the text and the expressions, and a design as the values that `--set` would take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from attrs import define, evolve, field, frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator, naming_all
from unifiedbus_dsl.analysis.expressions import answer_of, evaluator_of_answers, knowing
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.compiler import Compilation, Inputs, compile_again
from unifiedbus_dsl.diagnostics import Severity, Sink
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import RefusedError
from unifiedbus_dsl.semantic.names.library import path_of_use
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.queries.check_queries import is_measure
from unifiedbus_dsl.semantic.values.operators import Undecided
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.syntax.traversal import dotted_name, walk
from unifiedbus_dsl.vocabulary.signatures import MEASURES

UNDECIDED = "UB0707"


@frozen(eq=False)
class Condition:
    """What became of a condition: `holds` is None where the bounds of its answers leave it open."""

    holds: bool | None
    estimate: bool = False
    """Whether an answer that it rests on is one."""
    reason: str = ""
    """Where it does not hold or is open: what it was found by."""


@frozen(eq=False)
class Solved:
    """What came of a design. `unmade` says why there is no machine. Conditions behind one that
    has failed are None: nobody asked. `answers` are those of the objectives and of the
    further questions, None with a reason where there is none, and empty where a condition has failed before."""

    conditions: tuple[Condition | None, ...] = ()
    answers: tuple[Answer | None, ...] = ()
    reasons: tuple[str, ...] = ()
    unmade: str = ""

    @property
    def feasible(self) -> bool | None:
        """Whether all conditions hold; None where that is open."""
        if self.unmade or any(each is None or each.holds is False for each in self.conditions):
            return False
        return None if any(each is None or each.holds is None for each in self.conditions) else True

    @property
    def why_not(self) -> str:
        """Why it is not known to be feasible; nothing where it is."""
        return self.unmade or next((each.reason for each in self.conditions if each is not None and not each.holds), "")


@frozen(eq=False)
class Machine:
    """A design that was compiled, as questions take it."""

    compilation: Compilation
    asker: MeasureEvaluator
    budget_s: float | None
    others: dict[str, MeasureEvaluator] = field(factory=dict)
    """Who answers about other systems that were asked about."""

    def system(self, name: str) -> MeasureEvaluator | None:
        """Return who answers about another system of the text; None where there is none."""
        if name not in self.compilation.systems:
            return None
        sink = self.asker.evaluator.sink
        if name not in self.others:
            context = NetworkContext(self.compilation.fabric(name), budget_s=self.budget_s)
            there = make_evaluator(self.compilation, context, sink, name)
            self.others[name] = naming_all(there, self.compilation)
        return _telling(self.others[name], sink)

    def with_sink(self, sink: Sink) -> Machine:
        """Return the same with what is wrong going elsewhere. What is found of networks is kept for both."""
        return evolve(self, asker=_telling(self.asker, sink))


def _telling(asker: MeasureEvaluator, sink: Sink) -> MeasureEvaluator:
    """Return the same evaluator with what is wrong going to this sink."""
    selector = asker.selector
    return evolve(asker, selector=evolve(selector, evaluator=evolve(selector.evaluator, sink=sink)))


class Question(Protocol):
    """What is asked of each design: a measure of its network, or whatever else can be found of a machine."""

    @property
    def text(self) -> str:
        """How it is written."""

    def answer(self, machine: Machine) -> Answer | None:
        """Return the answer; None after a diagnostic to the sink of the machine's evaluator."""


@frozen(eq=False)
class Expression:
    """A measure, or an expression over measures."""

    node: tree.Expr

    @property
    def text(self) -> str:
        return self.node.span.one_line

    def answer(self, machine: Machine) -> Answer | None:
        """Return the answer; None after a diagnostic."""
        if is_measure(self.node):
            return machine.asker.answer(self.node)
        return answer_of(self.node, machine.asker, machine.system, machine.asker.evaluator.sink)


@frozen(eq=False)
class KnownLibrary:
    """The texts that a model uses, by who uses them and what is written: travels without the files."""

    found: Mapping[tuple[str, str], Source]

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        """Return the text that a `use` names."""
        return self.found.get((importer.name, path_of_use(use)))


def known_library(model: Model, inputs: Inputs) -> KnownLibrary:
    """Return what every `use` of a model has found."""
    uses = [
        (module.source, each)
        for module in model.modules
        for each in module.file.statements
        if isinstance(each, tree.Use)
    ]
    result = {(source.name, path_of_use(use)): inputs.library.find(use, source, Sink()) for source, use in uses}
    return KnownLibrary({key: source for key, source in result.items() if source is not None})


@define(eq=False)
class DesignSolver:
    """Called with the values of a design, gives what comes of it. `thorough`: questions are answered where a condition
    fails too."""

    inputs: Inputs
    system: str
    lets: tuple[tree.Let, ...]
    conditions: tuple[tree.Expr, ...]
    questions: tuple[Question, ...]
    budget_s: float | None = None
    thorough: bool = False
    _trees: dict[Source, tree.File] = field(factory=dict, init=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return (
            self.inputs, self.system, self.lets, self.conditions, self.questions, self.budget_s, self.thorough,
        )  # fmt: skip

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        (
            self.inputs, self.system, self.lets, self.conditions, self.questions, self.budget_s, self.thorough,
        ) = state  # fmt: skip
        self._trees = {}

    def __call__(self, settings: Mapping[str, str]) -> Solved:
        whole = compile_again(self.inputs, settings, self._read)
        compilation = whole.despite_questions()
        if compilation is None or self.system not in compilation.plans:
            return Solved(unmade=_first_error(whole))
        sink = Sink()
        context = NetworkContext(compilation.fabric(self.system), budget_s=self.budget_s)
        machine = Machine(
            compilation, make_evaluator(compilation, context, sink, self.system, "explore"), self.budget_s
        )
        extra: dict[str, EvalValue] = {}
        for each in self.lets:
            extra[each.name.text] = _value(evolve(machine, asker=knowing(machine.asker, extra)), each.value)
        machine = evolve(machine, asker=knowing(machine.asker, extra))
        conditions = self._conditions(machine)
        if not self.thorough and any(each is not None and each.holds is False for each in conditions):
            return Solved(conditions)
        answers = [_answer(question, machine) for question in self.questions]
        return Solved(conditions, tuple(answer for answer, _ in answers), tuple(reason for _, reason in answers))

    def _read(self, source: Source, sink: Sink) -> tree.File:
        """Return the tree of a source, parsed once; it is known to have no errors."""
        if source not in self._trees:
            self._trees[source] = parse(source, sink)
        return self._trees[source]

    def _conditions(self, machine: Machine) -> tuple[Condition | None, ...]:
        """Return what becomes of the conditions, in their order: sums are looked at first, and nothing behind one that
        fails."""
        result: dict[int, Condition] = {}
        for number in sorted(range(len(self.conditions)), key=lambda k: not _is_sum(self.conditions[k])):
            result[number] = condition = _condition(self.conditions[number], machine)
            if condition.holds is False and not self.thorough:
                break
        return tuple(result.get(number) for number in range(len(self.conditions)))


def _is_sum(node: tree.Expr) -> bool:
    """Return whether every measure of an expression is worked out of the plan without a solver."""
    names = [".".join(dotted_name(each.function)) for each in walk(node) if isinstance(each, tree.Call)]
    return all(MEASURES[name].from_plan for name in names if name in MEASURES)


def _first_error(compilation: Compilation) -> str:
    errors = [each for each in compilation.diagnostics if each.severity is Severity.ERROR]
    more = f" (and {len(errors) - 1:,} more errors)" if len(errors) > 1 else ""
    return f"{errors[0].message}{more}" if errors else "the text has no such system"


def _value(machine: Machine, node: tree.Expr) -> EvalValue:
    """Return the value of a `let`, which may ask measures; what it comes to nothing for is said by who uses it."""
    try:
        return evaluator_of_answers(machine.asker, machine.system).eval(node)
    except (Undecided, RefusedError):
        return POISON


def _answer(question: Question, machine: Machine) -> tuple[Answer | None, str]:
    """Return the answer to a question, and where there is none why."""
    sink = Sink()
    answer = question.answer(machine.with_sink(sink))
    return answer, "" if answer is not None else _said(sink)


def _said(sink: Iterable[Any]) -> str:
    return "; ".join(each.message for each in sink) or "a value that it uses has no answer"


def _condition(node: tree.Expr, machine: Machine) -> Condition:
    """Return what becomes of a condition."""
    sink = Sink()
    asking = machine.with_sink(sink)
    answer = answer_of(node, asking.asker, asking.system, sink)
    text = node.span.one_line
    if answer is None:
        is_open = any(each.code == UNDECIDED for each in sink)
        said = "undecided: " + _said(sink) if is_open else f"`{text}` has no answer: {_said(sink)}"
        return Condition(None if is_open else False, reason=said)
    if answer.detail.get("truth"):
        return Condition(True, answer.kind == "estimate")
    found = "; ".join(answer.lines)
    return Condition(False, answer.kind == "estimate", f"`{text}` does not hold" + (f": {found}" if found else ""))
