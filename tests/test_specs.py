"""The machines that come along: each compiles without a word, and each of its figures is met or explained."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, reduce
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.compiler import Compilation, compile, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax.format import format
from unifiedbus_dsl.syntax.parse import parse

SPECS = Path(__file__).parent.parent / "specs"
FILES = sorted(SPECS.rglob("*.ubus"))
LINES = 120
"""Two pages."""


@cache
def compiled(name: str) -> Compilation:
    return compile(SPECS / name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SPECS)))
def test_spec(path: Path) -> None:
    """No diagnostic at all; every expectation holds, or differs with a reason; two pages at most."""
    done = compiled(str(path.relative_to(SPECS)))
    assert [d.message for d in done.diagnostics] == []
    assert done.systems or path.parent.name in ("std", "models") or path.stem in ("ascend", "parts")
    for each in done.expectations:
        assert each.holds is (each.differs is None), each.text
        assert each.differs is None or each.source, f"`{each.text}` differs from a figure without a source"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize(
    "name",
    [
        "fugaku",
        "dojo",
        "hamming-mesh",
        "rail-only",
        "bcube",
        "slim-fly",
        "slim-fly-9",
        "polarfly",
        "three-tier",
        "mixed-generations",
        "dragonfly-plus",
    ],
)
def test_a_machine_from_its_paper_is_a_page(name: str) -> None:
    (path,) = [path for path in FILES if path.stem == name]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SPECS)))
def test_layout(path: Path) -> None:
    """As the formatter lays it out."""
    text, sink = path.read_text(encoding="utf-8"), Sink()
    assert format(parse(Source(str(path), text), sink)) == text


# ---- the Atlas 950 SuperPoD, told again by plain loops -------------------------------------------------------------

CABINETS, BOARDS, SLOTS, PLANES, INTER, HRS = 128, 8, 8, 4, 8, 8


def atlas_950_cables() -> list[tuple[str, str]]:
    """Both ends of every cable of the Atlas 950 SuperPoD."""
    cables = []
    for c in range(CABINETS):
        for b in range(BOARDS):
            for s in range(SLOTS):
                npu = f"cabinet[{c}].npu[{b}, {s}]"
                for t in range(s + 1, SLOTS):
                    cables.append((f"{npu}.die0[{t - 1}]", f"cabinet[{c}].npu[{b}, {t}].die0[{s}]"))
                for a in range(b + 1, BOARDS):
                    cables.append((f"{npu}.die1[{a - 1}]", f"cabinet[{c}].npu[{a}, {s}].die1[{b}]"))
                for k in range(PLANES):
                    end = f"die{k // 2}[{7 + k % 2}]"
                    cables.append((f"{npu}.{end}", f"cabinet[{c}].plane[{k}].down[{8 * b + s}]"))
        for k in range(PLANES):
            for i in range(INTER):
                for h in range(HRS):
                    cables.append((f"cabinet[{c}].plane[{k}].up[{8 * i + h}]", f"inter[{k}, {i}].hrs[{h}].p[{c}]"))
    return cables


def test_atlas_950_cable_for_cable() -> None:
    fabric = compiled("huawei/atlas-950-superpod.ubus").fabric()
    ours = Counter(frozenset(ends) for ends in zip(*fabric.end_names(np.arange(fabric.cable_count)), strict=True))
    assert ours == Counter(frozenset(ends) for ends in atlas_950_cables())


def test_atlas_950_counts() -> None:
    """Devices, ports and lanes by type, cables and lanes by link, from the columns."""
    fabric = compiled("huawei/atlas-950-superpod.ubus").fabric()
    plan = fabric.plan
    types = list(plan.devices.values())
    devices = Counter(types[t].key.split("(")[0] for t in fabric.device_type.tolist())
    assert devices == {"Ascend950DT": 8192, "Plane": 512, "HRS": 256}
    lanes: Counter[str] = Counter()
    ports: Counter[str] = Counter()
    for device in types:
        here = devices[device.key.split("(")[0]]
        ports[device.kind] += here * sum(port.count for port in device.ports)
        lanes[device.kind] += here * sum(port.count * port.lanes for port in device.ports)
    assert ports == {"npu": 8192 * 18, "switch": 512 * 128 + 256 * 128}
    assert lanes == {"npu": 8192 * 72, "switch": (512 + 256) * 512}

    links = list(plan.links)
    cables: Counter[str] = Counter()
    width: Counter[str] = Counter()
    for kind in fabric.kind.tolist():
        cables[links[fabric.kinds.link[kind]]] += 1
        width[links[fabric.kinds.link[kind]]] += int(fabric.kinds.lanes[kind])
    inside = 128 * (2 * 8 * 28 + 256)
    assert cables == {"Board": inside, "Optic": 128 * 256}
    assert width == {"Board": 4 * inside, "Optic": 4 * 128 * 256}
    assert fabric.kinds.length_m.max() <= 200


def test_atlas_950_every_port_has_a_cable() -> None:
    fabric = compiled("huawei/atlas-950-superpod.ubus").fabric()
    ends = np.concatenate([fabric.a_device, fabric.b_device]).astype(np.int64)
    numbers = np.concatenate([fabric.a_port, fabric.b_port]).astype(np.int64)
    assert len(np.unique(ends * 65536 + numbers)) == len(ends) == 8192 * 18 + 768 * 128


# ---- the large ones -----------------------------------------------------------------------------------------------

LARGE = [
    # spec, pods, devices of a pod, cables of a pod, planes, leaves and spines of a plane
    ("huawei/atlas-950-supercluster.ubus", 64, 8960 + 128 * 16, 122_880 + 2 * 2048, 16, 128, 64),
    ("huawei/atlas-960-supercluster.ubus", 65, 16_280 + 176 * 22, 176 * (308 + 440 + 264 + 264 + 44), 22, 130, 88),
]


@pytest.mark.parametrize(("spec", "pods", "devices", "cables", "planes", "leaves", "spines"), LARGE)
def test_supercluster_plan(
    spec: str, pods: int, devices: int, cables: int, planes: int, leaves: int, spines: int
) -> None:
    plan = compiled(spec).plan
    assert plan.device_count[plan.root] == pods * devices + planes * (leaves + spines)
    assert plan.numbering.cable_count[plan.root] == pods * cables + planes * leaves * spines


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "pods", "devices", "cables", "planes", "leaves", "spines"), LARGE)
def test_supercluster_fabric(
    spec: str, pods: int, devices: int, cables: int, planes: int, leaves: int, spines: int
) -> None:
    fabric = compiled(spec).fabric()
    assert fabric.device_count == pods * devices + planes * (leaves + spines)
    assert fabric.cable_count == pods * cables + planes * leaves * spines
    used = np.bincount(fabric.a_device, minlength=fabric.device_count)
    used += np.bincount(fabric.b_device, minlength=fabric.device_count)
    radix = np.array([device.radix for device in fabric.plan.devices.values()])
    spare = 2 * 176 * pods if "960" in spec else 0  # two NIC ports a cabinet that its planes have too many
    assert int((radix[fabric.device_type] - used).sum()) == spare


# ---- the standard library -----------------------------------------------------------------------------------------

PARTS = """
ubus 1
use std.clos
use std.dragonfly
use std.hyperx
use std.mesh
use std.torus
protocol UB { lane = 112 Gbps }
link Optic : UB { medium = optical; reach = 60 m }
switch Mine(ports) { port p[ports] : UB x8 }
npu Chip(ports) { port p[ports] : UB x2; transit p }
"""


def machine(text: str, *, chips: bool = False) -> nx.Graph[str]:
    """The graph of one module of the library, with switches or NPUs of the user's own."""
    part = "device = Chip" if chips else "switch = Mine"
    text = text.replace(")", f", {part}, link = Optic)")
    rest = "" if chips else "; open fabric.host"
    body = PARTS + "\n".join(
        f"rack R{n} {{ fabric : {each}{rest} }}\nsystem s{n} : R{n}" for n, each in enumerate([text])
    )
    used = text.split("std.")[1].split(".")[0]
    body = "\n".join(line for line in body.splitlines() if not line.startswith("use ") or line == f"use std.{used}")
    unused = "switch Mine" if chips else "npu Chip"
    body = "\n".join(line for line in body.splitlines() if not line.startswith(unused))
    done = compile_text(body)
    assert [d.message for d in done.diagnostics] == []
    return nx.Graph(done.fabric().to_networkx())


