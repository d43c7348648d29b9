"""Charts of workloads: the Gantt of a step, the parts of times, step time against size."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from tests.render.legible import readable
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures import gantt as gantt_chart
from unifiedbus_dsl.figures.gantt import gantt, pieces
from unifiedbus_dsl.figures.parts import parts_chart
from unifiedbus_dsl.figures.scaling import replicas, scaling, sizes
from unifiedbus_dsl.figures.training import AskedStep, asked_step
from unifiedbus_dsl.render.marks import Box, Line, Picture, Text

TEXT = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
link Wide : UB { medium = copper; reach = 9 m }
npu Npu {
  bf16 = 400 TFLOPS; memory = 640 GB; hbm = 2 TB/s
  gemm_efficiency = 60%; hbm_efficiency = 80%; launch = 5 us; fabric_efficiency = 90%
  port x[7] : UB x4
  transit x
}
superpod Pod { npu[8] : Npu; connect npu.x as fullmesh over Wide(1 m) }
## A pod
system pod : Pod
model Tiny { layers = 16; hidden = 2048; heads = 16; ffn = 8192; vocab = 32000 }
workload even of pod = train(Tiny, batch = 64, sequence = 1024, tensor = 2)
workload deep of pod = train(Tiny, batch = 16, sequence = 1024, pipeline = 4, data = 2)
workload mixed of pod = train(Tiny, batch = 16, sequence = 1024, pipeline = 4, schedule = interleaved(2))
workload zero of pod = train(Tiny, batch = 16, sequence = 1024, pipeline = 4, schedule = zero_bubble)
workload chat of pod = serve(Tiny, prompt = 128, output = 64, concurrency = 64, tensor = 4, precision = bf16)
"""


@pytest.fixture(scope="module")
def pod() -> Compilation:
    return compile_text(TEXT)


def drawn(pod: Compilation, workload: str) -> tuple[Picture, AskedStep]:
    plan = pod.pick("pod")
    found, asked = gantt(pod, plan, workload, Sink()), asked_step(pod, "pod", workload, Sink())
    assert found
    assert asked
    return found, asked


# ---- the Gantt chart ----


@pytest.mark.parametrize("workload", ["even", "deep", "mixed", "zero"])
def test_boxes_stand_where_passes_run(pod: Compilation, workload: str) -> None:
    """Every stage computes as long in the picture as in the step, never twice at once; what is behind its last pass is
    there too; the last box of all ends with the step."""
    shown, asked = drawn(pod, workload)
    readable(shown)
    step = asked.step
    ground = shown.find("stage-0-waits")
    assert isinstance(ground, Box)
    point_s = step.step_s / ground.width
    ends = []
    for stage in range(step.asked.layout.pipeline):
        boxes = [m for m in shown.by_role("pass") if isinstance(m, Box) and m.id.startswith(f"stage-{stage}-")]
        boxes.sort(key=lambda box: box.x)
        assert all(a.x + a.width <= b.x + 1e-6 for a, b in pairwise(boxes))
        tail = sum(step.estimate.tails[stage].values())
        most = step.estimate.timeline.busy_s[stage] + tail
        # boxes of several passes have the short waits between them inside
        slack = len(boxes) * gantt_chart.THIN * point_s
        assert most - 1e-9 <= sum(box.width for box in boxes) * point_s <= most + slack
        ends.append(boxes[-1].x + boxes[-1].width)
    assert max(ends) == pytest.approx(ground.x + ground.width)
    assert sum(map(len, (shown.by_role("waits"),))) == step.asked.layout.pipeline


def test_every_pass_is_in_one_piece(pod: Compilation) -> None:
    """Without any that are too thin each has a piece of its own, with its microbatch; wide enough, all are one."""
    step = drawn(pod, "mixed")[1].step
    alone = list(pieces(step, 1, 0.0))
    passes = step.asked.microbatches * 2 * step.asked.chunks
    assert len(alone) == passes + len(step.estimate.tails[1])
    assert {piece.text for piece in alone[:passes]} == {f"{m}.{c}" for m in range(8) for c in range(2)}
    one = list(pieces(step, 1, 1e9))
    assert len(one) == 1 + len(step.estimate.tails[1])
    assert f"{passes} passes (16 forward, 16 backward)" in one[0].tip


