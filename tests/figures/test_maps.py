"""Collectives of more end points than have their cables counted: the interval holds the exact figure."""

from __future__ import annotations

import random

import pytest

from tests.analysis.test_language import HEAD, values
from unifiedbus_dsl.analysis.report.datasheet import datasheet
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures import collectives

PODS = """
npu Chip { port x[3] : UB x4; port up : UB x4; transit x; latency = 30 ns }
switch Leaf { latency = 200 ns; port down[4] : UB x4; port up : UB x8 }
switch Spine { port p[4] : UB x8 }
rack Rack {
  npu[4] : Chip
  leaf : Leaf
  connect npu.x as fullmesh over Wire(1 m)
  connect npu[n].up -- leaf.down[n] over Wire(2 m) for n
  port up = leaf.up
}
superpod Pods {
  rack[4] : Rack
  spine : Spine
  connect rack[0].up -- spine.p[0] over Wire(1 m)
  connect rack[r].up -- spine.p[r] over Wire(4 m) for r in 1..3
}
system m : Pods
"""


def scattered(seed: int) -> str:
    """Eight chips on four switches in a row, each chip on one of them and each switch on some that come before it, over
    cables of any length."""
    draw = random.Random(seed)
    used = [0] * 4
    cables = []
    for chip in range(8):
        leaf = draw.randrange(4)
        cables.append(f"connect npu[{chip}].p -- leaf[{leaf}].p[{used[leaf]}] over Wire({draw.randint(1, 5)} m)")
        used[leaf] += 1
    for leaf in range(1, 4):
        for other in {draw.randrange(leaf), draw.randrange(leaf)}:
            ends = [f"leaf[{at}].p[{used[at]}]" for at in (leaf, other)]
            cables.append(f"connect {ends[0]} -- {ends[1]} over Wire({draw.randint(1, 5)} m)")
            used[leaf] += 1
            used[other] += 1
    lines = "\n".join(cables)
    parts = "npu Chip { port p : UB x4 }\nswitch Leaf { latency = 200 ns; port p[16] : UB x4 }\n"
    return f"{parts}rack Box {{ npu[8] : Chip\nleaf[4] : Leaf\nopen leaf.p\n{lines} }}\nsystem m : Box\n"


@pytest.mark.parametrize("machine", [pytest.param("pods", marks=pytest.mark.slow), 1])
@pytest.mark.parametrize("collective", ["allreduce", "allgather", "alltoall"])
def test_the_interval_holds_the_exact_figure(
    monkeypatch: pytest.MonkeyPatch, machine: str | int, collective: str
) -> None:
    """By each algorithm and by the fastest; small sizes, where the cables count most, and large ones."""
    text = PODS if isinstance(machine, str) else scattered(machine)
    ways = ["", "direct", "ring", "hierarchical", *(["per_dimension"] if text == PODS else [])]
    asked = "; ".join(
        f"time({collective}(all npu, size = {size}){f', algorithm = {way}' if way else ''})"
        for way in ways
        for size in ("1 KiB", "1 MiB")
    )
    asked += f"; sweep({collective}(all npu), algorithm = ring)"
    exact = values(text, asked)
    monkeypatch.setattr(collectives, "MOST_TIMED", 0)
    found = values(text, asked)
    assert len(found) == len(exact) == 2 * len(ways) + 1
    for one, other in zip(exact, found, strict=True):
        assert one.kind == "exact"
        assert other.kind == "interval"
        assert other.lower * (1 - 1e-9) <= one.value <= other.upper * (1 + 1e-9)
        assert other.lower < other.upper


@pytest.mark.parametrize(
    ("ends", "asked"),
    [(1024, ["", "optimal"]), (1025, [", algorithm = ring"]), (100_000, [", algorithm = ring"]), (100_001, [""])],
)
def test_the_sheet_asks_for_what_takes_reasonably_long(ends: int, asked: list[str]) -> None:
    """On one switch: a ring beyond 1,024 end points, the algorithms of few different flows beyond 100,000."""
    text = f"npu Chip {{ port p : UB x4 }}\nswitch Hub {{ port p[{ends}] : UB x4 }}\n"
    text += f"rack Hall {{ npu[{ends}] : Chip\nhub : Hub\nconnect npu[n].p -- hub.p[n] over Wire(1 m) for n }}\n"
    done = compile_text(f"{HEAD}{text}system m : Hall\n")
    found = [line for line in datasheet(done.pick()) if "allreduce" in line]
    reduced = "time(allreduce(all npu, size = 1 GiB)"
    assert found == [f"optimal_{reduced})" if each == "optimal" else f"{reduced}{each})" for each in asked]
