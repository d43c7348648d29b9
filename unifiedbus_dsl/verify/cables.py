"""The fabric read for verification: vertices and cables, straight from its columns and its plan."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import DeviceType, Value

Ints = NDArray[np.int64]
Ids = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PIECE = 1 << 18
"""Cables or arcs that are worked on at a time: what that needs stays in the cache."""


@frozen(eq=False, slots=False)
class Cables:
    """Vertices v of [V], end points e of [E], cables c of [C] of a fabric and what is left of them.

    Cable c leads from vertex `a[c]` to `b[c]`, and from `b_out[c]` to `a_in[c]` (the same two, but where a line
    forwards between two sides), and is of the fabric's kind `kind[c]`; `capacity_Bps`, `rate_Bps` (raw) and
    `latency_s` are of kinds. `health[c]` is the part of its capacity that it has left (0: lost), None where all are
    whole. `end[v]` is the end point of a vertex (-1: a switch), `device[v]` its device, `latency_s[v]` what passing
    through it takes, `injection_Bps[e]` what an end point sends and receives at most.
    """

    fabric: Fabric
    device: Ids
    end: Ids
    forwards: Bools
    passing_s: Floats
    injection_Bps: Floats  # noqa: N815
    a: Ids
    b: Ids
    a_in: Ids
    b_out: Ids
    kind: NDArray[np.unsignedinteger[Any]]
    capacity_Bps: Floats  # noqa: N815
    rate_Bps: Floats  # noqa: N815
    latency_s: Floats
    health: Floats | None

    @property
    def vertices(self) -> int:
        return len(self.end)

    @property
    def ends(self) -> int:
        return len(self.injection_Bps)

    @cached_property
    def end_device(self) -> Ints:
        """Device of each end point, [E]."""
        some = np.flatnonzero(self.end >= 0)
        device_of = np.zeros(self.ends, dtype=np.int64)
        device_of[self.end[some]] = self.device[some]
        return device_of

    @cached_property
    def sided(self) -> bool:
        """Whether a line forwards between two sides, so that the two ways of a cable are of other vertices."""
        return self.a is not self.a_in

    @cached_property
    def turned(self) -> Ids:
        """The vertex that what goes the other way passes: of a line of two sides the other one, else the same, [V]."""
        vertices = np.arange(self.vertices, dtype=np.int32)
        if not self.sided:
            return vertices
        for one, two in ((self.a, self.a_in), (self.b, self.b_out)):
            vertices[one], vertices[two] = two, one
        return vertices

    def capacity(self, some: slice) -> Floats:
        """Return capacity one way of these cables as far as they are left, byte/s."""
        whole = self.capacity_Bps[self.kind[some]]
        return whole if self.health is None else np.asarray(whole * self.health[some])

    def left(self, some: slice) -> Bools:
        """Return which of these cables are left."""
        if self.health is None:
            return np.ones(len(self.kind[some]), dtype=bool)
        return np.asarray(self.health[some] > 0)

    def pieces(self) -> Iterator[slice]:
        yield from (slice(start, start + PIECE) for start in range(0, len(self.a), PIECE))

    def members(self, ends: NDArray[Any]) -> Bools:
        """Return which vertices are those of the end points that are marked in `ends` [E], [V]."""
        mask = np.zeros(self.vertices, dtype=bool)
        some = np.flatnonzero(self.end >= 0)
        mask[some] = ends[self.end[some]]
        return mask


def read_cables(fabric: Fabric, health: Floats | None = None, lost: Bools | None = None) -> Cables:
    """Return the vertices and cables of a fabric; `health` [C] is the part of its capacity that each cable has left,
    and a cable of a device that is `lost` [D] has none."""
    types = list(fabric.plan.devices.values())
    parted = any(len(one) + len(two) > 2 for device in types for one, two in device.between)
    sets = [forwarding_sets(device, parted) for device in types]
    per_type = np.array([_vertex_count(device, parted) for device in types], dtype=np.int64)
    type_of = fabric.device_type
    first = np.zeros(len(type_of) + 1, dtype=np.int32)
    np.cumsum(per_type[type_of], out=first[1:])
    device = np.repeat(np.arange(len(type_of), dtype=np.int32), per_type[type_of])
    is_end = np.array([each.kind != "switch" for each in types], dtype=bool)[type_of]
    number = np.where(is_end, np.cumsum(is_end) - 1, -1).astype(np.int32)
    place = np.arange(len(device)) - first[device]
    lines = np.array([1 if each.kind == "switch" else _lines(each, parted) for each in types], dtype=np.int64)
    injection = np.array([_number(each, "injection", np.inf) for each in types], dtype=np.float64)
    passing = np.array([_number(each, "latency", 0.0) for each in types], dtype=np.float64)
    capacity, rate, latency = _kinds(fabric)
    if lost is not None and lost.any():
        health = np.ones(fabric.cable_count) if health is None else health.copy()
        health[lost[fabric.a_device] | lost[fabric.b_device]] = 0.0
    a = _vertices(fabric.a_device, fabric.a_port, type_of, first, [out for _, out in sets])
    b = _vertices(fabric.b_device, fabric.b_port, type_of, first, [into for into, _ in sets])
    return Cables(
        fabric,
        device,
        number[device],
        place < lines[type_of[device]],
        passing[type_of[device]],
        injection[type_of[is_end]],
        a,
        b,
        _vertices(fabric.a_device, fabric.a_port, type_of, first, [into for into, _ in sets]) if parted else a,
        _vertices(fabric.b_device, fabric.b_port, type_of, first, [out for _, out in sets]) if parted else b,
        fabric.kind,
        capacity,
        rate,
        latency,
        health,
    )


def forwarding_sets(device: DeviceType, parted: bool) -> tuple[Ints, Ints]:
    """Return the forwarding set that each port of a device leads into, and the one that it is a way out of: those of
    its `transit` line, or behind these that of the ports in none. A line `A -- B` is two sets where a machine has one
    that keeps ports of a side apart (`parted`); else it is a line like any other."""
    into = np.full(device.radix, 0 if device.kind == "switch" else _lines(device, parted), dtype=np.int64)
    out = into.copy()
    plain = device.transit if parted else (*device.transit, *(one + two for one, two in device.between))
    for line, ports in enumerate(plain):
        for port in ports:
            into[port] = out[port] = line
    for number, sides in enumerate(device.between if parted else ()):
        for side in (0, 1):
            for port in sides[side]:
                into[port] = len(plain) + 2 * number + side
                out[port] = len(plain) + 2 * number + (1 - side)
    return into, out


def _lines(device: DeviceType, parted: bool) -> int:
    """Return how many forwarding sets the `transit` lines of a device are."""
    return len(device.transit) + (2 if parted else 1) * len(device.between)


def _vertex_count(device: DeviceType, parted: bool) -> int:
    """Return how many vertices a device of this type has."""
    if device.kind == "switch":
        return 1
    sides = [side for line in device.between for side in line]
    covered = {port for line in (*device.transit, *sides) for port in line}
    lines = _lines(device, parted)
    return lines + (not lines or len(covered) < device.radix)


def _vertices(device: NDArray[Any], port: NDArray[Any], type_of: NDArray[Any], first: Ids, sets: list[Ints]) -> Ids:
    """Return the vertex of each port of a device."""
    if all(not of_port.any() for of_port in sets):
        return np.asarray(first[device])
    table = np.zeros((len(sets), max(len(of_port) for of_port in sets)), dtype=np.int32)
    for row, of_port in enumerate(sets):
        table[row, : len(of_port)] = of_port
    vertices = np.empty(len(device), dtype=np.int32)
    for start in range(0, len(device), PIECE):
        some = slice(start, start + PIECE)
        vertices[some] = first[device[some]] + table[type_of[device[some]], port[some]]
    return vertices


def _kinds(fabric: Fabric) -> tuple[Floats, Floats, Floats]:
    """Capacity, raw rate and latency of each kind of cable, from the text's exact numbers."""
    links = list(fabric.plan.links.values())
    capacity, rate, latency = [], [], []
    kinds = fabric.kinds
    for link, lanes, length in zip(kinds.link.tolist(), kinds.lanes.tolist(), kinds.length_m.tolist(), strict=True):
        protocol = fabric.plan.protocols[links[link].protocol]
        raw = protocol.lane_rate * lanes
        rate.append(float(raw))
        capacity.append(float(raw) * float(protocol.efficiency))
        delay = _number(links[link], "delay", 0.0) * (0.0 if length != length else length)  # noqa: PLR0124 - NaN
        latency.append(float(protocol.latency) + _number(links[link], "latency", 0.0) + delay)
    return np.array(capacity, dtype=float), np.array(rate, dtype=float), np.array(latency, dtype=float)


def _number(stated: Any, name: str, default: float) -> float:
    value: Value | None = stated.fields.get(name)
    return float(value) if isinstance(value, Quantity) else default
