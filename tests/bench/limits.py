"""What no routing can beat: exact optima of whole machines and of damaged ones, and the full linear program beside."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib import import_module
from math import lcm
from time import perf_counter, process_time
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tests.bench import machines, solving
from tests.bench.table import Row, seconds
from tests.solver import machines as small
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import find_symmetry
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.collectives import allgather_bound
from unifiedbus_dsl.solver.flow import max_concurrent_flow
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience import contingency
from unifiedbus_dsl.solver.routing import ecmp
from unifiedbus_dsl.solver.routing.throughput import throughput_under

T = TypeVar("T")
BEST = "\nanalyze best of machine { throughput(alltoall(all npu), routing = optimal) }\n"
SIDES = (4, 4, 8)
"""A torus of 128 end points."""
BOXES = 16
"""Boxes of 8 GPUs."""


def rows(given: Namespace) -> Iterator[Row]:
    """All rows; seconds are of the clock, or with `busy` of the processor."""
    busy = bool(given.busy)
    yield solving.analyze("the optimum, 8,192 NPUs", solving.SUPERPOD + BEST, 2, 3, busy)[0]
    yield from solving.analyze("the optimum, 524,288 NPUs", solving.HALF_MILLION + BEST, 10, 1, busy)
    yield from solving.analyze("the optimum, 1,006,720 NPUs", solving.MILLION + BEST, 20, 1, busy)
    for routing in ("ecmp", "optimal"):
        text = solving.HALF_MILLION + dead(routing)
        yield from solving.analyze(f"one dead switch, {routing}, 524,288 NPUs", text, 30, 1, busy)
    yield full_linear_program(busy)
    yield gathering(busy, given.forestcoll)
    for routing in ("ecmp", "optimal"):
        yield every_switch(routing, busy)


def dead(routing: str) -> str:
    """A scenario that asks for the throughput without one spine switch between the SuperPoDs; the block keeps away the
    datasheet, which would ask for more."""
    asked = f"throughput(alltoall(all npu), routing = {routing})"
    block = "analyze nothing of machine { expect count(all npu) > 0 }"
    return f"\n{block}\nscenario Dead of machine {{ fail plane[0, 0].spine[3]; expect {asked} > 0 GB/s }}\n"


def full_linear_program(busy: bool) -> Row:
    """All-to-all on a torus: a variable for each source and arc, by HiGHS' interior point method, and on classes with
    the search for symmetries counted in."""
    net, arrays = small.torus(*SIDES)
    took, value = _timed(lambda: _full(net), busy)
    d = demand.all_to_all(net)
    ours, found = _timed(
        lambda: max_concurrent_flow.max_concurrent_flow(find_symmetry(net, arrays), d).throughput.scale, busy
    )
    assert abs(value / found.value - 1) < 1e-6, "not the same optimum"
    note = f"{seconds(took)} and {seconds(ours)}"
    return Row(
        "full linear program by HiGHS / on classes, torus of 128 end points: time", took / ours, "x", 100, False, note
    )


def _timed(work: Callable[[], T], busy: bool) -> tuple[float, T]:
    clock_ = process_time if busy else perf_counter
    start = clock_()
    result = work()
    return clock_() - start, result


def _full(net: Network) -> float:
    """The largest t, by the full linear program: flows of each source balance at each vertex, arcs hold their sum."""
    import scipy.sparse as sp
    from scipy.optimize import linprog

    n, m = net.vertices, net.arcs
    arc = np.arange(m)
    signs = np.concatenate([np.ones(m), -np.ones(m)])
    balance = sp.csr_matrix((signs, (np.concatenate([net.head, net.tail]), np.concatenate([arc, arc]))), shape=(n, m))
    wanted = np.ones((n, n)) - n * np.eye(n)
    equal = sp.hstack([sp.kron(sp.identity(n), balance), sp.csr_matrix(-wanted.reshape(-1, 1))]).tocsr()
    load = sp.hstack([sp.kron(np.ones((1, n)), sp.identity(m)), sp.csr_matrix((m, 1))]).tocsr()
    unit = float(net.capacity_Bps.max())
    cost = np.zeros(n * m + 1)
    cost[-1] = -1.0
    found = linprog(cost, A_ub=load, b_ub=net.capacity_Bps / unit, A_eq=equal, b_eq=np.zeros(n * n), method="highs-ipm")
    assert found.status == 0, found.message
    return float(found.x[-1]) * unit


def boxes(count: int) -> str:
    """Boxes of 8 GPUs: 300 GB/s from each GPU to the switch of its box, and 25 GB/s through a NIC of its own to one of
    two switches that join all boxes."""
    return f"""ubus 1
