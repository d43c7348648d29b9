"""Best times where end points relay within what they may inject, against packings of all trees that there are.

The oracle lists every arborescence over three or four end points, gives each link of each a flow of its own on the
network's definition, and lets one linear program choose how much goes by each tree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from attrs import evolve
from scipy.optimize import linprog

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives import completion_time
from unifiedbus_dsl.solver.collectives.collective_bounds import collective_time_bound
from unifiedbus_dsl.solver.collectives.schedules import SCHEDULES

Edge = tuple[int, int]
MEMORY = {("m", e) for e in range(8)}
COLLECTIVES = ("broadcast", "allgather", "reducescatter", "allreduce", "alltoall")
SIZE = 12.0


def random_relays(seed: int, ends: int = 4) -> Network:
    """Hubs, end points of several dies, of one port, parallel cables of three rates, injection on most."""
    rng = np.random.default_rng(seed)
    switches, cables = int(rng.integers(0, 3)), int(rng.integers(ends, 5 * ends))
    net = machines.random_network(seed, ends=ends, switches=switches, cables=cables, dies=bool(rng.integers(0, 2)))
    return evolve(net, injection_Bps=rng.choice([np.inf, 1.0, 2.5, 4.0], ends))


def arborescences(nodes: list[int], must: list[int], root: int) -> Iterator[tuple[Edge, ...]]:
    """Trees out of a root to all that must be reached, over any of the nodes."""
    optional = [v for v in nodes if v not in must and v != root]
    for k in range(len(optional) + 1):
        for some in itertools.combinations(optional, k):
            inner = [v for v in must if v != root] + list(some)
            for parents in itertools.product([root, *inner], repeat=len(inner)):
                edges = tuple(zip(parents, inner, strict=True))
                tree = nx.DiGraph(edges)
                if all(p != v for p, v in edges) and nx.is_arborescence(tree) and root in tree:
                    yield edges


def best_rate(net: Network, members: list[int], collective: str, root: int = -1) -> float:
    """Elements a second by trees: one LP with a variable for each tree, for each root, and for each arc of each
    link."""
    graph = twins.digraph(net)
    for e in range(net.ends):
        graph.add_edge(("m", e), ("s", e), capacity_Bps=float(net.injection_Bps[e]))
        graph.add_edge(("t", e), ("m", e), capacity_Bps=float(net.injection_Bps[e]))
    nodes = {v: i for i, v in enumerate(graph.nodes)}
    arcs = list(graph.edges(data=True))
    ends = [e for e in range(net.ends) if len(neighbours(net, e))]
    links = list(itertools.permutations(ends, 2))
    roots = {"broadcast": [root], "allreduce": ends}.get(collective, members)
    trees = [(sort, r, tree) for r in roots for sort, tree in ways(ends, members, r, collective)]
    first_rate, first_flow = len(trees), len(trees) + len(roots)
    columns = first_flow + len(links) * len(arcs)
    bounds: list[tuple[float, float | None]] = [(0.0, None)] * columns
    rows: list[dict[int, float]] = []
    for k, (u, w) in enumerate(links):
        at: list[dict[int, float]] = [{} for _ in nodes]
        for a, (x, y, _) in enumerate(arcs):
            column = first_flow + k * len(arcs) + a
            at[nodes[x]][column], at[nodes[y]][column] = 1.0, -1.0
            if (x in MEMORY and x != ("m", u)) or (y in MEMORY and y != ("m", w)):
                bounds[column] = (0.0, 0.0)
        for t, (_, _, tree) in enumerate(trees):
            if (u, w) in tree:
                at[nodes["m", u]][t], at[nodes["m", w]][t] = -1.0, 1.0
        rows += at
    for i, r in enumerate(roots):
        for sort in {sort for sort, _, _ in trees}:
            mine = {t: 1.0 for t, (which, at_, _) in enumerate(trees) if (which, at_) == (sort, r)}
            rows.append({**mine, first_rate + i: -1.0})
        if collective == "allgather" and i:
            rows.append({first_rate: 1.0, first_rate + i: -1.0})
    limited = [a for a, (_, _, data) in enumerate(arcs) if np.isfinite(data.get("capacity_Bps", np.inf))]
    below = [{first_flow + k * len(arcs) + a: 1.0 for k in range(len(links))} for a in limited]
    cost = np.zeros(columns)
    cost[first_rate : first_rate + 1 if collective == "allgather" else first_flow] = -1
    found = linprog(
        cost,
        A_ub=matrix(below, columns),
        b_ub=[arcs[a][2]["capacity_Bps"] for a in limited],
        A_eq=matrix(rows, columns),
        b_eq=np.zeros(len(rows)),
        bounds=bounds,
        method="highs",
    )
    return -float(found.fun)


def ways(ends: list[int], members: list[int], root: int, collective: str) -> Iterator[tuple[int, tuple[Edge, ...]]]:
    """Trees out of a root, and for an all-reduce (of sort 1) trees towards it."""
    for tree in arborescences(ends, members, root):
        yield 0, tree
        if collective == "allreduce":
            yield 1, tuple((v, u) for u, v in tree)


def matrix(rows: list[dict[int, float]], columns: int) -> sp.csr_matrix:
    entries = [(i, column, value) for i, row in enumerate(rows) for column, value in row.items()]
    row, column, value = zip(*entries, strict=True)
    return sp.csr_matrix((value, (row, column)), shape=(len(rows), columns))


def neighbours(net: Network, end: int) -> list[int]:
    return [int(h) for v in net.vertices_of(end) for _, h in twins.out_arcs(net, int(v))]


def joined(net: Network, members: list[int]) -> bool:
    graph = twins.digraph(net).to_undirected()
    for e in range(net.ends):
        graph.add_edge(("t", e), ("s", e))
    return all(nx.has_path(graph, ("s", members[0]), ("s", e)) for e in members)


def check(net: Network, members: list[int]) -> int:
    """Each collective over the members against the oracle, and that no algorithm beats the bound; how many were
    asked."""
    group = np.full(net.ends, -1)
    group[members] = 0
    if not joined(net, members):
        for collective in COLLECTIVES:
            with pytest.raises(NotAdmittedError, match="not joined"):
                collective_time_bound(symmetry.trivial_symmetry(net), collective, group, 1.0)
        return len(COLLECTIVES)
    every = len(members) == sum(1 for e in range(net.ends) if neighbours(net, e))
    for collective in COLLECTIVES:
        got = collective_time_bound(symmetry.trivial_symmetry(net), collective, group, SIZE)
        no_algorithm_beats(net, group, collective, got.lower)
        if collective == "alltoall":
            assert got.kind == "exact"
            continue
        like = "allgather" if collective == "reducescatter" else collective
        want = SIZE / best_rate(net, members, like, members[0]) / (len(members) if like == "allgather" else 1)
        assert got.lower <= want * (1 + 1e-6)
        if every:
            assert got.upper == pytest.approx(want, rel=1e-6)
            assert collective == "allreduce" or got.kind == "exact"
        else:
            assert got.upper >= want * (1 - 1e-6)
    return len(COLLECTIVES)


def no_algorithm_beats(net: Network, group: np.ndarray, collective: str, lower: float) -> None:
    asked = completion_time.CollectiveTimer(symmetry.trivial_symmetry(net), group)
    for algorithm in SCHEDULES:
        try:
            found = asked.time(collective, algorithm, SIZE)
        except NotAdmittedError:
            continue
        assert found.bandwidth_s >= lower * (1 - 1e-6)


@pytest.mark.parametrize("seed", range(16))
def test_relays_within_injection_against_all_packings_of_trees(seed: int) -> None:
    check(random_relays(seed, 3), [0, 1, 2])


@pytest.mark.parametrize("seed", range(8))
def test_end_points_that_only_relay(seed: int) -> None:
    check(random_relays(seed), [0, 1, 3])
