"""The nodes (servers) of a machine in order of device, with their devices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen

from unifiedbus_dsl.export.base import ExportInput
from unifiedbus_dsl.export.common.groups import node_types
from unifiedbus_dsl.export.common.names import Slugs, labelled, plain
from unifiedbus_dsl.ir.plan import Plan


@frozen
class Server:
    """One node of the machine: its type, first device and one past the last, its name and that of its SuperPoD."""

    type: str
    start: int
    stop: int
    name: str
    pod: str


def servers_of(subject: ExportInput) -> list[Server]:
    """Return the servers; where each NPU would be a node, the whole system is the only one."""
    plan = subject.plan
    types = node_types(plan, subject.node)
    return list(find_servers(plan, types if types & plan.assemblies.keys() else frozenset([plan.root])))


def find_servers(plan: Plan, types: frozenset[str]) -> Iterator[Server]:
    """Yield the nodes of a machine in order of device, spares left out."""
    system = plain(plan.system)
    if plan.root in types:
        yield Server(plan.root, 0, plan.device_count[plan.root], system, system)
    else:
        yield from _inside(plan, Slugs(plan), types, plan.root, 0, "", system)


def _inside(
    plan: Plan, slugs: Slugs, types: frozenset[str], key: str, start: int, prefix: str, pod: str
) -> Iterator[Server]:
    if key in plan.devices:
        return
    for child, offset in zip(plan.assemblies[key].children, plan.numbering.child_starts[key], strict=False):
        if child.spare or not child.count:
            continue
        size = plan.device_count[child.type]
        names = labelled(slugs.of(key)[child.name], child, np.arange(child.count)).tolist()
        for number, name in enumerate(names):
            first, full = start + offset + number * size, prefix + name
            if child.type in types:
                yield Server(child.type, first, first + size, full, pod)
            elif child.type in plan.assemblies:
                inner = full if plan.assemblies[child.type].kind == "superpod" else pod
                yield from _inside(plan, slugs, types, child.type, first, f"{full}-", inner)
