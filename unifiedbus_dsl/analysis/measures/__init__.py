"""The measures by the names under which `expect` and `analyze` call them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import evolve, frozen

from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call, Refused
from unifiedbus_dsl.analysis.certified import Certified, answered
from unifiedbus_dsl.analysis.measures import collectives, paths, rates, reliability, sums, walls
from unifiedbus_dsl.analysis.planes import confine, plane_names, plane_sentence
from unifiedbus_dsl.analysis.unknown import marked
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.selections import FabricSelector
from unifiedbus_dsl.signatures import SUMS
from unifiedbus_dsl.solver.classes import TooLargeError
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.result import NotAdmittedError
from unifiedbus_dsl.syntax import tree

__all__ = ["MEASURES", "Asker"]

T = TypeVar("T")


MEASURES: Mapping[str, Callable[[Call], Certified[Answer]]] = {
    "hops": paths.hops,
    "diameter": paths.hops,
    "mean_hops": paths.hops,
    "latency": paths.latency,
    "mean_latency": paths.latency,
    "paths": paths.paths,
    "disjoint_paths": paths.disjoint_paths,
    "connected": paths.connected,
    "reachable": paths.reachable,
    "tiers": walls.tiers,
    "bisection": walls.bisection,
    "oversubscription": walls.oversubscription,
    "throughput": rates.throughput,
    "load": rates.load,
    "worst": rates.worst,
    "fair": rates.fair,
    "time": collectives.time,
    "sweep": collectives.sweep,
    "optimal_time": collectives.optimal_time,
    "mtbf": reliability.mtbf,
    "availability": reliability.availability,
    **dict.fromkeys(SUMS, sums.total),
}


@frozen(eq=False)
class Asker:
    """Answers measures about one machine.

    `traffics` are the traffic statements that can be named. Everything that is wrong with a question goes to the sink
    of the evaluator.
    """

    machine: Machine
    selector: FabricSelector
    traffics: Mapping[str, tree.Traffic]
    system: str
    block: str = ""

    @property
    def evaluator(self) -> Evaluator:
        return self.selector.evaluator

    def answer(self, node: tree.Call) -> Answer | None:
        """The answer to a measure; None after a diagnostic."""
        call = self.call(node)
        measure = MEASURES.get(call.name)
        if measure is None:
            call.refuse(node.function, f"`{call.name}` can't be asked here")
            return None
        began = time.perf_counter()
        found = self.tried(call, measure)
        if found is None:
            return None
        names = plane_names(call)
        if names:
            found = evolve(found, assumptions=(*found.assumptions, plane_sentence(names)))
        found = marked(found, self.machine.fabric)
        return evolve(found, system=self.system, block=self.block, seconds=time.perf_counter() - began)

    def utilisation(self, node: tree.Expr) -> rates.Loaded | None:
        """Return the utilisation of every arc for a picture; None after a diagnostic."""
        if not isinstance(node, tree.Call) or self.call(node).name != "load":
            self.evaluator.sink.error("UB0705", "`load(…)` is wanted here", node.span, "here")
            return None
        return self.tried(self.call(node), rates.utilisation)

    def call(self, node: tree.Call) -> Call:
        """A measure with what its arguments are read against."""
        return Call(node, self.machine, self.selector, self.traffics)

    def tried(
        self, call: Call, answer: Callable[[Call], Certified[T]], named: tuple[str, ...] | None = None
    ) -> T | None:
        """What `answer` makes of a call, verified, with only these named arguments if any are told; None after a
        diagnostic.

        Raises:
            VerificationError: the answer does not hold, or its bounds contradict each other.
        """
        names: tuple[str, ...] = ()
        try:
            call.check_arguments(named)
            confined, names = confine(call)
            return answered(confined, answer)
        except Refused:
            return None
        except (NotAdmittedError, TooLargeError) as refused:
            where = plane_sentence(names) if names else "here"
            message = f"`{call.name}` has no answer {where}: {refused}"
            self.evaluator.sink.error("UB0706", message, call.node.span, "no answer")
            return None
