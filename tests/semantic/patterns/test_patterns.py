"""Every pattern against NetworkX' own generators, and the promises about its ports."""

from __future__ import annotations

import inspect
from math import prod

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ir.plan import loops
from unifiedbus_dsl.ir.plan import IndexExpr
from unifiedbus_dsl.ir.plan.algebra import bounds, is_injective, unflatten
from unifiedbus_dsl.ir.plan.index import text
from unifiedbus_dsl.semantic.patterns import PATTERNS, Argument, Lowered, PatternError, TooFewPortsError, lower, rename
from unifiedbus_dsl.semantic.patterns.regular import regular_graph

Cable = tuple[int, int, int, int]
MANY = 10_000


def made(name: str, *shapes: tuple[int, ...], **arguments: Argument) -> Lowered:
    return lower(PATTERNS[name], shapes, [MANY] * len(shapes), arguments)


def cables(lowered: Lowered) -> list[Cable]:
    """(left member, left port, right member, right port) of each cable, by plain loops."""
    found = []
    for e in lowered.edges:
        for at in loops.index_points(e.axes, e.where):
            found.append(tuple(loops.value(x, at) for x in (e.left, e.left_port, e.right, e.right_port)))
    return found  # type: ignore[return-value]


def graph(lowered: Lowered, count: int) -> nx.MultiGraph:
    result = nx.MultiGraph()
    result.add_nodes_from(range(count))
    result.add_edges_from((a, b) for a, _, b, _ in cables(lowered))
    return result


def edges(graph: nx.Graph) -> list[tuple[int, int]]:
    return sorted((min(a, b), max(a, b)) for a, b in graph.edges())


def numbered(graph: nx.Graph, dims: tuple[int, ...]) -> nx.Graph:
    """Nodes (x, y, z) become their row-major numbers."""

    def number(at: tuple[int, ...]) -> int:
        total = 0
        for x, n in zip(at, dims, strict=True):
            total = total * n + x
        return total

    return nx.relabel_nodes(graph, {node: number(node if isinstance(node, tuple) else (node,)) for node in graph})


def check_ports(lowered: Lowered, *counts: int) -> None:
    """At most one cable on a port, none outside the bundle; every port used unless the pattern leaves some open."""
    used: list[set[tuple[int, int]]] = [set() for _ in counts]
    for a, p, b, q in cables(lowered):
        for side, member, port in ((0, a, p), (len(counts) - 1, b, q)):
            assert 0 <= member < counts[side]
            assert 0 <= port < lowered.ports[side]
            assert (member, port) not in used[side]
            used[side].add((member, port))
    if not lowered.leaves_open:
        assert [len(ports) for ports in used] == [n * p for n, p in zip(counts, lowered.ports, strict=True)]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_fullmesh(count: int) -> None:
    lowered = made("fullmesh", (count,))
    assert edges(graph(lowered, count)) == edges(nx.complete_graph(count))
    check_ports(lowered, count)
    for a, p, b, q in cables(lowered):
        assert (p, q) == (b if b < a else b - 1, a if a < b else a - 1)


@pytest.mark.parametrize("count", [3, 4, 9])
def test_ring_and_line(count: int) -> None:
    ring, line = made("ring", (count,)), made("line", (count,))
    assert edges(graph(ring, count)) == edges(nx.cycle_graph(count))
    assert edges(graph(line, count)) == edges(nx.path_graph(count))
    assert all((b - a) % count == 1 and (p, q) == (0, 1) for a, p, b, q in cables(ring) + cables(line))
    check_ports(ring, count)
    check_ports(line, count)


def test_rings_of_two_and_one() -> None:
    assert cables(made("ring", (2,))) == [(0, 0, 1, 1), (1, 0, 0, 1)]
    assert cables(made("ring", (1,))) == []
    check_ports(made("ring", (2,)), 2)


@pytest.mark.parametrize("dims", [(3,), (3, 4), (3, 1, 5), (4, 3, 3)])
def test_mesh_and_torus(dims: tuple[int, ...]) -> None:
    torus, mesh = made("torus", dims), made("mesh", (prod(dims),), dims=dims)
    whole = nx.grid_graph(list(reversed(dims)))
    assert edges(graph(mesh, prod(dims))) == edges(numbered(whole, dims))
    wrapped = nx.grid_graph(list(reversed(dims)), periodic=[n > 1 for n in reversed(dims)])
    assert edges(graph(torus, prod(dims))) == edges(numbered(wrapped, dims))
    check_ports(torus, prod(dims))
    check_ports(mesh, prod(dims))