protocol Near {{ lane = 200 Gbps; latency = 100 ns }}
protocol Far {{ lane = 200 Gbps; latency = 100 ns }}
link Trace : Near {{ medium = pcb; reach = 1 m; delay = 6 ns/m }}
link Optic : Far {{ medium = optical; delay = 5 ns/m }}
npu Gpu {{ port near : Near x12; port far : Far x1 }}
nic Nic {{ port host : Far x1; port net : Far x1; transit host, net }}
switch Inner {{ port p[8] : Near x12 }}
switch Rail {{ port p[{count}, 4] : Far x1 }}
node Box {{
  npu[8] : Gpu
  nic[8] : Nic
  inner  : Inner
  connect npu[g].near -- inner.p[g] over Trace(0.5 m) for g
  connect npu[g].far -- nic[g].host over Optic(1 m) for g
  port net = nic.net
}}
superpod Machine {{
  box[{count}] : Box
  rail[2] : Rail
  connect box[b].net[2*k + r] -- rail[r].p[b, k] over Optic(10 m) for b, k, r
}}
system machine : Machine
"""


def gathering(busy: bool, forestcoll: str | None = None, count: int = BOXES) -> Row:
    """The best rate of an all-gather: a binary search over maximum flows, as in ForestColl (Zhao et al., arXiv
    2402.06787), and from the fabric to the number, with network and symmetries. The search is written out below; with
    `forestcoll`, a folder with a copy of that project, it is its own."""

    def gathered(fabric: Fabric) -> tuple[NetworkContext, NDArray[np.int64], float]:
        machine = NetworkContext(fabric)
        gpu = [device.kind == "npu" for device in fabric.plan.devices.values()]
        ends = np.flatnonzero(np.array(gpu)[fabric.device_type[machine.network.end_device]])
        return machine, ends, allgather_bound.gather_rate(machine.symmetry, ends).value

    gathered(machines.fabric_of(boxes(2)))  # loads SciPy, as `_whole_rates` loads NetworkX
    fabric = machines.fabric_of(boxes(count))
    ours, (machine, ends, rate) = _timed(lambda: gathered(fabric), busy)
    graph, unit = _whole_rates(machine.network)
    members = [int(machine.network.vertices_of(e)[0]) for e in ends.tolist()]
    took, found = _timed(lambda: _theirs(graph, members, forestcoll) if forestcoll else _searched(graph, members), busy)
    assert abs(float(found) * unit / rate - 1) < 1e-9, "not the same rate"
    who = "ForestColl" if forestcoll else "binary search over maximum flows by NetworkX"
    return Row(
        f"best all-gather of {len(ends)} GPUs, {who} / on classes: time", took / ours, "x", 300, False,
        f"{seconds(took)} and {seconds(ours)}",
    )  # fmt: skip


def _whole_rates(net: Network) -> tuple[Any, float]:
    """The network as a graph of NetworkX whose capacities are whole numbers of a unit, and that unit in byte/s."""
    import networkx as nx

    rates = [Fraction(rate).limit_denominator(1000) for rate in np.unique(net.capacity_Bps).tolist()]
    parts = lcm(*(rate.denominator for rate in rates))
    common = np.gcd.reduce([int(rate * parts) for rate in rates])
    unit = float(common) / parts
    graph = nx.DiGraph()
    for tail, head, rate in zip(net.tail.tolist(), net.head.tolist(), net.capacity_Bps.tolist(), strict=True):
        old = graph.get_edge_data(tail, head, {"capacity": 0})["capacity"]
        graph.add_edge(tail, head, capacity=old + round(rate / unit))
    return graph, unit


def _searched(graph: Any, members: list[int]) -> Fraction:
    """The largest x such that each member can be brought x from every other one at once.

    x = capacity out of a set / members in it, for the narrowest set, so 1 / x has a denominator of at most what enters
    a member, and two such numbers are at least one over its square apart.
    """
    import networkx as nx

    n = len(members)
    enters = min(graph.in_degree(v, weight="capacity") for v in members)

    def reached(inverse: Fraction) -> bool:
        whole = nx.DiGraph()
        whole.add_weighted_edges_from(
            ((a, b, rate * inverse.numerator) for a, b, rate in graph.edges(data="capacity")), weight="capacity"
        )
        whole.add_weighted_edges_from(((-1, v, inverse.denominator) for v in members), weight="capacity")
        return all(nx.maximum_flow_value(whole, -1, v) >= n * inverse.denominator for v in members)

    low, high = Fraction(n - 1, enters), Fraction(n - 1)
    if reached(low):
        return 1 / low
    while high - low > Fraction(1, enters**2):
        middle = Fraction(float(low + high) / 2)
        low, high = (low, middle) if reached(middle) else (middle, high)
    return 1 / ((low + high) / 2).limit_denominator(enters)


def _theirs(graph: Any, members: list[int], folder: str) -> Fraction:
    """The same by the program of the paper's authors."""
    sys.path.insert(0, folder)
    try:
        search = import_module("pipeline_allgather").OptimalBranchingsAlgo
    finally:
        sys.path.remove(folder)
    inverse, trees = search(graph, capacitated=True, compute_nodes=members).binary_search()
    return Fraction(trees) / Fraction(inverse).limit_denominator(10**6)


def every_switch(routing: str, busy: bool) -> Row:
    """Each single switch of the SuperPoD dead, all-to-all, from the fabric to the last number."""
    fabric = machines.fabric_of(solving.SUPERPOD)

    def measure(machine: NetworkContext) -> float:
        d = demand.all_to_all(machine.network, np.setdiff1d(np.arange(machine.network.ends), machine.lost_ends))
        if routing == "ecmp":
            return float(throughput_under(ecmp.ecmp(machine.symmetry, d), d).scale)
        return float(max_concurrent_flow.max_concurrent_flow(machine.symmetry, d).throughput.scale)

    def survey() -> int:
        machine = NetworkContext(fabric)
        parts = contingency.switches(machine)
        done = contingency.survey_single_outages(machine, parts, measure)
        assert done.complete
        assert len(done.failures) == done.orbits
        return parts.count

    took, count = _timed(survey, busy)
    return Row(f"each of {count:,} single switch failures of the SuperPoD, {routing}", took, "s", 60)
