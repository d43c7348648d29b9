"""Odd names, odd streams and odd machines: an answer or a sentence, never an internal error."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Run
from unifiedbus_dsl.cli.output import folder_beside

HEAD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m; delay = 5 ns/m }
npu Chip { port p : UB x4 @open }
npu Bare { memory = 1 GB }
switch Top { port p[4] : UB x4 @open }
"""
ODD = {
    "empty": "rack R { }\n",
    "one": "rack R { npu : Chip }\n",
    "loose": "rack R { npu[5] : Bare }\n",
    "switches": "rack R { switch[2] : Top; connect switch[0].p[0] -- switch[1].p[0] over Wire(1 m) }\n",
    "cut": "rack R { npu[2] : Chip; connect npu[0].p -- npu[1].p over Wire(1 m) }\n"
    "scenario Cut of odd { fail npu[0].p -- npu[1].p; sweep(allreduce(all npu)); bisection(all npu) }\n",
}


def write(folder: Path, name: str, machine: str) -> str:
    (folder / name).write_text(HEAD + ODD[machine] + "system odd : R\n")
    return name


@pytest.mark.parametrize("machine", ["empty", "one", "loose", "switches"])
def test_machines_with_nothing_to_draw_are_refused_in_a_sentence(run: Run, tmp_path: Path, machine: str) -> None:
    file = write(tmp_path, "odd.ubus", machine)
    pytest.importorskip("matplotlib")
    for arguments in (("--plot", "hops"), ("--plot", "latency"), ("--map", "latency"), ("--map", "bandwidth")):
        outcome = run("render", file, *arguments)
        drawn = machine == "loose" and arguments[0] == "--map"
        assert outcome.status == (0 if drawn else 1), (arguments, outcome.err)
        assert ("has a path to another" in outcome.err) == (arguments[0] == "--plot")


def test_a_simulator_wants_a_device(run: Run, tmp_path: Path) -> None:
    outcome = run("export", write(tmp_path, "odd.ubus", "empty"), "--to", "ns3")
    assert (outcome.status, "error[UB0802]" in outcome.err) == (1, True)
    assert os.listdir(tmp_path) == ["odd.ubus"]
    assert run("export", write(tmp_path, "odd.ubus", "one"), "--to", "ns3").status == 0


@pytest.mark.parametrize("collective", ["allreduce", "allgather", "reducescatter", "broadcast", "alltoall"])
def test_collectives_among_what_no_cable_joins_have_no_answer(run: Run, tmp_path: Path, collective: str) -> None:
    outcome = run("analyze", write(tmp_path, "odd.ubus", "loose"), "--ask", f"sweep({collective}(all npu))")
    assert (outcome.status, outcome.err.count("UB0706")) == (1, 1), outcome.err


def test_a_datasheet_without_cables_and_a_scenario_that_takes_the_last(run: Run, tmp_path: Path) -> None:
    assert run("analyze", write(tmp_path, "odd.ubus", "loose")).status in (0, 1)
    outcome = run("analyze", write(tmp_path, "odd.ubus", "cut"))
    assert (outcome.status, outcome.err.count("UB0706")) == (1, 1)
    assert "lost: 1 cable\n" in outcome.out


def test_names_that_are_no_text(run: Run, tmp_path: Path) -> None:
    name = os.fsdecode(b"b\xff.ubus")
    try:
        write(tmp_path, name, "one")
    except OSError:
        pytest.skip("names are text on this disk")
    for form in ("text", "json", "sarif", "github"):
        assert run("check", name, "--format", form).status == 0
    folder = os.fsdecode(b"out\xfe")
    assert run("compile", name, "-o", folder, "--json").status == 0
    assert len(os.listdir(folder)) == 3
    (tmp_path / name).write_text("wrong")
    for form in ("text", "json", "sarif", "github"):
        assert run("check", name, "--format", form).status == 1


@pytest.mark.parametrize("command", ["check", "fmt", "compile", "analyze", "render", "import"])
def test_an_empty_name_is_no_folder(run: Run, tmp_path: Path, command: str) -> None:
    """That of a shell's variable that is not set: `fmt` would lay out every file below this folder."""
    write(tmp_path, "odd.ubus", "one")
    before = (tmp_path / "odd.ubus").read_bytes()
    outcome = run(command, "")
    assert (outcome.status, "which file?" in outcome.err) == (2, True)
    assert (tmp_path / "odd.ubus").read_bytes() == before
    assert ("odd.ubus" in outcome.err) == (command != "import"), "an offer that would work"


@pytest.mark.parametrize("arguments", [
    ("compile", "odd.ubus"), ("export", "odd.ubus", "--to", "json"), ("survey", "odd.ubus", "--of", "npu"),
    ("render", "odd.ubus", "--format", "svg"), ("import", "odd.json"),
])  # fmt: skip
def test_what_is_read_is_not_written_over(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, "odd.ubus", "one")
    write(tmp_path, "other.ubus", "one")
    assert run("export", "odd.ubus", "--to", "json", "-o", "odd.json").status == 0
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    for output in ("", "other.ubus", arguments[1], f"./{arguments[1]}"):
        outcome = run(*arguments, "-o", output)
        assert outcome.status == 2, (output, outcome)
        assert ("would write over" if output else "names nothing") in outcome.err
    if arguments[0] in ("compile", "import", "render"):
        outcome = run(*arguments, "-o", "-")
        assert (outcome.status, "can't go to standard output" in outcome.err) == (2, True)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_file_of_another_tool_goes_into_a_folder_that_is_named(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "odd.ubus", "one")
    for folder in ("new/", "new"):
        assert run("export", "odd.ubus", "--to", "json", "-o", folder).status == 0
        assert os.listdir(tmp_path / "new") == ["odd.json"]


def test_standard_input_that_is_closed() -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = " ".join(f"'{word}'" for word in [*PROGRAM, "fmt", "-"])
    done = subprocess.run(f"{command} <&-", shell=True, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (74, "error: `standard input`: is closed: there is nothing to read\n")
    assert sys.stdin is not None


def test_a_folder_that_cannot_be_made_is_named_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OSError, match="read-only") as caught, folder_beside(tmp_path / "case", lambda *_: None):
        pass
    assert caught.value.filename == str(tmp_path / "case")
