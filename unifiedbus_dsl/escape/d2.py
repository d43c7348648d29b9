"""Text in D2 (d2lang.com/tour/strings, d2lang.com/tour/vars): a dollar begins a substitution unless it is escaped."""

from __future__ import annotations

import re

from unifiedbus_dsl.escape.xml import printable

_LETTERS = re.compile("[A-Za-z0-9_]+")


def string(value: str) -> str:
    """Return a text as a value, with its quotes."""
    safe = printable(value).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + safe.replace("\n", "\\n").replace("\u2028", " ").replace("\u2029", " ") + '"'


def key(name: str) -> str:
    """Return a name as a key. It ends with an underscore, as `label`, `shape`, `width` and others are D2's own."""
    own = f"{name}_"
    return own if _LETTERS.fullmatch(own) else string(own).replace("\\$", "$")
