"""The machine as schedulers see it: nodes (servers) in groups in groups, by the assemblies that hold them.

Takes the plan. A node is an assembly of kind `node` that holds end points; where there is none, whatever holds end
points directly; where that is the whole system, each end point. `--node` names another kind or type. Nodes of which a
scenario has taken every device are left out. Where no assembly holds some of the nodes and not others, the groups are
those of the switches between them (`unifiedbus_dsl.export.switches`). Names are the legal ones of
`unifiedbus_dsl.export.names`, or those of the site as far as the target takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, left_out, refuse, remark, too_large
from unifiedbus_dsl.export.common.legal import HOST, Rule, legal
from unifiedbus_dsl.export.common.names import Slugs, labelled, plain
from unifiedbus_dsl.export.common.switches import LEVELS, Cluster, clusters
from unifiedbus_dsl.ir.fabric.names import device_names, named_elements, part_name
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.end_points import end_types

Node: TypeAlias = tuple[str, int, int]
"""Name, first device and one past the last of a node."""
LONGEST_NAME = 63
"""Of a DNS label, and so of a Kubernetes label value; Slurm allows one more."""


@frozen
class Group:
    """Has either groups or nodes in it, never both. `level` is the kind of assembly, or what the switches over it are;
    `height` is 1 for one of nodes. `islands` says that nothing joins its groups: it is none itself."""

    name: str
    level: str
    groups: tuple[Group, ...]
    nodes: tuple[str, ...]
    islands: bool = False

    @property
    def height(self) -> int:
        return (not self.islands) + max((group.height for group in self.groups), default=0)

    def walk(self) -> Iterator[Group]:
        """This group, then all inside it, from the top down."""
        if not self.islands:
            yield self
        for group in self.groups:
            yield from group.walk()

    def all_nodes(self) -> Iterator[str]:
        return (node for group in self.walk() for node in group.nodes)


def tree(subject: ExportInput, sink: Sink, form: str, rule: Rule = HOST) -> Group:
    """Return the groups of a machine; spares are left out and told of. `rule` is what the target takes as a name.

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
    grouper = _Grouper(plan, Slugs(plan), nodes, _left(subject))
    root = grouper.group(plan.root, "", name, 0)
    if root is None:
        raise refuse(sink, f"{form} groups the nodes of a machine, and none of them is left", "json")
    if len(root.nodes) > 1:
        root = _by_switches(subject, sink, form, grouper.seen, root)
    if plan.site is not None:
        return _made_legal(subject, root, rule)
    longest = max((*(g.name for g in root.walk()), *root.all_nodes()), key=len)
    if len(longest) > LONGEST_NAME:
        raise too_large(sink, f"`{longest}` is longer than the {LONGEST_NAME} letters of a host name", "shorten names")
    return _made_legal(subject, root, rule)


def check_node(subject: ExportInput, sink: Sink, form: str) -> None:
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
    """Return the types that are nodes."""
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
    """Return whether an assembly type has such a part, at any depth."""
    inside = [c.type for c in plan.assemblies[key].children if c.count] if key in plan.assemblies else []
    return any(child in wanted or _holds(plan, child, wanted) for child in inside)


def _spares(plan: Plan, nodes: frozenset[str], sink: Sink) -> None:
    for key in plan.bottom_up:
        for child in plan.assemblies[key].children:
            if child.spare and plan.instances[key] and (child.type in nodes or _holds(plan, child.type, nodes)):
                count = child.count * plan.instances[key]
                left_out(sink, f"{count:,} spare `{child.text_name}` are in no group", "bom", child.span)


def _left(subject: ExportInput) -> NDArray[np.int64] | None:
    """Return how many devices before each one are left, [D + 1]; None where none is gone."""
    if subject.gone is None:
        return None
    return np.concatenate([[0], np.cumsum(~subject.gone.devices)])


