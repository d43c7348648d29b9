"""Which vertices of the network a device has, and which of them each of its ports belongs to."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import DeviceType

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@frozen(eq=False)
class Layout:
    """The vertices of a device of some type: which of them forward, the vertex of the other way for each, and for each
    port the vertex that what goes out by it comes from (`out`), and that what comes in by it gets to (`into`)."""

    forwards: Bools
    turn: Ints
    out: Ints
    into: Ints


def layouts_of(devices: Collection[DeviceType]) -> list[Layout]:
    """Return the vertices of the devices of each type.

    A line with one port on either side only forbids what comes in to turn back. That is of use to nobody unless another
    line keeps ports of one side apart, so it is a line like any other in a machine that has none such.
    """
    parted = any(len(one) + len(two) > 2 for device in devices for one, two in device.between)
    return [_layout(device, parted) for device in devices]


def _layout(device: DeviceType, parted: bool) -> Layout:
    """Return the vertices of a device: of its lines, two of each line between two sides, and of what is left."""
    if device.kind == "switch":
        every = np.zeros(device.radix, dtype=np.int64)
        return Layout(np.ones(1, dtype=bool), np.zeros(1, dtype=np.int64), every, every)
    plain = device.transit if parted else (*device.transit, *(one + two for one, two in device.between))
    crossings = device.between if parted else ()
    lines = len(plain)
    lone = lines + 2 * len(crossings)
    out = np.full(device.radix, lone, dtype=np.int64)
    for line, ports in enumerate(plain):
        out[list(ports)] = line
    into = out.copy()
    for number, sides in enumerate(crossings):
        for side, ports in enumerate(sides):
            into[list(ports)] = lines + 2 * number + side
            out[list(ports)] = lines + 2 * number + 1 - side
    apart = lone == 0 or bool((out == lone).any())
    turn = np.arange(lone + apart)
    turn[lines:lone] = (turn[lines:lone] - lines ^ 1) + lines
    return Layout(np.arange(lone + apart) < lone, turn, out, into)


def any_crossing(layouts: list[Layout]) -> bool:
    """Return whether a device has a line between two sides."""
    return any((layout.turn != np.arange(len(layout.turn))).any() for layout in layouts)
