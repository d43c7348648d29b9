"""A traffic as a verifier reads it: who sends how much to whom."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify.cables import Floats, Ints


@frozen(eq=False)
class Matrix:
    """What end points send each other: `rate` from each to each other of its `group` ([E], -1: in none), and `rates[i]`
    from `source[i]` to `target[i]`."""

    ends: int
    group: Ints | None = None
    rate: float = 0.0
    source: Ints | None = None
    target: Ints | None = None
    rates: Floats | None = None

    def sent(self) -> Floats:
        """Row sums, [E]."""
        return self._sums(self.source)

    def received(self) -> Floats:
        """Column sums, [E]."""
        return self._sums(self.target)

    def _sums(self, which: Ints | None) -> Floats:
        total = np.zeros(self.ends)
        if which is not None and self.rates is not None:
            total += np.bincount(which, weights=self.rates, minlength=self.ends)
        if self.group is not None:
            size = np.bincount(self.group[self.group >= 0])
            total += np.where(self.group >= 0, self.rate * (size[self.group] - 1.0), 0.0)
        return total

    def row(self, source: int) -> Floats:
        """What an end point sends to each, [E]."""
        total = np.zeros(self.ends)
        if self.source is not None and self.target is not None and self.rates is not None:
            some = self.source == source
            total += np.bincount(self.target[some], weights=self.rates[some], minlength=self.ends)
        if self.group is not None and self.group[source] >= 0:
            total += np.where(self.group == self.group[source], self.rate, 0.0)
        total[source] = 0.0
        return total

    @property
    def least_sent(self) -> float:
        """What the end point that sends least of those that send anything does."""
        sent = self.sent()
        return float(sent[sent > 0].min())
