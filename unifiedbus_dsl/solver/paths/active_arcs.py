"""Which arcs a step can touch: a part of the network that holds every shortest path of its flows.

Symmetries map components of an orbit of arcs to components of it. So that two end points are in one component is the
same for all images of the pair, and so are the answers for all orbits, and for orbits taken together: the sort of a
pair. The paths of all pairs of a sort are images of paths to one end point of each orbit, from all that are of this
sort to it: one sweep there says which orbits of arcs they cross. What is found may be too much, never too little.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ids, Ints
from unifiedbus_dsl.graph.network import connected_components
from unifiedbus_dsl.graph.symmetry import Symmetry, relabel
from unifiedbus_dsl.solver.demand import Demand, Groups
from unifiedbus_dsl.solver.paths.bfs import Distances, by_cable, distances, injection_split, shortest_path_loads

MOST_ORBITS = 256
"""Orbits of arcs up to which pairs are sorted: each is a search of components."""
WILDCARD = -1
"""In place of whether two end points are together: pairs of both sorts are meant."""

PairClass = tuple[int, ...]
"""For each relation 1 where two end points are together, 0 where not, or `WILDCARD`."""


@frozen(eq=False, slots=False)
class ActiveArcs:
    """Orbits of arcs that demands touch, with all that has been worked out for that."""

    symmetry: Symmetry
    _far: dict[int, Distances] = field(factory=dict, init=False, repr=False)
    _found: dict[tuple[int, tuple[int, ...], PairClass], Ints | None] = field(factory=dict, init=False, repr=False)

    def orbits(self, demand: Demand) -> Ints | None:
        """Return orbits of arcs that hold every shortest path of the demand and its way back, ascending; None where
        some pair might have no path."""
        ends = self.symmetry.end_orbit
        if isinstance(demand, Groups):
            inside = np.flatnonzero(demand.group >= 0)
            source = target = np.unique(ends[inside])
            sorts = {self._sort_of(demand)}
        else:
            source, target = np.unique(ends[demand.source]), np.unique(ends[demand.target])
            sorts = self._sorts_of(demand.source, demand.target)
        crossed_of: list[Ints] = []
        for orbit in target.tolist():
            for sort in sorted(sorts):
                key = orbit, tuple(source.tolist()), sort
                if key not in self._found:
                    self._found[key] = self._crossed(*key)
                crossed = self._found[key]
                if crossed is None:
                    return None
                crossed_of.append(crossed)
        every = np.unique(np.concatenate(crossed_of))
        return np.union1d(every, self._turned[every])

    @cached_property
    def _turned(self) -> Ints:
        """Orbit of the opposites of the arcs of each orbit."""
        _, first = np.unique(self.symmetry.arc_orbit, return_index=True)
        return self.symmetry.arc_orbit[self.symmetry.network.opposite[first]].astype(np.int64)

    @cached_property
    def _together(self) -> NDArray[np.int32]:
        """Relations between end points that symmetries keep, as labels, [relations, E]: to be in one component of an
        orbit of arcs, and of the orbits of short arcs together, ever longer ones with them. Devices of one part of the
        machine have numbers near each other, so these components are its parts, from the innermost out."""
        network, turned = self.symmetry.network, self._turned
        first = network.end_order[network.end_start[:-1]]
        real = network.end >= 0
        joined = np.where(real, first[network.end], np.arange(network.vertices))  # an end point is one thing
        order = np.argsort(self.symmetry.arc_orbit, kind="stable")
        start = np.concatenate([[0], np.cumsum(self.symmetry.arc_orbit_size)])
        parts = []
        for orbit in np.flatnonzero(turned >= np.arange(len(turned))).tolist():
            arcs = order[start[orbit] : start[orbit + 1]]
            tail, head = network.tail[arcs], network.head[arcs]
            span = int(np.abs(tail - head).max())
            parts.append((span, joined[tail], joined[head]))
        parts.sort(key=lambda part: part[0])
        labels: list[Ids] = [
            relabel(connected_components(network.vertices, tail, head)[first]) for _, tail, head in parts
        ]
        so_far = np.arange(network.vertices, dtype=np.int32)
        for _, tail, head in parts:
            so_far = connected_components(int(so_far.max()) + 1, so_far[tail], so_far[head])[so_far]
            labels.append(relabel(so_far[first]))
        kept: dict[bytes, Ids] = {}
        for label in labels:
            if 0 < int(label.max(initial=0)) < network.ends - 1:
                kept.setdefault(label.tobytes(), label)
        return np.array(list(kept.values()), dtype=np.int32).reshape(len(kept), network.ends)

    def _sorts_of(self, source: Ints, target: Ints) -> set[PairClass]:
        number: Ints = np.zeros(len(source), dtype=np.int64)
        seen = np.zeros((1, 0), dtype=np.int64)
        for label in self._together:
            number = number * 2 + (label[source] == label[target])
            some, number = np.unique(number, return_inverse=True)
            seen = np.column_stack([seen[some // 2], some % 2])
        return {tuple(row) for row in seen.tolist()}

    def _sort_of(self, demand: Groups) -> PairClass:
        """Return the sort of all pairs of one group, as far as it is the same for all."""
        inside = np.flatnonzero(demand.group >= 0)
        order = inside[np.argsort(demand.group[inside], kind="stable")]
        group = relabel(demand.group[order]).astype(np.int64)
        first = np.append(True, group[1:] != group[:-1])
        number = np.cumsum(first) - 1
        sort = []
        for label in self._together:
            mine = label[order].astype(np.int64)
            if (mine == mine[first][number]).all():
                sort.append(1)
                continue
            key = np.sort(group * (int(mine.max()) + 1) + mine)
            sort.append(0 if (key[1:] != key[:-1]).all() else WILDCARD)
        return tuple(sort)

    def _crossed(self, target: int, source: tuple[int, ...], sort: PairClass) -> Ints | None:
        """Return orbits of arcs on the shortest paths to an end point of orbit `target` from those of the orbits
        `source` that are of this sort to it; None if there is none from some of them."""
        symmetry = self.symmetry
        network, weights = symmetry.network, by_cable(symmetry.network)
        end = int(np.argmax(symmetry.end_orbit == target))
        if target not in self._far:
            self._far[target] = distances(weights, network.vertices_of(end))
        senders = np.isin(symmetry.end_orbit, source)
        senders[end] = False
        for label, together in zip(self._together, sort, strict=True):
            if together != WILDCARD:
                senders &= (label == label[end]) == bool(together)
        given = injection_split(network, self._far[target], senders.astype(np.float64))
        if not np.isclose(given.sum(), senders.sum()):
            return None
        arcs, load = shortest_path_loads(weights, self._far[target], given)
        return np.unique(symmetry.arc_orbit[arcs[load > 0]]).astype(np.int64)
