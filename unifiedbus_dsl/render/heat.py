"""A figure for each two parts of a machine as a table of colours, its numbers written in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.units import format_number
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Mark, Picture, Text, clipped, text_width
from unifiedbus_dsl.render.sheet import box_entry, sheet, text_entry

_TALL = 26.0
_ROOM = 760.0
_WIDEST = 72.0
_NAME = 200.0
_ALIKE = 1e-9
"""Relative difference of values that are shown as one."""


@frozen(eq=False)
class Heat:
    """A figure of each two of `names`: `values` [P, P] in `unit`, NaN where it means nothing, infinite where there is
    no path; `what` says what a row is, `cell` what a cell is."""

    names: Sequence[str]
    values: NDArray[np.float64]
    unit: str
    what: str
    cell: str = ""


def heat_picture(heat: Heat, title: str, notes: Sequence[str], tiles: Sequence[tuple[str, str]]) -> Picture:
    """Return the table: rows with their names, columns with the same below the name of the array that they are of."""
    steps = _Steps.of(heat.values)
    count = len(heat.names)
    width = min(_WIDEST, max([_ROOM / count, *(_value_width(v) for v in heat.values.ravel().tolist())]))
    marks: list[Mark] = _column_names(heat.names, width)
    for i, name in enumerate(heat.names):
        y = (i + 0.5) * _TALL
        shown = clipped(_row_name(name), 11, _NAME)
        marks.append(Text(f"row-{i}", -12, y, shown, 11, anchor="end", role="row", tip=name))
        for j, other in enumerate(heat.names):
            value = float(heat.values[i, j])
            marks += _cell(heat, steps, f"cell-{i}-{j}", j * width, i * _TALL, width, value, f"{name} – {other}")
    legend = [*steps.entries(heat.unit), text_entry("legend-what", heat.what)]
    return sheet(title, f"map · {heat.cell}", [(note, "") for note in notes], tiles, marks, legend)


def _column_names(names: Sequence[str], width: float) -> list[Mark]:
    """Return the names of the columns: subscripts alone, below the name of their array; of a block the first and the
    last."""
    marks: list[Mark] = []
    split = [_split_name(name) for name in names]
    low = -10.0
    for i, (_, own) in enumerate(split):
        for line, text in enumerate(reversed(own)):
            short = text if text_width(text, 10) <= width - 2 else text.replace(", ", ",").replace("… ", "…")
            shown = clipped(short, 10, width - 2)
            id = f"column-{i}-{line}" if line else f"column-{i}"
            marks.append(Text(id, (i + 0.5) * width, low - 13 * line, shown, 10, role="column", tip=names[i]))
    top = low - 13 * max(len(own) for _, own in split) - 2
    at = 0
    for array, group in groupby(split, key=lambda each: each[0]):
        columns = len(list(group))
        text = clipped(array, 11, columns * width - 4)
        if array:
            middle = (at + columns / 2) * width
            marks.append(Text(f"columns-{at}", middle, top, text, 11, True, role="columns", tip=array))
        at += columns
    return marks


def _row_name(name: str) -> str:
    """Return a name as it stands beside a row: where it is long, that of the array once."""
    array, own = _split_name(name)
    return name if text_width(name, 11) <= _NAME else " ".join([array + own[0], *own[1:]])


def _split_name(name: str) -> tuple[str, list[str]]:
    """`rack[0] … rack[2]`: the array `rack`, and `[0]` and `… [2]`; a name without subscripts has no array."""
    first, _, last = name.partition(" … ")
    array, bracket, _ = first.rpartition("[")
    if not bracket:
        return "", [first, *([f"… {last}"] if last else [])]
    own = [first[len(array) :]]
    if last:
        own.append(f"… {last[len(array) :] if last.startswith(array + bracket) else last}")
    return array, own


def _cell(heat: Heat, steps: _Steps, id: str, x: float, y: float, width: float, value: float, pair: str) -> list[Mark]:
    if np.isnan(value):
        return [Box(id, x, y, width, _TALL, palette.LEVELS[0], palette.PAPER, shape="square", role="no-cell")]
    if np.isinf(value):
        fill, text, tip = palette.PAPER, "none", f"{pair}: no path"
    else:
        fill, text, tip = steps.colour(value), format_number(value), f"{pair}: {value:,.6g} {heat.unit}"
    ink = palette.PAPER if fill in palette.DARK_STEPS else palette.INK
    return [
        Box(id, x, y, width, _TALL, fill, palette.PAPER, shape="square", role="cell", tip=tip),
        Text(f"{id}-value", x + width / 2, y + _TALL / 2, text, 10, False, ink, role="value", tip=tip),
    ]


def _value_width(value: float) -> float:
    return text_width(format_number(value), 10) + 8 if np.isfinite(value) else 36.0


@frozen(eq=False)
class _Steps:
    """Colours of values: one for each where there are few, else equal ranges. `limits` are the upper bounds."""

    limits: NDArray[np.float64]
    each: bool
    low: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> _Steps:
        finite = np.sort(values[np.isfinite(values)])
        if not len(finite):
            return cls(np.zeros(0), True, 0.0)
        new = np.r_[True, np.diff(finite) > _ALIKE * np.maximum(np.abs(finite[1:]), 1e-300)]
        distinct = finite[new]
        if len(distinct) <= len(palette.STEPS):
            return cls(distinct, True, float(finite[0]))
        limits = np.linspace(finite[0], finite[-1], len(palette.STEPS) + 1)[1:]
        limits[-1] = finite[-1]
        return cls(limits, False, float(finite[0]))

    def colour(self, value: float) -> str:
        slack = value * (1 - _ALIKE)
        step = min(int(np.searchsorted(self.limits, slack)), len(self.limits) - 1)
        return self._colours[step]

    @property
    def _colours(self) -> Sequence[str]:
        last = len(palette.STEPS) - 1
        many = len(self.limits)
        return [palette.STEPS[round(i * last / max(many - 1, 1)) if many > 1 else 2] for i in range(many)]

    def entries(self, unit: str) -> list[list[Mark]]:
        marks: list[list[Mark]] = []
        if not len(self.limits):  # no two parts are joined
            return marks
        lows = [self.low, *self.limits[:-1].tolist()]
        for i, (colour, low, high) in enumerate(zip(self._colours, lows, self.limits.tolist(), strict=True)):
            text = (
                f"{format_number(high)} {unit}" if self.each else f"{format_number(low)} – {format_number(high)} {unit}"
            )
            marks.append(box_entry(f"legend-step-{i}", text, palette.KindStyle(colour, palette.PAPER, "square")))
        return marks
