"""Topologies of containerlab: `topology` with `nodes` by name and `links` with two `endpoints` each, in YAML or JSON.

A node of kind `linux` or `host` is a device, `bridge` and all others, which are network operating systems, are
switches."""

from __future__ import annotations

import re
from typing import Any

from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.importer import yamls
from unifiedbus_dsl.importer.doubts import NO_END, Doubts, shown
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table

MOST_BYTES = 1 << 26
HOSTS = ("linux", "host", "ext-container", "k8s-kind")
OUTSIDE = ("host", "mgmt-net", "macvlan", "dummy")
"""Ends of links that are no nodes: what runs the lab, and nothing."""
_IS_IT = re.compile(r"^topology:|^\s*\"topology\"\s*:\s*\{|\A\s*\{[^{}\[\]]*\"topology\"\s*:\s*\{", re.MULTILINE)


def is_it(head: str) -> bool:
    """Return whether a text begins as a topology of containerlab."""
    return (
        _IS_IT.search(head) is not None
        and re.search(r"^\s+(nodes|links):|\"nodes\"\s*:\s*\{", head, re.MULTILINE) is not None
    )


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and links of a topology.

    Raises:
        ImportFailed: it is none.
        OSError: the file can't be read.
    """
    text = source.text(MOST_BYTES)
    if text is None:
        raise ImportFailed(f"`{source.title}` is larger than any topology of containerlab")
    data = yamls.load(text)
    topology = data.get("topology") if isinstance(data, dict) else None
    if not isinstance(topology, dict) or not isinstance(topology.get("nodes"), dict):
        raise ImportFailed(f"`{source.title}`: a topology has `nodes`")
    table = Table(str(data.get("name") or source.stem), doubts)
    usual = _kind(topology.get("defaults"))
    for name, facts in topology["nodes"].items():
        kind = _kind(facts) or usual
        table.device(str(name), "" if not kind else "device" if kind in HOSTS else "switch")
    outside = 0
    for place, link in enumerate(topology["links"] if isinstance(topology.get("links"), list) else []):
        told = link.get("endpoints") if isinstance(link, dict) else None
        ends = [_end(end) for end in told] if isinstance(told, list) else []
        if len(ends) != 2 or not all(name for name, _ in ends):
            doubts.add(NO_END, 0, f"link {place}: {shown(str(link))}")
            continue
        (a, ap), (b, bp) = ends
        if any(name in OUTSIDE and name not in topology["nodes"] for name in (a, b)):
            outside += 1
            continue
        table.cable(table.device(a), ap, table.device(b), bp, table.kind_of(Kind()), 0)
    if outside:
        doubts.remark(f"{counted(outside, 'link')} to the host of the lab left out")
    return table


def _kind(facts: Any) -> str:
    return str(facts.get("kind") or "") if isinstance(facts, dict) else ""


def _end(end: Any) -> tuple[str, str]:
    """Node and interface of `leaf1:e1-1`, or of an object."""
    if isinstance(end, dict):
        return str(end.get("node") or ""), str(end.get("interface") or "")
    name, _, port = str(end).partition(":")
    return name, port
