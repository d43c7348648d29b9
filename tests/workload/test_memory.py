"""Bytes of activations and of weights against the formulas and figures that were published."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workload.test_model import DEEPSEEK, LLAMA, gpt
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.memory import activation_bytes, state_bytes
from unifiedbus_dsl.workload.model import total_parameters
from unifiedbus_dsl.workload.pipeline import make_schedule, run_schedule
from unifiedbus_dsl.workload.step import stage_parameters
from unifiedbus_dsl.workload.training import Training

GIB = 2**30


@pytest.mark.parametrize("tensor", [1, 2, 8])
def test_activations_of_a_layer(tensor: int) -> None:
    """s b h (34 + 5 a s / h) and its parallel kinds: arXiv:2205.05198, table 2."""
    hidden, heads, sequence, batch = 6_144, 64, 2_048, 4
    model = gpt(48, hidden, heads)
    size, scores = sequence * batch * hidden, 5 * heads * sequence / hidden
    plain = activation_bytes(model, sequence, batch, tensor=tensor, sequence_parallel=False)
    assert plain == pytest.approx(size * (10 + 24 / tensor + scores / tensor), rel=1e-12)
    shared = activation_bytes(model, sequence, batch, tensor=tensor)
    assert shared == pytest.approx(size / tensor * (34 + scores), rel=1e-12)
    assert activation_bytes(model, sequence, batch, tensor=tensor, recompute="selective") == pytest.approx(
        size / tensor * 34, rel=1e-12
    )
    full = activation_bytes(model, sequence, batch, tensor=tensor, recompute="full", sequence_parallel=False)
    assert full == pytest.approx(2 * size, rel=1e-12)
    assert activation_bytes(model, sequence, batch, tensor=tensor, flash=True) == pytest.approx(size / tensor * 34)


def test_activations_of_the_175b_model() -> None:
    """66.84 GiB on the first stage as it is, 12.35 GiB with selective recomputation and sequence parallelism: a
    pipeline of 8 stages interleaved by 3 keeps 96 layers times 1 + 7/24 there (table 5 and section 4.2.3)."""
    model = gpt(96, 12_288, 96)
    line = run_schedule(make_schedule("interleaved", 8, 64, 3), np.ones(24), np.ones(24))
    layers = int(line.in_flight()[0]) * 96 / 24
    plain = activation_bytes(model, 2_048, 1, tensor=8, sequence_parallel=False)
    assert layers * plain / GIB == pytest.approx(66.84, rel=0.01)
    assert layers * activation_bytes(model, 2_048, 1, tensor=8, recompute="selective") / GIB == pytest.approx(
        12.35, rel=0.01
    )


def test_states_of_data_parallel_ranks() -> None:
    """Of N parameters on one rank 18 bytes each, gradients of four; shared by d ranks as arXiv:1910.02054 has it."""
    count = total_parameters(LLAMA["8B"])
    alone = state_bytes(count, 0, replicas=64, expert_replicas=64, shard="none")
    assert alone.total == pytest.approx(18 * count, rel=1e-12)
    assert state_bytes(count, 0, replicas=64, expert_replicas=64, shard="optimizer").total == pytest.approx(
        6 * count + 12 * count / 64
    )
    assert state_bytes(count, 0, replicas=64, expert_replicas=64, shard="weights").total == pytest.approx(
        18 * count / 64
    )


def test_parameters_are_shared_out() -> None:
    """All ranks of a stage together hold the model: DeepSeek-V3's parameters over 16 stages and 64 expert ranks, and
    its experts' part is a 1,024th."""
    asked = Training(DEEPSEEK, 8192, 4096, 1, Layout(pipeline=16, data=128, expert=64))
    found = stage_parameters(asked)
    experts = 58 * 256 * 3 * 7_168 * 2_048 / 64
    assert sum(own for _, own in found) == pytest.approx(experts)
    assert sum(dense for dense, _ in found) + 64 * experts == pytest.approx(total_parameters(DEEPSEEK))
    split = Training(LLAMA["8B"], 64, 4096, 1, Layout(tensor=8, pipeline=4))
    norms = LLAMA["8B"].hidden * 7 / 8
    assert 8 * sum(dense for dense, _ in stage_parameters(split)) == pytest.approx(
        total_parameters(LLAMA["8B"]) + 8 * norms
    )
