"""Workloads on a fabric: the time of a training step, the layouts that make it least, the rates of serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from unifiedbus_dsl.analysis.api.asking import QuestionError, evaluator_of_fabric, or_all_ends
from unifiedbus_dsl.analysis.build_call import build_call
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.workloads import best_layouts as search
from unifiedbus_dsl.measures.workloads.best_layouts import BestLayouts
from unifiedbus_dsl.measures.workloads.read_workload import read_for_layouts
from unifiedbus_dsl.measures.workloads.serving import ServingStep, time_serving
from unifiedbus_dsl.measures.workloads.serving_answers import serving_of
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, time_step
from unifiedbus_dsl.measures.workloads.training_answers import training_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.serving import Serving
from unifiedbus_dsl.workload.training import Training

T = TypeVar("T")


def training_step(fabric: Fabric, asked: Training | str, ends: str = "") -> TrainingStep:
    """Return the time of a training step: an estimate with its parts, and a bound that no schedule beats.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        asked: model, batch, layout and schedule (`unifiedbus_dsl.workload.training`); or a workload of the text by its
            name, or `train(…)`, which says itself on which end points.
        ends: a selection of end points of one type, on which ranks stand in order; default: all.

    Raises:
        QuestionError: the selection is wrong, or the workload of the text does not fit.
        MisfitError: the step does not fit the end points, its model or the memory.
        NotAdmittedError: the part states no peak, memory, `hbm` or constants, or end points are not joined.
    """
    if isinstance(asked, str):
        return _of_text(fabric, "step_time", asked, ends, training_of)
    _check_step(asked, Training)
    return time_step(*_stands_on(fabric, ends), asked)


def serving_step(fabric: Fabric, asked: Serving | str, ends: str = "") -> ServingStep:
    """Return the time of prefill and of a decode step: estimates with their parts, bounds, and the rates that follow.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        asked: model, prompts, sequences and layout (`unifiedbus_dsl.workload.serving`); or a workload of the text by
            its name, or `serve(…)`, which says itself on which end points.
        ends: a selection of end points of one type, on which ranks stand in order; default: all.

    Raises:
        QuestionError: the selection is wrong, or the workload of the text does not fit.
        MisfitError: what is asked does not fit the end points, its model or the memory.
        NotAdmittedError: the part states no peak, memory, `hbm` or constants, or end points are not joined.
    """
    if isinstance(asked, str):
        return _of_text(fabric, "decode_time", asked, ends, serving_of)
    _check_step(asked, Serving)
    return time_serving(*_stands_on(fabric, ends), asked)


def best_layouts(
    fabric: Fabric, asked: Training | str, ends: str = "", *, top: int = 10, seconds: float = 60.0
) -> BestLayouts:
    """Return the layouts of a training step that have the least estimates, best first.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        asked: a step whose layout, microbatch and schedule are looked for; the rest stays. Or one of the text, by its
            name or as `train(…)`, which says itself on which end points.
        ends: a selection of end points of one type, on which ranks stand in order; default: all.
        top: how many.
        seconds: after which the search ends with what it has, and says that it is not proved.

    Raises:
        QuestionError: the selection is wrong.
        NotAdmittedError: the part states no peak, memory, `hbm` or constants, or end points are not joined.
        ValueError: `top` is less than one.
    """
    if top < 1:
        raise ValueError(f"`top` is {top}: it is 1 or more")
    if isinstance(asked, str):

        def look(call: MeasureCall) -> BestLayouts:
            _, step, stands_on = read_for_layouts(call)
            return search.best_layouts(call.machine, stands_on, step, top=top, seconds=seconds)

        return _of_text(fabric, "step_time", asked, ends, look)
    _check_step(asked, Training)
    return search.best_layouts(*_stands_on(fabric, ends), asked, top=top, seconds=seconds)


def _check_step(asked: object, wanted: type) -> None:
    """Refuse what is no step of a workload, nor its name.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(asked, wanted):
        raise TypeError(f"a `{wanted.__name__}` or the text of a workload is wanted, not {type(asked).__name__}")


def _stands_on(fabric: Fabric, text: str) -> tuple[NetworkContext, Ints]:
    """Return the machine, and the end points that a selection names, as `connected(…)` reads it."""
    sink = Sink()
    evaluator = evaluator_of_fabric(fabric, sink)
    node = build_call("connected", or_all_ends(fabric, text), {}, sink)
    if node is None:
        raise QuestionError(tuple(sink))
    call = evaluator.call(node)
    try:
        return call.machine, call.ends(call.one())
    except RefusedError:
        raise QuestionError(tuple(sink)) from None


def _of_text(fabric: Fabric, name: str, text: str, ends: str, answer: Callable[[MeasureCall], T]) -> T:
    """Return what `answer` makes of a measure of a workload that is given as text.

    Raises:
        QuestionError: the text is wrong, or does not fit.
        TypeError: end points are named beside it.
    """
    if ends:
        raise TypeError("a workload of the text says itself on which end points: write `on = …` in it")
    sink = Sink()
    evaluator = evaluator_of_fabric(fabric, sink)
    node = build_call(name, text, {}, sink)
    try:
        if node is None:
            raise RefusedError
        return answer(evaluator.call(node))
    except RefusedError:
        raise QuestionError(tuple(sink)) from None
