"""Inputs of simulators: ns-3-UB, SimGrid, ASTRA-sim, BookSim."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests.export.machines import PARTS, PODS, compiled, fabric
from unifiedbus_dsl import compiler, export
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, Flows
from unifiedbus_dsl.export.formats import simgrid
from unifiedbus_dsl.ir.plan import Plan

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
    # of a mesh, and with half of a leaf of 250 ns
    assert {row["delay"] for row in rows(case / "topology.csv")} >= {"102.4ns", "229.5ns"}
    # spent on each packet and out port, one after another; a fifth column would be `systemId`
    assert {tuple(row)[3:] for row in nodes.values()} == {("forwardDelay",)}
    assert {row["forwardDelay"] for row in nodes.values()} == {"1ns"}


def test_a_path_of_ns3_takes_as_long_as_ours(case: Path) -> None:
    """Delays of its cables, and a nanosecond in each device that it passes."""
    graph = nx.Graph()
    for row in rows(case / "topology.csv"):
        graph.add_edge(int(row["nodeId1"]), int(row["nodeId2"]), delay=float(row["delay"].removesuffix("ns")) + 1)
    machine = fabric()
    ends = machine.blocks("npu")[0].tolist()
    for a, b in ((0, 5), (0, 63), (17, 42)):
        path = nx.dijkstra_path(graph, ends[a], ends[b], weight="delay")
        passed = nx.path_weight(graph, path, "delay") - (len(path) - 1)
        found = api.paths(machine, machine.device_name(ends[a]), machine.device_name(ends[b]))
        assert passed == pytest.approx(found.fastest.time_s * 1e9, abs=0.01)


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
    lines = (case / "network_attribute.txt").read_text().splitlines()
    assert 'default ns3::UbTransportChannel::UsePacketSpray "true"' in lines  # else a flow has one path, by a hash
    assert 'global UB_PARSE_TRACE_ENABLE "false"' in lines  # else a script of another repository is run at the end
    assert all(re.fullmatch(r'(default ns3::Ub\w+::|global UB_)\w+ ".*"', line) for line in lines)


def test_ns3_reads_the_size_of_a_flow_as_an_int(tmp_path: Path) -> None:
    machine = fabric()
    ends = machine.blocks("npu")[0][:3]
    sizes = np.asarray([2**31 - 1, 2**31, 10**10 + 1])
    flows = Flows(ends, np.roll(ends, 1), sizes)
    subject = ExportInput(machine.plan, lambda: machine, flows=(flows,))
    export.write_subject(subject, export.find("ns3"), tmp_path, export.Sink())
    tasks = rows(tmp_path / "traffic.csv")
    assert [int(task["taskId"]) for task in tasks] == list(range(1 + 2 + 5))
    sent: dict[int, list[int]] = defaultdict(list)
    for task in tasks:
        sent[int(task["sourceNode"])].append(int(task["dataSize(Byte)"]))
    assert [sum(sent[end]) for end in ends.tolist()] == sizes.tolist()
    assert all(max(pieces) < 2**31 and max(pieces) - min(pieces) <= 1 for pieces in sent.values())


def test_ns3_tells_of_latency_at_both_ends(tmp_path: Path) -> None:
    slow = fabric(PODS.replace("npu Chip {", "npu Chip {\n  latency = 80 ns"))
    told = [d.message for d in export.write(slow, "ns3", tmp_path) if d.code == "UB0803"]
    assert "its first and last device" in told[0]
    assert not [d for d in export.write(fabric(), "ns3", tmp_path) if d.code == "UB0803"]


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
    from unifiedbus_dsl.export.formats import ns3

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


def test_flows_of_a_traffic_are_actors_of_simgrid(tmp_path: Path) -> None:
    """Behind the platform, as the DTD has them; each flow once with its sender and once with its receiver."""
    from xml.etree import ElementTree

    array = np.array
    sent = (Flows(array([3, 4]), array([4, 5]), array([10, 20])), Flows(array([4]), array([3]), array([30])))
    subject = ExportInput(fabric().plan, fabric, flows=sent)
    simgrid.write(subject, tmp_path / "p.xml", Sink())
    root = ElementTree.parse(tmp_path / "p.xml").getroot()
    assert [child.tag for child in root] == ["zone", "actor", "actor", "actor"]
    hosts = {host.get("id") for host in root.iter("host")}
    actors = root.findall("actor")
    assert {actor.get("host") for actor in actors} <= hosts
    assert {actor.get("function") for actor in actors} == {"flows"}
    assert [[each.get("value") for each in actor] for actor in actors] == [
        ["0 send 0 10", "1 receive 2 30"],
        ["0 receive 0 10", "0 send 1 20", "1 send 2 30"],
        ["0 receive 1 20"],
    ]


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
    # a message has one of the 3 cables of 52.5 GB/s of the mesh, and both to the switches, in 2^30 byte/s
    assert [float(rate) for rate in found["bandwidth"]] == pytest.approx([52.5e9 / 2**30, 105e9 / 2**30], rel=1e-8)
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


def message(network: dict[str, list[str]], dimension: int, hops: int, size: float) -> float:
    """Seconds of a message in ASTRA-sim's congestion-unaware network (`BasicTopology::compute_communication_delay`)."""
    rate = float(network["bandwidth"][dimension]) * 2**30 / 1e9
    return (hops * float(network["latency"][dimension]) + size / rate) * 1e-9


