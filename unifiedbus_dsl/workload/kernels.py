"""The kernels of a layer, forward and backward: floating-point operations, bytes of memory moved, and their time.

    time = max(FLOPs / (peak * gemm_efficiency), bytes / (memory rate * hbm_efficiency)) + launch

A product of an m x k by a k x n matrix has 2 m k n FLOPs and moves each matrix once. T tokens on a rank, hidden size h,
a heads, t tensor ranks (Korthikanti et al., arXiv:2205.05198, sections 3 and 4; latent attention and experts:
arXiv:2412.19437, section 2.1):

    norm              memory  read and write of T h
    qkv, out          matrix  T x h by h x (heads + 2 key heads) width / t, and back
    core              matrix  scores and their sum over values, 2 T s a (keys + values) / t; whole where it is not fused
    softmax           memory  of scores: mask, softmax and dropout, where the core is not fused
    residual          memory  bias, dropout, residual: T h three times, a byte for the mask
    up, down          matrix  T x h by h x ffn / t (twice where it is gated), and back
    activation        memory  its input and output
    router            matrix  T x h by h x experts
    permute           memory  each token written and read for each expert it is sent to
    experts           matrix  T top_k tokens on experts / e of them, in one grouped product

Backward: a product with a weight becomes two of the same size, and the weight's gradient is added to its sum in
`gradient_bytes`; the core of attention has twice its products, two and a half times where it is fused and computes the
scores again (arXiv:2307.08691, section 3.2); a memory kernel reads the gradient too: one and a half times the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.workload.chip import ELEMENT_BYTES, Chip
from unifiedbus_dsl.workload.flops import core_flops
from unifiedbus_dsl.workload.memory import ELEMENT
from unifiedbus_dsl.workload.model import attention_matrices, ffn_matrices
from unifiedbus_dsl.workload.training import Training

Sort: TypeAlias = Literal["matrix", "wide", "memory"]
"""A product of matrices in the precision that is asked for, one that stays in 16 bits, or a kernel that moves bytes."""

MEMORY_BACKWARD = 1.5
"""Bytes of a memory kernel backward for each forward: it reads the gradient and the saved input, and writes one."""
FUSED_BACKWARD = 2.5
"""FLOPs of the fused core of attention backward for each forward: five products in place of two."""


@frozen
class Kernel:
    """`launches` kernels of `flops` and `moved` bytes together; `weights` elements of a matrix that is trained."""

    name: str
    sort: Sort
    flops: float
    moved: float
    weights: float = 0.0
    launches: int = 1


@frozen
class Spent:
    """Seconds of kernels: on products that the peak binds, on kernels that memory binds, on launches."""

    matrix_s: float = 0.0
    memory_s: float = 0.0
    launch_s: float = 0.0

    @property
    def total_s(self) -> float:
        return self.matrix_s + self.memory_s + self.launch_s

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.matrix_s + other.matrix_s, self.memory_s + other.memory_s, self.launch_s + other.launch_s
        )  # fmt: skip

    def times(self, count: float) -> Spent:
        """Return that many times these."""
        return Spent(self.matrix_s * count, self.memory_s * count, self.launch_s * count)


def spent_on(kernels: Iterable[Kernel], chip: Chip, precision: str) -> Spent:
    """Return the time of kernels, one after another."""
    own = chip.constants
    total = Spent()
    for each in kernels:
        peak = chip.peak(precision) if each.sort == "matrix" else chip.wide_peak(precision)
        work_s = each.flops / (peak * own.gemm_efficiency)
        move_s = each.moved / (chip.memory_Bps * own.hbm_efficiency)
        launch_s = each.launches * own.launch_s
        total += Spent(work_s, 0.0, launch_s) if work_s > move_s else Spent(0.0, move_s, launch_s)
    return total


def matrix(name: str, tokens: float, weights: float, width: float, element: float, launches: int = 1) -> Kernel:
    """Return the product of `tokens` rows with a trained matrix of `weights` elements, whose inputs and outputs have
    `width` elements a row together."""
    moved = weights * element + tokens * width * ELEMENT
    return Kernel(name, "matrix", 2.0 * tokens * weights, moved, weights, launches)


def layer_forward(asked: Training, *, experts: bool) -> list[Kernel]:
    """Return the kernels of one layer forward, of a microbatch on one rank."""
    kernels = _attention(asked)
    return kernels + (_experts(asked) if experts else _feed_forward(asked, asked.model.ffn, asked.rank_tokens))


def core(asked: Training) -> list[Kernel]:
    """Return the kernels of the core of one layer's attention."""
    model, layout, tokens = asked.model, asked.layout, asked.rank_tokens
    flops = core_flops(model, asked.sequence, causal=asked.fused_attention) * tokens / layout.tensor
    rows = tokens * model.width * 2 * (model.heads + model.key_heads) / layout.tensor * ELEMENT
    if asked.fused_attention:
        return [Kernel("core", "wide", flops, rows)]
    scores = tokens * asked.sequence * model.heads / layout.tensor
    # softmax reads and writes the scores; dropout does too, and writes a mask
    passes = 2 * ELEMENT + (2 * ELEMENT + 1 if model.dropout else 0)
    return [
        Kernel("core", "wide", flops, rows + 2 * ELEMENT * scores, launches=2),
        Kernel("softmax", "memory", 0.0, passes * scores, launches=2 if model.dropout else 1),
    ]


