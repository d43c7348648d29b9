"""InfraGraph 3.1 (Infrastructure as a Graph: schema/infrastructure.yaml, infragraph_service.py): devices and instances.

Each type of device is a device with its chip and, for each port array, so many ports, joined inside; all devices of the
type are one instance with their number. The link of a chip to a port has half of the latency of passing the device.
Cables of one sort are edges over slices: what advances by equal steps on both
sides is one `one2one` edge. Ports are nodes of the graph, so parallel cables stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, refuse, too_large
from unifiedbus_dsl.export.common.devices import latency_of
from unifiedbus_dsl.export.common.names import plain, stems
from unifiedbus_dsl.export.common.stream import kind_facts, write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import DeviceType

CHOICES = {"npu": "xpu", "cpu": "cpu", "nic": "nic", "switch": "switch"}
"""The sort of component of a kind of device; any other is custom."""
CHIP = "chip"

MOST_CABLES = 2_000_000
"""The service expands them into a graph of NetworkX, a kilobyte each."""

Ints = NDArray[np.int64]


@frozen(eq=False)
class Ends:
    """One side of cables of one sort: the number of the device within its type, and of the port in its array."""

    device: Ints
    port: Ints


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    if not fabric.device_count:
        raise refuse(sink, "InfraGraph wants a device, and this machine has none", "json")
    if fabric.cable_count > MOST_CABLES:
        raise too_large(
            sink,
            f"{fabric.cable_count:,} cables are more than InfraGraph's service expands",
            "export a smaller system, say one with fewer racks",
        )
    write_text(path, _parts(fabric))


def _parts(fabric: Fabric) -> Iterator[str]:
    plan = fabric.plan
    types = list(plan.devices.values())
    names = [stems(list(plan.devices))[of.key] for of in types]
    head = {"name": plain(plan.system), "description": f"written by ubusc from the system {plain(plan.system)}"}
    devices = [_device(of, name) for of, name in zip(types, names, strict=True)]
    counts = np.bincount(fabric.device_type, minlength=len(types)).tolist()
    instances = [
        {"name": name, "device": name, "count": count} for name, count in zip(names, counts, strict=True) if count
    ]
    links = [_link(f"link-{n}", k.capacity, k.latency) for n, k in enumerate(kind_facts(fabric))]
    for key, value in {**head, "devices": devices, "links": links, "instances": instances}.items():
        yield f"{'{' if key == 'name' else ','}{json.string(key)}:{json.compact(value)}\n"
    comma = ',"edges":[\n'
    for edge in _edges(fabric, types, names):
        yield comma + json.compact(edge)
        comma = ",\n"
    yield "\n]}\n" if comma == ",\n" else ',"edges":[]}\n'


def _device(of: DeviceType, name: str) -> dict[str, object]:
    """Return a type of device: its chip, and its ports with the links to them."""
    choice = CHOICES.get(of.kind, "custom")
    body: dict[str, object] = {"type": of.kind} if choice == "custom" else {}
    components: list[dict[str, object]] = [{"name": CHIP, "count": 1, "choice": choice, choice: body}]
    own, links, edges = stems([array.name for array in of.ports]), [], []
    for array in of.ports:
        port = _port(own[array.name])
        components.append({"name": port, "count": array.count, "choice": "port", "port": {}})
        links.append({"name": f"{port}-link", "physical": {"latency": _nanoseconds(latency_of(of) / 2)}})
        ends = {"ep1": {"component": f"{CHIP}[0]"}, "ep2": {"component": f"{port}[0:{array.count}]"}}
        edges.append({**ends, "scheme": "many2many", "link": f"{port}-link"})
    return {"name": name, "components": components, "links": links, "edges": edges}


def _port(stem: str) -> str:
    """Return the name of the ports of an array; that of the chip is taken."""
    return f"{stem}-port" if stem == CHIP else stem


def _link(name: str, rate: float, latency: float) -> dict[str, object]:
    bandwidth = {"choice": "gigabits_per_second", "gigabits_per_second": round(float(rate) * 8e-9, 9)}
    return {"name": name, "physical": {"bandwidth": bandwidth, "latency": _nanoseconds(latency)}}


def _nanoseconds(latency: float) -> dict[str, object]:
    return {"choice": "ns", "ns": round(latency * 1e9, 6)}


# ---- cables -------------------------------------------------------------------------------------------------------


def _edges(fabric: Fabric, types: list[DeviceType], names: list[str]) -> Iterator[dict[str, object]]:
    place = _places(fabric.device_type.astype(np.int64))
    arrays = [_arrays(of) for of in types]
    ports = [[_port(stems([array.name for array in of.ports])[array.name]) for array in of.ports] for of in types]
    sides = []
    for device, port in ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port)):
        of = fabric.device_type[device].astype(np.int64)
        which, inside = np.zeros(len(port), np.int64), np.zeros(len(port), np.int64)
        for number, table in enumerate(arrays):
            mine = of == number
            which[mine], inside[mine] = table[0][port[mine]], table[1][port[mine]]
        sides.append((of, which, place[device], inside))
    (a_type, a_array, a, a_port), (b_type, b_array, b, b_port) = sides
    sorts = np.stack([a_type, a_array, b_type, b_array, fabric.kind.astype(np.int64)], axis=1)
    kinds, sort_of = np.unique(sorts, axis=0, return_inverse=True)
    for number, (ta, na, tb, nb, kind) in track(list(enumerate(kinds.tolist())), "write edges"):
        mine = np.flatnonzero(sort_of.ravel() == number)
        for one, two in _slices(Ends(a[mine], a_port[mine]), Ends(b[mine], b_port[mine])):
            yield {
                "ep1": {"instance": f"{names[ta]}[{one[0]}]", "component": f"{ports[ta][na]}[{one[1]}]"},
                "ep2": {"instance": f"{names[tb]}[{two[0]}]", "component": f"{ports[tb][nb]}[{two[1]}]"},
                "scheme": "one2one",
                "link": f"link-{kind}",
            }


def _places(device_type: Ints) -> Ints:
    """Return the number of each device among those of its type."""
    order = np.argsort(device_type, kind="stable")
    starts = np.searchsorted(device_type[order], device_type[order])
    places = np.empty(len(device_type), dtype=np.int64)
    places[order] = np.arange(len(device_type)) - starts
    return places


def _arrays(of: DeviceType) -> tuple[Ints, Ints]:
    """For each port of a type: the array that it is in, and its number there."""
    counts = [array.count for array in of.ports]
    which = np.repeat(np.arange(len(counts)), counts)
    inside = np.concatenate([np.arange(count) for count in counts]) if counts else np.zeros(0, np.int64)
    return which, inside


def _slices(a: Ends, b: Ends) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Slices of devices and ports of both sides, for each run of cables; in that order of cables that has the fewest
    runs."""
    columns = np.stack([a.device, a.port, b.device, b.port])
    orders = [np.arange(columns.shape[1]), *(np.lexsort(columns[list(keys)]) for keys in _ORDERS)]
    best = min((runs(columns[:, order]) for order in orders), key=len)
    return best


