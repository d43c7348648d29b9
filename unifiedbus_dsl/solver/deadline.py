"""The deadline of a query with a budget, and whether something was left out for it."""

from __future__ import annotations

from math import inf
from time import monotonic

from attrs import define


@define
class Deadline:
    """A time of the clock that `monotonic` reads; `short` where something was left out for it."""

    until: float = inf
    short: bool = False

    @classmethod
    def of(cls, budget: float | None) -> Deadline:
        """The end of a budget in seconds, which begins now."""
        return cls() if budget is None else cls(monotonic() + budget)

    @property
    def left(self) -> float | None:
        """Seconds until then, None for ever."""
        return None if self.until == inf else max(0.0, self.until - monotonic())

    def allows(self, seconds: float = 0.0) -> bool:
        """Whether what takes so many seconds is done by then; what is not is left out."""
        if self.until == inf or monotonic() + seconds <= self.until:
            return True
        self.short = True
        return False
