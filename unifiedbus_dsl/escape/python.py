"""Text in Python programs."""

from __future__ import annotations


def string(value: str) -> str:
    """Return a text as a literal in ASCII, with its quotes."""
    return ascii(value)
