"""Fewest cables whose loss parts a pair, on the orbits that are left when both stay where they are."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.quotient.group import Mark
from unifiedbus_dsl.solver.from_plan.minimum_cut import maximum_flow
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.verify.plan_cables import StatedPaths, check_paths

MOST_PAIRS = 400
"""Orbits of pairs up to which each has its flow."""


@frozen(eq=False)
class FewestPaths:
    """The fewest cables whose loss parts a pair, and the ids of one that has so few. `networks` are the networks in
    which the sources of the pairs are told apart."""

    paths: int
    source_id: int
    target_id: int
    networks: tuple[PlanNetwork, ...]


def fewest_paths(network: PlanNetwork, senders: frozenset[int], receivers: frozenset[int]) -> FewestPaths | None:
    """Return the smallest over pairs of a device of some places and a different one of others; None where there is no
    pair.

    Raises:
        NotProvedError: there are many orbits of pairs.
        VerificationError: paths do not hold.
    """
    found: list[tuple[int, int, int]] = []
    networks: list[PlanNetwork] = []
    for source, _ in network.sources(senders):
        mark = _mark(network, source)
        marked = network.marked(mark)
        source_id = network.base.device_id(source)
        networks.append(marked)
        for target, _ in marked.sources(receivers):
            target_id = marked.base.device_id(target)
            if target_id == source_id:
                continue
            if len(found) == MOST_PAIRS:
                raise NotProvedError("many orbits of pairs")
            found.append((_pair_paths(marked.around(target), mark), source_id, target_id))
    return FewestPaths(*min(found), tuple(networks)) if found else None


def _mark(network: PlanNetwork, device: int) -> Mark:
    """Return what tells the member of an orbit of devices apart."""
    cells = network.base.cells
    node = int(network.base.first[device])
    place = int(cells.place[node])
    return Mark(place, 1, cells.address(place, int(cells.row[node])))


def _pair_paths(quotient: Quotient, source: Mark) -> int:
    """Return the fewest cables that part the device that the orbits are around from one that is told apart."""
    cells = quotient.cells
    digits = [source.number // digit.stride % digit.size for digit in cells.group.places[source.place]]
    row = int(cells.row_of(source.place, np.array([digits], dtype=np.int64))[0])
    starts = quotient.device == quotient.device[cells.node(source.place, row)]
    ends = quotient.device == quotient.source
    cables = quotient.size[quotient.tail] * quotient.count
    passes = quotient.forwards | starts | ends
    usable = np.flatnonzero(passes[quotient.tail] & passes[quotient.head])
    carried, side = maximum_flow(
        quotient.nodes, quotient.tail[usable], quotient.head[usable], cables[usable].tolist(),
        np.flatnonzero(starts), np.flatnonzero(ends),
    )  # fmt: skip
    flow = np.zeros(len(cables), dtype=np.int64)
    flow[usable] = carried
    paths = int(flow[starts[quotient.tail]].sum() - flow[starts[quotient.head]].sum())
    check_paths(StatedPaths(quotient.tail, quotient.head, cables, starts, ends, quotient.forwards, flow, side, paths))
    return paths
