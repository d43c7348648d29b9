"""The worst permutation: all of them tried on small machines, textbook values, and certificates that are spoilt."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import permutations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.measures.test_deadlock import HEAD, SPECS, ask, ends_of, random_body
from tests.verify.machines import call_of, evaluate
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.measures.read_routing import read_routing
from unifiedbus_dsl.solver.demand import pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing.transport import best_prices
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.permutations import WorstPermutationCertificate

CABLE = 100e9

# ---- every permutation of small machines ----------------------------------------------------------------------------


def crossing(graph: nx.MultiGraph, forwards: set[str], source: str, target: str) -> Counter[tuple[str, str]]:
    """What each channel carries of 1 that is sent, shared at each device by cables that lead nearer: plain loops."""
    simple = nx.Graph(graph.subgraph(forwards | {source, target}))
    away = nx.single_source_shortest_path_length(simple, target)
    held, load = Counter({source: 1.0}), Counter[tuple[str, str]]()
    for device in sorted(away, key=lambda each: -away[each]):
        onward = {n: graph.number_of_edges(device, n) for n in simple[device] if away[n] == away[device] - 1}
        for other, cables in onward.items() if held[device] else ():
            part = held[device] * cables / sum(onward.values())
            load[device, other] += part
            held[other] += part
    return load


def least_of_all(graph: nx.MultiGraph, forwards: set[str], ends: list[str]) -> float:
    each = {pair: crossing(graph, forwards, *pair) for pair in permutations(ends, 2)}
    most = 0.0
    for order in permutations(ends):
        load = Counter[tuple[str, str]]()
        for pair in zip(ends, order, strict=True):
            load.update(each.get(pair, {}))
        most = max([most, *(load[a, b] / graph.number_of_edges(a, b) for a, b in load)])
    return CABLE / most


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_against_every_permutation(seed: int) -> None:
    draw = random.Random(9000 + seed)
    body, graph, forwards = random_body(draw)
    ends = ends_of(graph)
    if not 2 <= len(ends) <= 6:
        pytest.skip("all permutations of so many are not tried")
    answer = ask(body, "worst_throughput(all npu)")
    assert answer.kind == "exact"
    assert answer.value == pytest.approx(least_of_all(graph, forwards, ends), rel=1e-9)
    assert not answer.unverified


TORUS = """
c[2, 3] : Chip(ports = 3)
connect c[0, j].p[0] -- c[1, j].p[0] over Wire(1 m) for j
connect c[i, *].p[1..2] as ring over Wire(1 m) for i
"""
DRAGONFLY = """
h[3, 2, 1] : Host
f : std.dragonfly.Dragonfly(a = 2, p = 1, h = 1, switch = Router, link = Wire)
connect h[g, r, i].p[0] -- f.host[g, r, i] over Wire(1 m) for g, r, i
"""


@pytest.mark.parametrize(
    ("body", "routing"),
    [
        (TORUS, "dor"),
        (TORUS, "dor(order = [1, 0])"),
        (TORUS, "wcmp"),
        (DRAGONFLY, "group_minimal"),
        (DRAGONFLY, "valiant(via = group)"),
    ],
)
def test_routings_against_every_permutation(body: str, routing: str) -> None:
    head = HEAD.replace("ubus 1", "ubus 1\nuse std.dragonfly")
    done = compile_text(f"{head}\nrack Machine {{\n{body}\n}}\nsystem s : Machine\n")
    assert done.ok, [each.message for each in done.diagnostics]
    machine = NetworkContext(done.fabric())
    found = proved(machine, evaluate(call_of(machine, f"worst_throughput(all npu, routing = {routing})")))
    assert (found.kind, found.unverified) == ("exact", ())
    assert found.value == pytest.approx(tried_one_by_one(machine, routing), rel=1e-9)


def tried_one_by_one(machine: NetworkContext, routing: str) -> float:
    """The least throughput of all permutations, whose loads are sums of those of single pairs."""
    ends = range(machine.network.ends)
    full = {pair: loads_of_pair(machine, routing, *pair) for pair in permutations(ends, 2)}
    nothing = np.zeros(machine.network.arcs)
    return min(
        1 / max(float(np.max(sum(full.get(pair, nothing) for pair in enumerate(order)))), 1e-30)
        for order in permutations(ends)
    )


def loads_of_pair(machine: NetworkContext, routing: str, source: int, target: int) -> Any:
    how = read_routing(call_of(machine, f"throughput(alltoall(all npu), routing = {routing})"))
    return how.loads(machine, pairs([source], [target])).utilisation


# ---- textbook values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "routing", "share"),
    [
        ("fat-tree", "ecmp", 1.0),  # nonblocking
        ("fat-tree", "updown", 1.0),
        ("dragonfly", "group_minimal", 1 / 8),  # all a · p = 8 of a group over the cable to the next one
        ("dragonfly", "valiant(via = switch)", None),
    ],
)
def test_textbook_specs(spec: str, routing: str, share: float | None) -> None:
    machine = NetworkContext(compile(SPECS / f"textbook/{spec}.ubus").fabric())
    found = proved(machine, evaluate(call_of(machine, f"worst_throughput(all npu, routing = {routing})")))
    assert (found.kind, found.unverified) == ("exact", ())
    if share is None:  # what each sends and takes is all that matters
        other = evaluate(call_of(machine, f"throughput(shift(all npu, k = 5), routing = {routing})")).answer
        assert found.value == pytest.approx(other.value)
    else:
        assert found.value == pytest.approx(share * CABLE)


@pytest.mark.parametrize("k", [4, 5, 8])
def test_a_ring_by_the_shorter_way(k: int) -> None:
    """Towles and Dally: tornado traffic, each to the one just short of half way round, is worst; with an even number
    half of what goes exactly half way round goes each way, and may be worse."""
    body = f"c[{k}] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)"
    found = ask(body, "worst_throughput(all npu)")
    half = (k - 1) // 2
    assert found.value <= CABLE / half * (1 + 1e-9)
    if k % 2:
        assert found.value == pytest.approx(CABLE / half)


@pytest.mark.parametrize("k", [3, 4, 5])
def test_a_mesh_in_dimension_order(k: int) -> None:
    """Transposed, k - 1 go over the cable into the corner's neighbour; the middle of a row has as many as fit."""
    lines = [
        f"c[{k}, {k}] : Chip(ports = 4)",
        f"connect c[i, j].p[0] -- c[i + 1, j].p[1] over Wire(1 m) for i in 0..{k - 2}, j",
        f"connect c[i, j].p[2] -- c[i, j + 1].p[3] over Wire(1 m) for i, j in 0..{k - 2}",
    ]
    found = ask("\n".join(lines), "worst_throughput(all npu, routing = dor)")
    assert found.value == pytest.approx(CABLE / (k - 1))
    assert found.kind == "exact"


