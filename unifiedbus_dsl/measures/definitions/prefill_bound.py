"""The least time of prefill: `prefill_bound`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import TIME
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register, workload

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures.workloads import serving_answers

    return serving_answers.prefill_bound(call)


register(
    Measure(
        "prefill_bound",
        "time of a prefill pass that no schedule or kernel beats",
        (workload(),),
        TIME,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.NONE,
        rests_on=("rate",),
    )
)
