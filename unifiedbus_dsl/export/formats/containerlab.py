"""A lab for containerlab (containerlab.dev/manual/topo-def-file): each device a container, each cable a link.

Interface `ethN` of a container is port N - 1 of the device, as `eth0` is containerlab's own. Every node is of the kind
`linux`; which image and kind a switch is, the site says, for all of a type at once under `groups`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import yaml
from unifiedbus_dsl.export.base import ExportInput, Format, refuse, remark, too_large
from unifiedbus_dsl.export.common.names import Slugs, plain, stems
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.ir.fabric import Fabric

MOST_DEVICES = 1_000
"""Containers on one host: beyond that it is no lab."""
IMAGE = "alpine:3"


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    if not fabric.device_count:
        raise refuse(sink, "containerlab wants a device, and this machine has none", "json")
    if fabric.device_count > MOST_DEVICES:
        raise too_large(
            sink,
            f"{fabric.device_count:,} devices are more containers than one host runs",
            "export a smaller system, say one with fewer racks",
        )
    write_text(path, _lab(fabric))
    remark(sink, "UB0806", f"every container is `{IMAGE}`", "set `kind` and `image` of the switches under `groups`")


def _lab(fabric: Fabric) -> Iterator[str]:
    plan = fabric.plan
    groups = stems(list(plan.devices))
    yield f"name: {yaml.string(plain(plan.system))}\ntopology:\n  kinds:\n    linux:\n      image: {IMAGE}\n  groups:\n"
    yield "".join(f"    {yaml.string(groups[key])}:\n      kind: linux\n" for key in plan.devices)
    names = Slugs(plan).devices(np.arange(fabric.device_count)).tolist()
    types = [groups[key] for key in plan.devices]
    yield "  nodes:\n"
    for name, of in zip(names, fabric.device_type.tolist(), strict=True):
        yield f"    {yaml.string(name)}:\n      kind: linux\n      group: {yaml.string(types[of])}\n"
    yield "  links:\n" if fabric.cable_count else "  links: []\n"
    columns = (fabric.a_device, fabric.a_port, fabric.b_device, fabric.b_port)
    for a, ap, b, bp in zip(*(column.tolist() for column in columns), strict=True):
        ends = ", ".join(yaml.string(f"{names[device]}:eth{port + 1}") for device, port in ((a, ap), (b, bp)))
        yield f"    - endpoints: [{ends}]\n"


FORMAT = Format(
    "containerlab",
    "a lab for containerlab: a container a device, a link a cable",
    "fabric",
    "clab.yml",
    write,
    ("rates", "latencies", "lengths", "kinds of devices"),
)
