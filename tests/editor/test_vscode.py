"""The extension of VS Code, run by Node with enough of the editor around it, speaks with the real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editor.client import PROGRAM, ROOT

pytest.importorskip("pygls", reason="the language server is an extra, which `.[test]` brings")
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not here to run the extension")
SPECS = ROOT / "specs"


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    stub = Path(__file__).parent / "vscode_stub.js"
    file = SPECS / "huawei" / "atlas-950-superpod.ubus"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [str(NODE), str(stub), str(SPECS), json.dumps(command), str(file)],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_extension() -> None:
    done = run(PROGRAM)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["first"] == []
    assert "High-radix switch" in said["hover"]["contents"]["value"]
    assert len(said["definition"]) == 1
    assert {"HRS", "Plane", "Ascend950DT"} <= set(said["completion"])
    assert {"HRS", "superpod", "overview"} <= set(said["symbols"])
    assert said["tokens"] > 500
    assert said["folds"] >= 5
    assert {"[4, 64]", "[8, 128]"} <= set(said["hints"])
    assert said["rename"] >= 2
    assert "can't be a name" in said["refused"]
    assert said["svg"]
    assert said["then"] == [["UB0222", 0, said["line"]]]
    assert said["faded"], "the last good picture stays while the text has errors"
    assert said["actions"] == ["write `HRS`"]
    assert said["messages"] == []


@pytest.mark.slow
def test_server_that_does_not_start() -> None:
    done = run(["no-such-command-here"])
    assert "no-such-command-here" in done.stderr, "the message that the editor shows"
