"""Answers to the measures of a training step: the time as an estimate and as a bound, and what follows from it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from attrs import evolve

from unifiedbus_dsl.base.units import FREQUENCY, NUMBER, SIZE, TIME, Dimension, Quantity, format_quantity, format_share
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.read_workload import PlacedTraining, read_workload
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, require_memory, time_step
from unifiedbus_dsl.measures.workloads.walls import walls_of
from unifiedbus_dsl.semantic.select.workloads.read import say_misfits
from unifiedbus_dsl.verify import Stated
from unifiedbus_dsl.verify.estimates import EstimateCertificate
from unifiedbus_dsl.workload.chip import Chip
from unifiedbus_dsl.workload.legality import MisfitError
from unifiedbus_dsl.workload.memory import Kept
from unifiedbus_dsl.workload.step import memory_of
from unifiedbus_dsl.workload.step_bound import StepBound, bound_step
from unifiedbus_dsl.workload.training import EXCHANGED

BOUND = "greatest of the bounds by FLOPs, memory and walls: no schedule, overlap or kernel is faster"


def step_time(call: MeasureCall) -> Certified[Answer]:
    """Return how long a step takes by its estimate, with its parts and its bound."""
    placed, step = _step(call)
    lines = (*_parts_table(step), _bound_line(step.bound))
    text = f"{shown(step.step_s, TIME)}, no schedule below {shown(step.bound_s, TIME)}"
    return _estimate(call, placed, step, step.step_s, TIME, text=text, lines=lines, detail=step_detail(step))


def mfu(call: MeasureCall) -> Certified[Answer]:
    """Return the model FLOPs of a step over the peak of its end points."""
    placed, step = _step(call)
    text = f"{format_share(step.mfu)}; {format_share(step.causal_mfu)} where a causal mask counts half"
    detail = {"causal_mfu": step.causal_mfu}
    return _estimate(call, placed, step, step.mfu, NUMBER, text=text, detail=detail)


def token_rate(call: MeasureCall) -> Certified[Answer]:
    """Return the tokens of a second that a workload trains on."""
    placed, step = _step(call)
    most = step.asked.tokens / step.bound_s
    text = f"{step.tokens_per_s:,.0f} tokens/s, at most {most:,.0f}"
    each = step.tokens_per_s / step.asked.layout.ranks
    lines = (f"{each:,.1f} tokens/s an end point",)
    detail = {"per_end_point": each, "upper_bound": most}
    return _estimate(call, placed, step, step.tokens_per_s, FREQUENCY, text=text, lines=lines, detail=detail)


def step_bound(call: MeasureCall) -> Certified[Answer]:
    """Return the time of a step that no schedule beats on the machine."""
    placed = read_workload(call)
    chip = chip_of(call.machine, placed.ends, placed.asked.precision, constants=False)
    _fitting(call, placed, chip)
    bound = bound_step(placed.asked, chip, walls_of(call.machine, placed.ends))
    lines = tuple(f"{name:<28} {shown(seconds, TIME):>12}" for name, seconds in _by_size(bound.bounds))
    answer = call.exact(
        bound.step_s, TIME, binding=(bound.binding,), assumptions=(BOUND, *placed.said),
        detail={"bounds": bound.bounds}, lines=lines,
    )  # fmt: skip
    return Certified(answer, Stated(answer.lower, answer.upper, "the bytes that cross walls are their finder's alone"))


def memory(call: MeasureCall) -> Certified[Answer]:
    """Return what a step keeps on the fullest end point."""
    placed = read_workload(call)
    chip = chip_of(call.machine, placed.ends, placed.asked.precision, constants=False)
    kept = _fitting(call, placed, chip)
    sorts = {name: getattr(kept, name) for name in ("weights", "gradients", "optimizer", "activations")}
    lines = tuple(f"{name:<12} {_bytes(size):>12}" for name, size in sorts.items())
    text = f"{_bytes(kept.total)} of {_bytes(chip.memory_bytes)}"
    detail: dict[str, Any] = {"bytes": sorts, "memory_bytes": chip.memory_bytes}
    said = "weights, gradients, optimizer and activations by their elements: no buffers, no fragmentation"
    answer = evolve(call.exact(kept.total, SIZE, detail=detail, text=text, lines=lines), assumptions=placed.said)
    shown = EstimateCertificate(kept.total, kept.total, 0.0, tuple(sorts.values()))
    return Certified(answer.estimated(said), shown)


# ---- what they share ------------------------------------------------------------------------------------------------


def _step(call: MeasureCall) -> tuple[PlacedTraining, TrainingStep]:
    """Return a workload and its step on the machine, worked out once for all measures of it."""
    placed = read_workload(call)
    made: dict[tuple[object, bytes], TrainingStep] = vars(call.machine).setdefault("_training_steps", {})
    key = placed.asked, placed.ends.tobytes()
    if key not in made:
        try:
            made[key] = time_step(call.machine, placed.ends, placed.asked)
        except MisfitError as wrong:
            say_misfits(placed.stated, list(wrong.misfits), call.evaluator.sink)
            raise RefusedError from None
    return placed, made[key]


def _fitting(call: MeasureCall, placed: PlacedTraining, chip: Chip) -> Kept:
    """Return what a step keeps, which is not more than its part has."""
    kept = memory_of(placed.asked)
    try:
        require_memory(kept, chip)
    except MisfitError as wrong:
        say_misfits(placed.stated, list(wrong.misfits), call.evaluator.sink)
        raise RefusedError from None
    return kept


def _estimate(
    call: MeasureCall,
    placed: PlacedTraining,
    step: TrainingStep,
    value: float,
    dimension: Dimension,
    *,
    text: str,
    lines: tuple[str, ...] = (),
    detail: dict[str, Any],
) -> Certified[Answer]:
    """Return an answer that rests on the constants of the part, which it names."""
    answer = call.exact(
        value, dimension, binding=(_largest(step),), assumptions=placed.said, detail=detail, text=text, lines=lines
    )
    shown = EstimateCertificate(value, step.step_s, step.bound_s, tuple(step.estimate.parts.values()))
    return Certified(answer.estimated(constants_of(step.chip)), shown)


def constants_of(chip: Chip) -> str:
    """Return the constants that an estimate rests on, in a sentence."""
    c = chip.constants
    launch = format_quantity(Quantity(Fraction(c.launch_s).limit_denominator(10**12), TIME))
    shares = f"{format_share(c.gemm_efficiency)} of its peak, {format_share(c.hbm_efficiency)} of its memory's rate"
    return (
        f"kernels of `{chip.name}` reach {shares} and take {launch} to launch; collectives reach "
        f"{format_share(c.fabric_efficiency)} of the rates of cables"
    )


def _largest(step: TrainingStep) -> str:
    """Return the part of a step that takes most of it, with the cables that bind it."""
    parts = step.estimate.parts
    most = max(parts, key=lambda part: parts[part])
    links = step.binding.get(most, ())
    return f"{most}, {format_share(parts[most] / step.step_s, places=0)}" + (f" ({', '.join(links)})" if links else "")


def _parts_table(step: TrainingStep) -> tuple[str, ...]:
    """Return the parts of a step: what is exposed, of exchanges the whole time and volume, and what binds them."""
    volume = volumes(step)
    rows = [("part", "exposed", "share", "whole", "a rank", "bound by")]
    for part, seconds in step.estimate.parts.items():
        whole = step.estimate.whole.get(part, 0.0)
        if not seconds and not whole:
            continue
        exchange = part in EXCHANGED and whole > 0
        rows.append((
            part, shown(seconds, TIME), format_share(seconds / step.step_s),
            shown(whole, TIME) if exchange else "", _bytes(volume[part]) if exchange else "",
            ", ".join(step.binding.get(part, ())),
        ))  # fmt: skip
    width = [max(len(row[k]) for row in rows) for k in range(5)]
    return tuple(
        f"{row[0]:<{width[0]}}  {'  '.join(f'{row[k]:>{width[k]}}' for k in range(1, 5))}  {row[5]}".rstrip()
        for row in rows
    )


def volumes(step: TrainingStep) -> dict[str, float]:
    """Return the bytes of the exchanges of a step by part, as their collectives count them for a rank."""
    total = dict.fromkeys(EXCHANGED, 0.0)
    for each in step.estimate.exchanges:
        total[each.part] += each.size_bytes * each.times
    return total


def _bound_line(bound: StepBound) -> str:
    return f"no schedule below {shown(bound.step_s, TIME)}: {bound.binding}"


def step_detail(step: TrainingStep) -> dict[str, Any]:
    """Return the parts of a step as JSON holds them."""
    volume = volumes(step)
    parts = {
        part: {"exposed_s": seconds}
        | ({"whole_s": step.estimate.whole[part], "bytes": volume[part]} if part in EXCHANGED else {})
        | ({"binding": list(step.binding[part])} if part in step.binding else {})
        for part, seconds in step.estimate.parts.items()
    }
    bound = step.bound
    return {"parts": parts, "lower_bound_s": bound.step_s, "bounds": bound.bounds, "bound_binding": bound.binding}


def _by_size(bounds: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(bounds.items(), key=lambda each: -each[1])


def _bytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