def said(text: str, measure: str) -> float:
    """Seconds that `ubusc analyze` answers."""
    value = api.measure(compiled(text).fabric(), measure).value
    assert isinstance(value, float)  # an interval would be a pair
    return value


RING = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns; efficiency = 93.75% }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port x[4] : UB x4; transit x }
rack R { npu[8] : Chip
  connect npu.x[0..1] as ring over Wire(1 m)
  connect npu.x[2..3] as ring over Wire(1 m) }
system r : R
"""
"""Two cables between neighbours."""

MESH = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns; efficiency = 93.75% }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port x[14] : UB x4; transit x }
rack R { npu[8] : Chip
  connect npu.x[0..6] as fullmesh over Wire(1 m)
  connect npu.x[7..13] as fullmesh over Wire(1 m) }
system r : R
"""

HUB = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns; efficiency = 93.75% }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port x[4] : UB x4 }
switch Hub { latency = 300 ns; port p[8] : UB x4 }
rack R { npu[8] : Chip; hub[4] : Hub; connect npu[n].x[k] -- hub[k].p[n] over Wire(1 m) for n, k }
system r : R
"""


NICS = """ubus 1
protocol UB { lane = 105 Gbps; latency = 100 ns }
protocol PCIe { lane = 32 Gbps; latency = 150 ns }
link Wire : UB { medium = copper; reach = 5 m }
link Slot : PCIe { medium = copper; reach = 5 m }
npu Chip { port pcie : PCIe x16 }
nic Card(npus) { port host[npus] : PCIe x16; port net : UB x4; transit host -- net; latency = 250 ns }
switch Hub { latency = 300 ns; port p[8 div NPUS] : UB x4 }
rack R { npu[8 div NPUS, NPUS] : Chip; nic[8 div NPUS] : Card(npus = NPUS); hub : Hub
  connect npu[n, k].pcie -- nic[n].host[k] over Slot(1 m) for n, k
  connect nic[n].net -- hub.p[n] over Wire(1 m) for n }
