"""A Mermaid flowchart (mermaid.js.org/syntax/flowchart): assemblies are subgraphs. GitHub and GitLab show it in
Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import mermaid, yaml
from unifiedbus_dsl.export.base import ExportInput, Format
from unifiedbus_dsl.export.common.boxes import Box, Drawing, drawing
from unifiedbus_dsl.export.common.stream import write_text


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _flowchart(drawing(subject, sink, "mermaid")))


def _flowchart(of: Drawing) -> Iterator[str]:
    # ids that no keyword of Mermaid can be: `end` and `graph` are some
    ids = {box.path: _id(number, box.path) for number, box in enumerate(b for top in of.boxes for b in top.walk())}
    yield f"---\ntitle: {yaml.string(of.title)}\n---\nflowchart TB\n"
    for box in of.boxes:
        yield from _box(box, ids, "  ")
    for line in of.lines:
        yield f"  {ids[line.a]} ---|{mermaid.string(line.label)}| {ids[line.b]}\n"


def _box(box: Box, ids: dict[tuple[str, ...], str], indent: str) -> Iterator[str]:
    if not box.boxes:
        left, right = ("([", "])") if box.kind == "switch" else ("[", "]")
        yield f"{indent}{ids[box.path]}{left}{mermaid.string(box.label)}{right}\n"
        return
    yield f"{indent}subgraph {ids[box.path]}[{mermaid.string(box.label)}]\n"
    for inner in box.boxes:
        yield from _box(inner, ids, indent + "  ")
    yield f"{indent}end\n"


def _id(number: int, path: tuple[str, ...]) -> str:
    """Return the path where it is made of words alone, which no other path gives; else a number."""
    plain = all(mermaid.is_word(name) and "__" not in name and name.strip("_") == name for name in path)
    return f"n_{'__'.join(path)}" if plain else f"n{number}"


FORMAT = Format(
    "mermaid",
    "a Mermaid flowchart of the plan, for Markdown",
    "plan",
    "mmd",
    write,
    ("single devices and cables", "lengths", "places"),
)
