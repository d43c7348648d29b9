"""Explore the designs of a machine, and what came of it: the Pareto front, and every design that was solved."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.analysis.explore import search
from unifiedbus_dsl.analysis.explore.front import Standing, standings
from unifiedbus_dsl.analysis.explore.problem import Goal, Problem, parse_block, read_problem
from unifiedbus_dsl.analysis.explore.search import Contradiction, LimitReachedError
from unifiedbus_dsl.analysis.explore.solve_design import Condition, DesignSolver, Solved, known_library
from unifiedbus_dsl.analysis.survey.engines.dispatch import Calls, TaskEngine
from unifiedbus_dsl.analysis.survey.journal import Journal
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.base.table import Tabular
from unifiedbus_dsl.compiler import Compilation, Inputs
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.diagnostics.suggest import UnknownNameError, no_such
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.semantic.queries.design_space import Levels
from unifiedbus_dsl.solver.resilience.contingency import EngineError
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.version import VERSION

MAX_DESIGNS = 5_000
"""Designs that are solved, unless it is told."""


class Method(Enum):
    """How designs were chosen."""

    EXHAUSTIVE = "exhaustive"
    BRANCH_AND_BOUND = "branch and bound"
    SAMPLE = "Latin hypercube sample"


class ExploreError(ValueError):
    """An exploration that can't be begun; the sentence says why and what to do."""


@frozen(eq=False)
class Design:
    """A design that was solved. `number` counts from 1; `settings` make it; `standing` is None where it can't be on the
    front: for want of a machine, a condition or an answer, which `reason` says."""

    number: int
    levels: Levels
    settings: Mapping[str, str]
    solved: Solved
    standing: Standing | None
    reason: str

    @property
    def on_front(self) -> bool:
        """Whether it is on the front, or may be."""
        return self.standing in (Standing.ON, Standing.POSSIBLY)

    @property
    def estimated(self) -> bool:
        """Whether it rests on an estimate."""
        conditions = any(each is not None and each.estimate for each in self.solved.conditions)
        return conditions or any(each is not None and each.kind == "estimate" for each in self.solved.answers)


