"""Chakra execution traces of a traffic (MLCommons Chakra, `et_def.proto`), one for each NPU, as ASTRA-sim reads them.

A trace is messages of protobuf, each after its length: metadata, then the nodes. A flow is a node that sends in the
trace of its source and one that receives in that of its target; those of a phase wait for all that the same NPU had in
the phase before. NPUs have the numbers that `unifiedbus_dsl.export.astra_sim` gives them. Beside the traces are the
two files that ASTRA-sim wants besides a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import json
from unifiedbus_dsl.export.base import ExportInput, Flows, Format, refuse, remark, too_large
from unifiedbus_dsl.export.common.devices import of_kind
from unifiedbus_dsl.export.common.stream import write_text

MOST_FLOWS = 1_000_000
MOST_NPUS = 65_536
"""Each is a file."""

VERSION = "0.0.4"
SEND, RECEIVE = 5, 6
"""`COMM_SEND_NODE` and `COMM_RECV_NODE`."""
BOOL, UINT32, UINT64 = 27, 11, 13
"""Fields of `AttributeProto` for a value of this sort."""

SYSTEM = {
    "scheduling-policy": "LIFO", "endpoint-delay": 1, "active-chunks-per-dimension": 1, "preferred-dataset-splits": 1,
    "all-reduce-implementation": ["ring"], "all-gather-implementation": ["ring"],
    "reduce-scatter-implementation": ["ring"], "all-to-all-implementation": ["direct"],
    "collective-optimization": "localBWAware", "local-mem-bw": 1_000_000, "boost-mode": 0, "roofline-enabled": 0,
    "peak-perf": 900,
}  # fmt: skip
"""ASTRA-sim's system: a nanosecond for each message at its end point."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    npus = np.flatnonzero(of_kind(subject.fabric, "npu"))
    if not len(npus):
        raise refuse(sink, "Chakra has traces of NPUs, and this machine has none", "ns3")
    if len(npus) > MOST_NPUS:
        raise too_large(sink, f"{len(npus):,} NPUs would be as many files", "export a smaller system")
    phases = subject.flows if subject.flows is not None else (start(npus),)
    count = sum(len(phase.size) for phase in phases)
    if count > MOST_FLOWS:
        raise too_large(sink, f"{count:,} flows are more than the {MOST_FLOWS:,} of a trace", "take a smaller traffic")
    number = np.full(subject.fabric.device_count, -1, dtype=np.int64)
    number[npus] = np.arange(len(npus))
    if any((number[np.concatenate([phase.source, phase.target])] < 0).any() for phase in phases):
        raise refuse(sink, "Chakra has traces of NPUs, and other end points send or receive here", "ns3")
    traces = _traces(phases, number, len(npus))
    for npu, trace in enumerate(track(traces, "write traces")):
        (path / f"flows.{npu}.et").write_bytes(trace)
    write_text(path / "system.json", [json.indented(SYSTEM)])
    write_text(path / "remote_memory.json", [json.indented({"memory-type": "NO_MEMORY_EXPANSION"})])
    if subject.flows is None:
        remark(sink, "UB0806", "the traces are a start: each NPU sends 1 MiB to the next", "name one by `--traffic`")


def start(ends: NDArray[np.int64]) -> Flows:
    """Return 1 MiB from each end point to the next, the last to the first."""
    ends = ends if len(ends) > 1 else ends[:0]
    return Flows(ends, np.roll(ends, -1), np.full(len(ends), 1 << 20, dtype=np.int64))


def _traces(phases: Sequence[Flows], number: NDArray[np.int64], npus: int) -> list[bytes]:
    head = framed(_text(1, VERSION))
    traces = [[head] for _ in range(npus)]
    count, before = [0] * npus, [list[int]() for _ in range(npus)]
    tag = 0
    for phase in phases:
        now: dict[int, list[int]] = {}
        rows = zip(number[phase.source].tolist(), number[phase.target].tolist(), phase.size.tolist(), strict=True)
        for source, target, size in rows:
            tag += 1
            for npu, sort in ((source, SEND), (target, RECEIVE)):
                traces[npu].append(framed(_node(count[npu], sort, before[npu], source, target, size, tag)))
                now.setdefault(npu, []).append(count[npu])
                count[npu] += 1
        for npu, own in now.items():
            before[npu] = own
    return [b"".join(parts) for parts in traces]


def _node(number: int, sort: int, after: Iterable[int], source: int, target: int, size: int, tag: int) -> bytes:
    name = f"{'send' if sort == SEND else 'receive'} {tag}"
    packed = b"".join(varint(each) for each in after)
    return b"".join([
        _number(1, number), _text(2, name), _number(3, sort), _bytes(5, packed) if packed else b"",
        _attribute("is_cpu_op", BOOL, 0), _attribute("comm_src", UINT32, source),
        _attribute("comm_dst", UINT32, target), _attribute("comm_size", UINT64, size),
        _attribute("comm_tag", UINT32, tag),
    ])  # fmt: skip


# ---- protobuf (protobuf.dev/programming-guides/encoding) ----------------------------------------------------------


def varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def framed(message: bytes) -> bytes:
    """Return a message after its length."""
    return varint(len(message)) + message


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + framed(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _attribute(name: str, sort: int, value: int) -> bytes:
    return _bytes(10, _text(1, name) + _number(sort, value))


FORMAT = Format(
    "chakra",
    "Chakra traces of a traffic, for ASTRA-sim",
    "fabric",
    "chakra",
    write,
    ("everything but the flows: take the machine from `astra-sim`",),
    "astra-sim",
    traffic=True,
    file_patterns=("flows.*.et", "system.json", "remote_memory.json"),
)
