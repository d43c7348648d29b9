"""No islands: every device of a system can be reached from every other over cables.

Worked out type by type. An assembly is summed up by its components: which of its exported ports hang together inside.
A parent then joins components of its children over the device-level axes of its rules only, so a million devices cost
what the text costs. A component that reaches no exported port can never be joined to the rest: it is an island.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base import work
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, Child, DeviceType, IndexExpr, Plan, PortRef
from unifiedbus_dsl.ir.plan.index import Points, axes_used, distinct, flat_index, open_grid, points
from unifiedbus_dsl.ir.plan.labels import element_text

Labels = NDArray[np.int64]


@frozen(eq=False)
class _Summary:
    """How a type hangs together: the number of its components, and for each port array the component of each port.

    `of` is None where there is one component: then every port is in it.
    """

    components: int
    of: Mapping[str, Labels] | None


def islands(plan: Plan, sink: Sink) -> None:
    """UB0509 for each type with a part that no cable can ever join to the rest."""
    summaries: dict[str, _Summary] = {}
    for key in plan.bottom_up:
        work.about(plan.assemblies[key].span)
        summaries[key] = _summarise(plan, plan.assemblies[key], summaries, sink)


def _summarise(plan: Plan, assembly: AssemblyType, known: Mapping[str, _Summary], sink: Sink) -> _Summary:
    nodes = _Nodes(plan, assembly, known)
    if nodes.count == 0:
        return _Summary(0, {})
    label = find_components(nodes.count, nodes.edges())
    exports = {e.name: label[nodes.of(e.ref, e.axes, Points(e.shape, open_grid(e.axes), {}))] for e in assembly.exports}
    reached = distinct(np.concatenate([v.ravel() for v in exports.values()])) if exports else np.empty(0, np.int64)
    present = distinct(label[nodes.matters()])
    is_root = (assembly.key == plan.root and bool(plan.system)) or not assembly.exports
    lost = present if is_root else np.setdiff1d(present, reached, assume_unique=True)
    if len(present) > 1 and len(lost):
        _report(assembly, nodes, label, lost, is_root, sink)
    if len(reached) <= 1:
        return _Summary(1, None)
    of = {name: np.searchsorted(reached, v.ravel()).astype(np.int64) for name, v in exports.items()}
    return _Summary(len(reached), of)


class _Nodes:
    """The components of all children of an assembly, numbered; `base[child]` is the number of the first."""

    def __init__(self, plan: Plan, assembly: AssemblyType, known: Mapping[str, _Summary]) -> None:
        self.plan, self.assembly, self.known = plan, assembly, known
        self.base: dict[str, int] = {}
        at = 0
        for child in assembly.children:
            self.base[child.name] = at
            at += child.count * self.components(child.type)
        self.count = at
        work.spend(at, work.LISTED)

    def components(self, key: str) -> int:
        return 1 if key in self.plan.devices else max(1, self.known[key].components)

    def of(self, ref: PortRef, axes: tuple[Axis, ...], at: Points) -> Labels:
        """Node of each point of a reference."""
        child = self.assembly.by_name[ref.child]
        many = self.components(child.type)
        element = flat_index(ref.at, child.shape, at.grids)
        inside: Labels = np.zeros((), np.int64)
        if many > 1:
            table = self.known[child.type].of
            assert table is not None
            shape = self._port_shape(child.type, ref.port)
            inside = table[ref.port][flat_index(ref.port_at, shape, at.grids)]
        return np.asarray(np.broadcast_to(self.base[ref.child] + element * many + inside, at.shape))

    def _port_shape(self, key: str, port: str) -> tuple[int, ...]:
        return self.plan.assemblies[key].exports_by_name[port].shape

    def edges(self) -> list[tuple[Labels, Labels]]:
        """Return pairs of nodes that rules join, over the axes on which the nodes depend."""
        pairs = []
        for rule in self.assembly.rules:
            needed: set[str] = set()
            for ref in (rule.left, rule.right):
                child = self.assembly.by_name[ref.child]
                exprs: list[IndexExpr] = list(ref.at)
                if self.components(child.type) > 1:
                    exprs += ref.port_at
                needed |= {name for expr in exprs for name in axes_used(expr)}
            if rule.where is not None:
                needed |= set(axes_used(rule.where))
            if any(axis.size == 0 for axis in rule.axes):
                continue
            axes = tuple(axis for axis in rule.axes if axis.name in needed)
            at = points(axes, rule.where)
            rest = {axis.name: np.full((1,) * len(at.shape), axis.low) for axis in rule.axes if axis.name not in needed}
            work.spend(at.size, work.SORTED)
            full = Points(at.shape, {**at.grids, **rest}, at.dims)
            pairs.append((self.of(rule.left, axes, full).ravel(), self.of(rule.right, axes, full).ravel()))
        return pairs

    def matters(self) -> NDArray[np.bool_]:
        """Nodes that must hang together: not spares, and not devices without any port."""
        keep = np.ones(self.count, dtype=bool)
        for child in self.assembly.children:
            kind = self.plan.type(child.type)
            portless = isinstance(kind, DeviceType) and kind.radix == 0
            if child.spare or portless:
                start = self.base[child.name]
                keep[start : start + child.count * self.components(child.type)] = False
        return keep

    def name(self, node: int) -> str:
        child = self.child(node)
        element = (node - self.base[child.name]) // self.components(child.type)
        return child.text_name + element_text(child, np.unravel_index(element, child.shape) if child.shape else ())

    def child(self, node: int) -> Child:
        """Return the child that a node is of."""
        return next(child for child in reversed(self.assembly.children) if node >= self.base[child.name])


FEW_EDGES = 1 << 14
"""Up to as many, hooking takes less time than to load SciPy."""


def find_components(count: int, edges: list[tuple[Labels, Labels]]) -> Labels:
    """Component of each of `count` nodes, labelled by its smallest node."""
    if not edges:
        return np.arange(count, dtype=np.int64)
    a, b = np.concatenate([e[0] for e in edges]), np.concatenate([e[1] for e in edges])
    return _hooked(count, a, b) if len(a) <= FEW_EDGES else _searched(count, a, b)


def _searched(count: int, a: Labels, b: Labels) -> Labels:
    """Return the same by breadth-first search: as fast whatever the shape."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(a), np.bool_), (a, b)), shape=(count, count))
    number, component = connected_components(graph, directed=False)
    first = np.empty(number, np.int64)
    first[component[::-1]] = np.arange(count - 1, -1, -1, dtype=np.int64)
    return np.asarray(first[component])


