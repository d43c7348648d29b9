"""Source texts and spans: what every later stage points back to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from attrs import define, field

T = TypeVar("T")


@define(eq=False, slots=False)
class Source:
    """One text, with the name it is shown under.

    `path` is where it was read from (None for text given directly). Compared by identity: two reads of one file
    are two sources. Line ends are kept as written; a byte-order mark has been dropped by the reader.
    """

    name: str
    text: str = field(repr=False)
    path: Path | None = None

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line; line 1 starts at 0."""
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of line `number` (from 1) without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class Span(NamedTuple):
    """A half-open range of characters in a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def one_line(self) -> str:
        """The text with each run of white space as one blank, as messages and tables quote it."""
        return " ".join(self.text.split())

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    def to(self, other: Span) -> Span:
        """Return the range from the start of this span to the end of a later one in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

    def contains(self, other: Span) -> bool:
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    def __repr__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


class Places(Generic[T]):
    """Things by their spans, such as the statements of files. No two spans overlap, unless they are equal.

    Asking takes the time of a search, however many things there are.
    """

    def __init__(self, things: Iterable[tuple[Span, T]]) -> None:
        by_source: dict[Source, dict[int, list[tuple[Span, T]]]] = {}
        for span, thing in things:
            by_source.setdefault(span.source, {}).setdefault(span.start, []).append((span, thing))
        self._at = {source: (sorted(by_start), by_start) for source, by_start in by_source.items()}

    def around(self, span: Span) -> list[T]:
        """Return the things whose span contains this one, in the order given."""
        starts, by_start = self._at.get(span.source, ([], {}))
        at = bisect_right(starts, span.start) - 1
        return [thing for place, thing in by_start[starts[at]] if place.contains(span)] if at >= 0 else []

    def any_in(self, span: Span) -> bool:
        """Return whether something stands within this span."""
        starts, by_start = self._at.get(span.source, ([], {}))
        within = starts[bisect_left(starts, span.start) : bisect_right(starts, span.end)]
        return any(span.contains(place) for start in within for place, _ in by_start[start])
