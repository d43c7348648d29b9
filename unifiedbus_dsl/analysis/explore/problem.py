"""An `explore` block as a problem: the designs, the conditions that they must meet, and what is best."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from unifiedbus_dsl.analysis.explore.solve_design import Expression, Question, Solved
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.semantic.queries.check_queries import check_exploration
from unifiedbus_dsl.semantic.queries.design_space import (
    DesignSpace,
    Trends,
    read_sample,
    read_seed,
    read_space,
    read_trends,
)
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse

ASKED = "asked"
"""The name of a block that is put together on the command line or in Python."""


@frozen(eq=False)
class Goal:
    """An objective, and how it is stated to follow what is varied."""

    question: Question
    maximize: bool
    trends: Trends

    @property
    def text(self) -> str:
        return f"{'maximize' if self.maximize else 'minimize'} {self.question.text}"

    @property
    def turned(self) -> Trends:
        """How the value is stated to follow the axes, turned so that less is better."""
        return self.trends.reversed if self.maximize else self.trends

    def bounds(self, answer: Answer) -> tuple[float, float]:
        """Return between what the answer lies, turned so that less is better."""
        low, high = (answer.lower, answer.upper) if answer.kind == "interval" else (answer.value, answer.value)
        return (-high, -low) if self.maximize else (low, high)


@frozen(eq=False)
class Requirement:
    """A condition, and how it is stated to follow what is varied: increasing where it holds on once it holds."""

    node: tree.Expr
    trends: Trends

    @property
    def text(self) -> str:
        return self.node.span.one_line


@frozen(eq=False)
class Problem:
    """What is explored. `sample` is how many designs are drawn, 0 for none, by `seed`."""

    system: str
    block: str
    space: DesignSpace
    lets: tuple[tree.Let, ...]
    requirements: tuple[Requirement, ...]
    goals: tuple[Goal, ...]
    further: tuple[Question, ...]
    sample: int
    seed: int | None

    @property
    def questions(self) -> tuple[Question, ...]:
        return (*(goal.question for goal in self.goals), *self.further)

    @property
    def bounded(self) -> bool:
        """Whether something is stated of every objective, so that boxes of designs have bounds."""
        return bool(self.goals) and all(goal.trends.stated for goal in self.goals)

    def values(self, solved: Solved) -> list[tuple[float, float]] | None:
        """Return the bounds on each objective of a design; None where one has no answer."""
        if len(solved.answers) < len(self.goals):
            return None
        answers = solved.answers[: len(self.goals)]
        known = [answer for answer in answers if answer is not None]
        if len(known) < len(answers):
            return None
        return [goal.bounds(answer) for goal, answer in zip(self.goals, known, strict=True)]


def parse_block(text: str, sink: Sink) -> tree.Explore | None:
    """Return the block that lines given as text make; None after a diagnostic."""
    source = Source("<explore>", f"ubus 1\nexplore {ASKED} of it {{\n{text}\n}}\n")
    written = Sink()
    statements = parse(source, written).statements
    if len(statements) > 1 and not written.has_errors:
        written.error("UB0720", "this is no line of an `explore` block", statements[1].span, "here")
    for each in written:
        sink.add(each)
    blocks = [each for each in statements if isinstance(each, tree.Explore)]
    return blocks[0] if blocks and not written.has_errors else None


def read_problem(
    compilation: Compilation, block: tree.Explore, system: str, sink: Sink, objectives: Sequence[Goal] = ()
) -> Problem | None:
    """Return what a block asks about a system; None after a diagnostic. `objectives` are further ones, which come
    last."""
    model, done = compilation.model, compilation.elaborated
    assert model is not None
    assert done is not None
    here = Sink()
    block = evolve(block, of=evolve(block.of, text=system))
    lets = check_exploration(done, model, here, block)
    evaluator = Evaluator(Scope(model.main, lets=done.elaborator.lets), Sink())
    space = None if here.has_errors else read_space(block.items, block.name.span, model, evaluator)
    for each in here:
        sink.add(each)
    if space is None:
        return None
    requirements = [
        Requirement(item.condition, _trends(item.trends, space))
        for item in block.items
        if isinstance(item, tree.Require)
    ]
    goals = [
        Goal(Expression(item.value), item.maximize, _trends(item.trends, space))
        for item in block.items
        if isinstance(item, tree.Objective)
    ]
    return Problem(
        system,
        block.name.text,
        space,
        tuple(item for item in block.items if isinstance(item, tree.Let)),
        tuple(requirements),
        (*goals, *objectives),
        tuple(Expression(item.value) for item in block.items if isinstance(item, tree.Measure)),
        read_sample(block.items, lets, Sink()) or 0,
        read_seed(lets),
    )


def _trends(trends: Sequence[tree.Trend], space: DesignSpace) -> Trends:
    result = read_trends(trends, space, Sink())
    assert result is not None, "a block that was checked"
    return result