system r : R
"""
"""A slot of 64 GB/s before a port of 52.5 GB/s; with more NPUs a NIC they share it."""
CARDS, SHARED = (NICS.replace("NPUS", count) for count in ("1", "2"))


@pytest.mark.parametrize(
    ("text", "algorithm", "messages", "hops"),
    [(RING, "ring", 14, 1), (MESH, "direct", 2, 1), (HUB, "ring", 14, 2), (CARDS, "ring", 14, 2)],
    ids=["ring", "mesh", "switch", "nics"],
)
def test_an_all_reduce_of_astra_sim_takes_as_long_as_ours(
    text: str, algorithm: str, messages: int, hops: int, tmp_path: Path
) -> None:
    """Of its collectives `ring` sends 2 (n - 1) messages of a part in n one after another, and `direct` n - 1 at once
    twice (`Ring::Ring`, `AllToAll::AllToAll`)."""
    network, size = astra(text, tmp_path), float(1 << 30)
    assert (len(network["topology"]), network["npus_count"]) == (1, ["8"])
    ours = said(text, f"time(allreduce(all npu, size = 1 GiB), algorithm = {algorithm})")
    assert messages * message(network, 0, hops, size / 8) == pytest.approx(ours, rel=1e-6)


@pytest.mark.parametrize(("text", "each"), [(CARDS, 52.5e9), (SHARED, 26.25e9)])
def test_a_nic_of_astra_sim_is_no_faster_than_its_network_port(text: str, each: float, tmp_path: Path) -> None:
    bandwidth = astra(text, tmp_path)["bandwidth"]
    assert float(bandwidth[-1]) * 2**30 == pytest.approx(each)


def test_a_torus_of_astra_sim_is_a_ring_for_each_side(tmp_path: Path) -> None:
    text = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port x[6] : UB x4; transit x }
rack R { npu[2, 3, 4] : Chip; connect npu.x as torus over Wire(1 m) }
system r : R
"""
    network = astra(text, tmp_path)
    assert (network["topology"], network["npus_count"]) == (["Ring", "Ring", "FullyConnected"], ["4", "3", "2"])
    # between the two of the last side the torus has two cables
    assert [float(rate) for rate in network["bandwidth"]] == pytest.approx([56e9 / 2**30, 56e9 / 2**30, 112e9 / 2**30])


def test_astra_sim_tells_of_messages_that_do_not_share_a_switch(tmp_path: Path) -> None:
    notes = [d.message for d in export.write(compiled(HUB).plan, "astra-sim", tmp_path / "n") if d.code == "UB0806"]
    assert [note for note in notes if "all messages into a switch at full rate at once" in note]
    notes = [d.message for d in export.write(compiled(RING).plan, "astra-sim", tmp_path / "n") if d.code == "UB0806"]
    assert not notes


def test_a_device_that_passes_nothing_on_is_no_switch_of_astra_sim(tmp_path: Path) -> None:
    """Two NPUs hang on each CPU, which does not forward: the NPUs meet at the hubs alone."""
    text = HUB.replace("switch Hub", "cpu Host { port c[2] : UB x4 }\nswitch Hub").replace(
        "npu Chip { port x[4] : UB x4 }", "npu Chip { port x[4] : UB x4; port c : UB x4 }"
    )
    text = text.replace(
        "hub[4] : Hub;",
        "hub[4] : Hub; cpu[4] : Host; connect npu[2*c + k].c -- cpu[c].c[k] over Wire(1 m) for c, k in 0..1;",
    )
    network = astra(text, tmp_path)
    assert (network["topology"], network["npus_count"]) == (["Switch"], ["8"])


def test_astra_sim_tells_that_tiers_of_switches_are_one(tmp_path: Path) -> None:
    found = export.write(compiled(PODS).plan, "astra-sim", tmp_path / "n.yml")
    assert "UB0803" in [d.code for d in found]


def test_astra_sim_refuses_what_is_no_product(tmp_path: Path) -> None:
    line = PARTS + "node S { npu[4] : Chip; connect npu.x[0..1] as line over Copper(1 m); open npu.x, npu.up }\n"
    with pytest.raises(export.CannotExportError, match="product"):
        astra(line + "system s : S\n", tmp_path)


# ---- BookSim ----------------------------------------------------------------------------------------------------


def anynet(path: Path) -> tuple[list[int], nx.DiGraph]:
    """Router of each node, and channels with their cycles, as anynet.cpp reads them: a number behind any body is the
    cycles of a channel to the router of that number, and a second channel takes the place of the first."""
    graph, nodes = nx.DiGraph(), dict[int, int]()
    for line in path.read_text().splitlines():
        words = line.split()
        assert words[0] == "router"
        router, n = int(words[1]), 2
        graph.add_node(router)
        while n < len(words):
            what, number = words[n], int(words[n + 1])
            n += 2
            if what == "node":
                assert number not in nodes, "trying to connect to multiple router"
                nodes[number] = router
            else:
                assert what == "router"
                assert not graph.has_edge(router, number)
            if n < len(words) and words[n].isdigit():
                graph.add_edge(router, number, cycles=int(words[n]))
                n += 1
    assert sorted(nodes) == list(range(len(nodes)))
    assert sorted(graph.nodes) == list(range(len(graph)))
    assert all(graph.edges[b, a] == data for a, b, data in graph.edges(data=True))
    return [nodes[n] for n in range(len(nodes))], graph


