"""NCCL's topology of a node, by a reader with the limits of NCCL's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.export.machines import compiled
from unifiedbus_dsl import export
from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.export import CannotExportError
from unifiedbus_dsl.importer import read

SPECS = Path(__file__).parents[2] / "specs"
INSIDE = {
    "system": ("cpu",), "cpu": ("pci", "nic"), "pci": ("pci", "gpu", "nic"), "gpu": ("nvlink",), "nic": ("net",),
    "nvlink": (), "net": (),
}  # fmt: skip
NEEDED = {
    "cpu": {"numaid", "arch", "vendor", "familyid", "modelid"}, "pci": {"busid", "class", "link_speed", "link_width"},
    "gpu": {"dev", "sm", "rank", "gdr"}, "nvlink": {"target", "count", "tclass"},
    "net": {"name", "dev", "speed", "port", "guid", "maxconn", "gdr"},
}  # fmt: skip
HEAD = """ubus 1
protocol NV { lane = 100 Gbps }
protocol PC { lane = 32 Gbps }
protocol IB { lane = 100 Gbps }
link Board : NV { medium = pcb; reach = 1 m }
link Slot : PC { medium = pcb; reach = 1 m }
link Fibre : IB { medium = optical; reach = 100 m }
npu Gpu { port n[2] : NV x2 @open; port e : PC x16 @open }
cpu Host { port e[4] : PC x16 @open; transit e }
nic Card { port e : PC x8; port n : IB x2 @open }
switch Nvs { port p[8] : NV x2 @open }
switch Pcie { port p[8] : PC x16 @open }
"""


def parsed(path: Path) -> dict[str, Any]:
    """The file as NCCL reads it: elements of its kinds, attributes between single spaces, no entities."""
    text = path.read_bytes().decode("ascii")
    assert not re.search(r"[&\t]|<[?!]", text)
    root: dict[str, Any] = {"name": "", "inside": []}
    stack = [root]
    at = 0
    for token in re.finditer(r"[ \n]*<(/?)(\w+)((?: \w+=\"[^\"]{0,254}\")*)(/?)>", text):
        assert token.start() == at
        at = token.end()
        closes, name, attributes, single = token.groups()
        if closes:
            assert stack.pop()["name"] == name
            continue
        above = stack[-1]["name"]
        assert name in INSIDE[above] if above else name == "system"
        found = dict(re.findall(r" (\w+)=\"(.*?)\"", attributes))
        assert found.keys() >= NEEDED.get(name, set())
        assert len(found) <= 16
        element = (
            {"name": name, "inside": [], **found}
            if name != "net"
            else {**found, "net": found["name"], "name": name, "inside": []}
        )
        stack[-1]["inside"].append(element)
        assert len(stack[-1]["inside"]) <= 128
        if not single:
            stack.append(element)
    assert text[at:].strip() == ""
    assert stack == [root]
    assert root["inside"][0]["version"] == "1"
    buses = [each["busid"] for each in every(root, "pci")]
    assert len(set(buses)) == len(buses)
    return root["inside"][0]  # type: ignore[no-any-return]


def every(element: dict[str, Any], name: str) -> list[dict[str, Any]]:
    own = [element] if element["name"] == name else []
    return own + [found for each in element["inside"] for found in every(each, name)]


def written(text: str, folder: Path, **more: Any) -> tuple[dict[str, Any], list[str]]:
    done = compiled(HEAD + text)
    said = export.write(done.plan, "nccl", folder / "topo.xml", **more)
    return parsed(folder / "topo.xml"), [each.message for each in said]


@pytest.mark.parametrize(
    ("system", "links", "sm", "pcie", "nic"),
    [("a100", 12, 90, 16, 200), ("h100", 18, 90, 32, 400), ("b200", 18, 100, 32, 400)],
)
def test_a_dgx_has_what_its_data_sheet_says(
    system: str, links: int, sm: int, pcie: int, nic: int, tmp_path: Path
) -> None:
    export.write(compile(SPECS / "nvidia/dgx.ubus").fabric(system), "nccl", tmp_path / "a.xml")
    root = parsed(tmp_path / "a.xml")
    gpus = every(root, "gpu")
    assert [gpu["rank"] for gpu in gpus] == [str(n) for n in range(8)]
    assert {sum(int(link["count"]) for link in gpu["inside"]) for gpu in gpus} == {links}
    assert {link["tclass"] for gpu in gpus for link in gpu["inside"]} == {"0x068000"}
    assert {gpu["sm"] for gpu in gpus} == {str(sm)}
    assert {net["speed"] for net in every(root, "net")} == {str(nic * 1000)}
    assert {(p["link_speed"], p["link_width"]) for p in every(root, "pci")} == {(f"{pcie}.0 GT/s PCIe", "16")}
    back = read(tmp_path / "a.xml").listing()
    assert sum(device.kind == "npu" for device in back.devices) == 8
    assert sum(cable.link == "NVLink" for cable in back.cables) == 8 * links


TREE = """
node Server {
  gpu[4] : Gpu
  host[2] : Host
  nic[2] : Card
  pcie[2] : Pcie
  connect host[c].e[0] -- pcie[c].p[0] over Slot(0.1 m) for c
  connect host[0].e[1] -- host[1].e[1] over Slot(0.1 m)
  connect pcie[g div 2].p[1 + g mod 2] -- gpu[g].e over Slot(0.1 m) for g in 0..3
  connect pcie[c].p[3] -- nic[c].e over Slot(0.1 m) for c
  connect gpu[g].n[1] -- gpu[(g + 1) mod 4].n[0] over Board(0.1 m) for g in 0..3
  port up = nic.n
}
rack Two {
  server[2] : Server
  connect server[0].up[k] -- server[1].up[k] over Fibre(5 m) for k
}
system s : Two
"""


def test_gpus_and_nics_are_below_the_switches_of_their_cpu(tmp_path: Path) -> None:
    root, said = written(TREE, tmp_path)
    cpus = root["inside"]
    assert [cpu["numaid"] for cpu in cpus] == ["0", "1"]
    for number, cpu in enumerate(cpus):
        (switch,) = cpu["inside"]
        assert switch["class"] == "0x060400"
        assert [each["class"] for each in switch["inside"]] == ["0x030200", "0x030200", "0x020000"]
        assert [gpu["rank"] for gpu in every(cpu, "gpu")] == [str(2 * number), str(2 * number + 1)]
        assert [(net["dev"], net["speed"]) for net in every(cpu, "net")] == [(str(number), "200000")]
        assert switch["inside"][2]["link_width"] == "8"
    bus = {pci["inside"][0]["rank"]: pci["busid"] for pci in every(root, "pci") if pci["class"] == "0x030200"}
    for gpu in every(root, "gpu"):
        near = {bus[str((int(gpu["rank"]) + step) % 4)] for step in (1, 3)}
        assert {link["target"] for link in gpu["inside"]} == near
        assert {(link["count"], link["tclass"]) for link in gpu["inside"]} == {("1", "0x030200")}
    assert any("1 other not" in message for message in said)


def test_a_nic_at_a_gpu_is_beside_it_and_the_compute_capability_can_be_stated(tmp_path: Path) -> None:
    text = """
