"""Orders of channels to try: those of the known schemes of virtual lanes, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ids, Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Array, locate_arrays, relabel, tiers_of_vertices
from unifiedbus_dsl.solver.deadlock.dependencies import Dependencies, components, topological_levels
from unifiedbus_dsl.solver.deadlock.lanes import LaneOrder

MOST_CLASSES = 5
"""Classes of channels of a block up to which all orders of them are tried."""
FEW_CLASSES = 3
"""Classes whose orders are tried first."""


@frozen(eq=False)
class Blocks:
    """The block of each arc, [A], in an order that no dependency goes against; `cyclic` [A]: whether it has a cycle."""

    of: Ints
    cyclic: NDArray[np.bool_]


def blocks_of(found: Dependencies) -> Blocks:
    """Return the strongly connected components of dependencies, numbered along them."""
    part = components(found.orbits, found.before, found.after).astype(np.int64)
    many = int(part.max(initial=0)) + 1
    between = part[found.before] != part[found.after]
    level = topological_levels(many, part[found.before[between]], part[found.after[between]])
    assert level is not None, "components are in no cycle"
    number = np.empty(many, dtype=np.int64)
    number[np.lexsort((np.arange(many), level))] = np.arange(many)
    inside = np.zeros(many, dtype=bool)
    inside[part[found.before[~between]]] = True
    orbit = found.group.arc_orbit
    return Blocks(number[part][orbit], inside[part][orbit])


def merged(blocks: Blocks, order: LaneOrder) -> LaneOrder:
    """Return the same order with a single block, for packets that turn: an earlier block is a lower rank."""
    wide = int(order.rank.max(initial=0)) + 1
    return LaneOrder(np.zeros_like(blocks.of), blocks.of * wide + order.rank, order.scheme)


# ---- classes of channels --------------------------------------------------------------------------------------------


@frozen(eq=False)
class ChannelClasses:
    """A number for each arc, [A], and what the classes are called."""

    of: Ints
    said: str


def channel_classes(
    network: Network, blocks: Blocks, orbit: NDArray[np.integer], arrays: Sequence[Array], group: Ints | None
) -> Iterator[ChannelClasses]:
    """Yield classes of channels whose orders may be good ones: `group` [V] are groups of a dragonfly, if there are."""
    yield ChannelClasses(orbit.astype(np.int64), "sort of channel")
    if group is not None:
        crosses = (group[network.tail] >= 0) & (group[network.head] >= 0) & (group[network.tail] != group[network.head])
        yield ChannelClasses(crosses.astype(np.int64), "local and global channels")
    changed, sign = changed_dimension(network, arrays)
    if (changed >= 0).any():
        yield ChannelClasses(changed + 1, "dimension")
        yield ChannelClasses((changed + 1) * 2 + sign, "dimension and direction")
    tier = tiers_of_vertices(network).astype(np.int64)
    yield ChannelClasses(np.sign(tier[network.head] - tier[network.tail]) + 1, "up, across and down")


def changed_dimension(network: Network, arrays: Sequence[Array]) -> tuple[Ints, Ints]:
    """Return the only dimension of an array of devices that an arc changes (numbered over all arrays, -1: none), and
    whether it leads to a higher index, [A] each."""
    device = np.repeat(np.arange(len(network.device_start) - 1), np.diff(network.device_start))
    changed = np.full(network.arcs, -1, dtype=np.int64)
    sign = np.zeros(network.arcs, dtype=np.int64)
    number = 0
    for array in (array for array in arrays if array.shape):
        outer, rest, inside = locate_arrays(array, device)
        inside = inside & (rest < prod(array.shape) * array.size)
        at = np.stack([*outer, *np.unravel_index(np.where(inside, rest // array.size, 0), array.shape)], axis=1)
        one, two = at[network.tail], at[network.head]
        both = inside[network.tail] & inside[network.head] & (changed < 0)
        differ = one != two
        here = both & (differ.sum(axis=1) == 1)
        axis = differ.argmax(axis=1)
        changed[here] = number + axis[here]
        row = np.arange(network.arcs)
        sign[here] = (two[row, axis] > one[row, axis])[here]
        number += at.shape[1]
    return changed, sign


def class_orders(blocks: Blocks, classes: ChannelClasses, few: bool) -> Iterator[LaneOrder]:
    """Yield orders of classes within each block that has cycles; with `few` of those of few classes only, else of the
    others."""
    wide = int(classes.of.max(initial=0)) + 1
    key = np.unique((blocks.of * wide + classes.of)[blocks.cyclic])
    _, first, sizes = np.unique(key // wide, return_index=True, return_counts=True)
    max_size = int(sizes[sizes <= MOST_CLASSES].max(initial=1))
    if max_size < 2 or (max_size <= FEW_CLASSES) is not few:
        return
    at = np.minimum(np.searchsorted(key, blocks.of * wide + classes.of), len(key) - 1)
    nth = np.arange(len(key)) - np.repeat(first, sizes)
    for order in permutations(range(max_size)):
        place = _places(order, nth, np.repeat(sizes, sizes))
        rank = np.where(blocks.cyclic, place[at], 0)
        yield LaneOrder(blocks.of, rank, f"a lane more at each turn against an order by {classes.said}")


def _places(order: tuple[int, ...], nth: Ints, size: Ints) -> Ints:
    """Return the place of the nth class of a block of some size in an order, of which it has the first numbers; 0 where
    it has too many classes."""
    places = np.zeros(len(nth), dtype=np.int64)
    for many in np.unique(size[size <= len(order)]).tolist():
        place = np.argsort([k for k in order if k < many])
        mine = size == many
        places[mine] = place[nth[mine]]
    return places


# ---- numbers of vertices --------------------------------------------------------------------------------------------


def number_orders(network: Network, blocks: Blocks) -> Iterator[LaneOrder]:
    """Yield orders by numbers of vertices, each both ways: by device, and by the distance from that of most cables."""
    root = int(np.argmax(np.diff(network.indptr) * np.where(network.end < 0, 2, 1)))
    by_device = np.arange(network.vertices), "number of device (datelines where rings close)"
    from_root = _distance_numbers(network, root), "distance from the device of most cables (up*/down*)"
    for number, said in (by_device, from_root):
        yield _up_first(network, blocks, number, said)
        yield _down_first(network, blocks, number, said)


def rooted_orders(network: Network, blocks: Blocks, vertex_orbit: Ids, most: int) -> Iterator[LaneOrder]:
    """Yield orders by distance from other devices, at most so many: one of each orbit, evenly dealt."""
    roots = np.sort(np.unique(vertex_orbit, return_index=True)[1])
    for k in np.unique(np.linspace(0, len(roots) - 1, min(most, len(roots))).astype(np.int64)).tolist():
        number = _distance_numbers(network, int(roots[k]))
        yield _up_first(network, blocks, number, "distance from one of the devices (up*/down*)")


def _up_first(network: Network, blocks: Blocks, number: Ints, said: str) -> LaneOrder:
    """Return the order of channels to higher numbers, the lowest first, before those to lower ones."""
    tail, n = number[network.tail], network.vertices
    up = number[network.head] > tail
    return LaneOrder(blocks.of, np.where(up, tail, 2 * n - 1 - tail), f"up before down by {said}")


def _down_first(network: Network, blocks: Blocks, number: Ints, said: str) -> LaneOrder:
    """Return the order of channels to lower numbers, the highest first, before those to higher ones."""
    tail, n = number[network.tail], network.vertices
    down = number[network.head] <= tail
    return LaneOrder(blocks.of, np.where(down, n - 1 - tail, n + tail), f"down before up by {said}")


def _distance_numbers(network: Network, root: int) -> Ints:
    """Return a different number for each vertex, larger where it is farther from a root."""
    start = np.zeros(network.vertices, dtype=bool)
    start[root] = True
    tier = tiers_of_vertices(network, start).astype(np.int64)
    return relabel_by(tier, np.arange(network.vertices))


def relabel_by(major: Ints, minor: Ints) -> Ints:
    """Return a different number for each vertex, in order of two columns."""
    number = np.empty(len(major), dtype=np.int64)
    number[np.lexsort((minor, major))] = np.arange(len(major))
    return number


def is_invariant(orbit: NDArray[np.integer], order: LaneOrder) -> bool:
    """Return whether all arcs of each orbit have one block and rank."""
    code = relabel(order.block * (int(order.rank.max(initial=0)) + 1) + order.rank).astype(np.int64)
    first = np.zeros(int(orbit.max(initial=-1)) + 1, dtype=np.int64)
    first[orbit] = code
    return bool((first[orbit] == code).all())


def by_hops(blocks: Blocks) -> LaneOrder:
    """Return the order in which no channel comes before another: a lane for each hop of a block."""
    return LaneOrder(blocks.of, np.zeros_like(blocks.of), "a lane more at each hop")
