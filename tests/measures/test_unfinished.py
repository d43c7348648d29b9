"""What is said of a measure when the time is over: bounds that hold the answer, and are as good as what is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.asked import SPECS
from tests.support.plans import draw_plan
from unifiedbus_dsl import compile, compile_text
from unifiedbus_dsl.analysis.evaluators import items_of, make_evaluator
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures import answer_from_plan, pair_distances, related_bounds
from unifiedbus_dsl.measures import unfinished as unfinished_bounds
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import Measure
from unifiedbus_dsl.measures.related_bounds import answered_of, remember, tightened
from unifiedbus_dsl.measures.unfinished import unfinished
from unifiedbus_dsl.solver.deadline import BudgetSpent, PlanTimeSpent
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances
from unifiedbus_dsl.syntax import tree

QUESTIONS = (
    "bisection({all})",
    "throughput(alltoall({all}))",
    "throughput(alltoall({all}), routing = minimal)",
    "throughput(alltoall({all}), routing = optimal)",
    "throughput(shift({all}, k = 1), routing = wcmp)",
    "diameter({all})",
    "mean_hops({all})",
    "latency({all})",
    "mean_latency({all})",
    "disjoint_paths({all})",
    "time(allreduce({all}, size = 1 MB))",
    "optimal_time(allgather({all}, size = 1 MB))",
    "optimal_time(broadcast({all}, size = 1 MB))",
    "time(alltoall({all}, size = 1 MB))",
)
SYSTEMS = (("textbook/fat-tree", "tree"), ("huawei/ub-mesh-racks", "clos"))
RANDOM_FAST, RANDOM_SLOW = 1, 60


@pytest.fixture(params=[True, False], ids=["network", "types"])
def by_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the network of a machine is made when the time is over."""
    if not request.param:
        monkeypatch.setattr(related_bounds, "QUICKLY_MADE", -1)
    return bool(request.param)


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Labels of the questions whose time is over as soon as they are asked."""
    hidden: set[str] = set()
    work_out: Callable[[Any, MeasureCall, Measure], Answer | None] = MeasureEvaluator._worked_out

    def worked_out(self: Any, call: MeasureCall, measure: Measure) -> Answer | None:
        if f"{call.name}({call.arguments})" in hidden:
            raise BudgetSpent
        return work_out(self, call, measure)

    monkeypatch.setattr(MeasureEvaluator, "_worked_out", worked_out)
    return hidden


def answers(done: Compilation, system: str, questions: list[str]) -> dict[str, Answer]:
    return {each.label: each for each in ask(done, system, "; ".join(questions), budget=600).answers}


@pytest.mark.parametrize(("collective", "part"), [("allreduce", 14 / 8), ("allgather", 7 / 8), ("broadcast", 1.0)])
def test_ports_bound_collectives(collective: str, part: float, hide: set[str]) -> None:
    """Two cables of 10 GB/s at each of eight end points."""
    hidden = f"optimal_time({collective}(all npu, size = 1 GB))"
    found = bounds_after(hide, hidden, "count(all npu)")
    assert (found.lower, found.upper) == (pytest.approx(part * 1e9 / 20e9), np.inf)


def hold(true: Answer, bounds: Answer) -> None:
    """Hold bounds to enclose an answer."""
    near = 1e-9 * max(1e-12, abs(true.lower))
    assert bounds.kind == "interval"
    assert bounds.lower <= true.upper + near, (bounds.label, bounds.shown, true.shown)
    assert true.lower <= bounds.upper + near, (bounds.label, bounds.shown, true.shown)


def _calls(asker: MeasureEvaluator, labels: Iterable[str]) -> Iterator[MeasureCall]:
    for item in items_of("; ".join(labels), Sink()):
        assert isinstance(item, tree.Measure)
        assert isinstance(item.value, tree.Call)
        yield asker.call(item.value)


def check(done: Compilation, system: str, hide: set[str]) -> None:
    """Hold bounds of all questions when nothing is answered, and of each when all others are."""
    all_ends = f"all {end_kind(done.pick(system))}"
    hide.clear()
    true = answers(done, system, [each.format(all=all_ends) for each in QUESTIONS])
    hide.update(true)
    for label, bounds in answers(done, system, list(true)).items():
        hold(true[label], bounds)
    machine = NetworkContext(done.fabric(system))
    asker = make_evaluator(done, machine, Sink(), system, "")
    calls = {call.name + f"({call.arguments})": call for call in _calls(asker, true)}
    for label, call in calls.items():
        answered_of(machine).clear()
        for other in true.keys() - {label}:
            remember(calls[other], true[other])
        hold(true[label], tightened(call, unfinished(call).answer))


@pytest.mark.parametrize(("spec", "system"), SYSTEMS)
def test_bounds_hold_the_answers_of_specs(spec: str, system: str, by_network: bool, hide: set[str]) -> None:
    check(compile(SPECS / f"{spec}.ubus"), system, hide)


@pytest.mark.parametrize("seed", range(RANDOM_FAST))
def test_bounds_hold_the_answers_of_random_machines(seed: int, by_network: bool, hide: set[str]) -> None:
    check_random(seed, hide)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(RANDOM_FAST, RANDOM_SLOW))
def test_bounds_hold_the_answers_of_more_random_machines(seed: int, by_network: bool, hide: set[str]) -> None:
    check_random(seed, hide)


def check_random(seed: int, hide: set[str]) -> None:
    """Hold bounds on the first machine of a seed that is joined."""
    draw = random.Random(f"unfinished {seed}")
    while not (done := compile_text(draw_plan(draw))).ok:
        pass
    check(done, "m", hide)


def bounds_after(hide: set[str], hidden: str, first: str) -> Answer:
    """Return what is said of a hidden question about a ring of eight, after another one was answered."""
    done = compile_text(RING)
    hide.add(hidden)
    return answers(done, "ring", [first, hidden])[hidden]


RING = """ubus 1
protocol UB { lane = 80 Gbps; latency = 50 ns }
link Wire : UB { medium = copper; reach = 9 m; delay = 5 ns/m }
npu Chip { port x[2] : UB x1; transit x; latency = 20 ns }
rack Ring { npu[8] : Chip; connect npu.x as ring over Wire(2 m) }
system ring : Ring
"""


def test_a_cut_that_is_known_bounds_the_rate(hide: set[str]) -> None:
    """Two cables of 10 GB/s between halves, 4 x 4 pairs each way, of which an end point has seven."""
    found = bounds_after(hide, "throughput(alltoall(all npu))", "bisection(all npu)")
    assert found.upper == pytest.approx(20e9 * 7 / 16)
    assert "bounded by the answer to `bisection(all npu)`" in found.assumptions


def test_hops_that_are_known_bound_the_rate(hide: set[str]) -> None:
    """All 16 arcs are full where each of 8 end points sends over 16/7 cables."""
    found = bounds_after(hide, "throughput(alltoall(all npu))", "mean_hops(all npu)")
    assert found.upper == pytest.approx(16 * 10e9 / (8 * 16 / 7))


def test_a_rate_that_is_known_bounds_the_cut(hide: set[str]) -> None:
    found = bounds_after(hide, "bisection(all npu)", "throughput(alltoall(all npu))")
    assert (found.lower, found.upper) == (pytest.approx(20e9), pytest.approx(20e9))


def test_one_routing_bounds_another(hide: set[str]) -> None:
    found = bounds_after(hide, "throughput(alltoall(all npu), routing = optimal)", "throughput(alltoall(all npu))")
    assert found.lower == pytest.approx(8.75e9)


def test_hops_that_are_known_bound_the_latency(hide: set[str]) -> None:
    """Four cables of 60 ns and three vertices of 20 ns."""
    found = bounds_after(hide, "latency(all npu)", "diameter(all npu)")
    assert (found.lower, found.upper) == (pytest.approx(300e-9), pytest.approx(300e-9))
    assert bounds_after(hide, "mean_latency(all npu)", "mean_hops(all npu)").lower == pytest.approx(
        (16 / 7 * 80 - 20) * 1e-9
    )


def test_what_others_bound_is_as_unverified_as_they_are(hide: set[str]) -> None:
    """The hops are between four, from the first end point, and seven, over all."""
    hide.add("diameter(all npu)")
    found = bounds_after(hide, "latency(all npu)", "diameter(all npu)")
    assert (found.lower, found.upper) == (pytest.approx(300e-9), pytest.approx(540e-9))
    assert found.unverified == ("the answer to `diameter(all npu)`, which bounds it",)


def test_a_sweep_that_takes_long_is_left_out(hide: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished_bounds, "SWEEP_S", -1.0)
    found = bounds_after(hide, "diameter(all npu)", "count(all npu)")
    assert (found.lower, found.upper) == (1, 7)


def test_one_sweep_is_enough(hide: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    sweep = unfinished_bounds.bfs.distances
    monkeypatch.setattr(unfinished_bounds.bfs, "distances", lambda *given: swept.append(1) or sweep(*given))
    hide.update({"diameter(all npu)", "mean_hops(all npu)"})
    found = answers(compile_text(RING), "ring", ["diameter(all npu)", "mean_hops(all npu)"])
    assert [each.shown for each in found.values()] == ["4 to 7", "1 to 7"]
    assert len(swept) == 1


def test_the_largest_and_the_mean_of_pairs_are_of_one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []
    for name in ("hop_histogram", "latency_histogram"):
        sweep = getattr(distances, name)

        def counted(*args: Any, of: Any = sweep, called: str = name) -> Any:
            swept.append(called)
            return of(*args)

        monkeypatch.setattr(pair_distances.distances, name, counted)
    asked = "diameter(all npu); mean_hops(all npu); latency(all npu); mean_latency(all npu); diameter(npu[0..3])"
    found = ask(compile_text(RING), "ring", asked, by_plan=False).answers
    np.testing.assert_allclose([each.value for each in found], [4, 16 / 7, 300e-9, (16 / 7 * 80 - 20) * 1e-9, 3])
    assert swept == ["hop_histogram", "latency_histogram", "hop_histogram"]


def test_what_took_long_by_the_plan_is_asked_of_the_fabric(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mean is worked out as the largest value is: neither is tried by the plan again."""
    tried: list[str] = []

    def take_long(measure: Measure, call: MeasureCall) -> Answer | None:
        tried.append(measure.name)
        raise PlanTimeSpent

    monkeypatch.setattr(answer_from_plan, "_proved", take_long)
    found = answers(compile_text(RING), "ring", ["diameter(all npu)", "mean_hops(all npu)", "latency(all npu)"])
    assert tried == ["diameter", "latency"]
    assert [each.kind for each in found.values()] == ["exact"] * 3


def test_a_budget_asks_the_plan_too() -> None:
    """Under a limit of time the optimum and the bisection of a symmetric machine are still those of the plan."""
    done = compile(SPECS / "textbook/three-tier.ubus")
    asked = "bisection(all npu); throughput(alltoall(all npu), routing = optimal)"
    found = ask(done, "trial", asked, budget=60).answers
    assert [(each.origin, each.kind) for each in found] == [("plan", "exact"), ("plan", "exact")]
