"""Answers to the measures of a training step: its time as an estimate and as a bound, and what follows from it."""

from __future__ import annotations

from typing import Any

from unifiedbus_dsl.base.units import FREQUENCY, NUMBER, TIME, Dimension, format_share
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.workloads.answer_text import (
    bound,
    constants_of,
    estimate,
    largest,
    parts_detail,
    parts_table,
)
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.read_workload import PlacedWorkload, fitting, of_form, timed_once
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, require_memory, time_step
from unifiedbus_dsl.measures.workloads.walls import walls_of
from unifiedbus_dsl.verify.training import StepBoundCertificate
from unifiedbus_dsl.workload.step import memory_of
from unifiedbus_dsl.workload.step_bound import bound_step
from unifiedbus_dsl.workload.training import Training


def step_time(call: MeasureCall) -> Certified[Answer]:
    """Return how long a step takes by its estimate, with its parts and its bound."""
    placed, step = _step(call)
    found = (step.estimate.parts, step.estimate.whole, step.estimate.exchanges, step.binding)
    least = f"no schedule below {shown(step.bound_s, TIME)}"
    detail = {
        "parts": parts_detail(*found), "lower_bound_s": step.bound_s, "bounds": step.bound.bounds,
        "bound_binding": step.bound.binding, "tokens_per_s": step.tokens_per_s,
    }  # fmt: skip
    return _estimate(
        call, placed, step, step.step_s, TIME, text=shown(step.step_s, TIME),
        lines=(*parts_table(*found), f"{least}: {step.bound.binding}"), detail=detail,
    )  # fmt: skip


def mfu(call: MeasureCall) -> Certified[Answer]:
    """Return the model FLOPs of a step over the peak of its end points."""
    placed, step = _step(call)
    lines = (f"{format_share(step.causal_mfu)} where a causal mask counts half",)
    return _estimate(
        call, placed, step, step.mfu, NUMBER, text=format_share(step.mfu), lines=lines,
        detail={"causal_mfu": step.causal_mfu},
    )  # fmt: skip


def token_rate(call: MeasureCall) -> Certified[Answer]:
    """Return the tokens of a second that a workload trains on."""
    placed, step = _step(call)
    most, each = step.asked.tokens / step.bound_s, step.tokens_per_s / step.asked.layout.ranks
    text = f"{step.tokens_per_s:,.0f} tokens/s"
    lines = (f"{each:,.1f} tokens/s an end point", f"no schedule above {most:,.0f} tokens/s")
    detail = {"per_end_point": each, "upper_bound": most}
    return _estimate(call, placed, step, step.tokens_per_s, FREQUENCY, text=text, lines=lines, detail=detail)


def step_bound(call: MeasureCall) -> Certified[Answer]:
    """Return the time of a step that no schedule beats on the machine."""
    placed, asked = of_form(call, Training)
    chip = chip_of(call.machine, placed.ends, asked.precision, constants=False)
    fitting(call, placed, lambda: require_memory(memory_of(asked), chip))
    found = bound_step(asked, chip, walls_of(call.machine, placed.ends))
    certificate = StepBoundCertificate(found.step_s, found.binding, asked, placed.ends)
    return bound(call, placed, found.step_s, found.binding, found.bounds, certificate)


def training_of(call: MeasureCall) -> TrainingStep:
    """Return a training step with all that is known of it, where a workload of the text is asked."""
    return _step(call)[1]


def _step(call: MeasureCall) -> tuple[PlacedWorkload, TrainingStep]:
    return timed_once(call, Training, time_step)


def _estimate(
    call: MeasureCall,
    placed: PlacedWorkload,
    step: TrainingStep,
    value: float,
    dimension: Dimension,
    *,
    text: str,
    lines: tuple[str, ...] = (),
    detail: dict[str, Any],
) -> Certified[Answer]:
    """Return an answer that rests on the constants of the part, which it names."""
    parts = step.estimate.parts
    return estimate(
        call, placed, value, dimension, parts.values(), total=step.step_s, least=step.bound_s,
        why=constants_of(step.chip), text=text, binding=(largest(parts, step.binding),), lines=lines, detail=detail,
    )  # fmt: skip
