"""Did you mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unifiedbus_dsl.analysis.export_flows import gone
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean, distance, names_there
from unifiedbus_dsl.export import find

WORDS = ("port", "protocol", "place", "expect", "Optic", "Copper", "bandwidth", "bisection", "npu", "x", "y", "up")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("prot", "port"),
        ("optic", "Optic"),
        ("COPER", "Copper"),
        ("protocoll", "protocol"),
        ("exepct", "expect"),
        ("bandw", "bandwidth"),
        ("nup", "npu"),
        ("z", None),
        ("X", "x"),
        ("wheelbarrow", None),
        ("", None),
        ("b", None),
        ("q" * 10_000, None),
    ],
)
def test_nearest_word(word: str, meant: str | None) -> None:
    assert did_you_mean(word, WORDS) == meant
    assert did_you_mean(word, WORDS[::-1]) == meant


def test_a_word_is_not_suggested_for_itself() -> None:
    assert did_you_mean("port", ["port", "ports"]) == "ports"
    assert did_you_mean("port", []) is None


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))
    assert (distance(a, b) == 0) == (a == b)


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 4))
def test_stopping_early_changes_no_answer_within_the_bound(a: str, b: str, most: int) -> None:
    full, bounded = distance(a, b), distance(a, b, most)
    assert bounded == full if full <= most else bounded > most


@given(st.text("abc", min_size=2, max_size=8), st.data())
def test_a_swap_of_neighbours_is_one_edit(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    assert distance(word, swapped) <= 1


TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 9 m }
npu Chip { port x : UB x4 }
rack Pair { npu[2] : Chip; connect npu[0].x -- npu[1].x over Wire(1 m) }
system pair : Pair
system lab : Pair
traffic all_to_all of pair = alltoall(all npu)
scenario Down of pair { fail npu[0] }
"""


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda done: done.fabric("pairs"), "no system `pairs`; did you mean `pair`?"),
        (lambda done: done.pick("no"), "no system `no`; there are pair, lab"),
        (lambda done: analyze(done, "nowhere"), "no system `nowhere`; there are pair, lab"),
        (lambda done: analyze(done, traffic="moe"), "no traffic `moe`; there is all_to_all"),
        (lambda done: analyze(done, "lab", traffic="all_to_all"), "no traffic `all_to_all` of `lab`; there is none"),
        (lambda done: gone(done, "pair", "Dawn", Sink()), "no scenario `Dawn`; did you mean `Down`?"),
        (lambda done: find("grapml"), "no format `grapml`; did you mean `graphml`?"),
    ],
)
def test_a_name_that_python_asks_for_in_vain(ask: Callable[[Compilation], object], says: str) -> None:
    with pytest.raises(KeyError) as wrong:
        ask(compile_text(TEXT))
    assert str(wrong.value) == says


def test_of_many_names_the_first_are_written_out() -> None:
    assert names_there([]) == "none"
    assert names_there(["a", "b"], before="npu.") == "`npu.a`, `npu.b`"
    said = names_there([f"p{k}" for k in range(13_000)])
    assert said.startswith("`p0`, `p1`, ")
    assert said.endswith(", `p23` and 12,976 more")
