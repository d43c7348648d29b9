"""`ubusc.toml`, patterns of files, `--deny`, and what checks machines elsewhere: the hooks and the action."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run
from unifiedbus_dsl.cli.commands import COMMANDS
from unifiedbus_dsl.syntax.project_file import read_project
from unifiedbus_dsl.vocabulary.limits import Limits

ROOT = Path(__file__).parents[2]
PARTS = "ubus 1\n\nprotocol UB { lane = 112 Gbps }\nnpu Chip { port p : UB x4 @open }\n"
RACKS = "rack R { npu : parts.Chip }\nrack S { npu : parts.Chip }\n"
MACHINE = f"ubus 1\nuse parts\n{RACKS}system one : R\nsystem two : S\n"
UNUSED = "ubus 1\nlet spare = 1\nrack R { let x = 2 }\nsystem one : R\n"


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_ubus", ".ubus").replace("_toml", ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_search_path_is_found_upwards(run: Run, tmp_path: Path) -> None:
    write(tmp_path, lib__parts_ubus=PARTS, racks__deep__m_ubus=MACHINE)
    assert run("check", "racks/deep/m.ubus").status == 1
    write(tmp_path, ubusc_toml='search = ["lib"]\n')
    assert run("check", "racks/deep/m.ubus").status == 0
    write(tmp_path, racks__ubusc_toml="")
    assert run("check", "racks/deep/m.ubus").status == 1, "the nearest project file holds alone"


def test_given_folders_come_first(run: Run, tmp_path: Path) -> None:
    write(tmp_path, lib__parts_ubus=PARTS, mine__parts_ubus=PARTS.replace("npu Chip", "npu Other"), m_ubus=MACHINE)
    write(tmp_path, ubusc_toml='search = ["lib"]\n')
    assert run("check", "m.ubus").status == 0
    assert run("check", "m.ubus", "-I", "mine").status == 1


def test_default_system(run: Run, tmp_path: Path) -> None:
    write(tmp_path, lib__parts_ubus=PARTS, m_ubus=MACHINE, ubusc_toml='search = ["lib"]\nsystem = "two"\n')
    done = run("export", "m.ubus", "--to", "json", "-o", "-")
    assert done.status == 0
    assert '"two"' in done.out
    assert '"one"' in run("export", "m.ubus", "--to", "json", "-o", "-", "--system", "one").out
    write(tmp_path, ubusc_toml='search = ["lib"]\nsystem = "three"\n')
    assert '"one"' in run("export", "m.ubus", "--to", "json", "-o", "-").out, "a file without it has its own first"


def test_denied(run: Run, tmp_path: Path) -> None:
    write(tmp_path, m_ubus=UNUSED)
    assert run("check", "m.ubus").status == 0
    assert run("check", "m.ubus", "--deny", "UB0207").status == 0
    assert run("check", "m.ubus", "--deny", "ub208").status == 1
    assert run("check", "m.ubus", "--deny", "nonsense").status == 2
    write(tmp_path, ubusc_toml='deny = ["UB0208"]\n')
    assert run("check", "m.ubus").status == 1
    write(tmp_path, ubusc_toml='deny = ["warnings"]\n')
    assert run("check", "m.ubus").status == 1
    write(tmp_path, ubusc_toml="")
    write(tmp_path, strict__m_ubus=UNUSED, strict__ubusc_toml='deny = ["warnings"]\n')
    assert run("check", ".").status == 1
    assert run("check", "m.ubus").status == 0


def test_limits(run: Run, tmp_path: Path) -> None:
    write(tmp_path, m_ubus=PARTS + "rack R { npu[20] : Chip }\nsystem r : R\n", ubusc_toml="[limits]\narray = 10\n")
    done = run("check", "m.ubus")
    assert done.status == 1
    assert "the limit is 10" in done.out
    assert "the limit is" not in run("check", "m.ubus", "--max-array", "30").out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("search = 'lib'", "is a list of texts"),
        ("search = ['nowhere']", "there is no such folder"),
        ("serch = []", "did you mean `search`?"),
        ("deny = ['all']", "takes"),
        ("system = 3", "is the name of a system"),
        ("limits = 3", "is a table"),
        ("[limits]\nwork = 0", "a whole number from 1"),
        ("[limits]\nwork = true", "a whole number from 1"),
        ("[limits]\nworks = 10", "did you mean `work`?"),
        ("search = [", "it is no TOML"),
        ("x = " + "[" * 70_000, "more than 65,536 bytes"),
    ],
)
def test_wrong_project_file(run: Run, tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, m_ubus=PARTS, ubusc_toml=text)
    done = run("check", "m.ubus")
    assert done.status == 1
    assert words in done.err
    assert "ubusc.toml" in done.err


def test_project_file_of_odd_bytes(run: Run, tmp_path: Path) -> None:
    write(tmp_path, m_ubus=PARTS)
    (tmp_path / "ubusc.toml").write_bytes(b"search = ['\xff']")
    assert "UTF-8" in run("check", "m.ubus").err


def test_patterns(run: Run, tmp_path: Path) -> None:
    write(tmp_path, a__one_ubus=PARTS, a__b__two_ubus=PARTS, a__b__three_ubus="ubus 1\nnpu {\n")
    assert run("check", "a/*.ubus").status == 0
    assert run("check", "a/**/t*.ubus").status == 1
    assert run("check", "a/**/tw?.ubus").status == 0
    assert run("check", "a/**/x*.ubus").status == 2
    write(tmp_path, **{"a__[x]_ubus": PARTS})
    assert run("check", "a/[x].ubus").status == 0, "a file of that very name is meant"


# ---- elsewhere --------------------------------------------------------------------------------------------------


@pytest.fixture
def with_command(tmp_path: Path) -> dict[str, str]:
    """An environment in which `ubusc` is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ubusc"
    program = "import sys; from unifiedbus_dsl.cli import main; sys.exit(main())"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{program}' \"$@\"\n")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def test_hooks(tmp_path: Path, with_command: dict[str, str]) -> None:
    """What pre-commit runs: the entry with the names of the files that have changed."""
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["entry"].split()[1] for hook in hooks.values()} <= set(COMMANDS)
    write(tmp_path, good_ubus=PARTS, bad_ubus=PARTS + "npu {\n", loose_ubus=PARTS.replace("npu Chip {", "npu   Chip{"))

    def ends(hook: str, name: str) -> int:
        return subprocess.run(
            [*hooks[hook]["entry"].split(), name], env=with_command, cwd=tmp_path, capture_output=True, check=False
        ).returncode

    assert ends("ubusc-check", "good.ubus") == 0
    assert ends("ubusc-check", "bad.ubus") == 1
    assert ends("ubusc-fmt", "good.ubus") == 0
    assert ends("ubusc-fmt", "loose.ubus") == 0
    assert (tmp_path / "loose.ubus").read_text() == PARTS


