"""How likely what an end point sends to another crosses an arc, under a routing that shares in fixed parts.

To one target the arcs that lead on have no cycle. With S the part of what a vertex holds that it passes to each other
one, and D the part that it puts on each chosen arc, the chances X that what a vertex holds crosses it are

    X = D + S X,    so X = (I - S)^-1 D,

a triangular system in the order of steps to the target.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.paths.bfs import Distances, injection_split
from unifiedbus_dsl.solver.routing.dragonfly import Grouping, add_arrivals
from unifiedbus_dsl.solver.routing.up_down import Router, RoutingDag

COLUMNS = 512
"""Arcs that are solved for at once."""


@frozen(eq=False, slots=False)
class Crossings:
    """Of what the `members` [E] send under a router, whose vertices share by `weight` [A]: `toward` a target. With
    `grouping` it goes to each group first, all as likely."""

    network: Network
    router: Router
    weight: Floats
    members: Bools
    grouping: Grouping | None = None
    _first: dict[bytes, Floats] = field(factory=dict, repr=False)

    def toward(self, target: int, arcs: Ints) -> Floats:
        """Return the chance that what each end point sends to a target crosses each of some arcs, [E, arcs].

        Raises:
            NotAdmittedError: an end point has no path.
        """
        ways = self.router(self.network.vertices_of(target))
        if self.grouping is None:
            return self._leg(ways, arcs, target)
        begins = self._chances
        if (ways.steps[np.unique(begins.nonzero()[0])] < 0).any():
            raise NotAdmittedError("`valiant(via = group)` comes to a group from which there is no path to a target")
        chance = self._to_groups(arcs) + begins.T @ self._crossed(ways, arcs)
        chance[~self.members] = 0.0
        chance[target] = 0.0
        return np.asarray(chance)

    def _leg(self, ways: RoutingDag, arcs: Ints, target: int = -1) -> Floats:
        """Return the chance that what each member but the target sends crosses each of some arcs, [E, arcs]."""
        from scipy.sparse import csr_matrix

        network = self.network
        sends = self.members.astype(np.float64)
        sends[target] = sends[target] if target < 0 else 0.0
        nearer = bincount(network.tail[ways.arcs], self.weight[ways.arcs], network.vertices)
        given = injection_split(network, Distances(ways.steps, nearer), sends)
        if not np.isclose(given.sum(), sends.sum(), rtol=1e-9):
            raise NoPathError("some end points have no path to each other one")
        at = np.flatnonzero(given)
        start = csr_matrix((given[at], (network.end[at], at)), shape=(network.ends, network.vertices))
        return np.asarray(start @ self._crossed(ways, arcs))

    def _crossed(self, ways: RoutingDag, arcs: Ints) -> Floats:
        """Return the chance that what a vertex holds crosses each of some arcs, [V, arcs]."""
        from scipy.sparse import csc_matrix, identity
        from scipy.sparse.linalg import splu

        network, n = self.network, self.network.vertices
        tail, head, weight = network.tail[ways.arcs], network.head[ways.arcs], self.weight[ways.arcs]
        share = np.zeros(network.arcs)
        share[ways.arcs] = weight / bincount(tail, weight, n)[tail]
        place = np.empty(n, dtype=np.int64)
        place[np.argsort(ways.steps, kind="stable")] = np.arange(n)
        passes = csc_matrix((share[ways.arcs], (place[tail], place[head])), shape=(n, n))
        lower = splu(
            (identity(n, format="csc") - passes).tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0,
            options={"Equil": False},
        )  # fmt: skip
        result = np.empty((n, len(arcs)))
        for begin in range(0, len(arcs), COLUMNS):
            some = arcs[begin : begin + COLUMNS]
            direct = np.zeros((n, len(some)))
            direct[place[network.tail[some]], np.arange(len(some))] = share[some]
            result[:, begin : begin + COLUMNS] = lower.solve(direct)[place]
        return result

    def _to_groups(self, arcs: Ints) -> Floats:
        """Return the chance that what each member sends crosses each of some arcs on its way to a group, [E, arcs]."""
        key = arcs.tobytes()
        if key not in self._first:
            self._first.clear()  # those of the arcs before
            legs = [self._leg(self.router(goal), arcs) for goal in self._goals]
            self._first[key] = np.asarray(sum(legs)) / len(legs)
        return self._first[key]

    @cached_property
    def _goals(self) -> list[NDArray[Any]]:
        assert self.grouping is not None
        of_vertex = self.grouping.of_vertices(self.network)
        return [np.flatnonzero(of_vertex == number) for number in range(self.grouping.count)]

    @cached_property
    def _chances(self) -> Any:
        """The chances that what each member sends comes to a vertex first in some group, [V, E], sparse."""
        chances: Any = None
        for goal in self._goals:
            chances = add_arrivals(chances, self.network, self.router(goal), self.members.astype(np.float64))
        return chances / len(self._goals)
