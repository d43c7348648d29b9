"""Least times on orbits: right ones hold, each kind of wrong one is refused."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_times import StatedTimes, check_times

TIMES = StatedTimes(
    tail=np.array([1, 2, 2, 3, 0, 1]),
    head=np.array([0, 1, 0, 2, 1, 2]),
    target=np.array([True, False, False, False, False]),
    forwards=np.array([False, True, True, True, True]),
    arc_s=np.array([1.0, 1.0, 9.0, 2.0, 1.0, 1.0]),
    passing_s=np.array([5.0, 3.0, 4.0, 0.0, 0.0]),
    time_s=np.array([0.0, 1.0, 5.0, 11.0, np.inf]),
)
"""0 <- 1 <- 2 <- 3 with 3 s to pass 1 and 4 s to pass 2, a slow short cut from 2, and 4 alone."""


def test_the_least_times_hold() -> None:
    check_times(TIMES)


@pytest.mark.parametrize(
    "time_s",
    [
        [0.0, 1.0, 9.0, 15.0, np.inf],  # by the short cut
        [0.0, 1.0, 4.0, 10.0, np.inf],  # nothing attains it
        [0.0, 1.0, 5.0, np.inf, np.inf],  # there is a path
        [0.0, 1.0, 5.0, 11.0, 20.0],  # there is none
        [1.0, 2.0, 6.0, 12.0, np.inf],  # the target is away
        [0.0, 1.0, 2.0, 8.0, np.inf],  # passing is free
    ],
)
def test_other_times_are_refused(time_s: list[float]) -> None:
    with pytest.raises(VerificationError):
        check_times(evolve(TIMES, time_s=np.array(time_s)))


def test_what_does_not_forward_is_not_passed() -> None:
    with pytest.raises(VerificationError):
        check_times(evolve(TIMES, forwards=np.zeros(5, dtype=bool)))


def test_cables_that_take_no_time_do_not_hold_each_other_up() -> None:
    """Two nodes whose cables take no time can't attain a time by each other."""
    loop = StatedTimes(
        tail=np.array([1, 2]),
        head=np.array([2, 1]),
        target=np.array([True, False, False]),
        forwards=np.ones(3, dtype=bool),
        arc_s=np.zeros(2),
        passing_s=np.zeros(3),
        time_s=np.zeros(3),
    )
    with pytest.raises(VerificationError):
        check_times(loop)
