"""A text as brackets, words and line ends, without grammar: what recovery from an error goes by."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

_RAW = re.compile(
    r'#[^\n]*|"(?:\\.|[^"\\\n])*"?|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|--|->|[{}()\[\];\n]|[^\s"#\[\](){};A-Za-z_-]+|-'
)
_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}


class Piece(NamedTuple):
    """A raw token: a word, a bracket, a line end, or other signs."""

    text: str
    start: int
    is_word: bool


class RawText:
    """The raw tokens of a text, and which brackets belong together.

    A `}` closes the nearest `{` and leaves any `(` and `[` between them without an end; a `)` or `]` closes only a
    bracket of its own sort on the same side of a `{`.
    """

    def __init__(self, text: str) -> None:
        self.pieces = [
            Piece(found.group(), found.start(), found.lastgroup == "word")
            for found in _RAW.finditer(text)
            if found.group()[0] != "#"
        ]
        self._starts = [piece.start for piece in self.pieces]
        self.closers: dict[int, int] = {}
        """The offset of the closing bracket by that of the opening one."""
        self._match()

    def at(self, offset: int) -> int:
        """Return the number of the first piece at or after an offset."""
        return bisect_left(self._starts, offset)

    def first(self, offset: int) -> Piece | None:
        """Return the first piece at or after an offset, None at the end."""
        number = self.at(offset)
        return self.pieces[number] if number < len(self.pieces) else None

    def words(self, start: int, end: int) -> frozenset[str]:
        """Return the words between two offsets, names that stand in quotes among them."""
        pieces = self.pieces[self.at(start) : self.at(end)]
        return frozenset(piece.text.strip('"') for piece in pieces if piece.is_word or piece.text[0] == '"')

    def _match(self) -> None:
        opened: list[tuple[str, int]] = []
        for text, start, _ in self.pieces:
            if text in _CLOSER_OF:
                opened.append((_CLOSER_OF[text], start))
            elif text == "}":
                while opened and opened[-1][0] != "}":
                    opened.pop()
                if opened:
                    self.closers[opened.pop()[1]] = start
            elif text in (")", "]") and opened and opened[-1][0] == text:
                self.closers[opened.pop()[1]] = start
