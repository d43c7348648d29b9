"""Walls of assemblies: what their end points offer, against NetworkX's maximum flow on a graph written out by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from unifiedbus_dsl.graph.network import ArcKinds, Network, build_network
from unifiedbus_dsl.solver.flow.quotient_max_flow import FlowGraph, split_supply
from unifiedbus_dsl.solver.resilience.oversubscription import oversubscription

WIDE = 10**6


def random_network(rng: np.random.Generator) -> tuple[Network, np.ndarray]:
    """A few end points of one or two vertices, some that forward, switches, cables of three widths; four assemblies,
    one of which is nothing."""
    ends, switches = int(rng.integers(2, 9)), int(rng.integers(0, 4))
    vertices = rng.integers(1, 3, ends).tolist() + [1] * switches
    start = np.concatenate([[0], np.cumsum(vertices)])
    end = np.repeat([*range(ends), *[-1] * switches], vertices)
    forwards = (end < 0) | (rng.random(len(end)) < 0.5)
    cables = int(rng.integers(1, 24))
    a, b = rng.integers(0, len(end), (2, cables))
    rate = np.array([10.0, 20.0, 30.0])
    kinds = ArcKinds(capacity_Bps=rate, rate_Bps=rate, latency_s=np.zeros(3), link=np.arange(3))
    home = np.sort(rng.integers(-1, 3, ends + switches)) if rng.random() < 0.5 else rng.integers(-1, 3, ends + switches)
    injection = np.where(rng.random(ends) < 0.3, 15.0, np.inf)
    net = build_network(
        device_start=start, end=end, forwards=forwards, a=a, b=b, kind=rng.integers(0, 3, cables), kinds=kinds,
        injection_Bps=injection,
    )  # fmt: skip
    return net, np.repeat(home, vertices)


def written_out(
    net: Network, part: np.ndarray, group: int, members: set[int], carriers: set[int]
) -> tuple[float, float]:
    """What is offered to the wall of a group and how wide it is, by plain loops."""
    end, forwards = net.end.tolist(), net.forwards.tolist()
    arcs = [
        (int(net.tail[k]), int(net.head[k]), float(net.kinds.rate_Bps[net.kind[k]] * net.count[k]))
        for k in range(net.arcs)
        if part[net.tail[k]] == group
    ]
    carrier = [end[v] in carriers for v in range(net.vertices)]
    passes = [forwards[v] and not carrier[v] for v in range(net.vertices)]
    outward = nx.DiGraph()  # what passes on inside the assembly, without limits
    outward.add_nodes_from(range(net.vertices))
    for v, w, _ in arcs:
        if part[w] != group:
            outward.add_edge(v, "out")
        elif passes[w] or (carrier[w] and forwards[w]):
            outward.add_edge(v, w)

    def gets_out(w: int, without: int) -> bool:
        if not (passes[w] or (carrier[w] and forwards[w])):
            return False
        seen, todo = {w}, [w]
        while todo:
            v = todo.pop()
            for x in outward[v]:
                if x == "out":
                    return True
                if x not in seen and x != without:
                    seen.add(x)
                    todo.append(x)
        return False

    graph = nx.DiGraph()
    graph.add_node("source")
    graph.add_node("out")

    def add(a: object, b: object, rate: float) -> None:
        had = graph.get_edge_data(a, b, {"capacity": 0})["capacity"]
        graph.add_edge(a, b, capacity=had + rate)

    for e in members:
        own = [v for v in range(net.vertices) if end[v] == e and part[v] == group]
        if own:
            add("source", ("end", e), min(float(net.injection_Bps[e]), WIDE))
    for v, w, rate in arcs:
        out = part[w] != group
        into = "out" if out else ("on", w)
        if not out and not (passes[w] or (carrier[w] and forwards[w])):
            continue
        if end[v] in members and not carrier[v] and (out or not passes[v] or gets_out(w, v)):
            add(("end", end[v]), into, rate)
        if carrier[v] and (forwards[v] or end[v] in members):
            add(("on", v), into, rate)
        elif passes[v]:
            add(("on", v), into, rate if not out and carrier[w] else WIDE)
    for v in range(net.vertices):
        if carrier[v] and end[v] in members and part[v] == group:
            add(("end", end[v]), ("on", v), WIDE)
    offered = nx.maximum_flow_value(graph, "source", "out")
    start = {("end", e) for e in members if graph.has_node(("end", e))}
    seen = set(start).union(*(nx.descendants(graph, node) for node in start))
    wall = 0.0
    for v, w, rate in arcs:
        own = end[v] in members and not carrier[v]
        if part[w] != group and (own or ("on", v) in seen):
            wall += rate
    return offered, wall


@pytest.mark.parametrize("seed", range(300))
def test_what_is_offered_is_the_flow_written_out_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net, part = random_network(rng)
    members = {int(e) for e in range(net.ends) if rng.random() < 0.7}
    carriers = {int(e) for e in range(net.ends) if rng.random() < 0.3}
    found = oversubscription(net, part, sorted(members), sorted(carriers), groups=3)
    for group in range(3):
        offered, wall = written_out(net, part, group, members, carriers)
        assert found.inside_Bps[group] == pytest.approx(offered)
        if offered:
            assert found.wall_Bps[group] == pytest.approx(wall)
            assert found.ratio[group] == pytest.approx(offered / wall)
        else:
            present = any(part[v] == group and net.end[v] in members for v in range(net.vertices))
            assert found.ratio[group] == (np.inf if present else 0)


@pytest.mark.parametrize("seed", range(60))
def test_a_flow_by_classes_is_that_of_the_graph(seed: int) -> None:
    """Copies of a random graph, shuffled: each source enters what it enters in one copy at most, in all the maximum."""
    rng = np.random.default_rng(seed)
    nodes, copies = int(rng.integers(2, 8)), int(rng.integers(1, 4))
    tail, head = rng.integers(0, nodes, (2, 3 * nodes))
    capacity = rng.integers(1, 9, len(tail)).astype(float)
    supply, drain = (np.where(rng.random(nodes) < 0.5, rng.integers(1, 9, nodes), 0).astype(float) for _ in range(2))
    shuffle = rng.permutation(nodes * copies)
    shift = np.arange(copies)[:, None] * nodes
    graph = FlowGraph(
        shuffle[(tail + shift).ravel()], shuffle[(head + shift).ravel()], np.tile(capacity, copies),
        np.tile(supply, copies)[np.argsort(shuffle)], np.tile(drain, copies)[np.argsort(shuffle)],
    )  # fmt: skip
    one = nx.DiGraph()
    one.add_nodes_from(["source", "sink"])
    for v, w, bound in zip(tail.tolist(), head.tolist(), capacity.tolist(), strict=True):
        one.add_edge(v, w, capacity=one.get_edge_data(v, w, {"capacity": 0})["capacity"] + bound)
    for v in range(nodes):
        one.add_edge("source", v, capacity=supply[v])
        one.add_edge(v, "sink", capacity=drain[v])
    entered = split_supply(graph)
    assert entered.sum() == pytest.approx(copies * nx.maximum_flow_value(one, "source", "sink"))
    assert (entered <= graph.supply + 1e-9).all()
