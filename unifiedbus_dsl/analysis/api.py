"""Ask a fabric from Python: each measure of the language is a function here, and gives a frozen result in NumPy.

    from unifiedbus_dsl import solve

    solve.throughput(fabric, "alltoall(all npu, within = rack)", routing="ecmp").mean_Bps
    solve.hops(fabric, "all npu").largest

Selections, traffic and routings are said as in the language, and a wrong one raises `QuestionError` with what the
language says about it. Columns are those of the fabric: see `unifiedbus_dsl.analysis.results`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from unifiedbus_dsl.analysis.build_call import build_call
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.compiler import of_fabric
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.graph.from_fabric import arc_kinds, cable_ends
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures import cuts, pair_distances, rates, results
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified, arcs_of
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.read_routing import read_routing
from unifiedbus_dsl.measures.registry import measure_named
from unifiedbus_dsl.measures.results import (
    BisectionResult,
    CableLoads,
    Distribution,
    FairRates,
    OversubscriptionResult,
    Path,
    Paths,
    Rates,
    TierCapacity,
    read_only,
)
from unifiedbus_dsl.measures.unknown import marked_result
from unifiedbus_dsl.measures.wording import block_names, devices_of, end_name
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.flow import max_min_fair as sharing
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances as far
from unifiedbus_dsl.solver.paths import path_enumeration
from unifiedbus_dsl.solver.paths import tiers as bands
from unifiedbus_dsl.solver.paths.reachability import reachability
from unifiedbus_dsl.verify.pairs import PathsCertificate
from unifiedbus_dsl.verify.reach import ConnectedCertificate, ReachableCertificate

__all__ = [
    "QuestionError",
    "availability",
    "bisection",
    "connected",
    "diameter",
    "disjoint_paths",
    "fair",
    "hops",
    "latency",
    "loads",
    "measure",
    "mtbf",
    "optimal_time",
    "oversubscription",
    "paths",
    "reachable",
    "results",
    "sweep",
    "throughput",
    "tiers",
    "time",
]

T = TypeVar("T")


class QuestionError(ValueError):
    """The question is put wrongly, or this machine has no answer to it; `diagnostics` are those of the language."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        said = [". ".join((each.message, *each.help)) for each in diagnostics]
        super().__init__("; ".join(said))
        self.diagnostics = diagnostics


# ---- measures of pairs ----------------------------------------------------------------------------------------------


def hops(fabric: Fabric, pairs: str = "") -> Distribution:
    """Cables on a shortest path, over ordered pairs: of `A -> B`, or of one selection (default: all NPUs).

    Raises:
        QuestionError: the selection is wrong, or a pair has no path.
    """
    return _asked(fabric, "hops", _pairs(fabric, pairs), _hops)


def diameter(fabric: Fabric, ends: str = "") -> int:
    """The most cables on a shortest path of a pair."""
    return int(hops(fabric, ends).largest)


def latency(fabric: Fabric, pairs: str = "", *, message_bytes: float = 0.0) -> Distribution:
    """Least zero-load time in seconds, cut-through, over ordered pairs; with the message over the narrowest cable.

    Raises:
        QuestionError: the selection is wrong, or a pair has no path.
    """

    def answer(call: MeasureCall) -> Certified[Distribution]:
        _wants_size(call, message_bytes)
        return _spread(call, pair_distances.latency(call.machine, *call.pair(), message_bytes))

    return _asked(fabric, "latency", _pairs(fabric, pairs), answer)


def disjoint_paths(fabric: Fabric, pairs: str = "") -> int:
    """Fewest cables whose loss parts a pair, smallest over pairs."""

    def answer(call: MeasureCall) -> Certified[int]:
        found = pair_distances.disjoint_paths(call.machine, *call.pair())
        return Certified(found.answer.paths, found.certificate)

    return _asked(fabric, "disjoint_paths", _pairs(fabric, pairs), answer)


def connected(fabric: Fabric, ends: str = "") -> bool:
    """Whether each end point has a path to each other."""

    def answer(call: MeasureCall) -> Certified[bool]:
        chosen = call.ends(call.one())
        truth = reachability(call.machine.network, chosen).connected
        return Certified(truth, ConnectedCertificate(call.machine.network.selected(chosen)))

    return _asked(fabric, "connected", _pairs(fabric, ends), answer)


def reachable(fabric: Fabric, ends: str = "") -> int:
    """How many end points the largest set has of which each has a path to each other: all exactly where connected.

    Raises:
        QuestionError: the selection is wrong, or the number is known only within bounds.
    """

    def answer(call: MeasureCall) -> Certified[int]:
        chosen = call.ends(call.one())
        low, high = reachability(call.machine.network, chosen).largest
        if low != high:
            raise NotAdmittedError(f"it is known only to lie between {low:,} and {high:,}; `measure` gives both bounds")
        return Certified(low, ReachableCertificate(call.machine.network.selected(chosen)))

    return _asked(fabric, "reachable", _pairs(fabric, ends), answer)


