"""`ubusc lsp` where its library is missing; what it answers is told in `tests/editor`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_library_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pygls" else known(name))
    done = run("lsp")
    assert done.status == 1
    assert "pip install 'unifiedbus-dsl[lsp]'" in done.err


def test_help_loads_no_server() -> None:
    program = (
        "import sys\nfrom unifiedbus_dsl.cli import main\nmain(['--help'])\n"
        "assert not {'pygls', 'lsprotocol', 'unifiedbus_dsl.editor.server', 'lark', 'numpy'} & set(sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root, stdout=subprocess.DEVNULL)
