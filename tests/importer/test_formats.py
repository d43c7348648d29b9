"""The formats of the trade: one small input each, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest

from tests.importer.samples import (
    ANYNET,
    CLAB,
    CONF,
    DB_CSV,
    DOT,
    EOS,
    EOS_DETAIL,
    HCCL,
    HPCC,
    IBLINKINFO,
    LABELLED_DUMP,
    LINES,
    LLDPCLI,
    LSTOPO,
    NCCL,
    NET_DUMP,
    RANKS,
    RANKS_12,
    SIMAI,
    SMI,
    YAML,
)
from unifiedbus_dsl.importer import FORMS, Found, read
from unifiedbus_dsl.importer.doubts import CUT_OFF, ONE_END


def found(form: str, text: str | object, folder: Path, name: str = "lab") -> Found:
    """What is read of a text, whose format its content says."""
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    result = read(path)
    assert result.form == form
    return result


def cables(result: Found) -> list[str]:
    return sorted(str(cable) for cable in result.listing().cables)


def rates(result: Found) -> list[float | None]:
    """The rates in Gbps."""
    return [None if c.rate is None else round(c.rate * 8e-9, 3) for c in result.listing().cables]


def kinds(result: Found) -> dict[str, str]:
    return {device.name: device.kind for device in result.listing().devices}


def test_iblinkinfo(tmp_path: Path) -> None:
    result = found("iblinkinfo", IBLINKINFO, tmp_path)
    assert cables(result) == ["MF0;lf01:MQM9700/U1.3 -- tr02 mlx5_0.1", "tr01 mlx5_0.1 -- MF0;lf01:MQM9700/U1.1"]
    assert sorted(rates(result)) == [200, 400]
    assert [str(doubt) for doubt in result.doubts.first[ONE_END]] == [
        "line 6: `MF0;lf01:MQM9700/U1` port 3 -- `tr02 mlx5_0` port 1"
    ]
    lines = found("iblinkinfo", LINES, tmp_path)
    assert cables(lines) == ["MF0;lf01:MQM9700/U1.1 -- tr01 mlx5_0.1"]
    assert kinds(lines) == {"MF0;lf01:MQM9700/U1": "switch", "tr01 mlx5_0": "nic"}
    assert not lines.doubts


def test_ports_of_ibnetdiscover(tmp_path: Path) -> None:
    text = (
        "SW     1  1 0x0c42a103007a1000 4x NDR - CA    11  1 0x0c42a103007c1000 ( 'lf01' - 'tr01 mlx5_0' )\n"
        "SW     1  2 0x0c42a103007a1000 4x ???                                    'lf01'\n"
        "CA    11  1 0x0c42a103007c1000 4x NDR - SW     1  1 0x0c42a103007a1000 ( 'tr01 mlx5_0' - 'lf01' )\n"
    )
    result = found("ibnetdiscover", text, tmp_path)
    assert (cables(result), rates(result)) == (["lf01.1 -- tr01 mlx5_0.1"], [400])
    assert not result.doubts


def test_ibdiagnet(tmp_path: Path) -> None:
    dump = found("ibdiagnet", NET_DUMP, tmp_path)
    assert cables(dump) == [
        "MF0;lf01:MQM8700/U1.1 -- tr01 mlx5_0.1",
        "MF0;lf01:MQM8700/U1.3 -- MF0;sp01:MQM8700/U1.9",
    ]
    assert rates(dump) == [200, 200]
    assert not dump.doubts
    labelled = found("ibdiagnet", LABELLED_DUMP, tmp_path)
    assert cables(labelled) == ["MF0;lf01:MQM9700/U1.31 -- MF0;sp01:MQM9700/U1.10"]
    assert rates(labelled) == [400]
    assert [(kind, doubt.line) for kind, (doubt,) in labelled.doubts.first.items()] == [(CUT_OFF, 4)]
    tables = found("ibdiagnet", DB_CSV, tmp_path)
    assert cables(tables) == ["MF0;lf01:MQM8700/U1.7 -- tr01 mlx5_0.1"]
    assert (rates(tables), [device.ports for device in tables.listing().devices]) == ([200], [41, 1])
    assert not tables.doubts


def test_lldp(tmp_path: Path) -> None:
    sonic = found("lldp", LLDPCLI, tmp_path, "leaf1.json")
    assert cables(sonic) == ["leaf1.Ethernet0 -- spine1.Ethernet4", "leaf1.Ethernet8 -- srv7.ens1f0"]
    assert kinds(sonic) == {"leaf1": "switch", "spine1": "switch", "srv7": "device"}
    assert {device.name: device.id for device in sonic.listing().devices}["spine1"] == "52:54:00:aa:bb:01"
    eos = found("lldp", EOS, tmp_path, "leaf2.json")
    assert cables(eos) == ["leaf2.Ethernet1 -- spine1.Ethernet3", "leaf2.Ethernet2 -- spine2.Ethernet3"]
    detail = found("lldp", EOS_DETAIL, tmp_path, "leaf2.json")
    assert cables(detail) == ["leaf2.Ethernet1 -- spine1.Ethernet3"]
    back = {"lldpNeighbors": [{"port": "Ethernet3", "neighborDevice": "leaf2", "neighborPort": "Ethernet1"}]}
    both = found("lldp", {"leaf2": EOS, "spine1": back}, tmp_path, "all.json")
    assert len(cables(both)) == 2  # the one that both ends tell of is one


def test_containerlab(tmp_path: Path) -> None:
    result = found("containerlab", CLAB, tmp_path)
    assert result.table.name == "two-tier"
    assert cables(result) == [
        "client1.eth1 -- leaf1.e1-1",
        "client1.eth2 -- leaf2.e1-1",
        "leaf1.e1-49 -- leaf2.e1-49",
    ]
    assert kinds(result) == {"leaf1": "switch", "leaf2": "switch", "client1": "device"}


def test_nccl(tmp_path: Path) -> None:
    result = found("nccl", NCCL, tmp_path)
    assert kinds(result) == {
        "CPU0": "cpu", "PCIe 0000:16:00.0": "switch", "GPU0": "npu", "mlx5_0": "nic", "CPU1": "cpu", "GPU1": "npu",
    }  # fmt: skip
    by_link: dict[str, list[float | None]] = {}
    for cable in result.listing().cables:
        by_link.setdefault(cable.link, []).append(cable.rate)
    # 32 GT/s x16 is 64 GB/s raw, 16 GT/s x8 is 16; six NVLinks of sm 90, told of by both GPUs
    assert by_link == {"PCIe": [64e9] * 3 + [16e9], "NVLink": [20.6e9] * 6, "Socket": [None]}
    fabric = result.fabric()
    graph = nx.Graph(fabric.to_networkx())
    assert nx.shortest_path_length(graph, "mlx5_0", "GPU1") == 3  # PCIe switch, GPU0, NVLink; or CPU0, CPU1
    assert fabric.plan.devices["Cpu"].transit == ((0, 1),)
    cut = found("nccl", NCCL[: NCCL.index("<cpu host_hash", 40)] + "<cpu", tmp_path)
    assert cut.doubts.counts[CUT_OFF] == 1
    assert "GPU0" in kinds(cut)


def test_nvidia_smi(tmp_path: Path) -> None:
    result = found("nvidia-smi", SMI, tmp_path)
    graph = nx.MultiGraph((c.a[0], c.b[0]) for c in result.listing().cables)
    assert graph.number_of_edges("GPU0", "GPU1") == 4
    assert {n for n in kinds(result) if kinds(result)[n] == "nic"} == {"mlx5_0", "mlx5_1"}
    (switch,) = set(graph["GPU0"]) & set(graph["mlx5_0"])
    assert kinds(result)[switch] == "switch"
    assert switch not in graph["GPU1"]
    assert sum(1 for kind in kinds(result).values() if kind == "cpu") == 2
    assert nx.is_connected(graph)
    assert set(rates(result)) == {None}


def test_eight_gpus_under_nvswitches(tmp_path: Path) -> None:
    names = [f"GPU{n}" for n in range(8)]
    rows = [f"{a}\t" + "\t".join(" X " if a == b else "NV18" for b in names) + "\t0-51\t0" for a in names]
    text = "\t" + "\t".join(names) + "\tCPU Affinity\n" + "\n".join(rows) + "\n"
    result = found("nvidia-smi", text, tmp_path)
    assert sum(1 for cable in result.listing().cables if cable.link == "NVLink") == 8 * 18
    assert kinds(result)["NVSwitch"] == "switch"


def test_lstopo(tmp_path: Path) -> None:
    result = found("lstopo", LSTOPO, tmp_path)
    assert kinds(result) == {"CPU0": "cpu", "PCIe 0000:01:00.0": "switch", "cuda0": "npu", "mlx5_0": "nic"}
    assert sorted(rate or 0 for rate in rates(result)) == [126, 252, 252]


def test_hccl(tmp_path: Path) -> None:
    result = found("hccl", HCCL, tmp_path)
    assert len(cables(result)) == 5
    assert "npu[0].0/0 -- npu[1].0/3" in cables(result)
    assert kinds(result)["net 1/0"] == "switch"
    assert kinds(found("hccl", RANKS, tmp_path)) == {
        "rank 0": "npu", "pod0-s0 (layer 0)": "switch", "rank 1": "npu",
    }  # fmt: skip
    old = found("hccl", RANKS_12, tmp_path)
    assert kinds(old) == {"server s1": "switch", "rank 0": "npu", "rank 1": "npu", "super pod 0": "switch"}


@pytest.mark.parametrize("text", [CONF, YAML])
def test_slurm(text: str, tmp_path: Path) -> None:
    result = found("slurm", text, tmp_path)
    graph = nx.Graph((c.a[0], c.b[0]) for c in result.listing().cables)
    assert set(graph["leaf1"]) == {"top", "tux0", "tux1", "tux09"}
    assert set(graph["leaf2"]) == {"top", "tux10", "tux11"}
    assert kinds(result)["tux09"] == "device"


def test_topologies_of_simulators(tmp_path: Path) -> None:
    simai = found("simulator", SIMAI, tmp_path)
    assert sorted(rate or 0 for rate in rates(simai)) == [400, 400, 400, 2880, 2880]
    assert kinds(simai) == {"0": "npu", "1": "npu", "2": "npu", "3": "npu", "4": "switch"}
    hpcc = found("simulator", HPCC, tmp_path)
    assert sorted(rate or 0 for rate in rates(hpcc)) == [25, 100, 100]
    short = found("simulator", HPCC.replace("4 1 3", "4 1 9"), tmp_path)
    assert "9 links are announced, and 3 are there" in str(short.doubts.first[CUT_OFF][0])
    anynet = found("simulator", ANYNET, tmp_path)
    assert len(cables(anynet)) == 4
    assert kinds(anynet)["node 2"] == "npu"


def test_dot(tmp_path: Path) -> None:
    result = found("dot", DOT, tmp_path)
    assert result.table.name == "hall 3"
    assert cables(result) == ["leaf01.swp1 -- srv01.eth0", "leaf01.swp51 -- spine01.swp1", "srv02.eth0 -- leaf01.swp2"]
    assert kinds(result) == {"leaf01": "switch", "srv01": "", "spine01": "switch", "srv02": ""}
    assert sorted(rate or 0 for rate in rates(result)) == [0, 0, 100]


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("form", ["graphml", "node-link"])
def test_graphs_as_networkx_writes_them(form: str, directed: bool, tmp_path: Path) -> None:
    graph = nx.petersen_graph()
    graph = graph.to_directed() if directed else graph
    if form == "graphml":
        nx.write_graphml(graph, tmp_path / "g.graphml")
        result = read(tmp_path / "g.graphml")
    else:
        result = found(form, nx.node_link_data(graph, edges="links"), tmp_path)
    assert len(result.listing().cables) == 15  # an arc each way is one cable
    assert result.form == form


def test_every_format_is_read_here() -> None:
    text = "".join(path.read_text() for path in (Path(__file__).parents[1]).rglob("test_*.py"))
    assert [name for name in FORMS if f'"{name}"' not in text and name != "cables"] == []
