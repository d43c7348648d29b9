"""`python -m tests.attack.large --seed S --machines N`: irregular machines of 50 to 2,000 vertices, held to distances
by SciPy and to bounds that need no solver: sums of ports, Moore's bound, counted hops, random halves, a single path a
pair."""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
from attrs import frozen
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, shortest_path

from tests.attack.draw import LANE_BPS
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.compiler import Limits, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.solver.network_context import NetworkContext

BUDGET_S = 1.0
"""Of each optimised measure."""
HALVES = 200
"""Random cuts."""
LIMITS = Limits(work=4_000_000_000)
"""A cable a line, of some thousand cables: more than a text is usually allowed."""


@frozen(eq=False)
class Large:
    """End points 0 … `ends` - 1, which forward or not, then switches; cables between `a` and `b` of so many `lanes`,
    some of which are `lost`."""

    ends: int
    switches: int
    forwards: bool
    a: np.ndarray
    b: np.ndarray
    lanes: np.ndarray
    lost: np.ndarray

    @property
    def cable_names(self) -> list[str]:
        """Both ends of each cable, `n[0].x1[0] -- s[3].x1[5]`."""
        used = [0] * (self.ends + self.switches)
        names = []
        for a, b, lanes in zip(self.a.tolist(), self.b.tolist(), self.lanes.tolist(), strict=True):
            ends = []
            for device in (a, b):
                name = f"n[{device}]" if device < self.ends else f"s[{device - self.ends}]"
                ends.append(f"{name}.x{lanes}[{used[device]}]")
                used[device] += 1
            names.append(f"{ends[0]} -- {ends[1]}")
        return names

    @property
    def text(self) -> str:
        lines = [f"  connect {name} over Wire(1 m)" for name in self.cable_names]
        most = int(np.bincount(np.append(self.a, self.b)).max())
        ports = "; ".join(f"port x{lanes}[{most}] : UB x{lanes} @open" for lanes in (1, 2, 4))
        transit = "; transit x1, x2, x4" if self.forwards else ""
        head = "ubus 1\nprotocol UB { lane = 80 Gbps; latency = 100 ns }\n"
        head += "link Wire : UB { medium = copper; reach = 9 m }\n"
        parts = [f"  n[{self.ends}] : N"] + ([f"  s[{self.switches}] : S"] if self.switches else [])
        types = f"npu N {{ {ports}{transit} }}\nswitch S {{ {ports}; latency = 50 ns }}\n"
        return "\n".join([head + types + "superpod Pod {", *parts, *lines, "}", "system pod : Pod\n"])


def drawn(seed: int, number: int) -> Large:
    """A random graph of switches with end points on them, or of end points that forward, with islands or without."""
    draw = random.Random(f"large:{seed}:{number}")
    total = round(math.exp(draw.uniform(math.log(50), math.log(2000))))
    forwards = draw.random() < 0.3
    switches = 0 if forwards else max(2, round(total * draw.uniform(0.2, 0.6)))
    ends = total - switches
    core = list(range(total)) if forwards else list(range(ends, total))
    pairs = [(core[k], core[draw.randrange(max(0, k - 40), k)]) for k in range(1, len(core))]
    pairs += [tuple(draw.sample(core, 2)) for _ in range(round(len(core) * draw.uniform(0.5, 2.5)))]
    if not forwards:
        pairs += [(e, draw.choice(core)) for e in range(ends) for _ in range(draw.choice((1, 1, 2)))]
    part = draw.choice((0.0, 0.0, 0.0, 0.03, 0.1))
    lost = [draw.random() < part for _ in pairs]
    lanes = [draw.choice((1, 1, 2, 4)) for _ in pairs]
    a, b = np.array(pairs).T
    return Large(ends, switches, forwards, a, b, np.array(lanes), np.array(lost))


