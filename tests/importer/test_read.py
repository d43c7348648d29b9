"""Round trips: what was exported comes back as the same fabric, and differences are found by name."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from random import Random

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.export.machines import PARTS, PODS, compiled, fabric
from unifiedbus_dsl import export
from unifiedbus_dsl.graph.from_fabric import from_fabric
from unifiedbus_dsl.importer import jsons, read, read_fabric
from unifiedbus_dsl.importer import table as tables
from unifiedbus_dsl.importer.diff import compare_listings
from unifiedbus_dsl.importer.doubts import NO_END
from unifiedbus_dsl.importer.listing import Cable, Device, ImportFailed, Listing, listing_of
from unifiedbus_dsl.importer.reconstruct import reconstruct
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.verify import verify

ONE_END = '{"nodes": [{"id": "a"}], "edges": [{"source": "a", "target": "b", "a_port": "x", "b_port": "y"}]}'


def same(one: Fabric, two: Fabric, *, types: bool) -> None:
    a, b = listing_of(one), listing_of(two)
    assert [d.name for d in a.devices] == [d.name for d in b.devices]
    if types:
        assert a.devices == b.devices
    assert {(c.ends, c.rate, c.length, c.lanes) for c in a.cables} == {
        (c.ends, c.rate, c.length, c.lanes) for c in b.cables
    }
    assert not compare_listings(a, b)


@pytest.mark.parametrize("form", ["json", "graphml"])
def test_round_trip(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"pod.{form}"
    export.write(fabric(), form, path)
    back = read_fabric(path)
    same(fabric(), back, types=True)
    assert back.plan.devices == fabric().plan.devices
    assert verify(back.plan) == verify(fabric().plan)
    before, after = from_fabric(fabric()), from_fabric(back)
    for column in ("head", "indptr", "latency_s", "capacity_Bps", "forwards", "end"):
        assert np.array_equal(getattr(before, column), getattr(after, column)), column
    blocks = [back.blocks(kind)[0].tolist() for kind in ("npu", "switch", "rack", "node")]
    assert blocks == [fabric().blocks(kind)[0].tolist() for kind in ("npu", "switch", "rack", "node")]


def test_round_trip_of_a_cable_list(tmp_path: Path) -> None:
    path = tmp_path / "pod.cables.csv"
    export.write(fabric(), "cables", path)
    back = read_fabric(path)
    same(fabric(), back, types=True)
    assert from_fabric(back).forwards.sum() == 10  # switches are switches; transit lines are not in a cable list


def test_round_trip_through_networkx(tmp_path: Path) -> None:
    export.write(fabric(), "graphml", tmp_path / "a.graphml")
    graph = nx.read_graphml(tmp_path / "a.graphml", force_multigraph=True)
    nx.write_graphml(graph, tmp_path / "b.graphml")
    same(fabric(), read_fabric(tmp_path / "b.graphml"), types=True)


def test_a_machine_with_a_gap_is_flat_and_keeps_its_cables(tmp_path: Path) -> None:
    whole = listing_of(fabric())
    kept = tuple(d for d in whole.devices if not d.name.startswith("cabinet[2]"))
    names = {d.name for d in kept}
    cables = tuple(c for c in whole.cables if c.a[0] in names and c.b[0] in names)
    back = reconstruct(Table.of(Listing("holed", kept, cables, whole.types)))
    assert (back.device_count, back.cable_count) == (len(kept), len(cables))
    assert {device.name for device in listing_of(back).devices} == names
    degrees = sorted(d for _, d in back.to_networkx().degree())
    graph = fabric().to_networkx().subgraph(names)
    assert degrees == sorted(d for _, d in graph.degree())


def test_spares_come_back(tmp_path: Path) -> None:
    text = PODS.replace("server[4] : Server", "server[4] : Server; spare extra[1] : Chip")
    text = text.replace("  port up = leaf.up", "  open extra.x, extra.up\n  port up = leaf.up")
    export.write(compiled(text).fabric(), "json", tmp_path / "a.json")
    same(compiled(text).fabric(), read_fabric(tmp_path / "a.json"), types=True)


def test_names_of_other_tools(tmp_path: Path) -> None:
    data = {
        "nodes": [{"id": "leaf 1"}, {"id": "10.0.0.1", "kind": "npu"}],
        "links": [{"source": "10.0.0.1", "target": "leaf 1", "a_port": "eth0", "b_port": "Port 7"}],
    }
    (tmp_path / "lab.json").write_text(json.dumps(data))
    back = read_fabric(tmp_path / "lab.json")
    assert back.plan.system == "lab"
    assert (back.device_count, back.cable_count) == (2, 1)
    assert back.device_names([0, 1]).tolist() == ["10.0.0.1", "leaf 1"]
    assert back.cable_name(0) == "10.0.0.1.eth0 -- leaf 1.Port 7"


NO_PORTS = (
    '<graphml><graph edgedefault="undirected"><node id="a"/><node id="b"/>'
    '<edge source="a" target="b"/></graph></graphml>'
)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "from,cc\n", "is of no format"),
        ("a.json", '{"nodes": [{"id": ""}], "edges": []}', '`{"id": ""}` has no `id`'),
        ("a.json", '{"nodes": [{"id": null, "kind": "npu"}], "edges": []}', "has no `id`"),
        ("a.json", '{"nodes": [{"id": "a"}, {"id": " "}], "edges": []}', "device 2 of the file has no name"),
        ("a.json", '{"nodes": [{"id": "b"}, {"id": "a"}, {"id": "a"}], "edges": []}', "two nodes have the id `a`"),
        ("a.json", "{", "is of no format"),
        ("a.json", "[]", "is of no format"),
        ("a.json", '{"nodes": ' + "[" * 100_000, "nested too deep"),
        ("a.graphml", "<graphml/>", "no graph"),
        ("a.graphml", "<graphml", "a.graphml"),
        ("a.yaml", "", "is of no format"),
    ],
)  # fmt: skip
def test_files_that_are_wrong(name: str, text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ImportFailed, match=words):
        read_fabric(tmp_path / name)


def test_edges_before_their_nodes(tmp_path: Path) -> None:
    export.write(fabric(), "graphml", tmp_path / "a.graphml")
    lines = (tmp_path / "a.graphml").read_text().splitlines(keepends=True)
    lines.sort(key=lambda line: 1 if line.startswith("<edge") else 2 if line.startswith("<node") else 0)
    tail = [line for line in lines if line.startswith("</graph")]
    turned = [line for line in lines if not line.startswith("</graph")] + tail
    (tmp_path / "b.graphml").write_text("".join(turned))
    same(fabric(), read_fabric(tmp_path / "b.graphml"), types=True)
    (tmp_path / "c.graphml").write_text("".join(line for line in turned if 'id="n7"' not in line))
    doubts = read(tmp_path / "c.graphml").doubts
    assert doubts.counts == {NO_END: 5}
    assert "there is no node `n7`" in str(doubts.first[NO_END][0])


@pytest.mark.parametrize("form", ["json", "graphml", "cables"])
def test_what_is_too_large_is_refused(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"a.{'csv' if form == 'cables' else form}"
    export.write(fabric(), form, path)
    monkeypatch.setattr(tables, "MOST_CABLES", 119)
    with pytest.raises(ImportFailed, match="more than 119 cables: read a part"):
        read(path)
    monkeypatch.setattr(tables, "MOST_CABLES", 240)
    assert len(read(path).table) == 240
    monkeypatch.setattr(jsons, "MOST_BYTES", 100)
    if form == "json":
        with pytest.raises(ImportFailed, match="use GraphML or a cable list"):
            read(path)


def test_a_slow_cable_stays_slow(tmp_path: Path) -> None:
    """A rate other than that of the link's type is kept, though the file describes the type."""
    design = listing_of(fabric())
    slow = evolve(design.cables[0], rate=(design.cables[0].rate or 0) / 4)
    back = reconstruct(Table.of(evolve(design, cables=(slow, *design.cables[1:]))))
    found = compare_listings(design, listing_of(back))
    assert {sort: count for sort, count in found.counts().items() if count} == {"cables at another rate": 1}
    assert found.rates[0].found.rate == slow.rate
    assert verify(back.plan) == verify(fabric().plan)


