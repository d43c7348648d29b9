"""A topology for the ns-3 of HPCC and for ASTRA-sim's ns-3 (alibaba-edu/High-Precision-Congestion-Control, `third.cc`;
astra-sim/astra-network-ns3, `scratch/common.h`).

The first line has the numbers of nodes, switches and links; the second the numbers of the switches; then a line a link:
both ends, rate, delay and error rate. End points come first, in order, then the switches from the bottom up. Parallel
cables are one link of their added rate: readers know one link between two nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, Format, refuse, remark
from unifiedbus_dsl.export.common.hosts import Hosts, hosts_of, merge, numbered, tell
from unifiedbus_dsl.export.common.stream import number, write_text

MOST_PORTS = 256
"""`pCnt` without the loopback, in HPCC's `switch-mmu.h`."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    hosts = hosts_of(subject.fabric)
    if not hosts.host.any():
        plan = subject.plan
        raise refuse(sink, "HPCC sends between end points, and here are none", "json", plan.type(plan.root).span)
    group = np.where(hosts.host, 0, np.where(hosts.switch, 1, -1))
    hosts = merge(hosts, numbered(subject.fabric, group))
    tell(subject.fabric, hosts, hosts.switch, sink, "HPCC")
    ends = np.concatenate([hosts.a, hosts.b])
    ports = int(np.bincount(ends[hosts.switch[ends]]).max(initial=0))
    if ports > MOST_PORTS:
        message = (
            f"switches of HPCC have {MOST_PORTS} ports, those of ASTRA-sim's ns-3 1,024, and here one has {ports:,}"
        )
        remark(sink, "UB0806", message, "raise `pCnt` in switch-mmu.h and switch-node.h")
    head = f"{len(hosts.host)} {int(hosts.switch.sum())} {len(hosts.a)}\n"
    write_text(path, topology(head, hosts))


def topology(head: str, found: Hosts) -> Iterator[str]:
    """Return the lines of a topology."""
    yield head
    yield " ".join(map(str, np.flatnonzero(found.switch).tolist())) + "\n"
    rows = zip(found.a.tolist(), found.b.tolist(), found.rate.tolist(), found.delay.tolist(), strict=True)
    for a, b, rate, delay in track(rows, "write links", len(found.a)):
        yield f"{a} {b} {_rate(rate)} {number(delay * 1e3, 9)}ms 0\n"


def _rate(bytes_a_second: float) -> str:
    """`400Gbps`, or in bits where it is no whole number of these: ns-3 cuts off what it multiplies."""
    bits = round(bytes_a_second * 8)
    return f"{bits // 10**9}Gbps" if bits % 10**9 == 0 else f"{bits}bps"


FORMAT = Format(
    "hpcc",
    "a topology for the ns-3 of HPCC and of ASTRA-sim",
    "fabric",
    "hpcc.topo",
    write,
    ("names", "ports", "single cables of a bundle", "lengths"),
    "ns3",
)
