"""A network for BookSim's `anynet` (booksim2/src/networks/anynet.cpp), with `routing_function = min`.

Routers and nodes are those of `unifiedbus_dsl.export.routers`. A node has no latency: the reader takes a number behind
it for that of a channel to the router of the same number. A channel is written both ways, as the file wants it; it
has one flit a cycle whatever its rate. A cycle is a nanosecond, and a channel takes half of the latency of what is at
its ends beside its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, Format, left_out, remark
from unifiedbus_dsl.export.common.deadlock import tell_deadlock
from unifiedbus_dsl.export.common.devices import of_kind, tell_forwarding
from unifiedbus_dsl.export.common.routers import Floats, Ints, Routers, routers_of, tell
from unifiedbus_dsl.export.common.stream import number, write_text


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    routers = routers_of(fabric, far=False)
    if routers.rates > 1:
        left_out(sink, f"BookSim has channels of one rate only, and this machine has {routers.rates}", "simgrid")
    tell_forwarding(fabric, sink, "BookSim routes")
    tell(routers, sink, "BookSim")
    tell_deadlock(fabric, sink, "BookSim")
    ends = routers.device[~of_kind(fabric, "switch")[routers.device]]
    if (routers.half[ends] > 0).any():
        left_out(
            sink, "a path of BookSim takes half of the latency of passing its first and last device as well", "simgrid"
        )
    flit = number(routers.lowest * 1e-9, 3) if np.isfinite(routers.lowest) else "0"
    remark(
        sink,
        "UB0806",
        "`min` takes one path for each pair of routers: of several spines all pairs use the same one",
        f"a cycle is 1 ns and a flit {flit} bytes, so that a channel has its rate",
    )
    write_text(path, _parts(routers))


def _cycles(seconds: Floats) -> Ints:
    return np.maximum(1, np.rint(seconds * 1e9)).astype(np.int64)


def _parts(found: Routers) -> Iterator[str]:
    half = found.half[found.device]
    channel = _cycles(found.latency + half[found.a] + half[found.b]).tolist()
    words: list[list[str]] = [[f"router {router}"] for router in range(len(found.device))]
    for number_, router in enumerate(found.node_router.tolist()):
        words[router].append(f"node {number_}")
    for a, b, cycles in zip(found.a.tolist(), found.b.tolist(), channel, strict=True):
        words[a].append(f"router {b} {cycles}")
        words[b].append(f"router {a} {cycles}")
    for line in track(words, "write routers"):
        yield " ".join(line) + "\n"


FORMAT = Format(
    "booksim",
    "a network for BookSim's anynet",
    "fabric",
    "anynet",
    write,
    ("rates", "several paths of a pair", "names", "ports", "lengths"),
    "simgrid",
)
