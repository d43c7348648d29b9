"""Workloads in questions: where ranks stand, what goes on after a failure, and that the language and Python agree."""

from __future__ import annotations

import random
from itertools import product
from math import prod

import numpy as np
import pytest

from unifiedbus_dsl import compile, solve
from unifiedbus_dsl.analysis.api import QuestionError
from unifiedbus_dsl.analysis.export_flows import flows, names_of
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.workloads.placement import (
    Dimension,
    PlacementError,
    after_outage,
    dimensions_of,
    place_along,
)
from unifiedbus_dsl.workload.layout import DENSE, ORDER, Layout
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.training import Training

CHIP = """\
ubus 1
protocol UB {{ lane = 100 Gbps; latency = 100 ns }}
link Trace : UB {{ medium = pcb; reach = 2 m; delay = 5 ns/m }}
npu Chip {{
  bf16 = 400 TFLOPS; fp8 = 800 TFLOPS; memory = 640 GB; hbm = 2 TB/s
  gemm_efficiency = {gemm}; hbm_efficiency = {gemm}; launch = {launch}; fabric_efficiency = {gemm}
  port x[3] : UB x4; port y[1] : UB x1
  transit x, y
}}
board Board {{ npu[4] : Chip; connect npu.x as fullmesh over Trace(0.4 m); port y = npu.y }}
rack Pair {{ board[2] : Board; connect board[0].y[n, 0] -- board[1].y[n, 0] over Trace(1 m) for n }}
system pair : Pair
model Tiny {{ layers = 8; hidden = 2048; heads = 16; ffn = 8192; vocab = 32000 }}
model Routed {{
  layers = 8; hidden = 1024; heads = 16; ffn = 4096; vocab = 32000; experts = 8; top_k = 2; expert_ffn = 2048
}}
"""
TINY = Model(layers=8, hidden=2048, heads=16, ffn=8192, vocab=32000)


def pair(more: str = "", gemm: str = "60%", launch: str = "5 us") -> Compilation:
    return compile_text(CHIP.format(gemm=gemm, launch=launch) + more)


def grid(*shape: int) -> list[Dimension]:
    """Return the dimensions of end points in an array of this shape, in its order."""
    places = np.unravel_index(np.arange(prod(shape)), shape)
    return [Dimension("abc"[k], "npu", 0, 1, np.asarray(at)) for k, at in enumerate(places)]


# ---- where ranks stand ----------------------------------------------------------------------------------------------


def factors(n: int, draw: random.Random) -> int:
    return draw.choice([k for k in range(1, n + 1) if n % k == 0])


@pytest.mark.parametrize("seed", range(40))
def test_an_axis_lies_along_its_dimension(seed: int) -> None:
    """Oracle: of each group of an axis along a dimension, the members differ in that dimension alone, and are the
    elements of one aligned run of it."""
    draw = random.Random(seed)
    shape = tuple(draw.choice((1, 2, 3, 4, 6, 8)) for _ in range(3))
    dimensions, n = grid(*shape), prod(shape)
    chosen = draw.sample(("tensor", "context", "data"), draw.randint(0, 3))
    along = dict(zip(chosen, draw.sample(dimensions, len(chosen)), strict=True))
    sizes = {axis: factors(each.length, draw) for axis, each in along.items()}
    rest = n // prod(sizes.values())
    for axis in (each for each in DENSE if each not in along):
        sizes[axis] = rest if axis == "pipeline" else factors(rest, draw)
        rest //= sizes[axis]
    if "pipeline" in along:
        return
    layout = Layout(**sizes, order=tuple(draw.sample(ORDER, 5)))
    place = place_along(layout, along, dimensions)
    assert sorted(place.tolist()) == list(range(n))
    for axis, dimension in along.items():
        group = layout.groups(axis)
        for number in range(int(group.max()) + 1):
            ends = place[group == number]
            at = sorted(dimension.at[ends].tolist())
            assert at == list(range(at[0], at[0] + layout.size(axis)))
            assert at[0] % layout.size(axis) == 0
            assert all(len(set(each.at[ends].tolist())) == 1 for each in dimensions if each is not dimension)


def test_without_dimensions_ranks_stand_in_order() -> None:
    for shape, tensor in product(((2, 4, 2), (16,), (4, 4)), (1, 2, 4)):
        layout = Layout(tensor=tensor, data=16 // tensor)
        assert place_along(layout, {}, grid(*shape)).tolist() == list(range(16))


def test_two_axes_may_share_a_dimension() -> None:
    """Of eight boards, pairs are tensor groups and each fourth board a context group."""
    a, b = grid(8, 2)
    layout = Layout(tensor=2, context=4, data=2)
    place = place_along(layout, {"tensor": a, "context": a}, [a, b])
    assert place[:8].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]


