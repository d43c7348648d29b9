"""Paths of a pair that share no cable, and the cut, on orbits: right ones pass, each sort of wrong ones is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_cables import StatedPaths, check_paths


def marked(*nodes: int) -> Any:
    return np.isin(np.arange(5), nodes)


PATHS = StatedPaths(
    tail=np.array([0, 1, 0, 2, 1, 3, 2, 3, 0, 4, 4, 3]),
    head=np.array([1, 0, 2, 0, 3, 1, 3, 2, 4, 0, 3, 4]),
    cables=np.array([4, 4, 3, 3, 2, 2, 5, 5, 9, 9, 9, 9]),
    source=marked(0),
    target=marked(3),
    forwards=marked(1, 2),
    flow=np.array([2, 0, 3, 0, 2, 0, 3, 0, 0, 0, 0, 0]),
    side=marked(0, 1),
    paths=5,
)
"""Source 0 and target 3 over switches 1 (4 cables, then 2) and 2 (3, then 5); node 4 does not forward."""


def test_right_ones_hold() -> None:
    check_paths(PATHS)


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"paths": 6}, "fewer"),
        ({"paths": 4}, "fewer"),
        ({"flow": np.array([3, 0, 3, 0, 3, 0, 3, 0, 0, 0, 0, 0]), "paths": 6}, "than cables"),
        ({"flow": np.array([2, 0, 3, 0, 2, 0, 3, 0, 1, 0, 1, 0]), "paths": 6}, "forward"),
        ({"flow": np.array([3, 0, 3, 0, 2, 0, 3, 0, 0, 0, 0, 0]), "paths": 6}, "on the way"),
        ({"flow": np.array([1, 0, 3, 0, 1, 0, 3, 0, 0, 0, 0, 0]), "paths": 4}, "other cables"),
        ({"side": marked(0)}, "other cables"),
        ({"side": marked(0, 1, 3)}, "part the pair"),
        ({"side": marked(1)}, "part the pair"),
        ({"target": marked(0)}, "one device"),
    ],
    ids=["more", "less", "full", "through an end", "lost", "not all", "wide", "both", "neither", "one"],
)
def test_wrong_paths_are_found(spoilt: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        check_paths(evolve(PATHS, **spoilt))
