"""`ubusc compile` and `ubusc check` on real machines; the README."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import unifiedbus_dsl
from tests.cli.conftest import Run
from unifiedbus_dsl.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CABINET = re.search(r"```ubus\n(.*?)```", README, re.DOTALL)[1]  # type: ignore[index]


@pytest.fixture
def cabinet(run: Run, tmp_path: Path) -> Run:
    """`ubusc` in a folder with the README's cabinet."""
    (tmp_path / "cabinet.ubus").write_text(CABINET)
    return run


def test_compile_writes_and_sums_up(cabinet: Run, tmp_path: Path) -> None:
    outcome = cabinet("compile", "cabinet.ubus", "-o", "a/b")
    assert (outcome.status, outcome.err) == (0, "")
    assert sorted(os.listdir(tmp_path / "a/b")) == ["cab.npz", "cab.plan.txt", "cab.svg"]
    assert (tmp_path / "a/b/cab.svg").read_bytes().lstrip().startswith(b"<")
    with np.load(tmp_path / "a/b/cab.npz") as arrays:
        assert len(arrays["device_type"]) == 64 + 4
        assert len(arrays["a_device"]) == 8 * 28 + 256
    assert "npu     Chip        64" in outcome.out
    assert re.search(r"holds +Cabinet +count\(all npu\) == 64", outcome.out)
    assert "  a/b/cab.npz\n" in outcome.out


def test_compile_as_json_of_a_wrong_file_says_what_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.ubus").write_text("ubus 1\nsystem s : Nothing\n")
    done = run("compile", "wrong.ubus", "--json")
    assert done.status == 1
    assert [d["code"] for d in json.loads(done.out)["diagnostics"]] == ["UB0222"]
    assert not (tmp_path / "out").exists()


def test_compile_as_json(cabinet: Run) -> None:
    data = json.loads(cabinet("compile", "cabinet.ubus", "--json").out)
    system = data["systems"]["cab"]
    assert [(row["cables"], row["length"]) for row in system["cables"]] == [(480, 8 * 28 * 0.4 + 256)]
    assert system["end_points"][0]["rate"] == 11 * 56 * 10**9
    assert system["files"] == ["out/cab.svg", "out/cab.plan.txt", "out/cab.npz"]


def test_same_text_same_bytes(cabinet: Run, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert cabinet("compile", "cabinet.ubus", "-o", folder).status == 0
    for name in os.listdir(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_several_systems(cabinet: Run, tmp_path: Path) -> None:
    (tmp_path / "cabinet.ubus").write_text(CABINET + "system spare : Cabinet\n")
    assert cabinet("compile", "cabinet.ubus").status == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["cab", "spare"]
    assert "spare.npz" in os.listdir(tmp_path / "out/spare")
    assert cabinet("compile", "cabinet.ubus", "--system", "spare", "-o", "one").status == 0
    assert "spare.npz" in os.listdir(tmp_path / "one")
    wrong = cabinet("compile", "cabinet.ubus", "--system", "spar")
    assert wrong.status == 2
    assert "did you mean `spare`?" in wrong.err


def test_no_system(cabinet: Run, tmp_path: Path) -> None:
    (tmp_path / "cabinet.ubus").write_text(CABINET.replace("system cab : Cabinet\n", ""))
    outcome = cabinet("compile", "cabinet.ubus")
    assert outcome.status == 1
    assert "has no system" in outcome.err


def test_a_wrong_file_writes_nothing(cabinet: Run, tmp_path: Path) -> None:
    (tmp_path / "cabinet.ubus").write_text(CABINET.replace("8*b + s", "7*b + s"))
    outcome = cabinet("compile", "cabinet.ubus")
    assert (outcome.status, outcome.out) == (1, "")
    assert "error[UB0501]: one port, two cables" in outcome.err
    assert not (tmp_path / "out").exists()


def test_the_output_is_a_file(cabinet: Run, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    outcome = cabinet("compile", "cabinet.ubus")
    assert (outcome.status, outcome.err) == (74, "error: `out`: is a file, not a folder\n")
    assert (tmp_path / "out").read_text() == "mine"


def test_the_output_cannot_be_written(cabinet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    outcome = cabinet("compile", "cabinet.ubus")
    assert outcome.status == 74
    assert outcome.err == "error: `out`: can't write into this folder: permission denied\n"


def test_limits_can_be_raised_and_lowered(cabinet: Run) -> None:
    assert "UB0411" in cabinet("check", "cabinet.ubus", "--max-devices", "10").out
    assert "UB0411" in cabinet("check", "cabinet.ubus", "--max-array", "10").out
    assert "UB0110" in cabinet("check", "cabinet.ubus", "--max-source", "100").out
    assert cabinet("check", "cabinet.ubus").out == "cabinet.ubus: no errors\n"


# ---- the README -------------------------------------------------------------------------------------------------


def marked(job: str) -> str:
    found = re.search(rf"<!-- newcomer: {job} -->\n```\w*\n(.*?)\n```", README, re.DOTALL)
    assert found, job
    return found[1]


def test_the_two_commands_are_one_line_each() -> None:
    for job in ("run", "test"):
        assert "\n" not in marked(job)


def test_the_main_job_of_the_readme(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last part of the README's command, in the source tree, into another folder."""
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(marked("run").split("&&")[-1])
    assert program == ".venv/bin/ubusc"
    outcome = run(*arguments[:-1], str(tmp_path / "out"))
    assert outcome.status == 0
    assert "8,192" in outcome.out
    named = set(re.findall(r"`(superpod\.[\w.]+)`", README))
    assert named
    assert named <= set(os.listdir(tmp_path / "out"))


def test_the_python_of_the_readme(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    exec(compile(code[1], "README.md", "exec"), {})
    devices, cables = 8192 + 512 + 256, 128 * (2 * 8 * 28 + 256) + 32768
    assert capsys.readouterr().out.startswith(f"{devices} {cables} cabinet[")


def test_what_the_readme_points_at_is_there() -> None:
    for path in re.findall(r"`((?:specs|tests|grammar|docs|\.ci)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path


def test_every_spec_is_right_and_formatted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ROOT / "specs"), "--deny", "warnings"]) == 0, capsys.readouterr().out
    assert main(["fmt", "--check", str(ROOT / "specs")]) == 0, capsys.readouterr().out


def test_public_names_are_there() -> None:
    for name in unifiedbus_dsl.__all__:
        assert getattr(unifiedbus_dsl, name) is not None


def test_another_file_is_only_suggested(run: Run, tmp_path: Path) -> None:
    """What a neighbour with a similar name holds may be quite another thing."""
    (tmp_path / "parts.ubus").write_text("ubus 1\nlet a = 1\n")
    text = 'ubus 1\nuse "prats.ubus"\nuse std.cloos\n'
    (tmp_path / "main.ubus").write_text(text)
    done = run("check", "main.ubus", "--fix")
    assert done.status == 1
    assert "did you mean `parts.ubus`?" in done.out
    assert (tmp_path / "main.ubus").read_text() == text
