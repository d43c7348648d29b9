"""HCCL's topology file and rank table, held against a validator written from their documentation."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.export.machines import PARTS, PODS, compiled
from tests.export.test_schedulers import TWO
from unifiedbus_dsl import export

PROTOCOLS = {"UB_CTP", "UB_TP", "UB_MEM", "UBOE", "ROCE", "HCCS", "TCP"}
CABINET = """ubus 1
use "huawei/ascend.ubus"
switch Plane { latency = 110 ns; port down[64] : UB x4; port up[64] : UB x4 @open }
rack Cabinet {
  npu[8, 8] : Ascend950DT
  plane[4]  : Plane
  connect npu[b, *].die0[0..6] as fullmesh over Board(0.4 m) for b
  connect npu[*, s].die1[0..6] as fullmesh over Board(0.8 m) for s
  connect npu[b, s].die0[7 + k] -- plane[k].down[8*b + s] over Board(0.8 m) for b, s, k in 0..1
  connect npu[b, s].die1[7 + k] -- plane[2 + k].down[8*b + s] over Board(0.8 m) for b, s, k in 0..1
}
module Row {
  cabinet[2] : Cabinet
}
system row : Cabinet
"""


def check_topology(data: dict[str, Any]) -> None:
    """The fields and bounds of the topology file 2.0."""
    assert data.keys() == {"version", "peer_count", "peer_list", "edge_count", "edge_list"}
    assert data["version"] == "2.0"
    assert 1 <= data["peer_count"] == len(data["peer_list"]) <= 65
    local_ids = [peer["local_id"] for peer in data["peer_list"]]
    assert local_ids == sorted(set(local_ids))
    assert 0 <= local_ids[0] <= local_ids[-1] <= 64
    assert data["edge_count"] == len(data["edge_list"])
    used = []
    for edge in data["edge_list"]:
        assert 0 <= edge["net_layer"] <= 7
        assert set(edge["protocols"]) <= PROTOCOLS
        assert edge["topo_type"] in ("CLOS", "1DMESH")
        assert edge["position"] in ("DEVICE", "HOST")
        sides = ["a", "b"] if edge["link_type"] == "PEER2PEER" else ["a"]
        assert ("local_b" in edge) == (edge["link_type"] == "PEER2PEER")
        for side in sides:
            assert edge[f"local_{side}"] in local_ids
            assert all(re.fullmatch(r"\d+/\d+", port) for port in edge[f"local_{side}_ports"])
            used += [(edge[f"local_{side}"], port) for port in edge[f"local_{side}_ports"]]
    assert len(set(used)) == len(used)


def check_ranks(data: dict[str, Any]) -> None:
    """The fields and bounds of the rank table 2.0."""
    assert (data["version"], data["status"]) == ("2.0", "completed")
    assert 1 <= data["rank_count"] == len(data["rank_list"]) <= 65536
    assert [rank["rank_id"] for rank in data["rank_list"]] == list(range(data["rank_count"]))
    seen = set()
    for rank in data["rank_list"]:
        assert 0 <= rank["device_id"] <= 64
        assert 0 <= rank["local_id"] <= 64
        assert rank["local_id"] != 64 or 0 <= rank["replaced_local_id"] < 64  # the spare, in the place of another
        levels = rank["level_list"]
        assert [level["net_layer"] for level in levels] == list(range(len(levels)))
        assert len(levels) <= 8
        assert levels[0]["net_type"] == "TOPO_FILE_DESC"
        for level in levels:
            assert len(level["net_instance_id"]) <= 1024
            assert level["net_type"] in ("CLOS", "TOPO_FILE_DESC")
            assert len(level["rank_addr_list"]) <= 24
            ports = [port for address in level["rank_addr_list"] for port in address["ports"]]
            assert len(set(ports)) == len(ports)
            for address in level["rank_addr_list"]:
                assert re.fullmatch(r"[0-9a-f]{32}", address["addr"])
                assert len({port.split("/")[0] for port in address["ports"]}) == 1
                assert len(address["ports"]) <= 16
                assert address["addr"] not in seen
                assert int(address["addr"], 16), "no address"
                seen.add(address["addr"])


def written(text: str, folder: Path, **options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    export.write(compiled(text).plan, "hccl", folder, **options)
    return json.loads((folder / "topology.json").read_text()), json.loads((folder / "rank_table.json").read_text())


def test_a_cabinet_is_a_mesh_for_each_row_and_column(tmp_path: Path) -> None:
    topology, ranks = written(CABINET.replace("module Row {\n  cabinet[2] : Cabinet\n}\n", ""), tmp_path, node="rack")
    check_topology(topology)
    check_ranks(ranks)
    assert topology["peer_count"] == 64
    edges = topology["edge_list"]
    meshes = Counter(e["topo_instance_id"] for e in edges if e["link_type"] == "PEER2PEER")
    assert sorted(meshes) == list(range(16))
    assert set(meshes.values()) == {28}
    first = next(e for e in edges if e["link_type"] == "PEER2PEER")
    assert (first["local_a"], first["local_b"], first["local_a_ports"], first["local_b_ports"]) == (
        0,
        1,
        ["0/0"],
        ["0/0"],
    )
    nets = [e for e in edges if e["link_type"] == "PEER2NET"]
    assert len(nets) == 64 * 2
    assert {tuple(e["local_a_ports"]) for e in nets} == {("0/7", "0/8"), ("1/7", "1/8")}
    assert {e["net_layer"] for e in nets} == {1}


def spared(npus: int, spares: int) -> str:
    """Servers with NPUs and spares among them, each on its own port of a switch."""
    total = npus + spares
    return (
        PARTS + f"switch Leaf {{ port down[{total}] : UB x4 }}\nnode S {{\n"
        f"  spare backup[{spares}] : Chip\n  npu[{npus}] : Chip\n  leaf[2] : Leaf\n"
        f"  connect npu[n].up[k] -- leaf[k].down[n] over Copper(1 m) for n in 0..{npus - 1}, k\n"
        f"  connect backup[n].up[k] -- leaf[k].down[{npus} + n] over Copper(1 m) for n in 0..{spares - 1}, k\n"
        f"  open npu.x, backup.x\n}}\n"
        "system r : S\n"
    )


def test_a_spare_is_a_peer_without_a_rank(tmp_path: Path) -> None:
    """It has the local id that HCCL keeps for it, wherever it stands in the text."""
    for npus in (64, 8):
        topology, ranks = written(spared(npus, 1), tmp_path)
        check_topology(topology)
        check_ranks(ranks)
        assert [peer["local_id"] for peer in topology["peer_list"]] == [*range(npus), 64]
        assert {edge["local_a"] for edge in topology["edge_list"]} == {*range(npus), 64}
        assert [rank["local_id"] for rank in ranks["rank_list"]] == [*range(npus)]
        export.write(compiled(spared(npus, 1)).plan, "hccl-1.2", tmp_path.with_suffix(".json"))
        servers = json.loads(tmp_path.with_suffix(".json").read_text())["server_list"]
        assert [len(server["device"]) for server in servers] == [npus]
    found = export.write(compiled(spared(8, 2)).plan, "hccl", tmp_path)
    assert "one spare NPU, and `S` has 2" in next(d.message for d in found if d.code == "UB0803")
    check_topology(json.loads((tmp_path / "topology.json").read_text()))


def test_a_pod_of_servers(tmp_path: Path) -> None:
    topology, ranks = written(PODS, tmp_path)
    check_topology(topology)
    check_ranks(ranks)
    assert (topology["peer_count"], topology["edge_count"]) == (4, 6 + 4)
    assert ranks["rank_count"] == 64
    last = ranks["rank_list"][-1]
    assert (last["local_id"], last["level_list"][0]["net_instance_id"]) == (3, "cabinet3-server3")
    assert last["level_list"][1]["net_instance_id"] == "pod"


def test_cables_to_hosts_are_left_out_and_nics_pass_on(tmp_path: Path) -> None:
    """Of four NPUs on PCIe two have a NIC of their own, which speaks RoCE."""
    text = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
protocol PCIe5 { lane = 32 Gbps; latency = 100 ns }
protocol RoCE { lane = 100 Gbps; latency = 100 ns }
link Mesh : UB { medium = copper; reach = 5 m }
link Slot : PCIe5 { medium = copper; reach = 5 m }
link Net : RoCE { medium = copper; reach = 50 m }
cpu Host { port p[4] : PCIe5 x16 }
nic Card { port host : PCIe5 x16; port net : RoCE x4; transit host, net }
npu Chip { port x[3] : UB x4; port h : PCIe5 x16; port n : PCIe5 x16 @open }
switch Tor { port p[16] : RoCE x4 @open }
node Server {
  npu[4] : Chip
  card[2] : Card
  cpu : Host
  port net = card.net
  connect npu.x as fullmesh over Mesh(1 m)
  connect npu[i].h -- cpu.p[i] over Slot(1 m) for i in 0..3
  connect npu[i].n -- card[i].host over Slot(1 m) for i in 0..1
}
superpod Pod {
  server[3] : Server
  tor : Tor
  connect server[s].net[i] -- tor.p[2*s + i] over Net(3 m) for s, i in 0..1
}
system pod : Pod
"""
    topology, ranks = written(text, tmp_path)
    check_topology(topology)
    check_ranks(ranks)
    assert Counter(tuple(edge["protocols"]) for edge in topology["edge_list"]) == {
        ("UB_CTP", "UB_MEM"): 6,
        ("ROCE",): 2,
    }
    found = export.write(compiled(text).plan, "hccl", tmp_path)
    assert "does not know `PCIe5`" in next(d.message for d in found if d.code == "UB0803")
    with pytest.raises(export.CannotExportError, match="not `PCIe5`"):  # the NPUs among themselves
        written(text.replace("x[3] : UB", "x[3] : PCIe5").replace("Mesh : UB", "Mesh : PCIe5"), tmp_path)


