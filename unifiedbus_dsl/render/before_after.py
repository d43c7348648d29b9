"""A machine twice in one picture: undamaged, and as a scenario leaves it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.detail import detail_drawing
from unifiedbus_dsl.render.marks import (
    PAGE,
    Box,
    Line,
    Mark,
    Picture,
    Text,
    cross,
    moved,
    straight,
    text_width,
    wrapped,
)
from unifiedbus_dsl.render.overview import SMALLEST, TIGHTEST, overview_drawing
from unifiedbus_dsl.render.sheet import bounds, box_entry, figure_tiles, kind_entries, sheet, text_entry, wiring_entries
from unifiedbus_dsl.render.view import View

_APART = 36.0
WIDEST = PAGE * 10.0 / SMALLEST - 60
"""Points that two drawings may take side by side; wider ones stand below each other."""


@frozen(eq=False)
class Panel:
    """One of the drawings: `id` goes before those of its marks, `heading` and `words` stand above it."""

    id: str
    view: View
    heading: str
    words: Sequence[str] = ()


def comparison(panels: Sequence[Panel], title: str, notes: Sequence[str], legend: Sequence[Sequence[Mark]]) -> Picture:
    """Return the drawings beside each other, or below each other where they are wide.

    Raises:
        TooManyMarksError: one of them would have more devices than anyone can look at.
    """
    first = panels[0].view
    drawn = _drawings([panel.view for panel in panels])
    widths = [right - left for left, _, right, _ in (bounds(marks) for marks, _ in drawn)]
    beside = sum(widths) + _APART * (len(panels) - 1) <= WIDEST
    rooms = [max(width, 280.0) for width in widths]
    heads = [_heading(panel, room) for panel, room in zip(panels, rooms, strict=True)]
    deepest = max(bounds(head)[3] for head in heads)
    marks: list[Mark] = []
    x = y = 0.0
    for (shown, _), panel, width, room, head in zip(drawn, panels, widths, rooms, heads, strict=True):
        left, top, _, bottom = bounds(shown)
        low = (deepest if beside else bounds(head)[3]) + 14
        placed = [*head, *moved(shown, (room - width) / 2 - left, low - top)]
        marks += [evolve(mark, id=f"{panel.id}-{mark.id}") for mark in moved(placed, x, y)]
        if beside:
            x += room + _APART
        else:
            y += low + bottom - top + _APART
    figures = first.survey.figures[first.key]
    said = list(dict.fromkeys(note for _, notes in drawn for note in notes))
    entries = [*(legend or wiring_entries(first.survey, figures)), *kind_entries(figures), *lost_entries()]
    entries += [text_entry(f"legend-note-{i}", note) for i, note in enumerate(said)]
    kind = "before and after"
    return sheet(title, kind, [(note, "") for note in notes], figure_tiles(first.survey, first.key), marks, entries)


def _drawings(views: Sequence[View]) -> list[tuple[list[Mark], list[str]]]:
    """Return the drawings, folded at as many places of a loss as there is room for, the same in all."""
    for opened in range(views[0].survey.look.opened, 0, -1):
        drawn = [_drawing(view, opened) for view in views]
        widest = max(right - left for left, _, right, _ in (bounds(marks) for marks, _ in drawn))
        if widest <= WIDEST or views[0].layout == "detail":
            break
    return drawn


def _drawing(view: View, opened: int) -> tuple[list[Mark], list[str]]:
    if view.layout == "detail":
        return detail_drawing(view.plan, view.key, view.survey)
    tight = evolve(view.survey, look=evolve(view.survey.look, tight=TIGHTEST, opened=opened))
    return overview_drawing(view.plan, view.key, tight), ["equal parts are folded"]


def _heading(panel: Panel, room: float) -> list[Mark]:
    marks: list[Mark] = [Text("heading", 0, 8, panel.heading, 15, True, palette.INK, "start", role="heading")]
    lines = [line for text in panel.words for line in wrapped(text, 11, room, 3)]
    for i, line in enumerate(lines):
        marks.append(Text(f"words-{i}", 0, 27 + 15 * i, line, 11, False, palette.QUIET, "start", role="words"))
    return marks


def lost_entries(word: str = "lost") -> list[list[Mark]]:
    """Return what is drawn of parts and cables that are lost, or missing."""
    part, cable = f"part {word}", f"cable {word}"
    x = 24 + text_width(part, 11) + 16
    line = straight((x, 0.0), (x + 22, 0.0))
    return [
        [
            *(
                evolve(mark, behind=True) if isinstance(mark, Box) else mark
                for mark in box_entry("legend-lost", part, palette.GONE)
            ),
            *cross("legend-lost-part", 9, 0, 4, palette.LOST),
            Line("legend-lost-line", line, palette.LOST, 1.0, role="legend"),
            *cross("legend-lost-cross", x + 11, 0, 3.5, palette.LOST),
            Text("legend-lost-cable", x + 28, 0, cable, 11, False, palette.QUIET, "start", role="legend"),
        ]
    ]
