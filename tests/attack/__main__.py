"""`python -m tests.attack --seed S --machines N`: measures of random machines against plain loops, NetworkX and a full
linear program. The text of each mismatch is printed; `--first K` starts at machine K."""

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
from attrs import evolve

from tests.attack import counting, routes
from tests.attack.draw import Drawn, damage, irregular, regular
from tests.attack.least import Relaying
from tests.attack.oracle import Oracle
from tests.attack.sharing import Sharing, schedules
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.analysis.impact import certify
from unifiedbus_dsl.compiler import compile_text, of_fabric
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.outage_impact import outage_impact


def drawn(seed: int, number: int) -> Drawn:
    """Machine `number` of a seed."""
    draw = random.Random(f"{seed}:{number}")
    most = 24 if number % 20 == 0 else 10
    sided, planes = number % 4 == 3, number % 8 in (1, 7)
    same = draw.random() < 0.35
    machine = regular(draw, most) if same else irregular(draw, most, sided=sided, planes=planes)
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
        dead = [ids[id(each)] for each in machine.cables if each.health == 0]
        worn = [ids[id(each)] for each in machine.cables if each.health == 0.5]
        gone = [fabric.device_id(each.name) for each in machine.devices if each.lost]
        self.before = self.machine = NetworkContext(fabric)
        if dead or worn or gone:
            self.machine = self.before.damaged(gone, dead, (worn, 0.5))
        self.whole = of_fabric(fabric)

    def answer(self, question: str) -> Answer | str:
        """The verified answer, or why there is none."""
        sink = Sink()
        asker = make_evaluator(self.whole, self.machine, sink)
        asker = evolve(asker, selector=evolve(asker.selector, lost=self.machine.lost_devices))
        found = asker.answer(measure_calls(question, sink)[0])
        return found if found is not None else "; ".join(each.message for each in sink)


def _bare(name: object) -> str:
    return str(name).removeprefix("pod.")


