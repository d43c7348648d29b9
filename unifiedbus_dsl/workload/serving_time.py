"""The time of serving as an estimate: kernels priced with the constants of the part, exchanges timed by the fabric.

    prefill = sum over stages of its forward pass + what is sent between them
    decode = max(sum over stages of its pass + sends, p * the longest pass), of a p-th of the sequences each

Of the head a prefill pass computes one token for each prompt. In a decode step the core of attention reads the cache:
latent attention in its absorbed form, scores against the latent vectors themselves (arXiv:2405.04434, section 2.1.2).
Of a rank's experts only those that a token is sent to are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil

from attrs import evolve, field, frozen

from unifiedbus_dsl.workload.chip import ELEMENT_BYTES, Chip
from unifiedbus_dsl.workload.exchange import Exchange, layer_exchanges, stage_exchange
from unifiedbus_dsl.workload.kernels import Kernel, embedding_forward, head_forward, layer_forward
from unifiedbus_dsl.workload.serving import Decode, Serving, met_experts
from unifiedbus_dsl.workload.stages import divide_layers
from unifiedbus_dsl.workload.step import COMPUTED, Pass, Timer, make_pass, merged
from unifiedbus_dsl.workload.training import EXCHANGED, Training


@frozen(eq=False)
class ServingTime:
    """An estimate of a pass through the model. `parts` add up to `seconds`: kernels, what of each exchange is exposed,
    `bubble`; `whole` are exchanges with what is hidden. `period_s` is how often the next pass begins."""

    seconds: float
    period_s: float
    parts: dict[str, float]
    whole: dict[str, float]
    exchanges: tuple[Exchange, ...] = field(repr=False)


def estimate_prefill(asked: Serving, chip: Chip, timer: Timer) -> ServingTime:
    """Return the estimate of a prefill pass: of `prompts` prompts on each replica."""
    step = asked.prefill_step()
    kernels = {experts: layer_forward(step, experts=experts) for experts in asked.model.layer_kinds}
    last = evolve(step, sequence=step.layout.context)  # one token of each prompt
    passes = _passes(step, kernels, layer_exchanges, head_forward(last), chip, timer)
    return _summed(step, passes, timer, saturated=False)


def estimate_decode(asked: Decode, chip: Chip, timer: Timer) -> ServingTime:
    """Return the estimate of a decode step, in which every sequence passes all stages."""
    step = decode_tokens(asked)
    kernels = {experts: list(decode_kernels(asked, step, experts=experts)) for experts in asked.model.layer_kinds}
    passes = _passes(step, kernels, _decode_exchanges, head_forward(step), chip, timer)
    return _summed(step, passes, timer, saturated=True)


def decode_tokens(asked: Decode) -> Training:
    """Return the tokens of a decode step on one rank of a stage as the microbatch of a step: a p-th of the sequences of
    a replica, which ranks of its context share out."""
    layout = asked.layout
    own = ceil(asked.tokens / (layout.pipeline * layout.context))
    alone = evolve(layout, context=1, data=layout.data * layout.context)
    return Training(
        asked.model, alone.data * own, 1, own, alone, precision=asked.precision, overlap=asked.overlap, skew=asked.skew
    )


def decode_kernels(asked: Decode, step: Training, *, experts: bool) -> Iterator[Kernel]:
    """Yield the kernels of one layer of a decode step: those of a forward pass, with a core that reads the cache, and
    of the experts those that are met."""
    met = met_experts(asked.model, asked.layout, asked.tokens / asked.layout.pipeline)
    for each in layer_forward(step, experts=experts):
        if each.name == "core":
            yield _decode_core(asked, step)
        elif each.name == "experts":
            unread = (1 - met) * each.weights * ELEMENT_BYTES[step.precision]
            yield evolve(each, moved=each.moved - unread)
        else:
            yield each


def _decode_core(asked: Decode, step: Training) -> Kernel:
    """Return the kernel of attention of new tokens to the cache of their sequences."""
    model, tensor = asked.model, step.layout.tensor
    sequences = step.rank_tokens / (1 + asked.drafted)
    if model.attention == "mla":
        elements = float(model.kv_rank + model.rope_dim)
        flops = 2.0 * model.heads / tensor * (elements + model.kv_rank)
    else:
        elements = 2 * max(1.0, model.key_heads / tensor) * model.width
        flops = 4.0 * model.heads / tensor * model.width
    return Kernel(
        "core", "wide", flops * asked.context * step.rank_tokens, sequences * asked.context * elements * asked.cache
    )  # fmt: skip


def _decode_exchanges(step: Training, *, experts: bool, backward: bool) -> list[Exchange]:
    """Return the exchanges of one layer of a decode step: a sequence stays with one of the ranks of its context."""
    return [each for each in layer_exchanges(step, experts=experts, backward=backward) if each.part != "context"]


@frozen(eq=False)
class _Stages:
    """The passes of each stage, and the exchanges of all of them."""

    passes: list[Pass]
    exchanges: list[Exchange]


def _passes(
    step: Training,
    kernels: dict[bool, list[Kernel]],
    exchanges: Callable[..., list[Exchange]],
    head: list[Kernel],
    chip: Chip,
    timer: Timer,
) -> _Stages:
    """Return the pass of each stage: its layers, with the embeddings at both ends."""
    layers = {
        experts: make_pass(own, exchanges(step, experts=experts, backward=False), step, chip, timer)
        for experts, own in kernels.items()
    }
    first = make_pass(embedding_forward(step), (), step, chip, timer)
    last = make_pass(head, (), step, chip, timer)
    passes, sent = [], []
    for plain, routed, at_first, at_last in divide_layers(step.model, step.layout.pipeline).kinds():
        counts = [(experts, count) for experts, count in ((False, plain), (True, routed)) if count]
        total = sum((layers[experts].times(count) for experts, count in counts), Pass())
        passes.append(total + (first if at_first else Pass()) + (last if at_last else Pass()))
        for experts, count in counts:
            sent += [evolve(e, times=e.times * count) for e in exchanges(step, experts=experts, backward=False)]
    return _Stages(passes, sent)


def _summed(step: Training, stages: _Stages, timer: Timer, *, saturated: bool) -> ServingTime:
    """Return the time of a pass through all stages; `saturated`: the next token waits until each stage is free."""
    total = sum(stages.passes, Pass())
    sent = stage_exchange(step)
    send_s = timer(sent) * (step.layout.pipeline - 1) if sent is not None else 0.0
    parts = dict.fromkeys((*COMPUTED, *EXCHANGED, "bubble"), 0.0)
    parts.update(matrix=total.spent.matrix_s, memory=total.spent.memory_s, launch=total.spent.launch_s)
    parts.update(total.exposed)
    parts["pipeline"] += send_s
    through, period = sum(parts.values()), max(each.total_s for each in stages.passes)
    if saturated:
        parts["bubble"] = max(0.0, step.layout.pipeline * period - through)
    exchanges = merged([*stages.exchanges, *([] if sent is None else [evolve(sent, times=step.layout.pipeline - 1.0)])])
    whole = {part: total.exchanged.get(part, 0.0) for part in EXCHANGED} | {"pipeline": send_s}
    return ServingTime(sum(parts.values()), period, parts, whole, exchanges)