node Server {
  gpu[2] : Gpu
  nic[2] : Card
  nvs : Nvs
  connect gpu[g].e -- nic[g].e over Slot(0.1 m) for g
  connect gpu[g].n[k] -- nvs.p[2*g + k] over Board(0.1 m) for g in 0..1, k in 0..1
}
system s : Server
"""
    root, said = written(text, tmp_path)
    assert [[each["class"] for each in switch["inside"]] for switch in root["inside"][0]["inside"]] == [
        ["0x030200", "0x020000"]
    ] * 2
    assert any("2 PCIe switches of their own" in message for message in said)
    assert {link["count"] for link in every(root, "nvlink")} == {"2"}
    (tmp_path / "b").mkdir()
    stated, said = written(
        text.replace("gpu[2] : Gpu", "gpu[2] : Blackwell")
        + """
npu Blackwell { sm = 100; port n[2] : NV x2 @open; port e : PC x16 @open }
""",
        tmp_path / "b",
    )
    assert {gpu["sm"] for gpu in every(stated, "gpu")} == {"100"}
    assert {link["count"] for link in every(stated, "nvlink")} == {"1"}  # 2 x 25 GB/s are one of 50
    assert not any("rounded" in message for message in said)


def test_what_nccl_cannot_say_is_told(tmp_path: Path) -> None:
    odd = "node Server { gpu[2] : Gpu; connect gpu[0].n -- gpu[1].n over Odd(0.1 m) }\nsystem s : Server\n"
    head = "protocol Third { lane = 70 Gbps }\nlink Odd : Third { medium = pcb; reach = 1 m }\n"
    gpu = "npu Gpu { port n[2] : Third x2 @open }\n"
    done = compiled("ubus 1\n" + head + gpu + odd)
    said = [each.message for each in export.write(done.plan, "nccl", tmp_path / "a.xml")]
    assert any("2 rates of GPUs to neighbours had to be rounded" in message for message in said)
    assert any("no PCIe is known of 2 GPUs" in message for message in said)
    with pytest.raises(CannotExportError, match="no node has an `npu`"):
        written("rack R { s[2] : Nvs; connect s[0].p[0] -- s[1].p[0] over Board(0.1 m) }\nsystem s : R\n", tmp_path)
    many = "rack R { gpu[140] : Gpu; connect gpu.n as ring over Board(0.1 m) }\nsystem s : R\n"
    with pytest.raises(CannotExportError, match="holds 128 others"):
        written(many, tmp_path)
