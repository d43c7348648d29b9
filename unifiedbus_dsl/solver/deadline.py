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
"""Seconds at the end of the budget of a run, or a tenth of a short one, in which a query that keeps to a deadline of
its own may still give its bounds."""
FULL_SHARES = 3
"""A query may take this part of the time that is left, however many are ahead: most of them take next to none."""
MOST_OF_REST = 0.7
"""A query that keeps to no deadline is interrupted after this part of the time, where others are ahead."""


@define
class RunBudget:
    """The seconds that all queries of a run may take together; `ahead` counts those that are not answered yet."""

    seconds: float
    ahead: int = 1
    began: float = field(factory=monotonic)
    long_by_plan: set[object] = field(factory=set)
    """What took long by the plan, for measures that are worked out alike: the fabric alone is asked again."""

    @property
    def share(self) -> float:
        """Return the seconds that the next query may take of what is left."""
        ends = self.began + self.seconds - min(GRACE_S, self.seconds / 10)
        return max(0.0, ends - monotonic()) / max(1, min(self.ahead, FULL_SHARES))

    @property
    def left(self) -> float:
        """Return the seconds until nothing is worked on any more: in a budget of next to nothing bounds take `GRACE_S`
        too."""
        return max(0.0, self.began + max(self.seconds, GRACE_S) - monotonic())

    @property
    def patience(self) -> float:
        """Return the seconds after which the next query is interrupted."""
        return self.left * (MOST_OF_REST if self.ahead > 1 else 1.0)


class BudgetSpent(BaseException):
    """The time of a run is over while a query is worked on."""


class PlanTimeSpent(BaseException):
    """The part of a query's time in which the plan may answer it is over."""


@contextmanager
def interrupted_after(seconds: float | None, raising: type[BaseException] = BudgetSpent) -> Iterator[None]:
    """Raise this inside once so many seconds are over; None: never. What stands around is interrupted at its own time.

    The clock interrupts the main thread of a POSIX process; elsewhere what runs inside ends by itself.
    """
    if seconds is not None and seconds <= 0:
        raise raising
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if 0 < left <= seconds:
        yield
        return
    armed = True
    ends_at = monotonic() + left

    def ring(number: int, frame: FrameType | None) -> None:
        if armed:
            raise raising

    before = signal.signal(signal.SIGALRM, ring)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
        finally:
            armed = False
    finally:  # also where it rings just before
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(ends_at - monotonic(), 1e-3))
