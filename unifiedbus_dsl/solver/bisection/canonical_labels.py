"""Numbers of the nodes of a small graph that do not depend on how it is numbered.

What is tried in order, drawn at random or broken as a tie by number is then the same on every numbering. Colours come
from rounds of refinement (Weisfeiler and Leman): the colour of a node and the sum over its links of hashes of their
capacities and neighbours. Nodes that stay of one colour are told apart by what the refinement makes of the graph when
one of them is singled out; those that not even that tells apart are singled out one after another: where they are
images of each other it does not matter which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Hashes, Ints
from unifiedbus_dsl.graph.symmetry import relabel, splitmix64
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph

MAX_NODES = 800
"""Nodes up to which a graph is numbered anew."""
ROUNDS = 6
"""Rounds of refinement after each node was singled out."""


def canonical_form(graph: CutGraph) -> CutGraph:
    """Return the same graph with its nodes in an order of their own; the graph itself where it is large."""
    if not 1 < graph.nodes <= MAX_NODES:
        return graph
    order = np.argsort(canonical_labels(graph), kind="stable")
    number = np.empty(graph.nodes, dtype=np.int64)
    number[order] = np.arange(graph.nodes)
    weight = graph.weight[order][:, order].tocsr()
    weight.sort_indices()
    node = np.where(graph.node >= 0, number[graph.node], -1)
    return evolve(graph, weight=weight, members=graph.members[order], node=node, vertex=graph.vertex[order])


def canonical_labels(graph: CutGraph) -> Ints:
    """Return a label of each node, [N], all different."""
    linked = _hashed(graph)
    colour = _refined(linked, splitmix64(graph.members.astype(np.int64)))
    if _cells(colour) < graph.nodes:
        single = splitmix64(colour)[:, None] + splitmix64(np.arange(2) + 7)[np.eye(graph.nodes, dtype=np.int64)]
        for _ in range(ROUNDS):
            single = splitmix64(single + linked @ splitmix64(single))
        colour = _refined(linked, splitmix64(colour + splitmix64(single).sum(axis=0, dtype=np.uint64)))
    while _cells(colour) < graph.nodes:
        values, first, count = np.unique(colour, return_index=True, return_counts=True)
        several = np.flatnonzero(count > 1)
        colour = colour.copy()
        colour[first[several[np.argmin(values[several])]]] += np.uint64(0x9E3779B9)
        colour = _refined(linked, splitmix64(colour))
    return relabel(colour).astype(np.int64)


def _hashed(graph: CutGraph) -> Any:
    """Return the links with odd hashes of their capacities, by rank."""
    linked = graph.weight.astype(np.float64).copy()
    rank = relabel(linked.data).astype(np.int64)
    linked = linked.astype(np.uint64)
    linked.data = splitmix64(rank) | np.uint64(1)
    return linked


def _refined(linked: Any, colour: Hashes) -> Hashes:
    """Return the colours, [N], after rounds until no more cells come of it."""
    cells = _cells(colour)
    while True:
        colour = splitmix64(colour + np.asarray(linked @ splitmix64(colour)))
        more = _cells(colour)
        if more == cells:
            return colour
        cells = more


def _cells(colour: NDArray[np.uint64]) -> int:
    return len(np.unique(colour))