def _attention(asked: Training) -> list[Kernel]:
    model, tokens = asked.model, asked.rank_tokens
    element, tensor = ELEMENT_BYTES[asked.precision], asked.layout.tensor
    weights = attention_matrices(model) / tensor
    heads, keys = model.heads * model.width / tensor, model.key_heads * model.width / tensor
    out = heads * model.hidden
    width = 2 * model.hidden + 2 * heads + 2 * keys
    rank = model.q_rank + model.kv_rank
    latent = [Kernel("latent norms", "memory", 0.0, 2 * ELEMENT * tokens * rank, launches=2)] if rank else []
    inner = matrix("qkv", tokens, weights - out, width - heads - model.hidden, element, 3 if model.kv_rank else 1)
    return [_norm(asked), *latent, inner, *core(asked), matrix("out", tokens, out, heads + model.hidden, element),
            _residual(asked)]  # fmt: skip


def _norm(asked: Training) -> Kernel:
    return Kernel("norm", "memory", 0.0, 2 * ELEMENT * asked.rank_tokens * asked.model.hidden / asked.undivided)


def _residual(asked: Training) -> Kernel:
    size = 3 * ELEMENT + (1 if asked.model.dropout else 0)
    return Kernel("residual", "memory", 0.0, size * asked.rank_tokens * asked.model.hidden / asked.undivided)


def _feed_forward(asked: Training, inner: int, tokens: float) -> list[Kernel]:
    model, element, tensor = asked.model, ELEMENT_BYTES[asked.precision], asked.layout.tensor
    share, inputs = inner / tensor, 2 if model.gated else 1
    return [
        _norm(asked),
        matrix("up", tokens, inputs * model.hidden * share, model.hidden + inputs * share, element),
        Kernel("activation", "memory", 0.0, (inputs + 1) * share * tokens * ELEMENT),
        matrix("down", tokens, model.hidden * share, share + model.hidden, element),
        _residual(asked),
    ]


