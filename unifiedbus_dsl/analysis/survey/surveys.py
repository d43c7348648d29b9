"""Surveys of a file: what every single failure costs, or many failures at random.

What is asked are measures of the language, of each machine that is left; they travel to workers as the bound text and
are read there again, against what has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, ClassVar

import numpy as np
from attrs import define, evolve, field, frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.analysis.impact import impact
from unifiedbus_dsl.analysis.report import outage_report
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.table import Tabular
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.graph.symmetry import Symmetry, trivial_symmetry
from unifiedbus_dsl.ir.fabric.names import device_paths
from unifiedbus_dsl.ir.fabric.physical import one_a_cable
from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.query_symmetry import invariant_subgroup
from unifiedbus_dsl.measures.registry import is_by_length, less_is_better
from unifiedbus_dsl.measures.wording import cut
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.select.outages import outage_targets
from unifiedbus_dsl.semantic.select.resolve_outages import parts_of
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience import contingency, quantiles
from unifiedbus_dsl.solver.resilience.contingency import Components, Engine, EngineError, Outcome
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.vocabulary import attributes

LEVELS = (0.05, 0.5, 0.95)
"""Quantiles that are given of random draws."""


def goodness(answer: Answer | None) -> tuple[float, float]:
    """Return what to compare answers to one measure by: the worse proved bound, then the better one; more is better,
    and none is the worst."""
    if answer is None:
        return -np.inf, -np.inf
    return (-answer.upper, -answer.lower) if less_is_better(answer.measure) else (answer.lower, answer.upper)


def worse_bound(answer: Answer) -> float:
    """Return the end of an answer that is the worse of what it may be."""
    return answer.upper if less_is_better(answer.measure) else answer.lower


def worst_value(measure: str) -> float:
    """Return what stands for no answer among the values of a measure."""
    return np.inf if less_is_better(measure) else -np.inf


@frozen(eq=False)
class Findings:
    """The answers on one machine, None with a reason where there is none, and what it lacks of the whole one."""

    answers: tuple[Answer | None, ...]
    reasons: tuple[str, ...]
    losses: OutageImpact


@define(eq=False)
class Questions:
    """Measures in the language, to be asked of a machine and of what is left of it; can be sent to another process."""

    model: Model
    system: str
    asked: tuple[str, ...]
    base: NetworkContext | None = field(default=None, repr=False)
    """The whole machine, made when first needed."""

    def __getstate__(self) -> tuple[Any, ...]:
        return self.model, self.system, self.asked

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.model, self.system, self.asked = state
        self.base = None

    def __call__(self, machine: NetworkContext) -> Findings:
        if self.base is None or self.base.fabric is not machine.fabric:
            self.base = NetworkContext(machine.fabric, machine.symmetric)
        answers, reasons = [], []
        for text in self.asked:
            sink = Sink()
            answer = self.asker(machine, sink).answer(self.call(text, sink))
            answers.append(answer)
            reasons.append("; ".join(d.message for d in sink) if answer is None else "")
        return Findings(tuple(answers), tuple(reasons), impact(self.base, machine))

    def asker(self, machine: NetworkContext, sink: Sink) -> MeasureEvaluator:
        """Who answers about a machine."""
        selector = FabricSelector.of(machine.fabric, self.model, Evaluator(Scope(self.model.main), sink))
        selector = evolve(selector, lost=machine.lost_devices)
        return MeasureEvaluator(
            machine,
            selector,
            self.model.asked(tree.Traffic, self.system),
            self.model.asked(tree.Workload, self.system),
            self.system,
            "survey",
        )

    def call(self, text: str, sink: Sink) -> tree.Call:
        """Return a measure read from its text.

        Raises:
            Refused: it is none; a diagnostic says so.
        """
        source = Source("<measure>", f"ubus 1\nanalyze survey of it {{ {text} }}\n")
        blocks = [s for s in parse(source, sink).statements if isinstance(s, tree.Analyze)]
        items = blocks[0].items if len(blocks) == 1 and not sink.has_errors else ()
        match items:
            case (tree.Measure(value=tree.Call() as call),):
                return call
        if not sink.has_errors:
            start = source.text.index("{") + 2
            where = Span(source, start, start + len(text))
            sink.error("UB0708", "a measure is a call such as `bisection(all npu)`", where, "no measure")
        raise RefusedError


@frozen(eq=False)
class Row:
    """One failure: the part (or parts) by name, how many parts are like it, and what is left."""

    number: int
    parts: tuple[str, ...]
    copies: int
    outcome: Outcome[Findings]


@frozen(eq=False)
class Surveyed(Tabular):
    """What came of a survey.

    `rows` are worst first for single failures, in order of number for draws. `finished` of `total` are in it: failures
    that stand for an orbit each, or draws. `population` parts could fail. `alone` says why no part stood for others.
    """

    machine: NetworkContext
    system: str
    of: str
    noun: str
    fail: int
    seed: int | None
    population: int
    asked: tuple[str, ...]
    base: Findings
    rows: tuple[Row, ...]
    total: int
    complete: bool
    error: EngineError | None
    alone: str

    INDEX: ClassVar[str] = "row"

    def headline(self) -> str:
        return f"{self.finished:,} of {self.total:,} failures of {self.of}"

    def row_ids(self) -> Ints:
        return np.arange(len(self.rows))

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return what failed, how many parts are like it, and both bounds of each measure, NaN without an answer."""
        chosen = [self.rows[row] for row in rows.tolist()]
        columns: dict[str, Any] = {
            "failed": ["; ".join(row.parts) for row in chosen],
            "copies": [row.copies for row in chosen],
        }
        for place, text in enumerate(self.asked):
            answers = [self.answer(row, place) for row in chosen]
            columns[f"{text}.lower"] = [np.nan if each is None else each.lower for each in answers]
            columns[f"{text}.upper"] = [np.nan if each is None else each.upper for each in answers]
        return columns

    @property
    def finished(self) -> int:
        return len(self.rows)

    def share(self, row: Row, measure: int) -> tuple[float, float] | None:
        """Return what a measure has left, as a part of its base: the worse and the better case; None where that has no
        meaning."""
        answer, base = self.answer(row, measure), self.base.answers[measure]
        if answer is None or base is None or "truth" in base.detail or not base.lower or not isfinite(base.upper):
            return None
        if not isfinite(answer.lower):
            return None
        low, high = answer.lower / base.upper, answer.upper / base.lower
        if answer.of_base is not None:
            low, high = max(low, answer.of_base[0]), min(high, answer.of_base[1])
        if answer.kind == base.kind == "exact":
            low = high = answer.value / base.value
        return (high, low) if less_is_better(answer.measure) else (low, high)

    @staticmethod
    def answer(row: Row, measure: int) -> Answer | None:
        solved = row.outcome.value
        return None if solved is None else solved.answers[measure]

    def quantiles(self, measure: int, confidence: float) -> list[quantiles.Quantile]:
        """Of the draws that are finished; one without an answer counts as the worst."""
        base = self.base.answers[measure]
        assert base is not None
        worst = worst_value(base.measure)
        answers = [self.answer(row, measure) for row in self.rows]
        values = np.array([worst if each is None else worse_bound(each) for each in answers])
        return [quantiles.quantile(values, q, confidence) for q in LEVELS] if len(values) else []


