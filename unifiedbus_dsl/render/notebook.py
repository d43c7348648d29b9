"""What a notebook shows of a plan, and of what has one."""

from __future__ import annotations

from unifiedbus_dsl.ir.plan import Plan, draw_for_notebook
from unifiedbus_dsl.render.engine import NoGraphvizError
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.pictures import without_links
from unifiedbus_dsl.render.scope import scoped
from unifiedbus_dsl.render.svg import svg


def notebook_svg(plan: Plan) -> str | None:
    """Return the overview as SVG, which shares a page with those of other cells; None
    where the plan has no parts, or there is nothing to draw with."""
    if plan.root not in plan.assemblies:
        return None
    try:
        return scoped(svg(without_links(overview_picture(plan))))
    except NoGraphvizError:
        return None


draw_for_notebook.append(notebook_svg)