class Bounds:
    """What is known of a machine without a solver."""

    def __init__(self, machine: Large) -> None:
        self.machine = machine
        n = self.n = machine.ends + machine.switches
        a, b, lanes = (column[~machine.lost] for column in (machine.a, machine.b, machine.lanes))
        tail, head = np.append(a, b), np.append(b, a)
        self.capacity = csr_matrix((np.tile(lanes * LANE_BPS, 2), (tail, head)), shape=(n, n))
        self.ends = np.arange(machine.ends)
        # an end point that does not forward is left by a node of its own, beyond all others
        out = tail + n * (~self._passes(tail))
        graph = csr_matrix((np.ones(len(out)), (out, head)), shape=(2 * n, 2 * n))
        graph.data[:] = 1.0
        start = self.ends + n * (not machine.forwards)
        self.hops = shortest_path(graph, unweighted=True, indices=start)[:, : machine.ends]
        self.hops[self.ends, self.ends] = 0.0
        self.previous = (graph, start)
        self.degree = np.bincount(tail, minlength=n)
        self.ports = np.asarray(self.capacity.sum(axis=1)).ravel()

    def _passes(self, vertex: np.ndarray) -> np.ndarray:
        return (vertex >= self.machine.ends) | self.machine.forwards

    @property
    def pairs(self) -> np.ndarray:
        return self.hops[~np.eye(len(self.ends), dtype=bool)]

    def moore(self) -> tuple[float, float]:
        """Least diameter and mean hops of end points that any graph of these degrees has: of each at most so many are
        so near."""
        n = len(self.ends)
        most = int(self.degree.max())
        near, diameter, total = 0, 0, 0
        while near < n - 1:
            diameter += 1
            more = min(most * max(most - 1, 1) ** (diameter - 1), n - 1 - near)
            near, total = near + more, total + more * diameter
        return float(diameter), total / (n - 1)

    def single_path(self) -> float:
        """The scale of all to all when each pair takes one shortest path: no optimum is less."""
        graph, start = self.previous
        _, before = shortest_path(graph, unweighted=True, indices=start, return_predecessors=True)
        load: Counter[tuple[int, int]] = Counter()
        for s in self.ends.tolist():
            for t in self.ends.tolist():
                at = t
                while t != s and at != start[s]:
                    came = int(before[s, at])
                    load[came % self.n, at] += 1
                    at = came
        return min(float(self.capacity[edge]) / many for edge, many in load.items())

    def halves(self, draw: np.random.Generator) -> float:
        """The least of some random halving cuts, switches with most of their neighbours."""
        best = math.inf
        for _ in range(HALVES):
            side = np.zeros(self.n, dtype=bool)
            side[draw.permutation(self.ends)[: len(self.ends) // 2]] = True
            for _ in range(3):
                if self.machine.switches:
                    pull = self.capacity @ (2.0 * side - 1.0)
                    side[self.machine.ends :] = pull[self.machine.ends :] > 0
            one = side.astype(float)
            best = min(best, float(one @ (self.capacity @ (1.0 - one))))
        return best


def compare(machine: Large, number: int) -> Iterator[tuple[str, str]]:
    """Each question, with what contradicts its bounds (empty: nothing)."""
    whole = compile_text(machine.text, limits=LIMITS)
    fabric = whole.fabric()
    number_of = {name: k for k, name in enumerate(fabric.cable_names(np.arange(fabric.cable_count)))}
    lost = [number_of[name] for name, gone in zip(machine.cable_names, machine.lost, strict=True) if gone]
    asked = NetworkContext(fabric, budget_s=BUDGET_S).damaged(lost_cables=lost)
    bounds = Bounds(machine)
    n = len(bounds.ends)

    def held(question: str, low: float, high: float = math.inf) -> tuple[str, str]:
        sink = Sink()
        answer = make_evaluator(whole, asked, sink).answer(measure_calls(question, sink)[0])
        if not isinstance(answer, Answer):
            return question, "refused: " + "; ".join(each.message for each in sink)
        fine = answer.lower <= high * (1 + 1e-6) and answer.upper >= low * (1 - 1e-6)
        return question, "" if fine else f"{answer.lower!r} to {answer.upper!r}, and it is {low!r} to {high!r}"

    joined = bool(np.isfinite(bounds.pairs).all())
    yield held("connected(all npu)", joined, joined)
    largest = 1
    if machine.forwards or machine.switches:
        label = connected_components(bounds.capacity, directed=False)[1][: machine.ends]
        largest = int(np.bincount(label).max())
    if machine.forwards:
        yield held("reachable(all npu)", largest, largest)
    left = int((~machine.lost).sum())
    yield held("count(all link)", left, left)
    draw = np.random.default_rng(number)
    cut = bounds.halves(draw)
    single = bounds.single_path() if joined and n <= 400 else 0.0
    yield held("bisection(all npu)", single * (n // 2) * (n - n // 2), cut)
    if not joined:
        return
    diameter, mean = bounds.moore()
    most, hops = float(bounds.pairs.max()), float(bounds.pairs.mean())
    assert diameter <= most
    assert mean <= hops * (1 + 1e-12)
    yield held("diameter(all npu)", most, most)
    yield held("mean_hops(all npu)", hops, hops)
    yield held("disjoint_paths(n[0] -> n[1])", 1, min(bounds.degree[:2]))
    volume = float(bounds.capacity.sum()) / bounds.pairs.sum() * (n - 1)
    able = min(volume, float(bounds.ports[: machine.ends].min()))
    yield held("throughput(alltoall(all npu))", 0.0, able)
    if n <= 400:
        yield held("throughput(alltoall(all npu), routing = optimal)", single * (n - 1), able)
    busy = float(bounds.pairs.sum()) / (n - 1) / float(bounds.capacity.sum())
    yield held("load(alltoall(all npu), rate = 1 GB/s)", 1e9 * busy)
    taken = 1e9 * (n - 1) / n / float(bounds.ports[: machine.ends].min())
    yield held("optimal_time(allgather(all npu, size = 1 GB))", 0.0 if n > 400 else taken)


def attack(seed: int, machines: int, first: int = 0) -> tuple[Counter[str], list[str]]:
    """How often each measure was held to bounds, and what broke them."""
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(first, first + machines):
        machine, question = drawn(seed, number), ""
        try:
            for question, wrong in compare(machine, number):
                counts[question.partition("(")[0]] += 1
                if wrong:
                    found.append(f"seed {seed}, machine {number}: {question}: {wrong}")
        except Exception as error:  # a crash is a finding, and the next machine is drawn
            found.append(f"seed {seed}, machine {number}: after {question}: {type(error).__name__}: {error}")
    return counts, found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack.large", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machines", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    told = parser.parse_args()
    counts, found = attack(told.seed, told.machines, told.first)
    for each in found:
        print(each)
    said = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    print(f"{told.machines:,} machines, {counts.total():,} answers ({said}), {len(found)} contradictions")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
