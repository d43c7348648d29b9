"""Who answers measures about a machine, in the words of the language."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import evolve, frozen

from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.measures import rates
from unifiedbus_dsl.measures.answer_from_plan import answer_from_plan
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified, answered
from unifiedbus_dsl.measures.deadlock_note import noted
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.planes import confine, plane_names, plane_sentence
from unifiedbus_dsl.measures.registry import Measure, measure_named
from unifiedbus_dsl.measures.related_bounds import remember, tightened
from unifiedbus_dsl.measures.traffic.pattern_call import Traffic
from unifiedbus_dsl.measures.unfinished import unfinished
from unifiedbus_dsl.measures.unknown import marked
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadline import BudgetSpent, interrupted_after
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.signatures import MEASURES

T = TypeVar("T")


def _exchange(call: MeasureCall, node: tree.Member) -> Traffic:
    from unifiedbus_dsl.measures.workloads.exchange_traffic import exchange_traffic

    return exchange_traffic(call, node)


@frozen(eq=False)
class MeasureEvaluator:
    """Answers measures about one machine.

    `traffics` and `workloads` are the statements that can be named. Everything that is wrong with a question goes to
    the sink of the evaluator.
    """

    machine: NetworkContext
    selector: FabricSelector
    traffics: Mapping[str, tree.Traffic]
    workloads: Mapping[str, tree.Workload]
    system: str
    block: str = ""

    @property
    def evaluator(self) -> Evaluator:
        return self.selector.evaluator

    def answer(self, node: tree.Call) -> Answer | None:
        """Return the answer to a measure; None after a diagnostic."""
        call = self.call(node)
        measure = measure_named(call.name)
        if measure is None:
            guess = did_you_mean(call.name, MEASURES)
            help = f"did you mean `{guess}`?" if guess else ""
            call.refuse(node.function, f"`{call.name}` can't be asked here", help, "UB0207")
            return None
        began = time.perf_counter()
        answer = self._in_time(call, measure)
        if answer is None:
            return None
        if self.machine.run is None:
            answer = noted(call, answer)
        names = plane_names(call)
        if names:
            answer = evolve(answer, assumptions=(*answer.assumptions, plane_sentence(names)))
        return evolve(answer, system=self.system, block=self.block, seconds=time.perf_counter() - began)

    def _in_time(self, call: MeasureCall, measure: Measure) -> Answer | None:
        """Return what a measure gives; bounds by ports and by other answers where the time of the run is over; None
        after a diagnostic."""
        run = self.machine.run
        if run is None:
            return self._worked_out(call, measure)
        try:
            with interrupted_after(run.patience):
                answer = self._worked_out(call, measure)
        except BudgetSpent:
            answer = self.tried(call, unfinished)
            answer = None if answer is None else marked(answer, self.machine.fabric)
        finally:
            run.ahead -= 1
        if answer is None:
            return None
        answer = tightened(call, answer)
        remember(call, answer)
        return answer

    def _worked_out(self, call: MeasureCall, measure: Measure) -> Answer | None:
        """Return what a measure gives by the plan, or where that does not show it by the fabric; None after a
        diagnostic."""
        planned = answer_from_plan(measure, call)
        if planned is not None:
            return planned
        worked_out = self.tried(call, measure.evaluate)
        return None if worked_out is None else marked(worked_out, self.machine.fabric)

    def utilisation(self, node: tree.Expr, rate_Bps: float | None = None) -> rates.Loaded | None:  # noqa: N803
        """Return the utilisation of every arc for a picture, where end points send `rate_Bps`, by default the rate of
        the question; None after a diagnostic."""
        if not isinstance(node, tree.Call) or self.call(node).name != "load":
            self.evaluator.sink.error("UB0709", "`load(…)` is wanted here", node.span, "here")
            return None
        return self.tried(self.call(node), lambda call: rates.utilisation(call, rate_Bps))

    def call(self, node: tree.Call) -> MeasureCall:
        """Return a measure with what its arguments are read against."""
        return MeasureCall(node, self.machine, self.selector, self.traffics, self.workloads, _exchange)

    def tried(
        self, call: MeasureCall, answer: Callable[[MeasureCall], Certified[T]], named: tuple[str, ...] | None = None
    ) -> T | None:
        """Return what `answer` makes of a call, verified, with only these named arguments if any are told; None after a
        diagnostic.

        Raises:
            VerificationError: the answer does not hold, or its bounds contradict each other.
        """
        names: tuple[str, ...] = ()
        try:
            call.check_arguments(named)
            confined, names = confine(call)
            return answered(confined, answer)
        except RefusedError:
            return None
        except (NotAdmittedError, TooLargeError) as refused:
            where = plane_sentence(names) if names else "here"
            message = f"`{call.name}` has no answer {where}: {refused}"
            self.evaluator.sink.error("UB0706", message, call.node.span, "no answer")
            return None