@frozen(eq=False, slots=False)
class Explored(Tabular):
    """What came of an exploration. Tables have a row for each design on the front; `designs` has all that were solved.

    `complete` says that the method came to its end, and `contradiction` that what the text states of trends is false.
    """

    problem: Problem
    inputs: Inputs
    method: Method
    total: int
    """Designs that the method would solve; of branch and bound, that it has."""
    solved: Mapping[Levels, Solved]
    complete: bool
    error: EngineError | None
    limit: int | None
    """The most designs that may be solved, where there would be more."""
    contradiction: Contradiction | None

    INDEX: ClassVar[str] = "design"

    @cached_property
    def designs(self) -> tuple[Design, ...]:
        """Every design that was solved, in order of number."""
        return tuple(sorted(_designs(self.problem, self.solved), key=lambda design: design.number))

    @property
    def front(self) -> tuple[Design, ...]:
        """The designs that are on the Pareto front, or may be; without objectives those that are feasible."""
        return tuple(design for design in self.designs if design.on_front)

    @property
    def heuristic(self) -> bool:
        """Whether designs that nobody has looked at may be better: the front is that of those that were solved."""
        return self.method is Method.SAMPLE or not self.complete or self.contradiction is not None

    @property
    def excluded(self) -> int:
        """How many designs bounds have excluded."""
        bound = self.method is Method.BRANCH_AND_BOUND and self.complete
        return self.problem.space.size - len(self.solved) if bound else 0

    def failures(self) -> list[tuple[str, int]]:
        """Return what designs are not feasible for, with how many, the most first; of several the reason of one."""
        reasons = [design.reason for design in self.designs if design.standing is None]
        said = {_sort_of(reason): reason for reason in reversed(reasons)}
        return [(said[sort], count) for sort, count in Counter(map(_sort_of, reasons)).most_common()]

    def headline(self) -> str:
        return f"{self.problem.block} of {self.problem.system}: {self.claim()}"

    def claim(self) -> str:
        """Return what the front is, in a sentence."""
        size, done = self.problem.space.size, len(self.solved)
        what = "the Pareto front" if self.problem.goals else "all that is feasible"
        if self.contradiction is not None:
            return f"heuristic: {what} of {done:,} of {size:,} designs, as what is stated of trends is false"
        if self.method is Method.SAMPLE:
            of = f"{done:,} of {size:,} designs, a Latin hypercube sample of seed {self.problem.seed}"
            return f"heuristic: {what} of {of}; others may be better"
        if not self.complete:
            return f"heuristic: {what} of {done:,} of {size:,} designs, as not all are done; others may be better"
        if self.method is Method.BRANCH_AND_BOUND:
            return f"{what} of {size:,} designs, {done:,} solved and the others excluded by bounds from stated trends"
        return f"{what} of {size:,} designs, each solved"

    def row_ids(self) -> Ints:
        return np.array([design.number for design in self.front], dtype=np.int64)

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return what is varied, both bounds of each measure, its kind, and how the design stands."""
        front = {design.number: design for design in self.front}
        chosen = [front[number] for number in rows.tolist()]
        columns: dict[str, Any] = {
            axis.name: [design.settings[axis.name] for design in chosen] for axis in self.problem.space.axes
        }
        for place, question in enumerate(self.problem.questions):
            answers = [design.solved.answers[place] for design in chosen]
            columns[f"{question.text}.lower"] = [np.nan if each is None else each.lower for each in answers]
            columns[f"{question.text}.upper"] = [np.nan if each is None else each.upper for each in answers]
            columns[f"{question.text}.kind"] = ["" if each is None else each.kind for each in answers]
        columns["standing"] = ["" if each.standing is None else each.standing.value for each in chosen]
        return columns


def _sort_of(reason: str) -> str:
    """Return what is the same of reasons that one line gives, whatever its figures are."""
    match = _LINE.match(reason)
    return match.group() if match is not None else reason


_LINE = re.compile(r"[^`]*`[^`]*`( does not hold| has no answer)?")


def _designs(problem: Problem, solved: Mapping[Levels, Solved]) -> list[Design]:
    """Return the designs with how they stand, in any order."""
    values = {levels: problem.values(each) for levels, each in solved.items() if each.feasible is not False}
    rows = {levels: row for levels, row in values.items() if row is not None}
    bounds = np.array(list(rows.values()), dtype=np.float64).reshape(len(rows), len(problem.goals), 2)
    certain = np.array([solved[levels].feasible is True for levels in rows], dtype=bool)
    standing = dict(zip(rows, standings(bounds[:, :, 0], bounds[:, :, 1], certain), strict=True))
    return [
        Design(
            problem.space.number(levels) + 1,
            levels,
            problem.space.settings(levels),
            each,
            standing.get(levels),
            _reason(problem, each, standing.get(levels)),
        )
        for levels, each in solved.items()
    ]


def _reason(problem: Problem, solved: Solved, standing: Standing | None) -> str:
    if standing is not None or solved.feasible is False:
        return solved.why_not
    pairs = zip(problem.goals, solved.answers, solved.reasons, strict=False)
    return next((f"`{goal.question.text}` has no answer: {why}" for goal, answer, why in pairs if answer is None), "")


# ---- exploring ------------------------------------------------------------------------------------------------------


def explore_block(
    compilation: Compilation,
    block: tree.Explore,
    system: str,
    *,
    sink: Sink,
    engine: TaskEngine,
    objectives: Sequence[Goal] = (),
    max_designs: int = MAX_DESIGNS,
    budget: float | None = None,
    journal: Journal | None = None,
) -> Explored | None:
    """Solve the designs of a block as far as is needed; None after a diagnostic.

    Args:
        compilation: a text without errors.
        block: of the text, or put together by `parse_block`.
        system: the system that is asked about.
        sink: where what is wrong with the block goes.
        engine: who solves designs: `Processes(n)` or Dask.
        objectives: further ones, of whatever can be found of a machine.
        max_designs: the most designs that are solved.
        budget: seconds that each optimum may take.
        journal: where what is solved is kept, and what is known from.

    Raises:
        ExploreError: there are too many designs, and nothing says which to solve; or nothing can be varied.
        JournalError: the journal is of something else.
    """
    if compilation.inputs is None or compilation.model is None:
        raise ExploreError("a fabric file is a machine that is built: explore the text that it was made of")
    problem = read_problem(compilation, block, system, sink, objectives)
    if problem is None:
        return None
    method = _method(problem, max_designs)
    inputs = compilation.inputs
    travelling = Inputs(inputs.source, known_library(compilation.model, inputs), inputs.limits, inputs.settings)
    solver = DesignSolver(
        travelling, system, problem.lets, tuple(each.node for each in problem.requirements), problem.questions,
        budget, method is Method.BRANCH_AND_BOUND,
    )  # fmt: skip
    bench = _Bench(problem, journal)
    if journal is not None:
        journal.open(_key(compilation, problem, solver))
    try:
        complete, error, limit, total = _run(problem, method, bench, solver, engine, max_designs)
    finally:
        if journal is not None:
            journal.close()
    false = search.contradiction(problem, bench.solved)
    return Explored(problem, inputs, method, total, bench.solved, complete, error, limit, false)


def _method(problem: Problem, max_designs: int) -> Method:
    """Return how designs are chosen.

    Raises:
        ExploreError: there are too many, and nothing says which.
    """
    size = problem.space.size
    if problem.sample:
        return Method.EXHAUSTIVE if problem.sample >= size <= max_designs else Method.SAMPLE
    if size <= max_designs:
        return Method.EXHAUSTIVE
    if problem.bounded:
        return Method.BRANCH_AND_BOUND
    raise ExploreError(
        f"these are {size:,} designs, and up to {max_designs:,} are solved one by one: draw some of them by "
        "`sample 400` with `let seed = 7`, or `--samples 400 --seed 7`; state how each objective follows what is "
        "varied, `minimize cost() increasing in racks`, so that bounds can exclude most; or allow more by "
        "`--max-designs`"
    )


@define(eq=False)
class _Bench:
    """What is solved, and how it is solved further."""

    problem: Problem
    journal: Journal | None
    solved: dict[Levels, Solved] = field(factory=dict)

    def solve(self, calls: Calls[Solved], designs: Sequence[Levels], step: Any) -> None:
        """Solve these designs, as far as they are not known."""
        missing = []
        for levels in dict.fromkeys(designs):
            known = self.journal.outcomes.get(self._name(levels)) if self.journal is not None else None
            if levels in self.solved:
                continue
            if known is None:
                missing.append(levels)
            else:
                self.solved[levels] = known
                step()
        with closing(calls([self.problem.space.settings(levels) for levels in missing])) as coming:
            for number, outcome in coming:
                levels = missing[number]
                if self.journal is not None:
                    self.journal.add(self._name(levels), outcome)
                self.solved[levels] = outcome
                step()

    def _name(self, levels: Levels) -> str:
        settings = self.problem.space.settings(levels)
        return hashlib.sha256(json.dumps(sorted(settings.items())).encode()).hexdigest()[:32]


def _run(
    problem: Problem, method: Method, bench: _Bench, solver: DesignSolver, engine: TaskEngine, max_designs: int
) -> tuple[bool, EngineError | None, int | None, int]:
    """Solve what the method wants; whether that is all of it, why it isn't, and how many designs it would be."""
    designs: list[Levels] | None = None
    if method is Method.EXHAUSTIVE:
        designs = search.every_design(problem.space)
    elif method is Method.SAMPLE:
        designs = search.latin_hypercube(problem.space, problem.sample, problem.seed or 0)
    expected = max_designs if designs is None else len(designs)
    title = f"{problem.system}: {problem.block}"
    try:
        with engine.calls(solver, expected) as calls, task(title, None if designs is None else len(designs)) as step:
            if designs is not None:
                bench.solve(calls, designs, step)
            else:
                search.branch_and_bound(problem, bench.solved, lambda some: bench.solve(calls, some, step), max_designs)
    except KeyboardInterrupt:
        return False, None, None, _total(designs, bench)
    except EngineError as error:
        return False, error, None, _total(designs, bench)
    except LimitReachedError:
        return False, None, max_designs, _total(designs, bench)
    return True, None, None, _total(designs, bench)


