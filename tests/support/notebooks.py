"""The notebooks under `docs/notebooks`, run without Jupyter: each code cell in turn, in one namespace.

`python -m tests.support.notebooks --accept` stores what their cells give; a test holds the notebooks to it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SVG = "image/svg+xml"
RICH = ((SVG, "_repr_svg_"), ("text/html", "_repr_html_"))

Cell = dict[str, Any]
Output = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    """Return a notebook."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def source_of(cell: Cell) -> str:
    """Return the text of a cell."""
    return "".join(cell["source"])


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    """Return the cells that are run."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(notebook: dict[str, Any], name: str) -> list[list[Output]]:
    """Return what each code cell gives: what it prints, and the value of its last expression."""
    values: dict[str, Any] = {"__name__": "__main__"}
    return [_run_cell(source_of(cell), f"{name}[{n}]", values) for n, cell in enumerate(code_cells(notebook), 1)]


def _run_cell(source: str, name: str, values: dict[str, Any]) -> list[Output]:
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), values)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), values)
    outputs: list[Output] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        outputs.append({"data": shown(value), "metadata": {}, "output_type": "execute_result"})
    return outputs


def shown(value: object) -> dict[str, list[str]]:
    """Return how a notebook shows a value: a picture or a table where it has one, else its text."""
    for kind, method in RICH:
        made = getattr(value, method, lambda: None)()
        if made is not None and not (kind == SVG and getattr(value, "_repr_html_", lambda: None)()):
            return {kind: _lines(made)}
    return {"text/plain": _lines(repr(value))}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def comparable(outputs: list[Output]) -> list[Any]:
    """Return what holds on any machine: texts and tables to the letter, of a picture the words in it, for what lays
    it out may be another Graphviz."""
    found: list[Any] = []
    for output in outputs:
        data = output.get("data", {})
        if SVG in data:
            picture = ElementTree.fromstring("".join(data[SVG]))
            found.append(sorted("".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")))
        else:
            found.append(data or output["text"])
    return found


def accept(path: Path) -> None:
    """Store what the cells of a notebook give."""
    notebook = read(path)
    for number, (cell, outputs) in enumerate(zip(code_cells(notebook), run(notebook, path.name), strict=True), 1):
        numbered = [
            {**each, "execution_count": number} if each["output_type"] == "execute_result" else each for each in outputs
        ]
        cell.update(outputs=numbered, execution_count=number)
    path.write_text(json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--accept"]:
        for each in NOTEBOOKS:
            accept(each)
    else:
        sys.exit("usage: python -m tests.support.notebooks --accept")
