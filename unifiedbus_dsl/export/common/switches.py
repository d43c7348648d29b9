"""Groups of nodes by the switches between them, where no assembly says what is near.

A leaf is over the nodes that its switches hold; several switches that hold the same nodes, as the planes and rails of
one pod, are one leaf, as the documented practice of schedulers has it. Over leaves that share switches of the next
level there is one group, and so on to the top; where there is no next level, switches that are all joined to each other
(the groups of a dragonfly) are one group. What no cable joins is an island with a root of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.export.common.words import own_name
from unifiedbus_dsl.ir.fabric import Fabric

LEVELS = ("leaf", "spine", "core")


@frozen
class Cluster:
    """Nodes by number, or clusters, under the switches that hold them; `level` is 1 for one of nodes."""

    name: str
    level: int
    nodes: tuple[int, ...] = ()
    clusters: tuple[Cluster, ...] = ()


@define(eq=False)
class _Graph:
    """Who is joined to whom: nodes by number, switches by device, each switch with its level above the nodes."""

    of_node: dict[int, set[int]] = field(factory=lambda: defaultdict(set))
    """The switches of each node."""
    between: dict[int, set[int]] = field(factory=lambda: defaultdict(set))
    """The switches next to each switch."""
    level: dict[int, int] = field(factory=dict)


def clusters(
    fabric: Fabric,
    node_of: NDArray[np.int64],
    gone: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None,
    called: Callable[[NDArray[np.int64]], Iterable[str]],
) -> list[Cluster]:
    """Return the islands of a fabric, each by its switches, which `called` names. `node_of` is the node of each device,
    -1 for one of none; `gone` are devices and cables that a scenario has taken. A node without a switch is in none."""
    graph = _graph(fabric, node_of, gone)
    names = {}
    switches = sorted(graph.level)
    for device, name in zip(switches, called(np.asarray(switches, np.int64)), strict=True):
        names[device] = own_name(str(name))
    below = _leaves(graph, names)
    top = max(graph.level.values(), default=0)
    for level in range(2, top + 1):
        below = _over(graph, below, level, names)
    return [cluster for cluster, _ in _joined(graph, below, names)]


def _graph(
    fabric: Fabric, node_of: NDArray[np.int64], gone: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None
) -> _Graph:
    is_switch = np.asarray([of.kind == "switch" for of in fabric.plan.devices.values()], dtype=bool)[fabric.device_type]
    is_switch &= node_of < 0
    a, b = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    if gone is not None:
        left = ~gone[1] & ~gone[0][a] & ~gone[0][b]
        a, b = a[left], b[left]
    graph = _Graph()
    for one, two in ((a, b), (b, a)):
        down = (node_of[one] >= 0) & is_switch[two]
        for node, switch in zip(node_of[one][down].tolist(), two[down].tolist(), strict=True):
            graph.of_node[node].add(switch)
            graph.level[switch] = 1
        across = is_switch[one] & is_switch[two] & (one != two)
        for near, far in zip(one[across].tolist(), two[across].tolist(), strict=True):
            graph.between[near].add(far)
    front, height = list(graph.level), 1
    while front:
        height += 1
        above = {far for near in front for far in graph.between[near] if far not in graph.level}
        graph.level |= dict.fromkeys(above, height)
        front = list(above)
    return graph


_Below = tuple[Cluster, frozenset[int]]
"""A cluster with all its switches."""


def _leaves(graph: _Graph, names: Mapping[int, str]) -> list[_Below]:
    """Return a leaf for each set of switches that hold the same nodes, directly or one through another."""
    sets = _Sets()
    for node, switches in graph.of_node.items():
        for switch in switches:
            sets.join(("node", node), ("switch", switch))
    leaves = []
    for members in sets.groups():
        held = sorted(number for word, number in members if word == "switch")
        nodes = tuple(sorted(number for word, number in members if word == "node"))
        leaves.append((Cluster(_called(held, names), 1, nodes), frozenset(held)))
    return sorted(leaves, key=lambda each: each[0].nodes)


def _over(graph: _Graph, below: Sequence[_Below], level: int, names: Mapping[int, str]) -> list[_Below]:
    """Return the clusters that switches of a level make of those below; what no such switch holds stays as it is."""
    where = {switch: n for n, (_, switches) in enumerate(below) for switch in switches}
    sets = _Sets()
    for number in range(len(below)):
        sets.join(("below", number), ("below", number))
    for switch, height in graph.level.items():
        if height == level:
            for far in graph.between[switch]:
                if far in where and graph.level[far] < level:
                    sets.join(("switch", switch), ("below", where[far]))
    return [_cluster(members, below, level, names) for members in sets.groups()]


def _cluster(
    members: Iterable[tuple[str, int]], below: Sequence[_Below], level: int, names: Mapping[int, str]
) -> _Below:
    some = list(members)
    inner = [below[number] for number in sorted(number for word, number in some if word == "below")]
    switches = sorted(number for word, number in some if word == "switch")
    every = frozenset(switches).union(*(held for _, held in inner))
    if len(inner) == 1:
        return inner[0][0], every
    called = _called(switches, names) if switches else _called(sorted(every), names)
    return Cluster(called, level, (), tuple(cluster for cluster, _ in inner)), every


def _joined(graph: _Graph, below: Sequence[_Below], names: Mapping[int, str]) -> list[_Below]:
    """Return the islands: what cables join without a level above is under one root, by groups where there are."""
    where = {switch: n for n, (_, switches) in enumerate(below) for switch in switches}
    near: dict[int, set[int]] = defaultdict(set)
    for switch, others in graph.between.items():
        if switch in where:
            near[where[switch]] |= {where[far] for far in others if far in where} - {where[switch]}
    islands = _Sets()
    for number in range(len(below)):
        for other in near[number] or {number}:
            islands.join(("below", number), ("below", other))
    clusters = []
    for members in islands.groups():
        inside = sorted(number for _, number in members)
        groups = _cliques(inside, near)
        level = 1 + max(below[number][0].level for number in inside)
        parts = [_cluster([("below", n) for n in group], below, level, names) for group in groups]
        whole = [("below", n) for n in range(len(parts))]
        clusters.append(_cluster(whole, parts, level + (len(parts) < len(inside)), names))
    return clusters


def _cliques(members: Sequence[int], near: Mapping[int, set[int]]) -> list[list[int]]:
    """Groups in which each is next to each, where most neighbours are in them; else each alone."""
    sets = _Sets()
    for one in members:
        sets.join(("below", one), ("below", one))
        for two in near[one]:
            common = len(near[one] & near[two]) + 2
            if 2 * common > min(len(near[one]), len(near[two])) + 1:
                sets.join(("below", one), ("below", two))
    groups = [sorted(number for _, number in group) for group in sets.groups()]
    whole = all(set(group) - {one} <= near[one] for group in groups for one in group)
    return sorted(groups) if whole and 1 < len(groups) < len(members) else [[one] for one in members]


def _called(switches: Sequence[int], names: Mapping[int, str]) -> str:
    """Return the name of a switch, or what the names of several begin with."""
    own = [names[switch] for switch in switches]
    if len(own) == 1:
        return own[0]
    columns = takewhile(lambda letters: len(set(letters)) == 1, zip(*own, strict=False))
    common = "".join(letters[0] for letters in columns).rstrip("0123456789").rstrip("-_./:[ ")
    return common if len(common) > 1 else own[0]


@define(eq=False)
class _Sets:
    """Sets that are joined as it turns out what belongs together."""

    parent: dict[tuple[str, int], tuple[str, int]] = field(factory=dict)

    def join(self, one: tuple[str, int], two: tuple[str, int]) -> None:
        a, b = self._root(one), self._root(two)
        if a != b:
            self.parent[max(a, b)] = min(a, b)

    def _root(self, item: tuple[str, int]) -> tuple[str, int]:
        self.parent.setdefault(item, item)
        while self.parent[item] != item:
            self.parent[item] = self.parent[self.parent[item]]
            item = self.parent[item]
        return item

    def groups(self) -> list[list[tuple[str, int]]]:
        """Return the sets, in order of their first members."""
        sets: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
        for item in list(self.parent):
            sets[self._root(item)].append(item)
        return sorted(sets.values(), key=min)
