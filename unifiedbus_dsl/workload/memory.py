"""What a training step keeps in the memory of an end point: weights, gradients, optimizer, activations, in bytes.

Activations of a layer by its operators, as in Korthikanti et al., arXiv:2205.05198, section 4: for a microbatch of b
sequences of s tokens, hidden size h, a heads, tensor parallel by t. Two bytes an element, one for dropout masks.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

from unifiedbus_dsl.workload.flops import Recompute
from unifiedbus_dsl.workload.model import Model

Shard: TypeAlias = Literal["none", "optimizer", "gradients", "weights"]
"""What data-parallel ranks share out: nothing, or all up to what is named (Rajbhandari et al., arXiv:1910.02054)."""

OPTIMIZER_BYTES = 12
"""Adam in mixed precision: a copy of the weight and both moments, four bytes each (arXiv:1910.02054, section 3.1)."""
ELEMENT = 2
"""Bytes of an activation."""
SCORES = 5
"""Bytes of a score of attention that is kept: softmax, its dropout mask, the output of dropout."""


@frozen
class Kept:
    """Bytes that an end point keeps, by sort."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    cache: float = 0.0
    """Keys and values of sequences that are served."""

    @property
    def total(self) -> float:
        return self.weights + self.gradients + self.optimizer + self.activations + self.cache


def activation_bytes(
    model: Model,
    sequence: int,
    microbatch: int,
    *,
    tensor: int = 1,
    context: int = 1,
    recompute: Recompute = "none",
    sequence_parallel: bool = True,
    flash: bool = False,
    element: float = ELEMENT,
) -> float:
    """Return what one layer without experts keeps of a microbatch between forward and backward.

    Args:
        model: whose layer it is.
        sequence: tokens of a sequence.
        microbatch: sequences.
        tensor: end points that share the layer's matrices.
        context: end points that share a sequence.
        recompute: what backward computes again; `full` keeps the layer's input alone.
        sequence_parallel: whether what tensor parallelism does not divide is divided along the sequence.
        flash: whether the core of attention keeps no scores, whatever `recompute` says.
        element: bytes of an element of what goes into a matrix and is kept for its gradient; the rest has two.
    """
    tokens = sequence * microbatch / context
    row = tokens * model.hidden * ELEMENT
    along = tensor if sequence_parallel else 1
    if recompute == "full":
        return row / along
    # inputs of both norms and of both blocks; a mask of dropout behind each block has a byte an element
    undivided = (2 + 2 * element / ELEMENT) * row + (2 * row / ELEMENT if model.dropout else 0.0)
    inner = (2 if model.gated else 1) * ELEMENT + element
    divided = tokens * (ELEMENT * _attention_elements(model) + inner * model.ffn)
    kept = undivided / along + divided / tensor
    if recompute == "none" and not flash:
        kept += SCORES * model.heads / tensor * sequence * tokens
    return kept


def _attention_elements(model: Model) -> int:
    """Return the elements of a token: queries, keys, values, what the output matrix takes, latent vectors."""
    if model.attention == "mla":
        latent = model.q_rank + model.kv_rank + model.rope_dim
        return latent + model.heads * (2 * (model.width + model.rope_dim) + 2 * model.width)
    return model.width * 2 * (model.heads + model.key_heads)


def state_bytes(
    dense: float,
    experts: float,
    *,
    replicas: int,
    expert_replicas: int,
    shard: Shard,
    gradient: int = 4,
    weight: float = ELEMENT,
) -> Kept:
    """Return weights, gradients and optimizer of an end point that has so many parameters.

    Args:
        dense: parameters outside experts.
        experts: parameters of experts.
        replicas: end points with the same dense parameters.
        expert_replicas: end points with the same experts.
        shard: what they share out.
        gradient: bytes of an element of a gradient.
        weight: bytes of an element of a weight.
    """
    order = ("none", "optimizer", "gradients", "weights")
    ranks = [(dense, replicas), (experts, expert_replicas)]

    def held(size: float, sort: Shard) -> float:
        shared = order.index(shard) >= order.index(sort)
        return sum(size * count / (by if shared else 1) for count, by in ranks)

    return Kept(held(weight, "weights"), held(gradient, "gradients"), held(OPTIMIZER_BYTES, "optimizer"), 0.0)


def expert_activation_bytes(
    model: Model,
    tokens: float,
    *,
    expert: int,
    tensor: int,
    undivided: int,
    element: float = ELEMENT,
    skew: float = 1.0,
) -> float:
    """Return what the experts of one layer keep of `tokens` of a microbatch on an end point: the tokens that were
    dispatched, what goes into and out of the activation. Those that are routed are spread evenly, but for `skew` times
    as many here."""
    inner = ((2 if model.gated else 1) * ELEMENT + element) * model.expert_ffn
    share = 1.0 if expert > 1 else 1.0 / tensor
    sent = skew * tokens / (undivided if expert > 1 else 1) * model.top_k
    shared = tokens * model.shared_experts * inner / tensor
    return sent * ((element + ELEMENT) * model.hidden + inner * share) + shared
