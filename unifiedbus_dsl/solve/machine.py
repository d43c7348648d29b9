"""A machine as questions see it: the fabric, its network, and the symmetries that its arrays suggest."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import frozen

from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.network import Ints, Network, from_fabric, frozen_array, lengthless
from unifiedbus_dsl.symmetry import Symmetry, arrays_of, find, trivial


@frozen(eq=False, slots=False)
class Machine:
    """A fabric with what is derived from it, each when first asked for.

    `network` and `symmetry` are for rates and hops: cables that differ in length only are alike in them, and their
    latencies are NaN. `timed_network` and `timed_symmetry` know every length. Vertices and end points have the same
    numbers in both. Without `symmetric` every end point is its own orbit: the same numbers, at the cost of the whole
    machine.
    """

    fabric: Fabric
    symmetric: bool = True

    @cached_property
    def timed_network(self) -> Network:
        return from_fabric(self.fabric)

    @cached_property
    def network(self) -> Network:
        if len(lengthless(self.fabric)[0]) == len(self.fabric.kinds.link):
            return self.timed_network
        return from_fabric(self.fabric, timed=False)

    @cached_property
    def timed_symmetry(self) -> Symmetry:
        return self._symmetry(self.timed_network)

    @cached_property
    def symmetry(self) -> Symmetry:
        return self.timed_symmetry if self.network is self.timed_network else self._symmetry(self.network)

    def _symmetry(self, network: Network) -> Symmetry:
        return find(network, arrays_of(self.fabric.plan)) if self.symmetric else trivial(network)

    @cached_property
    def end_of_device(self) -> Ints:
        """End point of each device, -1 for switches, [D]."""
        end = np.full(self.fabric.device_count, -1, dtype=np.int64)
        end[self.network.end_device] = np.arange(self.network.ends)
        return frozen_array(end)

    def ends(self, devices: Ints) -> Ints:
        """The end points among these devices, in their order; switches are left out."""
        found = self.end_of_device[devices]
        return found[found >= 0]
