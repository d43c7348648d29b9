"""`python -m tests.attack --seed S --machines N`: measures of random machines against plain loops, NetworkX and a full
linear programme. The text of each mismatch is printed; `--first K` starts at machine K."""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from math import isclose

import numpy as np

from tests.attack.draw import Drawn, damage, irregular, regular
from tests.attack.oracle import Oracle
from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.asking import asker_of, measure_calls
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.pipeline import compile_text, of_fabric
from unifiedbus_dsl.solver.machine import Machine


def drawn(seed: int, number: int) -> Drawn:
    """Machine `number` of a seed."""
    draw = random.Random(f"{seed}:{number}")
    most = 24 if number % 20 == 0 else 10
    machine = (regular if draw.random() < 0.35 else irregular)(draw, most)
    if draw.random() < 0.4:
        damage(draw, machine)
    return machine


class Asked:
    """A machine as the compiler reads it, to be asked."""

    def __init__(self, machine: Drawn) -> None:
        fabric = compile_text(machine.text).fabric()
        a, b = fabric.end_names(np.arange(fabric.cable_count))
        number = {frozenset((_bare(x), _bare(y))): k for k, (x, y) in enumerate(zip(a, b, strict=True))}
        assert len(number) == len(machine.cables)
        assert fabric.device_count == len(machine.devices)
        ids = {
            id(each): number[frozenset(f"{machine.devices[d].name}.{port}" for d, port in (each.a, each.b))]
            for each in machine.cables
        }
        lost = [ids[id(each)] for each in machine.cables if each.health == 0]
        worn = [ids[id(each)] for each in machine.cables if each.health == 0.5]
        whole = Machine(fabric)
        self.machine = whole.damaged(lost_cables=lost, degraded=(worn, 0.5)) if lost or worn else whole
        self.whole = of_fabric(fabric)

    def answer(self, question: str) -> Answer | str:
        """The verified answer, or why there is none."""
        sink = Sink()
        asker = asker_of(self.whole, self.machine, sink)
        found = asker.answer(measure_calls(question, sink)[0])
        return found if found is not None else "; ".join(each.message for each in sink)


def _bare(name: object) -> str:
    return str(name).removeprefix("pod.")


def compare(machine: Drawn, draw: random.Random) -> Iterator[tuple[str, str]]:
    """Each question, and how its answer differs from what is right (empty: it does not)."""
    asked, oracle = Asked(machine), Oracle(machine)
    hops = oracle.pairs(timed=False)
    joined = bool(hops) and max(hops) < math.inf
    if len(oracle.npus) < 2:
        return

    def exact(question: str, right: float) -> tuple[str, str]:
        answer = asked.answer(question)
        if isinstance(answer, str):
            return question, f"refused: {answer}"
        low, high = right * (1 - 1e-6), right * (1 + 1e-6)
        holds = answer.lower <= high and answer.upper >= low
        if answer.kind != "interval":
            holds = holds and all(isclose(x, right, rel_tol=1e-6, abs_tol=1e-12) for x in (answer.lower, answer.upper))
        return question, "" if holds else f"{answer.lower!r} to {answer.upper!r} ({answer.kind}), right is {right!r}"

    yield exact("connected(all npu)", float(joined))
    yield exact("reachable(all npu)", float(oracle.largest_connected()))
    yield exact("disjoint_paths(all npu)", float(oracle.disjoint_paths()))
    right = oracle.bisection()
    if right is not None:
        yield exact("bisection(all npu)", right)
    if not joined:
        return
    yield exact("diameter(all npu)", max(hops))
    yield exact("mean_hops(all npu)", sum(hops) / len(hops))
    seconds = oracle.pairs(timed=True)
    yield exact("latency(all npu)", max(seconds))
    yield exact("mean_latency(all npu)", sum(seconds) / len(seconds))
    npus = oracle.npus
    count = len(npus)
    alltoall = [(s, t) for s in npus for t in npus if s != t]
    scale, load = oracle.ecmp(alltoall)
    yield exact("throughput(alltoall(all npu))", scale * (count - 1))
    capacity = np.array([each[2] for each in oracle.arcs])
    yield exact("load(alltoall(all npu), rate = 1 GB/s)", float((load / capacity).max()) * 1e9 / (count - 1))
    if count <= 12:
        for minimal, name in ((True, "minimal"), (False, "optimal")):
            right = oracle.best(alltoall, minimal=minimal) * (count - 1)
            yield exact(f"throughput(alltoall(all npu), routing = {name})", right)
    k = draw.randint(1, count - 1)
    shift = [(npus[i], npus[(i + k) % count]) for i in range(count)]
    yield exact(f"throughput(shift(all npu, k = {k}))", oracle.ecmp(shift)[0])
    yield exact(f"throughput(shift(all npu, k = {k}), routing = optimal)", oracle.best(shift, minimal=False))


def attack(seed: int, machines: int, first: int = 0) -> tuple[Counter[str], list[str]]:
    """How often each measure was compared, and the mismatches with their machines."""
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(first, first + machines):
        machine = drawn(seed, number)
        question = ""
        try:
            for question, wrong in compare(machine, random.Random(number)):
                counts[question.partition("(")[0]] += 1
                if wrong:
                    found.append(_report(seed, number, machine, question, wrong))
        except Exception as error:  # a crash is a finding, and the next machine is drawn
            found.append(_report(seed, number, machine, f"after {question}", f"{type(error).__name__}: {error}"))
    return counts, found


def _report(seed: int, number: int, machine: Drawn, question: str, wrong: str) -> str:
    failed = [f"{each.a} {each.b} {each.health}" for each in machine.cables if each.health != 1]
    return f"seed {seed}, machine {number}: {question}: {wrong}\nfailed: {failed}\n{machine.text}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    told = parser.parse_args()
    began = time.monotonic()
    counts, found = attack(told.seed, told.machines, told.first)
    for each in found:
        print(each)
    said = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    print(f"{told.machines:,} machines, {counts.total():,} answers ({said}), {len(found)} mismatches")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
