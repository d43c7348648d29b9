"""Text in OpenUSD's own format (`.usda`): a string between double quotes, of one line."""

from __future__ import annotations

from unifiedbus_dsl.escape.terminal import clean


def string(text: str) -> str:
    """Return the text as a string, with its quotes."""
    plain = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
