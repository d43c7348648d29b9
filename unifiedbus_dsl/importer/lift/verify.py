"""Whether a text is the network that it was lifted from: compiled, and compared device by device and cable by cable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl import compiler
from unifiedbus_dsl.base.drafts import scratch_folder
from unifiedbus_dsl.importer.lift.machine import Ints, Machine
from unifiedbus_dsl.importer.lift.types_text import words_of_ports
from unifiedbus_dsl.importer.lift.write import Written
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_paths, element_names
from unifiedbus_dsl.ir.plan import DeviceType

Column: TypeAlias = "NDArray[np.integer[Any]]"


class LiftError(Exception):
    """The text is another machine than the network: a fault of the lift."""


def paths_of_devices(fabric: Fabric, machine: Machine, paths: tuple[str, ...]) -> list[str]:
    """Return the path of each device in the text, by the paths of the parts."""
    ends = np.append(machine.first[1:], fabric.device_count)
    names: list[str] = []
    for part, (first, last) in enumerate(zip(machine.first.tolist(), ends.tolist(), strict=True)):
        key = machine.kinds[int(machine.kind[part])].key
        if key in machine.plan.devices:
            names.append(paths[part])
            continue
        inside: list[str] = []
        for child in machine.plan.assemblies[key].children:
            inside += element_names(child.name, child.shape, np.arange(child.count)).tolist()
        names += [f"{paths[part]}.{name}" for name in inside[: last - first]]
    return names


def ports_of_types(machine: Machine, text: Written, labels: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return the name of the site for each port of a type that has another one there, as `Switch.p[3]`."""
    words, names = words_of_ports(machine), []
    for key, word in text.types.items():
        of = machine.plan.devices[key]
        ports: list[str] = []
        for port in of.ports:
            ports += element_names(words[key][port.name], port.shape, np.arange(port.count)).tolist()
        names += [
            (f"{word}.{port}", name) for port, name in zip(ports, labels.get(key, ()), strict=False) if port != name
        ]
    return names


def verify(fabric: Fabric, machine: Machine, text: Written) -> None:
    """Compile a text, and compare it with the network that it was lifted from.

    Raises:
        LiftError: it has errors, or is another machine.
    """
    with scratch_folder() as folder:
        for name, inside in {"lifted.ubus": text.text, **text.files}.items():
            (folder / name).write_text(inside, encoding="utf-8")
        done = compiler.compile(folder / "lifted.ubus")
    errors = [each for each in done.diagnostics if each.severity == "error"]
    if errors:
        raise LiftError(f"{errors[0].code}: {errors[0].message}")
    other = done.fabric()
    mine = paths_of_devices(fabric, machine, text.paths)
    number = {
        path: device for device, path in enumerate(device_paths(other.plan, np.arange(other.device_count)).tolist())
    }
    if sorted(mine) != sorted(number):
        raise LiftError("other devices")
    image = np.asarray([number[path] for path in mine], dtype=np.int64)
    ports = _port_images(fabric, machine, other, image)
    ours = _codes(
        image[fabric.a_device],
        ports(fabric.a_device, fabric.a_port),
        image[fabric.b_device],
        ports(fabric.b_device, fabric.b_port),
    )
    theirs = _codes(other.a_device, other.a_port, other.b_device, other.b_port)
    if not np.array_equal(ours[0], theirs[0]):
        raise LiftError("other cables")
    for ours_of, theirs_of in zip(_facts(fabric, ours[1]), _facts(other, theirs[1]), strict=True):
        if not np.array_equal(ours_of, theirs_of):
            raise LiftError("a cable has another width or lane rate than its ports")


def _facts(fabric: Fabric, order: Ints) -> tuple[Ints, NDArray[np.float64]]:
    """Width and lane rate of each cable, in an order."""
    links = [fabric.plan.protocols[link.protocol] for link in fabric.plan.links.values()]
    rate = np.asarray([float(protocol.lane_rate) for protocol in links])
    kind = fabric.kind[order]
    return fabric.kinds.lanes[kind].astype(np.int64), rate[fabric.kinds.link[kind]]


def _codes(a: Column, ap: Column, b: Column, bp: Column) -> tuple[Ints, Ints]:
    """Return each cable as a row of its lesser and its greater end, in order, and that order."""
    one = a.astype(np.int64) << 24 | ap.astype(np.int64)
    two = b.astype(np.int64) << 24 | bp.astype(np.int64)
    low, high = np.minimum(one, two), np.maximum(one, two)
    order = np.lexsort((high, low))
    return np.stack([low[order], high[order]]), order


def _port_images(fabric: Fabric, machine: Machine, other: Fabric, image: Ints) -> Callable[[Column, Column], Ints]:
    """Return a function from devices and ports of the network to the numbers of the ports in the text."""
    words = words_of_ports(machine)
    types, others = list(fabric.plan.devices.values()), list(other.plan.devices.values())
    max_radix = max((of.radix for of in types), default=0)
    table = np.zeros((len(types), max_radix), dtype=np.int64)
    for number, of in enumerate(types):
        mine = np.flatnonzero(fabric.device_type == number)
        if len(mine):
            table[number, : of.radix] = _numbers(of, others[int(other.device_type[image[mine[0]]])], words[of.key])

    def ports(device: Column, port: Column) -> Ints:
        return np.asarray(table[fabric.device_type[device].astype(np.int64), port.astype(np.int64)])

    return ports


def _numbers(of: DeviceType, other: DeviceType, words: dict[str, str]) -> Ints:
    """Return the number in `other` of each port of a type."""
    starts = dict(
        zip((p.name for p in other.ports), accumulate((p.count for p in other.ports), initial=0), strict=False)
    )
    return np.concatenate([starts[words[p.name]] + np.arange(p.count) for p in of.ports] or [np.empty(0, np.int64)])
