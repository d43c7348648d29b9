"""A matrix of capacities for linear algebra: Matrix Market, coordinate, real, symmetric (Boisvert, Pozo and Remington,
"The Matrix Market Exchange Formats", NISTIR 5935, 1996), as SciPy, MATLAB, Julia and GraphBLAS read it.

Row k is device k - 1; an entry is the capacity of all cables between two devices, byte/s each way. Of the symmetric
matrix the lower triangle is written, by columns. The names of the rows stand in comments, as JSON writes texts: no name
ends its line. A device that a scenario has taken keeps its row, which is empty and has no name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask
from unifiedbus_dsl.export.common.stream import kind_facts, number, pieces, write_text
from unifiedbus_dsl.ir.fabric import Fabric


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _parts(subject.fabric, subject.gone))


def capacities(fabric: Fabric, gone: OutageMask | None) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of devices that cables join, by the lower and then the higher, and what all of their cables
    carry one way, byte/s: three columns of equal length."""
    left = np.ones(fabric.cable_count, dtype=bool) if gone is None else ~gone.cables
    a, b = (each[left].astype(np.int64) for each in (fabric.a_device, fabric.b_device))
    carried = np.array([each.capacity for each in kind_facts(fabric)])[fabric.kind[left]]
    pair, number_of = np.unique(np.minimum(a, b) * fabric.device_count + np.maximum(a, b), return_inverse=True)
    low, high = np.divmod(pair, max(1, fabric.device_count))
    return low, high, bincount(number_of.ravel(), carried, len(pair))


def _parts(fabric: Fabric, gone: OutageMask | None) -> Iterator[str]:
    low, high, capacity = capacities(fabric, gone)
    yield "%%MatrixMarket matrix coordinate real symmetric\n"
    yield f"% {json.ascii_string(fabric.plan.system)}: capacity of the cables between two devices, byte/s each way\n"
    for start, stop in pieces(fabric.device_count, "write names"):
        devices = np.arange(start, stop) if gone is None else np.flatnonzero(~gone.devices[start:stop]) + start
        names = zip(devices.tolist(), fabric.device_names(devices).tolist(), strict=True)
        yield "".join(f"% {device + 1} {json.ascii_string(name)}\n" for device, name in names)
    yield f"{fabric.device_count} {fabric.device_count} {len(capacity)}\n"
    for start, stop in pieces(len(capacity), "write capacities"):
        rows = zip(high[start:stop].tolist(), low[start:stop].tolist(), capacity[start:stop].tolist(), strict=True)
        yield "".join(f"{row + 1} {column + 1} {number(value)}\n" for row, column, value in rows)


FORMAT = Format(
    "mtx",
    "a matrix of capacities between devices, for SciPy, MATLAB, Julia and GraphBLAS",
    "fabric",
    "mtx",
    write,
    ("kinds and types of devices", "parallel cables (added up)", "links", "ports", "latencies", "lengths"),
    supports_outages=True,
)
