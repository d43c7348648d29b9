"""InfraGraph, expanded as its service expands it, and by the service itself where it is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import yaml

from tests.export.machines import PODS, compiled, fabric
from unifiedbus_dsl import compiler, export, importer
from unifiedbus_dsl.export.formats import infragraph
from unifiedbus_dsl.ir.fabric import Fabric

SPECS = Path(__file__).parents[2] / "specs"


def indices(text: str, count: int) -> range:
    """The numbers in the brackets of `name[…]`, in Python's notation of slices."""
    inside = text[text.index("[") + 1 : -1]
    parts = [int(part) for part in inside.split(":")]
    assert parts[0] < count, "out of range"
    if len(parts) == 1:
        return range(parts[0], parts[0] + 1)
    assert parts[1] <= count, "out of range"
    return range(count)[slice(*parts)]


def expanded(data: dict[str, Any]) -> tuple[dict[str, str], Iterator[tuple[str, str, dict[str, Any]]]]:
    """The sort of each node, and the edges between instances with their links (`_parse_infrastructure_edges`)."""
    devices = {device["name"]: device for device in data["devices"]}
    counts = {each["name"]: (each["device"], each["count"]) for each in data["instances"]}
    sizes = {name: {part["name"]: part["count"] for part in of["components"]} for name, of in devices.items()}
    links = {link["name"]: link["physical"] for link in data["links"]}
    sorts = {
        f"{name}.{n}.{part['name']}.{m}": part["choice"]
        for name, (device, count) in counts.items()
        for n in range(count)
        for part in devices[device]["components"]
        for m in range(part["count"])
    }

    def ends(end: dict[str, str]) -> list[str]:
        instance, component = end["instance"].split("[")[0], end["component"].split("[")[0]
        device, count = counts[instance]
        chosen = product(indices(end["instance"], count), indices(end["component"], sizes[device][component]))
        return [f"{instance}.{n}.{component}.{m}" for n, m in chosen]

    def edges() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for edge in data["edges"]:
            assert edge["scheme"] == "one2one"
            for a, b in zip(ends(edge["ep1"]), ends(edge["ep2"]), strict=True):
                yield a, b, links[edge["link"]]

    return sorts, edges()


def written(machine: Fabric, path: Path) -> dict[str, Any]:
    export.write(machine, "infragraph", path)
    data: dict[str, Any] = json.loads(path.read_text())
    for name in re.findall(r'"name":"([^"]*)"', path.read_text()):
        assert re.fullmatch(r"[\sa-zA-Z0-9\-_()><\[\]]+", name)
    return data


def cables(machine: Fabric) -> set[frozenset[tuple[int, int]]]:
    columns = (machine.a_device, machine.a_port, machine.b_device, machine.b_port)
    return {frozenset(((a, p), (b, q))) for a, p, b, q in zip(*(c.tolist() for c in columns), strict=True)}


def found(machine: Fabric, data: dict[str, Any]) -> set[frozenset[tuple[int, int]]]:
    """The cables of a file, its instances and ports being numbers of ours in their order."""
    plan = machine.plan
    of_type = [np.flatnonzero(machine.device_type == n).tolist() for n in range(len(plan.devices))]
    types = {device["name"]: n for n, device in enumerate(data["devices"])}
    starts = []
    for device, of in zip(data["devices"], plan.devices.values(), strict=True):
        arrays = [part["name"] for part in device["components"] if part["choice"] == "port"]
        firsts = np.concatenate([[0], np.cumsum([array.count for array in of.ports])])[:-1].tolist()
        starts.append(dict(zip(arrays, firsts, strict=True)))

    def end(node: str) -> tuple[int, int]:
        name, n, array, m = node.split(".")
        return of_type[types[name]][int(n)], starts[types[name]][array] + int(m)

    listed = [frozenset((end(a), end(b))) for a, b, _ in expanded(data)[1]]
    assert len(set(listed)) == len(listed)
    return set(listed)


@pytest.mark.parametrize(
    ("spec", "system"),
    [("", ""), ("huawei/ub-mesh-racks.ubus", "mesh2d"), ("nvidia/dgx.ubus", "h100"), ("textbook/dragonfly.ubus", "")],
)
def test_every_cable_is_in_a_slice(spec: str, system: str, tmp_path: Path) -> None:
    machine = compiler.compile(SPECS / spec).fabric(system or None) if spec else fabric()
    data = written(machine, tmp_path / "i.json")
    assert found(machine, data) == cables(machine)
    sorts, edges = expanded(data)
    assert list(sorts.values()).count("xpu") == len(machine.blocks("npu")[0])
    assert {physical["bandwidth"]["gigabits_per_second"] for _, _, physical in edges} == {
        round(k.capacity * 8e-9, 9) for k in infragraph.kind_facts(machine)
    }


