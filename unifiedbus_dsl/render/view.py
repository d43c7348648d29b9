"""What a picture shows: a view that was read and checked, as values in terms of the plan."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render.plan_summary import PlanSummary
from unifiedbus_dsl.render.style import Style
from unifiedbus_dsl.syntax import tree

Layout: TypeAlias = Literal["overview", "detail", "floor", "elevation"]
LAYOUTS: tuple[Layout, ...] = ("overview", "detail", "floor", "elevation")

LINK_LABELS = ("bandwidth", "count", "rate", "link", "medium", "protocol", "lanes", "none")
LINK_COLOURS = ("medium", "protocol", "plane", "rail", "dimension", "link", "lanes", "load")


@frozen(eq=False)
class View:
    """A view that was understood. `key` is the type to draw; `load` asks for utilisation of cables in that colour."""

    survey: PlanSummary
    key: str
    layout: Layout
    load: tree.Expr | None = None
    span: Span | None = None
    """Where the view is written."""

    @property
    def plan(self) -> Plan:
        return self.survey.plan

    def with_style(self, look: Style) -> View:
        """Return the same with another look."""
        return evolve(self, survey=evolve(self.survey, look=look))
