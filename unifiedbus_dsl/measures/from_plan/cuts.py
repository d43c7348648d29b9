"""`bisection` from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.cuts import bisection_answer, fewest_first
from unifiedbus_dsl.measures.from_plan.naming import binding_names
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.measures.selection_synthesis import describe_devices
from unifiedbus_dsl.solver.from_plan.bisection import Half
from unifiedbus_dsl.solver.from_plan.bisection import bisection as halved

MOST_NAMED = 4_000_000
"""End points up to which a half is looked up by name."""


def bisection(asked: PlanCall) -> Answer:
    if asked.call.machine.time_limit is not None:
        raise asked.refuse("there is a limit of time")
    members = asked.ends(asked.call.one())
    found = halved(asked.network, members)
    cables = binding_names(found.cut.network, found.cut.orbits)
    return bisection_answer(asked.call, found.capacity, _half(asked, next(iter(members)), found.cut.half), cables)


def _half(asked: PlanCall, place: int, half: Half) -> tuple[str, ...]:
    """One of the halves as selections; none where it takes many."""
    network, selector = asked.network, asked.call.selector
    count = network.wiring.places[place].count
    if count > MOST_NAMED:
        return ()
    address = np.arange(count)
    size = {digit.stride: digit.size for digit in network.group.places[place]}
    inside = half.holds([address // stride % size[stride] for stride in half.strides])
    devices, skipped = network.wiring.device_ids(place, address), selector.spare | selector.lost
    fabric = asked.call.machine.fabric
    near = describe_devices(fabric, np.sort(devices[inside]), skipped)
    return near if len(near) == 1 else min(
        near, describe_devices(fabric, np.sort(devices[~inside]), skipped), key=fewest_first
    )  # fmt: skip
