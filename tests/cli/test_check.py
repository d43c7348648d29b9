"""`ubusc check`, with a compiler that finds words."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("compiler")


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_right_file(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.ubus", "good")
    outcome = run("check", "a.ubus")
    assert (outcome.status, outcome.out, outcome.err) == (0, "a.ubus: no errors\n", "")


def test_wrong_file(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.ubus", "ubus 1\nbad hmm\n")
    outcome = run("check", "a.ubus")
    assert outcome.status == 1
    assert "error[UB0101]: found `bad`\n --> a.ubus:2:1\n" in outcome.out
    assert "1 error, 1 warning\n1 of them can be mended by `ubusc check --fix`\n" in outcome.out
    assert "\x1b" not in outcome.out


def test_deny_warnings(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.ubus", "hmm")
    assert run("check", "a.ubus").status == 0
    assert run("check", "a.ubus", "--deny", "warnings").status == 1


def test_folder(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "specs/b/b.ubus", "bad")
    write(tmp_path, "specs/a.ubus", "bad")
    write(tmp_path, "specs/.cache/c.ubus", "bad")
    outcome = run("check", "specs", "specs/a.ubus")
    assert outcome.out.count("error[UB0101]") == 2
    assert outcome.out.index("specs/a.ubus") < outcome.out.index("specs/b/b.ubus")


def test_formats(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.ubus", "bad")
    assert json.loads(run("check", "a.ubus", "--format", "json").out)["summary"]["errors"] == 1
    sarif = json.loads(run("check", "a.ubus", "--format", "sarif").out)
    assert sarif["runs"][0]["tool"]["driver"]["semanticVersion"] == "0.1.0"
    assert run("check", "a.ubus", "--format", "github").out.startswith("::error file=a.ubus,line=1,")


def test_limit(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.ubus", "bad " * 30)
    assert run("check", "a.ubus").out.count("error[") == 20
    assert run("check", "a.ubus", "--limit", "3").out.count("error[") == 3
    assert run("check", "a.ubus", "--limit", "0").out.count("error[") == 30


def test_colour(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.ubus", "bad")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31merror" in run("check", "a.ubus").out
    assert "\x1b" not in run("check", "a.ubus", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("check", "a.ubus").out


def test_fix_keeps_mark_line_ends_and_rights(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "a.ubus", b"\xef\xbb\xbfone bad\r\ntwo bad hmm\r\n")
    path.chmod(0o640)
    outcome = run("check", "a.ubus", "--fix")
    assert path.read_bytes() == b"\xef\xbb\xbfone good\r\ntwo good hmm\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert outcome.err == "mended 2 places\n"
    assert outcome.status == 0
    assert "1 warning" in outcome.out
    assert os.listdir(tmp_path) == ["a.ubus"]


def test_fix_follows_a_link(run: Run, tmp_path: Path) -> None:
    target = write(tmp_path, "real/a.ubus", "bad")
    (tmp_path / "a.ubus").symlink_to(target)
    run("check", "a.ubus", "--fix")
    assert (tmp_path / "a.ubus").is_symlink()
    assert target.read_text() == "good"


def test_nothing_to_fix_leaves_the_file_alone(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "a.ubus", "hmm")
    before = path.stat().st_mtime_ns
    assert run("check", "a.ubus", "--fix").err == ""
    assert path.stat().st_mtime_ns == before


def test_fix_in_a_folder_that_cannot_be_written(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.ubus", "bad")

    def refuse(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    outcome = run("check", "a.ubus", "--fix")
    assert outcome.status == 74
    assert outcome.err == "error: `a.ubus`: can't write: permission denied\n"
    assert path.read_text() == "bad"
    assert os.listdir(tmp_path) == ["a.ubus"]


def test_a_file_changed_meanwhile_is_left_alone(run: Run, tmp_path: Path, compiler: ModuleType) -> None:
    path = write(tmp_path, "a.ubus", "bad")
    real = compiler.compile

    def compile(file: Path, **_: object) -> object:
        result = real(file)
        file.write_text("someone else wrote this")
        return result

    compiler.compile = compile  # type: ignore[attr-defined]
    outcome = run("check", "a.ubus", "--fix")
    assert outcome.status == 74
    assert "changed by someone else" in outcome.err
    assert path.read_text() == "someone else wrote this"
