"""Cables between the elements of one array, as a slice of some of them has them: against looking at all cables."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.ir.fabric import Fabric

HEAD = """ubus 1
protocol UB { lane = 112 Gbps }
link Cable : UB { reach = 9 m }
"""
TORUS = """
npu Chip { port p[6] : UB x4; transit p }
rack Machine {
  npu[4, 3, 5] : Chip
  connect npu[x, y, z].p[0] -- npu[(x + 1) mod 4, y, z].p[1] over Cable(1 m) for x, y, z
  connect npu[x, y, z].p[2] -- npu[x, (y + 1) mod 3, z].p[3] over Cable(1 m) for x, y, z
  connect npu[x, y, z].p[4] -- npu[x, y, (z + 1) mod 5].p[5] over Cable(1 m) for x, y, z
}
system machine : Machine
"""
MESH = """
npu Chip { port p[5, 3] : UB x4 @open; transit p }
rack Machine {
  npu[6] : Chip
  connect npu[i].p[j - 1, k] -- npu[j].p[i, k] over Cable(1 m) for i in 0..5, k, j in 0..5 where i < j
}
system machine : Machine
"""
PAIRS = """
npu Chip { port p[2] : UB x4 @open; transit p }
rack Machine {
  npu[4] : Chip
  connect npu[1].p[0] -- npu[2].p[0] over Cable(1 m)
  connect npu[0].p[0] -- npu[3].p[0] over Cable(1 m)
  connect npu[2].p[1] -- npu[3].p[1] over Cable(1 m)
}
system machine : Machine
"""


def fabric_of(text: str) -> Fabric:
    return compile_text(HEAD + text).fabric()


def check(fabric: Fabric, scope: str, elements: list[int]) -> None:
    inside = np.isin(np.arange(fabric.device_count), elements)
    part = fabric.slice(scope)
    assert part.devices.tolist() == sorted(elements)
    assert part.cables.tolist() == np.flatnonzero(inside[fabric.a_device] & inside[fabric.b_device]).tolist()


def test_of_a_torus() -> None:
    fabric = fabric_of(TORUS)
    grid = np.arange(60).reshape(4, 3, 5)
    for x, y, z in product(("*", "1", "0..1", "0..3 step 3"), ("*", "2", "0..1"), ("*", "4", "1..3", "0..4 step 4")):
        places = [range(n) if at == "*" else range(*_ends(at)) for at, n in zip((x, y, z), (4, 3, 5), strict=True)]
        check(fabric, f"npu[{x}, {y}, {z}]", grid[np.ix_(*places)].ravel().tolist())


def _ends(text: str) -> tuple[int, int, int]:
    """Start, stop and step of a subscript."""
    span, _, step = text.partition(" step ")
    low, _, high = span.partition("..")
    return int(low), int(high or low) + 1, int(step or 1)


@pytest.mark.parametrize("chosen", ["0..5", "2..4", "0..5 step 5", "3"])
def test_of_a_mesh_with_a_condition(chosen: str) -> None:
    check(fabric_of(MESH), f"npu[{chosen}]", list(range(*_ends(chosen))))


@pytest.mark.parametrize("chosen", ["0..3", "1..2", "0..3 step 3", "0..1"])
def test_of_cables_without_axes(chosen: str) -> None:
    check(fabric_of(PAIRS), f"npu[{chosen}]", list(range(*_ends(chosen))))


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("npu[0] |", "missing beside an operator"),
        ("(npu[0] | npu[1]", "never closed"),
        ("npu[0] | npu[1", "never closed"),
        ("npu[0] npu[1]", "is no name with subscripts"),
        ("npu[0] (npu[1])", "has no place there"),
        ("npu[0] - npu[0]", "chooses nothing"),
        ("all rakc", "names no kind or type"),
        ("all | npu[0]", "is followed by a kind"),
        ("npu[9] | npu[0]", "goes beyond"),
    ],
)
def test_what_is_no_scope(scope: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fabric_of(PAIRS).slice(scope)


def test_several_parts() -> None:
    fabric = fabric_of(PAIRS)
    check(fabric, "npu[0] | npu[2..3]", [0, 2, 3])
    check(fabric, "all npu - npu[1]-npu[3]", [0, 2])
    check(fabric, "all Chip in (npu[0] | npu[1]) - npu[0]", [1])
