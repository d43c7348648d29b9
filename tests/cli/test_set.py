"""Values from the command line, folders to look in, standard input, and several systems."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

import unifiedbus_dsl as ub
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.cli.reading import READING

TEXT = """ubus 1
let width = 4
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 2 m }
npu Chip { memory = 100 GB; port x[2] : UB x4; transit x }
npu Big extends Chip { memory = 200 GB }
rack Ring(chips = 8, chip = Chip) {
  npu[chips] : chip
  connect npu.x as ring over Copper(width/4 * 1 m)
}
system ring : Ring
system lab  : Ring(4)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ring.ubus"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, (8, 4, 800, 56)),
        ({"chips": "6"}, (6, 6, 600, 56)),
        ({"lab.chips": "3 + 2"}, (8, 5, 800, 56)),
        ({"chip": "Big"}, (8, 4, 1600, 56)),
        ({"Chip.memory": "7 GB", "chips": " 3 "}, (3, 3, 21, 56)),
        ({"UB.lane": "224 Gbps"}, (8, 4, 800, 112)),
        ({"Ring.chips": "5"}, (5, 4, 500, 56)),
    ],
)
def test_what_is_set_stands_in_place_of_the_text(settings: dict[str, str], wanted: tuple[int, ...]) -> None:
    """The chips of both systems, the memory of the first in GB, and a port of it in GB/s."""
    done = ub.compile_text(TEXT, settings=settings)
    assert done.ok, [each.message for each in done.diagnostics]
    ring, lab = (done.pick(name) for name in ("ring", "lab"))
    (chip,) = ring.devices.values()
    memory = chip.fields["memory"]
    counts = [plan.assemblies[plan.root].children[0].count for plan in (ring, lab)]
    lanes = 4 * ring.protocols["UB"].lane_rate
    assert (*counts, counts[0] * float(memory.value) / 1e9, float(lanes) / 1e9) == wanted  # type: ignore[union-attr]


def test_a_let_is_set_and_its_use_is_checked() -> None:
    done = ub.compile_text(TEXT, settings={"width": "12"})
    assert [each.code for each in done.diagnostics] == ["UB0504"]
    assert "set on the command line: `width=12`" in done.diagnostics[0].notes
    assert ub.compile_text(TEXT, settings={"width": "8"}).ok


def test_the_hash_of_the_sources_knows_what_is_set() -> None:
    texts = [{}, {"width": "4"}, {"width": "3"}]
    assert len({ub.compile_text(TEXT, settings=settings).sources_hash for settings in texts}) == 3


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("chps=6", "did you mean `chips`?"),
        ("widht=6", "did you mean `width`?"),
        ("lab.chps=6", "did you mean `lab.chips`?"),
        ("lba.chips=6", "did you mean `lab`?"),
        ("UB.lan=6 Gbps", "did you mean `UB.lane`?"),
        ("planes=6", "what can be set here: `width`, `chips`, `chip`"),
        ("chips=6 m", "parameter `chips` of `Ring` is a number, found a length"),
        ("UB.lane=6", "the number has no unit"),
        ("chip=Bgi", "did you mean `Big`?"),
        ("chips=4; let x = 3", "a setting has one value"),
        ("chips=4 }", "`}` closes nothing"),
        ("chips=(", "`(` is never closed"),
        ("chips=nothing", "nothing here is called `nothing`"),
        ("a b=3", "`a b` is no name that can be set"),
        ("chips", "sets nothing"),
        ("=3", "sets nothing"),
        ("chips=", "sets nothing"),
    ],
)
def test_a_wrong_setting_is_wrong_usage(
    file: Path, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    assert main(["check", str(file), "--set", setting]) == 2
    found = capsys.readouterr()
    assert said in found.out + found.err
    assert "1 error" in found.out or "Usage" in found.err


def test_two_values_of_one_name(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--set", "chips=3", "--set", "chips=4"]) == 2
    assert "set twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["check"], ["compile", "-o", "out"], ["analyze"], ["render", "-o", "x.svg"],
        ["export", "--to", "cables", "-o", "-"], ["survey", "--of", "npu", "--workers", "1"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_every_command_that_reads_a_text_takes_the_options(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """From standard input, with a file of a folder that is named, and with a value that is set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "common.ubus").write_text("ubus 1\nlet far = 1 m\n")
    text = TEXT.replace("let width", 'use far from "common.ubus"\nlet width').replace("* 1 m", "* far")
    command, *more = words
    for settings, status in ((["--set", "chips=3"], 0), (["--set", "chps=3"], 2), (["--set", "width=40"], 1)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main([command, "-", *more, *settings, "-I", "lib"]) == status, capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main([command, "-", *more]) == 1
    said = "".join(capsys.readouterr())
    assert "no file `common.ubus`" in said
    assert "`-I FOLDER` adds a folder to look in" in said


def test_a_fabric_file_can_not_be_set(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(file), "-o", str(tmp_path / "out"), "--system", "lab"]) == 0
    capsys.readouterr()
    assert main(["analyze", str(tmp_path / "out" / "lab.npz"), "--set", "chips=3"]) == 2
    assert "can't be set in it" in capsys.readouterr().err


def test_standard_input_can_not_be_mended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-", "--fix"]) == 2
    assert "standard input is none" in capsys.readouterr().err


def test_standard_input_that_is_too_large(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert main(["check", "-", "--max-source", "100"]) == 1
    assert "standard input is too large" in capsys.readouterr().out


def test_several_systems_are_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["analyze", str(file), "--ask", "count(all npu)", "--json"]
    assert main([*words, "--system", "lab", "--system", "ring", "--system", "lab"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["system"], each["value"]) for each in found["measures"]] == [("lab", 4), ("ring", 8)]
    assert found["left_out"] == []


def test_those_left_out_are_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(file), "--ask", "count(all npu)"]) == 0
    assert "left out: `lab`; `--system lab` asks about it" in capsys.readouterr().out
    assert main(["analyze", str(file), "--ask", "count(all npu)", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == ["lab"]
    assert main(["export", str(file), "--to", "cables", "-o", "-"]) == 0
    assert "this is the system `ring`; left out: `lab`" in capsys.readouterr().err
    assert main(["analyze", str(file), "--system", "lab", "--ask", "count(all npu)"]) == 0
    assert "left out" not in capsys.readouterr().out


def test_a_command_about_one_system_takes_one(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(file), "--to", "cables", "--system", "lab", "--system", "ring"]) == 2
    assert "this is about one system" in capsys.readouterr().err


def test_compile_takes_several(file: Path, tmp_path: Path) -> None:
    assert main(["compile", str(file), "-o", str(tmp_path / "out"), "--system", "lab", "--system", "ring"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["lab", "ring"]


def test_the_options_are_those_that_are_passed_on() -> None:
    assert {"settings", "search", "source_bytes", "array", "devices", "errors", "work"} == set(READING)
