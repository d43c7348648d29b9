"""A piece of the machine as a NetworkX graph, for people and for tests; never how the machine is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unifiedbus_dsl.ir.fabric import Slice
from unifiedbus_dsl.ir.fabric.names import device_names, port_names

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(part: Slice) -> nx.MultiGraph[str]:
    """Return a `MultiGraph` of devices by name, and cables with their id as key.

    Nodes have `id`, `kind` (`npu`, `switch`, …) and `type`. Edges have `link`, `lanes`, `rate` (byte/s in each
    direction), `length` (metres, None if there is none), and both ends as `a`, `a_port`, `b`, `b_port`.
    """
    import networkx as nx

    plan = part.fabric.plan
    types = list(plan.devices.values())
    names = device_names(plan, part.devices).tolist()
    graph: nx.MultiGraph[str] = nx.MultiGraph(name=plan.system, scope=part.scope)
    graph.add_nodes_from(
        (name, {"id": device, "kind": types[t].kind, "type": types[t].key})
        for name, device, t in zip(names, part.devices.tolist(), part.device_type.tolist(), strict=True)
    )
    ports = [port_names(plan, device.key).tolist() for device in types]
    kinds = _kind_attributes(part)
    columns = (part.cables, part.a_device, part.a_port, part.b_device, part.b_port, part.kind)
    for cable, a, a_port, b, b_port, kind in zip(*(column.tolist() for column in columns), strict=True):
        graph.add_edge(
            names[a],
            names[b],
            key=cable,
            **kinds[kind],
            a=names[a],
            a_port=ports[part.device_type[a]][a_port],
            b=names[b],
            b_port=ports[part.device_type[b]][b_port],
        )
    return graph


def _kind_attributes(part: Slice) -> list[dict[str, Any]]:
    plan, kinds = part.fabric.plan, part.fabric.kinds
    links = list(plan.links.values())
    attributes = []
    for number, lanes, length in zip(kinds.link, kinds.lanes, kinds.length_m, strict=True):
        link = links[number]
        rate = float(lanes * plan.protocols[link.protocol].lane_rate)
        metres = None if np.isnan(length) else float(length)
        attributes.append({"link": link.name, "lanes": int(lanes), "rate": rate, "length": metres})
    return attributes
