"""A training step on a machine: its estimate, its lower bound, and what of it binds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.walls import walls_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.chip import Chip
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.flops import model_flops
from unifiedbus_dsl.workload.legality import Misfit, MisfitError, find_misfits
from unifiedbus_dsl.workload.memory import Kept
from unifiedbus_dsl.workload.step import StepTime, estimate_step, memory_of
from unifiedbus_dsl.workload.step_bound import StepBound, bound_step
from unifiedbus_dsl.workload.training import Training


@frozen(eq=False)
class TrainingStep:
    """A step: `estimate` rests on the constants of `chip`, `bound` on its peaks and the fabric alone. `binding` are the
    links that bind each sort of exchange, by part."""

    asked: Training
    chip: Chip
    estimate: StepTime
    bound: StepBound
    memory: Kept
    binding: dict[str, tuple[str, ...]]

    @property
    def step_s(self) -> float:
        return self.estimate.step_s

    @property
    def bound_s(self) -> float:
        return self.bound.step_s

    @property
    def tokens_per_s(self) -> float:
        """Of all end points together."""
        return self.asked.tokens / self.step_s

    @property
    def mfu(self) -> float:
        """Model FLOPs, attention in full as PaLM counts it, over the peak of the precision that is asked for."""
        return self._utilisation(causal=False)

    @property
    def causal_mfu(self) -> float:
        """The same with the half of attention that a causal mask leaves."""
        return self._utilisation(causal=True)

    def _utilisation(self, *, causal: bool) -> float:
        flops = model_flops(self.asked.model, self.asked.sequence, causal=causal) * self.asked.tokens
        return flops / (self.step_s * self.asked.layout.ranks * self.chip.peak(self.asked.precision))


def time_step(machine: NetworkContext, ends: Ints, asked: Training) -> TrainingStep:
    """Return a step whose rank r stands on end point `ends[r]`.

    Raises:
        MisfitError: it does not fit the end points, the model or the memory.
        NotAdmittedError: the part lacks a field, or end points that exchange are not joined.
    """
    require_fit(asked, len(ends))
    chip = chip_of(machine, ends, asked.precision)
    memory = memory_of(asked)
    require_memory(memory, chip)
    timer = FabricTimer(machine, ends, asked.layout, chip.constants.fabric_efficiency)
    estimate = estimate_step(asked, chip, timer)
    bound = bound_step(asked, chip, walls_of(machine, ends))
    return TrainingStep(asked, chip, estimate, bound, memory, binding_links(machine, timer, estimate.exchanges))


def require_fit(asked: Training, ends: int) -> None:
    """Raise `MisfitError` where a step does not fit."""
    misfits = find_misfits(asked, ends)
    if misfits:
        raise MisfitError(misfits)


def require_memory(memory: Kept, chip: Chip) -> None:
    """Raise `MisfitError`, with what takes it, where a step does not fit the memory."""
    if memory.total <= chip.memory_bytes:
        return
    rows = ("weights", "gradients", "optimizer", "activations", "cache")
    table = ", ".join(f"{name} {size / 1e9:,.1f} GB" for name in rows if (size := getattr(memory, name)))
    wrong = f"a step keeps {memory.total / 1e9:,.1f} GB on the fullest end point, and `{chip.name}` has "
    wrong += f"{chip.memory_bytes / 1e9:,.1f} GB ({table})"
    less = "raise `tensor`, `pipeline`, `shard` or `recompute`, or lower `microbatch`"
    if memory.cache:
        less = "raise `tensor`, `pipeline` or `expert`, or lower `concurrency`"
    raise MisfitError([Misfit("memory", wrong, less)])


def binding_links(
    machine: NetworkContext, timer: FabricTimer, exchanges: Iterable[Exchange]
) -> dict[str, tuple[str, ...]]:
    """Return the links whose arcs bind each part's exchanges; the injection of end points where that does."""
    network, names = timer.part.network, list(machine.fabric.plan.links)
    found: dict[str, set[str]] = {}
    for each in exchanges:
        timed = timer.time(each)
        links = np.unique(network.kinds.link[network.kind[timed.binding]]).tolist()
        found.setdefault(each.part, set()).update(names[k] for k in links)
        if len(timed.binding_ends):
            found[each.part].add("injection")
    return {part: tuple(sorted(links)) for part, links in found.items()}
