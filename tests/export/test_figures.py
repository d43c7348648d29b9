"""Figures in the inputs of simulators, held against sums by hand of what the text states."""

from __future__ import annotations

import re
from pathlib import Path

import networkx as nx
import pytest

from tests.export.machines import compiled
from tests.export.test_simulators import astra, tree
from unifiedbus_dsl import compile_text, export
from unifiedbus_dsl.analysis.run import analyze

PAGES = Path(__file__).parents[2] / "docs/formats"
HEAD = """ubus 1
protocol E { lane = 100 Gbps; latency = 100 ns }
link Wire : E { medium = copper; delay = 5 ns/m }
"""
TWO_SIZES = (
    HEAD
    + """
npu Chip { port leaf : E x4; port top : E x2 }
switch Leaf { latency = 200 ns; port p[4] : E x4 }
switch Top { latency = 1000 ns; port p[16] : E x2 }
rack R {
  npu[4] : Chip
  leaf   : Leaf
  connect npu[n].leaf -- leaf.p[n] over Wire(2 m) for n
  port top = npu.top
}
superpod P { rack[4] : R; top : Top; connect rack[r].top[n] -- top.p[4*r + n] over Wire(20 m) for r, n }
system pod : P
"""
)
"""Four racks of four NPUs behind a switch, and a second network over all 16."""


def lines(text: str, form: str, path: Path) -> list[str]:
    export.write(compiled(text).plan, form, path)
    return path.read_text().splitlines()


# ---- ASTRA-sim --------------------------------------------------------------------------------------------------


def test_astra_sim_switches_have_the_latency_of_their_own_group(tmp_path: Path) -> None:
    found = astra(TWO_SIZES, tmp_path)
    assert found["topology"] == ["Switch", "Switch"]
    assert found["npus_count"] == ["4", "4"]
    assert [float(rate) * 2**30 for rate in found["bandwidth"]] == pytest.approx([50e9, 25e9])  # 400 and 200 Gbps
    # half of 110 + 200 + 110 ns, half of 200 + 1000 + 200 ns
    assert found["latency"] == ["210", "700"]


def test_astra_sim_counts_all_tiers_on_the_longest_way(tmp_path: Path) -> None:
    # half of 110 + 300 + 150 + 400 + 150 + 300 + 110 ns
    assert astra(tree(4, 2, 8), tmp_path)["latency"] == ["760"]


