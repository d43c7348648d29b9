"""The time of a training step as an estimate: kernels priced with the constants of the part, exchanges as the fabric
times them, both in the event times of the pipeline's schedule.

    step = max over stages of (end of its last pass + what of data's exchange is exposed + optimizer)

A pass of a part takes its kernels and what of the exchanges of its layers is exposed. Exchanges that overlap run under
the kernels of the same pass: of all of them together only what exceeds these is exposed. They are added up, as if they
had the same cables; those that have not would take less. What data-parallel ranks exchange may run under the last
backward pass of a stage, but for that of one layer, whose gradients come last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.workload.chip import ELEMENT_BYTES, Chip
from unifiedbus_dsl.workload.exchange import (
    Exchange,
    gradient_exchanges,
    layer_exchanges,
    local_parameters,
    stage_exchange,
    weight_exchanges,
)
from unifiedbus_dsl.workload.kernels import (
    Kernel,
    Spent,
    backward,
    column_gradients,
    embedding_forward,
    head_forward,
    layer_backward,
    layer_forward,
    spent_on,
)
from unifiedbus_dsl.workload.memory import (
    ELEMENT,
    OPTIMIZER_BYTES,
    Kept,
    activation_bytes,
    expert_activation_bytes,
    state_bytes,
)
from unifiedbus_dsl.workload.pipeline import (
    BACKWARD,
    FORWARD,
    Timeline,
    make_schedule,
    passes_in_flight,
    run_schedule,
)
from unifiedbus_dsl.workload.stages import divide_layers
from unifiedbus_dsl.workload.training import EXCHANGED, Training

Timer: TypeAlias = Callable[[Exchange], float]
"""Seconds of one of the `times` of an exchange, as the fabric and its efficiency have it."""

COMPUTED: Final = ("matrix", "memory", "launch")
ROUNDING: Final = 1e-9
"""A wait that is a smaller share of a step is the rounding of its sum."""
PARTS: Final = (*COMPUTED, *EXCHANGED, "bubble", "optimizer")
UPDATE_BYTES = 2 * OPTIMIZER_BYTES + 4 + 2
"""Memory that Adam moves for each parameter: weight and moments read and written, a gradient read, a weight written."""


@frozen
class Pass:
    """A forward or backward pass of some layers: seconds of kernels, and of exchanges by part, whole and exposed."""

    spent: Spent = field(factory=Spent)
    exchanged: dict[str, float] = field(factory=dict, hash=False)
    exposed: dict[str, float] = field(factory=dict, hash=False)

    @property
    def total_s(self) -> float:
        return self.spent.total_s + sum(self.exposed.values())

    def __add__(self, other: Pass) -> Pass:
        return Pass(
            self.spent + other.spent, _added(self.exchanged, other.exchanged), _added(self.exposed, other.exposed)
        )  # fmt: skip

    def times(self, count: float) -> Pass:
        """Return that many passes as one."""
        return Pass(
            self.spent.times(count),
            {key: value * count for key, value in self.exchanged.items()},
            {key: value * count for key, value in self.exposed.items()},
        )


def _added(one: dict[str, float], two: dict[str, float]) -> dict[str, float]:
    return {key: one.get(key, 0.0) + two.get(key, 0.0) for key in {**one, **two}}


@frozen(eq=False)
class StepTime:
    """An estimate of a step. `parts` add up to `step_s`: the exposed time of each on the stage that ends last, which is
    `stage`. `whole` are the seconds of exchanges with what is hidden. `timeline` has the passes, `tails` the seconds of
    each stage behind its last one, by part."""

    step_s: float
    parts: dict[str, float]
    whole: dict[str, float]
    stage: int
    timeline: Timeline
    tails: list[dict[str, float]]
    exchanges: tuple[Exchange, ...]


@frozen(eq=False)
class Passes:
    """Forward and backward passes of each part of the model in order."""

    forward: list[Pass]
    backward: list[Pass]


def make_pass(
    kernels: Iterable[Kernel],
    exchanges: Iterable[Exchange],
    asked: Training,
    chip: Chip,
    timer: Timer,
    room_s: Mapping[str, float] | None = None,
) -> Pass:
    """Return a pass of kernels with exchanges that its layer waits for, or that run under them: those of tensor ranks
    under the products beside them alone, which take `room_s`."""
    spent = spent_on(kernels, chip, asked.precision)
    whole: dict[str, float] = {}
    beside: dict[str, float] = {}
    for each in exchanges:
        seconds = each.times * timer(each)
        whole[each.part] = whole.get(each.part, 0.0) + seconds
        if each.beside:
            beside[each.beside] = beside.get(each.beside, 0.0) + seconds
    hidden = {part: seconds for part, seconds in whole.items() if part in asked.overlap and part != "tensor"}
    covered = min(1.0, spent.total_s / sum(hidden.values())) if sum(hidden.values()) else 0.0
    exposed = {part: seconds * (1 - covered) if part in hidden else seconds for part, seconds in whole.items()}
    if "tensor" in asked.overlap and room_s is not None:
        exposed["tensor"] = whole.get("tensor", 0.0) - sum(min(s, room_s[name]) for name, s in beside.items())
    return Pass(spent, whole, exposed)


def make_passes(asked: Training, chip: Chip, timer: Timer) -> Passes:
    """Return the passes of every part, without what stages send to each other."""
    layers = {
        experts: (
            make_pass(
                layer_forward(asked, experts=experts),
                layer_exchanges(asked, experts=experts, backward=False), asked, chip, timer,
            ),
            make_pass(
                layer_backward(asked, experts=experts),
                layer_exchanges(asked, experts=experts, backward=True), asked, chip, timer,
                _room(asked, chip, experts),
            ),
        )
        for experts in asked.model.layer_kinds
    }  # fmt: skip
    ends = [(embedding_forward(asked), "first"), (head_forward(asked), "last")]
    extra = {
        name: (make_pass(forward, (), asked, chip, timer), make_pass(backward(forward, asked), (), asked, chip, timer))
        for forward, name in ends
    }

    def of_part(plain: int, routed: int, first: bool, last: bool, k: int) -> Pass:
        one = Pass()
        for experts, count in ((False, plain), (True, routed)):
            one = one + layers[experts][k].times(count) if count else one
        one = one + extra["first"][k] if first else one
        one = one + extra["last"][k] if last else one
        return one + _gathered(asked, (plain, routed), first, last, k, timer)

    kinds = divide_layers(asked.model, asked.parts).kinds()
    made = {kind: (of_part(*kind, FORWARD), of_part(*kind, BACKWARD)) for kind in dict.fromkeys(kinds)}
    return Passes([made[kind][FORWARD] for kind in kinds], [made[kind][BACKWARD] for kind in kinds])


def _room(asked: Training, chip: Chip, experts: bool) -> dict[str, float]:
    """Return the seconds of a layer's backward pass under which exchanges of tensor ranks may run."""
    products = column_gradients(layer_forward(asked, experts=experts), asked)
    return {name: spent_on(each, chip, asked.precision).total_s for name, each in products.items()}


