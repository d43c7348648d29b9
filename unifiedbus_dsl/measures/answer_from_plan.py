"""Answer a measure from the plan, where its symmetries show the answer; the fabric is asked for all else.

What the two say is the same but for rounding. Nothing is refused here: what is wrong with a question, or has no answer,
is said by those who ask the fabric.
"""

from __future__ import annotations

from attrs import evolve

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import bounds, failed
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.plan_call import PlanCall, is_known
from unifiedbus_dsl.measures.planes import plane_names
from unifiedbus_dsl.measures.registry import Measure
from unifiedbus_dsl.measures.state_orbits import verify_orbits
from unifiedbus_dsl.semantic.select.planes import plane_links
from unifiedbus_dsl.solver.deadline import PlanTimeSpent, interrupted_after
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.vocabulary.signatures import OVER

READ = frozenset(("routing", "from", OVER))
"""The named arguments that are read here; a call with others is one for the fabric."""
TIME_SHARE = 0.5
"""The part of the time that an answer may take in which the plan is tried; the fabric has the rest."""


def answer_from_plan(measure: Measure, call: MeasureCall) -> Answer | None:
    """Return the answer to a call, verified; None where the fabric has to be asked.

    Raises:
        VerificationError: the answer does not hold, or what it was found by contradicts itself.
    """
    machine = call.machine
    limit, run = machine.time_limit, machine.run
    if run is not None and measure.by_plan in run.long_by_plan:
        return None
    try:
        with interrupted_after(None if limit is None else TIME_SHARE * limit, PlanTimeSpent):
            return _proved(measure, call)
    except PlanTimeSpent:
        if run is not None:
            run.long_by_plan.add(measure.by_plan)
        return None


def _proved(measure: Measure, call: MeasureCall) -> Answer | None:
    network = None if measure.by_plan is None else call.machine.plan_network
    if measure.by_plan is None or network is None or not is_known(network.plan) or set(call.named) - READ:
        return None
    quiet = evolve(call, selector=evolve(call.selector, evaluator=evolve(call.evaluator, sink=Sink())))
    try:
        quiet.check_arguments(None)
        names = plane_names(quiet)
        if names:
            network = network.over(plane_links(names, network.plan.links))
        answer = measure.by_plan(PlanCall(quiet, network))
        bounds(answer)
        verify_orbits(network)
    except (NotProvedError, RefusedError):
        return None
    except (VerificationError, ArithmeticError) as error:
        raise failed(call, error) from error
    return evolve(answer, origin="plan")
