"""Graph files, read by those they are for: NetworkX and igraph."""

from __future__ import annotations

import json
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from tests.export.machines import PODS, fabric
from unifiedbus_dsl import export
from unifiedbus_dsl.base.progress import listen

FORMS = ("json", "graphml", "cytoscape", "graphology")
BIG = PODS.replace("cabinet[4]", "cabinet[200]").replace("p[8]", "p[400]").replace("columns = 2", "columns = 20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    for form in FORMS:
        export.write(fabric(), form, folder / f"pod.{form}")
    return folder


def plain(graph: Any) -> tuple[dict[str, Any], set[Any]]:
    """Nodes with their facts, and cables with both ends by name."""
    nodes = {name: (data["kind"], data["type"]) for name, data in graph.nodes(data=True)}
    return nodes, {
        (
            data["a"],
            data["a_port"],
            data["b"],
            data["b_port"],
            data["link"],
            data["lanes"],
            data["rate"],
            data["length"],
        )
        for _, _, data in graph.edges(data=True)
    }


def test_networkx_reads_the_json(folder: Path) -> None:
    data = json.loads((folder / "pod.json").read_text())
    graph = nx.node_link_graph(data, edges="edges")
    assert graph.is_multigraph()
    assert not graph.is_directed()
    ours = fabric().to_networkx()
    assert plain(graph) == plain(ours)
    assert set(graph.edges(keys=True)) == set(ours.edges(keys=True))


def test_networkx_reads_the_graphml(folder: Path) -> None:
    graph = nx.read_graphml(folder / "pod.graphml", force_multigraph=True)
    names = nx.get_node_attributes(graph, "name")
    for a, b, key, data in graph.edges(keys=True, data=True):
        ends = [f"{names[f'n{data[side]}']}.{data[f'{side}_port']}" for side in "ab"]
        assert fabric().cable_name(int(key[1:])) == " -- ".join(ends)
        assert {a, b} == {f"n{data['a']}", f"n{data['b']}"}
    assert sorted(names.values()) == sorted(fabric().to_networkx().nodes)
    assert sum(nx.get_node_attributes(graph, "endpoints").values()) == 64
    assert {type(v) for v in nx.get_edge_attributes(graph, "rate").values()} == {float}


def test_igraph_reads_the_graphml(folder: Path) -> None:
    igraph = pytest.importorskip("igraph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = igraph.Graph.Read_GraphML(str(folder / "pod.graphml"))
    assert (graph.vcount(), graph.ecount()) == (fabric().device_count, fabric().cable_count)
    assert graph.vs[0]["name"] == fabric().device_name(0)
    ours = fabric().to_networkx()
    assert graph.diameter() == nx.diameter(ours)


def test_cytoscape_gets_compound_nodes(folder: Path) -> None:
    """Ids are texts, one for nodes and edges together; every parent is there; the rest is what NetworkX has."""
    elements = json.loads((folder / "pod.cytoscape").read_text())["elements"]
    nodes = {node["data"]["id"]: node["data"] for node in elements["nodes"]}
    edges = {edge["data"]["id"]: edge["data"] for edge in elements["edges"]}
    assert len(nodes.keys() | edges.keys()) == len(elements["nodes"]) + len(elements["edges"])
    inner = {data["name"]: data for data in nodes.values() if data["kind"] != "assembly"}
    for data in nodes.values():
        around = data["name"].rpartition(".")[0]
        assert (nodes[data["parent"]]["name"] if "parent" in data else "") == around
    assert len(nodes) - len(inner) == 4 + 16  # cabinets and their servers
    graph = nx.MultiGraph()
    graph.add_nodes_from(inner.items())
    graph.add_edges_from((nodes[of["source"]]["name"], nodes[of["target"]]["name"], of) for of in edges.values())
    assert plain(graph) == plain(fabric().to_networkx())


def test_graphology_gets_an_undirected_multigraph(folder: Path) -> None:
    data = json.loads((folder / "pod.graphology").read_text())
    assert data["options"] == {"type": "undirected", "multi": True, "allowSelfLoops": True}
    graph = nx.MultiGraph()
    graph.add_nodes_from((node["key"], node["attributes"]) for node in data["nodes"])
    assert {edge["source"] for edge in data["edges"]} | {edge["target"] for edge in data["edges"]} <= set(graph)
    assert all(edge["undirected"] is True for edge in data["edges"])
    assert len({edge["key"] for edge in data["edges"]}) == len(data["edges"])
    graph.add_edges_from((edge["source"], edge["target"], edge["attributes"]) for edge in data["edges"])
    assert plain(graph) == plain(fabric().to_networkx())


@pytest.mark.parametrize("form", [*FORMS, "cables"])
def test_memory_is_bounded_and_progress_is_told(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export.common import stream

    monkeypatch.setattr(stream, "PIECE", 256)
    machine = fabric(BIG)
    steps: list[tuple[str, int]] = []
    tracemalloc.start()
    try:
        with listen(lambda title, done, total: steps.append((title, done))):
            export.write(machine, form, tmp_path / "big")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = (tmp_path / "big").stat().st_size
    assert size > 1_500_000
    assert peak < size / 2
    assert ("write cables", machine.cable_count) in steps


def test_same_machine_same_bytes(folder: Path, tmp_path: Path) -> None:
    for form in FORMS:
        export.write(fabric(), form, tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == (folder / f"pod.{form}").read_bytes()
