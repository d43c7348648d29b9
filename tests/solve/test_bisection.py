"""The bisection: closed forms, and the true cut of random networks by brute force."""

from __future__ import annotations

import pytest

from tests.solve import machines, twins
from tests.solve.test_limits import random_joined
from unifiedbus_dsl import symmetry
from unifiedbus_dsl.solve.bisection import bisection

X4 = machines.X4


@pytest.mark.parametrize(
    ("name", "sizes", "cables"),
    [
        ("mesh", (8, 8), 128),
        ("mesh", (6,), 9),
        ("mesh", (5,), 6),
        ("torus", (8,), 2),
        ("torus", (9,), 2),
        ("torus", (4, 4), 8),
        ("torus", (4, 4, 4), 32),
        ("hypercube", (5,), 16),
        ("star", (8,), 4),
        ("star", (9,), 4),
        ("clos", (4, 6, 6), 12),
        ("clos", (4, 6, 2), 4),
        ("fat_tree", (6,), 27),
        ("superpod", (128,), 16384),
    ],
)
def test_bisection(name: str, sizes: tuple[int, ...], cables: int) -> None:
    """Mesh k x k: k * k^2 / 4; complete n: floor * ceil; ring 2; torus k^d (even): 2 k^(d-1); hypercube 2^(d-1); star
    and full Clos n / 2; Clos 3:1 a third of it; SuperPoD: all cables of half its planes."""
    net, arrays = getattr(machines, name)(*sizes)
    got = bisection(symmetry.find(net, arrays))
    assert got.capacity.upper == pytest.approx(cables * X4)
    assert got.side.sum() == net.ends // 2
    crossing = got.vertex_side[net.tail] & ~got.vertex_side[net.head]
    assert net.capacity_Bps[crossing].sum() == pytest.approx(got.capacity.upper)
    if (name, sizes) not in {("torus", (9,)), ("mesh", (5,))}:
        assert got.capacity.kind == "exact"


@pytest.mark.parametrize("seed", random_joined(10))
def test_bisection_of_random_networks_holds_the_true_cut(seed: int) -> None:
    net = machines.random_network(seed, ends=5, switches=2, cables=22)
    true = twins.bisection(net, list(range(5)))
    got = bisection(symmetry.trivial(net))
    assert got.capacity.lower <= true * (1 + 1e-7)
    assert got.capacity.upper >= true * (1 - 1e-7)
    some = bisection(symmetry.trivial(net), [0, 2, 4])
    true = twins.bisection(net, [0, 2, 4])
    assert some.capacity.lower <= true * (1 + 1e-7)
    assert some.capacity.upper >= true * (1 - 1e-7)


def test_bisection_is_not_paid_for_what_cannot_pass() -> None:
    """0 and 1 both have a cable to 2, which does not forward and is no member: only their own cable counts."""
    net = machines.plain(3, 3, [([0, 1, 0], [2, 2, 1])], forward=False)
    assert bisection(symmetry.trivial(net), [0, 1]).capacity.upper == pytest.approx(X4)
