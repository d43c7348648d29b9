"""Steps summed up by hand: kernels, exchanges, pipeline and bounds of small machines, without the code's tables."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl.workload.chip import Chip, Constants
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.model import Model, total_parameters
from unifiedbus_dsl.workload.stages import divide_layers
from unifiedbus_dsl.workload.step import PARTS, estimate_step
from unifiedbus_dsl.workload.step_bound import Walls, bound_step, chain_bound, crossing_bytes, memory_bound, wall_bound
from unifiedbus_dsl.workload.training import Training

TINY = Model(layers=4, hidden=512, heads=8, ffn=2048, vocab=1000)
ROUTED = Model(
    layers=4, hidden=512, heads=8, ffn=2048, vocab=1000, gated=True, experts=8, top_k=2, expert_ffn=256, dense_layers=1
)
IDEAL = Chip({"bf16": 1e12}, 16e9, 1e30, Constants(1.0, 1.0, 0.0, 1.0))


def seconds(exchange: Exchange) -> float:
    """One byte takes a nanosecond, whatever the exchange."""
    return exchange.size_bytes * 1e-9


def asked(layout: Layout, model: Model = TINY, **more: object) -> Training:
    given = {"batch": 16, "sequence": 128, "microbatch": 1, "overlap": frozenset()} | more
    return Training(model, layout=layout, **given)  # type: ignore[arg-type]  # mypy sees objects


def layer(tokens: int, tensor: int = 1) -> float:
    """FLOPs of one dense layer forward, the causal half of attention's core."""
    return (2 * tokens * (4 * 512 * 512 + 2 * 512 * 2048) + 4 * 512 * 128 * tokens / 2) / tensor


def core(tokens: int) -> float:
    return 4 * 512 * 128 * tokens / 2


def test_one_end_point_computes() -> None:
    """Sixteen microbatches of 128 tokens through 4 layers and a head: forward, twice that backward, and half a core."""
    step = estimate_step(asked(Layout()), IDEAL, seconds)
    head = 2 * 128 * 512 * 1000
    flops = 16 * (4 * (3 * layer(128) + core(128) / 2) + 3 * head)
    assert step.parts["matrix"] == pytest.approx(flops / 1e12, rel=1e-12)
    assert step.step_s == pytest.approx(flops / 1e12, rel=1e-9)


def test_memory_kernels_move_their_bytes() -> None:
    """With a free product: norms 2 + 2, residuals 3 + 3 times two bytes of T h, the activation 4 T ffn, the embedding
    4 T h, the loss 12 T vocab, each one and a half times again backward; products move their matrices."""
    chip = Chip({"bf16": 1e30}, 16e9, 1e12, Constants(1.0, 1.0, 0.0, 1.0))
    step = estimate_step(asked(Layout()), chip, seconds)
    t, h, f, v = 128, 512, 2048, 1000
    moved = 2.5 * (4 * (2 * 4 * t * h + 2 * 6 * t * h + 4 * t * f) + 4 * t * h + 12 * t * v)
    for weights, width in ((3 * h * h, 4 * h), (h * h, 2 * h), (h * f, h + f), (h * f, h + f)):
        moved += 4 * (3 * (2 * weights + 2 * t * width) + 8 * weights)
    moved += 4 * 3 * 2 * t * 4 * h  # the fused core reads and writes queries, keys, values and outputs
    moved += 3 * (2 * h * v + 2 * t * (h + v)) + 8 * h * v
    update = 30 * total_parameters(TINY)
    assert step.step_s == pytest.approx((16 * moved + update) / 1e12, rel=1e-9)


