"""Bounds on training steps against a verifier that works them out anew: random workloads on random machines, and each
way to claim too much is seen."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import HEAD, measured, with_measure
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.steps import time_step
from unifiedbus_dsl.measures.workloads.walls import walls_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.training import StepBoundCertificate
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.legality import find_misfits
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.pipeline import Name
from unifiedbus_dsl.workload.step_bound import bound_step
from unifiedbus_dsl.workload.training import Training

MACHINE = (
    HEAD.replace("{", "{{").replace("}", "}}")
    + """
npu Npu {{
  bf16 = 400 TFLOPS; fp8 = 800 TFLOPS; memory = 640 TB; hbm = {hbm} TB/s; injection = {injection} GB/s
  gemm_efficiency = 60%; hbm_efficiency = 80%; launch = 5 us; fabric_efficiency = 90%
  port x[3] : UB x{x}; port y : UB x{y}; port z : UB x1
  transit x, y, z
}}
board Board {{ npu[4] : Npu; connect npu.x as fullmesh over Wide(1 m); port y = npu.y; port z = npu.z }}
rack Rack {{
  board[2] : Board
  connect board[0].y[n] -- board[1].y[n] over Wide(1 m) for n in 0..3
  port z = board.z
}}
superpod Pod {{
  rack[2] : Rack
  connect rack[0].z[b, n] -- rack[1].z[b, n] over Wide(1 m) for b in 0..1, n in 0..3
}}
system pod : Pod
"""
)
TRAINED = MACHINE.format(hbm=2, x=4, y=1, injection=900) + (
    "model Tiny { layers = 8; hidden = 2048; heads = 16; ffn = 8192; vocab = 32000 }\n"
    "workload w of pod = train(Tiny, batch = 16, sequence = 1024, tensor = 2, data = 8)\n"
)


def random_machine(draw: random.Random) -> Compilation:
    return compile_text(
        MACHINE.format(
            hbm=draw.choice((0.01, 2, 8)), x=draw.choice((1, 2, 4)), y=draw.choice((1, 4)),
            injection=draw.choice((1, 20, 900)),
        )
    )  # fmt: skip


def random_model(draw: random.Random) -> Model:
    mla, experts = draw.random() < 0.3, draw.random() < 0.5
    return Model(
        layers=draw.choice((8, 12, 13)), hidden=512, heads=8, kv_heads=draw.choice((0, 2, 8)), ffn=2048, vocab=8000,
        gated=draw.random() < 0.5, tied=draw.random() < 0.5, biases=draw.random() < 0.5,
        positions=draw.choice((0, 1024)), qk_norm=draw.random() < 0.3, dropout=draw.random() < 0.3,
        experts=16 if experts else 0, top_k=draw.choice((1, 2, 6)) if experts else 0,
        shared_experts=draw.choice((0, 1)) if experts else 0, expert_ffn=256 if experts else 0,
        dense_layers=draw.choice((0, 2)) if experts else 0, attention="mla" if mla else "mha",
        q_rank=draw.choice((0, 128)) if mla else 0, kv_rank=64 if mla else 0, rope_dim=32 if mla else 0,
    )  # fmt: skip


def random_step(draw: random.Random) -> Training:
    """A step that fits 16 end points."""
    while True:
        model = random_model(draw)
        order = ["tensor", "context", "expert", "data", "pipeline"]
        draw.shuffle(order)
        tensor, context, pipeline = (draw.choice((1, 2, 4)) for _ in range(3))
        if tensor * context * pipeline > 16:
            continue
        layout = Layout(
            tensor, context, pipeline, 16 // (tensor * context * pipeline),
            draw.choice((1, 2, 4)) if model.experts else 1, tuple(order),
        )  # fmt: skip
        names: tuple[Name, ...] = ("gpipe", "1f1b", "zero_bubble", "interleaved")
        schedule = draw.choice(names)
        asked = Training(
            model, 64, draw.choice((128, 1024)), draw.choice((1, 2)), layout, schedule,
            2 if schedule == "interleaved" else 1, draw.choice(("bf16", "fp8")),
            draw.choice(("none", "selective", "full")), draw.choice(("none", "optimizer", "gradients", "weights")),
            draw.random() < 0.7, draw.random() < 0.7, draw.choice((2, 4)), skew=draw.choice((1.0, 1.5)),
        )  # fmt: skip
        if not find_misfits(asked, 16):
            return asked


@pytest.mark.parametrize("seed", range(12))
def test_both_find_the_same_and_no_estimate_is_below(seed: int) -> None:
    """Every bound that was compared, not only the one that binds."""
    draw = random.Random(seed)
    machine = NetworkContext(random_machine(draw).fabric())
    cables = cables_of(machine)
    for _ in range(12):
        asked = random_step(draw)
        ends = np.array(draw.sample(range(16), 16)) if draw.random() < 0.3 else np.arange(16)
        found = bound_step(asked, chip_of(machine, ends, asked.precision), walls_of(machine, ends))
        for name, seconds in found.bounds.items():
            certificate = StepBoundCertificate(seconds, name, asked, ends)
            certificate.prove(cables)
            with pytest.raises(VerificationError, match="above what its binding part shows"):
                evolve(certificate, value=seconds * (1 + 1e-6) + 1e-12).prove(cables)
        step = time_step(machine, ends, asked)
        assert step.bound_s == found.step_s == max(found.bounds.values())
        assert step.bound_s <= step.step_s


def test_every_sort_of_bound_binds_somewhere() -> None:
    binding = set()
    for seed in range(12):
        draw = random.Random(seed)
        machine = NetworkContext(random_machine(draw).fabric())
        for _ in range(12):
            asked = random_step(draw)
            chip = chip_of(machine, np.arange(16), asked.precision)
            binding.add(bound_step(asked, chip, walls_of(machine, np.arange(16))).binding)
    assert {"chain", "memory", "ports of an end point"} <= binding
    assert any(each.startswith("cables of") for each in binding)


def test_the_answer_is_held_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    call, certified = measured(TRAINED, "step_bound(w)")
    assert verified(call, certified).unverified == ()

    def beaten(certified: Any) -> Any:
        value = certified.answer.value * 1.01
        return evolve(certified, certificate=evolve(certified.certificate, value=value))

    with_measure(monkeypatch, "step_bound", beaten)
    with pytest.raises(VerificationError, match="above what its binding part shows"):
        api.measure(compile_text(TRAINED).fabric(), "step_bound(w)")


def test_nothing_is_bound_by_what_is_not_there() -> None:
    call, certified = measured(TRAINED, "step_bound(w)")
    wrong = evolve(certified.certificate, binding="cables of `Nothing`")
    with pytest.raises(VerificationError, match="no type of assembly"):
        wrong.prove(cables_of(call.machine))
