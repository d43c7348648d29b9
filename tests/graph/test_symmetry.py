"""Orbits: every generator against a plain check, the counts that theory gives, and the same under renumbering."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.base.arrays import Hashes, Ids, unique_rows
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, build_network, row_of_items
from unifiedbus_dsl.graph.symmetry import colour_refinement, orbits, search, verify_automorphism
from unifiedbus_dsl.graph.symmetry.orbits import vertex_orbits
from unifiedbus_dsl.graph.symmetry.verify_automorphism import AutomorphismVerifier
from unifiedbus_dsl.solver.flow import terminals

SMALL = [
    ("mesh", (4, 3)),
    ("torus", (4, 3)),
    ("torus", (2, 3)),
    ("line", (5,)),
    ("hypercube", (4,)),
    ("star", (5,)),
    ("clos", (4, 3, 2)),
    ("fat_tree", (4,)),
    ("cluster", (2, 3, 2, 2, 1, 2)),
    ("superpod", (3, 2, 3, 2)),
]


def plain_automorphism(net: Network, image: np.ndarray) -> bool:
    """Every arc goes to an arc that no measure tells apart from it, each to one of its own."""
    arcs = [(int(t), int(h), int(k)) for t, h, k in zip(net.tail, net.head, net.label, strict=True)]
    return Counter(arcs) == Counter((int(image[t]), int(image[h]), k) for t, h, k in arcs)


@pytest.mark.parametrize(("name", "sizes"), SMALL)
def test_every_generator_is_an_automorphism(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    found = symmetry.find_symmetry(net, arrays)
    assert found.generators
    for generator in found.generators:
        image = np.arange(net.vertices)
        image[generator.moved] = generator.image
        assert plain_automorphism(net, image)
        assert (net.group[image] == net.group).all()
        rows, images = arcs_of_rows(net, generator.moved), symmetry.arc_images(net, generator)
        assert (net.tail[images] == image[net.tail[rows]]).all()
        assert (net.head[images] == image[net.head[rows]]).all()


@pytest.mark.parametrize(
    ("name", "sizes", "vertices", "arcs"),
    [
        ("mesh", (8, 8), 1, 2),
        ("torus", (4, 5, 3), 1, 3),
        ("line", (5,), 3, 4),
        ("hypercube", (5,), 1, 5),
        ("star", (9,), 2, 2),
        ("clos", (4, 6, 3), 3, 4),
        ("fat_tree", (8,), 4, 6),
        ("superpod", (4,), 3, 6),
        ("cluster", (2, 3, 2, 2, 1, 2), 3, 6),
        ("cluster", (64, 4, 2, 2, 2, 4), 3, 6),
    ],
)
def test_orbits_of_regular_machines_are_as_few_as_can_be(
    name: str, sizes: tuple[int, ...], vertices: int, arcs: int
) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    found = symmetry.find_symmetry(net, arrays)
    assert (found.vertex_orbits, found.arc_orbits) == (vertices, arcs)


@pytest.mark.parametrize(("name", "sizes"), SMALL)
def test_arc_orbits_are_those_of_the_generators(name: str, sizes: tuple[int, ...]) -> None:
    """Union-find in plain loops over whole permutations of arcs."""
    net, arrays = getattr(machines, name)(*sizes)
    found = symmetry.find_symmetry(net, arrays)
    arc_of = {(int(t), int(h), int(k)): a for a, (t, h, k) in enumerate(zip(net.tail, net.head, net.kind, strict=True))}
    parent = list(range(net.arcs))

    def root(a: int) -> int:
        while parent[a] != a:
            a = parent[a]
        return a

    for generator in found.generators:
        image = np.arange(net.vertices)
        image[generator.moved] = generator.image
        for (t, h, k), a in arc_of.items():
            parent[root(a)] = root(arc_of[int(image[t]), int(image[h]), k])
    roots = np.array([root(a) for a in range(net.arcs)])
    pairs = np.unique(np.stack([roots, found.arc_orbit]), axis=1).shape[1]
    assert pairs == len(np.unique(roots)) == found.arc_orbits


def test_a_false_candidate_is_dropped() -> None:
    """One cable less in a mesh: exchanging its end with a neighbour is no symmetry, and no generator says so."""
    full, _ = machines.mesh(6)
    keep = full.tail < full.head
    a, b = np.delete(full.tail[keep], 1), np.delete(full.head[keep], 1)  # without 0 -- 2
    net = machines.plain(6, 6, [(a, b)])
    found = symmetry.find_symmetry(net, [symmetry.Array(0, (), (6,), 1)])
    assert (found.vertex_orbit == found.vertex_orbit[0]).nonzero()[0].tolist() == [0, 2]  # twins, and no more
    recovered = symmetry.find_symmetry(net, [symmetry.Array(0, (), (6,), 1)], colour=np.zeros(6))
    assert (recovered.vertex_orbits, recovered.arc_orbits) == (2, 3)  # two of degree 4, four of degree 5


def test_twins_and_what_is_alike_are_found_without_any_array() -> None:
    """Hosts under a leaf, and spines, have the same neighbours; leaves are carried onto each other one by one."""
    net, _ = machines.clos(4, 6, 3)
    found = symmetry.find_symmetry(net, [])
    assert found.vertex_orbits == 1 + 1 + 1
    colour = np.zeros(net.vertices)
    colour[0] = 1
    assert symmetry.find_symmetry(net, [], colour).vertex_orbits == 3 + 2 + 1


def test_random_graph_has_no_symmetry_to_fold_by() -> None:
    """A regular random graph is one colour to refinement, and must not be one orbit."""
    import networkx as nx

    graph = nx.random_regular_graph(6, 32, seed=1)
    edges = np.array(graph.edges())
    net = machines.plain(32, 32, [(edges[:, 0], edges[:, 1])])
    assert symmetry.refine_once(net, net.group, net.label).max() == 0
    assert symmetry.find_symmetry(net, [symmetry.Array(0, (), (32,), 1)]).vertex_orbits > 1


@pytest.mark.parametrize(("name", "sizes"), SMALL)
def test_stabiliser_keeps_its_end_point(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    around = symmetry.find_symmetry(net, arrays).stabiliser([1])
    orbit = around.end_orbit
    assert (orbit == orbit[1]).sum() == 1
    for generator in around.generators:
        image = np.arange(net.vertices)
        image[generator.moved] = generator.image
        assert plain_automorphism(net, image)
        assert image[net.vertices_of(1)[0]] == net.vertices_of(1)[0]


def test_partition_of_end_points_keeps_what_maps_parts_to_parts() -> None:
    net, arrays = machines.mesh(4, 3)
    found = symmetry.find_symmetry(net, arrays)
    rows = found.restricted(partition=np.repeat(np.arange(4), 3))
    assert rows.vertex_orbits == 1
    odd = found.restricted(partition=np.array([0] + [1] * 11))
    assert odd.vertex_orbits > 1


def test_refinement_is_equitable() -> None:
    net = machines.random_network(3, ends=12, switches=5, cables=40)
    colour = symmetry.refine_once(net, net.forwards, net.label)
    seen: dict[int, list[tuple[int, int]]] = {}
    for v in range(net.vertices):
        row = slice(net.indptr[v], net.indptr[v + 1])
        around = sorted(zip(net.label[row].tolist(), colour[net.head[row]].tolist(), strict=True))
        assert seen.setdefault(int(colour[v]), around) == around


@pytest.mark.parametrize(("lone", "dead"), [(False, False), (True, False), (False, True)])
def test_hubs_are_carried_along(lone: bool, dead: bool) -> None:
    """Six end points of two forwarding vertices (and a third that does not): a ring on the first, another way round
    on the second. What was proved without hubs is an automorphism with them, and the orbits are theirs."""
    each = 3 if lone else 2
    at = np.arange(6) * each
    following = np.roll(at, -1)
    net = build_network(
        device_start=np.arange(7) * each,
        end=np.repeat(np.arange(6), each),
        forwards=np.tile([True, True, False][:each], 6),
        group=np.tile(np.arange(each), 6),
        a=np.concatenate([at, at + 1, *([at + 2] if lone else [])])[int(dead) :],
        b=np.concatenate([following, np.roll(at, -2) + 1, *([at] if lone else [])])[int(dead) :],
        kind=np.zeros((2 + lone) * 6 - dead, dtype=int),
        kinds=machines.kinds(machines.X4),
    )
    found = symmetry.find_symmetry(net, [symmetry.Array(0, (), (6,), 1)], np.zeros(net.vertices) if dead else None)
    group = terminals.flow_symmetry(found)
    assert group.network.simple
    anew = symmetry.find_symmetry(group.network, found.arrays, np.zeros(group.network.vertices) if dead else None)
    assert found.generators
    for generator in group.generators:
        image = np.arange(group.network.vertices)
        image[generator.moved] = generator.image
        assert plain_automorphism(group.network, image)
        assert (group.vertex_orbit[image] == group.vertex_orbit).all()
    for ours, theirs in ((group.vertex_orbit, anew.vertex_orbit), (group.arc_orbit, anew.arc_orbit)):
        assert len(np.unique(np.stack([ours, theirs]), axis=1).T) == len(np.unique(ours)) == len(np.unique(theirs))


def test_end_points_of_another_kind_follow() -> None:
    """GPU i has its own NIC on its own rail switch: one array says nothing of the other, but both turn together."""
    gpu, nic = np.arange(8), np.arange(8, 16)
    net = machines.plain(
        17 + 8, 16, [(gpu, 16), (gpu, nic), (nic, np.arange(17, 25))], levels=np.repeat([0, 1, 2, 3], [8, 8, 1, 8])
    )
    gpus, nics = symmetry.Array(0, (), (8,), 1), symmetry.Array(8, (), (8,), 1)
    for array in (gpus, nics):
        looked = search._Search(AutomorphismVerifier(net, symmetry.vertex_kinds(net)), None)
        looked.along([array])
        assert int(vertex_orbits(net, [proof.generator for proof in looked.found]).max()) + 1 == 4


def test_what_no_array_says_is_found() -> None:
    """A twisted torus and the Petersen graph: one orbit each, and none of their arrays rotates as it stands."""
    i, j = np.divmod(np.arange(32), 8)
    down = np.where(i == 3, (j + 4) % 8, (i + 1) % 4 * 8 + j)
    twisted = machines.plain(32, 32, [(np.arange(32), i * 8 + (j + 1) % 8), (np.arange(32), down)])
    assert symmetry.find_symmetry(twisted, [symmetry.Array(0, (), (4, 8), 1)]).vertex_orbits == 1
    import networkx as nx

    one, two = np.array(nx.petersen_graph().edges()).T
    assert symmetry.find_symmetry(machines.plain(10, 10, [(one, two)]), []).vertex_orbits == 1


@pytest.mark.parametrize(("name", "sizes"), [*SMALL, ("cluster", (3, 2, 2, 3, 2, 2))])
def test_what_is_refused_early_would_not_be_proved(
    monkeypatch: pytest.MonkeyPatch, name: str, sizes: tuple[int, ...]
) -> None:
    """A look at a few vertices refuses candidates of many; the same are proved where every candidate is followed."""
    net, arrays = getattr(machines, name)(*sizes)
    refused: list[bool] = []
    plausible = AutomorphismVerifier._plausible

    def noted(self: AutomorphismVerifier, moving: Ids, when: Ids, level: int) -> bool:
        refused.append(not plausible(self, moving, when, level))
        return not refused[-1]

    monkeypatch.setattr(verify_automorphism, "LOOK_FROM", 1)
    monkeypatch.setattr(AutomorphismVerifier, "_plausible", noted)
    quick = symmetry.find_symmetry(net, arrays)
    monkeypatch.setattr(AutomorphismVerifier, "_plausible", lambda *_: True)
    every = symmetry.find_symmetry(net, arrays)
    assert any(refused) == (name in ("clos", "fat_tree", "cluster", "superpod"))
    assert [(g.moved.tolist(), g.image.tolist()) for g in quick.generators] == [
        (g.moved.tolist(), g.image.tolist()) for g in every.generators
    ]


@pytest.mark.parametrize(("name", "sizes"), SMALL)
def test_orbits_are_the_same_however_few_arcs_are_worked_on_at_a_time(
    monkeypatch: pytest.MonkeyPatch, name: str, sizes: tuple[int, ...]
) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    whole = symmetry.find_symmetry(net, arrays)
    for module in (verify_automorphism, orbits):
        monkeypatch.setattr(module, "PIECE", 7)
    pieces = symmetry.find_symmetry(net, arrays)
    assert pieces.arc_orbit.tolist() == whole.arc_orbit.tolist()
    assert len(pieces.generators) == len(whole.generators)
    for generator in whole.generators:
        assert net.head[symmetry.arc_images(net, generator)].tolist() == [
            dict(zip(generator.moved.tolist(), generator.image.tolist(), strict=True)).get(h, h)
            for h in net.head[arcs_of_rows(net, generator.moved)].tolist()
        ]


def test_rows_side_by_side_are_a_slice() -> None:
    net, _ = machines.clos(3, 2, 2)
    for some in ([2, 3, 4], [5], [0, 1, 2, 4], [3, 2, 1], [1, 1, 1], []):
        vertices = np.array(some, dtype=np.int32)
        index = row_of_items(net, vertices)
        assert np.arange(net.arcs)[index].tolist() == arcs_of_rows(net, vertices).tolist()
        assert isinstance(index, slice) == (some in ([2, 3, 4], [5]))


@pytest.mark.parametrize(("name", "sizes"), SMALL)
def test_sums_kept_for_a_level_are_those_added_up_anew(
    monkeypatch: pytest.MonkeyPatch, name: str, sizes: tuple[int, ...]
) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    before = AutomorphismVerifier._sums_before
    kept = []

    def compared(
        self: AutomorphismVerifier, some: Ids, moved: Ids, levels: verify_automorphism._Levels, level: int
    ) -> Hashes:
        found = before(self, some, moved, levels, level)
        assert (found == self._around(some, levels.when, level)).all()
        assert not self.change.any()
        kept.append(level in levels.sums)
        return found

    monkeypatch.setattr(AutomorphismVerifier, "_sums_before", compared)
    assert symmetry.find_symmetry(net, arrays).generators
    assert any(kept) == (name in ("clos", "fat_tree", "cluster", "superpod"))


@pytest.mark.parametrize("most", [3, 5_000, 2**63])
def test_numbers_of_distinct_values_are_in_order(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    values = np.random.default_rng(most % 97).integers(0, most, 9_000).astype(np.uint64) * np.uint64(2)
    values[::2] += np.uint64(2**62)
    _, want = np.unique(values, return_inverse=True)
    for many in (0, 4096, 10**6):
        monkeypatch.setattr(colour_refinement, "MANY", many)
        assert colour_refinement.relabel(values).tolist() == want.tolist()
    assert unique_rows(values).tolist() == sorted(set(values.tolist()))
    assert colour_refinement.relabel(values[:0]).tolist() == unique_rows(values[:0]).tolist() == []


def test_equal_keys_are_ordered_by_place() -> None:
    for most in (2, 50, 2**63):
        keys = np.random.default_rng(most % 97).integers(0, most, 300).astype(np.uint64)
        assert verify_automorphism._in_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@pytest.mark.parametrize(
    ("ends", "cables", "image"),
    [
        (4, [([0, 1, 2], [1, 2, 3]), ([3], [0])], [1, 2, 3, 0]),  # a ring with one cable of another rate
        (4, [([0], [2]), ([1], [3])], [1, 0, 3, 2]),  # two cables of two rates
        (4, [([0, 0], [2, 2]), ([1], [3])], [1, 0, 3, 2]),  # two cables against one
        (4, [([0, 1], [1, 2]), ([2], [3])], [1, 2, 3, 0]),  # a line turned
        (3, [([0, 0, 1], [1, 2, 2])], [1, 1, 2]),  # two vertices to one
    ],
)
def test_what_is_no_automorphism_is_not_proved(
    ends: int, cables: list[tuple[list[int], list[int]]], image: list[int]
) -> None:
    net = machines.plain(ends, ends, cables, [1.0, 2.0][: len(cables)])
    some = np.arange(ends, dtype=np.int32)
    moves = np.array(image, dtype=np.int32)
    same = machines.plain(ends, ends, [(np.arange(ends), np.roll(np.arange(ends), -1))])  # a ring of equal cables
    turn = np.roll(some, -1)
    for network, to, proved in ((net, moves, False), (same, turn, True)):
        prover = AutomorphismVerifier(network, symmetry.vertex_kinds(network))
        assert (prover.prove(some, to, follow=False) is not None) == proved
