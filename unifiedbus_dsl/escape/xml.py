"""Text in XML and SVG (XML 1.0, fifth edition: 2.2 Characters, 2.4 Character data).

XML has no way to write most control characters. `text` and `attribute` put a sign in their place; `kept` writes them as
`_x0001_` (ECMA-376, ST_Xstring), so that `restored` gives the same text again.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_CODED = re.compile("_x([0-9A-Fa-f]{4})_")


def printable(value: str) -> str:
    """Return the text with a sign in place of what XML has no way to write."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", value)


def text(value: str) -> str:
    """Return the text as the content of an element."""
    return escape(printable(value))


def attribute(value: str) -> str:
    """Return the text as the value of an attribute, with its quotes."""
    return quoteattr(printable(value))


def kept(value: str) -> str:
    """Return the text as the content of an element, from which `restored` gives it back."""
    coded = _CODED.sub(lambda each: f"_x005F_{each[0][1:]}", value)
    return escape(_ILLEGAL.sub(lambda each: f"_x{ord(each[0]):04X}_", coded))


def restored(value: str) -> str:
    """Return the text of which `kept` made this content."""
    return _CODED.sub(lambda each: chr(int(each[1], 16)), value) if "_x" in value else value