def test_booksim(tmp_path: Path) -> None:
    """An NPU of five cables is a router of five nodes, and injects what they carry."""
    found = export.write(fabric(), "booksim", tmp_path / "a")
    assert [d.code for d in found] == ["UB0803", "UB0805", "UB0806", "UB0806"]
    nodes, graph = anynet(tmp_path / "a")
    assert len(graph) == fabric().device_count
    assert graph.number_of_edges() == 2 * fabric().cable_count
    assert nodes == sorted(nodes)
    assert set(nodes) == set(fabric().blocks("npu")[0].tolist())
    assert len(nodes) == 64 * 5


def test_a_path_of_booksim_takes_as_many_cycles_as_ours_nanoseconds(tmp_path: Path) -> None:
    machine = compiled(tree(4, 2, 8)).fabric()
    export.write(machine, "booksim", tmp_path / "a")
    nodes, graph = anynet(tmp_path / "a")
    assert (len(nodes), len(graph)) == (32, 38)
    for a, b in ((0, 1), (0, 31), (9, 23)):
        cycles = nx.dijkstra_path_length(graph, nodes[a], nodes[b], weight="cycles")
        ends = [machine.device_name(int(machine.blocks("npu")[0][n])) for n in (a, b)]
        assert cycles == pytest.approx(api.paths(machine, *ends).fastest.time_s * 1e9, abs=3)


def test_what_booksim_and_sst_lose_is_told(tmp_path: Path) -> None:
    bundled = compiled(tree(4, 2, 8, 2)).plan
    for form in ("booksim", "sst"):
        told = " ".join(
            d.message for d in export.write(bundled, form, tmp_path / form if form == "booksim" else tmp_path)
        )
        assert "8 parallel cables are lost" in told
        (tmp_path / "booksim").unlink(missing_ok=True)
    told = " ".join(d.message for d in export.write(bundled, "booksim", tmp_path / "b"))
    assert "of several spines all pairs use the same one" in told
    (tmp_path / "b").unlink()
    slow = fabric(PODS.replace("npu Chip {", "npu Chip {\n  latency = 80 ns"))
    told = " ".join(d.message for d in export.write(slow, "booksim", tmp_path / "b"))
    assert "half of the latency of passing its first and last device" in told


# ---- SST, SimAI, htsim ------------------------------------------------------------------------------------------


def read_sst(folder: Path) -> nx.Graph:
    """Read as `topoAny.import_graph` reads it: undirected, `endpoints` on each node, ports counted by neighbour."""
    graph = nx.read_graphml(folder / "network.graphml")
    assert type(graph) is nx.Graph  # with parallel edges the links of a pair would be made twice
    graph = nx.relabel_nodes(graph, {node: n for n, node in enumerate(graph)})
    assert list(graph) == list(range(len(graph)))
    return graph


def test_sst(tmp_path: Path) -> None:
    found = export.write(fabric(), "sst", tmp_path)
    assert sorted(d.code for d in found) == ["UB0803", "UB0803", "UB0803", "UB0805", "UB0806", "UB0806"]
    graph = read_sst(tmp_path)
    ends = nx.get_node_attributes(graph, "endpoints")
    assert {device for device, count in ends.items() if count} == set(fabric().blocks("npu")[0].tolist())
    assert set(ends.values()) == {0, 5}  # a node for each neighbour
    ours = nx.convert_node_labels_to_integers(nx.Graph(fabric().to_networkx()))
    assert {frozenset(edge) for edge in graph.edges()} == {frozenset(edge) for edge in ours.edges()}
    script = (tmp_path / "network.py").read_text()
    compile(script, "network.py", "exec")
    assert 'RATE = "420Gb/s"' in script
    assert 'HALF_A_SWITCH = "150ns"' in script
    assert 'HOST_LINK_LATENCY = "1ps"' in script