def test_a_dimension_that_does_not_divide_is_refused() -> None:
    a, b = grid(6, 4)
    with pytest.raises(PlacementError, match="4 tensor ranks don't lie along `a`, which has 6 elements"):
        place_along(Layout(tensor=4, data=6), {"tensor": a}, [a, b])
    hole = [Dimension(each.name, each.kind, 0, 1, each.at[:-1]) for each in (a, b)]
    with pytest.raises(PlacementError, match="not all whole"):
        place_along(Layout(tensor=2, data=11), {"tensor": hole[0]}, hole)


def test_dimensions_are_those_of_the_arrays_around() -> None:
    plan = compile("specs/huawei/atlas-950-superpod.ubus").plan
    found = dimensions_of(plan, np.array([0, 1, 8, 68, 68 + 63]))
    assert [(each.text, each.kind, each.at.tolist()) for each in found] == [
        ("cabinet", "rack", [0, 0, 0, 1, 1]),
        ("npu[0]", "npu", [0, 0, 1, 0, 2]),
        ("npu[1]", "npu", [0, 1, 0, 0, 2]),
    ]


# ---- after a failure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_replicas_that_are_left_go_on(seed: int) -> None:
    """Oracle: none of the ranks that go on is lost, groups of tensor ranks stay together, and one replica more has no
    room in the runs that are whole."""
    draw = random.Random(seed)
    layout = Layout(
        tensor=draw.choice((1, 2, 4)), context=draw.choice((1, 2)), pipeline=draw.choice((1, 2, 4)),
        data=draw.choice((2, 3, 8)), order=("tensor", *draw.sample(ORDER[1:], 4)),
    )  # fmt: skip
    asked = Training(TINY, batch=layout.data * 4, sequence=64, microbatch=1, layout=layout)
    lost = np.zeros(layout.ranks, dtype=bool)
    lost[draw.sample(range(layout.ranks), draw.randint(1, min(4, layout.ranks - 1)))] = True
    going_on = after_outage(asked, lost)
    if going_on is None:
        return
    fewer, ranks = going_on
    assert not lost[ranks].any()
    assert len(set(ranks.tolist())) == len(ranks) == fewer.layout.ranks
    assert fewer.batch == 4 * fewer.layout.data
    old = layout.groups("tensor")[ranks]
    for number in range(int(fewer.layout.groups("tensor").max()) + 1):
        assert len(set(old[fewer.layout.groups("tensor") == number].tolist())) == 1


def test_a_failure_of_one_chip_costs_one_replica() -> None:
    layout = Layout(tensor=4, data=8)
    asked = Training(TINY, batch=64, sequence=64, microbatch=1, layout=layout)
    lost = np.arange(32) == 9
    going_on = after_outage(asked, lost)
    assert going_on is not None
    assert going_on[0].layout.data == 7
    assert going_on[1].tolist() == [*range(8), *range(12, 32)]
    assert after_outage(asked, np.ones(32, dtype=bool)) is None


# ---- in questions ---------------------------------------------------------------------------------------------------


def test_the_language_and_python_agree() -> None:
    inline = "train(Tiny, batch = 16, sequence = 1024, microbatch = 2, tensor = 2, pipeline = 2)"
    done = pair(f"workload w of pair = {inline}\n")
    fabric = done.fabric()
    asked = Training(TINY, 16, 1024, 2, Layout(tensor=2, pipeline=2, data=2))
    step = solve.training_step(fabric, asked)
    assert solve.step_time(fabric, "w").value == step.step_s
    assert solve.step_bound(fabric, "w").value == step.bound_s
    assert solve.mfu(fabric, "w").value == step.mfu
    assert solve.token_rate(fabric, "w").value == 16 * 1024 / step.step_s
    assert solve.memory(fabric, "w").value == step.memory.total
    assert solve.step_time(fabric, inline).value == step.step_s


def test_times_are_estimates_and_bounds_are_none() -> None:
    fabric = pair("workload w of pair = train(Tiny, batch = 16, sequence = 1024)\n").fabric()
    for name in ("step_time", "mfu", "token_rate"):
        answer = getattr(solve, name)(fabric, "w")
        assert answer.kind == "estimate"
        assert "`Chip` reach 60% of its peak" in answer.estimate[0]
    assert solve.memory(fabric, "w").kind == "estimate"
    assert solve.step_bound(fabric, "w").kind == "exact"
    parts = solve.step_time(fabric, "w").detail["parts"]
    assert sum(each["exposed_s"] for each in parts.values()) == pytest.approx(solve.step_time(fabric, "w").value)