def test_tensor_ranks_gather_and_scatter() -> None:
    """Two all-reduces a layer forward and two backward, as gathers and scatters of T h two bytes each; inputs are
    gathered again backward."""
    step = estimate_step(asked(Layout(tensor=4)), IDEAL, seconds)
    assert step.parts["tensor"] == pytest.approx(16 * 4 * 10 * 128 * 512 * 2 * 1e-9)
    plain = estimate_step(asked(Layout(tensor=4), sequence_parallel=False), IDEAL, seconds)
    assert plain.parts["tensor"] == pytest.approx(16 * 4 * 4 * 128 * 512 * 2 * 1e-9)
    again = estimate_step(asked(Layout(tensor=4), recompute="full"), IDEAL, seconds)
    assert again.parts["tensor"] == pytest.approx(16 * 4 * 14 * 128 * 512 * 2 * 1e-9)


def test_tensor_ranks_hide_what_gradients_of_columns_cover() -> None:
    """Of six exchanges backward two gathers run under the input gradients of the two matrices that are divided by
    columns, 2 T h 3 h / 4 and 2 T h ffn / 4 FLOPs, two scatters under their weights' gradients: no more than these."""
    alone = estimate_step(asked(Layout(tensor=4)), IDEAL, seconds).parts["tensor"]
    one = 128 * 512 * 2 * 1e-9
    products = 2 * 128 * 512 * (3 * 512 + 2048) / 4 / 1e12
    covered = 2 * min(2 * one, products)
    assert 0 < covered < 4 * one
    hidden = estimate_step(asked(Layout(tensor=4), overlap=frozenset(("tensor",))), IDEAL, seconds).parts["tensor"]
    assert alone - hidden == pytest.approx(16 * 4 * covered)
    fast = estimate_step(
        asked(Layout(tensor=4), overlap=frozenset(("tensor",))), IDEAL, lambda each: 0.1 * seconds(each)
    )
    assert fast.parts["tensor"] == pytest.approx(16 * 4 * 6 * 0.1 * one)


def test_a_pipeline_waits_at_both_ends() -> None:
    """Two stages without a head's work: (m + p - 1) passes of each; sends are waited for."""
    model = evolve(TINY, vocab=1)
    step = estimate_step(asked(Layout(pipeline=2), model), IDEAL, lambda _: 0.0)
    one = 2 * (3 * layer(128) + core(128) / 2) / 1e12
    assert step.step_s == pytest.approx(17 * one, rel=1e-3)
    assert step.parts["bubble"] == pytest.approx(one, rel=1e-2)


@pytest.mark.parametrize("batch", [3, 16, 1007])
def test_one_stage_waits_for_nothing(batch: int) -> None:
    """Not even for what rounding leaves of the sum of its passes."""
    step = estimate_step(asked(Layout(tensor=2), batch=batch, overlap=frozenset(("tensor",))), IDEAL, seconds)
    assert step.parts["bubble"] == 0
    assert sum(step.parts.values()) == pytest.approx(step.step_s, rel=1e-9)


def test_gradients_are_added_up() -> None:
    """Half of the layers and a table a stage: reduced in four bytes, handed back in two where they are shared."""
    step = estimate_step(asked(Layout(data=4)), IDEAL, seconds)
    assert step.parts["data"] == pytest.approx(4 * total_parameters(TINY) * 1e-9)
    shared = estimate_step(asked(Layout(data=4), shard="optimizer"), IDEAL, seconds)
    assert shared.parts["data"] == pytest.approx(6 * total_parameters(TINY) * 1e-9)
    hidden = estimate_step(asked(Layout(data=4), shard="optimizer", overlap=frozenset(("data",))), IDEAL, seconds)
    assert 0 < hidden.parts["data"] < shared.parts["data"]


def test_shared_weights_are_gathered_for_each_pass() -> None:
    """Of each of four microbatches: weights in two bytes forward and backward, gradients in four bytes."""
    step = estimate_step(asked(Layout(data=4), shard="weights"), IDEAL, seconds)
    assert step.parts["data"] == pytest.approx(4 * (2 + 2 + 4) * total_parameters(TINY) * 1e-9)


