"""The lines of a source with their marks: `^^^` under the primary span, `---` under the others.

Labels of one line share one row of marks; the rightmost text stands beside its mark and the others hang below:

    connect a[i] -- b[j] over Copper(1 m)
            ----    ^^^^ `j` runs 0..7 here
            |
            `i` runs 0..3

A span over several lines is held by a bar in the left margin. A line too long to show is cut to a window around its
marks; marks too far apart for one window give the line several rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from attrs import evolve, field, frozen

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics.display_width import lay_out
from unifiedbus_dsl.diagnostics.style import Paint, Style

_ELLIPSIS = "…"
_LEAD = 12
"""Cells shown before the first mark of a line that is cut on the left."""


@frozen
class Mark:
    """A label in lines (from 1) and characters (from 0); the end is exclusive. `primary` is the one to blame."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    primary: bool


@frozen
class Row:
    """One row right of the gutter. `gap` stands for lines left out."""

    text: str
    number: int | None = None
    gap: bool = False


@frozen
class _Tie:
    """One end of a mark of several lines: where its horizontal arm meets the text."""

    slot: int
    is_end: bool


@frozen
class _Piece:
    """A mark, or the end of one, on a single line. `start` and `end` are characters, later cells."""

    start: int
    end: int
    text: str
    primary: bool
    tie: _Tie | None = None

    @property
    def sign(self) -> str:
        return "^" if self.primary else "-"


def snippet(source: Source, marks: Sequence[Mark], style: Style, width: int) -> Iterator[Row]:
    """Yield the rows for all marks of one source, in line order."""
    bars = [mark for mark in sorted(marks, key=lambda m: (m.line, -m.end_line)) if mark.end_line > mark.line]
    margin = _Margin(tuple(bars), style)
    by_line: dict[int, list[_Piece]] = {}
    for mark in marks:
        if mark.end_line == mark.line:
            piece = _Piece(mark.column, mark.end_column, mark.text, mark.primary)
            by_line.setdefault(mark.line, []).append(piece)
    for slot, bar in enumerate(bars):
        first = _Piece(bar.column, bar.column + 1, "", bar.primary, _Tie(slot, False))
        last = _Piece(max(bar.end_column - 1, 0), bar.end_column, bar.text, bar.primary, _Tie(slot, True))
        by_line.setdefault(bar.line, []).append(first)
        by_line.setdefault(bar.end_line, []).append(last)
    previous = None
    for number in sorted(by_line):
        if previous is not None:
            yield from _between(source, previous, number, margin, width)
        yield from _line(source, number, by_line[number], margin, style, width)
        previous = number


def _between(source: Source, previous: int, number: int, margin: _Margin, width: int) -> Iterator[Row]:
    """Yield what stands between two marked lines: nothing, the one line there is, or a gap."""
    if number == previous + 2:
        middle = previous + 1
        line = _Window.around(source.line(middle), [], width)
        yield Row(margin.text() + line.text, middle)
    elif number > previous + 2:
        yield Row(margin.text(), gap=True)


@frozen
class _Margin:
    """The bars left of the text; one column for each mark of several lines, and a space. `open` bars are drawn."""

    bars: tuple[Mark, ...]
    style: Style
    open: set[int] = field(factory=set)

    def paint(self, slot: int) -> Paint:
        return self.style.primary if self.bars[slot].primary else self.style.secondary

    def text(self, corner: int | None = None, sign: str = "|") -> str:
        """Return the margin of a row; `corner` is the slot that begins here, with its own sign."""
        cells = [
            self.paint(slot)(sign if slot == corner else "|") if slot in self.open or slot == corner else " "
            for slot in range(len(self.bars))
        ]
        return "".join(cells) + (" " if cells else "")

    def arm(self, slot: int) -> str:
        """Return the margin of the row that joins a bar with the text: an arm from the bar to the right."""
        cells = []
        for other in range(len(self.bars)):
            if other == slot:
                cells.append(self.paint(slot)("|" if slot in self.open else " "))
            elif other > slot:
                cells.append(self.paint(slot)("_"))
            else:
                cells.append(self.paint(other)("|") if other in self.open else " ")
        return "".join(cells) + self.paint(slot)("_")


def _line(
    source: Source, number: int, pieces: Sequence[_Piece], margin: _Margin, style: Style, width: int
) -> Iterator[Row]:
    """Yield a line of the source, once for each window that its marks need, and the rows below it."""
    line = source.line(number)
    for window, inside in _windows(line, pieces, width):
        ties = [p for p in inside if p.tie is not None]
        short = [p for p in ties if p.tie and not p.tie.is_end and not window.text[: p.start].strip()]
        corner = short[0].tie if short else None
        yield Row(margin.text(corner.slot if corner else None, "/") + window.text, number)
        if corner:
            margin.open.add(corner.slot)
        for text in _marks([p for p in inside if p.tie is None], style):
            yield Row(margin.text() + text)
        for piece in sorted(ties, key=lambda p: (p.tie is not None and p.tie.is_end, -p.start)):
            if piece.tie is not None and piece.tie != corner:
                yield _tie_row(piece, piece.tie, margin)


