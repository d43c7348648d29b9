"""Virtual lanes: textbook numbers, and on random networks every path walked lane by lane."""

from __future__ import annotations

import random
from itertools import pairwise, permutations

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.measures.test_deadlock import HEAD, SPECS, ask, ends_of, plain_dependencies, random_body
from tests.verify.machines import call_of, evaluate
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.graph.symmetry import trivial_symmetry
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.measures.virtual_lanes import FewestLanes, fewest_lanes
from unifiedbus_dsl.solver.bounds import bounded
from unifiedbus_dsl.solver.deadlock.lanes import LaneOrder, lanes_needed
from unifiedbus_dsl.solver.deadlock.pair_layers import lanes_of_pairs
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule, routes
from unifiedbus_dsl.solver.demand import Pairs, all_to_all
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.lanes import LayersCertificate

MESH = """
npu Node { port a[3] : Unit x1 @open; port b[3] : Unit x1 @open; port c[3] : Unit x1 @open; port d[3] : Unit x1 @open
  transit a, b, c, d }
"""


@pytest.mark.parametrize(
    ("spec", "system", "routing", "lanes"),
    [
        ("ring", "ring", "ecmp", (2, 2)),
        ("torus", "torus2d", "dor", (2, 2)),
        ("torus", "torus3d", "dor", (2, 2)),
        ("fat-tree", "tree", "ecmp", (1, 1)),
        ("fat-tree", "tree", "valiant", (1, 1)),  # it is taken in between its legs
        ("fat-tree", "tree", "valiant(via = switch)", (2, 2)),
        ("dragonfly", "dragonfly", "group_minimal", (2, 2)),
        ("hyperx", "hyperx", "ecmp", (2, 2)),
        ("slim-fly", "slimfly", "ecmp", (2, 2)),
    ],
)
def test_textbook_specs(spec: str, system: str, routing: str, lanes: tuple[int, int]) -> None:
    machine = NetworkContext(compile(SPECS / f"textbook/{spec}.ubus").fabric(system))
    found = proved(machine, evaluate(call_of(machine, f"virtual_lanes(alltoall(all npu), routing = {routing})")))
    assert (found.lower, found.upper) == lanes


@pytest.mark.slow
def test_valiant_over_groups_of_a_dragonfly_takes_three() -> None:
    machine = NetworkContext(compile(SPECS / "textbook/dragonfly.ubus").fabric("dragonfly"))
    question = "virtual_lanes(alltoall(all npu), routing = valiant(via = group))"
    found = proved(machine, evaluate(call_of(machine, question)))
    assert (found.lower, found.upper) == (2, 3)
    assert "local and global" in found.detail["scheme"]


@pytest.mark.parametrize(
    ("body", "routing", "lanes"),
    [
        ("c[9] : Chip(ports = 8)\nconnect c.p as fullmesh over Wire(1 m)", "minimal", (1, 1)),
        ("c[16] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)", "minimal", (2, 2)),
        ("c[17] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)", "ecmp", (2, 2)),
    ],
)
def test_small_textbook_machines(body: str, routing: str, lanes: tuple[int, int]) -> None:
    found = ask(body, f"virtual_lanes(alltoall(all npu), routing = {routing})")
    assert (found.lower, found.upper) == lanes
    assert found.kind == "exact"


def test_a_full_mesh_of_four_dimensions_takes_three_lanes_and_one_in_dimension_order() -> None:
    rows = {"a": "npu[*, j, k, l]", "b": "npu[i, *, k, l]", "c": "npu[i, j, *, l]", "d": "npu[i, j, k, *]"}
    loops = {"a": "j, k, l", "b": "i, k, l", "c": "i, j, l", "d": "i, j, k"}
    cables = "\n".join(f"connect {rows[p]}.{p} as fullmesh over Wire(1 m) for {loops[p]}" for p in rows)
    text = f"{HEAD}{MESH}\nrack M {{\nnpu[3, 3, 3, 3] : Node\n{cables}\n}}\nsystem s : M\n"
    done = compile_text(text)
    assert done.ok, [each.message for each in done.diagnostics]
    machine = NetworkContext(done.fabric())
    for routing, lanes in (("ecmp", (2, 3)), ("dor", (1, 1))):
        found = proved(machine, evaluate(call_of(machine, f"virtual_lanes(alltoall(all npu), routing = {routing})")))
        assert (found.lower, found.upper) == lanes


# ---- random networks, path by path ----------------------------------------------------------------------------------


