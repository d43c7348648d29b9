"""Places of a text as editors count them: lines from 0, and in a line UTF-16 (or other) code units.

Editors end a line at a line feed, a carriage return, or both; the compiler at a line feed alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from attrs import frozen

from unifiedbus_dsl.base.source import Source

_LINE_END = re.compile(r"\r\n|\n|\r")


@frozen(eq=False, slots=False)
class Positions:
    """Converts between the offsets of a text and lines with columns in code units of an encoding."""

    text: str
    encoding: str = "utf-16"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_END.finditer(self.text))]

    @cached_property
    def _plain(self) -> bool:
        """Whether each character is one code unit."""
        if self.encoding == "utf-32" or self.text.isascii():
            return True
        return self.encoding == "utf-16" and max(self.text, default="") <= "\uffff"

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; one that is beyond its line is the end of it, one beyond the text its end."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self.text)
        start, stop = self._starts[line], self._line_stop(line)
        column = max(column, 0)
        if self._plain:
            return min(start + column, stop)
        at, units = start, 0
        while at < stop and units < column:
            units += self._units(self.text[at])
            at += 1
        return at

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        offset = min(offset, max(self._line_stop(line), start))
        if self._plain:
            return line, offset - start
        return line, sum(self._units(letter) for letter in self.text[start:offset])

    def _line_stop(self, line: int) -> int:
        if line + 1 >= len(self._starts):
            return len(self.text)
        stop = self._starts[line + 1]
        return stop - (2 if self.text[stop - 2 : stop] == "\r\n" else 1)

    def _units(self, letter: str) -> int:
        if self.encoding == "utf-8":
            return len(letter.encode("utf-8", "surrogatepass"))
        return 2 if self.encoding == "utf-16" and letter > "\uffff" else 1

    @classmethod
    def of(cls, source: Source, encoding: str) -> Positions:
        """Return the positions of a source."""
        return cls(source.text, encoding)