class Comparison:
    """Questions about a machine, and how their answers differ from what is right (empty: they do not)."""

    def __init__(self, machine: Drawn, draw: random.Random) -> None:
        self.draw, self.machine = draw, machine
        self.asked, self.oracle = Asked(machine), Oracle(machine)
        self.npus = self.oracle.npus
        self.sharing, self.relaying = Sharing(self.oracle), Relaying(self.oracle)

    def exact(self, question: str, right: float) -> tuple[str, str]:
        return self.between(question, right, right)

    def between(self, question: str, least: float, most: float = math.inf) -> tuple[str, str]:
        """Hold an answer to bounds that the right value has; one that is called exact must be between them."""
        answer = self.asked.answer(question)
        if isinstance(answer, str):
            return question, f"refused: {answer}"
        low, high = least * (1 - 1e-6) - 1e-15, most * (1 + 1e-6) + 1e-15
        holds = answer.lower <= high and answer.upper >= low
        if answer.kind != "interval":
            holds = holds and all(low <= x <= high for x in (answer.lower, answer.upper))
        said = f"{answer.lower!r} to {answer.upper!r} ({answer.kind}), right is {least!r} to {most!r}"
        return question, "" if holds else said

    def everything(self) -> Iterator[tuple[str, str]]:
        """Each question with what is wrong."""
        yield from self.counted()
        if len(self.npus) < 2:
            return
        hops = self.oracle.pairs(timed=False)
        joined = bool(hops) and max(hops) < math.inf
        yield self.exact("connected(all npu)", float(joined))
        yield self.exact("reachable(all npu)", float(self.oracle.largest_connected()))
        question, wrong = self.exact("disjoint_paths(all npu)", float(self.oracle.disjoint_paths()))
        yield question, "" if "come back by a cable" in wrong else wrong  # each way has a path there, a cable not
        right = self.oracle.bisection()
        if right is not None:
            yield self.exact("bisection(all npu)", right)
        yield self.impact()
        yield from self.one_pair()
        if any(cable.link == "Other" for cable in self.machine.cables):
            yield from self.planes()
        if joined:
            yield from self.distances(hops)
            yield from self.rates()
            yield from self.collectives()

    # ---- counting ---------------------------------------------------------------------------------------------------

    def counted(self) -> Iterator[tuple[str, str]]:
        for question, right in self.draw.sample(list(counting.sums(self.machine)), 4):
            yield self.exact(question, right)
        if not self.npus:
            return
        count, bands = counting.tiers(self.oracle)
        answer = self.asked.answer("tiers(all npu)")
        if isinstance(answer, str):
            yield "tiers(all npu)", f"refused: {answer}"
        else:
            said = {band["tiers"]: band["bandwidth"] for band in answer.detail["bands"]}
            same = set(said) == set(bands) and all(isclose(said[k], bands[k], rel_tol=1e-9) for k in said)
            wrong = f"{answer.value} tiers of {said}, right is {count} of {bands}"
            yield "tiers(all npu)", "" if answer.value == count and same else wrong
        if any(device.rack >= 0 and not device.lost for device in self.machine.devices):
            yield self.exact("oversubscription(all rack)", counting.oversubscription(self.oracle))

    def impact(self) -> tuple[str, str]:
        """What failures have cut off, by `losses`, against searches before and after."""
        before, after = self.asked.before, self.asked.machine
        every = np.arange(before.network.ends)
        found = proved(after, certify(before, after, outage_impact(before, after, every), every))
        whole = Oracle(evolve(self.machine, devices=[evolve(d, lost=False) for d in self.machine.devices],
                              cables=[evolve(c, health=1.0) for c in self.machine.cables]))  # fmt: skip
        there = [k for k, each in enumerate(self.machine.devices) if each.kind != "switch" and not each.lost]
        now, once = ({k: set(o.far(k, timed=False)) & set(there) for k in there} for o in (self.oracle, whole))
        cut = sum(len(once[k] - now[k]) for k in there) // 2
        lost = sum(each.kind != "switch" and each.lost for each in self.machine.devices)
        right, said = (lost, cut), (len(found.lost), found.pairs_cut)
        return "impact(all)", "" if right == said else f"lost and pairs cut {said}, right is {right}"

    def planes(self) -> Iterator[tuple[str, str]]:
        """The same of one plane, against a machine without the cables of the other."""
        plane = self.draw.choice(sorted({"Net" if c.link == "Other" else "UB" for c in self.machine.cables}))
        alone = [c if (c.link == "Other") == (plane == "Net") else evolve(c, health=0.0) for c in self.machine.cables]
        oracle = Oracle(evolve(self.machine, cables=alone))
        hops = oracle.pairs(timed=False)
        yield self.exact(f"connected(all npu, over = {plane})", float(max(hops) < math.inf))
        yield self.exact(f"reachable(all npu, over = {plane})", float(oracle.largest_connected()))
        if (right := oracle.bisection()) is not None:
            yield self.exact(f"bisection(all npu, over = {plane})", right)
        if max(hops) < math.inf:
            count = len(self.npus)
            alltoall = [(s, t) for s in self.npus for t in self.npus if s != t]
            yield self.exact(f"mean_hops(all npu, over = {plane})", sum(hops) / len(hops))
            yield self.exact(f"latency(all npu, over = {plane})", max(oracle.pairs(timed=True)))
            scale = oracle.ecmp(alltoall)[0]
            yield self.exact(f"throughput(alltoall(all npu, over = {plane}))", scale * (count - 1))
            if len(alltoall) <= 60:
                right = oracle.best(alltoall, minimal=False) * (count - 1)
                yield self.exact(f"throughput(alltoall(all npu, over = {plane}), routing = optimal)", right)

    # ---- paths ------------------------------------------------------------------------------------------------------

    def one_pair(self) -> Iterator[tuple[str, str]]:
        s, t = self.draw.sample(self.npus, 2)
        pair = f"{self.machine.devices[s].name} -> {self.machine.devices[t].name}"
        far = self.oracle.far(s, timed=False).get(t)
        if far is not None:
            yield self.exact(f"hops({pair})", far)
            yield self.exact(f"latency({pair})", self.oracle.far(s, timed=True)[t])
            yield self.exact(f"paths({pair})", self.oracle.count_paths(s, t))

    def distances(self, hops: list[float]) -> Iterator[tuple[str, str]]:
        yield self.exact("diameter(all npu)", max(hops))
        yield self.exact("mean_hops(all npu)", sum(hops) / len(hops))
        seconds = self.oracle.pairs(timed=True)
        yield self.exact("latency(all npu)", max(seconds))
        yield self.exact("mean_latency(all npu)", sum(seconds) / len(seconds))
        yield self.exact("latency(all npu, message = 4 kB)", self.oracle.messages(4000.0))

    # ---- rates ------------------------------------------------------------------------------------------------------

    def rates(self) -> Iterator[tuple[str, str]]:
        oracle, npus, count = self.oracle, self.npus, len(self.npus)
        alltoall = [(s, t) for s in npus for t in npus if s != t]
        scale, load = oracle.ecmp(alltoall)
        yield self.exact("throughput(alltoall(all npu))", scale * (count - 1))
        capacity = np.array([each[2] for each in oracle.arcs])
        yield self.exact("load(alltoall(all npu), rate = 1 GB/s)", float((load / capacity).max()) * 1e9 / (count - 1))
        k = self.draw.randint(1, count - 1)
        shift = [(npus[i], npus[(i + k) % count]) for i in range(count)]
        traffic, pairs = self.draw.choice((("alltoall(all npu)", alltoall), (f"shift(all npu, k = {k})", shift)))
        sent = len(pairs) // count
        for routing, right in routes.throughputs(oracle, pairs):
            question = f"throughput({traffic}, routing = {routing})"
            if right is None:
                said = self.asked.answer(question)
                yield question, "" if isinstance(said, str) else f"{said.value!r}, and it leads nowhere"
            else:
                yield self.exact(question, right * sent)
        if len(pairs) <= 60:
            for minimal, name in ((True, "minimal"), (False, "optimal")):
                right = oracle.best(pairs, minimal=minimal) * sent
                yield self.exact(f"throughput({traffic}, routing = {name})", right)
        if len(pairs) <= 132:
            yield self.exact(f"fair({traffic})", float(self.sharing.rates(pairs).min()))
        yield from self.hashed(f"shift(all npu, k = {k})", shift)

    def hashed(self, traffic: str, pairs: list[tuple[int, int]]) -> Iterator[tuple[str, str]]:
        """One path a flow: the least rate is that of some choice of paths, of which all are tried."""
        right = self.sharing.of_single_paths(pairs)
        if right is None:
            return
        question = f"fair({traffic}, hash = {self.draw.randint(0, 99)})"
        answer = self.asked.answer(question)
        if isinstance(answer, str):
            yield question, f"refused: {answer}"
        elif any(isclose(answer.value, each, rel_tol=1e-6) for each in right):
            yield question, ""
        else:
            yield question, f"{answer.value!r}, and paths give one of {sorted(right)}"

    # ---- collectives ------------------------------------------------------------------------------------------------

    def collectives(self) -> Iterator[tuple[str, str]]:
        npus, relaying = self.npus, self.relaying
        size, count = 1e6, len(npus)
        collective = self.draw.choice(("allreduce", "allgather", "reducescatter", "alltoall", "broadcast"))
        call = f"{collective}(all npu, size = 1 MB)"
        best = math.inf
        for algorithm, steps in schedules(collective, npus) if count <= 8 else ():
            right = self.sharing.time(steps, size)
            best = min(best, right)
            yield self.exact(f"time({call}, algorithm = {algorithm})", right)
        question = f"optimal_time({call})"
        gates = relaying.shared_gate
        if collective == "alltoall":
            if count <= 6:
                yield self.exact(question, size / count / (relaying.exchange(npus) * 1e9))
        elif collective == "broadcast":
            least = size / (relaying.narrowest(npus[0], npus) * 1e9)
            yield self.between(question, least, best if gates else least)
        elif count <= 8:
            least = size / count / (relaying.gather(npus) * 1e9)
            if collective == "allreduce":
                narrow = size / (min(relaying.narrowest(v, npus) for v in npus) * 1e9)
                yield self.between(question, max(least, narrow), min(best, math.inf if gates else 2 * least))
            else:
                yield self.between(question, least, best if gates else least)


