"""Pairs of end points without a path, which an export to a simulator tells of."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import remark
from unifiedbus_dsl.export.common.devices import senders
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.bfs import by_cable, distances, endpoint_hops


@frozen
class NoPath:
    """How many ordered pairs of end points have no path, and devices of one of them."""

    pairs: int
    source: int
    target: int

    def named(self, fabric: Fabric) -> str:
        """Return that pair for a reader."""
        source, target = fabric.device_names(np.array([self.source, self.target]))
        return f"{source} -> {target}"


def missing_paths(machine: NetworkContext, among: Bools | None = None) -> NoPath | None:
    """Return the pairs of end points, `among` some [E], without a path; None where each has one. One goal of each orbit
    is searched from."""
    network = machine.network
    weights = by_cable(network)
    count, pair = 0, (-1, -1)
    among = np.ones(network.ends, dtype=bool) if among is None else among
    goals, like = machine.symmetry.representatives(np.flatnonzero(among))
    for goal, size in zip(goals.tolist(), like.tolist(), strict=True):
        hops = endpoint_hops(network, distances(weights, network.vertices_of(goal)).hops)
        missing = np.flatnonzero((hops < 0) & among)
        if len(missing) and not count:
            pair = int(network.end_device[missing[0]]), int(network.end_device[goal])
        count += len(missing) * int(size)
    return NoPath(count, *pair) if count else None


def has_path(network: Network, sources: Ints, targets: Ints) -> Bools:
    """Return whether each end point of `sources` has a path to that of `targets`, [n]."""
    weights = by_cable(network)
    leads = np.zeros(len(sources), dtype=bool)
    for target in np.unique(targets).tolist():
        mine = targets == target
        hops = endpoint_hops(network, distances(weights, network.vertices_of(target)).hops)
        leads[mine] = hops[sources[mine]] >= 0
    return leads


def tell_missing_paths(machine: NetworkContext, sink: Sink, name: str) -> None:
    """Tell of pairs of end points without a path, between which nothing can be sent."""
    missing = missing_paths(machine, senders(machine.fabric)[machine.network.end_device])
    if missing is not None:
        several = f"{missing.pairs:,} ordered pairs of end points have"
        pairs = "an ordered pair of end points has" if missing.pairs == 1 else several
        message = f"{pairs} no path, such as {missing.named(machine.fabric)}: {name} can send nothing there"
        remark(sink, "UB0806", message, "leave such pairs out of the traffic")
