"""The layouts of a training step that are fastest on a machine, by their estimates."""

from __future__ import annotations

import time
from functools import cached_property
from heapq import heapify, heappop, heappush, nsmallest

from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.progress import task as progress
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, time_step
from unifiedbus_dsl.measures.workloads.walls import max_port_Bps
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.candidates import candidates, floor_of, port_timer
from unifiedbus_dsl.workload.chip import Chip
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.step import estimate_step
from unifiedbus_dsl.workload.training import Training


@frozen(eq=False)
class BestLayouts:
    """The fastest layouts, best first. `legal` were looked at, `estimated` of them on the fabric; `proved` says whether
    all others are known to be slower by their floors, or the time was over; `interrupted` that Ctrl-C ended it."""

    steps: tuple[TrainingStep, ...]
    legal: int
    estimated: int
    proved: bool
    interrupted: bool = False


def best_layouts(
    machine: NetworkContext, ends: Ints, asked: Training, *, top: int = 10, seconds: float = 60.0
) -> BestLayouts:
    """Return the `top` layouts of a step on `ends` that have the least estimates, found in about so many seconds.

    Raises:
        NotAdmittedError: the part lacks a field, or end points that exchange are not joined.
    """
    deadline_s = time.monotonic() + seconds
    search = _Search(machine, ends, chip_of(machine, ends, asked.precision))
    legal = list(track(candidates(asked, len(ends), search.chip), "legal layouts"))
    floors = [search.at_ports(each) for each in track(legal, "floors of layouts")]
    heap = [(floor, PORTS, k) for k, floor in enumerate(floors)]
    heapify(heap)
    found: list[tuple[float, int]] = []
    proved, interrupted, timed = True, False, set[Layout]()
    try:
        with progress("layouts by their floor", len(legal)) as step:
            while heap:
                floor, level, k = heappop(heap)
                best = nsmallest(top, found)
                if len(best) == top and floor >= best[-1][0]:
                    break
                late = time.monotonic() > deadline_s
                if late and timed and legal[k].layout not in timed:
                    proved = False  # what has the exchanges of another costs no time
                elif level == PORTS and not late:
                    heappush(heap, (max(floor, search.inside(legal[k])), INSIDE, k))
                else:
                    found.append((search.estimate(legal[k]), k))
                    timed.add(legal[k].layout)
                    step()
    except KeyboardInterrupt:
        if not found:
            raise
        proved, interrupted = False, True
    steps = tuple(time_step(machine, ends, legal[k]) for _, k in nsmallest(top, found))
    return BestLayouts(steps, len(legal), len(found), proved, interrupted)


PORTS, INSIDE = 0, 1
"""A floor by the ports of end points alone; one with the exchanges inside a layer as the fabric times them."""


@frozen(eq=False, slots=False)
class _Search:
    """Floors and estimates of layouts on some end points of a machine."""

    machine: NetworkContext
    ends: Ints
    chip: Chip

    @cached_property
    def _port_Bps(self) -> float:  # noqa: N802
        return max_port_Bps(self.machine, self.ends)

    def at_ports(self, asked: Training) -> float:
        """Return the floor by the ports of end points."""
        return floor_of(asked, self.chip, port_timer(asked, self.chip, self._port_Bps))

    def inside(self, asked: Training) -> float:
        """Return the floor with exchanges inside layers timed on the fabric: many layouts share these."""
        ports, fabric = port_timer(asked, self.chip, self._port_Bps), self._timer(asked)

        def seconds(exchange: Exchange) -> float:
            return fabric(exchange) if exchange.axis in ("tensor", "context", "expert") else ports(exchange)

        return floor_of(asked, self.chip, seconds)

    def estimate(self, asked: Training) -> float:
        """Return the estimate of a step, seconds."""
        return estimate_step(asked, self.chip, self._timer(asked)).step_s

    def _timer(self, asked: Training) -> FabricTimer:
        return FabricTimer(self.machine, self.ends, asked.layout, self.chip.constants.fabric_efficiency)
