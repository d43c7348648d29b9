"""A lower bound of the bisection by flows on the graph itself, where there is too little symmetry for a linear program.

From each end point to each other alpha, and for each sort O of other nodes beta_O from each end point to each node of O
and back, all at once: a cut that halves the n end points carries, one way, at least

    alpha · floor(n/2) · ceil(n/2) + sum of beta_O · floor(n/2) · |O|

The flows go along ways that are short for some lengths of the links. A small linear program mixes several such
routings; links that are full in the best mix are longer in the next routing (multiplicative weights, as in Garg and
Koenemann, SIAM J. Comput. 37, 2007). In a dragonfly a routing over all links between groups is among them (`cliques`).
What the mix proves are loads that were added up: it holds whatever the lengths.
"""

from __future__ import annotations

from math import inf
from time import monotonic

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import order_of_transpose
from unifiedbus_dsl.graph.symmetry import relabel
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph, contract_leaves
from unifiedbus_dsl.solver.bisection.group_routing import dragonfly_all_to_all, flows_across
from unifiedbus_dsl.solver.linear_program import solve_linear_program
from unifiedbus_dsl.solver.rounding import round_mantissa
from unifiedbus_dsl.verify.bisection import LowerBound, NoBound, StatedBound
from unifiedbus_dsl.verify.mixed_flows import MixedFlows

MOST_NODES = 2_600
"""Nodes up to which distances between all pairs are kept: 54 MB a table."""
ROUTINGS = 16
"""Most routings that are mixed."""
STEEP = 0.7
"""How fast links that are full become longer from one routing to the next."""
MAX_STATED = 30_000_000
"""Nodes times links up to which the flows to each target are stated: 240 MB."""
MAX_UNTIMED = 100
"""Nodes up to which a routing is made also when the time is over."""
LINK_S = 2e-7
"""Seconds for a node and a link in the search of shortest ways from it, at the most."""
STEPS = 150_000_000
"""Table entries that all routings together may touch: nodes times nodes times most links of a node, for each."""


@frozen(eq=False)
class _Links:
    """Links of each node in a table of equal rows: `head` [N, D] (-1: none), `arc` [N, D] their numbers."""

    head: Ints
    arc: Ints
    tail: Ints
    capacity: Floats


