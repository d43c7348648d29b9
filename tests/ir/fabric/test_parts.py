"""Names and back, blocks, slices, NetworkX."""

from __future__ import annotations

from collections import Counter
from copy import copy

import attrs
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ir.plan import hand_made as hm
from tests.ir.plan import loops
from tests.ir.plan.random_plans import plans
from unifiedbus_dsl.ir.fabric import Fabric, names
from unifiedbus_dsl.ir.fabric.deferred import DeferredFabric
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.plan import Axis, Child, Plan, Rule
from unifiedbus_dsl.ir.plan.lengths import rule_lengths
from unifiedbus_dsl.ir.plan.numbering import UNPLACED


@pytest.fixture(scope="module")
def cluster() -> Fabric:
    return expand(hm.cluster(pods=3, racks=4, pod_switches=2))


# ---- names


@given(plans())
@settings(max_examples=50, deadline=None)
def test_names_and_back(plan: Plan) -> None:
    ids = np.arange(plan.device_count[plan.root])
    texts = names.device_names(plan, ids)
    assert [names.device_id(plan, text) for text in texts] == ids.tolist()
    for key in plan.devices:
        for number, port in enumerate(names.port_names(plan, key)):
            assert names.port_number(plan, key, port) == number
    types = [key for _, key in loops.device_paths(plan, plan.root)]
    assert [names.device_type_at(plan, d) for d in ids] == types


def test_names_of_a_cluster(cluster: Fabric) -> None:
    assert cluster.device_name(cluster.device_id("pod[1].cabinet[3].board[5].npu[7]")) == (
        "pod[1].cabinet[3].board[5].npu[7]"
    )
    last = cluster.cable_count - 1
    assert cluster.cable_name(last) == "pod[2].inter[3, 7].hrs[7].q[1] -- core[3, 7, 7, 1].p[2]"
    a, _ = cluster.end_names([last])
    device, _, port = str(a[0]).rpartition(".")
    assert names.device_id(cluster.plan, device) == cluster.a_device[last]
    key = names.device_type_at(cluster.plan, int(cluster.a_device[last]))
    assert names.port_number(cluster.plan, key, port) == cluster.a_port[last]
    shape = cluster.device_names(np.arange(6).reshape(2, 3)).shape
    assert shape == (2, 3)


