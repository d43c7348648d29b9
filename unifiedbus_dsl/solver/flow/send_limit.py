"""The rate at which end points can send a traffic by a routing, as far as their own devices limit it.

This is the rate that a load is stated at where none is asked for: whatever is over 100 % at it is a bottleneck of the
network. An end point that does not forward is limited by each of its ports, by what the routing sends through it; one
that forwards, whose ports carry what others send too, by its used ports together; and both by `injection` and by the
ports of the carriers between them and the network, such as NICs.
"""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Floats, bincount
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, row_sums
from unifiedbus_dsl.solver.routing.interface import RoutedNetwork, Routing
from unifiedbus_dsl.solver.routing.loads import Loads

CONVERGED, MOST_STEPS = 1e-6, 40
"""Relative change of the factor at which it stands, and how often it may change, where loads are not in proportion."""


def max_send_scale(network: Network, load_Bps: Floats, row: Floats, carriers: Bools) -> float:  # noqa: N803
    """Return the largest factor of a demand that its senders, and `carriers` ([E]) for them, can send.

    `load_Bps` [A] is what arcs carry and `row` [E] what end points send at a factor of 1.
    """
    tail, capacity = network.tail, network.capacity_Bps
    senders = row > 0
    used = load_Bps > 0
    own = used & (network.end[tail] >= 0) & senders[network.end[tail]]
    forwards = np.zeros(network.ends, dtype=bool)
    forwards[network.end[network.end_order[network.forwards[network.end_order]]]] = True
    together = forwards[network.end[tail]] & own
    ports = bincount(network.end[tail[together]], capacity[together], network.ends)
    limits = np.minimum(network.injection_Bps, np.where(ports > 0, ports, np.inf))[senders] / row[senders]
    alone = own & ~together | used & _leaves_carrier(network, carriers & ~senders)
    return float(min(limits.min(), (capacity[alone] / load_Bps[alone]).min(initial=np.inf)))


def loads_at_send_limit(
    routing: Routing, machine: RoutedNetwork, demand: Demand, carriers: Bools
) -> tuple[float, Loads]:
    """Return the largest factor of a demand that its senders, and `carriers` ([E]) for them, can send under a routing,
    and the loads at it. Where loads are not in proportion the factor is iterated: what they say at one is the next.

    Raises:
        NotAdmittedError: the factors do not converge.
    """
    network = machine.network
    row = row_sums(demand, network.ends)
    scale = 1.0
    for _ in range(MOST_STEPS):
        loads = routing.loads_at(machine, demand, scale)
        further = max_send_scale(network, loads.load_Bps, scale * row, carriers)
        if routing.proportional:
            return scale * further, loads.times(further)
        if abs(further - 1) <= CONVERGED:
            return scale, loads
        scale *= further
    raise NotAdmittedError(f"no rate was found that the end points can just send by `{routing.text}`: state a `rate`")


def _leaves_carrier(network: Network, carriers: Bools) -> Bools:
    """Return which arcs lead from a carrier away from those that it carries for, [A].

    Without the carriers what forwards falls into pieces. Of the pieces at a carrier the network is one without end
    points, or else the larger one: a switch with a few GPUs is on the near side, a leaf with whole racks on the far
    side. A carrier itself is always further on.
    """
    tail, head = network.tail, network.head
    carrier = (network.end >= 0) & carriers[network.end]
    if not carrier.any():
        return np.zeros(network.arcs, dtype=bool)
    joins = (network.forwards & ~carrier)[tail] & (network.forwards & ~carrier)[head]
    piece = connected_components(network.vertices, tail[joins], head[joins])
    size = np.bincount(piece).astype(np.float64)
    peopled = np.zeros(len(size), dtype=bool)
    people = (network.end >= 0) & ~carrier
    peopled[piece[people]] = True
    peopled[piece[head[people[tail]]]] = True
    rank = np.where(peopled, size, np.inf)[piece]
    rank[carrier] = np.inf
    near = np.full(network.vertices, np.inf)
    np.minimum.at(near, tail[carrier[tail]], rank[head[carrier[tail]]])
    near = np.minimum(near, network.on_turned(near))
    return np.asarray(carrier[tail] & (rank[head] > near[tail]))
