"""`ubusc explore --workload`: the layouts that Python finds, each as a text that gives its figures again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from unifiedbus_dsl import solve
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.workloads import best_layouts
from unifiedbus_dsl.workload.step import StepTime, estimate_step

TEXT = """\
ubus 1
protocol UB { lane = 100 Gbps; latency = 100 ns }
link Trace : UB { medium = pcb; reach = 2 m; delay = 5 ns/m }
npu Chip {
  bf16 = 400 TFLOPS; memory = 24 GB; hbm = 2 TB/s
  gemm_efficiency = 60%; hbm_efficiency = 70%; launch = 5 us; fabric_efficiency = 75%
  port x[7] : UB x4
  transit x
}
board Board { npu[8] : Chip; connect npu.x as fullmesh over Trace(0.4 m) }
system board : Board
model Tiny { layers = 16; hidden = 2048; heads = 16; ffn = 8192; vocab = 32000 }
workload w of board = train(Tiny, batch = 12, sequence = 1024, shard = optimizer)
workload chat of board = serve(Tiny, prompt = 64, output = 64, concurrency = 8)
workload huge of board = train(Tiny, batch = 8, sequence = 1048576)
workload lies of board = train(Tiny, batch = 8, sequence = 1024, order = [tensor along npu])
"""


@pytest.fixture
def explore(run: Run, tmp_path: Path) -> Run:
    """Run `ubusc explore` on the text."""
    (tmp_path / "board.ubus").write_text(TEXT, encoding="utf-8")
    return lambda *arguments: run("explore", "board.ubus", *arguments)


def test_the_layouts_are_those_of_python(explore: Run) -> None:
    """The workload that is explored need not fit itself: 12 sequences don't divide among 8 replicas."""
    result = explore("--workload", "w", "--json", "--top", "4")
    assert result.status == 0, result.err
    found = json.loads(result.out)
    fabric = compile_text(TEXT).fabric()
    best = solve.best_layouts(fabric, "w", top=4)
    assert found["proved"]
    assert found["kind"] == "estimate"
    assert [each["step_s"] for each in found["layouts"]] == [each.step_s for each in best.steps]
    assert [each["step_s"] for each in found["layouts"]] == sorted(each["step_s"] for each in found["layouts"])
    for each, step in zip(found["layouts"], best.steps, strict=True):
        assert sum(each["parts_s"].values()) == pytest.approx(each["step_s"])
        stated = re.sub(r"^workload w of board = ", "", each["statement"])
        again = solve.training_step(fabric, stated)
        assert (again.step_s, again.asked) == (step.step_s, step.asked)


def test_text_and_rows_say_the_same(explore: Run) -> None:
    rows = explore("--workload", "w", "--csv", "--top", "3").out.splitlines()
    assert len(rows) == 4
    assert rows[0].startswith("tensor,context,pipeline,expert,data,microbatch,schedule")
    text = explore("--workload", "w", "--top", "3").out
    assert len(re.findall(r"^ +[1-3] ", text, re.MULTILINE)) == 3
    assert "the others can't be faster by their floors" in text
    assert "kernels of `Chip` reach 60% of its peak" in text
    assert "workload w of board = train(Tiny, batch = 12, sequence = 1024, shard = optimizer, " in text


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--workload", "v"), 2, "no workload `v`"),
        (("uplinks", "--workload", "w"), 2, "leave block `uplinks` out"),
        (("--workload", "w", "--samples", "3"), 2, "leave `--samples` out"),
        (("--workload", "w", "--plot", "a.svg"), 2, "leave `--plot` out"),
        (("--workload", "w", "--top", "0"), 2, "--top"),
        (("--workload", "chat"), 1, "layouts are looked for of a training step, and this is serving"),
        (("--workload", "lies"), 1, "leave `along` out"),
        (("--workload", "huge"), 1, "no layout of huge is legal and fits the memory"),
    ],
)
def test_what_can_not_be_explored(explore: Run, arguments: tuple[str, ...], status: int, said: str) -> None:
    result = explore(*arguments)
    assert result.status == status
    assert said in result.out + result.err
    assert "Traceback" not in result.err


def test_it_is_written_into_a_file(explore: Run, tmp_path: Path) -> None:
    out = tmp_path / "layouts.json"
    assert explore("--workload", "w", "--json", "-o", str(out)).out == ""
    assert json.loads(out.read_text(encoding="utf-8"))["legal"] > 10


def test_python_wants_a_layout_at_least() -> None:
    with pytest.raises(ValueError, match="`top` is 0: it is 1 or more"):
        solve.best_layouts(compile_text(TEXT).fabric(), "w", top=0)


@pytest.mark.parametrize("timed", [3, 0])
def test_an_interrupt_ends_with_what_is_timed(explore: Run, monkeypatch: pytest.MonkeyPatch, timed: int) -> None:
    calls = []

    def estimate(*given: Any) -> StepTime:
        calls.append(given)
        if len(calls) > timed:
            raise KeyboardInterrupt
        return estimate_step(*given)

    monkeypatch.setattr(best_layouts, "estimate_step", estimate)
    result = explore("--workload", "w", "--json")
    assert result.status == 130
    assert bool(result.out) == (timed > 0)
    if timed:
        found = json.loads(result.out)
        assert (found["estimated"], len(found["layouts"]), found["proved"]) == (timed, timed, False)
        calls.clear()
        assert f"{timed} were timed when it was stopped" in explore("--workload", "w").out
