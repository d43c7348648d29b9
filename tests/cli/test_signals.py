"""Processes that are ended at any moment: nothing half-written, nobody left behind, no litter that grows."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from unifiedbus_dsl.analysis.survey.engines import why_not
from unifiedbus_dsl.base.drafts import PREFIX, beside
from unifiedbus_dsl.ir.fabric import Fabric

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MESH = """ubus 1
protocol P { lane = 1 Gbps }
link L : P { reach = 1 m }
npu C { port x[23] : P x1; transit x }
rack R { npu[24] : C; connect npu.x as fullmesh over L(1 m) }
system lab : R
"""
WORKERS = ["--workers", "2" if why_not() is None else "1"]
"""Two where worker processes can be had, so that there is somebody to leave behind."""
SURVEY = ["survey", "mesh.ubus", "--of", "link", "--fail", "7", "--seed", "3", "--json"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work/mesh.ubus").write_text(MESH)
    return tmp_path


def begun(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"TMPDIR": str(folder / "tmp"), "UBUSC_TEST_MARK": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-m", "unifiedbus_dsl", *words],
        cwd=folder / "work", env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def status(folder: Path, *words: str) -> int:
    process = begun(folder, *words)
    process.communicate(timeout=120)
    return process.returncode


def children(folder: Path) -> list[int]:
    """Processes that were begun in this test, by what is in their environment."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if f"UBUSC_TEST_MARK={folder}".encode() in (each / "environ").read_bytes():
                found.append(int(each.name))
        except OSError:
            continue
    return found


def ended(folder: Path, seconds: float = 20) -> bool:
    deadline_s = time.monotonic() + seconds
    while children(folder) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return not children(folder)


def has_lines(path: Path, count: int, seconds: float = 60) -> bool:
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return True
        time.sleep(0.02)
    return False


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_seconds(each) for key, each in value.items() if key != "seconds"}
    return [without_seconds(each) for each in value] if isinstance(value, list) else value


def litter(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(f"{PREFIX}*")]


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        *(pytest.param(each, marks=pytest.mark.slow) for each in (signal.SIGINT, signal.SIGHUP, signal.SIGKILL)),
    ],
)
def test_a_survey_that_is_ended_goes_on_to_the_same_result(number: int, folder: Path) -> None:
    words = [*SURVEY, "--draws", "36", *WORKERS]
    process = begun(folder, *words, "-o", "half.json")
    assert has_lines(folder / "work/half.json.journal", 6)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)  # no worker holds the output open
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert ended(folder)
    if number != signal.SIGKILL:
        known = json.loads((folder / "work/half.json").read_text())
        assert 0 < known["finished"] < known["total"] == 36
        assert b"--resume half.json.journal" in err
        assert litter(folder) == []
    with (folder / "work/half.json.journal").open("a") as file:
        file.write('["cut off in the mid')
    assert status(folder, *words, "-o", "again.json", "--resume", "half.json.journal") == 0
    assert status(folder, *words, "-o", "whole.json") == 0
    results = [json.loads((folder / f"work/{name}.json").read_text()) for name in ("again", "whole")]
    assert without_seconds(results[0]) == without_seconds(results[1])
    assert results[0]["complete"]
    assert not (folder / "work/whole.json.journal").exists()
    assert litter(folder) == []


@pytest.mark.slow
def test_a_journal_of_another_survey_is_refused(folder: Path) -> None:
    assert status(folder, *SURVEY, "--draws", "2", "--resume", "j") == 0
    other = begun(folder, *SURVEY, "--draws", "2", "--resume", "j", "--measure", "bisection(all npu)")
    _, err = other.communicate(timeout=60)
    assert other.returncode == 1
    assert b"is the journal of another survey" in err
    (folder / "work/mine").write_text("my notes\n")
    wrong = begun(folder, *SURVEY, "--draws", "2", "--resume", "mine")
    _, err = wrong.communicate(timeout=60)
    assert wrong.returncode == 1
    assert b"is no journal of a survey" in err
    assert (folder / "work/mine").read_text() == "my notes\n"
    lines = (folder / "work/j").read_text().splitlines()
    for damaged in ('["x", {"class": ["Popen", {}]}]', "[1, 2]", "{}", '["x", {"class": ["Outcome", {"value": 1}]'):
        (folder / "work/j").write_text("\n".join([lines[0], damaged, ""]))
        process = begun(folder, *SURVEY, "--draws", "2", "--resume", "j")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1, err
        assert b"line 2 is damaged" in err


