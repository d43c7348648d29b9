"""Label sheets as a PDF: a label for each end of each cable, to be printed and stuck on.

A4 with 5 x 13 labels of 38.1 x 21.2 mm. A label has the device and port where its end belongs, in bold, then where the
other end is, then the number, link and length of the cable. The two labels of a cable stand next to each other. An end
at which a cable has several links, in a cage, has one label.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape.pdf import has_asian
from unifiedbus_dsl.escape.terminal import clean
from unifiedbus_dsl.export.base import ExportInput, Format, left_out, refuse, remark, too_large
from unifiedbus_dsl.export.common.pdf import A4, CELL, Line, document, wrapped
from unifiedbus_dsl.export.common.plugs import FIXED, shared_labels
from unifiedbus_dsl.export.common.stream import cable_runs, kind_facts, number, write_text
from unifiedbus_dsl.ir.fabric.physical import first_of_cables

MILLIMETRE = 72 / 25.4
COLUMNS, ROWS = 5, 13
PER_PAGE = COLUMNS * ROWS
WIDTH, HEIGHT, GAP = 38.1 * MILLIMETRE, 21.2 * MILLIMETRE, 2.5 * MILLIMETRE
LEFT = (A4[0] - COLUMNS * WIDTH - (COLUMNS - 1) * GAP) / 2
TOP = (A4[1] - ROWS * HEIGHT) / 2
PAD = 1.5 * MILLIMETRE
SIZES = (8.0, 7.0, 6.0, 5.0, 4.0)
"""Sizes of type in points: the largest at which all lines fit."""
LEADING = 1.15
MOST_LABELS = 200_000
FONT_HELP = "it is not in the file: look at a page before all are printed"


@frozen
class Label:
    """Where an end belongs, where the other one is, and what cable it is."""

    own: str
    far: str
    cable: str


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric, gone = subject.fabric, subject.gone
    plugged = np.asarray([fact.medium not in FIXED for fact in kind_facts(fabric)], dtype=bool)[fabric.kind]
    left = int((plugged if gone is None else plugged & ~gone.cables).sum())
    if not left:
        raise refuse(sink, "labels are for the ends of cables, and there are none that one plugs", "bom")
    if 2 * left > MOST_LABELS:
        message = f"{2 * left:,} labels are more than the {MOST_LABELS:,} of one file"
        raise too_large(sink, message, "write those of a part by `--in`, or of a link by `--link`")
    made = list(_labels(subject))
    write_text(path, document(_page(made[k : k + PER_PAGE]) for k in range(0, len(made), PER_PAGE)))
    if not plugged.all():
        left_out(sink, f"{int((~plugged).sum()):,} connections of a board or backplane have no labels", "cables")
    if any(has_asian(label.own + label.cable) for label in made):
        remark(sink, "UB0806", "what is no Latin text is drawn in an Asian font of the viewer", FONT_HELP)
    if cut := sum(_is_cut(label) for label in made):
        left_out(sink, f"{counted(cut, 'label')} did not fit and end in `...`", "cables")


def _labels(subject: ExportInput) -> Iterator[Label]:
    """Yield the labels of both ends of each cable."""
    fabric = subject.fabric
    facts = kind_facts(fabric)
    first = first_of_cables(fabric)
    shared = shared_labels(fabric)
    done: set[tuple[int, str]] = set()
    keep = [fact.medium not in FIXED for fact in facts]
    for run in cable_runs(fabric, "write labels", keep, subject.gone):
        ends = zip(run.ids, run.a_name, run.a_port, run.b_name, run.b_port, run.kind, strict=True)
        for link, a, a_port, b, b_port, kind in ends:
            one, two = f"{a} {a_port}", f"{b} {b_port}"
            cable = int(first[link])
            length = facts[kind].length
            about = f"{cable} {facts[kind].link}" + ("" if length is None else f" {number(length, 3)} m")
            for own, far, several in ((one, two, shared[0]), (two, one, shared[1])):
                plug = several.get(link)
                if plug is None:
                    yield Label(clean(own), clean(far), clean(about))
                elif (cable, plug) not in done:
                    done.add((cable, plug))
                    yield Label(clean(plug), "", clean(about))


# ---- on the sheet ----------------------------------------------------------------------------------------------------


def _page(labels: list[Label]) -> Iterator[Line]:
    for place, label in enumerate(labels):
        row, column = divmod(place, COLUMNS)
        x = LEFT + column * (WIDTH + GAP) + PAD
        top = A4[1] - TOP - row * HEIGHT - PAD
        size, lines = _fitted(label)
        for n, (text, bold) in enumerate(lines):
            yield Line(text, x, top - size * (1 + n * LEADING), size, bold)


def _fitted(label: Label) -> tuple[float, list[tuple[str, bool]]]:
    """Return the size of type of a label and its lines, each with whether it is bold; at the least size those that do
    not fit are cut."""
    for size in SIZES:
        lines = _lines(label, size)
        if len(lines) <= _most_lines(size):
            return size, lines
    kept = lines[: _most_lines(size) - 1]
    return size, [*kept, ("...", False)]


def _is_cut(label: Label) -> bool:
    return len(_lines(label, SIZES[-1])) > _most_lines(SIZES[-1])


def _most_lines(size: float) -> int:
    return int(np.floor((HEIGHT - 2 * PAD) / size / LEADING))


def _lines(label: Label, size: float) -> list[tuple[str, bool]]:
    cells = int((WIDTH - 2 * PAD) / CELL / size)
    own = [(line, True) for line in wrapped(label.own, cells)]
    far = [(line, False) for line in wrapped(f"> {label.far}", cells)] if label.far else []
    return [*own, *far, *((line, False) for line in wrapped(label.cable, cells))]


FORMAT = Format(
    "labels",
    "sheets of labels for the ends of cables, as a PDF to print",
    "fabric",
    "labels.pdf",
    write,
    ("devices", "rates", "places"),
    "cables",
    supports_outages=True,
)
