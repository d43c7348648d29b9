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
from unifiedbus_dsl.export.base import Format, Gone, Subject
from unifiedbus_dsl.export.stream import cable_runs, device_runs, kind_facts, write_text
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.fabric.names import device_names, spares
from unifiedbus_dsl.plan import AssemblyType, Plan, serial


def write(subject: Subject, path: Path, sink: Sink) -> None:
    write_text(path, _parts(subject.fabric, subject.gone))


def types_text(plan: Plan) -> str:
    """The types of a plan as JSON, its assemblies left out: what devices, links and protocols are."""
    empty = AssemblyType("machine", "module", ())
    return json.inert(serial.dump(evolve(plan, root="machine", assemblies={"machine": empty})).decode())


def _parts(fabric: Fabric, gone: Gone | None) -> Iterator[str]:
    plan = fabric.plan
    graph = {"name": plan.system, "format": "ubusc", "version": 1}
    head = json.compact(graph)[:-1]
    yield f'{{"directed":false,"multigraph":true,"graph":{head},"machine":{types_text(plan)}}},\n"nodes":['
    comma = "\n"
    for text in _nodes(fabric, gone):
        yield comma + text
        comma = ",\n"
    yield '\n],\n"edges":['
    comma = "\n"
    for text in _edges(fabric, gone):
        yield comma + text
        comma = ",\n"
    yield "\n]}\n"


def _nodes(fabric: Fabric, gone: Gone | None) -> Iterator[str]:
    plan = fabric.plan
    extra = [_inside({"kind": of.kind, "type": of.key}) for of in plan.devices.values()]
    spare = spares(plan)
    for ids in device_runs(fabric, gone):
        types = fabric.device_type[ids].tolist()
        names = device_names(plan, ids).tolist()
        marks = spare[ids].tolist()
        yield ",\n".join(
            f'{{"id":{name},"device":{device},{extra[t]}{_SPARE if mark else ""}}}'
            for name, device, t, mark in zip(map(json.string, names), ids.tolist(), types, marks, strict=True)
        )


_SPARE = ',"spare":true'


def _edges(fabric: Fabric, gone: Gone | None) -> Iterator[str]:
    extra = [
        _inside({
            "link": k.link, "medium": k.medium, "lanes": k.lanes, "rate": k.rate, "length": k.length,
            "latency": k.latency,
        })
        for k in kind_facts(fabric)
    ]  # fmt: skip
    for run in cable_runs(fabric, "write cables", gone=gone):
        ends = [map(json.string, texts) for texts in (run.a_name, run.a_port, run.b_name, run.b_port)]
        yield ",\n".join(
            f'{{"source":{a},"target":{b},"key":{cable},"a":{a},"a_port":{ap},"b":{b},"b_port":{bp},{extra[kind]}}}'
            for cable, a, ap, b, bp, kind in zip(run.ids, *ends, run.kind, strict=True)
        )


def _inside(values: dict[str, object]) -> str:
    return json.compact(values)[1:-1]


FORMAT = Format(
    "json",
    "node-link JSON, for NetworkX, d3 and your own programs",
    "fabric",
    "json",
    write,
    ("arrays and rules (each cable stands alone)", "places"),
    "cables",
    partial=True,
)
