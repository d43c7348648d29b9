"""CloudMatrix384's serving rates (arXiv:2506.12708) re-derived: what `docs/workloads.md` says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.workload.test_model import DEEPSEEK
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.compiler import compile as compile_file
from unifiedbus_dsl.measures.workloads.serving import ServingStep, time_serving
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.serving import Serving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "workloads.md"
DECODE, PREFILL = Layout(data=128, expert=128), Layout(data=16, expert=16)
"""256 experts are spread over powers of two; the paper's 320 dies hold copies of some and 32 shared ones too."""


def decode(sequences: int) -> Serving:
    return Serving(DEEPSEEK, 4096, 256, 128 * sequences, DECODE, "int8", drafted=1, accepted=0.7)


def machine() -> tuple[NetworkContext, Ints]:
    """The NPUs in order, on the UB plane alone."""
    fabric = compile_file(ROOT / "specs/huawei/atlas-900-superpod.ubus").fabric()
    links = [k for k, name in enumerate(fabric.plan.links) if name in ("Board", "HalfOptic")]
    context = NetworkContext(fabric).plane(links)
    npus = np.array([fabric.plan.devices[key].kind == "npu" for key in sorted(fabric.plan.devices)])
    return context, context.ends(np.flatnonzero(npus[fabric.device_type]))


def line(name: str, measured: float, estimate: float, bound: float, binds: str) -> str:
    off = 100 * (estimate / measured - 1)
    return f"| {name} | {measured:,.0f} | {estimate:,.0f} | {off:+.0f} % | {bound:,.0f} | {binds} |"


def of_decode(step: ServingStep) -> tuple[float, float, str]:
    """Tokens/s of an NPU by the estimate and by the bound, and what binds."""
    ranks = step.asked.layout.ranks
    bound = step.asked.concurrency * step.asked.kept_tokens / step.decode_bound.step_s
    return step.tokens_per_s / ranks, bound / ranks, step.decode_bound.binding


def test_rates_of_cloudmatrix() -> None:
    """No rate is above its bound, estimates are within 30 %, and the page says them as they come out."""
    context, ends = machine()
    rows = []
    for measured, sequences in ((1943.0, 96), (538.0, 8)):
        step = time_serving(context, ends[:128], decode(sequences))
        rows.append((f"decode, {sequences} sequences an NPU", measured, *of_decode(step)))
    step = time_serving(context, ends[:16], Serving(DEEPSEEK, 4096, 256, 16, PREFILL, "int8", prompts=4))
    tokens = step.asked.prompts * step.asked.prompt
    bound = step.prefill_bound
    rows.append(("prefill, four prompts an NPU", 6688.0, tokens / step.prefill_s, tokens / bound.step_s, bound.binding))
    text = PAGE.read_text(encoding="utf-8")
    for name, measured, estimate, least, binds in rows:
        assert measured < least
        assert estimate == pytest.approx(measured, rel=0.3)
        assert line(name, measured, estimate, least, binds) in text, line(name, measured, estimate, least, binds)
