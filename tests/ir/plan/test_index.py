"""Index expressions: values, points, text, and what is known of them without listing points."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.ir.plan import loops
from tests.ir.plan.random_plans import axis_lists, conditions, numbers
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Lookup, Not, Op, Var
from unifiedbus_dsl.ir.plan import algebra as alg
from unifiedbus_dsl.ir.plan.index import (
    axes_used,
    axis_values,
    count_points,
    distinct,
    evaluate,
    flat_index,
    open_grid,
    point_parts,
    points,
    substitute,
    text,
    texts,
)

X, J, B, S = Var("i"), Var("j"), Var("b"), Var("s")
EIGHT = (Axis("b", 0, 7), Axis("s", 0, 7))


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Axis, ...], IndexExpr, IndexExpr | None]:
    axes = draw(axis_lists())
    return axes, draw(numbers(axes, 3)), draw(st.one_of(st.none(), conditions(axes)))


def by_loops(axes: tuple[Axis, ...], expr: IndexExpr, where: IndexExpr | None) -> list[int]:
    return [loops.value(expr, at) for at in loops.index_points(axes, where)]


@given(cases())
@settings(max_examples=150, deadline=None)
def test_values_over_the_points(case: tuple[tuple[Axis, ...], IndexExpr, IndexExpr | None]) -> None:
    axes, expr, where = case
    grid = points(axes, where)
    names = [a.name for a in axes]
    columns = [np.broadcast_to(grid.grids[name], grid.shape).ravel().tolist() for name in names]
    found = list(zip(*columns, strict=True)) if names else [()] * grid.size
    expected = [tuple(at[name] for name in names) for at in loops.index_points(axes, where)]
    assert sorted(found) == sorted(expected)
    assert grid.size == count_points(axes, where) == len(expected)
    if where is None:
        assert found == expected
    values = np.broadcast_to(evaluate(expr, grid.grids), grid.shape).ravel().tolist()
    assert sorted(zip(found, values, strict=True)) == sorted(zip(expected, by_loops(axes, expr, where), strict=True))
    numbers_of = np.arange(grid.size)
    assert {n: v.tolist() for n, v in grid.at(numbers_of).items()} == dict(zip(names, map(list, columns), strict=True))


@given(cases(), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_pieces_make_the_whole(case: tuple[tuple[Axis, ...], IndexExpr, IndexExpr | None], size: int) -> None:
    axes, expr, where = case
    whole, at = points(axes, where), 0
    values = np.broadcast_to(evaluate(expr, whole.grids), whole.shape).ravel()
    for start, part in point_parts(axes, where, size):
        assert start == at
        at += part.size
        found = np.broadcast_to(evaluate(expr, part.grids), part.shape).ravel()
        assert found.tolist() == values[start:at].tolist()
    assert at == whole.size


def test_an_axis_is_a_dimension_of_its_own() -> None:
    axes = (Axis("i", 0, 3), Axis("j", 2, 6, 2), Axis("k", 0, 4))
    assert evaluate(Op("+", X, Var("k")), open_grid(axes)).shape == (4, 1, 5)
    assert axis_values(axes[1]).tolist() == [2, 4, 6]


def test_a_condition_ties_only_its_own_axes() -> None:
    axes = tuple(Axis(name, 0, 3) for name in "ijkl")
    where = Op("and", Op("<", X, Var("k")), Op("==", J, Const(2)))
    grid = points(axes, where)
    assert grid.shape == (6, 1, 4)
    assert (grid.dims["i"], grid.dims["k"], grid.dims["j"], grid.dims["l"]) == (0, 0, 1, 2)


def test_a_condition_without_axes() -> None:
    assert count_points((), Op("<", Const(1), Const(2))) == 1
    assert points((), Op("<", Const(2), Const(1))).size == count_points((), Op("<", Const(2), Const(1))) == 0


def test_flat_index_is_row_major() -> None:
    assert flat_index((X, Const(2)), (4, 3), {"i": np.arange(4)}).tolist() == [2, 5, 8, 11]
    assert flat_index((), (), {}).tolist() == 0


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Op("+", Op("*", Const(8), B), S), "8*b + s"),
        (Op("*", Const(8), Op("+", B, S)), "8*(b + s)"),
        (Op("-", X, Op("-", J, Const(1))), "i - (j - 1)"),
        (Op("-", Op("-", X, J), Const(1)), "i - j - 1"),
        (Op("mod", Op("+", X, Const(1)), Const(4)), "(i + 1) mod 4"),
        (Op("*", Op("div", X, Const(4)), Const(2)), "i div 4*2"),
        (
            Op("or", Op("and", Op("<", X, J), Not(Op("==", X, Const(0)))), Op(">", X, J)),
            "i < j and not i == 0 or i > j",
        ),
        (Op("and", Op("or", Op("<", X, J), Op(">", X, J)), Op("!=", X, Const(0))), "(i < j or i > j) and i != 0"),
        (Op("*", Const(-1), X), "(-1)*i"),
        (Lookup((3, 1, 2), X), "{3, 1, 2}[i]"),
        (Lookup(tuple(range(9)), X), "{0, 1, 2, 3, 4, 5, …, 8; 9 values, checksum 33ff69c2}[i]"),
    ],
)
def test_text(expr: IndexExpr, expected: str) -> None:
    assert text(expr) == expected
    assert texts([expr, X]) == f"[{expected}, i]"


@given(axis_lists().flatmap(lambda axes: st.tuples(st.just(axes), st.one_of(numbers(axes, 3), conditions(axes)))))
@settings(max_examples=200, deadline=None)
def test_text_reads_back(case: tuple[tuple[Axis, ...], IndexExpr]) -> None:
    """Python reads `//` and `%` with the same strength and direction as the language reads `div` and `mod`."""
    axes, expr = case
    written = text(expr).replace("{", "(").replace("}", ",)").replace("div", "//").replace("mod", "%")
    for at in list(loops.index_points(axes, None))[:20]:
        assert eval(written, {}, dict(at)) == loops.value(expr, at)


@given(cases())
@settings(max_examples=200, deadline=None)
def test_bounds_are_exact(case: tuple[tuple[Axis, ...], IndexExpr, IndexExpr | None]) -> None:
    axes, expr, where = case
    values = by_loops(axes, expr, where)
    found = alg.bounds(expr, axes, where)
    assert found == ((min(values), max(values)) if values else None)
    for low, high in ((0, 5), (-2, 2), found or (0, 0)):
        assert alg.within(expr, axes, low, high, where) == all(low <= v <= high for v in values)
    if values:
        outer = alg.interval_of(expr, {a.name: a for a in axes})
        assert outer.low <= min(values)
        assert max(values) <= outer.high


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Op("+", Op("*", Const(8), B), S), (0, 63)),
        (Op("mod", Op("+", B, Const(1)), Const(8)), (0, 7)),
        (Op("mod", Op("+", Op("*", Const(8), B), S), Const(5)), (0, 4)),
        (Op("div", Op("+", Op("*", Const(8), B), S), Const(8)), (0, 7)),
        (Op("-", Op("+", B, S), B), (0, 7)),
        (Op("*", B, Op("-", S, Const(3))), (-21, 28)),
    ],
)
def test_these_bounds_need_no_evaluation(expr: IndexExpr, expected: tuple[int, int]) -> None:
    found = alg.interval_of(expr, {a.name: a for a in EIGHT})
    assert found == alg.IntegerInterval(*expected)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        # the parts use the same axis, so they are not at their ends together
        (Op("+", Op("mod", X, Const(2)), Op("div", X, Const(2))), (0, 1)),
        # only even numbers, so not every remainder and not every place of the table
        (Op("mod", Op("*", Const(2), X), Const(4)), (0, 2)),
        (Lookup((1, 9, 2, 9, 3), Op("*", Const(2), X)), (1, 3)),
    ],
)
def test_bounds_that_intervals_miss(expr: IndexExpr, expected: tuple[int, int]) -> None:
    axes = (Axis("i", 0, 2),)
    assert not alg.interval_of(expr, {"i": axes[0]}).exact
    assert alg.bounds(expr, axes) == expected


@given(cases())
@settings(max_examples=150, deadline=None)
def test_simplify_keeps_values(case: tuple[tuple[Axis, ...], IndexExpr, IndexExpr | None]) -> None:
    axes, expr, where = case
    assert by_loops(axes, alg.simplify(expr, axes), None) == by_loops(axes, expr, None)
    if where is not None:
        assert by_loops(axes, alg.simplify(where, axes), None) == by_loops(axes, where, None)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Op("div", Op("+", Op("*", Const(8), B), S), Const(8)), "b"),
        (Op("mod", Op("+", Op("*", Const(8), B), S), Const(8)), "s"),
        (Op("div", Op("+", Op("*", Const(16), B), S), Const(8)), "2*b"),
        (Op("mod", Op("-", Op("*", Const(8), B), Const(1)), Const(8)), "7"),
        (Op("div", Op("div", Var("e"), Const(2)), Const(3)), "e div 6"),
        (Op("+", Op("*", Const(0), B), Op("-", S, Const(0))), "s"),
        (Op("mod", Op("+", Op("*", Const(8), B), Op("*", Const(3), S)), Const(8)), "3*s mod 8"),
    ],
)
def test_simplify(expr: IndexExpr, expected: str) -> None:
    assert text(alg.simplify(expr, (*EIGHT, Axis("e", 0, 99)))) == expected


def test_constructors_fold() -> None:
    two, three = Const(2), Const(3)
    assert alg.add(alg.add(X, two), three) == Op("+", X, Const(5))
    assert alg.add(X, Const(-2)) == alg.sub(X, two) == Op("-", X, two)
    assert alg.sub(alg.add(X, two), three) == Op("-", X, Const(1))
    assert alg.mul(two, alg.mul(three, X)) == Op("*", Const(6), X)
    assert alg.mul(X, Const(1)) == alg.div(X, Const(1)) == alg.add(X, Const(0)) == alg.sub(X, Const(0)) == X
    assert alg.mul(X, Const(0)) == alg.mod(X, Const(1)) == alg.sub(X, X) == Const(0)
    assert (alg.div(Const(-1), two), alg.mod(Const(-1), two)) == (Const(-1), Const(1))
    assert alg.compare("<", two, three) == alg.TRUE
    assert alg.both(None, alg.TRUE) == alg.TRUE
    assert alg.both(alg.TRUE, X) == X


@given(cases(), st.lists(st.integers(1, 4), max_size=3))
@settings(max_examples=200, deadline=None)
def test_unflatten(case: tuple[tuple[Axis, ...], IndexExpr, IndexExpr | None], shape: list[int]) -> None:
    axes, expr, _ = case
    size = int(np.prod(shape, dtype=int))
    flat = Op("mod", expr, Const(size))
    at = alg.unflatten(flat, shape, axes)
    for point in loops.index_points(axes, None):
        expected = np.unravel_index(loops.value(flat, point), tuple(shape)) if shape else ()
        assert tuple(loops.value(x, point) for x in at) == tuple(map(int, expected))


@st.composite
def families(draw: st.DrawFn) -> tuple[tuple[Axis, ...], tuple[IndexExpr, ...], IndexExpr | None]:
    """Axes, subscripts that are likely to be distinct, a condition."""
    axes = draw(axis_lists(2))
    subscripts = tuple(draw(st.lists(numbers(axes, 2), min_size=1, max_size=2)))
    return axes, subscripts, draw(st.one_of(st.none(), conditions(axes, 1)))


@given(families())
@settings(max_examples=150, deadline=None)
def test_what_is_proved_distinct_is(case: tuple[tuple[Axis, ...], tuple[IndexExpr, ...], IndexExpr | None]) -> None:
    axes, subscripts, _ = case
    assume(alg.is_injective(subscripts, axes))
    values = [tuple(loops.value(x, at) for x in subscripts) for at in loops.index_points(axes, None)]
    assert len(set(values)) == len(values)


XOR = tuple(i ^ j for i in range(8) for j in range(8))
"""A table in which no number stands twice in a row or a column."""


@pytest.mark.parametrize(
    ("subscripts", "proved"),
    [
        ((Op("+", Op("*", Const(8), B), S),), True),
        ((Op("+", Op("*", Const(7), B), S),), False),
        ((Op("-", Op("*", Const(8), B), S),), True),
        ((B, Op("+", B, S)), True),
        ((B,), False),
        ((Op("mod", Op("+", B, Const(3)), Const(8)), S), True),
        ((Op("mod", Op("+", B, Const(3)), Const(7)), S), False),
        (
            (
                Op("div", Op("+", Op("*", Const(8), B), S), Const(3)),
                Op("mod", Op("+", Op("*", Const(8), B), S), Const(3)),
            ),
            True,
        ),
        ((Op("mod", Op("+", B, S), Const(8)), S), True),
        ((Op("mod", Op("+", B, S), Const(8)),), False),
        ((Op("+", Op("*", Const(8), Op("mod", Op("+", B, Const(1)), Const(8))), S),), True),
        ((B, Lookup((3, 1, 4, 5, 9, 2, 6, 8), S)), True),
        ((B, Lookup((3, 1, 4, 5, 9, 2, 6, 3), S)), False),
        ((B, Lookup((3, 1, 4, 5, 9, 2, 6), S)), False),  # S leaves it: not proved
        ((Op("+", Op("*", Const(8), Lookup((3, 1, 4, 5, 9, 2, 6, 8), B)), S),), True),
        ((B, Lookup(XOR, Op("+", Op("*", Const(8), B), S))), True),
        ((Lookup(XOR, Op("+", Op("*", Const(8), B), S)), S), True),
        ((Lookup(XOR, Op("+", Op("*", Const(8), B), S)),), False),
        ((B, Lookup(XOR, Op("+", Op("*", Const(8), Lookup((0, 0, 0, 0, 5, 5, 5, 5), B)), S))), True),
        ((B, Lookup((*XOR[:63], 6), Op("+", Op("*", Const(8), B), S))), False),
    ],
)
def test_proofs(subscripts: tuple[IndexExpr, ...], proved: bool) -> None:
    assert alg.is_injective(subscripts, EIGHT) is proved


@given(families(), families())
@settings(max_examples=150, deadline=None)
def test_what_is_proved_disjoint_is(
    one: tuple[tuple[Axis, ...], tuple[IndexExpr, ...], IndexExpr | None],
    other: tuple[tuple[Axis, ...], tuple[IndexExpr, ...], IndexExpr | None],
) -> None:
    assume(len(one[1]) == len(other[1]))
    assume(alg.are_disjoint(one[1], one[0], one[2], other[1], other[0], other[2]))
    found = [
        {tuple(loops.value(x, at) for x in subscripts) for at in loops.index_points(axes, where)}
        for axes, subscripts, where in (one, other)
    ]
    assert not found[0] & found[1]


def test_both_sides_of_a_full_mesh_are_proved_disjoint() -> None:
    axes, before = (Axis("i", 0, 7), Axis("j", 0, 7)), Op("<", X, J)
    left, right = (X, Op("-", J, Const(1))), (J, X)
    assert alg.are_disjoint(left, axes, before, right, axes, before)
    assert not alg.are_disjoint(left, axes, None, right, axes, None)


def test_even_and_odd_ports_are_proved_disjoint() -> None:
    even, odd = (Op("*", Const(2), B),), (Op("+", Op("*", Const(2), S), Const(1)),)
    assert alg.are_disjoint(even, EIGHT, None, odd, EIGHT, None)
    assert not alg.are_disjoint(even, EIGHT, None, (Op("+", Op("*", Const(2), S), Const(2)),), EIGHT, None)


def test_substitute_and_axes_used() -> None:
    expr = Op("+", Lookup((1, 2), S), Op("*", B, Not(S)))
    assert axes_used(expr) == ("s", "b")
    assert text(substitute(expr, {"s": Const(1), "b": X})) == "{1, 2}[1] + i*(not 1)"


def test_affine_form_reads_back() -> None:
    for a, b, c in product((-2, 0, 1, 3), repeat=3):
        expr = Op("+", Op("-", Op("*", Const(a), B), Op("*", S, Const(b))), Const(c))
        back = alg.from_affine(alg.affine(expr))
        assert by_loops(EIGHT, back, None) == by_loops(EIGHT, expr, None)


@given(st.lists(st.one_of(st.integers(-5, 5), st.integers(-(2**60), 2**60))))
def test_distinct_values(values: list[int]) -> None:
    assert distinct(np.asarray(values, np.int64)).tolist() == sorted(set(values))
