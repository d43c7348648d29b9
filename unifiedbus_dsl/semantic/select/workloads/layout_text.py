"""A training step with another layout, as the language states it."""

from __future__ import annotations

from collections.abc import Iterator

from unifiedbus_dsl.semantic.select.workloads.forms import SCHEDULE_NAMES
from unifiedbus_dsl.semantic.select.workloads.stated import LAID_OUT, StatedWorkload
from unifiedbus_dsl.syntax.expression_text import argument
from unifiedbus_dsl.workload.training import Training


def layout_text(stated: StatedWorkload, asked: Training) -> str:
    """Return the call of a workload with the layout, the microbatch and the schedule of a step; the rest stays."""
    kept = [argument(arg) for arg in stated.node.args if arg.name is None or arg.name.text not in LAID_OUT]
    order = stated.arguments.get("order")
    shown = [f"order = [{', '.join(asked.layout.order)}]"] if order is not None else []
    return f"train({', '.join((*kept, *_laid_out(asked), *shown))})"


def _laid_out(asked: Training) -> Iterator[str]:
    layout = asked.layout
    for axis in ("tensor", "context", "pipeline", "expert"):
        if layout.size(axis) > 1:
            yield f"{axis} = {layout.size(axis)}"
    yield f"data = {layout.data}"
    if asked.microbatch > 1:
        yield f"microbatch = {asked.microbatch}"
    word = next(word for word, name in SCHEDULE_NAMES.items() if name == asked.schedule)
    if asked.chunks > 1:
        yield f"schedule = {word}({asked.chunks})"
    elif word != "one_f_one_b":
        yield f"schedule = {word}"
