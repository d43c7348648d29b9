"""Traffic beside others and on a part of the machine, against plain sums over the cables."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.measures import beside
from unifiedbus_dsl.verify import VerificationError

GB = 10**9
MACHINE = """ubus 1
protocol Unit { lane = 10 GB/s; latency = 100 ns }
link Wire : Unit { medium = copper; reach = 9 m }
npu Chip { port p : Unit x1 }
switch Leaf { port d[4] : Unit x1; port u[2] : Unit x1; latency = 100 ns }
switch Spine { port p[3] : Unit x1; latency = 100 ns }
rack Pod {
  npu[3, 4] : Chip
  leaf[3] : Leaf
  spine[2] : Spine
  connect npu[l, i].p -- leaf[l].d[i] over Wire(1 m) for l, i
  connect leaf[l].u[s] -- spine[s].p[l] over Wire(2 m) for l, s
}
system pod : Pod
traffic mine of pod = pairs(npu[0, 0..1] -> npu[1, 0..1])
traffic other of pod = uniform(npu[0, 2] | npu[1, 2], rate = 4 GB/s)
traffic storage of pod = pairs(npu[0, 3] -> npu[1, 3])
traffic job of pod = alltoall(all npu)
traffic ring of pod = shift(all npu, k = 1)
"""
DONE = compile_text(MACHINE)


def graph() -> nx.DiGraph:
    found = nx.DiGraph()
    for leaf in range(3):
        for chip in range(4):
            found.add_edges_from([(("n", leaf, chip), ("l", leaf)), (("l", leaf), ("n", leaf, chip))])
        for spine in range(2):
            found.add_edges_from([(("l", leaf), ("s", spine)), (("s", spine), ("l", leaf))])
    return found


def loads(rates: dict[tuple[int, int], Fraction]) -> dict[object, Fraction]:
    """What each arc carries, equally over all shortest paths: here each has the same part."""
    network, found = graph(), defaultdict[object, Fraction](Fraction)
    for (a, b), rate in rates.items():
        paths = list(nx.all_shortest_paths(network, ("n", *divmod(a, 4)), ("n", *divmod(b, 4))))
        for path in paths:
            for arc in pairwise(path):
                found[arc] += rate / len(paths)
    return found


def throughput(mine: dict[tuple[int, int], Fraction], others: dict[tuple[int, int], Fraction]) -> Fraction:
    """The least rate of a sender when `mine` is scaled up beside `others`, which keep their rates."""
    load, used = loads(mine), loads(others)
    scale = min((10 * GB - used[arc]) / load[arc] for arc in load)
    sent = defaultdict[int, Fraction](Fraction)
    for (a, _), rate in mine.items():
        sent[a] += rate
    return scale * min(sent.values())


def value(question: str) -> float:
    report = ask(DONE, None, question)
    assert not report.diagnostics, [d.message for d in report.diagnostics]
    (answer,) = report.answers
    assert answer.kind == "exact"
    return answer.value


MINE = {(a, b): Fraction(1) for a in (0, 1) for b in (4, 5)}
OTHER = {(2, 6): Fraction(4 * GB), (6, 2): Fraction(4 * GB)}
STORAGE = {(3, 7): Fraction(6 * GB)}


def test_what_others_leave() -> None:
    assert value("throughput(mine)") == throughput(MINE, {}) == 10 * GB
    assert value("throughput(mine, beside = other)") == throughput(MINE, OTHER) == 8 * GB
    together = throughput(MINE, OTHER | STORAGE)
    assert value("throughput(mine, beside = [other, storage], at = 6 GB/s)") == together == 5 * GB


@pytest.mark.parametrize("seed", range(6))
def test_random_jobs(seed: int) -> None:
    """All to all of a random part of the machine, beside another part at a rate."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(12).tolist()
    job, rest, rate = sorted(order[:5]), sorted(order[5:9]), int(draw.integers(1, 4))
    mine = {(a, b): Fraction(1) for a in job for b in job if a != b}
    others = {(a, b): Fraction(rate * GB, len(rest) - 1) for a in rest for b in rest if a != b}
    on, where = (" | ".join(f"npu[{n // 4}, {n % 4}]" for n in part) for part in (job, rest))
    asked = f"throughput(job, on = {on}, beside = alltoall({where}), at = {rate} GB/s)"
    assert value(asked) == pytest.approx(float(throughput(mine, others)), rel=1e-9)


def test_a_traffic_on_a_part_is_that_of_the_part() -> None:
    for measure in ("throughput", "fair"):
        assert value(f"{measure}(job, on = npu[0, *] | npu[2, 1])") == value(
            f"{measure}(alltoall(npu[0, *] | npu[2, 1]))"
        )
    assert value("load(ring, on = npu[1, *], rate = 1 GB/s)") == value("load(shift(npu[1, *], k = 1), rate = 1 GB/s)")
    sized = "allreduce(all npu, size = 1 MB)"
    assert value(f"time({sized}, on = npu[1, *])") == value("time(allreduce(npu[1, *], size = 1 MB))")


@pytest.mark.parametrize(
    ("question", "code", "words"),
    [
        ("throughput(mine, beside = storage)", "UB0705", "states no rate"),
        ("throughput(mine, beside = storage, at = 30 GB/s)", "UB0706", "does not fit"),
        ("throughput(mine, beside = nope)", "UB0709", "a traffic is wanted"),
        ("throughput(mine, beside = other, routing = optimal)", "UB0706", "not linear"),
        ("throughput(mine, on = npu[2, *])", "UB0710", "no end point"),
        ("throughput(mine, beside = [])", "UB0705", "lists traffics"),
        ("throughput(mine, beside = allreduce(all npu), at = 1 GB/s)", "UB0709", "steps of a schedule"),
    ],
)
def test_what_is_refused(question: str, code: str, words: str) -> None:
    report = ask(DONE, None, question)
    assert not report.answers
    assert [d.code for d in report.diagnostics] == [code]
    assert words in report.diagnostics[0].message


def test_a_wrong_scale_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier adds the loads of all up."""
    whole = beside.throughput_beside

    def more(*args: object) -> object:
        found = whole(*args)  # type: ignore[arg-type]
        return evolve(found, scale=evolve(found.scale, value=1.1 * found.scale.value), load_Bps=1.1 * found.load_Bps)

    monkeypatch.setattr("unifiedbus_dsl.measures.rates.throughput_beside", more)
    with pytest.raises(VerificationError, match="capacity"):
        ask(DONE, None, "throughput(mine, beside = other)")