def paths(fabric: Fabric, source: str, target: str, *, message_bytes: float = 0.0, limit: int = 64) -> Paths:
    """The paths of fewest cables between two end points, `cabinet[0].npu[3]` by path; at most `limit` written out, in
    order of devices.

    Raises:
        QuestionError: no such end points, or no path.
    """

    def answer(call: MeasureCall) -> Certified[Paths]:
        _wants_size(call, message_bytes)
        if not isinstance(limit, int) or limit < 0:
            raise call.refuse(call.node, f"`limit` is a whole number, not {limit!r}")
        one, two = call.single_pair()
        network = call.machine.timed_network
        found = path_enumeration.shortest_paths(network, one, two)
        answer = Paths(
            found.count,
            found.hops,
            tuple(_path(call.machine, route) for route in found.first(limit, message_bytes)),
            _path(call.machine, path_enumeration.minimum_latency_path(network, one, two, message_bytes)),
        )
        return Certified(answer, PathsCertificate(arcs_of(network), one, two, found.hops))

    return _asked(fabric, "paths", f"{source} -> {target}", answer)


def _hops(call: MeasureCall) -> Certified[Distribution]:
    return _spread(call, pair_distances.hops(call.machine, *call.pair()))


def _spread(call: MeasureCall, certified: Certified[far.Histogram]) -> Certified[Distribution]:
    found = certified.answer
    if not len(found.value):
        raise NotAdmittedError("there is no pair of different end points with a path")
    pair = end_name(call.machine, found.source), end_name(call.machine, found.target)
    return Certified(Distribution(found.value, found.pairs, found.unreachable, pair), certified.certificate)


def _path(machine: NetworkContext, route: path_enumeration.TimedPath) -> Path:
    network, links = machine.timed_network, list(machine.fabric.plan.links)
    return Path(
        machine.fabric,
        read_only(devices_of(network, route.vertices)),
        tuple(links[k] for k in network.kinds.link[network.kind[route.arcs]].tolist()),
        read_only(network.count[route.arcs].astype(np.int64)),
        read_only(route.arc_s),
        read_only(route.vertex_s),
        route.transfer_s,
    )


# ---- measures of traffic --------------------------------------------------------------------------------------------


def throughput(fabric: Fabric, traffic: str, routing: str = "ecmp") -> Rates:
    """The largest scale of a traffic that fits, under a routing: `ecmp wcmp valiant valiant(via = switch) updown dor
    dor(order = [1, 0]) minimal optimal`.

    Raises:
        QuestionError: traffic or routing are wrong, or the fabric does not admit the routing.
    """

    def answer(call: MeasureCall) -> Certified[Rates]:
        machine = call.machine
        _, demand = call.matrix()
        wanted = read_routing(call)
        found = wanted.throughput(machine, demand)
        full = np.zeros(machine.network.arcs)
        full[found.binding] = 1.0
        held = np.zeros(machine.network.ends)
        held[found.binding_ends] = 1.0
        answer = Rates(
            fabric,
            wanted.text,
            found.scale,
            _of_devices(machine, found.injected_Bps),
            _cables(machine, wanted.text, found.load_Bps),
            read_only(np.maximum(*_of_cables(machine, full)) > 0),
            read_only(_of_devices(machine, held) > 0),
        )
        return Certified(answer, rates.certify_throughput(machine, demand, wanted, found))

    return _asked(fabric, "throughput", traffic, answer, routing=routing)


def loads(fabric: Fabric, traffic: str, routing: str = "ecmp", *, rate_Bps: float | None = None) -> CableLoads:  # noqa: N803
    """What each cable carries when the end point that sends most injects `rate_Bps` (default: the
    most that its own ports and NICs carry of it).

    Raises:
        QuestionError: traffic or routing are wrong, or the fabric does not admit the routing.
    """

    def answer(call: MeasureCall) -> Certified[CableLoads]:
        used = rates.utilisation(call, rate_Bps)
        load = used.answer.share * call.machine.network.capacity_Bps
        return Certified(_cables(call.machine, used.answer.routing.text, load), used.certificate)

    return _asked(fabric, "load", traffic, answer, routing=routing)


