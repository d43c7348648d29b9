"""A measure, a routing and an algorithm with all that is known of each, and how one is registered.

Everything that names measures asks the registry (`vocabulary.signatures.MEASURES`): what `check` accepts and refuses,
what a survey sorts by, `--ask`, the functions of Python, the table of `docs/questions.md`. A definition is light: what
works the answer out is imported by `evaluate` when it is asked, so that a check need not load the solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from unifiedbus_dsl.base.units import RATE, SIZE
from unifiedbus_dsl.measures.traffic.definition import TrafficPattern
from unifiedbus_dsl.vocabulary.signatures import (
    ALGORITHMS,
    MEASURES,
    OVER,
    ROUTINGS,
    TRAFFICS,
    Argument,
    MeasureSignature,
    Registry,
    Signature,
    Takes,
)

if TYPE_CHECKING:
    from unifiedbus_dsl.ir.plan.unknown import What
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.measures.certified import Certified
    from unifiedbus_dsl.measures.measure_call import MeasureCall
    from unifiedbus_dsl.measures.plan_call import PlanCall
    from unifiedbus_dsl.measures.routing_call import RoutingCall
    from unifiedbus_dsl.solver.collectives.schedules import ScheduleCall
    from unifiedbus_dsl.solver.collectives.steps import Phase
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
    from unifiedbus_dsl.solver.routing.interface import Routing


class Better(Enum):
    """Which of two values is the better one; a survey lists the worst first."""

    MORE = "more"
    LESS = "less"


class Invariance(Enum):
    """Under which symmetries of a machine the answer stays, so that one of their images need not be asked."""

    SELECTION = "those that keep the end points that are selected"
    RATES = "those that keep the matrix of the traffic, under a routing that knows no order"
    GROUPS = "those that keep the groups of the collective"
    INNER = "those of the measure that it is asked of"
    NONE = "not known: each part stands for itself"


@frozen(kw_only=True)
class Measure(MeasureSignature):
    """A measure: its signature, and

    evaluate: the answer to a call with its certificate.
    better: which of two values is the better one.
    invariance: under which symmetries the answer stays.
    rests_on: what of cables goes into it, so that it is an estimate where that is not known.
    by_length: whether the lengths of cables matter to it.
    by_plan: the answer by the symmetries of the plan; None where the fabric is always asked.
    """

    evaluate: Callable[[MeasureCall], Certified[Answer]]
    better: Better
    invariance: Invariance
    rests_on: tuple[What, ...]
    by_length: bool = False
    by_plan: Callable[[PlanCall], Answer] | None = None


@frozen(kw_only=True)
class RoutingDefinition(Signature):
    """A routing: its signature, and

    make: the routing with the options of a call, which reads them against the machine.
    paths: all paths that it may take, in the same way; None where that is not known before loads are.
    """

    make: Callable[[RoutingCall], Routing]
    paths: Callable[[RoutingCall], PathRule] | None = None


@frozen(kw_only=True)
class CollectiveAlgorithm(Signature):
    """An algorithm of collectives: its signature, and

    schedule: the phases of a collective over groups of end points.
    """

    schedule: Callable[[ScheduleCall], list[Phase]]


Entry = TypeVar("Entry", Measure, RoutingDefinition, TrafficPattern, CollectiveAlgorithm)


def register(entry: Entry) -> Entry:
    """Take a measure, routing, traffic pattern or algorithm in; gives it back.

    Raises:
        ValueError: there is one of that name.
        TypeError: it is nothing whole.
    """
    registry_of(entry).register(entry)
    return entry


@contextmanager
def registered(entry: Entry) -> Iterator[Entry]:
    """Have an entry for as long as the block runs: for tests, and for programs that bring their own."""
    with registry_of(entry).registered(entry):
        yield entry


WHOLE: tuple[tuple[type, Registry[Any]], ...] = (
    (Measure, MEASURES),
    (RoutingDefinition, ROUTINGS),
    (TrafficPattern, TRAFFICS),
    (CollectiveAlgorithm, ALGORITHMS),
)
"""What a whole entry of each registry is."""


def registry_of(entry: object) -> Registry[Any]:
    """Return where an entry is registered.

    Raises:
        TypeError: it is nothing whole.
    """
    for kind, registry in WHOLE:
        if isinstance(entry, kind):
            return registry
    raise TypeError(f"a measure, routing, traffic pattern or algorithm is wanted, not {type(entry).__name__}")


def routing_named(name: str) -> RoutingDefinition | None:
    """Return the routing of a name; None where there is none."""
    routing = ROUTINGS.get(name)
    return routing if isinstance(routing, RoutingDefinition) else None


def measure_named(name: str) -> Measure | None:
    """Return the measure of a name; None where there is none."""
    measure = MEASURES.get(name)
    return measure if isinstance(measure, Measure) else None


def schedules() -> dict[str, Callable[[ScheduleCall], list[Phase]]]:
    """Return the algorithms of collectives by name, in the order in which they are tried."""
    return {name: each.schedule for name, each in ALGORITHMS.items() if isinstance(each, CollectiveAlgorithm)}


def less_is_better(name: str) -> bool:
    """Return whether of two values of a measure the smaller is the better one."""
    measure = measure_named(name)
    return measure is not None and measure.better is Better.LESS


def rests_on(name: str, what: What) -> bool:
    """Return whether something of cables goes into a measure."""
    measure = measure_named(name)
    return measure is not None and what in measure.rests_on


def is_by_length(name: str) -> bool:
    """Return whether the lengths of cables matter to a measure."""
    measure = measure_named(name)
    return measure is not None and measure.by_length


# ---- arguments that several take ------------------------------------------------------------------------------------


def selection(doc: str, name: str = "ends", default: str = "") -> Argument:
    """Return a positional argument that is a selection."""
    return Argument(name, Takes.SELECTION, doc, positional=True, default=default)


def traffic(doc: str = "who sends to whom: a traffic by its name, or a pattern") -> Argument:
    """Return the positional argument of measures that are about a traffic."""
    return Argument("traffic", Takes.TRAFFIC, doc, positional=True)


def collective(doc: str = "a collective by its name, or as a pattern") -> Argument:
    """Return the positional argument of measures that are about a collective."""
    return Argument("collective", Takes.COLLECTIVE, doc, positional=True)


def workload(doc: str = "a workload by its name, or as `train(…)` or `serve(…)`") -> Argument:
    """Return the positional argument of measures that are about a workload."""
    return Argument("workload", Takes.WORKLOAD, doc, positional=True)


PAIRS = selection(
    "`A -> B`: from which end points to which; of a single selection all ordered pairs", "pairs", "all npu"
)
ENDS = selection("end points", "ends")
PLANE = Argument(OVER, Takes.PLANE, "only over cables of one protocol or link, or of several", default="all")
ROUTING = Argument("routing", Takes.WORD, "how the traffic is routed", words=ROUTINGS, default="ecmp")
ALGORITHM = Argument("algorithm", Takes.WORD, "the schedule of the collective", words=ALGORITHMS, default="the fastest")
ON = Argument(
    "on", Takes.SELECTION, "only the end points of these that the traffic has: where a job runs", default="all"
)
BESIDE = Argument(
    "beside", Takes.TRAFFICS, "traffics that run meanwhile, under the same routing: what they leave is shared out",
    default="none",
)  # fmt: skip
BESIDE_AT = Argument(
    "at", Takes.QUANTITY, "what each end point of those injects that state no rate themselves", dimension=RATE,
    default="their own rates",
)  # fmt: skip
MESSAGE = Argument("message", Takes.QUANTITY, "bytes that follow the head", dimension=SIZE, default="0 B")