def test_an_npu_is_no_way_between_two_switches_of_astra_sim(tmp_path: Path) -> None:
    """Two planes: NPU 0 is near to the first, NPU 2 to the second, NPU 1 to both."""
    text = HEAD + (
        "npu Chip { port up[2] : E x4 }\nswitch Plane { latency = 200 ns; port p[3] : E x4 }\n"
        "rack R { npu[3] : Chip; plane[2] : Plane\n"
        "  connect npu[n].up[0] -- plane[0].p[n] over Wire(1 m) for n in 0..1\n"
        "  connect npu[2].up[0] -- plane[0].p[2] over Wire(1000 m)\n"
        "  connect npu[0].up[1] -- plane[1].p[0] over Wire(1000 m)\n"
        "  connect npu[n].up[1] -- plane[1].p[n] over Wire(1 m) for n in 1..2 }\nsystem r : R\n"
    )
    found = astra(text, tmp_path)
    assert found["npus_count"] == ["3"]
    assert float(found["bandwidth"][0]) * 2**30 == pytest.approx(100e9)  # two cables of 400 Gbps
    assert found["latency"] == ["2702.5"]  # half of 105 + 200 + 5100 ns


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "npu Chip { port x : E x4; port top : E x2 }\n"
            "rack R { npu[4] : Chip; connect npu[2*i].x -- npu[2*i + 1].x over Wire(1 m) for i in 0..0\n"
            "  open npu[2..3].x; port top = npu.top }\n",
            "not all alike",
        ),
    ],
)
def test_astra_sim_refuses_connects_that_are_no_dimensions(body: str, words: str, tmp_path: Path) -> None:
    text = (
        HEAD
        + body
        + "switch Top { port p[16] : E x2 }\n"
        + "superpod P { rack[4] : R; top : Top; connect rack[r].top[n] -- top.p[4*r + n] over Wire(20 m) for r, n }\n"
        + "system pod : P\n"
    )
    with pytest.raises(export.CannotExportError, match=words):
        export.write(compiled(text).plan, "astra-sim", tmp_path / "n.yml")


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        (4, "have 4 NPUs, the machine has 16"),  # rails of as many as a mesh has
        (6, "6 NPUs behind switches are no multiple of 4"),
    ],
)
def test_astra_sim_refuses_rails(servers: int, words: str, tmp_path: Path) -> None:
    """NPU n of each server is behind switch n: no product of a mesh and groups of groups."""
    text = HEAD + (
        f"npu Chip {{ port x[3] : E x4; port up : E x4 }}\nswitch Rail {{ port p[{servers}] : E x4 }}\n"
        "node S { npu[4] : Chip; connect npu.x as fullmesh over Wire(1 m); port up = npu.up }\n"
        f"superpod P {{ server[{servers}] : S; rail[4] : Rail\n"
        "  connect server[s].up[n] -- rail[n].p[s] over Wire(9 m) for s, n }\nsystem pod : P\n"
    )
    with pytest.raises(export.CannotExportError, match=words):
        export.write(compiled(text).plan, "astra-sim", tmp_path / "n.yml")


def test_astra_sim_refuses_switches_across_each_other(tmp_path: Path) -> None:
    """Rows and columns of four behind switches are two sets of groups, not one."""
    text = TWO_SIZES.replace("port leaf : E x4;", "port leaf : E x4; port column : E x4;")
    text = text.replace("port top = npu.top\n", "port top = npu.top\n  port column = npu.column\n")
    text = text.replace("top : Top;", "top : Top; column[4] : Leaf;")
    text = text.replace(
        "over Wire(20 m) for r, n }",
        "over Wire(20 m) for r, n\n  connect rack[r].column[n] -- column[n].p[r] over Wire(5 m) for r, n }",
    )
    with pytest.raises(export.CannotExportError, match="groups of 4 NPUs behind switches overlap"):
        export.write(compiled(text).plan, "astra-sim", tmp_path / "n.yml")


def test_astra_sim_tells_of_switches_beside_meshes(tmp_path: Path) -> None:
    text = (
        HEAD
        + "npu Chip { port x[3] : E x4; port top : E x2 }\nswitch Top { port p[4] : E x2 }\n"
        + "rack R { npu[4] : Chip; top : Top; connect npu.x as fullmesh over Wire(1 m)\n"
        + "  connect npu[n].top -- top.p[n] over Wire(2 m) for n }\nsystem r : R\n"
    )
    found = export.write(compiled(text).plan, "astra-sim", tmp_path / "n.yml")
    assert ["4 NPUs that meshes join as well" in d.message for d in found if d.code == "UB0803"] == [True]


def test_astra_sim_refuses_npus_of_different_rates(tmp_path: Path) -> None:
    text = TWO_SIZES.replace(
        "connect npu[n].leaf -- leaf.p[n] over Wire(2 m) for n",
        "connect npu[n].leaf -- leaf.p[n] over Wire(2 m) for n in 1..3\n  open npu[0].leaf, leaf.p[0]",
    )
    with pytest.raises(export.CannotExportError, match="different rates"):
        export.write(compiled(text).plan, "astra-sim", tmp_path / "n.yml")


# ---- cycles, latencies and rates --------------------------------------------------------------------------------


