"""What changed between two designs: counts, figures, and cable by cable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.export.machines import PARTS, PODS, compiled
from unifiedbus_dsl.analysis import run
from unifiedbus_dsl.analysis.design_diff import design_changes
from unifiedbus_dsl.cli import diff, main

SMALLER = PODS.replace("cabinet[4]", "cabinet[2]").replace("p[8]", "p[4]").replace("cost = 900 USD", "cost = 700 USD")


def test_counts_and_figures_of_two_designs() -> None:
    found = design_changes(compiled(PODS), compiled(SMALLER))
    assert {(row.noun, row.name): (row.before, row.after) for row in found.parts} == {
        ("superpod", "Pod"): (1, 1),
        ("rack", "Cabinet"): (4, 2),
        ("node", "Server"): (16, 8),
        ("npu", "Chip"): (64, 32),
        ("switch", "Leaf"): (8, 4),
        ("switch", "Spine"): (2, 2),
    }
    assert {row.name: (row.before, row.after) for row in found.cables} == {
        "Trace x4": (96, 48),
        "Copper x4": (128, 64),
        "Optic x4": (16, 8),
    }
    figures = {f.name: (f.before and float(f.before), f.after and float(f.after)) for f in found.figures}
    assert figures["end points"] == (64, 32)
    assert figures["cables"] == (240, 120)
    assert figures["bandwidth of an end point, each direction"] == (5 * 56e9, 5 * 56e9)
    # chips and leaves, copper at 80 USD and optics at 900 or 700 USD; spines state no cost
    assert figures["cost, all together"] == (
        64 * 10_000 + 8 * 2_000 + 128 * 80 + 16 * 900,
        32 * 10_000 + 4 * 2_000 + 64 * 80 + 8 * 700,
    )
    assert figures["diameter(all npu)"] == (4, 4)
    # 4 of the 16 optics, after coding, and 2 of 8, are cut where two cabinets go to each side of a spine: 8 and 4
    bisection = figures.get("bisection(all npu)") or figures["bisection(all npu), at least"]
    assert bisection == (8 * 52.5e9, 4 * 52.5e9)
    text = found.text()
    assert "node Server" in text
    assert "-50 %" in text
    assert "Spine" not in text


def test_without_the_solver(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.ubus").write_text(PODS)
    (tmp_path / "b.ubus").write_text(SMALLER)
    command = ["diff", str(tmp_path / "a.ubus"), str(tmp_path / "b.ubus")]
    assert main([*command, "--no-solve"]) == 1
    fast = capsys.readouterr().out
    assert main(command) == 1
    assert ("bisection" in fast, "bisection" in capsys.readouterr().out) == (False, True)
    assert "cable Copper x4" in fast


def test_spares_are_counted() -> None:
    text = PODS.replace("server[4] : Server", "server[4] : Server; spare extra[1] : Chip")
    text = text.replace("  port up = leaf.up", "  open extra.x, extra.up\n  port up = leaf.up")
    found = design_changes(compiled(PODS), compiled(text))
    (chips,) = [row for row in found.parts if row.name == "Chip"]
    assert (chips.before, chips.after) == (64, 68)
    (ends,) = [figure for figure in found.figures if figure.name == "end points"]
    assert ends.same  # spares are not in service


def test_the_same_design_has_no_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not design_changes(compiled(PODS), compiled(PODS))
    assert design_changes(compiled(PODS), compiled(PODS)).text() == ""
    for name in ("a", "b"):
        (tmp_path / f"{name}.ubus").write_text(PODS)
    assert main(["diff", str(tmp_path / "a.ubus"), str(tmp_path / "b.ubus"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["same"] is True
    assert {"parts", "cables", "figures"} == set(data["changes"])


def test_sizes_that_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "MOST_LINKS", 200)
    (tmp_path / "a.ubus").write_text(PODS)
    (tmp_path / "b.ubus").write_text(SMALLER)
    assert main(["diff", str(tmp_path / "a.ubus"), str(tmp_path / "b.ubus")]) == 1
    said = capsys.readouterr()
    assert "240 links are more than the 200" in said.err
    assert "cable Copper x4" in said.out
    assert "missing" not in said.out
    assert main(["diff", str(tmp_path / "a.ubus"), str(tmp_path / "a.ubus")]) == 0  # known without a list
    assert capsys.readouterr().out == "no difference\n"
    assert main(["export", str(tmp_path / "a.ubus"), "--to", "cables", "-o", str(tmp_path / "a.csv")]) == 0
    assert main(["diff", str(tmp_path / "a.ubus"), str(tmp_path / "a.csv")]) == 1
    assert "error[UB0804]" in capsys.readouterr().err


def test_equal_designs_are_solved_once_and_within_the_time_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []
    known = run.ask

    def counted(*given: Any, budget: float | None = None) -> run.Report:
        asked.append(budget)
        return known(*given, budget=budget)

    monkeypatch.setattr(run, "ask", counted)
    assert not design_changes(compiled(PODS), compiled(PODS), budget=3.0)
    assert asked == [3.0]
    assert design_changes(compiled(PODS), compiled(SMALLER), budget=2.0)
    assert asked == [3.0, 2.0, 2.0]


def test_two_systems_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    star = PARTS.replace("  port up[2] : UB x4\n", "").replace("  transit x\n", "") + (
        "switch Hub(n) { port p[n] : UB x4 }\n"
        "rack Star(n) { npu[n] : Chip; hub : Hub(n = n); connect npu[i].x -- hub.p[i] over Copper(1 m) for i }\n"
        "system half : Star(n = 4)\nsystem full : Star(n = 8)\n"
    )
    Path("stars.ubus").write_text(star.replace("x[3]", "x"))
    assert main(["diff", "stars.ubus:half", "stars.ubus:full", "--no-solve", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["extra_devices"] == [f"npu[{n}]" for n in range(4, 8)]
    assert main(["diff", "stars.ubus:full", "stars.ubus", "--system", "full", "--no-solve"]) == 0
    assert main(["diff", "stars.ubus:none", "stars.ubus:full"]) == 2
    assert main(["diff", "stars.ubus:", "stars.ubus:full"]) == 2
    assert "there are half, full" in capsys.readouterr().err