@pytest.mark.parametrize("seed", range(25))
def test_no_estimate_is_below_its_bound(seed: int) -> None:
    """With kernels and cables at their peak an estimate comes close; its certificate refuses what is below."""
    draw = random.Random(seed)
    fabric = pair(gemm="100%", launch="0 s").fabric()
    model = draw.choice(("Tiny", "Routed"))
    tensor, pipeline = draw.choice(((1, 1), (2, 1), (4, 1), (1, 2), (2, 2), (8, 1), (1, 4)))
    expert = draw.choice((1, 2)) if model == "Routed" and tensor * pipeline < 8 else 1
    words = f"tensor = {tensor}, pipeline = {pipeline}, expert = {expert}"
    schedule = draw.choice(("gpipe", "zero_bubble", "interleaved(2)" if pipeline > 1 else "one_f_one_b"))
    shard, recompute = draw.choice(("none", "optimizer", "weights")), draw.choice(("none", "selective", "full"))
    overlap = draw.choice(("[]", "[data]", "[tensor, context, expert, data, pipeline]"))
    text = (
        f"train({model}, batch = 64, sequence = 512, {words}, schedule = {schedule}, shard = {shard}, "
        f"recompute = {recompute}, overlap = {overlap}, precision = {draw.choice(('bf16', 'fp8'))})"
    )
    assert solve.step_time(fabric, text).value >= solve.step_bound(fabric, text).value
    serve = f"serve({model}, prompt = 128, output = 64, concurrency = 64, {words})"
    for name in ("prefill", "decode"):
        time, bound = (getattr(solve, f"{name}_{what}")(fabric, serve).value for what in ("time", "bound"))
        assert time >= bound


def test_what_is_wrong_is_said() -> None:
    fabric = pair().fabric()
    for text, said in (
        ("train(Tiny, batch = 16, sequence = 1024, tensor = 3)", "16 heads don't divide|tensor"),
        ("train(Tiny, batch = 16)", "needs `sequence`"),
        ("nobody", "a workload is wanted"),
        ("train(Tiny, batch = 16, sequence = 1024, order = [tensor along rack])", "no dimension `rack`"),
    ):
        with pytest.raises(QuestionError, match=said):
            solve.step_time(fabric, text)
    with pytest.raises(QuestionError, match="not asked of a training step"):
        solve.decode_time(fabric, "train(Tiny, batch = 16, sequence = 1024)")


# ---- what is exchanged, as traffic ----------------------------------------------------------------------------------

STAGED = (
    "workload w of pair = train(Tiny, batch = 16, sequence = 1024, tensor = 2, pipeline = 2)\n"
    "workload chat of pair = serve(Routed, prompt = 64, output = 8, concurrency = 8, expert = 8)\n"
)


def test_an_exchange_is_timed_as_the_step_has_it() -> None:
    """Oracle: the collectives of the language on groups that are written out."""
    fabric = pair(STAGED).fabric()
    size = 1024 * 2048 * 2  # tokens, elements and bytes of each
    for asked, written in (
        ("w.tensor", f"allgather(all npu, groups = 4, size = {size} B)"),
        ("chat.expert", f"alltoall(all npu, size = {64 * 1024 * 2 * 2} B)"),
    ):
        assert solve.time(fabric, asked).value == pytest.approx(solve.time(fabric, written).value)
    assert solve.throughput(fabric, "w.pipeline").scale.value > 0


def test_flows_of_an_exchange_are_written() -> None:
    done = pair(STAGED)
    sent = flows(done, "pair", "w.pipeline", Sink())
    assert sent is not None
    assert [(each.source.tolist(), each.target.tolist()) for each in sent] == [([0, 1, 2, 3], [4, 5, 6, 7])]
    assert sent[0].size.tolist() == [1024 * 2048 * 2 // 2] * 4  # a part by each tensor rank
    gathered = flows(done, "pair", "w.tensor", Sink())
    assert gathered is not None
    assert sum(int(each.size.sum()) for each in gathered) == 8 * 2 * (1024 * 2048 * 2 // 2)
    assert set(names_of(done, "traffic", "pair")) >= {"w.tensor", "w.data", "chat.expert"}


def test_what_is_not_exchanged_is_said() -> None:
    done, sink = pair(STAGED), Sink()
    assert flows(done, "pair", "w.expert", sink) is None
    assert ["exchanges nothing along `expert`" in each.message for each in sink] == [True]
    with pytest.raises(QuestionError, match=r"it exchanges `w\.tensor`, `w\.pipeline`, `w\.data`"):
        solve.time(done.fabric(), "w.context")
