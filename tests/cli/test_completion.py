"""What shells are offered, and manual pages: asked of the scripts that shells read, by the shells where they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers what can be asked
from tests.cli.conftest import Run
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.cli.app import group
from unifiedbus_dsl.cli.commands import COMMANDS
from unifiedbus_dsl.cli.man import manual_page, page_name
from unifiedbus_dsl.export import FORMATS
from unifiedbus_dsl.importer import FORMS
from unifiedbus_dsl.vocabulary.signatures import MEASURES, ROUTINGS

ROOT = Path(__file__).parents[2]
MACHINE = """ubus 1
protocol UB { lane = 112 Gbps }
npu Chip { port p : UB x4 @open }
rack R { npu : Chip }
## The one that is sold.
system product : R
system lab : R
traffic every of product = alltoall(all npu)
scenario Down of product { fail npu }
view plan of product { title "x" }
"""


def offered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str, shell: str = "bash"
) -> list[str]:
    """What is offered behind a command line: the kind of each and its text."""
    words = line.split(" ")
    monkeypatch.setenv("_UBUSC_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
    main([])
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    monkeypatch.chdir(tmp_path)
    Path("m.ubus").write_text(MACHINE)
    Path("n.txt").write_text("")
    Path("broken.ubus").write_text(MACHINE + "npu {{{\n")

    def asked(line: str) -> list[str]:
        return [each.partition(",")[2] for each in offered(capsys, monkeypatch, line) if each]

    return asked


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ubusc ", list(COMMANDS)),
        ("ubusc exp", ["explore", "export", "explain"]),
        ("ubusc check ", ["broken.ubus", "m.ubus"]),
        ("ubusc check m", ["m.ubus"]),
        ("ubusc check ./m", ["./m.ubus"]),
        ("ubusc export m.ubus --system ", ["product", "lab"]),
        ("ubusc export --system l", []),
        ("ubusc export broken.ubus --system p", ["product"]),
        ("ubusc export m.ubus --scenario ", ["Down"]),
        ("ubusc render m.ubus --view ", ["plan"]),
        ("ubusc analyze m.ubus --traffic e", ["every"]),
        ("ubusc analyze m.ubus --ask ", [f"{name}(" for name in MEASURES]),
        ("ubusc survey m.ubus --routing ", list(ROUTINGS)),
        ("ubusc survey m.ubus --of n", ["npu", "nic", "node"]),
        ("ubusc export m.ubus --to ", list(FORMATS)),
        ("ubusc import n.txt --format ", list(FORMS)),
        ("ubusc check --format s", ["sarif"]),
        ("ubusc check --deny warn", ["warnings"]),
        ("ubusc explain UB0501", ["UB0501"]),
        ("ubusc man ana", ["analyze"]),
        ("ubusc check --de", ["--deny"]),
    ],
)
def test_offers(offers: object, line: str, expected: list[str]) -> None:
    assert callable(offers)
    assert offers(line) == expected


def test_what_is_offered_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.ubus").write_text(MACHINE)
    assert "The one that is sold." in "\n".join(offered(capsys, monkeypatch, "ubusc export m.ubus --system pro", "zsh"))
    assert "\tThe one that is sold." in "\n".join(
        offered(capsys, monkeypatch, "ubusc export m.ubus --system pro", "fish")
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(run: Run, shell: str, tmp_path: Path) -> None:
    """Each shell reads its script; where it is not here, the script names what it completes."""
    done = run("completion", shell)
    assert done.status == 0
    assert "_UBUSC_COMPLETE" in done.out
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(done.out)
        subprocess.run([shell, "-n", str(script)], check=True)


def prepare(run: Run, folder: Path, shell: str) -> dict[str, str]:
    """Write a text, the script of a shell and `ubusc` itself into a folder; the environment to try them in."""
    (folder / "m.ubus").write_text(MACHINE)
    (folder / "script").write_text(run("completion", shell).out)
    program = "import sys; from unifiedbus_dsl.cli import main; sys.exit(main())"
    (folder / "ubusc").write_text(f"#!/bin/sh\nexec {sys.executable} -c '{program}' \"$@\"\n")
    (folder / "ubusc").chmod(0o755)
    return {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_fish_splits_at_the_first_comma(run: Run) -> None:
    """Names of files and explanations have commas."""
    lines = [line for line in run("completion", "fish").out.splitlines() if "string split" in line]
    assert [line.strip() for line in lines] == ['set -l metadata (string split --max 1 "," $completion);']


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="the shell is not here")
def test_fish_itself(run: Run, tmp_path: Path) -> None:
    env = prepare(run, tmp_path, "fish")
    (tmp_path / "n,o p.ubus").write_text(MACHINE)
    for line, expected in {
        "ubusc export m.ubus --system ": ["lab", "product\tThe one that is sold."],
        "ubusc check n": ["n,o p.ubus"],
        "ubusc surve": ["survey\tWhat every single failure costs, "],
        "ubusc render --vie": ["--view"],
    }.items():
        asked = ["fish", "--no-config", "-c", f"source script; complete -C '{line}'"]
        done = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        found = done.stdout.splitlines()
        for each in expected:
            assert any(line.startswith(each) for line in found), done


@pytest.mark.skipif(shutil.which("bash") is None, reason="the shell is not here")
def test_bash_itself(run: Run, tmp_path: Path) -> None:
    """The script in a real shell: what stands in COMPREPLY behind `ubusc export m.ubus --system `."""
    env = prepare(run, tmp_path, "bash")
    lines = (
        "source ./script; COMP_WORDS=(./ubusc export m.ubus --system ''); COMP_CWORD=4; "
        '_ubusc_completion ./ubusc; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", lines], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["product", "lab"], done.stderr


# ---- manual pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_manual_page(name: str | None) -> None:
    """It says what the help says: each option with its words, each example line."""
    page = manual_page(group, name)
    said = " ".join(
        page.replace("\\-", "-")
        .replace("\\(ga", "`")
        .replace("\\[u2026]", "…")
        .replace("\\e", "\\")
        .replace("\\&", "")
        .split()
    )
    assert page.startswith(f'.TH "{page_name(name).upper()}" "1"')
    with click.Context(group, info_name="ubusc") as whole:
        command = group if name is None else group.get_command(whole, name)
        assert command is not None
        for param in command.params:
            record = param.get_help_record(whole)
            if record is not None:
                assert " ".join(record[1].split()) in said
        for line in (command.help or "").replace("\b", "").splitlines():
            words = " ".join(line.split())
            assert words in said or words.upper().rstrip(":") in said
    if shutil.which("groff"):
        shown = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True, check=True
        )
        assert not shown.stderr, shown.stderr
        assert "EXIT STATUS" in shown.stdout.replace("\b", "").replace("EEXXIITT SSTTAATTUUSS", "EXIT STATUS")


def test_manual_pages_are_written(run: Run, tmp_path: Path) -> None:
    assert run("man", "-o", "man1").status == 0
    assert {path.name for path in (tmp_path / "man1").iterdir()} == {
        f"{page_name(each)}.1" for each in (None, *COMMANDS)
    }
    assert (tmp_path / "man1/ubusc-check.1").read_text() == run("man", "check").out
    assert run("man", "chek").status == 2
    assert run("man", "check", "-o", "man1").status == 2
