"""Machine against machine: a dot for each system, where two measures put it, with lines as long as their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from unifiedbus_dsl.analysis.evaluators import measure_calls
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.axes import Axis, frame
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, identifier, straight, text_width
from unifiedbus_dsl.render.sheet import Area, line_entry, sheet, text_entry

_WIDE, _TALL = 640.0, 420.0
_LEFT = 70.0
_DOT = 9.0
BUDGET = 10.0
"""Seconds for both measures of a system; what is not solved in it lies between bounds, which are drawn."""
COLOUR = palette.LINES[0]


def two_measures(text: str, sink: Sink) -> tuple[str, str] | None:
    """Return the two measures of `scatter(A, B)`; None after a diagnostic."""
    calls = measure_calls(text, sink)
    if len(calls) == 1 and len(calls[0].args) == 2:
        one, other = (arg.value.span.one_line for arg in calls[0].args)
        return one, other
    return None


def scatter(compilation: Compilation, across: str, up: str, sink: Sink) -> Picture | None:
    """Return the systems of a file by two measures, each worked out within `BUDGET`; None where fewer than one has
    both."""
    found: list[tuple[str, Answer, Answer]] = []
    missing: list[str] = []
    for system in compilation.systems:
        report = ask(compilation, system, f"{across}; {up}", budget=BUDGET)
        for each in report.diagnostics:
            sink.add(each)
        if len(report.answers) == 2 and all(0 <= a.lower <= a.upper < float("inf") for a in report.answers):
            found.append((system, *report.answers))
        else:
            missing.append(system)
    if not found:
        return None
    axes = _axis([a for _, a, _ in found], _WIDE), _axis([b for _, _, b in found], _TALL)
    marks = [*frame(axes, (across, up), _LEFT), *_dots(axes, found)]
    legend = [text_entry("legend-dot", "a dot: exact, or an estimate where it says so")]
    if any(answer.kind == "interval" for _, a, b in found for answer in (a, b)):
        legend.append(line_entry("legend-bounds", "between proved bounds", COLOUR))
    scales = sorted({"logarithmic" if axis.log else "linear" for axis in axes})
    legend.append(text_entry("legend-scale", f"scales: {', '.join(scales)}"))
    notes = [(f"without an answer: {', '.join(missing)}", "")] if missing else []
    return sheet("Machine against machine", f"{len(found)} systems", notes, [], marks, legend)


def _axis(answers: Sequence[Answer], length: float) -> Axis:
    return Axis.of(min(a.lower for a in answers), max(a.upper for a in answers), answers[0].dimension, length)


def _dots(axes: tuple[Axis, Axis], found: Sequence[tuple[str, Answer, Answer]]) -> list[Mark]:
    marks: list[Mark] = []
    labels: list[Area] = []
    spots = [(_LEFT + axes[0].at(a.value), _TALL - axes[1].at(b.value)) for _, a, b in found]
    dots = [(x - _DOT / 2 - 1, y - _DOT / 2 - 1, x + _DOT / 2 + 1, y + _DOT / 2 + 1) for x, y in spots]
    for (system, a, b), (x, y) in zip(found, spots, strict=True):
        id = identifier(system)
        tip = "\n".join([system, *(f"{each.label}: {each.shown} ({each.standing})" for each in (a, b))])
        low, high = _LEFT + axes[0].at(a.lower), _LEFT + axes[0].at(a.upper)
        if a.kind == "interval":
            marks.append(Line(f"{id}-x", straight((low, y), (high, y)), COLOUR, 2.0, role="bounds", tip=tip))
        low, high = _TALL - axes[1].at(b.lower), _TALL - axes[1].at(b.upper)
        if b.kind == "interval":
            marks.append(Line(f"{id}-y", straight((x, low), (x, high)), COLOUR, 2.0, role="bounds", tip=tip))
        fill = palette.PAPER if "estimate" in (a.kind, b.kind) else COLOUR
        marks.append(Box(f"{id}-dot", x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, fill, COLOUR, 1.4, "ellipse",
                         role="dot", tip=tip))  # fmt: skip
        text = system + (" (estimate)" if "estimate" in (a.kind, b.kind) else "")
        spot = _free(text, x, y, [*labels, *dots])
        labels.append(_box(text, *spot))
        marks.append(Text(f"{id}-name", *spot, text, 11, anchor="start", role="name", tip=tip))
    return marks


def _box(text: str, x: float, y: float) -> Area:
    return x, y - 6.5, x + text_width(text, 11), y + 6.5


def _free(text: str, x: float, y: float, taken: Sequence[Area]) -> tuple[float, float]:
    """Return where the name of a dot stands: to its right or left, as little above or below as others leave."""
    left = x - text_width(text, 11) - 9
    for step in count():
        for dy in (step * 7.0, -step * 7.0):
            for at in (x + 9, left):
                box = _box(text, at, y + dy)
                if box[0] >= 0 and not any(
                    box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
                    for other in taken
                ):
                    return at, y + dy
    raise AssertionError
