"""The sheet around a drawing: title, key figures, legend."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

from attrs import evolve

from unifiedbus_dsl.escape.dot import identifier
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, clipped, moved, straight, text_width, wrapped
from unifiedbus_dsl.render.plan_summary import Figures, PlanSummary, kind_name, outlets, rate_text, with_spares

Look: TypeAlias = tuple[str, ...]
"""By what a mark is known again."""
Area: TypeAlias = tuple[float, float, float, float]
"""The left, top, right and bottom of a rectangle."""

MARGIN = 24.0
_NARROWEST = 640.0
_WIDEST_HEAD = 790.0
"""A sheet is no wider for its title, which is then cut."""

_BOLD_ROOM = 1.08
"""Bold letters of that size are wider still where DejaVu Sans stands in."""

LINE_SAMPLES = (Fraction(50 * 10**9), Fraction(10**12), Fraction(10 * 10**12))
"""Rates that the legend of line widths shows."""


def bounds(marks: Iterable[Mark]) -> Area:
    """Return the rectangle that holds all marks."""
    lefts: list[float] = []
    tops: list[float] = []
    rights: list[float] = []
    bottoms: list[float] = []
    for mark in marks:
        left, top, right, bottom = _extent(mark)
        lefts.append(left)
        tops.append(top)
        rights.append(right)
        bottoms.append(bottom)
    if not lefts:
        return 0.0, 0.0, 0.0, 0.0
    return min(lefts), min(tops), max(rights), max(bottoms)


def _extent(mark: Mark) -> Area:
    if isinstance(mark, Box):
        return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    if isinstance(mark, Line):
        xs, ys = [x for x, _ in mark.points], [y for _, y in mark.points]
        return min(xs), min(ys), max(xs), max(ys)
    width = text_width(mark.text, mark.size, mark.bold)
    left = mark.x - {"start": 0.0, "middle": width / 2, "end": width}[mark.anchor]
    return left, mark.y - mark.size * 0.7, left + width, mark.y + mark.size * 0.7


def sheet(
    title: str,
    kind: str,
    notes: Sequence[tuple[str, str]],
    tiles: Sequence[tuple[str, str]],
    drawing: Sequence[Mark],
    legend: Sequence[Sequence[Mark]],
    tip: str = "",
) -> Picture:
    """Return a picture of a drawing with a title, notes below it (text and where it links to), tiles of a figure and
    its name, and legend entries, each a few marks that begin at x = 0 and lie around y = 0."""
    left, top, right, bottom = bounds(drawing)
    wish = text_width(title, 24, True) * _BOLD_ROOM + 14 + text_width(kind, 13)
    inner = max(_NARROWEST, right - left, min(wish, _WIDEST_HEAD))
    head, y = _head(title, kind, notes, tiles, inner, tip)
    body = moved(drawing, MARGIN + (inner - (right - left)) / 2 - left, y - top)
    y += bottom - top + 22
    looks = frozenset(_look(mark) for mark in drawing)
    foot, y = _legend([_emptied(entry, looks) for entry in legend if _is_drawn(entry, looks)], inner, y)
    marks = (*head, *body, *foot)
    figures = "; ".join(f"{value} {name}" for value, name in tiles)
    words = f"{title}, a {kind}. {figures}." if figures else f"{title}, a {kind}."
    return Picture(title, words, inner + 2 * MARGIN, y + MARGIN - 8, tuple(_unique(marks)))


def _is_drawn(entry: Sequence[Mark], looks: frozenset[Look]) -> bool:
    """Return whether something of what a legend entry explains is there; entries of words alone explain nothing
    drawn."""
    samples = [mark for mark in entry if not isinstance(mark, Text) and not mark.id.startswith("legend-width")]
    return not samples or any(_look(sample) in looks for sample in samples)


def _emptied(entry: Sequence[Mark], looks: frozenset[Look]) -> list[Mark]:
    """Return the entry with the steps of a scale that nothing drawn is in as an empty line."""
    if not any(mark.role == "scale" for mark in entry):
        return list(entry)
    return [
        evolve(mark, colour=palette.HAIR, width=1.0)
        if isinstance(mark, Line) and mark.role == "scale" and _look(mark) not in looks
        else mark
        for mark in entry
    ]


def _look(mark: Mark) -> Look:
    """Return by what a mark is known again: opacity and size do not count."""
    if isinstance(mark, Line):
        return ("line", mark.colour[:7])
    return ("box", mark.fill, mark.stroke) if isinstance(mark, Box) else ("text",)


def summary(doc: str | None) -> str:
    """Return the first paragraph of a documentation."""
    text = " ".join((doc or "").strip().partition("\n\n")[0].split())
    return re.sub(r"`([^`]*)`", "\N{LEFT DOUBLE QUOTATION MARK}\\1\N{RIGHT DOUBLE QUOTATION MARK}", text)


def _unique(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Yield the marks with a number behind each id that has been used before."""
    used: Counter[str] = Counter()
    for mark in marks:
        id = identifier(mark.id)
        used[id] += 1
        yield mark if used[id] == 1 else evolve(mark, id=f"{id}--{used[id]}")


