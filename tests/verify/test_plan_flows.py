"""Flows on classes of arcs: a right one passes, each sort of wrong one is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_flows import StatedFlow, check

RIGHT = StatedFlow(
    tail=np.array([0, 1, 2]),
    head=np.array([1, 2, 0]),
    open=np.array([True, True, False]),
    row=np.array([-1, 0, 1]),
    wanted=np.array([0.0, 3.0]),
    flow=np.array([3.0, 3.0, 0.0]),
    length=np.array([0.5, 0.25, 0.0]),
    distance=np.array([0.0, 0.5, 0.75]),
)


def test_a_flow_that_balances_within_its_lengths_holds() -> None:
    check(RIGHT)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"flow": np.array([3.0, 2.0, 0.0])},
        {"flow": np.array([3.0, 3.0, 1e-3])},
        {"flow": np.array([4.0, 4.0, -1.0])},
        {"wanted": np.array([0.0, 3.1])},
        {"distance": np.array([0.0, 0.5, 0.8])},
        {"distance": np.array([0.1, 0.5, 0.75])},
        {"length": np.array([0.4, 0.25, 0.0])},
    ],
    ids=["lost on the way", "a closed arc", "less than nothing", "too little", "too far", "not at the source", "short"],
)
def test_what_is_wrong_is_found(spoilt: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        check(evolve(RIGHT, **spoilt))
