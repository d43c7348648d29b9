"""The network of a fabric: what of its columns the solver sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import _PIECE, Floats, Ids, Ints, frozen_array, take
from unifiedbus_dsl.graph.network import ArcKinds, Network, build_network
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.forwarding import Layout, any_crossing, layouts_of
from unifiedbus_dsl.ir.plan.field_values import field_value

# ---- from a fabric ------------------------------------------------------------------------------------------------


def from_fabric(fabric: Fabric, *, timed: bool = True, health: Floats | None = None) -> Network:
    """Network of a fabric: vertices by device type, arcs by cable kind.

    Without `timed`, cables that differ in length only are of one kind and latencies are NaN: racks at different
    distances are then alike, which they are in all that asks for rates and hops. `health` is the part of its capacity
    that each cable has left, [cables]: 1 where it is whole, 0 where it is lost. Vertices stay, with or without cables.
    """
    types = list(fabric.plan.devices.values())
    layouts = layouts_of(types)
    type_of = fabric.device_type.astype(np.int64)
    start, device_of = _vertices_of_devices(type_of, layouts)
    place = np.arange(start[-1]) - start[device_of]

    widest = max((len(layout.forwards) for layout in layouts), default=1)
    forwards = np.zeros((len(types), widest), dtype=bool)
    turn = np.tile(np.arange(widest), (len(types), 1))
    for t, layout in enumerate(layouts):
        forwards[t, : len(layout.forwards)] = layout.forwards
        turn[t, : len(layout.turn)] = layout.turn
    is_end = np.array([device.kind != "switch" for device in types], dtype=bool)[type_of]
    number = np.where(is_end, np.cumsum(is_end) - 1, -1)
    injection = np.array([field_value(device.fields.get("injection"), np.inf) for device in types], dtype=np.float64)
    latency = np.array([field_value(device.fields.get("latency"), 0.0) for device in types], dtype=np.float64)
    vertex_type = type_of[device_of]
    kind, kinds = cable_kinds(fabric, timed=timed, health=health)
    a, b = (side.astype(np.int32, copy=False) for side in cable_ends(fabric))
    turned = (start[device_of] + turn[vertex_type, place]).astype(np.int32) if any_crossing(layouts) else None
    if health is not None:
        left = health > 0
        a, b, kind = a[left], b[left], kind[left]

    return build_network(
        device_start=start,
        end=number[device_of],
        forwards=forwards[vertex_type, place],
        latency_s=latency[vertex_type],
        group=vertex_type * widest + place,
        injection_Bps=injection[type_of[is_end]],
        a=a,
        b=b,
        kind=kind,
        kinds=kinds,
        turned=turned,
    )


def cable_kinds(
    fabric: Fabric, *, timed: bool = True, health: Floats | None = None
) -> tuple[NDArray[np.integer[Any]], ArcKinds]:
    """Return the kind of each cable in the network that `from_fabric` makes of the same, [cables], and these kinds;
    that of a lost cable has no meaning."""
    kind: NDArray[np.integer[Any]] = fabric.kind
    kinds = arc_kinds(fabric)
    if not timed:
        rows, like = merge_by_link_and_width(fabric)
        kind, kinds = like[kind], _without_latency(kinds, rows)
    return (kind, kinds) if health is None else _apply_degradation(kind, kinds, health)


def cable_ends(fabric: Fabric) -> tuple[Ids, Ids]:
    """Return the vertices that each cable leads from, at its end a, and to, at its end b, [cables] each; the other way
    it leads from the second, turned, to the first, turned."""
    layouts = layouts_of(fabric.plan.devices.values())
    type_of = fabric.device_type.astype(np.int64)
    start, _ = _vertices_of_devices(type_of, layouts)
    out, into = ([getattr(layout, name) for layout in layouts] for name in ("out", "into"))
    return (
        _vertex(fabric.a_device, fabric.a_port, type_of, start, out),
        _vertex(fabric.b_device, fabric.b_port, type_of, start, into),
    )


def _vertices_of_devices(type_of: Ints, layouts: list[Layout]) -> tuple[Ints, Ints]:
    """First vertex of each device, [D + 1], and the device of each vertex."""
    per_device = np.array([len(layout.forwards) for layout in layouts], dtype=np.int64)[type_of]
    start = np.concatenate([[0], np.cumsum(per_device)])
    return start, np.repeat(np.arange(len(type_of)), per_device)


def _apply_degradation(kind: NDArray[Any], kinds: ArcKinds, health: Floats) -> tuple[Ints, ArcKinds]:
    """Kinds of cables where those that have only a part of their capacity left are of kinds of their own."""
    parts = np.unique(health[(health > 0) & (health != 1)])
    factor = np.repeat(np.concatenate([[1.0], parts]), len(kinds.link))
    which = np.where((health > 0) & (health != 1), np.searchsorted(parts, health) + 1, 0)
    rows = np.tile(np.arange(len(kinds.link)), len(parts) + 1)
    return kind.astype(np.int64) + which * len(kinds.link), ArcKinds(
        capacity_Bps=frozen_array(kinds.capacity_Bps[rows] * factor),
        rate_Bps=frozen_array(kinds.rate_Bps[rows] * factor),
        latency_s=frozen_array(kinds.latency_s[rows]),
        link=frozen_array(kinds.link[rows]),
    )


def merge_by_link_and_width(fabric: Fabric) -> tuple[Ints, Ints]:
    """Return one cable kind of each link and width, [K'], and for each kind the number of its like among these, [K]."""
    code = fabric.kinds.link.astype(np.int64) << 16 | fabric.kinds.lanes
    _, first, like = np.unique(code, return_index=True, return_inverse=True)
    return first, like.ravel()


def _without_latency(kinds: ArcKinds, rows: Ints) -> ArcKinds:
    return ArcKinds(
        capacity_Bps=frozen_array(kinds.capacity_Bps[rows]),
        rate_Bps=frozen_array(kinds.rate_Bps[rows]),
        latency_s=frozen_array(np.full(len(rows), np.nan)),
        link=frozen_array(kinds.link[rows]),
    )


def arc_kinds(fabric: Fabric) -> ArcKinds:
    """Return one row for each cable kind of the fabric."""
    plan, kinds = fabric.plan, fabric.kinds
    links = list(plan.links.values())
    protocols = [plan.protocols[link.protocol] for link in links]
    rate = np.array([float(p.lane_rate) for p in protocols])[kinds.link] * kinds.lanes
    efficiency = np.array([float(p.efficiency) for p in protocols])[kinds.link]
    fixed = np.array(
        [
            float(p.latency) + field_value(link.fields.get("latency"), 0.0)
            for p, link in zip(protocols, links, strict=True)
        ]
    )[kinds.link]
    delay = np.array([field_value(link.fields.get("delay"), 0.0) for link in links])[kinds.link]
    length = np.where(np.isnan(kinds.length_m), 0.0, kinds.length_m)
    return ArcKinds(
        capacity_Bps=frozen_array(rate * efficiency),
        rate_Bps=frozen_array(rate),
        latency_s=frozen_array(fixed + delay * length),
        link=frozen_array(kinds.link.astype(np.int64)),
    )


def _vertex(
    device: NDArray[np.unsignedinteger[Any]],
    port: NDArray[np.unsignedinteger[Any]],
    type_of: Ints,
    start: Ints,
    of_ports: list[Ints],
) -> Ids:
    """Vertex of each (device, port), where `of_ports` has that of each port among those of a device."""
    first = start.astype(np.int32)
    if not any(of_port.any() for of_port in of_ports):
        return take(first, device)
    widest = max(len(of_port) for of_port in of_ports)
    table = np.zeros((len(of_ports), widest), dtype=np.int32)
    for t, of_port in enumerate(of_ports):
        table[t, : len(of_port)] = of_port
    vertex = np.empty(len(device), dtype=np.int32)
    for begin in range(0, len(device), _PIECE):
        some = device[begin : begin + _PIECE]
        vertex[begin : begin + _PIECE] = first[some] + table[type_of[some], port[begin : begin + _PIECE]]
    return vertex
