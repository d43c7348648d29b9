"""What the fabric makes of the exchanges of a workload: the time of each, all groups at once, and what it binds on."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.measures.workloads.used_part import UsedPart, used_part
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives.completion_time import CollectiveTime, CollectiveTimer
from unifiedbus_dsl.solver.collectives.step_time import StepTiming
from unifiedbus_dsl.solver.demand import Demand, pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.layout import Layout

FEW = 64
"""Members of a group up to which each may send to each other at once in an all-gather or reduce-scatter."""
USUAL = ("per_dimension", "hierarchical")
"""Algorithms that follow the machine: what collective libraries do on one with levels or dimensions."""
FLAT = ("halving_doubling", "ring")
"""Those that are taken where the groups admit none of these."""
COLLECTIVES = {"dispatch": "alltoall", "combine": "alltoall"}
"""What exchanges are as collectives of the language, where they have another name."""


@frozen
class Timed:
    """Seconds of one exchange: of bandwidth, of latency; by which algorithm; arcs that bind it, and end points whose
    injection does."""

    bandwidth_s: float
    latency_s: float
    algorithm: str
    binding: Ints = field(eq=False)
    binding_ends: Ints = field(eq=False)


@frozen(eq=False)
class FabricTimer:
    """Times exchanges of a layout whose rank r stands on end point `ends[r]` ([n]) of a machine. Collectives reach
    `efficiency` of the rates of cables."""

    machine: NetworkContext
    ends: Ints
    layout: Layout
    efficiency: float
    _timers: dict[str, CollectiveTimer] = field(factory=dict, init=False)

    @property
    def part(self) -> UsedPart:
        """The part of the machine that the exchanges use, whose arcs are numbered in `Timed`."""
        return used_part(self.machine, self.ends)

    def __call__(self, exchange: Exchange) -> float:
        """Return the seconds of one of an exchange's times."""
        found = self.time(exchange)
        return found.bandwidth_s / self.efficiency + found.latency_s

    def time(self, exchange: Exchange) -> Timed:
        """Return the time of an exchange by the fastest algorithm that the groups admit.

        Raises:
            NotAdmittedError: they admit none; ends are not joined.
        """
        if exchange.pattern == "shift":
            step = self._shift(exchange.wrap)
            return Timed(
                step.per_byte_s * exchange.size_bytes, step.latency_s, "direct", step.binding, step.binding_ends
            )  # fmt: skip
        best = self._fastest(exchange)
        longest = best.longest.timing
        return Timed(best.bandwidth_s, best.latency_s, best.algorithm, longest.binding, longest.binding_ends)

    def flows(self, exchange: Exchange) -> list[tuple[Demand, float]]:
        """Return the steps of an exchange by that algorithm: who sends to whom, on the end points of the part, and the
        bytes of a flow of rate 1.

        Raises:
            NotAdmittedError: as `time`.
        """
        if exchange.pattern == "shift":
            source, target = (self.ends[each] for each in self.layout.next_stage(exchange.wrap))
            return [(pairs(source, target), exchange.size_bytes)]
        return [(step.shape, step.unit_bytes) for step in self._fastest(exchange).steps]

    def _fastest(self, exchange: Exchange) -> CollectiveTime:
        timer, pattern = self._timer(exchange.axis), COLLECTIVES.get(exchange.pattern, exchange.pattern)
        tried: list[CollectiveTime] = []
        refused = ""
        for names in self._algorithms(timer, pattern):
            for algorithm in names if not tried else ():
                try:
                    tried.append(timer.time(pattern, algorithm, exchange.size_bytes))
                except NotAdmittedError as why:
                    refused = str(why)
        if not tried:
            raise NotAdmittedError(refused)
        return min(tried, key=self._seconds)

    def _seconds(self, found: CollectiveTime) -> float:
        return found.bandwidth_s / self.efficiency + found.latency_s

    def _algorithms(self, timer: CollectiveTimer, pattern: str) -> tuple[tuple[str, ...], ...]:
        """Return the algorithms that are tried, in turn until some are admitted."""
        if pattern == "alltoall":
            return (("direct",),)
        few = timer.members.shape[1] <= FEW
        return ((*USUAL, "direct") if few else USUAL, FLAT)

    def _timer(self, axis: str) -> CollectiveTimer:
        if axis not in self._timers:
            group = np.full(self.part.network.ends, -1, dtype=np.int64)
            group[self.ends] = self.layout.groups(axis)
            self._timers[axis] = self.part.timer(group)
        return self._timers[axis]

    def _shift(self, wrap: bool) -> StepTiming:
        source, target = (self.ends[each] for each in self.layout.next_stage(wrap))
        return self.part.shift(source, target)