def _head(
    title: str,
    kind: str,
    notes: Sequence[tuple[str, str]],
    tiles: Sequence[tuple[str, str]],
    width: float,
    tip: str,
) -> tuple[list[Mark], float]:
    shown = clipped(title, 24, width, bold=True)
    taken = text_width(shown, 24, True) * _BOLD_ROOM + 14
    beside = width - taken
    y = MARGIN + 12
    marks: list[Mark] = [
        Text("title", MARGIN, y, shown, 24, True, palette.INK, "start", role="title", tip=tip or title),
    ]
    if text_width(kind, 13) <= beside:
        marks.append(Text("kind", MARGIN + taken, y + 4, kind, 13, False, palette.QUIET, "start"))
    else:
        y += 24
        marks.append(Text("kind", MARGIN, y, clipped(kind, 13, width), 13, False, palette.QUIET, "start"))
    y += 26
    lines = [(line, text, href) for text, href in notes for line in wrapped(text, 12, width, 3)]
    for number, (line, text, href) in enumerate(lines):
        colour = "#0b5cad" if href else palette.QUIET
        marks.append(Text(f"note-{number}", MARGIN, y, line, 12, False, colour, "start", "note", text, href))
        y += 17
    y += 8
    x = MARGIN
    for number, (value, name) in enumerate(tiles):
        room = max(text_width(value, 17, True), text_width(name, 11)) + 24
        if x > MARGIN and x + room > MARGIN + width:
            x, y = MARGIN, y + 54
        marks += [
            Box(f"tile-{number}-ground", x, y, room, 46, palette.LEVELS[0], palette.LEVELS[0], role="tile"),
            Text(f"tile-{number}", x + 12, y + 16, value, 17, True, palette.INK, "start", role="figure"),
            Text(f"tile-{number}-name", x + 12, y + 34, name, 11, False, palette.QUIET, "start", role="figure-name"),
        ]
        x += room + 8
    return marks, y + (46 + 26 if tiles else 8)


def _legend(entries: Sequence[Sequence[Mark]], width: float, y: float) -> tuple[list[Mark], float]:
    """Entries side by side, in as many rows as they need."""
    if not entries:
        return [], y
    rule = Line("legend-rule", straight((MARGIN, y), (MARGIN + width, y)), palette.HAIR, role="rule")
    marks: list[Mark] = [rule]
    x, y, low = MARGIN, y + 18, 0.0
    for entry in entries:
        _, _, room, bottom = bounds(entry)
        if x > MARGIN and x + room > MARGIN + width:
            x, y, low = MARGIN, y + max(20.0, low + 11), 0.0
        marks += moved(entry, x, y)
        x, low = x + room + 22, max(low, bottom)
    return marks, y + max(10.0, low)


# ---- what most pictures show ------------------------------------------------------------------------------------


