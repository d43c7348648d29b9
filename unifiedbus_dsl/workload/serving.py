"""Serving as it is asked for: sequences that are there at the same time, and two sorts of passes, prefill and decode.

Prefill passes the tokens of a prompt forward together; decode passes one token of every sequence (and those that a
draft proposes), and reads the keys and values of all before it from the cache. A replica of the attention serves
`concurrency / data` of the sequences; experts are spread over `expert` ranks of a stage.
"""

from __future__ import annotations

from attrs import evolve, frozen

from unifiedbus_dsl.workload.chip import ELEMENT_BYTES
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.legality import Misfit, find_misfits, nearest_multiples
from unifiedbus_dsl.workload.memory import ELEMENT, Kept
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.stages import divide_layers
from unifiedbus_dsl.workload.step import layer_activations, stage_parameters
from unifiedbus_dsl.workload.training import Training


@frozen
class Serving:
    """`concurrency` sequences over all replicas, each of `prompt` tokens and then of up to `output` more."""

    model: Model
    prompt: int
    output: int
    concurrency: int
    layout: Layout
    precision: str = "fp8"
    prompts: int = 1
    """Prompts that a replica takes in one prefill pass."""
    cache: float = 2.0
    """Bytes of an element of the cache."""
    drafted: int = 0
    """Tokens that a draft proposes for each sequence of a decode step."""
    accepted: float = 0.0
    """Part of these that are kept."""
    skew: float = 1.0
    """Tokens that the busiest rank's experts get, over the mean of all ranks."""
    overlap: frozenset[str] = frozenset()
    """Exchanges that run under computation."""

    @property
    def sequences(self) -> float:
        """Sequences of each replica."""
        return self.concurrency / self.layout.data

    @property
    def kept_tokens(self) -> float:
        """Tokens that a sequence gets in a decode step."""
        return 1 + self.drafted * self.accepted

    def prefill_step(self) -> Training:
        """Return the forward pass of prefill as the one microbatch of a step."""
        return Training(
            self.model, self.prompts * self.layout.data, self.prompt, self.prompts, self.layout,
            precision=self.precision, overlap=self.overlap, skew=self.skew,
        )  # fmt: skip

    def decode_step(self) -> Decode:
        """Return the decode step in the middle of an output."""
        return Decode(
            self.model, self.sequences, self.prompt + self.output / 2, self.layout, self.precision,
            dispatch=min(float(ELEMENT), ELEMENT_BYTES[self.precision]), cache=self.cache, drafted=self.drafted,
            skew=self.skew, overlap=self.overlap,
        )  # fmt: skip


@frozen
class Decode:
    """A decode step: `sequences` on each replica of the model's attention, with `context` tokens each."""

    model: Model
    sequences: float
    context: float
    layout: Layout
    precision: str = "fp8"
    dispatch: float = 1.0
    """Bytes of an element on its way to an expert."""
    combine: float = 2.0
    """Bytes of an element on its way back."""
    cache: float = 2.0
    """Bytes of an element of the cache."""
    drafted: int = 0
    skew: float = 1.0
    overlap: frozenset[str] = frozenset()

    @property
    def tokens(self) -> float:
        """Tokens of a replica that pass the model in a step."""
        return self.sequences * (1 + self.drafted)


def cache_bytes(model: Model, tensor: int = 1, element: float = ELEMENT) -> float:
    """Return the bytes that a token keeps in the caches of a rank: keys and values, or a latent vector."""
    if model.attention == "mla":
        return float(model.layers * (model.kv_rank + model.rope_dim) * element)
    heads = max(1.0, model.key_heads / tensor)
    return model.layers * 2 * heads * model.width * element


def met_experts(model: Model, layout: Layout, tokens: float) -> float:
    """Return the part of the experts of a rank that some token is sent to, of `tokens` on each replica: of E experts, n
    tokens with k each leave out a part of (1 - k / E)^n."""
    if not model.experts:
        return 0.0
    mine = tokens * layout.data / layout.expert_replicas
    return float(1 - (1 - model.top_k / model.experts) ** mine)


def serving_memory(asked: Serving) -> Kept:
    """Return what the fullest end point keeps: weights, the cache of whole sequences, and what one layer of a prefill
    pass works on."""
    layout, model, step = asked.layout, asked.model, asked.prefill_step()
    element = ELEMENT_BYTES[asked.precision]
    layers = divide_layers(model, layout.pipeline).layers
    tokens = asked.sequences * (asked.prompt + asked.output) / layout.context
    cache = tokens * cache_bytes(model, layout.tensor, asked.cache) / model.layers * layers
    working = max(layer_activations(step, experts) for experts in model.layer_kinds)
    rows = [
        Kept((dense + experts) * element, 0.0, 0.0, working, cache=float(own))
        for (dense, experts), own in zip(stage_parameters(step), cache, strict=True)
    ]
    return max(rows, key=lambda each: each.total)


def find_serving_misfits(asked: Serving, ends: int) -> list[Misfit]:
    """Return what of a serving workload does not fit each other, its model and so many end points."""
    numbers = [("prompt", 1), ("output", 1), ("concurrency", 1), ("prompts", 1), ("drafted", 0)]
    small = [
        Misfit(name, f"`{name}` is {getattr(asked, name)}", f"it is {least} or more")
        for name, least in numbers
        if getattr(asked, name) < least
    ]
    if not 0 <= asked.accepted <= 1:
        small.append(Misfit("accepted", f"`accepted` is {asked.accepted:g}", "it is between 0 and 1"))
    if small:
        return small
    found = find_misfits(asked.prefill_step(), ends)
    data = asked.layout.data
    if not found and asked.concurrency % data:
        wrong = f"{asked.concurrency:,} sequences don't divide among {data:,} replicas"
        found.append(Misfit("concurrency", wrong, nearest_multiples(asked.concurrency, data)))
    return found


def most_sequences(asked: Serving, memory_bytes: float) -> int:
    """Return how many sequences the memory of the end points holds at the most, 0 where the weights do not fit."""
    one = serving_memory(evolve(asked, concurrency=asked.layout.data))
    cache_bytes = memory_bytes - (one.total - one.cache)
    return max(0, int(cache_bytes / one.cache)) * asked.layout.data
