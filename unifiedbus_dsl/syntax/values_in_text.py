"""Texts with values in them: `"tr{g + 1:02} mlx5_{r}"`. A brace that is meant is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from unifiedbus_dsl.base.source import Span

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}|[{}]")
_FORM = re.compile(r"0?[1-9]?[xX]?")
"""How a number may be written: its width, filled with zeros or blanks, and whether in hexadecimal digits."""


@frozen
class Hole:
    """A value of a template: where its expression stands, and how it is written."""

    span: Span
    form: str


@frozen
class BadBrace:
    """A brace that neither opens nor closes a value, or a form that is none."""

    span: Span
    form: bool = False


def pieces(span: Span) -> Iterator[str | Hole | BadBrace]:
    """Yield what a string literal consists of: text as it is written in the literal, and values."""
    raw = span.text
    at, end = 1, len(raw) - 1
    for match in _PIECE.finditer(raw, 1, end):
        yield raw[at : match.start()]
        at = match.end()
        if match[0] in ("{{", "}}"):
            yield match[0][0]
        elif match[1] is None:
            yield BadBrace(_inside(span, match.start(), match.end()))
        elif match[2] is not None and not _FORM.fullmatch(match[2]):
            yield BadBrace(_inside(span, match.start(2), match.end(2)), form=True)
        else:
            yield Hole(_inside(span, match.start(1), match.end(1)), match[2] or "")
    yield raw[at:end]


def holes(span: Span) -> list[Hole]:
    """Return the values of a template."""
    return [piece for piece in pieces(span) if isinstance(piece, Hole)]


def _inside(span: Span, start: int, end: int) -> Span:
    return Span(span.source, span.start + start, span.start + end)
