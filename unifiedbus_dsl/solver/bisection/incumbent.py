"""The incumbent of a bisection: the feasible cut of the least capacity so far, from which the upper bound comes."""

from __future__ import annotations

import numpy as np
from attrs import define, field

from unifiedbus_dsl.base.arrays import Bools, Floats, bincount
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bisection.halving_cut import cut_capacity, halving_cut, majority_side
from unifiedbus_dsl.solver.deadline import Deadline
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN

CUT_ARCS_PER_S = 200_000
"""Arcs of a network for which a minimum cut, at the slowest, takes a second."""


@define(eq=False)
class Incumbent:
    """The best cut so far: its half [E], the side of each vertex [V], and its capacity, byte/s; how many halves were
    tried."""

    network: Network
    chosen: Bools
    deadline: Deadline
    half: Bools = field(init=False)
    vertex_side: Bools = field(init=False)
    best: float = field(default=np.inf, init=False)
    tried: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the half of the narrowest end points alone on its side: what their ports carry."""
        network = self.network
        ports = bincount(network.end[network.tail[network.end[network.tail] >= 0]], _of_ends(network), network.ends)
        members = np.flatnonzero(self.chosen)
        narrow = members[np.argsort(ports[members], kind="stable")[: len(members) // 2]]
        self._offer(network.selected(narrow), network.on_vertices(network.selected(narrow)))

    def try_half(self, half: Bools) -> None:
        """Take the minimum cut of a half where it is less; where there is no time for that, a cut of the half in which
        the other vertices go with most of their neighbours."""
        self.tried += 1
        if self.has_time():
            side = halving_cut(self.network, half, self.chosen & ~half)[1]
        else:
            side = majority_side(self.network, half, self.chosen & ~half)
        self._offer(half, side)

    def offer_side(self, side: Bools) -> None:
        """Take a cut ([V]) where it halves the end points, and is less."""
        network = self.network
        half = self.chosen & network.selected(np.unique(network.end[network.on_vertices(self.chosen) & side]))
        if int(half.sum()) > len(np.flatnonzero(self.chosen)) // 2:
            half, side = self.chosen & ~half, ~side
        if int(half.sum()) == int(self.chosen.sum()) // 2:
            self._offer(half, side)

    def _offer(self, half: Bools, side: Bools) -> None:
        passes = self.network.forwards | self.network.on_vertices(self.chosen)
        value = cut_capacity(self.network, side & passes, ~side & passes)
        if value < self.best:
            self.half, self.vertex_side, self.best = half, side, value

    def has_time(self) -> bool:
        """Return whether another minimum cut will be made in time."""
        return self.deadline.allows(self.network.arcs / CUT_ARCS_PER_S)

    def meets(self, lower: float) -> bool:
        return self.best <= lower * (1 + MEETS_WITHIN)


def _of_ends(network: Network) -> Floats:
    """Return the capacities of the arcs out of end points."""
    return np.asarray(network.capacity_Bps[network.end[network.tail] >= 0])