def test_a_full_mesh_carries_one_cable_a_pair() -> None:
    found = ask("c[9] : Chip(ports = 8)\nconnect c.p as fullmesh over Wire(1 m)", "worst_throughput(all npu)")
    assert found.value == pytest.approx(CABLE)


def test_injection_alone_may_limit() -> None:
    text = """ubus 1
protocol Unit { lane = 100 GB/s; latency = 100 ns }
link Wire : Unit { medium = copper; reach = 9 m }
npu Host { port p : Unit x1; injection = 30 GB/s }
switch Router { latency = 1 ns; port p[4] : Unit x1 }
rack M { h[4] : Host; r : Router; connect h[i].p -- r.p[i] over Wire(1 m) for i }
system s : M
"""
    machine = NetworkContext(compile_text(text).fabric())
    found = proved(machine, evaluate(call_of(machine, "worst_throughput(all npu)")))
    assert (found.value, found.kind) == (30e9, "exact")


# ---- larger machines ------------------------------------------------------------------------------------------------


def test_without_symmetries_the_number_is_the_same() -> None:
    fabric = compile(SPECS / "textbook/torus.ubus").fabric("torus2d")
    values = [
        proved(machine, evaluate(call_of(machine, "worst_throughput(all npu, routing = dor)"))).value
        for machine in (NetworkContext(fabric), NetworkContext(fabric, symmetric=False))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-9)