def fair(fabric: Fabric, traffic: str, *, hash: int | None = None) -> FairRates:
    """Max-min fair rate of each flow, split as `ecmp` splits it, or with `hash` on one path a flow; and where the
    traffic has a size, when each ends if all begin together.

    Raises:
        QuestionError: the traffic is wrong, or a flow has no path.
    """

    def answer(call: MeasureCall) -> Certified[FairRates]:
        traffic, demand = call.matrix()
        network = call.machine.network
        flows, source, target = rates.flows(call)
        rate = sharing.fair_rates(flows)
        finish = np.full(len(rate), np.nan)
        if traffic.size_bytes:
            finish = sharing.completion(flows, traffic.size_bytes).finish_s
        ends = network.end_device
        answer = FairRates(
            fabric, read_only(ends[source]), read_only(ends[target]), read_only(rate), read_only(flows.count),
            read_only(finish),
        )  # fmt: skip
        last = float(finish.max()) if traffic.size_bytes else 0.0
        return Certified(answer, rates.certify_fair(call, demand, flows, rate, traffic.size_bytes or 0.0, last))

    return _asked(fabric, "fair", traffic, answer, hash=hash)


# ---- measures of parts ----------------------------------------------------------------------------------------------


def bisection(fabric: Fabric, ends: str = "") -> BisectionResult:
    """Least capacity, one way, of a cut that halves the end points, with both proved bounds and a cut.

    Raises:
        QuestionError: the selection is wrong, or has fewer than two end points.
    """

    def answer(call: MeasureCall) -> Certified[BisectionResult]:
        machine = call.machine
        ends, _, found = cuts.halved(call)
        a, b = cable_ends(fabric)
        half = _of_devices(machine, found.side.astype(np.float64)) > 0
        answer = BisectionResult(
            fabric, found.capacity, read_only(half), read_only(found.vertex_side[a] != found.vertex_side[b])
        )
        return Certified(answer, cuts.certify_bisection(machine.network, ends, found))

    return _asked(fabric, "bisection", _pairs(fabric, ends), answer)


def oversubscription(fabric: Fabric, assemblies: str, ends: str = "") -> OversubscriptionResult:
    """Of each assembly, `all rack`: what the end points inside can inject over what gets through its wall.

    Raises:
        QuestionError: a selection is wrong.
    """

    def answer(call: MeasureCall) -> Certified[OversubscriptionResult]:
        blocks, found, _ = cuts.boundary_capacity(call)
        names = tuple(block_names(call.machine, blocks))
        answer = OversubscriptionResult(names, found.inside_Bps, found.wall_Bps, found.ratio)
        return Certified(answer, cuts.certify_walls(call, blocks, found, finite=False))

    return _asked(fabric, "oversubscription", assemblies, answer, from_=_pairs(fabric, ends))


def tiers(fabric: Fabric, ends: str = "") -> TierCapacity:
    """Cables by how far their ends are from the end points."""

    def answer(call: MeasureCall) -> Certified[TierCapacity]:
        network = call.machine.network
        ends = call.ends(call.one())
        found = bands.tiers(network, ends)
        apart = np.iinfo(np.int32).max
        least = np.minimum.reduceat(np.where(found.tier < 0, apart, found.tier), network.device_start[:-1])
        tier = np.where(least == apart, -1, least).astype(np.int64)
        bands_of = TierCapacity(tuple(found.names), found.cables, found.capacity_Bps, read_only(tier))
        return Certified(bands_of, cuts.certify_tiers(call.machine.network, ends, found))

    return _asked(fabric, "tiers", _pairs(fabric, ends), answer)


# ---- collectives and reliability ------------------------------------------------------------------------------------


def time(fabric: Fabric, collective: str, algorithm: str | None = None, *, size_bytes: float | None = None) -> Answer:
    """How long a collective takes, step by step, in seconds: by an algorithm, or by the fastest.

    Raises:
        QuestionError: the collective is wrong, has no size, or no algorithm does it on this machine.
    """
    return _answered(fabric, "time", collective, algorithm=algorithm, size=size_bytes)


def sweep(fabric: Fabric, collective: str, algorithm: str | None = None) -> Answer:
    """A collective by the size of its message; `detail["sizes"]` has a row for each.

    Raises:
        QuestionError: the collective is wrong, or no algorithm does it on this machine.
    """
    return _answered(fabric, "sweep", collective, algorithm=algorithm)


def optimal_time(fabric: Fabric, collective: str, *, size_bytes: float | None = None) -> Answer:
    """The time in seconds that no schedule of a collective beats, with bounds.

    Raises:
        QuestionError: the collective is wrong or has no size.
    """
    return _answered(fabric, "optimal_time", collective, size=size_bytes)


def mtbf(fabric: Fabric) -> float:
    """The mean time between failures in seconds, of all parts and cables that state an `afr`.

    Raises:
        QuestionError: nothing states one.
    """
    return _answered(fabric, "mtbf", "").value


