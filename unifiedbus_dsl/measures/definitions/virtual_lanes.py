"""How many virtual lanes free a routing of deadlock: `virtual_lanes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.registry import PLANE, ROUTING, Better, Invariance, Measure, register, traffic

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall


def evaluate(call: MeasureCall) -> Certified[Answer]:
    """Return the answer with its certificate."""
    from unifiedbus_dsl.measures import virtual_lanes

    return virtual_lanes.virtual_lanes(call)


register(
    Measure(
        "virtual_lanes",
        "how many virtual lanes free a routing of deadlock on lossless links, by the known schemes",
        (traffic(), ROUTING, PLANE),
        NUMBER,
        evaluate=evaluate,
        better=Better.LESS,
        invariance=Invariance.RATES,
        rests_on=(),
    )
)
