"""Node-link JSON: `nodes` with `id`; `edges` (or `links`) with `source` and `target`, and ports as `a_port`, `b_port`.

The types of devices and links come along in what `ubusc export` wrote.
"""

from __future__ import annotations

import json
import re
from typing import Any

from unifiedbus_dsl.importer.doubts import NO_END, Doubts, shown
from unifiedbus_dsl.importer.graphs import Graph
from unifiedbus_dsl.importer.jsons import load
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source, begins
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.importer.types import types_of

_IS_IT = re.compile(r'"(nodes|edges|links)"\s*:\s*\[|"(directed|multigraph)"\s*:')


def is_it(head: str) -> bool:
    """Return whether a text begins as node-link JSON."""
    return begins(head, "{") and _IS_IT.search(head) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and edges of a file.

    Raises:
        ImportFailed: it is no JSON, or has no nodes.
        OSError: the file can't be read.
    """
    data = load(source, doubts)
    edges = data.get("edges", data.get("links", [])) if isinstance(data, dict) else None
    if not isinstance(edges, list) or not isinstance(data.get("nodes"), list):
        raise ImportFailed(f"`{source.title}`: node-link JSON has `nodes` and `edges`")
    head = data["graph"] if isinstance(data.get("graph"), dict) else {}
    table = Table(str(head.get("name") or source.stem), doubts)
    if head.get("machine"):
        table.types = types_of(json.dumps(head["machine"]), source.title)
    graph = Graph(table, data.get("directed") is True)
    for node in data["nodes"]:
        graph.node(_id(node, "id", source), node)
    for place, edge in enumerate(edges):
        _edge(edge, place, graph, source)
    return graph.done()


def _edge(edge: Any, place: int, graph: Graph, source: Source) -> None:
    a, b = (_id(edge, key, source) for key in ("source", "target"))
    if {str(edge.get("a")), str(edge.get("b"))} <= graph.numbers.keys():
        a, b = str(edge["a"]), str(edge["b"])  # ports are told of these, which a graph may have turned round
    missing = [id_ for id_ in (a, b) if id_ not in graph.numbers]
    if missing:
        graph.table.doubts.add(NO_END, 0, f"edge {place}: there is no node {shown(missing[0])}")
        return
    graph.edge((a, b), edge, 0)


def _id(node: Any, key: str, source: Source) -> str:
    if not isinstance(node, dict) or node.get(key) in (None, ""):
        said = json.dumps(node, ensure_ascii=False)
        raise ImportFailed(f"`{source.title}`: {shown(said)} has no `{key}`")
    return str(node[key])
