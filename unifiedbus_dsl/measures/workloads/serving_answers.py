"""Answers to the measures of serving: prefill and decode as estimates and as bounds, and the rate of tokens."""

from __future__ import annotations

from unifiedbus_dsl.base.units import FREQUENCY, TIME
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
from unifiedbus_dsl.measures.workloads.serving import ServingStep, time_serving
from unifiedbus_dsl.measures.workloads.steps import require_memory
from unifiedbus_dsl.measures.workloads.walls import max_port_Bps
from unifiedbus_dsl.workload.serving import Serving, serving_memory
from unifiedbus_dsl.workload.serving_bound import ServingBound, bound_decode, bound_prefill
from unifiedbus_dsl.workload.serving_time import ServingTime


def prefill_time(call: MeasureCall) -> Certified[Answer]:
    """Return how long a prompt takes to its first token by its estimate, with its parts and its bound."""
    placed, step = _step(call)
    rate = step.prompt_tokens_per_s
    return _pass(call, placed, step, step.prefill, step.prefill_bound, rate, f"{rate:,.0f} tokens of prompts/s")


def decode_time(call: MeasureCall) -> Certified[Answer]:
    """Return how long a decode step takes by its estimate, in the middle of an output, with its parts and its bound."""
    placed, step = _step(call)
    rate = step.tokens_per_s
    said = f"{rate:,.0f} tokens/s, {1 / step.token_s:,.1f} a sequence"
    return _pass(call, placed, step, step.decode, step.decode_bound, rate, said)


def token_rate(call: MeasureCall) -> Certified[Answer]:
    """Return the tokens of a second that all sequences get."""
    placed, step = _step(call)
    parts, least, rate = step.decode.parts, step.decode_bound.step_s, step.tokens_per_s
    most, each = rate * step.decode_s / least, rate / step.asked.layout.ranks
    lines = (f"{each:,.1f} tokens/s an end point, of decode alone", f"no schedule above {most:,.0f} tokens/s")
    return estimate(
        call, placed, rate, FREQUENCY, parts.values(), total=step.decode_s, least=least, why=constants_of(step.chip),
        text=f"{rate:,.0f} tokens/s", binding=(largest(parts, step.binding),), lines=lines,
        detail={"per_end_point": each, "upper_bound": most, "per_sequence": 1 / step.token_s},
    )  # fmt: skip


def prefill_bound(call: MeasureCall) -> Certified[Answer]:
    """Return the time of a prefill pass that no schedule beats on the machine."""
    return _bound(call, decode=False)


def decode_bound(call: MeasureCall) -> Certified[Answer]:
    """Return the time of a decode step that no schedule beats on the machine."""
    return _bound(call, decode=True)


def _bound(call: MeasureCall, *, decode: bool) -> Certified[Answer]:
    placed, asked = of_form(call, Serving)
    chip = chip_of(call.machine, placed.ends, asked.precision, constants=False)
    fitting(call, placed, lambda: require_memory(serving_memory(asked), chip))
    port = max_port_Bps(call.machine, placed.ends)
    found = bound_decode(asked.decode_step(), chip, port) if decode else bound_prefill(asked, chip, port)
    return bound(call, placed, found.step_s, found.binding, found.bounds)


def serving_of(call: MeasureCall) -> ServingStep:
    """Return serving with all that is known of it, where a workload of the text is asked."""
    return _step(call)[1]


def _step(call: MeasureCall) -> tuple[PlacedWorkload, ServingStep]:
    return timed_once(call, Serving, time_serving)


def _pass(
    call: MeasureCall,
    placed: PlacedWorkload,
    step: ServingStep,
    time: ServingTime,
    least: ServingBound,
    rate: float,
    said: str,
) -> Certified[Answer]:
    """Return the answer about one pass, with the rate that follows."""
    found = (time.parts, time.whole, time.exchanges, step.binding)
    below = f"no schedule below {shown(least.step_s, TIME)}"
    detail = {
        "parts": parts_detail(*found), "lower_bound_s": least.step_s, "bounds": least.bounds,
        "bound_binding": least.binding, "tokens_per_s": rate,
    }  # fmt: skip
    return estimate(
        call, placed, time.seconds, TIME, time.parts.values(), total=time.seconds, least=least.step_s,
        why=constants_of(step.chip), text=shown(time.seconds, TIME),
        binding=(largest(time.parts, step.binding),),
        lines=(*parts_table(*found), f"{below}: {least.binding}", said), detail=detail,
    )  # fmt: skip