def _tie_row(piece: _Piece, tie: _Tie, margin: _Margin) -> Row:
    """`|_____^ text` below the last line of a mark, ` _____^` below its first."""
    paint = margin.paint(tie.slot)
    text = margin.arm(tie.slot) + paint("_" * piece.start + piece.sign)
    if tie.is_end:
        margin.open.discard(tie.slot)
    else:
        margin.open.add(tie.slot)
    return Row(text + (" " + paint(piece.text) if piece.text else ""))


# ---- windows ----------------------------------------------------------------------------------------------------


@frozen
class _Window:
    """The part of a line that is shown, and how characters map to its cells."""

    text: str
    first: int
    starts: tuple[int, ...]
    lead: int

    def cell(self, character: int) -> int:
        at = min(max(character - self.first, 0), len(self.starts) - 1)
        return self.starts[at] + self.lead

    @classmethod
    def around(cls, line: str, pieces: Sequence[_Piece], width: int) -> _Window:
        """Return the window of `width` cells that shows these marks and as much before them as there is room for."""
        left = min((p.start for p in pieces), default=0)
        right = max((p.end for p in pieces), default=0)
        first = 0 if right <= width else max(0, min(left - _LEAD, len(line) - width))
        return cls._from(line, first, width)

    @classmethod
    def _from(cls, line: str, first: int, width: int) -> _Window:
        cells = lay_out(line[first : first + width + 1])
        fits = sum(1 for start in cells.starts[1:] if start <= width)
        cut = first + fits < len(line)
        shown = lay_out(line[first : first + fits])
        lead = len(_ELLIPSIS) if first else 0
        text = _ELLIPSIS * lead + shown.text + (_ELLIPSIS if cut else "")
        return cls(text, first, shown.starts, lead)


def _windows(line: str, pieces: Sequence[_Piece], width: int) -> Iterator[tuple[_Window, list[_Piece]]]:
    """Windows from left to right with the marks in them, places turned into cells."""
    clusters: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda p: (p.start, p.end)):
        start = min(piece.start, len(line))
        fits = clusters and (len(line) <= width or start - clusters[-1][0].start < width - 2 * _LEAD)
        if fits:
            clusters[-1].append(piece)
        else:
            clusters.append([piece])
    for cluster in clusters:
        window = _Window.around(line, cluster, width)
        yield window, [_in_cells(piece, window) for piece in cluster]


def _in_cells(piece: _Piece, window: _Window) -> _Piece:
    start = window.cell(piece.start)
    return evolve(piece, start=start, end=max(start + 1, window.cell(piece.end)))


# ---- marks of one line ------------------------------------------------------------------------------------------


def _marks(pieces: Sequence[_Piece], style: Style) -> Iterator[str]:
    """Yield the row of marks and the rows of texts below it."""
    if not pieces:
        return
    ordered = sorted(pieces, key=lambda p: (p.start, p.end, p.primary))
    beside = _beside(ordered)
    row = _underline(ordered, style)
    yield row + (" " + _paint(beside, style)(beside.text) if beside else "")
    hanging = [p for p in ordered if p.text and p is not beside]
    if hanging:
        yield _stems(hanging, style)
    while hanging:
        last = hanging.pop()
        left = [p for p in hanging if p.start < last.start]
        yield _stems(left, style, last)


def _beside(ordered: Sequence[_Piece]) -> _Piece | None:
    """Return the mark whose text may stand in the row of marks: it starts last and nothing reaches beyond it."""
    last = ordered[-1]
    return last if last.text and all(p.end <= last.end for p in ordered) else None


def _underline(ordered: Sequence[_Piece], style: Style) -> str:
    """Return all marks in one row; where they overlap, the primary one wins."""
    cells: list[_Piece | None] = [None] * max(p.end for p in ordered)
    for mark in sorted(ordered, key=lambda p: p.primary):
        cells[mark.start : mark.end] = [mark] * (mark.end - mark.start)
    row = ""
    for _, run in groupby(cells, key=id):
        same = list(run)
        piece = same[0]
        row += " " * len(same) if piece is None else _paint(piece, style)(piece.sign * len(same))
    return row


def _stems(left: Sequence[_Piece], style: Style, last: _Piece | None = None) -> str:
    """Return a row with a bar below each mark of `left` and, at its place, the text of `last`."""
    row = ""
    at = 0
    for piece in left:
        if piece.start >= at:
            row += " " * (piece.start - at) + _paint(piece, style)("|")
            at = piece.start + 1
    if last is None:
        return row
    return row + " " * (last.start - at) + _paint(last, style)(last.text)


def _paint(piece: _Piece, style: Style) -> Paint:
    return style.primary if piece.primary else style.secondary
