"""A lower bound on a training step worked out anew: from the fields of the model, the layout and the part, and from the
fabric's own cables. Only the bound that binds is held; a lesser one would be a bound too.

    chain    what comes before a stage's first pass and behind its last, and what it computes in between, at the peak
    memory   weights read once, the optimizer's state read and written, over the memory's rate
    walls    bytes that groups must bring across the cables of a set of end points: of n members with k inside, in an
             all-reduce S each way, in an all-gather k S / n out and (n - k) S / n in, in a reduce-scatter the other
             way round; of tokens to experts those with at least one of their experts on the other side, by the
             hypergeometric distribution; of stages what neighbours on two sides send each other
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Cables, Floats, Ints

if TYPE_CHECKING:
    from unifiedbus_dsl.workload.model import Model
    from unifiedbus_dsl.workload.training import Training

BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5}
KEPT = 2.0
"""Bytes of an element of what goes from layer to layer."""
STATE = 12.0
"""Bytes of a parameter that the optimizer keeps: its weight and two moments in single precision."""
PORTS = "ports of an end point"
ROUNDING = 1e-9


@frozen(eq=False)
class StepBoundCertificate:
    """The bound `value` on a training step whose rank r stands on end point `ends[r]`, seconds, and what binds:
    `chain`, `memory`, the ports of an end point, or the cables out of each assembly of a type."""

    value: float
    binding: str
    asked: Training
    ends: Ints

    def prove(self, cables: Cables) -> Proved:
        proved = self._seconds(cables)
        require(self.value <= proved * (1 + ROUNDING), "a bound on a step is above what its binding part shows")
        return Proved.exactly(self.value)

    def _seconds(self, cables: Cables) -> float:
        step, part = _Step(self.asked), _part(cables, self.ends)
        if self.binding == "chain":
            return step.chain_flops() / _peak(part, self.asked.precision)
        if self.binding == "memory":
            return step.moved_bytes() / part["hbm"]
        return _wall_seconds(step, cables, self.ends, self.binding)


def _part(cables: Cables, ends: Ints) -> dict[str, float]:
    """Return the fields of the one type of end point that ranks stand on."""
    fabric = cables.fabric
    numbers = np.unique(fabric.device_type[cables.end_device[ends]])
    require(len(numbers) == 1, "a step runs on parts of several types")
    fields = list(fabric.plan.devices.values())[int(numbers[0])].fields
    return {name: float(value.value) for name, value in fields.items() if isinstance(value, Quantity)}


def _peak(part: dict[str, float], precision: str) -> float:
    """Return the greatest peak that any product of a step may run at."""
    wide = () if precision == "fp32" else ("bf16", "fp16")
    return max(part[name] for name in (precision, *wide) if name in part)


class _Step:
    """The layers, FLOPs and bytes of each part and stage of a step, in plain numbers."""

    def __init__(self, asked: Training) -> None:
        layout = asked.layout
        self.asked, self.model = asked, asked.model
        self.tensor, self.stages = layout.tensor, layout.pipeline
        self.tokens = asked.microbatch * asked.sequence / layout.context
        self.own = self.tokens / (layout.tensor if asked.sequence_parallel else 1)
        self.microbatches = asked.batch // (layout.data * asked.microbatch)
        self.layers = list(_layers(asked.model, layout.pipeline * asked.chunks))
        self.element = BYTES[asked.precision]
        self.replicas = layout.data * layout.context
        ranks = layout.tensor * layout.context * layout.data
        self.expert_replicas = ranks // layout.expert if layout.expert > 1 else self.replicas

    def chain_flops(self) -> float:
        """Return the FLOPs of the longest chain through a stage."""
        model, fed, routed = self.model, *self._flops()
        forward = [plain * fed[0] + experts * routed[0] for plain, experts in self.layers]
        inputs = [plain * fed[1] + experts * routed[1] for plain, experts in self.layers]
        weights = [plain * fed[2] + experts * routed[2] for plain, experts in self.layers]
        head = 2 * self.tokens * model.hidden * model.vocab / self.tensor
        for row in (forward, inputs, weights):
            row[-1] += head
        p, m = self.stages, self.microbatches
        longest = 0.0
        for stage in range(p):
            ahead, back = sum(forward[:stage]), sum(inputs[:stage])
            first = m * sum(forward[stage::p]) + m * sum(inputs[stage::p])
            longest = max(longest, ahead + first + max(back, m * sum(weights[stage::p])))
        return longest

    def _flops(self) -> tuple[list[float], list[float]]:
        """Return what a layer without and one with experts takes: forward, gradients of inputs and of weights."""
        model, layout = self.model, self.asked.layout
        keys = model.width + (model.rope_dim if model.attention == "mla" else 0)
        core = self.tokens * self.asked.sequence * model.heads * (keys + model.width) / self.tensor  # the causal half
        attention = 2 * self.tokens * _attention(model) / self.tensor
        sides = 3 if model.gated else 2
        fed = attention + 2 * self.tokens * sides * model.hidden * model.ffn / self.tensor
        routed = attention + 2 * self.own * model.hidden * model.experts
        expert = 2 * sides * model.hidden * model.expert_ffn
        routed += expert * self.tokens * model.shared_experts / self.tensor
        apart = layout.expert > 1
        routed += expert * model.top_k * (self.own if apart else self.tokens / self.tensor)
        return [fed + core, fed + 2 * core, fed], [routed + core, routed + 2 * core, routed]

    def parameters(self) -> list[tuple[float, float]]:
        """Return what a rank of each stage has: parameters that all its replicas share, and those of its experts."""
        model, layout = self.model, self.asked.layout
        norm = model.hidden * (2 if model.biases else 1)
        heads = (model.heads + 2 * model.key_heads) * model.width
        attention = _attention(model) + norm + (2 * model.width if model.qk_norm else 0)
        attention += model.q_rank + model.kv_rank if model.attention == "mla" else 0
        attention += heads + model.hidden if model.biases else 0
        sides = 3 if model.gated else 2
        fed = sides * model.hidden * model.ffn + norm
        fed += (sides - 1) * model.ffn + model.hidden if model.biases else 0
        expert, table = sides * model.hidden * model.expert_ffn, model.vocab * model.hidden
        rows = []
        for stage in range(self.stages):
            plain, routed = (sum(row[k] for row in self.layers[stage :: self.stages]) for k in range(2))
            dense = ((plain + routed) * attention + plain * fed + routed * model.shared_experts * expert) / self.tensor
            dense += routed * (model.hidden * model.experts + norm)
            if stage == 0:
                dense += (table + model.positions * model.hidden) / self.tensor
            if stage == self.stages - 1:
                dense += norm + (0 if model.tied and self.stages == 1 else table) / self.tensor
            own = routed * model.experts * expert / (layout.expert if layout.expert > 1 else self.tensor)
            rows.append((dense, own))
        return rows

    def moved_bytes(self) -> float:
        """Return what the fullest stage reads and writes of weights and optimizer."""
        shared = self.asked.shard != "none"
        most = 0.0
        for dense, own in self.parameters():
            held = dense / self.replicas + own / self.expert_replicas if shared else dense + own
            most = max(most, (dense + own) * min(KEPT, self.element) + 2 * STATE * held)
        return most

    def exchanges(self) -> Iterator[tuple[str, str, Floats]]:
        """Yield axis, pattern and the bytes of each stage, in a step: no more than any schedule exchanges."""
        asked, model, layout = self.asked, self.model, self.asked.layout
        plain, routed = (
            np.array([sum(row[k] for row in self.layers[s :: self.stages]) for s in range(self.stages)]) for k in (0, 1)
        )
        m, row = self.microbatches, self.tokens * model.hidden * KEPT
        if self.tensor > 1:
            apart = layout.expert > 1 and not model.shared_experts
            blocks = (2 * plain + (1 if apart else 2) * routed) * m * row
            if asked.sequence_parallel:
                # forward inputs are gathered and outputs scattered, backward their gradients the other way round;
                # inputs that are gathered again for the weights' gradients might have been kept
                yield "tensor", "allgather", 2 * blocks
                yield "tensor", "reducescatter", 2 * blocks
            else:
                yield "tensor", "allreduce", 2 * blocks
        if layout.context > 1:
            width = 2 * model.key_heads * model.width / min(self.tensor, model.key_heads)
            if model.attention == "mla":
                width = model.kv_rank + model.rope_dim
            keys = (plain + routed) * m * self.tokens * layout.context * width * KEPT
            yield "context", "allgather", keys
            yield "context", "reducescatter", keys
        if layout.expert > 1:
            sent = routed * m * self.own * model.hidden * 2
            yield "expert", "dispatch", sent * min(KEPT, self.element)
            yield "expert", "combine", sent * KEPT
        own = np.array(self.parameters())
        for axis, ranks, size in (
            ("replica", self.replicas, own[:, 0]), ("expert_replica", self.expert_replicas, own[:, 1])
        ):  # fmt: skip
            if ranks > 1 and asked.shard == "none":
                yield axis, "allreduce", size * asked.gradient_bytes
            elif ranks > 1:
                yield axis, "reducescatter", size * asked.gradient_bytes
                yield axis, "allgather", size * min(KEPT, self.element)

    def shares(self, members: int, inside: Ints) -> tuple[Floats, Floats]:
        """Return which part of a wall's tokens has an expert outside, and of those outside one inside."""
        model = self.model
        each = model.experts // members
        whole = comb(model.experts, model.top_k)
        # of those without any there, the experts of a token are all on the other side
        table = np.array([1 - comb(each * (members - k), model.top_k) / whole for k in range(members + 1)])
        return table[members - inside], table[inside]


