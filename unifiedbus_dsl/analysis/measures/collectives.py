"""How long a collective takes: by an algorithm, and at best."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from unifiedbus_dsl import units
from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call
from unifiedbus_dsl.analysis.traffic import COLLECTIVES, Traffic
from unifiedbus_dsl.network import Ints
from unifiedbus_dsl.solve import collectives, schedules
from unifiedbus_dsl.solve import optimal as best
from unifiedbus_dsl.solve.result import NotAdmittedError
from unifiedbus_dsl.symmetry import arrays_of
from unifiedbus_dsl.units import TIME

MOST_STEPPED = 100_000
"""End points up to which the steps of a collective are solved."""
MOST_CLASSES = 100_000
"""Orbits of end points times end points up to which every algorithm of a collective is tried unasked."""


def time(call: Call) -> Answer:
    traffic, size = _collective(call)
    asked = call.word("algorithm", "", schedules.ALGORITHMS)
    if len(traffic.members) > MOST_STEPPED:
        raise call.refuse(
            call.node,
            f"the steps of {len(traffic.members):,} end points are more than are solved, at most {MOST_STEPPED:,}",
            "ask about fewer end points, `all npu in pod[0]`, or for `optimal_time`",
        )
    machine = call.machine
    over = collectives.Collectives(
        machine.symmetry, _groups(call, traffic), machine.timed_symmetry, arrays=arrays_of(machine.fabric.plan)
    )
    tried: list[collectives.CollectiveTime] = []
    refused = ""
    passed = _too_many(call, traffic) if not asked else ()
    for algorithm in (asked,) if asked else [a for a in schedules.ALGORITHMS if a not in passed]:
        try:
            tried.append(over.time(traffic.pattern, algorithm, size))
        except NotAdmittedError as why:
            refused = str(why)
    if not tried:
        raise NotAdmittedError(refused)
    found = min(tried, key=lambda each: each.time_s)
    longest = found.longest
    said = (
        f"{found.algorithm}" + ("" if asked else ", the fastest of those that the groups admit"),
        f"{found.members:,} end points a group, all groups at once",
        "ecmp shares, max-min fair within a step, zero-load latency added",
        *(f"{name} not tried: too many different flows; name it to try" for name in passed),
    )
    detail = {
        "algorithm": found.algorithm,
        "algbw": found.algbw_Bps,
        "busbw": found.busbw_Bps,
        "bandwidth_s": found.bandwidth_s,
        "latency_s": found.latency_s,
        "others": {each.algorithm: each.time_s for each in tried if each is not found},
    }
    shown = units.format_quantity(units.Quantity(Fraction(found.time_s), TIME))
    text = f"{shown}, busbw {found.busbw_Bps / 1e9:,.4g} GB/s"
    binding = (f"step {longest.name}, {longest.duration_s / found.time_s:.0%} of the time",)
    return call.exact(found.time_s, TIME, binding=binding, assumptions=said, detail=detail, text=text)


def optimal_time(call: Call) -> Answer:
    traffic, size = _collective(call)
    found = best.optimal_time(call.machine.symmetry, traffic.pattern, _groups(call, traffic), size)
    return call.number(found, TIME, assumptions=("no schedule is faster, relays at end points allowed",))


def _collective(call: Call) -> tuple[Traffic, float]:
    """The traffic of a collective with its size in bytes."""
    node = call.one()
    traffic = call.traffic(node)
    if traffic.pattern not in (*COLLECTIVES, "alltoall"):
        raise call.refuse(node, f"`{traffic.pattern}` is no collective", "such as `allreduce(all npu, size = 1 GiB)`")
    size = call.quantity("size", units.SIZE) or traffic.size_bytes
    if not size:
        raise call.refuse(node, f"`{call.name}` needs a size", "write `size = 512 MiB` in the traffic, or here")
    return traffic, size


def _groups(call: Call, traffic: Traffic) -> Ints:
    group = np.full(call.machine.network.ends, -1, dtype=np.int64)
    group[traffic.members] = traffic.group
    return group


def _too_many(call: Call, traffic: Traffic) -> tuple[str, ...]:
    """Algorithms whose steps have so many different flows here that they are only tried when asked for."""
    orbits = len(call.machine.symmetry.representatives(traffic.members)[0])
    return ("direct", "hierarchical") if orbits * len(traffic.members) > MOST_CLASSES else ()
