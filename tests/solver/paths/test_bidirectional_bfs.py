"""Paths of listed pairs, many at once, against the loops of one pair after another and against sweeps."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths import bidirectional_bfs
from unifiedbus_dsl.solver.paths.bfs import by_capacity
from unifiedbus_dsl.solver.routing import ecmp


def some_pairs(ends: int, rng: np.random.Generator) -> demand.Pairs:
    many = int(rng.integers(1, 3 * ends))
    return demand.pairs(rng.integers(0, ends, many), rng.integers(0, ends, many), rng.uniform(0.5, 2.0, many))


@pytest.mark.parametrize("seed", range(30))
def test_as_one_pair_after_another(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random machines, several vertices an end point, vertices that do not forward, parallel cables; tiny blocks."""
    rng = np.random.default_rng(seed)
    net = machines.random_network(seed, cables=30)
    pairs = some_pairs(net.ends, rng)
    matrix = np.zeros((net.ends, net.ends))
    np.add.at(matrix, (pairs.source, pairs.target), pairs.rate)
    monkeypatch.setattr(bidirectional_bfs, "MOST", 1 + seed % 5)
    monkeypatch.setattr(bidirectional_bfs, "LEAST", 1)
    for by_capacity_too, weight in ((False, net.count.astype(float)), (True, by_capacity(net).weight)):
        if (twins.hop_matrix(net)[pairs.source, pairs.target] < 0).any():
            with pytest.raises(NotAdmittedError, match="no path"):
                bidirectional_bfs.pair_loads(net, weight, pairs.source, pairs.target, pairs.rate)
            return
        got = bidirectional_bfs.pair_loads(net, weight, pairs.source, pairs.target, pairs.rate)
        assert got == pytest.approx(twins.ecmp_loads(net, matrix, by_capacity_too))


@pytest.mark.parametrize(
    ("name", "sizes"), [("superpod", (2, 3, 2, 2)), ("fat_tree", (6,)), ("torus", (5, 4, 3)), ("line", (40,))]
)
def test_as_sweeps(name: str, sizes: tuple[int, ...]) -> None:
    net, _ = getattr(machines, name)(*sizes)
    pairs = some_pairs(net.ends, np.random.default_rng(3))
    got = bidirectional_bfs.pair_loads(net, net.count.astype(float), pairs.source, pairs.target, pairs.rate)
    total = np.zeros(net.arcs)
    plain, weights = symmetry.trivial_symmetry(net), ecmp.by_cable(net)
    for target in np.unique(pairs.target).tolist():
        column = demand.demand_column(pairs, target, net.ends)
        ecmp.accumulate_leg(plain, total, weights, net.vertices_of(target), column, 1.0)
    assert got == pytest.approx(ecmp.loads_of_orbits(plain, total))


def test_room_is_left_clean_after_a_pair_without_a_path() -> None:
    """Two islands: the block that is refused leaves no mark for the next."""
    net = machines.plain(4, 4, [([0], [1]), ([2], [3])])
    room = bidirectional_bfs.Workspace.of(net.vertices)
    for _ in range(2):
        with pytest.raises(NotAdmittedError, match="no path"):
            list(bidirectional_bfs._block(net, room, np.array([0]), np.array([2])))
        assert not np.concatenate([room.ahead, room.behind, room.on]).any()
    assert len(list(bidirectional_bfs._block(net, room, np.array([0]), np.array([1])))) == 1


def test_what_is_cheaper_is_done() -> None:
    """A permutation is taken pair by pair, an incast and what symmetry folds are swept."""
    net, arrays = machines.fat_tree(8)
    plain = symmetry.trivial_symmetry(net)
    ends = np.arange(net.ends)
    permutation = demand.pairs(ends, np.random.default_rng(1).permutation(ends))
    assert ecmp.ecmp(plain, permutation).sweeps == 0
    assert ecmp.ecmp(plain, demand.pairs(ends[1:], 0)).sweeps == 1
    assert ecmp.ecmp_by_pairs_if_cheaper(net, demand.all_to_all(net), "ecmp") is None
    torus, arrays = machines.torus(12, 12)
    ends = np.arange(torus.ends)
    shift = demand.pairs(ends, ends.reshape(12, 12)[:, [*range(6, 12), *range(6)]].ravel())
    assert ecmp.ecmp(symmetry.find_symmetry(torus, arrays), shift).sweeps == 1
