"""Measured training steps as steps to estimate: machine, options, and whether a constant rests on it.

`train-a100.csv`: VIA-Research/vTrain, `ground_truth_multi.csv` (MICRO 2024): Megatron-LM of 2022, nothing overlapped,
full recomputation. `train-megatron-a100.csv`: arXiv:2205.05198, tables 3 to 5: sums of input
gradients of tensor ranks run under the weights' gradients, nothing else. `train-h100-gb200.csv`: NVIDIA-NeMo
Megatron-Bridge, performance summaries of releases 26.02 to 26.06 (Apache-2.0): gradients added up in 16 bits, default
overlaps, experts balanced; tokens/s of a GPU are taken as the time of a step.

Fitted on: of the A100 the 3.6B and 18.4B rows; of the H100 and the GB200 the first dense row each.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.compiler import compile as compile_file
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, time_step
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.legality import MisfitError
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.training import Training

FOLDER = Path(__file__).parent / "oracles"
LLAMA405 = Model(layers=126, hidden=16384, heads=128, kv_heads=8, ffn=53248, gated=True, vocab=128256)
LLAMA70 = Model(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, gated=True, vocab=128256)
QWEN235 = Model(
    layers=94, hidden=4096, heads=64, head_dim=128, kv_heads=4, ffn=12288, gated=True, vocab=151936, experts=128,
    top_k=8, expert_ffn=1536, qk_norm=True,
)  # fmt: skip
QWEN30 = Model(
    layers=48, hidden=2048, heads=32, head_dim=128, kv_heads=4, ffn=6144, gated=True, vocab=151936, experts=128,
    top_k=8, expert_ffn=768, qk_norm=True,
)  # fmt: skip
MODELS = {
    "LLAMA3.1_405B": LLAMA405, "LLAMA3_70B": LLAMA70, "Qwen3_235B_a22B": QWEN235, "Qwen3_30B_a3B": QWEN30
}  # fmt: skip
PEAKS = {"FP8": "fp8", "MXFP8": "fp8", "NVFP4": "fp4"}


@frozen
class Row:
    """A measured step of `measured_s` on a system of `machines.ubus`; `fitted` says that a constant rests on it."""

    source: str
    name: str
    system: str
    asked: Training
    measured_s: float
    fitted: bool = False


def gpt(layers: int, hidden: int, heads: int) -> Model:
    return Model(
        layers=layers, hidden=hidden, heads=heads, ffn=4 * hidden, vocab=51200, positions=2048, tied=True, biases=True,
        dropout=True,
    )  # fmt: skip


def rows_of(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def whole(row: dict[str, str], key: str) -> int:
    """Return a number of a row, 1 where it has none."""
    return 1 if row[key] in ("n/a", "") else int(row[key])


def vtrain() -> Iterator[Row]:
    for row in rows_of("train-a100.csv"):
        number = {key: whole(row, key) for key in row if key not in ("params_1e9", "iteration_ms")}
        layout = Layout(tensor=number["tensor"], data=number["data"], pipeline=number["pipeline"])
        asked = Training(
            gpt(number["layers"], number["hidden"], number["heads"]), number["global_batch"], number["sequence"],
            number["micro_batch"], layout, recompute="full", sequence_parallel=False, fused_attention=False,
            overlap=frozenset(),
        )  # fmt: skip
        size = float(row["params_1e9"])
        yield Row("A100", f"{size}B", "a100", asked, float(row["iteration_ms"]) / 1e3, fitted=size < 20)


def megatron() -> Iterator[Row]:
    for row in rows_of("train-megatron-a100.csv"):
        number = {
            k: whole(row, k) for k in ("layers", "hidden", "heads", "tensor", "pipeline", "virtual", "global_batch")
        }
        selective, chunks = row["recompute"] == "selective", number["virtual"]
        asked = Training(
            gpt(number["layers"], number["hidden"], number["heads"]), number["global_batch"], 2048,
            whole(row, "micro_batch"), Layout(tensor=number["tensor"], pipeline=number["pipeline"]),
            schedule="interleaved" if chunks > 1 else "1f1b", chunks=chunks,
            recompute="selective" if selective else "full", sequence_parallel=selective, fused_attention=False,
            overlap=frozenset(("tensor",)),
        )  # fmt: skip
        yield Row("Megatron", f"{row['model']} {row['recompute']}", "a100", asked, float(row["iteration_s"]))


def bridge() -> Iterator[Row]:
    seen: set[str] = set()
    for row in rows_of("train-h100-gb200.csv"):
        tensor, pipeline, context, chunks = (whole(row, k) for k in ("tensor", "pipeline", "context", "virtual"))
        gpus, model = whole(row, "gpus"), MODELS[row["model"]]
        data = gpus // (tensor * pipeline * context)
        layout = Layout(tensor=tensor, pipeline=pipeline, context=context, data=data, expert=whole(row, "expert"))
        asked = Training(
            model, whole(row, "global_batch"), whole(row, "sequence"), whole(row, "micro_batch"), layout,
            schedule="interleaved" if chunks > 1 else "1f1b", chunks=chunks, precision=PEAKS[row["precision"]],
            shard="optimizer", gradient_bytes=2,
        )  # fmt: skip
        system = "gb200" if "GB200" in row["system"] else "h100"
        first = system not in seen and (system == "gb200" or model is LLAMA70)
        seen |= {system} if first else set()
        measured = asked.tokens / (float(row["tokens_per_s_gpu"]) * gpus)
        name = f"{row['model'].removeprefix('LLAMA3_').removeprefix('LLAMA3.1_')} {row['precision']} {row['release']}"
        yield Row(system.upper(), name, system, asked, measured, fitted=first)


def all_rows() -> list[Row]:
    return [*vtrain(), *megatron(), *bridge()]


@cache
def machine(system: str) -> tuple[NetworkContext, Ints]:
    """Return a machine of `machines.ubus` and its GPUs in order, of racks of 72 the first 64 each."""
    fabric = compile_file(FOLDER / "machines.ubus").fabric(system)
    context = NetworkContext(fabric)
    kinds = np.array([fabric.plan.devices[key].kind == "npu" for key in sorted(fabric.plan.devices)])
    ends = context.ends(np.flatnonzero(kinds[fabric.device_type]))
    return context, ends.reshape(-1, 72)[:, :64].ravel() if system == "gb200" else ends


def predicted(row: Row) -> TrainingStep | MisfitError:
    """Return the step of a row; the error where it does not fit."""
    context, ends = machine(row.system)
    try:
        return time_step(context, ends[: row.asked.layout.ranks], row.asked)
    except MisfitError as error:
        return error
