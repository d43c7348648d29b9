"""The layouts of a training step that are fastest on a machine, by their estimates."""

from __future__ import annotations

import time
from heapq import nsmallest

from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.steps import TrainingStep, time_step
from unifiedbus_dsl.measures.workloads.walls import walls_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.candidates import candidates, floor_of
from unifiedbus_dsl.workload.step import estimate_step
from unifiedbus_dsl.workload.training import Training


@frozen(eq=False)
class BestLayouts:
    """The fastest layouts, best first. `legal` were looked at, `estimated` of them on the fabric; `proved` says whether
    all others are known to be slower by their floors, or the time was over."""

    steps: tuple[TrainingStep, ...]
    legal: int
    estimated: int
    proved: bool


def best_layouts(
    machine: NetworkContext, ends: Ints, asked: Training, *, top: int = 10, seconds: float = 60.0
) -> BestLayouts:
    """Return the `top` layouts of a step on `ends` that have the least estimates, found in about so many seconds.

    Raises:
        NotAdmittedError: the part lacks a field, or end points that exchange are not joined.
    """
    until = time.monotonic() + seconds
    chip = chip_of(machine, ends, asked.precision)
    port = float(next(walls_of(machine, ends)).out_Bps.max())
    legal = list(candidates(asked, len(ends), chip))
    floors = [floor_of(each, chip, port) for each in track(legal, "floors of layouts")]
    order = sorted(range(len(legal)), key=lambda k: floors[k])
    found: list[tuple[float, int]] = []
    estimated = 0
    proved = True
    for k in track(order, "layouts by their floor"):
        best = nsmallest(top, found)
        if len(best) == top and floors[k] >= best[-1][0]:
            break
        if time.monotonic() > until and found:
            proved = False
            break
        timer = FabricTimer(machine, ends, legal[k].layout, chip.constants.fabric_efficiency)
        found.append((estimate_step(legal[k], chip, timer).step_s, k))
        estimated += 1
    steps = tuple(time_step(machine, ends, legal[k]) for _, k in nsmallest(top, found))
    return BestLayouts(steps, len(legal), estimated, proved)