def test_booksim_cycles(tmp_path: Path) -> None:
    """A cable with half of the switches at its ends: 110 + 150, and 150 + 150 + 200 ns."""
    cycles = {
        int(words[n + 2])
        for words in (line.split() for line in lines(tree(4, 2, 8), "booksim", tmp_path / "a"))
        for n in range(2, len(words))
        if words[n] == "router"
    }
    assert cycles == {110 + 150, 150 + 150 + 200}


def test_sst_takes_the_lowest_rate_and_the_longest_latency(tmp_path: Path) -> None:
    """Two cables of 400 Gbps to a spine are one link of 800: that of an NPU is the lowest."""
    export.write(compiled(tree(4, 2, 8, 2)).plan, "sst", tmp_path)
    script = (tmp_path / "network.py").read_text()
    for line in ('RATE = "400Gb/s"', 'LINK_LATENCY = "150ns"', 'HALF_A_SWITCH = "200ns"'):
        assert line in script


def test_ns3_delays(tmp_path: Path) -> None:
    export.write(compiled(tree(4, 2, 8)).plan, "ns3", tmp_path)
    nodes = [line.split(",") for line in (tmp_path / "node.csv").read_text().splitlines()[1:]]
    assert {(kind, delay) for _, kind, _, delay in nodes} == {("DEVICE", "1ns"), ("SWITCH", "1ns")}
    # half of a leaf's 300 ns on its cables, and of a spine's 400 ns: 110 + 150, and 150 + 150 + 200
    cables = [line.split(",") for line in (tmp_path / "topology.csv").read_text().splitlines()[1:]]
    assert {tuple(cable[4:]) for cable in cables} == {("400Gbps", "260ns"), ("400Gbps", "500ns")}


def test_simai_numbers_switches_of_servers_first_and_then_from_the_bottom_up(tmp_path: Path) -> None:
    """NPUs, their switches in servers, leaves, spines: the spines are named so that they come before all others."""
    text = HEAD + (
        "npu Chip { port x : E x4; port up : E x4 }\n"
        "switch Inner { port p[4] : E x4 }\nswitch Leaf { port d[4] : E x4; port u[2] : E x4 }\n"
        "switch Spine { port p[2] : E x4 }\n"
        "node S { npu[4] : Chip; inner : Inner; port up = npu.up\n"
        "  connect npu[n].x -- inner.p[n] over Wire(1 m) for n }\n"
        "superpod P { a_spine[2] : Spine; b_leaf[2] : Leaf; server[2] : S\n"
        "  connect server[s].up[n] -- b_leaf[s].d[n] over Wire(3 m) for s, n\n"
        "  connect b_leaf[l].u[k] -- a_spine[k].p[l] over Wire(9 m) for l, k }\nsystem pod : P\n"
    )
    head, switches, *links = lines(text, "simai", tmp_path / "t")
    assert head == "14 4 2 4 20 CHIP"
    assert switches == "8 9 10 11 12 13"
    graph = nx.Graph([(int(a), int(b)) for a, b, *_ in (line.split() for line in links)])
    assert set(graph[8]) == {0, 1, 2, 3}
    assert set(graph[10]) == {0, 1, 2, 3, 12, 13}
    assert set(graph[11]) == {4, 5, 6, 7, 12, 13}


def test_simgrid_takes_the_lowest_compute_rate(tmp_path: Path) -> None:
    text = tree(4, 2, 8).replace("npu Chip {", "npu Chip { bf16 = 400 TFLOPS; fp8 = 800 TFLOPS;")
    found = [line for line in lines(text, "simgrid", tmp_path / "p.xml") if line.startswith("<host")]
    assert len(found) == 32
    assert all('speed="400000Gf"' in line for line in found)


