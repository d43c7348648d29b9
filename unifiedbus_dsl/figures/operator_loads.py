"""What each operator of a training step puts on the cables: the exchanges of tensor, context, expert, pipeline and data
ranks, by the algorithms that the step is timed with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve

from unifiedbus_dsl.analysis.evaluators import measure_calls
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.units import TIME
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.loads import Utilisation
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import RefusedError
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.read_workload import of_form
from unifiedbus_dsl.measures.workloads.training_answers import training_of
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, Groups, row_sums
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing.ecmp import ecmp
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.training import EXCHANGED, Training


def operator_loads(asker: MeasureEvaluator) -> Iterator[tuple[str, Utilisation]]:
    """Yield the utilisation of cables by each operator of each training step that can be named, `pretrain.tensor`, over
    the time that its exchanges take; nothing for a step that has no time."""
    for name in track(list(asker.workloads), "operators"):
        call = asker.call(measure_calls(f"step_time({name})", Sink())[0])
        try:
            placed, _ = of_form(call, Training)
            step = training_of(call)
        except (RefusedError, NotAdmittedError):
            continue
        layout, efficiency = step.asked.layout, step.chip.constants.fabric_efficiency
        timer = FabricTimer(call.machine, placed.ends, layout, efficiency)
        for part in EXCHANGED:
            exchanges = [each for each in step.estimate.exchanges if each.part == part]
            if exchanges:
                yield f"{name}.{part}", _utilisation(timer, f"{name}.{part}", exchanges)


def _utilisation(timer: FabricTimer, name: str, exchanges: list[Exchange]) -> Utilisation:
    machine = timer.machine
    carried = sum((each.times * carried_bytes(timer, each) for each in exchanges), np.zeros(machine.network.arcs))
    seconds = sum(each.times * timer(each) for each in exchanges)
    share = carried / machine.network.capacity_Bps / seconds
    sent = sum((each.times * sent_bytes(timer, each) for each in exchanges), np.zeros(machine.network.ends))
    most, least = float(sent[timer.ends].max()), float(sent[timer.ends].min())
    how = ", ".join(sorted({timer.time(each).algorithm for each in exchanges}))
    what = f"{name} ({how}) over the {shown(seconds, TIME)} of a step that it takes by its estimate"
    return Utilisation.of(machine, share, what, most / seconds, alike=most - least <= 1e-9 * most)


def sent_bytes(timer: FabricTimer, exchange: Exchange) -> Floats:
    """Return the bytes that each end point of the machine sends in one of an exchange's times, [E]."""
    ends = timer.machine.network.ends
    return sum(
        (row_sums(_on_machine(demand, timer.machine), ends) * size for demand, size in timer.flows(exchange)),
        np.zeros(ends),
    )


def carried_bytes(timer: FabricTimer, exchange: Exchange) -> Floats:
    """Return the bytes that one of an exchange's times puts on each arc of the machine, [A]."""
    machine = timer.machine
    total = np.zeros(machine.network.arcs)
    for demand, size in timer.flows(exchange):
        total += ecmp(machine.symmetry, _on_machine(demand, machine)).load_Bps * size
    return total


def _on_machine(demand: Demand, machine: NetworkContext) -> Demand:
    """Return a demand on the part that is used as one on the whole machine, of which its end points are the first."""
    if not isinstance(demand, Groups):
        return demand
    group = np.full(machine.network.ends, -1, dtype=np.int64)
    group[: len(demand.group)] = demand.group
    return evolve(demand, group=group)
