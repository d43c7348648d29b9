"""Hops to a target and what its senders load, on orbits of vertices, held to their definitions arc by arc.

All vertices of a node are alike under the symmetries that keep the target. An arc may be taken where its head forwards
or is of the target; hops are exact where no arc that may be taken shortens them and one attains them. Loads are those
of equal cost where each vertex hands on what it has over the arcs that lead nearer in proportion to their weights.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Floats, Ints

NOISE = 1e-9
"""Part of all that is sent up to which a difference is rounding."""


@frozen(eq=False)
class StatedLevels:
    """Arcs [A] from node `tail` to `head`; `target` and `forwards` mark nodes; `hops` [nodes] are `far` where there is
    no path."""

    tail: Ints
    head: Ints
    target: Bools
    forwards: Bools
    hops: Ints
    far: int

    @property
    def leads(self) -> Bools:
        """Which arcs lead nearer to the target, [A]."""
        taken = self.forwards[self.head] | self.target[self.head]
        there = (self.hops[self.tail] != self.far) & (self.hops[self.head] != self.far)
        return np.asarray(taken & there & (self.hops[self.head] == self.hops[self.tail] - 1))


def check_levels(stated: StatedLevels) -> None:
    """Hold hops to the arcs.

    Raises:
        VerificationError: they are not the fewest.
    """
    hops, tail, head = stated.hops, stated.tail, stated.head
    require(bool(((hops == 0) == stated.target).all() and (hops >= 0).all()), "hops do not begin at the target")
    taken = (stated.forwards[head] | stated.target[head]) & (hops[head] != stated.far)
    require(bool((hops[tail[taken]] <= hops[head[taken]] + 1).all()), "an arc shortens the hops of its tail")
    attained = stated.target | (hops == stated.far)
    attained[tail[stated.leads]] = True
    require(bool(attained.all()), "no arc attains the hops of a node")


@frozen(eq=False)
class StatedLoads:
    """Under `levels` that hold, orbits of devices send `sent` [D] together: `device` [nodes] is the orbit of a node,
    and arcs of `weight` [A] carry `load`."""

    levels: StatedLevels
    device: Ints
    weight: Floats
    sent: Floats
    load: Floats


def check_loads(stated: StatedLoads) -> None:
    """Hold loads to what is sent and to how it is shared.

    Raises:
        VerificationError: they do not balance, or are shared otherwise.
    """
    levels, load, device = stated.levels, stated.load, stated.device
    nodes, devices = len(device), len(stated.sent)
    noise = NOISE * float(stated.sent.sum())
    weight = np.where(levels.leads, stated.weight, 0.0)
    nearer = np.bincount(levels.tail, weight, nodes)
    out, into = np.bincount(levels.tail, load, nodes), np.bincount(levels.head, load, nodes)
    shared = out[levels.tail] * weight - load * nearer[levels.tail]
    require(_within(shared, noise * np.maximum(nearer[levels.tail], 1.0)), "loads are not shared by weight")
    require(_within(load[~levels.leads], noise), "a load does not lead nearer")
    begun = np.where(levels.target, 0.0, out - into)
    require(_within(np.bincount(device, begun, devices) - stated.sent, noise), "loads do not balance")
    min_hops = np.full(devices, levels.far)
    np.minimum.at(min_hops, device, levels.hops)
    share = np.where(levels.hops == min_hops[device], nearer, 0.0)
    whole = np.bincount(device, share, devices)[device]
    uneven = begun * whole - stated.sent[device] * share
    require(_within(uneven, noise * np.maximum(whole, 1.0)), "a port sends too much")


def _within(difference: Floats, noise: Floats | float) -> bool:
    return bool((np.abs(difference) <= noise).all())