@pytest.mark.parametrize(("transit", "told"), [("", True), ("transit p", True), ("transit p, q", False)])
@pytest.mark.parametrize(("form", "words"), [("booksim", "BookSim routes"), ("simgrid", "SimGrid may route")])
def test_ports_that_do_not_forward_are_told(form: str, words: str, transit: str, told: bool, tmp_path: Path) -> None:
    text = tree(4, 2, 8).replace(
        "npu Chip { port p : E x4 }", f"npu Chip {{ port p : E x4; port q : E x4 @open; {transit} }}"
    )
    found = export.write(compiled(text).plan, form, tmp_path / "a")
    assert [f"{words} through all ports of Chip" in d.message for d in found if d.code == "UB0803"] == [True] * told


# ---- htsim ------------------------------------------------------------------------------------------------------


def fat(top: str, pods: int = 2) -> str:
    """Pods of two leaves and two switches above them; `top` cables two switches of the top for each pod."""
    return (
        HEAD
        + f"""npu Chip {{ port p : E x4 }}
switch Leaf {{ latency = 300 ns; port down[2] : E x4; port up[2] : E x4 }}
switch Agg {{ latency = 300 ns; port down[2] : E x4; port up[2] : E x4 }}
switch Core {{ latency = 400 ns; port p[2] : E x4 }}
rack R {{
  npu[4]  : Chip
  leaf[2] : Leaf
  agg[2]  : Agg
  connect npu[2*l + n].p -- leaf[l].down[n] over Wire(2 m) for l, n in 0..1
  connect leaf[l].up[a] -- agg[a].down[l] over Wire(5 m) for l, a
  port up = agg.up
}}
superpod P {{
  rack[{pods}] : R
  core[{2 * pods}] : Core
{top}
}}
system pod : P
"""
    )


def cabled(cores: list[list[tuple[int, int]]]) -> str:
    """Each switch of the top to these (pod, place in it)."""
    used: dict[tuple[int, int], int] = {}
    found = []
    for core, ends in enumerate(cores):
        for port, (pod, place) in enumerate(ends):
            up = used.get((pod, place), 0)
            used[pod, place] = up + 1
            found.append(f"  connect rack[{pod}].up[{place}, {up}] -- core[{core}].p[{port}] over Wire(10 m)")
    return "\n".join(found)


ALIKE = [[(0, 0), (1, 0)], [(0, 0), (1, 0)], [(0, 1), (1, 1)], [(0, 1), (1, 1)]]
OTHER_PLACE = [[(0, 0), (1, 0)], [(0, 0), (1, 1)], [(0, 1), (1, 0)], [(0, 1), (1, 1)]]
ONE_POD = [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, 0), (1, 0)], [(0, 1), (1, 1)]]


def test_htsim_takes_a_top_at_the_same_place_of_each_pod(tmp_path: Path) -> None:
    found = lines(fat(cabled(ALIKE)), "htsim", tmp_path / "t")
    assert found[:3] == ["Nodes 8", "Tiers 3", "Podsize 4"]


@pytest.mark.parametrize("cores", [OTHER_PLACE, ONE_POD])
def test_htsim_refuses_a_top_that_it_would_cable_otherwise(cores: list[list[tuple[int, int]]], tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match="same place of each pod"):
        export.write(compiled(fat(cabled(cores))).plan, "htsim", tmp_path / "t")


def test_htsim_refuses_a_top_that_misses_a_pod(tmp_path: Path) -> None:
    """Pods in a ring: a switch of the top meets the same place of two neighbours."""
    near = [[(pod, place), ((pod + 1) % 4, place)] for place in (0, 1) for pod in range(4)]
    with pytest.raises(export.CannotExportError, match="not every switch of the top"):
        export.write(compiled(fat(cabled(near), 4)).plan, "htsim", tmp_path / "t")