def test_arrays_are_few_edges(tmp_path: Path) -> None:
    """An NPU of each server to the same leaf is one slice of devices, and of ports of the leaf."""
    data = written(fabric(), tmp_path / "i.json")
    assert len(data["edges"]) < fabric().cable_count / 3
    assert [(each["device"], each["count"]) for each in data["instances"]] == [("chip", 64), ("leaf", 8), ("spine", 2)]


def test_the_figure_of_its_page(tmp_path: Path) -> None:
    machine = compiler.compile(SPECS / "huawei" / "atlas-850.ubus").fabric()
    data = written(machine, tmp_path / "i.json")
    assert (machine.cable_count, len(data["edges"])) == (7680, 1281)


def test_runs_are_slices_with_a_step() -> None:
    columns = np.asarray([[0, 4, 8, 9, 9], [1, 1, 1, 0, 1], [0, 0, 0, 5, 5], [2, 3, 4, 0, 1]])
    assert infragraph.runs(columns) == [(("0:9:4", "1"), ("0", "2:5")), (("9", "0:2"), ("5", "0:2"))]
    apart = np.asarray([[0, 1], [0, 1], [0, 0], [0, 1]])  # a device and a port at once are no slice
    assert len(infragraph.runs(apart)) == 2
    assert len(infragraph.runs(np.asarray([[3, 2], [0, 0], [0, 1], [0, 0]]))) == 2  # nor what goes down


# ---- read back --------------------------------------------------------------------------------------------------


def degrees(machine: Fabric) -> list[tuple[str, int]]:
    graph = machine.to_networkx()
    return sorted((graph.nodes[name]["kind"], degree) for name, degree in graph.degree())


@pytest.mark.parametrize(
    ("spec", "system"),
    [("", ""), ("nvidia/dgx.ubus", "h100"), ("textbook/dragonfly.ubus", ""), ("others/frontier.ubus", "cabinets")],
)
def test_what_was_written_is_read_as_the_same_machine(spec: str, system: str, tmp_path: Path) -> None:
    machine = compiler.compile(SPECS / spec).fabric(system or None) if spec else fabric()
    written(machine, tmp_path / "i.json")
    found_ = importer.read(tmp_path / "i.json")
    assert found_.form == "infragraph"
    again = found_.fabric()
    assert (again.device_count, again.cable_count) == (machine.device_count, machine.cable_count)
    assert degrees(again) == degrees(machine)
    wanted = sorted({round(k.capacity) for k in infragraph.kind_facts(machine)})
    assert sorted({round(k.capacity) for k in infragraph.kind_facts(again)}) == wanted


COMPOSED = yaml.safe_load("""
name: lab
devices:
- name: card
  components: [{name: ep, count: 1, choice: nic}, {name: port, count: 2, choice: port}]
  links: [{name: in}]
  edges: [{ep1: {component: ep}, ep2: {component: port}, scheme: many2many, link: in}]
- name: host
  components: [{name: xpu, count: 4, choice: xpu}, {name: card, count: 2, choice: device}]
  links: [{name: pcie, physical: {bandwidth: {choice: gigabytes_per_second, gigabytes_per_second: 64}}}]
  edges:
  - {ep1: {component: "xpu[:2]"}, ep2: {component: "card[0].ep[0]"}, scheme: many2many, link: pcie}
  - {ep1: {component: "xpu[-2:]"}, ep2: {device: "card[1]", component: "ep[0]"}, scheme: many2many, link: pcie}
- name: tor
  components: [{name: asic, count: 1, choice: switch}, {name: port, count: 8, choice: port}]
  links: [{name: in}]
  edges: [{ep1: {component: "asic[0]"}, ep2: {component: "port[0:8]"}, scheme: many2many, link: in}]
links: [{name: eth, physical: {bandwidth: {choice: gigabits_per_second, gigabits_per_second: 400}}}]
instances: [{name: host, device: host, count: 2}, {name: tor, device: tor, count: 1}]
edges:
- ep1: {instance: "host[0:2]", component: "card[0:2].port[0:2]"}
  ep2: {instance: "tor[0]", component: "port[::1]"}
  scheme: one2one
  link: eth
""")


