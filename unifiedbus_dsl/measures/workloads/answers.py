"""Answers to the measures of both forms of workload: the rate of tokens, and the memory."""

from __future__ import annotations

from typing import Any

from unifiedbus_dsl.base.units import SIZE
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.workloads import serving_answers, training_answers
from unifiedbus_dsl.measures.workloads.answer_text import bytes_text, estimate
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.read_workload import read_workload
from unifiedbus_dsl.workload.serving import Serving, most_sequences, serving_memory
from unifiedbus_dsl.workload.step import memory_of

KEPT = "weights, gradients, optimizer, activations and caches by their elements: no buffers, no fragmentation"
SORTS = ("weights", "gradients", "optimizer", "activations", "cache")


def token_rate(call: MeasureCall) -> Certified[Answer]:
    """Return the tokens of a second: those that are trained on, or those that all sequences get."""
    serving = isinstance(read_workload(call).asked, Serving)
    return serving_answers.token_rate(call) if serving else training_answers.token_rate(call)


def memory(call: MeasureCall) -> Certified[Answer]:
    """Return what a workload keeps on the fullest end point, whether that has as much or not."""
    placed = read_workload(call)
    asked = placed.asked
    chip = chip_of(call.machine, placed.ends, asked.precision, constants=False)
    kept = serving_memory(asked) if isinstance(asked, Serving) else memory_of(asked)
    sorts = {name: size for name in SORTS if (size := getattr(kept, name))}
    lines = [f"{name:<12} {bytes_text(size):>12}" for name, size in sorts.items()]
    detail: dict[str, Any] = {"bytes": sorts, "memory_bytes": chip.memory_bytes}
    if isinstance(asked, Serving):
        detail["most_sequences"] = most = most_sequences(asked, chip.memory_bytes)
        lines.append(f"room for {most:,} sequences at the same time")
    than = "more than" if kept.total > chip.memory_bytes else "of"
    lines.append(f"{than} the {bytes_text(chip.memory_bytes)} of `{chip.name}`")
    return estimate(
        call, placed, kept.total, SIZE, sorts.values(), total=kept.total, least=0.0, why=KEPT,
        text=bytes_text(kept.total),
        lines=tuple(lines), detail=detail,
    )  # fmt: skip
