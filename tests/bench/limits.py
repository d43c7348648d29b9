"""What no routing can beat: exact optima of whole machines and of damaged ones, and the full programme beside."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np

from tests.bench import machines, solving
from tests.bench.table import Row, seconds
from tests.solver import machines as small
from unifiedbus_dsl.network import Network
from unifiedbus_dsl.solver import demand, ecmp, limits, scenarios
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.throughput import throughput
from unifiedbus_dsl.symmetry import find

T = TypeVar("T")
BEST = "\nanalyze best of machine { throughput(alltoall(all npu), routing = optimal) }\n"
SIDES = (4, 4, 8)
"""A torus of 128 end points."""


def rows(given: Namespace) -> Iterator[Row]:
    """All rows; seconds are of the clock, or with `busy` of the processor."""
    busy = bool(given.busy)
    yield solving.analyze("the optimum, 8,192 NPUs", solving.SUPERPOD + BEST, 2, 3, busy)[0]
    yield from solving.analyze("the optimum, 524,288 NPUs", solving.HALF_MILLION + BEST, 10, 1, busy)
    yield from solving.analyze("the optimum, 1,006,720 NPUs", solving.MILLION + BEST, 20, 1, busy)
    for routing in ("ecmp", "optimal"):
        text = solving.HALF_MILLION + dead(routing)
        yield from solving.analyze(f"one dead switch, {routing}, 524,288 NPUs", text, 30, 1, busy)
    yield full_programme(busy)
    for routing in ("ecmp", "optimal"):
        yield every_switch(routing, busy)


def dead(routing: str) -> str:
    """A scenario that asks for the throughput without one spine switch between the SuperPoDs; the block keeps away the
    datasheet, which would ask for more."""
    asked = f"throughput(alltoall(all npu), routing = {routing})"
    block = "analyze nothing of machine { expect count(all npu) > 0 }"
    return f"\n{block}\nscenario Dead of machine {{ fail plane[0, 0].spine[3]; expect {asked} > 0 GB/s }}\n"


def full_programme(busy: bool) -> Row:
    """All-to-all on a torus: a variable for each source and arc, by HiGHS' interior point method, and on classes with
    the search for symmetries counted in."""
    net, arrays = small.torus(*SIDES)
    took, value = _timed(lambda: _full(net), busy)
    d = demand.all_to_all(net)
    ours, found = _timed(lambda: limits.optimal(find(net, arrays), d).throughput.scale, busy)
    assert abs(value / found.value - 1) < 1e-6, "not the same optimum"
    note = f"{seconds(took)} and {seconds(ours)}"
    return Row(
        "full programme by HiGHS / on classes, torus of 128 end points: time", took / ours, "x", 100, False, note
    )


def _timed(work: Callable[[], T], busy: bool) -> tuple[float, T]:
    clock_ = process_time if busy else perf_counter
    start = clock_()
    result = work()
    return clock_() - start, result


def _full(net: Network) -> float:
    """The largest t, by the full programme: flows of each source balance at each vertex, arcs hold their sum."""
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


def every_switch(routing: str, busy: bool) -> Row:
    """Each single switch of the SuperPoD dead, all-to-all, from the fabric to the last number."""
    fabric = machines.fabric_of(solving.SUPERPOD)

    def measure(machine: Machine) -> float:
        d = demand.all_to_all(machine.network, np.setdiff1d(np.arange(machine.network.ends), machine.lost_ends))
        if routing == "ecmp":
            return float(throughput(ecmp.ecmp(machine.symmetry, d), d).scale)
        return float(limits.optimal(machine.symmetry, d).throughput.scale)

    def survey() -> int:
        machine = Machine(fabric)
        parts = scenarios.switches(machine)
        done = scenarios.survey(machine, parts, measure)
        assert done.complete
        assert len(done.failures) == done.orbits
        return parts.count

    took, count = _timed(survey, busy)
    return Row(f"each of {count:,} single switch failures of the SuperPoD, {routing}", took, "s", 60)
