"""Cycles of channel dependencies: textbook machines, and random ones against a plain search of the graph."""

from __future__ import annotations

import random
import time
from itertools import pairwise, permutations
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import call_of, evaluate
from unifiedbus_dsl import compile_text, solve
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.solver.deadlock.dependencies import short_cycle, topological_levels
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError

SPECS = Path(__file__).parents[2] / "specs"
HEAD = """ubus 1
protocol Unit { lane = 100 GB/s; latency = 100 ns }
link Wire : Unit { medium = copper; reach = 100 m }
npu Host { port p[2] : Unit x1 @open }
npu Chip(ports) { port p[ports] : Unit x1 @open; transit p }
switch Router(ports) { latency = 100 ns; port p[ports] : Unit x1 @open }
"""


def ask(body: str, question: str) -> Answer:
    text = f"{HEAD}\nrack Machine {{\n{body}\n}}\nsystem s : Machine\nanalyze q of s {{ {question} }}\n"
    done = compile_text(text)
    assert done.ok, [each.message for each in done.diagnostics]
    report = analyze(done, "s")
    assert not report.diagnostics, [each.message for each in report.diagnostics]
    return report.answers[0]


# ---- random networks against plain loops ----------------------------------------------------------------------------


def random_body(draw: random.Random) -> tuple[str, nx.MultiGraph, set[str]]:
    """Hosts that do not forward, chips that do, routers; some cables twice. The second is who forwards."""
    routers, chips, hosts = draw.randint(2, 6), draw.randint(0, 4), draw.randint(1, 4)
    inner = [f"r[{i}]" for i in range(routers)] + [f"c[{i}]" for i in range(chips)]
    graph = nx.MultiGraph()
    graph.add_edges_from((inner[i], draw.choice(inner[:i])) for i in range(1, len(inner)))
    graph.add_edges_from(draw.sample(inner, 2) for _ in range(draw.randint(0, 5)))
    for i in range(hosts):
        graph.add_edges_from((f"h[{i}]", other) for other in draw.sample(inner, draw.randint(1, 2)))
    used = dict.fromkeys(graph, 0)
    lines = [f"r[{routers}] : Router(ports = 16)", f"h[{hosts}] : Host"]
    lines += [f"c[{chips}] : Chip(ports = 16)"] if chips else []
    for one, two in graph.edges():
        lines.append(f"connect {one}.p[{used[one]}] -- {two}.p[{used[two] + (one == two)}] over Wire(1 m)")
        used[one] += 1
        used[two] += 1
    return "\n".join(lines), graph, set(inner)


def plain_dependencies(graph: nx.Graph, forwards: set[str], pairs: list[tuple[str, str]]) -> nx.DiGraph:
    """Channels in a row on some shortest path of some pair."""
    found = nx.DiGraph()
    for source, target in pairs:
        simple = nx.Graph(graph.subgraph(forwards | {source, target}))
        for path in nx.all_shortest_paths(simple, source, target):
            for one, two in pairwise(list(pairwise(path))):
                found.add_edge(one, two)
    return found


def ends_of(graph: nx.Graph) -> list[str]:
    return sorted(node for node in graph if node[0] in "ch")


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_have_a_cycle_where_a_plain_search_finds_one(seed: int) -> None:
    draw = random.Random(seed)
    body, graph, forwards = random_body(draw)
    ends = ends_of(graph)
    if len(ends) < 2:
        pytest.skip("a single end point sends nothing")
    wanted = plain_dependencies(graph, forwards, list(permutations(ends, 2)))
    answer = ask(body, "deadlock_free(alltoall(all npu))")
    assert answer.detail["truth"] is nx.is_directed_acyclic_graph(wanted)
    assert answer.kind == "exact"
    if not answer.detail["truth"]:
        check_cycle(answer, wanted, graph, forwards)


def check_cycle(answer: Answer, wanted: nx.DiGraph, graph: nx.Graph, forwards: set[str]) -> None:
    """Every channel of the cycle is followed by the next on a shortest path of the pair that is named."""
    rows = answer.detail["cycle"]
    channels = [tuple(row["channel"].split(" over ")[0].split(" -> ")) for row in rows]
    assert len(set(channels)) == len(channels) > 1
    for row, one, two in zip(rows, channels, channels[1:] + channels[:1], strict=True):
        source, target = row["packets"].split(" -> ")
        assert wanted.has_edge(one, two)
        assert plain_dependencies(graph, forwards, [(source, target)]).has_edge(one, two)


