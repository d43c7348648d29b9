"""The picture that a view asks for."""

from __future__ import annotations

from attrs import evolve

from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render.detail import MOST_DEVICES, TooManyMarksError, detail_picture
from unifiedbus_dsl.render.elevation import elevation_picture
from unifiedbus_dsl.render.filters import collapsed, helpful_collapse
from unifiedbus_dsl.render.floor import floor_picture
from unifiedbus_dsl.render.marks import Line, Mark, Picture, Text
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.view import View


def picture_of(view: View) -> Picture:
    """Return the picture of a view's type, laid out.

    Raises:
        TooManyMarksError: it would have more marks than anyone can look at.
        NotAnAssemblyError: the view's type has no parts.
        NothingPlacedError: a floor plan, or an elevation, of what is placed nowhere.
    """
    return evolve(_drawn(view), theme=view.survey.look.theme)


def _drawn(view: View) -> Picture:
    match view.layout:
        case "detail":
            shown = boxed(view)
            return detail_picture(shown.plan, shown.key, shown.survey)
        case "floor":
            return floor_picture(view.plan, view.key, view.survey)
        case "elevation":
            return elevation_picture(view.plan, view.key, view.survey)
    return overview_picture(view.plan, view.key, view.survey)


def boxed(view: View) -> View:
    """Return the view of a plan in which what it collapses is a box."""
    if not view.survey.look.closed:
        return view
    plan = collapsed(view.plan, view.survey.look.closed)
    if view.key not in plan.assemblies:
        return view
    survey = PlanSummary(plan, view.survey.look, view.survey.whole or view.plan)
    return evolve(view, survey=survey)


def part_of(plan: Plan, key: str) -> Plan:
    """Return the plan of one of its types alone."""
    return evolve(plan, root=key)


def too_many_help(view: View) -> str:
    """Return what to write where a detail picture is too large."""
    collapse = helpful_collapse(part_of(view.plan, view.key), MOST_DEVICES)
    if collapse is None:
        return "draw the overview, or a detail of one type with `--type`"
    kind, count = collapse
    return f"`collapse {kind}` leaves {count:,} boxes to draw"


def without_links(picture: Picture) -> Picture:
    """Return the picture alone: nothing to click that leads to a file which isn't there."""
    return evolve(picture, marks=tuple(_unlinked(mark) for mark in picture.marks))


def _unlinked(mark: Mark) -> Mark:
    if isinstance(mark, Text) and mark.id == "legend-fold":
        return evolve(mark, text=mark.text.partition(";")[0] if "folded" in mark.text else "")
    return mark if isinstance(mark, Line) or not mark.href else evolve(mark, href="")


__all__ = ["TooManyMarksError", "boxed", "picture_of", "too_many_help", "without_links"]
