"""The notebooks in `docs/` run, and what is stored in them is what their cells give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import notebooks

EACH = pytest.mark.parametrize("path", notebooks.NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_two() -> None:
    assert [path.stem for path in notebooks.NOTEBOOKS] == ["design-a-pod", "explain-a-failure"]


@EACH
def test_is_a_notebook(path: Path) -> None:
    notebook = notebooks.read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n" == path.read_text(encoding="utf-8")
    kinds = {kind for cell in notebooks.code_cells(notebook) for out in cell["outputs"] for kind in out.get("data", {})}
    assert {"image/svg+xml", "text/html"} <= kinds, "it shows a picture and a table"


@pytest.mark.slow
@EACH
def test_gives_what_is_stored(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a notebook wants no file of this tree
    notebook = notebooks.read(path)
    found = notebooks.run(notebook, path.name)
    for cell, outputs in zip(notebooks.code_cells(notebook), found, strict=True):
        assert notebooks.comparable(outputs) == notebooks.comparable(cell["outputs"]), (
            f"after `{notebooks.source_of(cell).splitlines()[0]}`: run `python -m tests.support.notebooks --accept`"
        )
