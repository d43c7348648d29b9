"""Nodes and edges for Grafana's node graph (grafana/grafana, `public/app/plugins/panel/nodeGraph/utils.ts`).

A list of nodes and one of edges, each row an object whose keys are the fields of a data frame. Ids are made of the
numbers of devices: the panel keeps nodes under their ids as keys of an object, where some names mean something else.
It draws an edge as a straight line, so all cables of two devices are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, left_out, remark
from unifiedbus_dsl.export.common import graph_json
from unifiedbus_dsl.export.common.colours import FILLS, OTHER
from unifiedbus_dsl.export.common.pairs import Pairs, pairs_of
from unifiedbus_dsl.export.common.stream import device_runs, number, pieces, write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names, spares

SHOWN = 200
"""Nodes that the panel shows at once; the others are behind a click."""
WIDEST = 8
"""Pixels of an edge at the most."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    if fabric.device_count > SHOWN:
        message = f"Grafana shows {SHOWN} nodes at once, and here are {fabric.device_count:,} devices"
        remark(sink, "UB0806", message, "the others come up by a click on their neighbours; or export a part")
    inner = int((fabric.a_device == fabric.b_device).sum())
    if inner:
        left_out(
            sink, f"an edge of Grafana joins two nodes: {inner:,} cables from a device to itself were lost", "json"
        )
    write_text(path, _parts(fabric, pairs_of(fabric)))


def _parts(fabric: Fabric, pairs: Pairs) -> Iterator[str]:
    yield '{"nodes":'
    yield from graph_json.array(_nodes(fabric))
    yield ',\n"edges":'
    yield from graph_json.array(_edges(pairs))
    yield "}\n"


def _nodes(fabric: Fabric) -> Iterator[str]:
    spare = spares(fabric.plan)
    looks = [
        {
            "subtitle": of.key, "color": FILLS.get(of.kind, OTHER), "detail__kind": of.kind,
        }
        for of in fabric.plan.devices.values()
    ]  # fmt: skip
    for ids in device_runs(fabric):
        rows = zip(ids.tolist(), device_names(fabric.plan, ids).tolist(), fabric.device_type[ids].tolist(), strict=True)
        yield ",\n".join(
            json.compact(
                {"id": f"d{device}", "title": name, **looks[of], "detail__spare": "yes" if spare[device] else ""}
            )
            for device, name, of in rows
        )


def _edges(pairs: Pairs) -> Iterator[str]:
    columns = pairs.a, pairs.b, pairs.count, pairs.rate, pairs.latency
    for start, stop in pieces(len(pairs.a), "write edges"):
        rows = zip(*(column[start:stop].tolist() for column in columns), strict=True)
        yield ",\n".join(json.compact(_edge(start + place, *row)) for place, row in enumerate(rows))


def _edge(place: int, a: int, b: int, cables: int, rate: float, latency: float) -> dict[str, str | int]:
    return {
        "id": f"c{place}",
        "source": f"d{a}",
        "target": f"d{b}",
        "mainstat": f"{number(rate * 1e-9, 6)} GB/s" if isfinite(rate) else "",
        "secondarystat": f"{number(latency * 1e9, 6)} ns" if isfinite(latency) else "",
        "thickness": min(cables, WIDEST),
        "detail__cables": cables,
    }


FORMAT = Format(
    "grafana",
    "nodes and edges for Grafana's node graph",
    "fabric",
    "grafana.json",
    write,
    ("ports", "single cables of a bundle", "lengths", "places"),
)