# ---- differences ----------------------------------------------------------------------------------------------


def test_no_difference() -> None:
    design = listing_of(fabric())
    turned = tuple(evolve(c, a=c.b, b=c.a) for c in reversed(design.cables))
    assert not compare_listings(design, evolve(design, cables=turned))
    assert compare_listings(design, design).text() == "no difference\n"


def test_each_sort_of_difference() -> None:
    design = listing_of(fabric())
    first, second, third, *rest = [c for c in design.cables if c.link == "Copper"]
    others = [c for c in design.cables if c.link != "Copper"]
    swapped = [evolve(second, b=third.b), evolve(third, b=second.b)]
    slow = evolve(rest[0], rate=(rest[0].rate or 0) / 2)
    long = evolve(rest[1], length=1.5)
    new = Cable(("spine[0]", "p[0]"), ("visitor", "eth[0]"))
    found = evolve(
        design,
        devices=(*design.devices[1:], Device("visitor", "npu", "Chip")),
        cables=(*others, *swapped, slow, long, *rest[2:], new),
    )
    difference = compare_listings(design, found)
    assert list(difference.counts().values()) == [1, 1, 0, 1, 1, 1, 0, 1, 1, 0]
    assert difference.missing == (first,)
    (swap,) = difference.swapped
    assert {*map(str, swap.wanted)} == {str(second), str(third)}
    assert {*map(str, swap.found)} == {*map(str, swapped)}
    text = difference.text()
    assert f"- {first}" in text
    assert f"1 swapped pair of cables\n  ! {swap}\n" in text
    assert "448 Gbps wanted, 224 Gbps found" in text
    assert "1 m wanted, 1.5 m found" in text
    data = json.loads(json.dumps(difference.to_data()))
    assert data["missing"] == [str(first)]
    assert data["same"] is False


