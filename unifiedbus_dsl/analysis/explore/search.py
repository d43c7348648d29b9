"""Which designs are solved: all of them, those that bounds don't exclude, or a sample.

**Branch and bound.** A box holds, on each axis, the levels between two. Where an objective is stated to follow an axis
one way, its best value in the box lies at a corner, and so does the best chance of a condition. A box is excluded
where a condition fails at its corner, or a design that is solved beats the corners of all objectives together; else it
is halved. Nothing on the front is lost, as far as what is stated is true; what is solved is held to it (`trends`).

**Latin hypercube.** Of n designs each axis takes every n-th part of its levels once, in an order of its own that the
seed gives (McKay, Beckman and Conover, 1979); designs that come out equal are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.analysis.explore.front import at_most, less
from unifiedbus_dsl.analysis.explore.problem import Goal, Problem
from unifiedbus_dsl.analysis.explore.solve_design import Solved
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.base.random import StablePermutation
from unifiedbus_dsl.semantic.queries.design_space import DesignSpace, Levels, Trends

Solve: TypeAlias = Callable[[Sequence[Levels]], None]
"""Solves designs, those that are not yet; what comes of them is in the table of what is solved."""


class LimitReachedError(Exception):
    """More designs would have to be solved than may be."""


def every_design(space: DesignSpace) -> list[Levels]:
    """Return all designs, in order of their numbers."""
    return [space.levels(number) for number in range(space.size)]


def latin_hypercube(space: DesignSpace, count: int, seed: int) -> list[Levels]:
    """Return up to `count` different designs drawn at random, in order of the draws."""
    columns = []
    for number, axis in enumerate(space.axes):
        part = StablePermutation((seed, number))(np.arange(count))
        columns.append([(2 * int(k) + 1) * axis.count // (2 * count) for k in part])
    return list(dict.fromkeys(zip(*columns, strict=True)))


# ---- branch and bound -----------------------------------------------------------------------------------------------


@frozen
class Box:
    """The designs with levels from `low` to `high` on each axis, both among them."""

    low: Levels
    high: Levels

    @property
    def single(self) -> bool:
        return self.low == self.high

    @property
    def size(self) -> int:
        size = 1
        for low, high in zip(self.low, self.high, strict=True):
            size *= high - low + 1
        return size

    def corner(self, ways: Iterable[int]) -> Levels | None:
        """Return the design where what follows the axes these ways is least; None where that is not known."""
        levels = []
        for way, low, high in zip(ways, self.low, self.high, strict=True):
            if not way and low != high:
                return None
            levels.append(high if way < 0 else low)
        return tuple(levels)

    def halves(self, axis: int) -> tuple[Box, Box]:
        """Return the lower and the upper half along an axis."""
        middle = (self.low[axis] + self.high[axis]) // 2
        high = (*self.high[:axis], middle, *self.high[axis + 1 :])
        low = (*self.low[:axis], middle + 1, *self.low[axis + 1 :])
        return evolve(self, high=high), evolve(self, low=low)


def branch_and_bound(problem: Problem, solved: dict[Levels, Solved], solve: Solve, limit: int) -> None:
    """Solve designs until every other one is excluded.

    Raises:
        LimitReachedError: more than `limit` would have to be solved.
    """
    space, ways = problem.space, _ways(problem)
    boxes = [Box((0,) * len(space.axes), tuple(axis.count - 1 for axis in space.axes))]
    while boxes:
        corners = {corner: None for box in boxes for corner in _corners(ways, box)}
        asked = [corner for corner in corners if corner not in solved]
        if len(solved) + len(asked) > limit:
            raise LimitReachedError
        solve(asked)
        known = _known(problem, solved)
        left = [box for box in boxes if not box.single and not _excluded(problem, ways, box, solved, known)]
        boxes = [half for box in left for half in box.halves(_longest(ways, box))]


def _ways(problem: Problem) -> list[tuple[int, ...]]:
    """Return how each objective, then the failure of each requirement, follows the axes, less being better."""
    goals = [goal.turned.ways for goal in problem.goals]
    return goals + [each.trends.reversed.ways for each in problem.requirements]


def _corners(ways: Sequence[tuple[int, ...]], box: Box) -> list[Levels]:
    """Return the designs that a box is judged by; of one with a single design this."""
    if box.single:
        return [box.low]
    return [corner for each in ways if (corner := box.corner(each)) is not None]


def _known(problem: Problem, solved: dict[Levels, Solved]) -> Floats:
    """Return the worse bounds of the designs that are known to be feasible, [designs, objectives]."""
    rows = [problem.values(each) for each in solved.values() if each.feasible]
    return np.array([[high for _, high in row] for row in rows if row is not None]).reshape(-1, len(problem.goals))


def _excluded(
    problem: Problem, ways: Sequence[tuple[int, ...]], box: Box, solved: dict[Levels, Solved], known: Floats
) -> bool:
    """Return whether no design of a box is on the front."""
    for number, of_failure in enumerate(ways[len(problem.goals) :]):
        corner = box.corner(of_failure)
        conditions = solved[corner].conditions if corner is not None else ()
        if conditions and (condition := conditions[number]) is not None and condition.holds is False:
            return True
    best = np.array(
        [_best(goal, number, box.corner(ways[number]), solved) for number, goal in enumerate(problem.goals)]
    )
    return bool((at_most(known, best).all(axis=1) & less(known, best).any(axis=1)).any())


def _best(goal: Goal, number: int, corner: Levels | None, solved: dict[Levels, Solved]) -> float:
    """Return a bound that no design of a box beats in an objective, which is best at this corner."""
    answers = solved[corner].answers if corner is not None else ()
    answer = answers[number] if answers else None
    return -np.inf if answer is None else goal.bounds(answer)[0]


def _longest(ways: Sequence[tuple[int, ...]], box: Box) -> int:
    """Return the axis to halve: one that keeps a bound from being known, else the longest."""
    unknown = [any(not each[axis] for each in ways) for axis in range(len(box.low))]
    length = [high - low for low, high in zip(box.low, box.high, strict=True)]
    return max(range(len(length)), key=lambda axis: (unknown[axis] and length[axis] > 0, length[axis]))


# ---- what is stated, held to what is solved -------------------------------------------------------------------------


@frozen
class Contradiction:
    """Two designs, the second one further along, whose values a statement about objective or requirement `number` (the
    objectives first) is false of."""

    number: int
    first: Levels
    second: Levels


def contradiction(problem: Problem, solved: dict[Levels, Solved]) -> Contradiction | None:
    """Return where what is stated of trends is false among the designs that are solved; None where it is not."""
    for number, goal in enumerate(problem.goals):
        rows = [
            (levels, goal.bounds(answer))
            for levels, each in solved.items()
            if each.answers and (answer := each.answers[number]) is not None
        ]
        pair = _false_pair(rows, goal.turned)
        if pair is not None:
            return Contradiction(number, *pair)
    for number, requirement in enumerate(problem.requirements):
        rows = [
            (levels, (float(condition.holds), float(condition.holds)))
            for levels, each in solved.items()
            if each.conditions and (condition := each.conditions[number]) is not None and condition.holds is not None
        ]
        pair = _false_pair(rows, requirement.trends)
        if pair is not None:
            return Contradiction(len(problem.goals) + number, *pair)
    return None


def _false_pair(rows: Sequence[tuple[Levels, tuple[float, float]]], trends: Trends) -> tuple[Levels, Levels] | None:
    """Return two designs of which the second is no less far along every axis, alike in those of which nothing is
    stated, and certainly less in value; None where there are none."""
    if not trends.stated or len(rows) < 2:
        return None
    levels = np.array([row[0] for row in rows], dtype=np.int64)
    low, high = np.array([row[1] for row in rows]).T
    ways = np.array(trends.ways)
    along, alike = levels[:, ways != 0] * ways[ways != 0], levels[:, ways == 0]
    for first in range(len(rows)):
        further = (along >= along[first]).all(axis=1) & (alike == alike[first]).all(axis=1)
        false = further & less(high, np.broadcast_to(low[first], high.shape))
        if false.any():
            return rows[first][0], rows[int(np.argmax(false))][0]
    return None
