"""How many virtual lanes free a routing of deadlock on lossless links: `virtual_lanes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.graph.symmetry import arrays_of, trivial_symmetry
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified, bounds, moves_of
from unifiedbus_dsl.measures.deadlock import channel_order, cycle_lines, notes
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.read_paths import read_paths
from unifiedbus_dsl.measures.wording import arc_names, pair_name
from unifiedbus_dsl.solver.bounds import BoundedValue, NotAdmittedError, bounded, exact
from unifiedbus_dsl.solver.deadlock.cycles import ChannelCycle
from unifiedbus_dsl.solver.deadlock.dependencies import Dependencies, dependencies
from unifiedbus_dsl.solver.deadlock.lanes import LaneOrder, lanes_needed
from unifiedbus_dsl.solver.deadlock.orders import (
    Blocks,
    blocks_of,
    by_hops,
    channel_classes,
    class_orders,
    is_invariant,
    merged,
    number_orders,
    rooted_orders,
)
from unifiedbus_dsl.solver.deadlock.pair_layers import PairLanes, lanes_of_pairs
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule, routes
from unifiedbus_dsl.solver.deadlock.tables import MOST_LANES
from unifiedbus_dsl.solver.demand import Demand
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing import dragonfly
from unifiedbus_dsl.verify.deadlock import CycleCertificate
from unifiedbus_dsl.verify.lanes import LanesCertificate, LayersCertificate

LEAST = 2
"""Lanes that are needed at least where channels depend on each other in a circle and packets keep to their paths."""
MOST_ROOTS, MOST_ROOTED = 48, 4_096
"""Devices from which distances are tried as an order, and these times goals."""
MOST_WRITTEN = 1_024
"""Channels, or pairs off lane 0, that are written out."""
MOST_WORK = 200_000_000
"""Goals times arcs up to which an order is tried that symmetries do not keep."""


@frozen(eq=False)
class FewestLanes:
    """Bounds on the `lanes` that are needed; an `order` or lanes of `pairs` by which the upper bound is reached, and a
    `cycle` that shows the lower one. None of them where one lane is enough. `tried` says how many lanes each scheme
    took (None: more than links have)."""

    lanes: BoundedValue
    order: LaneOrder | None = None
    cycle: ChannelCycle | None = None
    pairs: PairLanes | None = None
    tried: dict[str, int | None] = field(factory=dict)

    @property
    def scheme(self) -> str:
        if self.pairs is not None:
            return f"{self.pairs.layering.scheme}: a lane that each pair keeps"
        return "" if self.order is None else self.order.scheme


@bounds.register
def _(answer: FewestLanes) -> tuple[float, float]:
    return answer.lanes.lower, answer.lanes.upper


def fewest_lanes(machine: NetworkContext, demand: Demand, rule: PathRule) -> Certified[FewestLanes]:
    """Return how many virtual lanes a routing needs so that packets on lossless links can't wait in a circle.

    Raises:
        NotAdmittedError: a pair has no path, or the machine does not admit the routing.
    """
    plain = channel_order(machine, demand, rule)
    if plain.answer.cycle is None:
        free = exact(1, "no cycle of channel dependencies with a single lane")
        return Certified(FewestLanes(free), plain.certificate)
    assert isinstance(plain.certificate, CycleCertificate)
    channels = dependencies(routes(machine.symmetry, demand, rule))
    order, lanes = _best(machine, demand, rule, channels)
    tried: dict[str, int | None] = {order.scheme: lanes}
    pairs = None if lanes <= LEAST else _lanes_of_pairs(machine, demand, rule)
    if pairs is not None:
        tried |= pairs.layering.tried
        if 0 < pairs.lanes < lanes:
            fewest = FewestLanes(_between(pairs.lanes, pairs.layering.scheme), None, plain.answer.cycle, pairs, tried)
            shown = LayersCertificate(plain.certificate.traffic, pairs.lane, pairs.rank, plain.certificate)
            return Certified(fewest, shown)
    kept = is_invariant(channels.group.arc_orbit, order)
    certificate = LanesCertificate(
        plain.certificate.traffic, order.block, order.rank, lanes, plain.certificate,
        tuple(moves_of(channels.group)) if kept else (),
    )  # fmt: skip
    return Certified(FewestLanes(_between(lanes, order.scheme), order, plain.answer.cycle, None, tried), certificate)


def _between(lanes: int, scheme: str) -> BoundedValue:
    return bounded(LEAST, lanes, f"a cycle of dependencies with one lane; {scheme}")


def _lanes_of_pairs(machine: NetworkContext, demand: Demand, rule: PathRule) -> PairLanes | None:
    """Return lanes that pairs keep; None where packets turn, or that would be too much work."""
    network = machine.network
    if rule.via in ("switch", "group") or network.ends * network.arcs > MOST_WORK:
        return None
    parts = routes(trivial_symmetry(network, ()), demand, rule).parts
    return lanes_of_pairs(network, parts, MOST_LANES, LEAST)


def _best(machine: NetworkContext, demand: Demand, rule: PathRule, found: Dependencies) -> tuple[LaneOrder, int]:
    """Return the order of fewest lanes of those that are tried, put together block by block, and its lanes."""
    blocks = blocks_of(found)
    turning = rule.via in ("switch", "group")
    best: LaneOrder | None = None
    need = np.zeros(0, dtype=np.int64)
    for some in _candidates(machine, rule, found, blocks):
        orders = [merged(blocks, order) for order in some] if turning else some
        for order, lanes in zip(orders, _needed(machine, demand, rule, found, orders), strict=True):
            if lanes is None:
                continue
            best, need = (order, lanes) if best is None else _joined(best, need, order, lanes)
        if best is not None and int(need.max()) <= LEAST:
            break
    assert best is not None, "hops are an order that symmetries keep"
    return best, int(need.max())


def _joined(one: LaneOrder, need: Ints, two: LaneOrder, other: Ints) -> tuple[LaneOrder, Ints]:
    """Of two orders in each block that which needs fewer lanes."""
    better = other < need
    if not better.any():
        return one, need
    mine = better[one.block]
    said = two.scheme if other.max() <= LEAST or better[need == need.max()].all() else one.scheme
    return LaneOrder(one.block, np.where(mine, two.rank, one.rank), said), np.minimum(need, other)


def _candidates(
    machine: NetworkContext, rule: PathRule, found: Dependencies, blocks: Blocks
) -> Iterator[list[LaneOrder]]:
    """Orders to try, the likely ones first."""
    network, arrays = machine.network, arrays_of(machine.fabric.plan)
    group = None
    try:
        grouping = rule.grouping or dragonfly.default_groups(network, arrays)
        group = grouping.of_vertices(network)
    except NotAdmittedError:
        pass  # no groups, so no order by them
    yield [by_hops(blocks)]
    classes = list(channel_classes(network, blocks, found.group.arc_orbit, arrays, group))
    yield [order for each in classes for order in class_orders(blocks, each, few=True)]
    yield list(number_orders(network, blocks))
    yield [order for each in classes for order in class_orders(blocks, each, few=False)]
    roots = 0 if rule.via else min(MOST_ROOTS, MOST_ROOTED // max(network.ends, 1))
    yield from ([order] for order in rooted_orders(network, blocks, found.group.vertex_orbit, roots))


def _needed(
    machine: NetworkContext, demand: Demand, rule: PathRule, found: Dependencies, orders: Sequence[LaneOrder]
) -> list[Ints | None]:
    """Return the lanes of each block under each order; None where that would take too long."""
    network, orbit = machine.network, found.group.arc_orbit
    kept = [is_invariant(orbit, order) for order in orders]
    needed: list[Ints | None] = [None] * len(orders)
    alike = len(np.unique(found.group.end_orbit))
    between = network.vertices if rule.via in ("switch", "group") else 1  # goals of first legs
    for which, symmetry in ((True, machine.symmetry), (False, trivial_symmetry(network, ()))):
        some = [k for k, invariant in enumerate(kept) if invariant is which]
        goals = alike if which else network.ends * between
        if some and (goals * network.arcs * len(some) <= MOST_WORK or (which and len(some) == 1)):
            parts = routes(symmetry, demand, rule).parts
            for k, lanes in zip(some, lanes_needed(network, parts, [orders[k] for k in some]), strict=True):
                needed[k] = lanes
    return needed


def virtual_lanes(call: MeasureCall) -> Certified[Answer]:
    """Return how many virtual lanes free a routing of deadlock."""
    traffic, demand = call.matrix()
    routing, rule = read_paths(call)
    certified = fewest_lanes(call.machine, demand, rule)
    fewest = certified.answer
    answer = call.number(
        fewest.lanes,
        NUMBER,
        assumptions=(f"routing {routing}", *notes(rule), traffic.pattern, "lossless links, paths as they are"),
        detail=_detail(call.machine, fewest),
        lines=(*_scheme_lines(fewest), *cycle_lines(call.machine, fewest.cycle)),
    )
    return Certified(answer, certified.certificate)


def _scheme_lines(fewest: FewestLanes) -> tuple[str, ...]:
    """Return what each scheme took, where several were tried."""
    if len(fewest.tried) < 2:
        return ()
    took = (f"{name} {f'more than {MOST_LANES}' if lanes is None else lanes}" for name, lanes in fewest.tried.items())
    return (f"lanes by scheme: {'; '.join(took)}",)


def _detail(machine: NetworkContext, fewest: FewestLanes) -> dict[str, Any]:
    """Return the scheme as JSON holds it, with what it says of each channel or pair where these are few enough."""
    if not fewest.scheme:
        return {}
    detail: dict[str, Any] = {"scheme": fewest.scheme, "lanes_by_scheme": fewest.tried}
    if fewest.pairs is not None:
        source, target = np.nonzero(fewest.pairs.lane > 0)
        if len(source) <= MOST_WRITTEN:
            lanes = fewest.pairs.lane[source, target].tolist()
            detail["lane_of_pairs"] = [
                {"packets": pair_name(machine, *pair), "lane": lane}
                for *pair, lane in zip(source.tolist(), target.tolist(), lanes, strict=True)
            ]
    elif fewest.order is not None and machine.network.arcs <= MOST_WRITTEN:
        names = arc_names(machine, np.arange(machine.network.arcs))
        places = zip(names, fewest.order.block.tolist(), fewest.order.rank.tolist(), strict=True)
        detail["order_of_channels"] = [{"channel": name, "block": block, "rank": rank} for name, block, rank in places]
    return detail
