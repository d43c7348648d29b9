"""Answers are written as they come, kept where the work is interrupted, and bounded where its time is over."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.run import BlockBegun, Event, analyze, ask
from unifiedbus_dsl.base.units import NUMBER, RATE
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.cli.answers import text_of
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import ENDS, Better, Invariance, Measure, registered
from unifiedbus_dsl.measures.unfinished import unfinished
from unifiedbus_dsl.solver import deadline
from unifiedbus_dsl.verify import Stated

MACHINE = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 9 m }
npu Chip { port x[2] : UB x1; transit x }
rack Ring { npu[8] : Chip; connect npu.x as ring over Wire(1 m) }
system ring : Ring
analyze figures of ring { diameter(all npu); slow(all npu); bisection(all npu) }
scenario Down of ring { fail npu[0]; reachable(all npu) }
"""
needs_a_clock = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no clock that interrupts")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "ring.ubus"
    path.write_text(MACHINE)
    return str(path)


@pytest.fixture
def slow() -> Iterator[list[str]]:
    """A measure that does what the words in the list say."""
    does: list[str] = []

    def evaluate(call: MeasureCall) -> Certified[Answer]:
        word = does[0]
        if word == "stop":
            raise KeyboardInterrupt
        deadline_s = time.monotonic() + (60 if word == "sleep" else 0)
        while time.monotonic() < deadline_s:
            time.sleep(0.01)
        return Certified(call.exact(7, NUMBER), Stated(7, 7, "made up"))

    made = Measure(
        "slow", "what takes long", (ENDS,), NUMBER,
        evaluate=evaluate, better=Better.MORE, invariance=Invariance.NONE, rests_on=(),
    )  # fmt: skip
    with registered(made):
        yield does


