"""Lower bounds of a bisection from a matrix without negative eigenvalues: of capacities, or of what they can carry."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.halving_graph import HalvingGraph, halving_graph

FIT = 1e-12
"""Relative: what rounding may add to a load."""


@frozen(eq=False)
class EigenvalueBound:
    """Numbers `d` of the nodes in order, and `pull`, such that

        L - diag(d) + pull · m m'   is positive semidefinite,

    L the Laplacian of the capacities and m the members: with x = ±1 on the sides, 4 · cut = x'Lx >= sum d - pull · s^2
    where s, the sum of x over the members, is 0 or ±1.

    Nodes that are `alike` [N] (the same number; None: no two are) have the same links to the same others and none among
    themselves. Vectors on them that add up to 0 see only their diagonal; of the others one node stands for all.
    """

    d: Floats
    pull: float
    alike: Ints | None = None

    def prove(self, cables: Cables, members: Bools) -> float:
        return self.of_graph(halving_graph(cables, members))

    def of_graph(self, graph: HalvingGraph) -> float:
        """Return the lower bound on the cuts of a graph that halve its members, byte/s."""
        require(len(self.d) == graph.nodes and self.pull >= 0, "one number for each vertex")
        alike = np.arange(graph.nodes) if self.alike is None else self.alike
        _, first, place, size = np.unique(alike, return_index=True, return_inverse=True, return_counts=True)
        _require_alike(graph, self.d, first, place.ravel())
        member, root = graph.member[first].astype(np.float64), np.sqrt(size.astype(np.float64))
        unit = float(graph.capacity.max(initial=1.0))
        slack = (graph.degree - self.d)[first] / unit
        matrix = np.zeros((len(first), len(first)))
        links = place.ravel()[graph.a], place.ravel()[graph.b]
        np.add.at(matrix, links, -graph.capacity / unit)
        matrix = (matrix + matrix.T) / np.outer(root, root)
        matrix += self.pull / unit * np.outer(root * member, root * member) + np.diag(slack)
        # what rounding may hide in the factorisation (Rump, BIT 46, 2006) is taken from the diagonal first
        size_of = float(np.abs(np.diagonal(matrix)).sum()) + len(matrix) * float(np.abs(matrix).max())
        matrix[np.diag_indices(len(matrix))] -= 4 * (len(matrix) + 2) * 2.0**-53 * size_of
        require(not (slack[size > 1] < 0).any(), "the matrix of an eigenvalue bound has a negative eigenvalue")
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            require(False, "the matrix of an eigenvalue bound has a negative eigenvalue")
        return max(0.0, (float(self.d.sum()) - self.pull * (int(graph.member.sum()) % 2)) / 4)


def _require_alike(graph: HalvingGraph, d: Floats, first: Ints, place: Ints) -> None:
    """Hold each node to the links of the first one that it is said to be like."""
    if len(first) == graph.nodes:
        return
    tail, head = np.concatenate([graph.a, graph.b]), np.concatenate([graph.b, graph.a])
    width = np.concatenate([graph.capacity, graph.capacity])
    order = np.lexsort((head, tail))
    tail, head, width = tail[order], head[order], width[order]
    start = np.searchsorted(tail, np.arange(graph.nodes + 1))
    model = first[place]
    same = (graph.member == graph.member[model]) & (d == d[model]) & (np.diff(start) == np.diff(start)[model])
    require(same.all(), "nodes that are said to be alike are not")
    theirs = start[model[tail]] + (np.arange(len(tail)) - start[tail])
    require((head == head[theirs]).all() and (width == width[theirs]).all(), "nodes that are said to be alike are not")


@frozen(eq=False)
class CarriedBound:
    """Demands that the capacities can carry, all at once, and an eigenvalue bound of what is left of the capacities and
    the demands together: a cut is no less than what it parts of both.

    `rate[k]` byte/s both ways goes between the nodes of vertices `one[k]` and `two[k]`, in equal parts over all paths
    of fewest links.
    """

    one: Ints
    two: Ints
    rate: Floats
    rest: EigenvalueBound

    def prove(self, cables: Cables, members: Bools) -> float:
        graph = halving_graph(cables, members)
        one, two = graph.place(self.one), graph.place(self.two)
        require((np.minimum(one, two) >= 0).all() and not (self.rate < 0).any(), "demands between nodes")
        load = shared_loads(graph, one, two, self.rate)
        require(not (load > graph.capacity * (1 + FIT)).any(), "demands do not fit the capacities")
        sent = np.minimum(one, two) * graph.nodes + np.maximum(one, two)
        pair = np.concatenate([graph.a * graph.nodes + graph.b, sent])
        weight = np.concatenate([np.maximum(graph.capacity - load, 0.0), self.rate])
        key, place = np.unique(pair, return_inverse=True)
        total = np.asarray(np.bincount(place.ravel(), weights=weight, minlength=len(key)), dtype=np.float64)
        return self.rest.of_graph(evolve(graph, a=key // graph.nodes, b=key % graph.nodes, capacity=total))


def shared_loads(graph: HalvingGraph, one: Ints, two: Ints, rate: Floats) -> Floats:
    """Load one way of each link, byte/s, where each demand goes in equal parts over all paths of fewest links; from one
    source after another, what arrives further out added up inward (Brandes, J. Math. Sociology 25, 2001)."""
    n = graph.nodes
    tail, head = np.concatenate([graph.a, graph.b]), np.concatenate([graph.b, graph.a])
    link = np.tile(np.arange(len(graph.a)), 2)
    load = np.zeros(len(graph.a))
    sources, targets, both = np.concatenate([one, two]), np.concatenate([two, one]), np.concatenate([rate, rate])
    for source in np.unique(sources).tolist():
        mine = sources == source
        wanted = np.bincount(targets[mine], weights=both[mine], minlength=n)
        hops, ways, level = np.full(n, -1), np.zeros(n), 0
        hops[source], ways[source] = 0, 1.0
        levels = list[Ints]()
        while True:
            on = np.flatnonzero((hops[tail] == level) & (hops[head] < 0))
            if not len(on):
                break
            level += 1
            hops[head[on]] = level
            ways += np.bincount(head[on], weights=ways[tail[on]], minlength=n)
            levels.append(on)
        require(not (wanted[hops < 0] > 0).any(), "a demand has no path")
        beyond = np.where(hops > 0, wanted, 0.0) / np.maximum(ways, 1.0)
        for on in reversed(levels):
            sent = ways[tail[on]] * beyond[head[on]]
            load += np.bincount(link[on], weights=sent, minlength=len(load))
            beyond += np.bincount(tail[on], weights=beyond[head[on]], minlength=n)
    return load / 2
