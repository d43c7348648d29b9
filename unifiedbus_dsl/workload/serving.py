"""Serving: the least time of a decode step, in which every sequence gets one token.

    bound = max(memory, compute, exchange)

memory    A rank reads its weights outside experts once, those of its experts that a token is sent to, and the cache of
          all tokens that its sequences have, over the memory's rate. Experts are chosen evenly: of E experts, n tokens
          with k each leave out a part of (1 - k / E)^n.
compute   2 FLOPs for each parameter that a token passes, over the peak of the rank.
exchange  Each token's hidden state comes to every other rank that has one of its experts, in `dispatch` bytes an
          element, and goes back in `combine`: in all layers with experts, over the rate of a rank's ports
          (arXiv:2505.09343, section 2.3.2, where each of the 8 + 1 experts is on another rank).

Nothing else is counted, and all three may go on at once, so no schedule or kernel is faster.
"""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.workload.chip import ELEMENT_BYTES, Chip
from unifiedbus_dsl.workload.exchange import met_share
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.memory import ELEMENT
from unifiedbus_dsl.workload.model import Model, active_parameters, count_parameters
from unifiedbus_dsl.workload.step import stage_parameters
from unifiedbus_dsl.workload.training import Training


@frozen
class Decode:
    """A decode step: `sequences` on each replica of the model's attention, with `context` tokens each. A layout has one
    stage; experts are spread over `expert` ranks."""

    model: Model
    sequences: int
    context: int
    layout: Layout
    precision: str = "fp8"
    dispatch: float = 1.0
    """Bytes of an element on its way to an expert."""
    combine: float = 2.0
    """Bytes of an element on its way back."""


@frozen
class DecodeBound:
    """A lower bound on a decode step, what it rests on, and the bounds that were compared: seconds by name."""

    step_s: float
    binding: str
    bounds: dict[str, float]

    @property
    def tokens_per_s(self) -> float:
        """Most tokens that one sequence gets in a second."""
        return 1 / self.step_s


def exchange_seconds(
    tokens: float,
    copies: float,
    hidden: int,
    layers: int,
    rate_Bps: float,  # noqa: N803
    *,
    dispatch: float = 1.0,
    combine: float = 2.0,
) -> float:
    """Return how long the tokens of a rank take to their experts and back at its rate, in all layers.

    Args:
        tokens: of a rank.
        copies: experts on other ranks that a token is sent to.
        hidden: elements of a token.
        layers: with experts.
        rate_Bps: what a rank sends or receives, byte/s.
        dispatch: bytes of an element on its way there.
        combine: bytes of an element on its way back.
    """
    return (dispatch + combine) * tokens * copies * hidden * layers / rate_Bps


def bound_decode(asked: Decode, chip: Chip, port_Bps: float) -> DecodeBound:  # noqa: N803
    """Return the greatest of the lower bounds on a decode step, where a rank sends and receives at `port_Bps`."""
    model, layout = asked.model, asked.layout
    bounds = {"memory": memory_seconds(asked, chip)}
    flops = 2.0 * asked.sequences * (active_parameters(model) - count_parameters(model).embedding)
    peak = max(chip.peak(asked.precision), chip.wide_peak(asked.precision))
    bounds["compute"] = flops / (layout.tensor * layout.context) / peak
    if layout.expert > 1:
        remote = (layout.expert - 1) * float(met_share(model.top_k, model.experts, 1 / layout.expert))
        own = asked.sequences / (layout.tensor * layout.context)
        bounds["exchange"] = exchange_seconds(
            own, remote, model.hidden, model.expert_layers, port_Bps, dispatch=asked.dispatch, combine=asked.combine
        )
    binding = max(bounds, key=lambda name: bounds[name])
    return DecodeBound(bounds[binding], binding, bounds)


def memory_seconds(asked: Decode, chip: Chip) -> float:
    """Return how long a rank reads weights and cache in a decode step."""
    model, layout = asked.model, asked.layout
    own = Training(model, layout.data, 1, 1, layout, precision=asked.precision)
    dense, experts = stage_parameters(own)[0]
    dense -= 0 if model.tied else count_parameters(model).embedding / layout.tensor  # a row a token is read of it
    tokens = asked.sequences * layout.data
    share = 1 - (1 - model.top_k / model.experts) ** tokens if model.experts else 0.0
    weights = (dense + share * experts) * ELEMENT_BYTES[asked.precision]
    return (weights + asked.sequences * asked.context * cache_bytes(model, layout.tensor)) / chip.memory_Bps


def cache_bytes(model: Model, tensor: int = 1) -> float:
    """Return the bytes that a token keeps in the caches of a rank: keys and values, or a latent vector."""
    if model.attention == "mla":
        return float(model.layers * (model.kv_rank + model.rope_dim) * ELEMENT)
    heads = max(1.0, model.key_heads / tensor)
    return model.layers * 2 * heads * model.width * ELEMENT
