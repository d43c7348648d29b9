"""What is wrong with a question, a scenario or a view stops nothing but itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.cli import main

MACHINE = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 2 m }
npu Chip { port x[2] : UB x4; transit x }
rack Ring { npu[8] : Chip; connect npu.x as ring over Copper(1 m) }
system ring : Ring
traffic bad of ring = alltoall(all gpux)
analyze q of ring { bisection(all npu); diamter(all npu); throughput(bad); diameter(all npu) }
analyze good of ring { disjoint_paths(all npu) }
view v of ring { collapse rakc }
scenario s of ring { fail npu[9]; connected(all npu) }
scenario t of ring { fail npu[1]; connected(all npu) }
"""
WRONG = ["UB0207", "UB0224", "UB0231", "UB0401"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ring.ubus"
    path.write_text(MACHINE)
    return path


def test_the_others_are_answered(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(file), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [(row["block"], row["measure"]) for row in said["measures"]] == [
        ("q", "bisection"),
        ("q", "diameter"),
        ("good", "disjoint_paths"),
        ("scenario t", "connected"),
    ]
    assert said["measures"][1]["value"] == 4
    assert sorted(each["code"] for each in said["diagnostics"]) == WRONG, "each mistake is told once"


def test_the_machine_is_compiled_and_drawn(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file.write_text(MACHINE + "view good of ring { fold npu keep 2 }\n")
    assert main(["compile", str(file), "-o", str(tmp_path / "out")]) == 1
    assert (tmp_path / "out" / "ring.svg").is_file()
    assert (tmp_path / "out" / "ring.npz").is_file()
    assert capsys.readouterr().err.count("error[") == len(WRONG)
    drawn = tmp_path / "good.svg"
    assert main(["render", str(file), "--view", "good", "-o", str(drawn)]) == 1
    assert drawn.is_file()
    assert capsys.readouterr().err.count("error[") == len(WRONG)
    assert main(["render", str(file), "--view", "v", "-o", str(tmp_path / "v.svg")]) == 1
    assert not (tmp_path / "v.svg").exists()
    assert capsys.readouterr().err.count("error[") == len(WRONG), "each mistake is told once"


def test_it_is_summed_up_as_json(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["compile", str(file), "-o", str(tmp_path / "out"), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["systems"]["ring"]["files"][0].endswith("ring.svg")
    assert sorted(each["code"] for each in said["diagnostics"]) == WRONG


def test_it_is_written_for_other_tools(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "ring.graphml"
    assert main(["export", str(file), "--to", "graphml", "-o", str(target)]) == 1
    assert target.read_text().count("<node ") == 8
    assert capsys.readouterr().err.count("error[") == len(WRONG)
    target.unlink()
    assert main(["export", str(file), "--to", "graphml", "--scenario", "t", "-o", str(target)]) == 1
    assert target.read_text().count("<node ") == 7
    target.unlink()
    capsys.readouterr()
    assert main(["export", str(file), "--to", "graphml", "--scenario", "s", "-o", str(target)]) == 1
    assert not target.exists()
    assert capsys.readouterr().err.count("error[") == len(WRONG), "each mistake is told once"


def test_it_is_compared(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    right, other = tmp_path / "right.ubus", tmp_path / "other.ubus"
    right.write_text(MACHINE.replace("rakc", "npu"))
    other.write_text(MACHINE.replace("npu[8] : Chip", "npu[6] : Chip"))
    assert main(["diff", str(file), str(right), "--no-solve"]) == 1
    said = capsys.readouterr()
    assert "npu" not in said.out
    assert said.err.count("error[") == 2 * len(WRONG) - 1
    assert main(["diff", str(file), str(other), "--no-solve"]) == 1
    assert "npu[7]" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["compile", "render"])
def test_a_wrong_machine_is_not_drawn(
    file: Path, command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file.write_text(MACHINE.replace("npu[8] : Chip", "npu[8] : Chpi"))
    assert main([command, str(file), "-o", str(tmp_path / "out.svg")]) == 1
    assert not (tmp_path / "out.svg").exists()
    assert "UB0222" in capsys.readouterr().err


def test_as_text(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "ring: q"
    assert said.err.count("error[") == len(WRONG)


def test_a_question_of_the_command_line_is_answered(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(file), "--ask", "hops(npu[0] -> npu[4])", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [row["value"] for row in said["measures"]] == [4]


@pytest.mark.parametrize(
    "put", ["npu[8] : Chpi", "npu[8] : Chip; npu[8] : Chip", "npu[8] : Chip; expect count(all npu) == 9"]
)
def test_a_wrong_machine_is_asked_nothing(file: Path, put: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(MACHINE.replace("npu[8] : Chip", put))
    assert main(["analyze", str(file), "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["measures"]


def test_a_compilation_is_as_wrong_as_before() -> None:
    """Python and the other commands still refuse it, unless they ask for what is right."""
    done = compile_text(MACHINE)
    assert not done.ok
    assert not done.plans
    left = done.despite_questions()
    assert left is not None
    assert left.ok
    assert left.systems == ("ring",)
    whole = compile_text(MACHINE.replace("gpux", "npu"))
    assert compile_text("ubus 1\n").despite_questions() is not None
    assert whole.despite_questions() is not None


EXPLORED = MACHINE.replace("rack Ring { npu[8]", "rack Ring(chips = 8) { npu[chips]").replace(
    "fail npu[9]", "fail npu[99]"
)
EXPLORED += """link Other : UB { medium = copper; reach = 2 m; cost = 4 USD }
explore right of ring { vary chips in [6, 8]; minimize diameter(all npu) }
explore wrong of ring { vary chisp in [6, 8]; minimize diameter(all npu) }
"""


def test_designs_are_explored(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(EXPLORED)
    assert main(["explore", str(file), "right", "--json"]) == 1
    said = capsys.readouterr()
    assert [each["set"] for each in json.loads(said.out)["designs"]] == [{"chips": "6"}, {"chips": "8"}]
    assert said.err.count("error[") == len(WRONG) + 1
    assert main(["explore", str(file), "wrong", "--json"]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("error[") == len(WRONG) + 1, "each mistake is told once"


def test_failures_are_surveyed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", str(file), "--of", "npu", "--measure", "connected(all npu)", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert said.err.count("error[") == len(WRONG)


def test_a_page_that_is_watched_has_the_picture(file: Path) -> None:
    from unifiedbus_dsl.cli.watch import look

    shown = look(file, {"settings": (), "search": ()}, (), 10)[1]
    assert shown.wrong
    assert list(shown.pictures) == ["ring"]