def _gathered(asked: Training, layers: tuple[int, int], first: bool, last: bool, k: int, timer: Timer) -> Pass:
    """Return what a pass waits for weights that replicas share: whole; what is hidden is taken off later."""
    dense, experts = local_parameters(asked, layers, first=first, last=last)
    seconds = 0.0
    for each in weight_exchanges(asked, dense, experts):
        if each.pattern == "allgather":
            seconds += timer(each) / 2  # of a pair one is forward's, the other backward's
        elif k == BACKWARD:
            seconds += timer(each)
    return Pass(Spent(), {"data": seconds}, {"data": seconds}) if seconds else Pass()


def estimate_step(asked: Training, chip: Chip, timer: Timer) -> StepTime:
    """Return the estimate of a step."""
    passes = _with_sends(_hidden_gathers(make_passes(asked, chip, timer), asked), asked, timer)
    sent = stage_exchange(asked)
    send_s = timer(sent) if sent is not None else 0.0
    timeline = run_passes(asked, passes, send_s)
    still = run_passes(asked, passes, 0.0) if send_s else timeline
    held = stage_parameters(asked)
    tails = [_tail(asked, chip, timer, passes, stage, *own) for stage, own in enumerate(held)]
    ends = timeline.end_s.max(axis=1) + np.array([sum(tail.values()) for tail in tails])
    stage = int(ends.argmax())
    return _summary(asked, passes, timeline, still, tails, stage, float(ends[stage]), timer)


def run_passes(asked: Training, passes: Passes, send_s: float) -> Timeline:
    """Return the event times of a step's passes."""
    schedule = make_schedule(asked.schedule, asked.layout.pipeline, asked.microbatches, asked.chunks)
    forward, back = (np.array([each.total_s for each in row]) for row in (passes.forward, passes.backward))
    if asked.schedule != "zero_bubble":
        return run_schedule(schedule, forward, back, send_s)
    weight = np.minimum(forward, back / 2)  # the weight's gradient has as many FLOPs as forward
    return run_schedule(schedule, forward, back - weight, send_s, weight)