def test_torus_ports_name_the_dimension() -> None:
    for a, p, b, q in cables(made("torus", (3, 4))):
        d = p // 2
        assert (p, q) == (2 * d, 2 * d + 1)
        step = ((b // 4 - a // 4) % 3, (b % 4 - a % 4) % 4)
        assert step == ((1, 0), (0, 1))[d]


def test_torus_dimension_of_two_is_a_double_cable() -> None:
    lowered = made("torus", (2, 3))
    pairs = edges(graph(lowered, 6))
    assert [pairs.count((m, m + 3)) for m in range(3)] == [2, 2, 2]
    check_ports(lowered, 6)


@pytest.mark.parametrize("bits", [0, 1, 3, 5])
def test_hypercube(bits: int) -> None:
    lowered = made("hypercube", (1 << bits,))
    expected = numbered(nx.hypercube_graph(bits), (2,) * bits) if bits else nx.empty_graph(1)
    assert edges(graph(lowered, 1 << bits)) == edges(expected)
    assert all(p == q and a ^ b == 1 << p for a, p, b, q in cables(lowered))
    check_ports(lowered, 1 << bits)


@pytest.mark.parametrize("dims", [(4,), (3, 4), (2, 3, 4), (1, 5)])
def test_hyperx(dims: tuple[int, ...]) -> None:
    lowered = made("hyperx", dims)
    expected = nx.complete_graph(1)
    expected = nx.relabel_nodes(expected, {0: ()})
    for n in dims:
        product = nx.cartesian_product(expected, nx.complete_graph(n))
        expected = nx.relabel_nodes(product, {node: (*node[0], node[1]) for node in product})
    assert edges(graph(lowered, prod(dims))) == edges(numbered(expected, dims))
    check_ports(lowered, prod(dims))


def test_hyperx_ports_come_dimension_by_dimension() -> None:
    for a, p, b, q in cables(made("hyperx", (3, 4))):
        within_row = a // 4 == b // 4
        assert (p >= 2, q >= 2) == (within_row, within_row)


@pytest.mark.parametrize(
    ("count", "offsets"), [(7, (1, 2)), (8, (1, 4)), (8, (4, 3)), (9, (8, 2)), (5, (1,)), (2, (1,))]
)
def test_circulant(count: int, offsets: tuple[int, ...]) -> None:
    lowered = made("circulant", (count,), offsets=offsets)
    assert edges(graph(lowered, count)) == edges(nx.circulant_graph(count, list(offsets)))
    check_ports(lowered, count)


def test_circulant_ports() -> None:
    found = cables(made("circulant", (8,), offsets=(4, 1)))
    assert {(p, q, (b - a) % 8) for a, p, b, q in found} == {(0, 0, 4), (1, 2, 1)}


@given(st.integers(2, 24), st.integers(1, 23), st.integers(0, 2**40))
@settings(max_examples=100, deadline=None)
def test_regular(count: int, degree: int, seed: int) -> None:
    if degree >= count or degree * count % 2:
        return
    lowered = made("regular", (count,), degree=degree, seed=seed)
    found = graph(lowered, count)
    assert len(set(edges(found))) == found.number_of_edges() == count * degree // 2
    assert all(a < b for a, _, b, _ in cables(lowered))
    assert degree == 1 or nx.is_connected(found)
    check_ports(lowered, count)
    neighbours = {(a, p): b for a, p, b, _ in cables(lowered)} | {(b, q): a for a, _, b, q in cables(lowered)}
    for (member, port), other in neighbours.items():
        assert port == sorted(found[member]).index(other)


def test_a_seed_means_the_same_for_ever() -> None:
    assert neighbours(8, 3, 7) == "01 05 06 13 14 23 24 27 34 56 57 67"
    assert neighbours(6, 4, 1) == "01 02 03 04 12 14 15 23 25 34 35 45"
    assert neighbours(7, 2, 3) == "02 04 14 15 23 36 56"


def neighbours(count: int, degree: int, seed: int) -> str:
    return " ".join(f"{a}{b}" for a, b in regular_graph(count, degree, seed))


def test_regular_of_a_thousand() -> None:
    graph = nx.Graph(regular_graph(1000, 16, 5).tolist())
    assert {d for _, d in graph.degree()} == {16}
    assert nx.diameter(graph) <= 4


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((2, 3), (5,)), ((1,), (1,))])
def test_all(shapes: tuple[tuple[int, ...], ...]) -> None:
    left, right = map(prod, shapes)
    lowered = made("all", *shapes)
    assert sorted(cables(lowered)) == sorted((i, j, j, i) for i in range(left) for j in range(right))
    check_ports(lowered, left, right)


def test_rails() -> None:
    lowered = made("rails", (3, 2, 4), (4,))
    assert lowered.ports == (1, 6)
    assert sorted(cables(lowered)) == sorted((g * 4 + k, 0, k, g) for g in range(6) for k in range(4))
    check_ports(lowered, 24, 4)
    assert cables(made("rails", (2,), (2,))) == [(0, 0, 0, 0), (1, 0, 1, 0)]


def test_pairwise() -> None:
    lowered = made("pairwise", (2, 3), (6,))
    assert cables(lowered) == [(i, 0, i, 0) for i in range(6)]
    check_ports(lowered, 6, 6)


ONE_SIDED: list[tuple[str, tuple[int, ...], dict[str, Argument]]] = [
    ("fullmesh", (2, 4), {}),
    ("ring", (2, 3), {}),
    ("line", (5,), {}),
    ("mesh", (2, 3), {}),
    ("mesh", (2, 12), {"dims": (4, 6)}),
    ("torus", (4, 3, 2), {}),
    ("torus", (24,), {"dims": (4, 6)}),
    ("hypercube", (2, 8), {}),
    ("hyperx", (3, 4), {}),
    ("hyperx", (12,), {"dims": (3, 4)}),
    ("circulant", (3, 3), {"offsets": (1, 2)}),
    ("regular", (2, 5), {"degree": 3, "seed": 1}),
]