def test_a_device_of_another_type() -> None:
    design = listing_of(fabric())
    first, *rest = design.devices
    found = evolve(design, devices=(evolve(first, type="Other"), *rest))
    difference = compare_listings(design, found)
    assert {sort: count for sort, count in difference.counts().items() if count} == {"devices of another type": 1}
    assert difference.changed_devices == ((first.name, "Leaf", "Other"),)
    assert f"! {first.name}: Leaf wanted, Other found" in difference.text()


def test_a_cable_list_says_nothing_of_types(tmp_path: Path) -> None:
    export.write(fabric(), "cables", tmp_path / "c.csv")
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    (tmp_path / "less.csv").write_text("\n".join(",".join(f'"{f}"' for f in row) for row in rows[:-1]) + "\n")
    difference = compare_listings(listing_of(fabric()), read(tmp_path / "less.csv").listing())
    assert {k: v for k, v in difference.counts().items() if v} == {"missing cables": 1}
    assert difference.text().startswith("1 missing cable\n")


def test_ports_that_do_not_exist() -> None:
    text = (
        PARTS + "node S { npu[2] : Chip; connect npu[0].up -- npu[1].up over Copper(1 m); open npu.x }\nsystem s : S\n"
    )
    design = listing_of(compiled(text).fabric())
    with pytest.raises(ImportFailed, match="has no port"):
        reconstruct(Table.of(evolve(design, cables=(evolve(design.cables[0], a=("npu[0]", "up[9]")),))))


NAMES = ("rack", "Rack", "pod", "machine")


