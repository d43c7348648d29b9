"""The state of a search for the bisection: incumbent, lower bound and deadline, and what its methods share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bisection.candidate_partitions import along_arrays
from unifiedbus_dsl.solver.bisection.canonical_labels import canonical_form
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph, contract_leaves, cut_graph
from unifiedbus_dsl.solver.bisection.incumbent import Incumbent
from unifiedbus_dsl.solver.bisection.proved_bound import NOTHING, ProvedBound
from unifiedbus_dsl.solver.deadline import Deadline

MOST_ARCS = 4_000_000
"""Arcs up to which the network is made into a cut graph."""
ARC_S = 1e-6
"""Seconds that it takes at the most to make a graph or a linear program of a network, for each of its arcs."""
FEW_SORTS = 8
"""Sorts of end points up to which a linear program on classes comes first where time is short."""


@define(eq=False, slots=False)
class Search:
    """A search for the bisection of `chosen` ([E]): the incumbent above, the lower bound below, and what methods leave
    for later ones."""

    symmetry: Symmetry
    chosen: Bools
    incumbent: Incumbent
    most: int
    """Nonzeros that a linear program may have."""
    lower: ProvedBound = NOTHING
    along: Iterator[Bools] = field(init=False)
    """Halves along the axes of the arrays that were not yet tried."""
    joined: bool = field(init=False)
    """Whether all chosen end points are connected."""
    hurried: bool = field(init=False)
    """Whether there is a budget and the machine has few symmetries: its linear program comes last."""
    flows_solved: bool = field(default=False, init=False)
    """Whether the linear program on classes was solved."""
    mixed_Bps: float | None = field(default=None, init=False)  # noqa: N815
    """The bound of mixed routings, byte/s, None before it is made."""
    vectors: Floats | None = field(default=None, init=False)
    """The vectors of the eigenvalue bound, one a node of the graph, None before it is made."""

    def __attrs_post_init__(self) -> None:
        self.along = along_arrays(self.symmetry, self.chosen)
        self.joined = are_connected(self.network, self.chosen)
        self.hurried = self.deadline.left is not None and self._sorts() > FEW_SORTS

    def _sorts(self) -> int:
        """Return how many orbits the end points fall into."""
        return len(self.symmetry.representatives(np.flatnonzero(self.chosen))[0])

    @property
    def network(self) -> Network:
        return self.symmetry.network

    @property
    def deadline(self) -> Deadline:
        return self.incumbent.deadline

    @cached_property
    def graph(self) -> CutGraph:
        """The undirected graph of capacities that a cut adds up, numbered by its structure."""
        return canonical_form(cut_graph(self.network, self.chosen))

    @cached_property
    def small(self) -> CutGraph:
        """The same without leaves."""
        return contract_leaves(self.graph)

    def has_graph(self) -> bool:
        """Return whether the cut graph is made, or is small enough and will be in time."""
        return "graph" in vars(self) or (self.network.arcs <= MOST_ARCS and self.allows_arcs())

    def allows_arcs(self) -> bool:
        """Return whether there is time for what takes a step an arc."""
        return self.deadline.allows(ARC_S * self.network.arcs)

    def is_closed(self) -> bool:
        """Return whether the bounds meet."""
        return self.incumbent.meets(self.lower.value)


@frozen
class LowerBoundMethod:
    """A way to a lower bound: its name, whether it is worth its time at this point of a search, and what it proves."""

    name: str
    admits: Callable[[Search], bool]
    prove: Callable[[Search], ProvedBound]


@frozen
class Heuristic:
    """A way to feasible cuts: its name, whether it is worth its time at this point of a search, and its halves [E]."""

    name: str
    admits: Callable[[Search], bool]
    halves: Callable[[Search], Iterable[Bools]]


def are_connected(network: Network, chosen: Bools) -> bool:
    """Return whether all chosen end points are connected, if through each other."""
    member = network.on_vertices(chosen)
    passes = network.forwards | member
    open_ = passes[network.tail] & passes[network.head]
    # the vertices of a member are one
    inside = network.end_order[member[network.end_order]]
    first = network.end_order[network.end_start[network.end[inside]]]
    tail, head = np.append(network.tail[open_], inside), np.append(network.head[open_], first)
    component = connected_components(network.vertices, tail, head)[inside]
    return bool((component == component[0]).all())