def test_sst_gets_all_shortest_paths_and_end_points_on_their_switch(tmp_path: Path) -> None:
    """The script's own table: each router to each other one by every path, the weights of a pair adding up to one."""
    export.write(compiled(tree(4, 2, 8)).plan, "sst", tmp_path)
    graph = read_sst(tmp_path)
    assert [graph.nodes[n]["endpoints"] for n in graph] == [8, 8, 8, 8, 0, 0]
    script = (tmp_path / "network.py").read_text()
    assert 'HOST_LINK_LATENCY = "110ns"' in script
    start = script.index("def all_shortest_paths")
    names: dict[str, Any] = {"networkx": nx}
    exec(script[start : script.index("topology = ")], names)
    table = names["all_shortest_paths"](graph)
    assert sorted(table[0][1]) == [(0.5, [4, 1]), (0.5, [5, 1])]
    for source in graph:
        for target in graph:
            paths = table[source][target]
            assert sum(weight for weight, _ in paths) == pytest.approx(1)
            for _, path in paths:
                assert all(graph.has_edge(*pair) for pair in pairwise([source, *path]))
                assert [source, *path][-1] == target


def test_sst_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export.formats import sst

    monkeypatch.setattr(sst, "MOST_ROUTERS", 10)
    with pytest.raises(export.CannotExportError, match="too many"):
        export.write(fabric(), "sst", tmp_path)


SWITCHED = PODS.replace("npu[4] : Chip\n  connect npu.x as fullmesh over Trace(0.4 m)", "npu[4] : Chip\n  open npu.x")


def of_hpcc(path: Path, head: int) -> tuple[list[str], list[int], nx.Graph]:
    """A topology as the HPCC family reads it: words of the head, switches, links; a pair of nodes has one link."""
    words = path.read_text().split()
    nodes, links = int(words[0]), int(words[4 if head == 6 else 2])
    count = int(words[2]) + int(words[3]) if head == 6 else int(words[1])
    switches = [int(word) for word in words[head : head + count]]
    rows_ = [words[n : n + 5] for n in range(head + count, len(words), 5)]
    assert len(rows_) == links
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    for a, b, rate, latency, errors in rows_:
        assert (latency[-2:], errors) == ("ms", "0")
        assert not graph.has_edge(int(a), int(b))
        bits = int(rate.removesuffix("Gbps")) * 10**9 if rate.endswith("Gbps") else int(rate.removesuffix("bps"))
        graph.add_edge(int(a), int(b), rate=bits, delay=float(latency[:-2]) * 1e6)
    assert graph.number_of_nodes() == nodes
    return words[:head], switches, graph


def test_hpcc(tmp_path: Path) -> None:
    found = export.write(compiled(SWITCHED).plan, "hpcc", tmp_path / "t")
    assert [d.code for d in found] == ["UB0805", "UB0806"]
    head, switches, graph = of_hpcc(tmp_path / "t", 3)
    assert head[:2] == ["74", "10"]
    assert switches == list(range(64, 74))
    ours = nx.Graph(compiled(SWITCHED).fabric().to_networkx())
    assert sorted(d for _, d in graph.degree()) == sorted(d for _, d in ours.degree())
    assert nx.diameter(graph) == nx.diameter(ours) == 4
    # NPUs hang on leaves, which come before the spines
    assert {n for npu in range(64) for n in graph[npu]} == set(range(64, 72))
    assert {data["rate"] for _, _, data in graph.edges(data=True)} == {420 * 10**9}
    maps = [line for line in found[1].help if "KMAX_MAP 1 420000000000 6720" in line]
    assert maps


def test_a_path_of_hpcc_takes_as_long_as_ours(tmp_path: Path) -> None:
    """The delays of its links are all the time that a path of HPCC has."""
    export.write(compiled(SWITCHED).plan, "hpcc", tmp_path / "t")
    _, _, graph = of_hpcc(tmp_path / "t", 3)
    machine = compiled(SWITCHED).fabric()
    for a, b in ((0, 1), (0, 5), (3, 63)):
        path = nx.dijkstra_path(graph, a, b, weight="delay")
        delay = sum(graph.edges[pair]["delay"] for pair in pairwise(path)) * 1e-9
        one, two = (machine.device_name(int(machine.blocks("npu")[0][n])) for n in (a, b))
        assert delay == pytest.approx(api.paths(machine, one, two).fastest.time_s, abs=2e-12)


