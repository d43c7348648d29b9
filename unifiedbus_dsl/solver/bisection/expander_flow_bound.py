"""A lower bound of the bisection by eigenvalues of what the network can carry, for machines of equal nodes.

If demands D between the nodes can be routed, all at once, every cut is at least what of D it parts, and whatever of the
capacities the routes leave. So a bound on the cuts of the graph W = capacities - loads of the routes + D is one on the
cuts of the network. Eigenvalues bound those of W (`spectral`): best where D makes it an expander, which is Arora, Rao
and Vazirani's certificate (J. ACM 56, 2009). All-to-all alone is a D, no D at all is the bound by eigenvalues.

Pairs of nodes are sorted by their hops and by how many shortest paths they have, and each sort of pairs has one rate,
all of it on shortest paths in equal parts. The rates come from a linear program: the least eigenvalue is a concave
function of them, bounded from above by each vector u, so the vectors of the rates so far say which are better (Kelley,
J. SIAM 8, 1960). How good they are does not matter for the proof. Nodes are end points, or switches that have equally
many end points each, which are left where they are.
"""

from __future__ import annotations

from math import inf
from time import monotonic

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph, contract_leaves
from unifiedbus_dsl.solver.bisection.sdp_bound import bisection_sdp_bound
from unifiedbus_dsl.solver.linear_program import solve_linear_program
from unifiedbus_dsl.verify.bisection import LowerBound, NoBound
from unifiedbus_dsl.verify.eigenvalues import CarriedBound

MOST_NODES = 600
"""Nodes up to which pairs are listed: 3 MB a table of them, and some seconds."""
NODES_OF_A_SECOND = 350
"""Nodes whose sorts of pairs and first eigenvectors take a second; the time grows with the cube."""
HOPS = 6
"""Hops up to which pairs are sorts of their own; those further apart send nothing."""
SORTS = 24
"""Sorts of pairs at most, the nearest first."""
ROUNDS = 40
"""Linear linear programs at most."""
VECTORS = 6
"""Vectors of least eigenvalue that each round adds."""
GAP = 1e-4
"""Relative distance to the best possible rates at which it stops."""


@frozen(eq=False)
class _Sort:
    """Pairs of one sort, [N, N], and the load of each link ([N, N]) where each of them sends one unit."""

    pairs: Bools
    load: Floats


def expander_flow_bound(graph: CutGraph, deadline_s: float = inf) -> tuple[float, LowerBound]:
    """Return what every halving cut carries at least, byte/s, and what shows it; 0 where the graph is too large, in
    parts, or its nodes have not equally many end points, or there is no time for a round. None but the first is made
    after `deadline_s`."""
    whole = contract_leaves(graph)
    if whole.nodes > MOST_NODES or whole.weight.nnz == 0 or len(np.unique(whole.members)) > 1:
        return 0.0, NoBound()
    if monotonic() + (whole.nodes / NODES_OF_A_SECOND) ** 3 > deadline_s:
        return 0.0, NoBound()
    capacity = whole.weight.toarray()
    sorts = _sorts(capacity > 0)
    if not sorts:
        return 0.0, NoBound()
    left, demands = _residual_plus_demand(capacity, sorts, _rates(capacity, sorts, deadline_s))
    sdp_bound = bisection_sdp_bound(_cut_quadratic_form(graph, whole, left), deadline_s)
    if sdp_bound is None:
        return 0.0, NoBound()
    one, two = np.nonzero(np.triu(demands))
    return sdp_bound.bound, CarriedBound(whole.vertex[one], whole.vertex[two], demands[one, two], sdp_bound.proof)