@pytest.mark.parametrize("name", NAMES)
def test_a_part_may_have_the_name_of_the_system_or_of_what_encloses_it(name: str, tmp_path: Path) -> None:
    ids = [f"{name}[{a}].{name}[{b}].npu[0]" for a in range(2) for b in range(2)]
    pairs = [(ids[k], ids[(k + 1) % 4]) for k in range(4)]
    edges = [{"source": a, "target": b, "a_port": "p[0]", "b_port": "p[1]"} for a, b in pairs]
    path = tmp_path / f"{name}.json"
    nodes = [{"id": each, "kind": "npu"} for each in ids]
    path.write_text(json.dumps({"graph": {"name": name}, "nodes": nodes, "edges": edges}))
    fabric = read_fabric(path)
    assert sorted(fabric.device_names(np.arange(4)).tolist()) == sorted(ids)
    got = zip(*(side.tolist() for side in fabric.end_names(np.arange(4))), strict=True)
    assert sorted(map(sorted, got)) == sorted(sorted((f"{a}.p[0]", f"{b}.p[1]")) for a, b in pairs)
    fabric.save(tmp_path / "again.npz")
    assert Fabric.load(tmp_path / "again.npz").cable_count == 4


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.json", '{"nodes": [{"id": "a", "kind": "blade"}], "edges": []}', "of kind `blade`; kinds are npu, cpu"),
        ("a.json", '{"nodes": [{"id": ' + "9" * 5000 + '}], "edges": []}', "can't be read"),
        ("a.json", '{"nodes": ' + "[" * 100_000 + "]" * 100_000 + ', "edges": []}', "nested too deep"),
        (
            "a.txt",
            'Switch\t1000000000 "S-0002c90000000001"\t\t# "sw" enhanced port 0 lid 1 lmc 0\n',
            "a node of 1,000,000,000 ports; no device has more than 65,536",
        ),
        (
            "a.json",
            '{"graph": {"machine": {"": "Plan", "system": "s", "root": "r", "protocols": {"P": {"": "Protocol", '
            '"name": "P", "lane_rate": {"/": "1e999999999"}}}}}, "nodes": [{"id": "a", "type": "T"}], "edges": []}',
            "no fraction",
        ),
    ],
)
def test_numbers_and_words_without_bounds_are_refused(name: str, text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ImportFailed, match=sentence):
        read_fabric(path)


def test_swaps_are_pairs_and_longer_rounds_are_not() -> None:
    """Random permutations of the far ends of some cables: rounds of two are swaps, all others moved one by one."""
    design = listing_of(fabric())
    random = Random(15)
    for _ in range(40):
        chosen = random.sample([n for n, c in enumerate(design.cables) if c.link == "Copper"], 6)
        image = random.sample(chosen, 6)
        cables = list(design.cables)
        for one, two in zip(chosen, image, strict=True):
            cables[one] = evolve(design.cables[one], b=design.cables[two].b)
        difference = compare_listings(design, evolve(design, cables=tuple(cables)))
        rounds = _rounds(dict(zip(chosen, image, strict=True)))
        assert len(difference.swapped) == rounds.count(2)
        assert len(difference.moved) == sum(size for size in rounds if size > 2)
        assert not difference.missing
        assert not difference.extra


def _rounds(image: dict[int, int]) -> list[int]:
    """The lengths of the cycles of a permutation."""
    sizes = []
    while image:
        at, size = next(iter(image)), 0
        while at in image:
            at, size = image.pop(at), size + 1
        sizes.append(size)
    return sizes


def test_lists_of_too_many_nodes_are_left_out(tmp_path: Path) -> None:
    """A range of a thousand million nodes is a doubt, and never a list."""
    path = tmp_path / "topology.conf"
    path.write_text(
        "SwitchName=top Switches=leaf[0-1]\nSwitchName=leaf0 Nodes=n[0-1000000000]\nSwitchName=leaf1 Nodes=x\n"
    )
    found = read(path)
    assert [device.name for device in found.listing().devices] == ["top", "leaf0", "leaf1", "x"]
    assert found.doubts.total == 1
