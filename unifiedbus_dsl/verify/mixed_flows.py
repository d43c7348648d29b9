"""A lower bound of a bisection by flows on the graph of all cuts, target by target, where little is alike."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.halving_graph import HalvingGraph, halving_graph

FIT = 1e-9
"""Relative: what rounding may add to a load."""


@frozen(eq=False)
class MixedFlows:
    """Flows from every member to each target at once, on links between the nodes of vertices `tail[p]` and `head[p]`
    both ways: `flow[k]` [2, P] byte/s leads to that of vertex `target[k]`, forth and back.

    Each of n members sends `pair` byte/s to each other one, and `free[k]` to target k where that is no member; as much
    comes back the same way. A halving cut carries at least pair · floor(n/2) · ceil(n/2) + floor(n/2) · sum of free.

    A member with a single link is joined to the node at its other end, and sends and takes all on that link.
    """

    target: Ints
    tail: Ints
    head: Ints
    flow: Floats
    pair: float
    free: Floats

    def prove(self, cables: Cables, members: Bools) -> float:
        graph, count, leaf = _without_leaves(halving_graph(cables, members))
        n, targets = int(members.sum()), graph.place(self.target)
        a, b = graph.place(self.tail), graph.place(self.head)
        require((np.minimum(a, b) >= 0).all() and (targets >= 0).all(), "flows between vertices that are no nodes")
        require(self.pair >= 0 and not (self.free < 0).any() and not (self.flow < 0).any(), "a flow is negative")
        require(len(np.unique(targets)) == len(targets), "a target has two flows")
        require(not self.free[count[targets] > 0].any(), "a rate to a member")
        reached = np.isin(np.flatnonzero(count > 0), targets)
        require(self.pair == 0 or reached.all(), "a member to which nothing is sent")
        total, missing = np.zeros((2, len(a))), 0.0
        for target, flow, free in zip(targets.tolist(), self.flow, self.free.tolist(), strict=True):
            net = flow[0] - flow[1]
            gain = np.bincount(b, net, graph.nodes) - np.bincount(a, net, graph.nodes)
            wanted = -count * (self.pair * count[target] + free)
            wanted[target] = 0.0
            wanted[target] = -wanted.sum()
            missing += float(np.abs(gain - wanted).sum()) * (2 if free else 1)
            total += flow + flow[::-1] if free else flow
        key, pairs = graph.a * graph.nodes + graph.b, np.minimum(a, b) * graph.nodes + np.maximum(a, b)
        require(np.array_equal(np.sort(pairs), key), "the links are not those of the graph")
        capacity = graph.capacity[np.searchsorted(key, pairs)] * (1 + FIT)
        require(not (total > capacity).any(), "flows are above the capacity of the links")
        rates = self.pair * (n - 1) + float(self.free.sum())
        require(rates <= leaf * (1 + FIT), "flows are above the capacity of the link of a member")
        crossing = self.pair * (n // 2) * (n - n // 2) + (n // 2) * float(self.free.sum())
        return max(0.0, crossing - missing)


def _without_leaves(graph: HalvingGraph) -> tuple[HalvingGraph, Floats, float]:
    """Return the graph with members of a single link joined to the node at its other end, which has more; how many
    members each node then has; and the least capacity of such a link."""
    both = np.concatenate([graph.a, graph.b])
    links = np.bincount(both, minlength=graph.nodes)
    one = graph.member & (links == 1)
    from_a, from_b = one[graph.a] & (links[graph.b] > 1), one[graph.b] & (links[graph.a] > 1)
    home = np.arange(graph.nodes)
    home[graph.a[from_a]], home[graph.b[from_b]] = graph.b[from_a], graph.a[from_b]
    count = np.asarray(np.bincount(home, weights=graph.member, minlength=graph.nodes), dtype=np.float64)
    left = np.flatnonzero(home == np.arange(graph.nodes))
    apart = ~from_a & ~from_b
    made = evolve(
        graph,
        vertex=graph.vertex[left],
        member=count[left] > 0,
        a=np.searchsorted(left, graph.a[apart]),
        b=np.searchsorted(left, graph.b[apart]),
        capacity=graph.capacity[apart],
    )
    return made, count[left], float(graph.capacity[~apart].min(initial=np.inf))
