"""Our own cable list, for whoever plugs the cables: a row a cable, both ends with port and place, label and length.

Columns: `cable` (its id), `label`, then for both ends device, port, kind, type, place and x and y of the place in
metres, and the label to stick on that end, then `link`, `medium`, `lanes`, `gbps` (raw rate each way), `length_m` and
`ends`. A cable with several links, as a breakout, has a row for each: all have the number and label of the first, and
at an end where several meet the same label.

The label is the legal name of the first port. As a port takes one cable, no two cables have one label, and it stays
the same as long as that port does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from math import isnan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import csv
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask
from unifiedbus_dsl.export.common.floor import Floor, read_floor
from unifiedbus_dsl.export.common.legal import ANY
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.export.common.plugs import end_label, ends_of_cables, shared_labels
from unifiedbus_dsl.export.common.stream import Cables, cable_runs, kind_facts, number, write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.physical import first_of_cables

COLUMNS = (
    "cable", "label",
    "a_device", "a_port", "a_kind", "a_type", "a_place", "a_x_m", "a_y_m", "a_label",
    "b_device", "b_port", "b_kind", "b_type", "b_place", "b_x_m", "b_y_m", "b_label",
    "link", "medium", "lanes", "gbps", "length_m", "ends",
)  # fmt: skip


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, chain([",".join(COLUMNS) + "\n"], _rows(subject.fabric, subject.gone)))


def labels(fabric: Fabric, slugs: Slugs, run: Cables) -> list[str]:
    """Return the label of each cable of a run: the name of the first port of its first link."""
    keys = list(fabric.plan.devices)
    ports = [slugs.ports(key) for key in keys]
    first = first_of_cables(fabric)[run.ids]
    begins = fabric.a_device[first]
    types = fabric.device_type[begins].tolist()
    numbers = fabric.a_port[first].tolist()
    devices = slugs.devices(begins).tolist()
    return [f"{d}-{ports[t][p]}" for d, t, p in zip(devices, types, numbers, strict=True)]


def _rows(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    where, slugs = read_floor(fabric.plan), Slugs(fabric.plan, ANY)
    facts = [
        (
            k.link,
            k.medium,
            k.lanes,
            "" if k.rate is None else number(k.rate * 8e-9),
            "" if k.length is None else number(k.length, 3),
        )
        for k in kind_facts(fabric)
    ]
    first, ends = first_of_cables(fabric), ends_of_cables(fabric)
    a_shared, b_shared = shared_labels(fabric)
    for run in cable_runs(fabric, "write cables", gone=gone):
        yield csv.table(
            (first[cable], label, a, ap, *ax, a_shared.get(cable) or end_label(a, ap, f"{b} {bp}"),
             b, bp, *bx, b_shared.get(cable) or end_label(b, bp, f"{a} {ap}"), *facts[kind], ends[cable])
            for cable, label, a, ap, ax, b, bp, bx, kind in zip(
                run.ids, labels(fabric, slugs, run), run.a_name, run.a_port, _about(fabric, where, run.a),
                run.b_name, run.b_port, _about(fabric, where, run.b), run.kind, strict=True,
            )
        )  # fmt: skip


def _about(fabric: Fabric, where: Floor, devices: list[int]) -> Iterator[tuple[str, ...]]:
    """Kind, type, place, x and y of each device."""
    types = [(of.kind, of.key) for of in fabric.plan.devices.values()]
    at = np.asarray(devices)
    numbers, places = fabric.device_type[at].tolist(), where.places(at)
    for t, place, x, y in zip(numbers, places, _metres(where.x[at]), _metres(where.y[at]), strict=True):
        yield *types[t], place, x, y


def _metres(values: NDArray[np.float32]) -> list[str]:
    return ["" if isnan(value) else number(value, 3) for value in values.tolist()]


FORMAT = Format(
    "cables",
    "cable list for people: both ends, places, labels, lengths",
    "fabric",
    "cables.csv",
    write,
    ("devices without a cable", "fields of devices", "transit lines"),
    supports_outages=True,
)
