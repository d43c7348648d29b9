"""Cable lengths that come from the floor plan, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

import numpy as np

from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.index import IntArray, Points, distinct


def millimetres(length: Fraction) -> int:
    """Return a length in metres rounded to 1 mm, half a millimetre up."""
    return floor(length * 1000 + Fraction(1, 2))


def rule_lengths(plan: Plan, key: str, number: int) -> IntArray:
    """Return the distinct lengths of the cables of a rule in millimetres, ascending; `UNPLACED` (-1) for none."""
    rule = plan.assemblies[key].rules[number]
    if plan.numbering.rule_size(key, number) == 0:
        return np.empty(0, np.int64)
    if rule.length is not None:
        return np.asarray([millimetres(rule.length)], dtype=np.int64)
    return distinct(np.concatenate([distinct(values) for _, values in _floor_lengths(plan, key, number)]))


def length_counts(plan: Plan, key: str, number: int) -> dict[int, int]:
    """Return how many cables of a rule, in one instance, have each length in millimetres (`UNPLACED` for none),
    ascending."""
    rule, size = plan.assemblies[key].rules[number], plan.numbering.rule_size(key, number)
    if size == 0:
        return {}
    if rule.length is not None:
        return {millimetres(rule.length): size}
    count_of: dict[int, int] = {}
    for part, values in _floor_lengths(plan, key, number):
        repeated = part.size // values.size  # over the axes that the length does not depend on
        for length, count in zip(*_counted(values), strict=True):
            count_of[length] = count_of.get(length, 0) + count * repeated
    return dict(sorted(count_of.items()))


def _counted(values: IntArray) -> tuple[list[int], list[int]]:
    """Return the distinct values and how often each is there."""
    lengths = distinct(values)
    counts = np.bincount(np.searchsorted(lengths, values.ravel()), minlength=lengths.size)
    return lengths.tolist(), counts.tolist()


def _floor_lengths(plan: Plan, key: str, number: int) -> Iterator[tuple[Points, IntArray]]:
    for _, part in plan.numbering.rule_parts(key, number):
        yield part, plan.numbering.lengths(key, number, part)