def compare(machine: Drawn, draw: random.Random) -> Iterator[tuple[str, str]]:
    """Each question, and how its answer differs from what is right (empty: it does not)."""
    yield from Comparison(machine, draw).everything()


def attack(seed: int, machines: int, first: int = 0) -> tuple[Counter[str], list[str]]:
    """How often each measure was compared, and the mismatches with their machines."""
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(first, first + machines):
        machine = drawn(seed, number)
        question = ""
        try:
            for question, wrong in compare(machine, random.Random(number)):
                counts[_kind(question)] += 1
                if wrong:
                    found.append(_report(seed, number, machine, question, wrong))
        except Exception as error:  # a crash is a finding, and the next machine is drawn
            found.append(_report(seed, number, machine, f"after {question}", f"{type(error).__name__}: {error}"))
    return counts, found


def _kind(question: str) -> str:
    """The measure of a question, with its routing or collective."""
    name, _, rest = question.partition("(")
    routing = rest.partition("routing = ")[2].rstrip(")").partition("(")[0]
    if name in ("time", "optimal_time"):
        return f"{name} {rest.partition('(')[0]}"
    return f"{name} {routing}" if routing else name


def _report(seed: int, number: int, machine: Drawn, question: str, wrong: str) -> str:
    failed = [f"{each.a} {each.b} {each.health}" for each in machine.cables if each.health != 1]
    failed += [each.name for each in machine.devices if each.lost]
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
