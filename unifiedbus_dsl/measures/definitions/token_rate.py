"""How many tokens go through a model: `token_rate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import FREQUENCY
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register, workload

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures.workloads import answers

    return answers.token_rate(call)


register(
    Measure(
        "token_rate",
        "tokens a second: those that are trained on, or those that all sequences get",
        (workload(),),
        FREQUENCY,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        rests_on=("rate", "latency"),
    )
)
