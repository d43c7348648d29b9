"""Oversubscription of switches: what goes down over what goes up, counted by hand."""

from __future__ import annotations

import pytest
from attrs import evolve

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.run import analyze, ask
from unifiedbus_dsl.measures import switch_ratio
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.verify import VerificationError

MACHINE = """ubus 1
protocol Unit { lane = 10 GB/s; latency = 100 ns }
link Wire : Unit { medium = copper; reach = 9 m }
npu Chip { port p : Unit x1 }
switch Edge { port d[6] : Unit x1; port u[2] : Unit x1; latency = 100 ns }
switch Mid { port d[2] : Unit x1; port u[2] : Unit x2; port side : Unit x1; latency = 100 ns }
switch Core { port p[2] : Unit x2; latency = 100 ns }
rack Pod {
  npu[2, 6] : Chip
  edge[2] : Edge
  mid[2] : Mid
  core[2] : Core
  connect npu[e, i].p -- edge[e].d[i] over Wire(1 m) for e, i
  connect edge[e].u[m] -- mid[m].d[e] over Wire(2 m) for e, m
  connect mid[m].u[c] -- core[c].p[m] over Wire(3 m) for m, c
  connect mid[0].side -- mid[1].side over Wire(1 m)
}
system pod : Pod
scenario Cut of pod { fail edge[0] -- mid[0]; oversubscription(all Edge); oversubscription(all Mid) }
"""
DONE = compile_text(MACHINE)


def answer(question: str) -> Answer:
    report = ask(DONE, None, question)
    assert not report.diagnostics, [d.message for d in report.diagnostics]
    return report.answers[0]


@pytest.mark.parametrize(
    ("question", "down", "up"),
    [
        ("all Edge", 60e9, 20e9),
        ("edge[1]", 60e9, 20e9),
        ("all Mid", 20e9, 40e9),
        ("all switch", 60e9, 20e9),
        ("all Mid | core[0]", 20e9, 40e9),
    ],
)
def test_down_over_up(question: str, down: float, up: float) -> None:
    found = answer(f"oversubscription({question})")
    assert (found.kind, found.value) == ("exact", down / up)
    assert (found.detail["down"], found.detail["up"]) == (down, up)


def test_what_is_said_beside_it() -> None:
    found = answer("oversubscription(all switch)")
    assert found.text == "3 : 1"
    assert found.binding == ("edge[0] and 1 more",)
    assert "2 of the switches have no cable to a higher tier" in found.lines
    assert "within its tier 10 GB/s" in answer("oversubscription(all Mid)").lines[0]


def test_after_a_failure() -> None:
    """An edge without one of its two cables up has 6 : 1, and the middle switch half of its cables down."""
    edge, middle = (each for each in analyze(DONE).answers if each.block == "scenario Cut")
    assert (edge.value, middle.value) == (6, 0.5)


def test_the_top_has_none() -> None:
    report = ask(DONE, None, "oversubscription(all Core)")
    assert [d.code for d in report.diagnostics] == ["UB0706"]
    assert "higher tier" in report.diagnostics[0].message


def test_a_wrong_sum_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = switch_ratio.up_and_down

    def more(*args: object) -> switch_ratio.UpDown:
        found = whole(*args)  # type: ignore[arg-type]
        return evolve(found, down_Bps=2 * found.down_Bps)

    monkeypatch.setattr(switch_ratio, "up_and_down", more)
    with pytest.raises(VerificationError):
        ask(DONE, None, "oversubscription(all Edge)")
