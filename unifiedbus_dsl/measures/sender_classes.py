"""What each sender of a traffic injects: classes of senders at one rate, in words and as JSON holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.base.units import RATE, counted
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.wording import end_name
from unifiedbus_dsl.solver.network_context import NetworkContext

SAME_WITHIN = 1e-9
"""Relative difference below which two rates are one."""
MAX_SHOWN = 4
"""Classes that a reader sees one by one; of more he sees the least, the mean and the largest rate."""
MAX_LISTED = 1000
"""Classes that JSON lists, the least rates first; the column of all is in Python."""


@frozen(eq=False)
class Senders:
    """Classes of senders in order of their rates: `count[k]` end points inject `rate_Bps[k]` each, one of them is end
    point `first[k]`."""

    machine: NetworkContext = field(repr=False)
    rate_Bps: Floats  # noqa: N815
    count: Ints
    first: Ints

    @classmethod
    def of(cls, machine: NetworkContext, injected_Bps: Floats) -> Senders:  # noqa: N803
        """Return the classes of what end points inject, [E] byte/s; those that inject nothing are no senders."""
        ends = np.flatnonzero(injected_Bps > 0)
        order = ends[np.argsort(injected_Bps[ends], kind="stable")]
        rate = injected_Bps[order]
        begin = np.flatnonzero(np.append(np.ones(len(rate[:1]), bool), rate[1:] > rate[:-1] * (1 + SAME_WITHIN)))
        return cls(machine, rate[begin], np.diff(begin, append=len(rate)), order[begin])

    @property
    def alike(self) -> bool:
        """Whether all inject the same."""
        return len(self.rate_Bps) <= 1

    @property
    def mean_Bps(self) -> float:  # noqa: N802
        return float((self.rate_Bps * self.count).sum() / self.count.sum())

    def sentence(self) -> str:
        """Return `2 end points inject 10 GB/s, such as a; 1 end point 3.333 GB/s, b; mean 7.778 GB/s`."""
        mean = f"mean {shown(self.mean_Bps, RATE)}"
        if len(self.rate_Bps) > MAX_SHOWN:
            low, high = (shown(float(self.rate_Bps[k]), RATE) for k in (0, -1))
            return (
                f"{counted(int(self.count.sum()), 'end point')} inject {low} ({self._named(0)}) to {high} "
                f"({self._named(-1)}), {len(self.rate_Bps):,} different rates; {mean}"
            )
        verb = "inject" if self.count[-1] != 1 else "injects"
        parts = [self._part(k, verb if not n else "") for n, k in enumerate(reversed(range(len(self.rate_Bps))))]
        return "; ".join([*parts, mean])

    def _part(self, k: int, verb: str) -> str:
        words = [counted(int(self.count[k]), "end point"), verb, shown(float(self.rate_Bps[k]), RATE)]
        return f"{' '.join(word for word in words if word)} ({self._named(k)})"

    def _named(self, k: int) -> str:
        name = end_name(self.machine, int(self.first[k]))
        return name if self.count[k] == 1 else f"such as {name}"

    def to_json(self) -> dict[str, Any]:
        """Return least, mean and largest rate, and how many senders inject each rate, the least first."""
        return {
            "rate_min": float(self.rate_Bps[0]),
            "rate_mean": self.mean_Bps,
            "rate_max": float(self.rate_Bps[-1]),
            "rates": [
                {"rate": rate, "senders": count}
                for rate, count in zip(
                    self.rate_Bps[:MAX_LISTED].tolist(), self.count[:MAX_LISTED].tolist(), strict=True
                )
            ],
            "different_rates": len(self.rate_Bps),
        }
