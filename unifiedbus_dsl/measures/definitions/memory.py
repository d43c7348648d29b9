"""What a workload keeps in memory: `memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import SIZE
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register, workload

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures.workloads import answers

    return answers.memory(call)


register(
    Measure(
        "memory",
        "what a workload keeps on the fullest end point",
        (workload(),),
        SIZE,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.NONE,
        rests_on=(),
    )
)
