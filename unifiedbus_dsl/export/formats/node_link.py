"""Node-link JSON, as NetworkX and d3 read it: `nodes` with `id`, `edges` with `source`, `target` and `key`.

`networkx.node_link_graph(data, edges="edges")` gives the graph of `Fabric.to_networkx`, with `device` in place of `id`.
The graph's `machine` holds the types of devices, links and protocols, so that an import gives the same machine.
One node or edge a line, written in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask
from unifiedbus_dsl.export.common import graph_json
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import AssemblyType, Plan, Site, serial


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _parts(subject.fabric, subject.gone))


def types_text(plan: Plan) -> str:
    """Return the types of a plan as JSON, its assemblies left out: what devices, links and protocols are."""
    empty = AssemblyType("machine", "module", ())
    ports = None if plan.site is None else Site(ports=plan.site.ports)
    return json.inert(serial.dump(evolve(plan, root="machine", assemblies={"machine": empty}, site=ports)).decode())


def _parts(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    plan = fabric.plan
    graph = {"name": plan.system, "format": "ubusc", "version": 1}
    head = json.compact(graph)[:-1]
    yield f'{{"directed":false,"multigraph":true,"graph":{head},"machine":{types_text(plan)}}},\n"nodes":'
    yield from graph_json.array(graph_json.nodes(fabric, gone, _node))
    yield ',\n"edges":'
    yield from graph_json.array(graph_json.edges(fabric, gone, _edge))
    yield "}\n"


def _node(_: int, name: str, members: str) -> str:
    return f'{{"id":{name},{members}}}'


def _edge(cable: int, _: int, __: int, a: str, b: str, members: str) -> str:
    return f'{{"source":{a},"target":{b},"key":{cable},{members}}}'


FORMAT = Format(
    "json",
    "node-link JSON, for NetworkX, d3 and your own programs",
    "fabric",
    "json",
    write,
    ("arrays and rules (each cable stands alone)", "places"),
    "cables",
    supports_outages=True,
)