def walked(machine: NetworkContext, found: FewestLanes, graph: nx.Graph, forwards: set[str]) -> tuple[nx.DiGraph, int]:
    """Dependencies between lanes of channels of all shortest paths, and how many lanes there are."""
    assert found.order is not None
    network, name = machine.network, machine.fabric.device_name
    device = np.searchsorted(network.device_start, np.arange(network.vertices), side="right") - 1
    place = {
        (name(int(device[t])), name(int(device[h]))): (int(b), int(r))
        for t, h, b, r in zip(network.tail, network.head, found.order.block, found.order.rank, strict=True)
    }
    waits, most = nx.DiGraph(), 0
    for source, target in permutations(ends_of(graph), 2):
        simple = nx.Graph(graph.subgraph(forwards | {source, target}))
        for path in nx.all_shortest_paths(simple, source, target):
            lane, before = 0, None
            for channel in pairwise(path):
                if before is not None:
                    one, two = place[before], place[channel]
                    after = 0 if one[0] < two[0] else lane if one[1] < two[1] else lane + 1
                    assert one[0] <= two[0]
                    waits.add_edge((before, lane), (channel, after))
                    lane = after
                before, most = channel, max(most, lane)
    return waits, most + 1


@pytest.mark.parametrize("seed", range(60))
def test_lanes_of_random_networks_leave_no_cycle(seed: int) -> None:
    draw = random.Random(seed)
    body, graph, forwards = random_body(draw)
    if len(ends_of(graph)) < 2:
        pytest.skip("a single end point sends nothing")
    machine = NetworkContext(compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n").fabric())
    certified = fewest_lanes(machine, all_to_all(machine.network), PathRule("shortest"))
    found = proved(machine, certified)
    if found.pairs is not None:
        check_lanes_of_pairs(machine, found, graph, forwards)
    if found.order is None:
        return
    waits, lanes = walked(machine, found, graph, forwards)
    assert nx.is_directed_acyclic_graph(waits)
    assert lanes == found.lanes.upper <= 3


def check_lanes_of_pairs(machine: NetworkContext, found: FewestLanes, graph: nx.Graph, forwards: set[str]) -> None:
    """No lane has a cycle of dependencies of all shortest paths of its pairs: a plain search."""
    assert found.pairs is not None
    lane, names = found.pairs.lane, machine.fabric.device_names(np.arange(machine.fabric.device_count))
    ends = [str(name) for name in names if str(name)[0] in "ch"]  # end points are the devices that are no switches
    waits: dict[int, nx.DiGraph] = {}
    for (i, source), (j, target) in permutations(enumerate(ends), 2):
        if lane[i, j] >= 0:
            few = plain_dependencies(graph, forwards, [(source, target)])
            waits.setdefault(int(lane[i, j]), nx.DiGraph()).add_edges_from(few.edges)
    assert all(nx.is_directed_acyclic_graph(each) for each in waits.values())
    assert max(waits) + 1 == found.lanes.upper


def chips(size: int, degree: int, extra: int, seed: int) -> tuple[str, nx.MultiGraph]:
    """A random regular network of chips with some more cables."""
    draw = random.Random(seed)
    graph = nx.MultiGraph(nx.random_regular_graph(degree, size, seed=seed))
    graph.add_edges_from(draw.sample(range(size), 2) for _ in range(extra))
    used = dict.fromkeys(graph, 0)
    lines = [f"c[{size}] : Chip(ports = 16)"]
    for one, two in graph.edges():
        lines.append(f"connect c[{one}].p[{used[one]}] -- c[{two}].p[{used[two]}] over Wire(1 m)")
        used[one] += 1
        used[two] += 1
    return "\n".join(lines), nx.relabel_nodes(graph, {i: f"c[{i}]" for i in graph})


def some_pairs(size: int, seed: int) -> Pairs:
    draw = random.Random(seed)
    rows = np.array(sorted({tuple(draw.sample(range(size), 2)) for _ in range(draw.randint(size, 3 * size))}))
    return Pairs(rows[:, 0], rows[:, 1], np.ones(len(rows)))


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_lanes_that_pairs_keep_leave_no_cycle(seed: int, every: bool) -> None:
    body, graph = chips(12 + 2 * (seed % 3), 3, seed % 4, seed)
    machine = NetworkContext(compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n").fabric())
    network = machine.network
    some = some_pairs(network.ends, seed)
    demand = all_to_all(network) if every else some
    parts = routes(trivial_symmetry(network, ()), demand, PathRule("shortest")).parts
    pairs = lanes_of_pairs(network, parts, 16, 1)
    assert pairs is not None
    assert set(pairs.layering.tried) <= {"LASH", "DFSSSP"}
    fewest = FewestLanes(bounded(1, pairs.lanes, ""), pairs=pairs)
    check_lanes_of_pairs(machine, fewest, graph, set(graph))
    sends = {(int(s), int(t)) for s, t in zip(*np.nonzero(pairs.lane >= 0), strict=True)}
    listed = set(zip(some.source.tolist(), some.target.tolist(), strict=True))
    assert sends == (set(permutations(range(network.ends), 2)) if every else listed)


@pytest.mark.parametrize(("size", "extra", "seed"), [(20, 0, 3), (16, 0, 9), (14, 2, 20)])
def test_lash_takes_two_lanes_where_the_orders_take_three(
    size: int, extra: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unifiedbus_dsl.measures.virtual_lanes.MOST_ROOTS", 0)
    body, graph = chips(size, 3, extra, seed)
    machine = NetworkContext(compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n").fabric())
    found = proved(machine, fewest_lanes(machine, all_to_all(machine.network), PathRule("shortest")))
    check_lanes_of_pairs(machine, found, graph, set(graph))
    assert list(found.tried.values()) == [3, 2]
    assert found.scheme == "LASH: a lane that each pair keeps"
    answer = ask(body, "virtual_lanes(alltoall(all npu))")
    assert (answer.kind, answer.upper) == ("exact", 2)
    by_pair = {tuple(row["packets"].split(" -> ")): row["lane"] for row in answer.detail["lane_of_pairs"]}
    waits: dict[int, nx.DiGraph] = {0: nx.DiGraph(), 1: nx.DiGraph()}
    for pair in permutations(sorted(graph), 2):
        waits[by_pair.get(pair, 0)].add_edges_from(plain_dependencies(graph, set(graph), [pair]).edges)
    assert all(nx.is_directed_acyclic_graph(each) for each in waits.values())


def test_dfsssp_takes_two_lanes_where_orders_and_lash_take_three() -> None:
    body, graph = chips(36, 3, 1, 34)
    machine = NetworkContext(compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n").fabric())
    found = proved(machine, fewest_lanes(machine, some_pairs(36, 34), PathRule("shortest")))
    check_lanes_of_pairs(machine, found, graph, set(graph))
    assert list(found.tried.values()) == [3, 3, 2]
    assert found.scheme == "DFSSSP: a lane that each pair keeps"


def test_lanes_of_pairs_that_close_a_cycle_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unifiedbus_dsl.measures.virtual_lanes.MOST_ROOTS", 0)
    body, _ = chips(16, 3, 0, 9)
    machine = NetworkContext(compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n").fabric())
    certified = fewest_lanes(machine, all_to_all(machine.network), PathRule("shortest"))
    whole = certified.certificate
    assert isinstance(whole, LayersCertificate)
    for wrong, said in (
        (evolve(whole, lane=np.zeros_like(whole.lane)), "does not rise"),
        (evolve(whole, rank=whole.rank[:1]), "no lane"),
        (evolve(whole, rank=np.zeros_like(whole.rank)), "does not rise"),
    ):
        with pytest.raises(VerificationError, match=said):
            proved(machine, evolve(certified, certificate=wrong))


@pytest.mark.parametrize(("size", "degree"), [(12, 4), (20, 4), (32, 4), (32, 3), (48, 3), (48, 6), (64, 4)])
def test_few_lanes_are_enough_on_random_regular_networks(size: int, degree: int) -> None:
    found = ask(chips(size, degree, 0, size)[0], "virtual_lanes(alltoall(all npu))")
    assert 2 <= found.upper <= 3  # as LASH-TOR (Skeie, Lysne, Flich and others, 2004) finds on such networks
    assert found.detail["scheme"]


# ---- certificates that do not hold ----------------------------------------------------------------------------------


def test_lanes_that_are_too_few_or_out_of_order_are_refused() -> None:
    machine = NetworkContext(compile(SPECS / "textbook/torus.ubus").fabric("torus2d"))
    found = evaluate(call_of(machine, "virtual_lanes(alltoall(all npu), routing = dor)"))
    whole = found.certificate
    assert proved(machine, found).value == 2
    for wrong, said in (
        (evolve(whole, lanes=1), "not enough"),
        (evolve(whole, rank=np.zeros_like(whole.rank)), "not enough"),
        (evolve(whole, block=whole.block.max() - whole.block), "earlier block"),
    ):
        with pytest.raises(VerificationError, match=said):
            proved(machine, evolve(found, certificate=wrong))


def test_lanes_of_an_order_are_those_of_the_longest_way_against_it() -> None:
    machine = NetworkContext(compile(SPECS / "textbook/hypercube.ubus").fabric())
    network = machine.network
    orders = [LaneOrder(np.zeros(network.arcs, np.int64), np.zeros(network.arcs, np.int64), "by hops")]
    parts = routes(machine.symmetry, all_to_all(network), PathRule("shortest")).parts
    assert lanes_needed(network, parts, orders)[0].tolist() == [6]
