"""Answers about rates say where their routing can deadlock, and nothing where it can't."""

from __future__ import annotations

import pytest

from tests.measures.test_deadlock import ask
from unifiedbus_dsl.measures import deadlock_note

RING = "c[6] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)"


@pytest.mark.parametrize(
    ("question", "noted"),
    [
        ("throughput(alltoall(all npu))", True),
        ("load(alltoall(all npu))", True),
        ("fair(alltoall(all npu))", True),
        ("throughput(alltoall(all npu), routing = valiant)", True),
        ("throughput(shift(all npu, k = 1))", False),
        ("throughput(shift(all npu, k = 2))", True),
        ("throughput(alltoall(all npu), routing = optimal)", False),  # its paths are not known
        ("diameter(all npu)", False),
    ],
)
def test_a_ring(question: str, noted: bool) -> None:
    answer = ask(RING, question)
    assert (deadlock_note.NOTE in answer.assumptions) is noted
    assert (answer.detail.get("deadlock") == "cycle") is noted


@pytest.mark.parametrize(
    ("question", "noted"),
    [
        ("time(alltoall(all npu, size = 1 MiB))", True),
        ("time(allreduce(all npu, size = 1 MiB), algorithm = ring)", False),  # nobody passes anybody
        ("time(allreduce(all npu, size = 1 MiB), algorithm = direct)", True),
        ("sweep(alltoall(all npu))", True),
        ("sweep(allreduce(all npu), algorithm = ring)", False),
    ],
)
def test_a_step_of_a_collective_on_a_ring(question: str, noted: bool) -> None:
    answer = ask(RING, question)
    assert (deadlock_note.STEP_NOTE in answer.assumptions) is noted
    assert (answer.detail.get("deadlock") == "cycle") is noted


def test_steps_that_cost_too_much_are_said_not_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlock_note, "CHEAP", 1)
    assert ask(RING, "time(alltoall(all npu, size = 1 MiB))").detail["deadlock"] == "not looked at"


def test_where_it_costs_too_much_it_is_said_not_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlock_note, "CHEAP", 1)
    answer = ask(RING, "throughput(alltoall(all npu))")
    assert answer.detail["deadlock"] == "not looked at"
    assert deadlock_note.NOTE not in answer.assumptions
