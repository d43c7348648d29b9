"""Selections joined by `|` and parted by `-`: what belongs to one, told from the place of each part in the types.

Nothing is listed. A walk goes down the types, and elements of an array that every name of the expression treats alike
are taken together: the cost is that of the text of the machine and of the selection. `A | B` holds what is in one of
them or in both, `A - B` what is in A and neither in B nor inside a part that is, `all X in B` what of X is in B or
inside a part that is: `all X - B` and `all X in B` have nothing in common, and are `all X` together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, Plan, PlanType
from unifiedbus_dsl.ir.plan.index import IntArray, count_points
from unifiedbus_dsl.syntax import tree

Target: TypeAlias = tuple[str, ...]
"""What can be selected: `("part", type)`, `("link", type, number of the rule)`, `("port", type, name)`."""


@frozen(eq=False)
class Named:
    """What a path names: an array at each step, and which of its elements (row-major)."""

    steps: tuple[str, ...]
    elements: tuple[IntArray, ...]

    def then(self, step: str, elements: IntArray) -> Named:
        """Return what is named one step further down."""
        return Named((*self.steps, step), (*self.elements, elements))


@frozen(eq=False)
class Every:
    """`all …`: each of some targets; with a scope, what the node of this number selects, and inside of it."""

    targets: frozenset[Target]
    scope: int | None = None


@frozen(eq=False)
class Joined:
    """`A | B`, by the numbers of the two nodes."""

    left: int
    right: int


@frozen(eq=False)
class Parted:
    """`A - B`, by the numbers of the two nodes."""

    left: int
    right: int
    source: tree.Binary


Node: TypeAlias = Named | Every | Joined | Parted


@frozen
class _State:
    """Where a walk is: for each node how many steps of its path led here (-1 where others did), whether it selects
    something around; and whether there are spares around."""

    matched: tuple[int, ...]
    around: tuple[bool, ...]
    spare: bool = False


@frozen(eq=False)
class _Array:
    """What a type holds: `count` elements of one target."""

    name: str
    count: int
    target: Target
    spare: bool = False

    @property
    def inside(self) -> str | None:
        """The type to walk on in."""
        return self.target[1] if self.target[0] == "part" else None


@frozen(eq=False)
class _Group:
    """Elements of an array that every node treats alike."""

    array: _Array
    number: int
    """Of the array in its type."""
    elements: IntArray
    chosen: tuple[bool, ...]
    """By node: whether it selects these."""
    state: _State


@define(eq=False)
class Sets:
    """A selection as nodes, each after those that it is made of; the last is the whole."""

    types: Mapping[str, PlanType]
    subject: str
    nodes: tuple[Node, ...]
    broken: set[int] = field(factory=set)
    """Numbers of the differences that take something out of a part, and leave the rest of it."""
    effective: set[int] = field(factory=set)
    """Numbers of the differences that take something away."""
    _counts: dict[tuple[str, _State], tuple[dict[Target, int], tuple[bool, ...]]] = field(factory=dict)

    @property
    def _start(self) -> _State:
        nowhere = tuple(0 if isinstance(node, Named) else -1 for node in self.nodes)
        return _State(nowhere, (False,) * len(self.nodes))

    @property
    def _of_cables(self) -> bool:
        """Whether cables are selected."""
        return any(target[0] == "link" for node in self.nodes if isinstance(node, Every) for target in node.targets)

    def count(self) -> dict[Target, int]:
        """Return how many of each target are selected. Fills `broken` and `effective`."""
        return self._count(self.subject, self._start)[0]

    def blocks(self, plan: Plan) -> tuple[IntArray, IntArray, tuple[str, ...]]:
        """Return first and one past the last device of each part selected, outer ones first, and their types."""
        keys: dict[str, None] = {}
        start, size = self._blocks(plan, self.subject, self._start, {}, keys)
        order = np.lexsort((-size, start))
        return start[order], (start + size)[order], tuple(keys)

    def cables(self, plan: Plan) -> IntArray:
        """Return the ids of the cables selected, ascending."""
        return np.sort(self._cables(plan, self.subject, self._start, {}))

    def _count(self, key: str, state: _State) -> tuple[dict[Target, int], tuple[bool, ...]]:
        """Return how many of each target are selected inside a type, and which nodes select something there."""
        done = self._counts.get((key, state))
        if done is not None:
            return done
        count_of: dict[Target, int] = {}
        some = np.zeros(len(self.nodes), dtype=bool)
        for group in self._groups(key, state):
            many, inner = len(group.elements), (False,) * len(self.nodes)
            if group.array.target[0] == "link":
                many = group.array.count
            if group.chosen[-1]:
                count_of[group.array.target] = count_of.get(group.array.target, 0) + many
            if group.array.inside is not None:
                below, inner = self._count(group.array.inside, group.state)
                for target, each in below.items():
                    count_of[target] = count_of.get(target, 0) + many * each
            self._note(group, inner)
            some |= np.array(group.chosen) | np.array(inner)
        self._counts[key, state] = count_of, tuple(some.tolist())
        return self._counts[key, state]

    def _note(self, group: _Group, inner: tuple[bool, ...]) -> None:
        """Keep what the differences do to these elements, inside of which the nodes of `inner` select something."""
        for number, node in enumerate(self.nodes):
            if isinstance(node, Parted) and group.chosen[node.left]:
                if group.state.around[node.right]:
                    self.effective.add(number)
                elif inner[node.right]:
                    self.effective.add(number)
                    self.broken.add(number)

    def _blocks(
        self, plan: Plan, key: str, state: _State, done: dict[tuple[str, _State], tuple[IntArray, IntArray]],
        keys: dict[str, None],
    ) -> tuple[IntArray, IntArray]:  # fmt: skip
        """First device, counted from that of the type, and number of devices of each part selected inside a type."""
        if (key, state) in done:
            return done[key, state]
        starts, sizes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for group in self._groups(key, state):
            inside = group.array.inside
            if inside is None:
                continue
            size = plan.device_count[inside]
            first = plan.numbering.child_starts[key][group.number] + group.elements * size
            if group.chosen[-1]:
                keys[inside] = None
                starts.append(first)
                sizes.append(np.full(len(first), size))
            start, inner = self._blocks(plan, inside, group.state, done, keys)
            if len(start):
                starts.append((first[:, None] + start).ravel())
                sizes.append(np.tile(inner, len(first)))
        done[key, state] = np.concatenate(starts), np.concatenate(sizes)
        return done[key, state]

    def _cables(self, plan: Plan, key: str, state: _State, done: dict[tuple[str, _State], IntArray]) -> IntArray:
        """Return the cables selected inside a type, counted from its first."""
        if (key, state) in done:
            return done[key, state]
        cables, numbering = [np.zeros(0, np.int64)], plan.numbering
        for group in self._groups(key, state):
            first, inside = numbering.cable_starts[key][group.number], group.array.inside
            if inside is not None and inside in plan.assemblies:
                below = self._cables(plan, inside, group.state, done)
                starts = first + group.elements * numbering.cable_count[inside]
                cables.append((starts[:, None] + below).ravel())
            elif group.chosen[-1] and group.array.target[0] == "link":
                cables.append(first + np.arange(group.array.count))
        done[key, state] = np.concatenate(cables)
        return done[key, state]

    # -- one level

    def _groups(self, key: str, state: _State) -> Iterator[_Group]:
        for number, array in enumerate(_arrays(self.types[key], cables=self._of_cables)):
            spare = state.spare or array.spare
            for elements, matched in self._alike(array, state):
                chosen = self._chosen(array.target, matched, state.around, spare)
                around = tuple(a or b for a, b in zip(state.around, chosen, strict=True))
                yield _Group(array, number, elements, chosen, _State(matched, around, spare))

    def _alike(self, array: _Array, state: _State) -> Iterator[tuple[IntArray, tuple[int, ...]]]:
        """Yield the elements of an array by what paths lead to them."""
        there = np.arange(1 if array.target[0] == "link" else array.count)
        code = np.zeros(len(there), dtype=np.int64)
        led: dict[int, NDArray[np.bool_]] = {}
        for number, node in enumerate(self.nodes):
            at = state.matched[number]
            if isinstance(node, Named) and 0 <= at < len(node.steps) and _is_called(array, node.steps[at]):
                led[number] = np.isin(there, node.elements[at]) | (node.steps[at] != array.name)
                code = np.unique(2 * code + led[number], return_inverse=True)[1].ravel()
        for first in np.unique(code, return_index=True)[1].tolist():
            matched = [-1] * len(self.nodes)
            for number in led:
                if led[number][first]:
                    matched[number] = state.matched[number] + 1
            yield (np.flatnonzero(code == code[first]) if led else there), tuple(matched)

    def _chosen(
        self, target: Target, matched: tuple[int, ...], around: tuple[bool, ...], spare: bool
    ) -> tuple[bool, ...]:
        """By node: whether it selects a target that stands here."""
        chosen: list[bool] = []
        for number, node in enumerate(self.nodes):
            match node:
                case Named():
                    chosen.append(matched[number] == len(node.steps))
                case Every():
                    within = node.scope is None or chosen[node.scope] or around[node.scope]
                    chosen.append(target in node.targets and not spare and within)
                case Joined():
                    chosen.append(chosen[node.left] or chosen[node.right])
                case Parted():
                    chosen.append(chosen[node.left] and not (chosen[node.right] or around[node.right]))
        return tuple(chosen)


def _is_called(array: _Array, word: str) -> bool:
    return array.name == word or (word == "ports" and array.target[0] == "port")


def _arrays(kind: PlanType, *, cables: bool) -> list[_Array]:
    """Return what a type holds: children in order, then cables where they are asked for."""
    if isinstance(kind, DeviceType):
        return [_Array(port.name, port.count, ("port", kind.key, port.name)) for port in kind.ports]
    return [*map(_of_child, kind.children), *(_of_rules(kind) if cables else ())]


def _of_child(child: Child) -> _Array:
    return _Array(child.name, child.count, ("part", child.type), child.spare)


def _of_rules(kind: AssemblyType) -> Iterator[_Array]:
    for number, rule in enumerate(kind.rules):
        yield _Array("", count_points(rule.axes, rule.where), ("link", kind.key, str(number)))