def test_devices_in_devices(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text(json.dumps(COMPOSED))
    listing = importer.read(tmp_path / "lab.json").listing()
    kinds = {device.name: device.kind for device in listing.devices}
    assert kinds == {
        **{f"host.{h}.xpu.{n}": "npu" for h in range(2) for n in range(4)},
        **{f"host.{h}.card.{n}.ep.0": "nic" for h in range(2) for n in range(2)},
        "tor.0": "switch",
    }
    joined = {(cable.a[0], cable.b[0]): cable for cable in listing.cables}
    assert joined["host.1.xpu.3", "host.1.card.1.ep.0"].rate == 64e9
    ends = [(cable.a, cable.b) for cable in listing.cables if cable.link == "eth"]
    assert (("host.1.card.0.ep.0", "card.0.port[1]"), ("tor.0", "port[5]")) in ends
    assert len(ends) == 8
    assert importer.read_fabric(tmp_path / "lab.json").cable_count == 8 + 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["devices"][1]["components"][1].update(name="host"), "inside itself"),
        (lambda d: d["devices"][1]["components"][1].update(name="nocard"), "no device `nocard`"),
        (lambda d: d["instances"][0].update(count=-1), "the count of instance `host` is `-1`"),
        (lambda d: d["instances"][0].update(count=10**9), "is `1000000000`"),
        (lambda d: d["edges"][0]["ep1"].update(instance="hosts[0]"), "no instance `hosts`"),
        (lambda d: d["edges"][0]["ep1"].update(component="xpus[0]"), "no component `xpus`"),
        (lambda d: d["edges"][0]["ep1"].update(instance="host[a:b]"), "is no slice"),
        (lambda d: d["edges"][0]["ep1"].update(instance="host[0:2:0]"), "is no slice"),
        (lambda d: d["edges"][0].update(scheme="ring"), "the scheme `ring`"),
        (lambda d: d["edges"][0].pop("ep2"), "has no `ep2`"),
        (lambda d: d.update(instances=[3]), "no list of objects"),
        (lambda d: d.update(instances=[]), "has `devices` and `instances`"),
    ],
)
def test_what_is_wrong_is_told(change: Any, words: str, tmp_path: Path) -> None:
    data = json.loads(json.dumps(COMPOSED))
    change(data)
    (tmp_path / "lab.json").write_text(json.dumps(data))
    with pytest.raises(importer.ImportFailed, match=re.escape(words)):
        importer.read(tmp_path / "lab.json")


def test_a_blueprint_of_its_own_library_is_read(tmp_path: Path) -> None:
    service_module = pytest.importorskip("infragraph.infragraph_service")
    fabrics = pytest.importorskip("infragraph.blueprints.fabrics.clos_fat_tree_fabric")
    generic = pytest.importorskip("infragraph.blueprints.devices.generic.generic_switch")
    server = pytest.importorskip("infragraph.blueprints.devices.generic.server")
    blueprint = fabrics.ClosFatTreeFabric(generic.Switch(port_count=4), server.Server(npu_factor=1), 2, [])
    service = service_module.InfraGraphService()
    service.set_graph(blueprint)
    theirs = service.get_networkx_graph()
    (tmp_path / "clos.json").write_text(blueprint.serialize())
    ours = importer.read_fabric(tmp_path / "clos.json")
    ports = [node for node, of in theirs.nodes(data=True) if of["type"] == "port"]
    assert ours.device_count == theirs.number_of_nodes() - len(ports)
    assert ours.cable_count == theirs.number_of_edges() - len(ports)  # each has one to its chip
    assert len(ours.blocks("npu")[0]) == sum(of["type"] == "xpu" for _, of in theirs.nodes(data=True))


def test_its_own_service_gets_our_graph(tmp_path: Path) -> None:
    service_module = pytest.importorskip("infragraph.infragraph_service")
    text = PODS
    machine = compiled(text).fabric()
    export.write(machine, "infragraph", tmp_path / "i.json")
    service = service_module.InfraGraphService()
    service.set_graph((tmp_path / "i.json").read_text())
    theirs = service.get_networkx_graph()
    chips = [node for node, data in theirs.nodes(data=True) if data["type"] != "port"]
    assert len(chips) == machine.device_count
    between = [(a, b) for a, b in theirs.edges if a.split(".")[:2] != b.split(".")[:2]]
    assert len(between) == machine.cable_count
    folded = nx.MultiGraph()
    folded.add_edges_from((".".join(a.split(".")[:2]), ".".join(b.split(".")[:2])) for a, b in between)
    ours = machine.to_networkx()
    assert sorted(d for _, d in folded.degree()) == sorted(d for _, d in ours.degree())
    assert nx.diameter(nx.Graph(folded)) == nx.diameter(nx.Graph(ours))


def test_infragraph_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infragraph, "MOST_CABLES", 10)
    with pytest.raises(export.CannotExportError, match="service expands"):
        export.write(fabric(), "infragraph", tmp_path / "i.json")
