"""Text in a PDF: hexadecimal strings, which nothing in a text can end."""

from __future__ import annotations

from itertools import groupby

from unifiedbus_dsl.escape.terminal import clean

LATIN, ASIAN = "latin", "asian"


def runs(text: str) -> list[tuple[str, str]]:
    """Return a line as runs of characters: whether these are `latin` (of Windows-1252) or `asian` (in UTF-16), and a
    hexadecimal string."""
    return [(font, _hexadecimal(font, "".join(run))) for font, run in groupby(clean(text), _font)]


def has_asian(text: str) -> bool:
    """Return whether something in a text is not Latin."""
    return not text.isascii() and any(_font(character) == ASIAN for character in clean(text))


def _font(character: str) -> str:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return ASIAN
    return LATIN


def _hexadecimal(font: str, text: str) -> str:
    encoded = text.encode("cp1252") if font == LATIN else text.encode("utf-16-be", "replace")
    return f"<{encoded.hex()}>"