@pytest.mark.parametrize("seed", range(24))
def test_packets_that_turn_at_switches_are_followed_through_both_legs(seed: int) -> None:
    draw = random.Random(500 + seed)
    body, graph, forwards = random_body(draw)
    ends, simple = ends_of(graph), nx.Graph(graph)
    if len(ends) < 2:
        pytest.skip("a single end point sends nothing")
    wanted = nx.DiGraph()
    for source, target in permutations(ends, 2):
        for switch in (node for node in graph if node[0] == "r"):
            legs = [
                list(nx.all_shortest_paths(simple.subgraph(forwards | {one, two}), one, two))
                for one, two in ((source, switch), (switch, target))
            ]
            for path in (first + second[1:] for first in legs[0] for second in legs[1]):
                wanted.add_edges_from(pairwise(list(pairwise(path))))
    answer = ask(body, "deadlock_free(alltoall(all npu), routing = valiant(via = switch))")
    assert answer.detail["truth"] is nx.is_directed_acyclic_graph(wanted)
    for row, after in zip(answer.detail.get("cycle", []), answer.detail.get("cycle", [])[1:], strict=False):
        one, two = (tuple(each["channel"].split(" over ")[0].split(" -> ")) for each in (row, after))
        assert wanted.has_edge(one, two)


@pytest.mark.parametrize("seed", range(20))
def test_some_pairs_have_a_cycle_where_a_plain_search_finds_one(seed: int) -> None:
    draw = random.Random(1000 + seed)
    size = draw.randint(4, 7)
    body = f"c[{size}] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)"
    graph = nx.MultiGraph([(f"c[{i}]", f"c[{(i + 1) % size}]") for i in range(size)])
    step = draw.randint(1, size - 1)
    pairs = [(f"c[{i}]", f"c[{(i + step) % size}]") for i in range(size)]
    wanted = plain_dependencies(graph, set(graph), pairs)
    answer = ask(body, f"deadlock_free(shift(all npu, k = {step}))")
    assert answer.detail["truth"] is nx.is_directed_acyclic_graph(wanted)


@pytest.mark.parametrize("seed", range(30))
def test_orders_and_cycles_of_graphs(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randint(1, 12)
    edges = [(draw.randrange(count), draw.randrange(count)) for _ in range(draw.randint(0, 16))]
    before, after = (np.array([edge[k] for edge in edges], dtype=np.int64) for k in (0, 1))
    graph = nx.DiGraph(edges)
    levels, cycle = topological_levels(count, before, after), short_cycle(count, before, after)
    assert (levels is not None) is (cycle is None) is nx.is_directed_acyclic_graph(graph)
    if levels is not None:
        assert (levels[before] < levels[after]).all()
    if cycle is not None:
        walk = [edges[k] for k in cycle]
        assert all(one[1] == two[0] for one, two in zip(walk, walk[1:] + walk[:1], strict=True))
        assert len(cycle) == len(min(nx.simple_cycles(graph), key=len))


# ---- the textbook ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "routing", "free"),
    [
        ("c[3] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)", "ecmp", True),  # nobody passes anybody
        ("c[4] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)", "ecmp", False),
        ("c[9] : Chip(ports = 8)\nconnect c.p as fullmesh over Wire(1 m)", "ecmp", True),
        ("c[9] : Chip(ports = 8)\nconnect c.p as fullmesh over Wire(1 m)", "valiant", True),  # it is taken in between
        ("c[9] : Chip(ports = 2)\nconnect c[0..7].p[0] -- c[1..8].p[1] over Wire(1 m)", "ecmp", True),  # a line
        ("c[9] : Chip(ports = 2)\nconnect c[0..7].p[0] -- c[1..8].p[1] over Wire(1 m)", "minimal", True),
    ],
)
def test_small_textbook_machines(body: str, routing: str, free: bool) -> None:
    assert ask(body, f"deadlock_free(alltoall(all npu), routing = {routing})").detail["truth"] is free