@frozen(eq=False, slots=False)
class _Grouper:
    plan: Plan
    slugs: Slugs
    nodes: frozenset[str]
    left: NDArray[np.int64] | None
    seen: list[Node] = field(factory=list)
    """The nodes as they were met."""

    def group(self, key: str, prefix: str, name: str, start: int, path: str = "") -> Group | None:
        """Return the group of an assembly that begins with device `start`; one that holds a single group only is that
        group.

        `path` is that of the assembly, with a dot behind it. None where nothing of it is left.
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
            names = [prefix + n for n in labelled(stems[child.name], child, numbers).tolist()]
            paths = [f"{path}{n}" for n in named_elements(child, numbers).tolist()]
            names = self._of_site(names, paths)
            if child.type in self.nodes:
                own += names
                self.seen.extend(zip(names, firsts[numbers].tolist(), (firsts[numbers] + size).tolist(), strict=True))
            else:
                instances = zip(names, paths, firsts[numbers].tolist(), strict=True)
                inner = (self.group(child.type, f"{n}-", n, first, f"{at}.") for n, at, first in instances)
                groups += [group for group in inner if group is not None]
        level = self.plan.assemblies[key].kind
        if not groups:
            return Group(name, level, (), tuple(own)) if own else None
        if own:
            groups.append(Group(f"{name}-own", level, (), tuple(own)))
        return groups[0] if len(groups) == 1 else Group(name, level, tuple(groups), ())

    def _of_site(self, names: list[str], paths: list[str]) -> list[str]:
        """Return the names that the site has for the parts at these paths, else these names."""
        if self.plan.site is None:
            return names
        called = (part_name(self.plan, path) for path in paths)
        return [name if site == path else site for name, site, path in zip(names, called, paths, strict=True)]


# ---- by switches --------------------------------------------------------------------------------------------------


def _by_switches(subject: ExportInput, sink: Sink, form: str, nodes: list[Node], flat: Group) -> Group:
    """Return the groups of nodes that no assembly tells apart.

    Raises:
        CannotExportError: it is a machine that was found, and none of its devices is a switch.
    """
    fabric = subject.fabric
    node_of = np.full(fabric.device_count, -1, np.int64)
    for number, (_, start, stop) in enumerate(nodes):
        node_of[start:stop] = number
    gone = None if subject.gone is None else (subject.gone.devices, subject.gone.cables)
    site = subject.plan.site
    of_site = site is not None and bool(site.devices)
    names_of = partial(device_names, subject.plan) if of_site else Slugs(subject.plan).devices
    islands = clusters(fabric, node_of, gone, lambda switches: names_of(switches).tolist())
    if not islands:
        if subject.plan.found:
            raise refuse(sink, f"{form} groups nodes by the switches between them, and no device is a switch", "json")
        remark(sink, "UB0806", "no switch is between the nodes: all are in one group", "name parts by `--node`")
        return flat
    names = [name for name, _, _ in nodes]
    groups = tuple(_group(island, names) for island in islands)
    alone = len(nodes) - sum(1 for group in groups for _ in group.all_nodes())
    if alone:
        left_out(sink, f"{alone:,} nodes have no cable to a switch: they are in no group", "cables")
    if len(groups) == 1:
        return flat if not subject.plan.found and not groups[0].groups else groups[0]
    remark(sink, "UB0806", f"{len(groups):,} islands, which no cable joins: each has a root of its own")
    return Group(flat.name, "islands", groups, (), islands=True)


def _group(cluster: Cluster, names: list[str]) -> Group:
    level = LEVELS[min(cluster.level, len(LEVELS)) - 1]
    inner = tuple(_group(each, names) for each in cluster.clusters)
    return Group(cluster.name, level, inner, tuple(names[number] for number in cluster.nodes))


def _made_legal(subject: ExportInput, root: Group, rule: Rule) -> Group:
    """Return the same groups under names that the target takes, each group under one of its own; what changed is
    noted."""
    nodes = list(root.all_nodes())
    groups = [group.name for group in root.walk()]
    written = dict(zip(nodes, legal(nodes, rule), strict=True))
    taken: set[str] = set(written.values())
    own: list[str] = []
    for name in groups:
        (first,) = legal([name], rule)
        number, new = 1, first
        while new in taken:
            number += 1
            new = f"{first}-{number}"
        taken.add(new)
        own.append(new)
    changed = {old: new for old, new in (*written.items(), *zip(groups, own, strict=True)) if old != new}
    subject.renamed.update(changed)
    return _renamed(root, written, iter(own))


def _renamed(group: Group, nodes: Mapping[str, str], names: Iterator[str]) -> Group:
    name = group.name if group.islands else next(names)
    inner = tuple(_renamed(each, nodes, names) for each in group.groups)
    return evolve(group, name=name, groups=inner, nodes=tuple(nodes[node] for node in group.nodes))
