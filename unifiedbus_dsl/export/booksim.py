"""A network for BookSim's `anynet` (booksim2/src/networks/anynet.cpp), with `routing_function = min`.

Every device is a router, and each end point a node on its own router: BookSim's nodes have one link, ours have many. A
cable is a channel, written both ways as the file wants it; channels have one flit a cycle whatever their rate. A
cycle is a nanosecond, and a channel takes half of the latency of the devices at its ends beside its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import Format, Subject, left_out
from unifiedbus_dsl.export.devices import latencies, of_kind, tell_forwarding
from unifiedbus_dsl.export.stream import kind_facts, write_text
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.progress import track


def write(subject: Subject, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    rates = sorted({round(kind.capacity) for kind in kind_facts(fabric)})
    if len(rates) > 1:
        left_out(sink, f"BookSim has channels of one rate only, and this machine has {len(rates)}", "simgrid")
    tell_forwarding(fabric, sink, "BookSim routes")
    write_text(path, _parts(fabric))


def _parts(fabric: Fabric) -> Iterator[str]:
    is_end = ~of_kind(fabric, "switch")
    node = np.cumsum(is_end) - 1
    half = latencies(fabric) / 2
    own = np.asarray([kind.latency for kind in kind_facts(fabric)])[fabric.kind]
    cycles = np.maximum(1, np.rint((own + half[fabric.a_device] + half[fabric.b_device]) * 1e9)).astype(np.int64)
    tail = np.concatenate([fabric.a_device, fabric.b_device]).astype(np.int64)
    head = np.concatenate([fabric.b_device, fabric.a_device]).astype(np.int64)
    order = np.argsort(tail, kind="stable")
    starts = np.searchsorted(tail[order], np.arange(fabric.device_count + 1)).tolist()
    both = np.concatenate([cycles, cycles])[order].tolist()
    heads = head[order].tolist()
    for router in track(range(fabric.device_count), "write routers"):
        words = [f"router {router}"]
        if is_end[router]:
            words.append(f"node {node[router]}")
        words += [f"router {heads[n]} {both[n]}" for n in range(starts[router], starts[router + 1])]
        yield " ".join(words) + "\n"


FORMAT = Format(
    "booksim",
    "a network for BookSim's anynet",
    "fabric",
    "anynet",
    write,
    ("rates", "names", "ports", "lengths"),
    "simgrid",
)
