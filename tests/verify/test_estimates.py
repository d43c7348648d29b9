"""Estimates are held to their parts and to the bound that nothing beats: each way to break them is seen."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tests.verify.machines import HEAD, measured, with_measure
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.estimates import EstimateCertificate

TRAINED = (
    HEAD
    + """
npu Npu {
  bf16 = 400 TFLOPS; memory = 640 GB; hbm = 2 TB/s
  gemm_efficiency = 60%; hbm_efficiency = 80%; launch = 5 us; fabric_efficiency = 90%
  port x[3] : UB x4
  transit x
}
superpod Pod { npu[4] : Npu; connect npu.x as fullmesh over Wide(1 m) }
system pod : Pod
model Tiny { layers = 8; hidden = 2048; heads = 16; ffn = 8192; vocab = 32000 }
workload w of pod = train(Tiny, batch = 16, sequence = 1024, tensor = 2, data = 2)
"""
)
ESTIMATES = ["step_time", "mfu", "token_rate", "memory"]
SERVED = "serve(Tiny, prompt = 128, output = 64, concurrency = 64, tensor = 4, precision = bf16)"


@pytest.mark.parametrize("asked", [f"{name}(w)" for name in ESTIMATES] + [f"prefill_time({SERVED})"])
def test_estimates_that_stray_are_refused(asked: str) -> None:
    call, certified = measured(TRAINED, asked)
    assert verified(call, certified).kind == "estimate"
    right, cables = certified.certificate, cables_of(call.machine)
    assert isinstance(right, EstimateCertificate)
    assert right.prove(cables).lower == pytest.approx(certified.answer.value)
    for wrong in (evolve(right, parts=sorted(right.parts)[:-1]), evolve(right, total=right.total * 1.001)):
        with pytest.raises(VerificationError, match="don't add up"):
            wrong.prove(cables)
    with pytest.raises(VerificationError, match="below what nothing can be below"):
        evolve(right, least=right.total * 1.001).prove(cables)


@pytest.mark.parametrize("name", ESTIMATES)
def test_an_estimate_below_its_bound_never_leaves(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def beaten(certified: Any) -> Any:
        return evolve(certified, certificate=evolve(certified.certificate, least=certified.certificate.total * 2))

    fabric = compile_text(TRAINED).fabric()
    with_measure(monkeypatch, name, beaten)
    with pytest.raises(VerificationError, match="below what nothing can be below"):
        api.measure(fabric, f"{name}(w)")
