"""Tokens a second of two models on the shipped machines, each at its best layout: a table of `docs/comparison.md`.

`python -m tests.workload.compared` prints its rows.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from tests.support.asked import ROOT
from tests.workload.test_model import DEEPSEEK, LLAMA
from unifiedbus_dsl.analysis.api.workloads import best_layouts
from unifiedbus_dsl.compiler import compile as compile_file
from unifiedbus_dsl.measures.workloads.steps import TrainingStep
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.training import Training

TITLE: Final = "Tokens a second of training"
HEAD: Final = """\
These are **estimates**, beside a bound that no schedule beats: how they come about, which constants they rest on and
how far they are from measured steps is told in [workloads](workloads.md). Each machine has the layout of the least
estimate among all that are legal and fit its memory, found by `solve.best_layouts` and proved to be the best by its
estimate; microbatches and schedules are part of that. A step has 16.8 million tokens: 2,048 sequences of 8,192 for
Llama 3.1 405B, 4,096 of 4,096 for DeepSeek-V3. Replicas share the optimizer, nothing is computed again, experts are
chosen evenly. FP8 but on the A100, which has none; constants of the Ascend 950DT are assumed to be those of the H100,
so its rows compare networks and peaks, not kernels. On the DGX SuperPODs 64 nodes take part, two scalable units of
them; of the NVL72 there is one, which has little more memory than either model needs, so few layouts to choose from.
MFU counts attention in full, over the dense peak. Power is the most that data sheets give a node (DGX A100 6.5 kW, DGX
H100 10.2 kW), without the switches between nodes, and of the NVL72 an analyst's 145 kW for the rack (SemiAnalysis on
the CloudMatrix384, 2025); of the Atlas 950 none is published.
"""
HEADS: Final = ("machine", "model", "NPUs", "t · c · p · d · e", "microbatch", "schedule", "step", "bound", "tokens/s",
                "tokens/s an NPU", "MFU", "tokens/s a kW")  # fmt: skip
MODELS: Final = (("Llama 3.1 405B", LLAMA["405B"], 8192, 2048), ("DeepSeek-V3", DEEPSEEK, 4096, 4096))


@frozen
class Place:
    """End points of a machine that a step runs on."""

    name: str
    spec: str
    system: str
    ends: str
    precision: str = "fp8"
    npu_kW: float | None = None  # noqa: N815
    """Power of an NPU with its part of the node, None where none is published."""


PLACES: Final = (
    Place("Atlas 950 SuperPoD, 1,024 NPUs", "huawei/atlas-950-1024.ubus", "superpod", "all npu"),
    Place("Atlas 950 SuperPoD", "huawei/atlas-950-superpod.ubus", "superpod", "all npu"),
    Place("DGX SuperPOD, H100", "nvidia/dgx-superpod.ubus", "h100_4su", "all npu in node[0..63]", npu_kW=10.2 / 8),
    Place("DGX SuperPOD, A100", "nvidia/dgx-superpod.ubus", "a100_4su", "all npu in node[0..63]", "bf16", 6.5 / 8),
    Place("GB200 NVL72", "nvidia/gb200-nvl72.ubus", "rack", "all npu", npu_kW=145 / 72),
)


def best(place: Place, model: Model, sequence: int, batch: int) -> TrainingStep | None:
    """Return the step with the least estimate; None where no layout fits."""
    fabric = compile_file(ROOT / "specs" / place.spec).fabric(place.system)
    asked = Training(model, batch, sequence, 1, Layout(), precision=place.precision, shard="optimizer")
    found = best_layouts(fabric, asked, place.ends, top=1, seconds=1e9)
    assert found.proved
    return found.steps[0] if found.steps else None


def row(place: Place, name: str, model: Model, sequence: int, batch: int) -> str:
    """Return a line of the table."""
    step = best(place, model, sequence, batch)
    if step is None:
        return f"| {place.name} | {name} |" + " |" * (len(HEADS) - 3) + " no layout fits the memory |"
    asked, layout = step.asked, step.asked.layout
    axes = " · ".join(str(layout.size(axis)) for axis in ("tensor", "context", "pipeline", "data", "expert"))
    schedule = f"{asked.schedule}({asked.chunks})" if asked.chunks > 1 else asked.schedule
    cells = (
        place.name, name, f"{layout.ranks:,}", axes, str(asked.microbatch), schedule, f"{step.step_s:.2f} s",
        f"{step.bound_s:.2f} s", f"{step.tokens_per_s:,.0f}", f"{step.tokens_per_s / layout.ranks:,.0f}",
        f"{100 * step.mfu:.0f} %",
        f"{step.tokens_per_s / (layout.ranks * place.npu_kW):,.0f}" if place.npu_kW else "-",
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def rows() -> list[str]:
    return [row(place, *model) for model in MODELS for place in PLACES]


def section(lines: list[str]) -> str:
    """Return the part of the page around the lines of the table."""
    table = [f"| {' | '.join(HEADS)} |", "| --- " * len(HEADS) + "|", *lines]
    return f"## {TITLE}\n\n{HEAD}\n" + "\n".join(table) + "\n"


if __name__ == "__main__":
    import time

    for model in MODELS:
        for place in (*PLACES[1:], PLACES[0]):
            print(row(place, *model), round(time.process_time()), flush=True)
