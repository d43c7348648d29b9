"""The network in which end points store and forward in software, and what they may inject counts for all they relay.

Each end point is one vertex, its memory. What goes on from there passes its gate outward, what arrives there passes its
gate inward; what hardware forwards passes neither. A gate at a memory with a single neighbour is a cable to it, in and
out alike. A gate that is shared by several neighbours is not: what comes in by one cable is sent out by others, copy by
copy, and cuts about single receivers do not count the copies.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount, frozen_array, smallest_dtype
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.flow.terminals import flow_symmetry


def with_forwarding_endpoints(symmetry: Symmetry) -> Symmetry:
    """Return the symmetry on the network in which every end point forwards, within its gate where injection is less
    than what its cables carry."""
    network = symmetry.network
    narrow = narrow_injections(network)
    group = flow_symmetry(symmetry, narrow)
    network = group.network
    gate = None
    if narrow.any():
        gate = np.full(network.vertices, np.inf)
        gate[network.end_order] = np.where(narrow, network.injection_Bps, np.inf)
        gate = frozen_array(gate)
    every = frozen_array(np.ones(network.vertices, dtype=bool))
    return evolve(group, network=evolve(network, forwards=every, gate_Bps=gate))


def narrow_injections(network: Network) -> Bools:
    """Return which end points inject less than their cables carry, [E]."""
    return np.asarray(
        network.injection_Bps < np.minimum(ports_Bps(network, network.tail), ports_Bps(network, network.head))
    )


def ports_Bps(network: Network, side: NDArray[np.integer]) -> Floats:  # noqa: N802
    """Return all that the arcs with their tail, or head, at an end point carry, byte/s, [E]."""
    at = bincount(side, network.capacity_Bps, network.vertices)
    return bincount(network.end[network.end_order], at[network.end_order], network.ends)


def shared_gates(network: Network) -> Ints:
    """Return vertices whose gate is shared by several neighbours."""
    if network.gate_Bps is None:
        return np.zeros(0, dtype=np.int64)
    gated = np.flatnonzero(np.isfinite(network.gate_Bps))
    several = [bool(np.ptp(network.head[network.indptr[v] : network.indptr[v + 1]])) for v in gated.tolist()]
    return np.asarray(gated[np.array(several, dtype=bool)], dtype=np.int64)


def evened(symmetry: Symmetry, shared: Ints) -> Symmetry:
    """Return the symmetry on a network of lesser arcs in place of the `shared` gates: each arc at one of them gets a
    part of the gate, as much as it has of all its arcs, both ways the same. What fits it fits the network before."""
    network = symmetry.network
    assert network.gate_Bps is not None
    capacity = network.capacity_Bps.copy()
    free = np.flatnonzero(np.isinf(capacity))
    behind = bincount(network.tail, np.where(np.isinf(capacity), 0.0, capacity), network.vertices)
    inward = network.end[network.tail[free]] < 0
    # what comes in at a vertex is what goes out the other way
    capacity[free] = behind[np.where(inward, network.turn(network.tail[free]), network.head[free])]
    part = np.ones(network.vertices)
    part[shared] = network.gate_Bps[shared] / bincount(network.tail, capacity, network.vertices)[shared]
    min_part = np.minimum(part[network.tail], part[network.head])
    lesser = np.flatnonzero((min_part < 1) & (capacity > 0))  # a free arc to a die without cables leads nowhere
    capacity *= min_part
    rows = np.stack([network.kind[lesser].astype(np.float64), capacity[lesser] / network.count[lesser]])
    made, place = np.unique(rows, axis=1, return_inverse=True)
    old = made[0].astype(np.int64)
    kind = network.kind.astype(np.int64)
    kind[lesser] = len(network.kinds.link) + place.ravel()
    kinds = evolve(
        network.kinds,
        capacity_Bps=np.append(network.kinds.capacity_Bps, made[1]),
        rate_Bps=np.append(network.kinds.rate_Bps, network.kinds.rate_Bps[old]),
        latency_s=np.append(network.kinds.latency_s, network.kinds.latency_s[old]),
        link=np.append(network.kinds.link, network.kinds.link[old]),
    )
    gate = network.gate_Bps.copy()
    gate[shared] = np.inf
    left = frozen_array(gate) if np.isfinite(gate).any() else None
    return evolve(
        symmetry, network=evolve(network, kind=frozen_array(smallest_dtype(kind)), kinds=kinds, gate_Bps=left)
    )


def parts_without(network: Network, vertex: int, members: Bools) -> int:
    """Return how many parts with members (`members` [E]) the network falls into without a vertex; the vertex itself is
    in none."""
    kept = (network.tail != vertex) & (network.head != vertex)
    part = connected_components(network.vertices, network.tail[kept], network.head[kept])
    there = network.end_order[members]
    return len(np.unique(part[there[there != vertex]]))