def test_what_it_cannot_say(tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match="at most 64 NPUs and a spare"):
        written(PODS.replace("server[4]", "server[20]").replace("down[16]", "down[80]"), tmp_path, node="rack")
    ring = PARTS + "node S { npu[4] : Chip; connect npu.x[0..1] as ring over Copper(1 m); open npu.x[2], npu.up }\n"
    with pytest.raises(export.CannotExportError, match="full mesh"):
        written(ring + "system s : S\n", tmp_path)
    other = PODS.replace("UB {", "Foo {").replace(": UB", ": Foo")
    with pytest.raises(export.CannotExportError, match="not `Foo`"):
        written(other, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_network_of_a_superpod_and_that_of_the_cluster(tmp_path: Path) -> None:
    """Over UB a rank is in the network of its SuperPoD, over UBoE in that of the cluster."""
    cluster = TWO.replace("protocol UB {", "protocol UBoE { lane = 112 Gbps; efficiency = 93.75% }\nprotocol UB {", 1)
    cluster = cluster.replace("link Copper : UB ", "link Copper : UBoE ")
    cluster = cluster.replace("port up[2] : UB x4\n  transit", "port up[2] : UBoE x4\n  transit")
    cluster = cluster.replace("port down[16] : UB x4", "port down[16] : UBoE x4")
    for text, protocol, place in ((TWO, "UB_CTP", "pod1"), (cluster, "UBOE", "two")):
        topology, ranks = written(text, tmp_path)
        check_topology(topology)
        check_ranks(ranks)
        assert {tuple(e["protocols"]) for e in topology["edge_list"] if e["link_type"] == "PEER2NET"} == {(protocol,)}
        assert [level["net_instance_id"] for level in ranks["rank_list"][-1]["level_list"]] == [
            "pod1-cabinet3-server3",
            place,
        ]


def test_dies_are_those_of_the_transit_lines(tmp_path: Path) -> None:
    """The ports of a line are a die; those in none are one more. Ports of a die are numbered in order."""
    topology, _ = written(PODS, tmp_path)
    first = {e["link_type"]: e for e in reversed(topology["edge_list"]) if e["local_a"] == 0}
    assert first["PEER2PEER"]["local_a_ports"] == ["0/0"]
    assert first["PEER2NET"]["local_a_ports"] == ["1/0", "1/1"]
    two = PODS.replace("  transit x\n", "  transit x[0..1], up\n")
    topology, _ = written(two, tmp_path)
    ports = {port for e in topology["edge_list"] if e["local_a"] == 0 for port in e["local_a_ports"]}
    assert ports == {"0/0", "0/1", "0/2", "0/3", "1/0"}


def test_npus_joined_to_another_server_are_refused(tmp_path: Path) -> None:
    text = PARTS + (
        "node S { npu[2] : Chip; connect npu[0].x[0] -- npu[1].x[0] over Copper(1 m); port out = npu.x[1]\n"
        "  open npu.x[2], npu.up }\n"
        "rack R { server[2] : S; connect server[0].out[n] -- server[1].out[n] over Copper(1 m) for n }\nsystem r : R\n"
    )
    with pytest.raises(export.CannotExportError, match="different servers over switches"):
        written(text, tmp_path)


def test_more_ranks_than_a_table_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export.formats import hccl

    monkeypatch.setattr(hccl, "MOST_RANKS", 63)
    found = export.write(compiled(PODS).plan, "hccl", tmp_path)
    assert [d.code for d in found] == ["UB0803", "UB0805"]
    assert [path.name for path in tmp_path.iterdir()] == ["topology.json"]


def test_rank_table_1_2(tmp_path: Path) -> None:
    """The fields of the documentation; all values are texts, ranks dense, each server in one SuperPoD."""
    text = PODS.replace("system pod : Pod", "") + (
        "supercluster Two { pod[2] : Pod; hub : Hub; connect pod[i].x -- hub.p[i] over Optic(100 m) for i }\n"
        "switch Hub { port p[2] : UB x4 }\nsystem two : Two\n"
    )
    text = text.replace("spine[2]   : Spine", "spine[2]   : Spine\n  port x = spine[0].q")
    text = text.replace("port p[8] : UB x4 }", "port p[8] : UB x4; port q : UB x4 @open }")
    found = export.write(compiled(text).plan, "hccl-1.2", tmp_path / "t.json")
    assert [d.code for d in found] == ["UB0805", "UB0806"]
    data = json.loads((tmp_path / "t.json").read_text())
    assert data.keys() == {"status", "version", "server_count", "server_list", "super_pod_list"}
    assert (data["status"], data["version"], data["server_count"]) == ("completed", "1.2", "32")
    devices = [device for server in data["server_list"] for device in server["device"]]
    assert [device["rank_id"] for device in devices] == [str(n) for n in range(128)]
    assert len({device["device_ip"] for device in devices}) == 128
    assert all(device.keys() == {"device_id", "super_device_id", "device_ip", "rank_id"} for device in devices)
    assert all([d["device_id"] for d in server["device"]] == list("0123") for server in data["server_list"])
    pods = {pod["super_pod_id"]: [s["server_id"] for s in pod["server_list"]] for pod in data["super_pod_list"]}
    assert list(pods) == ["pod0", "pod1"]
    assert [name for names in pods.values() for name in names] == [s["server_id"] for s in data["server_list"]]
    by_server = {server["server_id"]: server["device"] for server in data["server_list"]}
    for names in pods.values():
        own = [device["super_device_id"] for name in names for device in by_server[name]]
        assert own == [str(n) for n in range(64)]