def _experts(asked: Training) -> list[Kernel]:
    model, layout, element = asked.model, asked.layout, ELEMENT_BYTES[asked.precision]
    own = asked.rank_tokens / asked.undivided
    local, share = model.experts / layout.expert, 1.0
    sent = own * model.top_k
    if layout.expert == 1:
        sent, share = asked.rank_tokens * model.top_k, 1.0 / layout.tensor
    weights = local * ffn_matrices(model, model.expert_ffn) * share
    inputs = 2 if model.gated else 1
    width = 2 * model.hidden + (inputs + 1) * model.expert_ffn * share
    sent *= asked.skew  # the others wait for the busiest rank
    # each expert sees a part of the tokens: FLOPs are those of all tokens on one expert's matrix
    flops = 2.0 * sent * ffn_matrices(model, model.expert_ffn) * share
    grouped = Kernel("experts", "matrix", flops, weights * element + sent * width * ELEMENT, weights, inputs)
    permuted = Kernel("permute", "memory", 0.0, 4 * ELEMENT * sent * model.hidden, launches=2)
    inner = Kernel("activation", "memory", 0.0, (inputs + 1) * model.expert_ffn * share * sent * ELEMENT)
    router = Kernel("router", "wide", 2.0 * own * model.hidden * model.experts, own * model.hidden * ELEMENT,
                    model.hidden * model.experts)  # fmt: skip
    shared = []
    if model.shared_experts:
        shared = _feed_forward(asked, model.shared_experts * model.expert_ffn, asked.rank_tokens)[1:-1]
    return [_norm(asked), router, permuted, grouped, inner, *shared, _residual(asked)]


def head_forward(asked: Training) -> list[Kernel]:
    """Return the kernels of the output embedding with its loss, of a microbatch on one rank."""
    model, tokens = asked.model, asked.rank_tokens
    share = model.vocab / asked.layout.tensor
    product = matrix("head", tokens, share * model.hidden, model.hidden + share, ELEMENT)
    return [evolve(product, sort="wide"), Kernel("loss", "memory", 0.0, 3 * 4 * share * tokens, launches=3)]


def embedding_forward(asked: Training) -> list[Kernel]:
    """Return the kernels of the input embedding."""
    return [Kernel("embedding", "memory", 0.0, 2 * ELEMENT * asked.rank_tokens * asked.model.hidden)]


def backward(forward: Iterable[Kernel], asked: Training) -> list[Kernel]:
    """Return the kernels of backward without what is computed again."""
    return [each for kernel in forward for each in _backward(kernel, asked)]


def _backward(kernel: Kernel, asked: Training) -> list[Kernel]:
    if kernel.sort == "memory":
        return [evolve(kernel, moved=kernel.moved * MEMORY_BACKWARD)]
    if not kernel.weights:
        factor = FUSED_BACKWARD if asked.fused_attention else 2.0
        return [evolve(kernel, flops=kernel.flops * factor, moved=kernel.moved * 2, launches=2 * kernel.launches)]
    return [kernel, weight_gradient(kernel, asked)]


def weight_gradient(kernel: Kernel, asked: Training) -> Kernel:
    """Return the product that gives the gradient of a kernel's weights, which is added to its sum."""
    return evolve(kernel, moved=kernel.moved + 2 * asked.gradient_bytes * kernel.weights)


def computed_again(forward: list[Kernel], asked: Training) -> list[Kernel]:
    """Return the kernels of a layer that backward computes again."""
    if asked.recompute == "full":
        return forward
    return core(asked) if asked.recompute == "selective" and not asked.fused_attention else []


COLUMNS = ("qkv", "up")
"""Matrices that tensor ranks divide by columns: each of them has the whole input, and a part of its gradient."""


def column_gradients(forward: Iterable[Kernel], asked: Training) -> dict[str, list[Kernel]]:
    """Return the products of the gradients of inputs and of weights of the matrices that are divided by columns."""
    columns = [each for each in forward if each.name in COLUMNS]
    return {"inputs": columns, "weights": [weight_gradient(each, asked) for each in columns]}


def layer_backward(asked: Training, *, experts: bool) -> list[Kernel]:
    """Return the kernels of one layer backward, with what is computed again."""
    forward = layer_forward(asked, experts=experts)
    return computed_again(forward, asked) + backward(forward, asked)
