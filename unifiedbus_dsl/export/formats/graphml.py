"""GraphML (graphml.graphdrawing.org, schema 1.1), as NetworkX, igraph, Gephi and yEd read it.

Node and edge ids are `n7` and `e7` with the numbers of device and cable, as GraphML's ids may not have brackets; the
name of a device is its `name`. The hierarchy is the path in that name: most readers know no nested graphs. Few readers
keep the ports of GraphML, and some swap the ends of an undirected edge, so both ends are data of the edge: numbers of
devices `a` and `b`, names of ports `a_port` and `b_port`. A control character, which XML can't write, stands as
`_x0001_` (see `unifiedbus_dsl.escape.xml`). `endpoints` is what SST's `topoAny` wants. Written in bounded
memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import xml
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask
from unifiedbus_dsl.export.common.stream import KindFacts, cable_runs, device_runs, kind_facts, site_facts, write_text
from unifiedbus_dsl.export.formats.node_link import types_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names, spares

KEYS = (
    ("name", "node", "string"),
    ("kind", "node", "string"),
    ("type", "node", "string"),
    ("endpoints", "node", "int"),
    ("spare", "node", "boolean"),
    ("guid", "node", "string"),
    ("host", "node", "string"),
    ("a", "edge", "int"),
    ("a_port", "edge", "string"),
    ("b", "edge", "int"),
    ("b_port", "edge", "string"),
    ("link", "edge", "string"),
    ("medium", "edge", "string"),
    ("lanes", "edge", "int"),
    ("rate", "edge", "double"),
    ("latency", "edge", "double"),
    ("length", "edge", "double"),
    ("system", "graph", "string"),
    ("machine", "graph", "string"),
)
"""Name, what it belongs to, type. Rates in byte/s each way, latencies in seconds, lengths in metres."""

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.1/graphml.xsd">
"""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _parts(subject.fabric, subject.gone))


def _parts(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    yield HEAD
    for name, owner, kind in KEYS:
        yield f'<key id="{name}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>\n'
    yield f'<graph id={xml.attribute(fabric.plan.system)} edgedefault="undirected">\n'
    yield _data("system", fabric.plan.system) + "\n"
    yield _data("machine", types_text(fabric.plan)) + "\n"
    yield from _nodes(fabric, gone)
    yield from _edges(fabric, gone)
    yield "</graph>\n</graphml>\n"


def _nodes(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    plan = fabric.plan
    extra = [
        _data("kind", of.kind) + _data("type", of.key) + _data("endpoints", int(of.kind != "switch"))
        for of in plan.devices.values()
    ]
    mark = _data("spare", "true")
    spare = spares(plan)
    for ids in device_runs(fabric, gone):
        columns = (
            ids.tolist(),
            map(xml.kept, device_names(plan, ids).tolist()),
            fabric.device_type[ids].tolist(),
            spare[ids],
            ["".join(_data(key, text) for key, text in facts.items()) for facts in site_facts(fabric, ids)],
        )
        yield "".join(
            f'<node id="n{device}"><data key="name">{name}</data>{extra[t]}{mark if idle else ""}{site}</node>\n'
            for device, name, t, idle, site in zip(*columns, strict=True)
        )


def _edges(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    extra = [_facts(k) for k in kind_facts(fabric)]
    for run in cable_runs(fabric, "write cables", gone=gone):
        yield "".join(
            f'<edge id="e{cable}" source="n{a}" target="n{b}"><data key="a">{a}</data><data key="a_port">{ap}</data>'
            f'<data key="b">{b}</data><data key="b_port">{bp}</data>{extra[kind]}</edge>\n'
            for cable, a, ap, b, bp, kind in zip(
                run.ids, run.a, map(xml.kept, run.a_port), run.b, map(xml.kept, run.b_port), run.kind, strict=True
            )
        )


def _facts(kind: KindFacts) -> str:
    data = _data("link", kind.link) + _data("medium", kind.medium) + _data("lanes", kind.lanes)
    data += ("" if kind.rate is None else _data("rate", kind.rate)) + _data("latency", kind.latency)
    return data if kind.length is None else data + _data("length", kind.length)


def _data(key: str, value: object) -> str:
    return f'<data key="{key}">{xml.kept(str(value))}</data>'


FORMAT = Format(
    "graphml",
    "GraphML, for NetworkX, igraph, Gephi, yEd and SST",
    "fabric",
    "graphml",
    write,
    ("arrays and rules (each cable stands alone)", "places"),
    "cables",
    supports_outages=True,
)