@pytest.mark.parametrize(
    ("spec", "system", "routing", "free"),
    [
        ("textbook/ring", "ring", "ecmp", False),
        ("textbook/torus", "torus2d", "dor", False),
        ("textbook/torus", "torus3d", "dor", False),
        ("textbook/fat-tree", "tree", "ecmp", True),
        ("textbook/fat-tree", "tree", "updown", True),
        ("textbook/fat-tree", "tree", "valiant(via = switch)", False),
        ("textbook/hypercube", "hypercube", "ecmp", False),
        ("textbook/hyperx", "hyperx", "ecmp", False),
        ("textbook/dragonfly", "dragonfly", "group_minimal", False),
        ("textbook/dragonfly", "dragonfly", "valiant(via = group)", False),
        ("huawei/ub-mesh", "rack", "ecmp", True),
    ],
)
def test_textbook_specs(spec: str, system: str, routing: str, free: bool) -> None:
    fabric = compile(SPECS / f"{spec}.ubus").fabric(system)
    assert solve.deadlock_free(fabric, "alltoall(all npu)", routing) is free


def test_dimension_order_frees_a_mesh_and_two_orders_do_not() -> None:
    rows = "\n".join(f"connect c[{i}, 0..3].p[0] -- c[{i}, 1..4].p[1] over Wire(1 m)" for i in range(4))
    columns = "\n".join(f"connect c[0..2, {j}].p[2] -- c[1..3, {j}].p[3] over Wire(1 m)" for j in range(5))
    body = f"c[4, 5] : Chip(ports = 4)\n{rows}\n{columns}"
    for routing, free in (("dor", True), ("dor(order = [1, 0])", True), ("ecmp", False)):
        assert ask(body, f"deadlock_free(alltoall(all npu), routing = {routing})").detail["truth"] is free


def test_a_routing_without_known_paths_is_refused() -> None:
    done = compile(SPECS / "textbook/ring.ubus")
    with pytest.raises(solve.QuestionError, match="may take any path"):
        solve.deadlock_free(done.fabric(), "alltoall(all npu)", "optimal")


# ---- certificates that do not hold ----------------------------------------------------------------------------------


def certified(spec: str, question: str) -> tuple[NetworkContext, object]:
    machine = NetworkContext(compile(SPECS / f"{spec}.ubus").fabric())
    return machine, evaluate(call_of(machine, question))


QUESTION = "deadlock_free(alltoall(all npu))"


def test_a_rank_that_falls_is_refused() -> None:
    machine, found = certified("textbook/fat-tree", QUESTION)
    assert proved(machine, found).detail["truth"]
    rank = found.certificate.rank
    for wrong in (np.zeros_like(rank), rank.max() - rank):
        with pytest.raises(VerificationError, match="does not rise"):
            proved(machine, evolve(found, certificate=evolve(found.certificate, rank=wrong)))


def test_a_symmetry_that_changes_a_rank_is_refused() -> None:
    machine, found = certified("textbook/fat-tree", QUESTION)
    rank = found.certificate.rank.copy() * 2
    rank[-1] += 1
    with pytest.raises(VerificationError, match="changes the rank"):
        proved(machine, evolve(found, certificate=evolve(found.certificate, rank=rank)))


def test_a_cycle_that_is_none_is_refused() -> None:
    machine, found = certified("textbook/ring", QUESTION)
    whole = found.certificate
    for wrong, said in (
        (evolve(whole, cycle=whole.cycle[:-1], source=whole.source[:-1], target=whole.target[:-1], via=whole.via[:-1]),
         "follow each other"),
        (evolve(whole, target=whole.source), "sends nothing"),
        (evolve(whole, target=np.roll(whole.target, 4)), "takes no such arcs"),
        (evolve(whole, cycle=np.repeat(whole.cycle, 2)), "different arcs"),
    ):  # fmt: skip
        with pytest.raises(VerificationError, match=said):
            proved(machine, evolve(found, certificate=wrong))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "seconds"), [("huawei/atlas-950-superpod", 2.0), ("huawei/atlas-950-supercluster", 20.0)]
)
def test_many_npus_take_seconds(spec: str, seconds: float) -> None:
    fabric = compile(SPECS / f"{spec}.ubus").fabric()
    began = time.process_time()
    assert solve.deadlock_free(fabric, "alltoall(all npu)")
    assert time.process_time() - began < seconds
