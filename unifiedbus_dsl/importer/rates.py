"""Rates as people write them: `400G`, `100 Gbps`, `25Gb/s`."""

from __future__ import annotations

import re

_SPEED = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt])(?:b(?:it)?(?:/s|ps)?|bps)?", re.IGNORECASE)
_POWER = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def bytes_per_second(text: str) -> float | None:
    """Return the byte/s of a rate in bits; None where it is none, or has no unit and so says nothing for certain."""
    match = _SPEED.fullmatch(text.strip())
    value = float(match[1]) * _POWER[match[2].lower()] / 8 if match else 0.0
    return value if 1 <= value <= 1e18 else None
