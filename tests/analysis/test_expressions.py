"""Lines that work with answers: exact where all parts are, else with ends that hold for every value of the parts."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.test_language import HEAD, LEAVES, LINK, MESH, asked, refused
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import Measure
from unifiedbus_dsl.vocabulary.signatures import MEASURES

ENDS = {"bisection": (3.0, 5.0), "throughput": (-2.0, 7.0), "fair": (4.0, 4.0)}


@pytest.fixture
def known_only_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some measures are only known to lie between two ends."""

    def between(low: float, high: float) -> object:
        def answer(call: MeasureCall) -> Answer:
            return Answer("", "", call.name, call.arguments, low, RATE, "interval", low, high)

        return answer

    monkeypatch.setattr("unifiedbus_dsl.measures.evaluator.answered", lambda call, measure: measure(call))
    for name, ends in ENDS.items():
        found = MEASURES[name]
        assert isinstance(found, Measure)
        monkeypatch.setitem(MEASURES._entries, name, evolve(found, evaluate=between(*ends), by_plan=None))


ONE, TWO, THREE = "bisection(all npu)", "throughput(alltoall(all npu))", "fair(alltoall(all npu))"


@pytest.mark.usefixtures("known_only_between")
@pytest.mark.parametrize(
    "text",
    [
        "{a} + {b}", "{a} - {b}", "{a} * {b}", "{b} / {a}", "-{b} * 2", "max({a}, {b})", "min({a}, {c})", "abs({b})",
        "product({a}, {b}, {c})", "({a} - {a}) / {c}", "floor({a} / {c})", "2 * {c} - {a} * 3",
    ],
)  # fmt: skip
def test_ends_hold_for_every_value_of_the_parts(text: str) -> None:
    """By trying ends and values between them; a part that stands twice may take two values."""
    (found,) = asked(MESH, text.format(a=ONE, b=TWO, c=THREE))[1].answers
    assert found.kind == "interval"
    for a, b, c, again in product((3, 3.7, 5), (-2, -0.5, 0, 1, 7), (4,), (3, 4.1, 5)):
        value = float(_python(text, Fraction(a), Fraction(b), Fraction(c), Fraction(again)))
        assert found.lower <= value <= found.upper, (a, b, c, value)
    corners = {float(_python(text, *map(Fraction, at))) for at in product((3, 5), (-2, 0, 7), (4,), (3, 5))}
    assert (found.lower, found.upper) == pytest.approx((min(corners), max(corners)))


def _python(text: str, a: Fraction, b: Fraction, c: Fraction, again: Fraction) -> Fraction:
    """The value of the same text in Python."""
    from math import floor, prod

    twice = text.replace("{a} - {a}", "{a} - d")
    names = {"max": max, "min": min, "abs": abs, "floor": floor, "product": lambda *factors: prod(factors)}
    return Fraction(eval(twice.format(a="a", b="b", c="c"), {**names, "a": a, "b": b, "c": c, "d": again}))


@pytest.mark.usefixtures("known_only_between")
def test_a_comparison_that_the_ends_leave_open_is_undecided() -> None:
    assert [d.code for d in refused(MESH, f"{ONE} > {THREE}")] == ["UB0707"]
    assert [d.code for d in refused(MESH, f"{THREE} / {TWO}")] == ["UB0310"]  # between the ends it divides by 0
    (found,) = asked(MESH, f"{ONE} > 2 B/s")[1].answers
    assert (found.shown, found.kind, found.detail["truth"]) == ("yes", "exact", True)


def test_what_is_exact_stays_so() -> None:
    share, twice, product_of, name = asked(
        MESH,
        "let best = throughput(alltoall(all npu))\n"
        "best / bandwidth(all npu); 2 * bisection(all npu); bisection(all npu) * latency(all npu); best",
    )[1].answers
    assert [each.kind for each in (share, twice, product_of, name)] == ["exact"] * 4
    assert share.value == pytest.approx(441e9 / (64 * 14 * LINK))
    assert twice.value == pytest.approx(2 * 128 * LINK)
    assert product_of.value == pytest.approx(128 * LINK * 340e-9)
    assert name.value == pytest.approx(441e9)
    assert share.label == "best / bandwidth(all npu)"
    assert share.lines == ("bandwidth(all npu): 50.18 TB/s, exact", "best: 441 GB/s, exact")
    assert json.loads(json.dumps(share.to_json()))["detail"]["parts"]["best"]["unit"] == "B/s"


