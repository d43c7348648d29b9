"""Linear programs by HiGHS, which Ctrl-C ends: the solver works in a thread beside the one that signals come to."""

from __future__ import annotations

import threading
from typing import Any

from unifiedbus_dsl.base.platform import HAS_THREADS

LOOKS_S = 0.1
"""Seconds between two looks for a signal where the system does not end a wait for one."""


def solve_linear_program(cost: Any, **options: Any) -> Any:
    """Return what `scipy.optimize.linprog` finds, to which all options go.

    A signal that comes meanwhile is seen at once: HiGHS itself looks at nothing until it is done. The thread that it
    leaves behind ends with the process. Where there is one thread alone, it does the work.
    """
    if not HAS_THREADS or threading.current_thread() is not threading.main_thread():
        return _solve(cost, options)
    linear_program: list[Any] = []

    def work() -> None:
        try:
            linear_program.append(_solve(cost, options))
        except BaseException as error:
            linear_program.append(error)

    thread = threading.Thread(target=work, name="linear program", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOKS_S)
    if isinstance(linear_program[0], BaseException):
        raise linear_program[0]
    return linear_program[0]


def _solve(cost: Any, options: dict[str, Any]) -> Any:
    from scipy.optimize import linprog  # also in the thread: a signal in the midst of an import breaks it

    return linprog(cost, **options)
