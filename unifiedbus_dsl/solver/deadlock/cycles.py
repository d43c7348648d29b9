"""A cycle of channels written out: each dependency with a pair of end points whose packets make it.

A cycle of orbits is lifted by its dependencies' own orbits: the automorphisms that keep demand and routing are applied
to one dependency for each step of the cycle, with the pair that shows it, breadth first over the generators, until the
dependencies found hold a cycle. They do at the latest when all images are there (see `dependencies`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ids, Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Automorphism
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.dependencies import Dependencies, short_cycle
from unifiedbus_dsl.solver.deadlock.path_rules import Leg, Routes, Turns, sending_pair
from unifiedbus_dsl.solver.demand import Demand

MOST_IMAGES = 8_000_000
"""Images of dependencies that are made to find a cycle of arcs."""
FIRST_LOOK = 64
"""Images after which a cycle is sought for the first time, then each time that they have doubled."""


@frozen(eq=False)
class ChannelCycle:
    """Arc `arcs[i]` is held by packets that want `arcs[i + 1]` next (the last one `arcs[0]`): those from end point
    `source[i]` to `target[i]`, [n] each. `via[i]` is the vertex at which they turn or turned, -1 where they do not."""

    arcs: Ints
    source: Ints
    target: Ints
    via: Ints


TAIL, MIDDLE, HEAD, SOURCE, TARGET, VIA, FIRST, SECOND = range(8)
"""Columns of a dependency: three vertices, the pair by a vertex each, where it turns; labels of the two arcs."""
MOVING = (TAIL, MIDDLE, HEAD, SOURCE, TARGET, VIA)


def channel_cycle(found: Dependencies, routes: Routes, demand: Demand) -> ChannelCycle | None:
    """Return a cycle of channels; None where there is none. `routes` are those of the dependencies, from the start.

    Raises:
        NotAdmittedError: its images are too many to be written out.
    """
    edges = short_cycle(found.orbits, found.before, found.after)
    if edges is None:
        return None
    network = found.group.network
    rows = _witnessed(network, found, routes, demand, edges)
    label = network.label
    for every in _images(network, found.group.generators, rows):
        closed = _cycle_in(network, every)
        if closed is not None:
            arcs = [_arc(network, label, *row) for row in closed[:, (TAIL, MIDDLE, FIRST)].tolist()]
            via = closed[:, VIA]
            ends = network.end.astype(np.int64)
            return ChannelCycle(np.array(arcs), ends[closed[:, SOURCE]], ends[closed[:, TARGET]], via)
    raise NotAdmittedError("its channels depend on each other in a circle that is too long to be written out")


def _arc(network: Network, label: NDArray[np.integer], tail: int, head: int, look: int) -> int:
    row = np.arange(network.indptr[tail], network.indptr[tail + 1])
    return int(row[(network.head[row] == head) & (label[row] == look)][0])


# ---- images of dependencies -----------------------------------------------------------------------------------------


def _images(
    network: Network, generators: tuple[Automorphism, ...], rows: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows with ever more of their images under the group, all of them in the end; without those that are
    the same but for the pair."""
    every, last = _distinct(network, rows), rows
    yield every
    look = max(FIRST_LOOK, 2 * len(every))
    while len(last):
        made = [_image(generator, last) for generator in generators]
        before = len(every)
        every = _distinct(network, np.concatenate([every, *made]) if made else every)
        last = every[before:]
        if len(every) > MOST_IMAGES:
            break
        if len(every) >= look or not len(last):
            yield every
            look = 2 * len(every)


def _image(generator: Automorphism, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    image = rows.copy()
    moving = image[:, MOVING]
    place = np.minimum(np.searchsorted(generator.moved, moving), max(len(generator.moved) - 1, 0))
    image[:, MOVING] = np.where(generator.moved[place] == moving, generator.image[place], moving)
    return image


def _distinct(network: Network, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first row of each dependency, in their order."""
    n, looks = network.vertices, int(network.label.max(initial=0)) + 1
    one = (rows[:, TAIL] * n + rows[:, MIDDLE]) * looks + rows[:, FIRST]
    two = rows[:, HEAD] * looks + rows[:, SECOND]
    order = np.lexsort((np.arange(len(rows)), two, one))
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(one[order]) != 0) | (np.diff(two[order]) != 0)
    return np.asarray(rows[np.sort(order[new])])


def _cycle_in(network: Network, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the rows of a cycle, in order; None where there is none."""
    n, looks = network.vertices, int(network.label.max(initial=0)) + 1
    one = (rows[:, TAIL] * n + rows[:, MIDDLE]) * looks + rows[:, FIRST]
    two = (rows[:, MIDDLE] * n + rows[:, HEAD]) * looks + rows[:, SECOND]
    codes, place = np.unique(np.concatenate([one, two]), return_inverse=True)
    before, after = place.ravel()[: len(rows)], place.ravel()[len(rows) :]
    edges = short_cycle(len(codes), before, after)
    return None if edges is None else rows[edges]


# ---- pairs that show a dependency -----------------------------------------------------------------------------------


def _witnessed(
    network: Network, found: Dependencies, routes: Routes, demand: Demand, edges: list[int]
) -> NDArray[np.int64]:
    """Return one row for each of some dependencies, with a pair of the demand that makes it."""
    rows: dict[int, list[int]] = {}
    first_of_end = network.end_order[network.end_start[:-1]]
    for number, part in enumerate(routes.parts):
        for edge in (edge for edge in edges if found.part[edge] == number):
            a, b = int(found.arc[edge]), int(found.next_arc[edge])
            source, target, via = _pair_of(network, part, a, b, demand)
            rows[edge] = [
                int(network.tail[a]), int(network.head[a]), int(network.head[b]),
                int(first_of_end[source]), int(first_of_end[target]), via, int(network.label[a]), int(network.label[b]),
            ]  # fmt: skip
        if len(rows) == len(edges):
            break
    return np.array([rows[edge] for edge in edges], dtype=np.int64)


def _pair_of(network: Network, part: Leg | Turns, a: int, b: int, demand: Demand) -> tuple[int, int, int]:
    """Return a source, a target and where packets turn or turned between (-1: nowhere), whose packets go from a on to
    b."""
    if isinstance(part, Turns):
        return *part.pair(a, b), int(network.head[a])
    begin = _followed(part, network.head, network.tail, int(network.tail[a]), part.given > 0)
    every = np.arange(network.ends)
    if part.stage == "only":
        return int(network.end[begin]), int(network.end[part.goal[0]]), -1
    if part.stage == "first":
        via = _followed(part, network.tail, network.head, int(network.head[b]), part.steps == 0)
        return *sending_pair(demand, network.end[begin : begin + 1].astype(np.int64), every), via
    target = network.end[part.goal[:1]].astype(np.int64)
    if part.came is not None:
        here = part.came.who[np.flatnonzero(network.head[part.came.arcs] == begin)]
        senders = np.unique(here.indices)
        every = senders if len(senders) else network.end[begin : begin + 1].astype(np.int64)
    return *sending_pair(demand, every, target), begin


def _followed(part: Leg, here: Ids, there: Ids, vertex: int, stop: Bools) -> int:
    """Return the first vertex that is marked, from one on along the arcs of a leg, each of which has it `here`."""
    order = part.arcs[np.argsort(here[part.arcs], kind="stable")]
    at = here[order]
    while not stop[vertex]:
        vertex = int(there[order[np.searchsorted(at, vertex)]])
    return vertex
