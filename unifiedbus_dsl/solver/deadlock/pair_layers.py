"""Lanes that each pair keeps on all of the paths of a routing: layers of pairs, by LASH and DFSSSP.

Both are schemes for one path a pair; here a pair brings the dependencies of all of its paths along.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ids, Ints, concatenate_ranges
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.deadlock.dependencies import adjacent_arcs, topological_levels
from unifiedbus_dsl.solver.deadlock.layers import Layering, PairWaits, fewest_layers
from unifiedbus_dsl.solver.deadlock.path_rules import Leg, Turns, senders_at

MOST_WAITS = 2_000_000
"""Dependencies of pairs, each pair's own, up to which layers are sought."""


@frozen(eq=False)
class PairLanes:
    """The lane of what each end point sends to each (-1: nothing), `lane[E, E]`, and a rank of arcs for each lane that
    rises along the dependencies of its pairs, `rank[lanes, A]`. `layering` says by what scheme; where it has no layers
    there are no lanes."""

    lane: Ids
    rank: Ints
    layering: Layering

    @property
    def lanes(self) -> int:
        return len(self.rank)


def lanes_of_pairs(network: Network, parts: Iterable[Leg | Turns], most: int, enough: int) -> PairLanes | None:
    """Return the lanes that pairs keep, at most `most`; None where packets turn, or the work would be too much."""
    pairs = _pairs(network, parts)
    if pairs is None:
        return None
    source, goal, waits = pairs
    layering = fewest_layers(waits, most, enough)
    lane = np.full((network.ends, network.ends), -1, dtype=np.int32)
    rank = np.zeros((layering.layers, network.arcs), dtype=np.int64)
    if layering.layer_of is None:
        return PairLanes(lane, rank, layering)
    lane[source, goal] = layering.layer_of
    of_wait = np.repeat(layering.layer_of, np.diff(waits.start))
    for number in range(layering.layers):
        mine = np.unique(waits.wait[of_wait == number])
        levels = topological_levels(network.arcs, waits.before[mine], waits.after[mine])
        assert levels is not None, "a layer has a cycle"
        rank[number] = levels
    return PairLanes(lane, rank, layering)


def _pairs(network: Network, parts: Iterable[Leg | Turns]) -> tuple[Ints, Ints, PairWaits] | None:
    """Return the sources and goals of pairs that send, with the dependencies of each; None where these are too many or
    packets turn between legs."""
    each_arc = np.arange(network.arcs, dtype=np.int32)
    begin: list[tuple[Ints, int]] = []
    codes, pairs = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    held = 0
    for part in parts:
        if isinstance(part, Turns) or part.stage != "only":
            return None
        goal = int(network.end[part.goal[0]])
        who = senders_at(network, part)
        for one, two in adjacent_arcs(network, part, each_arc):
            tail = network.tail[one]
            many = np.diff(who.indptr)[tail].astype(np.int64)
            held += int(many.sum())
            if held > MOST_WAITS:
                return None
            senders = who.indices[concatenate_ranges(who.indptr[tail], who.indptr[tail + 1])]
            codes.append(np.repeat(one.astype(np.int64) * network.arcs + two, many))
            pairs.append(senders.astype(np.int64) * network.ends + goal)
        begin.append((np.unique(network.end[np.flatnonzero(part.given > 0)]).astype(np.int64), goal))
    number = np.unique(np.concatenate([sources * network.ends + goal for sources, goal in begin]))
    code, wait = np.unique(np.concatenate(codes), return_inverse=True)
    of_pair = np.searchsorted(number, np.concatenate(pairs))
    order = np.argsort(of_pair, kind="stable")
    start = np.searchsorted(of_pair[order], np.arange(len(number) + 1))
    waits = PairWaits(code // network.arcs, code % network.arcs, start, wait.ravel()[order])
    return number // network.ends, number % network.ends, waits
