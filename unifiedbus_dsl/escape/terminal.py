"""Text for people to read on a terminal: no escape sequence and no change of the direction of writing acts."""

from __future__ import annotations

import re
from unicodedata import category

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
JOINERS = frozenset("\u200b\u200c\u200d\u2060\ufeff")
"""Without a width of their own, and harmless."""
_SUSPECT = re.compile("[^\n -~]")
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")


def visible(character: str) -> str:
    """Return the character as it may be sent to a terminal: control and direction characters become pictures."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0x7F or character in JOINERS or category(character) not in _UNSAFE:
        return character
    return "\ufffd"


def clean(text: str) -> str:
    """Return the text as one line that is safe for a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(visible(c) for c in text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def clean_lines(text: str) -> str:
    """Return a text of several lines that is safe for a terminal; its line ends stay."""
    return _SUSPECT.sub(lambda each: " " if each[0] == "\t" else visible(each[0]), text)


def clean_painted(text: str) -> str:
    """As `clean_lines`, of a text that was painted by us: colours stay."""
    if "\x1b" not in text:
        return clean_lines(text)
    return "".join(part if number % 2 else clean_lines(part) for number, part in enumerate(_COLOUR.split(text)))
