"""Deadlines: of a query with a budget, and whether something was left out for it; of all queries of a run together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from types import FrameType

from attrs import define, field


@define
class Deadline:
    """A time of the clock that `monotonic` reads; `short` where something was left out for it."""

    at_s: float = inf
    short: bool = False

    @classmethod
    def of(cls, budget: float | None) -> Deadline:
        """Return the end of a budget in seconds, which begins now."""
        return cls() if budget is None else cls(monotonic() + budget)

    @property
    def left(self) -> float | None:
        """Seconds until then, None for ever."""
        return None if self.at_s == inf else max(0.0, self.at_s - monotonic())

    def allows(self, seconds: float = 0.0) -> bool:
        """Return whether what takes so many seconds is done by then; what is not is left out."""
        if self.at_s == inf or monotonic() + seconds <= self.at_s:
            return True
        self.short = True
        return False


GRACE_S = 2.0
"""Seconds beyond the budget of a run in which a query that keeps to a deadline of its own may still give its bounds."""
FULL_SHARES = 3
"""A query may take this part of the time that is left, however many are ahead: most of them take next to none."""


@define
class RunBudget:
    """The seconds that all queries of a run may take together; `ahead` counts those that are not answered yet."""

    seconds: float
    ahead: int = 1
    began: float = field(factory=monotonic)

    @property
    def share(self) -> float:
        """Return the seconds that the next query may take of what is left."""
        left = max(0.0, self.began + self.seconds - monotonic())
        return left / max(1, min(self.ahead, FULL_SHARES))

    @property
    def left(self) -> float:
        """Return the seconds until nothing is worked on any more."""
        return max(0.0, self.began + self.seconds + GRACE_S - monotonic())


class BudgetSpent(BaseException):
    """The time of a run is over while a query is worked on."""


@contextmanager
def interrupted_after(seconds: float | None) -> Iterator[None]:
    """Raise `BudgetSpent` inside once so many seconds are over; None: never.

    The clock interrupts the main thread of a POSIX process; elsewhere what runs inside ends by itself.
    """
    if seconds is not None and seconds <= 0:
        raise BudgetSpent
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    armed = True

    def ring(number: int, frame: FrameType | None) -> None:
        if armed:
            raise BudgetSpent

    before = signal.signal(signal.SIGALRM, ring)
    left, again = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, left, again)
        signal.signal(signal.SIGALRM, before)