def _total(designs: Sequence[Levels] | None, bench: _Bench) -> int:
    return len(bench.solved) if designs is None else len(designs)


def _key(compilation: Compilation, problem: Problem, solver: DesignSolver) -> str:
    """Return the hash of all that an outcome depends on, but for the design."""
    settings = sorted(solver.inputs.settings.items())
    lines = [each.span.text for each in problem.lets]
    asked = [VERSION, problem.system, lines, solver.budget_s, solver.thorough, settings]
    texts = [[each.text for each in problem.requirements], [each.text for each in problem.questions]]
    said = json.dumps([asked, texts], ensure_ascii=True)
    return hashlib.sha256(f"{compilation.sources_hash}{said}".encode()).hexdigest()


JOURNAL_CLASSES: Mapping[str, type] = {cls.__name__: cls for cls in (Answer, Condition, Solved)}


def journal_at(path: Path, *, anew: bool = False) -> Journal:
    """Return the journal of an exploration in a file."""
    return Journal(path, anew, "exploration", JOURNAL_CLASSES, Solved)


def block_named(compilation: Compilation, name: str | None) -> tree.Explore:
    """Return the `explore` block of a name, by default the only one.

    Raises:
        UnknownNameError: there is none of this name; a `KeyError`.
        ExploreError: none is named, and there is none or are several.
    """
    assert compilation.model is not None
    blocks = compilation.model.asked(tree.Explore)
    if name is not None:
        if name not in blocks:
            raise UnknownNameError(no_such("explore block", name, list(blocks)))
        return blocks[name]
    if len(blocks) != 1:
        said = f"there are {len(blocks)}: {', '.join(f'`{each}`' for each in blocks)}" if blocks else "there is none"
        raise ExploreError(f"which `explore` block? {said}")
    return next(iter(blocks.values()))


def lines_of(
    vary: Sequence[str] = (),
    minimize: Sequence[str] = (),
    maximize: Sequence[str] = (),
    require: Sequence[str] = (),
    measures: Sequence[str] = (),
    sample: int | None = None,
    seed: int | None = None,
) -> str:
    """Return the lines of a block that says this; what is varied stands as `NAME in VALUES`."""
    lines = [f"vary {each}" for each in vary]
    lines += [f"require {each}" for each in require]
    lines += [f"minimize {each}" for each in minimize]
    lines += [f"maximize {each}" for each in maximize]
    lines += measures
    lines += [] if seed is None else [f"let seed = {seed}"]
    lines += [] if sample is None else [f"sample {sample}"]
    return "\n".join(lines)


__all__ = [
    "MAX_DESIGNS", "Design", "ExploreError", "Explored", "Method", "block_named", "explore_block", "journal_at",
    "lines_of", "parse_block",
]  # fmt: skip
