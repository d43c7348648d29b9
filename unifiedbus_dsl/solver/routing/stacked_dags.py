"""The acyclic ways to many targets as one system of states (way k, vertex v), for flows and costs along all of them.

On the ways each vertex splits what it has in fixed shares p of its arcs, equal for each cable:

    flow(v → h) = p(v, h) · (given(v) + sum of flows into v)        from the far end on: `carry`
    cost(v)     = sum over arcs of p(v, h) · (c(v, h) + cost(h))    from the target on: `expected_cost`

The two are transposes of each other, so that costs are the derivative of a sum of functions of the flows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths.bfs import Distances, Hops, injection_split
from unifiedbus_dsl.solver.routing.up_down import RoutingDag

MAX_ARCS = 60_000_000
"""Arcs of all ways together that are held."""


@frozen(eq=False)
class StackedDags:
    """K ways on a network of V vertices. `arc` [S] is the arc of each arc of a way, in order of the steps from its
    target, `tail` and `head` [S] are its states k V + v, and `share` [S] is the part that it takes of its tail.
    `bounds` part the steps, which `steps` [K, V] has of each vertex (-1: no way). Of what end point e sends along way
    k, `inject[k, v]` of it begins at its vertex v.
    """

    network: Network
    count: int
    arc: Ints
    tail: Ints
    head: Ints
    share: Floats
    bounds: tuple[int, ...]
    steps: Hops
    inject: Floats

    @property
    def way(self) -> Ints:
        """The way of each arc, [S]."""
        return self.tail // self.network.vertices

    def given(self, sent: Floats) -> Floats:
        """Return what each vertex is handed, [K, V], when end point e sends `sent[k, e]` along way k."""
        network = self.network
        given = np.zeros((self.count, network.vertices))
        at = network.end_order
        given[:, at] = self.inject[:, at] * sent[:, network.end[at]]
        return given

    def of_ends(self, cost: Floats) -> Floats:
        """Return the cost from each end point along each way, [K, E], from that of vertices, [K, V]."""
        return self._summed(self.inject * cost)

    def leads(self) -> Bools:
        """Return which end points have each way, or are its target, [K, E]."""
        return np.asarray(self._summed((self.steps == 0) + self.inject) > 0)

    def _summed(self, values: Floats) -> Floats:
        """Return the sum over the vertices of each end point, [K, E]."""
        network = self.network
        at = network.end_order
        return np.stack([bincount(network.end[at], row[at], network.ends) for row in values])

    def carry(self, given: Floats) -> Floats:
        """Return the flow of each arc, [S], when vertex v is handed `given[k, v]` for way k."""
        at = given.ravel().copy()
        flow = np.zeros(len(self.arc))
        for begin, end in reversed(list(pairwise(self.bounds))):
            flow[begin:end] = at[self.tail[begin:end]] * self.share[begin:end]
            at += bincount(self.head[begin:end], flow[begin:end], len(at))
        return flow

    def expected_cost(self, cost: Floats) -> Floats:
        """Return the expected cost from each vertex to the target of each way, [K, V], with `cost` [A] of each arc."""
        expected = np.zeros(self.count * self.network.vertices)
        of_arc = cost[self.arc]
        for begin, end in pairwise(self.bounds):
            paid = self.share[begin:end] * (of_arc[begin:end] + expected[self.head[begin:end]])
            expected += bincount(self.tail[begin:end], paid, len(expected))
        return expected.reshape(self.count, -1)


def stack_dags(network: Network, dags: Iterable[RoutingDag]) -> StackedDags:
    """Return ways to several targets as one.

    Raises:
        NotAdmittedError: they are too many to be held.
    """
    arcs, steps, inject, size = [], [], [], 0
    for dag in dags:
        size += len(dag.arcs)
        if size > MAX_ARCS:
            raise NotAdmittedError("the paths to all end points that differ are too many to be held")
        arcs.append(dag.arcs)
        steps.append(dag.steps)
        inject.append(_injection(network, dag))
    arc = np.concatenate(arcs).astype(np.int64)
    base = np.repeat(np.arange(len(arcs)) * network.vertices, [len(some) for some in arcs])
    tail, head = base + network.tail[arc], base + network.head[arc]
    cables = network.count[arc].astype(np.float64)
    total = bincount(tail, cables, len(arcs) * network.vertices)
    step = np.concatenate(steps)[tail]
    order = np.argsort(step, kind="stable")
    bounds = np.append(np.flatnonzero(np.diff(step[order], prepend=-1)), len(order))
    share = cables / total[tail]
    return StackedDags(
        network, len(arcs), arc[order], tail[order], head[order], share[order], tuple(bounds.tolist()),
        np.stack(steps), np.stack(inject),
    )  # fmt: skip


def _injection(network: Network, dag: RoutingDag) -> Floats:
    """Return the part of what its end point sends that begins at each vertex, [V]."""
    nearer = bincount(network.tail[dag.arcs], network.count[dag.arcs].astype(np.float64), network.vertices)
    return injection_split(network, Distances(dag.steps, nearer), np.ones(network.ends))
