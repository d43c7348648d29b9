"""A graph for graphology (graphology.github.io, "Serialization"), which sigma.js draws: `Graph.from(data)`.

Nodes and edges have a `key` and their `attributes`; the graph is undirected and has parallel edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask
from unifiedbus_dsl.export.common import graph_json
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.ir.fabric import Fabric


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _parts(subject.fabric, subject.gone))


def _parts(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    options = {"type": "undirected", "multi": True, "allowSelfLoops": True}
    head = {"attributes": {"name": fabric.plan.system}, "options": options}
    yield json.compact(head)[:-1] + ',\n"nodes":'
    yield from graph_json.array(graph_json.nodes(fabric, gone, _node))
    yield ',\n"edges":'
    yield from graph_json.array(graph_json.edges(fabric, gone, _edge))
    yield "}\n"


def _node(_: int, name: str, members: str) -> str:
    return f'{{"key":{name},"attributes":{{{members}}}}}'


def _edge(cable: int, _: int, __: int, a: str, b: str, members: str) -> str:
    return f'{{"key":"cable {cable}","source":{a},"target":{b},"undirected":true,"attributes":{{{members}}}}}'


FORMAT = Format(
    "graphology",
    "a graph for graphology and sigma.js",
    "fabric",
    "graphology.json",
    write,
    ("types of devices", "arrays and rules (each cable stands alone)", "places"),
    supports_outages=True,
)
