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

for name, doc, subject, dimension, better in (
    ("count", "how many are selected", WHAT, NUMBER, Better.MORE),
    ("ports", "ports of what is selected", WHAT, NUMBER, Better.MORE),
    ("lanes", "lanes of what is selected", WHAT, NUMBER, Better.MORE),
    ("free_ports", "ports that no cable takes", WHAT, NUMBER, Better.MORE),
    ("bandwidth", "raw rate of the ports of what is selected, one way", WHAT, RATE, Better.MORE),
    ("power", "power of what is selected, with its cables", WHAT, POWER, Better.LESS),
    ("cost", "cost of what is selected, with its cables", WHAT, MONEY, Better.LESS),
    ("sum", "the sum of a field over what is selected", FIELD, None, Better.MORE),
):
    register(
        Measure(
            name,
            doc,
            (subject,),
            dimension,
            evaluate=evaluate,
            better=better,
            invariance=Invariance.NONE,
            rests_on=(),
            from_plan=True,
        )
    )
