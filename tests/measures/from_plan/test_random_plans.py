"""What the plan answers is what the fabric answers: random machines of arrays and rules, asked both ways."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.support.plans import draw_plan
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.measures.answers import Answer

ASKED = (
    "diameter(all npu)",
    "mean_hops(all npu)",
    "hops(all npu -> all Chip)",
    "throughput(alltoall(all npu))",
    "throughput(alltoall(all npu), routing = wcmp)",
    "throughput(alltoall(all npu), routing = minimal)",
    "throughput(alltoall(all npu), routing = optimal)",
    "throughput(alltoall(all npu, over = UB))",
    "bisection(all npu)",
    "tiers(all npu)",
    "tiers(all npu, over = ROCE)",
    "connected(all npu)",
    "connected(all npu, over = UB)",
    "reachable(all npu)",
    "oversubscription(all rack)",
    "oversubscription(all superpod, from = all npu)",
    "oversubscription(all rack, over = UB)",
    "disjoint_paths(all npu)",
    "disjoint_paths(all npu, over = UB)",
)


def answers(compiled: Compilation, question: str, *, by_plan: bool, system: str | None = None) -> tuple[Answer, ...]:
    return ask(compiled, system, question, by_plan=by_plan).answers


def differs(one: Answer, other: Answer) -> str:
    """What two answers to one question differ in; empty where they don't."""
    for name in ("value", "lower", "upper"):
        a, b = getattr(one, name), getattr(other, name)
        if a != pytest.approx(b, rel=1e-9):
            return f"{name} {a!r}, not {b!r}"
    if one.kind != other.kind or one.dimension != other.dimension:
        return f"{one.kind}, not {other.kind}"
    if one.detail.get("histogram") != other.detail.get("histogram"):
        return f"{one.detail['histogram']}, not {other.detail['histogram']}"
    bands = [
        {key: pytest.approx(value, rel=1e-9) if key == "bandwidth" else value for key, value in band.items()}
        for band in other.detail.get("bands", ())
    ]
    if one.detail.get("bands", []) != bands:
        return f"{one.detail['bands']}, not {bands}"
    if "minimal" in one.arguments or "optimal" in one.arguments or one.measure == "bisection":
        return ""  # there are several best flows, over more links or fewer, and several proofs and cuts
    if one.assumptions != other.assumptions:
        return f"{one.assumptions}, not {other.assumptions}"
    return "" if one.lines == other.lines else f"{one.lines}, not {other.lines}"


def compare(seed: int, counts: Counter[str]) -> list[str]:
    text = draw_plan(random.Random(seed))
    compiled = compile_text(text, "plan")
    if not compiled.ok:
        counts["no machine"] += 1
        return []
    wrong = []
    for question in ASKED:
        found = answers(compiled, question, by_plan=True)
        if not found or found[0].origin != "plan":
            counts["fabric"] += 1
            continue
        counts["plan"] += 1
        other = answers(compiled, question, by_plan=False)
        said = differs(found[0], other[0]) if other else "the fabric has no answer"
        if said:
            wrong.append(f"machine {seed}, {question}: {said}")
    return wrong


def run(first: int, count: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    wrong = [said for seed in range(first, first + count) for said in compare(seed, counts)]
    assert not wrong, "\n".join(wrong)
    return counts


def test_answers_of_the_plan_are_those_of_the_fabric() -> None:
    counts = run(0, 12)
    assert counts["plan"] > 2 * counts["fabric"], counts


def test_arguments_that_the_plan_does_not_read_are_for_the_fabric() -> None:
    compiled = compile_text(draw_plan(random.Random(1)), "plan")
    assert answers(compiled, "throughput(alltoall(all npu))", by_plan=True)[0].origin == "plan"
    for question in ("throughput(alltoall(all npu), on = chip)", "throughput(alltoall(all npu), routing = valiant)"):
        assert answers(compiled, question, by_plan=True)[0].origin == "fabric"


def test_what_is_worked_out_of_answers_of_the_plan_is_from_the_plan() -> None:
    compiled = compile_text(draw_plan(random.Random(1)), "plan")
    for question, origin in (
        ("2 * diameter(all npu) + mean_hops(all npu)", "plan"),
        ("diameter(all npu) + traffic_hops(alltoall(all npu))", "fabric"),
    ):
        assert answers(compiled, question, by_plan=True)[0].origin == origin
        assert answers(compiled, question, by_plan=False)[0].origin == "fabric"


@pytest.mark.scale
def test_answers_of_300_plans_are_those_of_their_fabrics() -> None:
    counts = run(25, 300)
    assert counts["plan"] > 2 * counts["fabric"], counts
