"""Tiers of orbits and their bands: right ones pass, each sort of wrong ones is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_tiers import StatedTiers, check_tiers

TIERS = StatedTiers(
    tail=np.array([0, 1, 1, 2, 0, 0, 3, 4]),
    head=np.array([1, 0, 2, 1, 0, 0, 4, 3]),
    cables=np.array([8, 8, 4, 4, 6, 2, 3, 3]),
    capacity_Bps=np.array([2.0, 2.0, 5.0, 5.0, 1.0, 1.0, 7.0, 7.0]),
    start=np.array([True, False, False, False, False]),
    tier=np.array([0, 1, 2, -1, -1]),
    bands=((-1, -1, 3, 21.0), (0, 0, 4, 4.0), (0, 1, 8, 16.0), (1, 2, 4, 20.0)),
)
"""End points with cables among themselves, two tiers of switches, and two devices that nothing joins to them."""


def test_right_ones_hold() -> None:
    check_tiers(TIERS)


@pytest.mark.parametrize("node", range(5))
@pytest.mark.parametrize("by", [1, -1])
def test_a_wrong_tier_is_found_at_every_node(node: int, by: int) -> None:
    tier = TIERS.tier.copy()
    tier[node] += by
    with pytest.raises(VerificationError):
        check_tiers(evolve(TIERS, tier=tier))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"tier": np.array([0, 1, 2, 3, 4])}, "nothing below"),
        ({"tier": np.array([0, 1, 2, 1, -1])}, "skips"),
        ({"bands": TIERS.bands[:-1]}, "bands"),
        ({"bands": (*TIERS.bands[:-1], (1, 2, 5, 20.0))}, "counted"),
        ({"bands": (*TIERS.bands[:-1], (1, 2, 4, 20.1))}, "added up"),
        ({"cables": np.array([8, 8, 4, 4, 6, 2, 3, 4])}, "direction"),
        ({"start": np.array([True, True, False, False, False])}, "begin"),
    ],
    ids=["islands", "skip", "no band", "cables", "capacity", "one way", "start"],
)
def test_wrong_tiers_are_found(spoilt: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        check_tiers(evolve(TIERS, **spoilt))
