"""The columns of NetBox's bulk import of cables (NetBox `dcim/forms/bulk_import.py`, `CableImportForm`).

NetBox wants the devices and their interfaces to be there: names are the legal ones of `unifiedbus_dsl.export.names`.
Traces and backplanes are no cables that anyone plugs, and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import csv
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, OutageMask, left_out, too_large
from unifiedbus_dsl.export.common.legal import Rule
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.export.common.stream import cable_runs, kind_facts, number, write_text
from unifiedbus_dsl.export.formats.cables import labels
from unifiedbus_dsl.ir.fabric import Fabric

COLUMNS = (
    "side_a_device", "side_a_type", "side_a_name", "side_b_device", "side_b_type", "side_b_name",
    "type", "status", "length", "length_unit", "label",
)  # fmt: skip

TYPES = {"copper": "dac-passive", "active_copper": "dac-active", "optical": "smf", "": ""}
"""NetBox's type of cable for each of our media."""

NAMES = Rule(r"[^\x00-\x1f]+", 64)
LONGEST_NAME = 64
"""Of a device and of an interface; a label may have 100 characters."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    facts = kind_facts(fabric)
    keep = [fact.medium in TYPES for fact in facts]
    dropped = int(np.bincount(fabric.kind, minlength=len(facts))[[not k for k in keep]].sum())
    if dropped:
        media = ", ".join(sorted({fact.medium for fact in facts} - set(TYPES)))
        left_out(
            sink, f"{dropped:,} connections of medium {media} are no cables for NetBox and were left out", "cables"
        )
    try:
        write_text(path, chain([",".join(COLUMNS) + "\n"], _rows(fabric, keep, subject.gone)))
    except ValueError as error:
        raise _too_long(sink, str(error)) from error


def _too_long(sink: Sink, name: str) -> CannotExportError:
    message = f"`{name}` is longer than NetBox's {LONGEST_NAME} letters"
    return too_large(sink, message, "give its arrays shorter names, or use `--to cables`")


def _rows(fabric: Fabric, keep: list[bool], gone: OutageMask | None) -> Iterator[str]:
    slugs, keys = Slugs(fabric.plan, NAMES), list(fabric.plan.devices)
    ports = [slugs.ports(key) for key in keys]
    facts = [
        (TYPES.get(k.medium, ""), "connected", *(("", "") if k.length is None else (number(k.length, 2), "m")))
        for k in kind_facts(fabric)
    ]
    for run in cable_runs(fabric, "write cables", keep, gone):
        sides = []
        for devices, numbers in ((run.a, fabric.a_port[run.ids]), (run.b, fabric.b_port[run.ids])):
            names = slugs.devices(devices).tolist()
            types = fabric.device_type[devices].tolist()
            far = [ports[t][p] for t, p in zip(types, numbers.tolist(), strict=True)]
            for name in (max(names, key=len), max(far, key=len)):
                if len(name) > LONGEST_NAME:
                    raise ValueError(name)
            sides.append((names, far))
        yield csv.table(
            (a, "dcim.interface", ap, b, "dcim.interface", bp, *facts[kind], label[-100:])
            for a, ap, b, bp, kind, label in zip(
                *sides[0], *sides[1], run.kind, labels(fabric, slugs, run), strict=True
            )
        )


FORMAT = Format(
    "netbox",
    "cables as NetBox imports them in bulk",
    "fabric",
    "netbox.csv",
    write,
    ("rates", "lanes", "latencies", "places"),
    "cables",
    partial=True,
)
