"""A machine as questions see it: the fabric, its network, and the symmetries that its arrays suggest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from attrs import frozen

from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.network import Ints, Network, from_fabric, frozen_array, lengthless
from unifiedbus_dsl.plan import AssemblyType, IndexExpr, Plan, algebra
from unifiedbus_dsl.symmetry import Array, Symmetry, find, trivial

Loops = tuple[tuple[int, int], ...]


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
        return find(network, plan_arrays(self.fabric.plan)) if self.symmetric else trivial(network)

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


def plan_arrays(plan: Plan) -> tuple[Array, ...]:
    """Every array of the plan at each place where it stands: where symmetries are looked for.

    The number of places is that of the text (types by where they are used), not of the machine.
    """
    return tuple(_arrays(plan, plan.root, 0, ()))


def _arrays(plan: Plan, key: str, base: int, loops: Loops) -> Iterator[Array]:
    if key in plan.devices:
        return
    assembly = plan.assemblies[key]
    start = base
    for child in assembly.children:
        size = plan.device_count[child.type]
        if child.count > 1:
            yield Array(start, loops, child.shape, size, _strides(assembly, child.name))
        inner = (*loops, (child.count, size)) if child.count > 1 else loops
        yield from _arrays(plan, child.type, start, inner)
        start += child.count * size


def _strides(assembly: AssemblyType, child: str) -> tuple[int, ...]:
    """Steps that subscripts of connects take in a flat array: 2048 and 16 in `host[2048*i + 16*c + e]`."""
    found: set[int] = set()
    for rule in assembly.rules:
        for ref in (rule.left, rule.right):
            if ref.child == child and len(ref.at) == 1:
                found |= _coefficients(ref.at[0])
    return tuple(sorted(found - {1}, reverse=True))


def _coefficients(expr: IndexExpr) -> set[int]:
    return {abs(c) for c in algebra.affine(expr).terms.values()}
