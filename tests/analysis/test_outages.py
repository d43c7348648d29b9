"""What the lines of a scenario take: ports with their cables, draws from what is left, cables that are shared."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.analysis.evaluators import make_evaluator
from unifiedbus_dsl.analysis.run import Report, analyze
from unifiedbus_dsl.analysis.scenarios import after
from unifiedbus_dsl.cli.answers import text_of
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.solver.network_context import NetworkContext

DRAWN = [0, 4, 6]
LINE_BPS = 56e9
"""Four lanes of 112 Gbps, one way."""
TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 9 m }
npu Chip { port x[3] : UB x4; port up[2] : UB x4; transit x, up }
switch Leaf { port p[8] : UB x4 }
board Four {
  npu[4] : Chip
  connect npu.x as fullmesh over Wire(1 m)
  port z = npu.up
}
rack Two {
  board[2] : Four
  leaf[2]  : Leaf
  connect board[b].z[n, k] -- leaf[k].p[4*b + n] over Wire(1 m) for b, n, k
}
system two : Two
"""
"""28 cables: 6 in each board, 8 to each leaf."""


def asked(lines: str) -> Report:
    done = compile_text(f"{TEXT}scenario S of two {{ {lines} }}\n")
    assert done.ok, [d.message for d in done.diagnostics]
    report = analyze(done)
    assert not report.diagnostics, [d.message for d in report.diagnostics]
    return report


def cables(lines: str) -> tuple[int, float]:
    """How many cables are lost, and what all tiers have left together, in capacities of a cable."""
    losses = asked(lines).losses["S"]
    tiers = losses["tiers"]
    assert isinstance(tiers, list)
    dead = losses["cables"]
    assert isinstance(dead, int)
    return dead, sum(tier["after"] for tier in tiers) / LINE_BPS


@pytest.mark.parametrize(
    ("lines", "lost", "left"),
    [
        ("fail board[0].npu[1].x[0]", 1, 27.0),
        ("fail board[0].npu[1].x", 3, 25.0),
        ("fail board[0].npu[1].ports", 5, 23.0),
        ("fail board[1].z[2, 1]", 1, 27.0),
        ("fail board[*].z[2, *]", 4, 24.0),
        ("fail board[0].z -- leaf[1]", 4, 24.0),
        ("fail board[0].z[3, 1] -- leaf[1].p[3]", 1, 27.0),
        ("degrade board[1].z[2, 1] to 50%", 0, 27.5),
        ("degrade board[0].npu[0].x to 25%", 0, 25.75),
        ("degrade board[0].npu[0], board[0].npu[1] to 50%", 0, 23.5),
        ("degrade board[0].npu[0] to 50%; degrade board[0].npu[1] to 50%", 0, 23.25),
        ("degrade all link where medium == copper to 100%", 0, 28.0),
    ],
)
def test_ports_stand_for_their_cables(lines: str, lost: int, left: float) -> None:
    """Counted by hand. A line takes each cable once, however many of its targets name it."""
    assert cables(lines) == (lost, pytest.approx(left))


def test_what_has_failed_is_not_drawn_again() -> None:
    """After a board is gone, 14 of 28 cables are left; a draw of 14 takes all of them, and one of four all parts."""
    assert cables("let seed = 1; fail board[0]; fail any 14 of all link") == (28, 0.0)
    report = asked("fail board[0].npu[0..2]; fail any 5 of board[0].npu, board[1].npu; let seed = 5")
    assert report.losses["S"]["devices"] == 8


def test_a_draw_from_several_targets_is_one_draw() -> None:
    assert asked("let seed = 2; fail any 3 of board[0].npu, board[1].npu").losses["S"]["devices"] == 3


def test_draws_stay_as_they_were() -> None:
    """The first numbers of the second draw of seed 7: PCG64 and our own shuffle."""
    done = compile_text(f"{TEXT}scenario S of two {{ let seed = 7; fail any 0 of all npu; fail any 3 of all npu }}\n")
    machine = NetworkContext(done.fabric())
    found = after(done, "S", make_evaluator(done, machine, Sink()))
    assert found is not None
    ends = machine.network.end_device
    assert found.left.machine.lost_devices.nonzero()[0].tolist() == ends[DRAWN].tolist()


def test_a_scenario_asks_what_is_left() -> None:
    """Each chip has three cables in its board and two to the leaves; one that is gone takes one of the three away, and
    a leaf one of the two. A scenario that extends another asks again what that asked, of its own machine."""
    text = """scenario Chip of two {
      fail board[0].npu[0]; count(all npu); disjoint_paths(board[0].npu[1] -> board[1].npu) }
    scenario Both of two extends Chip { fail leaf[0]; diameter(all npu) }
    analyze Chip of two { count(all npu) }
    """
    done = compile_text(TEXT + text)
    assert done.ok, [d.message for d in done.diagnostics]
    report = analyze(done)
    assert not report.diagnostics
    assert [(a.block, a.measure, a.value) for a in report.answers] == [
        ("Chip", "count", 8),
        ("scenario Chip", "count", 7),
        ("scenario Chip", "disjoint_paths", 4),
        ("scenario Both", "count", 7),
        ("scenario Both", "disjoint_paths", 3),
        ("scenario Both", "diameter", 2),
    ]
    lines = text_of(report).splitlines()
    first, second = lines.index("scenario Chip"), lines.index("scenario Both")
    assert lines[0] == "two: Chip"
    assert [line.split()[0] for line in lines[first:second] if line.startswith("  ") and "exact" in line] == [
        "count(all",
        "disjoint_paths(board[0].npu[1]",
    ]


def test_scenarios_of_every_system_are_run() -> None:
    """Those of a system without an `analyze` block too; it gets no datasheet unless it is chosen."""
    text = (
        "system lab : Two\nanalyze q of two { count(all npu) }\nscenario S of lab { expect diameter(all npu) == 3 }\n"
    )
    done = compile_text(TEXT + text)
    report = analyze(done)
    assert [(a.system, a.block) for a in report.answers] == [("two", "q")]
    assert [d.code for d in report.diagnostics] == ["UB0701"]
    assert {a.block for a in analyze(done, "lab").answers} == {"datasheet"}


def test_values_of_a_block_are_known_to_its_questions() -> None:
    """A `let` may ask a measure, and measures may use it, before the line or after it."""
    text = """analyze q of two {
      expect far == 3
      let far = diameter(all npu)
      let size = 56 GB
      latency(board[0].npu[0] -> board[0].npu[1], message = size)
    }
    scenario S of two { let size = 112 GB; latency(board[0].npu[0] -> board[0].npu[1], message = size)
      expect latency(board[0].npu[0] -> board[0].npu[1], message = size) == base }
    """
    done = compile_text(TEXT + text)
    assert done.ok, [d.message for d in done.diagnostics]
    report = analyze(done)
    assert [d.message for d in report.diagnostics] == [
        "expectation failed: `far == 3`: 2 is not 3",  # over a leaf
    ]
    assert [a.value for a in report.answers] == pytest.approx([1.0, 2.0], rel=1e-6)
    assert [r.holds for r in report.expectations] == [False, True]