def equal(a: nx.Graph[str], b: nx.Graph[object]) -> bool:
    """Whether two graphs are the same but for names."""
    return bool(nx.vf2pp_is_isomorphic(a, b))


def test_leaf_spine() -> None:
    assert equal(machine("std.clos.LeafSpine(leaves = 6, spines = 3, hosts = 5)"), nx.complete_bipartite_graph(6, 3))
    assert equal(machine("std.clos.Clos(m = 5, n = 4, r = 6)"), nx.complete_bipartite_graph(6, 5))


@pytest.mark.parametrize("k", [4, 6])
def test_fat_tree(k: int) -> None:
    two = machine(f"std.clos.FatTree(k = {k}, levels = 2)")
    assert equal(two, nx.complete_bipartite_graph(k, k // 2))
    three = machine(f"std.clos.FatTree(k = {k})")
    assert three.number_of_nodes() == 5 * k * k // 4
    assert Counter(dict(three.degree).values()) == {k // 2: k * k // 2, k: k * k * 3 // 4}
    assert nx.diameter(three) == 4


def test_three_tier() -> None:
    graph = machine("std.clos.ThreeTier(pods = 3, leaves = 2, spines = 4, cores = 2, hosts = 5)")
    assert Counter(dict(graph.degree).values()) == {4: 3 * 2 + 3 * 4, 3: 4 * 2}
    assert nx.diameter(graph) == 4
    assert nx.number_connected_components(graph.subgraph(n for n in graph if "core" not in n)) == 3


def test_dragonfly() -> None:
    graph = machine("std.dragonfly.Dragonfly(a = 4, p = 2, h = 2)")
    assert graph.number_of_nodes() == 36
    assert set(dict(graph.degree).values()) == {5}
    assert nx.diameter(graph) == 3
    groups = nx.quotient_graph(graph, lambda a, b: a.split(",")[0] == b.split(",")[0])
    assert groups.number_of_nodes() == 9
    assert groups.number_of_edges() == 36


@pytest.mark.parametrize("dims", [(3,), (4, 3), (3, 4, 5)])
def test_torus(dims: tuple[int, ...]) -> None:
    ours = machine(f"std.torus.TorusND(dims = {list(dims)}, hosts = 0)", chips=True)
    assert equal(ours, nx.grid_graph(dims, periodic=True))
    assert equal(machine(f"std.mesh.Grid(dims = {list(dims)}, hosts = 0)", chips=True), nx.grid_graph(dims))


def test_torus_by_name() -> None:
    assert equal(machine("std.torus.Torus2D(x = 3, y = 5, hosts = 0)", chips=True), nx.grid_graph([3, 5], True))
    assert equal(
        machine("std.torus.Torus3D(x = 3, y = 4, z = 3, hosts = 0)", chips=True), nx.grid_graph([3, 4, 3], True)
    )


@pytest.mark.parametrize("dims", [(3,), (4, 3), (2, 3, 4)])
def test_full_mesh(dims: tuple[int, ...]) -> None:
    whole: nx.Graph[object] = nx.complete_graph(dims[0])
    for size in dims[1:]:
        whole = nx.cartesian_product(whole, nx.complete_graph(size))
    assert equal(machine(f"std.mesh.FullMesh(dims = {list(dims)}, hosts = 0)", chips=True), whole)
    assert equal(machine(f"std.hyperx.HyperX(dims = {list(dims)}, hosts = 3)"), whole)


# ---- graphs of known shape ----------------------------------------------------------------------------------------


def graph(spec: str, system: str | None = None) -> nx.Graph[str]:
    return nx.Graph(compiled(spec).fabric(system).to_networkx())


def switches(spec: str) -> nx.Graph[str]:
    whole = graph(spec)
    return nx.Graph(whole.subgraph(name for name, kind in whole.nodes(data="kind") if kind == "switch"))


@pytest.mark.parametrize(
    ("spec", "system", "diameter"),
    [
        ("textbook/ring.ubus", "ring", 4),
        ("textbook/hypercube.ubus", "hypercube", 6),
        ("textbook/torus.ubus", "torus2d", 8),
        ("textbook/fat-tree.ubus", "tree", 6),
        ("textbook/dragonfly.ubus", "dragonfly", 5),
        ("textbook/dragonfly-plus.ubus", "plus", 5),
        ("textbook/hyperx.ubus", "hyperx", 4),
        ("textbook/slim-fly.ubus", "slimfly", 4),
        ("textbook/slim-fly-9.ubus", "slimfly", 4),
        ("textbook/polarfly.ubus", "polarfly", 4),
        ("textbook/jellyfish.ubus", "jellyfish", 5),
        ("google/tpu.ubus", "twisted", 6),  # the plain torus of 4 x 4 x 8 has 8
        ("google/tpu-8i.ubus", "pod", 7),
    ],
)
def test_diameter(spec: str, system: str, diameter: int) -> None:
    """Between end points; the machines are alike from every board or chip, so one of each eighth will do."""
    machine = graph(spec, system)
    ends = [name for name, kind in machine.nodes(data="kind") if kind == "npu"]
    far = [nx.single_source_shortest_path_length(machine, end) for end in ends[:: max(1, len(ends) // 8)]]
    assert max(lengths[end] for lengths in far for end in ends) == diameter


def test_slim_fly_is_the_hoffman_singleton_graph() -> None:
    """The one graph of degree 7 and diameter 2 with 50 nodes; it has no cycle shorter than 5."""
    found = switches("textbook/slim-fly.ubus")
    assert (len(found), set(dict(found.degree).values()), nx.diameter(found)) == (50, {7}, 2)
    assert nx.girth(found) == 5


def add9(a: int, b: int) -> int:
    """The sum in GF(9); u + v t is the number u + 3 v."""
    return (a + b) % 3 + 3 * ((a // 3 + b // 3) % 3)


def times9(a: int, b: int) -> int:
    """The product in GF(9), where t^2 = -1."""
    (u, v), (x, y) = (a % 3, a // 3), (b % 3, b // 3)
    return (u * x - v * y) % 3 + 3 * ((u * y + v * x) % 3)


def test_slim_fly_over_gf_9_is_a_mckay_miller_siran_graph() -> None:
    """Its cables are those that the arithmetic of the field gives, by the definition of the graph."""
    powers = [1]
    while len(powers) < 8:
        powers.append(times9(powers[-1], 4))
    assert len(set(powers)) == 8  # 1 + t is primitive
    expected = set()
    for x, y, z in product(range(9), repeat=3):
        for of, chosen in (("a", powers[::2]), ("b", powers[1::2])):
            expected |= {frozenset((f"{of}[{x}, {y}]", f"{of}[{x}, {add9(y, power)}]")) for power in chosen}
        expected.add(frozenset((f"a[{x}, {add9(times9(y, x), z)}]", f"b[{y}, {z}]")))
    found = switches("textbook/slim-fly-9.ubus")
    assert {frozenset(edge) for edge in found.edges} == expected
    assert (set(dict(found.degree).values()), nx.diameter(found)) == ({13}, 2)


def test_polarfly_is_a_polarity_graph_of_the_plane_over_gf_9() -> None:
    """Two points have one line in common; the whole of it is the graph of points whose products are 0."""
    found = switches("textbook/polarfly.ubus")
    own = [name for name, degree in found.degree if degree == 9]
    assert (len(found), len(own), found.number_of_edges(), nx.diameter(found)) == (91, 10, 450, 2)
    matrix = nx.to_numpy_array(found, dtype=int) + np.diag([int(name in own) for name in found])
    assert (matrix @ matrix == 9 * np.eye(91, dtype=int) + 1).all()


@pytest.mark.slow
def test_polarfly_is_er_9() -> None:
    points = [v for v in product(range(9), repeat=3) if next((x for x in v if x), 0) == 1]
    pairs = [(v, w) for v in points for w in points if v < w]
    orthogonal = nx.Graph(
        (v, w) for v, w in pairs if not reduce(add9, (times9(x, y) for x, y in zip(v, w, strict=True)))
    )
    assert len(orthogonal) == 91
    assert nx.is_isomorphic(orthogonal, switches("textbook/polarfly.ubus"))


def test_tpu_v4_is_a_torus_of_cubes() -> None:
    plain = nx.grid_graph([4, 4, 4], periodic=True)
    fabric = compile_text(
        'ubus 1\nuse TorusPod from "google/tpu.ubus"\nsystem cube : TorusPod(x = 4, y = 4, z = 4)\n'
    ).fabric()
    assert equal(nx.Graph(fabric.to_networkx()), plain)


# ---- the list of machines -----------------------------------------------------------------------------------------


def test_readme_names_every_file_and_its_example_compiles() -> None:
    text = (SPECS / "README.md").read_text(encoding="utf-8")
    linked = {link for link in re.findall(r"\]\(([^)]+)\)", text) if link.endswith(".ubus")}
    assert linked == {path.relative_to(SPECS).as_posix() for path in FILES}
    examples = re.findall(r"^```ubus\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        assert [d.message for d in compile_text(example).diagnostics] == []
