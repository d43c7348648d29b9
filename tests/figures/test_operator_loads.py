"""What operators of a training step put on cables: against the bytes that ranks send, and the times of the step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.figures.test_workload_charts import TEXT
from unifiedbus_dsl.analysis.evaluators import make_evaluator
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.operator_loads import carried_bytes, operator_loads, sent_bytes
from unifiedbus_dsl.figures.solved_views import explorer_page
from unifiedbus_dsl.figures.training import asked_step
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.solver.network_context import NetworkContext


@pytest.fixture(scope="module")
def pod() -> Compilation:
    return compile_text(TEXT)


@pytest.mark.parametrize("workload", ["even", "deep", "mixed"])
def test_cables_of_a_full_mesh_carry_what_is_sent(pod: Compilation, workload: str) -> None:
    """Each byte takes one cable; the busiest of a single step carries as long as the exchange takes."""
    asked = asked_step(pod, "pod", workload, Sink())
    assert asked
    machine = asked.call.machine
    timer = FabricTimer(machine, np.arange(8), asked.step.asked.layout, 0.9)
    parts = set()
    for exchange in asked.step.estimate.exchanges:
        parts.add(exchange.part)
        carried, sent = carried_bytes(timer, exchange), sent_bytes(timer, exchange)
        assert carried.sum() == pytest.approx(sent.sum())
        n = asked.step.asked.layout.size(exchange.axis)
        if exchange.pattern in ("allgather", "reducescatter"):
            assert sent == pytest.approx(np.full(8, exchange.size_bytes * (n - 1) / n))
        if exchange.pattern == "allreduce":
            assert sent.min() >= 2 * exchange.size_bytes * (n - 1) / n * (1 - 1e-9)
        busy = float((carried / machine.network.capacity_Bps).max())
        if len(timer.flows(exchange)) == 1:
            assert busy == pytest.approx(timer.time(exchange).bandwidth_s)
        assert busy <= timer.time(exchange).bandwidth_s * (1 + 1e-9)
    assert parts == ({"tensor", "data"} if workload == "even" else {"pipeline", "data"})


def test_every_operator_of_every_training_step(pod: Compilation) -> None:
    found = dict(operator_loads(make_evaluator(pod, NetworkContext(pod.fabric()), Sink())))
    assert set(found) == {
        *(f"even.{part}" for part in ("tensor", "data")),
        *(f"{name}.{part}" for name in ("deep", "mixed", "zero") for part in ("pipeline", "data")),
    }
    for name, used in found.items():
        assert 0 < used.most <= 0.9 + 1e-9, name  # collectives reach 90 % of the rates of cables
    assert found["even.data"].alike
    assert not found["deep.pipeline"].alike  # the last stage sends to none
    assert found["mixed.pipeline"].alike
    assert "even.tensor (" in found["even.tensor"].said


def test_the_page_to_explore_has_them(pod: Compilation) -> None:
    page = explorer_page(pod, "pod", Sink())
    assert all(f"{name}" in page for name in ("even.tensor", "even.data", "deep.pipeline", "of a step that it takes"))
    assert "chat." not in page
