"""The values of fields of parts, and what number one is."""

from __future__ import annotations

from typing import TypeAlias

from unifiedbus_dsl.base.units import Quantity

Value: TypeAlias = "Quantity | bool | str | tuple[Value, ...]"
"""The value of a field."""


def field_value(value: Value | None, default: float) -> float:
    """Return a field that is a quantity as a number in base units; the default where it is not there."""
    return float(value) if isinstance(value, Quantity) else default
