"""Put a question to a fabric: a call of the language is built, answered and verified."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from unifiedbus_dsl.analysis.build_call import build_call, check_text
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.compiler import of_fabric
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.unknown import marked_result
from unifiedbus_dsl.solver.network_context import NetworkContext

T = TypeVar("T")


class QuestionError(ValueError):
    """The question is put wrongly, or this machine has no answer to it; `diagnostics` are those of the language."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        said = [". ".join((each.message, *each.help)) for each in diagnostics]
        super().__init__("; ".join(said))
        self.diagnostics = diagnostics


def check_size(call: MeasureCall, message_bytes: float) -> None:
    if not isinstance(message_bytes, int | float) or not 0 <= message_bytes < np.inf:
        raise call.refuse(call.node, f"`message_bytes` is a size in bytes, not {message_bytes!r}")


def or_all_ends(fabric: Fabric, text: str) -> str:
    return text or f"all {end_kind(fabric.plan)}"


def evaluator_of_fabric(fabric: Fabric, sink: Sink) -> MeasureEvaluator:
    """Return who answers about a fabric. Its network and symmetries are found once and stay with it."""
    if not isinstance(fabric, Fabric):
        raise TypeError(f"a fabric is wanted, such as `compile(…).fabric()` gives; found {type(fabric).__name__}")
    machine = vars(fabric).setdefault("_machine", NetworkContext(fabric))
    return make_evaluator(of_fabric(fabric), machine, sink)


def asked(
    fabric: Fabric,
    name: str,
    text: str,
    answer: Callable[[MeasureCall], Certified[T]],
    **named: object,
) -> T:
    """Return what `answer` makes of the call `name(text, …)`, which may have these named arguments and no others."""
    sink = Sink()
    asker = evaluator_of_fabric(fabric, sink)
    call = build_call(name, text, named, sink)
    value = (
        None if call is None else asker.tried(asker.call(call), answer, tuple(word.removesuffix("_") for word in named))
    )
    if value is None:
        raise QuestionError(tuple(sink))
    return marked_result(value, name, fabric)


def answered(fabric: Fabric, name: str, text: str, **named: object) -> Answer:
    """Return the answer to the call `name(text, …)` with these named arguments, those that are None left out."""
    sink = Sink()
    asker = evaluator_of_fabric(fabric, sink)
    call = build_call(name, text, named, sink)
    answer = None if call is None else asker.answer(call)
    if answer is None:
        raise QuestionError(tuple(sink))
    return answer


def measure(fabric: Fabric, question: str) -> Answer:
    """Return the answer to any one measure, as `ubusc analyze` gives it.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        question: a measure of the language, `optimal_time(allreduce(all npu, size = 1 GiB))`.

    Raises:
        QuestionError: the question is wrong, or has no answer here.
    """
    check_text("measure", question)
    sink = Sink()
    asker = evaluator_of_fabric(fabric, sink)
    calls = measure_calls(question, sink)
    answer = asker.answer(calls[0]) if len(calls) == 1 and not sink.has_errors else None
    if answer is None:
        if not sink.has_errors:
            message = f"one measure is wanted, such as `diameter(all npu)`; found `{question}`"
            raise QuestionError((Diagnostic("UB0705", message, None),))
        raise QuestionError(tuple(sink))
    return answer
