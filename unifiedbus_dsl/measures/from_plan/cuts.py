"""`bisection` from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.cuts import bisection_answer, fewest_first
from unifiedbus_dsl.measures.from_plan.naming import binding_names
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.measures.selection_synthesis import MOST_PARTS, describe_devices
from unifiedbus_dsl.solver.from_plan.bisection import Half
from unifiedbus_dsl.solver.from_plan.bisection import bisection as halved
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork

MOST_NAMED = 4_000_000
"""End points up to which a half is looked up by name."""


def bisection(asked: PlanCall) -> Answer:
    members = asked.ends(asked.call.one())
    bounds = halved(asked.network, members)
    cables = binding_names(bounds.cut.network, bounds.cut.orbits)
    return bisection_answer(asked.call, bounds.capacity, _half(asked, next(iter(members)), bounds.cut.half), cables)


def _half(asked: PlanCall, place: int, half: Half) -> tuple[str, ...]:
    """Return one of the halves as selections; none where it takes many."""
    network, selector = asked.network, asked.call.selector
    leading = _leading(network, place, half)
    if leading:
        return leading
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


def _leading(network: PlanNetwork, place: int, half: Half) -> tuple[str, ...]:
    """Return a half that is the first devices of a path as selections; none where it is another one, or takes many."""
    of, plan = network.wiring.places[place], network.plan
    strides = sorted((digit.stride for digit in network.group.places[place]), reverse=True)
    if list(half.strides) != strides[: len(half.strides)]:
        return ()
    rest = sum(stride * below for stride, below in zip(half.strides, half.below, strict=True))
    key, before, inside, parts = plan.root, "", of.count, list[str]()
    for depth, (name, count) in enumerate(zip(of.path, of.counts, strict=True), 1):
        child = plan.assemblies[key].by_name[name]
        if len(child.shape) > 1 or child.labels:
            return ()
        inside, key = inside // count, child.type
        whole, rest = divmod(rest, inside)
        kind = _kind_beside(network, place, depth)
        if whole and kind is None:
            return ()
        if whole:
            which = (f"[0..{whole - 1}]" if whole > 1 else "[0]") if child.shape else ""
            parts.append(f"{kind}{before}{name}{which}")
        if not rest:
            break
        before += f"{name}[{whole}]." if child.shape else f"{name}."
    return tuple(parts) if len(parts) <= MOST_PARTS else ()


def _kind_beside(network: PlanNetwork, place: int, depth: int) -> str | None:
    """`all npu in ` where other end points are in the same parts, nothing where there are none; None where these are of
    the same kind."""
    of, plan = network.wiring.places[place], network.plan
    kind = plan.devices[of.device].kind
    others = {
        plan.devices[other.device].kind
        for p, other in enumerate(network.wiring.places)
        if p != place and network.ends[p] and not other.spare and other.path[:depth] == of.path[:depth]
    }
    if kind in others:
        return None
    return f"all {kind} in " if others else ""
