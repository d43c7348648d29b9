"""A diagram in D2 (d2lang.com): assemblies are containers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import Format, Subject
from unifiedbus_dsl.export.boxes import Box, Drawing, drawing
from unifiedbus_dsl.export.stream import write_text


def write(subject: Subject, path: Path, sink: Sink) -> None:
    write_text(path, _diagram(drawing(subject, sink, "d2")))


def _diagram(of: Drawing) -> Iterator[str]:
    yield f"title: {_quoted(of.title)} {{shape: text; near: top-center}}\n"
    for box in of.boxes:
        yield from _box(box, "")
    for line in of.lines:
        yield f"{_id(line.a)} -- {_id(line.b)}: {_quoted(line.label)}\n"


def _box(box: Box, indent: str) -> Iterator[str]:
    shape = "shape: oval" if box.kind == "switch" else ""
    if not box.boxes:
        yield f"{indent}{_id(box.path[-1:])}: {_quoted(box.label)}{f' {{{shape}}}' if shape else ''}\n"
        return
    yield f"{indent}{_id(box.path[-1:])}: {_quoted(box.label)} {{\n"
    for inner in box.boxes:
        yield from _box(inner, indent + "  ")
    yield f"{indent}}}\n"


def _id(path: tuple[str, ...]) -> str:
    """With an underscore, as `label`, `shape`, `width` and others are D2's own."""
    return ".".join(f"{name}_" for name in path)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


FORMAT = Format(
    "d2", "a D2 diagram of the plan", "plan", "d2", write, ("single devices and cables", "lengths", "places")
)
