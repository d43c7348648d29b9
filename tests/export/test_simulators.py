"""Inputs of simulators: ns-3-UB, SimGrid, ASTRA-sim, BookSim."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from tests.export.machines import PARTS, PODS, compiled, fabric
from unifiedbus_dsl import export

# ---- ns-3-UB ----------------------------------------------------------------------------------------------------


def numbers(text: str) -> range:
    low, _, high = text.partition("..")
    return range(int(low), int(high or low) + 1)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("case")
    export.write(fabric(), "ns3", folder)
    return folder


def test_ns3_nodes_and_cables(case: Path) -> None:
    machine = fabric()
    nodes: dict[int, dict[str, str]] = {}
    for row in rows(case / "node.csv"):
        nodes |= dict.fromkeys(numbers(row["nodeId"]), row)
    assert sorted(nodes) == list(range(machine.device_count))
    assert sum(row["nodeType"] == "SWITCH" for row in nodes.values()) == 10
    used = set()
    for row, cable in zip(rows(case / "topology.csv"), range(machine.cable_count), strict=True):
        assert int(row["nodeId1"]) == machine.a_device[cable]
        for side in "12":
            end = int(row[f"nodeId{side}"]), int(row[f"portId{side}"])
            assert end[1] < int(nodes[end[0]]["portNum"])
            assert end not in used
            used.add(end)
        assert row["bandwidth"] == "420Gbps"  # 448 Gbps after coding
        assert row["delay"].endswith("ns")
    assert rows(case / "topology.csv")[0]["delay"] in ("102.4ns", "104.5ns")


def test_ns3_routes_are_all_shortest_paths(case: Path) -> None:
    """Walking by the table from anywhere arrives, in as many hops as NetworkX finds."""
    wires: dict[tuple[int, int], tuple[int, int]] = {}
    graph = nx.Graph()
    for row in rows(case / "topology.csv"):
        a, ap, b, bp = (int(row[key]) for key in ("nodeId1", "portId1", "nodeId2", "portId2"))
        wires[a, ap], wires[b, bp] = (b, bp), (a, ap)
        graph.add_edge(a, b)
    table: dict[tuple[int, int], dict[int, list[tuple[int, int]]]] = defaultdict(dict)
    for row in rows(case / "routing_table.csv"):
        out = [int(port) for port in row["outPorts"].split()]
        metrics = [int(metric) for metric in row["metrics"].split()]
        assert len(out) == len(metrics) == len(set(out))
        table[int(row["nodeId"]), int(row["dstNodeId"])][int(row["dstPortId"])] = list(zip(out, metrics, strict=True))
    machine = fabric()
    ends = machine.blocks("npu")[0].tolist()
    for target in ends[:6]:
        apart = nx.single_source_shortest_path_length(graph, target)
        for node in range(machine.device_count):
            if node == target:
                assert (node, target) not in table
                continue
            for port, choices in table[node, target].items():
                for out, metric in choices:
                    assert metric == apart[node]
                    after = wires[node, out]
                    assert after == (target, port) if metric == 1 else port in table[after[0], target]
            firsts = {wires[node, out][0] for choices in table[node, target].values() for out, _ in choices}
            assert firsts == {n for n in graph[node] if apart[n] == apart[node] - 1}


def test_ns3_traffic_and_attributes(case: Path) -> None:
    tasks = rows(case / "traffic.csv")
    assert len({task["sourceNode"] for task in tasks}) == len({task["destNode"] for task in tasks}) == 64
    assert all(task["opType"] == "URMA_WRITE" and 0 <= int(task["priority"]) <= 15 for task in tasks)
    for line in (case / "network_attribute.txt").read_text().splitlines():
        assert line.startswith("default ns3::Ub")
        assert line.endswith('"')


def test_ns3_tells_where_a_table_for_a_node_is_too_coarse(tmp_path: Path) -> None:
    """NPU a reaches d over b's die 0; b itself is nearer to d by its other die."""
    text = (
        PARTS
        + """
rack R {
  npu[4] : Chip
  connect npu[0].x[0] -- npu[1].x[0] over Copper(1 m)
  connect npu[1].x[1] -- npu[2].x[1] over Copper(1 m)
  connect npu[2].x[0] -- npu[3].x[0] over Copper(1 m)
  connect npu[1].up[0] -- npu[3].up[0] over Copper(1 m)
  open npu.x, npu.up
}
system r : R
"""
    )
    found = export.write(compiled(text).plan, "ns3", tmp_path)
    assert "UB0803" in [d.code for d in found]


def test_ns3_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export import ns3

    monkeypatch.setattr(ns3, "MOST_PAIRS", 100)
    with pytest.raises(export.CannotExportError, match="more than ns-3-UB takes"):
        export.write(fabric(), "ns3", tmp_path)


# ---- SimGrid ----------------------------------------------------------------------------------------------------


