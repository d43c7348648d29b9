"""Bars of what the times of workloads are made of: one for each workload of a file, machine beside machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.units import TIME, format_share
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.axes import Axis, ticks
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, clipped, moved, straight, text_width
from unifiedbus_dsl.render.sheet import box_entry, line_entry, sheet, text_entry
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.workload.step import PARTS

_LEFT, _WIDE, _STEP, _TALL = 150.0, 480.0, 46.0, 22.0
TIMES = {"train": ("step_time",), "serve": ("prefill_time", "decode_time")}
"""The times of each form of workload."""
TITLES = {"step_time": "training step", "prefill_time": "prefill", "decode_time": "decode step"}
STYLES = dict(
    zip(
        PARTS,
        (
            palette.KindStyle(fill, stroke, "square")
            for fill, stroke in (
                ("#084594", "#052f66"),
                ("#4d9dd0", "#2b5c8a"),
                ("#c6dbef", "#2b5c8a"),
                ("#e69f00", "#8a5a00"),
                ("#cc79a7", "#8a2b5c"),
                ("#d55e00", "#7d3600"),
                ("#7f3c8d", "#4d194d"),
                ("#009e73", "#1e6b45"),
                ("#ffffff", "#8893a1"),
                ("#3d3d3d", "#1c2733"),
            )
        ),
        strict=True,
    )
)
"""How parts look: what is computed in blues, exchanges in colours of their own, the bubble empty."""
BOUND = palette.LOST


@frozen
class Row:
    """A bar: of which workload and system, what is asked, its answer."""

    workload: str
    system: str
    answer: Answer


def parts_chart(compilation: Compilation, sink: Sink) -> Picture | None:
    """Return the bars of all workloads of a file; None where none has a time, or after a diagnostic."""
    rows = list(_answers(compilation, sink))
    if not rows or sink.has_errors:
        return None
    marks: list[Mark] = []
    y = 0.0
    for measure in TITLES:
        some = [row for row in rows if row.answer.measure == measure]
        if some:
            drawn, height = _section(measure, some)
            marks += moved(drawn, 0.0, y)
            y += height
    seen = [part for part in PARTS if any(_seconds(row.answer, part) > 0 for row in rows)]
    legend = [box_entry(f"legend-{part}", part, STYLES[part]) for part in seen]
    legend.append(line_entry("legend-bound", "no schedule is below", BOUND))
    legend.append(text_entry("legend-kind", "estimates; exchanges as far as nothing hides them"))
    why = list(dict.fromkeys(each for row in rows for each in row.answer.assumptions))
    return sheet("Parts of the time", "of the workloads of a file", [(each, "") for each in why], [], marks, legend)


def _answers(compilation: Compilation, sink: Sink) -> Iterator[Row]:
    """Yield a row for each time of each workload."""
    assert compilation.model is not None
    askers: dict[str, MeasureEvaluator] = {}
    for name, node in track(compilation.model.asked(tree.Workload).items(), "workloads"):
        system = node.of.text
        if system not in askers:
            askers[system] = make_evaluator(compilation, NetworkContext(compilation.fabric(system)), sink)
        form = ".".join(dotted_name(node.value.function)) if isinstance(node.value, tree.Call) else ""
        for measure in TIMES.get(form, ()):
            answer = askers[system].answer(measure_calls(f"{measure}({name})", sink)[0])
            if answer is not None:
                yield Row(name, system, answer)


def _seconds(answer: Answer, part: str) -> float:
    return float(answer.detail["parts"].get(part, {"exposed_s": 0.0})["exposed_s"])


def _section(measure: str, rows: Sequence[Row]) -> tuple[list[Mark], float]:
    """Return the bars of one measure on one scale below its name, and their height."""
    axis = Axis.of(0.0, max(row.answer.value for row in rows), TIME, _WIDE)
    marks: list[Mark] = [Text(f"{measure}-name", 0.0, 8, TITLES[measure], 13, True, anchor="start", role="heading")]
    top = 24.0
    bottom = top + _STEP * len(rows)
    for mark in ticks(axis, _LEFT, top, bottom):
        marks.append(mark)
    for number, row in enumerate(rows):
        marks += _bar(f"{measure}-{number}", row, axis, top + number * _STEP + 4)
    return marks, bottom + 44


def _bar(id: str, row: Row, axis: Axis, y: float) -> Iterator[Mark]:
    """Yield the parts of a bar one beside the other, with their names where there is room, the bound, and figures."""
    answer = row.answer
    for k, (text, size) in enumerate(((row.workload, 12.0), (row.system, 10.5))):
        said = clipped(text, size, _LEFT - 12, bold=not k)
        colour = palette.QUIET if k else palette.INK
        yield Text(f"{id}-{k}", _LEFT - 12, y + 7 + 15 * k, said, size, not k, colour, "end", "row", tip=text)
    x = _LEFT
    for part in PARTS:
        seconds = _seconds(answer, part)
        if not seconds:
            continue
        width, look = axis.at(seconds), STYLES[part]
        tip = f"{row.workload} on {row.system}, {part}: {shown(seconds, TIME)}, {format_share(seconds / answer.value)}"
        yield Box(f"{id}-{part}", x, y, width, _TALL, look.fill, look.stroke, 0.8, "square", role="bar", tip=tip)
        if text_width(part, 10) + 4 <= width:
            yield Text(f"{id}-{part}-name", x + width / 2, y + _TALL / 2, part, 10, False, look.ink, role="bar-name",
                       tip=tip)  # fmt: skip
        x += width
    least = float(answer.detail["lower_bound_s"])
    at = _LEFT + axis.at(least)
    tip = f"no schedule below {shown(least, TIME)}: {answer.detail['bound_binding']}"
    yield Line(f"{id}-bound", straight((at, y - 3), (at, y + _TALL + 3)), BOUND, 2.0, role="bound", tip=tip)
    words = f"{answer.shown}, no schedule below {shown(least, TIME)}; {answer.detail['tokens_per_s']:,.0f} tokens/s"
    yield Text(f"{id}-figure", _LEFT, y + _TALL + 10, words, 10.5, False, palette.QUIET, "start", "figure", tip=words)
