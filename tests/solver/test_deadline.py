"""The clock interrupts what takes too long, at the earliest of the times that stand around it."""

from __future__ import annotations

import signal
import time

import pytest

from unifiedbus_dsl.solver.deadline import BudgetSpent, PlanTimeSpent, interrupted_after

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer of the process")


def waited(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def test_the_inner_time_is_over_first() -> None:
    with interrupted_after(5.0), pytest.raises(PlanTimeSpent), interrupted_after(0.05, PlanTimeSpent):
        waited(5.0)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_the_outer_time_is_over_first() -> None:
    with pytest.raises(BudgetSpent), interrupted_after(0.05), interrupted_after(5.0, PlanTimeSpent):
        waited(5.0)


def test_time_spent_inside_counts_outside() -> None:
    with interrupted_after(60.0):
        with pytest.raises(PlanTimeSpent), interrupted_after(0.2, PlanTimeSpent):
            waited(5.0)
        assert signal.getitimer(signal.ITIMER_REAL)[0] < 59.85


def test_no_time_is_over_at_once() -> None:
    with pytest.raises(PlanTimeSpent), interrupted_after(0.0, PlanTimeSpent):
        raise AssertionError("nothing is tried")


def test_nothing_interrupts_without_a_limit() -> None:
    with interrupted_after(None):
        waited(0.02)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
