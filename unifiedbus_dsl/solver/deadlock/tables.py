"""Forwarding tables: one arc out of each vertex for each destination, over the paths of a routing, and a lane for each
pair.

To each destination in turn every vertex takes, of the arcs that lead on, the one that carries fewest flows a cable so
far; flows are counted from all end points, those that are farthest first, so that what comes together later is known.
Lanes are layers (LASH or DFSSSP, see `unifiedbus_dsl.solver.deadlock.layers`): pairs of one lane depend on each other
in no circle, and a pair keeps its lane on all of its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import trivial_symmetry
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.deadlock.dependencies import is_acyclic
from unifiedbus_dsl.solver.deadlock.layers import LaneLayers, PairWaits, fewest_layers
from unifiedbus_dsl.solver.deadlock.path_rules import SHORTEST, PathRule, Router, router_of
from unifiedbus_dsl.solver.paths.bfs import Hops, endpoint_hops
from unifiedbus_dsl.solver.routing.up_down import RoutingDag

MOST_LANES = 16
"""Lanes that are given out; links of UnifiedBus and InfiniBand have 16 and 15."""
MOST_PAIRS = 1_000_000
"""Pairs that are given lanes at once."""


@frozen(eq=False)
class ForwardingTables:
    """From vertex v what is for destination g goes on by arc `arc[v, g]` (-1: it is there, or never comes by). What
    source s sends there begins at vertex `begin[s, g]` (-1: nothing does) and is on lane `lane[s, g]`; lanes are dealt
    out by `scheme`."""

    arc: Ids
    begin: Ids
    lane: Ids
    scheme: str = ""

    @property
    def lanes(self) -> int:
        return int(self.lane.max(initial=0)) + 1


def router_to_destinations(network: Network, rule: PathRule) -> Router:
    """Return the arcs of a rule toward any destination.

    Raises:
        NotAdmittedError: its packets have two legs, or the machine does not admit it.
    """
    if rule.via:
        raise NotAdmittedError("packets of two legs are not sent by their destination alone")
    return router_of(trivial_symmetry(network, ()), rule)[1]


def tables_between_ends(network: Network, rule: PathRule = SHORTEST) -> ForwardingTables:
    """Return tables from each end point to each other one.

    Raises:
        NoPathError: an end point has no path to another one, or the lanes are more than links have.
        NotAdmittedError: the machine does not admit the routing.
    """
    goals = [network.vertices_of(end) for end in range(network.ends)]
    routers = [router_to_destinations(network, rule)] * len(goals)
    return forwarding_tables(network, goals, routers, lambda goal, steps: _begins(network, steps, goal))


def forwarding_tables(
    network: Network,
    goals: Sequence[NDArray[Any]],
    routers: Sequence[Router],
    begins: Callable[[int, Hops], Ids],
    laned: int | None = None,
) -> ForwardingTables:
    """Return tables to destinations that are the vertices `goals[g]`, along the arcs of `routers[g]`.

    `begins(g, steps)` gives the vertex at which each source begins. Of the destinations the first `laned` are given
    lanes, by default all.

    Raises:
        NoPathError: a source has no path to a destination, or the lanes are more than links have.
    """
    arcs, starts = [], []
    carried = np.zeros(network.arcs)
    for number, goal in enumerate(track(goals, "tables to each destination")):
        ways = routers[number](goal)
        starts.append(begins(number, ways.steps))
        arcs.append(_chosen(network, ways, starts[-1], carried))
    arc, begin = np.stack(arcs, axis=1), np.stack(starts, axis=1)
    lane: Ids = np.zeros(begin.shape, dtype=np.int32)
    some = slice(0, laned)
    lane[:, some], scheme = _layers(network, arc[:, some], begin[:, some])
    return ForwardingTables(arc, begin, lane, scheme)


def _begins(network: Network, steps: Hops, goal: int) -> Ids:
    """Return the vertex at which each end point begins, the first of those that are nearest, [E]."""
    nearest = endpoint_hops(network, steps)
    if (nearest < 0).any():
        raise NoPathError("an end point has no path to another one")
    order = network.end_order
    fits = order[steps[order] == nearest[network.end[order]]]
    begins = np.full(network.ends, -1, dtype=np.int32)
    begins[network.end[fits][::-1]] = fits[::-1]
    begins[goal] = -1
    return begins


def _chosen(network: Network, ways: RoutingDag, begin: Ids, carried: Floats) -> Ids:
    """Return the arc on from each vertex that something comes by, [V]; adds its flows to what arcs have `carried`."""
    chosen_arc = np.full(network.vertices, -1, dtype=np.int32)
    flows = np.bincount(begin[begin >= 0], minlength=network.vertices).astype(np.float64)
    level = ways.steps[network.tail[ways.arcs]]
    order = np.argsort(-level, kind="stable")
    bounds = np.append(np.flatnonzero(np.diff(level[order], prepend=-1)), len(order))
    for first, last in pairwise(bounds.tolist()):
        rows = ways.arcs[order[first:last]]
        rows = rows[flows[network.tail[rows]] > 0]
        if not len(rows):
            continue
        tail = network.tail[rows]
        dealt = np.lexsort((rows, (carried[rows] + flows[tail]) / network.count[rows], tail))
        best = rows[dealt[np.append(True, tail[dealt][1:] != tail[dealt][:-1])]]
        chosen_arc[network.tail[best]] = best
        carried[best] += flows[network.tail[best]]
        np.add.at(flows, network.head[best], flows[network.tail[best]])
    return chosen_arc


# ---- lanes ----------------------------------------------------------------------------------------------------------


def _layers(network: Network, arc: Ids, begin: Ids) -> tuple[Ids, str]:
    """Return the lane of each pair, [E, goals]: 0 for all where that leaves no circle; and by which scheme."""
    ends, goals = begin.shape
    lane: Ids = np.zeros((ends, goals), dtype=np.int32)
    every = [_waits(network, arc[:, g], np.flatnonzero(begin[:, g] >= 0), begin[:, g]) for g in range(goals)]
    codes = np.unique(np.concatenate([np.zeros(0, np.int64), *every]))
    if is_acyclic(codes // network.arcs, codes % network.arcs):
        return lane, ""
    before, after = codes // network.arcs, codes % network.arcs
    at_once = max(1, MOST_PAIRS // max(ends, 1))
    layers, scheme = LaneLayers(before, after, MOST_LANES), "LASH"
    for first in track(list(range(0, goals, at_once)), "lanes to each end point"):
        some = slice(first, first + at_once)
        source, goal = np.nonzero(begin[:, some] >= 0)
        pair, code = _waits_of_pairs(network, arc[:, some], begin[source, first + goal], goal)
        start, wait = np.searchsorted(pair, np.arange(len(source) + 1)), np.searchsorted(codes, code)
        if at_once >= goals:
            found = fewest_layers(PairWaits(before, after, start, wait), MOST_LANES, enough=2)
            put, scheme = found.layer_of, found.scheme
        else:
            put = layers.put(start, wait)
        if put is None:
            raise NoPathError(f"{MOST_LANES} lanes are not enough for these paths")
        lane[source, first + goal] = put
    return lane, scheme


def _waits_of_pairs(network: Network, arc: Ids, begin: Ids, goal: Ints) -> tuple[Ints, Ints]:
    """Return dependencies of channels on the paths from `begin[p]` to `goal[p]`: each with the number of its pair, in
    order of these, and as a code (arc, next arc)."""
    pair, at = np.arange(len(begin)), arc[begin, goal].astype(np.int64)
    pairs, codes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    while len(pair):
        wanted = arc[network.head[at], goal[pair]].astype(np.int64)
        goes = wanted >= 0
        pair, at, wanted = pair[goes], at[goes], wanted[goes]
        pairs.append(pair)
        codes.append(at * network.arcs + wanted)
        at = wanted
    every = np.concatenate(pairs)
    order = np.argsort(every, kind="stable")
    return every[order], np.concatenate(codes)[order]


def _waits(network: Network, arc: Ids, sources: Ints, begin: Ids) -> Ints:
    """Dependencies of channels on the paths of some sources to a destination, as codes (arc, next arc)."""
    waits = [np.zeros(0, dtype=np.int64)]
    for held, wanted in _steps(network, arc, begin[sources]):
        waits.append(held * network.arcs + wanted)
    return np.unique(np.concatenate(waits))


def _steps(network: Network, arc: Ids, at: Ids) -> Iterator[tuple[Ints, Ints]]:
    """Yield arcs that are held with those that are wanted next, step by step along the paths from some vertices."""
    held = np.unique(arc[at]).astype(np.int64)
    while len(held):
        wanted = arc[network.head[held]].astype(np.int64)
        held, wanted = held[wanted >= 0], wanted[wanted >= 0]
        yield held, wanted
        held = np.unique(wanted)
