"""A diagram in D2 (d2lang.com): assemblies are containers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import d2
from unifiedbus_dsl.export.base import ExportInput, Format
from unifiedbus_dsl.export.common.boxes import Box, Drawing, drawing
from unifiedbus_dsl.export.common.stream import write_text


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _diagram(drawing(subject, sink, "d2")))


def _diagram(of: Drawing) -> Iterator[str]:
    yield f"title: {d2.string(of.title)} {{shape: text; near: top-center}}\n"
    for box in of.boxes:
        yield from _box(box, "")
    for line in of.lines:
        yield f"{_id(line.a)} -- {_id(line.b)}: {d2.string(line.label)}\n"


def _box(box: Box, indent: str) -> Iterator[str]:
    shape = "shape: oval" if box.kind == "switch" else ""
    if not box.boxes:
        yield f"{indent}{_id(box.path[-1:])}: {d2.string(box.label)}{f' {{{shape}}}' if shape else ''}\n"
        return
    yield f"{indent}{_id(box.path[-1:])}: {d2.string(box.label)} {{\n"
    for inner in box.boxes:
        yield from _box(inner, indent + "  ")
    yield f"{indent}}}\n"


def _id(path: tuple[str, ...]) -> str:
    return ".".join(map(d2.key, path))


FORMAT = Format(
    "d2", "a D2 diagram of the plan", "plan", "d2", write, ("single devices and cables", "lengths", "places")
)
