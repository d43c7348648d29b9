"""Floating-point operations of a token, forward: of matrices two an element and token, of attention by the sequence.

Backward takes twice as many, for the gradients of inputs and of weights. *Model* FLOPs count a causal mask in full, as
PaLM's formula does (arXiv:2204.02311, appendix B), or its half where that is said; *hardware* FLOPs add what is
computed again (arXiv:2205.05198, appendix A).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from unifiedbus_dsl.workload.model import Model, attention_matrices, ffn_matrices

Recompute: TypeAlias = Literal["none", "selective", "full"]
"""Activations that backward computes again: none, those of the attention's core, or all but a layer's input."""

BACKWARD = 2
"""FLOPs of backward for each of forward."""


def core_flops(model: Model, sequence: int, *, causal: bool = False) -> float:
    """Return the forward FLOPs of one token in the core of one layer's attention: scores and their sum over values."""
    keys, values = model.width, model.width
    if model.attention == "mla":
        keys += model.rope_dim
    return 2.0 * model.heads * (keys + values) * sequence * (0.5 if causal else 1.0)


def layer_flops(model: Model, sequence: int, *, experts: bool, causal: bool = False) -> float:
    """Return the forward FLOPs of one token in one layer, with experts or without."""
    matrices = attention_matrices(model)
    if experts:
        routed = (model.top_k + model.shared_experts) * ffn_matrices(model, model.expert_ffn)
        matrices += model.hidden * model.experts + routed
    else:
        matrices += ffn_matrices(model, model.ffn)
    return 2.0 * matrices + core_flops(model, sequence, causal=causal)


def head_flops(model: Model) -> float:
    """Return the forward FLOPs of one token in the output embedding."""
    return 2.0 * model.vocab * model.hidden


def forward_flops(model: Model, sequence: int, *, causal: bool = False) -> float:
    """Return the forward FLOPs of one token."""
    plain = layer_flops(model, sequence, experts=False, causal=causal) if model.plain_layers else 0.0
    routed = layer_flops(model, sequence, experts=True, causal=causal) if model.expert_layers else 0.0
    return model.plain_layers * plain + model.expert_layers * routed + head_flops(model)


def model_flops(model: Model, sequence: int, *, causal: bool = False) -> float:
    """Return the FLOPs of one token in a training step, forward and backward."""
    return (1 + BACKWARD) * forward_flops(model, sequence, causal=causal)


def hardware_flops(model: Model, sequence: int, recompute: Recompute, *, causal: bool = False) -> float:
    """Return the same with what backward computes again; the output embedding is not."""
    again = 0.0
    if recompute == "selective":
        again = model.layers * core_flops(model, sequence, causal=causal)
    elif recompute == "full":
        again = forward_flops(model, sequence, causal=causal) - head_flops(model)
    return model_flops(model, sequence, causal=causal) + again
