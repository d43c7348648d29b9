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
        """Return what an end point sends to each, [E]."""
        total = np.zeros(self.ends)
        if self.source is not None and self.target is not None and self.rates is not None:
            some = self.source == source
            total += np.bincount(self.target[some], weights=self.rates[some], minlength=self.ends)
        if self.group is not None and self.group[source] >= 0:
            total += np.where(self.group == self.group[source], self.rate, 0.0)
        total[source] = 0.0
        return total

    def column(self, target: int) -> Floats:
        """Return what each end point sends to one, [E]."""
        total = np.zeros(self.ends)
        if self.source is not None and self.target is not None and self.rates is not None:
            some = self.target == target
            total += np.bincount(self.source[some], weights=self.rates[some], minlength=self.ends)
        if self.group is not None and self.group[target] >= 0:
            total += np.where(self.group == self.group[target], self.rate, 0.0)
        total[target] = 0.0
        return total

    def is_kept(self, source: Ints, target: Ints) -> bool:
        """Return whether all is the same when what end point `source[i]` sends and takes is that of `target[i]`."""
        goes = np.arange(self.ends)
        goes[source] = target
        same = self.group is None or parts_go_to_parts(self.group, goes)
        if self.source is None or self.target is None or self.rates is None or not same:
            return same
        before = self.source * self.ends + self.target, self.rates
        after = goes[self.source] * self.ends + goes[self.target], self.rates
        one, two = np.lexsort(before[::-1]), np.lexsort(after[::-1])
        return all(np.array_equal(x[one], y[two]) for x, y in zip(before, after, strict=True))

    @property
    def least_sent(self) -> float:
        """What the end point that sends least of those that send anything does."""
        sent = self.sent()
        return float(sent[sent > 0].min())


def parts_go_to_parts(part: Ints, goes: Ints) -> bool:
    """Return whether a renumbering takes what has one number to what has one, and others to others; below 0 is none."""
    image = part[goes]
    if not np.array_equal(part < 0, image < 0):
        return False
    one, two = part[part >= 0], image[part >= 0]
    first = np.full(int(part.max(initial=-1)) + 1, -1)
    first[one] = two
    met = first[first >= 0]
    return bool((first[one] == two).all() and len(np.unique(met)) == len(met))