def _hidden_gathers(passes: Passes, asked: Training) -> Passes:
    """Return the passes with what they wait for weights under their kernels where that overlaps."""
    if "data" not in asked.overlap:
        return passes

    def hide(one: Pass) -> Pass:
        waits = one.exposed.get("data", 0.0)
        return evolve(one, exposed={**one.exposed, "data": max(0.0, waits - one.spent.total_s)}) if waits else one

    return Passes([hide(each) for each in passes.forward], [hide(each) for each in passes.backward])


def _with_sends(passes: Passes, asked: Training, timer: Timer) -> Passes:
    """Return the passes with what they send where a stage waits for that: all but an interleaved pipeline do."""
    sent = stage_exchange(asked)
    if sent is None or ("pipeline" in asked.overlap and asked.chunks > 1):
        return passes
    seconds, last = timer(sent), len(passes.forward) - 1
    waits = Pass(Spent(), {"pipeline": seconds}, {"pipeline": seconds})
    return Passes(
        [each + waits if k < last else each for k, each in enumerate(passes.forward)],
        [each + waits if k > 0 else each for k, each in enumerate(passes.backward)],
    )


def _tail(
    asked: Training, chip: Chip, timer: Timer, passes: Passes, stage: int, dense: float, experts: float
) -> dict[str, float]:
    """Return the seconds of a stage behind its last pass: exposed data exchange and optimizer."""
    mine = range(stage, asked.parts, asked.layout.pipeline)
    exchange = 0.0
    if asked.shard != "weights":
        exchange = sum(timer(each) for each in gradient_exchanges(asked, dense, experts))
    if "data" in asked.overlap and exchange:
        layers = max(1, int(divide_layers(asked.model, asked.parts).layers[list(mine)].sum()))
        window = sum(passes.backward[k].spent.total_s + passes.forward[k].spent.total_s for k in mine)
        exchange = max(exchange / layers, exchange - window * (1 if asked.shard == "optimizer" else 2 / 3))
    shared = asked.shard != "none"
    held = dense / (asked.layout.replicas if shared else 1) + experts / (asked.layout.expert_replicas if shared else 1)
    update = held * UPDATE_BYTES / (chip.memory_Bps * chip.constants.hbm_efficiency)
    return {"data": exchange, "optimizer": update}


def stage_parameters(asked: Training) -> list[tuple[float, float]]:
    """Return the parameters of a rank of each stage: dense ones and experts, [p]."""
    kinds = divide_layers(asked.model, asked.parts).kinds()
    of_kind = {kind: local_parameters(asked, kind[:2], first=kind[2], last=kind[3]) for kind in dict.fromkeys(kinds)}
    stages = asked.layout.pipeline
    rows = [[of_kind[kind] for kind in kinds[stage::stages]] for stage in range(stages)]
    return [(sum(dense for dense, _ in row), sum(experts for _, experts in row)) for row in rows]


def _summary(
    asked: Training,
    passes: Passes,
    timeline: Timeline,
    still: Timeline,
    tails: list[dict[str, float]],
    stage: int,
    step_s: float,
    timer: Timer,
) -> StepTime:
    """Return the step with its time divided among parts, on the stage that ends last."""
    total = Pass()
    for k in range(stage, asked.parts, asked.layout.pipeline):
        total = total + (passes.forward[k] + passes.backward[k]).times(asked.microbatches)
    parts = dict.fromkeys(PARTS, 0.0)
    parts.update(matrix=total.spent.matrix_s, memory=total.spent.memory_s, launch=total.spent.launch_s)
    for part, seconds in total.exposed.items():
        parts[part] += seconds
    for part, seconds in tails[stage].items():
        parts[part] += seconds
    waits = _wait_s(timeline, stage)
    # what the pipeline would wait without any time to send is its bubble; the rest are sends
    bubble = min(waits, _wait_s(still, stage))
    parts["bubble"], parts["pipeline"] = bubble, parts["pipeline"] + waits - bubble
    whole = {part: total.exchanged.get(part, 0.0) for part in EXCHANGED}
    dense, experts = stage_parameters(asked)[stage]
    used = all_exchanges(asked)
    if asked.shard != "weights":
        whole["data"] += sum(timer(each) for each in gradient_exchanges(asked, dense, experts))
    if (sent := stage_exchange(asked)) is not None:
        whole["pipeline"] = 2 * asked.microbatches * asked.chunks * timer(sent)
    return StepTime(step_s, parts, whole, stage, timeline, tails, used)


