"""The training step of a workload, as charts ask for it."""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.workloads.steps import TrainingStep
from unifiedbus_dsl.measures.workloads.training_answers import training_of
from unifiedbus_dsl.solver.network_context import NetworkContext


@frozen(eq=False)
class AskedStep:
    """A training step with the measure that asks for it."""

    call: MeasureCall
    step: TrainingStep


def asked_step(compilation: Compilation, system: str, workload: str, sink: Sink) -> AskedStep | None:
    """Return the training step of a workload that is named or written out; None after a diagnostic, or without one
    where `workload` is not one argument."""
    calls = measure_calls(f"step_time({workload})", sink)
    if len(calls) != 1:
        return None
    asker = make_evaluator(compilation, NetworkContext(compilation.fabric(system)), sink)
    if asker.answer(calls[0]) is None:
        return None
    call = asker.call(calls[0])
    return AskedStep(call, training_of(call))
