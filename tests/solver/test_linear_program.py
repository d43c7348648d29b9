"""Linear programs give what HiGHS finds, and end when they are asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from unifiedbus_dsl.solver.linear_program import solve_linear_program

LONG = """
import signal, sys
import numpy as np
from unifiedbus_dsl.cli.signals import end_as_interrupted
from unifiedbus_dsl.solver.linear_program import solve_linear_program
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
draw = np.random.default_rng(0)
rows = draw.random((1200, 4000))
try:
    with end_as_interrupted():
        print("ready", flush=True)
        solve_linear_program(-draw.random(4000), A_ub=rows, b_ub=np.full(1200, 600.0), method="highs-ipm")
except KeyboardInterrupt:
    sys.exit(130)
"""
"""Tens of seconds of work in one call of HiGHS."""


def test_a_program_is_solved() -> None:
    found = solve_linear_program([-1.0, -1.0], A_ub=np.array([[1.0, 2.0]]), b_ub=[2.0], method="highs")
    assert found.fun == pytest.approx(-2.0)


def test_what_is_wrong_with_a_program_is_raised() -> None:
    with pytest.raises(ValueError, match="Unknown solver"):
        solve_linear_program([1.0], method="none")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_ends_when_it_is_asked_to(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", LONG], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        time.sleep(1.0)
        began = time.monotonic()
        running.send_signal(number)
        assert running.wait(timeout=60) == 130
    assert time.monotonic() - began < 10
