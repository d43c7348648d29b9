"""Forwarding tables: one arc out of each vertex for each destination, over shortest paths, and a lane for each pair.

To each destination in turn every vertex takes, of the arcs that lead nearer, the one that carries fewest flows a cable
so far; flows are counted from all end points, those that are farthest first, so that what comes together later is
known. Lanes are layers (LASH, Skeie, Lysne and Theiss, 2002; DFSSSP, Domke, Hoefler and Nagel, 2011): pairs of one lane
depend on each other in no circle, and a pair keeps its lane on all of its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network, arcs_of_rows
from unifiedbus_dsl.solver.bounds import NoPathError
from unifiedbus_dsl.solver.deadlock.dependencies import topological_levels
from unifiedbus_dsl.solver.paths.bfs import by_cable, distances, endpoint_hops

MOST_LANES = 16
"""Lanes that are given out; links of UnifiedBus and InfiniBand have 16 and 15."""


@frozen(eq=False)
class ForwardingTables:
    """From vertex v what is for destination g goes on by arc `arc[v, g]` (-1: it is there, or never comes by). What
    source s sends there begins at vertex `begin[s, g]` (-1: nothing does) and is on lane `lane[s, g]`."""

    arc: Ids
    begin: Ids
    lane: Ids

    @property
    def lanes(self) -> int:
        return int(self.lane.max(initial=0)) + 1


def tables_between_ends(network: Network) -> ForwardingTables:
    """Return tables from each end point to each other one.

    Raises:
        NoPathError: an end point has no path to another one, or the lanes are more than links have.
    """
    goals = [network.vertices_of(end) for end in range(network.ends)]
    return forwarding_tables(network, goals, lambda goal, hops: _begins(network, hops, goal))


def forwarding_tables(
    network: Network,
    goals: Sequence[NDArray[Any]],
    begins: Callable[[int, NDArray[Any]], Ids],
    laned: int | None = None,
) -> ForwardingTables:
    """Return tables to destinations that are the vertices `goals[g]`; `begins(g, hops)` gives the vertex at which each
    source begins. Of the destinations the first `laned` are given lanes, by default all.

    Raises:
        NoPathError: a source has no path to a destination, or the lanes are more than links have.
    """
    arcs, starts = [], []
    carried = np.zeros(network.arcs)
    weights = by_cable(network)
    for number, goal in enumerate(track(goals, "tables to each destination")):
        hops = distances(weights, goal).hops
        starts.append(begins(number, hops))
        arcs.append(_chosen(network, hops, starts[-1], carried))
    arc, begin = np.stack(arcs, axis=1), np.stack(starts, axis=1)
    lane: Ids = np.zeros(begin.shape, dtype=np.int32)
    some = slice(0, laned)
    lane[:, some] = _layers(network, arc[:, some], begin[:, some])
    return ForwardingTables(arc, begin, lane)


def _begins(network: Network, hops: NDArray[Any], goal: int) -> Ids:
    """Return the vertex at which each end point begins, the first of those that are nearest, [E]."""
    nearest = endpoint_hops(network, hops)
    if (nearest < 0).any():
        raise NoPathError("an end point has no path to another one")
    order = network.end_order
    fits = order[hops[order] == nearest[network.end[order]]]
    begins = np.full(network.ends, -1, dtype=np.int32)
    begins[network.end[fits][::-1]] = fits[::-1]
    begins[goal] = -1
    return begins


def _chosen(network: Network, hops: NDArray[Any], begin: Ids, carried: Floats) -> Ids:
    """Return the arc on from each vertex that something comes by, [V]; adds its flows to what arcs have `carried`."""
    chosen_arc = np.full(network.vertices, -1, dtype=np.int32)
    flows = np.bincount(begin[begin >= 0], minlength=network.vertices).astype(np.float64)
    for level in range(int(hops.max()), 0, -1):
        here = np.flatnonzero((hops == level) & (flows > 0))
        if not len(here):
            continue
        rows = arcs_of_rows(network, here)
        head = network.head[rows]
        rows = rows[(hops[head] == level - 1) & (network.forwards[head] | (level == 1))]
        tail = network.tail[rows]
        order = np.lexsort((rows, (carried[rows] + flows[tail]) / network.count[rows], tail))
        best = rows[order[np.append(True, tail[order][1:] != tail[order][:-1])]]
        chosen_arc[network.tail[best]] = best
        carried[best] += flows[network.tail[best]]
        np.add.at(flows, network.head[best], flows[network.tail[best]])
    return chosen_arc


# ---- lanes ----------------------------------------------------------------------------------------------------------


def _layers(network: Network, arc: Ids, begin: Ids) -> Ids:
    """Return the lane of each pair, [E, goals]: 0 for all where that leaves no circle."""
    ends, goals = begin.shape
    lane: Ids = np.zeros((ends, goals), dtype=np.int32)
    every = [_waits(network, arc[:, g], np.flatnonzero(begin[:, g] >= 0), begin[:, g]) for g in range(goals)]
    codes = np.unique(np.concatenate([np.zeros(0, np.int64), *every]))
    if _is_acyclic(network, codes):
        return lane
    layers: list[Ints] = []
    for goal in track(list(range(goals)), "lanes to each end point"):
        left = np.flatnonzero(begin[:, goal] >= 0)
        for number in range(MOST_LANES):
            if number == len(layers):
                layers.append(np.zeros(0, dtype=np.int64))
            layers[number], over = _fit(network, layers[number], arc[:, goal], left, begin[:, goal])
            lane[left, goal] = number
            left = over
            if not len(left):
                break
        else:
            raise NoPathError(f"{MOST_LANES} lanes are not enough for these paths")
    return lane


def _fit(network: Network, layer: Ints, arc: Ids, sources: Ints, begin: Ids) -> tuple[Ints, Ints]:
    """Return a layer with as many sources of a destination as halving them finds room for, and those that are over."""
    more = np.union1d(layer, _waits(network, arc, sources, begin))
    if len(more) == len(layer) or _is_acyclic(network, more):
        return more, sources[:0]
    if len(sources) == 1:
        return layer, sources
    half = len(sources) // 2
    layer, one = _fit(network, layer, arc, sources[:half], begin)
    layer, two = _fit(network, layer, arc, sources[half:], begin)
    return layer, np.concatenate([one, two])


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


def _is_acyclic(network: Network, codes: Ints) -> bool:
    names, place = np.unique(np.concatenate([codes // network.arcs, codes % network.arcs]), return_inverse=True)
    place = place.ravel()
    return topological_levels(len(names), place[: len(codes)], place[len(codes) :]) is not None
