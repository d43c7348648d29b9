"""What flows share: the arcs, and the gates of vertices that only so much may leave and enter, by orbits.

A gate is what an end point may inject where it relays: all that leaves its memory, and all that arrives there, passes
it. Orbits of arcs come first, then the gates outward, then inward; an arc takes room in its own orbit and in the gates
at its tail and at its head.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.graph.symmetry import Symmetry


@frozen(eq=False)
class SharedResources:
    """`capacity_Bps` of one member of each room and how many `size` has, [R]. `outward` and `inward` number the gate at
    the tail and at the head of each orbit of arcs, -1 where there is none, [arc orbits]."""

    capacity_Bps: Floats  # noqa: N815
    size: Ints
    outward: Ints
    inward: Ints

    @property
    def arcs(self) -> int:
        """Orbits of arcs: the rooms before the gates."""
        return len(self.outward)

    @property
    def whole_Bps(self) -> Floats:  # noqa: N802
        """Capacity of all members together, [R]."""
        return np.asarray(self.capacity_Bps * self.size)

    def totals(self, total: Floats) -> Floats:
        """Return what each room holds in all, [R], from what each orbit of arcs carries in all."""
        if len(self.size) == self.arcs:
            return total
        gates = (len(self.size) - self.arcs) // 2
        sides = [bincount(side[side >= 0], total[side >= 0], gates) for side in (self.outward, self.inward)]
        return np.concatenate([total, *sides])

    def means(self, mean: Floats) -> Floats:
        """Return what a member of each room holds, [R], from what an arc of each orbit carries."""
        if len(self.size) == self.arcs:
            return mean
        return self.totals(mean * self.size[: self.arcs]) / self.size

    def lengths(self, price: Floats) -> Floats:
        """Length of an arc of each orbit, [arc orbits]: the prices [R] of the rooms that it takes."""
        if len(self.size) == self.arcs:
            return price
        out, into = (np.append(side, 0.0) for side in np.split(price[self.arcs :], 2))
        return np.asarray(price[: self.arcs] + out[self.outward] + into[self.inward])

    def taken(self, orbit: Ints) -> tuple[Ints, Ints]:
        """Rooms that classes of arcs of these orbits take, and the places of the classes, in pairs."""
        gates = (len(self.size) - self.arcs) // 2
        rooms, places = [orbit], [np.arange(len(orbit))]
        for side, first in ((self.outward, self.arcs), (self.inward, self.arcs + gates)):
            gated = np.flatnonzero(side[orbit] >= 0)
            rooms.append(first + side[orbit[gated]])
            places.append(gated)
        return np.concatenate(rooms), np.concatenate(places)


def shared_resources_of(symmetry: Symmetry) -> SharedResources:
    """Return the rooms of a network, by the orbits of its symmetries."""
    network, orbits = symmetry.network, symmetry.arc_orbits
    capacity, size = symmetry.arc_orbit_capacity_Bps, symmetry.arc_orbit_size
    none = np.full(orbits, -1, dtype=np.int64)
    if network.gate_Bps is None:
        return SharedResources(capacity, size, none, none)
    gate = np.full(symmetry.vertex_orbits, np.inf)
    gate[symmetry.vertex_orbit] = network.gate_Bps
    shut = np.flatnonzero(np.isfinite(gate))
    number = np.full(len(gate), -1, dtype=np.int64)
    number[shut] = np.arange(len(shut))
    first = np.empty(orbits, dtype=np.int64)
    first[symmetry.arc_orbit[::-1]] = np.arange(network.arcs)[::-1]
    members = np.bincount(symmetry.vertex_orbit, minlength=len(gate))[shut]
    return SharedResources(
        np.concatenate([capacity, gate[shut], gate[shut]]),
        np.concatenate([size, members, members]),
        number[symmetry.vertex_orbit[network.tail[first]]],
        number[symmetry.vertex_orbit[network.head[first]]],
    )