SIMAI = """ubus 1
protocol UB { lane = 100 Gbps; latency = 100 ns }
protocol Pcie { lane = 50 Gbps; latency = 150 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
link Slot : Pcie { medium = pcb; reach = 1 m; delay = 5 ns/m }
npu Chip { port x[2] : UB x4; port n : Pcie x16 }
nic Card { latency = 600 ns; port host : Pcie x16; port net[2] : UB x2; transit host, net }
switch Inner { latency = 200 ns; port p[4] : UB x4 }
switch Leaf { latency = 300 ns; port p[8] : UB x2 }
node Box {
  npu[4] : Chip
  inner[2] : Inner
  nic[4] : Card
  connect npu[n].x[k] -- inner[k].p[n] over Wire(1 m) for n, k
  connect npu[n].n -- nic[n].host over Slot(1 m) for n
  port up = nic.net
}
rack R { box[2] : Box; leaf[2] : Leaf; connect box[b].up[n, k] -- leaf[k].p[4*b + n] over Wire(2 m) for b, n, k }
system r : R
"""


def test_simai_folds_nics_and_the_switches_of_a_server(tmp_path: Path) -> None:
    found = export.write(compiled(SIMAI).plan, "simai", tmp_path / "t")
    said_ = " ".join(d.message for d in found)
    assert "the 2 switches of one are written as one" in said_
    assert "one rate has to be added" in said_  # the rate of the leaves: an NVSwitch marks nothing
    head, switches, graph = of_hpcc(tmp_path / "t", 6)
    assert head == ["12", "4", "2", "2", str(graph.number_of_edges()), "CHIP"]
    assert switches == [8, 9, 10, 11]
    for npu in range(8):
        # SimAI takes NVSwitch k for that of server k
        assert {n: graph.edges[npu, n]["rate"] for n in graph[npu]} == {
            8 + npu // 4: 800 * 10**9, 10: 200 * 10**9, 11: 200 * 10**9,
        }  # fmt: skip
    # two cables of 100 and 150 ns and 10 and 5 ns along them, the NIC, and half of the leaf
    assert graph.edges[0, 10]["delay"] == pytest.approx(110 + 155 + 600 + 150)
    export.write(compiled(SIMAI).plan, "hpcc", tmp_path / "h")
    _, switches, graph = of_hpcc(tmp_path / "h", 3)
    assert (switches, graph.number_of_edges()) == ([*range(8, 14)], 8 * 4)


def test_a_nic_is_no_faster_than_its_slot_and_one_that_is_shared_a_switch(tmp_path: Path) -> None:
    slow = SIMAI.replace("lane = 50 Gbps", "lane = 16 Gbps")  # 256 Gbps for two cables of 200
    export.write(compiled(slow).plan, "hpcc", tmp_path / "t")
    _, _, graph = of_hpcc(tmp_path / "t", 3)
    assert sorted({data["rate"] for _, _, data in graph.edges(data=True)}) == [128 * 10**9, 400 * 10**9]
    shared = SIMAI.replace("nic[4]", "nic[2]").replace("port host :", "port host[2] :")
    shared = shared.replace("nic[n].host over Slot(1 m) for n", "nic[c].host[k] over Slot(1 m) for c, k")
    shared = (
        shared.replace("npu[n].n --", "npu[2*c + k].n --")
        .replace("p[8] : UB", "p[4] : UB")
        .replace("4*b + n]", "2*b + n]")
    )
    export.write(compiled(shared).plan, "hpcc", tmp_path / "t")
    head, switches, graph = of_hpcc(tmp_path / "t", 3)
    assert (head[1], len(switches)) == ("10", 10)  # four Inner, two Leaf, four NICs
    assert graph.degree(0) == 3