def embedding_bound(graph: CutGraph, deadline_s: float = inf) -> tuple[float, LowerBound]:
    """Return what every halving cut carries at least, byte/s, and what shows it; 0 where the graph is too large or in
    parts. No routing but the first of a small graph is made after `deadline_s`."""
    whole = contract_leaves(graph)
    if whole.nodes > MOST_NODES or whole.weight.nnz == 0:
        return 0.0, NoBound()
    links = _links(whole)
    n = int(whole.members.sum())
    sorts = _sorts(whole)
    count = int(sorts.max(initial=-1)) + 1
    size = np.bincount(sorts[sorts >= 0], minlength=count).astype(np.float64)
    worth = np.concatenate([[float((n // 2) * (n - n // 2))], (n // 2) * size])
    out = _narrowest_leaf(graph, whole)
    leaf = np.concatenate([[n - 1.0], size]) / out if np.isfinite(out) else None
    columns: list[Floats] = []
    made: list[tuple[int, Floats | None]] = []
    """Of each column the parameter, and the lengths of its routing (None: over all links between groups)."""
    grouped = dragonfly_all_to_all(whole)
    if grouped is not None:
        columns.append(grouped / links.capacity)
        made.append((0, None))
    length = np.ones(len(links.capacity))
    work = whole.nodes * links.head.size
    best, stale, amounts = 0.0, 0, np.zeros(0)
    weight = np.ones(len(length))
    for _ in track(range(max(1, min(ROUTINGS, STEPS // work + 1))), "route flows across a halving cut"):
        if whole.nodes > MAX_UNTIMED and monotonic() + LINK_S * whole.nodes * whole.weight.nnz > deadline_s:
            break
        distance = _distances(whole, links, length)
        if not np.isfinite(distance).all():
            return 0.0, NoBound()
        loads = _loads(whole, links, distance, length, sorts, count, deadline_s)
        if loads is None:
            break
        for which, load in enumerate(loads):
            columns.append(load / links.capacity)
            made.append((which, length))
        value, use, mixed = _mixed(np.array(columns), np.array([k for k, _ in made]), worth, leaf)
        stale = stale + 1 if value <= best * 1.01 else 0
        if value > best:
            best, amounts = value, mixed
        if stale == 3 or monotonic() > deadline_s:
            break
        weight *= np.exp(STEEP * (use - 1.0))
        length = weight / links.capacity
        length = round_mantissa(length / length.mean())
    return best, _proof(whole, links, sorts, count, made[: len(amounts)], amounts, best)


def _proof(
    whole: CutGraph,
    links: _Links,
    sorts: Ints,
    count: int,
    made: list[tuple[int, Floats | None]],
    amounts: Floats,
    best: float,
) -> LowerBound:
    """Return what shows the best mix: its flows to each target, routed once more."""
    used = [(kind, length, amount) for (kind, length), amount in zip(made, amounts.tolist(), strict=True) if amount > 0]
    if not used or whole.nodes * len(links.capacity) > MAX_STATED:
        return StatedBound(best) if best else NoBound()
    rates = np.zeros(count + 1)
    for kind, _, amount in used:
        rates[kind] += amount
    flow = np.zeros((whole.nodes, len(links.capacity)))
    while used:
        length = used[0][1]
        parts = np.zeros(count + 1)
        for kind, other, amount in used:
            parts[kind] += amount if other is length else 0.0
        used = [each for each in used if each[1] is not length]
        of_target = np.where(sorts >= 0, parts[sorts + 1], parts[0] * whole.members)
        if length is None:
            for target, to_it in enumerate(flows_across(whole)):
                flow[target] += to_it * of_target[target]
        else:
            distance = _distances(whole, links, length)
            _loads(whole, links, distance, length, sorts, count, inf, (flow, of_target))
    upward = links.tail < whole.weight.indices
    back = order_of_transpose(whole.weight.indptr, whole.weight.indices)
    both = np.stack([flow[:, upward], flow[:, back[upward]]], axis=1)
    free = np.where(sorts >= 0, rates[sorts + 1], 0.0)
    vertex, heads = whole.vertex, whole.weight.indices
    return MixedFlows(vertex, vertex[links.tail[upward]], vertex[heads[upward]], both, float(rates[0]), free)


def _sorts(graph: CutGraph) -> Ints:
    """Sort of each node without end points (by its capacity), -1 for those that have some; [N]."""
    free = graph.members == 0
    sorts = np.full(graph.nodes, -1, dtype=np.int64)
    sorts[free] = relabel(np.round(graph.degree[free] / max(graph.degree.max(), 1.0) * 1e6).astype(np.int64))
    return sorts


def _narrowest_leaf(graph: CutGraph, whole: CutGraph) -> float:
    """Return capacity of the narrowest link of an end point that was joined to its only neighbour, byte/s."""
    if graph.nodes == whole.nodes:
        return np.inf
    degree = np.diff(graph.weight.indptr)
    leaf = np.flatnonzero((degree == 1) & (graph.members > 0))
    return float(graph.weight.data[graph.weight.indptr[leaf]].min())


def _links(graph: CutGraph) -> _Links:
    degree = np.diff(graph.weight.indptr)
    tail = np.repeat(np.arange(graph.nodes), degree)
    place = np.arange(len(tail)) - np.repeat(graph.weight.indptr[:-1], degree)
    head = np.full((graph.nodes, int(degree.max())), -1, dtype=np.int64)
    arc = np.zeros_like(head)
    head[tail, place] = graph.weight.indices
    arc[tail, place] = np.arange(len(tail))
    return _Links(head, arc, tail, graph.weight.data)


def _distances(graph: CutGraph, links: _Links, length: Floats) -> Floats:
    """From each node to each, [N, N], under the lengths of the links (which are the same both ways)."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import shortest_path

    matrix = csr_matrix((length, graph.weight.indices, graph.weight.indptr), shape=graph.weight.shape)
    return np.asarray(shortest_path(matrix, method="D"))


def _loads(
    graph: CutGraph,
    links: _Links,
    far: Floats,
    length: Floats,
    sorts: Ints,
    count: int,
    deadline_s: float,
    each: tuple[Floats, Floats] | None = None,
) -> list[Floats] | None:
    """Return the load of each link, [links] each, of what goes from every end point to every other one, and to and from
    all nodes of each sort, for one unit a pair.

    None where the graph is large and `deadline_s` has passed. With `each` what goes to each target is added to its
    first entry, [N, links], as often as the second one says, [N].

    Each node passes on what it has to those neighbours that are nearer to the target, most to those on a shortest way;
    nodes in order of falling distance, all targets at once.
    """
    nodes = graph.nodes
    order = np.argsort(-far, axis=0, kind="stable")  # column t: nodes from the furthest of t
    members = graph.members.astype(np.float64)
    held = np.repeat(members[:, None], nodes, axis=1)  # [node, target], for a target of one unit
    total = [np.zeros(len(links.capacity)) for _ in range(count + 1)]
    target = np.arange(nodes)
    mean = float(length.mean())
    extended = np.append(links.capacity, 0.0)
    for step in range(nodes - 1):
        if nodes > MAX_UNTIMED and monotonic() > deadline_s:
            return None
        v = order[step]
        heads, arcs = links.head[v], links.arc[v]
        there = heads >= 0
        beyond = far[np.where(there, heads, 0), target[:, None]]
        here = far[v, target][:, None]
        nearer = there & (beyond < here)
        detour = (beyond + length[arcs] - here) / mean
        share = np.where(nearer, extended[arcs] * np.exp(-8.0 * np.maximum(detour, 0.0)), 0.0)
        sent = share * (held[v, target] / share.sum(axis=1))[:, None]
        row, column = np.nonzero(sent)
        np.add.at(held, (heads[row, column], row), sent[row, column])
        if each is not None:
            np.add.at(each[0], (row, arcs[row, column]), sent[row, column] * each[1][row])
        scale = members[row]
        total[0] += bincount(arcs[row, column], sent[row, column] * scale, len(links.capacity))
        for k in range(count):
            some = sorts[row] == k
            total[k + 1] += bincount(arcs[row[some], column[some]], sent[row[some], column[some]], len(links.capacity))
    back = order_of_transpose(graph.weight.indptr, graph.weight.indices)
    # a link of an end point is not crossed by what it sends itself; those inside a block are counted by its leaves
    return [total[0], *[load + load[back] for load in total[1:]]]


def _mixed(columns: Floats, kind: Ints, worth: Floats, leaf: Floats | None) -> tuple[float, Floats, Floats]:
    """Return the best mix of routings, how full it makes the links, and how much of each routing is in it. `columns`
    [routings, links]: part of each link that a unit of parameter `kind` takes."""

    gain = worth[kind]
    # what stays inside one block takes nothing of the links between blocks, only of those of its end points
    every = columns if leaf is None else np.hstack([columns, leaf[kind][:, None]])
    unit = every.max(axis=1)
    rows = (every / unit[:, None]).T
    weight = gain / unit
    linear_program = solve_linear_program(-weight / weight.max(), A_ub=rows, b_ub=np.ones(len(rows)), method="highs")
    if linear_program.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {linear_program.message}")
    mix = np.maximum(linear_program.x, 0.0)
    fullest = float((rows @ mix).max())
    amounts = mix / unit / max(fullest, 1.0) * (1 - 1e-9)
    return float(gain @ amounts), (columns.T @ (mix / unit)) / fullest, amounts
