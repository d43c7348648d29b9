"""Text in scripts of a POSIX shell."""

from __future__ import annotations

import shlex

from unifiedbus_dsl.escape.xml import printable


def word(value: str) -> str:
    """Return a text as one word of a command; control characters, which no quotes make harmless on a terminal, are
    replaced."""
    return shlex.quote(printable(value).replace("\n", " "))
