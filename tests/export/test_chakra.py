"""Chakra traces, read by protobuf's rules and by the library of protobuf, and run by the rules of ASTRA-sim."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.machines import PODS, compiled, fabric
from tests.export.test_simulators import FLOWS, RING, said
from unifiedbus_dsl import export
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.export.base import ExportInput, Flows

SEND, RECEIVE = 5, 6


def number(data: bytes, at: int) -> tuple[int, int]:
    """A varint and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value, at


def messages(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size, at = number(data, at)
        assert at + size <= len(data)
        yield data[at : at + size]
        at += size


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = number(data, at)
        assert key & 7 in (0, 2)
        value, at = number(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value  # type: ignore[assignment]
        yield key >> 3, value


def trace(path: Path) -> list[dict[str, Any]]:
    """The nodes of a trace, with their attributes by name."""
    head, *rest = messages(path.read_bytes())
    assert dict(fields(head)) == {1: b"0.0.4"}
    nodes = []
    for message in rest:
        found = list(fields(message))
        node: dict[str, Any] = {"id": dict(found)[1], "type": dict(found)[3], "after": []}
        for field, value in found:
            if field == 5:
                at = 0
                while at < len(value):
                    each, at = number(value, at)
                    node["after"].append(each)
            if field == 10:
                (_, name), (_, amount) = fields(value)
                node[name.decode()] = amount
        nodes.append(node)
    assert [node["id"] for node in nodes] == list(range(len(nodes)))
    return nodes


def run(folder: Path, npus: int, seconds: Any) -> float:
    """When the last node of all traces is done: a message takes `seconds(source, target, size)` from when its sender
    may send; a node is done when its message has arrived, and begins when all that it waits for are."""
    traces = [trace(folder / f"flows.{n}.et") for n in range(npus)]
    done: dict[tuple[int, int], float] = {}
    sent: dict[int, float] = {}
    waiting = {(n, node["id"]): node for n, nodes in enumerate(traces) for node in nodes}
    while waiting:
        ready = [key for key, node in waiting.items() if all((key[0], each) in done for each in node["after"])]
        before = len(waiting)
        for key in sorted(ready, key=lambda each: waiting[each]["type"]):
            node = waiting[key]
            begin = max((done[key[0], each] for each in node["after"]), default=0.0)
            if node["type"] == SEND:
                assert node["comm_src"] == key[0]
                sent[node["comm_tag"]] = begin + seconds(node["comm_src"], node["comm_dst"], node["comm_size"])
                done[key] = sent[node["comm_tag"]]
            elif node["comm_tag"] in sent:
                assert node["comm_dst"] == key[0]
                done[key] = max(begin, sent[node["comm_tag"]])
            else:
                continue
            del waiting[key]
        assert len(waiting) < before, "a receive without its send"
    return max(done.values())


def test_an_all_reduce_of_traces_takes_as_long_as_ours(tmp_path: Path) -> None:
    (tmp_path / "r.ubus").write_text(RING + "traffic total of r = allreduce(all npu, size = 1 GiB)\n")
    folder = tmp_path / "et"
    assert main(["export", str(tmp_path / "r.ubus"), "--to", "chakra", "--traffic", "total", "-o", str(folder)]) == 0
    took = run(folder, 8, lambda a, b, size: 105e-9 + size / 105e9)  # two cables of 52.5 GB/s to a neighbour
    assert took == pytest.approx(said(RING, "time(allreduce(all npu, size = 1 GiB), algorithm = ring)"), rel=1e-9)
    assert json.loads((folder / "system.json").read_text())["endpoint-delay"] == 1


def test_every_flow_is_sent_and_received(tmp_path: Path) -> None:
    (tmp_path / "pod.ubus").write_text(PODS + FLOWS)
    folder = tmp_path / "et"
    assert main(["export", str(tmp_path / "pod.ubus"), "--to", "chakra", "--traffic", "spread", "-o", str(folder)]) == 0
    ends: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for npu in range(64):
        for node in trace(folder / f"flows.{npu}.et"):
            flow = node["comm_src"], node["comm_dst"], node["comm_size"], node["comm_tag"]
            assert flow[0 if node["type"] == SEND else 1] == npu
            assert node["is_cpu_op"] == 0
            ends[node["type"]].append(flow)
    assert sorted(ends[SEND]) == sorted(ends[RECEIVE])
    assert len({flow[3] for flow in ends[SEND]}) == len(ends[SEND])
    assert sorted(flow[:3] for flow in ends[SEND]) == [
        (a, b, 1 << 20) for a in range(64) for b in range(64) if a // 16 == b // 16 and a != b
    ]


def test_a_start_where_no_traffic_is_named(tmp_path: Path) -> None:
    found = export.write(fabric(), "chakra", tmp_path)
    assert [d.code for d in found] == ["UB0805", "UB0806"]
    sends = [node for node in trace(tmp_path / "flows.63.et") if node["type"] == SEND]
    assert [(node["comm_dst"], node["comm_size"]) for node in sends] == [(0, 1 << 20)]


def test_what_chakra_cannot_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export.formats import chakra

    switch = fabric().blocks("switch")[0]
    flows = Flows(switch[:1], switch[1:2], np.asarray([5]))
    subject = ExportInput(fabric().plan, fabric, flows=(flows,))
    with pytest.raises(export.CannotExportError, match="other end points"):
        export.write_subject(subject, export.find("chakra"), tmp_path, export.Sink())
    monkeypatch.setattr(chakra, "MOST_FLOWS", 10)
    with pytest.raises(export.CannotExportError, match="64 flows are more"):
        export.write(fabric(), "chakra", tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_library_of_protobuf_reads_it(tmp_path: Path) -> None:
    """With the fields of `et_def.proto` that are used, by their numbers."""
    descriptor = pytest.importorskip("google.protobuf.descriptor_pb2")
    pool, factory = (pytest.importorskip(f"google.protobuf.{name}") for name in ("descriptor_pool", "message_factory"))
    file = descriptor.FileDescriptorProto(name="et.proto", package="p", syntax="proto3")
    sorts = descriptor.FieldDescriptorProto
    for name, of in {
        "Attr": [("name", 1, sorts.TYPE_STRING, 1), ("int64_val", 9, sorts.TYPE_INT64, 1),
                 ("uint32_val", 11, sorts.TYPE_UINT32, 1), ("uint64_val", 13, sorts.TYPE_UINT64, 1),
                 ("bool_val", 27, sorts.TYPE_BOOL, 1)],
        "Node": [("id", 1, sorts.TYPE_UINT64, 1), ("name", 2, sorts.TYPE_STRING, 1), ("type", 3, sorts.TYPE_INT32, 1),
                 ("data_deps", 5, sorts.TYPE_UINT64, 3), ("attr", 10, sorts.TYPE_MESSAGE, 3)],
    }.items():  # fmt: skip
        message = file.message_type.add(name=name)
        for field, place, sort, label in of:
            each = message.field.add(name=field, number=place, type=sort, label=label)
            if sort == sorts.TYPE_MESSAGE:
                each.type_name = ".p.Attr"
    found = pool.DescriptorPool()
    found.Add(file)
    node_class = factory.GetMessageClass(found.FindMessageTypeByName("p.Node"))
    export.write(compiled(RING).fabric(), "chakra", tmp_path)
    _, *rest = messages((tmp_path / "flows.0.et").read_bytes())
    for message_, ours in zip(rest, trace(tmp_path / "flows.0.et"), strict=True):
        node = node_class.FromString(message_)
        assert (node.id, node.type, list(node.data_deps)) == (ours["id"], ours["type"], ours["after"])
        values = {a.name: a.uint64_val or a.uint32_val or a.int64_val or int(a.bool_val) for a in node.attr}
        assert values == {key: ours[key] for key in values}