def _sorts(linked: Bools) -> list[_Sort]:
    """Return the sorts of pairs of two hops and more; none where the graph is in parts."""
    nodes = len(linked)
    step = linked.astype(np.float64)
    ways = [np.eye(nodes)]
    seen = np.eye(nodes, dtype=bool)
    while not seen.all() and len(ways) <= HOPS:
        further = np.where(seen, 0.0, ways[-1] @ step)
        if not further.any():
            return []
        seen |= further > 0
        ways.append(further)
    tail, head = np.nonzero(linked)
    sorts: list[_Sort] = []
    for hops in range(2, len(ways)):
        for many in np.unique(ways[hops][ways[hops] > 0]).tolist():
            if len(sorts) == SORTS:
                return sorts
            pairs = ways[hops] == many
            load = np.zeros((nodes, nodes))
            for after in range((hops + 1) // 2):
                # from s to the link, over it, and `after` hops on to t; the other way round it is the other half
                beyond = (pairs / many) @ ways[after]
                over = (ways[hops - 1 - after][tail] * beyond.T[head]).sum(axis=1)
                load[tail, head] += over
                if 2 * after != hops - 1:
                    load[head, tail] += over
            sorts.append(_Sort(pairs, load))
    return sorts


def _rates(capacity: Floats, sorts: list[_Sort], deadline_s: float) -> Floats:
    """Return the rate of each sort of pairs that make the second eigenvalue large, [sorts]."""
    from scipy.linalg import eigh

    unit = float(capacity.max())
    tail, head = np.nonzero(np.triu(capacity))
    capacity_units = capacity[tail, head] / unit
    loads = np.stack([sort.load[tail, head] for sort in sorts], axis=1)
    scale = 1.0 / np.maximum((loads / capacity_units[:, None]).max(axis=0), 1e-300)
    loads *= scale
    here, slopes = list[float](), list[Floats]()
    rates, best, min_eigenvalue = np.zeros(len(sorts)), np.zeros(len(sorts)), -inf
    for number in track(range(ROUNDS), "eigenvalues of what is carried", ROUNDS):
        weight = _residual_plus_demand(capacity, sorts, rates * scale * unit)[0] / unit
        laplacian = np.diag(weight.sum(axis=1)) - weight
        values, vectors = eigh(laplacian, subset_by_index=[1, min(VECTORS, len(capacity) - 1)])
        if values[0] > min_eigenvalue:
            best, min_eigenvalue = rates, float(values[0])
        for u in vectors.T:
            apart = (u[tail] - u[head]) ** 2
            here.append(float(capacity_units @ apart))
            sent = np.array([_violated_cuts(sort, u) for sort in sorts]) * scale
            slopes.append(sent - loads.T @ apart)
        columns = np.hstack([-np.array(slopes), np.ones((len(slopes), 1))])
        linear_program = solve_linear_program(
            np.append(np.zeros(len(sorts)), -1.0),
            A_ub=np.vstack([columns, np.hstack([loads, np.zeros((len(loads), 1))])]),
            b_ub=np.concatenate([here, capacity_units]),
            bounds=[(0, None)] * len(sorts) + [(None, None)],
            method="highs",
        )
        if linear_program.status != 0:
            raise ArithmeticError(f"the linear program was not solved: {linear_program.message}")
        if linear_program.x[-1] <= min_eigenvalue * (1 + GAP) or (number and monotonic() > deadline_s):
            break
        rates = np.maximum((linear_program.x[:-1] + best) / 2 if number % 2 else linear_program.x[:-1], 0.0)
    return np.asarray(best * scale * unit)


def _violated_cuts(sort: _Sort, u: Floats) -> float:
    """Sum over the pairs of a sort, each once, of (u_i - u_j)^2."""
    count = sort.pairs.sum(axis=1)
    return float(count @ (u * u) - u @ (sort.pairs @ u))


def _residual_plus_demand(capacity: Floats, sorts: list[_Sort], rates: Floats) -> tuple[Floats, Floats]:
    """Capacities less loads with the demands, and the demands, [N, N], byte/s; rates that do not fit are lowered until
    they do."""
    load = sum((rate * sort.load for rate, sort in zip(rates, sorts, strict=True)), np.zeros_like(capacity))
    linked = capacity > 0
    # loads are sums of a few thousand numbers: what rounding can hide is far below this
    fit = 1.0 / max(1.0, float((load[linked] / capacity[linked]).max())) * (1 - 1e-9)
    demands = np.zeros_like(capacity)
    for rate, sort in zip(rates, sorts, strict=True):
        demands += fit * rate * sort.pairs
    left = np.maximum(capacity - fit * load, 0.0) + demands
    return np.asarray((left + left.T) / 2), demands


def _cut_quadratic_form(graph: CutGraph, whole: CutGraph, weight: Floats) -> CutGraph:
    """Return the graph with this weight ([blocks, blocks]) between the nodes that are not leaves."""
    from scipy.sparse import coo_matrix, csr_matrix

    inner = np.arange(graph.nodes)
    if whole.nodes < graph.nodes:
        # leaves have a number of members and one neighbour; blocks are in the order of their inner nodes
        inner = np.flatnonzero((np.diff(graph.weight.indptr) > 1) | (graph.members == 0))
    old, new = graph.weight.tocoo(), csr_matrix(weight).tocoo()
    kept = ~(np.isin(old.row, inner) & np.isin(old.col, inner))
    row = np.concatenate([old.row[kept], inner[new.row]])
    column = np.concatenate([old.col[kept], inner[new.col]])
    data = np.concatenate([old.data[kept], new.data])
    return evolve(graph, weight=coo_matrix((data, (row, column)), shape=graph.weight.shape).tocsr())