@pytest.mark.parametrize(("name", "shape", "arguments"), ONE_SIDED)
def test_width_multiplies_cables_and_ports(name: str, shape: tuple[int, ...], arguments: dict[str, Argument]) -> None:
    single, double = made(name, shape, **arguments), made(name, shape, **arguments, width=2)
    assert double.ports == tuple(2 * n for n in single.ports)
    expected = [(a, 2 * p + t, b, 2 * q + t) for a, p, b, q in cables(single) for t in range(2)]
    assert sorted(cables(double)) == sorted(expected)
    check_ports(double, prod(shape))


@pytest.mark.parametrize(("name", "shape", "arguments"), ONE_SIDED)
def test_subscripts_are_proved_to_be_distinct(
    name: str, shape: tuple[int, ...], arguments: dict[str, Argument]
) -> None:
    for e in made(name, shape, **arguments).edges:
        for member, port in ((e.left, e.left_port), (e.right, e.right_port)):
            at = unflatten(member, shape, e.axes)
            for x, size in zip(at, shape, strict=True):
                found = bounds(x, e.axes, e.where)
                assert found is None or (found[0] >= 0 and found[1] < size)
            assert name == "regular" or is_injective((*at, port), e.axes)


def test_members_in_their_own_dimensions_stay_plain() -> None:
    (down, across) = made("torus", (4, 3)).edges

    def at(flat: IndexExpr, axes: object) -> list[str]:
        return [text(x) for x in unflatten(flat, (4, 3), axes)]  # type: ignore[arg-type]

    assert at(down.left, down.axes) == at(across.left, across.axes) == ["x0", "x1"]
    assert at(down.right, down.axes) == ["(x0 + 1) mod 4", "x1"]
    assert at(across.right, across.axes) == ["x0", "(x1 + 1) mod 3"]


@pytest.mark.parametrize(
    ("name", "shapes", "arguments", "sentence"),
    [
        ("hypercube", [(6,)], {}, "power of two of members, there are 6"),
        ("torus", [(10,)], {"dims": (3, 3)}, "`torus` of 3 x 3 wants 9 members, there are 10"),
        ("mesh", [(10,)], {"dims": (0, 3)}, "dimension of `mesh` has 0 members"),
        ("regular", [(5,)], {"degree": 3, "seed": 1}, "product is odd"),
        ("regular", [(5,)], {"degree": 5, "seed": 1}, "wants more than 5 members"),
        ("regular", [(5,)], {"degree": 0, "seed": 1}, "degree of at least 1"),
        ("regular", [(5,)], {"degree": 2, "seed": -1}, "`seed` is -1"),
        ("circulant", [(8,)], {"offsets": (2, 2)}, "offset 2 of `circulant` is given twice"),
        ("circulant", [(8,)], {"offsets": (2, 6)}, "which is 2 the other way around"),
        ("circulant", [(8,)], {"offsets": (8,)}, "outside 1..7"),
        ("pairwise", [(3,), (4,)], {}, "found 3 and 4"),
        ("rails", [(3, 4), (5,)], {}, "last dimension of 4 on the left to 5"),
        ("rails", [(), (1,)], {}, "wants an array on the left"),
        ("ring", [(4,)], {"width": 0}, "`width` is 0"),
    ],
)
def test_bad_use_is_a_sentence(
    name: str, shapes: list[tuple[int, ...]], arguments: dict[str, Argument], sentence: str
) -> None:
    with pytest.raises(PatternError, match=sentence.replace("(", r"\(")):
        lower(PATTERNS[name], shapes, [MANY] * len(shapes), arguments)


def test_a_bundle_that_is_too_small() -> None:
    with pytest.raises(TooFewPortsError, match="`all` needs 6 ports on each member, there are 5") as caught:
        lower(PATTERNS["all"], [(3,), (2,)], [4, 5], {"width": 2})
    assert (caught.value.needed, caught.value.given, caught.value.side) == (6, 5, 1)


def test_taken_axis_names_are_avoided() -> None:
    (edge,) = made("fullmesh", (4,)).edges
    renamed = rename(edge, {"i", "b"})
    assert [a.name for a in renamed.axes] == ["i_", "j"]
    assert renamed.where is not None
    assert text(renamed.where) == "i_ < j"
    assert [text(x) for x in (renamed.left, renamed.left_port, renamed.right, renamed.right_port)] == [
        "i_",
        "j - 1",
        "j",
        "i_",
    ]


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_every_pattern_states_its_ports_cables_and_symmetries(name: str) -> None:
    doc = inspect.cleandoc(PATTERNS[name].doc)
    assert all(f"\n{heading}:" in doc for heading in ("Ports", "Cables", "Symmetries"))
    assert doc.splitlines()[0].endswith(".") or doc.splitlines()[1]
