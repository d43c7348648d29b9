"""The bandwidth ladder of a system: what the cables between tiers carry for an end point, and what gets through the
walls of assemblies.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.analysis.report.datasheet import datasheet
from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Box, Mark, Picture, Text, clipped
from unifiedbus_dsl.render.plan_summary import PlanSummary, kind_name
from unifiedbus_dsl.render.sheet import box_entry, sheet, text_entry
from unifiedbus_dsl.solver.network_context import NetworkContext

_BAR = 420.0
_LEFT = 170.0
_STEP = 46.0
BAND = palette.KindStyle("#dbe9f6", "#2b5c8a", "square")
INSIDE = palette.KindStyle("#fdebc8", "#8a5a00", "square")
WALL = palette.KindStyle("#dcefe4", "#1e6b45", "square")


@frozen
class Rung:
    """A row: its name, a figure with what it is, bars (byte/s and look), and what stands beside and below them."""

    name: str
    bars: Sequence[tuple[float, palette.KindStyle]]
    figure: str
    words: str


def ladder(compilation: Compilation, plan: Plan, sink: Sink) -> Picture | None:
    """Return the ladder of a system, the outermost tier on top; None after a diagnostic in the sink."""
    asker = make_evaluator(compilation, NetworkContext(compilation.fabric(plan.system)), sink)
    ends = f"all {end_kind(plan)}"
    questions = [f"tiers({ends})", *(each for each in datasheet(plan) if each.startswith("oversubscription"))]
    answers = []
    for question in questions:
        answer = asker.answer(measure_calls(question, Sink())[0])
        if answer is None:
            return None
        answers.append(answer)
    count = sum(plan.in_service[key] for key, device in plan.devices.items() if device.kind == end_kind(plan))
    rungs = [*_walls(answers[1:], count), *_bands(answers[0], count)]
    marks = [mark for at, rung in enumerate(rungs) for mark in _drawn(rungs, at, rung)]
    head = head_of(PlanSummary(plan), plan.root, "bandwidth ladder")
    standing = ", ".join(dict.fromkeys(answer.standing for answer in answers))
    legend = [
        box_entry("legend-band", "cables between two tiers, for each end point, one way", BAND),
        box_entry("legend-inside", "what the end points inside can send toward a wall, drawn as the whole", INSIDE),
        box_entry("legend-wall", "what gets through it", WALL),
        text_entry("legend-kind", f"{standing}; tiers by distance from the end points, 0 are these"),
    ]
    tiles = [(f"{count:,}", kind_name(end_kind(plan), count)), (answers[0].shown, "tiers")]
    return sheet(head.title, head.kind, [(note, "") for note in head.notes], tiles, marks, legend)


def _bands(answer: Answer, count: int) -> list[Rung]:
    """Return a rung for the cables between each two tiers, the outermost first."""
    rungs = []
    for band in reversed(answer.detail["bands"]):
        low, _, high = str(band["tiers"]).partition(" to ")
        rate, cables = float(band["bandwidth"]), int(band["cables"])
        name = f"within tier {low}" if low == high else f"tier {low} – {high}"
        many = "cable" if cables == 1 else "cables"
        words = f"{shown(rate, RATE)} over {cables:,} {many}: {', '.join(band['links'])}"
        rungs.append(Rung(name, [(rate / count, BAND)], f"{shown(rate / count, RATE)}", words))
    return rungs


def _walls(answers: Sequence[Answer], count: int) -> list[Rung]:
    """Return a rung for the walls of each level of assemblies, the outermost first."""
    rungs = []
    for answer in answers:
        if not 0 < answer.value < float("inf"):
            continue
        level = answer.arguments.partition(",")[0].removeprefix("all ")
        inside, wall = float(answer.detail["inside"]), float(answer.detail["wall"])
        where = f"{answer.binding[0]}: " if answer.binding else ""
        words = f"{where}{shown(inside, RATE)} inside, {shown(wall, RATE)} through the wall"
        rungs.append(
            Rung(f"wall of a {kind_name(level, 1)}", [(1.0, INSIDE), (wall / inside, WALL)], answer.shown, words)
        )
    return rungs


def _drawn(rungs: Sequence[Rung], at: int, rung: Rung) -> list[Mark]:
    """Return the marks of a rung. Bars of tiers have one scale; of a wall what is inside is the whole."""
    bands = [value for each in rungs for value, look in each.bars if look is BAND]
    y = at * _STEP
    tip = f"{rung.name}: {rung.figure}\n{rung.words}"
    marks: list[Mark] = [
        Text(f"rung-{at}", _LEFT - 12, y + 12, clipped(rung.name, 12, _LEFT - 12), 12, True, anchor="end", role="rung")
    ]
    tall = 20.0 / len(rung.bars)
    longest = 0.0
    for number, (value, look) in enumerate(rung.bars):
        whole = max(bands) if look is BAND else max(1.0, *(value for value, _ in rung.bars))
        width = max(1.0, _BAR * value / whole) if whole else 1.0
        longest = max(longest, width)
        at_y, id = y + 2 + number * tall, f"rung-{at}-bar-{number}"
        marks.append(Box(id, _LEFT, at_y, width, tall, look.fill, look.stroke, 1.0, "square", role="bar", tip=tip))
    marks += [
        Text(f"rung-{at}-figure", _LEFT + longest + 8, y + 12, rung.figure, 12, True, anchor="start", role="figure"),
        Text(f"rung-{at}-words", _LEFT, y + 31, clipped(rung.words, 10.5, 600), 10.5, False, palette.QUIET, "start",
             role="words", tip=rung.words),
    ]  # fmt: skip
    return marks