@pytest.mark.skipif(shutil.which("bash") is None, reason="the steps of the action are of bash")
def test_action(tmp_path: Path, with_command: dict[str, str]) -> None:
    """The steps of the action as a runner takes them: annotations on standard output, and the exit status."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = {step.get("name"): step for step in action["runs"]["steps"]}
    assert action["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in steps.values() if "run" in step)
    for step in ("Check", "Layout"):
        named = {value.strip("${} ").removeprefix("inputs.") for value in steps[step]["env"].values()}
        assert named <= set(action["inputs"])

    def runs(step: str, files: str, deny: str = "") -> subprocess.CompletedProcess[str]:
        env = {**with_command, "FILES": files, "DENY": deny}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[step]["run"]],
            env=env, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    write(tmp_path, racks__good_ubus=PARTS, racks__odd_ubus=UNUSED)
    assert runs("Check", "racks").returncode == 0
    assert runs("Check", "racks/g*.ubus racks/odd.ubus").returncode == 0
    denied = runs("Check", "racks", "UB0208 UB0601")
    assert denied.returncode == 1
    assert "::warning file=racks/odd.ubus,line=2" in denied.stdout
    assert runs("Layout", "racks/good.ubus").returncode == 0
    write(tmp_path, racks__bad_ubus=PARTS + "npu   Other{ port p : UB x4 @open }\nrack R { x : Nothing }\n")
    found = runs("Check", "racks")
    assert found.returncode == 1
    assert "::error file=racks/bad.ubus,line=6" in found.stdout
    assert runs("Layout", "racks").returncode == 1


# ---- the page ---------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


def fenced(language: str) -> str:
    return PAGE.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def test_page_shows_a_project_file(tmp_path: Path) -> None:
    write(tmp_path, ubusc_toml=fenced("toml"), lib__parts_ubus=PARTS)
    read = read_project(tmp_path / "ubusc.toml")
    assert read.search == (tmp_path / "lib",)
    assert (read.system, read.deny) == ("superpod", ("warnings", "UB0804"))
    assert read.limits == {"work": 800_000_000, "source_bytes": 8_388_608}
    Limits(**read.limits)


def test_page_shows_an_annotation(run: Run, tmp_path: Path) -> None:
    write(tmp_path, m_ubus=PARTS + "npu Chip { port p : UB x4 @open }\n")
    found = run("check", "m.ubus", "--format", "github").out

    def names(line: str) -> list[str]:
        return [each.split("=")[0] for each in line.split("::")[1].split(" ", 1)[1].split(",")]

    assert names(found) == names(fenced("text"))


def test_page_names_what_the_action_takes() -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    for name, said in inputs.items():
        assert f"| `{name}` |" in PAGE
        assert not said["default"] or f"`{said['default']}`" in PAGE
    used = yaml.safe_load(PAGE.split("```yaml\n")[1].split("```")[0])["jobs"]["machines"]["steps"][1]["with"]
    assert set(used) <= set(inputs)
    hooks = yaml.safe_load(PAGE.split("```yaml\n")[2].split("```")[0])["repos"][0]["hooks"]
    known = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for hook in hooks} == known
