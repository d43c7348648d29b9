"""Arithmetic on intervals: what holds for every value in them, and nothing where the ends don't tell."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.base.units import Quantity, number
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.semantic.values.operators import Undecided, apply_binary, compare_values
from unifiedbus_dsl.semantic.values.values import Interval, Poison
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse

WHOLE = st.integers(-6, 6)
INTERVALS = st.tuples(WHOLE, WHOLE).map(sorted)


def expression(text: str) -> tree.Binary | tree.Compare:
    (let,) = parse(Source("t", f"ubus 1\nlet x = {text}\n"), Sink()).statements
    assert isinstance(let, tree.Let)
    assert isinstance(let.value, tree.Binary | tree.Compare)
    return let.value


def between(ends: list[int]) -> Interval:
    return Interval(number(ends[0]), number(ends[1]), False)


def values(ends: list[int]) -> list[Quantity]:
    """The ends and what lies between, in halves."""
    return [number(Fraction(k, 2)) for k in range(2 * ends[0], 2 * ends[1] + 1)]


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "^", "div", "mod"])
@given(INTERVALS, INTERVALS)
def test_every_value_is_between_the_ends(op: str, left: list[int], right: list[int]) -> None:
    node = expression(f"a {op} b")
    assert isinstance(node, tree.Binary)
    sink = Sink()
    found = apply_binary(sink, node, between(left), between(right))
    if isinstance(found, Poison):
        assert sink.has_errors
        assert op in ("^", "div", "mod") or (op == "/" and right[0] <= 0 <= right[1])
        return
    assert isinstance(found, Interval)
    for x in values(left):
        for y in values(right):
            value = apply_binary(Sink(), node, x, y)
            assert isinstance(value, Quantity)
            assert found.lower.value <= value.value <= found.upper.value


@pytest.mark.parametrize("op", ["==", "!=", "<", "<=", ">", ">="])
@given(INTERVALS, INTERVALS)
def test_a_comparison_is_decided_only_where_all_values_agree(op: str, left: list[int], right: list[int]) -> None:
    node = expression(f"a {op} b")
    assert isinstance(node, tree.Compare)
    each = {compare_values(Sink(), node, x, y, number(0)) for x in values(left) for y in values(right)}
    try:
        found = compare_values(Sink(), node, between(left), between(right), number(0))
    except Undecided:
        assert len(each) == 2
        return
    assert each == {found}
