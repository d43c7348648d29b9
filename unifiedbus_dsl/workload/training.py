"""A training step as it is asked for: model, batch, layout, schedule, and what is kept, shared and overlapped."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from unifiedbus_dsl.workload.flops import Recompute
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.memory import Shard
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.pipeline import Name

EXCHANGED: Final = ("tensor", "context", "expert", "pipeline", "data")
"""Parts of a step that are exchanges: what may run under computation."""
DEFAULT_OVERLAP: Final = frozenset(("tensor", "context", "pipeline", "data"))
"""What Megatron-Core runs under computation unless it is told otherwise: sums of input gradients of tensor ranks (since
2022: `async_tensor_model_parallel_allreduce`), keys and values on their ring, sends of an
interleaved pipeline, gradients and weights of data-parallel ranks (docs of Megatron-Core 0.12: `overlap_grad_reduce`,
`overlap_param_gather`, `overlap_p2p_comm`)."""


@frozen
class Training:
    """A training step. `batch` is sequences of a step over all replicas, `microbatch` those that go through the
    pipeline together. `sequence_parallel`: what tensor parallelism does not divide is divided along the sequence.
    `fused_attention`: scores never leave the chip, and those above the diagonal are not computed.
    `gradient_bytes`: of an element of the gradients that replicas add up."""

    model: Model
    batch: int
    sequence: int
    microbatch: int
    layout: Layout
    schedule: Name = "1f1b"
    chunks: int = 1
    precision: str = "bf16"
    recompute: Recompute = "none"
    shard: Shard = "none"
    sequence_parallel: bool = True
    fused_attention: bool = True
    gradient_bytes: int = 4
    overlap: frozenset[str] = field(default=DEFAULT_OVERLAP)
    skew: float = 1.0
    """Tokens that the busiest rank's experts get, over the mean of all ranks."""

    @property
    def microbatches(self) -> int:
        """Microbatches of a step that each replica computes."""
        return self.batch // (self.layout.data * self.microbatch)

    @property
    def parts(self) -> int:
        """Parts of the model in the pipeline."""
        return self.layout.pipeline * self.chunks

    @property
    def tokens(self) -> int:
        """Tokens of a step."""
        return self.batch * self.sequence

    @property
    def rank_tokens(self) -> float:
        """Tokens of a microbatch on one rank."""
        return self.microbatch * self.sequence / self.layout.context

    @property
    def undivided(self) -> int:
        """By how many ranks what tensor parallelism does not divide is divided."""
        return self.layout.tensor if self.sequence_parallel else 1