def availability(fabric: Fabric, *, mttr_s: float) -> float:
    """The share of the time in which all is up, where a repair takes `mttr_s` seconds.

    Raises:
        QuestionError: nothing states an `afr`.
    """
    return _answered(fabric, "availability", "", mttr=mttr_s).value


def __getattr__(name: str) -> Callable[..., Answer]:
    """Each other measure that is registered, with its arguments by name in SI units."""
    measure = measure_named(name)
    if measure is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    positional = [each.name for each in measure.positional]

    def ask(fabric: Fabric, *texts: str, **named: object) -> Answer:
        if len(texts) > len(positional):
            raise TypeError(f"`{name}` takes {len(positional)} text(s) by position, not {len(texts)}")
        unknown = [word for word in named if word.removesuffix("_") not in measure.named]
        if unknown:
            raise TypeError(f"`{name}` has no argument `{unknown[0]}`; it takes {', '.join(measure.named) or 'none'}")
        return _answered(fabric, name, ", ".join(texts), **named)

    ask.__name__, ask.__doc__ = name, f"{measure.doc[0].upper()}{measure.doc[1:]}."
    return ask


def measure(fabric: Fabric, question: str) -> Answer:
    """The answer to any one measure of the language: `optimal_time(allreduce(all npu, size = 1 GiB))`.

    Raises:
        QuestionError: the question is wrong, or has no answer here.
    """
    sink = Sink()
    asker = _asker(fabric, sink)
    calls = measure_calls(question, sink)
    found = asker.answer(calls[0]) if len(calls) == 1 and not sink.has_errors else None
    if found is None:
        if not sink.has_errors:
            message = f"one measure is wanted, such as `diameter(all npu)`; found `{question}`"
            raise QuestionError((Diagnostic("UB0705", message, None),))
        raise QuestionError(tuple(sink))
    return found


# ---- asking ---------------------------------------------------------------------------------------------------------


def _wants_size(call: MeasureCall, message_bytes: float) -> None:
    if not isinstance(message_bytes, int | float) or not 0 <= message_bytes < np.inf:
        raise call.refuse(call.node, f"`message_bytes` is a size in bytes, not {message_bytes!r}")


def _pairs(fabric: Fabric, text: str) -> str:
    return text or f"all {end_kind(fabric.plan)}"


def _asker(fabric: Fabric, sink: Sink) -> MeasureEvaluator:
    """Who answers about a fabric. Its network and symmetries are found once and stay with it."""
    if not isinstance(fabric, Fabric):
        raise TypeError(f"a fabric is wanted, such as `compile(…).fabric()` gives; found {type(fabric).__name__}")
    machine = vars(fabric).setdefault("_machine", NetworkContext(fabric))
    return make_evaluator(of_fabric(fabric), machine, sink)


def _asked(
    fabric: Fabric,
    name: str,
    text: str,
    answer: Callable[[MeasureCall], Certified[T]],
    **named: object,
) -> T:
    """What `answer` makes of the call `name(text, …)`, which may have these named arguments and no others."""
    sink = Sink()
    asker = _asker(fabric, sink)
    call = build_call(name, text, named, sink)
    found = (
        None if call is None else asker.tried(asker.call(call), answer, tuple(word.removesuffix("_") for word in named))
    )
    if found is None:
        raise QuestionError(tuple(sink))
    return marked_result(found, name, fabric)


def _answered(fabric: Fabric, name: str, text: str, **named: object) -> Answer:
    """The answer to the call `name(text, …)` with these named arguments, those that are None left out."""
    sink = Sink()
    asker = _asker(fabric, sink)
    call = build_call(name, text, named, sink)
    found = None if call is None else asker.answer(call)
    if found is None:
        raise QuestionError(tuple(sink))
    return found


# ---- columns of the fabric ------------------------------------------------------------------------------------------


def _of_devices(machine: NetworkContext, values: Floats) -> Floats:
    """Values of end points ([E]) as a column over devices, 0 for switches, [D]."""
    column = np.zeros(machine.fabric.device_count)
    column[machine.network.end_device] = values
    return np.asarray(read_only(column))


def _of_cables(machine: NetworkContext, values: Floats) -> tuple[Floats, Floats]:
    """Values of arcs ([A]) as columns over cables, forth and back; 0 for a cable that the network has no use for."""
    padded = np.append(values, 0.0)
    forth, back = machine.cable_arcs()
    return read_only(padded[forth]), read_only(padded[back])


def _cables(machine: NetworkContext, routing: str, load: Floats) -> CableLoads:
    """Loads of arcs ([A]) as columns over cables: parallel ones carry equal parts."""
    network = machine.network
    capacity = arc_kinds(machine.fabric).capacity_Bps[machine.fabric.kind]
    return CableLoads(machine.fabric, routing, *_of_cables(machine, load / network.count), read_only(capacity))
