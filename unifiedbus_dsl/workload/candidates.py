"""Layouts of a training step that fit: all legal combinations of axes, microbatch and schedule, with a floor of each.

The floor is no more than any estimate of the step: kernels of the passes with the same constants, exchanges that take
what the ports of an end point alone need, and the chain of a pipeline's passes,

    sum of f_j (j < s) + m (F_s + B_s) + sum of b_j (j < s)

for the stage s where that is most. A search that takes candidates by their floor ends when the next one's floor is no
less than the estimates that it has: what it leaves out is worse. A floor rises as the fabric times exchanges.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve

from unifiedbus_dsl.workload.chip import Chip
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.legality import divisors, find_misfits
from unifiedbus_dsl.workload.pipeline import Name
from unifiedbus_dsl.workload.step import Timer, make_passes, memory_of
from unifiedbus_dsl.workload.training import Training

MICROBATCHES = (1, 2, 4, 8)
CHUNKS = (1, 2, 3, 4, 5, 6, 7, 8)
CONTEXTS = (1, 2, 4, 8, 16)


def candidates(asked: Training, ends: int, chip: Chip) -> Iterator[Training]:
    """Yield every layout of a step on so many end points that is legal and fits the memory.

    Model, batch, sequence, precision and what is shared, overlapped and computed again are those of `asked`; so is the
    order of axes.
    """
    for layout in _layouts(asked, ends):
        for microbatch in MICROBATCHES:
            for schedule, chunks in _schedules(layout.pipeline):
                step = evolve(asked, layout=layout, microbatch=microbatch, schedule=schedule, chunks=chunks)
                if not find_misfits(step, ends) and memory_of(step).total <= chip.memory_bytes:
                    yield step


def _layouts(asked: Training, ends: int) -> Iterator[Layout]:
    model = asked.model
    experts = divisors(model.experts) if model.experts else [1]
    for tensor in (each for each in divisors(ends) if model.heads % each == 0):
        for context in (each for each in CONTEXTS if ends // tensor % each == 0):
            for pipeline in divisors(ends // tensor // context):
                data = ends // (tensor * context * pipeline)
                for expert in experts:
                    layout = Layout(tensor, context, pipeline, data, expert, asked.layout.order)
                    if asked.batch % data == 0 and layout.stage_ranks % expert == 0:
                        yield layout


def _schedules(pipeline: int) -> list[tuple[Name, int]]:
    if pipeline == 1:
        return [("1f1b", 1)]
    return [("1f1b", 1), ("zero_bubble", 1), *(("interleaved", chunks) for chunks in CHUNKS[1:])]


def port_timer(asked: Training, chip: Chip, port_Bps: float) -> Timer:  # noqa: N803
    """Return what exchanges take at the least where no end point sends more than `port_Bps`."""

    def seconds(exchange: Exchange) -> float:
        n = 2 if exchange.pattern == "shift" else asked.layout.size(exchange.axis)
        times = 2.0 if exchange.pattern in ("allreduce", "shift") else 1.0
        return times * exchange.size_bytes * (n - 1) / n / (port_Bps * chip.constants.fabric_efficiency)

    return seconds


def floor_of(asked: Training, chip: Chip, timer: Timer) -> float:
    """Return a time that no estimate of a step undercuts whose exchanges take as long as `timer` says, or longer."""
    passes = make_passes(asked, chip, timer)
    stages = asked.layout.pipeline
    forward, back = (np.array([each.total_s for each in row]) for row in (passes.forward, passes.backward))
    # a stage's weights may be had while gradients of inputs go on
    inputs = back / 2 if asked.schedule == "zero_bubble" else back
    work = asked.microbatches * (forward + back).reshape(asked.chunks, stages).sum(axis=0)
    lead = np.cumsum(forward[:stages]) - forward[:stages]
    tail = np.cumsum(inputs[:stages]) - inputs[:stages]
    if asked.schedule == "zero_bubble":
        bare = asked.microbatches * (forward + inputs).reshape(asked.chunks, stages).sum(axis=0)
        return float((lead + np.maximum(work, bare + tail)).max())
    return float((lead + work + tail).max())
