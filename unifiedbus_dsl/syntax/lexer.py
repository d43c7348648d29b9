"""From text to tokens, one at a time, as the parser's state asks for them.

What a word is depends on where it stands: `port` begins a statement or names a port, `x4` is a width after a protocol
and a name elsewhere, `GB` is a unit after a number. So each token is classified by the row of the parse table that
waits for it. Comments and documentation are put aside as they are met.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.units import UNITS
from unifiedbus_dsl.syntax.tables import Tables
from unifiedbus_dsl.syntax.tree import Comment

__all__ = ["BAD_CHARACTER", "END", "LINE_END", "OPEN_STRING", "Lexer", "Token"]

END = "$END"
LINE_END = "_NL"
OPEN_STRING = "?STRING"
BAD_CHARACTER = "?"

_BLANK = re.compile(r"[ \t\r\f\v\ufeff]*")
_COMMENT = re.compile(r"#[^\n]*")
_REST_OF_LINE = re.compile(r"[^\n]*")


class Token(NamedTuple):
    """A piece of text by the name of its terminal; `start` and `end` are offsets in the source."""

    type: str
    text: str
    start: int
    end: int


class Lexer:
    """Reads one source. `position` may be set back or forward between two calls of `next`."""

    def __init__(self, source: Source, tables: Tables) -> None:
        self.source = source
        self.position = 0
        self.comments: dict[int, Comment] = {}
        self.docs: dict[int, list[Comment]] = {}
        """Documentation lines by the offset of the token that they stand above."""
        self._text = source.text
        self._waiting: dict[int, Comment] = {}
        self._words = tables["words"]
        self._signs = tables["signs"]
        patterns = tables["patterns"]
        signs = sorted(self._signs, key=len, reverse=True)
        number, string = (_without_groups(patterns[name]) for name in ("NUMBER", "STRING"))
        self._token = re.compile(
            f"{_BLANK.pattern}(?:(?P<word>{patterns['NAME']})|(?P<NUMBER>{number})|(?P<STRING>{string})"
            f"|(?P<sign>{'|'.join(map(re.escape, signs))}))"
        )
        self._width = re.compile(patterns["WIDTH"])
        self._unit = re.compile(patterns["UNIT"])

    def skip(self) -> bool:
        """Go on to the next token, over blanks, comments and line ends; say whether a line end was among them."""
        text, position, crossed = self._text, self.position, False
        while True:
            position = _BLANK.match(text, position).end()  # type: ignore[union-attr]  # it matches the empty text
            following = text[position : position + 1]
            if following == "\n":
                position += 1
                crossed = True
            elif following == "#":
                position = self._put_aside(position)
            else:
                break
        self.position = position
        return crossed

    def next_in_line(self, terminals: Container[str]) -> Token | None:
        """Return the token that follows on the same line, None where there is none or an odd one; `position` goes past
        it."""
        match = self._token.match(self._text, self.position)
        if match is None:
            return None
        kind = match.lastgroup
        assert kind is not None  # each way to match is a group
        start, end = match.span(kind)
        text = match[kind]
        if kind == "word":
            kind = self._words.get(text) or self._name_type(text, terminals)
        elif kind == "sign":
            kind = "_RECORD" if text == "{" and "_LBRACE" not in terminals else self._signs[text]
        if self._waiting:
            self._attach_docs(start)
        self.position = end
        return Token(kind, text, start, end)

    def next(self, terminals: Container[str]) -> Token:
        """Return the token at `position`, as one of the terminals that the parser waits for; `position` goes past
        it."""
        token = self.next_in_line(terminals)
        if token is None:
            token = self._read_odd(self.position)
            self._attach_docs(token.start)
            self.position = token.end
        return token

    def next_unit(self) -> Token | None:
        """Return the unit that follows a number on the same line, None where there is none; `position` goes past it."""
        start = _BLANK.match(self._text, self.position).end()  # type: ignore[union-attr]  # it matches the empty text
        match = self._unit.match(self._text, start)
        if match is None:
            return None
        text = match.group()
        top, _, bottom = text.partition("/")
        if top in self._words:
            return None
        if bottom and bottom not in UNITS:
            text = top
        self.position = start + len(text)
        return Token("UNIT", text, start, self.position)

    def peek(self) -> str:
        """Return the text of the token at `position`, empty at the end."""
        match = self._token.match(self._text, self.position)
        return match[match.lastgroup or 0] if match else self._text[self.position : self.position + 1]

    def _attach_docs(self, start: int) -> None:
        if self._waiting:
            self.docs[start] = list(self._waiting.values())
            self._waiting = {}

    def loose_docs(self, claimed: set[int]) -> list[Comment]:
        """Documentation that stands above no statement: it is kept as comments."""
        unclaimed = [comment for at, comments in self.docs.items() if at not in claimed for comment in comments]
        return [*unclaimed, *self._waiting.values()]

    def _put_aside(self, position: int) -> int:
        end = _COMMENT.match(self._text, position).end()  # type: ignore[union-attr]  # there is a `#` here
        text = self._text[position:end].rstrip()
        comment = Comment(text=text, span=Span(self.source, position, position + len(text)))
        if is_doc(text) and self._begins_line(position):
            self._waiting[position] = comment
        else:
            self.comments[position] = comment
        return end

    def _begins_line(self, position: int) -> bool:
        line_start = self._text.rfind("\n", 0, position) + 1
        return not self._text[line_start:position].strip(" \t\r\f\v\ufeff")

    def _name_type(self, text: str, terminals: Container[str]) -> str:
        return "WIDTH" if "WIDTH" in terminals and self._width.fullmatch(text) else "NAME"

    def _read_odd(self, start: int) -> Token:
        if start >= len(self._text):
            return Token(END, "", len(self._text), len(self._text))
        character = self._text[start]
        if character == ";":
            return Token(LINE_END, ";", start, start + 1)
        if character == '"':
            text = _REST_OF_LINE.match(self._text, start).group().rstrip()  # type: ignore[union-attr]
            return Token(OPEN_STRING, text, start, start + len(text))
        return Token(BAD_CHARACTER, character, start, start + 1)


def _without_groups(pattern: str) -> str:
    """Return a regular expression of which no group is remembered."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def is_doc(comment: str) -> bool:
    """`## like this`; a row of many `#` is a comment."""
    return comment.startswith("##") and not comment.startswith("###")