def _wait_s(timeline: Timeline, stage: int) -> float:
    """Return how long a stage waits between its first and last pass: nothing where rounding alone is left."""
    end = float(timeline.end_s[stage].max())
    wait = end - float(timeline.busy_s[stage])
    return wait if wait > ROUNDING * end else 0.0


def all_exchanges(asked: Training, stage: int = 0) -> tuple[Exchange, ...]:
    """Return all that the ranks of a stage exchange in a step, each with how often it comes."""
    counted: list[Exchange] = []
    kinds = divide_layers(asked.model, asked.parts).kinds()
    for k in range(stage, asked.parts, asked.layout.pipeline):
        plain, routed, first, last = kinds[k]
        for experts, count in ((False, plain), (True, routed)):
            for back in (False, True) if count else ():
                for each in layer_exchanges(asked, experts=experts, backward=back):
                    counted.append(evolve(each, times=each.times * count * asked.microbatches))
        dense, own = local_parameters(asked, (plain, routed), first=first, last=last)
        for each in weight_exchanges(asked, dense, own):
            counted.append(evolve(each, times=float(asked.microbatches)))
    dense, own = stage_parameters(asked)[stage]
    if asked.shard != "weights":
        counted += gradient_exchanges(asked, dense, own)
    if (sent := stage_exchange(asked)) is not None:
        counted.append(evolve(sent, times=2.0 * asked.microbatches * asked.chunks))
    return merged(counted)


def merged(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges with those alike as one."""
    found: dict[Exchange, float] = {}
    for each in exchanges:
        key = evolve(each, times=1.0)
        found[key] = found.get(key, 0.0) + each.times
    return tuple(evolve(each, times=times) for each, times in found.items())


def memory_of(asked: Training) -> Kept:
    """Return what the fullest end point keeps during a step: states, and activations of the passes in flight.

    With full recomputation one layer at a time has its activations beside the inputs of all; the last stage has scores
    of the vocabulary, two and four bytes each.
    """
    flying = passes_in_flight(asked.schedule, asked.layout.pipeline, asked.microbatches, asked.chunks)
    layout, parts, element = asked.layout, divide_layers(asked.model, asked.parts), _kept_element(asked)
    # passes in flight have at most so many layers of each sort
    largest_chunk = [row.reshape(asked.chunks, layout.pipeline).max(axis=0) for row in (parts.plain, parts.routed)]
    kept = flying * sum(
        row * layer_activations(asked, experts, element)
        for row, experts in zip(largest_chunk, (False, True), strict=True)
    )
    if asked.recompute == "full":
        whole = evolve(asked, recompute="selective")
        kept = kept + max(layer_activations(whole, experts, element) for experts in asked.model.layer_kinds)
    kept = np.asarray(kept, dtype=np.float64)
    kept[-1] += 6 * asked.rank_tokens * asked.model.vocab / layout.tensor
    rows = [
        evolve(_states(asked, *own), activations=float(more))
        for own, more in zip(stage_parameters(asked), kept, strict=True)
    ]
    return max(rows, key=lambda each: each.total)


def _states(asked: Training, dense: float, experts: float) -> Kept:
    """Return the bytes of what an end point with so many parameters keeps of them."""
    layout, element = asked.layout, _kept_element(asked)
    return state_bytes(
        dense, experts, replicas=layout.replicas, expert_replicas=layout.expert_replicas, shard=asked.shard,
        gradient=asked.gradient_bytes, weight=element,
    )  # fmt: skip


def layer_activations(asked: Training, experts: bool, element: float = ELEMENT) -> float:
    """Return the bytes that one layer keeps of a microbatch, with `element` bytes of what goes into a matrix."""
    layout, model = asked.layout, asked.model
    own = evolve(model, ffn=0) if experts else model
    kept = activation_bytes(
        own, asked.sequence, asked.microbatch, tensor=layout.tensor, context=layout.context,
        recompute=asked.recompute,
        sequence_parallel=asked.sequence_parallel, flash=asked.fused_attention, element=element,
    )  # fmt: skip
    if experts and asked.recompute != "full":
        kept += expert_activation_bytes(
            model, asked.rank_tokens, expert=layout.expert, tensor=layout.tensor, undivided=asked.undivided,
            element=element, skew=asked.skew,
        )  # fmt: skip
    return kept


def _kept_element(asked: Training) -> float:
    """Return the bytes of an element of a matrix as it is kept: four bits are not."""
    return min(float(ELEMENT), max(1.0, ELEMENT_BYTES[asked.precision]))