def survey(
    compilation: Compilation,
    of: str,
    *,
    sink: Sink,
    engine: Engine,
    system: str | None = None,
    asked: Sequence[str] = (),
    fail: int = 1,
    draws: int | None = None,
    seed: int = 0,
    budget: float | None = None,
) -> Surveyed | None:
    """Ask measures after every single failure of a selection, or after random ones; None after a diagnostic.

    Args:
        compilation: a text that was compiled.
        of: what may fail, `all link`, `all Leaf` or a path.
        sink: where what is wrong with the question goes.
        engine: who works the rows out: `SerialExecutor()`, processes or Dask.
        system: a system by name; default: the first.
        asked: measures of the language, a text each.
        fail: how many parts fail together.
        draws: how many random failures; default: each single one, those that are alike once.
        seed: of the random draws.
        budget: seconds that each optimum may take.

    Raises:
        CompilationFailed: the text has errors, or no system.
        KeyError: no such system.
        ValueError: more failures than there are parts.
    """
    model = compilation.model
    assert model is not None
    name = compilation.pick(system).system
    machine = NetworkContext(compilation.fabric(name), budget_s=budget)
    questions = Questions(model, name, tuple(asked), machine)
    asker = questions.asker(machine, sink)
    chosen = _chosen(of, asker.selector)
    if chosen is None:
        return None
    count = len(chosen.start) if isinstance(chosen, DeviceRanges) else len(chosen)
    if fail > count:
        raise ValueError(f"{fail:,} are to fail, and there {'is' if count == 1 else 'are'} {count:,}")
    try:
        calls = [questions.call(text, sink) for text in asked]
        answers = tuple(asker.answer(call) for call in track(calls, "the whole machine"))
        if None in answers:
            return None
        read = [asker.call(call) for call in calls]
        symmetry, alone = _symmetry(machine, read, chosen)
    except RefusedError:
        return None
    parts = _parts(machine, chosen, symmetry)
    base = Findings(answers, ("",) * len(answers), impact(machine, machine))
    if draws is None:
        outcomes = contingency.survey_single_outages(machine, parts, questions, engine=engine)
        rows = [Row(f.part, _names(machine, parts, [f.part]), f.copies, f.outcome) for f in outcomes.failures]
        rows.sort(key=_goodness)
        total, complete, error = outcomes.orbits, outcomes.complete, outcomes.error
    else:
        drawn = contingency.sample_outages(machine, parts, questions, fail=fail, count=draws, seed=seed, engine=engine)
        rows = [Row(d.number, _names(machine, parts, d.picked), 1, d.outcome) for d in drawn.draws]
        total, complete, error = draws, drawn.complete, drawn.error
    return Surveyed(
        machine, name, of, parts.noun, fail, None if draws is None else seed, count, tuple(asked), base, tuple(rows),
        total, complete, error, alone,
    )  # fmt: skip


