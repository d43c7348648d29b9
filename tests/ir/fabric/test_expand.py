"""Expansion against the plain-loop twin, edge for edge."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from tests.ir.plan import hand_made as hm
from tests.ir.plan import loops
from tests.ir.plan.random_plans import plans
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import expand, smallest
from unifiedbus_dsl.ir.plan import Const, Op, Plan, Var


def edges(graph: nx.MultiGraph) -> Counter[object]:
    return Counter(
        (frozenset([a, b]), data["ports"], data["link"], data["lanes"], data["length"])
        for a, b, data in graph.edges(data=True)
    )


def named_edges(fabric: Fabric) -> Counter[object]:
    """The edges of a fabric by the names of its ends."""
    found: Counter[object] = Counter()
    links = list(fabric.plan.links)
    a, b = fabric.end_names(np.arange(fabric.cable_count))
    for c in range(fabric.cable_count):
        one, other = (tuple(text.rsplit(".", 1)) for text in (a[c], b[c]))
        kind = fabric.kind[c]
        length = float(fabric.kinds.length_m[kind])
        found[
            frozenset([one[0], other[0]]),
            frozenset([one, other]),
            links[fabric.kinds.link[kind]],
            int(fabric.kinds.lanes[kind]),
            None if np.isnan(length) else length,
        ] += 1
    return found


@given(plans())
@settings(max_examples=100, deadline=None)
def test_columns_equal_the_plain_loops(plan: Plan) -> None:
    fabric, twin = expand(plan), loops.graph(plan)
    types = list(plan.devices)
    names = fabric.device_names(np.arange(fabric.device_count))
    assert list(names) == list(twin.nodes)
    assert [types[t] for t in fabric.device_type] == [twin.nodes[name]["type"] for name in names]
    assert named_edges(fabric) == edges(twin)


@given(plans())
@settings(max_examples=30, deadline=None)
def test_cables_stand_in_the_order_of_the_plan(plan: Plan) -> None:
    """Where no condition ties axes together, cable ids follow the loops one by one."""
    if any(rule.where is not None for assembly in plan.assemblies.values() for rule in assembly.rules):
        return
    fabric = expand(plan)
    names = fabric.cable_names(np.arange(fabric.cable_count))
    assert list(names) == [f"{a}.{p} -- {b}.{q}" for a, p, b, q, *_ in loops.cables(plan, plan.root)]


def test_a_cluster_equals_the_plain_loops() -> None:
    plan = hm.cluster(pods=2, racks=2, pod_switches=1)
    fabric = expand(plan)
    assert fabric.device_count == plan.device_count["Cluster"] == 2 * (2 * 68 + 256) + 256
    assert named_edges(fabric) == edges(loops.graph(plan))


def test_columns_are_read_only_and_small() -> None:
    fabric = expand(hm.cluster(pods=1, racks=2, pod_switches=1))
    for column in (fabric.device_type, fabric.a_device, fabric.a_port, fabric.b_device, fabric.b_port, fabric.kind):
        assert column.dtype == np.uint16
        assert not column.flags.writeable


def test_smallest_type() -> None:
    assert [smallest(n) for n in (-1, 65_535, 65_536, 2**32 - 1, 2**32)] == [
        np.uint16,
        np.uint16,
        np.uint32,
        np.uint32,
        np.uint64,
    ]


def test_pieces_of_a_rule_make_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = hm.cluster(pods=2, racks=3, pod_switches=2)
    whole = expand(plan)
    monkeypatch.setattr("unifiedbus_dsl.ir.plan.index.CHUNK", 7)
    pieces = expand(hm.cluster(pods=2, racks=3, pod_switches=2))
    assert pieces.cable_source(pieces.cable_count - 2).axes == {"d": 1, "p": 3, "i": 7, "h": 7, "u": 0}
    for name in ("a_device", "a_port", "b_device", "b_port", "kind"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name))


def test_length_from_the_floor() -> None:
    """Racks 0.6 m apart in a row, 2.4 m between rows, half a metre of slack."""
    chip = hm.device("Chip", "npu", x=(1,))
    rack = hm.assembly("Rack", "rack", {"npu": ((), "Chip")}, [hm.export("p", (), hm.ref("npu", [], "x", [0]))])
    first_to_all = hm.rule(
        hm.ref("rack", [0], "p", []),
        hm.ref("rack", ["j"], "p", []),
        hm.axes(j=4),
        Op(">", Var("j"), Const(0)),
        "Optic",
        None,
    )
    row = hm.assembly(
        "Row", "superpod", {"rack": ((4,), "Rack")}, [], [first_to_all], [hm.grid("rack", 4, 2, ("0.6", "2.4"))]
    )
    fabric = expand(hm.plan("Row", chip, rack, row))
    assert list(fabric.kinds.length_m[fabric.kind]) == [1.1, 2.9, 3.5]


def test_a_missing_length_is_no_number() -> None:
    chip = hm.device("Chip", "npu", x=(1,))
    pair = hm.rule(hm.ref("npu", [0], "x", [0]), hm.ref("npu", [1], "x", [0]), (), length=None)
    fabric = expand(hm.plan("Box", chip, hm.assembly("Box", "rack", {"npu": ((2,), "Chip")}, [], [pair])))
    assert np.isnan(fabric.kinds.length_m[fabric.kind[0]])


def test_a_system_of_one_device() -> None:
    fabric = expand(hm.plan("Chip", hm.device("Chip", "npu", x=(1,))))
    assert (fabric.device_count, fabric.cable_count) == (1, 0)
    assert list(fabric.device_names([0])) == [""]


def test_stated_lengths_are_rounded_to_millimetres() -> None:
    chip = hm.device("Chip", "npu", x=(1,))
    pair = hm.rule(hm.ref("npu", [0], "x", [0]), hm.ref("npu", [1], "x", [0]), (), length=Fraction(1, 3))
    fabric = expand(hm.plan("Box", chip, hm.assembly("Box", "rack", {"npu": ((2,), "Chip")}, [], [pair])))
    assert list(fabric.kinds.length_m) == [0.333]
