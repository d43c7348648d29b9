"""A lower bound on the time of a training step that no schedule, overlap or kernel beats on a machine.

    bound = max(chain, memory, walls)

chain   Of a stage s of the pipeline, at dense peaks and no other cost. Its first pass waits until the first microbatch
        has passed the parts of the stages before it; after its last gradient of an input, that goes through them again:
            step >= sum of f_j (j < s) + max(m (F_s + G_s) + sum of g_j (j < s), m (F_s + G_s + W_s))
        with f, g, w the FLOPs of forward, of gradients of inputs and of weights over the peak; capitals are sums over
        the parts of the stage. What one end point computes is the case without the others.
memory  An end point reads its weights once a step, and the optimizer reads and writes what it keeps: bytes over the
        memory's rate.
walls   For a set of end points with cables of capacity C out of it, all that its groups must bring across in a step,
        added up over all kinds of exchange: of n members of which k are inside, at the least

            all-reduce      S outward and S inward (a sum of k must leave, the whole must enter)
            all-gather      k S / n outward, (n - k) S / n inward
            reduce-scatter  (n - k) S / n outward, k S / n inward
            dispatch        of the tokens outside those that have an expert inside, once each; outward of the tokens
                            inside those that have one outside; combine the other way round
            shift           what is sent across

        over C. Switches that add up or copy are allowed for. Nothing that is computed again is counted, a fused core of
        attention computes half of its scores, and no constant of an estimate goes in.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.workload.chip import ELEMENT_BYTES, Chip
from unifiedbus_dsl.workload.exchange import Exchange, met_share
from unifiedbus_dsl.workload.kernels import Kernel, head_forward, layer_forward
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.memory import OPTIMIZER_BYTES, Shard
from unifiedbus_dsl.workload.stages import divide_layers
from unifiedbus_dsl.workload.step import all_exchanges, stage_parameters
from unifiedbus_dsl.workload.training import Training


@frozen(eq=False)
class Walls:
    """Sets of end points of one sort: `inside[r]` is the set that rank r stands in, -1 for none, [n]; `out_Bps` and
    `in_Bps` [sets] what its cables carry outward and inward."""

    sort: str
    inside: Ints
    out_Bps: Floats  # noqa: N815
    in_Bps: Floats  # noqa: N815


@frozen
class StepBound:
    """A lower bound on a step, what it rests on, and the bounds that were compared: seconds by name."""

    step_s: float
    binding: str
    bounds: dict[str, float]


def bound_step(asked: Training, chip: Chip, walls: Iterable[Walls] = ()) -> StepBound:
    """Return the greatest of the lower bounds."""
    # weights that replicas share may be gathered once a step and kept
    shard: Shard = "none" if asked.shard == "none" else "optimizer"
    # experts that get more tokens than others leave the mean over end points, or over walls, as it is
    bare = evolve(asked, recompute="none", fused_attention=True, shard=shard, skew=1.0)
    bounds = {"chain": chain_bound(bare, chip), "memory": memory_bound(bare, chip)}
    for each in walls:
        bounds[each.sort] = wall_bound(bare, each)
    binding = max(bounds, key=lambda name: bounds[name])
    return StepBound(bounds[binding], binding, bounds)


def _split(kernels: Iterable[Kernel]) -> Floats:
    """Return the FLOPs of forward, of gradients of inputs and of gradients of weights, [3]."""
    total = np.zeros(3)
    for each in kernels:
        total += each.flops * (np.array([1.0, 1.0, 1.0]) if each.weights else np.array([1.0, 2.0, 0.0]))
    return total


def part_flops(asked: Training) -> Floats:
    """Return the FLOPs of each part for a microbatch on a rank: forward, gradients of inputs and of weights,
    [parts, 3]."""
    model = asked.model
    plain = _split(layer_forward(asked, experts=False)) if model.plain_layers else np.zeros(3)
    routed = _split(layer_forward(asked, experts=True)) if model.expert_layers else np.zeros(3)
    parts = divide_layers(model, asked.parts)
    flops = parts.plain[:, None] * plain + parts.routed[:, None] * routed
    flops[-1] += _split(head_forward(asked))
    return np.asarray(flops)


def chain_bound(asked: Training, chip: Chip) -> float:
    """Return the bound of the dependency chain through each stage, seconds."""
    stages = asked.layout.pipeline
    spent = part_flops(asked) / max(chip.peak(asked.precision), chip.wide_peak(asked.precision))
    stage = spent.reshape(asked.chunks, stages, 3).sum(axis=0) * asked.microbatches
    before = np.cumsum(spent[:stages], axis=0) - spent[:stages]
    behind = np.maximum(stage[:, 0] + stage[:, 1] + before[:, 1], stage.sum(axis=1))
    return float((before[:, 0] + behind).max())


def memory_bound(asked: Training, chip: Chip) -> float:
    """Return the bound of what the fullest stage must read and write of weights and optimizer, seconds."""
    max_read = 0.0
    layout, shared = asked.layout, asked.shard != "none"
    for dense, experts in stage_parameters(asked):
        read = (dense + experts) * min(2.0, ELEMENT_BYTES[asked.precision])
        held = dense / (layout.replicas if shared else 1) + experts / (layout.expert_replicas if shared else 1)
        max_read = max(max_read, read + 2 * OPTIMIZER_BYTES * held)
    return max_read / chip.memory_Bps


def wall_bound(asked: Training, walls: Walls) -> float:
    """Return the bound of the wall that has most to carry for its capacity, seconds."""
    out, into = crossing_bytes(asked, walls)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = [np.where(have > 0, have / room, 0.0) for have, room in ((out, walls.out_Bps), (into, walls.in_Bps))]
    return float(max(each.max(initial=0.0) for each in times))


def crossing_bytes(asked: Training, walls: Walls) -> tuple[Floats, Floats]:
    """Return the least bytes that a step brings out of each wall and into it, [sets] each."""
    layout, sets = asked.layout, len(walls.out_Bps)
    out, into = np.zeros(sets), np.zeros(sets)
    stage_of = layout.coordinates()["pipeline"]
    axes = {axis: layout.groups(axis) for axis in ("tensor", "context", "expert", "replica", "expert_replica")}
    for stage in range(layout.pipeline):
        mine = stage_of == stage
        for each in all_exchanges(asked, stage):
            # what is brought again might be kept
            if each.pattern != "shift" and not each.again:
                _add_groups(out, into, each, axes[each.axis][mine], walls.inside[mine])
    _add_shift(out, into, asked, layout, walls)
    return out, into


def _add_groups(out: Floats, into: Floats, exchange: Exchange, group: Ints, inside: Ints) -> None:
    """Add what an exchange over groups of ranks brings across the walls that the ranks stand in."""
    sizes = np.bincount(group)
    n = int(sizes.max(initial=0))
    some = inside >= 0
    key, k = np.unique(group[some] * len(out) + inside[some], return_counts=True)
    split = k < n
    wall, k = key[split] % len(out), k[split]
    outward, inward = _least(exchange, k, n)
    np.add.at(out, wall, outward * exchange.times)
    np.add.at(into, wall, inward * exchange.times)


def _least(exchange: Exchange, k: Ints, n: int) -> tuple[Floats, Floats]:
    """Return the least bytes outward and inward of a wall that has k of a group's n members inside."""
    size = exchange.size_bytes
    if exchange.pattern == "allreduce":
        return np.full(len(k), size), np.full(len(k), size)
    if exchange.pattern in ("allgather", "reducescatter"):
        own, others = k * size / n, (n - k) * size / n
        return (own, others) if exchange.pattern == "allgather" else (others, own)
    token = size / exchange.copies
    inward = (n - k) * token * met_share(exchange.copies, exchange.choices, k / n)
    outward = k * token * met_share(exchange.copies, exchange.choices, 1 - k / n)
    return (outward, inward) if exchange.pattern == "dispatch" else (inward, outward)


def _add_shift(out: Floats, into: Floats, asked: Training, layout: Layout, walls: Walls) -> None:
    """Add what stages send to the next across walls, and its gradients back."""
    sent = next((each for each in all_exchanges(asked) if each.pattern == "shift"), None)
    if sent is None:
        return
    # a wrapped pipeline sends from its last stage to its first between chunks alone
    for wrapped, times in ((False, asked.chunks), (True, asked.chunks - 1)):
        source, target = layout.next_stage(wrapped)
        if wrapped:
            last = layout.coordinates()["pipeline"][source] == layout.pipeline - 1
            source, target = source[last], target[last]
        size = sent.size_bytes * asked.microbatches * times
        a, b = walls.inside[source], walls.inside[target]
        for one in (a[(a != b) & (a >= 0)], b[(a != b) & (b >= 0)]):
            # forward leaves one of the two and enters the other, the gradient goes the other way: as much each way
            np.add.at(out, one, size)
            np.add.at(into, one, size)
