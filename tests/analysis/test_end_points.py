"""What an end point of a machine is: the same in compile, datasheet, tiers, scenarios and surveys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.nodes import HEAD, nodes
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.report.summary import summary_of
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.ir.plan.end_points import end_kind


def test_half_of_the_machine_fails() -> None:
    """Two racks of two nodes of two GPUs and two NICs each: four GPUs are lost with a rack, and four are left."""
    text = nodes(nics=2, up=2) + "scenario s of m { fail rack[0]; expect count(all npu) == 4 }\n"
    report = analyze(compile_text(text), "m")
    (_, said), *_ = report.scenarios
    # a rack has 4 GPUs, 4 NICs, 2 scale-up switches and a leaf; 8 + 4 cables to GPUs and the leaf, 2 up
    assert said[0] == "lost: 11 devices and 14 cables; 4 end points and 4 nic among them"
    assert said[1] == "left: 4 end points, connected as before"
    assert (report.losses["s"]["end_points_lost"], report.losses["s"]["end_points_left"]) == (4, 4)
    assert all(answer.holds for answer in report.expectations)


def test_nics_that_fail_are_called_nics_and_cut_off_their_gpus() -> None:
    text = nodes(nics=2, up=2) + "scenario s of m { fail rack[0].node[0].a[0]; fail rack[0].node[0].a[1] }\n"
    (_, said), *_ = analyze(compile_text(text), "m").scenarios
    assert said[0] == "lost: 2 devices and 4 cables; 2 nic among them"
    assert said[1] == "cut off: 2 end points have no path to the 6 others: rack[0].node[0].g[0], rack[0].node[0].g[1]"


def test_a_survey_counts_what_a_scenario_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "m.ubus"
    source.write_text(nodes(nics=2, up=2))
    asked = ["survey", str(source), "--of", "rack", "--measure", "bisection(all npu)", "--json", "--workers", "1"]
    assert main(asked) == 0
    (failure,) = json.loads(capsys.readouterr().out)["failures"]
    assert (failure["losses"]["end_points_lost"], failure["losses"]["end_points_left"]) == (4, 4)


@pytest.mark.parametrize(
    ("parts", "kind", "count"),
    [
        ("npu N { port p : E x1 } cpu C { port p : E x1 } nic K { port p : E x1 }", "npu", 3),
        ("cpu N { port p : E x1 } device C { port p : E x1 } nic K { port p : E x1 }", "cpu", 3),
        ("nic N { port p : E x1 } device C { port p : E x1 } nic K { port p : E x1 }", "device", 5),
        ("nic N { port p : E x1 } nic C { port p : E x1 } nic K { port p : E x1 }", "nic", 15),
    ],
)
def test_end_points_are_what_a_machine_is_for(parts: str, kind: str, count: int) -> None:
    """Three, five and seven of a kind on a switch: not the kind that there are most of, but what computes."""
    text = f"""{HEAD}
    {parts.replace("} ", "}" + chr(10))}
    switch S {{ port p[15] : E x1 }}
    rack R {{
      n[3] : N; c[5] : C; k[7] : K; s : S
      connect n[i].p -- s.p[i] over L(1 m) for i in 0..2
      connect c[i].p -- s.p[3 + i] over L(1 m) for i in 0..4
      connect k[i].p -- s.p[8 + i] over L(1 m) for i in 0..6
    }}
    system m : R
    """
    done = compile_text(text)
    assert end_kind(done.pick("m")) == kind
    assert sum(row.count for row in summary_of(done).end_points) == count
    assert f"all {kind}" in analyze(done, "m").answers[0].arguments