def test_htsim_refuses_a_leaf_that_misses_a_spine(tmp_path: Path) -> None:
    text = (
        HEAD
        + "npu Chip { port p : E x4 }\n"
        + "switch Leaf { port down[2] : E x4; port up[2] : E x4 }\nswitch Spine { port p[2] : E x4 }\n"
        + "rack R { npu[2] : Chip; leaf : Leaf; port up = leaf.up\n"
        + "  connect npu[n].p -- leaf.down[n] over Wire(2 m) for n }\n"
        + "superpod P { rack[4] : R; spine[4] : Spine\n"
        + "  connect rack[r].up[k] -- spine[(r + k) mod 4].p[k] over Wire(10 m) for r, k }\nsystem pod : P\n"
    )
    with pytest.raises(export.CannotExportError, match="not every switch of tier 0"):
        export.write(compiled(text).plan, "htsim", tmp_path / "t")


def test_htsim_refuses_what_is_not_alike_in_a_tier(tmp_path: Path) -> None:
    text = tree(4, 2, 8).replace(
        "rack[r].up[1*s + b] -- spine[s].p[1*r + b] over Wire(10 m) for r, s, b in 0..0",
        "rack[r].up[s] -- spine[s].p[r] over Wire(10 m) for r in 0..2, s\n"
        "  connect rack[3].up[s] -- spine[s].p[3] over Wire(11 m) for s",
    )
    with pytest.raises(export.CannotExportError, match="latencies of cables of tier 1"):
        export.write(compiled(text).plan, "htsim", tmp_path / "t")


def test_htsim_tells_of_rounding(tmp_path: Path) -> None:
    text = tree(4, 2, 8).replace("Wire(2 m)", "Wire(2.1 m)")  # 110.5 ns
    found = export.write(compiled(text).plan, "htsim", tmp_path / "t")
    assert ["rounded" in d.message for d in found if d.code == "UB0803"] == [True]


def test_what_the_page_of_ns3_sets_beside_the_simulator_is_what_is_answered_here() -> None:
    text = """ubus 1
protocol Unit { lane = 50 GB/s }
link Wire : Unit { medium = copper; reach = 9 m; latency = 130 ns }
npu Host { port p : Unit x1 }
switch Leaf { latency = 300 ns; port down[8] : Unit x1; port up[2] : Unit x1 }
switch Spine { latency = 400 ns; port down[4] : Unit x1 }
rack M {
  host[4, 8] : Host
  leaf[4]    : Leaf
  spine[2]   : Spine
  connect host[l, i].p -- leaf[l].down[i] over Wire(1 m) for l, i in 0..7
  connect leaf[l].up[s] -- spine[s].down[l] over Wire(1 m) for l in 0..3, s in 0..1
}
system s : M
analyze q of s {
  latency(all npu)
  time(alltoall(all npu, size = 1 MiB))
  throughput(alltoall(all npu))
  throughput(shift(all npu, k = 8))
  throughput(incast(all npu -> host[0, 0]))
}
"""
    report = analyze(compile_text(text), "s")
    assert not report.diagnostics, [each.message for each in report.diagnostics]
    way, together, *rates = (answer.value for answer in report.answers)
    held = (31 * 32 * 1024, 1024 * 1024, 256 * 1024)  # bytes of an end point
    page = (PAGES / "ns3.md").read_text(encoding="utf-8").replace("\n", " ")
    rows = re.findall(r"\| ([\d.]+) us " * 3 + r"\| \+ ([\d.]+)% \| ([\d.]+) us \| \+ ([\d.]+)%", page)
    assert len(rows) == 3
    assert way == pytest.approx(1.52e-6)
    for row, size, rate in zip(rows, held, rates, strict=True):
        measured, bytes_alone, ours, over, back, left = map(float, row)
        flow = size / rate * 1e6
        assert bytes_alone == pytest.approx(flow, abs=0.051)
        assert ours == pytest.approx(flow + 1.52, abs=0.051)
        assert back == pytest.approx(flow + 3.04, abs=0.051)
        assert over == pytest.approx((measured / (flow + 1.52) - 1) * 100, abs=0.051)
        assert left == pytest.approx((measured / (flow + 3.04) - 1) * 100, abs=0.051)
        assert over < 8
    assert together * 1e6 == pytest.approx(float(rows[0][2]), abs=0.051)
