"""What the page says of full meshes of four dimensions: two lanes free all shortest paths of the smallest one."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest

from tests.measures.test_deadlock import SPECS
from tests.verify.machines import call_of, evaluate
from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.solver.network_context import NetworkContext

ORDER = """
810 a30 200 a00 b30 110 320 710 310 120 530 d00 e20 a10 820 c00 d30 500 430 e10 c30 400 520 330
c10 c20 100 510 130 800 830 300 220 b10 920 d10 f30 f00 d20 930 700 410 630 420 010 620 230 a20
e30 e00 600 730 910 b20 f10 900 210 020 f20 030 000 b00 811 621 111 f01 e21 a31 201 a01 f31 720
b31 d01 610 711 301 231 311 331 431 b01 a11 a21 e11 821 c31 401 c01 d31 521 c11 121 e31 c21 531
501 421 211 001 d21 b11 931 101 031 801 131 921 d11 f21 901 831 021 011 221 911 b21 f11 321 511
411 631 e01 701 611 721 601 731
"""
"""Lanes of channels of the full mesh of 2 x 2 x 2 x 2 in an order, found by a SAT solver: `a21` is the channel from
node 0b1010 along dimension 2, on lane 1."""


def test_two_lanes_free_all_shortest_paths_of_the_smallest_mesh_of_four_dimensions() -> None:
    """Each path can choose its lanes so that its channels rise in one order: nothing waits for what comes before it."""
    place = {(int(word[0], 16), int(word[1]), int(word[2])): at for at, word in enumerate(ORDER.split())}
    assert len(place) == 16 * 4 * 2
    for start in range(16):
        for order in permutations(range(4)):
            nodes = [start]
            for dimension in order:
                nodes.append(nodes[-1] ^ 1 << dimension)
            last = -1
            for (node, _), dimension in zip(pairwise(nodes), order, strict=True):
                higher = [at for lane in (0, 1) if (at := place[node, dimension, lane]) > last]
                assert higher  # a lane is left
                last = min(higher)


@pytest.mark.parametrize(("system", "bounds"), [("pod", (2, 2)), ("mesh", (2, 2)), ("rack", (1, 1))])
def test_ub_mesh_takes_two_lanes_for_all_shortest_paths(system: str, bounds: tuple[int, int]) -> None:
    machine = NetworkContext(compile(SPECS / "huawei/ub-mesh.ubus").fabric(system))
    found = proved(machine, evaluate(call_of(machine, "virtual_lanes(alltoall(all npu))")))
    assert (found.lower, found.upper) == bounds
