"""Steps on the blocks that they touch: the same as without any symmetry, and what they touch holds all paths."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Array
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.collectives import block_decomposition, step_time
from unifiedbus_dsl.solver.demand import Demand
from unifiedbus_dsl.solver.paths.active_arcs import ActiveArcs
from unifiedbus_dsl.solver.routing import ecmp

MACHINES = [
    ("superpod", (3, 2, 4, 2)),
    ("superpod", (4, 2, 2, 1)),
    ("mesh", (4, 2, 2)),
    ("torus", (4, 4)),
    ("clos", (4, 4, 2)),
    ("cluster", (2, 2, 2, 4, 2, 2)),
    ("fat_tree", (4,)),
]


def made(name: str, sizes: tuple[int, ...]) -> tuple[Network, list[Array]]:
    found: tuple[Network, list[Array]] = getattr(machines, name)(*sizes)
    return found


def lines(ends: int, seed: int) -> list[Demand]:
    """Exchanges and groups of neighbours, near and far, and some that nothing keeps."""
    at = np.arange(ends)
    random = np.random.default_rng(seed)
    found: list[Demand] = []
    for n in (2, 4, 8):
        if ends % n == 0:
            found.append(demand.Groups(at // n))
            found.append(demand.Groups(at % (ends // n), rate=2.0))
            found.append(demand.pairs(at, at // n * n + (at + 1) % n))
            found.append(demand.pairs(at, (at + ends // n) % ends, rate=0.5))
    found.append(demand.pairs(at, random.permutation(ends), 1.0 + random.integers(0, 2, ends)))
    found.append(demand.pairs([0, 1], [1, ends - 1], [1.0, 3.0]))
    some = np.where(at < ends // 2, at // 2, -1)
    found.append(demand.Groups(some))
    return found


@pytest.mark.parametrize(("name", "sizes"), MACHINES)
def test_as_without_symmetry(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = made(name, sizes)
    solver = block_decomposition.BlockDecomposition(symmetry.find_symmetry(net, arrays), arrays)
    plain = symmetry.trivial_symmetry(net)
    for some in lines(net.ends, sum(sizes)):
        found, wanted = solver.timing(some), step_time.step_timing(plain, some)
        assert found.per_byte_s == pytest.approx(wanted.per_byte_s, rel=1e-9)
        assert found.latency_s == pytest.approx(wanted.latency_s, rel=1e-12)
        assert found.flows == wanted.flows
        assert found.binding.tolist() == wanted.binding.tolist()
        assert found.binding_ends.tolist() == wanted.binding_ends.tolist()


@pytest.mark.parametrize(("name", "sizes"), MACHINES)
def test_no_path_leaves_what_is_touched(name: str, sizes: tuple[int, ...]) -> None:
    net, arrays = made(name, sizes)
    group = symmetry.find_symmetry(net, arrays)
    touching = ActiveArcs(group)
    for some in lines(net.ends, sum(sizes)):
        orbits = touching.orbits(some)
        assert orbits is not None
        inside = np.isin(group.arc_orbit, orbits)
        loaded = ecmp.ecmp(symmetry.trivial_symmetry(net), some).load_Bps > 0
        assert not (loaded & ~inside).any()
        assert (inside == inside[net.opposite]).all()


def test_racks_are_solved_once() -> None:
    """A ring in each row of a rack touches the meshes along rows; the racks are the innermost elements that hold it."""
    net, arrays = machines.superpod(16, 4, 4)
    solver = block_decomposition.BlockDecomposition(symmetry.find_symmetry(net, arrays), arrays)
    at = np.arange(net.ends)
    found = solver.timing(demand.pairs(at, at // 4 * 4 + (at + 1) % 4))
    (part,) = solver._parts.values()
    assert len(part.bounds) == 16
    assert set(part.model.tolist()) == {0}
    assert list(part._symmetries) == [(0, 20)]
    assert found.flows == 256
    assert len(found.binding) == 256


def test_a_block_that_differs_is_solved_for_itself() -> None:
    """One pair of one rack sends three times as much; the other racks are one problem."""
    net, arrays = machines.superpod(6, 2, 4, 2)
    solver = block_decomposition.BlockDecomposition(symmetry.find_symmetry(net, arrays), arrays)
    at = np.arange(net.ends)
    rate = np.ones(net.ends)
    rate[19] = 3.0
    found = solver.timing(demand.pairs(at, at ^ 1, rate))
    (part,) = solver._parts.values()
    assert len(part._symmetries) == 1, "one network, whatever is sent"
    assert found.per_byte_s == pytest.approx(3 / machines.X4)
    assert net.end[net.tail[found.binding]].tolist() == [19]


def test_arrays_inside_a_range() -> None:
    outer = Array(0, (), (4,), 10)
    inner = Array(2, ((4, 10),), (3,), 2)
    assert block_decomposition.inside([outer, inner], 10, 20) == [Array(2, (), (3,), 2)]
    racks = Array(0, (), (2,), 10)
    assert block_decomposition.inside([outer, inner], 10, 30) == [racks, Array(2, ((2, 10),), (3,), 2)]
    assert block_decomposition.inside([outer, inner], 0, 40) == [outer, inner]
    assert block_decomposition.inside([outer, inner], 13, 20) == [Array(1, (), (2,), 2)]
    assert block_decomposition.inside([outer, inner], 13, 16) == []


def test_rows_of_one_hash_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    start, column = np.array([0, 2, 4, 6]), np.array([1, 2, 3, 4, 1, 2])
    assert block_decomposition._representatives(start, column).tolist() == [0, 1, 0]
    monkeypatch.setattr(block_decomposition, "splitmix64", lambda values: np.zeros(len(values), dtype=np.uint64))
    assert block_decomposition._representatives(start, column).tolist() == [0, 1, 0]
