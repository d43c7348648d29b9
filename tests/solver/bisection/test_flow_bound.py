"""What halves that go through an element of an array have to carry, beside the least of all cuts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network, build_network
from unifiedbus_dsl.graph.symmetry import Array
from unifiedbus_dsl.solver.bisection import bisection as bisection_module
from unifiedbus_dsl.solver.bisection import flow_bound, lower_bounds
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.flow.terminals import flow_symmetry

BOXES, RATES = 3, np.array([1e9, 2e9, 5e9])


def odd(seed: int, ends: int = 3) -> tuple[Network, list[Array]]:
    """Three equal boxes of `ends` end points and a switch, cabled at random inside, and to two switches above them."""
    rng = np.random.default_rng(seed)
    size = ends + 1
    inside = [(i, j, int(rng.integers(0, 3))) for i in range(size) for j in range(i) if rng.random() < 0.7]
    above = [(i, BOXES * size + int(rng.integers(0, 2)), int(rng.integers(0, 3))) for i in range(size)]
    rows = [(box * size + i, box * size + j, k) for i, j, k in inside for box in range(BOXES)]
    rows += [(box * size + i, top, k) for i, top, k in above for box in range(BOXES)]
    rows.append((BOXES * size, BOXES * size + 1, 1))
    a, b, kind = np.array(rows).T
    vertices = BOXES * size + 2
    place = np.arange(vertices)
    real = (place < BOXES * size) & (place % size < ends)
    net = build_network(
        device_start=np.arange(vertices + 1),
        end=np.where(real, np.cumsum(real) - 1, -1),
        forwards=np.ones(vertices, dtype=bool),
        a=a, b=b, kind=kind,
        kinds=machines.kinds(RATES),
    )  # fmt: skip
    return net, [Array(0, (), (BOXES,), size)]


def least(net: Network) -> float:
    """The least cut that halves the end points, over all sides of all vertices."""
    side = ((np.arange(1 << net.vertices)[:, None] >> np.arange(net.vertices)) & 1).astype(bool)
    side = side[side[:, net.end >= 0].sum(axis=1) == net.ends // 2]
    cut = np.zeros(len(side))
    for tail, head, rate in zip(net.tail, net.head, net.capacity_Bps, strict=True):
        cut += rate * (side[:, tail] & ~side[:, head])
    return float(cut.min())


WITHOUT_EVERY_CUT = tuple(each for each in bisection_module.METHODS if each is not lower_bounds.EVERY_CUT)


@pytest.mark.parametrize("seed", range(16))
def test_what_is_left_of_a_box_stays_below_every_cut(seed: int) -> None:
    net, arrays = odd(seed)
    found = flow_bound.bisection_flow_lp(
        flow_symmetry(symmetry.find_symmetry(net, arrays)), np.ones(net.ends, dtype=bool), 400_000
    )
    assert 0 <= found.lower <= least(net) * (1 + 1e-9)


def test_a_half_that_goes_through_a_box_pays_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three boxes of two end points: 5 GB/s between the two, 1 GB/s from each to a switch above, and any half takes one
    box apart: its 5 GB/s, and 1 GB/s of each end point of that half."""
    monkeypatch.setattr(bisection_module, "METHODS", WITHOUT_EVERY_CUT)
    net = machines.plain(7, 6, [([0, 2, 4], [1, 3, 5]), (np.arange(6), [6] * 6)], [5e9, 1e9])
    found = symmetry.find_symmetry(net, [Array(0, (), (3,), 2)])
    assert bisection(found).capacity.value == pytest.approx(8e9)
    assert bisection(found).capacity.kind == "exact"
    assert least(net) == 8e9
    flows = flow_bound.bisection_flow_lp(flow_symmetry(found), np.ones(6, dtype=bool), 400_000)
    assert flows.lower == pytest.approx(8e9)


def test_switches_of_a_box_that_is_parted_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three boxes of four end points around a switch each, 3 GB/s, and 1 GB/s from each end point to a switch above: a
    half of six parts a box in twos, 6 GB/s at its switch, and 6 GB/s above."""
    monkeypatch.setattr(bisection_module, "METHODS", WITHOUT_EVERY_CUT)
    ends = np.arange(15).reshape(3, 5)[:, :4].ravel()
    net = build_network(
        device_start=np.arange(17),
        end=np.where(np.isin(np.arange(16), ends), np.cumsum(np.isin(np.arange(16), ends)) - 1, -1),
        forwards=np.ones(16, dtype=bool),
        a=np.tile(ends, 2),
        b=np.concatenate([ends // 5 * 5 + 4, np.full(12, 15)]),
        kind=np.repeat([0, 1], 12),
        kinds=machines.kinds([3e9, 1e9]),
    )
    found = symmetry.find_symmetry(net, [Array(0, (), (3,), 5), Array(0, ((3, 5),), (4,), 1)])
    flows = flow_bound.bisection_flow_lp(flow_symmetry(found), np.ones(12, dtype=bool), 400_000)
    assert least(net) == 12e9
    assert flows.lower == pytest.approx(12e9)


def test_symmetries_that_mix_boxes_give_no_bound_by_boxes() -> None:
    """A full mesh of six, called three boxes of two: pairs of a box are no more to it than others, 9 of its cables."""
    net, _ = machines.mesh(6)
    whole = symmetry.find_symmetry(net, [Array(0, (), (6,), 1), Array(0, (), (3,), 2)])
    found = flow_bound.bisection_flow_lp(flow_symmetry(whole), np.ones(6, dtype=bool), 400_000)
    assert len(found.rates) == 1
    assert found.lower == pytest.approx(9 * machines.X4)
