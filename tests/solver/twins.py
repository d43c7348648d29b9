"""Plain-loop twins of the vectorised routines, on the network's definition: dictionaries, queues and nothing else."""

from __future__ import annotations

import heapq
import itertools
from collections import deque

import networkx as nx
import numpy as np

from unifiedbus_dsl.graph.network import Network


def out_arcs(net: Network, v: int) -> list[tuple[int, int]]:
    return [(a, int(net.head[a])) for a in range(net.indptr[v], net.indptr[v + 1])]


def digraph(net: Network) -> nx.DiGraph:
    """The definition written out: ("s", e) and ("t", e) for source and sink; forwarding vertices by number; a vertex
    that does not forward is (v, "out") and (v, "in"). Parallel kinds of arc add up; free arcs have no capacity and no
    hop."""
    g = nx.DiGraph()
    for e in range(net.ends):
        g.add_nodes_from([("s", e), ("t", e)])
        for v in net.vertices_of(e).tolist():
            g.add_edge(("s", e), side(net, v, "out"), hop=0, cables=10**9)
            g.add_edge(side(net, v, "in"), ("t", e), hop=0, cables=10**9)
    for v in range(net.vertices):
        for a, h in out_arcs(net, v):
            u, w = side(net, v, "out"), side(net, h, "in")
            if g.has_edge(u, w):
                g[u][w]["cables"] += int(net.count[a])
                g[u][w]["capacity_Bps"] += float(net.capacity_Bps[a])
            else:
                g.add_edge(u, w, hop=1, cables=int(net.count[a]), capacity_Bps=float(net.capacity_Bps[a]))
    return g


def side(net: Network, v: int, which: str) -> object:
    return v if net.forwards[v] else (v, which)


def hop_matrix(net: Network) -> np.ndarray:
    """Hops between end points, -1: no path. By a queue that never passes through a vertex that does not forward."""
    far = np.full((net.ends, net.ends), -1)
    for s in range(net.ends):
        seen = {int(v): 0 for v in net.vertices_of(s)}
        queue = deque(seen)
        while queue:
            v = queue.popleft()
            if seen[v] > 0 and not net.forwards[v]:
                continue
            for _, h in out_arcs(net, v):
                if h not in seen:
                    seen[h] = seen[v] + 1
                    queue.append(h)
        for t in range(net.ends):
            found = [seen[int(v)] for v in net.vertices_of(t) if int(v) in seen]
            far[s, t] = min(found) if found else -1
    return far


def hops_to(net: Network, t: int) -> dict[int, int]:
    """Hops from each vertex to an end point, through vertices that forward."""
    far = {int(v): 0 for v in net.vertices_of(t)}
    queue = deque(far)
    while queue:
        v = queue.popleft()
        if far[v] > 0 and not net.forwards[v]:
            continue
        for _, h in out_arcs(net, v):
            if h not in far:
                far[h] = far[v] + 1
                queue.append(h)
    return far


def ecmp_loads(net: Network, demand: np.ndarray, by_capacity: bool = False) -> np.ndarray:
    """Load of each arc: each pair's flow pushed along shortest paths, vertex by vertex."""
    load = np.zeros(net.arcs)
    for t in range(net.ends):
        far = hops_to(net, t)
        for s in range(net.ends):
            if s == t or demand[s, t] == 0:
                continue
            starts = [int(v) for v in net.vertices_of(s) if int(v) in far]
            least = min(far[v] for v in starts)
            have = {("start",): demand[s, t]}
            places: list[object] = [("start",)]
            for level in range(least, 0, -1):
                onward: dict[object, float] = {}
                for place in places:
                    at = [v for v in starts if far[v] == least] if place == ("start",) else [place]
                    arcs = [
                        (a, h)
                        for v in at
                        for a, h in out_arcs(net, v)
                        if far.get(h) == level - 1 and (net.forwards[h] or far[h] == 0)
                    ]
                    weight = [float(net.capacity_Bps[a] if by_capacity else net.count[a]) for a, _ in arcs]
                    for (a, h), w in zip(arcs, weight, strict=True):
                        part = have[place] * w / sum(weight)
                        load[a] += part
                        onward[h] = onward.get(h, 0.0) + part
                have, places = onward, list(onward)
    return load


