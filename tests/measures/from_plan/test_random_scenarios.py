"""Scenarios on random plans, asked both ways: what fails, what it costs, and what is left."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.measures.from_plan.test_random_plans import differs
from tests.support.plans import draw_plan
from unifiedbus_dsl.analysis.run import Report, analyze
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.ir.plan import Plan

MEASURES = (
    "diameter(all npu); mean_hops(all npu); throughput(alltoall(all npu)); "
    "throughput(alltoall(all npu), routing = optimal); bisection(all npu); "
    "tiers(all npu); connected(all npu); reachable(all npu); disjoint_paths(all npu); "
    "expect throughput(alltoall(all npu)) >= 1% of base"
)


def part(plan: Plan, draw: random.Random) -> str:
    """A part of the machine, drawn by its path."""
    path, key = [], plan.root
    while key in plan.assemblies:
        child = draw.choice(plan.assemblies[key].children)
        at = ", ".join(str(draw.randrange(size)) for size in child.shape)
        path.append(f"{child.name}[{at}]" if at else child.name)
        key = child.type
        if draw.random() < 0.5:
            break
    return ".".join(path)


def report(compiled: Compilation, *, by_plan: bool) -> Report:
    return analyze(compiled, "m", by_plan=by_plan)


def compare(seed: int, counts: Counter[str]) -> list[str]:
    draw = random.Random(seed)
    text = draw_plan(draw)
    done = compile_text(text, "plan")
    if not done.ok:
        return []
    fails = "; ".join(f"fail {part(done.plan, draw)}" for _ in range(draw.choice((1, 1, 2))))
    asked = f"{text}\nanalyze q of m {{ mean_hops(all npu) }}\nscenario S of m {{ {fails}; {MEASURES} }}\n"
    compiled = compile_text(asked, "plan")
    if not compiled.ok:
        return []
    one, other = report(compiled, by_plan=True), report(compiled, by_plan=False)
    counts["plan"] += sum(answer.origin == "plan" for answer in one.answers)
    counts["fabric"] += sum(answer.origin == "fabric" for answer in one.answers)
    wrong = [f"{a.label}: {said}" for a, b in zip(one.answers, other.answers, strict=True) if (said := differs(a, b))]
    if [d.message for d in one.diagnostics] != [d.message for d in other.diagnostics]:
        wrong.append(f"{one.diagnostics} not {other.diagnostics}")
    if one.scenarios != other.scenarios or one.losses["S"].keys() != other.losses["S"].keys():
        wrong.append(f"{one.scenarios} not {other.scenarios}")
    for name, value in one.losses.get("S", {}).items():
        if value != other.losses["S"][name] and name not in ("tiers", "worst_pair"):
            wrong.append(f"{name} {value} not {other.losses['S'][name]}")
    return [f"machine {seed}, {fails}: {said}" for said in wrong]


def run(first: int, count: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    wrong = [said for seed in range(first, first + count) for said in compare(seed, counts)]
    assert not wrong, "\n".join(wrong)
    return counts


def test_scenarios_of_the_plan_are_those_of_the_fabric() -> None:
    counts = run(0, 7)
    assert counts["plan"] > counts["fabric"], counts


@pytest.mark.scale
def test_scenarios_of_100_plans_are_those_of_their_fabrics() -> None:
    counts = run(7, 105)
    assert counts["plan"] > counts["fabric"], counts


@pytest.mark.slow
def test_flows_of_few_sources_among_many_balance() -> None:
    """A dead spine and a dead cabinet tell 63 sources of 524,288 apart; what they send is small beside all else."""
    folder = Path(__file__).parents[3] / "specs" / "huawei"
    text = (folder / "atlas-950-supercluster.ubus").read_text(encoding="utf-8").split("\nanalyze ")[0]
    asked = "throughput(alltoall(all npu), routing = optimal)"
    text += "\nanalyze hops of cluster { diameter(all npu) }"
    text += f"\nscenario Dead of cluster {{ fail plane[0].spine[0]; fail pod[0].cabinet[0]; {asked} }}\n"
    text = text.replace('"ascend.ubus"', f'"{folder}/ascend.ubus"').replace('"atlas-950', f'"{folder}/atlas-950')
    answer = next(
        each for each in analyze(compile_text(text, "dead"), "cluster").answers if each.measure == "throughput"
    )
    assert (answer.origin, answer.kind) == ("plan", "exact")
    assert answer.value == pytest.approx(13.28e9, rel=1e-3)
