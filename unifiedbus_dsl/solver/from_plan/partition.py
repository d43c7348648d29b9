"""Colour refinement of the orbits around a source: the coarsest equitable partition that a linear program needs.

Orbits are finer than need be: two nodes may stay one where whatever tells them apart, the orbits of their arcs and the
colours at their heads, with how many cables, is the same. All vertices of a device know each other's colours, so that
classes of devices are well defined.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.solver.from_plan.plan_network import Quotient

ROUNDS, MAX_WORK = 16, 3_000_000
"""Rounds that are worth beginning with, and rounds times arcs up to which they are made."""


@frozen(eq=False)
class Classes:
    """Classes of nodes around a source: `of` is the class of each node, `size` how many vertices each has. Arcs lead
    from class `tail` to `head`, of an `orbit` under the whole group, `cables` of them together."""

    quotient: Quotient
    of: Ints
    size: Ints
    tail: Ints
    head: Ints
    orbit: Ints
    cables: Ints

    @property
    def count(self) -> int:
        return len(self.size)


def refine(quotient: Quotient, colour: Ints) -> Classes:
    """Return the coarsest equitable partition that is finer than the colours of nodes, [nodes], keeps the source and
    the orbits of arcs apart, and devices together.

    Raises:
        NotProvedError: that takes too many rounds: as along a ring, where each tells a few nodes apart; or the nodes
            are too many for the first of them, as around a node of a large torus, where hardly two are alike.
    """
    arcs = quotient
    rounds = MAX_WORK // (len(arcs.tail) + 1)
    if rounds < ROUNDS:
        raise NotProvedError("too many nodes around a source to be told apart")
    place, vertex = quotient.cells.place, quotient.cells.vertex
    alone = quotient.device == quotient.source
    now = _dense(np.stack([place, vertex, alone, colour], axis=1))
    classes = int(now.max(initial=-1)) + 1
    for _ in range(rounds):
        rows = np.stack([arcs.tail, arcs.orbit, now[arcs.head]], axis=1)
        distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
        total = np.zeros(len(distinct), dtype=np.int64)
        np.add.at(total, inverse.ravel(), arcs.count)
        said: list[list[int]] = [[] for _ in range(quotient.nodes)]
        for (tail, *key), cables in zip(distinct.tolist(), total.tolist(), strict=True):
            said[tail] += [*key, cables]
        number: dict[tuple[int, ...], int] = {}
        fresh = np.array([number.setdefault((c, *s), len(number)) for c, s in zip(now.tolist(), said, strict=True)])
        fresh = _with_siblings(quotient, fresh.astype(np.int64))
        count = int(fresh.max(initial=-1)) + 1
        if count == classes:
            return _classes(quotient, fresh)
        now, classes = fresh, count
    raise NotProvedError("classes are told apart in too many rounds")


def _dense(rows: Ints) -> Ints:
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()


def _with_siblings(quotient: Quotient, colour: Ints) -> Ints:
    """Colours that tell apart vertices whose devices have other vertices of different colours."""
    vertex = quotient.cells.vertex
    vertex_count = int(vertex.max(initial=0)) + 1
    if vertex_count == 1:
        return colour
    table = np.full((quotient.devices, vertex_count), -1, dtype=np.int64)
    table[quotient.device, vertex] = colour
    return _dense(np.concatenate([table[quotient.device], vertex[:, None]], axis=1))


def _classes(quotient: Quotient, of: Ints) -> Classes:
    size = bincount(of, quotient.size.astype(np.float64), int(of.max(initial=-1)) + 1).astype(np.int64)
    rows = np.stack([of[quotient.tail], of[quotient.head], quotient.orbit], axis=1)
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    cables = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(cables, inverse.ravel(), quotient.size[quotient.tail] * quotient.count)
    return Classes(quotient, of, size, distinct[:, 0], distinct[:, 1], distinct[:, 2], cables)


def joined(classes: Classes, nodes: Bools) -> Classes:
    """Return the classes with all vertices of a device as one, for devices all of whose nodes are marked, [nodes]."""
    quotient = classes.quotient
    of = np.where(nodes, classes.of[quotient.first[quotient.device]], classes.of)
    return _classes(quotient, _dense(of[:, None]))


def on_classes(classes: Classes, values: Floats) -> Floats:
    """Values of nodes, the same within a class, by class."""
    by_class = np.zeros(classes.count)
    by_class[classes.of] = values
    return by_class