def test_what_simai_cannot_say(tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match="has no switch"):
        export.write(compiled(SWITCHED).plan, "simai", tmp_path / "t")
    found = export.write(compiled(SWITCHED).plan, "simai", tmp_path / "t", node="rack")
    assert (tmp_path / "t").read_text().startswith("70 16 4 2 ")
    assert "the 2 switches of one" in " ".join(d.message for d in found)
    found = export.write(fabric(), "hpcc", tmp_path / "t")
    assert "96 links join end points directly" in next(d.message for d in found if d.code == "UB0803")
    with_cpu = SIMAI.replace("npu Chip {", "cpu Host { port u : UB x4 }\nnpu Chip { port h[2] : UB x4 @open;")
    with_cpu = with_cpu.replace("node Box {", "node Box {\n  cpu : Host\n  connect npu[0].h[0] -- cpu.u over Wire(1 m)")
    found = export.write(compiled(with_cpu).plan, "simai", tmp_path / "t")
    assert "2 others were left out" in next(d.message for d in found if d.code == "UB0803")
    assert (tmp_path / "t").read_text().startswith("12 4 2 2 ")


def tree(leaves: int, spines: int, down: int, bundle: int = 1) -> str:
    return f"""ubus 1
protocol E {{ lane = 100 Gbps; latency = 100 ns }}
link Wire : E {{ medium = copper; delay = 5 ns/m }}
npu Chip {{ port p : E x4 }}
switch Leaf {{ latency = 300 ns; port down[{down}] : E x4; port up[{spines * bundle}] : E x4 }}
switch Spine {{ latency = 400 ns; port p[{leaves * bundle}] : E x4 }}
rack R {{ npu[{down}] : Chip; leaf : Leaf; connect npu[n].p -- leaf.down[n] over Wire(2 m) for n; port up = leaf.up }}
superpod P {{
  rack[{leaves}] : R
  spine[{spines}] : Spine
  connect rack[r].up[{bundle}*s + b] -- spine[s].p[{bundle}*r + b] over Wire(10 m) for r, s, b in 0..{bundle - 1}
}}
system pod : P
"""


def htsim(plan: Plan, path: Path) -> tuple[dict[str, int], list[dict[str, int]]]:
    """The head and the tiers of a `.topo`, as fat_tree_topology.cpp reads them."""
    export.write(plan, "htsim", path)
    head: dict[str, int] = {}
    tiers: list[dict[str, int]] = []
    for line in path.read_text().lower().splitlines():
        if line:
            key, value = line.split()
            if key == "tier":
                assert int(value) == len(tiers)
                tiers.append({"bundle": 1, "oversubscribed": 1})
            else:
                (tiers[-1] if tiers else head)[key] = int(value)
    return head, tiers


def switches_of(head: dict[str, int], tiers: list[dict[str, int]]) -> list[int]:
    """Switches of each tier as htsim works them out, with what it asserts."""
    found = []
    cables = head["nodes"]
    assert head["nodes"] % head["podsize"] == 0
    assert head["podsize"] % tiers[0]["radix_down"] == 0
    for number, tier in enumerate(tiers):
        assert tier["radix_down"] % tier["bundle"] == 0
        assert cables % tier["radix_down"] == 0
        found.append(cables // tier["radix_down"])
        if number + 1 < len(tiers):
            above = tiers[number + 1]
            assert tier["radix_up"] % above["bundle"] == 0
            rate = cables * tier["downlink_speed_gbps"]
            assert rate % (above["downlink_speed_gbps"] * tier["oversubscribed"]) == 0
            cables = rate // (above["downlink_speed_gbps"] * tier["oversubscribed"])
            assert cables == found[-1] * tier["radix_up"]
    return found


@pytest.mark.parametrize(("shape", "wanted"), [((4, 2, 8), [4, 2]), ((8, 4, 4), [8, 4]), ((4, 2, 8, 2), [4, 2])])
def test_htsim(shape: tuple[int, ...], wanted: list[int], tmp_path: Path) -> None:
    head, tiers = htsim(compiled(tree(*shape)).plan, tmp_path / "t.topo")
    assert head == {"nodes": shape[0] * shape[2], "tiers": 2, "podsize": shape[0] * shape[2]}
    assert switches_of(head, tiers) == wanted
    assert [tier["downlink_latency_ns"] for tier in tiers] == [110, 150]
    assert [tier["switch_latency_ns"] for tier in tiers] == [300, 400]
    assert tiers[1]["bundle"] == (shape[3] if len(shape) > 3 else 1)


def test_htsim_tells_at_which_rate_its_hosts_send(tmp_path: Path) -> None:
    """In Mbps, and 100 Gbps where a run is not told (main_ndp.cpp)."""
    (note,) = [d for d in export.write(compiled(tree(4, 2, 8)).plan, "htsim", tmp_path / "t") if d.code == "UB0806"]
    assert note.help == ("run it with `-linkspeed 400000`",)


def test_htsim_three_tiers(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "specs" / "textbook" / "fat-tree.ubus"
    machine = compiler.compile(path).fabric()
    head, tiers = htsim(machine.plan, tmp_path / "t.topo")
    assert head["nodes"] == len(machine.blocks("npu")[0])
    assert sum(switches_of(head, tiers)) == len(machine.blocks("switch")[0])
    assert head["podsize"] == 16  # (k / 2)^2 of k = 8 ports
    assert len(tiers) == 3


def test_parallel_cables_are_one_link_of_their_added_rate(tmp_path: Path) -> None:
    text = tree(4, 2, 8, 2)
    export.write(compiled(text).plan, "hpcc", tmp_path / "t")
    lines = (tmp_path / "t").read_text().splitlines()[2:]
    assert sorted({line.split()[2] for line in lines}) == ["400Gbps", "800Gbps"]
    assert len(lines) == 4 * 8 + 4 * 2
    export.write(compiled(text).plan, "simgrid", tmp_path / "p.xml")
    assert (tmp_path / "p.xml").read_text().count('bandwidth="100000000000Bps"') == 4 * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PODS, "cables are within a tier or past one"),
        (SWITCHED, "one cable to a switch"),
        (tree(4, 3, 4), "no whole multiple"),
    ],
)
def test_htsim_refuses_what_it_would_build_otherwise(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match=words):
        export.write(compiled(text).plan, "htsim", tmp_path / "t")


