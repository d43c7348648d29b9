"""A decoder-only transformer by its dimensions: parameters of each part, all of them and those a token passes.

Dimensions and terms are those of the model's own reports: Vaswani et al., arXiv:1706.03762; grouped-query attention,
arXiv:2305.13245; multi-head latent attention and shared experts, arXiv:2412.19437.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

Attention: TypeAlias = Literal["mha", "mla"]
"""Multi-head attention (with fewer key-value heads: grouped-query), or multi-head latent attention."""


@frozen
class Model:
    """A decoder. Sizes are elements; ranks and experts are 0 where the model has none.

    `gated` feed-forward networks have three matrices, others two. `dense_layers` come before those with experts.
    `tied`: input and output embeddings are one matrix. `biases`: linear layers and norms add one, norms have a shift.
    `positions`: learned position embeddings, 0 for rotary ones. `qk_norm`: queries and keys are normalised by head.
    `dropout`: behind each block, as models of 2020 were trained.
    """

    layers: int
    hidden: int
    heads: int
    ffn: int
    vocab: int
    head_dim: int = 0
    """0: hidden / heads."""
    kv_heads: int = 0
    """0: as many as heads."""
    gated: bool = False
    tied: bool = False
    biases: bool = False
    positions: int = 0
    qk_norm: bool = False
    dropout: bool = False
    experts: int = 0
    top_k: int = 0
    shared_experts: int = 0
    expert_ffn: int = 0
    dense_layers: int = 0
    attention: Attention = "mha"
    q_rank: int = 0
    kv_rank: int = 0
    rope_dim: int = 0
    """Of latent attention: the part of a head that carries the position."""

    @property
    def width(self) -> int:
        """Elements of a head."""
        return self.head_dim or self.hidden // self.heads

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def expert_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def plain_layers(self) -> int:
        """Layers with one feed-forward network."""
        return self.layers - self.expert_layers

    @property
    def layer_kinds(self) -> tuple[bool, ...]:
        """Whether with experts, of each kind of layer that it has."""
        return tuple(experts for experts, count in ((False, self.plain_layers), (True, self.expert_layers)) if count)


@frozen
class Parameters:
    """Parameters of a model by part: of one layer where a layer is named, else of the whole."""

    embedding: int
    """Input embedding with positions."""
    head: int
    """Output embedding, 0 where it is the input's."""
    attention: int
    """Of a layer: its matrices and norms."""
    ffn: int
    """Of a layer without experts, with its norm."""
    router: int
    """Of a layer with experts, with its norm."""
    expert: int
    """One expert."""
    final_norm: int


def attention_matrices(model: Model) -> int:
    """Return the elements of the matrices of one layer's attention."""
    hidden, heads, width = model.hidden, model.heads, model.width
    if model.attention == "mla":
        queries = hidden * model.q_rank + model.q_rank * heads * (width + model.rope_dim)
        if not model.q_rank:
            queries = hidden * heads * (width + model.rope_dim)
        keys = hidden * (model.kv_rank + model.rope_dim) + model.kv_rank * heads * 2 * width
        return queries + keys + heads * width * hidden
    return hidden * width * (2 * heads + 2 * model.key_heads)


def ffn_matrices(model: Model, inner: int) -> int:
    """Return the elements of the matrices of a feed-forward network of this inner size."""
    return (3 if model.gated else 2) * model.hidden * inner


def count_parameters(model: Model) -> Parameters:
    """Return the parameters of each part of a model."""
    norm = model.hidden * (2 if model.biases else 1)
    attention = attention_matrices(model) + norm
    if model.attention == "mla":
        attention += model.q_rank + model.kv_rank
    if model.qk_norm:
        attention += 2 * model.width
    ffn = ffn_matrices(model, model.ffn) + norm
    if model.biases:
        attention += (model.heads + 2 * model.key_heads) * model.width + model.hidden
        ffn += (2 if model.gated else 1) * model.ffn + model.hidden
    table = model.vocab * model.hidden
    return Parameters(
        embedding=table + model.positions * model.hidden,
        head=0 if model.tied else table,
        attention=attention,
        ffn=ffn,
        router=model.hidden * model.experts + norm,
        expert=ffn_matrices(model, model.expert_ffn),
        final_norm=norm,
    )


def total_parameters(model: Model) -> int:
    """Return how many parameters a model has."""
    return _sum(model, model.experts + model.shared_experts)


def active_parameters(model: Model) -> int:
    """Return how many parameters a token passes: of the experts those that it is sent to and the shared ones."""
    return _sum(model, model.top_k + model.shared_experts)


def _sum(model: Model, experts: int) -> int:
    part = count_parameters(model)
    routed = model.expert_layers * (part.router + experts * part.expert)
    layers = model.layers * part.attention + model.plain_layers * part.ffn + routed
    return part.embedding + part.head + layers + part.final_norm
