"""Hops and loads on orbits: right ones pass, each sort of wrong ones is found; the plan's own are held at random."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.support.plans import draw_plan
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork
from unifiedbus_dsl.solver.from_plan.shortest import FAR, levels_to_source
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_levels import StatedLevels, StatedLoads, check_levels, check_loads

LEVELS = StatedLevels(
    tail=np.array([0, 1, 0, 2, 1, 3, 2, 3]),
    head=np.array([1, 0, 2, 0, 3, 1, 3, 2]),
    target=np.array([True, False, False, False, False]),
    forwards=np.array([False, True, True, False, False]),
    hops=np.array([0, 1, 1, 2, FAR]),
    far=FAR,
)
"""A target and a sender joined by two switches, over 1 cable and over 3; node 4 has no cable."""
LOADS = StatedLoads(
    LEVELS,
    device=np.arange(5),
    weight=np.array([1.0, 1.0, 3.0, 3.0, 1.0, 1.0, 3.0, 3.0]),
    sent=np.array([0.0, 0.0, 0.0, 8.0, 0.0]),
    load=np.array([0.0, 2.0, 0.0, 6.0, 0.0, 2.0, 0.0, 6.0]),
)


def test_right_ones_hold() -> None:
    check_levels(LEVELS)
    check_loads(LOADS)


@pytest.mark.parametrize("node", range(5))
@pytest.mark.parametrize("by", [1, -1, 2])
def test_a_wrong_number_of_hops_is_found_at_every_node(node: int, by: int) -> None:
    hops = LEVELS.hops.copy()
    hops[node] = 3 + by if hops[node] == FAR else hops[node] + by
    with pytest.raises(VerificationError, match="hops"):
        check_levels(evolve(LEVELS, hops=hops))


def test_a_path_through_what_does_not_forward_is_found() -> None:
    with pytest.raises(VerificationError, match="attains"):
        check_levels(evolve(LEVELS, forwards=np.zeros(5, dtype=bool)))


def test_a_path_that_is_said_to_be_missing_is_found() -> None:
    with pytest.raises(VerificationError, match="shortens"):
        check_levels(evolve(LEVELS, hops=np.array([0, 1, 1, FAR, FAR])))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"load": LOADS.load / 2}, "balance"),
        ({"load": np.array([0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 4.0])}, "shared"),
        ({"load": np.array([1.0, 3.0, 0.0, 6.0, 0.0, 2.0, 0.0, 6.0])}, "shared|nearer"),
        ({"load": np.array([0.0, 3.0, 0.0, 5.0, 0.0, 2.0, 0.0, 6.0])}, "balance"),
        ({"sent": np.array([0.0, 0.0, 0.0, 9.0, 0.0])}, "balance"),
        ({"weight": np.ones(8)}, "shared"),
    ],
    ids=["half", "evenly", "away", "handed over", "too little", "weights"],
)
def test_wrong_loads_are_found(spoilt: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        check_loads(evolve(LOADS, **spoilt))


def test_a_device_that_prefers_a_port_is_found() -> None:
    """Two vertices of one sender, one on each switch: what it sends is shared between them by their weights."""
    levels = StatedLevels(
        tail=np.array([1, 2, 3, 4]), head=np.array([0, 0, 1, 2]), target=LEVELS.target, forwards=LEVELS.forwards,
        hops=np.array([0, 1, 1, 2, 2]), far=FAR,
    )  # fmt: skip
    right = StatedLoads(
        levels, np.array([0, 1, 2, 3, 3]), np.array([1.0, 3.0, 1.0, 3.0]), np.array([0.0, 0.0, 0.0, 8.0]),
        np.array([2.0, 6.0, 2.0, 6.0]),
    )  # fmt: skip
    check_loads(right)
    with pytest.raises(VerificationError, match="port"):
        check_loads(evolve(right, load=np.array([4.0, 4.0, 4.0, 4.0])))


def test_wrong_hops_of_random_plans_are_found() -> None:
    held = 0
    for seed in range(40):
        done = compile_text(draw_plan(random.Random(seed)), "plan")
        try:
            network = PlanNetwork.of(done.plan) if done.ok else None
            stated = levels_to_source(network.around(0)).stated if network else None
        except NotProvedError:
            continue
        if stated is None:
            continue
        for node in np.flatnonzero(stated.hops != FAR).tolist():
            for by in (1, -1):
                hops = stated.hops.copy()
                hops[node] += by
                with pytest.raises(VerificationError):
                    check_levels(evolve(stated, hops=hops))
        held += 1
    assert held > 20
