"""Branch and bound, held to solving every design; samples; statements about trends that are false."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest

from unifiedbus_dsl.analysis.explore.explorations import _designs
from unifiedbus_dsl.analysis.explore.problem import Goal, Problem, Requirement
from unifiedbus_dsl.analysis.explore.search import (
    LimitReachedError,
    Solve,
    branch_and_bound,
    contradiction,
    every_design,
    latin_hypercube,
)
from unifiedbus_dsl.analysis.explore.solve_design import Condition, Machine, Solved
from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.semantic.queries.design_space import Axis, DesignSpace, Levels, Trends
from unifiedbus_dsl.syntax import tree

Value = Callable[[Levels], float]


class Asked:
    """A question that nobody asks here."""

    text = "value"

    def answer(self, machine: Machine) -> Answer | None:
        raise AssertionError


def space_of(counts: Sequence[int]) -> DesignSpace:
    return DesignSpace(tuple(Axis(f"a{k}", tuple(map(str, range(n))), True) for k, n in enumerate(counts)))


def exact(value: float) -> Answer:
    return Answer("s", "b", "m", "", value, NUMBER, "exact", value, value)


def problem_of(
    space: DesignSpace, goals: Sequence[tuple[bool, tuple[int, ...]]], needs: Sequence[tuple[int, ...]]
) -> Problem:
    node = tree.Bool(True, span=Span(Source("x", "true"), 0, 4))
    return Problem(
        "s", "b", space, (), tuple(Requirement(node, Trends(ways)) for ways in needs),
        tuple(Goal(Asked(), maximize, Trends(ways)) for maximize, ways in goals), (), 0, None,
    )  # fmt: skip


def solver(
    values: Sequence[Value], conditions: Sequence[Callable[[Levels], bool]], solved: dict[Levels, Solved]
) -> Solve:
    def solve(designs: Sequence[Levels]) -> None:
        for levels in designs:
            assert levels not in solved, "no design is solved twice"
            held = tuple(Condition(bool(condition(levels))) for condition in conditions)
            solved[levels] = Solved(held, tuple(exact(value(levels)) for value in values), ("",) * len(values))

    return solve


def front(problem: Problem, solved: dict[Levels, Solved]) -> set[Levels]:
    return {design.levels for design in _designs(problem, solved) if design.on_front}


@pytest.mark.parametrize("seed", range(80))
def test_nothing_on_the_front_is_lost(seed: int) -> None:
    """Random values that follow the axes as stated, with plateaus, and unstated axes of which nothing is known."""
    draw = np.random.default_rng(seed)
    counts = [int(n) for n in draw.integers(1, 7, int(draw.integers(1, 4)))]
    space = space_of(counts)
    goals, values = [], []
    for _ in range(int(draw.integers(1, 4))):
        ways = tuple(int(w) for w in draw.choice([-1, 0, 1], len(counts), p=[0.4, 0.2, 0.4]))
        goals.append((bool(draw.random() < 0.5), ways))
        values.append(random_value(draw, counts, ways))
    needs, conditions = [], []
    for _ in range(int(draw.integers(0, 3))):
        ways = tuple(int(w) for w in draw.choice([-1, 0, 1], len(counts), p=[0.4, 0.2, 0.4]))
        needs.append(ways)
        value = random_value(draw, counts, ways)
        threshold = float(np.median([value(levels) for levels in every_design(space)]))
        conditions.append(lambda levels, value=value, threshold=threshold: value(levels) >= threshold)
    problem = problem_of(space, goals, needs)
    every: dict[Levels, Solved] = {}
    solver(values, conditions, every)(every_design(space))
    bounded: dict[Levels, Solved] = {}
    branch_and_bound(problem, bounded, solver(values, conditions, bounded), space.size)
    assert contradiction(problem, every) is None
    assert front(problem, bounded) == front(problem, every)


def random_value(draw: np.random.Generator, counts: Sequence[int], ways: Sequence[int]) -> Value:
    """A table that follows each axis as stated: sums of steps along it, anything along the others."""
    table = draw.integers(0, 3, counts).astype(float)
    for axis, way in enumerate(ways):
        if way:
            table = np.cumsum(table, axis=axis)
            table = np.flip(table, axis=axis) if way < 0 else table
    return lambda levels: float(table[levels])


def test_bounds_leave_most_designs_unsolved() -> None:
    space = space_of((64, 64))
    problem = problem_of(space, [(False, (1, 1))], [(1, 1)])
    solved: dict[Levels, Solved] = {}
    solve = solver([lambda at: at[0] + 2.0 * at[1]], [lambda at: at[0] + at[1] >= 70], solved)
    branch_and_bound(problem, solved, solve, space.size)
    assert front(problem, solved) == {(63, 7)}
    assert len(solved) < space.size / 10


def test_a_limit_is_kept() -> None:
    space = space_of((64, 64))
    problem = problem_of(space, [(False, (1, 1)), (True, (1, 1))], [])
    solved: dict[Levels, Solved] = {}
    with pytest.raises(LimitReachedError):
        branch_and_bound(problem, solved, solver([sum, sum], [], solved), 100)
    assert 0 < len(solved) <= 100


def test_a_false_statement_is_found() -> None:
    space = space_of((4, 4))
    solved: dict[Levels, Solved] = {}
    solver([lambda at: at[0] - (at == (2, 1))], [lambda at: at[1] < 3], solved)(every_design(space))
    assert contradiction(problem_of(space, [(False, (1, 0))], [(0, -1)]), solved) is None
    false = contradiction(problem_of(space, [(False, (1, 1))], [(0, 0)]), solved)
    assert false is not None
    assert (false.number, false.second) == (0, (2, 1))
    false = contradiction(problem_of(space, [(False, (1, 0))], [(0, 1)]), solved)
    assert false is not None
    assert false.number == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_sample_takes_each_part_of_each_axis_once(seed: int) -> None:
    draw = np.random.default_rng(seed)
    counts = [int(n) for n in draw.integers(1, 10_000, 3)]
    count = int(draw.integers(1, 40))
    space = space_of([1])
    space = DesignSpace(tuple(Axis(f"a{k}", tuple(map(str, range(n))), True) for k, n in enumerate(counts)))
    sample = latin_hypercube(space, count, seed)
    assert sample == latin_hypercube(space, count, seed)
    assert len(set(sample)) == len(sample) <= count
    for axis, n in enumerate(counts):
        if n >= count and len(sample) == count:
            assert len({levels[axis] * count // n for levels in sample}) == count
        assert all(0 <= levels[axis] < n for levels in sample)


def test_a_seed_means_the_same_for_ever() -> None:
    space = space_of((10, 10))
    assert latin_hypercube(space, 5, 7) == [(7, 3), (9, 7), (1, 5), (5, 9), (3, 1)]


def test_designs_have_numbers() -> None:
    space = space_of((2, 3, 4))
    assert [space.levels(space.number(each)) for each in every_design(space)] == every_design(space)
    assert every_design(space) == list(product(range(2), range(3), range(4)))
