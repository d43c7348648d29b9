"""Fills of devices by their kind, for the formats that are pictures."""

from __future__ import annotations

FILLS = {"npu": "#dae8fc", "cpu": "#e1d5e7", "switch": "#d5e8d4", "nic": "#ffe6cc"}
OTHER = "#f5f5f5"
