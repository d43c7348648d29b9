"""Sums over a selection, which the plan answers: `count ports lanes free_ports bandwidth sum power cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import MONEY, NUMBER, POWER, RATE
from unifiedbus_dsl.measures.registry import Better, Invariance, Measure, register, selection
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import sums

    return sums.total(call)


WHAT = selection("parts, ports or cables", "what", "everything")
FIELD = Argument("field", Takes.FIELD, "`weight of all board`", positional=True)

register(
    Measure(
        "count",
        "how many are selected",
        (WHAT,),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "ports",
        "ports of what is selected",
        (WHAT,),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "lanes",
        "lanes of what is selected",
        (WHAT,),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "free_ports",
        "ports that no cable takes",
        (WHAT,),
        NUMBER,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "bandwidth",
        "raw rate of the ports of what is selected, one way",
        (WHAT,),
        RATE,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "power",
        "power of what is selected, with its cables",
        (WHAT,),
        POWER,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "cost",
        "cost of what is selected, with its cables",
        (WHAT,),
        MONEY,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
register(
    Measure(
        "sum",
        "the sum of a field over what is selected",
        (FIELD,),
        None,
        evaluate=evaluate,
        better=Better.MORE,
        invariance=Invariance.NONE,
        from_plan=True,
    )
)
