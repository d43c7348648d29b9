"""Text in JSON (RFC 8259). What a terminal or a script would act on is written as `\\u202e`, which is the same text."""

from __future__ import annotations

import json
import re
from typing import Any

_ACTIVE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def compact(data: Any) -> str:
    """Return the data as JSON without spaces."""
    return inert(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def indented(data: Any) -> str:
    """Return the data as JSON for people, with a line end."""
    return inert(json.dumps(data, ensure_ascii=False, indent=2)) + "\n"


def string(value: str) -> str:
    """Return a text as JSON, with its quotes."""
    return inert(json.dumps(value, ensure_ascii=False))


def ascii_string(value: str) -> str:
    """Return a text as JSON of ASCII alone, with its quotes."""
    return inert(json.dumps(value))


def inert(text: str) -> str:
    """Return JSON in which no character acts on who shows it: the same data."""
    return text if text.isascii() and "\x7f" not in text else _ACTIVE.sub(lambda c: f"\\u{ord(c[0]):04x}", text)
