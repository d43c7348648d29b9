"""Hops, latency, the paths of a pair, disjoint paths, and who reaches whom."""

from __future__ import annotations

from typing import Any

import numpy as np

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.base.units import NUMBER, TIME, Dimension, format_share
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.ir.plan.unknown import What
from unifiedbus_dsl.measures import pair_distances
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.certified import Certified, arcs_of
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.unknown import taken_for_unknown
from unifiedbus_dsl.measures.wording import devices_of, pair_name
from unifiedbus_dsl.solver.bounds import bounded
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances as far
from unifiedbus_dsl.solver.paths import path_enumeration
from unifiedbus_dsl.solver.paths.reachability import reachability
from unifiedbus_dsl.verify.pairs import PathsCertificate
from unifiedbus_dsl.verify.reach import ConnectedCertificate, ReachableCertificate

MOST_VALUES = 8
"""Values of a histogram that a reader sees one by one; of more he sees quantiles."""
QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)
BY_CABLES = "shortest paths by cables"
"""What hops assume."""
ZERO_LOAD = "zero load, cut-through"
"""What latencies assume."""
SHOWN = 4
"""Paths that are written out unless more are asked for."""


def hops(call: MeasureCall) -> Certified[Answer]:
    certified = pair_distances.hops(call.machine, *call.pair(), mean=_of_mean(call))
    return _answer(call, certified, NUMBER, BY_CABLES)


def latency(call: MeasureCall) -> Certified[Answer]:
    source, target = call.pair()
    message = call.quantity("message", units.SIZE) or 0.0
    certified = pair_distances.latency(call.machine, source, target, message, mean=_of_mean(call))
    return _answer(call, certified, TIME, ZERO_LOAD)


def _of_mean(call: MeasureCall) -> bool:
    return call.name.startswith("mean_")


def _answer(
    call: MeasureCall, certified: Certified[far.Histogram], dimension: Dimension, assumption: str
) -> Certified[Answer]:
    histogram = certified.answer
    histogram.require_complete()
    farthest = pair_name(call.machine, histogram.source, histogram.target)
    answer = spread_answer(call, histogram.value, histogram.pairs, farthest, dimension, assumption)
    return Certified(answer, certified.certificate)


def spread_answer(
    call: MeasureCall, values: Floats, pairs: Ints, farthest: str, dimension: Dimension, assumption: str
) -> Answer:
    """Return the largest of some values, or their mean, of which each is that of so many pairs."""
    mean = _of_mean(call)
    return call.exact(
        float((values * pairs).sum() / pairs.sum()) if mean else float(values[-1]),
        dimension,
        binding=() if mean else (farthest,),
        binds="farthest",
        assumptions=(assumption,),
        detail={"histogram": [[float(v), int(n)] for v, n in zip(values, pairs, strict=True)]},
        lines=() if mean or len(values) < 2 else (_spread(values, pairs, dimension),),
    )


def _spread(values: Floats, pairs: Ints, dimension: Dimension) -> str:
    """Return the histogram for a reader: each value with its share of the pairs; of many values some quantiles."""
    part = pairs / pairs.sum()
    if len(part) <= MOST_VALUES:
        said = zip(values.tolist(), [format_share(share, digits=3) for share in part.tolist()], strict=True)
        return "; ".join(f"{shown(value, dimension)} for {share} of pairs" for value, share in said)
    within = np.cumsum(part)
    at = {q: float(values[min(int(np.searchsorted(within, q)), len(part) - 1)]) for q in QUANTILES}
    many = ", ".join(f"{q:.0%} within {shown(value, dimension)}" for q, value in at.items())
    return f"of the pairs {many}; the least is {shown(float(values[0]), dimension)}"


def disjoint_paths(call: MeasureCall) -> Certified[Answer]:
    certified = pair_distances.disjoint_paths(call.machine, *call.pair())
    fewest = certified.answer
    answer = disjoint_paths_answer(call, fewest.paths, pair_name(call.machine, fewest.source, fewest.target))
    return Certified(answer, certified.certificate)


def disjoint_paths_answer(call: MeasureCall, paths: int, pair: str) -> Answer:
    """Return the fewest cables that part a pair, with the name of one that has so few."""
    return call.exact(paths, NUMBER, binding=(pair,), binds="fewest for", assumptions=("max-flow of cables",))


def connected(call: MeasureCall) -> Certified[Answer]:
    ends = call.ends(call.one())
    answer = connected_answer(call, reachability(call.machine.network, ends).connected)
    return Certified(answer, ConnectedCertificate(call.machine.network.selected(ends)))


