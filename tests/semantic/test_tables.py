"""Tables in subscripts, against the same cables written by loops: random ones, and one of 100,000 elements."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unifiedbus_dsl.compiler import Compilation, Limits, compile_text

HEAD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 2 m }
npu Chip { port up : UB x4 @open }
"""


def star(table: list[int], ports: int, subscript: str = "t[i]", **limits: int) -> Compilation:
    """Chips on one switch, chip i at the port that the table says."""
    return compile_text(
        f"{HEAD}let t = {table}\n"
        f"switch Plane {{ port p[{ports}] : UB x4 @open }}\n"
        f"rack Star {{ npu[{len(table)}] : Chip; plane : Plane; "
        f"connect npu[i].up -- plane.p[{subscript}] over Copper(1 m) for i }}\nsystem s : Star\n",
        limits=Limits(**limits),
    )


def ends(done: Compilation) -> dict[int, int]:
    """By chip the port of the switch."""
    fabric = done.fabric()
    pairs = zip(fabric.a_device.tolist(), fabric.b_port.tolist(), strict=True)
    return dict(pairs)


@given(st.lists(st.integers(-1, 9), min_size=1, max_size=9), st.integers(1, 9))
@settings(max_examples=150, deadline=None)
def test_cables_and_errors_are_those_of_a_loop(table: list[int], ports: int) -> None:
    found = [(each.code, each.message) for each in star(table, ports).diagnostics]
    outside = [number for number in table if not 0 <= number < ports]
    repeated = {number for number in table if table.count(number) > 1}
    if outside:
        worst = max(outside, key=lambda number: abs(number - ports / 2))
        assert [code for code, _ in found] == ["UB0401"]
        assert f"subscript {worst} is outside" in found[0][1]
    elif repeated:
        assert [code for code, _ in found] == ["UB0419"]
        number = int(found[0][1].rsplit(" ", 1)[1])
        assert number in repeated
        first, second = (int(part.split("]")[0]) for part in found[0][1].split("t[")[1:])
        assert table[first] == table[second] == number
        assert first < second
    else:
        assert not found
        assert ends(star(table, ports)) == dict(enumerate(table))


@given(st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_rows_and_columns(rows: int, columns: int, draw: random.Random) -> None:
    numbers = list(range(rows * columns))
    draw.shuffle(numbers)
    table = [numbers[i * columns : (i + 1) * columns] for i in range(rows)]
    for subscript in ("t[i, j]", "t[i][j]", f"{numbers}[{columns}*i + j]"):
        done = compile_text(
            f"{HEAD}let t = {table}\nexpect len(t) == {rows}\n"
            f"switch Plane {{ port p[{rows * columns}] : UB x4 }}\n"
            f"rack Star {{ npu[{rows}, {columns}] : Chip; plane : Plane; "
            f"connect npu[i, j].up -- plane.p[{subscript}] over Copper(1 m) for i, j }}\nsystem s : Star\n"
        )
        assert not done.diagnostics, [each.message for each in done.diagnostics]
        assert ends(done) == dict(enumerate(numbers))


@pytest.mark.slow
def test_a_table_of_a_hundred_thousand_elements() -> None:
    """Cheap by the steps that checking takes, not by the clock."""
    table = list(range(100_000))
    random.Random(1).shuffle(table)
    done = star(table, len(table), work=120_000_000)
    assert not done.diagnostics, [each.message for each in done.diagnostics]
    assert (done.fabric().b_port == np.array(table)).all()
    table[70_000] = table[3]
    (found,) = star(table, len(table), work=120_000_000).diagnostics
    assert f"`t[3]` and `t[70000]` are both {table[3]}" in found.message
    assert len(found.labels) == 2


@pytest.mark.parametrize("subscript", ["t[i] div 2", "(t[i] + 1) mod 5", "t[t[i]]"])
def test_arithmetic_over_elements(subscript: str) -> None:
    table = [0, 2, 4, 1, 3]
    value = {"t[i] div 2": lambda n: table[n] // 2, "(t[i] + 1) mod 5": lambda n: (table[n] + 1) % 5}
    wanted = [value.get(subscript, lambda n: table[table[n]])(n) for n in range(5)]
    done = star(table, 5, subscript)
    if len(set(wanted)) < 5:
        assert [each.code for each in done.diagnostics] == ["UB0501"]
    else:
        assert ends(done) == dict(enumerate(wanted))
