"""Devices and cables as members of JSON objects, for the formats that write a graph as JSON: one a line, in bounded
memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import OutageMask
from unifiedbus_dsl.export.common.stream import cable_runs, device_runs, kind_facts, site_facts
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names, spares


def array(runs: Iterable[str]) -> Iterator[str]:
    """Return the pieces of an array of which these are the elements, run by run."""
    comma = "[\n"
    for text in runs:
        yield comma + text
        comma = ",\n"
    yield "\n]" if comma == ",\n" else "[]"


def nodes(fabric: Fabric, gone: OutageMask | None, node: Callable[[int, str, str], str]) -> Iterator[str]:
    """Return runs of devices, each as `node(device, name, members)` writes it: its id, its name as a string of JSON,
    and `device`, `kind`, `type` and, where it is one, `spare`; `guid` and `host` where the site knows them."""
    plan = fabric.plan
    extra = [members({"kind": of.kind, "type": of.key}) for of in plan.devices.values()]
    spare = spares(plan)
    for ids in device_runs(fabric, gone):
        names = map(json.string, device_names(plan, ids).tolist())
        known = (f",{members(dict(facts))}" if facts else "" for facts in site_facts(fabric, ids))
        columns = zip(names, ids.tolist(), fabric.device_type[ids].tolist(), spare[ids].tolist(), known, strict=True)
        yield ",\n".join(
            node(device, name, f'"device":{device},{extra[t]}{_SPARE if mark else ""}{site}')
            for name, device, t, mark, site in columns
        )


_SPARE = ',"spare":true'


Edge: TypeAlias = Callable[[int, int, int, str, str, str], str]
"""Writes a cable: its id, the devices at both ends, their names as strings of JSON, and its members."""


def edges(fabric: Fabric, gone: OutageMask | None, edge: Edge) -> Iterator[str]:
    """Return runs of cables as `edge` writes them, with the members `a`, `a_port`, `b`, `b_port`, `link`, `medium`,
    `lanes`, `rate`, `length` and `latency`."""
    extra = [
        members({
            "link": k.link, "medium": k.medium, "lanes": k.lanes, "rate": k.rate, "length": k.length,
            "latency": k.latency,
        })
        for k in kind_facts(fabric)
    ]  # fmt: skip
    for run in cable_runs(fabric, "write cables", gone=gone):
        ends = [map(json.string, texts) for texts in (run.a_name, run.a_port, run.b_name, run.b_port)]
        yield ",\n".join(
            edge(cable, one, two, a, b, f'"a":{a},"a_port":{ap},"b":{b},"b_port":{bp},{extra[kind]}')
            for cable, one, two, a, ap, b, bp, kind in zip(run.ids, run.a, run.b, *ends, run.kind, strict=True)
        )


def members(values: dict[str, object]) -> str:
    """Return the members of an object, without its braces."""
    return json.compact(values)[1:-1]
