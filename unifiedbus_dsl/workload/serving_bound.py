"""Lower bounds of serving: no schedule, overlap or kernel prefills a prompt or decodes a token faster.

Decode: bound = max(memory, compute, exchange)

memory    A rank reads its weights outside experts once, those of its experts that a token is sent to, and its share of
          the cache of all tokens that its sequences have, over the memory's rate. Experts are chosen evenly: of E
          experts, n tokens with k each leave out a part of (1 - k / E)^n.
compute   2 FLOPs for each parameter that a token passes, and the core of attention, over the peak of the ranks.
exchange  Each token's hidden state comes to every other rank that has one of its experts, in `dispatch` bytes an
          element, and goes back in `combine`: in all layers with experts, over the rate of a rank's ports
          (arXiv:2505.09343, section 2.3.2, where each of the 8 + 1 experts is on another rank).

Prefill: bound = max(memory, compute, exchange) of a pass of whole prompts, the causal half of the core, the head of one
token for each prompt.

With several stages each has a part of the work, and one token reads the weights of all, one after another.
Nothing else is counted, and all may go on at once.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.workload.chip import ELEMENT_BYTES, Chip
from unifiedbus_dsl.workload.exchange import met_share
from unifiedbus_dsl.workload.flops import core_flops, forward_flops, head_flops
from unifiedbus_dsl.workload.model import count_parameters
from unifiedbus_dsl.workload.serving import Decode, Serving, cache_bytes, met_experts
from unifiedbus_dsl.workload.stages import divide_layers
from unifiedbus_dsl.workload.step import stage_parameters
from unifiedbus_dsl.workload.training import Training


@frozen
class ServingBound:
    """A lower bound on a pass, what it rests on, and the bounds that were compared: seconds by name."""

    step_s: float
    binding: str
    bounds: dict[str, float]

    @property
    def tokens_per_s(self) -> float:
        """Passes a second: of a decode step without a draft, most tokens that one sequence gets."""
        return 1 / self.step_s


def _greatest(bounds: dict[str, float]) -> ServingBound:
    binding = max(bounds, key=lambda name: bounds[name])
    return ServingBound(bounds[binding], binding, bounds)


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


def bound_decode(asked: Decode, chip: Chip, port_Bps: float) -> ServingBound:  # noqa: N803
    """Return the greatest of the lower bounds on a decode step, where a rank sends and receives at `port_Bps`."""
    model, layout = asked.model, asked.layout
    peak = max(chip.peak(asked.precision), chip.wide_peak(asked.precision))
    flops = asked.tokens * (forward_flops(model, 0) + model.layers * core_flops(model, 1) * asked.context)
    bounds = {
        "memory": memory_seconds(asked, chip),
        "compute": flops / (layout.tensor * layout.context * layout.pipeline) / peak,
    }
    if layout.expert > 1:
        bounds["exchange"] = _expert_seconds(
            asked.tokens, asked, port_Bps, dispatch=asked.dispatch, combine=asked.combine
        )
    return _greatest(bounds)


def bound_prefill(asked: Serving, chip: Chip, port_Bps: float) -> ServingBound:  # noqa: N803
    """Return the greatest of the lower bounds on the prefill of the prompts of a pass."""
    model, layout, step = asked.model, asked.layout, asked.prefill_step()
    tokens = asked.prompts * asked.prompt
    flops = tokens * forward_flops(model, asked.prompt, causal=True) - (tokens - asked.prompts) * head_flops(model)
    peak = max(chip.peak(asked.precision), chip.wide_peak(asked.precision))
    element = ELEMENT_BYTES[asked.precision]
    weights = max(
        float(read_bytes(step, tokens, element).max()), float(read_bytes(step, 1 / layout.data, element).sum())
    )
    bounds = {
        "compute": flops / (layout.tensor * layout.context * layout.pipeline) / peak,
        "memory": weights / chip.memory_Bps,
    }
    if layout.expert > 1:
        dispatch = min(2.0, element)
        bounds["exchange"] = _expert_seconds(tokens, asked.decode_step(), port_Bps, dispatch=dispatch, combine=2.0)
    return _greatest(bounds)


def _expert_seconds(
    tokens: float,
    asked: Decode,
    port_Bps: float,  # noqa: N803
    *,
    dispatch: float,
    combine: float,
) -> float:
    """Return the bound of what the tokens of a replica take to their experts and back."""
    model, layout = asked.model, asked.layout
    remote = (layout.expert - 1) * float(met_share(model.top_k, model.experts, 1 / layout.expert))
    own = tokens / (layout.tensor * layout.context)
    return exchange_seconds(
        own, remote, model.hidden, model.expert_layers, port_Bps, dispatch=dispatch, combine=combine
    ) / layout.pipeline  # fmt: skip


def read_bytes(step: Training, tokens: float, element: float) -> Floats:
    """Return the bytes of weights that a rank of each stage reads for `tokens` of a replica, [p]: of the input
    embedding a row a token, which is left out, of experts those that a token is sent to."""
    model, layout = step.model, step.layout
    share = met_experts(model, layout, tokens)
    stages = np.array([dense + share * experts for dense, experts in stage_parameters(step)])
    if not model.tied or layout.pipeline > 1:
        stages[0] -= count_parameters(model).embedding / layout.tensor
    return np.asarray(stages * element)


def memory_seconds(asked: Decode, chip: Chip) -> float:
    """Return how long a rank reads weights and cache in a decode step: on the stage that has most to read, or
    on all of them for one sequence."""
    model, layout = asked.model, asked.layout
    own, element = Training(model, layout.data, 1, 1, layout, precision=asked.precision), ELEMENT_BYTES[asked.precision]
    # ranks that share a sequence may each keep a part of its cache, whatever attention the model has
    cache = asked.sequences * asked.context * cache_bytes(model, 1, asked.cache) / (layout.tensor * layout.context)
    layers = divide_layers(model, layout.pipeline).layers / model.layers
    busiest = float((read_bytes(own, asked.tokens, element) + cache * layers).max())
    return max(busiest, float(read_bytes(own, 1 / layout.data, element).sum())) / chip.memory_Bps
