"""Rates as people write them: `400G`, `100 Gbps`, `25Gb/s`, `400GbE`, and InfiniBand's `4xNDR`."""

from __future__ import annotations

import re

_SPEED = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt])(?:b(?:it)?(?:/s|ps)?|bps|b?e)?", re.IGNORECASE)
LANE_GBPS = {
    "SDR": 2.5, "DDR": 5, "QDR": 10, "FDR10": 10, "FDR": 14, "EDR": 25, "HDR": 50, "NDR": 100, "XDR": 200,
}  # fmt: skip
"""Nominal rate of a lane of InfiniBand, each way (InfiniBand Trade Association, roadmap)."""
_NAMED = re.compile(r"(\d{1,2})\s*x\s*([a-z]+(?:10)?)", re.IGNORECASE)
_POWER = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def bytes_per_second(text: str) -> float | None:
    """Return the byte/s of a rate in bits; None where it is none, or has no unit and so says nothing for certain."""
    named = _NAMED.fullmatch(text.strip())
    if named is not None:
        return int(named[1]) * LANE_GBPS.get(named[2].upper(), 0) * 1.25e8 or None
    match = _SPEED.fullmatch(text.strip())
    value = float(match[1]) * _POWER[match[2].lower()] / 8 if match else 0.0
    return value if 1 <= value <= 1e18 else None