@pytest.mark.slow
def test_8192_end_points_take_seconds() -> None:
    machine = NetworkContext(compile(SPECS / "huawei/atlas-950-superpod.ubus").fabric())
    began = time.perf_counter()
    found = proved(machine, evaluate(call_of(machine, "worst_throughput(all npu)")))
    assert (found.kind, found.unverified) == ("exact", ())
    assert time.perf_counter() - began < 60


# ---- assignments of classes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_prices_of_classes_by_a_linear_program_and_one_by_one_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(seed)
    size = draw.integers(1, 6, draw.integers(1, 6))
    weight = np.where(draw.random((len(size),) * 2) < 0.4, 0.0, draw.random((len(size),) * 2))
    one = best_prices(weight, size)
    monkeypatch.setattr("unifiedbus_dsl.solver.routing.transport.ONE_BY_ONE", 0)
    two = best_prices(weight, size)
    assert one.bound == pytest.approx(two.bound, rel=1e-9)
    for each in (one, two):
        assert (each.out[:, None] + each.into[None] >= weight - 1e-12).all()
        assert min(each.out.min(), each.into.min()) >= 0


# ---- the traffic, asked back ----------------------------------------------------------------------------------------


def test_the_permutation_is_a_traffic() -> None:
    body = "c[7] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)"
    text = (
        f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\ntraffic hard of s = worst_permutation(all npu, routing = ecmp)\n"
        "analyze q of s {\n  expect throughput(hard) == worst_throughput(all npu)\n"
        "  expect throughput(hard, routing = valiant) > throughput(hard)\n}\n"
    )
    done = compile_text(text)
    assert done.ok, [each.message for each in done.diagnostics]
    report = analyze(done, "s")
    assert not report.diagnostics
    assert all(each.holds for each in report.expectations)


def test_a_routing_that_adapts_has_none() -> None:
    text = (
        f"{HEAD}\nrack M {{\nc[4] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)\n}}\nsystem s : M\n"
        "analyze q of s {\n  worst_throughput(all npu, routing = optimal)\n"
        "  throughput(worst_permutation(all npu, routing = ugal))\n}\n"
    )
    report = analyze(compile_text(text), "s")
    said = [each.message for each in report.diagnostics]
    assert len(said) == 2
    assert all("not linear" in each for each in said)


# ---- what is spoilt is seen -----------------------------------------------------------------------------------------


def certificate() -> tuple[NetworkContext, Any]:
    body = "c[6] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)"
    machine = NetworkContext(compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n").fabric())
    return machine, evaluate(call_of(machine, "worst_throughput(all npu)"))


def spoilt(of: WorstPermutationCertificate, how: str) -> WorstPermutationCertificate:
    bound = of.bounds[0]
    match how:
        case "prices":
            return evolve(of, bounds=(evolve(bound, out=bound.out * 0.5), *of.bounds[1:]))
        case "scale":
            return evolve(of, lower=of.lower * 1.01)
        case "no bound":
            return evolve(of, bounds=())
        case "members":
            return evolve(of, members=of.members & (np.arange(len(of.members)) > 0))
    return of


@pytest.mark.parametrize("how", ["prices", "scale", "no bound", "members"])
def test_a_certificate_that_is_spoilt_is_refused(how: str) -> None:
    machine, found = certificate()
    proved(machine, found)
    with pytest.raises(VerificationError):
        proved(machine, evolve(found, certificate=spoilt(found.certificate, how)))
