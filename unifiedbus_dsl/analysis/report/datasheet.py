"""The datasheet of a system: what an architect asks first, as measures in the language."""

from __future__ import annotations

from collections.abc import Iterator

from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.vocabulary import attributes

REDUCED = "1 GiB"
"""Size of the all-reduce on the sheet."""

MOST_TRIED = 1024
"""End points up to which the sheet tries every algorithm, and asks what the best could be; else it asks for a ring."""

MOST_RINGED = 100_000
"""End points up to which it asks for a ring: through more of them a step has very many different flows, and the sheet
asks for the fastest of the algorithms that have few."""


def datasheet(plan: Plan, *, hurried: bool = False) -> Iterator[str]:
    """Yield the measures of the sheet, in its order; those that are searched for come last where there is little time,
    or of a network that was found, where cables are missing and little is symmetric."""
    if not (hurried or plan.found):
        yield from _sheet(plan)
        return
    measures = list(_sheet(plan))
    searched = [each for each in measures if each.startswith("bisection(") or each.endswith("routing = optimal)")]
    yield from (each for each in measures if each not in searched)
    yield from searched


def _sheet(plan: Plan) -> Iterator[str]:
    kind = end_kind(plan)
    ends = f"all {kind}"
    yield f"tiers({ends})"
    for level in reversed(attributes.KINDS_OF_ASSEMBLY):
        inside = [key for key in plan.assemblies if key != plan.root and plan.type(key).kind == level]
        if any(_holds(plan, key, kind) for key in inside):
            yield f"oversubscription(all {level}, from = {ends})"
    yield f"bisection({ends})"
    yield f"diameter({ends})"
    yield f"mean_hops({ends})"
    yield f"latency({ends})"
    yield f"mean_latency({ends})"
    yield f"disjoint_paths({ends})"
    yield f"throughput(alltoall({ends}), routing = ecmp)"
    yield f"throughput(alltoall({ends}), routing = optimal)"
    count = _count(plan, kind)
    ring = ", algorithm = ring" if MOST_TRIED < count <= MOST_RINGED else ""
    yield f"time(allreduce({ends}, size = {REDUCED}){ring})"
    if count <= MOST_TRIED:
        yield f"optimal_time(allreduce({ends}, size = {REDUCED}))"


def _count(plan: Plan, kind: str) -> int:
    return sum(plan.in_service[key] for key, device in plan.devices.items() if device.kind == kind)


def _holds(plan: Plan, key: str, kind: str) -> bool:
    """Return whether a type contains a device of a kind."""
    if key in plan.devices:
        return plan.devices[key].kind == kind
    return any(_holds(plan, child.type, kind) for child in plan.assemblies[key].children)
