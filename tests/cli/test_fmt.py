"""`ubusc fmt`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run, spawn

UGLY = "ubus 1\nnpu   Chip{ port x:UB x4\n # why\n}\n"


@pytest.fixture
def pretty(run: Run, tmp_path: Path) -> bytes:
    (tmp_path / "pretty.ubus").write_text(UGLY)
    assert run("fmt", "pretty.ubus").status == 0
    return (tmp_path / "pretty.ubus").read_bytes()


def test_formats_in_place_and_is_stable(run: Run, tmp_path: Path, pretty: bytes) -> None:
    assert pretty != UGLY.encode()
    assert b"# why" in pretty
    before = (tmp_path / "pretty.ubus").stat().st_mtime_ns
    assert run("fmt", "pretty.ubus").err == ""
    assert (tmp_path / "pretty.ubus").stat().st_mtime_ns == before


def test_check_writes_nothing(run: Run, tmp_path: Path, pretty: bytes) -> None:
    (tmp_path / "a.ubus").write_text(UGLY)
    outcome = run("fmt", "--check", "a.ubus", "pretty.ubus")
    assert (outcome.status, outcome.out) == (1, "would change: a.ubus\n")
    assert outcome.err == "1 of 2 files would change\n"
    assert (tmp_path / "a.ubus").read_text() == UGLY
    assert run("fmt", "--check", "pretty.ubus").status == 0


def test_line_ends_and_mark_stay(run: Run, tmp_path: Path, pretty: bytes) -> None:
    path = tmp_path / "a.ubus"
    path.write_bytes(b"\xef\xbb\xbf" + UGLY.replace("\n", "\r\n").encode())
    assert run("fmt", "a.ubus").status == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + pretty.replace(b"\n", b"\r\n")
    assert run("fmt", "--check", "a.ubus").status == 0


def test_a_file_that_cannot_be_read_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ubus").write_text("ubus 1\nnpu {\n")
    (tmp_path / "b.ubus").write_bytes(b"ubus 1\n# \xff\n")
    outcome = run("fmt", "a.ubus", "b.ubus")
    assert outcome.status == 1
    assert "--> a.ubus:" in outcome.err
    assert "error[UB0113]" in outcome.err
    assert (tmp_path / "a.ubus").read_text() == "ubus 1\nnpu {\n"
    assert sorted(os.listdir(tmp_path)) == ["a.ubus", "b.ubus"]


@pytest.mark.parametrize(
    ("arguments", "data", "status"),
    [(["-"], UGLY.encode(), 0), (["-", "--check"], UGLY.encode(), 1), (["-"], b"npu {", 1), (["-"], b"\xff", 1)],
)
def test_standard_input(pretty: bytes, arguments: list[str], data: bytes, status: int) -> None:
    process = spawn("fmt", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(data)
    assert process.returncode == status
    assert out == (pretty if status == 0 else b"")
    assert (b"error[" in err) == (data != UGLY.encode())
