"""How wide characters are on a terminal, and how a line of source is laid out in its cells."""

from __future__ import annotations

from unicodedata import category, east_asian_width

from attrs import frozen

from unifiedbus_dsl.escape.terminal import JOINERS, clean, visible

__all__ = ["TAB", "Cells", "character_width", "clean", "lay_out", "text_width", "visible"]

TAB = 4
"""Tabs are shown as spaces up to the next multiple of this."""


def character_width(character: str) -> int:
    """Return how many cells a visible character takes: 0, 1 or 2."""
    if character.isascii():
        return 1
    if character in JOINERS or category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def text_width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(character_width, text))


@frozen
class Cells:
    """A line laid out: `text` as shown, and the cell in which each character of the line starts.

    `starts` has one entry more than the line has characters: the cell behind the last one.
    """

    text: str
    starts: tuple[int, ...]

    def at(self, character: int) -> int:
        """Return the cell of a character; places behind the end count as the cell behind the last character."""
        return self.starts[min(max(character, 0), len(self.starts) - 1)]


def lay_out(line: str) -> Cells:
    """Expand tabs, make control characters visible and find the cell of each character."""
    shown: list[str] = []
    starts: list[int] = []
    cell = 0
    for character in line:
        starts.append(cell)
        piece = " " * (TAB - cell % TAB) if character == "\t" else visible(character)
        shown.append(piece)
        cell += len(piece) if character == "\t" else character_width(piece)
    starts.append(cell)
    return Cells("".join(shown), tuple(starts))