def figure_tiles(survey: PlanSummary, key: str) -> list[tuple[str, str]]:
    """Key figures of a type, the most telling first: of a part what leaves it, of a whole system what is known of it as
    a whole."""
    figures, plan = survey.figures[key], survey.whole or survey.plan
    kinds = [kind for kind in figures.devices if kind == "npu"]
    kinds += [
        *(k for k, n in figures.assemblies.items() if (k, n) != ("module", 1)),
        *(kind for kind in figures.devices if kind != "npu"),
    ]
    counts = {**figures.devices, **figures.assemblies}
    tiles = [(with_spares(counts[kind], figures.spares.get(kind, 0)), figures.name(kind)) for kind in kinds]
    many = "cable" if figures.cables + figures.spare_cables == 1 else "cables"
    tiles.append((with_spares(figures.cables, figures.spare_cables), many))
    leaving = () if key == plan.root or key not in plan.assemblies else outlets(plan, plan.assemblies[key])
    if key == plan.root and survey.look.headline:
        tiles += survey.look.headline
    elif leaving:
        tiles.append((rate_text(sum((each.total for each in leaving), Fraction(0))), "ports out of it, each direction"))
    elif figures.injection:
        tiles.append((rate_text(figures.injection), "all NPU ports, each direction"))
    return tiles


def wiring_entries(survey: PlanSummary, figures: Figures, drawing: Sequence[Mark] | None = None) -> list[list[Mark]]:
    """Return a legend entry for each medium with the cables that there are of it, at all levels. Of those that a
    drawing does not show, it gives words alone."""
    entries: list[list[Mark]] = []
    shown = None if drawing is None else {mark.colour[:7] for mark in drawing if isinstance(mark, Line)}
    for wiring in figures.wiring:
        many = "cable" if wiring.cables + wiring.spares == 1 else "cables"
        count = with_spares(wiring.cables, wiring.spares)
        text = f"{palette.medium_name(wiring.medium)}: {count} {many}, {rate_text(wiring.rate)}"
        id, colour = f"legend-{wiring.medium}", survey.colours[wiring.medium]
        unseen = shown is not None and colour not in shown
        entries.append(text_entry(id, f"{text}, not drawn") if unseen else line_entry(id, text, colour))
    return entries


def kind_entries(figures: Figures) -> list[list[Mark]]:
    """Return a legend entry for each kind of device, and for spare ones where they look different."""
    entries: list[list[Mark]] = []
    for kind, look in palette.KINDS.items():
        if figures.devices.get(kind) or figures.spares.get(kind):
            entries.append(box_entry(f"legend-{kind}", kind_name(kind, 1), look))
        if figures.spares.get(kind):
            spare = evolve(look, fill=palette.PAPER)
            entries.append(box_entry(f"legend-spare-{kind}", f"spare {kind_name(kind, 1)}", spare))
    return entries


def width_entry(widths: Sequence[tuple[str, float]]) -> list[Mark]:
    """Return how wide lines are for some rates."""
    marks: list[Mark] = [
        Text("legend-width", 0, 0, "line width, each direction:", 11, False, palette.QUIET, "start", role="legend")
    ]
    x = text_width("line width, each direction:", 11) + 10
    for number, (text, width) in enumerate(widths):
        line = straight((x, 0.0), (x + 22, 0.0))
        marks.append(Line(f"legend-width-{number}-line", line, palette.QUIET, width, role="legend"))
        marks.append(Text(f"legend-width-{number}", x + 27, 0, text, 11, False, palette.QUIET, "start", role="legend"))
        x += 27 + text_width(text, 11) + 14
    return marks


def text_entry(id: str, text: str) -> list[Mark]:
    return [Text(id, 0, 0, text, 11, False, palette.QUIET, "start", role="legend")]


def box_entry(
    id: str,
    text: str,
    look: palette.KindStyle,
    dashed: bool = False,
) -> list[Mark]:
    """Return a legend entry with a small box."""
    return [
        Box(f"{id}-box", 0, -6, 18, 12, look.fill, look.stroke, shape=look.shape, dashed=dashed, role="legend"),
        Text(id, 24, 0, text, 11, False, palette.QUIET, "start", role="legend"),
    ]


def line_entry(id: str, text: str, colour: str) -> list[Mark]:
    """Return a legend entry with a piece of line."""
    return [
        Line(f"{id}-line", straight((0.0, 0.0), (22.0, 0.0)), colour, 3.0, role="legend"),
        Text(id, 28, 0, text, 11, False, palette.QUIET, "start", role="legend"),
    ]
