"""Measures of pairs of end points: hops, latency, paths, reachability."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.analysis.api.asking import asked, check_size, or_all_ends
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures import pair_distances
from unifiedbus_dsl.measures.certified import Certified, arcs_of
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.results import (
    Distribution,
    Path,
    Paths,
    read_only,
)
from unifiedbus_dsl.measures.wording import devices_of, end_name
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances as far
from unifiedbus_dsl.solver.paths import path_enumeration
from unifiedbus_dsl.solver.paths.reachability import reachability
from unifiedbus_dsl.verify.pairs import PathsCertificate
from unifiedbus_dsl.verify.reach import ConnectedCertificate, ReachableCertificate


def hops(fabric: Fabric, pairs: str = "") -> Distribution:
    """Return how many pairs have how many cables on a shortest path: a histogram over ordered pairs of end points.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        pairs: `A -> B`, or one selection, whose members are paired with each other; default: all end points.

    Raises:
        QuestionError: the selection is wrong, or a pair has no path.
    """
    return asked(fabric, "hops", or_all_ends(fabric, pairs), _hops)


def diameter(fabric: Fabric, ends: str = "") -> int:
    """Return the most cables on a shortest path of a pair.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        ends: a selection of end points; default: all.

    Raises:
        QuestionError: the selection is wrong, or a pair has no path.
    """
    return int(hops(fabric, ends).largest)


def latency(fabric: Fabric, pairs: str = "", *, message_bytes: float = 0.0) -> Distribution:
    """Return the least zero-load times in seconds, cut-through: a histogram over ordered pairs of end points.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        pairs: `A -> B`, or one selection; default: all end points.
        message_bytes: size of the message, whose time over the narrowest cable of the path is added.

    Raises:
        QuestionError: the selection is wrong, or a pair has no path.
    """

    def answer(call: MeasureCall) -> Certified[Distribution]:
        check_size(call, message_bytes)
        return _spread(call, pair_distances.latency(call.machine, *call.pair(), message_bytes))

    return asked(fabric, "latency", or_all_ends(fabric, pairs), answer)


def disjoint_paths(fabric: Fabric, pairs: str = "") -> int:
    """Return the fewest cables whose loss parts a pair, the least over pairs (by Menger also the most disjoint paths).

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        pairs: `A -> B`, or one selection; default: all end points.

    Raises:
        QuestionError: the selection is wrong, or is no pair.
    """

    def answer(call: MeasureCall) -> Certified[int]:
        certified = pair_distances.disjoint_paths(call.machine, *call.pair())
        return Certified(certified.answer.paths, certified.certificate)

    return asked(fabric, "disjoint_paths", or_all_ends(fabric, pairs), answer)


def connected(fabric: Fabric, ends: str = "") -> bool:
    """Return whether each end point has a path to each other.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        ends: a selection of end points; default: all.

    Raises:
        QuestionError: the selection is wrong.
    """

    def answer(call: MeasureCall) -> Certified[bool]:
        chosen = call.ends(call.one())
        truth = reachability(call.machine.network, chosen).connected
        return Certified(truth, ConnectedCertificate(call.machine.network.selected(chosen)))

    return asked(fabric, "connected", or_all_ends(fabric, ends), answer)


def reachable(fabric: Fabric, ends: str = "") -> int:
    """Return how many end points the largest set has of which each has a path to each other.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        ends: a selection of end points; default: all.

    Raises:
        QuestionError: the selection is wrong, or the number is known only within bounds.
    """

    def answer(call: MeasureCall) -> Certified[int]:
        chosen = call.ends(call.one())
        low, high = reachability(call.machine.network, chosen).largest
        if low != high:
            raise NotAdmittedError(f"it is known only to lie between {low:,} and {high:,}; `measure` gives both bounds")
        return Certified(low, ReachableCertificate(call.machine.network.selected(chosen)))

    return asked(fabric, "reachable", or_all_ends(fabric, ends), answer)


def paths(fabric: Fabric, source: str, target: str, *, message_bytes: float = 0.0, limit: int = 64) -> Paths:
    """Return the paths of fewest cables between two end points, counted, and as many as wanted written out.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        source: an end point by its path, `cabinet[0].npu[3]`.
        target: the other end point.
        message_bytes: size of the message, which the times of the paths include.
        limit: paths written out, in order of devices.

    Raises:
        QuestionError: no such end points, or no path.
    """

    def answer(call: MeasureCall) -> Certified[Paths]:
        check_size(call, message_bytes)
        if not isinstance(limit, int) or limit < 0:
            raise call.refuse(call.node, f"`limit` is a whole number, not {limit!r}")
        one, two = call.single_pair()
        network = call.machine.timed_network
        shortest_paths = path_enumeration.shortest_paths(network, one, two)
        answer = Paths(
            shortest_paths.count,
            shortest_paths.hops,
            tuple(_path(call.machine, route) for route in shortest_paths.first(limit, message_bytes)),
            _path(call.machine, path_enumeration.minimum_latency_path(network, one, two, message_bytes)),
        )
        return Certified(answer, PathsCertificate(arcs_of(network), one, two, shortest_paths.hops))

    return asked(fabric, "paths", f"{source} -> {target}", answer)


def _hops(call: MeasureCall) -> Certified[Distribution]:
    return _spread(call, pair_distances.hops(call.machine, *call.pair()))


def _spread(call: MeasureCall, certified: Certified[far.Histogram]) -> Certified[Distribution]:
    histogram = certified.answer
    if not len(histogram.value):
        raise NotAdmittedError("there is no pair of different end points with a path")
    pair = end_name(call.machine, histogram.source), end_name(call.machine, histogram.target)
    return Certified(Distribution(histogram.value, histogram.pairs, histogram.unreachable, pair), certified.certificate)


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
