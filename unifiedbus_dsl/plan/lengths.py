"""Cable lengths that come from the floor plan, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import floor

import numpy as np
from attrs import frozen

from unifiedbus_dsl.plan import Plan
from unifiedbus_dsl.plan.index import IntArray, Points, distinct
from unifiedbus_dsl.plan.numbering import UNPLACED


def millimetres(length: Fraction) -> int:
    """A length in metres rounded to 1 mm, half a millimetre up."""
    return floor(length * 1000 + Fraction(1, 2))


def rule_lengths(plan: Plan, key: str, number: int) -> IntArray:
    """The distinct lengths of the cables of a rule in millimetres, ascending; `UNPLACED` (-1) for none."""
    rule = plan.assemblies[key].rules[number]
    if plan.numbering.rule_size(key, number) == 0:
        return np.empty(0, np.int64)
    if rule.length is not None:
        return np.asarray([millimetres(rule.length)], dtype=np.int64)
    return distinct(np.concatenate([distinct(values) for _, values in _floor_lengths(plan, key, number)]))


def length_counts(plan: Plan, key: str, number: int) -> dict[int, int]:
    """How many cables of a rule, in one instance, have each length in millimetres (`UNPLACED` for none), ascending."""
    rule, size = plan.assemblies[key].rules[number], plan.numbering.rule_size(key, number)
    if size == 0:
        return {}
    if rule.length is not None:
        return {millimetres(rule.length): size}
    found: dict[int, int] = {}
    for part, values in _floor_lengths(plan, key, number):
        repeated = part.size // values.size  # over the axes that the length does not depend on
        for length, count in zip(*_counted(values), strict=True):
            found[length] = found.get(length, 0) + count * repeated
    return dict(sorted(found.items()))


def _counted(values: IntArray) -> tuple[list[int], list[int]]:
    """The distinct values and how often each is there."""
    found = distinct(values)
    counts = np.bincount(np.searchsorted(found, values.ravel()), minlength=found.size)
    return found.tolist(), counts.tolist()


def first_of_length(plan: Plan, key: str, number: int, length: int) -> Mapping[str, int]:
    """The index values of the first cable of a rule that has this length in millimetres (`UNPLACED` for none)."""
    for part, values in _floor_lengths(plan, key, number):
        found = np.flatnonzero(np.broadcast_to(values == length, part.shape))
        if len(found):
            return {name: int(value[0]) for name, value in part.at(found[:1]).items()}
    raise ValueError(f"no cable of rule {number} of `{key}` is {length} mm long")


@frozen
class MissingLength:
    """Cables of `assembly.rules[rule]` that need a length from the floor and have none: how many in one instance, and
    the index values of the first.

    `same_place` says that both ends of that one are in the same placed element; else a side stands nowhere.
    """

    assembly: str
    rule: int
    count: int
    example: Mapping[str, int]
    same_place: bool


def missing_lengths(plan: Plan) -> list[MissingLength]:
    """Every rule with cables that have no length, assemblies in order of key."""
    found = []
    for key in sorted(plan.bottom_up):
        for number, rule in enumerate(plan.assemblies[key].rules):
            if rule.length is not None:
                continue
            count = sum(
                int(np.count_nonzero(np.broadcast_to(values == UNPLACED, part.shape)))
                for part, values in _floor_lengths(plan, key, number)
            )
            if count:
                example = first_of_length(plan, key, number, UNPLACED)
                found.append(MissingLength(key, number, count, example, _same_place(plan, key, number, example)))
    return found


def _floor_lengths(plan: Plan, key: str, number: int) -> Iterator[tuple[Points, IntArray]]:
    for _, part in plan.numbering.rule_parts(key, number):
        yield part, plan.numbering.lengths(key, number, part)


def _same_place(plan: Plan, key: str, number: int, at: Mapping[str, int]) -> bool:
    rule = plan.assemblies[key].rules[number]
    point = Points((), {name: np.asarray(value) for name, value in at.items()}, {})
    left, right = (plan.numbering.places(key, ref, point) for ref in (rule.left, rule.right))
    return int(left.element) == int(right.element) != UNPLACED