def test_simgrid_platform(tmp_path: Path) -> None:
    """The order of the DTD, and rates and latencies along routes as ours."""
    from xml.etree import ElementTree

    found = export.write(fabric(), "simgrid", tmp_path / "p.xml")
    assert [d.code for d in found] == ["UB0803", "UB0805", "UB0806"]
    root = ElementTree.parse(tmp_path / "p.xml").getroot()
    assert root.attrib == {"version": "4.1"}
    (zone,) = root
    tags = [child.tag for child in zone]
    assert tags == sorted(tags, key=["host", "router", "link", "route"].index)
    ids = [child.get("id") for child in zone if child.tag != "route"]
    assert len(set(ids)) == len(ids)
    assert tags.count("host") == 64
    links = {link.get("id"): link for link in zone.iter("link")}
    graph = nx.DiGraph()
    for route in zone.iter("route"):
        (part,) = route
        link = links[part.get("id")]
        ways_ = [route.get("src"), route.get("dst")]
        assert (link.get("id") or "").split("_") == (ways_ if part.get("direction") == "UP" else ways_[::-1])
        latency, rate = float((link.get("latency") or "")[:-2]), float((link.get("bandwidth") or "")[:-3])
        graph.add_edge(route.get("src"), route.get("dst"), latency=latency, rate=rate)
    assert len(graph.edges) == 2 * len(links)
    path = nx.dijkstra_path(graph, "cabinet0-server0-npu0", "cabinet3-server1-npu2", weight=None)
    assert len(path) == 5
    copper, optic, leaf, spine = 104.5, 100.0, 250.0, 300.0
    length = fabric().kinds.length_m[fabric().kind[fabric().cable_count - 1]]
    ways = [graph.edges[edge]["latency"] for edge in pairwise(path)]
    assert sum(ways) == pytest.approx(2 * copper + 2 * (optic + 5 * 6) + 2 * leaf + spine, abs=60)
    assert length > 0
    assert graph.edges[path[0], path[1]]["rate"] == 52.5e9


# ---- ASTRA-sim --------------------------------------------------------------------------------------------------


def astra(text: str, tmp_path: Path) -> dict[str, list[str]]:
    export.write(compiled(text).plan, "astra-sim", tmp_path / "n.yml")
    lines = [line.split(": [ ") for line in (tmp_path / "n.yml").read_text().splitlines()]
    found = {name: values.removesuffix(" ]").split(", ") for name, values in lines}
    assert list(found) == ["topology", "npus_count", "bandwidth", "latency"]
    assert len({len(values) for values in found.values()}) == 1
    assert all(float(value) > 0 for value in found["bandwidth"])
    assert all(int(value) > 1 for value in found["npus_count"])
    return found


def test_astra_sim(tmp_path: Path) -> None:
    found = astra(PODS, tmp_path)
    assert found["topology"] == ["FullyConnected", "Switch"]
    assert found["npus_count"] == ["4", "16"]
    assert found["bandwidth"] == ["157.5", "105"]  # 3 and 2 ports of 52.5 GB/s
    assert found["latency"][0] == "102.4"
    mesh = astra(
        PARTS.replace("port x[3]", "port y[2] : UB x4\n  port x[3]")
        + """rack R {
  npu[3, 4] : Chip
  connect npu[a, *].x as fullmesh over Trace(0.4 m) for a
  connect npu[*, b].y as ring over Trace(0.5 m) for b
  open npu.up
}
system r : R
""",
        tmp_path,
    )
    assert (mesh["topology"], mesh["npus_count"]) == (["FullyConnected", "FullyConnected"], ["4", "3"])


def test_astra_sim_tells_that_tiers_of_switches_are_one(tmp_path: Path) -> None:
    found = export.write(compiled(PODS).plan, "astra-sim", tmp_path / "n.yml")
    assert "UB0803" in [d.code for d in found]


def test_astra_sim_refuses_what_is_no_product(tmp_path: Path) -> None:
    line = PARTS + "node S { npu[4] : Chip; connect npu.x[0..1] as line over Copper(1 m); open npu.x, npu.up }\n"
    with pytest.raises(export.CannotExportError, match="product"):
        astra(line + "system s : S\n", tmp_path)


# ---- BookSim ----------------------------------------------------------------------------------------------------


def test_booksim(tmp_path: Path) -> None:
    """Read as anynet.cpp reads it: dense ids, each channel both ways."""
    found = export.write(fabric(), "booksim", tmp_path / "a")
    assert [d.code for d in found] == ["UB0803", "UB0805"]
    graph, nodes = nx.MultiDiGraph(), {}
    for line in (tmp_path / "a").read_text().splitlines():
        words = line.split()
        assert words[0] == "router"
        router, n = int(words[1]), 2
        while n < len(words):
            if words[n] == "node":
                nodes[int(words[n + 1])] = router
                n += 2
            else:
                graph.add_edge(router, int(words[n + 1]), cycles=int(words[n + 2]))
                n += 3
    assert sorted(nodes) == list(range(64))
    assert sorted(graph.nodes) == list(range(fabric().device_count))
    assert graph.number_of_edges() == 2 * fabric().cable_count
    forth = sorted((a, b, d["cycles"]) for a, b, d in graph.edges(data=True))
    assert forth == sorted((b, a, d["cycles"]) for a, b, d in graph.edges(data=True))
