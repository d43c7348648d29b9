"""Axes of a chart: from values to points, with ticks that have a text."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from attrs import evolve, frozen

from unifiedbus_dsl.base.units import Dimension
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Text, clipped, straight, text_width


@frozen
class Axis:
    """From a value to points; `ticks` have a text."""

    low: float
    high: float
    log: bool
    length: float
    ticks: Sequence[float]
    dimension: Dimension

    @classmethod
    def of(cls, least: float, most: float, dimension: Dimension, length: float) -> Axis:
        """Return an axis for values from `least` to `most`: logarithmic where these are far apart, else from 0 on."""
        if least > 0 and most > 8 * least:
            low, high = 10.0 ** floor(log10(least)), 10.0 ** ceil(log10(most) + 1e-9)
            decades = [low * 10**k for k in range(round(log10(high / low)) + 1)]
            return cls(low, high, True, length, decades, dimension)
        step = 10.0 ** floor(log10(most or 1.0))
        step = next(each for each in (step / 5, step / 2, step, 2 * step) if (most or 1.0) / each <= 6)
        high = step * ceil((most or 1.0) / step * 1.02)
        return cls(0.0, high, False, length, [step * k for k in range(round(high / step) + 1)], dimension)

    @classmethod
    def decades(cls, least: float, most: float, dimension: Dimension, length: float) -> Axis:
        """Return a logarithmic axis for values from `least` to `most`, more than nothing, and little beyond them."""
        low, high = least / 1.2, most * 1.4
        first, last = floor(log10(low)), ceil(log10(high))
        ticks = [k * 10.0**exponent for exponent in range(first, last + 1) for k in (1, 2, 5)]
        return cls(low, high, True, length, [tick for tick in ticks if low <= tick <= high], dimension)

    def until(self, most: float) -> Axis:
        """Return the axis with its end at a value."""
        return evolve(self, high=most, ticks=[tick for tick in self.ticks if tick <= most])

    def at(self, value: float) -> float:
        if self.log:
            return self.length * log10(max(value, self.low) / self.low) / log10(self.high / self.low)
        return self.length * value / self.high


def frame(axes: tuple[Axis, Axis], names: tuple[str, str], left: float) -> list[Mark]:
    """Return the ground of a chart with both axes, the one across and the one up, their ticks and names."""
    (x_axis, y_axis), (across, up) = axes, names
    wide, tall = x_axis.length, y_axis.length
    marks: list[Mark] = [
        Box("ground", left, 0, wide, tall, palette.LEVELS[0], palette.HAIR, shape="square", behind=True, role="room"),
        *ticks(x_axis, left, 0.0, tall),
    ]
    for i, value in enumerate(y_axis.ticks):
        y = tall - y_axis.at(value)
        marks.append(Line(f"y-{i}-line", straight((left, y), (left + wide, y)), palette.HAIR, 0.6, role="axis"))
        text = _said(value, y_axis)
        marks.append(Text(f"y-{i}", left - 6, y, text, 10, False, palette.QUIET, "end", role="axis"))
    name = clipped(across, 12, wide)
    marks.append(Text("x-name", left + wide / 2, tall + 34, name, 12, True, role="axis-name", tip=across))
    marks.append(Text("y-name", left, -16, clipped(up, 12, wide), 12, True, anchor="start", role="axis-name", tip=up))
    return marks


def ticks(axis: Axis, left: float, top: float, bottom: float) -> list[Mark]:
    """Return the ticks of an axis across, with the texts that there is room for below `bottom`."""
    marks: list[Mark] = []
    room = 0.0
    for i, value in enumerate(axis.ticks):
        x = left + axis.at(value)
        marks.append(Line(f"x-{i}-line", straight((x, top), (x, bottom)), palette.HAIR, 0.6, role="axis"))
        text = _said(value, axis)
        if x - text_width(text, 10) / 2 >= room:
            marks.append(Text(f"x-{i}", x, bottom + 14, text, 10, False, palette.QUIET, role="axis"))
            room = x + text_width(text, 10) / 2 + 6
    return marks


def _said(value: float, axis: Axis) -> str:
    """Return the text of a tick; nothing has no unit."""
    return shown(value, axis.dimension) if value else "0"
