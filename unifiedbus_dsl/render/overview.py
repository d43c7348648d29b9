"""The picture of an assembly from the plan alone: what it is made of, and what joins the parts.

Reads like the drawing on a whiteboard: NPUs below, switches above, equal siblings folded into first, …, last, the first
one opened to show what is inside. All cables between two arrays of parts are one bundle with one label. The work
depends on the size of the text, not of the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import count
from math import sqrt

from attrs import evolve

from unifiedbus_dsl.escape.paths import file_name
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render.cable_colours import FOLDED, coloured
from unifiedbus_dsl.render.folded.assembly import assembly_block
from unifiedbus_dsl.render.folded.block import Scope
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Line, Mark, Picture, identifier
from unifiedbus_dsl.render.outlines import up_to_outlines
from unifiedbus_dsl.render.plan_summary import PlanSummary, assembly_named, holders, rate_text, with_spares
from unifiedbus_dsl.render.sheet import (
    LINE_SAMPLES,
    figure_tiles,
    kind_entries,
    sheet,
    text_entry,
    width_entry,
    wiring_entries,
)
from unifiedbus_dsl.render.svg import svg

SMALLEST = 8.0
"""Pixels of the smallest text on a page; where it would be smaller, more is folded."""

TIGHTEST = 6
"""As far as arrays fold: eight cells usually, two at least."""

_UNIT_RATE = Fraction(50 * 10**9)


def line_width(rate: Fraction | float) -> float:
    """Points for a rate in byte/s: grows with its square root, the same in every picture."""
    return min(6.0, 0.7 + 0.25 * sqrt(float(rate) / float(_UNIT_RATE)))


def weighted(mark: Mark) -> Mark:
    """Return a line as wide as what it stands for."""
    if not isinstance(mark, Line) or mark.rate is None:
        return mark
    return evolve(mark, width=line_width(mark.rate))


def file_names(plan: Plan) -> Mapping[str, str]:
    """Return the file of each assembly type's picture: `pod.svg` for the system `pod`, `pod.Cabinet.svg` for a type in
    it, so that pictures of several systems can stand in one folder."""
    names: dict[str, str] = {plan.root: plan.system}
    for key in reversed(plan.bottom_up):
        if key not in names:
            base = f"{plan.system}.{identifier(key)}"
            taken = {name.lower() for name in names.values()}
            free = (base if i == 1 else f"{base}-{i}" for i in count(1))
            names[key] = next(name for name in free if name.lower() not in taken)
    return {key: file_name(name, ".svg") for key, name in names.items()}


def overview_picture(plan: Plan, type_key: str | None = None, survey: PlanSummary | None = None) -> Picture:
    """Return the picture of an assembly type of the plan (the whole system if none is named) as values."""
    key = type_key or plan.root
    assembly = assembly_named(plan, key)
    shared = coloured(survey or PlanSummary(plan), key, FOLDED)
    files = file_names(plan)
    figures = shared.figures[key]
    legend_of = shared.look.legend
    samples = [(rate_text(rate), line_width(rate)) for rate in LINE_SAMPLES]
    drawing = overview_drawing(plan, key, shared)
    wiring = legend_of or wiring_entries(shared, figures, drawing)
    legend = [*wiring, *shared.look.part_legend, *kind_entries(figures)]
    if figures.cables:
        legend.append(width_entry(samples))
    said = [
        *(["equal parts are folded"] if any(mark.role in ("gap", "shadow") for mark in drawing) else []),
        *(["a click on a part opens its own picture"] if len(files) > 1 else []),
    ]
    if said:
        legend.append(text_entry("legend-fold", "; ".join(said)))
    head, tiles = head_of(shared, key, assembly.kind), figure_tiles(shared, key)
    notes = [*shared.look.notes, *((note, "") for note in head.notes), *_uses(plan, key, files)]
    made = sheet(
        head.title,
        head.kind,
        notes,
        tiles,
        drawing,
        legend,
        assembly.doc or "",
    )
    if made.smallest_text() >= SMALLEST or shared.look.tight == TIGHTEST:
        return made
    return overview_picture(plan, key, evolve(shared, look=evolve(shared.look, tight=shared.look.tight + 1)))


def overview_drawing(plan: Plan, key: str, survey: PlanSummary) -> list[Mark]:
    """Return the drawing without the sheet around it."""
    scope = Scope(survey, assembly_named(plan, key), 0, "", file_names(plan), assembly_block)
    return [weighted(mark) for mark in up_to_outlines(assembly_block(scope).marks)]


def _uses(plan: Plan, key: str, files: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return where a type is used."""
    if key == plan.root:
        return []
    number = with_spares(plan.in_service[key], plan.instances[key] - plan.in_service[key])
    return [(f"{number} in system {plan.system} · part of {upper}", files[upper]) for upper in holders(plan, key)]


def overview(plan: Plan, type_key: str | None = None) -> str:
    """Return the picture of an assembly type of the plan (the whole system if none is named) as SVG.

    Raises:
        NoGraphvizError: there is nothing to draw with.
    """
    return svg(overview_picture(plan, type_key))


def overview_set(plan: Plan) -> Mapping[str, str]:
    """Return a picture for the system and for each assembly type in it, by file name; each links to the others."""
    if plan.root not in plan.assemblies:
        return {}
    survey = PlanSummary(plan)
    files = file_names(plan)
    return {files[key]: svg(overview_picture(plan, key, survey)) for key in files}
