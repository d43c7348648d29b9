"""A plot of the designs of an exploration over their first two objectives, those on the front labelled."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from unifiedbus_dsl.analysis.explore.explorations import Design, Explored
from unifiedbus_dsl.analysis.explore.front import Standing
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.base.units import NUMBER, Dimension, Quantity, format_quantity
from unifiedbus_dsl.figures.plots import Format, plotted
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.render import palette

MOST_LABELS = 24
"""Designs that get their values as label; of more, their numbers."""
LETTERS = 40
"""Of a label."""


class NothingToPlotError(ValueError):
    """No design has values to be plotted."""


def front_plot(explored: Explored, format: Format) -> bytes:
    """Return the designs as points over the first two objectives; over one objective, by their numbers.

    Raises:
        NoMatplotlibError: Matplotlib is not installed.
        NothingToPlotError: no design has values, or nothing is asked.
    """
    questions = explored.problem.questions[:2]
    designs = [d for d in explored.designs if d.standing is not None and _known(d, len(questions))]
    if not questions or not designs:
        raise NothingToPlotError("there is nothing to plot: no design has values")

    def draw(axes: Any) -> None:
        for standing, style in _STYLES.items():
            some = [design for design in designs if design.standing is standing]
            if some:
                _points(axes, some, len(questions), standing.value, style)
        _labels(axes, [design for design in designs if design.on_front], len(questions))
        _axis_titles(axes, explored, designs)
        axes.margins(0.12)
        axes.legend(frameon=False)

    return plotted(5.2, explored.headline(), format, draw)


_STYLES: dict[Standing, dict[str, Any]] = {
    Standing.OFF: {"color": palette.QUIET, "marker": "."},
    Standing.POSSIBLY: {"color": palette.LINES[0], "marker": "o", "markerfacecolor": "none"},
    Standing.ON: {"color": palette.LINES[0], "marker": "o"},
}


def _known(design: Design, count: int) -> bool:
    answers = design.solved.answers[:count]
    return all(each is not None and np.isfinite((each.lower, each.value, each.upper)).all() for each in answers)


def _points(axes: Any, designs: Sequence[Design], count: int, label: str, style: dict[str, Any]) -> None:
    x, y = _coordinates(designs, count)
    spread = [_spread(designs, place) for place in range(count)]
    errors = {"xerr": spread[0], "yerr": spread[1]} if count == 2 else {"yerr": spread[0]}
    axes.errorbar(x, y, **errors, linestyle="none", label=label, elinewidth=0.8, **style)


def _coordinates(designs: Sequence[Design], count: int) -> tuple[Floats, Floats]:
    values = np.array([[_answer(design, place).value for place in range(count)] for design in designs])
    if count == 2:
        return values[:, 0], values[:, 1]
    return np.array([design.number for design in designs], dtype=np.float64), values[:, 0]


def _answer(design: Design, place: int) -> Answer:
    answer = design.solved.answers[place]
    assert answer is not None
    return answer


def _spread(designs: Sequence[Design], place: int) -> Floats:
    """Return how far the bounds are from each value, [2, designs]."""
    answers = [_answer(design, place) for design in designs]
    return np.array([[max(0.0, a.value - a.lower) for a in answers], [max(0.0, a.upper - a.value) for a in answers]])


def _labels(axes: Any, designs: Sequence[Design], count: int) -> None:
    x, y = _coordinates(designs, count) if designs else (np.zeros(0), np.zeros(0))
    for design, left, up in zip(designs, x.tolist(), y.tolist(), strict=True):
        axes.annotate(
            _label(design, len(designs)), (left, up), xytext=(5, 4), textcoords="offset points", fontsize=8,
            parse_math=False,
        )  # fmt: skip


def _label(design: Design, many: int) -> str:
    text = ", ".join(f"{name}={value}" for name, value in design.settings.items())
    return f"#{design.number}" if many > MOST_LABELS or len(text) > LETTERS else text


def _axis_titles(axes: Any, explored: Explored, designs: Sequence[Design]) -> None:
    from matplotlib.ticker import FuncFormatter

    questions = explored.problem.questions[:2]
    sides = [(axes.xaxis, axes.set_xlabel), (axes.yaxis, axes.set_ylabel)][-len(questions) :]
    if len(questions) == 1:
        axes.set_xlabel("number of the design")
    for place, (side, title) in enumerate(sides):
        title(questions[place].text, parse_math=False)
        dimension = _answer(designs[0], place).dimension
        side.set_major_formatter(FuncFormatter(lambda value, _, dimension=dimension: _tick(value, dimension)))


def _tick(value: float, dimension: Dimension) -> str:
    return f"{value:g}" if dimension == NUMBER else format_quantity(Quantity(Fraction(value), dimension))