def _hooked(count: int, a: Labels, b: Labels) -> Labels:
    """Return the same by min-label hooking with pointer jumping."""
    label = np.arange(count, dtype=np.int64)
    while True:
        before = label.copy()
        low = np.minimum(label[a], label[b])
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[b], low)
        while not np.array_equal(label, label[label]):
            label = label[label]
        if np.array_equal(before, label):
            return label


def _own_cables(assembly: AssemblyType, child: str) -> tuple[Label, ...]:
    """Return the statements that do connect the part, at most two."""
    rules = [rule for rule in assembly.rules if child in (rule.left.child, rule.right.child) and rule.span is not None]
    spans = dict.fromkeys(rule.span for rule in rules if rule.span is not None)
    return tuple(Label(span, "joins these only") for span in list(spans)[:2])


def _report(assembly: AssemblyType, nodes: _Nodes, label: Labels, lost: Labels, is_root: bool, sink: Sink) -> None:
    matters = nodes.matters()
    sizes = np.bincount(label[matters], minlength=nodes.count)[lost]
    smallest = int(np.argmin(sizes))
    size = int(sizes[smallest])
    member = int(np.flatnonzero((label == lost[smallest]) & matters)[0])
    count = len(distinct(label[matters])) if is_root else len(lost)
    what = (
        f"`{assembly.key}` falls into {count:,} islands that no cable joins"
        if is_root
        else f"part of `{assembly.key}` can never be joined to the rest: it exports no port"
    )
    child = nodes.child(member)
    more = f" and {size - 1:,} more" if size > 1 else ""
    sink.error(
        "UB0509",
        what,
        child.span or assembly.span,
        f"{nodes.name(member)}{more} on an island",
        labels=_own_cables(assembly, child.name),
        help=("connect it to the rest, or make it a system of its own",),
    )
