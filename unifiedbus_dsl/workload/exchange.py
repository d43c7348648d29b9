"""What ranks of a training step exchange: a table of collectives, each over all groups of an axis at once.

For T tokens of a microbatch on a rank, hidden size h, two bytes an element:

    tensor    all-reduce of T h behind attention and behind the feed-forward network, forward and backward; with
              sequence parallelism the all-gather before and the reduce-scatter behind, which carry as much, and
              backward an all-gather of the inputs again, of which a rank keeps its part (arXiv:2205.05198, 4.2.2).
              Sums of input gradients may run under the weights' gradients of the same matrices, that gather under
              the input gradients (`LinearWithGradAccumulationAndAsyncCommunication` of Megatron-Core)
    context   all-gather of keys and values forward and backward, reduce-scatter of their gradients (arXiv:2310.01889)
    expert    all-to-all of each token to `top_k` experts and back, forward and backward, uniform (arXiv:2006.16668)
    pipeline  T h to the next stage, a part by each tensor rank (arXiv:2104.04473, section 4.1), and its gradient back
    data      gradients added up over those with the same weights, and weights handed back where replicas share the
              optimizer (arXiv:1910.02054, section 5); weights gathered for each pass where they share weights too
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.workload.chip import ELEMENT_BYTES
from unifiedbus_dsl.workload.memory import ELEMENT
from unifiedbus_dsl.workload.model import count_parameters
from unifiedbus_dsl.workload.training import Training

Pattern: TypeAlias = Literal["allreduce", "allgather", "reducescatter", "dispatch", "combine", "shift"]
"""Collectives; `dispatch` and `combine` are the all-to-all of tokens to their experts and back, `shift` goes to the
same place of the next stage."""


Beside: TypeAlias = Literal["", "inputs", "weights"]
"""Gradients of the inputs or of the weights of the matrices that tensor ranks divide by columns; none."""


@frozen
class Exchange:
    """`times` collectives of `size_bytes`, one after another, over all groups of `axis`.

    Sizes are those of nccl-tests: what a rank holds at the end of an all-reduce or all-gather, at the start of a
    reduce-scatter or all-to-all; what it sends in a shift.
    """

    part: str
    axis: str
    pattern: Pattern
    size_bytes: float
    times: float = 1.0
    wrap: bool = False
    """Whether the last stage sends to the first."""
    copies: int = 1
    """Experts that a token is sent to."""
    choices: int = 1
    """Experts to choose from."""
    beside: Beside = ""
    """Under which products of the same layer's backward pass it may run."""
    again: bool = False
    """Whether it brings backward what forward brought already, and a rank with more memory might have kept."""


def layer_exchanges(asked: Training, *, experts: bool, backward: bool) -> list[Exchange]:
    """Return the exchanges of one layer forward or backward, of a microbatch."""
    forward = [*_tensor(asked, experts), *_expert(asked, experts), *_context(asked)]
    if not backward:
        return forward
    again = forward if asked.recompute == "full" else []
    return [
        *again,
        *_tensor_gradient(asked, experts),
        *_expert(asked, experts),
        *(evolve(each, again=True) for each in _context(asked)),
        *_context_gradient(asked),
    ]


def _tensor(asked: Training, experts: bool) -> list[Exchange]:
    if asked.layout.tensor == 1:
        return []
    size = asked.rank_tokens * asked.model.hidden * ELEMENT
    # tokens stay divided among the ranks of a tensor group where each of them has experts of its own
    times = 1 if experts and asked.layout.expert > 1 and not asked.model.shared_experts else 2
    if not asked.sequence_parallel:
        return [Exchange("tensor", "tensor", "allreduce", size, times)]
    return [
        Exchange("tensor", "tensor", "allgather", size, times),
        Exchange("tensor", "tensor", "reducescatter", size, times),
    ]


def _tensor_gradient(asked: Training, experts: bool) -> list[Exchange]:
    forward = _tensor(asked, experts)
    if not asked.sequence_parallel:
        return [evolve(each, beside="weights") for each in forward]
    again = [evolve(each, beside="inputs", again=True) for each in forward if each.pattern == "allgather"]
    return [*again, *(evolve(each, beside="weights") if each.pattern == "reducescatter" else each for each in forward)]


