"""The command line as a whole: help, wrong usage, trouble on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.conftest import PROGRAM, Run, spawn
from unifiedbus_dsl.cli.commands import COMMANDS

HEAVY = ("numpy", "lark", "scipy", "networkx", "graphviz", "rich", "attrs", "attr")


def test_help_teaches(run: Run) -> None:
    outcome = run("--help")
    assert outcome.status == 0
    assert "ubusc compile machine.ubus -o out" in outcome.out
    for name in COMMANDS:
        assert f"\n  {name} " in outcome.out
        text = run(name, "--help")
        assert text.status == 0
        assert f"  ubusc {name} " in text.out


def test_help_names_every_exit_status(run: Run) -> None:
    from unifiedbus_dsl.cli import app

    statuses = (app.WRONG_USAGE, app.INTERNAL, app.IO_ERROR, 130, 143, app.BROKEN_PIPE)
    said = " ".join(run("--help").out.rpartition("Exit status: ")[2].split())
    for status in (0, 1, *statuses):
        assert re.search(rf"(^| ){status} [a-z]", said), status


def test_nothing_shows_the_help(run: Run) -> None:
    assert "Usage: ubusc" in run().err + run().out


def test_version(run: Run) -> None:
    outcome = run("--version")
    assert (outcome.status, outcome.out) == (0, "ubusc 0.1.0\n")


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["explain", "UB9999"], 2)])
def test_the_package_runs_as_a_module(run: Run, arguments: list[str], status: int) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "unifiedbus_dsl", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    expected = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (status, expected.out, expected.err)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "--help"], ["explain", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; from unifiedbus_dsl.cli import main; main({arguments}); print(*sys.modules, sep='\\n')"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert set(out.split()) & set(HEAVY) == set()


def test_the_formats_that_are_read_are_listed_without_the_solver_and_those_that_are_written() -> None:
    code = "import sys; from unifiedbus_dsl.cli import main; main(['import', '--help']); print(*sys.modules, sep='\\n')"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert "ibnetdiscover" in out
    assert {"scipy", "unifiedbus_dsl.export.registry"} & set(out.split()) == set()


@pytest.mark.slow
@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_start_takes_at_most_half_more_than_click(argument: str) -> None:
    """The two in turn, so that a busy moment meets both; the best of each."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    commands = ([*PROGRAM, argument], [sys.executable, "-c", "import click"])
    best = [float("inf"), float("inf")]
    for _ in range(25):
        for which, command in enumerate(commands):
            start = time.perf_counter()
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
            best[which] = min(best[which], time.perf_counter() - start)
    assert best[0] <= 1.5 * best[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek", "a.ubus"], "did you mean `check`?"),
        (["machine.ubus"], "`ubusc compile machine.ubus`"),
        (["wheelbarrow"], "there are compile, check"),
        (["check"], "which file?"),
        (["compile"], "which file?"),
        (["check", "machin.ubus"], "did you mean `machine.ubus`?"),
        (["check", "machine"], "did you mean `machine.ubus`?"),
        (["check", "nowhere/machine.ubus"], "there is no folder `nowhere`"),
        (["check", "folder"], "no .ubus file in `folder`"),
        (["compile", "folder"], "`folder` is a folder"),
        (["check", "machine.ubus", "--format", "xml"], "xml"),
        (["check", "--fxi", "machine.ubus"], "--fix"),
        (["explain", "UB9999"], "no code `UB9999`"),
        (["explain", "UB0201x"], "no code"),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "machine.ubus").write_text("ubus 1\n")
    (tmp_path / "folder").mkdir()
    outcome = run(*arguments)
    assert outcome.status == 2
    assert words in outcome.err
    assert "Traceback" not in outcome.err


def test_a_missing_argument_names_a_file_that_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "machine.ubus").write_text("ubus 1\n")
    assert "Try `ubusc compile machine.ubus`" in run("compile").err


def test_explain(run: Run) -> None:
    page = run("explain", "ub102")
    assert page.status == 0
    assert page.out.startswith("# UB0102: ")
    listing = run("explain")
    assert listing.out.startswith("UB01xx  text\n  UB0101  ")


def test_explain_in_colour(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("explain", "UB0102").out.startswith("\x1b[1mUB0102: ")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("explain", "UB0102").out


def fails_with(compiler: ModuleType, error: BaseException) -> None:
    def compile(path: Path, **_: object) -> object:
        raise error

    compiler.compile = compile  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 70, "not enough memory"),
        (OSError(28, "No space left on device", "out/a.npz"), 74, "error: `out/a.npz`: no space left on device\n"),
        (PermissionError(13, "Permission denied", "x"), 74, "error: `x`: permission denied\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_trouble_is_said_in_one_line(
    run: Run, compiler: ModuleType, tmp_path: Path, error: BaseException, status: int, words: str
) -> None:
    (tmp_path / "a.ubus").write_text("good")
    fails_with(compiler, error)
    outcome = run("check", "a.ubus")
    assert outcome.status == status
    assert words in outcome.err
    assert len(outcome.err.strip().splitlines()) <= 1


def test_internal_error(run: Run, compiler: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.ubus").write_text("good")
    fails_with(compiler, ZeroDivisionError("by zero"))
    outcome = run("check", "a.ubus")
    assert outcome.status == 70
    assert "ZeroDivisionError at test_app.py:" in outcome.err
    assert "report" in outcome.err
    assert "Traceback" not in outcome.err
    monkeypatch.setenv("UBUSC_TRACEBACK", "1")
    assert "Traceback" in run("check", "a.ubus").err


def test_nobody_reads() -> None:
    """A reader that goes away early: no traceback, not even from the interpreter's own end."""
    process = spawn("explain", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() in (0, 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["explain"], ["--help"], ["--version"]])
def test_full_disk(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        process = spawn(*arguments, stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate()
    assert process.returncode == 74
    assert err == b"error: no space left on device\n"


def test_interrupt(tmp_path: Path) -> None:
    """Ctrl-C while it reads: status 130, one word, no traceback."""
    process = spawn("fmt", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.strip() == b"interrupted"


def test_no_streams_at_all() -> None:
    code = (
        "import sys; sys.stdout = sys.stderr = None; from unifiedbus_dsl.cli import main; sys.exit(main(['explain']))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0


def test_output_that_the_locale_cannot_write() -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*PROGRAM, "explain", "UB0109"], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"two thousand more ?" in done.stdout
