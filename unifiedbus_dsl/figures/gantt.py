"""The Gantt chart of a training step: the passes of each stage of its pipeline, and what comes behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.units import TIME, format_share
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.axes import Axis, ticks
from unifiedbus_dsl.figures.training import asked_step
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.workloads.answer_text import constants_of
from unifiedbus_dsl.measures.workloads.steps import TrainingStep
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Box, Mark, Picture, Text, text_width
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.sheet import box_entry, sheet, text_entry
from unifiedbus_dsl.workload.pipeline import BACKWARD, FORWARD, WEIGHT

_LEFT, _WIDE = 62.0, 730.0
MOST_ROWS = 128
"""Stages that are drawn; of more, some that are as far apart as each other."""
THIN = 2.5
"""Points below which passes are drawn as one with their neighbours."""
MOST_BOXES = 8_000
"""Boxes of passes: of more, those that are as one are wider."""
PASSES = {
    FORWARD: ("forward", palette.KindStyle("#9ecae1", "#2b5c8a", "square")),
    BACKWARD: ("backward", palette.KindStyle("#8fd3ae", "#1e6b45", "square")),
    WEIGHT: ("gradients of weights", palette.KindStyle("#f7cf80", "#8a5a00", "square")),
}
SEVERAL = palette.KindStyle("#7a9fa8", "#3d5a66", "square")
TAILS = {
    "data": ("exposed exchange of replicas", palette.KindStyle("#e59abf", "#8a2b5c", "square")),
    "optimizer": ("optimizer", palette.KindStyle("#b79fe0", "#5b3b8c", "square")),
}
WAITS = palette.KindStyle("#f4f6f8", "#c3cad2", "square")


@frozen
class Piece:
    """A box of a row: from when to when, what is written in it, how it looks and what it says."""

    begin_s: float
    end_s: float
    text: str
    look: palette.KindStyle
    tip: str


def gantt(compilation: Compilation, plan: Plan, workload: str, sink: Sink) -> Picture | None:
    """Return the chart of a training step of a system; None after a diagnostic."""
    asked = asked_step(compilation, plan.system, workload, sink)
    if asked is None:
        return None
    step = asked.step
    axis = Axis.of(0.0, step.step_s, TIME, _WIDE).until(step.step_s)
    stages = shown_stages(step)
    tall = min(24.0, max(11.0, 640.0 / len(stages)))
    marks: list[Mark] = [*ticks(axis, _LEFT, 0.0, tall * len(stages) + 4)]
    for row, stage in enumerate(stages):
        marks += _row(step, axis, stage, row * tall, tall)
    pipeline, asked_of = step.asked.layout.pipeline, step.asked
    chunks = f"({asked_of.chunks})" if asked_of.chunks > 1 else ""
    notes = [
        f"`{workload.strip()}`: {asked_of.microbatches:,} microbatches through {pipeline:,} stages, "
        f"{asked_of.schedule}{chunks}; a stage for each row",
        f"an estimate: {constants_of(step.chip)}",
    ]
    if len(stages) < pipeline:
        notes.append(f"{len(stages):,} of the stages are drawn")
    head = head_of(PlanSummary(plan), plan.root, "training step")
    parts = step.estimate.parts
    tiles = [
        (shown(step.step_s, TIME), "a step, estimated"),
        (shown(step.bound_s, TIME), "no schedule is below"),
        (format_share(parts["bubble"] / step.step_s), "bubble"),
        (format_share(step.mfu), "MFU"),
    ]
    legend = [box_entry(f"legend-{name}", name, look) for name, look in PASSES.values()]
    legend += [box_entry("legend-several", "several passes, each too short to be drawn", SEVERAL)]
    legend += [box_entry(f"legend-{name}", name, look) for name, look in TAILS.values()]
    legend += [box_entry("legend-waits", "waits", WAITS)]
    if any(mark.text for mark in marks if isinstance(mark, Text) and mark.role == "pass-name"):
        part = ", and the chunk behind a point" if asked_of.chunks > 1 else ""
        legend.append(text_entry("legend-number", f"numbers are those of microbatches{part}"))
    return sheet(head.title, head.kind, [(note, "") for note in notes], tiles, marks, legend)


def shown_stages(step: TrainingStep) -> list[int]:
    """Return the stages that are drawn: all, or some from the first to the last."""
    stages = step.asked.layout.pipeline
    return sorted(set(np.linspace(0, stages - 1, min(stages, MOST_ROWS)).round().astype(int).tolist()))


def _row(step: TrainingStep, axis: Axis, stage: int, y: float, tall: float) -> Iterator[Mark]:
    """Yield the marks of a stage: its name, what it does, and in between that it waits."""
    name = f"stage {stage}" if tall >= 14 else str(stage)
    yield Text(f"stage-{stage}", _LEFT - 8, y + tall / 2, name, min(11.0, tall - 2), False, palette.INK, "end", "row")
    thin = max(THIN, _WIDE * min(step.asked.layout.pipeline, MOST_ROWS) / MOST_BOXES)
    whole = axis.at(step.step_s)
    yield Box(f"stage-{stage}-waits", _LEFT, y + 1, whole, tall - 2, WAITS.fill, WAITS.stroke, 0.6, "square",
              behind=True, role="waits")  # fmt: skip
    for number, piece in enumerate(pieces(step, stage, thin * axis.high / _WIDE)):
        x, width = _LEFT + axis.at(piece.begin_s), axis.at(piece.end_s) - axis.at(piece.begin_s)
        id = f"stage-{stage}-{number}"
        yield Box(id, x, y + 1, width, tall - 2, piece.look.fill, piece.look.stroke, 0.4, "square",
                  role="pass", tip=f"stage {stage}, {piece.tip}")  # fmt: skip
        size = min(10.0, tall - 3)
        if piece.text and text_width(piece.text, size) + 3 <= width:
            yield Text(f"{id}-name", x + width / 2, y + tall / 2, piece.text, size, False, piece.look.ink,
                       role="pass-name")  # fmt: skip


def pieces(step: TrainingStep, stage: int, thin_s: float) -> Iterator[Piece]:
    """Yield what a stage does in a step, one after another; runs of passes that follow each other and are shorter than
    `thin_s` as one."""
    line = step.estimate.timeline
    schedule, chunks = line.schedule, step.asked.chunks
    begin, end = line.begin_s[stage], line.end_s[stage]
    run = np.zeros(len(begin), dtype=np.int64)
    start = 0
    for k in range(1, len(begin)):
        # a pass joins the run before it where both are thin, nothing lies between them, and it is not wide enough yet
        joins = end[k - 1] - begin[start] < thin_s and end[k] - begin[k] < thin_s and begin[k] - end[k - 1] < thin_s
        start = start if joins else k
        run[k] = start
    for first, members in groupby(range(len(begin)), key=run.__getitem__):
        some = list(members)
        sorts = Counter(int(schedule.sort[stage, k]) for k in some)
        said = f"{shown(begin[some[0]], TIME)} to {shown(end[some[-1]], TIME)}"
        if len(some) == 1:
            name, look = PASSES[next(iter(sorts))]
            microbatch, chunk = int(schedule.microbatch[stage, first]), int(schedule.chunk[stage, first])
            text = f"{microbatch}.{chunk}" if chunks > 1 else str(microbatch)
            of = f" of chunk {chunk}" if chunks > 1 else ""
            yield Piece(begin[first], end[first], text, look, f"{name} of microbatch {microbatch}{of}: {said}")
        else:
            look = PASSES[next(iter(sorts))][1] if len(sorts) == 1 else SEVERAL
            counted = ", ".join(f"{count:,} {PASSES[sort][0]}" for sort, count in sorted(sorts.items()))
            yield Piece(begin[some[0]], end[some[-1]], "", look, f"{len(some):,} passes ({counted}): {said}")
    last = float(end[-1])
    for part, seconds in step.estimate.tails[stage].items():
        if seconds > 0:
            name, look = TAILS[part]
            said = f"{shown(last, TIME)} to {shown(last + seconds, TIME)}"
            yield Piece(last, last + seconds, "", look, f"{name}: {said}")
            last += seconds
