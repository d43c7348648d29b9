"""Elements for Cytoscape.js (js.cytoscape.org, "Elements JSON"), which Cytoscape itself reads as `.cyjs`.

Every element holds what it is in `data`. Assemblies are compound nodes: each device names the one around it as its
`parent`. Ids of cables have a space, which no name in a machine has.
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
    yield f'{{"data":{json.compact({"name": fabric.plan.system})},\n"elements":{{"nodes":'
    yield from graph_json.array(graph_json.nodes(fabric, gone, _Nodes()))
    yield ',\n"edges":'
    yield from graph_json.array(graph_json.edges(fabric, gone, _edge))
    yield "}}\n"


class _Nodes:
    """Writes each device, and before the first one of an assembly the assembly."""

    def __init__(self) -> None:
        self._above: list[str] = []

    def __call__(self, name: str, members: str) -> str:
        path = name[1:-1].split(".")[:-1]
        known = 0
        while known < min(len(path), len(self._above)) and path[known] == self._above[known]:
            known += 1
        lines = [_element(path[: n + 1]) for n in range(known, len(path))]
        self._above = path
        parent = f'"parent":"{".".join(path)}",' if path else ""
        return ",\n".join([*lines, f'{{"data":{{"id":{name},{parent}{members}}}}}'])


def _element(path: list[str]) -> str:
    parent = f'"parent":"{".".join(path[:-1])}",' if path[1:] else ""
    return f'{{"data":{{"id":"{".".join(path)}",{parent}"kind":"assembly"}}}}'


def _edge(cable: int, a: str, b: str, members: str) -> str:
    return f'{{"data":{{"id":"cable {cable}","source":{a},"target":{b},{members}}}}}'


FORMAT = Format(
    "cytoscape",
    "elements for Cytoscape.js, assemblies as compound nodes",
    "fabric",
    "cyjs",
    write,
    ("types of devices", "arrays and rules (each cable stands alone)", "places"),
    partial=True,
)