def connected_answer(call: MeasureCall, truth: bool) -> Answer:
    """Return whether every pair has a path."""
    return call.exact(float(truth), NUMBER, detail={"truth": truth}, text="yes" if truth else "no")


def reachable(call: MeasureCall) -> Certified[Answer]:
    ends = call.ends(call.one())
    answer = reachable_answer(call, reachability(call.machine.network, ends).largest)
    return Certified(answer, ReachableCertificate(call.machine.network.selected(ends)))


def reachable_answer(call: MeasureCall, largest: tuple[int, int]) -> Answer:
    """Return bounds on the largest set of end points in which every pair has a path."""
    return call.number(bounded(*largest, "the largest set of end points that have a path to each other"), NUMBER)


# ---- the paths of one pair ------------------------------------------------------------------------------------------


def paths(call: MeasureCall) -> Certified[Answer]:
    """Return how many paths of fewest cables a pair has; the first of them, and the fastest, with the parts of their
    time."""
    source, target = call.single_pair()
    message = call.quantity("message", units.SIZE) or 0.0
    machine, max_shown = call.machine, call.integer("show")
    network = machine.timed_network
    shortest_paths = path_enumeration.shortest_paths(network, source, target)
    max_shown = SHOWN if max_shown is None else max_shown
    first = shortest_paths.first(max(max_shown, 1), message)
    listed = first[:max_shown]
    fastest = path_enumeration.minimum_latency_path(network, source, target, message)
    min_time_s = min((each.time_s for each in first), default=np.inf)
    described = [_described(machine, network, each) for each in (fastest, *listed)]
    more = shortest_paths.count - sum(each["cables"] for each in described[1:])
    rests_on: tuple[What, ...] = ("rate", "latency") if message else ("latency",)
    assumed = taken_for_unknown(machine.fabric, rests_on)
    lines = [_written(each) for each in described[1:]]
    if more and listed:
        lines.append(f"… and {more:,} more of {shortest_paths.hops} cables; `show = …` writes more out")
    if fastest.time_s < min_time_s * (1 - 1e-9):
        lines.insert(0, f"fastest: {_written(described[0])}")
    answer = call.exact(
        shortest_paths.count,
        NUMBER,
        assumptions=(
            "paths of fewest cables, parallel cables told apart",
            ZERO_LOAD,
            *(f"an estimate, of times alone: {each}" for each in assumed),
        ),
        detail={"hops": shortest_paths.hops, "paths": described[1:], "fastest": described[0]},
        text=f"{shortest_paths.count:,} of {shortest_paths.hops} cables"
        if shortest_paths.hops > 1
        else f"{shortest_paths.count:,} of 1 cable",
        lines=tuple(lines),
    )
    return Certified(answer, PathsCertificate(arcs_of(network), source, target, shortest_paths.hops))


def _described(machine: NetworkContext, network: Network, route: path_enumeration.TimedPath) -> dict[str, Any]:
    """Return a path as JSON holds it: the devices, and for each hop its link, cables to choose from, and times in
    seconds."""
    links = list(machine.fabric.plan.links)
    count = network.count[route.arcs]
    return {
        "time": route.time_s,
        "devices": [str(n) for n in machine.fabric.device_names(devices_of(network, route.vertices))],
        "links": [links[k] for k in network.kinds.link[network.kind[route.arcs]].tolist()],
        "cables": int(np.prod([int(n) for n in count], dtype=object)),
        "parallel": count.tolist(),
        "cable_s": route.arc_s.tolist(),
        "device_s": route.vertex_s.tolist(),
        "transfer_s": route.transfer_s,
    }


def _written(path: dict[str, Any]) -> str:
    """`310 ns: npu[0] -Wire 155 ns- npu[1] 30 ns -Wire 155 ns- npu[2]`."""
    text = path["devices"][0]
    hops = zip(
        path["links"], path["parallel"], path["cable_s"], path["devices"][1:], [*path["device_s"], 0.0], strict=True
    )
    for link, parallel, cable, device, passed in hops:
        many = f"{parallel} x " if parallel > 1 else ""
        text += f" -[{many}{link} {shown(cable, TIME)}]-> {device}" + (f" ({shown(passed, TIME)})" if passed else "")
    if path["transfer_s"]:
        text += f", message {shown(path['transfer_s'], TIME)}"
    return f"{shown(path['time'], TIME)}: {text}"