def test_tokens_go_to_their_experts_and_back() -> None:
    """Three layers with experts: two tokens out and two back of 512 elements, forward and backward."""
    step = estimate_step(asked(Layout(data=4, expert=4), ROUTED), IDEAL, seconds)
    assert step.parts["expert"] == pytest.approx(4 * 3 * 4 * 128 * 2 * 512 * 2 * 1e-9)


LAYOUTS = [
    Layout(), Layout(tensor=2), Layout(data=4), Layout(pipeline=4), Layout(tensor=2, data=2, pipeline=2),
    Layout(data=4, expert=4), Layout(tensor=2, data=4, expert=8), Layout(context=2, data=2, expert=2, pipeline=2),
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("schedule", ["gpipe", "1f1b", "zero_bubble"])
@pytest.mark.parametrize("shard", ["none", "optimizer", "weights"])
def test_parts_add_up_and_no_estimate_beats_the_bound(layout: Layout, schedule: str, shard: str) -> None:
    """Ports of 1 GB/s, and exchanges that take as long as the least of what each rank must send."""
    step = asked(layout, ROUTED, schedule=schedule, shard=shard, overlap=frozenset(("data", "expert", "pipeline")))
    ports = Walls("ports", np.arange(layout.ranks), np.full(layout.ranks, 1e9), np.full(layout.ranks, 1e9))

    def least(exchange: Exchange) -> float:
        n = layout.size(exchange.axis) if exchange.pattern != "shift" else 2
        return exchange.size_bytes / 1e9 * (n - 1) / n * (2 if exchange.pattern in ("allreduce", "shift") else 1)

    chip = Chip({"bf16": 1e12}, 16e9, 1e12, Constants(1.0, 1.0, 0.0, 1.0))
    found, bound = estimate_step(step, chip, least), bound_step(step, chip, [ports])
    assert sum(found.parts[part] for part in PARTS) == pytest.approx(found.step_s, rel=1e-9)
    assert min(found.parts.values()) >= -1e-12
    assert bound.step_s <= found.step_s * (1 + 1e-9)
    assert bound.step_s == max(bound.bounds.values())


# ---- bounds by hand -------------------------------------------------------------------------------------------------


def test_bound_of_one_end_point() -> None:
    head = 2 * 128 * 512 * 1000
    assert chain_bound(asked(Layout()), IDEAL) == pytest.approx(3 * 16 * (4 * layer(128) + head) / 1e12)


def test_bound_of_tensor_ranks_is_a_share() -> None:
    head = 2 * 128 * 512 * 1000
    assert chain_bound(asked(Layout(tensor=4)), IDEAL) == pytest.approx(3 * 16 * (4 * layer(128) + head) / 4 / 1e12)


def test_bound_of_a_pipeline() -> None:
    """The last of four stages, with a layer and the head: it waits for three layers, and after its last gradient of an
    input three more of these are due, where weights of its own hide."""
    own, head, before = layer(128), 2 * 128 * 512 * 1000, 3 * layer(128)
    inputs = layer(128) + core(128)
    behind = max(16 * (own + inputs + 2 * head) + 3 * inputs, 16 * 3 * (own + head))
    assert chain_bound(asked(Layout(pipeline=4)), IDEAL) == pytest.approx((before + behind) / 1e12)


def test_bound_of_memory() -> None:
    chip = evolve(IDEAL, memory_Bps=1e12)
    assert memory_bound(asked(Layout()), chip) == pytest.approx(26 * total_parameters(TINY) / 1e12)
    assert memory_bound(asked(Layout(data=4), shard="optimizer"), chip) == pytest.approx(
        8 * total_parameters(TINY) / 1e12
    )


def test_bound_of_walls() -> None:
    """Two nodes of two, data across: each node sends the sum of its gradients and takes the other's, 4 bytes each; a
    pipeline across sends activations one way and gradients the other."""
    nodes = Walls("node", np.array([0, 0, 1, 1]), np.full(2, 1e9), np.full(2, 1e9))
    across = asked(Layout(tensor=2, data=2))
    dense = 2 * (total_parameters(TINY) / 2)
    norms = 9 * 512  # every tensor rank has them all
    out, into = crossing_bytes(across, nodes)
    assert out == pytest.approx(np.full(2, 4 * dense), rel=2 * norms / dense)
    assert into == pytest.approx(out)
    assert wall_bound(across, nodes) == pytest.approx(float(out[0]) / 1e9)
    stages = asked(Layout(tensor=2, pipeline=2))
    assert crossing_bytes(stages, nodes)[0] == pytest.approx(np.full(2, 16 * 128 * 512 * 2))


def test_tokens_cross_a_wall_once() -> None:
    """All pairs of 8 experts, in a plain loop: of 128 tokens a rank those with an expert inside come in once."""
    nodes = Walls("node", np.array([0, 0, 1, 1]), np.full(2, 1e9), np.full(2, 1e9))
    step = asked(Layout(data=4, expert=4), evolve(ROUTED, dense_layers=3))
    pairs = [(a, b) for a in range(8) for b in range(8) if a != b]
    met = sum(a < 4 or b < 4 for a, b in pairs) / len(pairs)
    tokens = 2 * 128 * met * 512 * 2 * 4 * 4  # two ranks outside, dispatch and combine, forward and backward
    dense = crossing_bytes(asked(Layout(data=4), evolve(ROUTED, experts=0, top_k=0, layers=3)), nodes)[0][0]
    router = 4 * (8 * 512 + 512 + 4 * 512 * 512 + 512)
    out, into = crossing_bytes(step, nodes)
    assert out[0] == pytest.approx(dense + tokens + router, rel=1e-9)
    assert into[0] == pytest.approx(out[0])


# ---- layouts --------------------------------------------------------------------------------------------------------


def test_groups_of_a_layout() -> None:
    """Rank by rank: tensor innermost, then data, then the pipeline."""
    layout = Layout(tensor=2, pipeline=3, data=4)
    rows = {axis: layout.groups(axis) for axis in ("tensor", "replica", "pipeline")}
    for a in range(24):
        for b in range(24):
            same = [a // 8 == b // 8, a % 8 // 2 == b % 8 // 2, a % 2 == b % 2]  # stage, data, tensor
            assert (rows["tensor"][a] == rows["tensor"][b]) == (same[0] and same[1])
            assert (rows["replica"][a] == rows["replica"][b]) == (same[0] and same[2])
            assert (rows["pipeline"][a] == rows["pipeline"][b]) == (same[1] and same[2])
    source, target = layout.next_stage(wrap=False)
    assert source.tolist() == list(range(16))
    assert target.tolist() == list(range(8, 24))
    assert layout.next_stage(wrap=True)[1].tolist() == [*range(8, 24), *range(8)]


@pytest.mark.parametrize("order", [("tensor", "context", "expert", "data", "pipeline"),
                                   ("pipeline", "data", "expert", "tensor", "context")])  # fmt: skip
def test_expert_groups_divide_a_stage(order: tuple[str, ...]) -> None:
    layout = Layout(tensor=2, context=2, pipeline=2, data=4, expert=8, order=order)
    stage = layout.coordinates()["pipeline"]
    for axis, size in (("expert", 8), ("expert_replica", 2)):
        group = layout.groups(axis)
        assert np.bincount(group).tolist() == [size] * (32 // size)
        assert all(len(set(stage[group == each])) == 1 for each in range(32 // size))
    together = set(zip(layout.groups("expert").tolist(), layout.groups("expert_replica").tolist(), strict=True))
    assert len(together) == 32


@pytest.mark.parametrize(("layers", "parts"), [(126, 64), (61, 32), (80, 40), (94, 32), (5, 5)])
def test_layers_are_divided(layers: int, parts: int) -> None:
    found = divide_layers(evolve(TINY, layers=layers), parts).layers
    assert found.sum() == layers
    assert found.max() - found.min() <= 1
    assert found[0] == found[-1] == found.min()