def _attention(model: Model) -> int:
    """Return the elements of the matrices of one layer's attention."""
    out = model.heads * model.width * model.hidden
    if model.attention == "mha" or not model.kv_rank:
        return 2 * out + 2 * model.key_heads * model.width * model.hidden
    wide = model.heads * (model.width + model.rope_dim)
    queries = (model.hidden + wide) * model.q_rank if model.q_rank else model.hidden * wide
    return (
        queries + model.hidden * (model.kv_rank + model.rope_dim) + 2 * model.kv_rank * model.heads * model.width + out
    )


def _layers(model: Model, parts: int) -> Iterator[tuple[int, int]]:
    """Yield the layers of each part, without experts and with: as even as can be, more of them in the middle."""
    least, more = divmod(model.layers, parts)
    start, stop = (parts - more) // 2, (parts - more) // 2 + more
    fed = model.dense_layers if model.experts else model.layers
    for part in range(parts):
        count = least + (start <= part < stop)
        plain = min(fed, count)
        fed -= plain
        yield plain, count - plain


# ---- walls ------------------------------------------------------------------------------------------------------


def _wall_seconds(step: _Step, cables: Cables, ends: Ints, binding: str) -> float:
    """Return the time of the wall of a sort that has most to carry for its capacity."""
    fabric = cables.fabric
    device = cables.end_device[ends]
    wall = np.full(fabric.device_count, -1, dtype=np.int64)
    if binding == PORTS:
        count = len(ends)
        wall[device] = np.arange(count)
    else:
        key = binding.partition("`")[2].rpartition("`")[0]
        require(key in fabric.plan.assemblies, "a step is bound by cables of no type of assembly")
        start, stop = fabric.blocks(key)
        count = len(start)
        for number, (first, behind) in enumerate(zip(start.tolist(), stop.tolist(), strict=True)):
            wall[first:behind] = number
    room = _capacity(cables, wall, count)
    if binding == PORTS:
        room = np.minimum(room, cables.injection_Bps[ends])
    out, into = _crossing(step, wall[device], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(max(np.where(each > 0, each / room, 0.0).max(initial=0.0) for each in (out, into)))


def _capacity(cables: Cables, wall: Ints, count: int) -> Floats:
    """Return what the cables of each wall carry one way."""
    room = np.zeros(count)
    for some in cables.pieces():
        one, two = wall[cables.device[cables.a[some]]], wall[cables.device[cables.b[some]]]
        capacity = np.where(one == two, 0.0, cables.capacity(some))
        for side in (one, two):
            room += np.bincount(np.maximum(side, 0), capacity * (side >= 0), count)
    return room


def _crossing(step: _Step, wall: Ints, count: int) -> tuple[Floats, Floats]:
    """Return the least bytes out of each wall and into it; `wall` is that of each rank."""
    out, into = np.zeros(count), np.zeros(count)
    at, groups = _coordinates(step.asked), dict[str, Ints]()
    for axis, pattern, size in step.exchanges():
        if axis not in groups:
            groups[axis] = _groups(step.asked, at, axis)
        members = np.bincount(groups[axis])
        n = int(members.max())
        some = np.flatnonzero(wall >= 0)
        key, first, k = np.unique(
            groups[axis][some] * count + wall[some], return_index=True, return_counts=True
        )  # fmt: skip
        bytes_of = size[at["pipeline"][some[first]]]
        split = k < n
        here, k, bytes_of = key[split] % count, k[split], bytes_of[split]
        leaving, coming = _least(step, pattern, n, k)
        out += np.bincount(here, leaving * bytes_of, count)
        into += np.bincount(here, coming * bytes_of, count)
    if step.stages > 1:
        both = _between_stages(step, at, wall, count)
        return out + both, into + both
    return out, into


def _least(step: _Step, pattern: str, n: int, k: Ints) -> tuple[Floats, Floats]:
    """Return what leaves a wall with k of n members inside, and what comes in, for each byte of an exchange."""
    inside, outside = k / n, (n - k) / n
    if pattern == "allreduce":
        return np.ones(len(k)), np.ones(len(k))
    if pattern == "allgather":
        return inside, outside
    if pattern == "reducescatter":
        return outside, inside
    away, home = step.shares(n, k)
    leaving, coming = k * away, (n - k) * home
    return (leaving, coming) if pattern == "dispatch" else (coming, leaving)


def _between_stages(step: _Step, at: dict[str, Ints], wall: Ints, count: int) -> Floats:
    """Return what stages on two sides of each wall send each other, as much each way."""
    asked, ranks = step.asked, np.arange(len(wall))
    stride = _strides(asked)["pipeline"]
    size = step.microbatches * step.tokens * step.model.hidden * KEPT / step.tensor
    total = np.zeros(count)
    last = at["pipeline"] == step.stages - 1
    for some, other, times in (
        (ranks[~last], ranks[~last] + stride, asked.chunks),
        (ranks[last], ranks[last] - stride * (step.stages - 1), asked.chunks - 1),
    ):
        apart = wall[some] != wall[other]
        for side in (wall[some][apart], wall[other][apart]):
            total += np.bincount(side[side >= 0], minlength=count) * (size * times)
    return total


def _strides(asked: Training) -> dict[str, int]:
    """Return how far apart ranks are that are next to each other along each axis."""
    layout = asked.layout
    sizes = {axis: getattr(layout, axis) for axis in layout.order if axis != "expert"}
    return dict(zip(sizes, accumulate((1, *sizes.values()), lambda a, b: a * b), strict=False))


def _coordinates(asked: Training) -> dict[str, Ints]:
    rank = np.arange(asked.layout.tensor * asked.layout.context * asked.layout.pipeline * asked.layout.data)
    return {axis: rank // stride % getattr(asked.layout, axis) for axis, stride in _strides(asked).items()}


def _groups(asked: Training, at: dict[str, Ints], axis: str) -> Ints:
    """Return the group of each rank along an axis."""
    layout = asked.layout
    within: Sequence[str] = [name for name in layout.order if name in ("tensor", "context", "data")]
    if axis in ("expert", "expert_replica") and layout.expert > 1:
        inside, stride = np.zeros_like(at["tensor"]), 1
        for name in within:
            inside, stride = inside + at[name] * stride, stride * getattr(layout, name)
        neighbours = layout.order.index("expert") < layout.order.index("data")
        size = layout.expert if neighbours else stride // layout.expert
        near, far = inside // size, inside % size
        return np.asarray(at["pipeline"] * stride + (near if (axis == "expert") == neighbours else far))
    apart = {"tensor": ("tensor",), "context": ("context",)}.get(axis, ("context", "data"))
    number = np.zeros_like(at["tensor"])
    for name in (*within, "pipeline"):
        number = number * getattr(layout, name) + (0 if name in apart else at[name])
    return np.asarray(number)
