"""Up-down and dimension-ordered loads: pair by pair in plain loops, closed forms, and what is not admitted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.routing import ecmp, up_down


def plain_updown(net: machines.Network) -> np.ndarray:
    """All-to-all, a pair at a time: enumerate the paths that rise and then fall, keep those that turn lowest, and walk
    down them with equal shares for each cable at each vertex."""
    tier = symmetry.tiers_of_vertices(net).tolist()
    load = np.zeros(net.arcs)
    for s, t in itertools.permutations(range(net.ends), 2):
        start, goal = int(net.vertices_of(s)[0]), int(net.vertices_of(t)[0])
        paths: list[list[int]] = []

        def walk(v: int, arcs: list[int], falling: bool, goal: int = goal, paths: list[list[int]] = paths) -> None:
            if v == goal:
                paths.append(arcs)
                return
            if arcs and not net.forwards[v]:
                return
            for a in range(net.indptr[v], net.indptr[v + 1]):
                step = tier[net.head[a]] - tier[v]
                if step == -1 or (step == 1 and not falling):
                    walk(int(net.head[a]), [*arcs, a], step == -1)

        walk(start, [], False)
        least = min(len(p) for p in paths)
        used = {a for p in paths if len(p) == least for a in p}
        have = {start: 1.0}
        for _ in range(least):
            onward: dict[int, float] = {}
            for v, amount in have.items():
                out = [a for a in used if net.tail[a] == v]
                total = sum(int(net.count[a]) for a in out)
                for a in out:
                    part = amount * int(net.count[a]) / total
                    load[a] += part
                    onward[int(net.head[a])] = onward.get(int(net.head[a]), 0.0) + part
            have = onward
    return load


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("clos", (3, 2, 2)),
        ("fat_tree", (4,)),
        ("star", (4,)),
        ("superpod", (2, 2, 2, 2)),
        ("cluster", (2, 2, 2, 2, 1, 2)),
    ],
)
def test_updown_pair_by_pair(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    d = demand.all_to_all(net)
    folded = up_down.updown(symmetry.find_symmetry(net, arrays), d)
    assert folded.load_Bps == pytest.approx(plain_updown(net))
    plain = up_down.updown(symmetry.trivial_symmetry(net), d)
    assert plain.load_Bps == pytest.approx(folded.load_Bps)
    assert folded.sweeps < plain.sweeps


def test_updown_takes_the_lowest_turn_of_a_host_on_two_leaves() -> None:
    """Host 0 hangs on leaves 4 and 5, host 1 on 4 only: the way over leaf 5 and the spine is longer and not taken."""
    net = machines.plain(8, 4, [([0, 0, 1, 2, 3], [4, 5, 4, 5, 6]), ([4, 5, 6], [7, 7, 7])], forward=False)
    got = up_down.updown(symmetry.trivial_symmetry(net), demand.all_to_all(net))
    assert got.load_Bps == pytest.approx(plain_updown(net))
    one = up_down.updown(symmetry.trivial_symmetry(net), demand.pairs(0, 1)).load_Bps
    assert one.sum() == pytest.approx(2.0)


def test_updown_is_ecmp_on_a_tree() -> None:
    net, arrays = machines.fat_tree(6)
    found, d = symmetry.find_symmetry(net, arrays), demand.all_to_all(net)
    assert up_down.updown(found, d).load_Bps == pytest.approx(ecmp.ecmp(found, d).load_Bps)


def test_updown_needs_a_tree() -> None:
    net, _ = machines.mesh(4)
    with pytest.raises(NotAdmittedError, match="updown"):
        up_down.updown(symmetry.trivial_symmetry(net), demand.all_to_all(net))


def plain_dor(sides: tuple[int, ...], order: tuple[int, ...], ring: bool) -> dict[tuple[tuple[int, ...], ...], float]:
    """All-to-all on a torus or mesh by coordinates: halves both ways round where they are equal."""
    load: dict[tuple[tuple[int, ...], ...], float] = {}
    for s, t in itertools.permutations(itertools.product(*map(range, sides)), 2):
        here = list(s)
        for k in order:
            n, go = sides[k], (t[k] - here[k]) % sides[k]
            ways: list[tuple[int, int, float]]
            if not ring:
                ways = [(go, 1, 1.0)] if go else []
            elif 2 * go == n:
                ways = [(1, go, 0.5), (-1, go, 0.5)]
            else:
                ways = [(1, go, 1.0)] if 2 * go < n else [(-1, n - go, 1.0)]
            for step, times, share in ways:
                at = list(here)
                for _ in range(times if ring else 1):
                    after = list(at)
                    after[k] = (at[k] + step) % n
                    key = (tuple(at), tuple(after))
                    load[key] = load.get(key, 0.0) + share
                    at = after
            here[k] = t[k]
    return load


@pytest.mark.parametrize(
    ("name", "sides", "order"),
    [
        ("torus", (4, 5), (0, 1)),
        ("torus", (4, 5), (1, 0)),
        ("torus", (3, 4, 3), (2, 0, 1)),
        ("mesh", (3, 4), (1, 0)),
        ("mesh", (2, 3, 4), (0, 1, 2)),
    ],
)
def test_dor_by_coordinates(name: str, sides: tuple[int, ...], order: tuple[int, ...]) -> None:
    net, arrays = getattr(machines, name)(*sides)
    place = up_down.coordinates(net, arrays[0])
    want = plain_dor(sides, order, name == "torus")
    d = demand.all_to_all(net)
    for found in (symmetry.find_symmetry(net, arrays), symmetry.trivial_symmetry(net)):
        got = up_down.dor(found, d, place[:, list(order)])
        for a in range(net.arcs):
            key = (tuple(place[net.tail[a]].tolist()), tuple(place[net.head[a]].tolist()))
            assert got.load_Bps[a] == pytest.approx(want.get(key, 0.0))


def test_dor_balances_less_than_ecmp_only_in_pairs() -> None:
    """All-to-all on a 4 x 4 torus is balanced either way; a transpose is not."""
    net, arrays = machines.torus(4, 4)
    place = up_down.coordinates(net, arrays[0])
    found = symmetry.find_symmetry(net, arrays)
    every = demand.all_to_all(net)
    assert up_down.dor(found, every, place).load_Bps == pytest.approx(ecmp.ecmp(found, every).load_Bps)
    end = np.arange(16)
    turn = demand.pairs(end, end % 4 * 4 + end // 4)
    one, two = up_down.dor(found, turn, place), ecmp.ecmp(found, turn)
    assert one.load_Bps.sum() == pytest.approx(two.load_Bps.sum())
    assert one.load_Bps.max() > two.load_Bps.max() * 1.2


def test_dor_folds_only_by_what_keeps_dimensions() -> None:
    """Exchanging opposite corners of a 2 x 2 keeps the demand between them, but not which dimension comes first."""
    net = machines.plain(4, 4, [([0, 2, 0, 1], [1, 3, 2, 3])])
    square = symmetry.Array(0, (), (2, 2), 1)
    place = up_down.coordinates(net, square)
    d = demand.pairs([0, 3], [3, 0])
    corners = symmetry.find_symmetry(net, [], np.array([0, 1, 2, 0]))
    assert corners.vertex_orbits == 3
    folded = up_down.dor(corners, d, place)
    used = {(int(net.tail[a]), int(net.head[a])): folded.load_Bps[a] for a in np.flatnonzero(folded.load_Bps)}
    assert used == {(0, 2): 1.0, (2, 3): 1.0, (3, 1): 1.0, (1, 0): 1.0}


def test_coordinates_inside_loops() -> None:
    net, arrays = machines.superpod(3, 2, 4, 1)
    place = up_down.coordinates(net, arrays[1])
    assert place[:9].tolist() == [[0, b, s] for b in range(2) for s in range(4)] + [[1, 0, 0]]


def test_dor_needs_cables_along_each_dimension() -> None:
    net, arrays = machines.star(6)
    with pytest.raises(NotAdmittedError, match="dimension 0"):
        up_down.dor(symmetry.trivial_symmetry(net), demand.all_to_all(net), up_down.coordinates(net, arrays[0]))
    net, arrays = machines.superpod(2, 2, 2, 1)
    place = up_down.coordinates(net, arrays[1])
    with pytest.raises(NotAdmittedError):
        up_down.dor(symmetry.trivial_symmetry(net), demand.all_to_all(net), place)
