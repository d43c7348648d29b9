"""A topology for SimAI and the simulators of the HPCC family (aliyun/SimAI, astra-sim-alibabacloud/inputs/topo).

The first line has the numbers of nodes, NPUs a server, switches inside servers, other switches and links, and the type
of the NPU; the second the numbers of all switches; then a line a link: both ends, rate, latency and error rate. NPUs
come first, then the switches inside servers, then the others from the bottom up. Parallel cables are one link of their
added rate: readers know one link between two nodes.

SimAI reaches NPUs over switches only, one NPU being no way to another; NPUs joined directly are written, and told of.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import Format, Subject, left_out, refuse
from unifiedbus_dsl.export.devices import tiers
from unifiedbus_dsl.export.names import plain
from unifiedbus_dsl.export.pairs import Pairs, pairs_of
from unifiedbus_dsl.export.servers import servers_of
from unifiedbus_dsl.export.stream import number, write_text
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.progress import track

Ints = NDArray[np.int64]


@frozen(eq=False)
class Order:
    """The number of each device in the file, and how many NPUs, NPUs a server, and switches of both sorts there are."""

    number: Ints
    npus: int
    in_server: int
    inner: int
    outer: int


def write(subject: Subject, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    order = _order(subject, sink)
    links = pairs_of(fabric)
    ends = order.number[links.a] < order.npus, order.number[links.b] < order.npus
    direct = int((ends[0] & ends[1]).sum())
    if direct:
        left_out(sink, f"SimAI sends over switches only, and {direct:,} links join NPUs with NPUs", "ns3")
    npu = next(key for key, of in fabric.plan.devices.items() if of.kind == "npu")
    write_text(path, _parts(fabric, order, links, plain(npu).upper()))


def _order(subject: Subject, sink: Sink) -> Order:
    """Numbers for all devices.

    Raises:
        CannotExportError: there are no NPUs, other end points, or servers of several sizes.
    """
    fabric = subject.fabric
    plan = fabric.plan
    span = plan.type(plan.root).span
    kinds = np.asarray([of.kind for of in plan.devices.values()])[fabric.device_type]
    others = sorted(set(kinds.tolist()) - {"npu", "switch"})
    if others or not (kinds == "npu").any():
        raise refuse(
            sink,
            f"SimAI knows NPUs and switches, {'not ' + others[0] if others else 'and here is no NPU'}",
            "ns3",
            span,
        )
    inner = np.zeros(fabric.device_count, dtype=bool)
    sizes = set()
    for server in servers_of(subject):
        inside = kinds[server.start : server.stop]
        sizes.add(int((inside == "npu").sum()))
        if server.stop - server.start < fabric.device_count:
            inner[server.start : server.stop] = inside == "switch"
    sizes -= {0}
    if len(sizes) > 1:
        raise refuse(
            sink, f"SimAI has servers of one size, here are some of {min(sizes)} and {max(sizes)} NPUs", "ns3", span
        )
    tier = tiers(fabric)
    outer = np.where(tier < 0, fabric.device_count, tier)  # what reaches no NPU comes last
    rank = np.where(kinds == "npu", 0, np.where(inner, 1, 2 + outer))
    number_ = np.empty(fabric.device_count, dtype=np.int64)
    number_[np.argsort(rank, kind="stable")] = np.arange(fabric.device_count)
    npus, switches = int((kinds == "npu").sum()), int(inner.sum())
    return Order(number_, npus, sizes.pop(), switches, fabric.device_count - npus - switches)


def _parts(fabric: Fabric, order: Order, links: Pairs, npu: str) -> Iterator[str]:
    total = fabric.device_count
    yield f"{total} {order.in_server} {order.inner} {order.outer} {len(links.a)} {npu}\n"
    yield " ".join(map(str, range(order.npus, total))) + "\n"
    a, b = order.number[links.a], order.number[links.b]
    low, high = np.minimum(a, b), np.maximum(a, b)
    by = np.lexsort((high, low))
    rows = zip(low[by].tolist(), high[by].tolist(), links.rate[by].tolist(), links.latency[by].tolist(), strict=True)
    for one, two, rate, latency in track(rows, "write links", len(by)):
        yield f"{one} {two} {number(rate * 8e-9, 6)}Gbps {number(latency * 1e3, 9)}ms 0\n"


FORMAT = Format(
    "simai",
    "a topology for SimAI and the ns-3 of the HPCC family",
    "fabric",
    "simai.topo",
    write,
    ("names", "ports", "single cables of a bundle", "latencies of switches", "lengths"),
    "ns3",
    nodes=True,
)
