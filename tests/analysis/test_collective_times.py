"""Times of collectives as they are asked in the language: relays within injection, ways without a path, budgets."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.unfinished import UNFINISHED

HUB = """ubus 1
protocol UB { lane = 800 Gbps }
link W : UB { medium = copper; reach = 5 m }
npu Hub  { injection = 100 GB/s; port x[3] : UB x1 }
npu Leaf { port x : UB x1 }
rack Board {
  hub     : Hub
  leaf[3] : Leaf
  connect leaf[i].x -- hub.x[i] over W(1 m) for i
}
system board : Board
"""
"""A hub that passes nothing on in hardware: it takes in and sends again all that its three leaves exchange."""

RINGS = """ubus 1
protocol UB { lane = 400 Gbps; latency = 100 ns }
link W : UB { medium = copper; reach = 5 m }
npu Chip { port x[2] : UB x1; port y[2] : UB x1 }
rack T {
  npu[4, 4] : Chip
  connect npu[i, *].x as ring over W(1 m) for i
  connect npu[*, j].y as ring over W(1 m) for j
}
system t : T
"""
"""Rings along two dimensions of chips that pass nothing on."""

LONG = """ubus 1
protocol UB { lane = 112 Gbps }
link C : UB { medium = copper; reach = 2 m }
npu Chip { port x[2] : UB x4 }
rack R { npu[2000] : Chip; connect npu.x as ring over C(1 m) }
system r : R
"""


def asked(text: str, question: str, budget: float | None = None) -> Answer:
    report = ask(compile_text(text), None, question, budget=budget)
    assert not report.diagnostics, [found.message for found in report.diagnostics]
    (answer,) = report.answers
    return answer


@pytest.mark.parametrize(
    ("collective", "seconds"),
    [
        ("allgather(all npu, size = 1 GB)", 22.5e-3),  # the hub sends its own shard 3 times and 3 others twice
        ("reducescatter(all npu, size = 1 GB)", 22.5e-3),
        ("allreduce(all npu, size = 1 GB)", 30e-3),  # it takes 3 GB, and at the same time sends 3 GB
        ("alltoall(all npu, size = 1 GB)", 22.5e-3),  # 3 pieces of its own and 6 of others
        ("broadcast(all npu, from = leaf[0], size = 1 GB)", 20e-3),  # to two more leaves
        ("broadcast(all npu, from = hub, size = 1 GB)", 30e-3),
    ],
)
def test_a_hub_sends_again_within_its_injection(collective: str, seconds: float) -> None:
    answer = asked(HUB, f"optimal_time({collective})")
    assert answer.kind == "exact"
    assert answer.value == pytest.approx(seconds, rel=1e-7)


@pytest.mark.parametrize("transit", [False, True])
def test_hardware_passes_on_without_injection(transit: bool) -> None:
    """With a `transit` line only what is its own passes the injection of the hub: 3 shards each way."""
    text = HUB.replace("port x[3] : UB x1 }", "port x[3] : UB x1; transit x }") if transit else HUB
    assert asked(text, "optimal_time(allgather(all npu, size = 1 GB))").value == pytest.approx(
        7.5e-3 if transit else 22.5e-3, rel=1e-7
    )


def test_rings_of_dimensions_need_no_transit() -> None:
    """2 (3/4 + 3/16) of 1 GB at 50 GB/s, and 12 steps of 100 ns."""
    for way in (", algorithm = per_dimension", ""):
        answer = asked(RINGS, f"time(allreduce(all npu, size = 1 GB){way})")
        assert answer.kind == "exact"
        assert answer.value == pytest.approx(37.5e-3 + 12 * 100e-9, rel=1e-9)
        assert any("no path for" in said and "dimension 1 by direct" in said for said in answer.assumptions)
    report = ask(compile_text(RINGS), None, "time(allreduce(all npu, size = 1 GB), algorithm = direct)")
    assert any("no path" in found.message for found in report.diagnostics)


def test_a_time_that_is_not_found_in_the_budget_is_an_interval() -> None:
    whole = asked(LONG, "time(allreduce(all npu, size = 1 GB), algorithm = ring)")
    best = asked(LONG, "optimal_time(allreduce(all npu, size = 1 GB))")
    for way in (", algorithm = ring", ""):
        short = asked(LONG, f"time(allreduce(all npu, size = 1 GB){way})", budget=1e-9)
        assert short.kind == "interval"
        assert short.lower < whole.value <= short.upper
        if UNFINISHED in short.assumptions:  # a machine so busy that the grace of a run was over too
            continue
        assert short.lower == pytest.approx(best.value, rel=1e-6)  # ports alone say as much
        assert any("not solved in the time allowed" in said for said in short.assumptions)
    assert asked(LONG, "time(allreduce(all npu, size = 1 GB), algorithm = ring)", budget=100).value == whole.value


def test_a_sweep_without_time_is_refused() -> None:
    report = ask(compile_text(LONG), None, "sweep(allreduce(all npu))", budget=1e-9)
    assert any("not solved in the time allowed" in found.message for found in report.diagnostics)
    assert not report.answers


@pytest.mark.parametrize("collective", ["broadcast", "allgather", "allreduce", "alltoall"])
def test_bounds_without_time_are_those_of_the_ports(collective: str) -> None:
    """Two cables an end point: nothing is faster than what they carry."""
    question = f"optimal_time({collective}(all npu, size = 1 GB))"
    part = {"broadcast": 1.0, "allgather": 1999 / 2000, "allreduce": 2 * 1999 / 2000, "alltoall": 1999 / 2000}
    short = asked(LONG, question, budget=1e-9)
    assert short.lower >= part[collective] * 1e9 / 112e9 * (1 - 1e-9)
    assert short.upper >= asked(LONG, question).lower * (1 - 1e-9)
