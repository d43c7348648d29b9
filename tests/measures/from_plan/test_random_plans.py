"""What the plan answers is what the fabric answers: random machines of arrays and rules, asked both ways."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import pytest

from tests.support.plans import HEAD, draw_plan
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.from_plan import cuts
from unifiedbus_dsl.solver.deadline import RunBudget

ASKED = (
    "diameter(all npu)",
    "mean_hops(all npu)",
    "hops(all npu -> all Chip)",
    "latency(all npu)",
    "mean_latency(all npu)",
    "latency(all npu -> all Chip)",
    "latency(all npu, over = UB)",
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
    counts = run(0, 7)
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


def test_chips_behind_nics_are_compared_with_what_these_carry() -> None:
    """Two chips share a NIC that carries 40 Gbit/s out: 2 NICs of 2 chips, 4 cables of 160 Gbit/s to them."""
    text = f"""{HEAD}
    npu Chip {{ port h : UB x2 @open; port s : UB x2 @open }}
    nic Nic {{ port host[2] : UB x2 @open; port net : ROCE x1 @open; transit host, net }}
    switch Near {{ port p[4] : UB x2 @open; port up[2] : UB x2 @open }}
    switch Far {{ port p[6] : ROCE x1 @open; port q[6] : UB x2 @open }}
    rack R {{
      chip[4] : Chip; nic[2] : Nic; near : Near
      connect chip[i].h -- nic[i div 2].host[i mod 2] over Wide(1 m) for i
      connect chip[i].s -- near.p[i] over Wide(1 m) for i
      port net = nic.net
      port up = near.up
    }}
    superpod P {{
      rack[3] : R; far : Far
      connect rack[r].net[n] -- far.p[2*r + n] over Slow(1 m) for r, n
      connect rack[r].up[n] -- far.q[2*r + n] over Wide(1 m) for r, n
    }}
    system m : P
    """
    compiled = compile_text(text, "plan")
    for question, inside, wall in (
        ("oversubscription(all rack)", 80e9 + 4 * 160e9, 80e9 + 2 * 160e9),
        ("oversubscription(all rack, over = ROCE)", 0.0, 0.0),
        ("oversubscription(all rack, over = UB)", 4 * 160e9, 2 * 160e9),
    ):
        one, other = (answers(compiled, question, by_plan=by_plan)[0] for by_plan in (True, False))
        assert (one.origin, differs(one, other), one.binding) == ("plan", "", other.binding)
        if inside:
            assert (one.detail["inside"], one.detail["wall"]) == (inside / 8, wall / 8)


def test_walls_of_a_machine_of_little_symmetry_are_asked_of_the_fabric() -> None:
    text = f"""{HEAD}
    npu Chip {{ port p[8] : UB x2 @open; port u[2] : UB x2 @open; transit p, u }}
    rack R {{ chip[20] : Chip; connect chip.p as regular(degree = 8, seed = 3) over Wide(1 m); port up = chip.u }}
    superpod P {{
      rack[20] : R
      connect rack[r].up[c, 0] -- rack[(r + 7*c + 1) mod 20].up[c, 1] over Wide(1 m) for r, c where c < 19
    }}
    system m : P
    """
    (answer,) = answers(compile_text(text, "plan"), "oversubscription(all rack)", by_plan=True)
    assert answer.origin == "fabric"


def test_the_plan_answers_under_a_budget_too() -> None:
    compiled = compile_text(draw_plan(random.Random(3)), "plan")
    for question in ("bisection(all npu)", "throughput(alltoall(all npu), routing = optimal)", "diameter(all npu)"):
        (timed,) = ask(compiled, None, question, budget=600).answers
        (free,) = answers(compiled, question, by_plan=True)
        assert timed.origin == "plan"
        assert (timed.value, timed.kind, timed.lines) == (free.value, free.kind, free.lines)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer of the process")
def test_the_fabric_answers_where_the_plan_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def long(*_: object) -> None:
        tries.append(1)
        time.sleep(60)

    monkeypatch.setattr(cuts, "halved", long)
    compiled = compile_text(draw_plan(random.Random(3)), "plan")
    (right,) = answers(compiled, "bisection(all npu)", by_plan=False)
    report = ask(compiled, None, "bisection(all npu); bisection(all Chip)", budget=RunBudget(6.0))
    assert [(each.origin, each.value) for each in report.answers] == [("fabric", right.value)] * 2
    assert len(tries) == 1


@pytest.mark.scale
def test_answers_of_300_plans_are_those_of_their_fabrics() -> None:
    counts = run(7, 318)
    assert counts["plan"] > 2 * counts["fabric"], counts
