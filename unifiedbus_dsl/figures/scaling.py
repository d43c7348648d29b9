"""Step time against size: the same batch on more and more replicas, beside its bound and what would be linear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.units import NUMBER, TIME, counted, format_share
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.axes import Axis, frame
from unifiedbus_dsl.figures.training import AskedStep, asked_step
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.workloads.answer_text import constants_of
from unifiedbus_dsl.measures.workloads.read_workload import read_for_layouts
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, time_step
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, polyline
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.sheet import line_entry, sheet, text_entry
from unifiedbus_dsl.workload.legality import MisfitError
from unifiedbus_dsl.workload.training import Training

_LEFT, _WIDE, _TALL, _DOT = 70.0, 640.0, 400.0, 9.0
MOST_SIZES = 12
ESTIMATE, BOUND, LINEAR = palette.LINES[0], palette.LINES[1], palette.QUIET


def scaling(compilation: Compilation, plan: Plan, workload: str, sink: Sink) -> Picture | None:
    """Return the chart of a training step over numbers of replicas up to what the machine has; None after a
    diagnostic."""
    asked = asked_step(compilation, plan.system, workload, sink)
    if asked is None:
        return None
    steps, left_out = sizes(asked)
    return _chart(plan, workload.strip(), steps, left_out)


def sizes(asked: AskedStep) -> tuple[list[TrainingStep], list[int]]:
    """Return the step on fewer and more replicas, on the first of the end points that the workload may stand on; and
    the end points of those that don't fit the memory.

    Raises:
        RefusedError: axes lie along dimensions of the machine; a diagnostic says so.
    """
    ends = read_for_layouts(asked.call)[2]
    found, left_out = [], []
    for training in track(replicas(asked.step.asked, len(ends)), "sizes"):
        some = ends[: training.layout.ranks]
        try:
            found.append(time_step(asked.call.machine, some, training))
        except MisfitError:
            left_out.append(training.layout.ranks)
    return found, left_out


def replicas(asked: Training, ends: int) -> list[Training]:
    """Return the step on numbers of replicas that divide its batch, as far apart on a logarithmic scale as may be; that
    which is asked is one of them."""
    layout = asked.layout
    inner = layout.ranks // layout.data
    whole = asked.batch // asked.microbatch
    legal = [data for data in range(1, ends // inner + 1) if whole % data == 0]
    if len(legal) > MOST_SIZES:
        marks = np.geomspace(legal[0], legal[-1], MOST_SIZES - 1)
        legal = sorted({layout.data, *(min(legal, key=lambda data: abs(np.log(data / mark))) for mark in marks)})
    return [evolve(asked, layout=evolve(layout, data=data)) for data in legal]


def _chart(plan: Plan, workload: str, steps: Sequence[TrainingStep], left_out: Sequence[int]) -> Picture:
    ranks = [step.asked.layout.ranks for step in steps]
    first = steps[0]
    least = min(step.bound_s for step in steps)
    linear = [first.step_s * ranks[0] / each for each in ranks]
    axes = (
        Axis.decades(min(ranks), max(ranks), NUMBER, _WIDE),
        Axis.decades(min(least, linear[-1]), max(step.step_s for step in steps), TIME, _TALL),
    )
    marks = frame(axes, ("end points", "time of a step"), _LEFT)
    lines = [
        ("linear", LINEAR, 1.2, linear),
        ("bound", BOUND, 1.6, [step.bound_s for step in steps]),
        ("estimate", ESTIMATE, 2.2, [step.step_s for step in steps]),
    ]
    for name, colour, width, values in lines:
        corners = [_spot(axes, rank, value) for rank, value in zip(ranks, values, strict=True)]
        if len(corners) > 1:
            marks.append(Line(name, polyline(*corners), colour, width, name == "linear", role="curve"))
    for number, step in enumerate(steps):
        marks += _dot(number, step, axes, linear[number])
    asked = first.asked
    notes = [
        f"`{workload}`: {counted(asked.batch, 'sequence')} of {asked.sequence:,} tokens at every size; more replicas "
        f"of {ranks[0] // asked.layout.data:,} end points",
        f"estimates: {constants_of(first.chip)}",
    ]
    if left_out:
        notes.append(f"sizes that don't fit: {', '.join(f'{each:,}' for each in left_out)}")
    legend = [
        line_entry("legend-estimate", "estimate, with its part of what linear would be", ESTIMATE),
        line_entry("legend-bound", "no schedule is below", BOUND),
        line_entry("legend-linear", "linear from the first", LINEAR),
        text_entry("legend-scale", "both scales are logarithmic"),
    ]
    head = head_of(PlanSummary(plan), plan.root, "step time against size")
    return sheet(head.title, head.kind, [(note, "") for note in notes], [], marks, legend)


def _spot(axes: tuple[Axis, Axis], ranks: float, seconds: float) -> tuple[float, float]:
    return _LEFT + axes[0].at(ranks), _TALL - axes[1].at(seconds)


def _dot(number: int, step: TrainingStep, axes: tuple[Axis, Axis], linear: float) -> list[Mark]:
    """Return the dots of a size with what they say."""
    ranks = step.asked.layout.ranks
    x, y = _spot(axes, ranks, step.step_s)
    share = format_share(linear / step.step_s, places=0)
    said = f"{ranks:,} end points, {step.asked.layout.data:,} replicas"
    tip = f"{said}: {shown(step.step_s, TIME)}, {share} of linear, {step.tokens_per_s:,.0f} tokens/s"
    below = f"{said}: no schedule below {shown(step.bound_s, TIME)}, {step.bound.binding}"
    low = _spot(axes, ranks, step.bound_s)[1]
    return [
        Box(f"estimate-{number}", x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, palette.PAPER, ESTIMATE, 1.6, "ellipse",
            role="dot", tip=tip),
        Box(f"bound-{number}", x - _DOT / 4, low - _DOT / 4, _DOT / 2, _DOT / 2, BOUND, BOUND, 1.0, "ellipse",
            role="bound", tip=below),
        Text(f"estimate-{number}-said", x, y - 13, share, 10, anchor="middle", role="share", tip=tip),
    ]  # fmt: skip
