"""A word that is legal everywhere: small letters, digits and single hyphens, a letter first."""

from __future__ import annotations

import re


def plain(word: str) -> str:
    """Small letters, digits and single hyphens; begins with a letter, ends with none of the hyphens."""
    text = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
    return text if text[:1].isalpha() else f"x{text}"
