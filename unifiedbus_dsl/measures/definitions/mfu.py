"""How much of the peak a training step uses: `mfu`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register, workload

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures.workloads import training_answers

    return training_answers.mfu(call)


register(
    Measure(
        "mfu",
        "model FLOPs of a training step over the peak of its end points",
        (workload(),),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=("rate", "latency"),
    )
)
