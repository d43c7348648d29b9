"""What each sender injects where senders differ, against the scale by hand and a plain loop."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import compile

STAR = """ubus 1
protocol U {{ lane = 80 Gbps; latency = 100 ns }}
link W : U {{ medium = copper; reach = 9 m }}
npu C {{ port p : U x1 }}
switch S {{ port p[{n}] : U x1 }}
rack R {{ npu[{n}] : C; s : S; connect npu[i].p -- s.p[i] over W(1 m) for i }}
system r : R
traffic t of r = matrix("t.csv")
analyze a of r {{ {asked} }}
"""


def star(folder: Path, rates: dict[tuple[int, int], float], asked: str, n: int = 3) -> Path:
    """Chips on 10 GB/s each around one switch, and who sends whom how much in GB/s."""
    rows = [f"npu[{s}],npu[{t}],{rate} GB/s" for (s, t), rate in rates.items()]
    (folder / "t.csv").write_text("\n".join(["from,to,rate", *rows]) + "\n")
    (folder / "star.ubus").write_text(STAR.format(n=n, asked=asked))
    return folder / "star.ubus"


def test_the_least_of_unequal_senders_is_the_value_and_each_is_said(tmp_path: Path) -> None:
    """Two send 3 to each other, one sends 1: what npu[0] receives, 4, fills its cable at a scale of 2.5."""
    asked = "throughput(t); throughput(t, routing = optimal); expect throughput(t) >= 2.5 GB/s"
    done = compile(star(tmp_path, {(0, 1): 3, (1, 0): 3, (2, 0): 1}, asked))
    report = analyze(done)
    assert [each.holds for each in report.expectations] == [True]
    for found in report.answers:
        assert found.value == pytest.approx(2.5e9)
        assert found.lower <= found.value * (1 + 1e-9)
        assert found.value <= found.upper * (1 + 1e-9)
        assert found.detail["rate_min"] == pytest.approx(2.5e9)
        assert found.detail["rate_mean"] == pytest.approx(17.5e9 / 3)
        assert found.detail["rate_max"] == pytest.approx(7.5e9)
        assert [row["senders"] for row in found.detail["rates"]] == [1, 2]
        assert [row["rate"] for row in found.detail["rates"]] == pytest.approx([2.5e9, 7.5e9])
        assert found.lines[0] == (
            "2 end points inject 7.5 GB/s (such as npu[0]); 1 end point 2.5 GB/s (npu[2]); mean 5.833 GB/s"
        )
        assert "least rate that an end point injects" in found.assumptions
    assert api.throughput(done.fabric(), "alltoall(all npu)").least_Bps == pytest.approx(10e9)


def test_a_load_says_which_end_points_its_rate_is_of(tmp_path: Path) -> None:
    (found,) = analyze(compile(star(tmp_path, {(0, 1): 3, (1, 2): 3, (2, 0): 1}, "load(t)"))).answers
    assert found.value == pytest.approx(1.0)
    said = "the end points that send most inject 10 GB/s each, the others in proportion"
    assert found.assumptions[-1].startswith(said)
    assert found.lines[0].startswith("2 end points inject 10 GB/s (such as npu[0]); 1 end point 3.333 GB/s (npu[2])")
    assert found.detail["rate"] == found.detail["rate_max"] == 10e9
    assert found.detail["rate_min"] == pytest.approx(10e9 / 3)


def test_equal_senders_are_one_figure(tmp_path: Path) -> None:
    rates = {(0, 1): 0.1 + 0.2, (1, 0): 0.3}
    one, two = analyze(compile(star(tmp_path, rates, "throughput(t); load(t)"))).answers
    assert (one.lines, one.detail["senders"]) == ((), 2)
    assert "rate that an end point injects" in one.assumptions
    assert two.assumptions[-1].startswith("each end point injects 10 GB/s")


@pytest.mark.parametrize("seed", range(12))
def test_senders_at_random(seed: int, tmp_path: Path) -> None:
    """Around one switch the fullest of all cables out and in sets the scale."""
    draw = Random(seed)
    n = draw.randrange(3, 9)
    pairs = [(s, t) for s in range(n) for t in range(n) if s != t]
    rates = {pair: draw.choice([1, 2, 2, 5, 0.5]) for pair in draw.sample(pairs, draw.randrange(1, len(pairs)))}
    (found,) = analyze(compile(star(tmp_path, rates, "throughput(t)", n))).answers
    out, into = np.zeros(n), np.zeros(n)
    for (s, t), rate in rates.items():
        out[s] += rate
        into[t] += rate
    sends = np.sort(out[out > 0]) * 10e9 / max(out.max(), into.max())
    assert found.value == pytest.approx(sends[0])
    if sends[-1] > sends[0]:
        listed = [row["rate"] for row in found.detail["rates"] for _ in range(row["senders"])]
        assert listed == pytest.approx(sends.tolist())
        assert found.detail["rate_mean"] == pytest.approx(sends.mean())


def test_many_different_rates_are_a_range(tmp_path: Path) -> None:
    (found,) = analyze(compile(star(tmp_path, {(i, 9): i + 1 for i in range(9)}, "throughput(t)", 10))).answers
    assert found.lines[0] == (
        "9 end points inject 222.2 MB/s (npu[0]) to 2 GB/s (npu[8]), 9 different rates; mean 1.111 GB/s"
    )