@pytest.mark.slow
def test_a_journal_serves_more_draws(folder: Path) -> None:
    assert status(folder, *SURVEY, "--draws", "3", "--resume", "j", "-o", "a") == 0
    assert status(folder, *SURVEY, "--draws", "5", "--resume", "j", "-o", "a") == 0
    assert status(folder, *SURVEY, "--draws", "5", "-o", "b") == 0
    assert (folder / "work/j").read_text().count("\n") == 6
    one, two = (json.loads((folder / f"work/{name}").read_text()) for name in "ab")
    assert without_seconds(one) == without_seconds(two)


COMMANDS = {
    "compile": ["compile", "mesh.ubus", "-o", "out"],
    "export": ["export", "mesh.ubus", "--to", "ns3", "-o", "case"],
    "json": ["export", "mesh.ubus", "--to", "json", "-o", "a.json"],
    "survey": [*SURVEY, "--draws", "12", *WORKERS, "-o", "s.json"],
}


def whole(path: Path) -> None:
    """A file is what it says it is, from the first byte to the last."""
    if path.name.startswith(PREFIX) or path.suffix in (".ubus", ".journal"):
        return
    if path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".npz":
        assert Fabric.load(path).cable_count == 24 * 23 // 2
    elif path.suffix == ".svg":
        assert path.read_text().rstrip().endswith("</svg>")
    else:
        assert path.read_bytes().endswith(b"\n"), path


def kill_at_random(folder: Path, name: str, times: int, seed: int) -> None:
    chance = random.Random(seed)
    start = time.monotonic()
    assert status(folder, *COMMANDS[name]) == 0
    usual = time.monotonic() - start
    for _ in range(times):
        process = begun(folder, *COMMANDS[name])
        time.sleep(chance.uniform(0, usual))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        process.communicate(timeout=60)
        assert ended(folder)
        for path in folder.rglob("*"):
            if path.is_file() and PREFIX not in str(path):
                whole(path)
        assert len({name.partition("-")[0] for name in litter(folder)}) <= 1
        assert len(litter(folder)) <= 12, "drafts that are left are swept by the next one"
    assert status(folder, *COMMANDS[name]) == 0
    assert litter(folder / "work") == []


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[pytest.mark.slow] if each != "export" else []) for each in COMMANDS if each != "survey"],
)
def test_killed_at_some_moments(name: str, folder: Path) -> None:
    kill_at_random(folder, name, 3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_random_moments(name: str, folder: Path) -> None:
    kill_at_random(folder, name, 100, seed=2)


def test_a_draft_of_who_lives_is_left_alone(tmp_path: Path) -> None:
    with beside(tmp_path / "a.txt") as draft:
        draft.write_text("mine")
        code = "import sys; from pathlib import Path; from unifiedbus_dsl.cli.output import write_bytes; "
        code += "write_bytes(Path(sys.argv[1]), b'theirs')"
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "b.txt")], check=True)
        assert draft.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.txt"}


def test_a_draft_of_who_is_gone_is_swept(tmp_path: Path) -> None:
    stale = tmp_path / f"{PREFIX}1-00000000-a.txt"
    stale.write_text("half")
    (tmp_path / f"{PREFIX}2-00000000-case").mkdir()
    (tmp_path / f"{PREFIX}2-00000000-case" / "half.csv").write_text("half")
    with beside(tmp_path / "a.txt") as draft:
        draft.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
