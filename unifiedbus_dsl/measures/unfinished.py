"""What is known of a measure that was not worked out in the time of a run: bounds by ports and counts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import TypeAlias

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, bincount
from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.solver.demand import column_sums, row_sums
from unifiedbus_dsl.solver.routing.throughput import max_scale
from unifiedbus_dsl.verify import Stated
from unifiedbus_dsl.vocabulary.signatures import MEASURES

Bounds: TypeAlias = tuple[float, float]
UNFINISHED = "not worked out in the time allowed: bounds by ports and counts alone"


def unfinished(call: MeasureCall) -> Certified[Answer]:
    """Return an interval that holds whatever the answer is."""
    lower, upper = _BOUNDS.get(call.name, _nothing)(call)
    dimension = MEASURES[call.name].dimension or NUMBER
    text = "not known" if (lower, upper) == (0.0, inf) else ""
    answer = Answer(
        "", "", call.name, call.arguments, lower, dimension, "interval", lower, upper, (), (UNFINISHED,), text=text
    )
    return Certified(answer, Stated(lower, upper, "bounds by ports and counts"))


def _nothing(call: MeasureCall) -> Bounds:
    return 0.0, inf


def _cut_of_fewest_ports(call: MeasureCall) -> Bounds:
    """Of a bisection: half of the end points are cut off at their own ports."""
    ports = np.sort(_egress(call)[call.ends(call.one())])
    return 0.0, float(ports[: len(ports) // 2].sum())


def _full_ports(call: MeasureCall) -> Bounds:
    """Of a throughput: what each end point sends and receives goes through its own ports."""
    _, demand = call.matrix()
    network = call.machine.network
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    scale, _, _ = max_scale(network, np.zeros(network.arcs), row, column)
    busiest = float((np.maximum(row, column) / np.maximum(_egress(call), np.finfo(float).tiny)).max())
    return 0.0, min(scale, 1 / busiest) * float(row[row > 0].min())


def _hops(call: MeasureCall) -> Bounds:
    return 1.0, float(max(1, call.machine.network.vertices - 1))


def _fewest_ports(call: MeasureCall) -> Bounds:
    """Of disjoint paths: as many as the cables of the end point that has the fewest."""
    network = call.machine.network
    cables = bincount(network.end[network.tail] + 1, network.count.astype(np.float64), network.ends + 1)[1:]
    return 0.0, float(min(cables[side].min() for side in call.pair()))


def _egress(call: MeasureCall) -> Floats:
    """Return what the cables at each end point carry one way, [E] byte/s."""
    network = call.machine.network
    return bincount(network.end[network.tail] + 1, network.capacity_Bps, network.ends + 1)[1:]


_BOUNDS: Mapping[str, Callable[[MeasureCall], Bounds]] = {
    "bisection": _cut_of_fewest_ports,
    "throughput": _full_ports,
    "hops": _hops,
    "diameter": _hops,
    "mean_hops": _hops,
    "disjoint_paths": _fewest_ports,
}
