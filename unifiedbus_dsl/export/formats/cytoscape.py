"""Elements for Cytoscape.js (js.cytoscape.org, "Elements JSON"), which Cytoscape itself reads as `.cyjs`.

Every element holds what it is in `data`. Assemblies are compound nodes, named by their path: each device has the one
around it as its `parent`. Ids are made of numbers, as nodes and edges share them and names may be any texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask
from unifiedbus_dsl.export.common import graph_json
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import named_elements
from unifiedbus_dsl.ir.plan import Plan


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _parts(subject.fabric, subject.gone))


def _parts(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    yield f'{{"data":{json.compact({"name": fabric.plan.system})},\n"elements":{{"nodes":'
    yield from graph_json.array(graph_json.nodes(fabric, gone, _Nodes(fabric.plan)))
    yield ',\n"edges":'
    yield from graph_json.array(graph_json.edges(fabric, gone, _edge))
    yield "}}\n"


class _Nodes:
    """Writes each device, and before the first one of an assembly the assembly."""

    def __init__(self, plan: Plan) -> None:
        self._lines: list[str] = []
        self._above: list[int] = []
        self._last = np.zeros(plan.device_count[plan.root], dtype=np.int64) - 1
        if plan.root in plan.assemblies:
            self._enter(plan, plan.root, 0, -1, "")
        self._parent = self._last.tolist()
        self._written = [False] * len(self._lines)

    def _enter(self, plan: Plan, key: str, start: int, number: int, path: str) -> None:
        """Number the assemblies in one that begins with device `start`, and note of each device the innermost."""
        for child, offset in zip(plan.assemblies[key].children, plan.numbering.child_starts[key], strict=False):
            size = plan.device_count[child.type]
            if child.type not in plan.assemblies or not size:
                continue
            for n, name in enumerate(named_elements(child, np.arange(child.count)).tolist()):
                own, inner = len(self._lines), f"{path}.{name}" if path else name
                first = start + offset + n * size
                parent = f'"parent":"a{number}",' if number >= 0 else ""
                self._lines.append(
                    f'{{"data":{{"id":"a{own}",{parent}"name":{json.string(inner)},"kind":"assembly"}}}}'
                )
                self._above.append(number)
                self._last[first : first + size] = own
                self._enter(plan, child.type, first, own, inner)

    def __call__(self, device: int, name: str, members: str) -> str:
        lines: list[str] = []
        number = self._parent[device]
        parent = f'"parent":"a{number}",' if number >= 0 else ""
        while number >= 0 and not self._written[number]:
            self._written[number] = True
            lines.append(self._lines[number])
            number = self._above[number]
        lines.reverse()
        lines.append(f'{{"data":{{"id":"d{device}",{parent}"name":{name},{members}}}}}')
        return ",\n".join(lines)


def _edge(cable: int, one: int, two: int, _: str, __: str, members: str) -> str:
    return f'{{"data":{{"id":"c{cable}","source":"d{one}","target":"d{two}",{members}}}}}'


FORMAT = Format(
    "cytoscape",
    "elements for Cytoscape.js, assemblies as compound nodes",
    "fabric",
    "cyjs",
    write,
    ("types of devices", "arrays and rules (each cable stands alone)", "places"),
    supports_outages=True,
)
