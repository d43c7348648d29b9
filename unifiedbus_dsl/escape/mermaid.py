"""Text in Mermaid (mermaid.js.org/syntax/flowchart, "Entity codes to escape characters"): every character that the
language, or the HTML that it makes, gives a meaning is written by its number."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[^\w ,.:()\[\]/×·–+%-]")
_LETTERS = re.compile("[A-Za-z0-9_]+")


def string(value: str) -> str:
    """Return a text as a label, with its quotes."""
    return f'"{_SPECIAL.sub(lambda each: f"#{ord(each[0])};", value)}"'


def is_word(name: str) -> bool:
    """Return whether a name can be part of an identifier as it is."""
    return _LETTERS.fullmatch(name) is not None
