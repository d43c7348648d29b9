"""Words out of names: a word that is legal everywhere, and what a device calls itself."""

from __future__ import annotations

import re


def plain(word: str) -> str:
    """Small letters, digits and single hyphens; begins with a letter, ends with none of the hyphens."""
    text = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
    return text if text[:1].isalpha() else f"x{text}"


_OWN = re.compile(r"MF0;(.+):[^:]*\Z")
"""How a managed switch of NVIDIA describes itself: its name and its model."""


def own_name(description: str) -> str:
    """Return the host name in the description of a managed switch: `MF0;leaf-01:MQM9700/U1` is `leaf-01`."""
    match = _OWN.match(description)
    return match[1] if match else description