def test_a_small_difference_of_large_numbers_is_not_called_exact() -> None:
    (found,) = asked(MESH, "throughput(alltoall(all npu)) - throughput(alltoall(all npu), routing = wcmp)")[1].answers
    assert found.kind == "interval"
    assert found.lower < 0 < found.upper
    assert found.upper < 1000


def test_what_has_no_end_is_no_part_of_an_expression() -> None:
    """A rack that lets nothing out is oversubscribed without end."""
    machine = """
npu Chip { port p[2] : UB x4; transit p }
rack Pair { npu[2] : Chip; connect npu[0].p[0] -- npu[1].p[0] over Wire(1 m); port out = npu[0].p[1]; open npu[1].p[1] }
module Two { pair[2] : Pair; connect pair[0].out -- pair[1].out over Wire(1 m) }
system m : Two
scenario Cut of m { fail pair[0] -- pair[1]; oversubscription(all rack); oversubscription(all rack) * 2 }
"""
    report = analyze(compile_text(f"{HEAD}{machine}"))
    assert [each.shown for each in report.answers if each.block == "scenario Cut"] == ["nothing leaves"]
    assert [d.code for d in report.diagnostics] == ["UB0706"]


SHARES = st.sampled_from(["1", "0.5", "1.3", "2"])


@given(SHARES, SHARES)
@settings(max_examples=8, deadline=None)
def test_two_systems_are_compared(one: str, two: str) -> None:
    """`thin` has 2 of 6 spines: a leaf gets a third of it out."""
    condition = f"{one} * bisection(all npu) of even >= {two} * bisection(all npu) of thin"
    done = compile_text(f"{HEAD}{LEAVES}\nexpect {condition}\n")
    assert not done.diagnostics
    report = analyze(done)
    holds = float(one) * 12 >= float(two) * 4
    assert [each.holds for each in report.expectations] == [holds]
    assert [d.code for d in report.diagnostics] == ([] if holds else ["UB0701"])


def test_of_is_said_of_the_measure_alone() -> None:
    first, second, third, alone = asked(
        LEAVES,
        "bisection(all npu) / bisection(all npu) of thin; (bisection(all npu) / 2) of thin;"
        "3 * bisection(all npu) of thin; bisection(all npu) of thin",
        "even",
    )[1].answers
    assert first.value == pytest.approx(3)
    assert second.value == pytest.approx(2 * LINK)
    assert third.value == pytest.approx(12 * LINK)
    assert (alone.label, alone.system) == ("bisection(all npu) of thin", "even")
    assert alone.value == pytest.approx(4 * LINK)
    assert alone.binding


def test_a_failed_expectation_shows_the_values_of_both_systems_and_of_base() -> None:
    text = "expect bisection(all npu) of thin >= bisection(all npu) of even\n"
    text += "scenario Down of even { fail spine[0]; expect bisection(all npu) >= 98% of base }\n"
    found = analyze(compile_text(f"{HEAD}{LEAVES}\n{text}")).diagnostics
    said = [[label.text for label in each.labels] for each in found]
    assert said == [
        ["224 GB/s (448 GB/s bidir)", "672 GB/s (1.344 TB/s bidir)"],
        ["560 GB/s (1.12 TB/s bidir)", "672 GB/s (1.344 TB/s bidir)"],
    ]
    assert [each.message.split(": ")[2] for each in found] == [
        "224 GB/s (448 GB/s bidir) is less than 672 GB/s (1.344 TB/s bidir)",
        "560 GB/s (1.12 TB/s bidir) is less than 658.56 GB/s (1.3171 TB/s bidir)",
    ]