# ---- flows ------------------------------------------------------------------------------------------------------

FLOWS = """
traffic spread of pod = alltoall(all npu, within = rack, size = 16 MiB)
traffic total of pod = allreduce(all npu, within = node, size = 1 MiB)
traffic next of pod = shift(all npu, k = 1)
traffic tell of pod = broadcast(all npu)
scenario Down of pod { fail cabinet[1] }
"""


def test_flows_of_a_traffic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from unifiedbus_dsl.cli import main

    (tmp_path / "pod.ubus").write_text(PODS + FLOWS)

    def flows(traffic: str) -> list[dict[str, str]]:
        command = [
            "export",
            str(tmp_path / "pod.ubus"),
            "--to",
            "ns3",
            "-o",
            str(tmp_path / "case"),
            "--traffic",
            traffic,
        ]
        assert main(command) == 0
        found = rows(tmp_path / "case" / "traffic.csv")
        assert [int(row["taskId"]) for row in found] == list(range(len(found)))
        return found

    ends = fabric().blocks("npu")[0].tolist()
    place = {device: n for n, device in enumerate(ends)}
    pieces = [
        (place[int(r["sourceNode"])], place[int(r["destNode"])], int(r["dataSize(Byte)"])) for r in flows("spread")
    ]
    assert sorted(pieces) == [(a, b, 1 << 20) for a in range(64) for b in range(64) if a // 16 == b // 16 and a != b]
    steps = flows("total")
    # a ring of 4: 3 steps of reduce-scatter, 3 of all-gather, a quarter of the data each
    assert len(steps) == 6 * 64
    assert {int(row["dataSize(Byte)"]) for row in steps} == {1 << 18}
    assert {(row["phaseId"], row["dependOnPhases"]) for row in steps} == {
        (str(n), str(n - 1) if n else "") for n in range(6)
    }
    for row in steps:
        a, b = place[int(row["sourceNode"])], place[int(row["destNode"])]
        assert b == a // 4 * 4 + (a + 1) % 4
    assert "1 MiB was taken" not in capsys.readouterr().err
    assert len(flows("next")) == 64
    assert "1 MiB was taken" in capsys.readouterr().err
    for extra in (["--to", "ns3", "--traffic", "tell"], ["--to", "json", "--traffic", "spread"]):
        assert main(["export", str(tmp_path / "pod.ubus"), "-o", str(tmp_path / "no"), *extra]) == 1
    assert not (tmp_path / "no").exists()
    said = capsys.readouterr().err
    assert "UB0710" in said
    assert "no place for traffic" in said