def test_more_stages_than_rows(pod: Compilation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gantt_chart, "MOST_ROWS", 3)
    shown, _ = drawn(pod, "deep")
    assert [m.text for m in shown.by_role("row") if isinstance(m, Text)] == ["stage 0", "stage 2", "stage 3"]
    assert any(isinstance(m, Text) and m.text == "3 of the stages are drawn" for m in shown.by_role("note"))


# ---- bars of parts ----


def test_parts_of_bars_add_up_to_the_answers(pod: Compilation) -> None:
    shown = parts_chart(pod, Sink())
    assert shown
    readable(shown)
    headings = [m.text for m in shown.by_role("heading") if isinstance(m, Text)]
    assert headings == ["training step", "prefill", "decode step"]
    for measure, names in (("step_time", ["even", "deep", "mixed", "zero"]), ("decode_time", ["chat"])):
        answers = [ask(pod, "pod", f"{measure}({name})").answers[0] for name in names]
        scale = []
        for number, answer in enumerate(answers):
            boxes = [m for m in shown.by_role("bar") if isinstance(m, Box) and m.id.startswith(f"{measure}-{number}-")]
            width = sum(box.width for box in boxes)
            scale.append(width / answer.value)
            bound = shown.find(f"{measure}-{number}-bound")
            assert isinstance(bound, Line)
            share = (bound.points[0][0] - boxes[0].x) / width
            assert share == pytest.approx(answer.detail["lower_bound_s"] / answer.value)
        assert scale == pytest.approx([scale[0]] * len(scale))


def test_no_bars_without_workloads() -> None:
    assert parts_chart(compile_text(TEXT[: TEXT.index("workload")]), Sink()) is None


# ---- step time against size ----


def test_sizes_divide_the_batch_and_have_the_one_that_is_asked(pod: Compilation) -> None:
    asked = asked_step(pod, "pod", "even", Sink())
    assert asked
    assert [each.layout.data for each in replicas(asked.step.asked, 8)] == [1, 2, 4]
    many = replicas(asked.step.asked, 10**6)
    assert [each.layout.data for each in many] == [2**k for k in range(7)]
    steps, left_out = sizes(asked)
    assert [step.asked.layout.ranks for step in steps] == [2, 4, 8]
    assert left_out == []
    assert steps[-1].step_s == asked.step.step_s
    assert [step.asked.batch for step in steps] == [64] * 3


def test_step_time_against_size(pod: Compilation) -> None:
    """Both scales are logarithmic: each doubling is as far to the right, and time falls as its logarithm."""
    asked = asked_step(pod, "pod", "even", Sink())
    shown = scaling(pod, pod.pick("pod"), "even", Sink())
    assert shown
    assert asked
    readable(shown)
    dots = [m.center for m in shown.by_role("dot") if isinstance(m, Box)]
    assert dots[1][0] - dots[0][0] == pytest.approx(dots[2][0] - dots[1][0])
    first, second, third = (step.step_s for step in sizes(asked)[0])
    assert first > second > third
    fell = [dots[k + 1][1] - dots[k][1] for k in range(2)]
    assert fell[0] / fell[1] == pytest.approx(math.log(first / second) / math.log(second / third))
    shares = [m.text for m in shown.by_role("share") if isinstance(m, Text)]
    assert shares[0] == "100%"


def test_what_does_not_fit_is_said(pod: Compilation) -> None:
    """16 bytes a parameter of 0.9e9 and more: in 8 GB only where four replicas share the optimizer."""
    text = TEXT.replace("640 GB", "16 GB").replace(
        "sequence = 1024, tensor = 2)", "sequence = 1024, tensor = 1, shard = optimizer, recompute = full)"
    )
    small = compile_text(text)
    asked = asked_step(small, "pod", "even", Sink())
    assert asked
    steps, left_out = sizes(asked)
    assert left_out == [1]
    assert [step.asked.layout.ranks for step in steps] == [2, 4, 8]
    shown = scaling(small, small.pick("pod"), "even", Sink())
    assert shown
    assert any(m.text == "sizes that don't fit: 1" for m in shown.by_role("note") if isinstance(m, Text))


@pytest.mark.parametrize("chart", [gantt, scaling])
@pytest.mark.parametrize(("workload", "said"), [("chat", "not asked of the serving"), ("eve", "did you mean `even`?")])
def test_other_than_training_steps(chart: object, workload: str, said: str, pod: Compilation) -> None:
    sink = Sink()
    assert callable(chart)
    assert chart(pod, pod.pick("pod"), workload, sink) is None
    assert said in " ".join(f"{each.message} {each.help}" for each in sink)