def test_an_interrupt_keeps_what_was_answered(file: str, slow: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    slow.append("stop")
    assert main(["analyze", file]) == 130
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ring: figures"
    assert said[1].split()[:4] == ["diameter(all", "npu)", "4", "exact"]
    assert not any("slow" in line or "bisection" in line for line in said)


def test_an_interrupt_keeps_what_was_answered_in_json(
    file: str, slow: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    slow.append("stop")
    assert main(["analyze", file, "--json"]) == 130
    said = json.loads(capsys.readouterr().out)
    assert said["interrupted"]
    assert [row["measure"] for row in said["measures"]] == ["diameter"]


def test_each_answer_is_told_before_the_next_is_worked_out(slow: list[str]) -> None:
    slow.append("stop")
    told: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        analyze(compile_text(MACHINE), tell=told.append)
    begun, answer = told
    assert isinstance(begun, BlockBegun)
    assert begun.labels == ("diameter(all npu)", "slow(all npu)", "bisection(all npu)")
    assert isinstance(answer, Answer)
    assert (answer.measure, answer.value) == ("diameter", 4)


HELD = MACHINE.replace("{ diameter(all npu); slow", "{ expect diameter(all npu) == 4; slow").replace(
    "reachable(all npu) }", "expect reachable(all npu) == base - 1 }"
)


def test_an_expectation_is_written_as_it_comes(
    tmp_path: Path, slow: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "held.ubus").write_text(HELD)
    slow.append("stop")
    assert main(["analyze", str(tmp_path / "held.ubus")]) == 130
    assert capsys.readouterr().out.splitlines() == ["ring: figures", "  holds   diameter(all npu) == 4"]
    assert main(["analyze", str(tmp_path / "held.ubus"), "--json"]) == 130
    (held,) = json.loads(capsys.readouterr().out)["expectations"]
    assert (held["text"], held["holds"]) == ("diameter(all npu) == 4", True)


def test_expectations_stand_in_their_blocks_and_those_of_types_at_the_end(slow: list[str]) -> None:
    slow.append("answer")
    text = HELD.replace("over Wire(1 m) }", "over Wire(1 m); expect bisection(all npu) == 25 GB/s }")
    lines = text_of(analyze(compile_text(text))).splitlines()
    held = [(lines.index(line), line.split()) for line in lines if line.startswith("  holds ")]
    assert [words[1] for _, words in held] == ["diameter(all", "reachable(all", "bisection(all"]
    heads = [next(line for line in reversed(lines[:at]) if not line.startswith(" ")) for at, _ in held]
    assert heads == ["ring: figures", "scenario Down", "Expectations"]


@needs_a_clock
def test_a_budget_ends_all_of_it(
    file: str, slow: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs when the time is over gives way, and what comes later is bounded: a cut of a ring is of one cable at
    least, and its first half is cut off at two of 12.5 GB/s."""
    monkeypatch.setattr(deadline, "MOST_OF_REST", 1.0)
    slow.append("sleep")
    began = time.monotonic()
    assert main(["analyze", file, "--budget", "0.1", "--json"]) == 0
    assert time.monotonic() - began < 20
    found = {row["measure"]: row for row in json.loads(capsys.readouterr().out)["measures"]}
    assert (found["slow"]["kind"], found["slow"]["lower"], found["slow"]["upper"]) == ("interval", 0, None)
    cut = found["bisection"]
    assert (cut["kind"], cut["lower"], cut["upper"]) == ("interval", pytest.approx(12.5e9), pytest.approx(25e9))
    assert any("time allowed" in each for each in cut["assumptions"])
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


@needs_a_clock
def test_what_is_not_worked_out_is_said_so(file: str, slow: list[str]) -> None:
    slow.append("sleep")
    answer = analyze(compile_text(MACHINE), budget=0.1).answers[1]
    assert (answer.measure, answer.shown) == ("slow", "not known")


def test_time_that_is_not_needed_goes_to_the_others(slow: list[str]) -> None:
    slow.append("answer")
    report = analyze(compile_text(MACHINE), budget=60)
    assert [(a.measure, a.kind, a.value) for a in report.answers[:3]] == [
        ("diameter", "exact", 4),
        ("slow", "exact", 7),
        ("bisection", "exact", pytest.approx(2 * 12.5e9)),
    ]


def test_shares_of_a_budget() -> None:
    """The last two seconds are for bounds; what keeps to no deadline leaves some time to the others."""
    run = deadline.RunBudget(32, ahead=14)
    assert run.share == pytest.approx(10, abs=0.1)
    assert run.patience == pytest.approx(0.7 * 32, abs=0.1)
    run.ahead = 2
    assert run.share == pytest.approx(15, abs=0.1)
    run.ahead = 1
    assert run.share == pytest.approx(30, abs=0.1)
    assert run.patience == pytest.approx(32, abs=0.1)
    assert deadline.RunBudget(1).share == pytest.approx(0.9, abs=0.1)


@needs_a_clock
def test_one_limit_inside_another_keeps_the_end_of_the_outer_one() -> None:
    def outer() -> None:
        with deadline.interrupted_after(0.3):
            with pytest.raises(deadline.BudgetSpent), deadline.interrupted_after(0.2):
                time.sleep(5)
            with deadline.interrupted_after(60):
                pass
            time.sleep(5)

    began = time.monotonic()
    with pytest.raises(deadline.BudgetSpent):
        outer()
    assert 0.3 <= time.monotonic() - began < 4
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


QUESTIONS = (
    "hops(npu[0] -> npu[3])",
    "diameter(all npu)",
    "mean_hops(all npu)",
    "bisection(all npu)",
    "disjoint_paths(all npu)",
    "throughput(alltoall(all npu))",
    "throughput(incast(all npu -> npu[0]))",
    "throughput(shift(all npu, k = 1))",
    "latency(all npu)",
    "time(allreduce(all npu, size = 1 GB))",
    "tiers(all npu)",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_bounds_by_ports_hold(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said without working anything out holds the answer."""
    done = compile_text(MACHINE.replace("slow(all npu); ", ""))
    (answer,) = ask(done, None, question).answers
    seen: list[tuple[float, float]] = []

    def both(call: MeasureCall) -> Certified[Answer]:
        made = unfinished(call)
        seen.append((made.answer.lower, made.answer.upper))
        return made

    monkeypatch.setattr("unifiedbus_dsl.measures.evaluator.unfinished", both)
    monkeypatch.setattr(deadline.RunBudget, "patience", property(lambda self: 0.0))
    (bounds,) = ask(done, None, question, budget=1).answers
    assert bounds.kind == "interval"
    (lower, upper) = seen[0]
    assert lower <= answer.lower
    assert answer.upper <= upper * (1 + 1e-9)
    assert bounds.dimension == (RATE if answer.dimension == RATE else answer.dimension)
