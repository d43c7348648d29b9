"""The machine as schedulers see it: nodes (servers) in groups in groups, by the assemblies that hold them.

Takes the plan. A node is an assembly of kind `node` that holds end points; where there is none, whatever holds end
points directly; where that is the whole system, each end point. `--node` names another kind or type. Nodes of which a
scenario has taken every device are left out. Names are the legal ones of `unifiedbus_dsl.export.names`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import Subject, left_out, refuse, too_large
from unifiedbus_dsl.export.names import Slugs, elements, plain
from unifiedbus_dsl.plan import Plan
from unifiedbus_dsl.plan.end_points import end_types

LONGEST_NAME = 63
"""Of a DNS label, and so of a Kubernetes label value; Slurm allows one more."""


@frozen
class Group:
    """Has either groups or nodes in it, never both. `level` is the kind of assembly; `height` 1 for one of nodes."""

    name: str
    level: str
    groups: tuple[Group, ...]
    nodes: tuple[str, ...]

    @property
    def height(self) -> int:
        return 1 + max((group.height for group in self.groups), default=0)

    def walk(self) -> Iterator[Group]:
        """This group, then all inside it, from the top down."""
        yield self
        for group in self.groups:
            yield from group.walk()

    def all_nodes(self) -> Iterator[str]:
        return (node for group in self.walk() for node in group.nodes)


def tree(subject: Subject, sink: Sink, form: str) -> Group:
    """The groups of a machine; spares are left out and told of.

    Raises:
        CannotExportError: there is no such node, or a name is too long.
    """
    plan = subject.plan
    nodes = node_types(plan, subject.node)
    if not nodes:
        raise refuse(sink, f"{form} groups the nodes of a machine, and it has none", "json", plan.type(plan.root).span)
    _spares(plan, nodes, sink)
    name = plain(plan.system)
    if plan.root in nodes:
        return Group(name, plan.type(plan.root).kind, (), (name,))
    found = _Grouper(plan, Slugs(plan), nodes, _left(subject)).group(plan.root, "", name, 0)
    if found is None:
        raise refuse(sink, f"{form} groups the nodes of a machine, and none of them is left", "json")
    longest = max((*(g.name for g in found.walk()), *found.all_nodes()), key=len)
    if len(longest) > LONGEST_NAME:
        raise too_large(sink, f"`{longest}` is longer than the {LONGEST_NAME} letters of a host name", "shorten names")
    return found


def check_node(subject: Subject, sink: Sink, form: str) -> None:
    """Refuse a kind or type of node that the machine has not.

    Raises:
        CannotExportError: it has none.
    """
    plan = subject.plan
    if subject.node is not None and not node_types(plan, subject.node):
        kinds = ", ".join(sorted({plan.type(key).kind for key in (*plan.devices, *plan.bottom_up)}))
        message = f"{form} groups the nodes of a machine, and no part of it is a `{subject.node}`; there are {kinds}"
        raise refuse(sink, message, "json", plan.type(plan.root).span)


def node_types(plan: Plan, wanted: str | None) -> frozenset[str]:
    """The types that are nodes."""
    keys = [*plan.devices, *plan.bottom_up]
    if wanted is not None:
        return frozenset(k for k in keys if plan.instances[k] and wanted in (k, plan.type(k).kind))
    ends = end_types(plan)
    holders = [k for k in plan.bottom_up if plan.assemblies[k].kind == "node" and _holds(plan, k, ends)]
    if holders:
        return frozenset(holders)
    holders = [k for k in plan.bottom_up if any(c.type in ends for c in plan.assemblies[k].children)]
    return frozenset(ends if holders == [plan.root] else holders)


def _holds(plan: Plan, key: str, wanted: set[str] | frozenset[str]) -> bool:
    """Whether an assembly type has such a part, at any depth."""
    inside = [c.type for c in plan.assemblies[key].children if c.count] if key in plan.assemblies else []
    return any(child in wanted or _holds(plan, child, wanted) for child in inside)


def _spares(plan: Plan, nodes: frozenset[str], sink: Sink) -> None:
    for key in plan.bottom_up:
        for child in plan.assemblies[key].children:
            if child.spare and plan.instances[key] and (child.type in nodes or _holds(plan, child.type, nodes)):
                count = child.count * plan.instances[key]
                left_out(sink, f"{count:,} spare `{child.name}` are in no group", "bom", child.span)


def _left(subject: Subject) -> NDArray[np.int64] | None:
    """How many devices before each one are left, [D + 1]; None where none is gone."""
    if subject.gone is None:
        return None
    return np.concatenate([[0], np.cumsum(~subject.gone.devices)])


@frozen(eq=False, slots=False)
class _Grouper:
    plan: Plan
    slugs: Slugs
    nodes: frozenset[str]
    left: NDArray[np.int64] | None

    def group(self, key: str, prefix: str, name: str, start: int) -> Group | None:
        """The group of an assembly that begins with device `start`; one that holds a single group only is that group.

        None where nothing of it is left.
        """
        own: list[str] = []
        groups: list[Group] = []
        stems = self.slugs.of(key)
        starts = self.plan.numbering.child_starts[key]
        for child, offset in zip(self.plan.assemblies[key].children, starts, strict=False):
            if child.spare or (child.type not in self.nodes and not _holds(self.plan, child.type, self.nodes)):
                continue
            size = self.plan.device_count[child.type]
            firsts = start + offset + size * np.arange(child.count)
            numbers = np.arange(child.count)
            if self.left is not None:
                numbers = numbers[self.left[firsts + size] > self.left[firsts]]
            names = [prefix + n for n in elements(stems[child.name], child.shape, numbers).tolist()]
            if child.type in self.nodes:
                own += names
            else:
                found = zip(names, firsts[numbers].tolist(), strict=True)
                inner = (self.group(child.type, f"{n}-", n, first) for n, first in found)
                groups += [group for group in inner if group is not None]
        level = self.plan.assemblies[key].kind
        if not groups:
            return Group(name, level, (), tuple(own)) if own else None
        if own:
            groups.append(Group(f"{name}-own", level, (), tuple(own)))
        return groups[0] if len(groups) == 1 else Group(name, level, tuple(groups), ())