def test_a_single_child_has_no_brackets() -> None:
    chip = hm.device("Chip", "npu", x=(), y=(2, 2))
    fabric = expand(hm.plan("Box", chip, hm.assembly("Box", "rack", {"npu": ((), "Chip")})))
    assert fabric.device_name(0) == "npu"
    assert names.port_names(fabric.plan, "Chip").tolist() == ["x", "y[0, 0]", "y[0, 1]", "y[1, 0]", "y[1, 1]"]
    assert names.port_number(fabric.plan, "Chip", "y[1,0]") == 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pod[3]", r"subscript 3 of `pod` in `pod\[3\]` is outside 0\.\.2"),
        ("pod[1]", r"`pod\[1\]` is no device but superpod `Pod`"),
        ("pod", "`pod` in `pod` wants 1 subscript, found 0"),
        ("pod[0].rack[1]", "no `rack` of .* in superpod `Pod`; it has `cabinet`, `inter`"),
        ("pod[0].cabinet[0].plane[0].x[1]", "in switch `LRS`; it has none"),
        ("pod[x]", "subscript `x` in .* is no number"),
        ("pod[-1]", "subscript `-1` in .* is no number"),
        ("pod[0]..board", "no name with subscripts"),
        ("pod[0", "no name with subscripts"),
        ("", "is no device but supercluster `Cluster`"),
    ],
)
def test_wrong_names_are_a_sentence(cluster: Fabric, name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cluster.device_id(name)


def test_wrong_ids_and_ports_are_a_sentence(cluster: Fabric) -> None:
    with pytest.raises(ValueError, match="there is no device -1"):
        cluster.device_names([0, -1])
    with pytest.raises(ValueError, match=f"there is no cable {cluster.cable_count}: ids run from 0"):
        cluster.cable_source(cluster.cable_count)
    with pytest.raises(ValueError, match="`Chip` has no port `z`; it has `up`, `x`, `y`"):
        names.port_number(cluster.plan, "Chip", "z[1]")
    with pytest.raises(ValueError, match=r"outside 0\.\.3"):
        names.port_number(cluster.plan, "Chip", "up[4]")


@given(plans())
@settings(max_examples=40, deadline=None)
def test_where_a_cable_comes_from(plan: Plan) -> None:
    """Rule, instance and index values of a cable give back its ends."""
    fabric = expand(plan)
    seen = set()
    for c in range(min(fabric.cable_count, 60)):
        source = fabric.cable_source(c)
        rule = plan.assemblies[source.assembly].rules[source.rule]
        for ref, side in ((rule.left, 0), (rule.right, 1)):
            steps, port = loops.end(plan, source.assembly, ref, source.axes)
            path = ".".join([*([source.path] if source.path else []), *(loops.subscript(*s) for s in steps)])
            assert fabric.end_names([c])[side][0] == f"{path}.{port}"
        seen.add((source.path, source.rule, tuple(source.axes.items())))
    assert len(seen) == min(fabric.cable_count, 60)


# ---- blocks


@given(plans())
@settings(max_examples=40, deadline=None)
def test_blocks(plan: Plan) -> None:
    paths = [path for path, _ in loops.device_paths(plan, plan.root)]
    for selector in ("rack", "npu", *plan.devices, *plan.assemblies, "nothing"):
        expected = []

        def visit(key: str, prefix: str, selector: str = selector, expected: list[str] = expected) -> None:
            if selector in (key, plan.type(key).kind):
                expected.append(prefix)
            if key in plan.assemblies:
                for child in plan.assemblies[key].children:
                    for at in np.ndindex(*child.shape):
                        visit(child.type, f"{prefix}.{loops.subscript(child.name, at)}")

        visit(plan.root, "")
        starts, stops = names.blocks(plan, selector)
        inside = [
            [n for n, path in enumerate(paths) if path == e[1:] or path.startswith(e[1:] + ".") or not e]
            for e in expected
        ]
        assert list(zip(starts.tolist(), stops.tolist(), strict=True)) == [(i[0], i[-1] + 1) for i in inside]


def test_spares() -> None:
    chip = hm.device("Chip", "npu", x=1)
    board = hm.assembly("Board", "board", {"npu": ((2,), "Chip")})
    extra = Child("spare", (), "Chip", spare=True)
    rack = hm.assembly("Rack", "rack", {"board": ((2,), "Board")})
    rack = type(rack)(rack.key, rack.kind, (*rack.children, extra))
    assert names.spares(hm.plan("Rack", chip, board, rack)).tolist() == [False] * 4 + [True]


# ---- slices


def by_filter(fabric: Fabric, prefixes: list[str]) -> tuple[list[int], list[int]]:
    """Devices below any of these paths and cables between them, by looking at everything."""
    texts = fabric.device_names(np.arange(fabric.device_count))
    inside = np.asarray([any(t == p or t.startswith(p + ".") for p in prefixes) for t in texts])
    cables = inside[fabric.a_device] & inside[fabric.b_device]
    return np.flatnonzero(inside).tolist(), np.flatnonzero(cables).tolist()


@pytest.mark.parametrize(
    ("scope", "prefixes"),
    [
        ("pod[1]", ["pod[1]"]),
        ("pod[0..1].cabinet[2]", ["pod[0].cabinet[2]", "pod[1].cabinet[2]"]),
        ("pod[2].cabinet[0].board[0..<2]", ["pod[2].cabinet[0].board[0]", "pod[2].cabinet[0].board[1]"]),
        ("pod[2].cabinet[0].board[*].npu[3]", [f"pod[2].cabinet[0].board[{b}].npu[3]" for b in range(8)]),
        ("pod[0].inter[1]", [f"pod[0].inter[1, {i}]" for i in range(8)]),
        ("pod[0].inter[*, 0..7 step 7]", [f"pod[0].inter[{p}, {i}]" for p in range(4) for i in (0, 7)]),
        ("core[0, 1, 2, 1]", ["core[0, 1, 2, 1]"]),
        ("pod", ["pod[0]", "pod[1]", "pod[2]"]),
    ],
)
def test_slices_are_a_filter_of_the_whole(cluster: Fabric, scope: str, prefixes: list[str]) -> None:
    part = cluster.slice(scope)
    assert (part.devices.tolist(), part.cables.tolist()) == by_filter(cluster, prefixes)
    assert np.array_equal(part.devices[part.a_device], cluster.a_device[part.cables])
    assert np.array_equal(part.devices[part.b_device], cluster.b_device[part.cables])
    for name in ("a_port", "b_port", "kind"):
        assert np.array_equal(getattr(part, name), getattr(cluster, name)[part.cables])
    assert np.array_equal(part.device_type, cluster.device_type[part.devices])


@given(plans(), st.data())
@settings(max_examples=50, deadline=None)
def test_random_slices_are_a_filter_of_the_whole(plan: Plan, data: st.DataObject) -> None:
    fabric = expand(plan)
    segments, prefixes, key = [], [""], plan.root
    while key in plan.assemblies and (not segments or data.draw(st.booleans())):
        child = data.draw(st.sampled_from(plan.assemblies[key].children))
        chosen = [data.draw(st.sampled_from(["*", *map(str, range(size))])) for size in child.shape]
        segments.append(f"{child.name}[{', '.join(chosen)}]" if chosen else child.name)
        every = [
            loops.subscript(child.name, at)
            for at in np.ndindex(*child.shape)
            if all(c in ("*", str(n)) for c, n in zip(chosen, at, strict=True))
        ]
        prefixes = [f"{prefix}.{one}".lstrip(".") for prefix in prefixes for one in every]
        key = child.type
    if segments:
        part = fabric.slice(".".join(segments))
        assert (part.devices.tolist(), part.cables.tolist()) == by_filter(fabric, prefixes)


def test_the_whole_is_a_slice(cluster: Fabric) -> None:
    part = cluster.slice("")
    assert np.array_equal(part.a_device, cluster.a_device)
    assert len(part.devices) == cluster.device_count


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ("pod[3]", r"goes beyond `pod`, which has 0\.\.2"),
        ("pod[2..1]", "chooses nothing"),
        ("pod[0, 1]", "has 1 dimensions, found 2"),
        ("pod[a]", "is no subscript"),
        ("rack[0]", "no `rack`"),
    ],
)
def test_wrong_scopes_are_a_sentence(cluster: Fabric, scope: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cluster.slice(scope)


# ---- NetworkX


@given(plans())
@settings(max_examples=40, deadline=None)
def test_networkx_equals_the_plain_loops(plan: Plan) -> None:
    graph, twin = expand(plan).to_networkx(), loops.graph(plan)
    assert list(graph) == list(twin)
    assert {n: d["type"] for n, d in graph.nodes(data=True)} == {n: d["type"] for n, d in twin.nodes(data=True)}
    assert edges(graph, twin=False) == edges(twin, twin=True)


def edges(graph: nx.MultiGraph, *, twin: bool) -> Counter[object]:
    return Counter(
        (
            frozenset([a, b]),
            d["ports"] if twin else frozenset([(d["a"], d["a_port"]), (d["b"], d["b_port"])]),
            d["link"],
            d["lanes"],
            d["length"],
        )
        for a, b, d in graph.edges(data=True)
    )


def test_networkx_attributes(cluster: Fabric) -> None:
    graph = cluster.to_networkx("pod[1].cabinet[2]")
    assert graph.number_of_nodes() == 68
    assert graph.nodes["pod[1].cabinet[2].plane[3]"] == {
        "id": cluster.device_id("pod[1].cabinet[2].plane[3]"),
        "kind": "switch",
        "type": "LRS",
    }
    one = "pod[1].cabinet[2].board[0].npu[0]"
    (cable,) = graph[one]["pod[1].cabinet[2].board[0].npu[1]"].values()
    assert cable["rate"] == 4 * 14e9
    assert (cable["link"], cable["lanes"], cable["length"], cable["a_port"]) == ("Copper", 4, 1.0, "x[0]")


# ---- lengths


def floor_plan(*rules: Rule, placed: bool = True) -> Plan:
    chip = hm.device("Chip", "npu", x=4)
    passed_on = hm.export("p", hm.axes(k=4), hm.ref("npu", [], "x", ["k"]))
    rack = hm.assembly("Rack", "rack", {"npu": ((), "Chip")}, [passed_on])
    spots = [hm.grid("rack", 3, 3, ("0.6", "2.4"))] if placed else []
    return hm.plan("Row", chip, rack, hm.assembly("Row", "superpod", {"rack": ((3,), "Rack")}, [], rules, spots))


def to_first(**over: int) -> Rule:
    (axis,) = hm.axes(**over)
    return Rule(hm.ref("rack", [0], "p", [0]), hm.ref("rack", ["j"], "p", ["j"]), (axis,), None, "Optic", 4, None)


def test_no_length_inside_a_placed_element_nor_where_nothing_is_placed() -> None:
    assert rule_lengths(floor_plan(to_first(j=3)), "Row", 0).tolist() == [UNPLACED, 1100, 1700]
    assert rule_lengths(floor_plan(to_first(j=3), placed=False), "Row", 0).tolist() == [UNPLACED]


def test_lengths_of_a_rule() -> None:
    plan = floor_plan(Rule(to_first(j=3).left, to_first(j=3).right, (Axis("j", 1, 2),), None, "Optic", 4, None))
    assert rule_lengths(plan, "Row", 0).tolist() == [1100, 1700]


def halls(count: int, *rules: Rule, hall_placed: bool) -> Plan:
    """Halls with three placed racks each and a chip of their own."""
    row = floor_plan().assemblies["Row"]
    own = Child("own", (), "Chip")
    hall = attrs.evolve(
        row,
        key="Hall",
        children=(own, *row.children),
        exports=(
            hm.export("own", (), hm.ref("own", [], "x", [0])),
            hm.export("p", hm.axes(r=3), hm.ref("rack", ["r"], "p", [0])),
        ),
    )
    spots = [hm.grid("hall", count, count, ("100", "1"))] if hall_placed else []
    site = hm.assembly("Site", "superpod", {"hall": ((count,), "Hall")}, [], rules, spots)
    types = (floor_plan().devices["Chip"], floor_plan().assemblies["Rack"], hall, site)
    return hm.plan("Site", *types)


def between_halls(a: int, b: int) -> Rule:
    return hm.rule(hm.ref("hall", [a], "p", [1]), hm.ref("hall", [b], "p", [2]), (), None, "Optic", None)


def test_nested_places_add_up() -> None:
    plan = halls(2, between_halls(0, 1), hall_placed=True)
    assert rule_lengths(plan, "Site", 0).tolist() == [100_000 + 600 + 500]


def test_what_is_placed_inside_several_unplaced_has_no_place_outside() -> None:
    assert rule_lengths(halls(2, between_halls(0, 1), hall_placed=False), "Site", 0).tolist() == [UNPLACED]
    single = halls(1, between_halls(0, 0), hall_placed=False)
    assert rule_lengths(single, "Site", 0).tolist() == [600 + 500]


def test_an_element_and_the_first_inside_it_are_two_places() -> None:
    """Both begin with the same device; a cable between them has the length of the slack at least."""
    chip, rack = floor_plan().devices["Chip"], floor_plan().assemblies["Rack"]
    hall = hm.assembly(
        "Hall",
        "module",
        {"box": ((), "Rack"), "rack": ((1,), "Rack")},
        [
            hm.export("box", (), hm.ref("box", [], "p", [0])),
            hm.export("rack", (), hm.ref("rack", [0], "p", [1])),
        ],
        [],
        [hm.grid("box", 1, 1, ("0", "0"), ("3", "0"))],
    )
    inside = hm.rule(hm.ref("hall", [0], "box", []), hm.ref("hall", [0], "rack", []), (), None, "Optic", None)
    site = hm.assembly("Site", "superpod", {"hall": ((2,), "Hall")}, [], [inside], [hm.grid("hall", 2, 2, ("9", "0"))])
    plan = hm.plan("Site", chip, rack, hall, site)
    assert rule_lengths(plan, "Site", 0).tolist() == [3000 + 500]


# ---- changed columns


def test_a_deferred_fabric_with_other_columns_is_a_fabric_of_these() -> None:
    """One cable fewer than its plan has: counts are those of the columns, all else stays."""
    plan = hm.cluster(pods=3, racks=4, pod_switches=2)
    whole = DeferredFabric(plan, "hash")
    columns = ("a_device", "a_port", "b_device", "b_port", "kind")
    short = attrs.evolve(whole, **{name: getattr(whole, name)[1:] for name in columns})
    assert (short.cable_count, short.device_count) == (whole.cable_count - 1, whole.device_count)
    assert short.end_names([0]) == whole.end_names([1])
    assert (short.plan, short.sources_hash, type(short)) == (plan, "hash", Fabric)
    assert not DeferredFabric(plan).expanded
    assert not copy(DeferredFabric(plan)).expanded