def _chosen(of: str, selector: FabricSelector) -> DeviceRanges | Ints | None:
    """Return the parts that `switch`, `link`, a type, or a selection as after `fail` means; None after a diagnostic."""
    said = f"all {of}" if of.isidentifier() and not _is_part(of, selector) else of
    source = Source("<of>", f"ubus 1\nscenario survey of it {{ fail {said} }}\n")
    sink = selector.evaluator.sink
    blocks = [s for s in parse(source, sink).statements if isinstance(s, tree.Scenario)]
    if sink.has_errors:
        return None
    match blocks[0].items if len(blocks) == 1 else ():
        case (tree.Fail(targets=(_,), quota=None) as line,):
            whole = outage_targets(line, sink)
            chosen = parts_of(selector, whole[0]) if whole else None
        case _:
            start = source.text.index("{ fail ") + 7
            here = Span(source, start, start + len(said))
            help = ("such as `switch`, `rack`, or `all link where medium == optical`",)
            sink.error("UB0711", "one sort of parts can be surveyed at a time", here, "here", help=help)
            return None
    if isinstance(chosen, DeviceRanges):
        some = chosen.stop > chosen.start
        return DeviceRanges(chosen.start[some], chosen.stop[some], chosen.noun)
    return None if chosen is None else one_a_cable(selector.fabric, chosen)


def _is_part(word: str, selector: FabricSelector) -> bool:
    """Return whether a word names a part of the system rather than a kind or type."""
    plan = selector.fabric.plan
    root = plan.type(plan.root)
    kinds = (*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY, "link")
    return word not in kinds and isinstance(root, AssemblyType) and word in root.arrays


def _symmetry(
    machine: NetworkContext, calls: Sequence[MeasureCall], chosen: DeviceRanges | Ints
) -> tuple[Symmetry, str]:
    """Return the symmetries that keep every question; where a question has none that are known, none at all, and
    why."""
    ends_fail = isinstance(chosen, DeviceRanges) and bool((machine.end_of_device[chosen.devices()] >= 0).any())
    timed = any(is_by_length(call.name) for call in calls)
    symmetry: Symmetry | None = machine.timed_symmetry if timed else machine.symmetry
    for call in calls:
        assert symmetry is not None
        symmetry = invariant_subgroup(symmetry, call, ends_fail=ends_fail)
        if symmetry is None:
            return trivial_symmetry(
                machine.network
            ), f"those that look alike may give different answers to `{call.name}`"
    assert symmetry is not None
    return symmetry, ""


def _parts(machine: NetworkContext, chosen: DeviceRanges | Ints, symmetry: Symmetry) -> Components:
    if isinstance(chosen, DeviceRanges):
        return contingency.blocks(machine, chosen.noun, chosen.start, chosen.stop, symmetry)
    return contingency.links(machine, chosen, symmetry)


def _names(machine: NetworkContext, parts: Components, which: ArrayLike) -> tuple[str, ...]:
    """Return the parts by name."""
    some = np.asarray(which, dtype=np.int64)
    if len(parts.cable):
        return tuple(map(str, machine.fabric.cable_names(parts.cable[some])))
    names = map(str, device_paths(machine.fabric.plan, parts.start[some]))
    sizes = (parts.stop[some] - parts.start[some]).tolist()
    return tuple(_cut(machine.fabric.plan, name, size) for name, size in zip(names, sizes, strict=True))


def _cut(plan: Plan, name: str, size: int) -> str:
    """Return the name of what of this many devices begins with a device."""
    return cut(plan, name, lambda key: plan.device_count[key] <= size)


def _goodness(row: Row) -> tuple[float, ...]:
    """Return what to sort by, worst first: the answers in order, one that is missing before any other, then what is
    lost."""
    solved = row.outcome.value
    if solved is None:
        return (-np.inf,)
    order = [bound for answer in solved.answers for bound in goodness(answer)]
    left = [outage_report.remaining_fraction(tier) for tier in solved.losses.tiers]
    return (*order, -float(len(solved.losses.cut_off)), -float(len(solved.losses.lost)), *left, float(row.number))