def latency(net: Network, s: int, t: int, message: float) -> float:
    """Least time over all simple vertex paths from s to t, each with its own narrowest cable: Dijkstra on labels
    (time, narrowest), which keeps every label that no other beats in both."""
    goal = {int(v) for v in net.vertices_of(t)}
    best = np.inf
    kept: dict[int, list[tuple[float, float]]] = {}
    tick = itertools.count()
    heap = [(0.0, next(tick), int(v), np.inf, True) for v in net.vertices_of(s)]
    while heap:
        time, _, v, narrow, start = heapq.heappop(heap)
        if v in goal and not start:
            best = min(best, time + (message / narrow if message else 0.0))
            continue
        if any(x <= time and y >= narrow for x, y in kept.get(v, [])):
            continue
        kept.setdefault(v, []).append((time, narrow))
        if not start and not net.forwards[v]:
            continue
        passing = 0.0 if start else float(net.latency_s[v])
        for a, h in out_arcs(net, v):
            kind = net.kind[a]
            width = min(narrow, float(net.kinds.capacity_Bps[kind]))
            heapq.heappush(heap, (time + passing + float(net.kinds.latency_s[kind]), next(tick), h, width, False))
    return best


def max_min(capacity: list[float], uses: list[dict[int, float]]) -> list[float]:
    """Progressive filling one resource at a time."""
    left = list(capacity)
    rate = [np.inf] * len(uses)
    alive = {f for f in range(len(uses)) if any(np.isfinite(capacity[r]) for r in uses[f])}
    while alive:
        level = {}
        for r in range(len(left)):
            wanted = sum(uses[f].get(r, 0.0) for f in alive)
            if wanted > 0 and np.isfinite(left[r]):
                level[r] = left[r] / wanted
        tight = min(level, key=lambda r: level[r])
        for f in [f for f in alive if uses[f].get(tight, 0.0) > 0]:
            rate[f] = level[tight]
            for r, share in uses[f].items():
                left[r] -= share * rate[f]
            alive.discard(f)
    return rate


def full_optimum(net: Network, demand: np.ndarray, minimal: bool = False) -> float:
    """Largest t by the full linear program on the definition's graph: a flow for each source and arc."""
    import scipy.sparse as sp
    from scipy.optimize import linprog

    graph = digraph(net)
    nodes = {v: i for i, v in enumerate(graph.nodes)}
    arcs = list(graph.edges(data=True))
    n, m = len(nodes), len(arcs)
    sources = [s for s in range(net.ends) if demand[s].sum() > 0]
    j = np.arange(m)
    tail = np.array([nodes[u] for u, _, _ in arcs])
    head = np.array([nodes[v] for _, v, _ in arcs])
    balance = sp.csr_matrix((np.r_[np.ones(m), -np.ones(m)], (np.r_[head, tail], np.r_[j, j])), shape=(n, m))
    wanted, upper = [], []
    for s in sources:
        column = np.zeros(n)
        for t in range(net.ends):
            column[nodes["t", t]] = demand[s, t]
        column[nodes["s", s]] = -demand[s].sum()
        wanted.append(column)
        open_ = np.full(m, np.inf)
        if minimal:
            far = nx.single_source_dijkstra_path_length(graph, ("s", s), weight="hop")
            for k, (u, v, data) in enumerate(arcs):
                if far.get(u, np.inf) + data["hop"] != far.get(v, np.inf):
                    open_[k] = 0.0
        upper.append(open_)
    limited = [k for k, (_, _, data) in enumerate(arcs) if "capacity_Bps" in data]
    load = sp.hstack([sp.identity(m).tocsr()[limited]] * len(sources))
    unit = max(arcs[k][2]["capacity_Bps"] for k in limited)
    cost = np.zeros(m * len(sources) + 1)
    cost[-1] = -1.0
    row, column_sum = demand.sum(axis=1), demand.sum(axis=0)
    most = min(
        [net.injection_Bps[e] / max(row[e], column_sum[e]) for e in range(net.ends) if max(row[e], column_sum[e]) > 0]
    )
    found = linprog(
        cost,
        A_ub=sp.hstack([load, sp.csr_matrix((len(limited), 1))]),
        b_ub=[arcs[k][2]["capacity_Bps"] / unit for k in limited],
        A_eq=sp.hstack([sp.block_diag([balance] * len(sources)), sp.csr_matrix(-np.concatenate(wanted)[:, None])]),
        b_eq=np.zeros(n * len(sources)),
        bounds=[(0, u) for u in np.concatenate(upper)] + [(0, most / unit)],
        method="highs",
    )
    return float(found.x[-1]) * unit


def bisection(net: Network, members: list[int]) -> float:
    """The least cut by trying every half of the members, each by NetworkX's max-flow."""
    graph = digraph(net)
    best = np.inf
    for half in itertools.combinations(members, len(members) // 2):
        for side in (set(half), set(members) - set(half)):
            g = graph.copy()
            for e in members:
                if e in side:
                    g.add_edge("S", ("s", e))
                else:
                    g.add_edge(("t", e), "T")
            for _, _, data in g.edges(data=True):
                if "capacity_Bps" in data:
                    data["capacity"] = data["capacity_Bps"]
            best = min(best, nx.maximum_flow_value(g, "S", "T"))
    return best
