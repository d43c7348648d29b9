"""A file to be read: its name, its text line by line in bounded memory, whatever its encoding and its line ends."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TextIO

from attrs import define

from unifiedbus_dsl.importer.doubts import NO_TEXT, Doubts, shown

HEAD = 1 << 16
"""Bytes by which format and encoding are told."""
LONGEST_LINE = 1 << 20
"""Characters; what is longer is no line of a list."""
_DECLARED = re.compile(r"""(<\?xml[^>]*?)\s+encoding\s*=\s*("[^"]*"|'[^']*')""")


@define(eq=False)
class XmlStream:
    """A file of bytes to be read, in UTF-8 and saying so."""

    file: TextIO
    begun: bool = False
    before: str = ""
    """What stands before the first bracket."""

    def read(self, size: int = HEAD) -> bytes:
        """Return the next bytes, none at the end."""
        text = self.file.read(max(size, HEAD))
        while text and not self.begun:
            place = text.find("<")
            self.before += text[: max(place, 0)] if place >= 0 else text
            if place >= 0:
                self.begun = True
                text = _DECLARED.sub(r"\1", text[place:], count=1)
            else:
                text = self.file.read(HEAD)
        return text.encode("utf-8", "replace")


def begins(head: str, *marks: str) -> bool:
    """Return whether a line of a text begins with one of these: what a terminal printed above may be there, too."""
    return any(line.lstrip("\ufeff \t").startswith(marks) for line in head.splitlines())


@define(eq=False, slots=False)
class Source:
    """A file on disk; `title` is what messages call it, `stem` what the machine is called by it."""

    path: Path
    title: str
    stem: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Return the source of a file; its stem is the name before the first dot."""
        return cls(path, path.name, path.name.split(".")[0] or path.name)

    @cached_property
    def raw(self) -> bytes:
        """The first bytes."""
        with self.path.open("rb") as file:
            return file.read(HEAD)

    @cached_property
    def encoding(self) -> str:
        """UTF-8, or UTF-16 where a mark or every other byte says so."""
        raw = self.raw
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        some = raw[:4096]
        if some and some.count(0) > len(some) // 4:
            return "utf-16-le" if some[1::2].count(0) > some[::2].count(0) else "utf-16-be"
        return "utf-8-sig"

    @cached_property
    def head(self) -> str:
        """The beginning of the text."""
        return self.raw.decode(self.encoding, "replace")

    def lines(self, doubts: Doubts) -> Iterator[tuple[int, str]]:
        """Yield each line with its number, without its end; bytes that are no text are written as `\\x..`."""
        with self.path.open(encoding=self.encoding, errors="surrogateescape") as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if not line.isascii() and any("\ud800" <= c <= "\udfff" for c in line):
                    line = line.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                    doubts.add(NO_TEXT, number, shown(line))
                yield number, line.rstrip("\r\n")

    @contextmanager
    def xml(self) -> Iterator[XmlStream]:
        """Yield the text as an XML parser takes it: as UTF-8 whatever it was, from the first bracket on."""
        with self.path.open(encoding=self.encoding, errors="backslashreplace") as file:
            yield XmlStream(file)

    def text(self, most: int) -> str | None:
        """Return the whole text; None where it has more bytes than `most`."""
        if self.path.stat().st_size > most:
            return None
        return self.path.read_bytes().decode(self.encoding, "backslashreplace")
