"""Small multiples: the systems of a file beside each other, folded alike, at one scale and in the same colours."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.before_after import WIDEST
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Mark, Picture, Text, identifier, moved, wrapped
from unifiedbus_dsl.render.overview import TIGHTEST, line_width, overview_drawing
from unifiedbus_dsl.render.palette import medium_colours
from unifiedbus_dsl.render.plan_summary import PlanSummary, medium, rate_text
from unifiedbus_dsl.render.sheet import (
    LINE_SAMPLES,
    bounds,
    figure_tiles,
    kind_entries,
    line_entry,
    sheet,
    text_entry,
    width_entry,
)
from unifiedbus_dsl.render.style import Style

_APART = 36.0
_NARROWEST = 220.0


def family_picture(plans: Sequence[Plan], title: str) -> Picture:
    """Return the overviews of some systems, each with its name and key figures."""
    look = Style(by="medium", tight=TIGHTEST)
    surveys = [PlanSummary(plan, look) for plan in plans]
    marks: list[Mark] = []
    x = y = tall = 0.0
    for survey in surveys:
        panel, room, height = _panel(survey)
        if x and x + room > WIDEST:
            x, y, tall = 0.0, y + tall + _APART, 0.0
        id = identifier(survey.plan.system)
        marks += [evolve(mark, id=f"{id}-{mark.id}") for mark in moved(panel, x, y)]
        x, tall = x + room + _APART, max(tall, height)
    media = sorted({medium(plan, rule.link) for plan in plans for key in plan.bottom_up
                    for rule in plan.assemblies[key].rules})  # fmt: skip
    colours = medium_colours(media)
    legend = [line_entry(f"legend-{name}", palette.medium_name(name), colours[name]) for name in media]
    kinds = {mark.id: entry for survey in surveys for entry in kind_entries(survey.figures[survey.plan.root])
             for mark in entry[:1]}  # fmt: skip
    legend += list(kinds.values())
    legend.append(width_entry([(rate_text(rate), line_width(rate)) for rate in LINE_SAMPLES]))
    legend.append(text_entry("legend-fold", "equal parts are folded"))
    return sheet(title, f"family of {len(plans)}, one scale", [], [], marks, legend)


def _panel(survey: PlanSummary) -> tuple[list[Mark], float, float]:
    """Return the overview of a system with its name and figures above it, its width and its height."""
    plan = survey.plan
    drawing = overview_drawing(plan, plan.root, survey)
    left, top, right, bottom = bounds(drawing)
    room = max(right - left, _NARROWEST)
    head = head_of(survey, plan.root, "").title
    figures = " · ".join(f"{value} {name}" for value, name in figure_tiles(survey, plan.root))
    marks: list[Mark] = [
        Text(f"heading-{i}", 0, 8 + 18 * i, line, 15, True, anchor="start", role="heading")
        for i, line in enumerate(wrapped(head, 17.5, room, 2))
    ]
    low = 8 + 18.0 * len(marks)
    lines = [line for said in (f"system {plan.system}", figures) for line in wrapped(said, 11.5, room, 4)]
    marks += [
        Text(f"figures-{i}", 0, low + 15 * i, line, 11, False, palette.QUIET, "start", role="words")
        for i, line in enumerate(lines)
    ]
    low += 15 * len(lines) + 6
    return [*marks, *moved(drawing, -left, low - top)], room, low + bottom - top
