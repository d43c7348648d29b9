"""What an answer about rates says of deadlock: a note where its routing has a cycle of channel dependencies.

It is looked at where that costs next to nothing beside the answer: on a whole machine, one leg a packet, few goals
times arcs. Elsewhere the detail of the answer says that it was not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import numpy as np
from attrs import evolve

from unifiedbus_dsl.graph.symmetry import Symmetry, trivial_symmetry
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.planes import confine
from unifiedbus_dsl.measures.read_paths import read_paths
from unifiedbus_dsl.measures.registry import measure_named
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.dependencies import dependencies, topological_levels
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule, routes
from unifiedbus_dsl.solver.demand import Demand, Groups, column_sums
from unifiedbus_dsl.solver.network_context import NetworkContext

CHEAP = 400_000
"""Goals times arcs up to which channels are looked at."""
NOTE = "can deadlock on lossless links without further virtual lanes: see `deadlock_free`"
STEP_NOTE = f"a step of it {NOTE}"
ABOUT_RATES = ("throughput", "load", "fair")
"""Measures whose traffic is under way all at once."""
Finding: TypeAlias = Literal["free", "cycle", "not looked at"]


def noted(call: MeasureCall, answer: Answer) -> Answer:
    """Return an answer with what it says of deadlock; only answers about rates do."""
    if call.name not in ABOUT_RATES or call.machine.whole is not None:
        return answer
    try:
        rule = PathRule("shortest") if "routing" not in _arguments(call) else read_paths(call)[1]
        finding = "not looked at" if _too_large_to_expand(call.machine, answer) else _looked_at(call, rule)
    except (RefusedError, NotAdmittedError):
        return answer  # a routing whose paths are not known
    if finding == "free":
        return answer
    notes = (NOTE,) if finding == "cycle" else ()
    return evolve(answer, assumptions=(*answer.assumptions, *notes), detail=answer.detail | {"deadlock": finding})


def noted_steps(machine: NetworkContext, answer: Answer, shapes: Iterable[Demand]) -> Answer:
    """Return the answer about a collective with what it says of deadlock: `shapes` are under way one after another,
    each over all shortest paths."""
    if machine.whole is not None or machine.run is not None:
        return answer
    findings = {look(machine, shape, PathRule("shortest")) for shape in {id(each): each for each in shapes}.values()}
    if "cycle" in findings:
        said = (*answer.assumptions, STEP_NOTE)
        return evolve(answer, assumptions=said, detail=answer.detail | {"deadlock": "cycle"})
    return evolve(answer, detail=answer.detail | {"deadlock": "not looked at"}) if findings - {"free"} else answer


def _arguments(call: MeasureCall) -> tuple[str, ...]:
    measure = measure_named(call.name)
    return () if measure is None else measure.named


def _too_large_to_expand(machine: NetworkContext, answer: Answer) -> bool:
    """Whether the plan, which gave the answer, says that its goals and arcs are too many, so that the fabric is not
    made for the note alone."""
    if answer.origin != "plan" or "network" in vars(machine):
        return False
    numbering = machine.fabric.plan.numbering
    return bool(answer.detail["senders"] * 2 * numbering.cable_count[machine.fabric.plan.root] > CHEAP)


def _looked_at(call: MeasureCall, rule: PathRule) -> Finding:
    confined, _ = confine(call)
    _, demand = confined.matrix()
    return look(confined.machine, demand, rule)


def look(machine: NetworkContext, demand: Demand, rule: PathRule, most: float | None = None) -> Finding:
    """Return whether channels depend on each other in a circle, where that takes up to `most` goals times arcs,
    by default what is cheap."""
    if rule.via in ("switch", "group"):
        return "not looked at"
    symmetry = _symmetry(machine, demand, rule)
    network = machine.network
    goals = np.flatnonzero(column_sums(demand, network.ends) > 0)
    if len(np.unique(symmetry.end_orbit[goals])) * network.arcs > (CHEAP if most is None else most):
        return "not looked at"
    channels = dependencies(routes(symmetry, demand, rule))
    return "cycle" if topological_levels(channels.orbits, channels.before, channels.after) is None else "free"


def _symmetry(machine: NetworkContext, demand: Demand, rule: PathRule) -> Symmetry:
    """Symmetries that need not be searched for: those that are known, where the demand and the rule keep them all."""
    kept = rule.kind in ("shortest", "updown") and isinstance(demand, Groups) and not demand.group.any()
    if kept and "symmetry" in vars(machine):
        return machine.symmetry
    return trivial_symmetry(machine.network, ())