_ORDERS = ((2, 3, 0, 1), (2, 3, 1, 0), (0, 1, 2, 3), (0, 1, 3, 2))
"""Columns to sort cables by, the last first."""


def runs(columns: Ints) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Stretches in which, on either side, the device or the port advances by equal steps and the other stays."""
    steps = np.diff(columns, axis=1)
    even = (steps >= 0).all(axis=0) & ((steps[:2] > 0).sum(axis=0) == 1) & ((steps[2:] > 0).sum(axis=0) == 1)
    change = np.ones(steps.shape[1], dtype=bool)
    if steps.shape[1] > 1:
        change[1:] = (steps[:, 1:] != steps[:, :-1]).any(axis=0)
    ends = np.append(np.flatnonzero(change)[1:], steps.shape[1]).tolist() if steps.shape[1] else []
    deadline_s = np.repeat(ends, np.diff([0, *ends])).tolist() if ends else []
    rows, walk, stretches, at = columns.T.tolist(), steps.T.tolist(), [], 0
    while at < len(rows):
        last = deadline_s[at] if at < len(deadline_s) and even[at] else at
        step = walk[at] if last > at else [0] * 4
        cut = [_slice(rows[at][n], rows[last][n], step[n]) for n in range(4)]
        stretches.append(((cut[0], cut[1]), (cut[2], cut[3])))
        at = last + 1
    return stretches


def _slice(first: int, last: int, step: int) -> str:
    """Python's notation for a number, or for the numbers from the first to the last."""
    if step == 0:
        return str(first)
    return f"{first}:{last + 1}" if step == 1 else f"{first}:{last + 1}:{step}"


FORMAT = Format(
    "infragraph",
    "InfraGraph 3.1: devices, instances and edges over slices",
    "fabric",
    "infragraph.json",
    write,
    ("names of devices", "lengths", "which ports forward to which", "limits of injection"),
)
