"""Where both ends of a rule coincide: the index values for which their subscripts are equal, by proof or listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.ir.plan import IndexExpr, Labels, Op, Rule, algebra
from unifiedbus_dsl.ir.plan.index import Points, conjuncts, evaluate, points
from unifiedbus_dsl.ir.plan.labels import labels_at

Pair: TypeAlias = tuple[IndexExpr, IndexExpr]
_APART = ("<", ">", "!=")


def where_equal(rule: Rule, pairs: Sequence[Pair]) -> tuple[Points, Ints]:
    """Return the points of a rule and the numbers of those where both sides of every pair are equal; no points are
    listed where that can't be."""
    if any(_never_equal(a, b, rule) for a, b in pairs):
        return points(()), np.zeros(0, dtype=np.int64)
    work.about(rule.span)
    at = points(rule.axes, rule.where)
    work.spend(at.size, work.LISTED)
    same = np.ones((), dtype=bool)
    for a, b in pairs:
        same = same & np.asarray(evaluate(a, at.grids) == evaluate(b, at.grids))
    return at, np.flatnonzero(np.broadcast_to(same, at.shape).ravel())


def _never_equal(a: IndexExpr, b: IndexExpr, rule: Rule) -> bool:
    difference = algebra.affine(algebra.sub(a, b))
    if not difference.terms:
        return difference.constant != 0
    return any(
        isinstance(each, Op) and each.op in _APART and {each.left, each.right} == {a, b}
        for each in conjuncts(rule.where)
    )


def values_at(at: Points, number: int) -> dict[str, int]:
    """Return the index values of a point."""
    return {name: int(value[0]) for name, value in at.at(np.array([number])).items()}


def tuple_text(values: Mapping[str, int]) -> str:
    """Return index values as `(i=0, j=7)`."""
    shown = {name: value for name, value in values.items() if not name.startswith("_")} or values
    return "(" + ", ".join(f"{name.lstrip('_') or 'e'}={value}" for name, value in shown.items()) + ")"


def subscript_text(groups: Sequence[Labels], flat: int) -> str:
    """Return `[0, 7]` for an element by its number among those that are there; nothing for a single one."""
    places = np.unravel_index(flat, tuple(labels.count for labels in groups)) if groups else ()
    at = [
        str(int(k))
        for labels, place in zip(groups, places, strict=True)
        for k in np.unravel_index(int(labels_at(labels, place)), labels.sizes)
    ]
    return f"[{', '.join(at)}]" if at else ""