def _keys(asked: Training) -> float:
    """Return the bytes of keys and values of all tokens of a sequence on a tensor rank."""
    model = asked.model
    if model.attention == "mla":
        return asked.rank_tokens * asked.layout.context * (model.kv_rank + model.rope_dim) * ELEMENT
    width = 2 * model.key_heads * model.width / min(asked.layout.tensor, model.key_heads)
    return asked.rank_tokens * asked.layout.context * width * ELEMENT


def _context(asked: Training) -> list[Exchange]:
    return [Exchange("context", "context", "allgather", _keys(asked))] if asked.layout.context > 1 else []


def _context_gradient(asked: Training) -> list[Exchange]:
    return [Exchange("context", "context", "reducescatter", _keys(asked))] if asked.layout.context > 1 else []


def _expert(asked: Training, experts: bool) -> list[Exchange]:
    if not experts or asked.layout.expert == 1:
        return []
    # to the busiest rank comes so much; no pair of ranks exchanges more than in an even exchange of that size
    sent = asked.skew * asked.rank_tokens / asked.undivided * asked.model.top_k * asked.model.hidden
    dispatch = sent * min(ELEMENT, ELEMENT_BYTES[asked.precision])
    copies, choices = asked.model.top_k, asked.model.experts
    return [
        Exchange("expert", "expert", "dispatch", dispatch, copies=copies, choices=choices),
        Exchange("expert", "expert", "combine", sent * ELEMENT, copies=copies, choices=choices),
    ]


def met_share(copies: int, choices: int, share: Floats | float) -> Floats:
    """Return how likely one of the `copies` experts of a token, no two the same, is among a share of all `choices`,
    which are alike."""
    missed = np.ones(np.shape(share))
    for already in range(copies):
        missed *= np.clip((choices * (1 - np.asarray(share)) - already) / (choices - already), 0.0, 1.0)
    return np.asarray(1 - missed)


def stage_exchange(asked: Training) -> Exchange | None:
    """Return what a stage of the pipeline sends to the next, of a microbatch; None where there is one stage."""
    if asked.layout.pipeline == 1:
        return None
    size = asked.rank_tokens * asked.model.hidden * ELEMENT / asked.layout.tensor
    return Exchange("pipeline", "pipeline", "shift", size, wrap=asked.chunks > 1)


def local_parameters(asked: Training, layers: tuple[int, int], *, first: bool, last: bool) -> tuple[float, float]:
    """Return the parameters of a rank, dense ones and experts, that has so many layers without and with experts."""
    model, layout = asked.model, asked.layout
    part = count_parameters(model)
    plain, routed = layers
    dense = ((plain + routed) * part.attention + plain * part.ffn) / layout.tensor
    dense += routed * (part.router + model.shared_experts * part.expert / layout.tensor)
    if first:
        dense += part.embedding / layout.tensor
    if last:
        # a table that is the input's too stands here as well, where that is another stage
        table = model.vocab * model.hidden
        dense += table / layout.tensor if layout.pipeline > 1 or part.head else 0.0
        dense += part.final_norm
    own = routed * model.experts * part.expert / (layout.expert if layout.expert > 1 else layout.tensor)
    return dense, own


def gradient_exchanges(asked: Training, dense: float, experts: float) -> list[Exchange]:
    """Return what replicas exchange of the gradients of a step and of the weights after it."""
    result: list[Exchange] = []
    for axis, ranks, size in (
        ("replica", asked.layout.replicas, dense),
        ("expert_replica", asked.layout.expert_replicas, experts),
    ):
        if ranks > 1 and size:
            gradients = size * asked.gradient_bytes
            if asked.shard == "none":
                result.append(Exchange("data", axis, "allreduce", gradients))
                continue
            result.append(Exchange("data", axis, "reducescatter", gradients))
            gathered = size * min(ELEMENT, ELEMENT_BYTES[asked.precision])
            result.append(Exchange("data", axis, "allgather", gathered))
    return result


def weight_exchanges(asked: Training, dense: float, experts: float) -> list[Exchange]:
    """Return what replicas that share weights gather for one microbatch, forward and backward, and the gradients that
    they add up then; nothing where each has its weights."""
    if asked.shard != "weights":
        return []
    return [
        each
        for exchange in gradient_exchanges(asked, dense, experts)
        for each in ((exchange, exchange) if exchange.pattern == "allgather" else (exchange,))
    ]
